"""Rasters: outlines, slope, statistics of zones, another CRS."""

from __future__ import annotations

import affine
import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely

from qianmo.geo.adjacency import shared_borders, shared_borders_noded
from qianmo.geo.crs import Helmert, transform
from qianmo.geo.grid import Grid, polygonize, resampled, slope_deg, smooth_coverage, zonal_majority, zonal_mean
from qianmo.geo.raster import aligned
from qianmo.geo.topology import is_coverage
from qianmo.schema.errors import CrsError, MissingDataError, TopologyError

CRS = pyproj.CRS.from_epsg(4549)
NORTH_UP = affine.Affine(30.0, 0.0, 500_000.0, 0.0, -30.0, 3_300_000.0)


def grid(values, *, nodata=None, transform=NORTH_UP, crs=CRS):
    return Grid(np.asarray(values), transform, crs, nodata)


def cell(row, column, rows=1, columns=1):
    x, y = 500_000.0 + 30.0 * column, 3_300_000.0 - 30.0 * row
    return shapely.box(x, y - 30 * rows, x + 30 * columns, y)


def test_a_class_map_becomes_fields_from_north_to_south():
    found = polygonize(grid([[1, 1, 2], [1, 3, 2], [9, 3, 3]], nodata=9))
    assert found["value"].tolist() == [1, 2, 3] and found.crs == CRS
    assert found.geometry[0].equals(shapely.union_all([cell(0, 0, 2), cell(0, 0, 1, 2)])) and found.area.tolist() == [2700.0, 1800.0, 2700.0]


def test_cells_that_meet_in_a_corner_are_two_fields_and_zero_can_be_left_out():
    assert len(polygonize(grid([[1, 0], [0, 1]]))) == 4
    assert polygonize(grid([[1, 0], [0, 1]]), crop_zero=True)["value"].tolist() == [1, 1]


def test_every_corner_of_a_neighbour_is_a_vertex_so_that_borders_match():
    found = polygonize(grid([[1, 2], [1, 3], [1, 3]]))
    geoms = found.geometry.to_numpy()
    assert shapely.get_num_coordinates(geoms[0]) == 6
    assert shared_borders(geoms).equals(shared_borders_noded(geoms)) and shared_borders(geoms)["length_m"].tolist() == [30.0, 60.0, 30.0]


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint32", "int64", "float32", "float64"])
def test_values_of_any_type_come_back_as_they_are(dtype):
    values = np.array([[1, 2], [3, 3]], dtype=dtype) if dtype in ("uint8", "int16") else np.array([[1, 2**31 + 7], [2**24 + 1, 3]]).astype(dtype)
    assert sorted(polygonize(grid(values))["value"]) == sorted(np.unique(values).tolist())


def test_a_raster_of_nothing_is_refused():
    for values, nodata in (([[9, 9]], 9), ([[np.nan, np.nan]], None), ([[np.nan, np.nan]], np.nan)):
        with pytest.raises(MissingDataError, match="no valid cell"):
            polygonize(grid(values, nodata=nodata))


def test_nodata_that_the_type_cannot_hold_hides_nothing():
    assert grid(np.array([[1, 2]], dtype="uint8"), nodata=-9999).valid.all()


@pytest.mark.parametrize("hole", [False, True])
def test_a_tilted_plane_has_its_slope_in_every_cell(hole):
    row, column = np.indices((6, 8))
    z = 100.0 + 3.0 * column - 2.0 * row
    if hole:
        z[2, 3] = -9999.0
    found = slope_deg(grid(z, nodata=-9999.0))
    assert found.values[found.valid] == pytest.approx(np.degrees(np.arctan(np.hypot(3.0, 2.0) / 30.0)), abs=1e-5)
    assert found.valid.sum() == 48 - hole and found.values.dtype == np.float32


def test_a_single_cell_and_a_level_raster_are_flat():
    assert slope_deg(grid([[5.0]])).values.tolist() == [[0.0]] and not slope_deg(grid(np.full((3, 3), 7))).values.any()


@pytest.mark.parametrize(
    ("transform", "crs", "words"),
    [(NORTH_UP, pyproj.CRS.from_epsg(4490), "needs metres"), (affine.Affine(30, 0, 0, 0, -20, 0), CRS, "30 x 20 m"),
     (affine.Affine(30, 5, 0, 5, -30, 0), CRS, "turned"), (NORTH_UP, pyproj.CRS.from_epsg(2229), "needs metres")],
)  # fmt: skip
def test_slope_on_anything_but_square_metres_is_refused(transform, crs, words):
    with pytest.raises(CrsError, match=words):
        slope_deg(grid(np.zeros((3, 3)), transform=transform, crs=crs))


def test_zones_take_the_cells_whose_centre_they_hold_and_may_overlap():
    height = grid([[1.0, 2.0, 3.0], [4.0, 5.0, -1.0]], nodata=-1.0)
    zones = np.array([cell(0, 0, 2, 2), cell(0, 1, 2, 2), cell(0, 0, 1, 3), None, shapely.Polygon()], dtype=object)
    assert zonal_mean(height, zones)[:3].tolist() == pytest.approx([3.0, 10 / 3, 2.0]) and np.isnan(zonal_mean(height, zones)[3:]).all()


def test_a_zone_without_a_centre_takes_the_nearest_valid_cell_and_a_far_one_nothing():
    height = grid([[1.0, 2.0, -1.0]], nodata=-1.0)
    x, y = 500_030.0, 3_300_000.0
    zones = np.array([shapely.box(x + 1, y - 5, x + 4, y - 1), cell(0, 2), cell(0, 30), cell(0, 4)], dtype=object)
    assert zonal_mean(height, zones)[[0, 1, 3]].tolist() == [2.0, 2.0, 2.0] and np.isnan(zonal_mean(height, zones)[2])
    assert zonal_majority(height, zones)[0] == 2.0


