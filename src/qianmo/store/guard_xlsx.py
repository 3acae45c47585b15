"""Excel workbooks: members, links, macros, DDE (Excel 检查)."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from qianmo.schema.errors import UnsafeInputError
from qianmo.store.guard_limits import Limits
from qianmo.store.guard_xml import check_xml_bytes
from qianmo.store.guard_zip import check_zip, open_zip

__all__ = ["check_workbook"]

_FORBIDDEN = (
    ("vbaproject", "macros", "save as .xlsx without macros 请另存为无宏的 xlsx"),
    ("xl/externallinks/", "links to other workbooks", "break the links and save 请断开外部链接后保存"),
    ("xl/connections.xml", "data connections", "remove the connections and save 请删除数据连接后保存"),
    ("xl/querytables/", "external queries", "remove the queries and save 请删除外部查询后保存"),
    ("xl/activex/", "ActiveX controls", "remove the controls and save 请删除控件后保存"),
    ("xl/embeddings/", "embedded objects", "remove the objects and save 请删除嵌入对象后保存"),
    ("xl/macrosheets/", "macro sheets", "remove the macro sheets and save 请删除宏表后保存"),
)
_DDE = re.compile(rb"<f[^>]*>[^<]*\w\s*\|\s*(?:'|&apos;|&#39;)|ddeLink", re.IGNORECASE)
_TEXT_MAX_MB = 1024


def check_workbook(path: Path, *, limits: Limits) -> None:
    """Check an .xlsx before openpyxl sees it (Excel 检查).

    Raises
    ------
    UnsafeInputError
        Zip rules broken; macros, external links, DDE, DOCTYPE; or no workbook inside.
    """
    members = check_zip(path, limits=limits)
    names = [n.casefold() for _, n in members]
    if "xl/workbook.xml" not in names or "[content_types].xml" not in names:
        raise UnsafeInputError(
            f"{path.name}: a zip without xl/workbook.xml",
            expected="an Excel workbook",
            cure="save it in Excel as .xlsx 请用 Excel 另存为 xlsx",
        )
    for start, what, cure in _FORBIDDEN:
        if hit := [n for n in names if start in n]:
            raise UnsafeInputError(f"{path.name}: {what} ({hit[0]})", expected="a plain table", cure=cure)
    with open_zip(path) as archive:
        for info, name in members:
            if name.casefold().endswith((".xml", ".rels", ".vml")):
                _check_member(archive, info, f"{path.name}!{name}", limits)


def _check_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, shown: str, limits: Limits) -> None:
    if info.file_size > _TEXT_MAX_MB << 20:
        raise UnsafeInputError(
            f"{shown}: {info.file_size >> 20} MB of XML",
            expected=f"at most {_TEXT_MAX_MB} MB",
            cure="split the workbook 请拆分工作簿",
        )
    try:
        data = archive.read(info)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError, OSError, zipfile.zlib.error) as error:  # type: ignore[attr-defined]
        raise UnsafeInputError(
            f"{shown} cannot be unpacked ({error})",
            expected="a whole workbook",
            cure="save it again in Excel 请用 Excel 重新保存",
        ) from None
    check_xml_bytes(data, shown, depth_max=limits.depth_max)
    if _DDE.search(data):
        raise UnsafeInputError(
            f"{shown}: a formula calls another program (DDE)",
            expected="values",
            cure="delete the formula and save 请删除 DDE 公式后保存",
        )
    if b'TargetMode="External"' in data and re.search(rb'Type="[^"]*/(externalLink|oleObject|attachedTemplate|frame)', data):
        raise UnsafeInputError(
            f"{shown}: a link to an outside file", expected="a plain table", cure="break the links and save 请断开外部链接后保存"
        )
