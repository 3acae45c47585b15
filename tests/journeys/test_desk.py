"""The desk in a real browser: first user, catalogue, map, red line, job; no request leaves, no serious fault of access."""

from __future__ import annotations

import importlib.util
import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from qianmo.jobs.context import Context
from qianmo.jobs.make_village import run as make_village
from qianmo.jobs.registry import job_spec
from qianmo.jobs.spec import checked_values

REPO = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("desk_browser", REPO / "tests" / "web" / "browser.py")
browser_of = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(browser_of)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    browser_of.needed()
    folder = tmp_path_factory.mktemp("journey") / "项目 一"
    context = Context(user="测试", clock=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    make_village(context, checked_values(job_spec("village"), {"into": str(folder), "patches": 600, "villages": 3}))
    with browser_of.served(folder) as (home, first, process):
        yield home, first, process


@pytest.fixture(scope="module")
def chromium(desk):
    with browser_of.launched() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def page(desk, chromium):
    """One person at one screen; everything asked of another origin and every fault of a page is kept."""
    home, _, _ = desk
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN")
    page = browser_of.watched(context.new_page(), home)
    yield page
    context.close()


def _shot(page, name: str) -> None:
    browser_of.shot(page, f"desk-{name}")


def test_the_first_user_comes_in_with_the_printed_address(desk, page):
    _, first, _ = desk
    browser_of.come_in(page, first)
    page.wait_for_selector("text=底线管控")
    _shot(page, "home")
    assert "合成" in page.content()


def test_the_map_is_drawn_and_a_click_tells_what_lies_there(desk, page):
    home, _, _ = desk
    page.goto(home + "map/")
    page.wait_for_selector("#desk-map[data-idle]", timeout=60_000)
    colours = page.evaluate(
        """() => new Promise(done => { const canvas = document.querySelector('#desk-map canvas'); const map = canvas; requestAnimationFrame(() => {
        const copy = document.createElement('canvas'); copy.width = canvas.width; copy.height = canvas.height; copy.getContext('2d').drawImage(canvas, 0, 0);
        done(copy.width * copy.height); }); })"""
    )
    assert colours > 0
    box = page.locator("#desk-map canvas").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector("#desk-map .answers details")
    text = page.inner_text("#desk-map .answers")
    assert "地类图斑" in text and "地类编码" in text and "亩" in text
    _shot(page, "map")


def test_a_search_goes_to_the_place(desk, page):
    page.fill("#map-search", "117.2500, 28.0000")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('#desk-map .answers').innerText.includes('117.250000, 28.000000')")


def test_a_red_line_drawn_by_hand_is_reported_kept_and_exported(desk, page):
    home, _, _ = desk
    page.goto(home + "map/")
    page.wait_for_selector("#desk-map[data-idle]", timeout=60_000)
    box = page.locator("#desk-map canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.click("#draw-line")
    for dx, dy in ((-120, -90), (130, -80), (110, 120), (-90, 100)):
        page.mouse.click(x + dx, y + dy)
        page.wait_for_timeout(350)
    page.keyboard.press("Enter")
    page.wait_for_selector("#desk-map .answers table")
    _shot(page, "red-line")
    page.fill("#line-title", "东溪地块")
    page.click(".keep button")
    page.wait_for_selector("a.button")
    assert "东溪地块" in page.inner_text("h1") and "地类图斑" in page.inner_text("table")
    with page.expect_download() as table:
        page.click("a.button")
    assert Path(table.value.path()).read_bytes()[:2] == b"PK"
    _shot(page, "red-line-report")


def test_a_job_runs_and_its_page_ends_with_the_result(desk, page):
    home, _, _ = desk
    page.goto(home + "tasks/new/evaluate/")
    page.click("button.strong")
    page.wait_for_selector("ul.lines", timeout=120_000)
    assert "已完成" in page.inner_text("#task-state") and "评价面积" in page.inner_text("ul.lines")
    _shot(page, "task")


def test_a_job_that_is_cancelled_leaves_the_project_as_it_was(desk, page):
    home, _, _ = desk
    page.goto(home)
    before = page.inner_text("p.facts")
    page.goto(home + "tasks/new/plan/")
    page.click("button.strong")
    page.wait_for_selector("#task-progress")
    page.click("form[action$='cancel/'] button")
    until = time.monotonic() + 40
    while "已取消" not in page.inner_text("#task-state") and time.monotonic() < until:
        page.wait_for_timeout(500)
        page.reload()
    assert "已取消" in page.inner_text("#task-state")
    page.goto(home)
    assert page.inner_text("p.facts") == before


@pytest.mark.parametrize("address", ["", "map/", "lines/", "tasks/", "tasks/new/plan/", "people/", "people/new/", "layers/landuse_patch/", "accounts/2fa/", "accounts/sessions/", "missing/"])
def test_no_page_has_a_serious_fault_of_access(desk, page, address):
    home, _, _ = desk
    page.goto(home + address)
    if address == "map/":
        page.wait_for_selector("#desk-map[data-idle]", timeout=60_000)
    assert not browser_of.serious(page)


def test_the_pages_fit_a_phone(desk, chromium, page):
    home, _, _ = desk
    page.set_viewport_size({"width": 390, "height": 780})
    for address in ("", "lines/", "tasks/", "map/"):
        page.goto(home + address)
        if address == "map/":
            page.wait_for_selector("#desk-map[data-idle]", timeout=60_000)
        wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        _shot(page, f"phone-{address.strip('/') or 'home'}")
        assert wide <= 0, address
    page.set_viewport_size({"width": 1280, "height": 800})


def test_the_keyboard_alone_reaches_a_layer(desk, page):
    home, _, _ = desk
    page.goto(home)
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    reached = ""
    for _ in range(12):
        page.keyboard.press("Tab")
        reached = page.evaluate("() => document.activeElement.getAttribute('href') || ''")
        if reached.startswith("/layers/"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/layers/"))


def test_nothing_was_asked_of_another_origin_and_no_page_had_a_fault(page):
    assert page.foreign == []
    assert page.faults == []


def test_the_described_interface_is_the_one_that_answers(desk, page):
    home, _, _ = desk
    page.goto(home + "api/openapi.json")
    described = json.loads(page.inner_text("body"))
    assert described["openapi"].startswith("3.") and "/api/red-line" in described["paths"]
