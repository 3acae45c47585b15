"""The acceptance form: sums, cuts with reasons, money to the fen, quota from accepted quantities only."""

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest

from qianmo.governance.acceptance.form import accepted_lines, blank_form, check_form, quota_of, refusals_of_result
from qianmo.governance.acceptance.money import settled
from qianmo.schema.acceptance import acceptance_fields
from qianmo.schema.errors import SchemaError

NEW, PADDY, IRRIGATED, DRY, BEFORE = "YS_GM_XZGDMJ", "YS_GM_STMJ", "YS_GM_SJDMJ", "YS_GM_HDMJ", "YS_GM_HJQXZGDMJ"


def form(measured=None, cuts=None, prices=None, planned=None):
    frame = blank_form("P-1", planned or {NEW: 10.0, PADDY: 6.0, IRRIGATED: 0.0, DRY: 4.0, BEFORE: 10.0}, prices=prices).set_index("field", drop=False)
    for field, value in (measured or {NEW: 9.9, PADDY: 6.1, IRRIGATED: 0.0, DRY: 3.8, BEFORE: 9.9}).items():
        frame.loc[field, "measured"] = value
    for field, value in (cuts or {}).items():
        frame.loc[field, ["cut", "reason_code", "reason"]] = [value, "not_farmland", "变更调查认定为园地"]
    return frame.reset_index(drop=True)


def test_a_form_holds_every_numeric_field_of_the_list(shared_domain):
    import csv

    with (shared_domain / "acceptance_fields.csv").open(encoding="utf-8-sig") as f:
        told = list(csv.DictReader(f))
    assert list(acceptance_fields().fields) == [r["field"] for r in told]
    assert blank_form("P", {})["field"].tolist() == [r["field"] for r in told if r["unit"] not in ("code", "text")]
    with pytest.raises(SchemaError):
        blank_form("P", {"X": 1.0})


def test_tenths_add_up_as_they_are_written():
    assert check_form(form()).empty and refusals_of_result(form(), "pass") == ()
    assert accepted_lines(form(cuts={NEW: 0.3, DRY: 0.3}))["accepted"].dropna().tolist()[:2] == [9.6, 6.1]


def test_a_cut_of_the_whole_must_be_cut_from_a_part_too():
    faults = check_form(form(cuts={NEW: 0.3}))
    assert len(faults) == 1 and "核减后" in faults["zh"][0] and "9.6" in faults["found"][0]
    assert check_form(form(cuts={NEW: 0.3, DRY: 0.3})).empty


@pytest.mark.parametrize(
    ("column", "field", "value", "word"),
    [("cut", NEW, -1.0, "负数"), ("cut", NEW, 20.0, "大于实测数"), ("cut", PADDY, 0.1, "原因"), ("measured", NEW, 9.0, "新增耕地等于"), ("measured", BEFORE, 9.0, "核减前新增耕地"),
     ("cut", "YS_GCL_BZ", 1.0, "没有实测数"), ("field", NEW, "X", "没有此指标"), ("field", NEW, PADDY, "重复")],
)  # fmt: skip
def test_each_fault_of_a_form_is_told(column, field, value, word):
    frame = form()
    frame[column] = frame[column].astype(object)
    frame.loc[frame["field"] == field, column] = value
    assert any(word in z for z in check_form(frame)["zh"]), check_form(frame)["zh"].tolist()


def test_passing_needs_everything_that_was_planned_to_be_measured():
    frame = form()
    frame.loc[frame["field"] == PADDY, "measured"] = np.nan
    assert "尚未实测" in refusals_of_result(frame, "pass")[0] and refusals_of_result(frame, "mend") == () and refusals_of_result(frame, "?")


def test_the_money_of_a_cut_is_exact_to_the_fen():
    prices = {NEW: 45_000.335, PADDY: 1000.0}
    found = settled(form(cuts={NEW: 0.3, DRY: 0.3}, prices=prices))
    line = found.lines.set_index("field").loc[NEW]
    assert (line["contract_yuan"], line["payable_yuan"], line["deducted_yuan"]) == (450003.35, 432003.22, 18000.13)
    assert found.contract_fen == 45000335 + 600000 and found.contract_fen - found.deducted_fen == found.payable_fen
    assert "核减 0.3 ha (变更调查未认定为耕地: 变更调查认定为园地); 实测比计划少 0.1 ha, 扣减 18000.13 元" in found.words[0]


def test_more_than_planned_is_not_paid_unless_a_share_is_allowed():
    frame = form(prices={PADDY: 1000.0})
    assert settled(frame).payable_fen == 600_000 and settled(frame, over_share=0.01).payable_fen == 606_000 and settled(frame, over_share=0.1).payable_fen == 610_000


def test_quota_comes_from_accepted_quantities_only():
    assert quota_of(form(cuts={NEW: 0.3, DRY: 0.3})) == {"new_farmland_m2": 96000.0, "paddy_m2": 61000.0, "irrigated_m2": 0.0, "usable_m2": 0.0, "capacity_kg": 0.0}
    assert quota_of(blank_form("P", {NEW: 10.0}))["new_farmland_m2"] == 0.0


@pytest.mark.parametrize("seed", range(30))
def test_the_money_of_any_form_is_that_of_a_recount_in_decimals(seed):
    rng = np.random.default_rng(seed)
    names = [f for f in acceptance_fields().fields if f.startswith("YS_GCL")]
    planned = {n: float(np.round(rng.uniform(0, 99), int(rng.integers(0, 4)))) for n in names}
    frame = blank_form("P", planned, prices={n: float(np.round(rng.uniform(0, 9999), 3)) for n in names})
    mine = frame["field"].isin(names)
    frame.loc[mine, "measured"] = [float(np.round(p * rng.uniform(0.8, 1.1), 3)) for p in frame.loc[mine, "planned"]]
    frame.loc[mine, "cut"] = [float(np.round(m * rng.uniform(0, 0.2), 3)) for m in frame.loc[mine, "measured"]]
    contract = payable = 0
    for p, m, c, price in frame.loc[mine, ["planned", "measured", "cut", "price_yuan"]].astype(str).itertuples(index=False):
        contract += int((Decimal(p) * Decimal(price) * 100).quantize(Decimal(1), ROUND_HALF_UP))
        payable += int((min(Decimal(p), Decimal(m) - Decimal(c)) * Decimal(price) * 100).quantize(Decimal(1), ROUND_HALF_UP))
    found = settled(frame)
    assert (found.contract_fen, found.payable_fen, found.deducted_fen) == (contract, payable, contract - payable)
