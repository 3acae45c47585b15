"""Slope by Horn's window written out, zones against a rasteriser and against points in polygons."""

from __future__ import annotations

import affine
import numpy as np
import pyproj
import pytest
import rasterio.features
import shapely

from qianmo.geo.cells import cells_inside
from qianmo.geo.grid import Grid, polygonize, slope_deg, zonal_majority, zonal_mean

CRS = pyproj.CRS.from_epsg(4549)
NORTH_UP = affine.Affine(30.0, 0.0, 500_000.0, 0.0, -30.0, 3_300_000.0)


def horn(z, cell):
    """Degrees inside the margin, window by window."""
    out = np.zeros((z.shape[0] - 2, z.shape[1] - 2))
    for r in range(1, z.shape[0] - 1):
        for c in range(1, z.shape[1] - 1):
            (a, b, d), (e, _, f), (g, h, i) = z[r - 1 : r + 2, c - 1 : c + 2]
            east = ((d + 2 * f + i) - (a + 2 * e + g)) / (8 * cell)
            north = ((g + 2 * h + i) - (a + 2 * b + d)) / (8 * cell)
            out[r - 1, c - 1] = np.degrees(np.arctan(np.sqrt(east**2 + north**2)))
    return out


def test_slope_is_horns_window_by_window(rng):
    z = np.cumsum(rng.normal(0, 8, (25, 30)), axis=0)
    found = slope_deg(Grid(z, NORTH_UP, CRS)).values[1:-1, 1:-1]
    assert found == pytest.approx(horn(z, 30.0), abs=1e-4)


def stars(rng, n):
    out = []
    for _ in range(n):
        k = int(rng.integers(5, 25))
        angle, size = np.sort(rng.uniform(0, 2 * np.pi, k)), rng.uniform(20, 250, k)
        centre = np.array([500_000.0, 3_300_000.0]) + rng.uniform(0, 1, 2) * (1500, -1200)
        out.append(shapely.Polygon(centre + np.column_stack([np.cos(angle), np.sin(angle)]) * size[:, None]).buffer(0))
    return np.array(out, dtype=object)


def test_cells_of_a_polygon_are_the_centres_inside_it(rng):
    zones = stars(rng, 30)
    zone, row, column = cells_inside(zones, NORTH_UP, (40, 50))
    r, c = (a.ravel() for a in np.indices((40, 50)))
    centres = shapely.points(500_015.0 + 30.0 * c, 3_299_985.0 - 30.0 * r)
    for k, geometry in enumerate(zones):
        inside = shapely.contains_properly(geometry, centres)
        assert set(zip(row[zone == k], column[zone == k])) == set(zip(r[inside], c[inside]))


def test_fields_get_the_cells_a_rasteriser_gives_them_and_each_cell_once(rng):
    shape = (37, 41)  # no centre lies on a border of the fields of 100 m x 97 m
    fields = polygonize(Grid(rng.integers(0, 3, (12, 14)), affine.Affine(100.0, 0, 500_000.0, 0, -97.0, 3_300_000.0), CRS)).geometry.to_numpy()
    zone, row, column = cells_inside(fields, NORTH_UP, shape)
    label = np.full(shape, -1)
    label[row, column] = zone
    burnt = rasterio.features.rasterize([(g, k) for k, g in enumerate(fields)], out_shape=shape, transform=NORTH_UP, fill=-1, dtype="int32")
    assert len(zone) == len(set(zip(row, column))) and (label == burnt).all()


def test_statistics_of_overlapping_zones_are_those_of_each_alone(rng):
    values = rng.integers(1, 6, (40, 50)).astype(float)
    values[rng.random((40, 50)) < 0.1] = np.nan
    raster, zones = Grid(values, NORTH_UP, CRS), stars(rng, 25)
    mean, most = zonal_mean(raster, zones), zonal_majority(raster, zones)
    for k, geometry in enumerate(zones):
        inside = rasterio.features.geometry_mask([geometry], out_shape=values.shape, transform=NORTH_UP, invert=True) & raster.valid
        if inside.any():
            kinds, count = np.unique(values[inside], return_counts=True)
            assert mean[k] == pytest.approx(values[inside].mean()) and most[k] == kinds[count.argmax()]
