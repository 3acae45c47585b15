"""Topology checks: every fault is found with its row and place; a clean coverage has none."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import Polygon, box

from qianmo.onemap.check_layer import check_crs, check_topology
from qianmo.onemap.check_topology import check_inside

CRS = "EPSG:4549"
X, Y = 500000.0, 3360000.0


def layer(*shapes: shapely.Geometry | None, **columns: object) -> gpd.GeoDataFrame:
    ids = {"patch_id": [f"p{i}" for i in range(len(shapes))]}
    return gpd.GeoDataFrame({**ids, **columns}, geometry=list(shapes), crs=CRS)


def square(i: float, j: float, w: float = 1, h: float = 1) -> Polygon:
    return box(X + 10 * i, Y + 10 * j, X + 10 * (i + w), Y + 10 * (j + h))


def found(frame: gpd.GeoDataFrame, table: str = "landuse_patch", **options: object) -> dict[str, list[int]]:
    faults = check_topology(frame, table, **options)
    return {w: sorted(g["row"]) for w, g in faults.groupby("what")}


def test_a_clean_partition_has_no_fault() -> None:
    assert found(layer(*[square(i, j) for i in range(3) for j in range(3)])) == {}


def test_null_and_empty_geometries_are_told_apart() -> None:
    assert found(layer(square(0, 0), None, Polygon())) == {"null_geometry": [1], "empty_geometry": [2]}


def test_coordinates_that_are_not_numbers_are_reported_with_their_row() -> None:
    wild = shapely.from_wkb(shapely.to_wkb(square(2, 0)))
    wild = shapely.transform(wild, lambda c: np.where(np.arange(len(c))[:, None] == 2, np.nan, c))
    assert found(layer(square(0, 0), wild))["not_finite"] == [1]


def test_a_line_among_polygons_is_reported() -> None:
    assert found(layer(square(0, 0), shapely.LineString([(X, Y), (X + 5, Y)])))["geometry_type"] == [1]


def test_a_bow_tie_is_reported_with_its_row_reason_and_place() -> None:
    bow = Polygon([(X + 20, Y), (X + 30, Y + 10), (X + 30, Y), (X + 20, Y + 10)])
    faults = check_topology(layer(square(0, 0), bow), "landuse_patch")
    assert list(faults["row"]) == [1] and "Self-intersection" in faults["found"].iloc[0]
    assert faults.geometry.iloc[0].equals(shapely.Point(X + 25, Y + 5))
    assert not faults["repairable"].iloc[0]


def test_a_tiny_twist_is_reported_as_repairable() -> None:
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
    faults = check_topology(layer(twist), "landuse_patch")
    assert list(faults["what"]) == ["invalid"] and faults["repairable"].all()


def test_repeated_vertices_heights_and_turned_holes_are_information() -> None:
    double = Polygon([(X, Y), (X + 10, Y), (X + 10, Y), (X + 10, Y + 10), (X, Y + 10)])
    raised = shapely.force_3d(square(2, 0), 5.0)
    turned = Polygon(square(4, 0, 2, 2).exterior.coords, [square(4.5, 0.5).exterior.coords])
    got = found(layer(double, raised, turned), "parcel")
    assert got == {"repeated_vertices": [0], "has_z": [-1], "ring_direction": [2]}


def test_an_overlap_stands_on_the_smaller_polygon_with_its_area() -> None:
    faults = check_topology(layer(square(0, 0, 1.05), square(1, 0)), "landuse_patch")
    overlap = faults[faults["what"] == "overlap"]
    assert list(overlap["row"]) == [1] and overlap.geometry.iloc[0].area == pytest.approx(5.0)
    assert not overlap["repairable"].iloc[0]


def test_a_polygon_inside_another_is_an_overlap() -> None:
    assert found(layer(square(0, 0, 5, 5), square(2, 2)))["overlap"] == [1]


def test_overlaps_below_the_rule_are_passed_over() -> None:
    assert "overlap" not in found(layer(square(0, 0, 1.000009), square(1, 0)))


def test_overlaps_are_allowed_between_approved_uses() -> None:
    frame = layer(square(0, 0), square(0.5, 0)).rename(columns={"patch_id": "approval_id"})
    assert found(frame, "approved_use") == {}


def test_a_narrow_gap_stands_on_the_neighbour_with_the_longest_border() -> None:
    parts = (square(0, 0, 1, 3), square(1, 0, 2, 1), square(1, 1, 1, 1), square(2.01, 1, 0.99, 1), square(1, 2, 2, 1))
    faults = check_topology(layer(*parts), "landuse_patch")
    gap = faults[faults["what"] == "gap"]
    assert len(gap) == 1 and gap["repairable"].all() and gap["row"].iloc[0] in (2, 3)
    assert gap.geometry.iloc[0].area == pytest.approx(1.0)


def test_a_wide_hole_is_missing_land_and_not_repaired() -> None:
    ring = [square(i, j) for i in range(3) for j in range(3) if (i, j) != (1, 1)]
    faults = check_topology(layer(*ring), "landuse_patch")
    assert list(faults["what"]) == ["hole"] and not faults["repairable"].any()
    assert faults.geometry.iloc[0].area == pytest.approx(100.0)


def test_gaps_are_not_asked_of_parcels() -> None:
    ring = [square(i, j) for i in range(3) for j in range(3) if (i, j) != (1, 1)]
    assert found(layer(*ring).rename(columns={"patch_id": "parcel_id"}), "parcel") == {}


def test_edges_between_map_sheets_that_miss_by_centimetres_are_warnings() -> None:
    left, right = square(0, 0), box(X + 10.05, Y, X + 20, Y + 10)
    frame = layer(left, right, sheet=["A", "B"]).rename(columns={"patch_id": "parcel_id"})
    faults = check_topology(frame, "parcel", sheet_column="sheet")
    assert set(faults["what"]) == {"edge_mismatch"} and set(faults["severity"]) == {"warning"}
    assert faults["found"].str.contains("0.0500").all()


def test_a_t_junction_inside_a_sheet_is_information() -> None:
    frame = layer(square(0, 0, 1, 2), square(1, 0), square(1, 1), sheet=["A"] * 3)
    faults = check_topology(frame, "landuse_patch", sheet_column="sheet")
    assert set(faults["what"]) == {"unmatched_vertices"} and set(faults["severity"]) == {"info"}


def test_rows_equal_in_everything_are_told_from_rows_equal_in_shape() -> None:
    same = gpd.GeoDataFrame({"patch_id": ["a", "a", "b"]}, geometry=[square(0, 0), square(0, 0).reverse(), square(0, 0)], crs=CRS)
    got = found(same)
    assert got["duplicate_feature"] == [1] and got["duplicate_geometry"] == [0, 2] and "overlap" not in got


def test_slivers_are_small_and_thin() -> None:
    assert found(layer(square(0, 0), box(X + 50, Y, X + 60, Y + 0.0005)))["sliver"] == [1]


def test_land_outside_the_villages_and_bare_land_inside_are_reported() -> None:
    frame = layer(square(0, 0), square(1, 0, 1.2))
    villages = gpd.GeoDataFrame({"village_code": ["v"]}, geometry=[square(0, 0, 2, 2)], crs=CRS)
    faults = check_inside(frame, "landuse_patch", villages)
    said = faults["found"].str.extract(r"([0-9.]+) m2")[0].astype(float)
    assert np.allclose(said, faults.geometry.area, atol=1e-4)
    area = faults.assign(area=faults.geometry.area).set_index("what")["area"]
    assert area["outside_villages"] == pytest.approx(20.0) and area["uncovered_land"] == pytest.approx(200.0)


@pytest.mark.parametrize(
    ("crs", "what"), [(None, "crs_missing"), ("EPSG:4490", "crs_not_metric"), ("EPSG:2385", "crs_datum"), ("EPSG:4549", "")]
)
def test_only_a_projected_cgcs2000_system_passes(crs: str | None, what: str) -> None:
    frame = layer(square(0, 0)).set_crs(crs, allow_override=True)
    assert list(check_crs(frame, "landuse_patch")["what"]) == ([what] if what else [])
