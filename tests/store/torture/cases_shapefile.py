"""Shapefiles: encodings, attribute tables, geometry records, indexes, reference systems."""

# One case a line, as in a table.
# ruff: noqa: E501

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import shapely
from case import Case, Check, accept, refuse
from shapefile_bytes import SQUARE, Dbf, Shapes, polygon, square, write_set

from qianmo.store.guard import Consent
from qianmo.store.raw import Reading

__all__ = ["shapefile_cases"]

WKT = 'PROJCS["CGCS2000_3_Degree_GK_Zone_40",GEOGCS["GCS",DATUM["D",SPHEROID["S",6378137,298.257222101]],PRIMEM["Greenwich",0],UNIT["Degree",0.0174532925199433]],PROJECTION["Gauss_Kruger"],PARAMETER["False_Easting",40500000],PARAMETER["Central_Meridian",120],UNIT["Meter",1]]'  # fmt: skip
WRONG = WKT.replace("Zone_40", "Zone_39").replace("40500000", "39500000").replace("120]", "117]")


def shapefile_cases() -> list[Case]:
    """All cases that are shapefile sets."""
    return [*_encodings(), *_tables(), *_records(), *_geometry(), *_places(), *_parts()]


def _set(**what: object) -> Callable[[Path], Path]:
    return lambda folder: write_set(folder, **what)  # type: ignore[arg-type]


def _frame(read: list[Reading]) -> gpd.GeoDataFrame:
    return read[0].layers[0].frame


def _names(*expected: str) -> Check:
    def check(read: list[Reading]) -> None:
        assert _frame(read)["DLMC"].tolist() == list(expected)
        assert _frame(read)["DLBM"].tolist() == ["0101", "0102", "0703"]
        assert _frame(read)["BSM"].tolist() == [350123456789012345, 350123456789012346, 350123456789012347]

    return check


def _column(name: str, *expected: object) -> Check:
    def check(read: list[Reading]) -> None:
        values = [None if v is None or v != v else v for v in _frame(read)[name].tolist()]
        assert values == list(expected)

    return check


def _rows(count: int, kind: str = "Polygon") -> Check:
    def check(read: list[Reading]) -> None:
        assert len(_frame(read)) == count
        assert set(_frame(read).geom_type.dropna()) <= {kind, f"Multi{kind}"}
        assert _frame(read).crs is None

    return check


