"""The gate: one file or folder in, a checked source out, or a refusal that names cause and cure (导入安全门)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from qianmo.schema.errors import MissingDataError, UnsafeInputError
from qianmo.store.guard_gdb import check_geodatabase
from qianmo.store.guard_json import check_geojson
from qianmo.store.guard_limits import Limits
from qianmo.store.guard_magic import check_magic, check_name
from qianmo.store.guard_shapefile import check_projection_text, check_shapefile, shapefile_parts
from qianmo.store.guard_sqlite import check_geopackage
from qianmo.store.guard_text import check_csv, check_dxf, is_boundary_text
from qianmo.store.guard_tiff import check_tiff
from qianmo.store.guard_xlsx import check_workbook
from qianmo.store.guard_xml import check_kml
from qianmo.store.raw import Note, Source

__all__ = ["WGS84_WKT", "Consent", "has_shapefile", "inspect", "sha256_of"]

WGS84_WKT = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],'
    'UNIT["degree",0.0174532925199433],AUTHORITY["EPSG","4326"]]'
)
"""What KML says by its standard."""


@dataclass(frozen=True)
class Consent:
    """What the user agreed to beyond the safe defaults (用户确认项).

    `rebuild_index`: rebuild a missing .shx; `without_attributes`: shapes without .dbf; `null_geometry`: keep features without
    a shape as null, told in a note; `broken_geometry`: keep features whose shape cannot be built as null, told in a note;
    `plain_tables`: read tables without coordinates too, as layers without shapes.
    """

    rebuild_index: bool = False
    without_attributes: bool = False
    null_geometry: bool = False
    broken_geometry: bool = False
    plain_tables: bool = False


def inspect(path: Path, *, limits: Limits, root: Path | None = None, origin: str = "", consent: Consent | None = None) -> Source:
    """Check one file or .gdb folder before any reader opens it (导入检查).

    Parameters
    ----------
    path : Path
        A .shp (its set is found), .gdb folder, .gpkg, .geojson, .json, .kml, .dxf, .xlsx, .csv, .txt, .tif or .tiff.
        Archives (.zip, .kmz) go through `qianmo.store.sources.list_sources`, which unpacks them first.
    limits : Limits
        Sizes, counts and depths.
    root : Path, optional
        Folder of the upload; links that leave it are refused. Default: the folder of `path`.
    origin : str, optional
        Name to show, when the file came out of an archive.
    consent : Consent, optional
        What the user agreed to.

    Returns
    -------
    Source
        Driver, files by role, SHA-256, declared reference system and encoding, notes.

    Raises
    ------
    UnsafeInputError
        Content against extension, unsafe structure, sizes or counts that contradict each other, links.
    EncodingError
        Text formats that must be UTF-8 and are not.
    MissingDataError
        Nothing there, or a part of a shapefile set is missing.
    """
    _check_place(path, root or path.parent, limits)
    _refuse_part(path)
    if path.is_dir():
        if path.suffix.lower() != ".gdb":
            raise UnsafeInputError(
                f"{path.name}: a folder that is not a .gdb",
                expected="a file or a .gdb folder",
                cure="give the files in it, or the folder to list_sources 请指定具体文件",
            )
        found = _source(path, {"gdb": path}, "OpenFileGDB", notes=check_geodatabase(path))
    else:
        for beside in path.parent.iterdir():
            if beside.name.casefold().startswith(path.stem.casefold() + ".") and beside.is_symlink():
                _check_place(beside, root or path.parent, limits)
        check_magic(path)
        found = _CHECKS[path.suffix.lower()](path, limits, consent or Consent())
    _check_size(found, limits)
    for part in found.parts.values():
        _check_place(part, root or path.parent, limits)
    return replace(
        found, root=(root or path.parent).resolve(), origin=origin or path.name, sha256=sha256_of(found.parts.values())
    )


def has_shapefile(path: Path) -> bool:
    """True when a .shp of the same name lies beside a part of a set (同名 shp 是否存在)."""
    return any(p.suffix.lower() == ".shp" and p.stem.casefold() == path.stem.casefold() for p in path.parent.iterdir())


def sha256_of(parts: object) -> str:
    """SHA-256 of files, one after another in name order; a folder counts as its sorted files (来源指纹)."""
    digest = hashlib.sha256()
    paths = sorted(Path(p) for p in parts)  # type: ignore[attr-defined]
    for path in paths:
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            with file.open("rb") as opened:
                while chunk := opened.read(1 << 20):
                    digest.update(chunk)
    return digest.hexdigest()


def _check_place(path: Path, root: Path, limits: Limits) -> None:
    if not path.exists() and not path.is_symlink():
        raise MissingDataError(
            f"{path.name}: no such file", expected="an existing file or folder", cure="check the path 请检查路径"
        )
    check_name(path.name, max_bytes=limits.name_max_bytes)
    within = path.absolute().is_relative_to(root.absolute())
    if not within or not path.resolve().is_relative_to(root.resolve()) or path.is_symlink():
        raise UnsafeInputError(
            f"{path.name}: a link, or a place outside the upload",
            expected="plain files inside the folder given",
            cure="copy the file itself into the folder 请拷贝真实文件，不要使用链接",
        )
    if not path.is_file() and not path.is_dir():
        raise UnsafeInputError(
            f"{path.name}: a pipe, socket or device", expected="a plain file", cure="copy the data to a file 请拷贝为普通文件"
        )


def _refuse_part(path: Path) -> None:
    if path.suffix.lower() not in (".dbf", ".shx", ".prj", ".cpg") or path.is_dir():
        return
    if not has_shapefile(path):
        raise MissingDataError(
            f"{path.name}: no .shp beside it",
            expected="shp, shx and dbf of one name",
            cure="copy the .shp as well 缺少 .shp 文件",
        )
    raise UnsafeInputError(
        f"{path.name}: one part of a shapefile set",
        expected="the .shp (its parts are found beside it)",
        cure="name the .shp 请指定 .shp 文件",
    )


def _check_size(found: Source, limits: Limits) -> None:
    if found.size_bytes > limits.file_max_mb * (1 << 20):
        raise UnsafeInputError(
            f"{found.main.name}: {found.size_bytes >> 20} MB",
            expected=f"at most {limits.file_max_mb:.0f} MB",
            cure="split the data, or raise guard_file_max_mb 请拆分数据",
        )


def _source(
    path: Path,
    parts: dict[str, Path],
    driver: str,
    *,
    notes: tuple[Note, ...] = (),
    wkt: str | None = None,
    encoding: str | None = None,
    count: int | None = None,
) -> Source:
    size = sum(f.stat().st_size for p in parts.values() for f in (p.iterdir() if p.is_dir() else [p]))
    return Source(path.name, driver, path.parent, parts, "", size, wkt, encoding, count, notes)


def _shapefile(path: Path, limits: Limits, consent: Consent) -> Source:
    parts = shapefile_parts(path)
    facts = check_shapefile(
        parts, limits=limits, rebuild_index=consent.rebuild_index, without_attributes=consent.without_attributes
    )
    return _source(
        path,
        parts,
        "ESRI Shapefile",
        notes=facts.notes,
        wkt=facts.declared_crs_wkt,
        encoding=facts.declared_encoding,
        count=facts.records,
    )


def _geopackage(path: Path, limits: Limits, consent: Consent) -> Source:
    return _source(path, {"gpkg": path}, "GPKG", notes=check_geopackage(path), encoding="utf-8")


def _geojson(path: Path, limits: Limits, consent: Consent) -> Source:
    named = check_geojson(path, depth_max=limits.depth_max)
    return _source(path, {"geojson": path}, "GeoJSON", wkt="crs member" if named else None, encoding="utf-8")


def _kml(path: Path, limits: Limits, consent: Consent) -> Source:
    links = check_kml(path, depth_max=limits.depth_max)
    notes = (
        (Note("reference_ignored", "info", "links in the KML were not followed", found=", ".join(links)[:200]),) if links else ()
    )
    return _source(path, {"kml": path}, "LIBKML", notes=notes, wkt=WGS84_WKT, encoding="utf-8")


def _dxf(path: Path, limits: Limits, consent: Consent) -> Source:
    return _source(path, {"dxf": path}, "DXF", notes=check_dxf(path))


def _csv(path: Path, limits: Limits, consent: Consent) -> Source:
    notes = check_csv(path)
    driver = "BoundaryText" if is_boundary_text(path) else "CSV"
    if (
        path.suffix.lower() == ".txt"
        and driver == "CSV"
        and b"," not in path.read_bytes()[:4096]
        and b"\t" not in path.read_bytes()[:4096]
    ):
        raise UnsafeInputError(
            f"{path.name}: plain text without columns",
            expected="boundary-point text ([属性描述] … [地块坐标]) or a table",
            cure="give a table with coordinates 请提供界址点坐标表",
        )
    return _source(
        path, {driver.lower(): path}, driver, notes=notes, encoding="utf-8" if any(n.kind == "bom" for n in notes) else None
    )


def _xlsx(path: Path, limits: Limits, consent: Consent) -> Source:
    check_workbook(path, limits=limits)
    return _source(path, {"xlsx": path}, "XLSX", encoding="utf-8")


def _tiff(path: Path, limits: Limits, consent: Consent) -> Source:
    parts = {"tif": path}
    world = [
        p
        for p in sorted(path.parent.iterdir())
        if p.stem == path.stem and p.suffix.lower() in (".tfw", ".tifw") and p.stat().st_size < 4096
    ]
    prj = [p for p in sorted(path.parent.iterdir()) if p.stem == path.stem and p.suffix.lower() == ".prj"]
    parts |= {"tfw": world[0]} if world else {}
    return _source(
        path, parts, "GTiff", notes=check_tiff(path, limits=limits), wkt=check_projection_text(prj[0]) if prj else None
    )


_CHECKS: dict[str, Callable[[Path, Limits, Consent], Source]] = {
    ".shp": _shapefile,
    ".gpkg": _geopackage,
    ".geojson": _geojson,
    ".json": _geojson,
    ".kml": _kml,
    ".dxf": _dxf,
    ".csv": _csv,
    ".txt": _csv,
    ".xlsx": _xlsx,
    ".tif": _tiff,
    ".tiff": _tiff,
}
