"""A desk killed right after it acknowledged that a review is to be opened: the job is taken up again and the review is there once."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from qianmo.jobs.review.opened import open_review
from qianmo.store.review_log import review_ids

_here = Path(__file__).parent


def _loaded(name: str):
    spec = importlib.util.spec_from_file_location(f"open_kill_{name}", _here / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


served, Browser, PASSWORD = _loaded("browser").served, _loaded("test_review_kill")._Browser, "阡陌纵横-田间小路-2026"
PEOPLE = (("zhen", "planner", "游乌镇"), ("mi", "reviewer", "联席办"), ("zi", "reviewer", "自然资源"), ("nong", "reviewer", "农业农村"), ("sheng", "reviewer", "生态环境"), ("xian", "reviewer", "县政府"))


def _wait(what, told=lambda: "", seconds: float = 150.0):
    until = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < until, told()
        time.sleep(0.2)
    return found


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is of POSIX")
def test_a_review_that_was_acknowledged_is_opened_once_though_the_desk_is_killed(evaluated, tmp_path):
    from django.contrib.auth.hashers import Argon2PasswordHasher

    project = tmp_path / "项目"
    shutil.copytree(evaluated, project, symlinks=True, ignore=shutil.ignore_patterns("desk.*", "reviews"))
    with served(project):
        pass
    kept = Argon2PasswordHasher().encode(PASSWORD, "saltsaltsalt")
    with sqlite3.connect(project / "desk.sqlite3") as base:
        base.executemany(
            "INSERT INTO desk_person (username, password, first_name, last_name, email, role, region, department, clearance, is_active, is_staff, is_superuser, date_joined) "
            "VALUES (?, ?, '', '', '', ?, '', ?, 1, 1, 0, 0, '2026-01-01')", [(n, kept, r, d) for n, r, d in PEOPLE],
        )  # fmt: skip
    with served(project) as (home, _first, process):
        browser = Browser(home)
        browser.sign_in("zhen")
        form = browser.get("review-new/")
        officers = dict(re.findall(r'name="(officers_\d)" value="(\w+)"[^>]*checked', form))
        event = re.search(r'name="event" value="(\w+)"', form).group(1)
        assert browser.post("review-new/", event=event, review="2026-05", secretary="mi", issuer="xian", **officers) == 302
        address = re.search(r"review-drafts/[0-9a-f-]+/", browser.get("reviews/")).group(0)
        os.kill(process.pid, signal.SIGKILL)
    with served(project) as (home, _first, process):
        browser = Browser(home)
        browser.sign_in("zhen")
        found = _wait(lambda: re.search(r'name="package" value="(\w+)".*value="confirm"', browser.get(address), re.DOTALL), lambda: re.sub(r"<[^>]+>|\s+", " ", browser.get(address)))
        package = found.group(1)
        assert review_ids(project) == []
        assert browser.post(f"{address}do/", do="confirm", package=package) == 302
        os.kill(process.pid, signal.SIGKILL)
    with served(project) as (home, _first, process):
        _wait(lambda: review_ids(project) == ["2026-05"])
        browser = Browser(home)
        browser.sign_in("zhen")
        browser.post(f"{address}do/", do="confirm", package=package)
        time.sleep(1.0)
    opened = open_review({"project": project})
    assert [p.name for p in (project / "reviews" / ".drafts").iterdir()] == [], "what was sent is kept in the package alone"
    assert len(opened.events) == 1 and opened.state.package == package
