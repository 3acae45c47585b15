"""Yield of many parcels under one weather (多地块发电量)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pvlib

from qianmo.finance.photovoltaic.kernel import TOTALS, yearly_totals
from qianmo.finance.photovoltaic.plant import REFERENCE_EFFICIENCY, TEMPERATURE_MODEL, Plant
from qianmo.finance.photovoltaic.rows import diffuse_share
from qianmo.finance.photovoltaic.site_yield import month_of
from qianmo.finance.photovoltaic.sun import SunHours, sun_hours
from qianmo.schema.errors import SchemaError
from qianmo.schema.weather import Weather

__all__ = ["ParcelYield", "parcel_yield"]

_PROBE_DEG = 10.0


@dataclass(frozen=True, eq=False)
class ParcelYield:
    """One year on n parcels (多地块年发电), per kW of direct current.

    `hours` (n,) are the full-load hours; `plane_kwh_m2` the light on the modules; `free_plane_kwh_m2` that on open ground without rows in front; `horizon_lost_kwh_m2` and
    `row_lost_kwh_m2` the beam that hills and rows take; `monthly_hours` and `monthly_plane_kwh_m2` (n, 12).
    """

    hours: np.ndarray
    plane_kwh_m2: np.ndarray
    free_plane_kwh_m2: np.ndarray
    horizon_lost_kwh_m2: np.ndarray
    row_lost_kwh_m2: np.ndarray
    monthly_hours: np.ndarray
    monthly_plane_kwh_m2: np.ndarray


def parcel_yield(
    weather: Weather, plant: Plant, *, tilt_deg: np.ndarray, azimuth_deg: np.ndarray, horizon_deg: np.ndarray, sky: np.ndarray,
    rise_deg: np.ndarray, sun: SunHours | None = None,
) -> ParcelYield:  # fmt: skip
    """The model of `qianmo.finance.photovoltaic.site_yield.site_yield` on n parcels at once (多地块发电量).

    Parameters
    ----------
    plant : Plant
        Everything but tilt and azimuth.
    tilt_deg, azimuth_deg, sky, rise_deg : ndarray (n,)
        Lie of the modules, share of the sky, rise of the ground in the direction they face.
    horizon_deg : ndarray (n, k)
        Height of the horizon, evenly from north by east; all 0 for open ground.

    Raises
    ------
    SchemaError
        Shapes do not agree, or a value is not finite; the first rows are named.
    """
    sun = sun_hours(weather) if sun is None else sun
    columns = np.column_stack([np.asarray(v, float) for v in (tilt_deg, azimuth_deg, sky, rise_deg)]) if len(tilt_deg) else np.zeros((0, 4))
    horizon = np.ascontiguousarray(horizon_deg, dtype=float)
    if horizon.ndim != 2 or len(horizon) != len(columns) or horizon.shape[1] < 1:
        raise SchemaError(f"horizons {horizon.shape} for {len(columns)} parcels", expected="one row a parcel and one column a direction")
    bad = np.flatnonzero(~(np.isfinite(columns).all(axis=1) & np.isfinite(horizon).all(axis=1)))
    if len(bad):
        raise SchemaError(f"{len(bad)} parcels without tilt, azimuth, sky or horizon, rows {bad[:5].tolist()}", expected="finite numbers", cure="地块须在高程模型范围内")
    hours, month = _hours(weather, sun)
    between = _between(plant, columns[:, 0])
    totals, monthly, light = np.zeros((len(columns), len(TOTALS))), np.zeros((len(columns), 12)), np.zeros((len(columns), 12))
    settings = np.array([
        plant.ground_cover if plant.row_shading else 0.0, plant.losses, plant.temperature_per_c, plant.albedo, plant.dc_ac_ratio,
        plant.inverter_efficiency, REFERENCE_EFFICIENCY, float(plant.strings),
    ])  # fmt: skip
    yearly_totals(hours, month, settings, float(TEMPERATURE_MODEL["deltaT"]), np.column_stack([columns, between]), horizon, totals, monthly, light)
    plane, free, hills, rows = (totals[:, k] / 1000.0 for k in range(1, 5))
    return ParcelYield(totals[:, 0], plane, free, hills, rows, monthly, light / 1000.0)


def _between(plant: Plant, tilt_deg: np.ndarray) -> np.ndarray:
    """Share of the even sky left between rows, once for each tilt."""
    if not plant.row_shading:
        return np.ones(len(tilt_deg))
    kinds, place = np.unique(tilt_deg, return_inverse=True)
    return np.array([diffuse_share(float(t), plant.ground_cover) for t in kinds])[place] if len(kinds) else np.zeros(0)


def _hours(weather: Weather, sun: SunHours) -> tuple[np.ndarray, np.ndarray]:
    """What does not depend on the parcel, for the hours with the sun up."""
    f1, f2 = _brightness(weather, sun)
    up = np.flatnonzero(sun.zenith_deg < 90.0)
    zenith, azimuth = np.radians(sun.zenith_deg), np.radians(sun.azimuth_deg)
    wind = np.exp(TEMPERATURE_MODEL["a"] + TEMPERATURE_MODEL["b"] * weather.wind_m_s)
    columns = (
        np.cos(zenith), np.sin(zenith), np.sin(azimuth), np.cos(azimuth), sun.azimuth_deg, 90.0 - sun.zenith_deg,
        weather.ghi_w_m2, weather.dni_w_m2, weather.dhi_w_m2, f1, f2, weather.air_c, wind,
    )  # fmt: skip
    return np.ascontiguousarray(np.column_stack(columns)[up]), month_of(weather)[up] - 1


def _brightness(weather: Weather, sun: SunHours) -> tuple[np.ndarray, np.ndarray]:
    """Brightness of the ring around the sun and of the band at the horizon, from pvlib's Perez on two planes."""
    unit = np.ones_like(weather.dhi_w_m2)

    def parts(tilt: float) -> tuple[np.ndarray, np.ndarray]:
        found = pvlib.irradiance.perez(
            tilt, sun.azimuth_deg, weather.dhi_w_m2, weather.dni_w_m2, sun.extra_w_m2, sun.zenith_deg, sun.azimuth_deg, sun.airmass, return_components=True,
        )  # fmt: skip
        return np.nan_to_num(np.asarray(found["poa_isotropic"])), np.nan_to_num(np.asarray(found["poa_horizon"]))

    bright = weather.dhi_w_m2 > 0.0
    f1 = np.where(bright, 1.0 - np.divide(parts(0.0)[0], weather.dhi_w_m2, out=unit.copy(), where=bright), 0.0)
    f2 = np.divide(parts(_PROBE_DEG)[1], weather.dhi_w_m2 * np.sin(np.radians(_PROBE_DEG)), out=np.zeros_like(unit), where=bright)
    return f1, f2
