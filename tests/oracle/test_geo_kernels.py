"""The kernels of the ruler against brute force and closed forms."""

import affine
import numpy as np
import pyproj
import pytest
import shapely

from qianmo.geo.adjacency import shared_borders, shared_borders_noded
from qianmo.geo.area import ellipsoid_area_of, geodesic_area_of
from qianmo.geo.blocks import blocks
from qianmo.geo.crs import Helmert
from qianmo.geo.grid import Grid, polygonize, resampled, slope_deg, zonal_majority, zonal_mean
from qianmo.geo.overlay import intersection_pairs, majority, share_inside
from qianmo.geo.shift import bd09_to_gcj02, gcj02_to_bd09, gcj02_to_wgs84, wgs84_to_gcj02
from qianmo.geo.topology import gaps, invalid, is_coverage, overlaps, slivers
from qianmo.schema.errors import CrsError, TopologyError

UTM = pyproj.CRS.from_epsg(4547)


def coverage(rng, size=14, cell=30.0, classes=4):
    values = rng.integers(1, classes + 1, (size, size)).astype("uint8")
    grid = Grid(values, affine.Affine(cell, 0, 500_000, 0, -cell, 3_000_000), UTM)
    return grid, polygonize(grid)


def test_a_class_raster_becomes_a_coverage_with_its_area_and_values(rng):
    grid, frame = coverage(rng)
    assert is_coverage(frame.geometry.to_numpy())
    for value in np.unique(grid.values):
        assert frame[frame["value"] == value].area.sum() == (grid.values == value).sum() * 900
    assert (zonal_majority(grid, frame.geometry.to_numpy()) == frame["value"]).all()


def test_shared_borders_equal_pairwise_intersection(rng):
    _, frame = coverage(rng)
    geoms = frame.geometry.to_numpy()
    found = {(r.i, r.j): r.length_m for r in shared_borders(geoms).itertuples()}
    for i in range(len(geoms)):
        for j in range(i + 1, len(geoms)):
            length = shapely.length(shapely.intersection(geoms[i].boundary, geoms[j].boundary))
            assert found.get((i, j), 0.0) == pytest.approx(length, abs=1e-6)


def test_a_border_in_a_hole_counts():
    outer = shapely.Polygon(shapely.box(0, 0, 10, 10).exterior, [shapely.box(3, 3, 6, 6).exterior])
    found = shared_borders(np.array([outer, shapely.box(3, 3, 6, 6)], dtype=object))
    assert found.to_dict("list") == {"i": [0], "j": [1], "length_m": [12.0]}


def test_a_border_without_common_vertices_is_found_when_asked_for():
    geoms = np.array([shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 4), shapely.box(10, 4, 20, 10)], dtype=object)
    assert len(shared_borders(geoms)) == 1
    found = {(r.i, r.j): r.length_m for r in shared_borders_noded(geoms).itertuples()}
    assert found == pytest.approx({(0, 1): 4.0, (0, 2): 6.0, (1, 2): 10.0})


def test_overlaps_equal_pairwise_intersection(rng):
    boxes = [shapely.box(x, y, x + 8, y + 8) for x, y in rng.uniform(0, 60, (40, 2))]
    geoms = np.array(boxes, dtype=object)
    found = {(r.i, r.j): r.area_m2 for r in overlaps(geoms, min_area=0.0).itertuples()}
    want = {}
    for i in range(40):
        for j in range(i + 1, 40):
            size = geoms[i].intersection(geoms[j]).area
            if size > 0:
                want[(i, j)] = size
    assert found == pytest.approx(want)


def test_a_narrow_gap_is_found_and_a_courtyard_is_not():
    land = shapely.box(0, 0, 100, 100) - shapely.box(20, 20, 60, 20.02) - shapely.box(50, 50, 80, 80)
    halves = [land & shapely.box(0, 0, 40, 100), land & shapely.box(40, 0, 100, 100)]
    found = gaps(np.array(halves, dtype=object), max_width=0.5)
    assert found["area_m2"].tolist() == pytest.approx([0.8])


def test_a_bow_tie_is_named_with_its_row_and_place():
    geoms = np.array([shapely.box(0, 0, 1, 1), shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])], dtype=object)
    found = invalid(geoms)
    assert found["row"].tolist() == [1] and found["location"][0].equals(shapely.Point(1, 1))


def test_a_sliver_is_small_and_thin():
    geoms = np.array([shapely.box(0, 0, 100, 0.001), shapely.box(0, 0, 0.1, 0.1), shapely.box(0, 0, 100, 1)], dtype=object)
    assert slivers(geoms, max_area=1.0, max_thinness=0.1).tolist() == [0]


