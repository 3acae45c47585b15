"""Printed rows of evaluations by a standard: confidence by what they rest on, classes that come or go with the plan, nothing where nothing was evaluated."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qianmo.reports.plan_tables import book_tables
from qianmo.reports.table_standard import STANDARD_ROWS

TOTAL = pd.DataFrame([("farmland", "耕地面积", "公顷", 10.0, 12.0, ""), ("use_grade", "平均利用等别", "等", 7.0, 8.0, ""), ("new_grade", "新增耕地平均利用等别", "等", np.nan, 9.0, ""),
                      ("register_grade", "数据库平均等别(GDDB)", "等", 8.0, np.nan, "")], columns=["item", "zh", "unit", "before", "after", "note"])  # fmt: skip


def value(rows):
    return pd.DataFrame(rows, columns=["class", "zh", "area_ha", "equivalent", "value_yuan_yr", "sensitivity", "source"])


def test_confidence_tells_shipped_parameters_from_those_of_the_county():
    shipped = STANDARD_ROWS["gradation_total"]({"gradation_total": TOTAL, "gradation_lineage": {"own_tables": []}})["confidence"].tolist()
    own = STANDARD_ROWS["gradation_total"]({"gradation_total": TOTAL, "gradation_lineage": {"own_tables": ["gradation_indicator"]}})["confidence"].tolist()
    assert shipped == ["高（图斑面积）", "低（随包参数）", "低（随包参数）", "按调查数据库"] and own[1:] == ["本地参数", "本地参数", "按调查数据库"]


def test_classes_that_come_and_go_with_the_plan_count_zero_on_the_other_side():
    before = value([("paddy", "水田", 5.0, 3.89, 100.0, 1.0, ""), ("", "没有当量的地类", 1.0, np.nan, np.nan, np.nan, "")])
    after = value([("dryland", "旱地", 5.0, 4.01, 103.0, 1.0, "project.toml [factors]")])
    found = STANDARD_ROWS["service_value"]({"service_value_class": before, "service_value_class_after": after}).set_index("zh")
    assert found.loc["水田", "value_after_yuan_yr"] == 0.0 and found.loc["旱地", "value_yuan_yr"] == 0.0 and found.loc["旱地", "area_after_ha"] == 5.0
    assert found.loc["旱地", "source"] == "项目自定当量" and found.loc["旱地", "confidence"] == "本地参数" and found.loc["没有当量的地类", "source"] == "没有当量，未计入"
    alone = STANDARD_ROWS["service_value"]({"service_value_class": before})
    assert alone["value_after_yuan_yr"].isna().all()


def test_samples_short_of_a_criterion_are_counted_and_good_ones_left_out():
    rows = pd.DataFrame(
        [("样1", "P1", "dry", "旱地", "深度", "不小于 40", "fail", "不达标", "低"),
         ("样2", "P1", "dry", "旱地", "深度", "不小于 40", "fail", "不达标", "低"), ("样2", "P1", "dry", "旱地", "酸碱度", "6 至 8", "pass", "达标", "中")],
        columns=["sample", "patch_id", "target", "target_zh", "name_zh", "limit_zh", "verdict", "verdict_zh", "confidence_zh"],
    )  # fmt: skip
    found = STANDARD_ROWS["reclamation_short"]({"reclamation_result": rows})
    assert found[["name_zh", "samples", "parcels"]].to_numpy().tolist() == [["深度", 2, 1]]
    assert STANDARD_ROWS["reclamation_short"]({"reclamation_result": rows[rows["verdict"] == "pass"]}) is None
    total = pd.DataFrame([("dry", "旱地", 1, 2.0)], columns=["target", "target_zh", "parcels", "area_ha"])
    assert STANDARD_ROWS["reclamation_total"]({"reclamation_total": total, "reclamation_result": rows})["confidence"].tolist() == ["低"]


def test_nothing_evaluated_leaves_every_table_empty_with_words():
    tables = book_tables({})
    assert not [k for k in (*STANDARD_ROWS, "high_standard_area", "high_standard_work") if len(tables[k].frame) or not tables[k].empty]
