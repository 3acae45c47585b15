"""Many parcels at once against pvlib parcel by parcel; rows against pvlib's geometry; sky against a sum over the sphere."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numba
import numpy as np
import pvlib
import pytest

from qianmo.finance.photovoltaic.parcel_yield import parcel_yield
from qianmo.finance.photovoltaic.plant import default_plant
from qianmo.finance.photovoltaic.rows import diffuse_share, shaded_share
from qianmo.finance.photovoltaic.site_yield import site_yield
from qianmo.finance.photovoltaic.sun import sun_hours
from qianmo.finance.photovoltaic.terrain import Surroundings, horizon_at, sky_view
from qianmo.schema.errors import SchemaError
from qianmo.store.guard_limits import default_limits
from qianmo.store.read_weather import read_weather


@pytest.fixture(scope="module")
def weather():
    path = Path(__file__).resolve().parents[2] / "examples/finance/renhua/CHN_Guangdong.Shaoguan.590820_CSWD.epw"
    return read_weather(path, limits=default_limits())


@pytest.fixture(scope="module")
def lots():
    rng = np.random.default_rng(7)
    n = 10
    horizon = rng.uniform(0, 25, (n, 36))
    horizon[:2] = 0.0
    tilt = rng.uniform(0, 60, n)
    tilt[0] = 0.0
    return {"tilt_deg": tilt, "azimuth_deg": rng.uniform(0, 360, n), "horizon_deg": horizon, "sky": sky_view(horizon), "rise_deg": rng.uniform(-15, 15, n)}


@pytest.mark.parametrize(("rows", "strings"), [(True, 0), (True, 3), (False, 0)])
def test_every_parcel_equals_pvlib_to_a_millionth(weather, lots, rows, strings):
    plant, sun = default_plant(1.0, row_shading=rows, strings=strings), sun_hours(weather)
    found = parcel_yield(weather, plant, **lots, sun=sun)
    for k in range(len(lots["sky"])):
        alone = replace(plant, tilt_deg=lots["tilt_deg"][k], azimuth_deg=lots["azimuth_deg"][k])
        wanted = site_yield(weather, alone, around=Surroundings(lots["horizon_deg"][k], float(lots["sky"][k]), lots["rise_deg"][k]), sun=sun)
        assert found.hours[k] == pytest.approx(wanted.energy_kwh, rel=1e-6)
        assert found.plane_kwh_m2[k] == pytest.approx(wanted.plane_kwh_m2, rel=1e-6)
        assert found.free_plane_kwh_m2[k] == pytest.approx(wanted.free_plane_w_m2.sum() / 1000, rel=1e-6)
        assert np.allclose(found.monthly_hours[k], wanted.monthly_kwh, rtol=1e-6)
        assert np.allclose(found.monthly_plane_kwh_m2[k], np.bincount(wanted.month, weights=wanted.plane_w_m2)[1:] / 1000, rtol=1e-6)


def test_the_plain_plane_is_that_of_pvlib_alone(weather):
    """Route without any code of the house between weather and plane: get_total_irradiance."""
    sun = sun_hours(weather)
    alone = site_yield(weather, default_plant(1.0, tilt_deg=25.0, azimuth_deg=200.0, row_shading=False), sun=sun)
    total = pvlib.irradiance.get_total_irradiance(
        25.0, 200.0, sun.zenith_deg, sun.azimuth_deg, weather.dni_w_m2, weather.ghi_w_m2, weather.dhi_w_m2,
        dni_extra=sun.extra_w_m2, airmass=sun.airmass, albedo=0.2, model="perez",
    )["poa_global"]  # fmt: skip
    up = sun.zenith_deg < 90.0
    assert np.allclose(alone.plane_w_m2[up], np.nan_to_num(np.asarray(total))[up], rtol=1e-9, atol=1e-9)


def test_results_do_not_depend_on_the_number_of_threads(weather, lots):
    plant, most = default_plant(1.0), numba.get_num_threads()
    first = parcel_yield(weather, plant, **lots)
    try:
        numba.set_num_threads(1)
        second = parcel_yield(weather, plant, **lots)
    finally:
        numba.set_num_threads(most)
    assert np.array_equal(first.hours, second.hours) and np.array_equal(first.monthly_hours, second.monthly_hours)
    turned = parcel_yield(weather, plant, **{k: v[::-1] for k, v in lots.items()})
    assert np.array_equal(turned.hours[::-1], first.hours)
    assert os.cpu_count()


@pytest.mark.parametrize("rise", [-8.0, 0.0, 6.0])
def test_the_shade_of_rows_is_that_of_pvlib(rise):
    rng = np.random.default_rng(3)
    zenith, azimuth = rng.uniform(5, 88, 400), rng.uniform(90, 270, 400)
    tilt, cover = 25.0, 0.55
    toward = np.sin(np.radians(zenith)) * np.cos(np.radians(azimuth - 180.0))
    found = shaded_share(np.cos(np.radians(zenith)), toward, tilt_deg=tilt, ground_cover=cover, rise_deg=rise)
    pitch = 1.0 / cover * np.cos(np.radians(rise))
    wanted = pvlib.shading.shaded_fraction1d(zenith, azimuth, 90.0, tilt, collector_width=1.0, pitch=pitch, cross_axis_slope=-rise)
    front = np.cos(np.radians(zenith)) * np.cos(np.radians(tilt)) + toward * np.sin(np.radians(tilt)) > 0
    assert np.allclose(found[front], np.asarray(wanted)[front], atol=1e-9)
    assert (found > 0).any() and (found == 0).any()


def test_bands_of_a_row_fail_whole_and_close_rows_hide_the_sky():
    share = shaded_share(np.array([0.1, 0.9]), np.array([0.9, 0.1]), tilt_deg=30.0, ground_cover=0.6, strings=3)
    assert set(np.round(share * 3, 9)) <= {0.0, 1.0, 2.0, 3.0} and share[1] == 0.0
    left = [diffuse_share(30.0, g) for g in (0.05, 0.3, 0.6, 0.9)]
    assert left == sorted(left, reverse=True) and left[0] > 0.99 and diffuse_share(0.0, 0.9) == 1.0


def test_the_sky_left_equals_a_sum_over_the_sphere(rng):
    horizon = rng.uniform(0, 40, 24)
    azimuth, height = np.meshgrid((np.arange(720) + 0.5) * 0.5, (np.arange(900) + 0.5) * 0.1)
    step = np.floor(azimuth / 15.0).astype(int)  # each direction stands for its own sector here
    seen = height > horizon[step]
    weight = np.sin(np.radians(height)) * np.cos(np.radians(height))
    assert float(sky_view(horizon)) == pytest.approx((weight * seen).sum() / weight.sum(), abs=1e-3)
    assert float(sky_view(np.zeros(4))) == 1.0 and float(sky_view(np.full(4, 90.0))) == pytest.approx(0.0, abs=1e-12)


def test_the_horizon_is_straight_between_directions_and_round():
    horizon = np.array([10.0, 20.0, 0.0, 40.0])
    assert np.allclose(horizon_at(horizon, np.array([0.0, 45.0, 90.0, 315.0, 359.999, 360.0, -45.0])), [10, 15, 20, 25, 10, 10, 25], atol=1e-3)


def test_hills_take_light_and_lots_without_data_are_named(weather):
    plant = default_plant(1.0)
    one = {"tilt_deg": np.array([20.0]), "azimuth_deg": np.array([180.0]), "rise_deg": np.zeros(1)}
    hours = [parcel_yield(weather, plant, **one, horizon_deg=np.full((1, 8), h), sky=sky_view(np.full((1, 8), h))).hours[0] for h in (0.0, 5.0, 15.0, 30.0)]
    assert hours == sorted(hours, reverse=True) and hours[0] > hours[-1] * 1.1
    with pytest.raises(SchemaError, match=r"rows \[0\]"):
        parcel_yield(weather, plant, **one, horizon_deg=np.full((1, 8), np.nan), sky=np.ones(1))
    assert len(parcel_yield(weather, plant, tilt_deg=np.zeros(0), azimuth_deg=np.zeros(0), rise_deg=np.zeros(0), sky=np.zeros(0), horizon_deg=np.zeros((0, 8))).hours) == 0
