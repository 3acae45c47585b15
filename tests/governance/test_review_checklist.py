"""Checklists come filled in by the rules, and weak evidence asks for the text."""

from __future__ import annotations

import pandas as pd
import pytest

from qianmo.governance.review_checklist import checklist, checklist_rows, suggestions
from qianmo.schema.errors import SchemaError
from qianmo.schema.rules import rules


def verdicts(**changed: str) -> pd.DataFrame:
    rows = [{"rule_id": r.id, "text_zh": r.zh, "verdict": changed.get(r.id.replace("-", "_"), "pass"), "numbers": "1 = 1", "severity": r.severity, "source": r.source,
             "confidence": r.confidence, "missing": ""} for r in rules().values()]  # fmt: skip
    return pd.DataFrame(rows)


def suggested(points: pd.DataFrame) -> dict[str, str]:
    return dict(zip(points["item_id"], points["suggested"]))


def test_every_department_has_its_points_and_the_three_mandatory_ones_have_mandatory_points():
    points, _ = checklist(verdicts())
    assert len(points) == 37 == len(checklist_rows())
    assert set(points.loc[points["mandatory"], "department"]) == {"自然资源", "农业农村", "生态环境", "联席办"}


def test_a_hard_failure_suggests_reject_and_a_soft_one_a_condition():
    told = suggested(checklist(verdicts(Y_01="fail", Z_10="fail"))[0])
    assert (told["LR04"], told["AG02"]) == ("reject", "condition")


def test_weak_evidence_asks_to_confirm_the_rule_text():
    points, links = checklist(verdicts(Z_13="needs_confirmation"))
    assert suggested(points)["LR03"] == "confirm"
    assert "规则文本待核实" in points.set_index("item_id").loc["LR03", "why"]
    assert links.set_index(["item_id", "rule_id"]).loc[("LR03", "Z-13"), "confidence"] == "medium"


def test_a_pass_on_a_rule_of_low_confidence_asks_for_the_text_too():
    table = verdicts()
    table.loc[table["rule_id"] == "Y-03", "confidence"] = "low"
    assert suggested(checklist(table)[0])["AG03"] == "confirm" and suggested(checklist(verdicts())[0])["AG03"] == "pass"


def test_missing_data_and_points_without_rules_are_left_to_the_officer():
    told = suggested(checklist(verdicts(D_05="no_data"))[0])
    assert (told["LR01"], told["AG04"], told["LR10"]) == ("manual", "manual", "manual")
    assert suggested(checklist(verdicts().iloc[:0])[0])["LR04"] == "manual"


def test_a_point_names_rule_source_layer_version_and_each_parcel_once():
    findings = pd.DataFrame({"rule_id": ["Y-01", "Y-01", "Y-01", "Z-02"], "patch_id": ["P2", "P1", "P2", "P1"]})
    points, links = checklist(verdicts(Y_01="fail"), findings=findings, layer_versions={"basic_farmland": "2023#ab12"}, rule_layers={"Y-01": ["basic_farmland", "gone"]})
    row = links.set_index(["item_id", "rule_id"]).loc[("LR04", "Y-01")]
    assert (row["patch_ids"], row["parcels"], row["layers"]) == ("P1;P2", 2, "basic_farmland@2023#ab12") and row["source"]
    assert points.set_index("item_id").loc["LR04", "parcels"] == 2


def test_the_order_of_verdicts_does_not_matter():
    a = checklist(verdicts(Y_01="fail"))
    b = checklist(verdicts(Y_01="fail").iloc[::-1].reset_index(drop=True))
    pd.testing.assert_frame_equal(a[0], b[0])
    pd.testing.assert_frame_equal(a[1], b[1])


def test_two_verdicts_on_one_rule_are_refused():
    with pytest.raises(SchemaError, match="Y-01"):
        checklist(pd.concat([verdicts(), verdicts().query("rule_id == 'Y-01'")]))


def test_suggestions_are_what_the_review_needs():
    told = suggestions(checklist(verdicts(Y_01="fail"))[0])
    assert told["LR04"] == {"department": "自然资源", "mandatory": True, "suggested": "reject", "zh": "是否占用永久基本农田、补划方案"}
