"""Radar profiles written as SEG-Y (SEG-Y 格式雷达剖面)."""

from __future__ import annotations

import struct

import numpy as np

from qianmo.schema.errors import ChoiceNeededError, MissingDataError, SchemaError
from qianmo.schema.radar import RadarProfile

__all__ = ["profile_of_segy"]

_HEAD, _TRACE_HEAD = 3600, 240
_UNITS_NS = {"ps": 1e-3, "ns": 1.0, "us": 1e3}
_KINDS = {1: ">u4", 2: ">i4", 3: ">i2", 5: ">f4", 8: "i1"}


def profile_of_segy(name: str, data: bytes, *, spacing_m: float | None, time_unit: str | None) -> RadarProfile:
    """Traces of a SEG-Y file of revision 0 or 1, big-endian, all of one length (SEG-Y 剖面).

    Positions come from the source coordinates of the traces where these are metres along a line; else from `spacing_m`.

    Raises
    ------
    ChoiceNeededError
        The unit of the sample interval is not said.
    MissingDataError
        Neither coordinates nor a spacing.
    SchemaError
        A short or strange header, traces of several lengths, traces cut off.

    References
    ----------
    .. [1] SEG Technical Standards Committee, SEG Y rev 1 Data Exchange format, 2002.
    """
    if len(data) < _HEAD + _TRACE_HEAD:
        raise SchemaError(f"{name}: {len(data)} 字节, 文件头不完整", expected=f"至少 {_HEAD + _TRACE_HEAD} 字节", cure="重新拷贝文件")
    interval, samples, form = (struct.unpack_from(">h", data, at)[0] for at in (3216, 3220, 3224))
    extended = struct.unpack_from(">h", data, 3504)[0]
    if form not in _KINDS or samples < 8 or interval <= 0 or extended not in range(100):
        raise SchemaError(f"{name}: 采样间隔 {interval}, 采样 {samples}, 格式码 {form}", expected=f"采样至少 8, 格式码 {', '.join(map(str, _KINDS))}", cure="文件头损坏, 或不是大端 SEG-Y")
    if time_unit not in _UNITS_NS:
        raise ChoiceNeededError(f"{name}: 采样间隔 {interval}, 单位不明", choices=[f"{u}: 时窗 {samples * interval * f:g} ns" for u, f in _UNITS_NS.items()], cure="给出 segy_time_unit")
    start = _HEAD + 3200 * extended
    width = np.dtype(_KINDS[form]).itemsize
    traces, rest = divmod(len(data) - start, _TRACE_HEAD + width * samples)
    if rest or traces < 2:
        raise SchemaError(f"{name}: 数据被截断, {traces} 整道余 {rest} 字节", expected=f"每道 {_TRACE_HEAD + width * samples} 字节的整数倍", cure="重新拷贝文件, 各道须等长")
    rows = np.frombuffer(data, dtype=np.dtype([("head", "u1", _TRACE_HEAD), ("wave", _KINDS[form], samples)]), offset=start)
    told = rows["head"][:, 114:116].copy().view(">i2")[:, 0]
    bad = np.flatnonzero((told != samples) & (told != 0))
    if len(bad):
        raise SchemaError(f"{name}: 第 {', '.join(str(k + 1) for k in bad[:5])} 道采样数与文件头不符", expected=f"{samples}", cure="各道须等长")
    wave = _ibm(rows["wave"]) if form == 1 else rows["wave"].astype(np.float32)
    position, note = _positions(name, rows["head"], spacing_m)
    return RadarProfile(name, "SEG-Y", np.ascontiguousarray(wave.T, dtype=np.float32), interval * _UNITS_NS[time_unit], 0.0, position, notes=(note,))


def _ibm(words: np.ndarray) -> np.ndarray:
    """IBM hexadecimal floats: sign, exponent of 16 less 64, fraction of 24 bits."""
    w = words.astype(np.uint32)
    sign = np.where(w >> 31, -1.0, 1.0)
    return (sign * (w & 0x00FFFFFF) / 2.0**24 * 16.0 ** (((w >> 24) & 0x7F).astype(float) - 64.0)).astype(np.float32)


def _positions(name: str, heads: np.ndarray, spacing_m: float | None) -> tuple[np.ndarray, str]:
    if spacing_m is not None:
        return np.arange(len(heads)) * spacing_m, "位置取给定道间距"
    x, y = (heads[:, at : at + 4].copy().view(">i4")[:, 0].astype(float) for at in (72, 76))
    scalar = heads[:, 70:72].copy().view(">i2")[:, 0].astype(float)
    units = heads[:, 88:90].copy().view(">i2")[:, 0]
    factor = np.where(scalar < 0, 1.0 / np.maximum(-scalar, 1.0), np.where(scalar > 0, scalar, 1.0))
    at = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x * factor), np.diff(y * factor)))])
    if at[-1] == 0.0:
        raise MissingDataError(f"{name}: 道头没有坐标", expected="坐标或道间距", cure="给出道间距 spacing_m (米)")
    if (units > 1).any():
        raise SchemaError(f"{name}: 道头坐标单位码 {int(units.max())} (经纬度)", expected="1: 米", cure="给出道间距 spacing_m (米)")
    return at, "位置取道头坐标"
