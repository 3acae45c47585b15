"""Coordinates in any usual Chinese notation, with every reading that fits (坐标识别)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from qianmo.geo.crs import CGCS2000, CrsInfo, china_crs, transform
from qianmo.schema.errors import CrsError

__all__ = ["Reading", "readings"]

Box = tuple[float, float, float, float]

_NUMBER = r"[-+]?\d+(?:\.\d+)?"
_ANGLE = re.compile(rf"([NSEWnsew东西南北]?)[经纬]?\s*({_NUMBER})\s*[°度º]\s*(?:({_NUMBER})\s*[′'’分]\s*)?(?:({_NUMBER})\s*(?:[″\"”秒]|'')\s*)?([NSEWnsew东西南北]?)")
_FRAME = " ,;，；、\t\nxXyYenENLBlbHh=:：()（）东经北纬坐标米m"
_FAR_DEG = 6.0
"""Where no zone puts the place on the project, zones that put it this near are offered. [degree]"""

_MARGIN_DEG = 0.2
"""A place this near to the data counts as on the project. [degree]"""


@dataclass(frozen=True)
class Reading:
    """One way to read coordinates (坐标读法).

    `notation` is degrees, dms, zone (easting with the number of its zone) or plain (without); `order` says what stands
    first: lon, lat, east or north; `system` is the EPSG code of the zone, '' for degrees.
    """

    lon: float
    lat: float
    notation: str
    order: str
    system: str = ""


def readings(words: str, *, systems: Sequence[str] = (), boxes: Sequence[Box] = ()) -> list[Reading]:
    """Every place that words may mean as coordinates, the likeliest first; none where they are no coordinates (坐标识别).

    Parameters
    ----------
    words : str
        Degrees with decimals in either order; degrees, minutes and seconds with or without N/E/东经/北纬; northing and
        easting of a CGCS2000 zone with the zone number in front of the easting or without it, in either order.
    systems : sequence of str
        Systems of the project's layers; their zone is tried first where the number of the zone is missing.
    boxes : sequence of (west, south, east, north)
        Where the data lie: readings there are given alone. [degree]

    Notes
    -----
    In China longitudes are 70 to 140, latitudes 0 to 60, northings below 6,700,000, and eastings either 100,000 to
    900,000 or with a zone number of 13 or more in front, so order is a matter of size; two numbers of the size of an
    easting without its zone are read both ways. In the surveyor's words X is the northing and Y the easting.
    """
    text = words.strip()
    angles = _ANGLE.findall(text)
    if len(angles) == 2 and not _ANGLE.sub("", text).strip(_FRAME):
        return _from_angles(angles)
    numbers = [float(n) for n in re.findall(_NUMBER, text)]
    if len(numbers) != 2 or re.sub(_NUMBER, "", text).strip(_FRAME) or not re.search(r"\d[^\d.]+?[-+]?\d", text):
        return []
    if max(abs(n) for n in numbers) <= 180.0:
        return _degrees(numbers[0], numbers[1], "degrees")
    found = [r for swap in (False, True) for r in _in_zones(numbers[::-1] if swap else numbers, "east" if swap else "north", systems)]
    inside = [r for r in found if any(_within(r, b, _MARGIN_DEG) for b in boxes)]
    near = [r for r in found if r.notation == "zone" or not boxes or any(_within(r, b, _FAR_DEG) for b in boxes)]
    return _distinct(inside or near)


def _from_angles(angles: list[tuple[str, ...]]) -> list[Reading]:
    values, marks = [], []
    for before, d, m, s, after in angles:
        size = abs(float(d)) + float(m or 0) / 60 + float(s or 0) / 3600
        if float(m or 0) >= 60 or float(s or 0) >= 60:
            return []
        mark = (before or after).upper()
        values.append(-size if d.startswith("-") or mark in ("S", "W", "南", "西") else size)
        marks.append("lat" if mark in ("N", "S", "北", "南") else "lon" if mark else "")
    if marks[0] and marks[0] == marks[1]:
        return []
    if "lat" in marks or "lon" in marks:
        first_is_lat = marks[0] == "lat" or marks[1] == "lon"
        lon, lat = (values[1], values[0]) if first_is_lat else (values[0], values[1])
        return [Reading(lon, lat, "dms", "lat" if first_is_lat else "lon")] if _in_china(lon, lat) else []
    return _degrees(values[0], values[1], "dms")


def _degrees(a: float, b: float, notation: str) -> list[Reading]:
    return [Reading(lon, lat, notation, order) for lon, lat, order in ((a, b, "lon"), (b, a, "lat")) if _in_china(lon, lat)]


def _in_zones(numbers: Sequence[float], order: str, systems: Sequence[str]) -> list[Reading]:
    """Readings with the northing first in `numbers`."""
    north, east = numbers
    if not 300_000 <= north <= 6_700_000:
        return []
    zones = [c for c in china_crs().values() if c.datum == "CGCS2000" and c.kind == "projected" and c.zone_width_deg]
    if east >= 13e6:
        zones = [c for c in zones if c.zone_prefix and c.zone_no == int(east // 1e6) and (c.zone_width_deg == 6) == (c.zone_no < 24)]
    elif 100_000 <= east <= 900_000:
        zones = [c for c in zones if not c.zone_prefix]
    else:
        return []
    notation, ranked = "zone" if east >= 13e6 else "plain", []
    wanted = {_meridian(s) for s in systems}
    for zone in zones:
        try:
            point = transform(np.array([shapely.Point(east, north)], dtype=object), f"EPSG:{zone.epsg}", CGCS2000)[0]
        except CrsError:
            continue
        if _in_china(point.x, point.y):
            own = (zone.central_meridian, zone.zone_width_deg) not in wanted
            ranked.append((own, zone.zone_width_deg == 6, zone.epsg, Reading(point.x, point.y, notation, order, f"EPSG:{zone.epsg}")))
    return [r for *_, r in sorted(ranked, key=lambda r: r[:3])]


def _meridian(system: str) -> tuple[float | None, float | None]:
    info: CrsInfo | None = china_crs().get(int(system.rpartition(":")[2])) if system.rpartition(":")[2].isdigit() else None
    return (info.central_meridian, info.zone_width_deg) if info else (None, None)


def _distinct(found: list[Reading]) -> list[Reading]:
    kept: list[Reading] = []
    for reading in found:
        if all(abs(reading.lon - k.lon) > 1e-7 or abs(reading.lat - k.lat) > 1e-7 for k in kept):
            kept.append(reading)
    return kept


def _in_china(lon: float, lat: float) -> bool:
    return 70.0 <= lon <= 140.0 and 0.0 <= lat <= 60.0


def _within(reading: Reading, box: Box, margin: float) -> bool:
    return box[0] - margin <= reading.lon <= box[2] + margin and box[1] - margin <= reading.lat <= box[3] + margin
