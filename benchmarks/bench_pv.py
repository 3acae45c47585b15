"""A year of hours on many parcels: the house in one pass, and pvlib parcel by parcel with the sun computed once.

`--size 1000` is the county's list of candidates. Both ways add up the energy of open ground with a tilt and a direction of its own on each parcel; the third
way finds 72 horizons a parcel on an elevation model of 400 x 400 cells first and shades hills and rows.
"""

from __future__ import annotations

from functools import cache as once_a_process
from pathlib import Path

import affine
import numpy as np
import pvlib
import pyproj
from measure import Way

from qianmo.finance.photovoltaic.parcel_yield import parcel_yield
from qianmo.finance.photovoltaic.plant import REFERENCE_EFFICIENCY, TEMPERATURE_MODEL, default_plant
from qianmo.finance.photovoltaic.sun import sun_hours
from qianmo.finance.photovoltaic.terrain import sky_view
from qianmo.geo.horizon import horizons
from qianmo.geo.raster import Grid
from qianmo.schema.weather import Weather
from qianmo.store.guard_limits import default_limits
from qianmo.store.read_weather import read_weather

__all__ = ["ways"]

_WEATHER = Path(__file__).resolve().parents[1] / "examples/finance/renhua/CHN_Guangdong.Shaoguan.590820_CSWD.epw"
_PLANT = default_plant(1.0, row_shading=False)


def ways(size: int, cache: Path) -> list[Way]:
    """Two ways of one figure, kWh a kW over all parcels, and the whole way with terrain."""
    return [
        Way("pv", "qianmo parcel_yield", size, lambda: _house(size), lambda: _house(2)),
        Way("pv", "pvlib, parcel by parcel", size, lambda: _peer(size), _weather, tolerance=1e-6),
        Way("pv terrain", "qianmo horizons and parcel_yield, rows shaded", size, lambda: _terrain(size), lambda: _terrain(2)),
    ]


@once_a_process
def _weather() -> Weather:
    return read_weather(_WEATHER, limits=default_limits())


def _lie(n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    return rng.uniform(5.0, 40.0, n), rng.uniform(120.0, 240.0, n)


def _house(n: int) -> float:
    tilt, azimuth = _lie(n)
    found = parcel_yield(_weather(), _PLANT, tilt_deg=tilt, azimuth_deg=azimuth, horizon_deg=np.zeros((n, 1)), sky=np.ones(n), rise_deg=np.zeros(n))
    return float(found.hours.sum())


def _peer(n: int) -> float:
    """What a careful pvlib user writes: the sun once, then each plane by the functions of the manual."""
    weather, total = _weather(), 0.0
    sun = sun_hours(weather)
    up = sun.zenith_deg < 90.0
    for tilt, azimuth in zip(*_lie(n)):
        aoi = pvlib.irradiance.aoi(tilt, azimuth, sun.zenith_deg, sun.azimuth_deg)
        plane = pvlib.irradiance.get_total_irradiance(
            tilt, azimuth, sun.zenith_deg, sun.azimuth_deg, weather.dni_w_m2, weather.ghi_w_m2, weather.dhi_w_m2,
            dni_extra=sun.extra_w_m2, airmass=sun.airmass, albedo=_PLANT.albedo, model="perez",
        )  # fmt: skip
        light, beam = (np.where(up, np.nan_to_num(np.asarray(plane[k])), 0.0) for k in ("poa_global", "poa_direct"))
        cell = pvlib.temperature.sapm_cell(light, weather.air_c, weather.wind_m_s, **TEMPERATURE_MODEL)
        direct = pvlib.pvsystem.pvwatts_dc(light - beam * (1.0 - pvlib.iam.physical(aoi)), cell, 1.0, _PLANT.temperature_per_c) * (1.0 - _PLANT.losses)
        rating = 1.0 / _PLANT.dc_ac_ratio / _PLANT.inverter_efficiency
        total += float(pvlib.inverter.pvwatts(direct, rating, _PLANT.inverter_efficiency, REFERENCE_EFFICIENCY).sum())
    return total


def _terrain(n: int) -> float:
    rows, columns = np.mgrid[0:400, 0:400]
    height = 120.0 * (np.sin(rows / 23.0) + np.cos(columns / 31.0) + 0.5 * np.sin((rows + 2 * columns) / 11.0))
    grid = Grid(height, affine.Affine(30.0, 0.0, 500_000.0, 0.0, -30.0, 2_750_000.0), pyproj.CRS.from_epsg(4547), None)
    rng = np.random.default_rng(6)
    profile = horizons(grid, 500_000.0 + rng.uniform(100, 11_900, n), 2_750_000.0 - rng.uniform(100, 11_900, n))
    tilt, azimuth = _lie(n)
    found = parcel_yield(_weather(), default_plant(1.0), tilt_deg=tilt, azimuth_deg=azimuth, horizon_deg=profile, sky=sky_view(profile), rise_deg=np.zeros(n))
    return float(found.hours.sum())
