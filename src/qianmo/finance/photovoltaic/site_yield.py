"""Yield of one plant hour by hour with pvlib (单站逐时发电量)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pvlib

from qianmo.finance.photovoltaic.plant import Plant, alternating_power
from qianmo.finance.photovoltaic.rows import diffuse_share, shaded_share
from qianmo.finance.photovoltaic.sun import SunHours, sun_hours, sun_times
from qianmo.finance.photovoltaic.terrain import OPEN, Surroundings, horizon_at
from qianmo.schema.weather import Weather

__all__ = ["SiteYield", "month_of", "site_yield"]


@dataclass(frozen=True, eq=False)
class SiteYield:
    """One year of a plant (单站年发电).

    `plane_w_m2` is the light on the modules before reflection, `free_plane_w_m2` the same on open ground without rows in front; `power_kw` the power fed in. Hours (8760,).
    `month` is the month of each hour, 1 to 12, local time.
    """

    plant: Plant
    plane_w_m2: np.ndarray
    free_plane_w_m2: np.ndarray
    power_kw: np.ndarray
    month: np.ndarray

    @property
    def energy_kwh(self) -> float:
        """Energy of the year."""
        return float(self.power_kw.sum())

    @property
    def plane_kwh_m2(self) -> float:
        """Light of the year on the modules."""
        return float(self.plane_w_m2.sum()) / 1000.0

    @property
    def monthly_kwh(self) -> np.ndarray:
        """Energy of the twelve months."""
        return np.bincount(self.month, weights=self.power_kw, minlength=13)[1:]

    @property
    def full_load_hours(self) -> float:
        """Energy of the year over the direct-current capacity [h]."""
        return self.energy_kwh / self.plant.capacity_kw


def site_yield(weather: Weather, plant: Plant, *, around: Surroundings = OPEN, sun: SunHours | None = None) -> SiteYield:
    """One year of a plant (单站发电量): sky of Perez, glass of De Soto, cell temperature of Sandia, inverter of PVWatts.

    Hills: the beam and the light around the sun are lost while the sun is below the horizon; even sky light and the band at the horizon are reduced by the sky left,
    and the hills in its place reflect as the ground does. Rows: the beam loses the shaded share, the even sky light what the row in front hides; the ground between rows is not seen.

    Parameters
    ----------
    sun : SunHours, optional
        Sun of this weather, where it is at hand.

    Notes
    -----
    The sun is that of the weather station: a plant 30 km away sees it 0.3 degrees off at most.
    """
    sun = sun_hours(weather) if sun is None else sun
    aoi = np.asarray(pvlib.irradiance.aoi(plant.tilt_deg, plant.azimuth_deg, sun.zenith_deg, sun.azimuth_deg))
    sky = pvlib.irradiance.perez(
        plant.tilt_deg, plant.azimuth_deg, weather.dhi_w_m2, weather.dni_w_m2, sun.extra_w_m2, sun.zenith_deg, sun.azimuth_deg, sun.airmass, return_components=True,
    )  # fmt: skip
    even, ring, band = (np.nan_to_num(np.asarray(sky[k])) for k in ("poa_isotropic", "poa_circumsolar", "poa_horizon"))
    beam = np.where(sun.zenith_deg < 90.0, np.maximum(weather.dni_w_m2 * np.cos(np.radians(aoi)), 0.0), 0.0)
    seen, left, hidden = _lost(plant, around, sun)
    beam_left, ring_left = beam * seen, ring * seen
    tilt = np.radians(plant.tilt_deg)
    below = 0.0 if plant.row_shading else (1.0 - np.cos(tilt)) / 2.0
    up = sun.zenith_deg < 90.0
    reflected = np.where(up, weather.ghi_w_m2 * plant.albedo * (below + (1.0 + np.cos(tilt)) / 2.0 * (1.0 - around.sky)), 0.0)
    plane = beam_left + ring_left + even * left * hidden + band * around.sky + reflected
    plane = np.maximum(plane, 0.0)
    effective = np.maximum(plane - beam_left * (1.0 - np.asarray(pvlib.iam.physical(aoi))), 0.0)
    free = beam + ring + even + band + np.where(up, weather.ghi_w_m2 * plant.albedo * (1.0 - np.cos(tilt)) / 2.0, 0.0)
    power = alternating_power(plant, effective, plane, weather.air_c, weather.wind_m_s)
    return SiteYield(plant, plane, free, power, month_of(weather))


def month_of(weather: Weather) -> np.ndarray:
    """Month of every hour by the clock of the file, 1 to 12 (8760,)."""
    return np.asarray((sun_times(weather) + np.timedelta64(round(60.0 * weather.utc_offset_h - weather.sun_minute), "m")).month)


def _lost(plant: Plant, around: Surroundings, sun: SunHours) -> tuple[np.ndarray, float, float]:
    """Share of the beam seen (hours,), of the even sky left by hills, and of that left by the row in front."""
    seen = (90.0 - sun.zenith_deg > horizon_at(around.horizon_deg, sun.azimuth_deg)).astype(float)
    if not plant.row_shading:
        return seen, around.sky, 1.0
    zenith = np.radians(sun.zenith_deg)
    toward = np.sin(zenith) * np.cos(np.radians(sun.azimuth_deg - plant.azimuth_deg))
    shade = shaded_share(np.cos(zenith), toward, tilt_deg=plant.tilt_deg, ground_cover=plant.ground_cover, rise_deg=around.rise_deg, strings=plant.strings)
    return seen * (1.0 - shade), around.sky, diffuse_share(plant.tilt_deg, plant.ground_cover)
