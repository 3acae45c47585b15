"""Cases of the article on the desks of the joint review (domain specification 7.3 and 7.9); G-03, A-24 and G-04 also stand in test_review_process."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import shapely

from qianmo.evaluation.compliance import verdicts
from qianmo.evaluation.facts import Facts
from qianmo.governance.review_checklist import checklist, checklist_rows, suggestions
from qianmo.schema.codes import zone_activities


def patches(road_m: float) -> gpd.GeoDataFrame:
    """A field of 50 m and a road beside it that reaches `road_m` into what was a field, both 100 m deep."""
    shapes = [shapely.box(500_000, 2_800_000, 500_050 - road_m, 2_800_100), shapely.box(500_050 - road_m, 2_800_000, 500_080, 2_800_100)]
    area = [s.area for s in shapes]
    return gpd.GeoDataFrame({"patch_id": ["F", "R"], "class_code": ["0101", "1003"], "area_m2": area, "class_area_m2": area}, geometry=shapes, crs=4547)


def basic_farmland() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"patch_id": ["B"]}, geometry=[shapely.box(500_000, 2_800_000, 500_050, 2_800_100)], crs=4547)


def test_a08_a_road_polygon_crossing_basic_farmland_by_12_3_m2_is_reported_with_that_area_on_the_form():
    table = verdicts(Facts(patches(0.123), {"basic_farmland": basic_farmland()}, "SD3"))
    points, links = checklist(table, findings=pd.DataFrame({"rule_id": ["Y-01"], "patch_id": ["R"]}))
    row = links.set_index(["item_id", "rule_id"]).loc[("LR04", "Y-01")]
    assert row["verdict"] == "fail" and "12.30 m2" in row["numbers"] and row["patch_ids"] == "R"
    point = points.set_index("item_id").loc["LR04"]
    assert (point["suggested"], point["parcels"]) == ("reject", 1) and "12.30 m2" in point["why"]
    clear = checklist(verdicts(Facts(patches(0.0), {"basic_farmland": basic_farmland()}, "SD3")))[1]
    assert clear.set_index(["item_id", "rule_id"]).loc[("LR04", "Y-01"), "verdict"] == "pass"


def test_a09_levelling_is_allowed_in_basic_farmland_and_a_warehouse_is_not():
    matrix = zone_activities()
    assert (matrix["ZA07"]["pbf"], matrix["ZA14"]["pbf"], matrix["ZA13"]["pbf"]) == ("A", "P", "P")


def test_g03_three_departments_are_mandatory_and_each_has_a_checklist_with_mandatory_points():
    by_department = {d: [r for r in checklist_rows([d]) if r["mandatory"] == "1"] for d in ("自然资源", "农业农村", "生态环境")}
    assert {d: len(rows) for d, rows in by_department.items()} == {"自然资源": 11, "农业农村": 6, "生态环境": 6}


def test_a24_the_forms_cover_site_and_scale_farmland_impact_and_environmental_assessment():
    words = {r["item_id"]: r["item_zh"] for r in checklist_rows()}
    assert "范围" in words["LR01"] and "建设用地总量" in words["LR06"] and "耕地质量" in words["AG01"] and "产业方案" in words["AG05"] and "环评" in words["EE02"]
    assert all(r["result_type"] == "pass/condition/reject/na" for r in checklist_rows())


def test_g04_all_departments_get_their_points_from_one_package(desk):
    points, _ = checklist(verdicts(Facts(patches(0.0), {"basic_farmland": basic_farmland()}, "SD3")))
    d = desk(suggestions=suggestions(points)).opened()
    for actor, seat, department in (("zi", "1", "自然资源"), ("nong", "2", "农业农村"), ("sheng", "3", "生态环境")):
        mine = points[points["department"] == department]
        answers = [{"item": p.item_id, "answer": "na" if p.suggested != "pass" else "pass", "reason": "不涉及" if p.suggested in ("reject", "condition") else ""} for p in mine.itertuples()]
        d.opine(actor, seat, answers=answers)
    assert {o.package for o in d.state.opinions} == {d.state.package} and len({o.department for o in d.state.opinions}) == 3
