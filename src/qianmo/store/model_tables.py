"""Tables of a model that a county gives as CSV files (自定模型表读取)."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from qianmo.schema.errors import MissingDataError, SchemaError

__all__ = ["read_model_rows", "read_model_tables"]

_MOST_BYTES = 64 * 1024 * 1024


def read_model_tables(folder: Path, names: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    """Rows of the tables that lie in a folder, by name (读取模型表).

    Raises
    ------
    MissingDataError
        No such folder, or none of the tables in it.
    SchemaError
        As for :func:`read_model_rows`.
    """
    if not folder.is_dir():
        raise MissingDataError(f"没有文件夹 {folder}", expected="放有自定模型表 (CSV) 的文件夹")
    found = {n: read_model_rows(folder / f"{n}.csv") for n in names if (folder / f"{n}.csv").is_file()}
    if not found:
        raise MissingDataError(f"{folder} 中没有模型表", expected="、".join(f"{n}.csv" for n in names))
    return found


def read_model_rows(path: Path) -> list[dict[str, str]]:
    """Rows of one CSV file as text, UTF-8 or GB 18030 (读取 CSV).

    Raises
    ------
    MissingDataError
        No such file.
    SchemaError
        Too large, not text, no header, a column twice, or a row with more or fewer cells than the header.
    """
    if not path.is_file():
        raise MissingDataError(f"没有文件 {path}", expected="CSV 文件")
    if path.stat().st_size > _MOST_BYTES:
        raise SchemaError(f"{path.name} 有 {path.stat().st_size} 字节", expected=f"不超过 {_MOST_BYTES}")
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError:
            raise SchemaError(f"{path.name} 不是文本", expected="UTF-8 或 GB 18030 的 CSV") from None
    if "\0" in text:
        raise SchemaError(f"{path.name} 不是文本", expected="CSV")
    lines = [line for line in csv.reader(text.splitlines()) if any(cell.strip() for cell in line)]
    if not lines or len(set(lines[0])) < len(lines[0]):
        raise SchemaError(f"{path.name} 没有表头, 或列名重复", expected="第一行为列名, 各不相同")
    head = [h.strip() for h in lines[0]]
    for n, line in enumerate(lines[1:], start=2):
        if len(line) != len(head):
            raise SchemaError(f"{path.name} 第 {n} 行有 {len(line)} 格", expected=f"{len(head)} 格: {', '.join(head)}")
    return [dict(zip(head, (c.strip() for c in line))) for line in lines[1:]]
