"""Checks, scores, weights, sensitivity, zones and the way to a sheet and back."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from qianmo.governance.funds import fund_account, funds_that_may_pay, supplies_of
from qianmo.governance.library.board import bars, board, class_summary
from qianmo.governance.library.cells import cell_text, cell_value, column_header
from qianmo.governance.library.check import check_library
from qianmo.governance.library.conformity import conformity
from qianmo.governance.library.difference import compare_table, fingerprints
from qianmo.governance.library.score import normed_values, ranked, score_of
from qianmo.governance.library.sensitivity import flips, smallest_flips, weight_moved
from qianmo.governance.library.typed import typed_table
from qianmo.governance.library.weights import compared_weights, default_weights, direct_weights
from qianmo.governance.portfolio.from_library import library_problem, portfolio_tables
from qianmo.governance.portfolio.replay import replay
from qianmo.governance.portfolio.solve import solve_portfolio
from qianmo.schema.errors import CodeError, SchemaError
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.tables import table_spec


def test_a_right_library_has_no_faults(tables):
    assert check_library(tables).empty


@pytest.mark.parametrize(
    ("table", "row", "column", "value", "zh"),
    [
        ("library_project", 1, "project_class", "修路", "应为: 农用地整理"), ("library_project", 1, "urgency", 9, "1 至 5"), ("library_project", 1, "project_id", "P-1", "与第 1 行重复"),
        ("library_project", 2, "fund_readiness", 80.0, "0 与 1 之间"), ("library_project", 0, "investment_yuan", 0.0, "大于 0"), ("library_project", 3, "investment_yuan", 7e5, "与投资不符"),
        ("library_project", 0, "name", None, "不能为空"), ("library_project", 0, "state", "DONE", "应为: 候选"), ("library_project", 0, "area_m2", -1.0, "不能为负数"),
        ("library_payment", 0, "fund_ids", "X", "没有资金 X"), ("library_payment", 0, "fund_ids", "PROV", "限定用途"), ("library_payment", 1, "project_id", "P-9", "不在库中"),
        ("library_fund_year", 1, "year", 2026, "重复"), ("library_fund_year", 0, "committed_yuan", 9e9, "到位金额"), ("library_order", 0, "after_id", "P-1", "为前置"),
        ("library_floor", 0, "region", "北片", "没有项目属于此片区"), ("library_floor", 0, "last_year", 2020, "早于起始年"),
    ],
)  # fmt: skip
def test_each_fault_names_its_row_in_both_languages(tables, table, row, column, value, zh):
    frame = tables[table].copy()
    frame[column] = frame[column].astype(object)
    frame.loc[row, column] = value
    faults = check_library({**tables, table: frame})
    mine = [f for f in faults.to_dict("records") if zh in f["zh"]]
    assert mine and mine[0]["row"] in (row + 1, 0) and mine[0]["en"] and mine[0]["cure"], faults


def test_an_activity_that_a_zone_forbids_is_a_fault(tables):
    frame = tables["library_project"].copy()
    frame.loc[0, ["activity_id", "zones"]] = ["ZA13", "pbf;udb_inside"]
    assert "永久基本农田: 禁止" in check_library({**tables, "library_project": frame}).iloc[0]["zh"]


@pytest.mark.parametrize("row", shipped_rows("codes", "zone_activity_matrix"), ids=lambda r: r["activity_id"])
def test_the_strictest_zone_decides(row):
    order = "ACP"
    zones = ["pbf", "pbf_reserve", "ordinary_farmland", "eco_core", "eco_other", "udb_inside", "udb_outside"]
    for z in zones:
        assert conformity(row["activity_id"], [z]).verdict == row[z]
    assert conformity(row["activity_id"], zones).verdict == max((row[z] for z in zones), key=order.index)


def test_an_unknown_zone_is_refused():
    for activity, zones in (("ZA99", ["pbf"]), ("ZA01", ["moon"]), ("ZA01", [])):
        with pytest.raises(CodeError):
            conformity(activity, zones)


def test_a_23_an_urgent_and_funded_project_ranks_first_with_six_and_four_tenths(tables):
    assert default_weights()["urgency"] == Fraction(3, 5) and default_weights()["fund_readiness"] == Fraction(2, 5)
    table = ranked(tables["library_project"], default_weights())
    assert table["project_id"].tolist() == ["P-1", "P-2", "P-3", "P-4"] and table["score"].tolist() == [1.0, 0.5, 0.5, 0.4]
    assert table["tie"][2] == "与 P-2 同分, 其申报日期 2025-02-01 早于 2025-04-01" and table["parts"][0] == "紧迫程度 0.6×1 + 资金到位 0.4×1"


def test_the_order_does_not_depend_on_the_order_of_the_rows(tables):
    frame = tables["library_project"]
    assert ranked(frame.iloc[::-1], default_weights()).equals(ranked(frame, default_weights()))


def test_weights_are_made_to_sum_to_one_and_wrong_ones_are_refused():
    assert direct_weights({"urgency": "3", "fund_readiness": 1})["urgency"] == Fraction(3, 4)
    for wrong in ({"urgency": -1}, {"x": 1}, {"urgency": 0}, {"urgency": "a"}):
        with pytest.raises(SchemaError):
            direct_weights(wrong)


def test_comparisons_that_agree_give_back_their_weights_and_others_are_refused():
    truth = np.array([0.5, 0.3, 0.2])
    names = ["urgency", "fund_readiness", "village_consent"]
    found = compared_weights(names, truth[:, None] / truth[None, :], ratio_max=0.1)
    assert [float(found.weights[n]) for n in names] == pytest.approx(truth) and found.ratio == pytest.approx(0, abs=1e-9) and sum(found.weights.values()) == 1
    circle = np.array([[1, 9, 1 / 9], [1 / 9, 1, 9], [9, 1 / 9, 1]])
    with pytest.raises(SchemaError, match="重新考虑"):
        compared_weights(names, circle, ratio_max=0.1)
    with pytest.raises(SchemaError, match="互为倒数"):
        compared_weights(names[:2], np.array([[1, 2], [2, 1]]), ratio_max=0.1)


def test_three_comparisons_have_the_consistency_of_the_closed_form():
    """For three criteria the eigenvalue is 1 + a + 1 / a with a the cube root of a13 / (a12 a23), and the weights are the geometric means of the rows."""
    table = np.array([[1, 3, 5], [1 / 3, 1, 3], [1 / 5, 1 / 3, 1]])
    found = compared_weights(["urgency", "fund_readiness", "village_consent"], table, ratio_max=0.1)
    a = (5 / 9) ** (1 / 3)
    assert found.ratio == pytest.approx((a + 1 / a - 2) / 2 / 0.58)
    means = np.prod(table, axis=1) ** (1 / 3)
    assert [float(w) for w in found.weights.values() if w] == pytest.approx([means[0] / means.sum(), means[1] / means.sum(), means[2] / means.sum()], rel=1e-6)


def test_a_flip_is_where_the_order_turns():
    rng = np.random.default_rng(7)
    weights = direct_weights({k: int(v) for k, v in zip(default_weights(), rng.integers(1, 9, 5))})
    normed = {f"P{n}": {k: Fraction(int(v), 10) for k, v in zip(weights, rng.integers(0, 11, 5))} for n in range(12)}
    order = sorted(normed, key=lambda p: -score_of(normed[p], weights))
    found = flips(normed, order, weights)
    assert len(found) > 5
    for f in found:
        level = weight_moved(weights, f.criterion, f.weight_at)
        assert score_of(normed[f.above], level) == score_of(normed[f.below], level)
        step = (f.weight_at - weights[f.criterion]) / 1000
        if 0 <= f.weight_at + step <= 1:
            past = weight_moved(weights, f.criterion, f.weight_at + step)
            assert score_of(normed[f.below], past) > score_of(normed[f.above], past)
    for (above, below), f in smallest_flips(normed, order, weights).items():
        scan = [w for k in weights for w in (Fraction(n, 200) for n in range(201)) if abs(w - weights[k]) < (abs(f.change) if f else 2)
                and score_of(normed[below], weight_moved(weights, k, w)) > score_of(normed[above], weight_moved(weights, k, w))]  # fmt: skip
        assert not scan or score_of(normed[above], weights) == score_of(normed[below], weights)


def test_every_cell_goes_out_and_comes_back(tables):
    for name, frame in tables.items():
        spec = table_spec(name)
        sheet = pd.DataFrame({column_header(c): [cell_text(c, v) for v in frame[c.name]] for c in spec.columns})
        back, faults = typed_table(name, sheet)
        assert faults.empty and fingerprints(name, back) == fingerprints(name, frame)


def test_a_wrong_cell_is_named_with_its_row_in_the_sheet():
    frame, faults = typed_table("library_floor", pd.DataFrame({"片区": ["东"], "起始年": ["2026.5"], "截止年": ["明年"], "保底投资(元)": ["1,000"]}), first_row=2)
    assert faults["row"].tolist() == [2, 2] and "应为整数" in faults["zh"][0] and frame["least_yuan"][0] == 1000.0
    with pytest.raises(SchemaError, match="缺少列"):
        typed_table("library_floor", pd.DataFrame({"片区": ["东"], "颜色": ["红"]}))


@pytest.mark.parametrize(("written", "value"), [("2026-3-1", "2026-03-01"), ("2026年3月1日", "2026-03-01"), ("2026/03/01", "2026-03-01"), ("", None)])
def test_days_are_read_as_clerks_write_them(written, value):
    assert cell_value(table_spec("library_project").column("proposed"), written) == value


def edited(frame, **cells):
    out = frame.copy()
    for key, value in cells.items():
        project, column = key.split("__")
        out.loc[out["project_id"] == project.replace("_", "-"), column] = value
    return out


def test_a_sheet_that_comes_back_unchanged_changes_nothing(tables):
    frame = tables["library_project"]
    found = compare_table("library_project", frame, frame.copy(), fingerprints("library_project", frame))
    assert found.changes.empty and found.refused.empty and found.frame.equals(frame)


def test_added_changed_and_removed_rows_are_told(tables):
    frame = tables["library_project"]
    sheet = edited(frame, P_1__urgency=4)[frame["project_id"] != "P-4"]
    sheet = pd.concat([sheet, frame[frame["project_id"] == "P-4"].assign(project_id="P-5", state="CANDIDATE")], ignore_index=True)
    found = compare_table("library_project", frame, sheet, fingerprints("library_project", frame), protect=("state",), fresh={"state": "CANDIDATE"})
    assert found.changes["kind"].tolist() == ["changed", "added", "removed"] and found.refused.empty
    assert found.changes.iloc[0][["row", "column", "before", "after"]].tolist() == [2, "urgency", "5", "4"]
    assert found.frame["project_id"].tolist() == ["P-1", "P-2", "P-3", "P-5"] and found.count("changed") == 1


def test_rows_changed_on_both_sides_are_refused_with_their_row(tables):
    base = tables["library_project"]
    now = edited(base, P_1__name="污水治理二期", P_2__name="道路")
    sheet = edited(base, P_1__urgency=1, P_3__urgency=1)
    found = compare_table("library_project", now, sheet, fingerprints("library_project", base))
    assert found.refused["row"].tolist() == [2] and "导出后库中也改过" in found.refused["zh"][0]
    kept = found.frame.set_index("project_id")
    assert kept.loc["P-1", "urgency"] == 5 and kept.loc["P-2", "name"] == "道路" and kept.loc["P-3", "urgency"] == 1


def test_what_one_side_took_out_and_the_other_changed_is_refused(tables):
    base = tables["library_project"]
    prints = fingerprints("library_project", base)
    gone = compare_table("library_project", base[base["project_id"] != "P-1"], edited(base, P_1__urgency=1), prints)
    assert "已删除" in gone.refused["zh"][0] and "P-1" not in gone.frame["project_id"].tolist()
    taken = compare_table("library_project", edited(base, P_1__urgency=1), base[base["project_id"] != "P-1"], prints)
    assert "此后有改动" in taken.refused["zh"][0] and "P-1" in taken.frame["project_id"].tolist()
    both = compare_table("library_project", base[base["project_id"] != "P-1"], base, prints)
    assert both.refused.empty and both.changes.empty and len(both.frame) == 3


def test_a_sheet_moves_no_state_and_repeats_no_row(tables):
    base = tables["library_project"]
    sheet = pd.concat([edited(base, P_1__state="APPROVED"), base.tail(1)], ignore_index=True)
    found = compare_table("library_project", base, sheet, fingerprints("library_project", base), protect=("state",), fresh={"state": "CANDIDATE"})
    assert ["不能改状态" in z or "重复" in z for z in found.refused["zh"]] == [True, True] and found.changes.empty


def test_the_account_of_funds_adds_up(tables):
    years = tables["library_fund_year"].copy()
    years.loc[0, ["committed_yuan", "paid_yuan"]] = [500_000.01, 200_000.0]
    account = fund_account(tables["library_fund"], years).set_index("fund_id")
    assert account.loc["PROV", ["amount_yuan", "committed_yuan", "paid_yuan", "owed_yuan", "free_yuan"]].tolist() == [6e6, 500000.01, 200000.0, 300000.01, 5499999.99]
    first = supplies_of(tables["library_fund"], years, first_year=2027, last_year=2028)
    assert [(s.fund, s.year, s.until, s.fen) for s in first][:2] == [("PROV", 2027, 2027, 149999999), ("PROV", 2027, 2028, 200000000)]
    assert funds_that_may_pay(tables["library_fund"], {"project_class": "其他", "region": "东片"}) == {"TOWN"}


def test_g_02_the_library_becomes_a_year_plan_within_its_funds(tables):
    scores = {str(r["project_id"]): score_of(normed_values(r), default_weights()) for r in tables["library_project"].to_dict("records")}
    problem = library_problem(tables, scores, first_year=2026, years=3, delay_rate=0.03)
    found = solve_portfolio(problem, gap=0.0)
    again = replay(problem, found)
    out = portfolio_tables(problem, found, again)
    assert again.faults == () and out["portfolio_start"]["project_id"].is_unique
    starts = out["portfolio_start"].set_index("project_id")["start_year"]
    assert starts["P-1"] == 2026 and (starts["P-2"] is pd.NA or starts["P-2"] >= 2028) and starts["P-4"] in (2026, 2027)
    paid = out["portfolio_payment"].groupby("project_id")["amount_yuan"].sum()
    cost = tables["library_project"].set_index("project_id")["investment_yuan"]
    assert all(paid[p] == pytest.approx(cost[p], abs=1e-6) for p in paid.index)


def test_the_board_and_the_summary_hold_every_project_once(tables):
    frame = tables["library_project"]
    pages = board(frame)
    assert sorted(p for page in pages.values() for ids in page.values() for p in ids) == frame["project_id"].tolist() and set(pages) == {"储备", "实施", "验收", "其他"}
    table = class_summary(frame).set_index("project_class")
    assert table.loc["合计", ["projects", "investment_yuan"]].tolist() == [4, 7_200_000.01] and table["projects"][:-1].sum() == 4
    assert bars(edited(frame, P_3__start_year=2027))["end_year"].tolist() == [2027]
