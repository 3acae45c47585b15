"""Text tables and drawings: CSV, boundary-point text, DXF (文本类文件检查)."""

from __future__ import annotations

import re
from pathlib import Path

from qianmo.schema.errors import UnsafeInputError
from qianmo.store.raw import Note

__all__ = ["check_csv", "check_dxf", "is_boundary_text", "text_samples_of"]

_MARKS = {"属性描述", "地块坐标"}
_BLOCK = 1 << 20


def check_csv(path: Path) -> tuple[Note, ...]:
    """Refuse a table that is not text, and notice a byte order mark (文本表检查).

    Raises
    ------
    UnsafeInputError
        Empty, NUL bytes, or one line longer than a megabyte.
    """
    head = b""
    with path.open("rb") as file:
        while chunk := file.read(_BLOCK):
            head = head or chunk[:4]
            if b"\x00" in chunk:
                raise UnsafeInputError(
                    f"{path.name}: NUL bytes in a text table", expected="text", cure="save as CSV in UTF-8 请另存为 UTF-8 CSV"
                )
            if len(chunk) == _BLOCK and b"\n" not in chunk and b"\r" not in chunk:
                raise UnsafeInputError(
                    f"{path.name}: a line longer than {_BLOCK} bytes",
                    expected="rows on lines",
                    cure="export the table again 请重新导出",
                )
    return (Note("bom", "info", "UTF-8 byte order mark found and removed"),) if head.startswith(b"\xef\xbb\xbf") else ()


def is_boundary_text(path: Path) -> bool:
    """True for the text form of boundary points ([属性描述] … [地块坐标]) (界址点坐标文本)."""
    with path.open("rb") as file:
        head = file.read(4096)
    return any(f"[{m}]".encode(code) in head for m in _MARKS for code in ("utf-8", "gb18030"))


def check_dxf(path: Path) -> tuple[Note, ...]:
    """Check that a drawing is text DXF and whole; references to other drawings are reported, never followed (DXF 检查).

    Raises
    ------
    UnsafeInputError
        No SECTION at its start, no EOF at its end, NUL bytes.
    """
    data = path.read_bytes()
    if b"\x00" in data:
        raise UnsafeInputError(
            f"{path.name}: NUL bytes in a text drawing", expected="text DXF", cure="save as ASCII DXF 请另存为文本 DXF"
        )
    lines = re.split(rb"\r\n|\r|\n", data[:8192])
    body = [x.strip() for x in lines if x.strip()]
    if len(body) < 2 or b"SECTION" not in body[:40]:
        raise UnsafeInputError(
            f"{path.name}: no SECTION at the start", expected="text DXF", cure="save the drawing as DXF 请另存为 DXF"
        )
    if not data.rstrip().endswith(b"EOF"):
        raise UnsafeInputError(
            f"{path.name}: the drawing ends without EOF",
            expected="a complete file (truncated)",
            cure="copy or export the drawing again 文件不完整，请重新拷贝",
        )
    if b"ENTITIES" not in data:
        raise UnsafeInputError(
            f"{path.name}: no ENTITIES section",
            expected="a drawing with entities",
            cure="export the drawing again 请重新导出图形",
        )
    linked = re.findall(rb"[^\r\n]+\.(?:dwg|dxf|jpg|tif|png)(?=[\r\n])", data, re.IGNORECASE)
    shown = b", ".join(x.strip()[:60] for x in linked[:3]).decode("utf-8", "replace")
    return (
        (Note("reference_ignored", "info", "the drawing refers to other files; they were not opened", found=ascii(shown)),)
        if linked
        else ()
    )


def text_samples_of(path: Path, *, most: int = 2000) -> list[bytes]:
    """Lines that are not plain ASCII, as raw bytes, for the encoding detective (取编码样本)."""
    found: dict[bytes, None] = {}
    with path.open("rb") as file:
        for line in file:
            bare = line.strip()
            if not bare.isascii():
                found.setdefault(bare.removeprefix(b"\xef\xbb\xbf"))
            if len(found) >= most:
                break
    return [x for x in found if not x.isascii()]
