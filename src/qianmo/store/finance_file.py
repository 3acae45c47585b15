"""Files of project money: the TOML that a planner writes, the tables that come out (项目资金文件)."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from qianmo.schema.errors import FinanceInputError, MissingDataError

__all__ = ["read_finance_file", "read_parcel_areas", "write_bytes_once", "write_statement_tables"]

_MOST_BYTES = 4_000_000


def read_finance_file(path: Path) -> tuple[dict[str, Any], str]:
    """The parsed file and its text, by which lines are found (读取资金文件).

    Parameters
    ----------
    path : Path
        TOML in UTF-8, at most 4 MB.

    Raises
    ------
    MissingDataError
        The file is not there.
    FinanceInputError
        Too large, not UTF-8, or not TOML: the line is named.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingDataError(f"没有文件 {path}", cure="检查路径")
    if path.stat().st_size > _MOST_BYTES:
        raise FinanceInputError(f"文件有 {path.stat().st_size} 字节", file=path.name, expected=f"至多 {_MOST_BYTES} 字节")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as fault:
        line = fault.object[: fault.start].count(b"\n") + 1
        raise FinanceInputError(f"{_encoding(fault.object)}, 不是 UTF-8", file=path.name, line=line, expected="UTF-8 编码的文件", cure="用编辑器另存为 UTF-8") from None
    if not text.strip():
        raise FinanceInputError("文件是空的", file=path.name, line=1, expected="TOML 写法, 见 examples/finance")
    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as fault:
        raise _not_toml(str(fault), text, path.name) from None


def read_parcel_areas(path: Path) -> dict[str, list[float]]:
    """Areas of parcels by their role, from a CSV with ``parcel_id,role,area_m2`` (读取宗地面积).

    Raises
    ------
    MissingDataError
        The file is not there.
    FinanceInputError
        A column is missing, a parcel is listed twice, or an area is no positive number; the line is named.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingDataError(f"没有文件 {path}", cure="检查路径")
    if path.stat().st_size > _MOST_BYTES:
        raise FinanceInputError(f"文件有 {path.stat().st_size} 字节", file=path.name, expected=f"至多 {_MOST_BYTES} 字节")
    table = pd.read_csv(path, dtype=str, encoding="utf-8-sig", keep_default_na=False)
    lacking = {"parcel_id", "role", "area_m2"} - set(table.columns)
    if lacking:
        raise FinanceInputError(f"缺少列 {', '.join(sorted(lacking))}", file=path.name, line=1, expected="parcel_id,role,area_m2")
    found: dict[str, list[float]] = {}
    seen: set[str] = set()
    for line, row in enumerate(table.to_dict("records"), 2):
        area = pd.to_numeric(row["area_m2"], errors="coerce")
        if not 0 < area < float("inf") or row["parcel_id"] in seen:
            raise FinanceInputError(f"宗地 {row['parcel_id']} 面积 {row['area_m2']!r}", file=path.name, line=line, key="area_m2", expected="大于 0 的面积, 宗地不重复")
        seen.add(row["parcel_id"])
        found.setdefault(row["role"], []).append(float(area))
    return found


def write_statement_tables(folder: Path, tables: Mapping[str, pd.DataFrame]) -> list[Path]:
    """One CSV a statement, in a form a spreadsheet opens without asking (写出报表).

    Parameters
    ----------
    folder : Path
        Made where it is missing; files of the same names are replaced one by one.
    tables : mapping
        File stem → table.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, table in tables.items():
        path = folder / f"{name}.csv"
        write_bytes_once(path, table.to_csv(index=False, lineterminator="\n").encode("utf-8-sig"))
        paths.append(path)
    return paths


def write_bytes_once(path: Path, content: bytes) -> None:
    """A file replaced in one step, so that no half-written one is ever seen (一次写成)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_bytes(content)
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


def _not_toml(said: str, text: str, file: str) -> FinanceInputError:
    """The fault of the parser in Chinese, with the line itself and its key."""
    words = next((zh for en, zh in TOML_WORDS.items() if said.startswith(en)), "不合 TOML 写法")
    line = _line(said)
    shown = text.splitlines()[line - 1].strip() if 0 < line <= len(text.splitlines()) else ""
    key = shown.partition("=")[0].strip(" []") if shown else ""
    return FinanceInputError(f"{words}: {shown[:60]} ({said})", file=file, line=line, key=key[:40], expected="TOML 写法, 见 examples/finance")


TOML_WORDS = {
    "Cannot overwrite": "键重复", "Cannot declare": "表头重复", "Cannot mutate": "键重复", "Invalid value": "值的写法不对, 文字要加引号", "Unterminated": "引号没有配对", "Illegal character": "含不允许的字符",
    "Expected '=' after a key": "键后缺少等号", "Unclosed array": "方括号没有配对", "Unclosed inline table": "花括号没有配对", "Expected newline or end": "一行写了两项",
}  # fmt: skip
"""What the parser says, and how a planner reads it."""


def _encoding(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "文件是 UTF-16 编码"
    try:
        raw.decode("gb18030")
    except UnicodeDecodeError:
        return "文件编码无法识别"
    return "文件是 GBK (ANSI) 编码"


def _line(message: str) -> int:
    """The line that the parser names."""
    words = message.rpartition("at line ")[2].split(",")[0] if "at line " in message else ""
    return int(words) if words.isdigit() else 0
