"""A workbook that was sent to the desk: compare it first, take it after a yes (项目库网页读入)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qianmo.jobs.context import Context
from qianmo.jobs.library.compare import Comparison, compared, library_or_new, store_comparison
from qianmo.jobs.library.store import Library, fault_lines
from qianmo.schema.errors import NotAllowedError, SchemaError
from qianmo.store.scratch import scratch_folder

__all__ = ["SUFFIXES", "compared_upload", "take_upload"]

SUFFIXES = (".xlsx", ".csv")
"""Kinds of files that can be sent (可上传的文件)."""


def compared_upload(folder: Path, name: str, body: bytes) -> tuple[int, Comparison]:
    """What a file would change; nothing is stored (上传文件比较). Gives the number of the state it was compared with as well.

    Raises
    ------
    SchemaError
        The file is no table of the library.
    """
    library, found = _with_file(name, body, lambda path: _compared(folder, path))
    return library.project.generation if library.project else 0, found


def take_upload(context: Context, folder: Path, name: str, body: bytes, *, generation: int, take_clean: bool = False) -> Comparison:
    """Store a file that was compared with the state `generation` (写入上传文件).

    Raises
    ------
    NotAllowedError
        The project has changed since; compare again.
    SchemaError
        Rows cannot be taken and `take_clean` is not given, or the library would have faults.
    """
    library, found = _with_file(name, body, lambda path: _compared(folder, path))
    if library.project and library.project.generation != generation:
        raise NotAllowedError("比较之后项目又有改动, 没有写入", cure="重新查看差异后再确认")
    if len(found.errors) or (len(found.refused) and not take_clean):
        told = [*fault_lines(found.refused), *fault_lines(found.errors)]
        raise SchemaError(f"{len(told)} 处不能读入: " + "; ".join(told), expected="每行都可读入的表格", cure="改正后重新上传; 或只读入没有冲突的行")
    if found.changed:
        store_comparison(context, folder, library, found, names=name)
    return found


def _compared(folder: Path, path: Path) -> tuple[Library, Comparison]:
    library = library_or_new(folder)
    return library, compared(library, [path])


def _with_file(name: str, body: bytes, use: Callable[[Path], tuple[Library, Comparison]]) -> tuple[Library, Comparison]:
    """Use the file under its own name, cleaned, in a private folder."""
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise SchemaError(f"文件 {name}", expected="、".join(SUFFIXES), cure="上传导出的工作簿 (XLSX), 或以表名命名的 CSV")
    with scratch_folder() as place:
        path = place / (Path(name).name if suffix == ".csv" else f"library{suffix}")
        path.write_bytes(body)
        return use(path)
