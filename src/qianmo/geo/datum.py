"""Datums of China and the one safe step between two of them (大地基准与参数转换)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyproj
import pyproj.network
from pyproj.crs import BoundCRS, CoordinateOperation
from pyproj.transformer import AreaOfInterest, TransformerGroup

from qianmo.schema.errors import CrsError

__all__ = ["Helmert", "Movement", "datum_note", "datum_of", "movement", "plain_crs", "source_crs"]

Movement = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Carries x east and y north (or longitude and latitude) from one system to another."""

_NAMES = (
    ("CGCS2000", ("china 2000", "china_2000", "cgcs2000", "cgcs 2000", "china geodetic coordinate system 2000")),
    ("Xian80", ("xian 1980", "xian_1980", "xian80")),
    ("NewBeijing", ("new beijing", "new_beijing")),
    ("Beijing54", ("beijing 1954", "beijing_1954")),
    ("WGS84", ("world geodetic system 1984", "wgs_1984", "wgs 84", "wgs84", "wgs 1984")),
)
_IDENTICAL = frozenset(("CGCS2000", "WGS84"))
_LOCAL = frozenset(("Xian80", "Beijing54", "NewBeijing"))
_ARC_SECOND = {"type": "AngularUnit", "name": "arc-second", "conversion_factor": 4.84813681109536e-06}
_OPERATION = "Parameters given by the user"
_PPM = {"type": "ScaleUnit", "name": "parts per million", "conversion_factor": 1e-06}


@dataclass(frozen=True)
class Helmert:
    """Datum shift to CGCS2000 (or WGS 84) in position-vector convention (三参数、七参数).

    `dx`, `dy`, `dz` in metres, `rx`, `ry`, `rz` in arc-seconds, `scale_ppm` in parts per million; `source` says who
    determined the parameters and `accuracy_m` how good they are [m]. They are the user's: none ships. Parameters in
    the coordinate-frame convention need the signs of the three rotations turned.
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


def source_crs(crs: Any, helmert: Helmert | None = None) -> pyproj.CRS:
    """A CRS from a code, WKT or CRS; with parameters, bound to CGCS2000 by them (源坐标系).

    Notes
    -----
    The bound CRS keeps the parameters with the data, and `qianmo.geo.crs.transform` reads them from it. Raster
    libraries drop a binding whenever the target is CGCS2000 and then shift nothing: warp rasters with
    `qianmo.geo.grid.resampled`.

    Raises
    ------
    CrsError
        The text names no system, or parameters are given for a system that has none to take.
    """
    found = plain_crs(crs)
    if helmert is None:
        return found
    base, _ = _unbound(found)
    if datum_of(base) in _IDENTICAL:
        raise CrsError(f"{base.name} is on {datum_of(base)}", expected="an older datum", cure="leave them out (不需要参数)")
    hub = pyproj.CRS.from_epsg(4490)
    return BoundCRS(base, hub, CoordinateOperation.from_json_dict(_operation(_geographic(base), hub, helmert)))


def plain_crs(crs: Any) -> pyproj.CRS:
    """A CRS from a code, WKT or CRS, as it stands.

    Raises
    ------
    CrsError
        The text names no system.
    """
    if crs is None:
        raise CrsError("no coordinate reference system", expected="an EPSG code or WKT", cure="set it on import (缺少坐标系)")
    try:
        return _named_crs(crs) if isinstance(crs, str | int) else pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError as error:
        raise CrsError(f"no coordinate reference system: {str(crs)[:80]!r} ({error})", expected="an EPSG code or WKT") from None


@lru_cache(maxsize=64)
def _named_crs(crs: str | int) -> pyproj.CRS:
    """A CRS by code or text, made once: making one takes longer than moving a point."""
    return pyproj.CRS.from_user_input(crs)


def datum_of(crs: Any) -> str:
    """CGCS2000, Xian80, Beijing54, NewBeijing, WGS84, or the datum's own name (基准)."""
    base, _ = _unbound(plain_crs(crs))
    names = [base.datum.name if base.datum else "", base.geodetic_crs.name if base.geodetic_crs else ""]
    for text in names:
        for datum, words in _NAMES:
            if any(word in text.lower() for word in words):
                return datum
    return names[0] or "unknown"


