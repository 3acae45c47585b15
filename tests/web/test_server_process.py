"""The desk as a real process: ended with kill -9 right after an answer, and the example with its sample offices."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from qianmo.jobs.context import Context
from qianmo.jobs.make_village import run as make_village
from qianmo.jobs.registry import job_spec
from qianmo.jobs.spec import checked_values

PASSWORD = "阡陌纵横-田间小路-2026"
TRIANGLE = {"type": "Polygon", "coordinates": [[[117.24, 27.99], [117.26, 27.99], [117.26, 28.02], [117.24, 27.99]]]}


def _part(name: str):
    spec = importlib.util.spec_from_file_location(f"desk_{name}", Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


served, DeskClient = _part("browser").served, _part("desk_client").DeskClient


@pytest.fixture(scope="module")
def village(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("process") / "project"
    context = Context(user="测试", clock=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    make_village(context, checked_values(job_spec("village"), {"into": str(folder), "patches": 200, "villages": 2}))
    return folder


def test_nothing_that_was_answered_is_lost_when_the_server_is_killed(village, tmp_path):
    project = tmp_path / "project"
    shutil.copytree(village, project, symlinks=True)
    client = DeskClient()
    with served(project) as (client.home, first, process):
        token = first.split("token=")[1]
        answer = client.post("/setup/", {"username": "主任", "password1": PASSWORD, "password2": PASSWORD, "token": token})
        assert answer[0] == 302
        status, _, headers = client.post("/tasks/new/evaluate/", {})
        process.send_signal(signal.SIGKILL)
        assert status == 302
        task = headers["Location"]
    with served(project) as (client.home, again, process):
        assert not again, "the first user is there, so the first-user page stays shut"
        assert client.get(task)[0] == 200, "the session is there too"
        until = time.monotonic() + 60
        while (found := json.loads(client.get(f"/api{task}".rstrip("/"))[1]))["state"] in ("queued", "running") and time.monotonic() < until:
            time.sleep(0.3)
        assert found["state"] == "done"
        form = {"username": "clerk", "first_name": "", "role": "reader", "region": "", "department": "", "clearance": "1", "password1": PASSWORD, "password2": PASSWORD}
        assert client.post("/people/new/", form)[0] == 302
        number = re.findall(r"/people/(\d+)/", client.get("/people/")[1])
        address = f"/people/{max(map(int, number))}/"
        status, _, _ = client.post(address, {"role": "planner", "clearance": "2", "is_active": "on", "region": "9901"})
        process.send_signal(signal.SIGKILL)
        assert status == 302
    with served(project) as (client.home, _, process):
        with closing(sqlite3.connect(project / "desk.sqlite3")) as database:
            assert database.execute("SELECT role, clearance, region FROM desk_person WHERE username = 'clerk'").fetchone() == ("planner", 2, "9901")
        status, _, headers = client.post("/lines/", {"title": "断电前", "shape": json.dumps(TRIANGLE)})
        process.send_signal(signal.SIGKILL)
        assert status == 302
    with served(project) as (client.home, _, process):
        status, text, _ = client.get(headers["Location"])
        assert status == 200 and "断电前" in text


def test_the_example_is_served_with_sample_offices_whose_passwords_are_new_each_time(village, tmp_path):
    out = tmp_path / "demo"
    shutil.copytree(village, out / "project", symlinks=True)
    seen = [_offices(out) for _ in range(2)]
    assert set(seen[0]) == set(seen[1]) == {"sample-town", "sample-natural", "sample-farming", "sample-ecology", "sample-villager", "sample-deputy", "sample-review", "sample-county"}
    words = [p for s in seen for p in s.values()]
    assert len(set(words)) == 16 and all(len(w) >= 16 for w in words)


def _offices(out: Path) -> dict[str, str]:
    """Start the example, sign in as the villager and as agriculture, and give the accounts that were printed."""
    log = out / "log.txt"
    with log.open("w", encoding="utf-8") as file:
        words = [sys.executable, "-m", "qianmo.cli.main", "demo", "--serve", "--out", str(out), "--port", "0", "--no-browser", "--quiet"]
        process = subprocess.Popen(words, stdout=file, stderr=subprocess.STDOUT)
    try:
        until = time.monotonic() + 60
        while "Ctrl+C" not in (text := log.read_text(encoding="utf-8")):
            assert process.poll() is None and time.monotonic() < until, text
            time.sleep(0.1)
        assert "synthetic" in text and "token=" not in text
        accounts = dict(re.findall(r"^  (sample-\w+)  (\S+)  ", text, re.MULTILINE))
        for name, may_run in (("sample-villager", False), ("sample-natural", True)):
            client = DeskClient()
            client.home = re.search(r"http://\S+", text).group()
            assert client.post("/accounts/login/", {"login": name, "password": accounts[name]})[0] == 302
            assert client.get("/tasks/")[0] == (200 if may_run else 403)
            assert "合成" in client.get("/")[1] or not may_run
        return accounts
    finally:
        process.kill()
        process.wait()


def test_an_example_where_somebody_else_has_an_account_gets_no_sample_offices(people):
    from qianmo.schema.errors import NotAllowedError
    from qianmo.web.models import Person
    from qianmo.web.sample_offices import make_offices

    with pytest.raises(NotAllowedError, match="farming, manager"):
        make_offices()
    assert not Person.objects.filter(username__startswith="sample-").exists()