def test_the_most_frequent_class_wins_and_the_smaller_on_a_tie():
    classes = grid(np.array([[3, 3, 1], [2, 2, 1], [7, 1, 1]], dtype="uint8"))
    zones = np.array([cell(0, 0, 3, 3), cell(0, 0, 2, 2), cell(2, 0)], dtype=object)
    assert zonal_majority(classes, zones).tolist() == [1.0, 2.0, 7.0]
    assert zonal_majority(classes, np.empty(0, dtype=object)).shape == (0,)


def test_fields_of_a_class_map_hold_their_own_cells_on_a_south_up_raster_too(rng):
    south_up = affine.Affine(30.0, 0.0, 500_000.0, 0.0, 30.0, 3_300_000.0)
    classes = grid(rng.integers(1, 4, (9, 7)), transform=south_up)
    found = polygonize(classes)
    assert found.area.sum() == 63 * 900 and zonal_majority(classes, found.geometry.to_numpy()).tolist() == found["value"].tolist()


def test_smoothing_keeps_the_coverage_and_its_area(rng):
    found = polygonize(grid(np.kron(rng.integers(1, 4, (6, 6)), np.ones((4, 4), dtype=int))))
    smooth = smooth_coverage(found, 40.0)
    assert is_coverage(smooth.geometry.to_numpy()) and smooth.area.sum() == pytest.approx(found.area.sum())
    assert shapely.get_num_coordinates(smooth.geometry.to_numpy()).sum() <= shapely.get_num_coordinates(found.geometry.to_numpy()).sum()


def test_smoothing_what_overlaps_is_refused():
    with pytest.raises(TopologyError, match="overlap"):
        smooth_coverage(gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 10, 10), shapely.box(5, 0, 15, 10)], crs=CRS), 5.0)


def test_a_raster_follows_the_datum_rule_of_the_house():
    old = grid(np.zeros((5, 5)), crs=pyproj.CRS.from_epsg(2385))
    with pytest.raises(CrsError, match="needs local parameters"):
        resampled(old, CRS)


def test_a_plane_keeps_its_heights_under_a_datum_shift():
    h = Helmert(20.0, -110.0, -50.0, 1.2, -0.5, 0.3, 2.5)
    row, column = np.indices((40, 40))
    old = grid(3.0 * column - 2.0 * row, crs=pyproj.CRS.from_epsg(2385), nodata=-9999.0)
    new = resampled(old, CRS, helmert=h)
    r, c = (a[new.valid] for a in np.indices(new.values.shape))
    at = np.column_stack([new.transform.a * (c + 0.5) + new.transform.c, new.transform.e * (r + 0.5) + new.transform.f])
    back = shapely.get_coordinates(transform(shapely.points(at), CRS, 2385, helmert=h))
    x, y = (back[:, 0] - 500_000.0) / 30 - 0.5, (3_300_000.0 - back[:, 1]) / 30 - 0.5
    inner = (x > 0) & (x < 39) & (y > 0) & (y < 39)
    assert inner.sum() > 1300 and new.values[new.valid][inner] == pytest.approx((3.0 * x - 2.0 * y)[inner], abs=1e-3)


def test_classes_are_taken_from_the_nearest_cell_and_keep_their_type():
    aligned = affine.Affine(30.0, 0.0, 499_980.0, 0.0, -30.0, 3_300_000.0)
    classes = grid(np.arange(25, dtype="int16").reshape(5, 5), nodata=-1, transform=aligned)
    same = resampled(classes, CRS, nearest=True)
    assert same.values.dtype == np.int16 and same.values.tolist() == classes.values.tolist() and same.nodata == -1


def test_degrees_need_a_cell_size():
    degrees = grid(np.ones((4, 4)), transform=affine.Affine(0.01, 0, 120.0, 0, -0.01, 30.0), crs=pyproj.CRS.from_epsg(4326))
    with pytest.raises(CrsError, match="have no size"):
        resampled(degrees, CRS)
    assert resampled(degrees, CRS, cell=500.0).values.shape == (10, 8)
    with pytest.raises(CrsError, match="does not lie in"):
        resampled(grid(np.ones((4, 4)), crs=pyproj.CRS.from_epsg(4528)), pyproj.CRS.from_epsg(4490), cell=0.01)


def test_a_plane_is_sampled_on_the_cells_of_a_finer_grid_and_nothing_outside():
    row, column = np.mgrid[0:20, 0:30]
    coarse = grid((100.0 + 2.0 * column - 3.0 * row).astype(np.float32), transform=affine.Affine(10, 0, 500_000, 0, -10, 3_000_000))
    like = grid(np.zeros((300, 40), np.uint8), transform=affine.Affine(4, 0, 500_041, 0, -4, 2_999_950))
    found = aligned(coarse, like, strip_rows=7)
    y, x = np.mgrid[0:300, 0:40]
    east, down = 41 + (x + 0.5) * 4, 50 + (y + 0.5) * 4
    inside = down < 195
    assert found.values.shape == (300, 40) and np.isnan(found.values[down > 200]).all()
    assert np.allclose(found.values[inside], (100 + 2 * (east / 10 - 0.5) - 3 * (down / 10 - 0.5))[inside], atol=1e-3)
    whole = aligned(grid(np.full((20, 30), -9999, np.int16), nodata=-9999, transform=coarse.transform), like)
    assert np.isnan(whole.values).all()
