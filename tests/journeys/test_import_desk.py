"""Import → one map → plan → book, in a real browser: upload, four steps, the layer on the map, plan and book as tasks."""

from __future__ import annotations

import importlib.util
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from qianmo.jobs.context import Context
from qianmo.jobs.make_village import run as make_village
from qianmo.jobs.registry import job_spec
from qianmo.jobs.spec import checked_values

REPO = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("import_journey_browser", REPO / "tests" / "web" / "browser.py")
browser_of = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(browser_of)

PHONE, DESKTOP = {"width": 390, "height": 780}, {"width": 1280, "height": 900}


def _square(lon: float, lat: float, size: float, **columns: object) -> dict:
    ring = [[lon, lat], [lon + size, lat], [lon + size, lat + size], [lon, lat + size], [lon, lat]]
    return {"type": "Feature", "properties": columns, "geometry": {"type": "Polygon", "coordinates": [ring]}}


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    """A red line with a repeated vertex and a registered area that is wrong."""
    path = tmp_path_factory.mktemp("import") / "生态保护红线.geojson"
    rows = [_square(117.25, 28.0, 0.002, BSM="R1", HXMC="东溪保护区", MJ=43601.0), _square(117.246, 27.996, 0.002, BSM="R2", HXMC="西山水源地", MJ=1.0)]
    rows[1]["geometry"]["coordinates"][0].insert(1, rows[1]["geometry"]["coordinates"][0][0])
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows}, ensure_ascii=False), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    browser_of.needed()
    folder = tmp_path_factory.mktemp("journey") / "项目 二"
    context = Context(user="测试", clock=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    make_village(context, checked_values(job_spec("village"), {"into": str(folder), "patches": 300, "villages": 2}))
    with browser_of.served(folder) as (home, first, _):
        yield home, first, folder


@pytest.fixture(scope="module")
def page(desk):
    home, first, _ = desk
    with browser_of.in_office(home, first, **DESKTOP, timeout_ms=120_000) as page:
        yield page


def _looked_at(page, name: str) -> None:
    """A picture on a desktop and on a phone; nothing sticks out; no serious fault of access."""
    for kind, size in (("phone", PHONE), ("desktop", DESKTOP)):
        page.set_viewport_size(size)
        browser_of.shot(page, f"import-{name}-{kind}", full_page=True)
        assert page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, f"{name} {kind}"
    assert not browser_of.has_axe() or not browser_of.serious(page)


def test_a_broken_file_is_told_and_a_good_one_goes_on_to_the_first_step(desk, page, file, tmp_path):
    home, _, _ = desk
    page.goto(home + "imports/")
    _looked_at(page, "upload")
    page.set_input_files("#files", str(file))
    assert file.name in page.inner_text("#chosen")
    page.click("#upload button.strong")
    page.wait_for_url("**/1/")
    assert "生态保护红线" in page.content()
    _looked_at(page, "1")


def test_the_place_is_drawn_and_the_faults_are_listed_with_what_would_be_repaired(desk, page):
    page.click("button.strong")
    page.wait_for_url("**/2/")
    assert page.locator("svg.sketch rect.candidate").count() > 1
    _looked_at(page, "2")
    page.click("button.strong")
    page.wait_for_url("**/3/")
    text = page.inner_text("main")
    assert "登记面积与计算面积不符" in text and "将要修复的内容" in text
    page.check("#id_repair")
    _looked_at(page, "3")
    page.click("button.strong")
    page.wait_for_url("**/4/")
    _looked_at(page, "4")


def test_the_last_step_takes_it_in_and_the_layer_is_listed_and_drawn(desk, page):
    home, _, _ = desk
    page.click("form button.strong")
    page.wait_for_selector("text=已写入项目")
    assert "生态保护红线" in page.inner_text("main") and "已修复" in page.inner_text("ul.lines")
    _looked_at(page, "done")
    page.goto(home)
    assert "生态保护红线" in page.inner_text("main")
    style = page.evaluate("() => fetch('/map/style.json').then(a => a.json())")
    layer = next(x for x in style["layers"] if x["name"] == "eco_redline")
    assert layer["box"][0] == pytest.approx(117.246, abs=1e-4) and layer["box"][3] == pytest.approx(28.002, abs=1e-4)
    with page.expect_response(lambda r: "/tiles/" in r.url and "eco_redline" in r.url and r.status == 200):
        page.goto(home + "map/#place=117.251,28.001,15")
    page.wait_for_selector("#desk-map[data-idle]")
    page.wait_for_timeout(1500)
    browser_of.shot(page, "import-map-desktop")
    found = page.evaluate("() => fetch('/api/identify?lon=117.251&lat=28.001').then(a => a.json()).then(JSON.stringify)")
    assert "东溪保护区" in found


@pytest.mark.parametrize("job", ["evaluate", "plan", "book"])
def test_the_jobs_that_follow_run_from_the_page(desk, page, job):
    home, _, folder = desk
    page.goto(home + f"tasks/new/{job}/")
    if job == "plan":
        page.fill("#id_seconds", "5") if page.locator("#id_seconds").count() else None
    page.click("button.strong")
    page.wait_for_selector("ul.lines, .fault", timeout=280_000)
    assert "已完成" in page.inner_text("#task-state"), page.inner_text("main")
    browser_of.shot(page, f"import-{job}-desktop", full_page=True)
    if job == "book":
        assert list((folder / "book").rglob("*.docx")) and list((folder / "book").rglob("*.pdf"))


def test_nothing_was_asked_of_another_origin_and_no_page_had_a_fault(page):
    assert page.foreign == []
    assert page.faults == []
