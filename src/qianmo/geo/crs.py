"""Chinese coordinate reference systems and safe transformation between them (坐标系)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import shapely

from qianmo.geo.datum import Helmert, datum_note, datum_of, movement, plain_crs, source_crs
from qianmo.geo.rings import Rings, not_finite, rings_of
from qianmo.schema.errors import CrsError
from qianmo.schema.shipped import shipped_rows

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = [
    "CGCS2000",
    "CrsInfo",
    "Helmert",
    "china_crs",
    "chinese_name",
    "datum_note",
    "datum_of",
    "is_metric",
    "lonlat",
    "lonlat_rings",
    "project_crs",
    "same_metric_crs",
    "source_crs",
    "transform",
    "transform_points",
]

CGCS2000 = 4490
"""EPSG code of geographic CGCS2000, in which all areas are computed."""

_DATUM_ZH = {"CGCS2000": "2000国家大地坐标系", "Xian80": "1980西安坐标系", "Beijing54": "1954北京坐标系", "NewBeijing": "新1954北京坐标系", "WGS84": "WGS 84坐标系"}

_REACH_M = 1.0e6
"""No data lie further from the central meridian of their zone: beyond, the zone or the axis order is wrong. [m]"""


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


@cache
def china_crs() -> dict[int, CrsInfo]:
    """All Chinese systems that ship, by EPSG code."""
    return {int(r["epsg"]): _info(r) for r in shipped_rows("codes", "crs")}


def chinese_name(epsg: int) -> str:
    """What an office calls a Chinese system (坐标系名称): datum, width of the zone, its number or its central meridian.

    Returns
    -------
    str
        '' where the code is no geographic or zoned system of ``codes/crs.csv``.

    Examples
    --------
    >>> chinese_name(4528)
    '2000国家大地坐标系 3度带 第40带'
    >>> chinese_name(4547)
    '2000国家大地坐标系 3度带 中央子午线东经114°'
    """
    found = china_crs().get(epsg)
    if found is None:
        return ""
    words = [_DATUM_ZH.get(found.datum, found.datum)]
    if found.zone_width_deg is None or found.central_meridian is None:
        return " ".join([*words, "经纬度"]) if found.kind == "geographic" else ""
    zone = f"第{found.zone_no}带" if found.zone_prefix and found.zone_no else f"中央子午线东经{found.central_meridian:g}°"
    return " ".join([*words, f"{found.zone_width_deg:g}度带", zone])


def transform(geoms: np.ndarray, source: Any, target: Any, *, helmert: Helmert | None = None) -> np.ndarray:
    """Geometries from one system to another, x east and y north (坐标转换).

    Parameters
    ----------
    geoms : ndarray of geometry, n
        In `source`; heights are dropped, missing geometries stay missing. [degree or m]
    source, target
        EPSG codes, WKT or CRS; a `source_crs` bound to its parameters brings them along.
    helmert : Helmert, optional
        Needed between Xi'an 1980 or Beijing 1954 and CGCS2000: PROJ has no safe operation for them. CGCS2000 and WGS 84
        are taken as one, and between equal datums the parameters are not used.

    Raises
    ------
    CrsError
        The datums differ and no parameters were given, the coordinates do not fit the system (zone number, axis order,
        degrees for metres), or cannot be transformed; the rows are named.
    TopologyError
        A coordinate is not finite; the rows are named.
    """
    move = movement(source, target, helmert)
    array = np.asarray(geoms, dtype=object)
    _refuse_misfit(array, plain_crs(source))
    if move is None:
        return array.copy()
    moved = shapely.transform(array, lambda points: np.column_stack(move(points[:, 0], points[:, 1])))
    _refuse_infinite(moved, array)
    _refuse_misfit(moved, plain_crs(target))
    return moved


def transform_points(
    x: np.ndarray, y: np.ndarray, source: Any, target: Any, *, helmert: Helmert | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates from one system to another, as `transform`; points that have no image come back infinite."""
    move = movement(source, target, helmert)
    return (x, y) if move is None else move(x, y)


def same_metric_crs(*frames: gpd.GeoDataFrame) -> pyproj.CRS:
    """The one projected CRS of all frames, in metres (同一投影坐标系).

    Raises
    ------
    CrsError
        A frame has none, is in degrees or feet, or they differ.
    """
    systems = [f.crs for f in frames]
    if not systems or any(s is None for s in systems):
        raise CrsError("a layer has no coordinate reference system", expected="a CRS", cure="set it on import (缺少坐标系)")
    first = systems[0]
    for s in systems:
        if not is_metric(s):
            raise CrsError(f"a layer is not in metres ({s.name})", expected="a projected CRS", cure="project it (请先投影)")
    if any(not s.equals(first, ignore_axis_order=True) for s in systems[1:]):
        raise CrsError("layers differ: " + ", ".join(sorted({s.to_string()[:40] for s in systems})), expected="one CRS")
    return first


