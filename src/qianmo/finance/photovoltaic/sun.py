"""Where the sun stands in every hour of a weather year (太阳位置)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pvlib

from qianmo.schema.weather import HOURS_OF_YEAR, Weather

__all__ = ["SunHours", "sun_hours", "sun_times"]

_YEAR = 2001
"""Any year without a leap day: within a cycle of four the sun moves by less than 0.3 degrees of declination."""


@dataclass(frozen=True, eq=False)
class SunHours:
    """Sun of every hour (逐时太阳位置), arrays (8760,).

    `zenith_deg` is the apparent zenith, with refraction, as `true_zenith_deg` is without; `azimuth_deg` from north by east; `airmass` is
    relative and not a number below the horizon; `extra_w_m2` the normal radiation outside the atmosphere.
    """

    zenith_deg: np.ndarray
    true_zenith_deg: np.ndarray
    azimuth_deg: np.ndarray
    airmass: np.ndarray
    extra_w_m2: np.ndarray


def sun_times(weather: Weather) -> pd.DatetimeIndex:
    """The instant of every hour for which its radiation stands, in UTC (8760,)."""
    start = pd.Timestamp(f"{_YEAR}-01-01", tz="UTC") + pd.Timedelta(minutes=weather.sun_minute - 60.0 * weather.utc_offset_h)
    return pd.date_range(start, periods=HOURS_OF_YEAR, freq="h")


def sun_hours(weather: Weather) -> SunHours:
    """Sun by the solar position algorithm of NREL as in pvlib, air pressure from the altitude (太阳位置)."""
    times = sun_times(weather)
    found = pvlib.solarposition.get_solarposition(times, weather.latitude_deg, weather.longitude_deg, altitude=weather.altitude_m, temperature=float(np.mean(weather.air_c)))
    zenith = found["apparent_zenith"].to_numpy()
    return SunHours(
        zenith, found["zenith"].to_numpy(), found["azimuth"].to_numpy(),
        np.asarray(pvlib.atmosphere.get_relative_airmass(zenith)), np.asarray(pvlib.irradiance.get_extra_radiation(times.day_of_year.to_numpy())),
    )  # fmt: skip
