"""Horizons by another route: closed forms, and rays sampled twenty times as densely with SciPy."""

from __future__ import annotations

import affine
import numpy as np
import pyproj
import pytest
from scipy.ndimage import map_coordinates

from qianmo.geo.gradient import aspect_deg, gradient
from qianmo.geo.grid import slope_deg
from qianmo.geo.horizon import grid_north_deg, horizons
from qianmo.geo.raster import Grid
from qianmo.schema.errors import CrsError, MissingDataError

CRS = pyproj.CRS.from_epsg(4547)
WEST, NORTH = 500_000.0, 2_750_000.0


def grid_of(values: np.ndarray, cell: float = 10.0) -> Grid:
    return Grid(values, affine.Affine(cell, 0.0, WEST, 0.0, -cell, NORTH), CRS, -9999.0)


def at(grid: Grid, row: float, column: float) -> tuple[np.ndarray, np.ndarray]:
    cell = grid.transform.a
    return np.array([WEST + (column + 0.5) * cell]), np.array([NORTH - (row + 0.5) * cell])


def brute(values: np.ndarray, row: float, column: float, cell: float, turn: float, eye: float) -> float:
    """Densely sampled ray on the bilinear surface by SciPy; between edges it bends by up to 0.2 m here, which the kernel does not follow."""
    d = np.arange(0.25 * cell, 3.0 * max(values.shape) * cell, 0.025 * cell)
    r, c = row - np.cos(turn) * d / cell, column + np.sin(turn) * d / cell
    inside = (r >= 0) & (c >= 0) & (r <= values.shape[0] - 1) & (c <= values.shape[1] - 1)
    z = map_coordinates(values, [r[inside], c[inside]], order=1)
    start = map_coordinates(values, [[row], [column]], order=1)[0] + eye
    drop = d[inside] ** 2 * 0.87 / (2 * 6_371_000.0)
    return float(np.degrees(np.arctan(max(0.0, np.max((z - start - drop) / d[inside], initial=0.0)))))


def test_a_long_ridge_to_the_north_has_the_horizon_of_its_closed_form():
    values = np.zeros((201, 2001))
    values[20, :] = 80.0
    grid = grid_of(values)
    x, y = at(grid, 100, 1000)
    found = horizons(grid, x, y, directions=72, eye_m=0.0)[0]
    turn = np.radians(np.arange(72) * 5.0)
    away = 800.0 / np.maximum(np.cos(turn), 1e-9)
    wanted = np.degrees(np.arctan(np.maximum((80.0 - away**2 * 0.87 / 12_742_000.0) / away, 0.0)))
    seen = np.cos(turn) > np.cos(np.radians(80.0))
    assert np.abs(found - wanted)[seen].max() < 1e-6
    assert (found[(turn > np.pi / 2) & (turn < 3 * np.pi / 2)] == 0.0).all()


def test_a_cone_is_seen_at_the_angle_of_its_top_only_towards_it():
    rows, columns = np.mgrid[0:121, 0:121]
    values = np.maximum(100.0 - np.hypot(rows - 60, columns - 100) * 10.0, 0.0)
    grid = grid_of(values)
    found = horizons(grid, *at(grid, 60, 20), directions=360, eye_m=0.0)[0]
    assert found[90] == pytest.approx(np.degrees(np.arctan(100.0 / 800.0)), abs=0.01)
    assert found[270] == 0.0 and found[0] == 0.0


def test_rays_over_rough_land_equal_dense_rays(rng):
    smooth = map_coordinates(rng.normal(0, 25, (14, 14)), np.mgrid[0:13:80j, 0:13:80j], order=3)
    grid = grid_of(smooth)
    for eye, most in ((1.0, 0.5), (15.0, 0.2)):
        for row, column in ((40.0, 40.0), (10.3, 65.8), (70.5, 5.25)):
            found = horizons(grid, *at(grid, row, column), directions=36, eye_m=eye)[0]
            wanted = np.array([brute(smooth, row, column, 10.0, np.radians(k * 10.0), eye) for k in range(36)])
            assert np.abs(found - wanted).max() < most and np.abs(found - wanted).mean() < 0.05


def test_the_earth_hides_a_far_hill():
    values = np.zeros((3, 2001))
    values[:, 2000] = 30.0
    grid = grid_of(values, cell=15.0)
    found = horizons(grid, *at(grid, 1, 0), directions=4, reach_m=40_000.0, eye_m=0.0)[0]
    assert found[1] == 0.0  # 30 km away the ground has dropped by 61 m
    near = horizons(grid, *at(grid, 1, 1600), directions=4, eye_m=0.0)[0]
    assert near[1] == pytest.approx(np.degrees(np.arctan((30.0 - 6000.0**2 * 0.87 / 12_742_000.0) / 6000.0)), abs=1e-3)


def test_holes_are_passed_over_and_a_place_without_height_is_named():
    values = np.zeros((21, 21))
    values[5, :], values[12, 10] = 50.0, -9999.0
    grid = grid_of(values)
    assert horizons(grid, *at(grid, 15, 10), directions=4)[0][0] > 20.0
    with pytest.raises(MissingDataError, match="rows \\[0\\]"):
        horizons(grid, *at(grid, 12, 10), directions=4)
    with pytest.raises(MissingDataError):
        horizons(grid, np.array([0.0]), np.array([0.0]))
    with pytest.raises(CrsError):
        horizons(Grid(values, grid.transform, pyproj.CRS.from_epsg(4490)), *at(grid, 15, 10))


def test_true_north_lies_where_a_step_to_the_north_leads():
    x, y = np.array([560_000.0, 440_000.0]), np.array([2_750_000.0, 2_750_000.0])
    back = pyproj.Transformer.from_crs(CRS, CRS.geodetic_crs, always_xy=True)
    lon, lat = back.transform(x, y)
    east, north = pyproj.Transformer.from_crs(CRS.geodetic_crs, CRS, always_xy=True).transform(lon, lat + 1e-4)
    wanted = np.degrees(np.arctan2(east - x, north - y))
    assert np.allclose(grid_north_deg(CRS, x, y), wanted, atol=1e-4)


def test_planes_have_their_gradient_slope_and_aspect_everywhere():
    rows, columns = np.mgrid[0:8, 0:9]
    for east, north, aspect in ((0.1, 0.0, 270.0), (0.0, 0.2, 180.0), (-0.3, 0.0, 90.0), (0.0, -0.1, 0.0), (0.1, 0.1, 225.0)):
        grid = grid_of(columns * 10.0 * east - rows * 10.0 * north)
        gx, gy = gradient(grid)
        assert np.allclose(gx, east) and np.allclose(gy, north)
        assert np.allclose(np.mod(aspect_deg(np.round(gx, 12), np.round(gy, 12)) - aspect + 180.0, 360.0), 180.0)
        assert np.allclose(slope_deg(grid).values, np.degrees(np.arctan(np.hypot(east, north))), atol=1e-4)