def _encodings() -> list[Case]:
    zh = ("水田", "水浇地", "农村宅基地")
    utf8 = Dbf(encoding="utf-8")
    return [
        accept("gbk without cpg", _set(), check=_names(*zh), encoding="gbk"),
        accept("gbk with cpg", _set(cpg="GBK"), check=_names(*zh), encoding="GBK"),
        accept("gbk with language byte", _set(dbf=Dbf(language=0x4D)), check=_names(*zh), encoding="cp936"),
        accept("utf-8 with cpg", _set(dbf=utf8, cpg="UTF-8"), check=_names(*zh), encoding="utf-8"),
        accept("utf-8 without cpg", _set(dbf=utf8), check=_names(*zh), encoding="utf-8"),
        accept("utf-8 with a byte order mark in the cpg name", _set(dbf=utf8), check=_names(*zh), encoding="utf-8-sig"),
        refuse("gbk read as utf-8 because the cpg lies", _set(cpg="UTF-8"), "EncodingError", "utf-8", "decodes", "GBK", encoding="utf-8"),
        refuse("utf-8 read as gbk because the cpg lies", _set(dbf=utf8, cpg="GBK"), "EncodingError", "UTF-8", "gb18030", encoding="gbk"),
        refuse("utf-8 read as latin-1", _set(dbf=utf8), "EncodingError", "UTF-8", encoding="latin-1"),
        refuse("gbk read as latin-1 gives control codes", _set(dbf=replace(Dbf(), rows=tuple((*r[:2], "亖乗侓") for r in Dbf().rows))), "EncodingError", "control", encoding="latin-1"),
        refuse("chinese text without a decision", _set(), "EncodingError", "not ASCII", "--encoding"),
        refuse("an encoding nobody knows", _set(), "EncodingError", "klingon", encoding="klingon"),
        refuse("a codec that is no text", _set(), "EncodingError", "rot13", encoding="rot13"),
        refuse("utf-16 is no dbf encoding", _set(), "EncodingError", "utf-16", encoding="utf-16"),
        accept("big5", _set(dbf=Dbf(encoding="big5", rows=tuple((*r[:2], t) for r, t in zip(Dbf().rows, ("臺灣", "農業區", "鄉村區"))))), check=_names("臺灣", "農業區", "鄉村區"), encoding="big5"),
        accept("gb18030 with rare characters", _set(dbf=Dbf(encoding="gb18030", rows=tuple((*r[:2], "𠮷村㐂") for r in Dbf().rows))), check=_names(*["𠮷村㐂"] * 3), encoding="gb18030"),
        accept("value cut in the middle of a character", _set(dbf=replace(Dbf(), fields=(*Dbf().fields[:2], ("DLMC", "C", 5, 0)))), "value_cut", check=_names("水田", "水浇", "农村"), encoding="gbk"),
        accept("field name of ten bytes", _set(dbf=Dbf().column("坐落单位代码", "C", 4, "a", "b", "c")), "name_cut", check=_column("坐落单位代", "a", "b", "c"), encoding="gbk"),
        accept("utf-8 field name cut in the middle of a character", _set(dbf=utf8.column("坐落单位", "C", 4, "a", "b", "c")), "name_cut", check=_column("坐落单", "a", "b", "c"), encoding="utf-8"),
        accept("cpg of random bytes", _set(cpg=b"\xff\xfe\x00\x81"), "cpg_unreadable", check=_names(*zh), encoding="gbk"),
        refuse("replacement characters in the file itself", _set(dbf=replace(utf8, rows=tuple((*r[:2], "水\ufffd") for r in Dbf().rows))), "EncodingError", "U+FFFD", encoding="utf-8"),
        refuse("undecodable byte in one record", _set(dbf=replace(Dbf(), rows=(*Dbf().rows[:2], ("1", "0101", b"\x81\x20\xff")))), "EncodingError", "record 3", encoding="gbk"),
        accept("bidirectional marks in a value", _set(dbf=replace(utf8, rows=tuple((*r[:2], "甲\u202e乙") for r in Dbf().rows))), "value_hidden", check=_names(*["甲\u202e乙"] * 3), encoding="utf-8"),
        refuse("bidirectional marks in a field name", _set(dbf=utf8.column("A\u202eB", "C", 4, "a", "b", "c")), "UnsafeInputError", "hidden", "rename", encoding="utf-8"),
    ]  # fmt: skip


