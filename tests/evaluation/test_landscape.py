"""Pattern indices: patches counted by hand, rasters against polygons, refusals."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from qianmo.evaluation.landscape.cells import patches_of
from qianmo.evaluation.landscape.metrics import class_metrics, landscape_metrics, patch_metrics
from qianmo.evaluation.landscape.parcels import parcel_core, parcel_pattern
from qianmo.schema.errors import CrsError, MissingDataError, SchemaError

MAP = np.array([[1, 1, 1, 2, 2], [1, 1, 1, 2, 2], [1, 1, 1, 2, 2], [2, 2, 2, 1, 2], [2, 2, 2, 2, 1]])


def test_patches_touch_by_corners_or_by_sides_as_asked():
    eight, four = patches_of(MAP, 10.0), patches_of(MAP, 10.0, eight=False)
    assert sorted(eight.cells.tolist()) == [11, 14] and sorted(four.cells.tolist()) == [1, 1, 7, 7, 9]


def test_a_square_of_nine_cells_is_known_by_hand():
    table = patch_metrics(patches_of(np.where(np.pad(np.ones((3, 3), int), 2), 1, 2), 10.0))
    square = table[table["class"] == 1].iloc[0]
    assert (square["AREA"], square["PERIM"], square["SHAPE"], square["NCORE"]) == (0.09, 120.0, 1.0, 1)
    assert square["CORE"] == pytest.approx(0.01) and square["CAI"] == pytest.approx(100 / 9)
    assert square["CIRCLE"] == pytest.approx(1 - 9 / (np.pi * 4.5)) and square["FRAC"] == pytest.approx(2 * np.log(30) / np.log(900))
    assert square["GYRATE"] == pytest.approx(10 * (4 + 4 * np.sqrt(2)) / 9) and np.isnan(square["ENN"])
    assert square["CONTIG"] == pytest.approx(((13 + 4 * 9 + 4 * 6) / 9 - 1) / 12)


def _picture(*rows):
    return np.array([[1 if c != "." else 2 for c in row] for row in rows])


def test_the_search_of_the_program_passes_over_a_core_before_the_end_of_the_one_it_grew():
    """A is met first, at its cell in row 2, and its last cell is in row 3: B, later in row 2, lies between. Turned over, A ends before B is reached."""
    codes = _picture(".....#...", "....#.#..", "..##A#B#.", "..#AA##..", ".####....")
    for turned, listed_cores in ((codes, 1), (codes[::-1].copy(), 2)):
        every, listed = patches_of(turned, 1.0), patches_of(turned, 1.0, as_listed=True)
        mine = every.class_code == 1
        assert every.cores[mine].tolist() == [2] and every.core_cells[mine].tolist() == [4] and listed.cores[mine].tolist() == [listed_cores]
        assert listed.core_cells[mine].tolist() == [2 + listed_cores] and sorted(listed.core_parts[listed.core_class == 1].tolist()) == [1, 3][-listed_cores:]


def test_the_search_of_the_program_keeps_every_core_that_it_meets_in_turn():
    codes = _picture(".......", "..#...#", ".###.##", "..#####", "....#..")[:, :7]
    every, listed = patches_of(codes, 1.0), patches_of(codes, 1.0, as_listed=True)
    assert (every.cores == listed.cores).all() and (every.core_cells == listed.core_cells).all()


def test_what_the_search_passes_over_lies_between_two_cells_of_an_earlier_core(rng):
    """By the definition of the rule: a whole core, in a patch with others, never the first of its patch, and never more than there are."""
    codes = (rng.random((60, 60)) < 0.8).astype(int)
    every, listed = patches_of(codes, 1.0), patches_of(codes, 1.0, as_listed=True)
    assert (listed.cores <= every.cores).all() and ((every.cores > 0) == (listed.cores > 0)).all()
    assert (every.cores - listed.cores).sum() > 0 and (listed.core_cells[every.cores == 1] == every.core_cells[every.cores == 1]).all()
    assert sorted(np.setdiff1d(listed.core_parts, every.core_parts)) == [] and listed.core_parts.sum() == listed.core_cells.sum()


def test_distances_to_the_nearest_patch_are_those_of_brute_force(rng):
    codes = (rng.random((40, 40)) < 0.25).astype(int)
    p = patches_of(codes, 1.0)
    for code in (0, 1):
        for k in np.flatnonzero(p.class_code == code)[:25]:
            mine = np.argwhere(p.labels == k + 1)
            others = np.argwhere((p.codes == code) & (p.labels != k + 1))
            best = min(np.hypot(*(others - cell).T).min() for cell in mine) if len(others) else np.nan
            assert p.nearest_m[k] == pytest.approx(best, nan_ok=True)


def test_totals_hold_and_turning_the_map_changes_nothing(rng):
    codes = rng.integers(1, 5, (30, 25))
    one, turned = landscape_metrics(patches_of(codes, 30.0)), landscape_metrics(patches_of(np.rot90(codes).copy(), 30.0))
    assert all(turned[k] == pytest.approx(v, nan_ok=True) for k, v in one.items())
    classes = class_metrics(patches_of(codes, 30.0))
    assert classes["CA"].sum() == pytest.approx(one["TA"]) and classes["PLAND"].sum() == pytest.approx(100) and classes["NP"].sum() == one["NP"]
    assert classes["TE"].sum() / 2 == pytest.approx(one["TE"]) and classes["TCA"].sum() == pytest.approx(one["TCA"])
    assert one["MESH"] == pytest.approx(one["TA"] / one["SPLIT"]) and one["DIVISION"] == pytest.approx(1 - 1 / one["SPLIT"])


def test_cells_that_do_not_count_are_left_out():
    valid = np.ones(MAP.shape, bool)
    valid[:, -1] = False
    told = landscape_metrics(patches_of(MAP, 10.0, valid=valid))
    assert told["TA"] == pytest.approx(0.2)


@pytest.mark.parametrize(("codes", "cell"), [(np.ones((3, 3)), 1.0), (np.ones((3, 3), int), 0.0), (np.ones(3, int), 1.0)])
def test_what_is_no_class_raster_is_refused(codes, cell):
    with pytest.raises(SchemaError, match="整数类别"):
        patches_of(codes, cell)


def test_parcels_of_cells_give_the_area_indices_of_the_raster(rng):
    codes = rng.integers(1, 4, (12, 15))
    boxes = [shapely.box(10 * x, -10 * y - 10, 10 * x + 10, -10 * y) for y in range(12) for x in range(15)]
    frame = gpd.GeoDataFrame({"class_code": codes.ravel()}, geometry=boxes, crs="EPSG:4527")
    table, whole = parcel_pattern(frame)
    p = patches_of(codes, 10.0, eight=False)
    raster, landscape = class_metrics(p), landscape_metrics(p)
    for name in ("CA", "PLAND", "NP", "PD", "LPI", "TE", "ED", "AREA_MN", "MESH", "SPLIT", "DIVISION"):
        assert np.allclose(table[name], raster[name]), name
        assert whole[name] == pytest.approx(landscape.get(name, {"CA": landscape["TA"], "PLAND": 100.0}.get(name))), name
    assert all(whole[k] == pytest.approx(landscape[k]) for k in ("PR", "SHDI", "SIDI", "SHEI"))
    apart, _ = parcel_pattern(frame, merge=False)
    assert apart["NP"].sum() == 180 and np.allclose(apart["SHAPE_MN"], 2 / np.sqrt(np.pi))
    with pytest.raises(CrsError):
        parcel_pattern(frame.to_crs(4490))
    with pytest.raises(MissingDataError):
        parcel_pattern(frame.iloc[:0])


def test_cores_and_distances_of_parcels_by_hand():
    boxes = [shapely.box(0, 0, 60, 100), shapely.box(60, 0, 100, 100), shapely.box(100, 0, 150, 100), shapely.box(150, 0, 165, 100)]
    frame = gpd.GeoDataFrame({"class_code": ["a", "a", "b", "a"]}, geometry=boxes, crs="EPSG:4527")
    table = parcel_core(frame, depth_m=10.0)
    # the first two are one square of 100 m whose core is 80 m; the last is 15 m wide and has none
    assert table.loc["a", "TCA"] == pytest.approx(0.64) and table.loc["a", "NDCA"] == 1 and table.loc["a", "CAI"] == pytest.approx(100 * 6400 / 11500)
    assert table.loc["b", "TCA"] == pytest.approx(0.24) and table.loc["b", "CPLAND"] == pytest.approx(100 * 2400 / 16500)
    assert table.loc["a", "ENN_MN"] == pytest.approx(50.0) and table.loc["a", "ENN_SD"] == 0 and np.isnan(table.loc["b", "ENN_MN"])
    with pytest.raises(SchemaError, match="大于 0"):
        parcel_core(frame, depth_m=0.0)
    with pytest.raises(MissingDataError):
        parcel_core(frame.iloc[:0], depth_m=1.0)


def test_parcels_of_cells_with_an_edge_of_one_cell_hold_at_most_the_core_of_the_raster(rng):
    codes = np.kron(rng.integers(1, 3, (5, 6)), np.ones((4, 4), int))
    boxes = [shapely.box(10 * x, -10 * y - 10, 10 * x + 10, -10 * y) for y in range(20) for x in range(24)]
    frame = gpd.GeoDataFrame({"class_code": codes.ravel()}, geometry=boxes, crs="EPSG:4527")
    raster = class_metrics(patches_of(codes, 10.0, eight=False))
    table = parcel_core(frame, depth_m=10.0)
    # a cell whose four neighbours are alike is core in the raster; the polygon's core has lost the corner cells by their diagonals as well
    assert (table["TCA"] <= raster["TCA"] + 1e-9).all() and (table["TCA"] > 0.5 * raster["TCA"]).all()
