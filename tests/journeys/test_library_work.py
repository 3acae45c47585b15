"""The project library kept by hand in a real browser: form, plan, funds, payment, order, year plan, acceptance with a cut; desk and phone; axe finds nothing serious."""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime
from pathlib import Path

import pytest

from qianmo.jobs.context import Context
from qianmo.jobs.library.store import open_library
from qianmo.jobs.make_village import run as make_village
from qianmo.jobs.registry import job_spec
from qianmo.jobs.spec import checked_values

REPO = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("desk_browser_of_library_work", REPO / "tests" / "web" / "browser.py")
browser_of = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(browser_of)

PAGES = ("new/", "from-plan/", "funds/", "funds/new/", "funds/of/XC-01/", "floors/", "order/", "changes/", "projects/XC-100/payments/", "projects/XC-100/", "projects/XC-100/acceptance/")


@pytest.fixture(scope="module")
def town(tmp_path_factory) -> Path:
    """A township with a plan and an empty library."""
    browser_of.needed()
    folder = tmp_path_factory.mktemp("library-work") / "项目 库"
    context = Context(user="测试", clock=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    make_village(context, checked_values(job_spec("village"), {"into": str(folder), "patches": 200, "villages": 3}))
    for name in ("evaluate", "plan"):
        job_spec(name).run(context, checked_values(job_spec(name), {"project": str(folder)}))
    return folder


@pytest.fixture(scope="module")
def page(town):
    with browser_of.served(town) as (home, first, _), browser_of.in_office(home, first, width=1440, height=900) as page:
        yield page


def _shot(page, name: str) -> None:
    browser_of.shot(page, f"library-work-{name}", full_page=True)


def _row(page, **cells: str) -> int:
    """The row of a form whose cells are so."""
    for n in range(int(page.input_value("#id_r-TOTAL_FORMS"))):
        if all(page.input_value(f"#id_r-{n}-{k}") == v for k, v in cells.items()):
            return n
    raise AssertionError(cells)


def test_a_project_is_proposed_by_a_form(page, town):
    page.goto("/library/")
    page.locator("a[href='/library/new/']").click()
    for field, value in (("project_id", "XC-100"), ("name", "村口公交站"), ("villages", "甲子村"), ("region", "北片"), ("investment_yuan", "30万")):
        page.fill(f"#id_{field}", value)
    page.select_option("#id_project_class", "公共服务与基础设施建设")
    page.click("form.sheet button.strong")
    assert "应为数字" in page.inner_text("#id_investment_yuan_error")
    _shot(page, "new-refused")
    page.fill("#id_investment_yuan", "300000")
    page.click("form.sheet button.strong")
    page.wait_for_url("**/projects/XC-100/")
    assert open_library(town).row("XC-100")["state"] == "CANDIDATE"


def test_sub_projects_come_from_the_plan_with_what_it_knows(page, town):
    page.goto("/library/from-plan/")
    _shot(page, "from-plan")
    page.click("main button.strong")
    page.wait_for_url("**/library/")
    projects = open_library(town).projects
    taken = projects[projects["note"] == "由规划子项目转入"]
    assert len(taken) and taken["ecological_m2"].notna().all() and taken["freed_construction_m2"].notna().all()
    page.goto(f"/library/projects/{taken.iloc[0]['project_id']}/")
    page.click("details.why summary")
    assert "由规划方案转入的数值" in page.inner_text("main")
    _shot(page, "of-plan")


def test_a_fund_with_its_years_is_added_by_keyboard_and_a_wrong_row_is_named(page, town):
    page.goto("/library/funds/new/")
    page.focus("#id_fund_id")
    page.keyboard.type("XC-01")
    page.keyboard.press("Tab")
    page.keyboard.type("乡村建设资金")
    page.select_option("#id_kind", label="县级财政")
    for n, (year, amount, promised) in enumerate((("2027", "9000000", "200000"), ("2028", "9000000", ""))):
        for column, value in (("year", year), ("amount_yuan", amount), ("committed_yuan", promised)):
            page.fill(f"#id_r-{n}-{column}", value)
    page.fill("#id_reason", "县财政局来文")
    page.fill("#id_r-1-committed_yuan", "99999999")
    page.keyboard.press("Enter")
    page.wait_for_selector(".fault")
    assert "到位金额" in page.inner_text("#id_r-1-committed_yuan_error")
    _shot(page, "fund-refused")
    page.fill("#id_r-1-committed_yuan", "")
    page.get_by_role("button", name="增加空行").click()
    n = _row(page, year="")
    page.fill(f"#id_r-{n}-year", "2029")
    page.fill(f"#id_r-{n}-amount_yuan", "9000000")
    page.get_by_role("button", name="保存").click()
    page.wait_for_url("**/library/funds/")
    years = open_library(town).tables["library_fund_year"]
    assert years["year"].tolist() == [2027, 2028, 2029] and years["committed_yuan"].fillna(0).tolist() == [200_000.0, 0.0, 0.0]


def test_a_payment_is_recorded_once_and_stands_in_the_log(page, town):
    page.goto("/library/funds/")
    page.get_by_role("link", name="XC-01").first.click()
    page.fill("#pay-amount", "500000")
    page.fill("#pay-reason", "凭证 7 号")
    page.select_option("#pay-project", "XC-100")
    page.get_by_role("button", name="登记拨付").click()
    page.wait_for_selector(".fault")
    assert "已承诺金额" in page.inner_text(".fault")
    page.fill("#pay-amount", "120000")
    page.get_by_role("button", name="登记拨付").click()
    page.wait_for_selector(".note, .messages, [role=status]")
    _shot(page, "funds")
    assert open_library(town).tables["library_fund_year"]["paid_yuan"].fillna(0).tolist() == [120_000.0, 0.0, 0.0]
    page.goto("/library/changes/")
    assert "XC-100: 凭证 7 号" in page.inner_text("table") and "主任" in page.inner_text("table")
    _shot(page, "changes")


def test_payments_of_a_project_and_the_order_are_changed(page, town):
    page.goto("/library/projects/XC-100/payments/")
    page.fill("#id_r-0-stage_year", "1")
    page.locator("#id_r-0-fund_ids input").first.check()
    page.fill("#id_r-0-amount_yuan", "280000")
    page.fill("#id_reason", "按合同")
    page.get_by_role("button", name="保存").click()
    page.wait_for_selector(".fault")
    assert "与投资不符" in page.inner_text("main")
    _shot(page, "payments-refused")
    page.check("input[name=follow]")
    page.get_by_role("button", name="保存").click()
    page.wait_for_url("**/projects/XC-100/")
    assert open_library(town).row("XC-100")["investment_yuan"] == 280_000
    other = str(open_library(town).projects["project_id"].iloc[-1])
    page.goto("/library/order/")
    page.select_option("#id_r-0-before_id", "XC-100")
    page.select_option("#id_r-0-after_id", other)
    page.fill("#id_reason", "先通车")
    page.get_by_role("button", name="保存").click()
    page.wait_for_url("**/library/ranking/")
    assert open_library(town).tables["library_order"][["before_id", "after_id"]].to_numpy().tolist() == [["XC-100", other]]
    _shot(page, "ranking")


def test_the_library_becomes_a_year_plan_with_the_new_fund(page):
    page.goto("/library/plan/")
    page.fill("#id_first", "2027")
    page.fill("#id_years", "3")
    page.locator("#id_states input").first.check()
    page.click("form.sheet button.strong")
    page.wait_for_selector("#task-progress")
    page.wait_for_selector(".tiles", timeout=120_000)
    assert "XC-01" in page.inner_text("main") and "现金复核" in page.inner_text("main")
    _shot(page, "plan")


def test_an_acceptance_with_a_cut_is_kept(page, town):
    page.goto("/library/projects/XC-100/acceptance/")
    for column, value in (("planned", "1.5"), ("price_yuan", "100000"), ("measured", "1.4"), ("cut", "0.2"), ("reason", "抛荒一块")):
        page.fill(f"input[name='YS_GM_XZGDMJ.{column}']", value)
    page.locator("button[formaction$='keep/']").click()
    page.wait_for_selector(".fault")
    assert "原因" in page.inner_text(".fault")
    page.locator("select[name='YS_GM_XZGDMJ.reason_code']").select_option(index=1)
    page.locator("button[formaction$='keep/']").click()
    page.wait_for_selector("a[href$='acceptance.xlsx']")
    assert "120,000.00" in page.inner_text("#acceptance-told")
    _shot(page, "acceptance")


def test_no_page_has_a_serious_fault_of_access(page):
    found = []
    for address in PAGES:
        page.goto("/library/" + address)
        found += [f"{address} {fault}" for fault in browser_of.serious(page)]
    assert not found


def test_the_pages_fit_a_phone_in_both_languages(page):
    page.set_viewport_size({"width": 390, "height": 844})
    wide = []
    for language, other in (("zh-CN", "en"), ("en", "zh-CN")):
        for address in PAGES:
            page.goto("/library/" + address)
            assert page.get_attribute("html", "lang").startswith(language[:2])
            if page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth") > 0:
                wide.append((language, address))
            _shot(page, f"phone-{language[:2]}-{address.strip('/').replace('/', '-')}")
        page.click(f"header button[lang={other}]")
        page.wait_for_selector(f"html[lang^={other[:2]}]", state="attached")
    assert not wide


def test_nothing_was_asked_of_another_origin_and_no_page_had_a_fault(page):
    assert page.foreign == [] and page.faults == []
