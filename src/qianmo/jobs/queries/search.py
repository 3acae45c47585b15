"""Find rows by code, number, place or name, and places by coordinates (查找)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from qianmo.geo.crs import CGCS2000, china_crs, transform
from qianmo.jobs.queries.layers import ShownLayer
from qianmo.schema.errors import CrsError

__all__ = ["FoundPlace", "coordinates", "place_of", "search"]

_SEARCHED = (
    "patch_id", "parcel_id", "zone_id", "redline_id", "patch_number", "village_name", "village_code", "location_name", "owner_name", "holder_name", "title_number", "zone_name",
    "redline_name", "subproject_id", "village", "name", "title_id", "lot_id",
)  # fmt: skip
"""Columns that are searched, the surest first."""

_NUMBER = r"[-+]?\d+(?:\.\d+)?"
_ANGLE = re.compile(rf"({_NUMBER})\s*[°度]\s*(?:({_NUMBER})\s*[′'分]\s*)?(?:({_NUMBER})\s*[″\"秒]\s*)?([NSEWnsew东西南北]?)")


@dataclass(frozen=True)
class FoundPlace:
    """One answer of a search (查找结果): the row it is, or a bare place where `layer` is ''; the middle and box in degrees."""

    layer: str
    layer_zh: str
    row: int
    key: str
    text: str
    lon: float
    lat: float
    box: tuple[float, float, float, float]


def search(layers: Sequence[ShownLayer], words: str, *, region: str = "", limit: int = 20) -> list[FoundPlace]:
    """Rows whose code, number or name holds the words, whole matches first; or the place the words give (查找).

    Parameters
    ----------
    layers : sequence of ShownLayer
        The layers the viewer may see.
    words : str
        A code, a part of a name, or coordinates as `coordinates` reads them.
    limit : int
        Most answers.
    """
    asked = words.strip()
    if not asked:
        return []
    place = coordinates(asked, [s.dataset.crs for s in layers])
    if place is not None:
        lon, lat = place
        return [FoundPlace("", "", -1, f"{lon:.6f}, {lat:.6f}", "", lon, lat, (lon, lat, lon, lat))]
    found: list[tuple[int, FoundPlace]] = []
    for shown in layers:
        found += _in_layer(shown, asked.lower(), region, limit)
    return [place for _, place in sorted(found, key=lambda f: f[0])[:limit]]


def coordinates(words: str, systems: Sequence[str] = ()) -> tuple[float, float] | None:
    """Longitude and latitude that words give, in any usual notation; None where they are no coordinates (坐标识别).

    Degrees with decimals in either order, degrees with minutes and seconds with or without N/E/东/北, and eastings and
    northings of a Chinese zone: with a zone number in front, or in one of `systems`.
    """
    angles = _ANGLE.findall(words)
    if len(angles) == 2:
        values = [float(d) + float(m or 0) / 60 + float(s or 0) / 3600 for d, m, s, _ in angles]
        return _lonlat(values[0], values[1])
    numbers = [float(n) for n in re.findall(_NUMBER, words)]
    if len(numbers) != 2 or re.sub(_NUMBER, "", words).strip(" ,;，；、\txyXYenENLBlb=:：()（）东经北纬°") or not re.search(r"[\s,;，；、]", words.strip()):
        return None
    if max(abs(n) for n in numbers) <= 180.0:
        return _lonlat(*numbers)
    return _projected(numbers, systems)


def place_of(shown: ShownLayer, row: int, *, text: str = "") -> FoundPlace:
    """Where a row lies: a point inside it, and its box, in degrees (要素位置)."""
    x0, y0, x1, y1 = shown.box[:, row]
    inner = shapely.point_on_surface(shown.geometry(np.array([row]))[0])
    drawn = np.array([shapely.Point(x0, y0), shapely.Point(x1, y1), inner], dtype=object)
    low, high, point = transform(drawn, shown.dataset.crs, CGCS2000)
    key = shown.coded(shown.key_column) if shown.key_column else None
    name = key.values[key.codes[row]] if key else str(row)
    return FoundPlace(shown.dataset.name, shown.dataset.zh, row, name, text, point.x, point.y, (low.x, low.y, high.x, high.y))


def _lonlat(a: float, b: float) -> tuple[float, float] | None:
    lon, lat = (a, b) if a > b else (b, a)
    return (lon, lat) if 70.0 <= lon <= 140.0 and 0.0 <= lat <= 60.0 else None


def _projected(numbers: list[float], systems: Sequence[str]) -> tuple[float, float] | None:
    north, east = sorted(numbers)
    if east < 1e6:
        north, east = east if east > north and east > 1e6 else max(numbers), min(numbers)
    codes = [f"EPSG:{c.epsg}" for c in china_crs().values() if c.datum == "CGCS2000" and c.zone_prefix and c.zone_no == int(east // 1e6) and c.zone_width_deg == 3]
    for code in [*codes, *dict.fromkeys(systems)]:
        try:
            point = transform(np.array([shapely.Point(east, north)], dtype=object), code, CGCS2000)[0]
        except CrsError:
            continue
        found = _lonlat(point.x, point.y)
        if found is not None:
            return found
    return None


def _in_layer(shown: ShownLayer, asked: str, region: str, limit: int) -> list[tuple[int, FoundPlace]]:
    allowed = shown.in_region(region) if region else None
    rows: dict[int, tuple[int, str]] = {}
    for order, column in enumerate(n for n in _SEARCHED if n in shown.table.column_names):
        coded = shown.coded(column)
        match = [n for n, v in enumerate(coded.values) if asked in v.lower()]
        if not match:
            continue
        whole = {n for n in match if coded.values[n].lower() == asked}
        at = np.flatnonzero(np.isin(coded.codes, match))
        at = at if allowed is None else at[allowed[at]]
        exact = np.isin(coded.codes[at], list(whole))
        at = at[np.argsort(~exact, kind="stable")][:limit]
        for row in at.tolist():
            rows.setdefault(row, (order + (0 if coded.codes[row] in whole else 100), coded.values[coded.codes[row]]))
    best = sorted(rows.items(), key=lambda r: (r[1][0], r[0]))[:limit]
    return [(rank, place_of(shown, row, text=text)) for row, (rank, text) in best if np.isfinite(shown.box[:, row]).all()]


