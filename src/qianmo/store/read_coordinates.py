"""Which columns of a table hold coordinates, and what their numbers say (坐标列识别)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from qianmo.schema.errors import UnsafeInputError

__all__ = ["CoordinateColumns", "coordinate_columns", "number_of"]

_WORDS = {
    "lon": "lon lng long longitude 经度 东经 大地经度",
    "lat": "lat latitude 纬度 北纬 大地纬度",
    "east": "easting east 东坐标 横坐标 横坐标y y横坐标 东 东向坐标 y东 x东 y横 e坐标",
    "north": "northing north 北坐标 纵坐标 纵坐标x x纵坐标 北 北向坐标 x北 y北 x纵 n坐标",
    "x": "x x坐标 坐标x pointx xcoord coordx 拐点x 界址点x xm",
    "y": "y y坐标 坐标y pointy ycoord coordy 拐点y 界址点y ym",
    "plot": "地块号 地块编号 地块编码 地块代码 宗地号 宗地代码 图斑号 图斑编号 地块名称 地块 宗地 "
    "plot plotid parcel parcelid polygonid dkbm dkbh tbbh zddm",
    "ring": "圈号 环号 部件号 ring ringid 圈",
    "point": "点号 界址点号 界址点编号 点序号 拐点号 拐点编号 point pointno pointid jzdh 顶点号",
    "wkt": "wkt geometrywkt geomwkt thegeom geometry geom",
}
_ROLE = {word: role for role, words in _WORDS.items() for word in words.split()}
_NOISE = re.compile(r"[\s_\-/\\:：*]|[(（\[【]\s*(m|米|°|度|degrees?|deg|cgcs2000|wgs84|2000|单位.*?)\s*[)）\]】]", re.IGNORECASE)
_BRACKETS = re.compile(r"[()（）\[\]【】]")
_DMS = re.compile(
    r"^\s*(-?\d{1,3})\s*[°度d]\s*(\d{1,2})\s*[′'分m]\s*(\d{1,2}(?:\.\d+)?)\s*[″\"秒s]?\s*([NSEW]?)\s*$", re.IGNORECASE
)


@dataclass(frozen=True)
class CoordinateColumns:
    """Positions of the columns by role (坐标列); None where absent. `kind` is 'lonlat', 'eastnorth', 'xy', 'wkt' or ''."""

    kind: str
    first: int | None = None
    second: int | None = None
    plot: int | None = None
    ring: int | None = None
    point: int | None = None


def coordinate_columns(header: Sequence[str]) -> CoordinateColumns:
    """Roles of the columns of one header (识别坐标列).

    Returns
    -------
    CoordinateColumns
        `first` runs east (lon, easting, x), `second` north; `kind` is '' where no pair is found.

    Raises
    ------
    UnsafeInputError
        Two columns claim the same coordinate.
    """
    found: dict[str, int] = {}
    for at, name in enumerate(header):
        role = _ROLE.get(_BRACKETS.sub("", _NOISE.sub("", name)).casefold())
        if role in found and role in ("lon", "lat", "east", "north", "x", "y"):
            raise UnsafeInputError(
                f"columns {header[found[role]]!r} and {name!r} both look like {role}",
                expected="one column a coordinate",
                cure="rename or delete one of them 坐标列重复，请改名或删除",
            )
        if role:
            found.setdefault(role, at)
    for kind, first, second in (("lonlat", "lon", "lat"), ("eastnorth", "east", "north"), ("xy", "x", "y")):
        if first in found and second in found:
            return CoordinateColumns(kind, found[first], found[second], found.get("plot"), found.get("ring"), found.get("point"))
    return CoordinateColumns("wkt", found["wkt"]) if "wkt" in found else CoordinateColumns("")


def number_of(text: str | None, where: str) -> float:
    """Number of one cell: decimal, or degrees-minutes-seconds; NaN for a blank (坐标数值).

    Raises
    ------
    UnsafeInputError
        Not a number, a decimal comma, or not finite.
    """
    bare = (text or "").strip().removeprefix("'")
    if not bare:
        return math.nan
    if dms := _DMS.match(bare):
        degrees, minutes, seconds = abs(float(dms[1])), float(dms[2]), float(dms[3])
        sign = -1.0 if dms[1].startswith("-") or dms[4].upper() in ("S", "W") else 1.0
        if minutes < 60 and seconds < 60:
            return sign * (degrees + minutes / 60 + seconds / 3600)
    try:
        value = float(bare) if "_" not in bare else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        cure = (
            "write the decimal point as . 小数点请用 ." if re.fullmatch(r"-?\d+,\d+", bare) else "correct the cell 请改正该单元格"
        )
        raise UnsafeInputError(
            f"{where}: {bare[:40]!r} is no coordinate", expected="a finite decimal number or 118°30′15.2″", cure=cure
        )
    return value
