"""Reading a file of equity or exit from disk (读取收益分配文件)."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from qianmo.schema.errors import FinanceInputError, MissingDataError

__all__ = ["read_settlement_file"]

_LARGEST = 4_000_000
_LINE = re.compile(r"at line (\d+)")


def read_settlement_file(path: Path) -> tuple[dict[str, Any], str]:
    """The tables of a TOML file, and its text for the lines of its keys.

    Raises
    ------
    MissingDataError
        The file is not there.
    FinanceInputError
        Too large, not UTF-8, or not TOML; the line is named.
    """
    if not path.is_file():
        raise MissingDataError(f"没有这个文件: {path}", expected="收益分配 TOML 文件", cure="检查路径")
    if path.stat().st_size > _LARGEST:
        raise FinanceInputError(f"{path.stat().st_size} 字节", file=path.name, expected=f"不超过 {_LARGEST} 字节", cure="检查是否选错文件")
    try:
        text = path.read_text(encoding="utf-8-sig")
        return tomllib.loads(text), text
    except UnicodeDecodeError as fault:
        raise FinanceInputError(f"第 {fault.start} 字节不是 UTF-8", file=path.name, expected="UTF-8 编码的文本", cure="另存为 UTF-8") from None
    except tomllib.TOMLDecodeError as fault:
        found = _LINE.search(str(fault))
        raise FinanceInputError(f"不是 TOML: {fault}", file=path.name, line=int(found[1]) if found else 0, expected="键 = 值", cure="检查这一行的引号与括号") from None
