"""The one GeoPackage of a project, with styles that QGIS opens (GeoPackage 数据库)."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyogrio

from qianmo.store.styles import qml

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["check_geopackage", "drop_layer", "write_catalog", "write_layer"]

_STYLE_TABLE = """CREATE TABLE IF NOT EXISTS layer_styles (
 id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT, f_table_schema TEXT, f_table_name TEXT,
 f_geometry_column TEXT, styleName TEXT, styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT,
 owner TEXT, ui TEXT, update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))"""

_CATALOG_TABLE = """CREATE TABLE IF NOT EXISTS qianmo_dataset (
 id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, name TEXT, kind TEXT, zh TEXT, crs TEXT, class_scheme TEXT, vintage TEXT,
 synthetic BOOLEAN, row_count INTEGER, source TEXT, source_sha256 TEXT, tool TEXT, time TEXT, user TEXT, parameters TEXT,
 decisions TEXT)"""


_LEAST_VERSION = 10_200
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def write_layer(path: Path, frame: gpd.GeoDataFrame, *, name: str, kind: str, zh: str) -> None:
    """Write or replace one layer, with its style as the default style of the layer."""
    geometry = "Unknown" if frame.geom_type.nunique() > 1 else None
    flat = frame.rename_geometry("geom") if frame.geometry.name != "geom" else frame
    drop_layer(path, name)
    pyogrio.write_dataframe(
        flat, path, layer=name, driver="GPKG", geometry_type=_promote(frame) or geometry, use_arrow=len(flat) > 20_000,
        append=False, layer_options={"IDENTIFIER": zh, "FID": "fid"},
    )  # fmt: skip
    with closing(sqlite3.connect(path)) as db, db:
        _register(db, "layer_styles", _STYLE_TABLE)
        db.execute("DELETE FROM layer_styles WHERE f_table_name = ?", (name,))
        db.execute(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, styleQML,"
            " styleSLD, useAsDefault, description, owner) VALUES ('', '', ?, 'geom', ?, ?, '', 1, ?, 'qianmo')",
            (name, zh, qml(frame, kind=kind), zh),
        )


def drop_layer(path: Path, name: str) -> None:
    """Take a layer out of the GeoPackage, with its style; silent when it is not there."""
    if not path.exists() or name not in {str(n) for n in pyogrio.list_layers(path)[:, 0]}:
        return
    with closing(sqlite3.connect(path)) as db, db:
        for table, column in (("gpkg_contents", "table_name"), ("gpkg_geometry_columns", "table_name"),
                              ("gpkg_extensions", "table_name"), ("gpkg_ogr_contents", "table_name"),
                              ("layer_styles", "f_table_name")):  # fmt: skip
            if db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
                db.execute(f"DELETE FROM {table} WHERE lower({column}) = lower(?)", (name,))
        for trigger, _ in db.execute("SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (name,)).fetchall():
            db.execute(f'DROP TRIGGER "{trigger}"')
        db.execute(f'DROP TABLE IF EXISTS "rtree_{name}_geom"')
        db.execute(f'DROP TABLE IF EXISTS "{name}"')


def write_catalog(path: Path, records: list[dict[str, Any]]) -> None:
    """Write the lineage of all datasets into the GeoPackage as an attribute table."""
    with closing(sqlite3.connect(path)) as db, db:
        _register(db, "qianmo_dataset", _CATALOG_TABLE)
        db.execute("DELETE FROM qianmo_dataset")
        for r in records:
            lineage = r["lineage"]
            db.execute(
                "INSERT INTO qianmo_dataset (name, kind, zh, crs, class_scheme, vintage, synthetic, row_count, source, source_sha256,"
                " tool, time, user, parameters, decisions) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                (
                    r["name"], r["kind"], r["zh"], r["crs"], r["class_scheme"], r["vintage"], int(r["synthetic"]), r["rows"],
                    lineage["source"], lineage["source_sha256"], lineage["tool"], lineage["time"], lineage["user"],
                    json.dumps(lineage["parameters"], ensure_ascii=False), json.dumps(lineage["decisions"], ensure_ascii=False),
                ),
            )  # fmt: skip


def check_geopackage(path: Path) -> list[str]:
    """Faults of a GeoPackage by the OGC requirements that can be read off the file; empty when sound.

    Checks the application id and version (Req 2), integrity (Req 6), foreign keys (Req 7), the core tables and reference
    systems (Req 10-17), that every feature table is registered and has its geometry column, with one reference system in
    both places and in the geometries themselves (Req 18-33), and that each spatial index is registered and complete.
    """
    faults: list[str] = []
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        if db.execute("PRAGMA application_id").fetchone()[0] != 0x47504B47:
            faults.append("application_id is not GPKG")
        if db.execute("PRAGMA user_version").fetchone()[0] < _LEAST_VERSION:
            faults.append("user_version is below 1.2")
        if db.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
            faults.append("integrity_check fails")
        if db.execute("PRAGMA foreign_key_check").fetchall():
            faults.append("foreign_key_check fails")
        tables = {r[0] for r in db.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")}
        faults += [f"no table {t}" for t in ("gpkg_spatial_ref_sys", "gpkg_contents", "gpkg_geometry_columns") if t not in tables]
        if faults:
            return faults
        known = {r[0] for r in db.execute("SELECT srs_id FROM gpkg_spatial_ref_sys")}
        faults += [f"no reference system {n}" for n in (-1, 0, 4326) if n not in known]
        faults += [f"{n} has last_change {t!r}" for n, t in db.execute("SELECT table_name, last_change FROM gpkg_contents") if not _STAMP.fullmatch(t or "")]
        for name, kind in db.execute("SELECT table_name, data_type FROM gpkg_contents"):
            faults += _table_faults(db, tables, name, kind)
    return faults


def _table_faults(db: sqlite3.Connection, tables: set[str], name: str, kind: str) -> list[str]:
    if name not in tables:
        return [f"{name} is registered and missing"]
    if kind != "features":
        return []
    row = db.execute("SELECT column_name, srs_id FROM gpkg_geometry_columns WHERE table_name = ?", (name,)).fetchone()
    if row is None:
        return [f"{name} has no geometry column registered"]
    faults = []
    if not db.execute("SELECT 1 FROM gpkg_spatial_ref_sys WHERE srs_id = ?", (row[1],)).fetchone():
        faults.append(f"{name} has an unknown srs_id {row[1]}")
    if db.execute("SELECT srs_id FROM gpkg_contents WHERE table_name = ?", (name,)).fetchone()[0] != row[1]:
        faults.append(f"{name} has two different srs_id")
    blobs = db.execute(f'SELECT substr("{row[0]}", 1, 8) FROM "{name}" WHERE "{row[0]}" IS NOT NULL').fetchall()
    strange = sum(b[:2] != b"GP" or int.from_bytes(b[4:8], "little" if b[3] & 1 else "big", signed=True) != row[1] for (b,) in blobs)
    if strange:
        faults.append(f"{name} has {strange} geometries without header or with another srs_id")
    count = db.execute(f'SELECT count(*) FROM "{name}" WHERE "{row[0]}" IS NOT NULL').fetchone()[0]
    if f"rtree_{name}_{row[0]}" in tables:
        registered = "gpkg_extensions" in tables and db.execute(
            "SELECT 1 FROM gpkg_extensions WHERE table_name = ? AND extension_name = 'gpkg_rtree_index'", (name,)
        ).fetchone()
        if not registered:
            faults.append(f"{name} has an index that is not registered")
        indexed = db.execute(f'SELECT count(*) FROM "rtree_{name}_{row[0]}"').fetchone()[0]
        if indexed != count:
            faults.append(f"{name} has {count} geometries and {indexed} in its index")
    return faults


def _register(db: sqlite3.Connection, table: str, create: str) -> None:
    db.execute(create)
    db.execute(
        "INSERT OR IGNORE INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id)"
        " VALUES (?, 'attributes', ?, '', strftime('%Y-%m-%dT%H:%M:%fZ','now'), 0)",
        (table, table),
    )


def _promote(frame: gpd.GeoDataFrame) -> str | None:
    kinds = set(frame.geom_type.dropna().unique())
    for single in ("Polygon", "LineString", "Point"):
        if kinds == {single}:
            return single
        if kinds and kinds <= {single, f"Multi{single}"}:
            return f"Multi{single}"
    return None