def test_overlay_shares_and_majority_follow_hand_counting():
    a = np.array([shapely.box(0, 0, 10, 10), shapely.box(20, 0, 30, 10)], dtype=object)
    b = np.array([shapely.box(0, 0, 3, 10), shapely.box(3, 0, 10, 10), shapely.box(2, 0, 4, 10)], dtype=object)
    pairs = intersection_pairs(a, b)
    assert pairs[["i", "j", "area_m2"]].to_numpy().tolist() == [[0, 0, 30], [0, 1, 70], [0, 2, 20]]
    assert share_inside(a, b[:1]).tolist() == pytest.approx([0.3, 0.0])
    assert share_inside(a, b).tolist() == pytest.approx([1.0, 0.0])
    assert majority(a, b).tolist() == [1, -1]
    with pytest.raises(TopologyError, match=r"rows \[0\]"):
        intersection_pairs(np.array([shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])], dtype=object), b)


def test_three_touching_parcels_of_30_mu_are_one_block_and_a_wide_road_splits():
    side = np.sqrt(20_000)
    three = [shapely.box(k * side, 0, (k + 1) * side, side) for k in range(3)]
    far = shapely.box(3 * side + 25, 0, 4 * side, side)
    assert blocks(np.array([*three, far], dtype=object), gap_m=20).tolist() == [0, 0, 0, 1]
    assert blocks(np.array([*three, far], dtype=object), gap_m=26).tolist() == [0, 0, 0, 0]


def test_a_tilted_plane_has_its_slope_everywhere_inside():
    y, x = np.mgrid[0:20, 0:30] * 30.0
    plane = Grid((0.3 * x + 0.4 * y).astype("float32"), affine.Affine(30, 0, 0, 0, -30, 0), UTM)
    inner = slope_deg(plane).values[1:-1, 1:-1]
    assert np.abs(inner - np.degrees(np.arctan(0.5))).max() < 1e-3
    mean = zonal_mean(plane, np.array([shapely.box(300, -300, 600, -90)], dtype=object))[0]
    assert mean == pytest.approx(0.3 * 435 + 0.4 * 180, abs=1.0)


def test_slope_in_degrees_of_longitude_is_refused():
    with pytest.raises(CrsError, match="metres"):
        slope_deg(Grid(np.ones((3, 3), "float32"), affine.Affine(1, 0, 0, 0, -1, 0), pyproj.CRS.from_epsg(4490)))


def test_a_polygon_smaller_than_a_cell_takes_the_nearest_cell():
    grid = Grid(np.arange(9, dtype="float32").reshape(3, 3), affine.Affine(30, 0, 0, 0, -30, 90), UTM, -1.0)
    tiny, away = shapely.box(31, 31, 33, 33), shapely.box(9000, 9000, 9001, 9001)
    found = zonal_mean(grid, np.array([tiny, away], dtype=object))
    assert found[0] == 4.0 and np.isnan(found[1])


def test_a_reprojected_plane_keeps_its_heights():
    y, x = np.mgrid[0:40, 0:40] * 30.0
    heights = (100 + 0.1 * x).astype("float32")
    old = Grid(heights, affine.Affine(30, 0, 39_444_000, 0, -30, 2_842_000), pyproj.CRS.from_epsg(2415), -9999.0)
    new = resampled(old, pyproj.CRS.from_epsg(4527), helmert=Helmert(12.646, -155.176, -80.863))
    inside = new.values[new.valid]
    assert inside.min() >= 100 and inside.max() <= heights.max() + 1e-3 and len(inside) == pytest.approx(1600, rel=0.05)


def test_the_series_agrees_with_geodesic_area_for_short_edges(rng):
    _, frame = coverage(rng)
    assert ellipsoid_area_of(frame) == pytest.approx(geodesic_area_of(frame), rel=1e-6)


def test_web_map_shifts_close_and_have_the_known_size(rng):
    lon, lat = rng.uniform(75, 130, 500), rng.uniform(20, 50, 500)
    gx, gy = wgs84_to_gcj02(lon, lat)
    bx, by = gcj02_to_wgs84(gx, gy)
    assert max(np.abs(bx - lon).max(), np.abs(by - lat).max()) < 1e-9
    cx, cy = bd09_to_gcj02(*gcj02_to_bd09(gx, gy))
    assert max(np.abs(cx - gx).max(), np.abs(cy - gy).max()) < 1e-9
    metres = np.hypot((gx - lon) * 111_000 * np.cos(np.radians(lat)), (gy - lat) * 111_000)
    assert metres.min() > 50 and metres.max() < 1000
    assert wgs84_to_gcj02(np.array([2.35]), np.array([48.85]))[0][0] == 2.35


def test_unfinished_coordinates_are_named():
    bad = np.array([shapely.box(0, 0, 1, 1), shapely.from_wkt("POLYGON ((0 0, 1 0, NaN NaN, 0 1, 0 0))")], dtype=object)
    with pytest.raises(TopologyError, match=r"\[1\]"):
        shared_borders(bad)