def datum_note(source: Any, target: Any) -> str:
    """A line for the lineage where two datums are taken as one (CGCS2000 and WGS 84 agree below a metre), else ''."""
    pair = {datum_of(source), datum_of(target)}
    return "CGCS2000 与 WGS 84 视为一致 (差异小于 1 m)" if len(pair) == 2 and pair <= _IDENTICAL else ""


def movement(source: Any, target: Any, helmert: Helmert | None = None) -> Movement | None:
    """The way from one system to another, None where they are the same (转换步骤).

    Unproject, change the datum, project: PROJ is asked for a datum change only between datums that are none of China's,
    and then never for a ballpark one.

    Raises
    ------
    CrsError
        The datum change needs parameters that were not given, or PROJ knows no safe operation.
    """
    pyproj.network.set_network_enabled(active=False)
    if helmert is None and isinstance(source, str | int) and isinstance(target, str | int):
        return _named_movement(source, target)
    return _movement(source, target, helmert)


@lru_cache(maxsize=64)
def _named_movement(source: str | int, target: str | int) -> Movement | None:
    return _movement(source, target, None)


def _movement(source: Any, target: Any, helmert: Helmert | None) -> Movement | None:
    (start, carried), (end, carried_end) = _unbound(plain_crs(source)), _unbound(plain_crs(target))
    a, b = datum_of(start), datum_of(end)
    if start.equals(end, ignore_axis_order=True):
        return None
    if a == b or {a, b} <= _IDENTICAL:
        return _chain(start, end, None)
    shift = helmert or carried or carried_end
    if shift is None and not {a, b} & _LOCAL:
        return _by_proj(start, end)
    if shift is None or not {a, b} & _IDENTICAL:
        raise CrsError(
            f"{a} to {b} needs local parameters; a null shift would be wrong by tens to more than 100 m",
            expected="3 or 7 parameters with their source" if shift is None else "CGCS2000 on one side",
            cure="give --helmert dx,dy,dz[,rx,ry,rz,ppm] (请提供当地三参数或七参数)",
        )  # fmt: skip
    return _chain(start, end, _shift(_geographic(start), _geographic(end), shift, inverse=a in _IDENTICAL))


