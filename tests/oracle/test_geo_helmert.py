"""Datum shift by hand: ellipsoid to geocentric, translate and turn, geocentric to ellipsoid."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from qianmo.geo.crs import Helmert, transform, transform_points

ELLIPSOID = {4610: (6378140.0, 298.257), 4214: (6378245.0, 298.3), 4490: (6378137.0, 298.257222101)}


def geocentric(lon, lat, a, inv_f):
    e2 = 2 / inv_f - 1 / inv_f**2
    phi, lam = np.radians(lat), np.radians(lon)
    n = a / np.sqrt(1 - e2 * np.sin(phi) ** 2)
    return np.array([n * np.cos(phi) * np.cos(lam), n * np.cos(phi) * np.sin(lam), n * (1 - e2) * np.sin(phi)])


def geographic(xyz, a, inv_f):
    e2 = 2 / inv_f - 1 / inv_f**2
    x, y, z = xyz
    p, phi = np.hypot(x, y), np.arctan2(z, np.hypot(x, y) * (1 - e2))
    for _ in range(20):
        n = a / np.sqrt(1 - e2 * np.sin(phi) ** 2)
        phi = np.arctan2(z + e2 * n * np.sin(phi), p)
    return np.degrees(np.arctan2(y, x)), np.degrees(phi)


def by_hand(lon, lat, source, h):
    rx, ry, rz = np.radians(np.array([h.rx, h.ry, h.rz]) / 3600)
    turn = np.array([[1, -rz, ry], [rz, 1, -rx], [-ry, rx, 1]])
    xyz = np.array([h.dx, h.dy, h.dz]) + (1 + h.scale_ppm * 1e-6) * turn @ geocentric(lon, lat, *ELLIPSOID[source])
    return geographic(xyz, *ELLIPSOID[4490])


@pytest.mark.parametrize("source", [4610, 4214])
@pytest.mark.parametrize("h", [Helmert(0, 0, 0), Helmert(15.8, -154.4, -82.3), Helmert(20, -110, -50, 1.2, -0.5, 0.3, 2.5)])
def test_three_and_seven_parameters_agree_with_the_closed_form(source, h):
    for lon, lat in ((75.2, 39.5), (113.3, 23.1), (120.1, 30.3), (132.9, 47.8)):
        x, y = transform_points(np.array([lon]), np.array([lat]), source, 4490, helmert=h)
        assert (x[0], y[0]) == pytest.approx(by_hand(lon, lat, source, h), abs=2e-11)


def test_a_projected_layer_is_shifted_by_the_same_amount():
    h = Helmert(20, -110, -50, 1.2, -0.5, 0.3, 2.5)
    xy = shapely.points([[40_510_000.0, 3_350_000.0]])
    lon, lat = shapely.get_coordinates(transform(xy, 2364, 4610))[0]
    assert shapely.get_coordinates(transform(xy, 2364, 4490, helmert=h))[0] == pytest.approx(by_hand(lon, lat, 4610, h), abs=2e-11)
