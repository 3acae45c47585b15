"""Repairs: only what is safe, everything logged, nothing lost."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import Polygon, box

from qianmo.onemap.check_layer import check_layer
from qianmo.onemap.repair import repair, repair_layer
from qianmo.schema.errors import SchemaError

CRS = "EPSG:4549"
X, Y = 500000.0, 3360000.0


def layer(*shapes: shapely.Geometry, **columns: object) -> gpd.GeoDataFrame:
    n = len(shapes)
    area = [g.area for g in shapes]
    base = {
        "patch_id": [f"p{i}" for i in range(n)],
        "class_code": "0301",
        "class_name": "乔木林地",
        "area_m2": area,
        "class_area_m2": area,
    }
    return gpd.GeoDataFrame({**base, **columns}, geometry=list(shapes), crs=CRS, index=range(n))


def strip(i: float, width: float = 1.0) -> Polygon:
    return box(X + 100 * i, Y, X + 100 * (i + width), Y + 100)


def mended(frame: gpd.GeoDataFrame) -> tuple:
    faults = check_layer(frame, "landuse_patch", class_scheme="SD3")
    return repair(frame, faults, table="landuse_patch", class_scheme="SD3"), faults


def test_a_clean_layer_is_returned_as_it_was() -> None:
    frame = layer(strip(0), strip(1))
    result, _ = mended(frame)
    assert result.log.empty and result.frame.equals(frame) and result.area_change_m2 == 0.0


def test_a_small_twist_is_mended_and_a_bow_tie_left_alone() -> None:
    twist = Polygon(
        [
            (X, Y),
            (X + 100, Y),
            (X + 100, Y + 100),
            (X + 50.1, Y + 100),
            (X + 50, Y + 100.1),
            (X + 50.1, Y + 100.1),
            (X + 50, Y + 100),
            (X, Y + 100),
        ]
    )
    bow = Polygon([(X + 200, Y), (X + 300, Y + 100), (X + 300, Y), (X + 200, Y + 100)])
    result, _ = mended(layer(twist, bow))
    assert result.frame.geometry.is_valid.tolist() == [True, False]
    assert list(result.log["what"]) == ["made_valid"] and shapely.from_wkt(result.log["before"].iloc[0]).equals_exact(twist)


def test_a_small_overlap_falls_to_the_larger_neighbour() -> None:
    frame = layer(strip(0, 1.00005), strip(1, 0.5))
    result, _ = mended(frame)
    after = result.frame.geometry
    assert after.iloc[0].equals(frame.geometry.iloc[0]) and after.iloc[1].area == pytest.approx(5000 - 0.5)
    assert shapely.intersection(*after).area < 1e-6
    assert result.area_change_m2 == pytest.approx(-0.5)


def test_a_large_overlap_is_left_with_its_fault() -> None:
    frame = layer(strip(0, 1.1), strip(1))
    result, faults = mended(frame)
    assert "overlap" in set(faults["what"]) and result.log.empty and result.frame.geometry.equals(frame.geometry)


def test_a_narrow_gap_falls_to_the_longest_neighbour_and_the_whole_is_kept() -> None:
    parts = [
        box(X, Y, X + 300, Y + 10),
        box(X, Y + 20, X + 300, Y + 30),
        box(X, Y + 10, X + 150, Y + 20),
        box(X + 150.05, Y + 10, X + 300, Y + 20),
    ]
    frame = layer(*parts)
    result, _ = mended(frame)
    whole = shapely.union_all(result.frame.geometry.to_numpy())
    assert whole.area == pytest.approx(9000.0) and len(whole.interiors) == 0
    assert result.area_change_m2 == pytest.approx(0.5) and list(result.log["what"]) == ["gap"]
    assert "hole" not in set(check_layer(result.frame, "landuse_patch", class_scheme="SD3")["what"])


def test_register_areas_are_never_changed() -> None:
    frame = layer(strip(0, 1.00005), strip(1, 0.5))
    assert (mended(frame)[0].frame["area_m2"] == frame["area_m2"]).all()


def test_rows_equal_in_everything_are_kept_once_and_logged() -> None:
    frame = layer(strip(0), strip(0), strip(1), patch_id=["a", "a", "b"])
    result, _ = mended(frame)
    assert list(result.frame["patch_id"]) == ["a", "b"] and result.kept.tolist() == [0, 2]
    assert list(result.log["what"]) == ["duplicate_removed"] and result.area_change_m2 == pytest.approx(-10000)


def test_rows_equal_in_shape_only_are_both_kept() -> None:
    assert len(mended(layer(strip(0), strip(0)))[0].frame) == 2


def test_text_names_and_missing_areas_are_filled_from_the_row() -> None:
    frame = layer(
        strip(0),
        strip(1),
        location_name=[" 径山村", "双溪\x07村"],
        class_code="0101",
        class_name=None,
        slope_class="2",
        farmland_type="TT",
        planting_code="LS",
        ridge_coefficient=0.1234,
        ridge_area_m2=[np.nan, 1234.0],
        class_area_m2=[np.nan, 8766.0],
    )
    result, _ = repair_layer(frame, "landuse_patch", class_scheme="SD3")
    assert list(result.frame["location_name"]) == ["径山村", "双溪村"] and set(result.frame["class_name"]) == {"水田"}
    assert result.frame["ridge_area_m2"].tolist() == [1234.0, 1234.0] and result.frame["class_area_m2"].tolist() == [
        8766.0,
        8766.0,
    ]
    assert set(result.log["column"]) == {"location_name", "class_name", "ridge_area_m2", "class_area_m2"}


def test_values_that_contradict_each_other_are_left_for_the_clerk() -> None:
    frame = layer(strip(0), class_area_m2=[9000.0])
    result, faults = mended(frame)
    assert "net_area" in set(faults["what"]) and result.frame["class_area_m2"].tolist() == [9000.0]


def test_heights_and_double_vertices_go_without_a_change_of_area() -> None:
    double = Polygon([(X, Y, 1), (X + 100, Y, 1), (X + 100, Y, 1), (X + 100, Y + 100, 1), (X, Y + 100, 1)])
    result, _ = mended(layer(double))
    geom = result.frame.geometry.iloc[0]
    assert not geom.has_z and shapely.get_num_coordinates(geom) == 5 and geom.area == 10000 and result.area_change_m2 == 0


def test_faults_of_another_layer_are_refused() -> None:
    frame = layer(strip(0, 1.00005), strip(1, 0.5))
    faults = check_layer(frame, "landuse_patch", class_scheme="SD3")
    with pytest.raises(SchemaError, match="identifiers"):
        repair(frame.iloc[::-1], faults, table="landuse_patch", class_scheme="SD3")
    with pytest.raises(SchemaError, match="faults of layer"):
        repair(frame, faults.assign(layer="parcel"), table="landuse_patch", class_scheme="SD3")


def test_the_log_gives_every_geometry_back() -> None:
    frame = layer(strip(0, 1.00005), strip(1, 0.5), strip(3))
    result, _ = mended(frame)
    back = result.frame.geometry.to_numpy().copy()
    for row, text in zip(result.log["row"], result.log["before"]):
        back[row] = shapely.from_wkt(text)
    assert shapely.equals_exact(back, frame.geometry.to_numpy()).all()
