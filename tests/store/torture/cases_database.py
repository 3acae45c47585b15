"""File geodatabases, GeoPackages, workbooks and rasters."""

# One case a line, as in a table.

from __future__ import annotations

import io
import sqlite3
import struct
import warnings
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import numpy as np
import openpyxl
import pyogrio
import rasterio
import shapely
from affine import Affine
from case import Case, Check, accept, refuse

from qianmo.store.guard import Consent
from qianmo.store.raw import RawGrid, Reading

__all__ = ["database_cases"]

Build = Callable[[Path], Path]


def database_cases() -> list[Case]:
    """All cases that are databases, workbooks or rasters."""
    return [*_gdb(), *_gpkg(), *_gpkg_geometry(), *_xlsx(), *_tiff()]


def _frame(read: list[Reading]) -> gpd.GeoDataFrame:
    return read[0].layers[0].frame


def _column(name: str, *expected: object) -> Check:
    def check(read: list[Reading]) -> None:
        assert _frame(read)[name].tolist() == list(expected)
        assert _frame(read).crs is None

    return check


def _patches(*, null: bool = False) -> gpd.GeoDataFrame:
    shapes = shapely.box(40500000 + np.arange(3) * 50, 3300000, 40500050 + np.arange(3) * 50, 3300050).astype(object)
    if null:
        shapes[1] = None
    return gpd.GeoDataFrame(
        {
            "BSM": [350123456789012345 + i for i in range(3)],
            "DLBM": ["0101", "0102", "0703"],
            "DLMC": ["水田", "水浇地", "农村宅基地"],
        },
        geometry=shapes,
        crs=4528,
    )


@cache
def _gdb_files(null: bool = False, wide: bool = False) -> dict[str, bytes]:
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "a.gdb"
        more = {"layer_options": {"TARGET_ARCGIS_VERSION": "ARCGIS_PRO_3_2_OR_LATER"}} if wide else {}
        pyogrio.write_dataframe(
            _patches(null=null), path, layer="DLTB", driver="OpenFileGDB", geometry_type="MultiPolygon", **more
        )
        return {p.name: p.read_bytes() for p in path.iterdir()}


def _gdb_with(
    change: Callable[[dict[str, bytes]], dict[str, bytes]] = dict,
    *,
    null: bool = False,
    wide: bool = False,
    name: str = "调查.gdb",
) -> Build:
    def build(folder: Path) -> Path:
        path = folder / name
        path.mkdir()
        for member, content in change(dict(_gdb_files(null, wide))).items():
            (path / member).write_bytes(content)
        return path

    return build


def _data_table(files: dict[str, bytes]) -> str:
    return max((n for n in files if n.endswith(".gdbtable")), key=lambda n: int(n[1:9], 16))


def _gdb() -> list[Case]:
    def cut(files: dict[str, bytes]) -> dict[str, bytes]:
        name = _data_table(files)
        return files | {name: files[name][:-300]}

    def without_index(files: dict[str, bytes]) -> dict[str, bytes]:
        files.pop(_data_table(files)[:-1] + "x")
        return files

    def index_cut(files: dict[str, bytes]) -> dict[str, bytes]:
        name = _data_table(files)[:-1] + "x"
        return files | {name: files[name][:100]}

    def scrambled(files: dict[str, bytes]) -> dict[str, bytes]:
        name, rng = _data_table(files), np.random.default_rng(7)
        body = bytearray(files[name])
        body[200:] = rng.integers(0, 256, len(body) - 200, dtype=np.uint8).tobytes()
        return files | {name: bytes(body)}

    def link(folder: Path) -> Path:
        path = _gdb_with()(folder)
        (path / "a0000000f.gdbtable").symlink_to(folder.parent / "secret.csv")
        return path

    def zipped(folder: Path) -> Path:
        with zipfile.ZipFile(folder / "a.zip", "w") as archive:
            for name, content in _gdb_files().items():
                archive.writestr(f"调查.gdb/{name}", content)
        return folder / "a.zip"

    names = _column("DLMC", "水田", "水浇地", "农村宅基地")
    return [
        accept("gdb whose 18-digit ids were stored as decimals", _gdb_with(), "ids_rounded", check=names),
        accept("gdb with 64-bit ids", _gdb_with(wide=True), check=_column("BSM", 350123456789012345, 350123456789012346, 350123456789012347)),
        accept("gdb in a zip", zipped, check=names),
        accept("gdb with a lock", _gdb_with(lambda f: f | {"_gdb.PC.1.2.sr.lock": b""}), "locked", check=names),
        accept("gdb declares its reference system", _gdb_with(), check=lambda r: _declares(r, "4528")),
        refuse("gdb with a null shape", _gdb_with(null=True), "UnsafeInputError", "1 of 3", "rows 1"),
        accept("gdb with a null shape and consent", _gdb_with(null=True), "null_geometry", check=names, consent=Consent(null_geometry=True)),
        refuse("gdb table cut short", _gdb_with(cut), "UnsafeInputError", "truncated"),
        refuse("gdb without an index", _gdb_with(without_index), "UnsafeInputError", "missing", "copy"),
        refuse("gdb index cut short", _gdb_with(index_cut), "UnsafeInputError", "gdbtablx"),
        refuse("gdb table of random bytes", _gdb_with(scrambled), "UnsafeInputError", "调查.gdb"),
        refuse("gdb with foreign files", _gdb_with(lambda f: f | {"run.vrt": b"<OGRVRTDataSource/>"}), "UnsafeInputError", "run.vrt"),
        refuse("gdb with a link", link, "UnsafeInputError", "no geodatabase has"),
        refuse("gdb with a compressed table", _gdb_with(lambda f: f | {"a00000009.cdf": b"x"}), "UnsafeInputError", "compressed", "ncompress"),
        refuse("gdb folder without tables", _gdb_with(lambda f: {}), "UnsafeInputError", "a00000001"),
        refuse("gdb that is a file", lambda folder: _write(folder, "a.gdb", b"hello"), "UnsafeInputError", ".gdb"),
    ]  # fmt: skip


