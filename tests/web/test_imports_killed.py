"""A desk that is killed during an upload or during an import: nothing half-made is seen, the project is whole."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import socket
import time
import urllib.parse
import urllib.request
from datetime import UTC, datetime
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from qianmo.jobs.context import Context
from qianmo.jobs.make_village import run as make_village
from qianmo.jobs.registry import job_spec
from qianmo.jobs.spec import checked_values
from qianmo.store.project import history, open_project
from qianmo.store.stage import read_catalog

HERE = Path(__file__).resolve().parent
_spec = importlib.util.spec_from_file_location("import_browser", HERE / "browser.py")
browser_of = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(browser_of)

PASSWORD = "阡陌纵横-田间小路-2026"
REDLINE = (
    '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"BSM":"1","HXMC":"东溪保护区","MJ":43601.0},"geometry":{"type":"Polygon",'
    '"coordinates":[[[117.25,28.0],[117.252,28.0],[117.252,28.002],[117.25,28.002],[117.25,28.0]]]}}]}'
).encode()


class Visitor:
    """A browser without scripts."""

    def __init__(self, home: str) -> None:
        self.home, self.cookies = home, CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def get(self, address: str) -> tuple[str, str]:
        with self.opener.open(urllib.parse.urljoin(self.home, address), timeout=60) as answer:
            return answer.url, answer.read().decode()

    def post(self, address: str, values: dict[str, str]) -> tuple[str, str]:
        body = urllib.parse.urlencode({**values, "csrfmiddlewaretoken": self.token()}).encode()
        with self.opener.open(urllib.parse.urljoin(self.home, address), body, timeout=60) as answer:
            return answer.url, answer.read().decode()

    def token(self) -> str:
        return next((c.value for c in self.cookies if c.name == "csrftoken"), "")

    def words(self, name: str, body: bytes, length: int) -> bytes:
        """A raw request that sends a file, its length as told."""
        head = f'--B\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n{self.token()}\r\n--B\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
        text = head.encode() + body + b"\r\n--B--\r\n"
        cookies = "; ".join(f"{c.name}={c.value}" for c in self.cookies)
        place = urllib.parse.urlsplit(self.home).netloc
        lines = ("POST /imports/ HTTP/1.1", f"Host: {place}", f"Cookie: {cookies}", "Content-Type: multipart/form-data; boundary=B", "Connection: close",
                 f"Content-Length: {length or len(text)}")  # fmt: skip
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + text


def _until(told, seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while not told():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.1)


@pytest.mark.skipif(os.name == "nt", reason="kills a process group")
def test_a_killed_desk_shows_no_half_file_takes_the_import_up_again_and_keeps_the_project_whole(tmp_path):
    project = tmp_path / "项目"
    context = Context(user="测试", clock=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    make_village(context, checked_values(job_spec("village"), {"into": str(project), "patches": 120, "villages": 2}))
    before, folder = len(history(project)), project / "uploads"

    with browser_of.served(project) as (home, first, process):
        visitor = Visitor(home)
        visitor.get(first)
        visitor.post(first, {"username": "主任", "password1": PASSWORD, "password2": PASSWORD, "token": first.split("token=")[1]})
        visitor.get("/imports/")
        place = urllib.parse.urlsplit(home)
        with socket.create_connection((place.hostname, place.port)) as link:
            link.sendall(visitor.words("半.csv", b"1,2\n" * (1 << 18), 3 << 20))  # told 3 MB, sent 1 MB
            time.sleep(1.0)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        assert not [p for p in folder.glob("*") if not p.name.startswith(".half-")]

    (folder / ".half-left" / "upload").mkdir(parents=True)
    (folder / ".half-left" / "upload" / "半.csv").write_bytes(b"1,2\n")
    with browser_of.served(project) as (home, first, process):
        assert not first and not list(folder.glob("*")), "what was broken off is gone at the start"
        visitor = Visitor(home)
        visitor.get("/accounts/login/")
        visitor.post("/accounts/login/", {"login": "主任", "password": PASSWORD})
        text = visitor.get("/imports/")[1]
        assert "半.csv" not in text
        with socket.create_connection((urllib.parse.urlsplit(home).hostname, urllib.parse.urlsplit(home).port)) as link:
            link.sendall(visitor.words("生态保护红线.geojson", REDLINE, 0))
            answer = link.recv(4096).decode("latin-1")
        address = re.search(r"Location: (\S+)", answer).group(1)
        _until(lambda: visitor.get(address)[0].endswith("/1/"))
        assert "入库" in visitor.get(f"{address}4/")[1]
        visitor.post(f"{address}4/", {})
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    open_project(project)
    assert len(history(project)) in (before, before + 1)

    with browser_of.served(project) as (home, first, _process):
        visitor = Visitor(home)
        visitor.get("/accounts/login/")
        visitor.post("/accounts/login/", {"login": "主任", "password": PASSWORD})
        _until(lambda: "已写入项目" in visitor.get(address)[1])
    assert read_catalog(open_project(project).state)["eco_redline"].rows == 1
