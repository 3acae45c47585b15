"""What holds for any plant and any hill."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.finance.photovoltaic.exceedance import combined_uncertainty, exceedance
from qianmo.finance.photovoltaic.money import default_terms, plant_money
from qianmo.finance.photovoltaic.parcel_yield import ParcelYield, parcel_yield
from qianmo.finance.photovoltaic.plant import default_plant
from qianmo.finance.photovoltaic.rows import shaded_share
from qianmo.finance.photovoltaic.sun import SunHours, sun_hours
from qianmo.finance.photovoltaic.terrain import sky_view
from qianmo.finance.photovoltaic.tilt_change import tilted_by
from qianmo.schema.weather import Weather
from qianmo.store.guard_limits import default_limits
from qianmo.store.read_weather import read_weather

ANGLES = st.floats(0.0, 60.0)


@cache
def year() -> tuple[Weather, SunHours]:
    path = Path(__file__).resolve().parents[2] / "examples/finance/renhua/CHN_Guangdong.Shaoguan.590820_CSWD.epw"
    weather = read_weather(path, limits=default_limits())
    return weather, sun_hours(weather)


def made(horizons: np.ndarray, *, tilt: float, azimuth: float = 180.0, **plant: float) -> ParcelYield:
    weather, sun = year()
    n = len(horizons)
    return parcel_yield(
        weather, default_plant(1.0, **plant), tilt_deg=np.full(n, tilt), azimuth_deg=np.full(n, azimuth), horizon_deg=horizons, sky=sky_view(horizons), rise_deg=np.zeros(n), sun=sun,
    )  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0.0, 60.0), min_size=8, max_size=8), st.floats(0.1, 20.0), ANGLES, st.floats(90.0, 270.0))
def test_higher_hills_never_give_more_beam(heights, more, tilt, azimuth):
    low = np.array([heights])
    found = made(np.concatenate([low, low + more]), tilt=tilt, azimuth=azimuth)
    assert found.horizon_lost_kwh_m2[1] >= found.horizon_lost_kwh_m2[0]
    assert (found.hours > 0).all() and np.allclose(found.free_plane_kwh_m2[0], found.free_plane_kwh_m2[1])
    assert np.allclose(found.monthly_hours.sum(axis=1), found.hours)


@settings(max_examples=25, deadline=None)
@given(st.floats(5.0, 50.0), st.floats(0.1, 0.8), st.floats(0.02, 0.15))
def test_closer_rows_never_earn_more(tilt, cover, closer):
    flat = np.zeros((1, 4))
    wide, narrow = (made(flat, tilt=tilt, ground_cover=g) for g in (cover, cover + closer))
    assert narrow.hours[0] <= wide.hours[0] + 1e-9 and narrow.row_lost_kwh_m2[0] >= wide.row_lost_kwh_m2[0] - 1e-9


@settings(max_examples=100, deadline=None)
@given(st.floats(0.0, 1.0), st.floats(-1.0, 1.0), st.floats(0.0, 80.0), st.floats(0.05, 0.95), st.floats(-20.0, 20.0), st.integers(0, 6))
def test_shade_is_a_share_and_bands_never_shade_less(up, toward, tilt, cover, rise, strings):
    size = max(np.hypot(up, toward), 1e-9)
    args = (np.array([up / size]), np.array([toward / size]))
    bare = shaded_share(*args, tilt_deg=tilt, ground_cover=cover, rise_deg=rise)
    whole = shaded_share(*args, tilt_deg=tilt, ground_cover=cover, rise_deg=rise, strings=strings)
    assert 0.0 <= bare[0] <= 1.0 and whole[0] >= bare[0] - 1e-6 and whole[0] <= 1.0


@settings(max_examples=100, deadline=None)
@given(st.floats(0.0, 80.0), st.floats(0.0, 359.9), st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_turning_a_level_rack_gives_the_slope_of_the_ground(tilt, azimuth, east, north):
    there = tilted_by(np.zeros(1), np.array([azimuth]), np.array([east]), np.array([north]))
    assert np.isclose(there[0][0], np.degrees(np.arctan(np.hypot(east, north))), atol=1e-6)
    still = tilted_by(np.array([tilt]), np.array([azimuth]), np.zeros(1), np.zeros(1))
    assert np.isclose(still[0][0], tilt, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.floats(1.0, 1e6), st.lists(st.floats(0.0, 0.2), min_size=1, max_size=5), st.floats(0.0, 0.2), st.integers(1, 30))
def test_p90_is_below_p50_and_more_years_are_surer(p50, parts, yearly, years):
    one, many = (combined_uncertainty(parts, variability=yearly, years=n) for n in (1, years))
    assert many <= one + 1e-15 and one >= max(parts) - 1e-15
    assert exceedance(p50, one, 0.9) <= exceedance(p50, one, 0.5) == p50


@settings(max_examples=60, deadline=None)
@given(st.floats(0.2, 0.6), st.floats(1.5, 5.0), st.floats(800.0, 1800.0), st.floats(0.0, 1000.0))
def test_a_price_at_the_levelised_cost_earns_the_discount_rate(price, capital, hours, rent):
    terms = default_terms(price_yuan_kwh=price, capital_yuan_w=capital, rent_yuan_mu_year=rent)
    first = plant_money(10_000.0, 10_000.0 * hours, 300.0, terms, exact=False)
    again = plant_money(10_000.0, 10_000.0 * hours, 300.0, default_terms(price_yuan_kwh=first.levelised_yuan_kwh, capital_yuan_w=capital, rent_yuan_mu_year=rent), exact=False)
    assert abs(again.rate_of_return - terms.discount_rate) < 1e-9
    assert (first.net_present_value_fen > 0) == (price > first.levelised_yuan_kwh)