def is_metric(crs: pyproj.CRS) -> bool:
    """Whether a CRS is projected and in metres (米制投影坐标系)."""
    return crs.is_projected and all(axis.unit_name in ("metre", "meter") for axis in crs.axis_info[:2])


def project_crs(lon: float, *, width: int = 3, prefix: bool = True) -> int:
    """EPSG code of the CGCS2000 Gauss-Krüger zone that holds a longitude (投影带).

    Parameters
    ----------
    lon : float
        Longitude; a zone holds its western edge. [degree]
    width : int
        3 or 6. [degree]
    prefix : bool
        Whether eastings start with the zone number.

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
    raise CrsError(
        f"longitude {lon:.4f} lies in no {width}-degree zone of China", expected="about 73 to 136 degrees east",
        cure="核对来源坐标系 (--crs); 中国以外的数据用 --project-crs 指定项目坐标系",
    )  # fmt: skip


def lonlat(frame: gpd.GeoDataFrame) -> np.ndarray:
    """Geometries of a frame in geographic CGCS2000, longitude first. [degree]

    Raises
    ------
    CrsError
        The frame has no CRS, or its datum needs parameters.
    """
    return transform(frame.geometry.to_numpy(), plain_crs(frame.crs), CGCS2000)


def lonlat_rings(frame: gpd.GeoDataFrame) -> Rings:
    """The rings of `lonlat` without building its geometries, at half the time (经纬度环). [degree]

    Raises
    ------
    CrsError
        The frame has no CRS, its datum needs parameters, or the coordinates do not fit it.
    TopologyError
        A coordinate is not finite; the rows are named.
    """
    crs, geoms = plain_crs(frame.crs), frame.geometry.to_numpy()
    move = movement(crs, CGCS2000)
    rings = rings_of(geoms)
    _refuse_misfit(geoms, crs)
    if move is None:
        return rings
    lon, lat = move(rings.xy[:, 0], rings.xy[:, 1])
    xy = np.column_stack([lon, lat])
    if not np.isfinite(xy).all():
        raise _lost(rings.rows_of_vertices(~np.isfinite(xy).all(axis=1)))
    return replace(rings, xy=xy)


def _refuse_misfit(array: np.ndarray, crs: pyproj.CRS) -> None:
    """Refuse degrees beyond the globe, and eastings that no data of the zone can have."""
    box = shapely.bounds(array)
    if crs.is_geographic:
        bad = (np.abs(box[:, [1, 3]]) > 90.0).any(axis=1) | (np.abs(box[:, [0, 2]]) > 360.0).any(axis=1)
        expected = "longitude and latitude in degrees"
    else:
        false_easting = _transverse_easting(crs)
        if false_easting is None:
            return
        bad = (np.abs(box[:, [0, 2]] - false_easting) > _REACH_M).any(axis=1)
        expected = f"eastings about {false_easting:.0f}, x east and y north"
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise CrsError(
            f"rows {np.flatnonzero(bad)[:10].tolist()} do not lie in {crs.name}: x {box[row, 0]:.6g}, y {box[row, 1]:.6g}",
            expected=expected, cure="check zone number, axis order and CRS (请检查带号、坐标轴次序与坐标系)",
        )  # fmt: skip


def _transverse_easting(crs: pyproj.CRS) -> float | None:
    operation = (crs.source_crs or crs).coordinate_operation if crs.is_bound else crs.coordinate_operation
    if operation is None or "Transverse Mercator" not in operation.method_name:
        return None
    return next((float(p.value) * p.unit_conversion_factor for p in operation.params if p.name == "False easting"), None)


def _refuse_infinite(moved: np.ndarray, array: np.ndarray) -> None:
    bad = _not_finite(moved)
    if not len(bad):
        return
    broken = _not_finite(array)
    if len(broken):
        raise not_finite(broken)
    raise _lost(bad)


def _lost(rows: np.ndarray) -> CrsError:
    return CrsError(
        f"coordinates of rows {rows[:10].tolist()} cannot be transformed", expected="coordinates inside the area of the CRS",
        cure="check zone number, axis order and CRS (坐标无法转换)",
    )  # fmt: skip


def _not_finite(array: np.ndarray) -> np.ndarray:
    points, rows = shapely.get_coordinates(array, return_index=True)
    finite = np.isfinite(points)
    return np.unique(rows[~finite.all(axis=1)]) if not finite.all() else np.empty(0, np.int64)


def _info(r: dict[str, str]) -> CrsInfo:
    def number(key: str) -> float | None:
        return float(r[key]) if r[key] else None

    zone = number("zone_no")
    return CrsInfo(
        int(r["epsg"]), r["name"], r["datum"], r["kind"], number("zone_width_deg"), int(zone) if zone is not None else None,
        number("central_meridian"), number("false_easting"), r["zone_prefix"] == "1", number("lon_min"), number("lon_max"),
    )  # fmt: skip
