"""The map in a real browser: compare, measure, search, print, share, rasters, undo; by mouse, keyboard and phone."""

from __future__ import annotations

import importlib.util
import re
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

REPO = Path(__file__).resolve().parents[2]


def _loaded(name: str, path: Path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


browser_of = _loaded("desk_browser_map", REPO / "tests" / "web" / "browser.py")
planned = _loaded("planned_map", REPO / "tests" / "web" / "planned.py")


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    browser_of.needed()
    folder = tmp_path_factory.mktemp("map") / "项目 一"
    planned.planned_township(folder, patches=500)
    return folder


@pytest.fixture(scope="module")
def desk(project):
    with browser_of.served(project) as (home, first, _):
        yield home, first


@pytest.fixture(scope="module")
def page(desk):
    with browser_of.in_office(*desk, width=1280, height=800) as page:
        yield page



def _shot(page, name: str) -> None:
    browser_of.shot(page, f"map-{name}")


def _centre(page) -> tuple[float, float]:
    box = page.locator("#desk-map .canvas").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_plan_is_swiped_over_the_present_and_changed_land_is_told(page, desk):
    browser_of.open_map(page, desk[0])
    page.click("#compare")
    page.wait_for_selector(".compare-over[data-ready=true]", timeout=60_000)
    page.wait_for_selector("table.changed")
    assert "→" in page.inner_text("table.changed") and "0103" in page.inner_text("table.changed")
    page.wait_for_timeout(800)
    _shot(page, "swipe")
    assert not browser_of.serious(page)


def test_the_swipe_follows_the_keyboard(page):
    page.focus("#compare-slider")
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    assert page.input_value("#compare-slider") == "40" and "60%" in page.evaluate("() => document.querySelector('.compare-over').style.clipPath")


def test_blinking_shows_one_side_after_the_other_and_can_be_paused(page):
    page.click("#compare-blink")
    seen = set()
    for _ in range(12):
        seen.add(page.evaluate("() => document.querySelector('.compare-over').style.visibility"))
        page.wait_for_timeout(200)
    assert seen == {"visible", "hidden"}
    page.click("#compare-pause")
    still = page.evaluate("() => document.querySelector('.compare-over').style.visibility")
    page.wait_for_timeout(1200)
    assert page.evaluate("() => document.querySelector('.compare-over').style.visibility") == still


def test_an_earlier_state_is_compared_and_a_click_tells_from_and_to(page):
    page.select_option("#compare-left", "1")
    page.select_option("#compare-right", "now")
    page.wait_for_function("() => document.querySelector('table.changed')?.innerText.includes('1104')")
    page.wait_for_selector(".compare-over[data-ready=true]", timeout=60_000)
    page.wait_for_timeout(600)
    _shot(page, "states")


def test_a_link_brings_the_same_view_layers_and_comparison(page, desk):
    page.click("#share")
    link = page.input_value("#share-link")
    assert "compare=1,now,blink" in link and "layers=" in link and "view=" in link
    page.goto("about:blank")
    page.goto(link)
    page.wait_for_selector(".compare-over[data-ready=true]", timeout=60_000)
    assert page.input_value("#compare-left") == "1" and page.get_attribute("#compare-blink", "aria-pressed") == "true"
    browser_of.open_map(page, desk[0], "#layers=village,no_such_layer")
    assert "无权查看" in page.inner_text("#desk-map .answers")
    assert page.is_checked("#layer-village") and not page.is_checked("#layer-landuse_patch")


def test_a_length_and_an_area_are_told_while_they_are_drawn(page, desk):
    browser_of.open_map(page, desk[0])
    x, y = _centre(page)
    page.click("#measure-area")
    for dx, dy in ((-100, -80), (100, -80), (100, 80)):
        page.mouse.click(x + dx, y + dy)
        page.wait_for_timeout(350)
    page.wait_for_function("() => /亩.*公顷.*平方米/.test(document.querySelector('#measured').innerText)")
    _shot(page, "measure")
    page.keyboard.press("Enter")
    page.wait_for_timeout(400)
    page.click("#measure-length")
    page.focus("#desk-map canvas")
    page.keyboard.press(" ")
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(700)
    page.keyboard.press(" ")
    page.wait_for_function("() => document.querySelector('#measured').innerText.includes('米')")
    page.keyboard.press("Escape")


def test_coordinates_that_can_be_read_in_several_ways_are_offered(page):
    page.fill("#map-search", "39524590.51 3098466.93")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('#desk-map .answers').innerText.includes('117.250000, 28.000000')")
    page.fill("#map-search", "2900000 524590.51")
    page.keyboard.press("Enter")
    page.wait_for_selector("#desk-map .found li:nth-child(2)")
    assert "多种读法" in page.inner_text("#desk-map .answers") and "EPSG:" in page.inner_text("#desk-map .found")
    _shot(page, "coordinates")


def _red_line(folder: Path, project: Path) -> Path:
    """A square in the middle of the land use as a zipped shapefile in GBK without .prj, and one that crosses itself."""
    land = gpd.read_parquet(project / "generations" / "0001" / "layers" / "landuse_patch.parquet")
    x, y = (float(v) for v in np.median(land.bounds[["minx", "miny"]], axis=0))
    square, bow = shapely.box(x, y, x + 300, y + 200), shapely.Polygon([(x + 400, y), (x + 600, y + 200), (x + 600, y), (x + 400, y + 200)])
    gpd.GeoDataFrame({"名称": ["东溪仓储用地", "东溪道路"]}, geometry=[square, bow]).to_file(folder / "红线.shp", encoding="GBK")
    (folder / "红线.cpg").unlink(missing_ok=True)
    with zipfile.ZipFile(folder / "红线.zip", "w") as z:
        for path in sorted(folder.glob("红线.*")):
            if path.suffix in (".shp", ".shx", ".dbf"):
                z.write(path, path.name)
    return folder / "红线.zip"


def test_a_red_line_from_a_file_is_asked_for_its_place_repaired_and_shown(page, desk, project, tmp_path):
    browser_of.open_map(page, desk[0])
    page.click("#upload-line")
    page.set_input_files("#line-files", _red_line(tmp_path, project))
    page.click("#line-upload")
    page.wait_for_url("**/lines/upload/**")
    if not page.locator("input[name=shape]").count():
        assert not browser_of.serious(page)
        browser_of.shot(page, "line-place", full_page=True)
        page.fill("#id_crs_other", gpd.read_parquet(project / "generations" / "0001" / "layers" / "landuse_patch.parquet").crs.to_string())
        page.click("button[name=again]")
    page.wait_for_selector("#shape-2")
    assert "东溪仓储用地" in page.inner_text("main") and "自相交" in page.inner_text("main") and not browser_of.serious(page)
    page.check("#shape-2")
    page.check("#id_repair")
    browser_of.shot(page, "line-choose", full_page=True)
    page.set_viewport_size({"width": 390, "height": 844})
    browser_of.shot(page, "line-choose-phone", full_page=True)
    assert page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    page.set_viewport_size({"width": 1280, "height": 800})
    page.click("button.strong")
    page.wait_for_selector("text=自相交处已修复")
    page.click("a[href*='#line=']")
    page.wait_for_selector("#desk-map .answers table", timeout=60_000)
    page.wait_for_timeout(800)
    browser_of.shot(page, "line-on-map")
    assert not browser_of.serious(page)


def test_a_raster_is_laid_under_the_lines_with_its_legend(page, desk):
    browser_of.open_map(page, desk[0])
    page.check("#raster-dem")
    page.wait_for_selector(".raster-legend li")
    page.wait_for_timeout(1500)
    _shot(page, "raster")


def test_what_is_visible_is_printed(page, desk):
    browser_of.open_map(page, desk[0])
    page.click("#print")
    page.fill("#print-title", "东溪一张图")
    page.click("#print-go")
    page.wait_for_selector("a.button[href$='sheet.pdf']", timeout=120_000)
    assert not browser_of.serious(page)
    with page.expect_download() as sheet:
        page.click("a.button[href$='sheet.pdf']")
    assert Path(sheet.value.path()).read_bytes()[:5] == b"%PDF-"


def test_a_phone_compares_and_nothing_runs_off_its_screen(page, desk):
    page.set_viewport_size({"width": 390, "height": 780})
    browser_of.open_map(page, desk[0], "#compare=now,plan,swipe,50,1")
    page.wait_for_selector(".compare-over[data-ready=true]", timeout=60_000)
    page.wait_for_timeout(600)
    _shot(page, "phone")
    assert page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    page.set_viewport_size({"width": 1280, "height": 800})


def test_the_map_speaks_english(page, desk):
    page.goto(desk[0])
    page.click("button[lang=en]")
    browser_of.open_map(page, desk[0], "#compare=now,plan,swipe,50,1")
    page.wait_for_selector("table.changed")
    words = page.inner_text("#desk-map .compare-form") + page.inner_text("#desk-map .map-tools")
    assert "Swipe" in words and "Measure area" in words and not re.search("卷帘|量|打印", words)
    page.goto(desk[0])
    page.click("button[lang=zh-CN]")


def test_the_last_change_is_taken_back_after_a_second_press(page, desk):
    browser_of.open_map(page, desk[0])
    page.click("#undo")
    assert "变更调查" in page.inner_text("#undo-form") and not browser_of.serious(page)
    _shot(page, "undo")
    page.click("#undo-form button")
    page.wait_for_selector("#redo-form")
    assert "已撤销" in page.inner_text("main")
    page.click("#redo-form button")
    page.wait_for_selector("text=已恢复")


def test_nothing_was_asked_of_another_origin_and_no_page_had_a_fault(page):
    assert page.foreign == [] and page.faults == []