def _tables() -> list[Case]:
    dbf, raw = Dbf(), Dbf().bytes()
    empty = Dbf(rows=())
    return [
        accept("ids of 18 digits are exact", _set(), check=_column("BSM", 350123456789012345, 350123456789012346, 350123456789012347), encoding="gbk"),
        accept("ids of 20 digits stay text", _set(dbf=dbf.column("ID", "N", 20, "35012345678901234567", "35012345678901234568", "")), "number_as_text", check=_column("ID", "35012345678901234567", "35012345678901234568", None), encoding="gbk"),
        accept("leading zeros are kept", _set(dbf=dbf.column("XZQ", "C", 6, "010203", "000001", "")), check=_column("XZQ", "010203", "000001", None), encoding="gbk"),
        accept("dates of zeros and of no calendar", _set(dbf=dbf.column("SJ", "D", 8, "00000000", "20231301", "20231231")), "value_not_a_date", check=lambda r: _dates(r), encoding="gbk"),
        accept("stars of a numeric overflow", _set(dbf=dbf.column("MJ", "N", 6, "******", "12.50", "1", decimals=2)), "value_overflow", check=_column("MJ", None, 12.5, 1.0), encoding="gbk"),
        refuse("decimal comma in a numeric field", _set(dbf=dbf.column("MJ", "N", 6, "12,5", "1.0", "2", decimals=2)), "UnsafeInputError", "decimal comma", "record 1", encoding="gbk"),
        refuse("nan in a numeric field", _set(dbf=dbf.column("MJ", "N", 6, "NaN", "1.0", "2", decimals=2)), "UnsafeInputError", "not finite", encoding="gbk"),
        refuse("letters in a numeric field", _set(dbf=dbf.column("MJ", "N", 6, "1.0", "abc", "2", decimals=2)), "UnsafeInputError", "abc", "record 2", encoding="gbk"),
        refuse("duplicate fields", _set(dbf=dbf.column("DLBM", "C", 5, "1", "2", "3")), "UnsafeInputError", "duplicate", "DLBM", "rename", encoding="gbk"),
        refuse("duplicate fields but for case", _set(dbf=dbf.column("dlbm", "C", 5, "1", "2", "3")), "UnsafeInputError", "duplicate", encoding="gbk"),
        refuse("record count of 0xFFFFFFF0", _set(dbf=replace(dbf, records=0xFFFFFFF0)), "UnsafeInputError", "4294967280", "count", encoding="gbk"),
        refuse("record count of zero", _set(dbf=replace(dbf, records=0)), "UnsafeInputError", "0 records", encoding="gbk"),
        refuse("one record fewer than shapes", _set(dbf=replace(dbf, rows=dbf.rows[:2])), "UnsafeInputError", "2 records", "3 shapes", "copy", encoding="gbk"),
        refuse("dbf of no bytes", lambda f: _put_over(f, "dbf", b""), "UnsafeInputError", "dBASE header", encoding="gbk"),
        refuse("dbf cut in its records", lambda f: _put_over(f, "dbf", raw[:-60]), "UnsafeInputError", "truncated", encoding="gbk"),
        refuse("dbf cut in its header", lambda f: _put_over(f, "dbf", raw[:70]), "UnsafeInputError", "field", encoding="gbk"),
        refuse("dbf of random bytes", lambda f: _put_over(f, "dbf", bytes(range(256)) * 4), "UnsafeInputError", "dBASE", encoding="gbk"),
        refuse("memo field", _set(dbf=dbf.column("BZ", "M", 10, "1", "2", "3")), "UnsafeInputError", "'M'", "convert", encoding="gbk"),
        refuse("field of width zero", lambda f: _put_over(f, "dbf", raw[:48] + b"\x00" + raw[49:]), "UnsafeInputError", "width 0", encoding="gbk"),
        refuse("record length that is not the sum of its fields", lambda f: _put_over(f, "dbf", raw[:10] + b"\x40\x00" + raw[12:]), "UnsafeInputError", "fields fill", encoding="gbk"),
        refuse("broken record flag", _set(dbf=replace(dbf, flags=b" X ")), "UnsafeInputError", "flag", "record 2", encoding="gbk"),
        accept("deleted record leaves with its shape", _set(dbf=replace(dbf, flags=b" * ")), "deleted_records", check=_deleted, encoding="gbk"),
        accept("spreadsheet formula stays text", _set(dbf=dbf.column("BZ", "C", 20, "=cmd|'/C calc'!A0", "+1", "@x")), check=_column("BZ", "=cmd|'/C calc'!A0", "+1", "@x"), encoding="gbk"),
        accept("no features at all", _set(shapes=Shapes(records=()), dbf=empty), check=_rows(0), encoding="gbk"),
    ]  # fmt: skip


def _dates(read: list[Reading]) -> None:
    values = _frame(read)["SJ"].tolist()
    assert str(values[2])[:10] == "2023-12-31"
    assert all(v is None or v != v for v in values[:2])


def _deleted(read: list[Reading]) -> None:
    frame = _frame(read)
    assert frame["DLBM"].tolist() == ["0101", "0703"]
    assert [g.bounds[0] for g in frame.geometry] == [40500000.0, 40500100.0]


