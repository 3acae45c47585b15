"""Harmonising a delivery: nothing lost, nothing silent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
from shapely.geometry import box

from qianmo.onemap.harmonise import FieldMap, harmonise, propose_mapping
from qianmo.onemap.profiles import profile_from
from qianmo.schema.errors import SchemaError
from qianmo.schema.shipped import shipped_rows


def dltb(**columns: object) -> gpd.GeoDataFrame:
    base: dict[str, object] = {
        "BSM": ["350821000000000001", "350821000000000002"],
        "TBBH": ["1", "2"],
        "DLBM": ["0101", "1006"],
        "DLMC": ["水田", "农村道路"],
        "ZLDWDM": ["3508211012010000000", "3508211012020000000"],
        "TBMJ": [1000.0, 2000.0],
        "TBDLMJ": [990.0, 2000.0],
    }
    data = {k: v for k, v in (base | columns).items() if v is not None}
    return gpd.GeoDataFrame(data, geometry=[box(0, 0, 100, 10), box(0, 10, 200, 20)], crs=4549)


def names(frame: gpd.GeoDataFrame) -> list[str]:
    return [c for c in frame.columns if c != "geometry"]


def brought(
    frame: gpd.GeoDataFrame, table: str = "landuse_patch", scheme: str = "SD3"
) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    return harmonise(frame, table, propose_mapping(names(frame), table, sample=frame), class_scheme=scheme)


def test_standard_fields_become_our_columns_and_nothing_is_lost() -> None:
    out, notes = brought(dltb(myfield=["a", "b"]))
    assert list(out["patch_id"]) == ["350821000000000001", "350821000000000002"]
    assert list(out["village_code"]) == ["350821101201", "350821101202"]
    assert list(out["class_area_m2"]) == [990.0, 2000.0]
    assert list(out["myfield"]) == ["a", "b"]
    assert out.crs.to_epsg() == 4549
    assert any("village_code" in n for n in notes)


@pytest.mark.parametrize("codec", ["gbk", "utf-8"])
def test_chinese_names_cut_to_ten_bytes_are_mapped_or_left_with_a_note(codec: str) -> None:
    rows = [r for r in shipped_rows("codes", "standard_fields") if r["layer"] == "DLTB"]
    cut = {r["field"]: r["name_zh"].encode(codec)[:10].decode(codec, "ignore") for r in rows}
    once = [c for c in cut.values() if list(cut.values()).count(c) == 1]
    mapping = propose_mapping(once, "landuse_patch")
    wanted = {"BSM": "patch_id", "DLBM": "class_code", "TBMJ": "area_m2"}
    reachable = {f: t for f, t in wanted.items() if cut[f] in once}
    assert len(reachable) >= 2
    assert {f: mapping.fields.get(cut[f]) for f in reachable} == reachable
    for source, target in mapping.fields.items():
        field = next(f for f, c in cut.items() if c == source)
        column = next(r for r in shipped_rows("tables", "landuse_patch") if r["name"] == target)
        assert column["source"] == field or column["zh"] == source


def test_a_cut_name_that_may_be_two_columns_is_left_for_the_user() -> None:
    mapping = propose_mapping(["坐落单", "图斑编"], "landuse_patch")
    assert "坐落单" not in mapping.fields
    assert any("坐落单" in n and "location_code" in n and "location_name" in n for n in mapping.notes)


def test_our_own_columns_cut_to_ten_characters_are_mapped() -> None:
    mapping = propose_mapping(["patch_id", "class_code", "class_area", "location_c", "location_n", "area_m2"], "landuse_patch")
    assert mapping.fields["class_area"] == "class_area_m2"
    assert (mapping.fields["location_c"], mapping.fields["location_n"]) == ("location_code", "location_name")


def test_required_columns_nothing_fills_are_listed_and_refused() -> None:
    frame = dltb(BSM=None)
    mapping = propose_mapping(names(frame), "landuse_patch")
    assert mapping.missing == ("patch_id",)
    with pytest.raises(SchemaError, match="patch_id"):
        harmonise(frame, "landuse_patch", mapping, class_scheme="SD3")


def test_the_row_number_is_an_identifier_only_when_asked_for() -> None:
    frame = dltb(BSM=None)
    mapping = propose_mapping(names(frame), "landuse_patch")
    asked = replace(mapping, fields={**mapping.fields, "#row": "patch_id"})
    out, notes = harmonise(frame, "landuse_patch", asked, class_scheme="SD3")
    assert list(out["patch_id"]) == ["1", "2"]
    assert any("row number" in n for n in notes)


def test_ids_read_as_floats_are_refused_with_their_rows() -> None:
    with pytest.raises(SchemaError, match=r"row 0.*re-export the field as text"):
        brought(dltb(BSM=[350821000000000001.0, 350821000000000002.0]))


def test_ids_in_scientific_notation_are_refused() -> None:
    with pytest.raises(SchemaError, match="scientific"):
        brought(dltb(BSM=["3.50821E+17", "350821000000000002"]))


def test_ids_as_whole_64_bit_numbers_keep_every_digit() -> None:
    out, _ = brought(dltb(BSM=np.array([350821000000000001, 350821000000000002], dtype=np.int64)))
    assert list(out["patch_id"]) == ["350821000000000001", "350821000000000002"]


def test_small_ids_as_floats_become_plain_digits() -> None:
    out, _ = brought(dltb(BSM=[17.0, 18.0]))
    assert list(out["patch_id"]) == ["17", "18"]


def test_leading_zeros_come_back_when_the_whole_column_lost_them() -> None:
    out, notes = brought(dltb(DLBM=[101, 1006]))
    assert list(out["class_code"]) == ["0101", "1006"]
    assert any("leading zeros restored" in n for n in notes)


def test_leading_zeros_stay_lost_when_the_column_is_inconsistent() -> None:
    out, notes = brought(dltb(DLBM=["0101", "301"]))
    assert list(out["class_code"]) == ["0101", "301"]
    assert any("left for the check" in n for n in notes)


def test_full_width_digits_and_ideographic_blanks_are_folded_with_a_note() -> None:
    out, notes = brought(dltb(DLBM=["０１０１", "1006\u3000"], DLMC=["水田 ", "农村道路"]))
    assert list(out["class_code"]) == ["0101", "1006"]
    assert list(out["class_name"]) == ["水田", "农村道路"]
    assert any("class_code: 2 values" in n for n in notes)


@pytest.mark.parametrize(
    ("header", "factor"),
    [("图斑面积(亩)", 10000.0 / 15.0), ("图斑面积（公顷）", 10000.0), ("图斑面积_平方米", 1.0), ("TBMJ_ha", 10000.0)],
)
def test_units_in_the_header_are_converted(header: str, factor: float) -> None:
    out, _ = brought(dltb(TBMJ=None, **{header: [1000.0 / factor, 2000.0 / factor]}))
    assert np.allclose(out["area_m2"], [1000.0, 2000.0], rtol=1e-12)


def test_a_unit_cut_off_in_the_header_must_be_said() -> None:
    frame = dltb(TBMJ=None, **{"图斑面积(": [1.5, 3.0]})
    mapping = propose_mapping(names(frame), "landuse_patch")
    assert mapping.units["area_m2"] == "?"
    with pytest.raises(SchemaError, match="cut off"):
        harmonise(frame, "landuse_patch", mapping, class_scheme="SD3")


def test_a_unit_that_the_polygons_contradict_is_proposed_or_refused() -> None:
    frame = dltb(TBMJ=[0.1, 0.2], TBDLMJ=None)
    proposed = propose_mapping(names(frame), "landuse_patch", sample=frame)
    assert proposed.units["area_m2"] == "ha"
    assert any("confirm" in n for n in proposed.notes)
    with pytest.raises(SchemaError, match="match the polygons when read as ha"):
        harmonise(frame, "landuse_patch", propose_mapping(names(frame), "landuse_patch"), class_scheme="SD3")


def test_missing_net_area_is_filled_and_said() -> None:
    out, notes = brought(dltb(TBDLMJ=None, KCMJ=[10.0, None]))
    assert list(out["class_area_m2"]) == [990.0, 2000.0]
    assert any("class_area_m2 was absent" in n for n in notes)


def test_missing_names_come_from_the_scheme() -> None:
    out, notes = brought(dltb(DLMC=None))
    assert list(out["class_name"]) == ["水田", "农村道路"]
    assert any("class_name was absent" in n for n in notes)


def test_a_short_location_code_gives_no_village_and_a_note_with_the_row() -> None:
    out, notes = brought(dltb(ZLDWDM=["3508", "3508211012020000000"]))
    assert pd.isna(out["village_code"].iloc[0])
    assert any("1 rows have no location code" in n and "rows 0" in n for n in notes)


@pytest.mark.parametrize("columns", [["BSM", "bsm"], ["图斑编号", "图斑编号 "], ["TBMJ", "ＴＢＭＪ"]])
def test_duplicate_fields_are_refused(columns: list[str]) -> None:
    with pytest.raises(SchemaError, match="duplicate field names"):
        propose_mapping(columns, "landuse_patch")


@pytest.mark.parametrize(("values", "why"), [(["12,5", "3,2"], "comma"), (["12", "abc"], "abc"), ([np.inf, 1.0], "inf")])
def test_values_that_are_no_numbers_are_refused_with_rows(values: list[object], why: str) -> None:
    with pytest.raises(SchemaError, match=why):
        brought(dltb(TBMJ=values))


def test_thousands_marks_are_taken_out_where_they_are_sure() -> None:
    out, notes = brought(dltb(TBMJ=["1,000.00", "2,000.00"]))
    assert list(out["area_m2"]) == [1000.0, 2000.0]
    assert any("thousands" in n for n in notes)


def test_a_year_with_a_fraction_is_refused() -> None:
    with pytest.raises(SchemaError, match="whole number"):
        brought(dltb(SJNF=[2023.0, 2023.5]))


def test_source_fields_that_collide_are_kept_under_another_name() -> None:
    frame = dltb(remark=["mine", "too"], BZ=["r", "s"])
    plain = propose_mapping(names(dltb()), "landuse_patch")
    chosen = replace(plain, fields={**plain.fields, "BZ": "remark"})
    both, notes = harmonise(frame, "landuse_patch", chosen, class_scheme="SD3")
    assert list(both["remark"]) == ["r", "s"]
    assert list(both["source_remark"]) == ["mine", "too"]
    assert any("kept as source_remark" in n for n in notes)


def test_a_mapping_to_an_absent_field_or_twice_to_one_column_is_refused() -> None:
    with pytest.raises(SchemaError, match="not in the source"):
        harmonise(dltb(), "landuse_patch", FieldMap("landuse_patch", {"NOPE": "patch_id"}), class_scheme="SD3")
    with pytest.raises(SchemaError, match="two fields"):
        harmonise(dltb(), "landuse_patch", FieldMap("landuse_patch", {"BSM": "patch_id", "TBBH": "patch_id"}), class_scheme="SD3")


def test_another_layer_keeps_its_fields_and_gets_row_numbers() -> None:
    frame = gpd.GeoDataFrame({"a": [1, 2]}, geometry=[box(0, 0, 1, 1)] * 2, crs=4490)
    out, _ = harmonise(frame, "other_layer", propose_mapping(["a"], "other_layer"))
    assert list(out["feature_id"]) == ["1", "2"]
    assert list(out["a"]) == [1, 2]


def test_an_odd_index_and_geometry_name_do_not_shift_rows() -> None:
    frame = dltb().set_index(pd.Index([7, 3])).rename_geometry("shape")
    out, _ = harmonise(
        frame, "landuse_patch", propose_mapping([c for c in frame.columns if c != "shape"], "landuse_patch"), class_scheme="SD3"
    )
    assert list(out["patch_id"]) == ["350821000000000001", "350821000000000002"]
    assert list(out.geometry.area) == [1000.0, 2000.0]
    assert out.geometry.name == "geometry"


def test_an_empty_layer_and_empty_columns_pass() -> None:
    empty, _ = brought(dltb().iloc[:0])
    assert len(empty) == 0 and "class_area_m2" in empty.columns
    blank, _ = brought(dltb(ZLDWDM=[None, None], DLMC=[None, " "], GDDB=[None, "3"]))
    assert blank["village_code"].isna().all() and blank["class_name"].isna().all()
    assert blank["quality_grade"].tolist()[1] == 3 and pd.isna(blank["quality_grade"].iloc[0])


def test_a_layer_without_geometry_keeps_its_rows() -> None:
    frame = dltb()
    frame.geometry = gpd.GeoSeries([None, box(0, 0, 1, 1)], crs=4549)
    out, _ = harmonise(frame, "landuse_patch", propose_mapping(names(frame), "landuse_patch"), class_scheme="SD3")
    assert out.geometry.isna().tolist() == [True, False]


def test_a_profile_record_is_checked_and_goes_first() -> None:
    profile = profile_from(
        {"name": "mine", "kind": "landuse_patch", "fields": {"patch_id": ["fid_x"]}, "required": ["fid_x"], "units": {}}
    )
    mapping = propose_mapping(["FID_X", "BSM", "DLBM"], "landuse_patch", profiles=(profile,))
    assert mapping.fields["FID_X"] == "patch_id"
    assert mapping.profile == "mine"
    with pytest.raises(SchemaError, match="unknown columns"):
        profile_from({"name": "bad", "kind": "landuse_patch", "fields": {"nope": ["x"]}})
    with pytest.raises(SchemaError, match="lacks"):
        profile_from({"name": "bad"})


@pytest.mark.parametrize(
    ("path", "layer", "table", "column", "total", "rows"),
    [
        ("/vsizip/{}/cadastre-fr-village/cadastre.gpkg.zip", "parcels", "parcel", "registered_area_m2", 6131147.0, 511),
        ("/vsizip/{}/zoning-tw/M0106.gpkg.zip", "zoning", "planning_zone", "area_m2", 5699717.0, 571),
        ("/vsizip/{}/zoning-tw/K0303.gpkg.zip", "zoning", "planning_zone", "area_m2", 5067245.0, 123),
    ],
)
def test_real_foreign_layers_keep_their_published_areas(
    shared_data: Path, path: str, layer: str, table: str, column: str, total: float, rows: int
) -> None:
    frame = pyogrio.read_dataframe(path.format(shared_data), layer=layer)
    out, _ = brought(frame, table, "")
    assert len(out) == rows
    assert out[column].sum() == pytest.approx(total, abs=600.0)
    assert out.iloc[:, 0].is_unique


def test_a_unit_said_in_the_header_is_not_overruled_but_refused_when_the_polygons_contradict_it() -> None:
    frame = dltb(TBMJ=None, TBDLMJ=None, **{"图斑面积(平方米)": [0.1, 0.2]})
    mapping = propose_mapping(names(frame), "landuse_patch", sample=frame)
    assert mapping.units["area_m2"] == "m2"
    with pytest.raises(SchemaError, match="read as ha"):
        harmonise(frame, "landuse_patch", mapping, class_scheme="SD3")
