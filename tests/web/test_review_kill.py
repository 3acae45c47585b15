"""A desk killed right after it acknowledged a move: nothing is lost, and what is sent again counts once."""

from __future__ import annotations

import http.cookiejar
import importlib.util
import os
import secrets
import shutil
import signal
import sqlite3
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from qianmo.jobs.context import Context
from qianmo.jobs.review.opened import add_event, open_review

_spec = importlib.util.spec_from_file_location("desk_browser", Path(__file__).with_name("browser.py"))
_browser_of = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_browser_of)
served = _browser_of.served

PASSWORD = "阡陌纵横-田间小路-2026"


class _Browser:
    """Signs in and posts forms as a browser does, without following the answer."""

    class _Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *args, **named):
            return None

    def __init__(self, home: str) -> None:
        self.home, self.jar = home, http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar), self._Stay())
        self.opener.addheaders = [("Referer", home)]

    def get(self, address: str) -> str:
        return self.opener.open(self.home + address, timeout=20).read().decode()

    def post(self, address: str, **data: str) -> int:
        token = next(c.value for c in self.jar if c.name == "csrftoken")
        body = urllib.parse.urlencode({"csrfmiddlewaretoken": token, **data}).encode()
        try:
            return self.opener.open(self.home + address, body, timeout=20).status
        except urllib.error.HTTPError as answer:
            return answer.code

    def sign_in(self, name: str) -> None:
        self.get("accounts/login/")
        assert self.post("accounts/login/", login=name, password=PASSWORD) == 302


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is of POSIX")
def test_no_acknowledged_signature_is_lost_by_a_kill_and_none_counts_twice(opened_review, desk_project, tmp_path, repo):
    from django.contrib.auth.hashers import Argon2PasswordHasher

    project = tmp_path / "项目"
    shutil.copytree(desk_project, project, symlinks=True, ignore=shutil.ignore_patterns("desk.*", "reviews"))
    shutil.copytree(opened_review, project / "reviews" / "2026-01")
    with served(project):
        pass
    hasher = Argon2PasswordHasher()
    with sqlite3.connect(project / "desk.sqlite3") as base:
        base.execute(
            "INSERT INTO desk_person (username, password, first_name, last_name, email, role, region, department, clearance, is_active, is_staff, is_superuser, date_joined) "
            "VALUES ('nong', ?, '农春生', '', '', 'reviewer', '', '农业农村', 1, 1, 0, 0, '2026-01-01')", (hasher.encode(PASSWORD, hasher.salt()),),
        )  # fmt: skip
    folder = project / "reviews" / "2026-01"
    seats = [{"department": d, "person": p} for d, p in (("自然资源", "zi"), ("农业农村", "nong"), ("生态环境", "sheng"))]
    for verb, said in (("accept", {}), ("distribute", {"groups": [{"id": "departments", "seats": seats}]})):
        add_event(folder, verb, "mi", Context(), lambda state, said=said: said)
    state = open_review({"project": project}).state
    opinion = {"event": secrets.token_hex(16), "step": "sign", "package": state.package, "result": "reject", "reason": "缺评定"}
    opinion |= {f"answer-{k}": "na" for k, v in state.suggestions.items() if v["department"] == "农业农村"}
    opinion |= {f"reason-{k}": "已核对" for k, v in state.suggestions.items() if v["department"] == "农业农村"}
    for again in range(2):
        with served(project) as (home, _first, process):
            browser = _Browser(home)
            browser.sign_in("nong")
            assert browser.post(f"reviews/2026-01/points/{urllib.parse.quote('农业农村')}/sign/", **opinion) == 302
            os.kill(process.pid, signal.SIGKILL)
        signed = open_review({"project": project}).state.opinions
        assert [(o.department, o.person, o.result) for o in signed] == [("农业农村", "nong", "reject")], f"signed {again + 1} times"
    assert (folder / "events.jsonl").read_bytes().count(b"\n") == 4
