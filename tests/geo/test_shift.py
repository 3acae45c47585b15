"""Web-map shifts outside China, and their size inside."""

from __future__ import annotations

import numpy as np
import pytest

from qianmo.geo.shift import gcj02_to_wgs84, wgs84_to_gcj02


def test_outside_china_nothing_moves():
    # Denver, Jakarta, the sea east of Honshu
    lon, lat = np.array([-104.9903, 106.8, 140.0]), np.array([39.7392, -6.2, 40.0])
    for shift in (wgs84_to_gcj02, gcj02_to_wgs84):
        x, y = shift(lon, lat)
        assert np.array_equal(x, lon) and np.array_equal(y, lat)


def test_inside_china_the_shift_is_some_hundred_metres():
    lon, lat = (a.ravel() for a in np.meshgrid(np.linspace(76, 134, 12), np.linspace(18, 52, 12)))
    x, y = wgs84_to_gcj02(lon, lat)
    metres = np.hypot((x - lon) * np.cos(np.radians(lat)), y - lat) * 111_320
    assert metres.min() > 20.0 and metres.max() < 1000.0 and metres.mean() == pytest.approx(500.0, abs=200.0)


def test_numbers_and_arrays_are_both_taken():
    assert wgs84_to_gcj02(120.0, 30.0)[0] == pytest.approx(wgs84_to_gcj02(np.array([120.0]), np.array([30.0]))[0][0], abs=1e-12)
