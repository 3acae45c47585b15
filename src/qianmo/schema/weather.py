"""One typical year of hourly weather at one place (逐时气象年)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qianmo.schema.errors import SchemaError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["HOURS_OF_YEAR", "Weather", "checked_weather"]

HOURS_OF_YEAR = 8760
"""Hours of a year without a leap day."""

_SERIES = ("ghi_w_m2", "dni_w_m2", "dhi_w_m2", "air_c", "wind_m_s")


@dataclass(frozen=True, eq=False)
class Weather:
    """8,760 hours of one year without a leap day (典型气象年).

    Row `i` is the hour that begins `i` hours after the local midnight of 1 January, standard time of `utc_offset_h`, unless the file counts in
    UTC (`utc_offset_h` 0). The mean power of the hour [W/m2] equals its energy [Wh/m2]. `sun_minute` is the minute of the hour at
    which the sun stands for the radiation of the hour: 30 where the radiation is a mean over the hour.

    Attributes
    ----------
    ghi_w_m2, dni_w_m2, dhi_w_m2 : ndarray (8760,)
        Global horizontal, direct normal, diffuse horizontal radiation.
    air_c, wind_m_s : ndarray (8760,)
        Air temperature and wind speed; the wind stands for 10 m above ground.
    notes : tuple of str
        What the reader put right or left out, in words.
    """

    name: str
    kind: str
    latitude_deg: float
    longitude_deg: float
    altitude_m: float
    utc_offset_h: float
    sun_minute: float
    ghi_w_m2: np.ndarray
    dni_w_m2: np.ndarray
    dhi_w_m2: np.ndarray
    air_c: np.ndarray
    wind_m_s: np.ndarray
    source: str = ""
    sha256: str = ""
    notes: tuple[str, ...] = ()


def checked_weather(found: Weather) -> Weather:
    """The same year, after its place and the length of its columns were checked (气象年核对).

    Raises
    ------
    SchemaError
        A column has not 8,760 rows, or the place is none on earth.
    """
    for name in _SERIES:
        rows = len(getattr(found, name))
        if rows != HOURS_OF_YEAR:
            raise SchemaError(f"{found.name}: {rows} rows in {name}", expected=f"{HOURS_OF_YEAR} hours", cure="补齐缺失的小时，或改用完整的典型年")
    if not (abs(found.latitude_deg) <= 90.0 and abs(found.longitude_deg) <= 180.0 and abs(found.utc_offset_h) <= 14.0):
        place = f"latitude {found.latitude_deg}, longitude {found.longitude_deg}, UTC {found.utc_offset_h:+g} h"
        raise SchemaError(f"{found.name}: {place}", expected="-90 to 90, -180 to 180, -14 to 14", cure="核对文件头的经纬度与时区")
    return found