def _put(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / "图斑.shp"


def _put_over(folder: Path, role: str, content: bytes) -> Path:
    write_set(folder)
    return _put(folder, f"图斑.{role}", content)


def _records() -> list[Case]:
    shp, shx = Shapes().shp(), Shapes().shx()
    short = shp[:-100]
    fixed = short[:24] + struct.pack(">i", len(short) // 2) + short[28:]
    three = Shapes().records
    return [
        refuse("shp cut short", _set(shp=short), "UnsafeInputError", "header says", "truncated", encoding="gbk"),
        refuse("shp cut short with a mended header", _set(shp=fixed), "UnsafeInputError", "outside the file", "3", encoding="gbk"),
        refuse("shp header that lies about its length", _set(shp=shp[:24] + struct.pack(">i", 10**6) + shp[28:]), "UnsafeInputError", "2000000", encoding="gbk"),
        refuse("shp padded with foreign bytes", _set(shp=shp + b"\x00" * 1000), "UnsafeInputError", "padded", encoding="gbk"),
        refuse("shp of another kind", _set(shp=b"\x00\x00\x12\x34" + shp[4:]), "UnsafeInputError", "content is", encoding="gbk"),
        refuse("shp of no bytes", _set(shp=b""), "UnsafeInputError", "empty", encoding="gbk"),
        refuse("record with 2^31-1 parts", _set(shapes=Shapes((three[0], polygon(SQUARE, parts=2**31 - 1), three[2]))), "UnsafeInputError", "impossible counts", ": 2", encoding="gbk"),
        refuse("record with -5 points", _set(shapes=Shapes((three[0], three[1], polygon(SQUARE, points=-5)))), "UnsafeInputError", "impossible counts", ": 3", encoding="gbk"),
        refuse("record with more points than bytes", _set(shapes=Shapes((three[0], polygon(SQUARE, points=60), three[2]))), "UnsafeInputError", "shorter than", ": 2", encoding="gbk"),
        refuse("record with points but no parts", _set(shapes=Shapes((three[0], polygon(SQUARE, parts=0), three[2]))), "UnsafeInputError", "without parts", encoding="gbk"),
        refuse("record whose part starts beyond its points", _set(shapes=Shapes((three[0], _part_start(99), three[2]))), "UnsafeInputError", "beyond the points", "rows 1", encoding="gbk"),
        refuse("record number out of order", _set(shp=shp[:100] + struct.pack(">i", 7) + shp[104:]), "UnsafeInputError", "record number", encoding="gbk"),
        refuse("record length other than in the index", _set(shp=shp[:104] + struct.pack(">i", 3) + shp[108:]), "UnsafeInputError", "length", encoding="gbk"),
        refuse("record of another shape type", _set(shapes=Shapes((three[0], polygon(SQUARE, kind=3), three[2]))), "UnsafeInputError", "shape type", encoding="gbk"),
        refuse("index cut short", _set(shx=shx[:-8]), "UnsafeInputError", "shx", encoding="gbk"),
        refuse("index cut short with a mended header", _set(shx=shx[:24] + struct.pack(">i", (len(shx) - 8) // 2) + shx[28:-8]), "UnsafeInputError", "2 shapes", encoding="gbk"),
        refuse("index that points outside", _set(shx=shx[:100] + struct.pack(">i", 10**6) + shx[104:]), "UnsafeInputError", "outside the file", encoding="gbk"),
        refuse("index with two entries for one record", _set(shx=shx[:108] + shx[100:108] + shx[116:]), "UnsafeInputError", "record number", encoding="gbk"),
        refuse("index with a negative offset", _set(shx=shx[:100] + struct.pack(">i", -50) + shx[104:]), "UnsafeInputError", "outside the file", encoding="gbk"),
        refuse("multipatch", _set(shapes=Shapes(kind=31)), "UnsafeInputError", "31", "multipatch", encoding="gbk"),
        refuse("too many vertices in one feature", _set(shapes=Shapes((three[0], polygon(_circle(2000)), three[2]))), "UnsafeInputError", "row 1", "vertices", "simplify", encoding="gbk", limits=(("guard_feature_vertices_max", 1000.0),)),
        refuse("too many features", _set(), "UnsafeInputError", "3 records", encoding="gbk", limits=(("guard_features_max", 2.0),)),
    ]  # fmt: skip


def _part_start(start: int) -> bytes:
    content = polygon(SQUARE)
    return content[:44] + struct.pack("<i", start) + content[48:]


def _circle(points: int) -> list[tuple[float, float]]:
    ring = [
        (40500000 + 50 * math.cos(-t * 2 * math.pi / points), 3300000 + 50 * math.sin(-t * 2 * math.pi / points))
        for t in range(points)
    ]
    return [*ring, ring[0]]


def _geometry() -> list[Case]:
    first, second, third = Shapes().records
    null = struct.pack("<i", 0)
    bow_tie = [(0.0, 0.0), (10.0, 10.0), (10.0, 0.0), (0.0, 10.0), (0.0, 0.0)]
    depth = struct.pack("<2d5d", 0, 5, 1, 2, 3, 4, 1)
    return [
        refuse("null shape", _set(shapes=Shapes((first, null, third))), "UnsafeInputError", "1 of 3", "no shape", "rows 1", encoding="gbk"),
        accept("null shape that the user agreed to", _set(shapes=Shapes((first, null, third))), "null_geometry", check=_rows(3), encoding="gbk", consent=Consent(null_geometry=True)),
        refuse("nan coordinate", _set(shapes=Shapes((first, polygon([(math.nan, 1.0), *SQUARE[1:4], (math.nan, 1.0)]), third))), "TopologyError", "not finite", "rows 1", encoding="gbk"),
        refuse("infinite coordinate", _set(shapes=Shapes((first, polygon([(math.inf, 1.0), *SQUARE[1:4], (math.inf, 1.0)]), third))), "TopologyError", "not finite", "rows 1", encoding="gbk"),
        accept("bow-tie is read as it is", _set(shapes=Shapes((first, polygon(bow_tie), third))), check=_bow_tie, encoding="gbk"),
        refuse("ring that does not close", _set(shapes=Shapes((first, polygon(SQUARE[:-1]), third))), "UnsafeInputError", "cannot be built", "rows 1", "close", encoding="gbk"),
        refuse("ring of two points", _set(shapes=Shapes((first, polygon(SQUARE[:2]), third))), "UnsafeInputError", "rows 1", encoding="gbk"),
        accept("unclosed ring read as null with consent", _set(shapes=Shapes((first, polygon(SQUARE[:-1]), third))), "broken_geometry", check=_rows(3), encoding="gbk", consent=Consent(broken_geometry=True)),
        accept("rings that run the wrong way", _set(shapes=Shapes((polygon(SQUARE[::-1]), second, third))), check=_areas(2500, 2500, 2500), encoding="gbk"),
        accept("hole", _set(shapes=Shapes((polygon(SQUARE, square(40500010, 3300010, 10)[::-1]), second, third))), check=_areas(2400, 2500, 2500), encoding="gbk"),
        accept("duplicate vertices", _set(shapes=Shapes((polygon([SQUARE[0], SQUARE[0], *SQUARE[1:]]), second, third))), check=_areas(2500, 2500, 2500), encoding="gbk"),
        accept("sliver below a hundredth of a square metre", _set(shapes=Shapes((polygon(square(40500000, 3300000, 0.09)), second, third))), check=_areas(0.0081, 2500, 2500), encoding="gbk"),
        accept("overlapping parcels", _set(shapes=Shapes((first, first, third))), check=_areas(2500, 2500, 2500), encoding="gbk"),
        accept("polygon with z", _set(shapes=Shapes((polygon(SQUARE, kind=15, extra=depth),) * 3, kind=15)), "z_or_m", check=_flat, encoding="gbk"),
        accept("polygon with m", _set(shapes=Shapes((polygon(SQUARE, kind=25, extra=depth),) * 3, kind=25)), check=_flat, encoding="gbk"),
        accept("points", _set(shapes=Shapes(tuple(struct.pack("<idd", 1, 1.0 + i, 2.0) for i in range(3)), kind=1)), check=_rows(3, "Point"), encoding="gbk"),
        refuse("point record too short", _set(shapes=Shapes(tuple(struct.pack("<id", 1, 1.0) for _ in range(3)), kind=1)), "UnsafeInputError", "shorter", encoding="gbk"),
    ]  # fmt: skip


def _bow_tie(read: list[Reading]) -> None:
    shape = _frame(read).geometry.iloc[1]
    assert not shape.is_valid
    assert "Self-intersection" in shapely.is_valid_reason(shape)
    assert len(shapely.get_coordinates(shape)) == 5


def _areas(*expected: float) -> Check:
    def check(read: list[Reading]) -> None:
        found = _frame(read).area.tolist()
        assert all(abs(a - b) < 1e-6 for a, b in zip(found, expected, strict=True)), found

    return check


def _flat(read: list[Reading]) -> None:
    assert not _frame(read).has_z.any()
    assert _frame(read).area.round(6).tolist() == [2500.0] * 3


def _places() -> list[Case]:
    grid = WKT.replace('UNIT["Meter",1]', 'EXTENSION["PROJ4","+proj=tmerc +nadgrids=@/etc/passwd"],UNIT["Meter",1]')
    degrees = Shapes(tuple(polygon(square(119.0 + i, 26.0, 0.01)) for i in range(3)))
    swapped = Shapes(tuple(polygon([(y, x) for x, y in reversed(square(40500000.0 + 50 * i, 3300000.0))]) for i in range(3)))
    beyond = Shapes(tuple(polygon(square(41900000.0 + 50 * i, 3300000.0)) for i in range(3)))
    return [
        accept("prj is handed on unchanged", _set(prj=WKT), check=_wkt(WKT), encoding="gbk"),
        accept("wrong prj is handed on unchanged, to be judged by place", _set(prj=WRONG), check=_wkt(WRONG), encoding="gbk"),
        accept("no prj gives no reference system", _set(), check=_wkt(None), encoding="gbk"),
        accept("empty prj gives no reference system", _set(prj="  \r\n"), check=_wkt(None), encoding="gbk"),
        accept("degrees under a metric prj keep their numbers", _set(shapes=degrees, prj=WKT), check=_bounds(119.0, 26.0, WKT), encoding="gbk"),
        accept("eight-digit easting keeps its zone", _set(prj=WKT), check=_bounds(40500000.0, 3300000.0, WKT), encoding="gbk"),
        accept("swapped axes keep their order", _set(shapes=swapped, prj=WKT), check=_bounds(3300000.0, 40500000.0, WKT), encoding="gbk"),
        accept("coordinates beyond their zone keep their numbers", _set(shapes=beyond, prj=WKT), check=_bounds(41900000.0, 3300000.0, WKT), encoding="gbk"),
        refuse("prj that names a grid file", _set(prj=grid), "UnsafeInputError", "nadgrids", "replace", encoding="gbk"),
        refuse("prj that is a proj string", _set(prj="+proj=longlat +nadgrids=@/etc/passwd"), "UnsafeInputError", "WKT", encoding="gbk"),
        refuse("prj that is a file name", _set(prj="/vsicurl/http://127.0.0.1/x.prj"), "UnsafeInputError", "WKT", encoding="gbk"),
        refuse("prj of a megabyte", _set(prj="PROJCS[" + "x" * 10**6), "UnsafeInputError", "64 KB", encoding="gbk"),
        refuse("prj of random bytes", _set(prj=bytes(range(1, 256))), "UnsafeInputError", "WKT", encoding="gbk"),
    ]  # fmt: skip


def _wkt(expected: str | None) -> Check:
    def check(read: list[Reading]) -> None:
        assert read[0].layers[0].declared_crs_wkt == expected
        assert _frame(read).crs is None

    return check


def _bounds(west: float, south: float, wkt: str) -> Check:
    def check(read: list[Reading]) -> None:
        assert _frame(read).total_bounds[:2].tolist() == [west, south]
        _wkt(wkt)(read)

    return check


def _parts() -> list[Case]:
    def upper(folder: Path) -> Path:
        write_set(folder)
        for role in ("shp", "shx", "dbf"):
            (folder / f"图斑.{role}").rename(folder / f"图斑.{role.upper()}")
        return folder / "图斑.SHP"

    def twice(folder: Path) -> Path:
        _put(folder, "图斑.DBF", Dbf().bytes())
        return write_set(folder)

    def alone(folder: Path) -> Path:
        write_set(folder).unlink()
        return folder

    def named(folder: Path) -> Path:
        return write_set(folder).with_suffix(".dbf")

    return [
        refuse("no dbf", lambda f: _without(f, "dbf"), "MissingDataError", ".dbf", "copy"),
        accept("no dbf with consent", lambda f: _without(f, "dbf"), check=_rows(3), consent=Consent(without_attributes=True)),
        refuse("no shx", lambda f: _without(f, "shx"), "MissingDataError", ".shx", "rebuilt", encoding="gbk"),
        accept("shx rebuilt with consent", lambda f: _without(f, "shx"), "index_rebuilt", check=_areas(2500, 2500, 2500), encoding="gbk", consent=Consent(rebuild_index=True)),
        refuse("no shp in the folder", alone, "MissingDataError", "no .shp", "copy"),
        refuse("dbf named instead of shp", named, "UnsafeInputError", "part of a shapefile", ".shp"),
        accept("upper-case extensions", upper, check=_rows(3), encoding="gbk"),
        refuse("two dbf of one name", twice, "UnsafeInputError", "two files", "remove", encoding="gbk"),
    ]  # fmt: skip


def _without(folder: Path, role: str) -> Path:
    path = write_set(folder)
    path.with_suffix(f".{role}").unlink()
    return path
