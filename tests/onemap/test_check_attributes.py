"""Attribute checks: each fault is named with its row, and a clean layer has none."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from qianmo.onemap.check_attributes import check_text, is_unit_code
from qianmo.onemap.check_layer import check_attributes

CRS = "EPSG:4549"
VILLAGE = "330110001001"


def clean_layer(n: int = 4) -> gpd.GeoDataFrame:
    """Paddy strips of 100 x 50 m, complete in every rule."""
    boxes = [shapely.box(500000 + 100 * i, 3360000, 500100 + 100 * i, 3360050) for i in range(n)]
    data = {
        "patch_id": [f"3301100000000000{i:02d}" for i in range(n)],
        "patch_number": [f"{i:04d}" for i in range(n)],
        "class_code": "0101",
        "class_name": "水田",
        "tenure_code": "30",
        "owner_code": VILLAGE + "0000000",
        "location_code": VILLAGE + "0000000",
        "location_name": "径山村",
        "village_code": VILLAGE,
        "area_m2": 5000.0,
        "ridge_class_code": "1203",
        "ridge_coefficient": 0.1,
        "ridge_area_m2": 500.0,
        "class_area_m2": 4500.0,
        "farmland_type": "TT",
        "slope_class": "2",
        "linear_width_m": np.nan,
        "planting_code": "LS",
        "quality_grade": 5,
        "data_year": 2023,
        "island_code": "00",
    }
    return gpd.GeoDataFrame(data, geometry=boxes, crs=CRS, index=range(n))


def words(faults: gpd.GeoDataFrame) -> set[tuple[str, int]]:
    return set(zip(faults["what"], faults["row"]))


def changed(column: str, value: object, row: int = 1) -> gpd.GeoDataFrame:
    frame = clean_layer()
    values = frame[column].astype(object)
    values.iloc[row] = value
    frame[column] = values
    return frame


def test_a_complete_layer_has_no_fault() -> None:
    assert check_attributes(clean_layer(), "landuse_patch", class_scheme="SD3").empty


@pytest.mark.parametrize(
    ("column", "value", "what", "rule"),
    [
        ("patch_id", None, "value_missing", "SPEC"),
        ("patch_id", "  ", "value_missing", "SPEC"),
        ("area_m2", "约五千", "type", "SPEC"),
        ("area_m2", np.inf, "type", "SPEC"),
        ("quality_grade", 5.5, "type", "SPEC"),
        ("class_code", "0199", "code_unknown", "SPEC"),
        ("class_name", "旱地", "class_name", "SPEC"),
        ("class_name", None, "class_name_missing", "SPEC"),
        ("tenure_code", "99", "code_unknown", "SPEC"),
        ("area_m2", -5000.0, "negative_area", "SPEC"),
        ("area_m2", 0.0, "zero_area", "SPEC"),
        ("ridge_coefficient", 1.2, "range", "SPEC"),
        ("ridge_coefficient", -0.1, "range", "SPEC"),
        ("quality_grade", 16, "range", "SPEC"),
        ("data_year", 23, "year", "SPEC"),
        ("location_name", "æµ\x99æ±\x9f", "mojibake", "SPEC"),
        ("location_name", "径山�", "mojibake", "SPEC"),
        ("location_name", "锟斤拷", "mojibake", "SPEC"),
        ("location_name", "径山\x07村", "control_character", "SPEC"),
        ("location_name", "径山村 ", "blank_ends", "SPEC"),
        ("location_name", "=cmd|'/C calc'!A0", "formula_text", "SPEC"),
        ("location_name", "@SUM(A1)", "formula_text", "SPEC"),
        ("patch_number", "0000", "patch_number", "SPEC"),
        ("class_area_m2", 4500.02, "net_area", "D-01"),
        ("ridge_area_m2", 500.02, "ridge_area", "D-02"),
        ("ridge_area_m2", None, "ridge_area_missing", "D-02"),
        ("ridge_class_code", "1202", "ridge_class", "D-02"),
        ("slope_class", "1", "ridge_not_allowed", "D-02"),
        ("location_code", VILLAGE, "unit_code_length", "D-06"),
        ("owner_code", VILLAGE + "00000AB", "unit_code_length", "D-06"),
        ("village_code", "330110001002", "village_code", "SPEC"),
        ("area_m2", 399.99, "below_minimum_area", "D-07"),
        ("linear_width_m", 4.0, "width_not_allowed", "D-08"),
        ("planting_code", None, "farmland_incomplete", "D-09"),
        ("slope_class", None, "farmland_incomplete", "D-09"),
        ("farmland_type", None, "farmland_incomplete", "D-09"),
        ("planting_code", "JKHF", "tag_not_allowed", "D-10"),
    ],
)
def test_each_fault_is_named_with_its_row_and_rule(column: str, value: object, what: str, rule: str) -> None:
    faults = check_attributes(changed(column, value), "landuse_patch", class_scheme="SD3")
    named = faults[faults["what"] == what]
    assert 1 in set(named["row"])
    assert set(named["rule"]) == {rule}
    assert (
        (named["found"].str.len() > 0).all() and (named["expected"].str.len() > 0).all() and (named["cure"].str.len() > 0).all()
    )
    assert named.geometry.notna().all() and named.crs == CRS


def test_a_difference_of_one_hundredth_is_within_tolerance() -> None:
    assert check_attributes(changed("class_area_m2", 4500.01), "landuse_patch", class_scheme="SD3").empty


@pytest.mark.parametrize(
    ("code", "area", "faulty"),
    [
        ("0702", 199.99, True),
        ("0702", 200.0, False),
        ("1202", 250.0, False),
        ("1202", 150.0, True),
        ("0301", 399.0, True),
        ("0301", 400.0, False),
        ("1206", 599.0, True),
        ("1206", 600.0, False),
    ],
)
def test_minimum_mapped_area_depends_on_the_big_class(code: str, area: float, faulty: bool) -> None:
    frame = clean_layer(1).assign(class_code=code, area_m2=area)
    faults = check_attributes(frame, "landuse_patch", class_scheme="SD3")
    assert ("below_minimum_area" in set(faults["what"])) is faulty


@pytest.mark.parametrize(
    ("code", "allowed"), [("0201", True), ("0301K", True), ("1104A", True), ("0702", False), ("0401", False)]
)
def test_restorable_tags_stand_only_on_classes_that_can_turn_back(code: str, allowed: bool) -> None:
    frame = clean_layer(1).assign(class_code=code, planting_code="GCHF")
    faults = check_attributes(frame, "landuse_patch", class_scheme="SD3")
    assert ("tag_not_allowed" in set(faults["what"])) is not allowed


def test_duplicate_identifiers_list_the_rows_that_share_them() -> None:
    frame = clean_layer()
    frame["patch_id"] = ["a", "b", "a", "a"]
    faults = check_attributes(frame, "landuse_patch", class_scheme="SD3")
    double = faults[faults["what"] == "duplicate_id"]
    assert list(double["row"]) == [0, 2, 3]
    assert double["found"].str.contains("0, 2, 3").all()


def test_a_missing_column_is_one_fault_of_the_layer() -> None:
    faults = check_attributes(clean_layer().drop(columns="area_m2"), "landuse_patch", class_scheme="SD3")
    assert ("column_missing", -1) in words(faults)


def test_a_column_without_any_value_is_one_fault_and_not_one_a_row() -> None:
    faults = check_attributes(clean_layer().assign(patch_id=None), "landuse_patch", class_scheme="SD3")
    assert words(faults[faults["what"].str.startswith("column")]) == {("column_empty", -1)}


def test_a_long_identifier_stored_as_a_float_is_reported() -> None:
    frame = clean_layer().assign(patch_id=[3.301100000000001e17, 3.301100000000002e17, 3.3e17, 3.4e17])
    assert ("code_as_number", -1) in words(check_attributes(frame, "landuse_patch", class_scheme="SD3"))


@pytest.mark.parametrize("name", ["Müller", "Champs de la Créée", "埔里鎮", "12.5", "-3", "+86 571", "a-b"])
def test_ordinary_text_is_neither_garbled_nor_a_formula(name: str) -> None:
    assert check_text(clean_layer(1).assign(location_name=name), "landuse_patch").empty


def test_parcel_identifiers_in_the_chinese_form_are_checked_and_others_left_alone() -> None:
    ids = ["330110001001JC00001F00010001", "330110001001JC00001", "330110001001JC0001F00010001", "25354000AK0001"]
    frame = gpd.GeoDataFrame({"parcel_id": ids}, geometry=[shapely.box(i, 0, i + 1, 1) for i in range(4)], crs=CRS)
    faults = check_attributes(frame, "parcel", class_scheme="")
    assert list(faults["row"]) == [2] and list(faults["rule"]) == ["V-13"]


@pytest.mark.parametrize(
    "code",
    [
        "",
        "330110001001JC00001F0001000",
        "330110001001XC00001F00010001",
        "330110001001JC00001X00010001",
        "330110001001JC00001F000100011",
        "330110001001jC00001F00010001",
    ],
)
def test_wrong_unit_codes_are_refused(code: str) -> None:
    assert not is_unit_code(code)
