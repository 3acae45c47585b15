"""Chinese coordinate reference systems and safe transformation between them (坐标系)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import pyproj.transformer
import shapely

from qianmo.schema.errors import CrsError
from qianmo.schema.shipped import shipped_rows

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = [
    "CGCS2000",
    "CrsInfo",
    "Helmert",
    "china_crs",
    "datum_note",
    "datum_of",
    "lonlat",
    "project_crs",
    "same_metric_crs",
    "source_crs",
    "transform",
    "transform_points",
]

CGCS2000 = 4490
"""EPSG code of geographic CGCS2000, in which all areas are computed."""

Movement = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

_DATUMS = (
    ("CGCS2000", ("china 2000", "china_2000", "cgcs2000", "cgcs 2000", "china geodetic coordinate system 2000")),
    ("Xian80", ("xian 1980", "xian_1980", "xian80")),
    ("Beijing54", ("beijing 1954", "beijing_1954", "new beijing", "new_beijing")),
    ("WGS84", ("world geodetic system 1984", "wgs_1984", "wgs 84", "wgs84", "wgs 1984")),
)
_IDENTICAL = frozenset(("CGCS2000", "WGS84"))


@dataclass(frozen=True)
class CrsInfo:
    """One row of ``codes/crs.csv``: a Chinese system with its zone (坐标系条目)."""

    epsg: int
    name: str
    datum: str
    kind: str
    zone_width_deg: float | None
    zone_no: int | None
    central_meridian: float | None
    false_easting: float | None
    zone_prefix: bool
    lon_min: float | None
    lon_max: float | None


@dataclass(frozen=True)
class Helmert:
    """Datum shift to WGS 84 / CGCS2000 in position-vector convention (三参数、七参数).

    `dx`, `dy`, `dz` in metres, `rx`, `ry`, `rz` in arc-seconds, `scale_ppm` in parts per million; `source` says who
    determined the parameters and `accuracy_m` how good they are. They are the user's: none ships.
    """

    dx: float
    dy: float
    dz: float
    rx: float = 0.0
    ry: float = 0.0
    rz: float = 0.0
    scale_ppm: float = 0.0
    source: str = ""
    accuracy_m: float | None = None


@cache
def china_crs() -> dict[int, CrsInfo]:
    """All Chinese systems that ship, by EPSG code."""
    return {int(r["epsg"]): _info(r) for r in shipped_rows("codes", "crs")}


def source_crs(crs: Any) -> pyproj.CRS:
    """A CRS from a code, WKT or CRS.

    Raises
    ------
    CrsError
        The text names no system.
    """
    try:
        return pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError as error:
        raise CrsError(f"no coordinate reference system: {str(crs)[:80]!r} ({error})", expected="an EPSG code or WKT") from None


def datum_of(crs: Any) -> str:
    """CGCS2000, Xian80, Beijing54, WGS84, or the datum's own name (基准)."""
    found = pyproj.CRS.from_user_input(crs)
    named = [getattr(found.datum, "name", ""), getattr(found.geodetic_crs, "name", ""), found.name]
    if found.datum is not None and found.datum.type_name == "Datum Ensemble" and "1984" in found.datum.name:
        return "WGS84"
    for text in named:
        for datum, words in _DATUMS:
            if any(w in (text or "").lower() for w in words):
                return datum
    return str(named[0] or "unknown")


def datum_note(source: Any, target: Any) -> str:
    """A line for the lineage where two datums are taken as one (CGCS2000 and WGS 84 agree below a metre), else ''."""
    pair = {datum_of(source), datum_of(target)}
    return "CGCS2000 与 WGS 84 视为一致 (差异小于 1 m)" if len(pair) == 2 and pair <= _IDENTICAL else ""


def transform(geoms: np.ndarray, source: Any, target: Any, *, helmert: Helmert | None = None) -> np.ndarray:
    """Geometries from one system to another, x east and y north (坐标转换).

    Parameters
    ----------
    geoms : ndarray of geometry, n
        In `source`. [degree or m]
    source, target
        EPSG codes, WKT or CRS.
    helmert : Helmert, optional
        Needed between Xi'an 1980 or Beijing 1954 and CGCS2000: PROJ has no safe operation for them.

    Raises
    ------
    CrsError
        The datums differ and no parameters were given, or a coordinate cannot be transformed.
    """
    move = _movement(source, target, helmert)
    array = np.asarray(geoms, dtype=object)
    if move is None:
        return array.copy()
    moved = shapely.transform(array, lambda points: np.column_stack(move(points[:, 0], points[:, 1])))
    _refuse_infinite(moved)
    return moved


