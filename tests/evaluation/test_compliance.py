"""Verdicts: every rule has a row, numbers are shown, nothing is guessed."""

from datetime import date

import pandas as pd
import pytest

from qianmo.evaluation.compliance import answer_rule, compliance_measures, verdicts
from qianmo.evaluation.facts import Facts, document_facts
from qianmo.schema.errors import RuleError, SchemaError
from qianmo.schema.rules import rules


def plan(before, changes, measure):
    """Facts of a plan that gives some patches another class."""
    after = before.copy()
    for patch, code in changes.items():
        after.loc[after["patch_id"] == patch, "class_code"] = code
    works = pd.DataFrame({"patch_id": list(changes), "measure": measure})
    return {"after": after.iloc[::-1], "works": works}


def verdict(facts, rule_id):
    return verdicts(facts, rule_ids=[rule_id]).iloc[0]


def test_every_rule_has_one_row_and_no_data_says_what_is_missing(patchwork):
    table = verdicts(Facts(patchwork(("0101", 3)), {}, "SD3"))
    assert table["rule_id"].tolist() == list(rules())
    silent = table[(table["verdict"] == "no_data") & (table["missing"] == "")]
    assert silent.empty, silent["rule_id"].tolist()
    assert (table.loc[table["verdict"] != "no_data", "numbers"] != "").all()


def test_five_per_cent_new_farmland_exactly_is_enough_and_the_numbers_are_shown(patchwork):
    p = patchwork(("0101", 60), ("0201", 3))
    facts = Facts(p, {}, "SD3", **plan(p, {"P1": "0103"}, "restore_farmland"))
    row = verdict(facts, "Z-01")
    assert [row["verdict"], row["value"], row["threshold"]] == ["pass", 0.05, "0.05"]
    for word in ("整治前耕地 60.00亩", "整治后 63.00亩", "净增 3.00亩", "5.0000%"):
        assert word in row["numbers"]
    assert row["margin"] == "富余 0.00亩"


def test_less_than_five_per_cent_fails_with_the_lack_in_mu(patchwork):
    p = patchwork(("0101", 60), ("0201", 2))
    row = verdict(Facts(p, {}, "SD3", **plan(p, {"P1": "0103"}, "restore_farmland")), "Z-01")
    assert [row["verdict"], row["margin"]] == ["fail", "差 1.00亩"]


def test_a_local_value_replaces_the_threshold_by_rule_or_by_parameter(patchwork):
    p = patchwork(("0101", 60), ("0201", 2))
    kwargs = plan(p, {"P1": "0103"}, "restore_farmland")
    for overrides in ({"Z-01": 0.03}, {"new_farmland_ratio_min": 0.03}):
        row = verdict(Facts(p, {}, "SD3", overrides=overrides, **kwargs), "Z-01")
        assert [row["verdict"], row["threshold"]] == ["pass", "0.03"]


def test_net_and_gross_new_farmland_are_both_reported_and_the_basis_decides(patchwork):
    p = patchwork(("0101", 60), ("0201", 3), ("0103", 3))
    changes = plan(p, {"P1": "0103", "P2": "0307"}, ["restore_farmland", "retire_steep"])
    assert verdict(Facts(p, {}, "SD3", **changes), "Z-01")["verdict"] == "fail"
    gross = verdict(Facts(p, {}, "SD3", overrides={"new_farmland_basis": "gross", "Z-01": 0.04}, **changes), "Z-01")
    assert gross["verdict"] == "pass"


def test_an_unconfirmed_rule_text_gives_needs_confirmation_not_fail(patchwork):
    facts = Facts(patchwork(("0101", 3)), {}, "SD3", documents={"start_date": "2026-01-01", "end_date": "2026-06-30"})
    row = verdict(facts, "Z-15")
    assert [row["verdict"], row["confidence"]] == ["needs_confirmation", "medium"]


def test_a_period_inside_the_range_passes(patchwork):
    documents = {"start_date": date(2026, 1, 1), "end_date": "2029-12-31"}
    assert verdict(Facts(patchwork(("0101", 3)), {}, "SD3", documents=documents), "Z-15")["verdict"] == "pass"


def test_a_building_on_basic_farmland_is_reported_with_its_area(patchwork, square):
    p = patchwork(("0702", 15), ("0101", 15))
    layers = {"basic_farmland": square(99.877, 200, patch_id="F", area_m2=10_012.3)}
    row = verdict(Facts(p, layers, "SD3"), "Y-01")
    assert row["verdict"] == "fail"
    assert row["value"] == pytest.approx(12.3, abs=0.01)


