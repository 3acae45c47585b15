"""Weather files that may be parsed: EPW, PVGIS as CSV or JSON (气象文件安全检查)."""

from __future__ import annotations

from pathlib import Path

from qianmo.schema.errors import MissingDataError, UnsafeInputError
from qianmo.store.guard_json import check_json
from qianmo.store.guard_limits import Limits
from qianmo.store.guard_magic import check_name, sniff
from qianmo.store.guard_text import check_csv

__all__ = ["check_weather_file"]

_SUFFIXES = (".epw", ".csv", ".json")
_LARGEST_MB = 32.0


def check_weather_file(path: Path, *, limits: Limits) -> bytes:
    """Check one weather file before it is parsed, and give its bytes (气象文件检查).

    Raises
    ------
    MissingDataError
        No such file.
    UnsafeInputError
        A link or a device, a name that deceives, another extension or content, too large, no text.
    EncodingError
        JSON that is not UTF-8.
    """
    path = Path(path)
    if not path.exists() and not path.is_symlink():
        raise MissingDataError(f"{path}: 没有这个气象文件 (no such weather file)", expected="an .epw, or a PVGIS .csv or .json", cure="核对路径")
    check_name(path.name, max_bytes=limits.name_max_bytes)
    if path.is_symlink() or not path.is_file():
        raise UnsafeInputError(f"{path.name}: a link, a folder or a device", expected="a plain file", cure="copy the file itself 请拷贝真实文件")
    most = min(_LARGEST_MB, limits.file_max_mb)
    if path.stat().st_size > most * (1 << 20):
        raise UnsafeInputError(f"{path.name}: {path.stat().st_size >> 20} MB", expected=f"one year of hours, at most {most:g} MB", cure="请提供单一年份的逐时文件")
    with path.open("rb") as file:
        kind = sniff(file.read(4096))
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES or kind != ("json" if suffix == ".json" else "text"):
        cure = "解压后再提供" if kind in ("gzip", "zip") else "请提供 EnergyPlus 的 .epw，或 PVGIS 典型年的 .csv / .json"
        raise UnsafeInputError(f"{path.name}: extension {suffix or '(none)'} with content {kind}", expected=" ".join(_SUFFIXES), cure=cure)
    if suffix == ".json":
        return check_json(path, depth_max=limits.depth_max)
    check_csv(path)
    return path.read_bytes().removeprefix(b"\xef\xbb\xbf")
