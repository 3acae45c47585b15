"""Plans as variants in a real browser: changed by hand on the map, the limit that breaks is named, kept, compared, exported, taken back."""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import pytest

from qianmo.jobs.context import Context
from qianmo.jobs.registry import job_spec
from qianmo.jobs.spec import checked_values
from qianmo.store.project import open_project

REPO = Path(__file__).resolve().parents[2]


def _loaded(name: str, path: Path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_COLOURS = """() => {
  const picture = document.querySelector('.print-picture');
  const cells = picture.getContext('2d').getImageData(0, 0, picture.width, picture.height).data;
  return new Set(Array.from({length: 4000}, (_, n) => cells[4 * Math.floor(n * cells.length / 16000)])).size;
}"""
browser_of = _loaded("desk_browser_variants", REPO / "tests" / "web" / "browser.py")


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """An invented township with a proven plan and one alternative."""
    browser_of.needed()
    folder = tmp_path_factory.mktemp("variants") / "项目"
    context = Context(user="测试", clock=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    steps = (("village", {"into": str(folder), "patches": 300, "villages": 3}), ("evaluate", {"project": str(folder)}), ("plan", {"project": str(folder), "seconds": 20.0}),
             ("alternatives", {"project": str(folder), "count": 1, "seconds": 10.0}))  # fmt: skip
    for name, values in steps:
        spec = job_spec(name)
        spec.run(context, checked_values(spec, values))
    return folder


@pytest.fixture(scope="module")
def desk(project):
    with browser_of.served(project) as (home, first, _):
        yield home, first


@pytest.fixture(scope="module")
def page(desk):
    with browser_of.in_office(*desk, width=1366, height=768) as page:
        yield page



def _gains(project: Path) -> list[str]:
    """Patches on which the plan makes farmland."""
    plan = gpd.read_parquet(open_project(project).state / "layers" / "plan_parcel.parquet")
    return plan.loc[plan["measure"].str.startswith(("restore", "reclaim")), "patch_id"].tolist()


def _choose(page, patch: str, count: int) -> None:
    page.fill("#edit-id", patch)
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => document.querySelector('#edit-chosen')?.innerText.startsWith('{count} ') && document.querySelector('#edit-measure')")


def test_two_stored_plans_are_compared_by_measure_with_hatches_and_a_legend(page, desk):
    browser_of.open_map(page, desk[0], "#compare=plan,alternative_plan_01,swipe,50,1")
    page.wait_for_selector(".compare-over[data-ready=true]", timeout=60_000)
    page.wait_for_selector("table.plan-kinds svg path")
    assert "合计" in page.inner_text("table.plan-kinds") and "亩" in page.inner_text("table.plan-kinds")
    page.wait_for_timeout(800)
    browser_of.shot(page, "variants-compare")
    assert not browser_of.serious(page)
    page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator(".print-picture").is_visible() and not page.locator("#map-search").is_visible()
    colours = page.evaluate(_COLOURS)
    assert colours > 20, "the picture for the printer holds the map"
    browser_of.shot(page, "variants-print", full_page=True)
    page.emulate_media(media="screen")
    page.evaluate("() => window.dispatchEvent(new Event('afterprint'))")


def test_a_click_tells_history_of_the_patch_and_why_the_figures(page, desk):
    browser_of.open_map(page, desk[0])
    box = page.locator("#desk-map .canvas").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector(".known-here", timeout=30_000)
    assert "图斑历史" in page.inner_text(".known-here") and "这些数字的由来" in page.inner_text("#desk-map .answers")
    page.click(".known-here summary:has-text('图斑历史')")
    page.wait_for_selector(".history-list li")
    browser_of.shot(page, "variants-here")
    assert not browser_of.serious(page)


def test_a_patch_clicked_on_the_map_joins_the_choice_and_leaves_it(page, desk):
    browser_of.open_map(page, desk[0], "#edit=plan_parcel")
    page.wait_for_selector("#edit-plan")
    box = page.locator("#desk-map .canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.click(x, y)
    page.wait_for_function("() => document.querySelector('#edit-chosen')?.innerText.startsWith('1 ')")
    page.wait_for_timeout(400)
    page.mouse.click(x, y)
    page.wait_for_function("() => document.querySelector('#edit-chosen')?.innerText.startsWith('0 ')")


def test_several_are_chosen_by_an_outline(page):
    page.click("#edit-lasso")
    box = page.locator("#desk-map .canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for dx, dy in ((-120, -120), (120, -120), (120, 120), (-120, 120)):
        page.mouse.click(x + dx, y + dy)
        page.wait_for_timeout(350)
    page.keyboard.press("Enter")
    page.wait_for_selector("#edit-measure")
    assert int(page.inner_text("#edit-chosen").split()[0]) > 3
    browser_of.shot(page, "variants-lasso")
    page.click("#edit-clear")
    page.wait_for_function("() => document.querySelector('#edit-chosen')?.innerText.startsWith('0 ')")


def test_the_limit_that_breaks_is_named_at_once_and_a_step_is_taken_back(page, project):
    gains = _gains(project)
    for n, patch in enumerate(gains, 1):
        _choose(page, patch, n)
    page.select_option("#edit-measure", label=page.locator("#edit-measure option", has_text="维持现状").first.inner_text())
    page.click("#edit-set")
    page.wait_for_selector("#edit-verdict.fault", timeout=30_000)
    assert "新增耕地" in page.inner_text("#edit-verdict") and "超出" in page.inner_text("#edit-verdict") and "亩" in page.inner_text("#edit-verdict")
    page.locator("#edit-verdict").scroll_into_view_if_needed()
    browser_of.shot(page, "variants-broken")
    assert not browser_of.serious(page)
    page.click("#edit-back")
    page.wait_for_selector("#edit-verdict", state="detached")


def test_an_edit_is_kept_as_a_plan_without_proof_and_shown_at_once(page, project):
    _choose(page, _gains(project)[0], 1)
    page.select_option("#edit-measure", label=page.locator("#edit-measure option", has_text="维持现状").first.inner_text())
    page.click("#edit-set")
    page.wait_for_selector("#edit-title")
    page.fill("#edit-title", "保留一块园地")
    page.click("#edit-keep")
    page.wait_for_selector("#edit-kept", timeout=30_000)
    assert "未证明最优" in page.inner_text("#edit-kept")
    page.wait_for_selector(".compare-over[data-ready=true]", timeout=60_000)
    page.wait_for_function("() => document.querySelector('table.plan-kinds')?.innerText.includes('不再安排措施')")
    page.wait_for_selector("#layer-variant_plan_01", state="attached")
    page.wait_for_timeout(800)
    browser_of.shot(page, "variants-kept")


def test_its_page_says_what_it_is_and_its_tables_go_to_excel(page, desk):
    page.goto(f"{desk[0]}plans/variant_plan_01/")
    text = page.inner_text("main")
    assert "人工修改, 未证明最优; 证书已复核" in text and "保留一块园地" in text and "上界" not in text
    assert not browser_of.serious(page)
    browser_of.shot(page, "variants-page", full_page=True)
    with page.expect_download() as book:
        page.click("a[href$='limits.xlsx']")
    assert Path(book.value.path()).read_bytes()[:2] == b"PK"
    page.goto(f"{desk[0]}plans/")
    page.select_option("#id_b", "variant_plan_01")
    assert not browser_of.serious(page)
    browser_of.shot(page, "variants-list", full_page=True)
    page.click("form.plan-choice button.strong")
    page.wait_for_url("**/plans/plan_parcel/to/variant_plan_01/")
    assert not browser_of.serious(page)
    browser_of.shot(page, "variants-difference", full_page=True)


def test_the_phone_shows_plans_and_the_editing_without_running_off(page, desk):
    page.set_viewport_size({"width": 390, "height": 844})
    for address, name in ((f"{desk[0]}plans/variant_plan_01/", "phone-page"), (f"{desk[0]}plans/", "phone-list")):
        page.goto(address)
        browser_of.shot(page, f"variants-{name}", full_page=True)
        assert page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    browser_of.open_map(page, desk[0], "#edit=plan_parcel")
    page.wait_for_selector("#edit-plan")
    browser_of.shot(page, "variants-phone-map")
    assert page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    page.set_viewport_size({"width": 1366, "height": 768})


def test_a_second_edit_is_taken_back_beside_the_map(page, desk, project):
    browser_of.open_map(page, desk[0], "#edit=variant_plan_01")
    page.wait_for_selector("#edit-plan")
    assert page.input_value("#edit-plan") == "variant_plan_01" and page.is_checked("#layer-variant_plan_01")
    _choose(page, _gains(project)[1], 1)
    page.select_option("#edit-measure", label=page.locator("#edit-measure option", has_text="维持现状").first.inner_text())
    page.click("#edit-set")
    page.wait_for_selector("#edit-title")
    page.click("#edit-keep")
    page.wait_for_selector("#edit-undo", timeout=30_000)
    assert sorted(p.stem for p in (open_project(project).state / "layers").glob("variant*")) == ["variant_plan_01", "variant_plan_02"]
    page.click("#edit-undo")
    page.wait_for_selector("#edit-undone", timeout=30_000)
    assert [p.stem for p in (open_project(project).state / "layers").glob("variant*")] == ["variant_plan_01"]
    page.wait_for_selector("#layer-variant_plan_02", state="detached")


def test_taken_back_it_is_gone_from_map_and_list(page, desk, project):
    page.goto(f"{desk[0]}undo/")
    page.click("#undo-form button")
    page.wait_for_selector("#redo-form")
    page.goto(f"{desk[0]}plans/")
    assert "保留一块园地" not in page.inner_text("main") and not list((open_project(project).state / "layers").glob("variant*"))


def test_nothing_was_asked_of_another_origin_and_no_page_had_a_fault(page):
    assert page.foreign == [] and page.faults == []