def test_an_orchard_and_a_pond_on_basic_farmland_break_y02_and_grain_does_not(patchwork):
    p = patchwork(("0201", 3), ("1104", 3), ("0101", 3))
    assert verdict(Facts(p, {"basic_farmland": p}, "SD3"), "Y-02")["value"] == pytest.approx(4000.0)
    assert verdict(Facts(p, {"basic_farmland": p.iloc[2:]}, "SD3"), "Y-02")["verdict"] == "pass"


def test_a_plan_that_clears_the_orchard_from_basic_farmland_passes_y02(patchwork):
    p = patchwork(("0201", 3), ("0101", 3))
    row = verdict(Facts(p, {"basic_farmland": p}, "SD3", **plan(p, {"P0": "0103"}, "restore_farmland")), "Y-02")
    assert row["verdict"] == "pass"
    assert "现状 2000.00 m2" in row["numbers"]


def test_new_farmland_on_a_steep_slope_or_in_forest_breaks_g09(patchwork):
    p = patchwork(("0201", 3), ("0301", 3), ("1206", 3), slope_deg=[26.0, 3.0, 3.0])
    red = patchwork(("0101", 1)).iloc[:0].assign(redline_id=[])
    for patch, expected in (("P0", "fail"), ("P1", "fail"), ("P2", "pass")):
        facts = Facts(p, {"eco_redline": red}, "SD3", **plan(p, {patch: "0103"}, "restore_farmland"))
        assert verdict(facts, "G-09")["verdict"] == expected


def test_g09_is_not_answered_without_a_slope(patchwork):
    p = patchwork(("0201", 3))
    row = verdict(Facts(p, {}, "SD3", **plan(p, {"P0": "0103"}, "restore_farmland")), "G-09")
    assert row["verdict"] == "no_data"
    assert "坡度" in row["missing"]


def test_works_in_the_redline_are_judged_by_the_activity_matrix(patchwork, square):
    p = patchwork(("0201", 15), ("0404", 15), ("0103", 15), slope_deg=[3.0, 20.0, 3.0])
    layers = {"eco_redline": square(0, 300, redline_id="E", reserve_zone="一般控制区")}
    banned = Facts(p, layers, "SD3", **plan(p, {"P0": "0103"}, "restore_farmland"))
    assert verdict(banned, "E-02")["verdict"] == "fail"
    restoration = Facts(p, layers, "SD3", **plan(p, {"P1": "0307"}, "afforest"))
    assert verdict(restoration, "E-02")["verdict"] == "pass"
    assert verdict(restoration, "Z-12")["verdict"] == "pass"
    assert verdict(restoration, "E-03")["verdict"] == "no_data"
    merging = Facts(p, layers, "SD3", **plan(p, {"P2": "0103"}, "merge_fields"))
    assert "limited_activity_opinion" in verdict(merging, "E-02")["missing"]
    told = Facts(p, layers, "SD3", documents={"limited_activity_opinion": True}, **plan(p, {"P2": "0103"}, "merge_fields"))
    assert verdict(told, "E-02")["verdict"] == "pass"


def test_a_redline_that_does_not_say_core_or_not_leaves_e01_open(patchwork, square):
    p = patchwork(("0404", 15))
    facts = Facts(p, {"eco_redline": square(0, 90, redline_id="E")}, "SD3", **plan(p, {"P0": "0307"}, "afforest"))
    assert verdict(facts, "E-01")["verdict"] == "no_data"


def test_construction_land_must_not_grow(patchwork):
    p = patchwork(("0702", 3), ("0103", 3))
    assert verdict(Facts(p, {}, "SD3", **plan(p, {"P0": "0103"}, "reclaim_homestead")), "Z-11")["verdict"] == "pass"
    row = verdict(Facts(p, {}, "SD3", **plan(p, {"P1": "0601"}, "keep")), "Z-11")
    assert [row["verdict"], row["margin"]] == ["fail", "超出 3.00亩"]


