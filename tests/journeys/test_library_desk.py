"""The project library in a real browser: library → ranking → portfolio → year plan, on a desk and on a phone; axe finds nothing serious."""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime
from pathlib import Path

import pytest

from qianmo.jobs.context import Context
from qianmo.jobs.make_village import run as make_village
from qianmo.jobs.registry import job_spec
from qianmo.jobs.spec import checked_values

REPO = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("desk_browser_of_library", REPO / "tests" / "web" / "browser.py")
browser_of = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(browser_of)

PAGES = ("", "board/", "years/", "ranking/", "funds/", "plan/", "import/", "projects/ZXM-001/", "projects/ZXM-001/acceptance/")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    browser_of.needed()
    folder = tmp_path_factory.mktemp("library-journey") / "项目 库"
    context = Context(user="测试", clock=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    make_village(context, checked_values(job_spec("village"), {"into": str(folder), "patches": 200, "villages": 3}))
    files = sorted(str(p) for p in (REPO / "examples" / "library").glob("*.csv"))
    job_spec("library-import").run(context, checked_values(job_spec("library-import"), {"project": str(folder), "files": files}))
    with browser_of.served(folder) as (home, first, _), browser_of.in_office(home, first, width=1280, height=800) as page:
        yield page


def _shot(page, name: str) -> None:
    browser_of.shot(page, f"library-{name}", full_page=True)


def test_the_keyboard_reaches_a_project_and_a_step_is_refused_in_words(page):
    page.goto("/library/board/")
    page.focus(".card a")
    page.keyboard.press("Enter")
    page.wait_for_selector("#steps")
    page.locator("details.forward button.strong").first.click()
    page.wait_for_selector(".fault")
    assert "缺少材料" in page.inner_text(".fault")
    _shot(page, "refused")


def test_a_weight_that_is_changed_turns_the_list_at_once(page):
    page.goto("/library/ranking/")
    before = page.inner_text("#ranking-part tbody")
    page.fill("#w-urgency", "0")
    page.wait_for_function("was => document.querySelector('#ranking-part tbody').innerText !== was", arg=before)
    assert page.url.endswith("/library/ranking/") and page.inner_text("#s-fund_readiness").startswith("1")
    page.fill("#w-urgency", "-3")
    page.wait_for_selector("#ranking-fault .fault")
    page.fill("#w-urgency", "0.6")
    page.wait_for_selector("#ranking-fault .fault", state="detached")
    page.click("button[formaction$='keep/']")
    page.wait_for_selector(".note")
    _shot(page, "ranking")


def test_the_library_becomes_a_year_plan(page):
    page.goto("/library/plan/")
    page.fill("#id_first", "2027")
    page.click("form.sheet button.strong")
    page.wait_for_selector("#task-progress")
    page.wait_for_selector(".tiles", timeout=120_000)
    assert "2027–2031" in page.inner_text("h1") and "现金复核" in page.inner_text("main")
    with page.expect_download() as table:
        page.locator("a[href*='plan-years.xlsx']").click()
    assert Path(table.value.path()).read_bytes()[:2] == b"PK"
    _shot(page, "plan")
    page.goto("/library/years/")
    assert page.locator("svg.gantt rect").count() > 10
    _shot(page, "years")


def test_money_of_an_acceptance_follows_what_is_typed(page):
    page.goto("/library/projects/ZXM-001/acceptance/")
    for column, value in (("planned", "1.4"), ("price_yuan", "12345.67"), ("measured", "1.3")):
        page.fill(f"input[name='YS_GM_XZGDMJ.{column}']", value)
    page.wait_for_function("() => document.querySelector('#acceptance-told').innerText.includes('16,049.37')")
    _shot(page, "acceptance")


def test_no_page_has_a_serious_fault_of_access(page):
    found = []
    for address in PAGES:
        page.goto("/library/" + address)
        found += [f"{address} {fault}" for fault in browser_of.serious(page)]
    assert not found


def test_the_pages_fit_a_phone_and_print_without_what_is_for_the_hand(page):
    page.set_viewport_size({"width": 390, "height": 780})
    wide = []
    for address in PAGES:
        page.goto("/library/" + address)
        if page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth") > 0:
            wide.append(address)
        _shot(page, f"phone-{address.strip('/').replace('/', '-') or 'list'}")
    assert not wide
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(media="print")
    page.goto("/library/plan/")
    assert not page.is_visible("nav.sub") and page.is_visible("table.figures")
    page.emulate_media(media="screen")


def test_nothing_was_asked_of_another_origin_and_no_page_had_a_fault(page):
    assert page.foreign == [] and page.faults == []
