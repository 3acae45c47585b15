"""Radar profiles in the formats of the instruments: GSSI .dzt, Sensors & Software .dt1/.hd, MALÅ .rad/.rd3/.rd7, SEG-Y (雷达文件读取)."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from qianmo.schema.errors import MissingDataError, SchemaError, UnsafeInputError
from qianmo.schema.radar import RadarProfile, checked_profile
from qianmo.store.guard_limits import Limits
from qianmo.store.guard_magic import check_name
from qianmo.store.read_radar_segy import profile_of_segy

__all__ = ["RADAR_SUFFIXES", "read_radar"]

RADAR_SUFFIXES = (".dzt", ".dt1", ".rd3", ".rd7", ".sgy", ".segy")
"""Files that hold traces; the text header of .dt1 (.hd) and of .rd3/.rd7 (.rad) lies beside them."""

_FOOT_M = 0.3048
_HEADER_LARGEST = 1 << 20
_DZT_BLOCK = 1024
_TRACE_HEAD = 128


def read_radar(path: Path, *, limits: Limits, spacing_m: float | None = None, channel: int = 0, segy_time_unit: str | None = None) -> RadarProfile:
    """Read one radar profile; the header must agree with the size of the file to the byte (读取雷达剖面).

    Parameters
    ----------
    path : Path
        A file of `RADAR_SUFFIXES`.
    limits : Limits
    spacing_m : float, optional
        Distance between traces [m]; needed where the file does not know it (time-triggered .dzt, SEG-Y), refused where it contradicts the file
        by more than a tenth.
    channel : int
        Channel of a .dzt of several antennas, from 0.
    segy_time_unit : {"ps", "ns", "us"}, optional
        What the sample interval of a SEG-Y file means; the standard says µs, radar instruments mostly write ps: it must be said.

    Raises
    ------
    MissingDataError
        The file or its header file is not there, or the spacing is neither in the file nor given.
    SchemaError
        A header that is missing, short, contradicts itself or the file; traces cut off (how many are whole is said); unknown units.
    UnsafeInputError
        A link, another extension, or a file that is too large.
    """
    path = Path(path)
    data = _bytes_of(path, limits)
    digest = hashlib.sha256(data)
    suffix = path.suffix.lower()
    if suffix == ".dzt":
        found = _dzt(path.name, data, spacing_m, channel)
    elif suffix in (".sgy", ".segy"):
        found = profile_of_segy(path.name, data, spacing_m=spacing_m, time_unit=segy_time_unit)
    else:
        head_path = _beside(path, ".hd" if suffix == ".dt1" else ".rad")
        head_bytes = _bytes_of(head_path, limits, largest=_HEADER_LARGEST)
        digest.update(head_bytes)
        head = _pairs(head_path.name, head_bytes, "=" if suffix == ".dt1" else ":")
        found = _dt1(path.name, head_path.name, data, head) if suffix == ".dt1" else _mala(path.name, head_path.name, data, head, 4 if suffix == ".rd7" else 2)
    _agreed_spacing(found, spacing_m)
    return checked_profile(RadarProfile(**{**found.__dict__, "sha256": digest.hexdigest()}))


def _bytes_of(path: Path, limits: Limits, *, largest: int | None = None) -> bytes:
    if not path.exists() and not path.is_symlink():
        raise MissingDataError(f"{path.name}: 没有这个雷达文件", expected=" ".join(RADAR_SUFFIXES), cure="核对路径")
    check_name(path.name, max_bytes=limits.name_max_bytes)
    if path.is_symlink() or not path.is_file():
        raise UnsafeInputError(f"{path.name}: 链接、文件夹或设备", expected="普通文件", cure="请拷贝真实文件")
    if path.suffix.lower() not in (*RADAR_SUFFIXES, ".hd", ".rad"):
        raise UnsafeInputError(f"{path.name}: 扩展名 {path.suffix or '无'}", expected=" ".join(RADAR_SUFFIXES), cure="请提供仪器的原始文件")
    most = largest or int(limits.file_max_mb * (1 << 20))
    if path.stat().st_size > most:
        raise UnsafeInputError(f"{path.name}: {path.stat().st_size} 字节", expected=f"不超过 {most} 字节", cure="分段导出")
    return path.read_bytes()


def _beside(path: Path, suffix: str) -> Path:
    found = [p for p in sorted(path.parent.iterdir()) if p.stem.casefold() == path.stem.casefold() and p.suffix.lower() == suffix]
    if not found:
        raise MissingDataError(f"{path.name}: 旁边没有文件头 {path.stem}{suffix}", expected=f"同名的 {suffix} 文件", cure="一并拷贝文件头")
    return found[0]


def _pairs(name: str, data: bytes, mark: str) -> dict[str, str]:
    """Upper-case key to text of a header of lines KEY mark VALUE."""
    if b"\x00" in data:
        raise SchemaError(f"{name}: 文件头不是文本", expected=f"KEY {mark} VALUE 的文本行", cure="重新导出文件头")
    text = data.decode("utf-8", "replace")
    return {k.strip().upper(): v.strip() for k, m, v in (line.partition(mark) for line in text.splitlines()) if m}


def _told(head: Mapping[str, str], name: str, key: str, *, low: float, high: float = float("inf"), default: float | None = None) -> float:
    """A number of a text header, within its range."""
    if key not in head or head[key] == "":
        if default is not None:
            return default
        raise SchemaError(f"{name}: 文件头缺 {key}", expected="完整的文件头", cure="重新导出文件头")
    try:
        value = float(head[key].split()[0])
    except ValueError:
        value = float("nan")
    if not (np.isfinite(value) and low <= value <= high):
        raise SchemaError(f"{name}: {key} = {head[key]!r}", expected=f"{low:g} 至 {high:g} 的数", cure="核对文件头")
    return value


def _whole(name: str, size: int, trace_bytes: int, told: int | None) -> int:
    """Number of traces, refused where the bytes are not whole traces or not as many as told."""
    traces, rest = divmod(size, trace_bytes)
    if rest or (told is not None and traces != told):
        wanted = f"{told} 道" if told is not None else "整数道"
        raise SchemaError(f"{name}: 数据被截断或多余, {traces} 整道余 {rest} 字节 (每道 {trace_bytes} 字节)", expected=wanted, cure="重新拷贝文件, 核对文件头的道数与采样数")
    return traces


def _agreed_spacing(found: RadarProfile, spacing_m: float | None) -> None:
    if spacing_m is None or len(found.position_m) < 2:
        return
    step = float(np.median(np.diff(found.position_m)))
    if not abs(spacing_m - step) <= 0.1 * step:
        raise SchemaError(f"{found.name}: 给定道间距 {spacing_m:g} m, 文件为 {step:g} m", expected="一致的道间距", cure="核对单位, 或不给道间距")


def _dzt(name: str, data: bytes, spacing_m: float | None, channel: int) -> RadarProfile:
    if len(data) < _DZT_BLOCK:
        raise SchemaError(f"{name}: {len(data)} 字节, 文件头不完整", expected=f"至少 {_DZT_BLOCK} 字节的 DZT 文件头", cure="重新拷贝文件")
    tag, block, samples, bits, _zero, _per_s, per_m = struct.unpack_from("<4Hh2f", data, 0)
    (window,) = struct.unpack_from("<f", data, 26)
    (channels,) = struct.unpack_from("<H", data, 52)
    if tag & 0xFF != 0xFF:
        raise SchemaError(f"{name}: 标志 0x{tag:04x}", expected="DZT 文件头标志 0x??ff", cure="这不是 GSSI DZT 文件")
    if bits not in (8, 16, 32) or not 8 <= samples <= 65_000 or not 1 <= channels <= 8:
        raise SchemaError(f"{name}: 采样 {samples}, 位数 {bits}, 通道 {channels}", expected="采样 8 至 65000, 位数 8/16/32, 通道 1 至 8", cure="文件头损坏, 重新拷贝")
    if not 0 <= channel < channels:
        raise SchemaError(f"{name}: 通道 {channel}", expected=f"0 至 {channels - 1}")
    if not (np.isfinite(window) and window > 0):
        raise SchemaError(f"{name}: 时窗 {window} ns", expected="大于 0", cure="文件头损坏, 重新拷贝")
    start = _DZT_BLOCK * block if block < _DZT_BLOCK else _DZT_BLOCK * channels
    if not _DZT_BLOCK * channels <= start < len(data):
        raise SchemaError(f"{name}: 数据起点 {start}, 文件 {len(data)} 字节", expected="文件头之后有数据", cure="文件被截断, 重新拷贝")
    scans = _whole(name, len(data) - start, samples * bits // 8 * channels, None)
    kind = {8: "u1", 16: "<u2", 32: "<i4"}[bits]
    raw = np.frombuffer(data, dtype=kind, offset=start).reshape(scans, channels, samples)[:, channel]
    wave = raw.astype(np.float32) - (0 if bits == 32 else 1 << (bits - 1))
    wave[:, :2] = wave[:, 2:3]  # the first two samples of a scan hold its number and marks
    if np.isfinite(per_m) and per_m > 0:
        step = 1.0 / per_m
    elif spacing_m is not None:
        step = spacing_m
    else:
        raise MissingDataError(f"{name}: 按时间触发, 文件没有每米道数", expected="道间距 spacing_m", cure="给出道间距 (米)")
    (position,) = struct.unpack_from("<f", data, 22)
    antenna = data[98:112].split(b"\x00")[0].decode("latin-1").strip()
    notes = (f"天线 {antenna}",) if antenna else ()
    begin = float(position) if np.isfinite(position) and abs(position) < window else 0.0
    return RadarProfile(name, "GSSI DZT", wave.T.copy(), float(window) / samples, begin, np.arange(scans) * step, notes=notes)


def _dt1(name: str, head_name: str, data: bytes, head: Mapping[str, str]) -> RadarProfile:
    traces = int(_told(head, head_name, "NUMBER OF TRACES", low=2, high=1e7))
    samples = int(_told(head, head_name, "NUMBER OF PTS/TRC", low=8, high=65_000))
    window = _told(head, head_name, "TOTAL TIME WINDOW", low=1.0, high=20_000.0)
    zero = _told(head, head_name, "TIMEZERO AT POINT", low=0.0, high=samples, default=0.0)
    step = _told(head, head_name, "STEP SIZE USED", low=-1e4, high=1e4)
    unit = head.get("POSITION UNITS", "").lower()
    if unit not in ("m", "metres", "meters", "ft", "feet"):
        raise SchemaError(f"{head_name}: POSITION UNITS = {head.get('POSITION UNITS', '')!r}", expected="m 或 ft", cure="在文件头写明距离单位")
    scale = _FOOT_M if unit in ("ft", "feet") else 1.0
    _whole(name, len(data), _TRACE_HEAD + 2 * samples, traces)
    rows = np.frombuffer(data, dtype=np.dtype([("head", "<f4", 25), ("words", "S28"), ("wave", "<i2", samples)]))
    bad = np.flatnonzero((rows["head"][:, 2] != samples) | (rows["head"][:, 5] != 2))
    if len(bad):
        raise SchemaError(f"{name}: 第 {', '.join(str(k + 1) for k in bad[:5])} 道的道头与文件头不符", expected=f"{samples} 点, 每点 2 字节", cure="文件损坏或为其他仪器的格式")
    position = rows["head"][:, 1].astype(float) * scale
    wave = rows["wave"].astype(np.float32).T
    if step < 0:
        position, wave = position[::-1], wave[:, ::-1]
    start = -zero * window / samples
    notes = tuple(n for n, yes in (("距离由英尺换算为米", scale != 1.0), ("测线反向, 已倒序", step < 0)) if yes)
    antenna = _told(head, head_name, "NOMINAL FREQUENCY", low=1.0, high=10_000.0, default=float("nan"))
    apart = _told(head, head_name, "ANTENNA SEPARATION", low=0.0, high=100.0, default=0.0) * scale
    return RadarProfile(name, "Sensors & Software DT1", wave.copy(), window / samples, start, position.copy(), antenna, apart, notes=notes)


def _mala(name: str, head_name: str, data: bytes, head: Mapping[str, str], size: int) -> RadarProfile:
    samples = int(_told(head, head_name, "SAMPLES", low=8, high=65_000))
    traces = int(_told(head, head_name, "LAST TRACE", low=2, high=1e7))
    window = _told(head, head_name, "TIMEWINDOW", low=1.0, high=20_000.0)
    rate = _told(head, head_name, "FREQUENCY", low=1e-3, high=1e9)
    if abs(samples / rate * 1e3 - window) > 0.02 * window:
        raise SchemaError(f"{head_name}: SAMPLES / FREQUENCY = {samples / rate * 1e3:g} ns, TIMEWINDOW = {window:g}", expected="两者一致 (MHz 与 ns)", cure="文件头的单位有误, 重新导出")
    step = _told(head, head_name, "DISTANCE INTERVAL", low=1e-6, high=1e4)
    begin = _told(head, head_name, "START POSITION", low=-1e7, high=1e7, default=0.0)
    _whole(name, len(data), size * samples, traces)
    wave = np.frombuffer(data, dtype="<i4" if size == 4 else "<i2").reshape(traces, samples).astype(np.float32).T
    apart = _told(head, head_name, "ANTENNA SEPARATION", low=0.0, high=100.0, default=0.0)
    return RadarProfile(name, "MALÅ RD7" if size == 4 else "MALÅ RD3", wave.copy(), 1e3 / rate, 0.0, begin + np.arange(traces) * step, _antenna(head), apart)


def _antenna(head: Mapping[str, str]) -> float:
    digits = "".join(c for c in head.get("ANTENNAS", "").split(" ")[0] if c.isdigit() or c == ".")
    return float(digits) if digits.strip(".") else float("nan")