def test_basic_farmland_rules_follow_the_form(patchwork):
    p = patchwork(("0103", 150), ("0103", 150), ("0101", 315))
    table = p.assign(quality_grade=[8, 8, 6], slope_class=["4", "4", "2"], is_stable=["0", "0", "1"])
    table["is_high_standard"] = [False, False, True]
    layers = {"basic_farmland": table, "basic_farmland_out": table.iloc[:2], "basic_farmland_in": table.iloc[2:]}
    got = verdicts(Facts(p, layers, "SD3", overrides={"Z-03": 0.5})).set_index("rule_id")
    assert got.loc["Z-02", "value"] == pytest.approx(0.05)
    for rule_id in ("Z-02", "Z-03", "Z-04", "Z-05", "Z-06", "Z-07", "Z-08", "Z-09", "Z-10"):
        assert got.loc[rule_id, "verdict"] == "pass", rule_id
    back = {**layers, "basic_farmland_out": table.iloc[2:], "basic_farmland_in": table.iloc[:2]}
    got = verdicts(Facts(p, back, "SD3")).set_index("rule_id")
    for rule_id in ("Z-02", "Z-04", "Z-05"):
        assert got.loc[rule_id, "verdict"] == "fail", rule_id
    for rule_id in ("Z-03", "Z-09", "Z-10"):
        assert got.loc[rule_id, "verdict"] in ("fail", "needs_confirmation"), rule_id


def test_the_share_of_grain_is_weighted_by_area(patchwork):
    p = patchwork(("0101", 135), ("0101", 15), planting_code=["LS", "FLS"])
    row = verdict(Facts(p, {"basic_farmland": p}, "SD3"), "Y-03")
    assert [row["verdict"], round(row["value"], 4)] == ["pass", 0.9]


def test_faults_of_the_checks_answer_the_survey_rules(patchwork):
    p = patchwork(("0101", 3), ("0201", 3))
    faults = pd.DataFrame({
        "layer": ["DLTB", "DLTB"], "rule": ["D-05", "D-07"], "severity": ["error", "info"], "what": ["gap", "small"]
    })  # fmt: skip
    table = verdicts(Facts(p, {}, "SD3", faults=faults)).set_index("rule_id")
    assert table.loc["D-05", ["verdict", "value"]].tolist() == ["needs_confirmation", 1.0]
    assert table.loc["D-07", "verdict"] == "pass"
    assert verdict(Facts(p, {}, "SD3"), "D-05")["verdict"] == "no_data"
    partial = faults.copy()
    partial.attrs["rules_checked"] = ("D-07",)
    assert verdict(Facts(p, {}, "SD3", faults=partial), "D-05")["verdict"] == "no_data"


def test_survey_rules_look_at_the_register_when_no_check_was_run(patchwork):
    p = patchwork(("0101", 0.5), ("0103", 3), ridge_area_m2=[0.0, 5.0], location_code=["3507210010010000000", "12"])
    table = verdicts(Facts(p, {}, "SD3")).set_index("rule_id")
    assert table.loc[["D-01", "D-06", "D-07"], "value"].tolist() == [1.0, 1.0, 1.0]
    assert table.loc["D-11", "verdict"] == "pass"


def test_a_plan_from_other_patches_stops_instead_of_no_data(patchwork):
    p = patchwork(("0101", 3), ("0201", 3))
    with pytest.raises(SchemaError, match="patches before"):
        verdicts(Facts(p, {}, "SD3", after=p.iloc[:1]))


def test_a_document_of_the_wrong_type_is_refused(patchwork):
    with pytest.raises(SchemaError, match="consent_rate"):
        verdicts(Facts(patchwork(("0101", 3)), {}, "SD3", documents={"consent_rate": "高", "demolition_share": 0.1}))


def test_an_unknown_rule_is_an_error_not_a_pass(patchwork):
    with pytest.raises(RuleError, match="Q-99"):
        answer_rule(Facts(patchwork(("0101", 3)), {}, "SD3"), "Q-99")


