"""GeoPackage files: whole, at rest, and without code that runs when they are read (GeoPackage 检查)."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

from qianmo.schema.errors import UnsafeInputError
from qianmo.store.raw import Note

__all__ = ["check_geopackage"]

_APPLICATION = (b"GPKG", b"GP10", b"GP11")
_DANGEROUS = re.compile(
    r"load_extension|readfile|writefile|fts3_tokenizer|\battach\b|\bpragma\b|edit\s*\(|gdal_get_\w+|ogr_(datasource|geocode|layer)_?\w*\s*\(|/vsi",
    re.IGNORECASE,
)
_USUAL_TRIGGER = re.compile(
    r"^(rtree_|trigger_(insert|delete)_feature_count_|gpkg_|fti_|fgti_|dgti_|feature_count_)", re.IGNORECASE
)
_AGAIN = "export the layers to a new GeoPackage 请导出为新的 GeoPackage"


def check_geopackage(path: Path) -> tuple[Note, ...]:
    """Check header, size, journal and schema; opened read-only, immutable, with trusted_schema off (GeoPackage 检查).

    Triggers never run, because nothing is written; the usual ones are passed over and others reported.

    Raises
    ------
    UnsafeInputError
        Truncated, still open elsewhere, not a GeoPackage, or with views as layers, foreign virtual tables or dangerous SQL.
    """
    _check_header(path)
    rows, views = _schema(path)
    notes = []
    for kind, name, sql in rows:
        if found := _DANGEROUS.search(sql or ""):
            raise UnsafeInputError(
                f"{path.name}: {kind} {name!r} calls {found.group(0)}", expected="tables without code", cure=_AGAIN
            )
        if (
            kind == "table"
            and re.match(r"\s*create\s+virtual\s+table", sql or "", re.IGNORECASE)
            and not re.search(r"using\s+[\"']?(rtree|fts5)\b", sql, re.IGNORECASE)
        ):
            raise UnsafeInputError(
                f"{path.name}: virtual table {name!r} ({sql.split('USING')[-1].strip()[:60]})", expected="rtree only", cure=_AGAIN
            )
        if kind == "trigger" and not _USUAL_TRIGGER.match(name):
            notes.append(Note("trigger", "info", "a trigger in the GeoPackage was not run (opened read-only)", found=name))
    if views:
        raise UnsafeInputError(
            f"{path.name}: views as layers: {', '.join(views)}",
            expected="tables (a view runs its SQL when it is read)",
            cure=_AGAIN,
        )
    return tuple(notes)


def _check_header(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(100)
    if len(head) < 100:
        raise UnsafeInputError(
            f"{path.name}: {size} bytes",
            expected="a SQLite header of 100 bytes",
            cure="copy the file again 文件不完整，请重新拷贝",
        )
    page = int.from_bytes(head[16:18], "big")
    page = 65536 if page == 1 else page
    pages = int.from_bytes(head[28:32], "big")
    if page < 512 or page & (page - 1) or page * pages != size:
        raise UnsafeInputError(
            f"{path.name}: header says {pages} pages of {page} bytes, the file has {size} bytes",
            expected="equal (truncated or still open)",
            cure="close the program that uses it and copy it again 请关闭占用程序后重新拷贝",
        )
    for suffix in ("-wal", "-journal"):
        other = path.with_name(path.name + suffix)
        if other.exists() and other.stat().st_size > 0:
            raise UnsafeInputError(
                f"{path.name}: {other.name} holds changes not yet written",
                expected="a GeoPackage at rest",
                cure="close QGIS or the program that uses it and copy it again 请关闭 QGIS 后重试",
            )
    if head[68:72] not in _APPLICATION:
        raise UnsafeInputError(
            f"{path.name}: SQLite file with application id {head[68:72].hex()}",
            expected="GPKG",
            cure="export as GeoPackage 请导出为 GeoPackage",
        )


def _schema(path: Path) -> tuple[list[tuple[str, str, str]], list[str]]:
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    except sqlite3.Error as error:
        raise UnsafeInputError(f"{path.name}: {error}", expected="a readable GeoPackage", cure=_AGAIN) from None
    try:
        db.execute("PRAGMA trusted_schema=OFF")
        db.execute("PRAGMA cell_size_check=ON")
        db.execute("PRAGMA query_only=ON")
        db.set_progress_handler(lambda: 1, 500_000_000)
        rows = db.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        views = {n.casefold() for k, n, s in rows if k == "view"}
        if not {"gpkg_contents", "gpkg_spatial_ref_sys"} <= {n.casefold() for k, n, s in rows if k == "table"}:
            raise UnsafeInputError(f"{path.name}: no table gpkg_contents", expected="a GeoPackage", cure=_AGAIN)
        if (state := db.execute("PRAGMA quick_check(1)").fetchone()) != ("ok",):
            raise UnsafeInputError(f"{path.name}: damaged ({str(state)[:100]})", expected="a whole GeoPackage", cure=_AGAIN)
        used = [str(n) for (n,) in db.execute("SELECT table_name FROM gpkg_contents") if str(n).casefold() in views]
        return rows, used
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise UnsafeInputError(f"{path.name}: {error}", expected="a readable GeoPackage", cure=_AGAIN) from None
    finally:
        db.close()
