"""Ways to read coordinates: every reference system in use in China, placed on the globe (坐标读法)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pyproj
from pyproj.exceptions import CRSError, ProjError

from qianmo.schema.shipped import shipped_rows

__all__ = ["Reading", "declared_reading", "lonlat_of", "readings"]

_UTM_ZONES = range(43, 54)
_UTM_SCALE = 0.9996
_ALIKE = 1e-6


@dataclass(frozen=True)
class Reading:
    """One reference system as a way to read coordinates (一种坐标读法).

    `kind` is geographic, transverse (Gauss-Krüger and UTM), mercator or foreign (declared, not in our list; `crs` says how).
    `prefix` is the zone number in front of the easting, 0 where there is none; longitudes in degrees, `false_easting` in m.
    """

    name: str
    epsg: int
    datum: str
    kind: str
    a: float = 6378137.0
    inverse_flattening: float = 298.257222101
    width: float = 0.0
    zone: int = 0
    meridian: float = 0.0
    false_easting: float = 0.0
    scale: float = 1.0
    crs: pyproj.CRS | None = None

    @property
    def value(self) -> str:
        """Name for a `Decision`: 'EPSG:n', 'AUTHORITY:n', or 'declared' where the source's own WKT is the only name."""
        if self.epsg or self.crs is None:
            return f"EPSG:{self.epsg}"
        authority = self.crs.to_authority()
        return ":".join(authority) if authority else "declared"

    @property
    def prefix(self) -> int:
        """Zone number in front of the easting, 0 where there is none."""
        return int(self.false_easting // 1_000_000)

    @property
    def same_numbers(self) -> tuple[object, ...]:
        """Readings that share this give the same place for the same numbers."""
        own = self.value if self.kind == "foreign" else ""
        return (self.datum, self.kind, self.meridian, self.false_easting, self.scale, own)


@cache
def readings() -> tuple[Reading, ...]:
    """Every code of ``crs.csv`` and the UTM zones of China (全部候选坐标系)."""
    listed = tuple(_listed(r) for r in shipped_rows("codes", "crs"))
    utm = tuple(
        Reading(f"WGS 84 / UTM zone {z}N", 32600 + z, "WGS84", "transverse", inverse_flattening=298.257223563, width=6.0, zone=z,
                meridian=6.0 * z - 183.0, false_easting=500_000.0, scale=_UTM_SCALE)
        for z in _UTM_ZONES
    )  # fmt: skip
    return listed + utm


def declared_reading(*, wkt: str | None = None, epsg: int | None = None) -> Reading | None:
    """Reading that a declaration names, None when it names nothing or cannot be parsed (声明的坐标系)."""
    if not wkt and not epsg:
        return None
    try:
        crs = pyproj.CRS.from_epsg(epsg) if epsg else pyproj.CRS.from_wkt(str(wkt))
    except CRSError:
        return None
    crs = crs.sub_crs_list[0] if crs.is_compound else crs
    code = epsg or crs.to_epsg(70) or 0
    listed = next((r for r in readings() if r.epsg == code), None)
    if listed or not (crs.is_geographic or crs.is_projected):
        return listed
    datum = _datum_in(f"{crs.name} {crs.datum.name if crs.datum else ''} {crs.geodetic_crs.name if crs.geodetic_crs else ''}")
    foreign = Reading(crs.name, crs.to_epsg() or 0, datum, "foreign", crs=crs)
    return _same_parameters(crs, datum) or (foreign if _can_be_undone(foreign) else None)


def lonlat_of(reading: Reading, xy: np.ndarray) -> np.ndarray:
    """Longitude and latitude on the reading's own datum (按该读法的经纬度).

    Parameters
    ----------
    xy : ndarray (n, 2)
        East and north, or longitude and latitude. [m or degree]

    Returns
    -------
    ndarray (n, 2)
        Degrees; not finite where the numbers cannot be that.
    """
    if reading.kind == "geographic":
        return np.asarray(xy, dtype=float)
    if reading.kind == "foreign":
        east, north = _inverse_foreign(reading).transform(xy[:, 0], xy[:, 1])
        return np.column_stack([east, north])
    web = reading.kind == "mercator"
    pipeline = _inverse_mercator() if web else _inverse(reading.a, reading.inverse_flattening, reading.scale)
    lon, lat = pipeline.transform(np.asarray(xy[:, 0], dtype=float) - reading.false_easting, np.asarray(xy[:, 1], dtype=float))
    return np.column_stack([np.asarray(lon) + reading.meridian, lat])


def _listed(r: dict[str, str]) -> Reading:
    base = Reading(r["name"], int(r["epsg"]), r["datum"], "geographic", float(r["ellipsoid_a"]), float(r["inv_flattening"]))
    if r["kind"] != "projected":
        return base
    if not r["zone_width_deg"]:
        return replace(base, kind="mercator")
    return replace(
        base, kind="transverse", width=float(r["zone_width_deg"]), zone=int(r["zone_no"]), meridian=float(r["central_meridian"]),
        false_easting=float(r["false_easting"]),
    )  # fmt: skip


def _datum_in(text: str) -> str:
    patterns = (
        ("CGCS2000", r"cgcs|china[_ ]?2000|china[_ ]geodetic"), ("Xian80", r"xi'?an[_ ]?(19)?80"),
        ("NewBeijing", r"new[_ ]beijing"),
        ("Beijing54", r"beijing[_ ]?(19)?54"), ("WGS84", r"wgs[_ ]?(19)?84|world geodetic system 1984"),
    )  # fmt: skip
    return next((name for name, pattern in patterns if re.search(pattern, text.casefold())), "")


def _same_parameters(crs: pyproj.CRS, datum: str) -> Reading | None:
    """Listed reading with the declared projection, for a WKT that carries no code."""
    if crs.is_geographic:
        return next((r for r in readings() if r.kind == "geographic" and r.datum == datum), None)
    values = {p.name.casefold(): p.value for p in crs.coordinate_operation.params} if crs.coordinate_operation else {}
    wanted = [values.get(n, np.nan) for n in ("longitude of natural origin", "false easting", "scale factor at natural origin")]
    alike = [r for r in readings() if r.kind == "transverse" and r.datum == datum]
    fitting = [r for r in alike if np.allclose([r.meridian, r.false_easting, r.scale], wanted, rtol=0, atol=_ALIKE)]
    three = re.search(r"3[_ -]?degree", crs.name.casefold()) is not None
    return next((r for r in fitting if (r.width == 3.0) == three), fitting[0] if fitting else None)


@cache
def _inverse(a: float, inverse_flattening: float, scale: float) -> pyproj.Transformer:
    return pyproj.Transformer.from_pipeline(
        f"+proj=pipeline +step +inv +proj=tmerc +lon_0=0 +lat_0=0 +k={scale} +x_0=0 +y_0=0 +a={a} +rf={inverse_flattening} "
        "+step +proj=unitconvert +xy_in=rad +xy_out=deg"
    )


@cache
def _inverse_mercator() -> pyproj.Transformer:
    return pyproj.Transformer.from_pipeline(
        "+proj=pipeline +step +inv +proj=webmerc +step +proj=unitconvert +xy_in=rad +xy_out=deg"
    )


def _can_be_undone(reading: Reading) -> bool:
    """Whether the projection library knows the way back to degrees; a text may name a method that nobody knows."""
    try:
        _inverse_foreign(reading)
    except ProjError:
        return False
    return True


@cache
def _inverse_foreign(reading: Reading) -> pyproj.Transformer:
    assert reading.crs is not None
    return pyproj.Transformer.from_crs(reading.crs, reading.crs.geodetic_crs, always_xy=True)
