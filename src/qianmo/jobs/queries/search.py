"""Find rows by code, number, place, name or pinyin initials, and places by coordinates (查找)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from qianmo.geo.crs import CGCS2000, transform
from qianmo.jobs.queries.initials import initials
from qianmo.jobs.queries.layers import ShownLayer
from qianmo.jobs.queries.notation import readings
from qianmo.jobs.queries.tiles import bounds_lonlat
from qianmo.schema.desk import UNIT_TABLES

__all__ = ["FoundPlace", "place_of", "search"]

_SEARCHED = (
    "patch_id", "parcel_id", "zone_id", "redline_id", "patch_number", "village_name", "village_code", "location_name", "owner_name", "holder_name", "title_number", "zone_name",
    "redline_name", "subproject_id", "village", "name", "title_id", "lot_id",
)  # fmt: skip
"""Columns that are searched, the surest first."""

_NAMES = frozenset({"village_name", "location_name", "owner_name", "holder_name", "zone_name", "redline_name", "village", "name"})
"""Columns that are also searched by the initials of their pinyin."""

_LEAST = 2
"""Fewer letters are not taken for initials."""


@dataclass(frozen=True)
class FoundPlace:
    """One answer of a search (查找结果): the row it is, or a bare place where `layer` is ''; the middle and box in degrees.

    Of a place, `notation`, `order` and `system` say how its coordinates were read, see `qianmo.jobs.queries.notation.Reading`.
    """

    layer: str
    layer_zh: str
    row: int
    key: str
    text: str
    lon: float
    lat: float
    box: tuple[float, float, float, float]
    notation: str = ""
    order: str = ""
    system: str = ""


def search(layers: Sequence[ShownLayer], words: str, *, region: str = "", limit: int = 20, hidden: frozenset[str] = frozenset()) -> list[FoundPlace]:
    """Rows whose code, number or name holds the words or has their initials, whole matches first; or the places the words give (查找).

    Parameters
    ----------
    layers : sequence of ShownLayer
        The layers the viewer may see.
    words : str
        A code, a part of a name, initials of its pinyin (``dxc`` finds 东溪村), or coordinates as `readings` reads them:
        each reading that fits is an answer.
    limit : int
        Most answers.
    hidden : frozenset of str
        Columns of owners that the viewer may not see, and so may not search either.
    """
    asked = words.strip()
    if not asked:
        return []
    boxes = [b for s in layers if (b := bounds_lonlat(s.head)) is not None]
    places = readings(asked, systems=[s.dataset.crs for s in layers], boxes=boxes)
    if places:
        return [FoundPlace("", "", -1, f"{p.lon:.6f}, {p.lat:.6f}", "", p.lon, p.lat, (p.lon, p.lat, p.lon, p.lat), p.notation, p.order, p.system) for p in places]
    found: list[tuple[int, FoundPlace]] = []
    for shown in layers:
        found += _in_layer(shown, asked.lower(), region, limit, hidden if shown.dataset.kind not in UNIT_TABLES else frozenset())
    return [place for _, place in sorted(found, key=lambda f: f[0])[:limit]]


def place_of(shown: ShownLayer, row: int, *, text: str = "") -> FoundPlace:
    """Where a row lies: a point inside it, and its box, in degrees (要素位置)."""
    x0, y0, x1, y1 = shown.box[:, row]
    inner = shapely.point_on_surface(shown.geometry(np.array([row]))[0])
    drawn = np.array([shapely.Point(x0, y0), shapely.Point(x1, y1), inner], dtype=object)
    low, high, point = transform(drawn, shown.dataset.crs, CGCS2000)
    key = shown.coded(shown.key_column) if shown.key_column else None
    name = key.values[key.codes[row]] if key else str(row)
    return FoundPlace(shown.dataset.name, shown.dataset.zh, row, name, text, point.x, point.y, (low.x, low.y, high.x, high.y))


def _in_layer(shown: ShownLayer, asked: str, region: str, limit: int, hidden: frozenset[str]) -> list[tuple[int, FoundPlace]]:
    allowed = shown.in_region(region) if region else None
    rows: dict[int, tuple[int, str]] = {}
    for order, column in enumerate(n for n in _SEARCHED if n in shown.table.column_names and n not in hidden):
        coded = shown.coded(column)
        texts = shown.texts(column)
        match = texts.holding(asked)
        if column in _NAMES and len(asked) >= _LEAST and asked.isascii() and asked.isalpha():
            match = np.concatenate([match, [n for n, v in enumerate(_initials(shown, column)) if asked in v]]).astype(np.int64)
        if not len(match):
            continue
        wanted, whole = np.zeros((2, len(coded.values)), bool)
        wanted[match] = True
        whole[texts.equal(asked)] = True
        at = np.flatnonzero(wanted[coded.codes])
        at = at if allowed is None else at[allowed[at]]
        at = at[np.argsort(~whole[coded.codes[at]], kind="stable")][:limit]
        for row in at.tolist():
            rows.setdefault(row, (order + (0 if whole[coded.codes[row]] else 100), coded.values[coded.codes[row]]))
    best = sorted(rows.items(), key=lambda r: (r[1][0], r[0]))[:limit]
    return [(rank, place_of(shown, row, text=text)) for row, (rank, text) in best if np.isfinite(shown.box[:, row]).all()]


def _initials(shown: ShownLayer, column: str) -> tuple[str, ...]:
    key = ("initials", column)
    if key not in shown.made:
        shown.made[key] = initials(shown.coded(column).values)
    return shown.made[key]