def transform_points(x: np.ndarray, y: np.ndarray, source: Any, target: Any, *, helmert: Helmert | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates from one system to another, as `transform`; points that have no image come back infinite."""
    move = _movement(source, target, helmert)
    return (x, y) if move is None else move(x, y)


def same_metric_crs(*frames: gpd.GeoDataFrame) -> pyproj.CRS:
    """The one projected CRS of all frames.

    Raises
    ------
    CrsError
        A frame has none, is in degrees, or they differ.
    """
    systems = [f.crs for f in frames]
    if any(s is None for s in systems):
        raise CrsError("a layer has no coordinate reference system", expected="a projected CRS in metres", cure="set it on import")
    first = systems[0]
    if any(not s.is_projected for s in systems):
        raise CrsError(f"a layer is in degrees ({first.name})", expected="a projected CRS in metres")
    if any(s != first for s in systems[1:]):
        raise CrsError("layers differ: " + ", ".join(sorted({s.to_string()[:40] for s in systems})), expected="one CRS")
    return first


def project_crs(lon: float, *, width: int = 3, prefix: bool = True) -> int:
    """EPSG code of the CGCS2000 Gauss-Krüger zone that holds a longitude (投影带).

    Raises
    ------
    CrsError
        No zone of China holds it.
    """
    for info in china_crs().values():
        if (
            info.datum == "CGCS2000" and info.zone_width_deg == width and info.zone_prefix == prefix
            and info.central_meridian is not None and -width / 2 <= lon - info.central_meridian < width / 2
        ):  # fmt: skip
            return info.epsg
    raise CrsError(f"longitude {lon:.4f} lies in no {width}-degree zone of China", expected="about 73 to 136 degrees east")


def lonlat(frame: gpd.GeoDataFrame) -> np.ndarray:
    """Geometries of a frame in geographic CGCS2000, longitude first. [degree]

    Raises
    ------
    CrsError
        The frame has no CRS, or its datum needs parameters.
    """
    if frame.crs is None:
        raise CrsError("the layer has no coordinate reference system", cure="set it on import")
    return transform(frame.geometry.to_numpy(), frame.crs, CGCS2000)


def _movement(source: Any, target: Any, helmert: Helmert | None) -> Movement | None:
    start, end = source_crs(source), source_crs(target)
    a, b = datum_of(start), datum_of(end)
    if a != b and not {a, b} <= _IDENTICAL and helmert is not None and ({a, b} & _IDENTICAL):
        return _shifted(start, end, helmert, inverse=a in _IDENTICAL)
    if a != b and not {a, b} <= _IDENTICAL and ({a, b} & {"Xian80", "Beijing54"} or not {a, b} & _IDENTICAL):
        raise CrsError(
            f"{a} to {b} needs local parameters; a null shift would be wrong by tens to more than 100 m",
            expected="3 or 7 parameters with their source", cure="give --helmert dx,dy,dz[,rx,ry,rz,ppm] (请提供当地三参数或七参数)",
        )  # fmt: skip
    if start.equals(end, ignore_axis_order=True):
        return None
    if a != b and not {a, b} <= _IDENTICAL:
        return _checked(start, end).transform
    return pyproj.Transformer.from_crs(start, end, always_xy=True).transform


def _shifted(start: pyproj.CRS, end: pyproj.CRS, h: Helmert, *, inverse: bool) -> Movement:
    """Unproject, shift between the geocentres of the two ellipsoids, project: PROJ is never asked for a datum step."""
    first, last = _geographic(start), _geographic(end)
    before = pyproj.Transformer.from_crs(start, first, always_xy=True)
    after = pyproj.Transformer.from_crs(last, end, always_xy=True)
    middle = pyproj.Transformer.from_pipeline(
        f"+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=cart {_ellipsoid(first)}"
        f" +step {'+inv ' if inverse else ''}+proj=helmert +x={h.dx} +y={h.dy} +z={h.dz} +rx={h.rx} +ry={h.ry} +rz={h.rz}"
        f" +s={h.scale_ppm} +convention=position_vector +step +inv +proj=cart {_ellipsoid(last)}"
        " +step +proj=unitconvert +xy_in=rad +xy_out=deg"
    )

    def move(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        lon, lat = before.transform(x, y)
        lon, lat, _ = middle.transform(lon, lat, np.zeros_like(lon))
        return after.transform(lon, lat)

    return move


def _ellipsoid(crs: pyproj.CRS) -> str:
    found = crs.ellipsoid
    if found is None:
        raise CrsError(f"{crs.name} names no ellipsoid")
    return f"+a={found.semi_major_metre!r} +rf={found.inverse_flattening!r}"


def _checked(start: pyproj.CRS, end: pyproj.CRS) -> pyproj.Transformer:
    group = pyproj.transformer.TransformerGroup(start, end, always_xy=True, allow_ballpark=False)
    if not group.transformers or group.transformers[0].accuracy < 0:
        raise CrsError(f"no safe operation from {start.name} to {end.name}", cure="give the parameters with --helmert")
    return group.transformers[0]


def _geographic(crs: pyproj.CRS) -> pyproj.CRS:
    found = crs.geodetic_crs
    if found is None:
        raise CrsError(f"{crs.name} has no geographic base")
    return found


def _refuse_infinite(moved: np.ndarray) -> None:
    points, rows = shapely.get_coordinates(moved, return_index=True)
    bad = np.unique(rows[~np.isfinite(points).all(axis=1)])
    if len(bad):
        raise CrsError(f"coordinates of rows {bad[:10].tolist()} cannot be transformed", expected="coordinates inside the area of the CRS")


def _info(r: dict[str, str]) -> CrsInfo:
    def number(key: str) -> float | None:
        return float(r[key]) if r[key] else None

    zone = number("zone_no")
    return CrsInfo(
        int(r["epsg"]), r["name"], r["datum"], r["kind"], number("zone_width_deg"), int(zone) if zone is not None else None,
        number("central_meridian"), number("false_easting"), r["zone_prefix"].lower() in ("1", "yes", "true", "y"),
        number("lon_min"), number("lon_max"),
    )  # fmt: skip
