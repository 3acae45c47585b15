"""Funds, payments, order and floors are changed on pages by the rules of the workbook: all or nothing, with who, when and why."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from qianmo.jobs.context import Context
from qianmo.jobs.library.rows import RowSet, edit_rows, mark_of_rows, pay_out
from qianmo.jobs.library.store import open_library

FUND = "/library/funds/of/ST-ND/"


def form_of(page: str, *, action: str = "") -> dict[str, object]:
    """What a form of the page holds, as a browser would send it."""
    start = page.index('<form method="post" class="rows"') if not action else page.index(f'action="{action}"')
    text = page[start : page.index("</form>", start)]
    said: dict[str, object] = {}
    for tag in re.findall(r"<input[^>]*>", text):
        marks = dict(re.findall(r'(\w[\w-]*)="([^"]*)"', tag))
        if marks.get("type") == "checkbox":
            if " checked" in tag:
                said.setdefault(marks["name"], []).append(marks["value"])
        elif "name" in marks:
            said[marks["name"]] = marks.get("value", "")
    for name, options in re.findall(r'<select name="([^"]+)".*?>(.*?)</select>', text, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        said[name] = chosen.group(1) if chosen else ""
    return said


def opened(client, address: str) -> dict[str, object]:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content.decode()[:600]
    return form_of(answer.content.decode())


def row_at(said: dict[str, object], **cells: str) -> int:
    """Index of the row of a form whose cells are so."""
    return next(n for n in range(int(str(said["r-TOTAL_FORMS"]))) if all(said.get(f"r-{n}-{k}") == v for k, v in cells.items()))


def state_of(library) -> str:
    return (library / "current").read_text(encoding="ascii")


def table(library, name: str, **cells):
    frame = open_library(library).tables[name]
    for column, value in cells.items():
        frame = frame[frame[column] == value]
    return frame


class TestFund:
    def test_a_year_is_changed_added_and_removed_in_one_step_that_says_who_and_why(self, library, signed_in):
        client = signed_in("planner")
        said = opened(client, FUND)
        first, gone, fresh = row_at(said, year="2027"), row_at(said, year="2031"), row_at(said, year="")
        cells = {f"r-{first}-amount_yuan": "3300000.5", f"r-{gone}-DELETE": "on", f"r-{fresh}-year": "2032", f"r-{fresh}-amount_yuan": "100"}
        answer = client.post(FUND, {**said, **cells, "reason": "省厅追加", "do": "save"})
        assert (answer.status_code, answer.headers.get("Location")) == (302, "/library/funds/"), answer.content.decode()[-2500:]
        years = table(library, "library_fund_year", fund_id="ST-ND").set_index("year")
        assert (years.loc[2027, "amount_yuan"], years.loc[2027, "committed_yuan"], years.loc[2032, "amount_yuan"], 2031 in years.index) == (3_300_000.5, 600_000.0, 100.0, False)
        log = open_library(library).changes
        assert {(r["actor"], r["reason"], r["table_name"]) for r in log.tail(3).to_dict("records")} == {("planner", "省厅追加", "library_fund_year")}
        assert sorted(log.tail(3)["change_kind"]) == ["added", "changed", "removed"] and [datetime.fromisoformat(t).tzinfo is not None for t in log.tail(3)["time"]] == [True] * 3
        changed = log[log["change_kind"] == "changed"].iloc[-1]
        assert (changed["column_name"], changed["before"], changed["after"]) == ("amount_yuan", "3200000", "3300000.5")
        page = client.get("/library/changes/").content.decode()
        assert "省厅追加" in page and "planner" in page and client.get("/library/tables/changes.xlsx").content[:2] == b"PK"

    def test_a_fund_is_added_with_its_years_and_taken_out_again(self, library, signed_in):
        client = signed_in("planner")
        said = opened(client, "/library/funds/new/")
        full = {**said, "fund_id": "CZ-2", "name": "镇级配套", "kind": "镇级自筹", "carry_years": "1", "classes": ["农用地整理"], "r-0-year": "2027", "r-0-amount_yuan": "50000", "reason": "镇长办公会", "do": "save"}
        assert client.post("/library/funds/new/", full).status_code == 302
        assert table(library, "library_fund", fund_id="CZ-2").iloc[0]["classes"] == "农用地整理" and len(table(library, "library_fund_year", fund_id="CZ-2")) == 1
        again = client.post("/library/funds/new/", full)
        assert again.status_code == 422 and "库中已有此编号" in again.content.decode()
        gone = client.post("/library/funds/of/CZ-2/", {**opened(client, "/library/funds/of/CZ-2/"), "reason": "未落实", "do": "remove"})
        assert gone.status_code == 302 and table(library, "library_fund", fund_id="CZ-2").empty and table(library, "library_fund_year", fund_id="CZ-2").empty
        assert "CZ-2" in open_library(library).changes.iloc[-1]["before"]

    def test_a_fund_that_payments_name_is_not_taken_out(self, library, signed_in):
        client = signed_in("planner")
        before = state_of(library)
        answer = client.post(FUND, {**opened(client, FUND), "reason": "试", "do": "remove"})
        assert answer.status_code == 422 and "没有资金 ST-ND" in answer.content.decode() and state_of(library) == before

    @pytest.mark.parametrize(
        ("cells", "told"),
        [({"committed_yuan": "9e9"}, "到位金额"), ({"paid_yuan": "700000"}, "已承诺金额"), ({"amount_yuan": "-1"}, "不能为负数"), ({"amount_yuan": "许多"}, "应为数字"),
         ({"year": "明年"}, "应为数字"), ({"year": "2028"}, "重复"),
         ({"year": ""}, "必填"), ({"amount_yuan": "inf"}, "有限")],
    )  # fmt: skip
    def test_a_wrong_cell_is_named_at_its_row_with_the_words_of_the_workbook_and_nothing_is_kept(self, library, signed_in, cells, told):
        client = signed_in("planner")
        before, said = state_of(library), opened(client, FUND)
        n = row_at(said, year="2027")
        answer = client.post(FUND, {**said, **{f"r-{n}-{k}": v for k, v in cells.items()}, "reason": "试", "do": "save"})
        page = answer.content.decode()
        assert answer.status_code == 422 and told in page and "没有写入" in page and state_of(library) == before
        assert f'value="{next(iter(cells.values()))}"' in page, "what was typed is still there"

    @pytest.mark.parametrize(
        ("sent", "told"),
        [({"reason": " "}, "必填"), ({"reason": "x" * 301}, "300"), ({"r-TOTAL_FORMS": "x"}, "表单不完整"), ({"r-TOTAL_FORMS": "999999"}, "表单"), ({"kind": "彩票"}, "彩票"),
         ({"carry_years": "-1"}, "不能为负数")],
    )  # fmt: skip
    def test_a_form_that_is_not_whole_is_refused_in_words(self, library, signed_in, sent, told):
        client = signed_in("planner")
        before = state_of(library)
        answer = client.post(FUND, {**opened(client, FUND), "reason": "试", "do": "save", **sent})
        assert answer.status_code == 422 and told in answer.content.decode() and state_of(library) == before

    def test_an_id_that_could_be_no_address_is_refused(self, library, signed_in):
        client = signed_in("planner")
        said = {**opened(client, "/library/funds/new/"), "name": "斜杠", "kind": "镇级自筹", "carry_years": "0", "reason": "试", "do": "save"}
        for wrong in ("A/B", "..", "a b", "甲；乙", "x" * 41):
            answer = client.post("/library/funds/new/", {**said, "fund_id": wrong})
            assert answer.status_code == 422 and "编号" in answer.content.decode(), wrong

    def test_more_blank_rows_keep_what_was_typed(self, library, signed_in):
        client = signed_in("planner")
        said = opened(client, FUND)
        n = row_at(said, year="")
        page = client.post(FUND, {**said, f"r-{n}-year": "2040", "reason": "先存着", "do": "more"})
        more = form_of(page.content.decode())
        assert page.status_code == 200 and more["r-TOTAL_FORMS"] == str(int(said["r-TOTAL_FORMS"]) + 1) and row_at(more, year="2040") and more["reason"] == "先存着"
        filled = {**more, f"r-{row_at(more, year='2040')}-amount_yuan": "5", "do": "save"}
        assert client.post(FUND, filled).status_code == 302 and len(table(library, "library_fund_year", fund_id="ST-ND", year=2040)) == 1

    def test_two_who_change_the_same_fund_do_not_overwrite_each_other(self, library, signed_in):
        first, second = signed_in("planner"), signed_in("manager")
        mine, theirs = opened(first, FUND), opened(second, FUND)
        n = row_at(mine, year="2028")
        assert first.post(FUND, {**mine, f"r-{n}-amount_yuan": "1", "reason": "甲", "do": "save"}).status_code == 302
        answer = second.post(FUND, {**theirs, f"r-{n}-amount_yuan": "2", "reason": "乙", "do": "save"})
        assert answer.status_code == 422 and "他人已改动" in answer.content.decode()
        again = second.post(FUND, {**form_of(answer.content.decode()), "reason": "乙", "do": "save"})
        assert again.status_code == 422, "a refused form sent a second time does not overwrite either"
        assert table(library, "library_fund_year", fund_id="ST-ND", year=2028).iloc[0]["amount_yuan"] == 1


class TestPayment:
    def test_a_payment_adds_to_what_is_paid_and_counts_once(self, library, signed_in):
        client = signed_in("planner")
        page = client.get(FUND).content.decode()
        said = {**form_of(page, action=FUND + "pay/"), "year": "2027", "amount": "150000.25", "project": "ZXM-002", "reason": "凭证 12 号"}
        assert client.post(FUND + "pay/", said).status_code == 302
        assert table(library, "library_fund_year", fund_id="ST-ND", year=2027).iloc[0]["paid_yuan"] == 350_000.25
        again = client.post(FUND + "pay/", said)
        assert again.status_code == 422 and "他人已改动" in again.content.decode()
        assert table(library, "library_fund_year", fund_id="ST-ND", year=2027).iloc[0]["paid_yuan"] == 350_000.25
        last = open_library(library).changes.iloc[-1]
        assert (last["reason"], last["before"], last["after"]) == ("ZXM-002: 凭证 12 号", "200000", "350000.25") and last["source"].startswith("拨付登记 ST-ND 2027")

    @pytest.mark.parametrize(
        ("sent", "told"),
        [({"amount": "400000.01"}, "已承诺金额"), ({"amount": "-5"}, "大于 0"), ({"amount": "0"}, "大于 0"), ({"amount": "一万"}, "大于 0"), ({"year": "2099"}, "没有此资金"),
         ({"reason": ""}, "理由"), ({"project": "没有"}, "项目库中的项目")],
    )  # fmt: skip
    def test_a_payment_beyond_the_promise_or_without_sense_is_refused(self, library, signed_in, sent, told):
        client = signed_in("planner")
        before = state_of(library)
        said = form_of(client.get(FUND).content.decode(), action=FUND + "pay/")
        answer = client.post(FUND + "pay/", {**said, "year": "2027", "amount": "1", "project": "", "reason": "凭证", **sent})
        page = answer.content.decode()
        assert answer.status_code == 422 and told in page and state_of(library) == before
        assert "r-TOTAL_FORMS" in page, "the form of the fund is still whole"


class TestPaymentsOfAProject:
    ADDRESS = "/library/projects/ZXM-002/payments/"

    def test_money_is_moved_between_years_when_the_sum_stays_the_investment(self, library, signed_in):
        client = signed_in("planner")
        said = opened(client, self.ADDRESS)
        one, two = row_at(said, stage_year="1"), row_at(said, stage_year="2")
        answer = client.post(self.ADDRESS, {**said, f"r-{one}-amount_yuan": "2900000", f"r-{two}-amount_yuan": "4500000", "reason": "提前支付", "do": "save"})
        assert answer.status_code == 302, answer.content.decode()[-2500:]
        assert table(library, "library_payment", project_id="ZXM-002").sort_values("stage_year")["amount_yuan"].tolist()[:2] == [2_900_000.0, 4_500_000.0]
        assert "提前支付" in client.get("/library/projects/ZXM-002/").content.decode()

    def test_a_sum_that_is_not_the_investment_is_refused_unless_the_investment_follows(self, library, signed_in):
        client = signed_in("planner")
        before, said = state_of(library), opened(client, self.ADDRESS)
        n = row_at(said, stage_year="4")
        sent = {**said, f"r-{n}-DELETE": "on", "reason": "核减", "do": "save"}
        answer = client.post(self.ADDRESS, sent)
        assert answer.status_code == 422 and "与投资不符" in answer.content.decode() and state_of(library) == before
        assert client.post(self.ADDRESS, {**sent, "follow": "1"}).status_code == 302
        row = open_library(library).row("ZXM-002")
        assert (row["investment_yuan"], row["state"]) == (12_260_869.98, "APPROVED_RESERVE")
        assert {"library_payment", "library_project"} == set(open_library(library).changes.tail(2)["table_name"])

    @pytest.mark.parametrize(
        ("cells", "told"),
        [({"fund_ids": ["XJ-HJ"]}, "限定用途"), ({"fund_ids": ["没有"]}, "没有"), ({"stage_year": "0"}, "从 1 起"), ({"amount_yuan": "0"}, "应大于 0"),
         ({"stage_year": "2"}, "重复")],
    )  # fmt: skip
    def test_earmarks_and_years_are_those_of_the_workbook(self, library, signed_in, cells, told):
        client = signed_in("planner")
        before, said = state_of(library), opened(client, self.ADDRESS)
        n = row_at(said, stage_year="1")
        answer = client.post(self.ADDRESS, {**said, **{f"r-{n}-{k}": v for k, v in cells.items()}, "reason": "试", "do": "save"})
        assert answer.status_code == 422 and told in answer.content.decode() and state_of(library) == before


class TestOrder:
    def test_an_order_is_added_turned_and_removed(self, library, signed_in):
        client = signed_in("planner")
        said = opened(client, "/library/order/")
        n = row_at(said, before_id="")
        assert client.post("/library/order/", {**said, f"r-{n}-before_id": "ZXM-001", f"r-{n}-after_id": "ZXM-003", f"r-{n}-reason": "先修路", "reason": "现场踏勘", "do": "save"}).status_code == 302
        assert len(table(library, "library_order", before_id="ZXM-001", after_id="ZXM-003")) == 1
        assert "现场踏勘" in client.get("/library/projects/ZXM-003/").content.decode()
        said = opened(client, "/library/order/")
        n = row_at(said, before_id="ZXM-001")
        assert client.post("/library/order/", {**said, f"r-{n}-before_id": "ZXM-003", f"r-{n}-after_id": "ZXM-001", "reason": "改序", "do": "save"}).status_code == 302
        assert table(library, "library_order", before_id="ZXM-001").empty and len(table(library, "library_order", before_id="ZXM-003", after_id="ZXM-001")) == 1

    @pytest.mark.parametrize(("before", "after", "told"), [("CY-001", "GF-002", "成环"), ("ZXM-001", "ZXM-001", "为前置"), ("GF-002", "CY-001", "重复"), ("没有", "CY-001", "没有")])
    def test_a_circle_a_double_or_an_unknown_project_is_refused(self, library, signed_in, before, after, told):
        client = signed_in("planner")
        was, said = state_of(library), opened(client, "/library/order/")
        n = row_at(said, before_id="")
        answer = client.post("/library/order/", {**said, f"r-{n}-before_id": before, f"r-{n}-after_id": after, "reason": "试", "do": "save"})
        assert answer.status_code == 422 and told in answer.content.decode() and state_of(library) == was


def test_a_floor_is_changed_and_an_unknown_region_refused(library, signed_in):
    client = signed_in("planner")
    said = opened(client, "/library/floors/")
    n = row_at(said, region="北片")
    assert client.post("/library/floors/", {**said, f"r-{n}-least_yuan": "2600000", "reason": "倾斜", "do": "save"}).status_code == 302
    assert table(library, "library_floor", region="北片").iloc[0]["least_yuan"] == 2_600_000
    said = opened(client, "/library/floors/")
    answer = client.post("/library/floors/", {**said, f"r-{n}-last_year": "2020", "reason": "试", "do": "save"})
    assert answer.status_code == 422 and "早于起始年" in answer.content.decode()


def test_rows_go_through_the_token_of_the_form(library, people):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(people["planner"], backend="allauth.account.auth_backends.AuthenticationBackend")
    before = state_of(library)
    for address in (FUND, FUND + "pay/", "/library/order/", "/library/floors/", "/library/projects/ZXM-002/payments/", "/library/funds/new/"):
        assert client.post(address, {"do": "save", "reason": "x"}).status_code == 403, address
    assert state_of(library) == before


def test_a_villager_reads_of_own_projects_only_in_the_log(library, signed_in):
    client = signed_in("planner")
    said = opened(client, FUND)
    client.post(FUND, {**said, "name": "改名", "reason": "机密的理由", "do": "save"})
    assert "机密的理由" in client.get("/library/changes/").content.decode()
    assert "机密的理由" not in signed_in("villager").get("/library/changes/").content.decode()


def test_rows_that_are_stored_while_somebody_reads_are_refused_whole(library):
    context = Context(user="甲", clock=lambda: datetime(2026, 5, 1, tzinfo=UTC))
    frame = open_library(library).tables["library_fund_year"]
    mark = mark_of_rows(frame, "library_fund_year", {"fund_id": "XJ-HJ", "year": "2027"})
    within = {"fund_id": "XJ-HJ", "year": "2027"}
    good = edit_rows(context, library, [RowSet("library_fund_year", [{"amount_yuan": "10", "committed_yuan": "8", "paid_yuan": ""}], mark, within)], reason="试", what="表单")
    assert good.empty and (late := pay_out(context, library, "XJ-HJ", "2027", "3", mark=mark, reason="迟到")) is not None and len(late) == 1
    fresh = mark_of_rows(open_library(library).tables["library_fund_year"], "library_fund_year", within)
    assert pay_out(context, library, "XJ-HJ", "2027", "3", mark=fresh, reason="凭证").empty
    assert table(library, "library_fund_year", fund_id="XJ-HJ", year=2027).iloc[0]["paid_yuan"] == 3


def test_the_kept_rows_of_each_page_are_taken_along_as_excel(library, signed_in):
    client = signed_in("planner")
    project = open_library(library).projects["project_id"].iloc[0]
    for address, name in ((FUND, "fund-years"), ("/library/order/", "order"), ("/library/floors/", "floors"), (f"/library/projects/{project}/payments/", "needs")):
        found = re.search(rf'href="(/library/tables/{name}\.xlsx[^"]*)"', client.get(address).content.decode())
        assert found and client.get(found[1]).content[:2] == b"PK"
