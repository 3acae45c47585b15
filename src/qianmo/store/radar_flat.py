"""Flat binary interferograms with a text beside them: ROI_PAC and GAMMA (ROI_PAC 与 GAMMA 平面二进制)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pyproj

from qianmo.schema.errors import CrsError, MissingDataError, SchemaError, UnsafeInputError
from qianmo.store.radar_image import Image, Place
from qianmo.store.radar_names import image_kind, named_dates

__all__ = ["FLAT_SUFFIXES", "flat_image"]

FLAT_SUFFIXES = (".unw", ".cor", ".cc", ".coh")
_TEXT_MAX = 1 << 20
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?")


def flat_image(path: Path) -> Image:
    """An image of ROI_PAC (``.rsc`` beside it) or GAMMA (``.par`` of the map beside it) (平面二进制影像).

    ROI_PAC: two little-endian float32 bands interleaved by line, magnitude and phase (or coherence). GAMMA: one big-endian
    float32 band; the corner in the parameter file is the centre of the first cell. 0 is no data in both.

    Raises
    ------
    MissingDataError
        No text beside the file, or no dates in it and in the name.
    CrsError
        Radar coordinates.
    UnsafeInputError
        The size of the file is not that of its grid.
    """
    beside = path.with_name(path.name + ".rsc")
    if beside.is_file():
        return _roi_pac(path, _pairs(beside, None))
    return _gamma(path, *_map_text(path))


def _roi_pac(path: Path, said: Mapping[str, str]) -> Image:
    rows, columns = _whole(path, said, "FILE_LENGTH"), _whole(path, said, "WIDTH")
    if "X_FIRST" not in said:
        raise CrsError(f"{path.name}: .rsc 中没有 X_FIRST, 是雷达坐标", expected="地理编码后的干涉图 (geo_*.unw)", cure="先地理编码")
    west, north, right, down = (_real(path, said, k) for k in ("X_FIRST", "Y_FIRST", "X_STEP", "Y_STEP"))
    _check_size(path, rows * columns * 8)
    zone = re.search(r"(\d+)\s*([NS]?)", said.get("PROJECTION", "")) if "UTM" in said.get("PROJECTION", "").upper() else None
    crs = f"EPSG:{(32700 if zone.group(2) == 'S' else 32600) + int(zone.group(1))}" if zone else "EPSG:4326"
    wave = said.get("WAVELENGTH", "")
    return Image(
        "ROI_PAC", image_kind(path.name), _dates(path, said.get("DATE12", "")), Place(rows, columns, (right, 0.0, west, 0.0, down, north), _wkt(crs)), path, "flat",
        kind_of_number="<f4", bands=2, band=1, nodata=0.0, unit=said.get("UNIT", ""), wavelength_m=float(wave) if _NUMBER.fullmatch(wave) else None,
    )  # fmt: skip


def _gamma(path: Path, said: Mapping[str, str], beside: str) -> Image:
    rows, columns = _whole(path, said, "nlines"), _whole(path, said, "width")
    _check_size(path, rows * columns * 4)
    if said.get("data_format", "REAL*4").upper() not in ("REAL*4", "FLOAT"):
        raise SchemaError(f"{beside}: data_format {said['data_format']}", expected="REAL*4")
    degrees = "corner_lat" in said
    north, west, down, right = (
        _real(path, said, k) for k in (("corner_lat", "corner_lon", "post_lat", "post_lon") if degrees else ("corner_north", "corner_east", "post_north", "post_east"))
    )
    south = not degrees and _real(path, said, "false_northing") > 0 if "false_northing" in said else False
    crs = "EPSG:4326" if degrees else f"EPSG:{(32700 if south else 32600) + _whole(path, said, 'projection_zone')}"
    place = Place(rows, columns, (right, 0.0, west - right / 2, 0.0, down, north - down / 2), _wkt(crs))
    return Image("GAMMA", image_kind(path.name), _dates(path, ""), place, path, "flat", kind_of_number=">f4", nodata=0.0)


def _map_text(path: Path) -> tuple[Mapping[str, str], str]:
    """The parameter file of the map: beside the image, or the only one of the folder that has corners."""
    own = [p for p in (path.with_name(path.name + ".par"), path.with_suffix(".par")) if p.is_file()]
    shared = sorted(p for p in path.parent.iterdir() if p.is_file() and p.name.lower().endswith(("dem_par", ".par")))
    texts = {p: _pairs(p, ":") for p in own or shared[:200]}
    maps = {p: said for p, said in texts.items() if "corner_lat" in said or "corner_north" in said}
    if maps and len({tuple(sorted(said.items())) for said in maps.values()}) == 1:
        found = next(iter(maps))
        return maps[found], found.name
    if texts and not maps:
        raise CrsError(f"{path.name}: 旁边的 .par ({next(iter(texts)).name}) 没有 corner_lat 或 corner_north, 是雷达坐标", expected="地理编码后的影像与地图 .par", cure="先地理编码")
    raise MissingDataError(
        f"{path.name}: 旁边{'有多个不同的' if maps else '没有'}参数文件", expected="ROI_PAC 的 .unw.rsc, 或 GAMMA 的 .par / dem_par", cure="把参数文件放在同一文件夹, 与影像同名"
    )


def _pairs(path: Path, divider: str | None) -> dict[str, str]:
    """Keys and values of lines ``key value`` or ``key: value unit``."""
    if path.stat().st_size > _TEXT_MAX:
        raise UnsafeInputError(f"{path.name}: {path.stat().st_size} 字节", expected="参数文本")
    found = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        key, _, value = line.partition(divider) if divider else line.partition(" ")
        if value.strip():
            found[key.strip()] = value.strip() if divider is None else value.split()[0]
    return found


def _dates(path: Path, said: str) -> tuple[date, date]:
    found = named_dates(path.name) or (named_dates(said) if said else None)
    if found is None:
        raise MissingDataError(f"{path.name}: 没有两个日期", expected="文件名含 YYYYMMDD-YYYYMMDD (或 .rsc 的 DATE12)", cure="改文件名")
    return found


def _check_size(path: Path, expected: int) -> None:
    if path.stat().st_size != expected:
        raise UnsafeInputError(f"{path.name}: {path.stat().st_size} 字节", expected=f"{expected} 字节 (按参数文件的行列数)", cure="核对参数文件与影像是否配套")


def _real(path: Path, said: Mapping[str, str], key: str) -> float:
    found = _NUMBER.match(said.get(key, ""))
    if found is None:
        raise SchemaError(f"{path.name}: 参数文件中的 {key} 为 {said.get(key, '(无)')!r}", expected="数值", cure="核对参数文件")
    return float(found.group())


def _whole(path: Path, said: Mapping[str, str], key: str) -> int:
    value = _real(path, said, key)
    if value != int(value) or value < 1:
        raise SchemaError(f"{path.name}: {key} 为 {value:g}", expected="正整数", cure="核对参数文件")
    return int(value)


def _wkt(code: str) -> str:
    return pyproj.CRS.from_user_input(code).to_wkt()