DOCUMENTS = [
    ("Z-16", {"consent_rate": 0.9, "demolition_share": 0.1}, "pass"),
    ("Z-16", {"consent_rate": 0.6, "demolition_share": 0.1}, "needs_confirmation"),
    ("Z-20", {"basic_farmland_database_updated": True, "project_state": "UNDER_WORKS"}, "fail"),
    ("Z-21", {"acceptance_experts": 5, "acceptance_villagers": 10}, "pass"),
    ("Z-21", {"acceptance_experts": 4, "acceptance_villagers": 10}, "needs_confirmation"),
    ("Z-13", {"expansion_multiple_before": 1.3, "expansion_multiple_after": 1.31}, "needs_confirmation"),
    ("Y-05", {"mining_rights_on_basic_farmland": 0}, "pass"),
    ("Y-05", {"mining_rights_on_basic_farmland": 2, "mining_strategic_or_underground": False}, "fail"),
    ("G-04", {"nonagricultural_occupation_m2": 900.0, "stable_farmland_net_gain_m2": -5.0}, "needs_confirmation"),
    ("G-10", {"penalty_cases": 2, "penalty_cases_with_field_evidence": 1}, "fail"),
    ("J-03", {"turnover_use_date": "2023-05-01", "turnover_return_date": "2026-05-01"}, "pass"),
    ("J-03", {"turnover_use_date": "2023-05-01", "turnover_return_date": "2026-05-02"}, "needs_confirmation"),
    ("J-04", {"quota_trade_scope": "nation"}, "fail"),
    ("J-05", {"ticket_price_yuan": 190_000, "ticket_cost_yuan": 50_000, "ticket_farmer_paid_yuan": 119_000}, "pass"),
    ("J-05", {"ticket_price_yuan": 190_000, "ticket_cost_yuan": 50_000, "ticket_farmer_paid_yuan": 100_000}, "fail"),
    ("J-07", {"entry_votes_for": 67, "entry_votes_all": 100}, "pass"),
    ("J-07", {"entry_votes_for": 66, "entry_votes_all": 100}, "fail"),
    ("J-08", {"entry_price_yuan": 60.0, "entry_cost_yuan": 35.0}, "pass"),
    ("J-08", {"entry_price_yuan": 60.0, "entry_cost_yuan": 35.0, "entry_levy_yuan": 2.5}, "fail"),
    ("F-02", {"government_guarantee": False, "government_buyback": True}, "fail"),
    ("F-03", {"land_transfer_income_share": 0.1}, "needs_confirmation"),
    ("F-06", {"concession_years": 40}, "pass"),
    ("F-08", {"private_share": 0.3, "private_share_required": 0.35}, "needs_confirmation"),
    ("F-09", {"exit_private_share": 0.595}, "pass"),
    ("V-02", {"party_members": 60, "party_present": 41, "party_agree": 31}, "pass"),
    ("V-02", {"party_members": 60, "party_present": 41, "party_agree": 30}, "fail"),
    ("V-03", {"adults": 100, "adults_present": 51, "assembly_agree": 26}, "pass"),
    ("V-03", {"households": 30, "households_present": 19, "assembly_agree": 19}, "fail"),
    ("V-04", {"representatives": 30, "representatives_present": 25, "representatives_agree": 13}, "pass"),
    ("V-05", {"collective_members": 30, "collective_present": 25, "collective_agree": 19}, "needs_confirmation"),
    ("V-07", {"notice_plan_days": 30, "notice_village_days": 7}, "pass"),
    ("V-07", {"notice_plan_days": 29}, "needs_confirmation"),
    ("V-08", {"department_opinions": ["自然资源局", "农业农村局", "生态环境局", "水利局"]}, "pass"),
    ("V-08", {"department_opinions": ["自然资源局", "农业农村局"]}, "fail"),
    ("V-11", {"clue_issue_date": "2026-01-20", "clue_report_date": "2026-02-28"}, "pass"),
    ("V-11", {"clue_issue_date": "2026-01-20", "clue_report_date": "2026-03-01"}, "fail"),
    ("V-12", {"illegal_farmland_m2": 15.0, "new_occupied_farmland_m2": 100.0}, "fail"),
    ("V-13", {"unit_codes": ["330110001001JC00001F00010001"]}, "pass"),
    ("V-13", {"unit_codes": ["330110001001JC00001F0001001"]}, "fail"),
    ("V-16", {"endorsements": 4, "endorsing_parties": 6}, "pass"),
    ("V-16", {"endorsements": 3, "endorsing_parties": 5}, "needs_confirmation"),
]


@pytest.mark.parametrize(("rule_id", "documents", "expected"), DOCUMENTS)
def test_documents_answer_the_rules_no_map_can(patchwork, rule_id, documents, expected):
    facts = Facts(patchwork(("0101", 3)), {}, "SD3", documents=documents)
    assert verdict(facts, rule_id)["verdict"] == expected, verdict(facts, rule_id)


def test_votes_that_cannot_be_are_not_a_pass(patchwork):
    facts = Facts(patchwork(("0101", 3)), {}, "SD3", documents={"entry_votes_for": 120, "entry_votes_all": 100})
    assert verdict(facts, "J-07")["verdict"] == "no_data"


def test_every_document_fact_names_rules_that_exist():
    for name, row in document_facts().items():
        assert set(row["used_in"].split(";")) <= set(rules()), name
        assert row["type"] in ("real", "integer", "flag", "text", "date", "list")


def test_the_registry_holds_the_rules_and_nothing_else():
    assert set(compliance_measures()) == set(rules())