def _chain(start: pyproj.CRS, end: pyproj.CRS, middle: Movement | None) -> Movement:
    before = _within(start, _geographic(start))
    after = _within(_geographic(end), end)
    steps = [step for step in (before, middle, after) if step is not None]

    def move(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        for step in steps:
            x, y = step(x, y)
        return x, y

    return move


def _within(start: pyproj.CRS, end: pyproj.CRS) -> Movement | None:
    """From a projection to its own geographic base or back: no datum is touched."""
    if start.equals(end, ignore_axis_order=True):
        return None
    return pyproj.Transformer.from_crs(start, end, always_xy=True).transform


def _shift(first: pyproj.CRS, last: pyproj.CRS, h: Helmert, *, inverse: bool) -> Movement:
    """Degrees to degrees through the geocentre, at height 0 above each ellipsoid."""
    text = (
        f"+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=cart {_ellipsoid(first)}"
        f" +step {'+inv ' if inverse else ''}+proj=helmert +x={h.dx!r} +y={h.dy!r} +z={h.dz!r}"
        f" +rx={h.rx!r} +ry={h.ry!r} +rz={h.rz!r} +s={h.scale_ppm!r} +convention=position_vector"
        f" +step +inv +proj=cart {_ellipsoid(last)} +step +proj=unitconvert +xy_in=rad +xy_out=deg"
    )
    pipeline = pyproj.Transformer.from_pipeline(text)

    def move(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        lon, lat, _ = pipeline.transform(lon, lat, np.zeros_like(np.asarray(lon, dtype=float)))
        return lon, lat

    return move


def _by_proj(start: pyproj.CRS, end: pyproj.CRS) -> Movement:
    """Between datums outside China: PROJ's best operation for the place, WGS 84 standing in for CGCS2000."""
    wgs84 = pyproj.CRS.from_epsg(4326)
    first = wgs84 if datum_of(start) in _IDENTICAL else _geographic(start)
    last = wgs84 if datum_of(end) in _IDENTICAL else _geographic(end)

    def middle(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return _best(first, last, np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)).transform(lon, lat)

    _best(first, last, np.empty(0), np.empty(0))
    return _chain(start, end, middle)


def _best(first: pyproj.CRS, last: pyproj.CRS, lon: np.ndarray, lat: np.ndarray) -> pyproj.Transformer:
    sound = np.isfinite(lon) & np.isfinite(lat)
    lon, lat = lon[sound], lat[sound]
    area = AreaOfInterest(lon.min(), lat.min(), lon.max(), lat.max()) if len(lon) and np.abs(lon).max() <= 180 else None
    group = TransformerGroup(first, last, always_xy=True, allow_ballpark=False, area_of_interest=area)
    if not group.transformers or group.transformers[0].accuracy < 0:
        raise CrsError(
            f"no safe operation from {first.name} to {last.name}", expected="an operation of known accuracy",
            cure="give the parameters with --helmert (请提供转换参数)",
        )  # fmt: skip
    return group.transformers[0]


def _unbound(crs: pyproj.CRS) -> tuple[pyproj.CRS, Helmert | None]:
    """The flat system without its binding, and the parameters of the binding if they are ours to use."""
    if not crs.is_bound:
        return (crs.to_2d() if len(crs.axis_info) > 2 or crs.is_compound else crs), None
    base, operation = crs.source_crs, crs.coordinate_operation
    if base is None or operation is None:
        raise CrsError(f"{crs.name} is bound to nothing", expected="a plain CRS")
    values = list(operation.towgs84) or [0.0] * 7
    if datum_of(base) in _LOCAL and operation.name != _OPERATION:
        raise CrsError(
            f"{base.name} carries {values} of unknown origin", expected="local parameters with their source",
            cure="confirm them with --helmert, or take the county's own (文件自带的转换参数来源不明, 请确认)",
        )  # fmt: skip
    dx, dy, dz, rx, ry, rz, ppm = values
    return base, Helmert(dx, dy, dz, rx, ry, rz, ppm, source=operation.name) if any(values) else None



def _operation(base: pyproj.CRS, hub: pyproj.CRS, h: Helmert) -> dict[str, Any]:
    rows: list[tuple[str, float, Any, int]] = [
        ("X-axis translation", h.dx, "metre", 8605), ("Y-axis translation", h.dy, "metre", 8606),
        ("Z-axis translation", h.dz, "metre", 8607), ("X-axis rotation", h.rx, _ARC_SECOND, 8608),
        ("Y-axis rotation", h.ry, _ARC_SECOND, 8609), ("Z-axis rotation", h.rz, _ARC_SECOND, 8610),
        ("Scale difference", h.scale_ppm, _PPM, 8611),
    ]  # fmt: skip
    return {
        "type": "Transformation",
        "name": _OPERATION,
        "source_crs": base.to_json_dict(),
        "target_crs": hub.to_json_dict(),
        "method": {"name": "Position Vector transformation (geog2D domain)", "id": {"authority": "EPSG", "code": 9606}},
        "parameters": [{"name": n, "value": v, "unit": u, "id": {"authority": "EPSG", "code": c}} for n, v, u, c in rows],
    }


def _ellipsoid(crs: pyproj.CRS) -> str:
    found = crs.ellipsoid
    if found is None:
        raise CrsError(f"{crs.name} names no ellipsoid", expected="a geographic CRS")
    return f"+a={found.semi_major_metre!r} +rf={found.inverse_flattening!r}"


def _geographic(crs: pyproj.CRS) -> pyproj.CRS:
    found = crs.geodetic_crs
    if found is None:
        raise CrsError(f"{crs.name} has no geographic base", expected="a geographic or projected CRS")
    return found
