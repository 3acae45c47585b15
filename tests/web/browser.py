"""A desk served by a process of its own, a real Chromium before it, and what every journey does there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

REPO = Path(__file__).resolve().parents[2]
SHOTS = REPO / "build" / "screenshots"
PASSWORD = "阡陌纵横-田间小路-2026"
_AXE = REPO / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]


@contextmanager
def served(project: Path) -> Iterator[tuple[str, str, subprocess.Popen]]:
    """The desk of a project: its home, the address of the first user ('' where there is one), and its process."""
    log = project.parent / f"serve-{time.monotonic_ns()}.log"
    with log.open("w", encoding="utf-8") as out:
        words = [sys.executable, "-m", "qianmo.cli.main", "serve", str(project), "--no-browser", "--port", "0"]
        process = subprocess.Popen(words, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        until = time.monotonic() + 60
        while "Ctrl+C" not in (text := log.read_text(encoding="utf-8")):
            assert process.poll() is None and time.monotonic() < until, text
            time.sleep(0.1)
        addresses = re.findall(r"http://\S+", text)
        yield addresses[0], next((a for a in addresses if "token=" in a), ""), process
    finally:
        process.kill()
        process.wait()


@contextmanager
def launched() -> Iterator[Any]:
    """A Chromium without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


def needed() -> None:
    """Skip, and say so, where there is no browser."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: the journeys in the browser are not tried")


def watched(page: Any, home: str) -> Any:
    """The page, with what it asks of another origin in `foreign` and every fault of its own in `faults`."""
    page.foreign, page.faults = [], []
    page.on("request", lambda r: None if r.url.startswith((home, "blob:", "data:")) else page.foreign.append(r.url))
    page.on("pageerror", lambda fault: page.faults.append(str(fault)))
    page.on("console", lambda m: page.faults.append(m.text) if m.type == "error" and "status of 4" not in m.text else None)
    return page


def come_in(page: Any, first: str) -> None:
    """Become the first user by the printed address, and wait until the desk says so."""
    page.goto(first)
    for field, value in (("username", "主任"), ("password1", PASSWORD), ("password2", PASSWORD)):
        page.fill(f"#id_{field}", value)
    page.click("button.strong")
    page.wait_for_url(lambda address: "/setup/" not in address)


@contextmanager
def in_office(home: str, first: str, *, width: int, height: int, timeout_ms: int = 30_000) -> Iterator[Any]:
    """A watched Chinese page of the first user, who has come in."""
    with launched() as chromium:
        page = watched(chromium.new_context(viewport={"width": width, "height": height}, locale="zh-CN", base_url=home).new_page(), home)
        page.set_default_timeout(timeout_ms)
        come_in(page, first)
        yield page


def open_map(page: Any, home: str, after: str = "") -> None:
    """The map, loaded anew and at rest."""
    page.goto("about:blank")
    page.goto(f"{home}map/{after}")
    page.wait_for_selector("#desk-map[data-idle]", timeout=60_000)


def shot(page: Any, name: str, **how: Any) -> None:
    """A picture of the page for the eye."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(SHOTS / f"{name}.png"), **how)


def has_axe() -> bool:
    """Whether pages can be tried for access; where the map must be built, axe must be there too."""
    return _AXE.is_file() or os.environ.get("QIANMO_MAP") == "require"


def serious(page: Any) -> list[str]:
    """Serious and critical faults of access on the page, by axe."""
    if not has_axe():
        pytest.skip("axe-core is not installed in frontend/: run npm ci there")
    page.evaluate(_AXE.read_text(encoding="utf-8"))
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [f"{v['id']} {v['impact']}: {[n['html'][:160] for n in v['nodes'][:3]]}" for v in found["violations"] if v["impact"] in ("serious", "critical")]
