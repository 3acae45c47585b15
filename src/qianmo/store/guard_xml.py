"""XML that may be parsed: UTF-8, no DOCTYPE, no entities, not too deep (XML 安全检查)."""

from __future__ import annotations

import re
from pathlib import Path

from qianmo.schema.errors import EncodingError, UnsafeInputError

__all__ = ["check_kml", "check_xml_bytes"]

_PROLOG = re.compile(rb"^\s*<\?xml[^>]*?encoding\s*=\s*[\"']([^\"']+)[\"']", re.IGNORECASE)
_DECLARATION = re.compile(rb"<!\s*(DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)", re.IGNORECASE)
_INCLUDE = re.compile(rb"<\?xml-stylesheet|<xi:include|<\s*(OGR)?VRT", re.IGNORECASE)
_TAG = re.compile(rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|<(/?)[^<>]*?(/?)>", re.DOTALL)


def check_xml_bytes(data: bytes, name: str, *, depth_max: float) -> None:
    """Refuse XML that could reach outside itself or exhaust the parser (XML 检查).

    Raises
    ------
    UnsafeInputError
        DOCTYPE, ENTITY, XInclude, style sheet, VRT, or nesting too deep.
    EncodingError
        Not UTF-8.
    """
    _check_utf8(data, name)
    if found := _DECLARATION.search(data):
        what = found.group(1).decode().upper()
        raise UnsafeInputError(
            f"{name}: XML with a {what} declaration at byte {found.start()}",
            expected="XML without DOCTYPE or ENTITY",
            cure="remove the declaration or export the file again 请删除 DOCTYPE/ENTITY 声明",
        )
    if found := _INCLUDE.search(data):
        raise UnsafeInputError(
            f"{name}: XML refers to other files ({found.group(0).decode('ascii', 'replace')})",
            expected="XML that stands alone",
            cure="export the data itself, not a reference to it 请导出数据本身",
        )
    depth = _depth(data)
    if depth > depth_max:
        raise UnsafeInputError(
            f"{name}: XML nested {depth} deep",
            expected=f"at most {depth_max:.0f} levels",
            cure="export the file again from its source 请重新导出",
        )


def check_kml(path: Path, *, depth_max: float) -> tuple[str, ...]:
    """Check a KML file; the links to other files that it holds are returned and never followed (KML 检查).

    Raises
    ------
    UnsafeInputError, EncodingError
        As `check_xml_bytes`, or the root is not kml.
    """
    data = path.read_bytes()
    check_xml_bytes(data, path.name, depth_max=depth_max)
    root = re.search(rb"<\s*([A-Za-z_][\w:.-]*)", re.sub(rb"<\?.*?\?>|<!--.*?-->", b"", data[:65536], flags=re.DOTALL))
    local = root.group(1).decode().split(":")[-1].lower() if root else "(nothing)"
    if local != "kml":
        raise UnsafeInputError(f"{path.name}: XML root is <{local}>", expected="<kml>", cure="export as KML 请导出为 KML 格式")
    if b"</kml" not in data[-4096:] and b":kml>" not in data[-4096:]:
        raise UnsafeInputError(
            f"{path.name}: the file ends before </kml>",
            expected="a complete file",
            cure="copy or download it again 文件不完整，请重新拷贝",
        )
    return tuple(x.decode("utf-8", "replace") for x in re.findall(rb"<href>\s*(.*?)\s*</href>", data, re.DOTALL)[:20])


def _check_utf8(data: bytes, name: str) -> None:
    cure = "save the file as UTF-8 请另存为 UTF-8 编码"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in data[:4096]:
        raise EncodingError(f"{name}: XML in UTF-16 or UTF-32, or with NUL bytes", expected="UTF-8", cure=cure)
    prolog = _PROLOG.match(data.removeprefix(b"\xef\xbb\xbf")[:512])
    declared = prolog.group(1).decode("ascii", "replace").lower() if prolog else "utf-8"
    if declared not in ("utf-8", "utf8", "us-ascii", "ascii"):
        raise EncodingError(f"{name}: XML declares encoding {declared}", expected="UTF-8", cure=cure)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise EncodingError(f"{name}: byte {error.start} is not UTF-8", expected="UTF-8 text", cure=cure) from None


def _depth(data: bytes) -> int:
    depth = deepest = 0
    for match in _TAG.finditer(data):
        closing, empty = match.group(1), match.group(2)
        if closing is None or empty:
            continue
        depth += -1 if closing else 1
        deepest = max(deepest, depth)
    return deepest
