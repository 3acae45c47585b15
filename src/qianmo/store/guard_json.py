"""GeoJSON that may be parsed: balanced, shallow, finite numbers, the right root (GeoJSON 安全检查)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from qianmo.schema.errors import EncodingError, UnsafeInputError

__all__ = ["check_geojson", "check_json"]

_ROOTS = {
    "FeatureCollection",
    "Feature",
    "GeometryCollection",
    "Point",
    "MultiPoint",
    "LineString",
    "MultiLineString",
    "Polygon",
    "MultiPolygon",
}
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_NOT_FINITE = re.compile(rb"\b(?:NaN|Infinity|nan|inf)\b|\d[eE]\+?\d{3,}|0[xX][0-9a-fA-F]+")


def check_geojson(path: Path, *, depth_max: float) -> bool:
    """Check a GeoJSON file without building it; True when it names its own reference system (GeoJSON 检查).

    Raises
    ------
    EncodingError
        Not UTF-8.
    UnsafeInputError
        Not GeoJSON, cut short, nested too deep, or with numbers that are not finite.
    """
    data = check_json(path, depth_max=depth_max)
    _check_root(data, path.name)
    return re.search(rb'"crs"\s*:\s*\{', data[:65536]) is not None


def check_json(path: Path, *, depth_max: float) -> bytes:
    """Check any JSON file without building it, and give its bytes: UTF-8, balanced, shallow, finite (JSON 检查).

    Raises
    ------
    EncodingError
        Not UTF-8.
    UnsafeInputError
        Cut short, nested too deep, or with numbers that are not finite.
    """
    data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    _check_text(data, path.name)
    bare = _STRING.sub(b"s", data)
    _check_nesting(bare, path.name, depth_max)
    if found := _NOT_FINITE.search(bare):
        raise UnsafeInputError(
            f"{path.name}: the number {found.group(0).decode()} is not finite or not JSON",
            expected="plain decimal numbers",
            cure="remove or correct the feature that holds it 请改正非法数值",
        )
    return data


def _check_text(data: bytes, name: str) -> None:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise EncodingError(
            f"{name}: byte {error.start} is not UTF-8",
            expected="UTF-8, as RFC 7946 demands",
            cure="save the file as UTF-8 请另存为 UTF-8 编码",
        ) from None
    if b"\x00" in data:
        raise UnsafeInputError(f"{name}: NUL byte at {data.index(0)}", expected="text", cure="export the file again 请重新导出")


def _check_nesting(bare: bytes, name: str, depth_max: float) -> None:
    codes = np.frombuffer(bare, dtype=np.uint8)
    step = np.zeros(256, dtype=np.int8)
    step[list(b"[{")], step[list(b"]}")] = 1, -1
    steps = step[codes]
    levels = np.cumsum(steps[steps != 0], dtype=np.int32)
    if levels.size == 0 or levels[-1] != 0 or levels.min() < 0 or b'"' in bare:
        raise UnsafeInputError(
            f"{name}: brackets or quotes do not close",
            expected="complete JSON",
            cure="copy or export the file again 文件不完整，请重新导出",
        )
    if levels.max() > depth_max:
        raise UnsafeInputError(
            f"{name}: JSON nested {levels.max()} deep",
            expected=f"at most {depth_max:.0f} levels",
            cure="export the file again from its source 请重新导出",
        )
    if np.count_nonzero(levels == 0) > 1:
        raise UnsafeInputError(
            f"{name}: more than one JSON value",
            expected="one FeatureCollection",
            cure="put the features in one FeatureCollection 请合并为一个 FeatureCollection",
        )


def _check_root(data: bytes, name: str) -> None:
    head, tail = data[:200_000], data[-200_000:]
    types = {m.decode("utf-8", "replace") for m in re.findall(rb'"type"\s*:\s*"([^"]*)"', head + tail)}
    if b'"esriGeometry' in head or "Topology" in types or b'"gdal_virtual' in head or not types & _ROOTS:
        shown = "Esri JSON" if b'"esriGeometry' in head else ", ".join(sorted(types)) or "no geometry type"
        raise UnsafeInputError(
            f"{name}: JSON of type {shown[:120]}",
            expected="GeoJSON FeatureCollection",
            cure="export as GeoJSON (RFC 7946) 请导出为标准 GeoJSON",
        )