def _declares(read: list[Reading], code: str) -> None:
    assert code in str(read[0].layers[0].declared_crs_wkt)
    assert _frame(read).crs is None


def _write(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


@cache
def _gpkg_bytes() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.gpkg"
        pyogrio.write_dataframe(_patches(), path, layer="DLTB", driver="GPKG")
        return path.read_bytes()


def _gpkg_sql(*statements: str, after: Callable[[bytes], bytes] = bytes) -> Build:
    def build(folder: Path) -> Path:
        path = _write(folder, "调查.gpkg", _gpkg_bytes())
        db = sqlite3.connect(path)
        for name in ("ST_IsEmpty", "ST_MinX", "ST_MinY", "ST_MaxX", "ST_MaxY"):
            db.create_function(name, 1, lambda blob: 0)
        db.execute("PRAGMA writable_schema=ON")
        for statement in statements:
            db.execute(statement)
        db.commit()
        db.close()
        path.write_bytes(after(path.read_bytes()))
        return path

    return build


def _gpkg() -> list[Case]:
    raw = _gpkg_bytes
    view = (
        "CREATE VIEW v AS SELECT * FROM DLTB",
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES ('v', 'features', 'v', 4528)",
    )
    virtual = "INSERT INTO sqlite_master (type, name, tbl_name, rootpage, sql) VALUES ('table', 'x', 'x', 0, 'CREATE VIRTUAL TABLE x USING VirtualOGR(''/etc/passwd'')')"
    loads = "CREATE TRIGGER t AFTER INSERT ON DLTB BEGIN SELECT load_extension('x'); END"
    plain = "CREATE TRIGGER mine AFTER INSERT ON DLTB BEGIN DELETE FROM DLTB; END"
    names = _column("DLMC", "水田", "水浇地", "农村宅基地")

    def open_elsewhere(folder: Path) -> Path:
        path = _write(folder, "a.gpkg", raw())
        _write(folder, "a.gpkg-wal", b"changes")
        return path

    def walled(folder: Path) -> Path:
        path = _write(folder, "a.gpkg", raw())
        db = sqlite3.connect(path)
        db.execute("PRAGMA journal_mode=WAL")
        db.close()
        return path

    return [
        accept("geopackage", lambda f: _write(f, "a.gpkg", raw()), check=_column("BSM", 350123456789012345, 350123456789012346, 350123456789012347)),
        accept("geopackage in wal mode at rest", walled, check=names),
        accept("geopackage with a trigger of its own", _gpkg_sql(plain), "trigger", check=names),
        accept("geopackage with a view that is no layer", _gpkg_sql("CREATE VIEW v AS SELECT DLBM FROM DLTB"), check=names),
        refuse("geopackage with a view as layer", _gpkg_sql(*view), "UnsafeInputError", "view", "export"),
        refuse("geopackage with a virtual table", _gpkg_sql(virtual), "UnsafeInputError", "virtual table"),
        refuse("geopackage with a trigger that loads code", _gpkg_sql(loads), "UnsafeInputError", "load_extension"),
        refuse("geopackage with a view that reads files", _gpkg_sql("CREATE VIEW w AS SELECT readfile('/etc/passwd') AS x"), "UnsafeInputError", "readfile"),
        refuse("geopackage open elsewhere", open_elsewhere, "UnsafeInputError", "a.gpkg-wal", "close"),
        refuse("geopackage cut short", lambda f: _write(f, "a.gpkg", raw()[:-4096]), "UnsafeInputError", "pages"),
        refuse("geopackage of one page", lambda f: _write(f, "a.gpkg", raw()[:50]), "UnsafeInputError", "header"),
        refuse("text named gpkg", lambda f: _write(f, "a.gpkg", b"hello world"), "UnsafeInputError", "content is text"),
        refuse("fake geopackage", lambda f: _write(f, "a.gpkg", b"SQLite format 3\x00" + bytes(200)), "UnsafeInputError", "pages"),
        refuse("sqlite without an application id", _gpkg_sql("PRAGMA application_id=0"), "UnsafeInputError", "application id"),
        refuse("sqlite that only claims to be a geopackage", _gpkg_sql("DROP TABLE gpkg_contents"), "UnsafeInputError", "gpkg_contents"),
        refuse("geopackage with a scrambled page", lambda f: _write(f, "a.gpkg", raw()[:4096] + bytes(range(256)) * 16 + raw()[8192:]), "UnsafeInputError", "a.gpkg"),
        refuse("geopackage with a scrambled schema", lambda f: _write(f, "a.gpkg", raw()[:100] + bytes(3000) + raw()[3100:]), "UnsafeInputError", "a.gpkg"),
        refuse("geopackage with text that is not utf-8", _gpkg_sql("DROP TRIGGER IF EXISTS x", "UPDATE DLTB SET DLMC = CAST(x'CBAECCEF' AS TEXT) WHERE fid = 2"), "EncodingError", "DLMC"),
    ]  # fmt: skip


def _blob(wkb: bytes) -> str:
    return (b"GP\x00\x01" + struct.pack("<i", 4528) + wkb).hex()


def _gpkg_geometry() -> list[Case]:
    square = shapely.box(0, 0, 1, 1)
    arc = struct.pack("<BII", 1, 8, 3) + struct.pack("<6d", 0, 0, 1, 1, 2, 0)
    ring = struct.pack("<BII", 1, 8, 5) + struct.pack("<10d", 0, 0, 1, 1, 2, 0, 1, -1, 0, 0)
    curve = struct.pack("<BII", 1, 10, 1) + ring
    unclosed = struct.pack("<BIII", 1, 3, 1, 4) + struct.pack("<8d", 0, 0, 1, 0, 1, 1, 0, 1)
    nan = struct.pack("<BIII", 1, 3, 1, 5) + struct.pack("<10d", 0, 0, 1, 0, np.nan, np.nan, 0, 1, 0, 0)
    lie = struct.pack("<BIII", 1, 3, 1, 2**31 - 1) + struct.pack("<8d", 0, 0, 1, 0, 1, 1, 0, 1)
    deep = b"".join(struct.pack("<BII", 1, 7, 1) for _ in range(500)) + struct.pack("<BI2d", 1, 1, 0, 0)

    def shaped(wkb: bytes) -> Build:
        quiet = [
            f"DROP TRIGGER IF EXISTS rtree_DLTB_geom_{x}"
            for x in ("insert", "update1", "update2", "update4", "update5", "update6", "update7", "delete")
        ]
        return _gpkg_sql(*quiet, f"UPDATE DLTB SET geom = x'{_blob(wkb)}' WHERE fid = 2")

    return [
        accept("geopackage with a shape replaced", shaped(square.wkb), check=lambda r: _area(r, 1.0)),
        refuse("geopackage with a curve polygon", shaped(curve), "UnsafeInputError", "CurvePolygon", "rows 1", "densify"),
        refuse("geopackage with a circular string", shaped(arc), "UnsafeInputError", "CircularString", "rows 1"),
        refuse("geopackage with an unclosed ring", shaped(unclosed), "UnsafeInputError", "rows 1"),
        refuse("geopackage with nan", shaped(nan), "TopologyError", "not finite", "rows 1"),
        refuse("geopackage with a shape that counts beyond its bytes", shaped(lie), "UnsafeInputError", "1"),
        refuse("geopackage with collections 500 deep", shaped(deep), "UnsafeInputError", "GeometryCollection", "rows 1"),
        refuse("geopackage with a shape of random bytes", shaped(bytes(range(60, 120))), "UnsafeInputError", "1"),
        refuse("geopackage with an empty shape", shaped(shapely.Polygon().wkb), "UnsafeInputError", "no shape", "rows 1"),
    ]  # fmt: skip


def _area(read: list[Reading], area: float) -> None:
    assert abs(_frame(read).area.iloc[1] - area) < 1e-9


def _book(
    change: Callable[[openpyxl.Workbook], None] | None = None,
    *,
    after: Callable[[dict[str, bytes]], dict[str, bytes]] | None = None,
    name: str = "界址点.xlsx",
) -> Build:
    def build(folder: Path) -> Path:
        book = openpyxl.Workbook()
        sheet = book.active
        for row in (["编号", "经度", "纬度"], ["350123456789012345", 119.5, 26.1], ["010203", 119.6, 26.2]):
            sheet.append(row)
        if change:
            change(book)
        made = io.BytesIO()
        book.save(made)
        with zipfile.ZipFile(made) as archive:
            members = {n: archive.read(n) for n in archive.namelist()}
        with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, content in (after(members) if after else members).items():
                archive.writestr(member, content)
        return folder / name

    return build


def _in_sheet(old: bytes, new: bytes) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    return lambda members: members | {"xl/worksheets/sheet1.xml": members["xl/worksheets/sheet1.xml"].replace(old, new, 1)}


def _xlsx() -> list[Case]:
    def merged_header(book: openpyxl.Workbook) -> None:
        book.active.merge_cells("A1:A2")

    def merged_title(book: openpyxl.Workbook) -> None:
        book.active.insert_rows(1)
        book.active["A1"] = "某村界址点成果表"
        book.active.merge_cells("A1:C1")

    def formula(book: openpyxl.Workbook) -> None:
        book.active["B2"] = "=119+0.5"

    def number_ids(book: openpyxl.Workbook) -> None:
        book.active["A2"] = 350123456789012345

    def zero_format(book: openpyxl.Workbook) -> None:
        book.active["A3"] = 10203
        book.active["A3"].number_format = "000000"

    def outlines(book: openpyxl.Workbook) -> None:
        sheet = book.create_sheet("界址点")
        for row in (
            ["地块号", "点号", "北坐标", "东坐标"],
            *(["A", i, 3300000 + y, 40500000 + x] for i, (x, y) in enumerate(((0, 0), (9, 0), (9, 9), (0, 9)))),
        ):
            sheet.append(row)
        book.remove(book.worksheets[0])

    ids = _column("编号", "350123456789012345", "010203")
    link = {"xl/externalLinks/externalLink1.xml": b"<externalLink/>"}
    dde = {
        "xl/worksheets/_rels/sheet1.xml.rels": b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"/>'
    }
    doctype = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    return [
        accept("workbook", _book(), check=ids),
        accept("workbook with a merged title above the header", _book(merged_title), check=ids),
        accept("workbook with a format of zeros", _book(zero_format), check=ids),
        accept("workbook with numeric ids of 18 digits", _book(number_ids), "ids_rounded", check=lambda r: _rows(r, 2)),
        accept("workbook of boundary points", _book(outlines), check=lambda r: _one_area(r, 81.0)),
        accept("workbook with a hidden sheet", _book(_hide), "hidden_sheet", check=ids),
        refuse("workbook with a merged header", _book(merged_header), "UnsafeInputError", "merged", "A1:A2", "unmerge"),
        refuse("workbook with a formula never calculated", _book(formula), "UnsafeInputError", "formula", "B2", "calculate"),
        refuse("workbook with macros", _book(after=lambda m: m | {"xl/vbaProject.bin": b"x"}), "UnsafeInputError", "macros"),
        refuse("workbook named xlsm", _book(name="a.xlsm"), "UnsafeInputError", ".xlsm"),
        refuse("workbook with links to other workbooks", _book(after=lambda m: m | link), "UnsafeInputError", "links", "break"),
        refuse("workbook with a connection", _book(after=lambda m: m | {"xl/connections.xml": b"<connections/>"}), "UnsafeInputError", "connections"),
        refuse("workbook with an embedded object", _book(after=lambda m: m | {"xl/embeddings/oleObject1.bin": b"x"}), "UnsafeInputError", "embedded"),
        refuse("workbook with dde", _book(after=lambda m: _in_sheet(b"<v>119.5</v>", b"<f>cmd|'/C calc'!A0</f><v>1</v>")(m | dde)), "UnsafeInputError", "DDE"),
        refuse("workbook with a doctype", _book(after=_in_sheet(b"<worksheet", doctype + b"<worksheet")), "UnsafeInputError", "DOCTYPE"),
        refuse("workbook in utf-16 xml", _book(after=lambda m: m | {"xl/workbook.xml": m["xl/workbook.xml"].decode().encode("utf-16")}), "EncodingError", "UTF-16"),
        refuse("workbook with broken xml", _book(after=_in_sheet(b"</sheetData>", b"")), "UnsafeInputError", "cannot be read"),
        refuse("workbook with an error value", _book(after=_in_sheet(b'<c r="B2" t="n"><v>119.5</v>', b'<c r="B2" t="e"><v>#REF!</v>')), "UnsafeInputError", "#REF!"),
        refuse("workbook without coordinates", _book(lambda b: b.active.delete_cols(2, 2)), "UnsafeInputError", "no coordinate columns"),
        refuse("workbook with duplicate columns", _book(lambda b: b.active.__setitem__("D1", "编号")), "UnsafeInputError", "duplicate"),
        refuse("workbook with a word for a coordinate", _book(lambda b: b.active.__setitem__("B2", "约119.5")), "UnsafeInputError", "119.5", "row 1"),
        refuse("zip that is no workbook", _book(after=lambda m: {"a.txt": b"x"}), "UnsafeInputError", "workbook"),
        refuse("workbook bomb", _book(after=lambda m: m | {"xl/styles.xml": m["xl/styles.xml"] + b" " * (20 << 20)}), "UnsafeInputError", "times its packed size"),
        refuse("old workbook named xlsx", lambda f: _write(f, "a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)), "UnsafeInputError", "OLE", ".xlsx"),
        refuse("old workbook", lambda f: _write(f, "a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)), "UnsafeInputError", ".xls", "save as"),
    ]  # fmt: skip


def _hide(book: openpyxl.Workbook) -> None:
    book.create_sheet("x")
    book.worksheets[0].sheet_state = "hidden"


def _rows(read: list[Reading], rows: int) -> None:
    assert len(_frame(read)) == rows


def _one_area(read: list[Reading], area: float) -> None:
    assert _frame(read).area.round(6).tolist() == [area]


def _raster(
    values: np.ndarray | None = None,
    *,
    placed: bool = True,
    after: Callable[[bytes], bytes] = bytes,
    beside: dict[str, str] | None = None,
    **profile: object,
) -> Build:
    def build(folder: Path) -> Path:
        cells = np.arange(12, dtype="float32").reshape(3, 4) if values is None else values
        bands = cells if cells.ndim == 3 else cells[None]
        place = {"transform": Affine(30, 0, 40500000, 0, -30, 3300090), "crs": "EPSG:4528"} if placed else {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with rasterio.open(
                folder / "高程.tif",
                "w",
                driver="GTiff",
                height=bands.shape[1],
                width=bands.shape[2],
                count=len(bands),
                dtype=bands.dtype,
                **place,
                **profile,
            ) as out:
                out.write(bands)
        path = folder / "高程.tif"
        path.write_bytes(after(path.read_bytes()))
        for name, content in (beside or {}).items():
            (folder / name).write_text(content, encoding="utf-8")
        return path

    return build


def _cells(total: float, bands: int = 1) -> Check:
    def check(read: list[Reading]) -> None:
        grids = read[0].grids
        assert len(grids) == bands
        assert float(np.nansum(grids[0].values)) == total

    return check


def _grid(read: list[Reading]) -> RawGrid:
    return read[0].grids[0]


def _placed(read: list[Reading]) -> None:
    assert tuple(_grid(read).transform)[:6] == (30.0, 0.0, 40500000.0, 0.0, -30.0, 3300090.0)


def _patched(tag: int, value: int) -> Callable[[bytes], bytes]:
    """Set the value of one tag of the first directory of a little-endian TIFF."""

    def change(raw: bytes) -> bytes:
        at = struct.unpack("<I", raw[4:8])[0]
        for k in range(struct.unpack("<H", raw[at : at + 2])[0]):
            entry = at + 2 + 12 * k
            if struct.unpack("<H", raw[entry : entry + 2])[0] == tag:
                return raw[: entry + 2] + struct.pack("<HII", 4, 1, value) + raw[entry + 12 :]
        raise AssertionError(tag)

    return change


def _loop(raw: bytes) -> bytes:
    at = struct.unpack("<I", raw[4:8])[0]
    end = at + 2 + 12 * struct.unpack("<H", raw[at : at + 2])[0]
    return raw[:end] + struct.pack("<I", at) + raw[end + 4 :]


def _tiff() -> list[Case]:
    world = {"高程.tfw": "30\n0\n0\n-30\n40500015\n3300075\n"}
    vrt = {"高程.tif.aux.xml": "<PAMDataset><SRS>EPSG:4326</SRS></PAMDataset>", "高程.tif.ovr": "x"}
    wide = np.zeros((17, 2, 2), dtype="uint8")
    return [
        accept("geotiff", _raster(nodata=-9999), check=_cells(66.0)),
        accept("geotiff keeps its place", _raster(), check=_placed),
        accept("geotiff with lzw", _raster(compress="lzw", tiled=True, blockxsize=16, blockysize=16), check=_cells(66.0)),
        accept("big tiff", _raster(BIGTIFF="YES"), check=_cells(66.0)),
        accept("geotiff of classes", _raster(np.array([[1, 2], [3, 255]], dtype="uint8"), nodata=255), check=_cells(261.0)),
        accept("geotiff of two bands", _raster(np.ones((2, 3, 3), dtype="int16")), check=_cells(9.0, 2)),
        accept("geotiff with side files that are never opened", _raster(beside=vrt), "side_file_ignored", check=_placed),
        accept("tiff with a world file", _raster(placed=False, beside=world), "world_file", check=_placed),
        accept("tiff without a place", _raster(placed=False), "no_place", check=_cells(66.0)),
        accept("geotiff with infinite cells", _raster(np.array([[1, np.inf], [2, 3]], dtype="float32")), "not_finite", check=lambda r: _infinite(r)),
        refuse("tiff with a broken world file", _raster(placed=False, beside={"高程.tfw": "30 0 nan"}), "UnsafeInputError", "six numbers"),
        refuse("geotiff cut short", _raster(np.zeros((200, 200), dtype="float32"), after=lambda b: b[: len(b) // 2]), "UnsafeInputError", "truncated"),
        refuse("tiff of eight bytes", _raster(after=lambda b: b[:8]), "UnsafeInputError", "truncated"),
        refuse("tiff with an endless directory", _raster(after=_loop), "UnsafeInputError", "loop"),
        refuse("tiff of four billion columns", _raster(after=_patched(256, 0xFFFFFFFF)), "UnsafeInputError", "cells"),
        refuse("tiff without rows", _raster(after=_patched(257, 0)), "UnsafeInputError", "cells"),
        refuse("tiff with a rare compression", _raster(after=_patched(259, 34712)), "UnsafeInputError", "compression 34712"),
        refuse("tiff with its pixels outside", _raster(after=_patched(273, 0x7FFFFFF0)), "UnsafeInputError", "beyond the end"),
        refuse("tiff of too many bands", _raster(wide), "UnsafeInputError", "17 bands"),
        refuse("tiff of complex numbers", _raster(np.ones((2, 2), dtype="complex64")), "UnsafeInputError", "complex"),
        refuse("tiff that packs garbage", _raster(np.zeros((8, 8), dtype="float32"), compress="deflate", after=lambda b: _garbled(b)), "UnsafeInputError", "cannot be read"),
        refuse("text named tif", lambda f: _write(f, "a.tif", b"ncols 4\nnrows 3\n"), "UnsafeInputError", "content is text"),
        refuse("jpeg named tif", lambda f: _write(f, "a.tif", b"\xff\xd8\xff\xe0" + bytes(100)), "UnsafeInputError", "JPEG"),
        refuse("ascii grid is not on the list", lambda f: _write(f, "a.asc", b"ncols 4\nnrows 3\n"), "UnsafeInputError", ".asc"),
    ]  # fmt: skip


def _infinite(read: list[Reading]) -> None:
    assert np.isinf(_grid(read).values).sum() == 1


def _garbled(raw: bytes) -> bytes:
    at = struct.unpack("<I", raw[4:8])[0]
    tags = {}
    for k in range(struct.unpack("<H", raw[at : at + 2])[0]):
        tag, _, _, value = struct.unpack("<HHII", raw[at + 2 + 12 * k : at + 14 + 12 * k])
        tags[tag] = value
    start = tags[273]
    start = start if start + 4 < len(raw) else struct.unpack("<I", raw[start : start + 4])[0]
    return raw[:start] + b"\xff" * 8 + raw[start + 8 :]
