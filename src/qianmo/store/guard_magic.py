"""What a file really is, by its first bytes (文件魔数)."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from qianmo.schema.errors import UnsafeInputError

__all__ = ["EXPECTED", "check_magic", "check_name", "has_hidden_marks", "sniff"]

EXPECTED = {
    ".shp": ("shapefile",),
    ".zip": ("zip",),
    ".kmz": ("zip",),
    ".xlsx": ("zip",),
    ".gpkg": ("sqlite",),
    ".geojson": ("json",),
    ".json": ("json",),
    ".kml": ("xml",),
    ".dxf": ("text",),
    ".csv": ("text", "json"),
    ".txt": ("text", "json"),
    ".tif": ("tiff",),
    ".tiff": ("tiff",),
}
"""Extension to the kinds its content may have."""

_MAGIC = (
    (b"\x00\x00\x27\x0a", "shapefile"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"PK\x07\x08", "zip"),
    (b"SQLite format 3\x00", "sqlite"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
    (b"\x1f\x8b", "gzip"),
    (b"7z\xbc\xaf\x27\x1c", "7z archive"),
    (b"Rar!", "rar archive"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"%PDF", "PDF document"),
    (b"\x89PNG", "PNG image"),
    (b"\xff\xd8\xff", "JPEG image"),
    (b"GIF8", "GIF image"),
    (b"\xd0\xcf\x11\xe0", "OLE file (old Office, .xls)"),
    (b"\x7fELF", "program"),
    (b"MZ", "Windows program"),
    (b"#!", "script"),
    (b"\x89HDF", "HDF5"),
    (b"CDF", "NetCDF"),
    (b"AutoCAD Binary DXF", "binary DXF"),
    (b"AC10", "DWG drawing"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
    (b"PMTiles", "PMTiles"),
    (b"fgb\x03", "FlatGeobuf"),
    (b"PAR1", "Parquet"),
)
_HIDDEN = {"\u200b", "\u200c", "\u200d", "\u2060", "\ufeff"}
_RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$", re.IGNORECASE)
_CURES = {
    "gzip": "unpack it (gunzip) and give the file itself 请先解压",
    "7z archive": "pack as .zip 请改为 zip 压缩包",
    "rar archive": "pack as .zip 请改为 zip 压缩包",
    "OLE file (old Office, .xls)": "open it and save as .xlsx 请另存为 xlsx",
    "DWG drawing": "save the drawing as .dxf 请另存为 DXF",
    "binary DXF": "save as text DXF (ASCII) 请另存为文本 DXF",
    "UTF-16 text": "save as UTF-8 请另存为 UTF-8 编码",
}


def sniff(head: bytes) -> str:
    """Kind of content by its first bytes: 'zip', 'sqlite', 'xml', 'json', 'text', 'binary' … (识别魔数).

    Parameters
    ----------
    head : bytes
        The first bytes of the file; 512 are enough.
    """
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    bare = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if bare.startswith(b"<"):
        return "VRT (virtual data set)" if re.search(rb"<\s*(OGR)?VRT", bare, re.IGNORECASE) else "xml"
    if bare.startswith((b"{", b"[")):
        return "json" if bare.startswith(b"{") else "text"
    if not head:
        return "empty"
    return "binary" if b"\x00" in head else "text"


def check_magic(path: Path) -> str:
    """Kind of a file, after its content agreed with its extension (魔数与扩展名核对).

    Raises
    ------
    UnsafeInputError
        The content is not what the extension says, or the extension is not one that may come in.
    """
    with path.open("rb") as file:
        kind = sniff(file.read(4096))
    suffix = path.suffix.lower()
    if suffix not in EXPECTED:
        cure = _CURES.get(
            kind, "give a shapefile set, .zip, .gdb folder, .gpkg, .geojson, .kml, .dxf, .xlsx, .csv or .tif 请改用支持的格式"
        )
        raise UnsafeInputError(
            f"{path.name}: extension {suffix or '(none)'} with content {kind}", expected=" ".join(EXPECTED), cure=cure
        )
    if kind not in EXPECTED[suffix]:
        cure = _CURES.get(kind, "give the real file; a file under a false name is not opened 文件内容与扩展名不符")
        raise UnsafeInputError(
            f"{path.name}: content is {kind}", expected=f"{' or '.join(EXPECTED[suffix])} for {suffix}", cure=cure
        )
    return kind


def check_name(name: str, *, max_bytes: float) -> None:
    """Refuse a file name that deceives or that some system cannot hold (文件名检查).

    Raises
    ------
    UnsafeInputError
        Too long, reserved, with control, bidirectional or zero-width marks, or with parts that readers take as commands.
    """
    shown = ascii(name[:80])
    cure = "rename the file with plain letters, digits or Chinese characters 请重命名文件"
    if len(name.encode("utf-8", "surrogatepass")) > max_bytes:
        raise UnsafeInputError(
            f"file name of {len(name.encode('utf-8', 'surrogatepass'))} bytes: {shown}…",
            expected=f"at most {max_bytes:.0f} bytes",
            cure=cure,
        )
    if has_hidden_marks(name):
        raise UnsafeInputError(
            f"file name {shown} holds control, bidirectional or zero-width marks", expected="visible characters only", cure=cure
        )
    if _RESERVED.match(name) or name != name.rstrip(". ") or any(c in name for c in '<>:"|?*\\') or "/vsi" in name:
        raise UnsafeInputError(
            f'file name {shown} is reserved or holds one of <>:"|?*\\', expected="a name that every system accepts", cure=cure
        )


def has_hidden_marks(text: str) -> bool:
    """True when the text holds control, bidirectional, zero-width or lone surrogate characters (隐形字符)."""
    return any(c in _HIDDEN or unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in text)
