"""Tables, text and chart of a distribution show what was computed."""

from __future__ import annotations

import io
from datetime import date
from fractions import Fraction

import openpyxl
import pandas as pd
import pytest
from PIL import Image

from qianmo.finance.distribution.clearance import Asset, appraised_by_party
from qianmo.finance.distribution.dividend import Agreement, allocate_years, member_dividends
from qianmo.finance.distribution.fairness import FairnessRow, fairness_report
from qianmo.finance.distribution.game import game_of_contributions
from qianmo.finance.distribution.homestead_swap import swap_balance
from qianmo.finance.distribution.members import Member, MemberRule, quantified_shares
from qianmo.finance.distribution.remainder import Spending, remainder_account
from qianmo.finance.distribution.schemes import Situation
from qianmo.finance.distribution.shares import share_bands
from qianmo.reports.distribution_chart import scheme_chart
from qianmo.reports.distribution_tables import (
    account_table,
    asset_table,
    equity_table,
    fairness_table,
    member_table,
    scheme_table,
    swap_table,
    year_table,
)
from qianmo.reports.tables import workbook
from qianmo.reports.text_table import text_table
from qianmo.schema.book import BookColumn, BookTable

NAMES = {"a": "村集体", "b": "企业"}


@pytest.fixture(scope="module")
def rows() -> tuple[FairnessRow, ...]:
    game = game_of_contributions(("a", "b"), [(("a",), 60_000_000), (("a", "b"), 40_000_000)])
    return fairness_report(Situation(("a", "b"), 100_000_000, {"a": Fraction(1, 2), "b": Fraction(1, 2)}, game=game), step=Fraction(1, 100))


def test_text_columns_stand_under_one_another_with_chinese_two_cells_wide() -> None:
    frame = pd.DataFrame({"name": ["甲乙", "b"], "amount": [1234567.5, -2.0]})
    table = BookTable("t", "表", frame, (BookColumn("name", "名称"), BookColumn("amount", "金额", "元", "#,##0.00")), sums=("amount",))
    assert text_table(table) == ("表", "  名称      金额(元)", "  甲乙  1,234,567.50", "  b            -2.00", "  合计  1,234,565.50")


def test_a_table_without_rows_says_so_and_a_long_one_says_what_is_left_out() -> None:
    columns = (BookColumn("n", "数", "", "integer"),)
    assert text_table(BookTable("t", "表", pd.DataFrame({"n": []}), columns, empty="没有记录")) == ("表：没有记录",)
    assert text_table(BookTable("t", "表", pd.DataFrame({"n": range(30)}), columns))[-1].endswith("其余 10 行见工作簿")


def test_the_workbook_holds_the_amounts_and_sums_of_every_table(rows: tuple[FairnessRow, ...]) -> None:
    assets = [Asset("1", "土地", "land", "a", 60_000, Fraction(1, 10), "证"), Asset("2", "资金", "cash", "b", 140_000)]
    rights = quantified_shares([Member("甲", 2), Member("乙", 1)], MemberRule(), collective="村")
    years = allocate_years([100_000, -5000], Agreement({"a": Fraction(3, 10), "b": Fraction(7, 10)}))
    state = remainder_account({"industry": 1000}, [Spending(date(2026, 1, 1), "industry", 300, "记-1"), Spending(date(2026, 2, 1), "industry", 300, "")])
    tables = [
        asset_table(assets, NAMES), equity_table(appraised_by_party(assets), share_bands(assets), NAMES), year_table(2025, years, NAMES),
        member_table(rights, [member_dividends(30_000, rights, public_fund_rate=0.2)]), scheme_table(rows, NAMES), fairness_table(rows, NAMES),
        account_table(state), swap_table(swap_balance([500], [0], {"安置": [200]}, occupancy=[1])),
    ]  # fmt: skip
    book = openpyxl.load_workbook(io.BytesIO(workbook(tables, title="收益分配")), data_only=True)
    text = {s.title: [[c.value for c in row] for row in s.iter_rows()] for s in book.worksheets[1:]}
    assert len(text) == len(tables)
    flat = {name: [c for row in cells for c in row] for name, cells in text.items()}
    equity = next(v for k, v in flat.items() if "股比" in k)
    assert 0.3 in equity and pytest.approx(27 / 97) in [c for c in equity if isinstance(c, float)] and 2000 in equity
    assert {300, 700, -15, -35} <= set(next(v for k, v in flat.items() if "年度" in k))
    assert {60, 160, 80, 300} <= set(next(v for k, v in flat.items() if "成员" in k))
    account = next(v for k, v in flat.items() if "台账" in k)
    assert {10, -3, 7} <= set(account) and any("没有凭证号" in str(c) for c in account)


def test_the_fairness_table_names_who_would_leave(rows: tuple[FairnessRow, ...]) -> None:
    shown = fairness_table(rows, NAMES).frame.set_index("scheme")
    assert shown.loc["协议比例", "core"] == "否" and shown.loc["协议比例", "leaving"] == "村集体 可多得 100,000.00 元"
    assert shown.loc["夏普利值", "core"] == "是" and shown.loc["夏普利值", "monotone"] == "是"


def test_the_chart_is_a_picture_that_differs_with_the_amounts(rows: tuple[FairnessRow, ...]) -> None:
    first = scheme_chart(rows, NAMES, title="对照", mark="合成")
    assert Image.open(io.BytesIO(first)).size[0] > 900
    assert scheme_chart(rows[:2], NAMES, title="对照", mark="合成") != first
    assert scheme_chart(rows, NAMES, title="对照", mark="合成") == first
