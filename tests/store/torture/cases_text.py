"""Virtual data sets, GeoJSON, KML, DXF, CSV and boundary-point text."""

# One case a line, as in a table.
# ruff: noqa: E501

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from case import Case, Check, accept, refuse

from qianmo.store.guard import Consent
from qianmo.store.raw import Reading

__all__ = ["KML", "VRT", "text_cases"]

VRT = '<OGRVRTDataSource><OGRVRTLayer name="secret"><SrcDataSource relativeToVRT="0">{}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
KML = '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{}<Placemark><name>村委会</name><Point><coordinates>119.5,26.1,0</coordinates></Point></Placemark></Document></kml>\n'
GRID = '<VRTDataset rasterXSize="1" rasterYSize="1"><VRTRasterBand band="1"><SimpleSource><SourceFilename>/etc/hostname</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>'
Build = Callable[[Path], Path]


def text_cases() -> list[Case]:
    """All cases that are text."""
    return [*_virtual(), *_geojson(), *_geojson_geometry(), *_kml(), *_dxf(), *_csv(), *_boundary()]


def _file(name: str, content: str | bytes, encoding: str = "utf-8") -> Build:
    def build(folder: Path) -> Path:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return folder / name

    return build


def _secret(name: str) -> Build:
    def build(folder: Path) -> Path:
        (folder / name).write_text(VRT.format(folder.parent / "secret.csv"), encoding="utf-8")
        return folder / name

    return build


def _frame(read: list[Reading]):  # type: ignore[no-untyped-def]
    return read[0].layers[0].frame


def _column(name: str, *expected: object) -> Check:
    def check(read: list[Reading]) -> None:
        assert [None if v is None or v != v else v for v in _frame(read)[name].tolist()] == list(expected)
        assert _frame(read).crs is None

    return check


def _points(*expected: tuple[float, float]) -> Check:
    def check(read: list[Reading]) -> None:
        found = [(g.x, g.y) for g in _frame(read).geometry]
        assert len(found) == len(expected)
        assert all(abs(a - c) < 1e-9 and abs(b - d) < 1e-9 for (a, b), (c, d) in zip(found, expected)), found

    return check


def _areas(*expected: float) -> Check:
    def check(read: list[Reading]) -> None:
        found = _frame(read).area.tolist()
        assert len(found) == len(expected)
        assert all(abs(a - b) < 1e-6 for a, b in zip(found, expected)), found

    return check


def _virtual() -> list[Case]:
    command = json.dumps({"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read /etc/passwd"})
    return [
        *(refuse(f"vrt named {x}", _secret("图斑" + x), "UnsafeInputError", "VRT", "false name") for x in (".geojson", ".json", ".kml", ".gpkg", ".tif", ".csv", ".shp", ".dxf", ".xlsx")),
        refuse("vrt under its own name", _secret("图斑.vrt"), "UnsafeInputError", ".vrt", "VRT"),
        refuse("vrt that asks the network", _file("a.geojson", VRT.format("/vsicurl/http://127.0.0.1:9/x.geojson")), "UnsafeInputError", "VRT"),
        refuse("vrt after a byte order mark and blanks", _file("a.geojson", b"\xef\xbb\xbf \n\t" + VRT.format("/etc/passwd").encode()), "UnsafeInputError", "VRT"),
        refuse("vrt after an xml comment in a kml", _file("a.kml", "<?xml version='1.0'?><!-- kml -->" + " " * 5000 + VRT.format("/etc/passwd")), "UnsafeInputError", "refers"),
        refuse("raster vrt named .tif", _file("dem.tif", GRID), "UnsafeInputError", "VRT"),
        refuse("gdal pipeline named .json", _file("a.json", command), "UnsafeInputError", "gdal_streamed_alg", "GeoJSON"),
        refuse("web service description named .kml", _file("a.kml", "<OGRWFSDataSource><URL>http://127.0.0.1/</URL></OGRWFSDataSource>"), "UnsafeInputError", "ogrwfsdatasource"),
    ]  # fmt: skip


def _collection(*geometries: object, properties: object = None, **more: object) -> str:
    features = [
        {"type": "Feature", "properties": properties or {"名称": "甲", "DLBM": "0101"}, "geometry": g} for g in geometries
    ]
    return json.dumps({"type": "FeatureCollection", **more, "features": features}, ensure_ascii=False)


POINT = {"type": "Point", "coordinates": [119.5, 26.1]}


def _square(x: float, y: float, side: float) -> dict[str, object]:
    return {"type": "Polygon", "coordinates": [[[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]]}


def _geojson() -> list[Case]:
    good = _collection(POINT, POINT)
    named = _collection(
        _square(40500000, 3300000, 10), crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4528"}}
    )
    ids = '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"ID":%s},"geometry":{"type":"Point","coordinates":[1,2]}}]}'
    return [
        accept("geojson", _file("a.geojson", good), check=_column("DLBM", "0101", "0101")),
        accept("geojson with byte order mark", _file("a.geojson", good, "utf-8-sig"), check=_column("名称", "甲", "甲")),
        accept("geojson with windows line ends", _file("a.geojson", good.replace(", ", ",\r\n")), check=_column("名称", "甲", "甲")),
        accept("geojson without crs is degrees by its standard", _file("a.geojson", good), "crs_by_standard", check=_said("4326")),
        accept("geojson in metres without crs claims nothing", _file("a.geojson", _collection(_square(40500000, 3300000, 10))), "crs_not_stated", check=_said(None)),
        accept("geojson that names its crs", _file("a.geojson", named), check=_said("4528")),
        accept("geojson shifted to gcj-02 keeps its numbers", _file("a.geojson", _collection({"type": "Point", "coordinates": [119.504839, 26.097123]})), check=_points((119.504839, 26.097123))),
        accept("geojson ids of 18 digits", _file("a.geojson", ids % "350123456789012345"), check=_column("ID", 350123456789012345)),
        accept("geojson ids beyond 64 bits are told", _file("a.geojson", ids % "35012345678901234567890"), "ids_rounded", check=lambda r: None if len(_frame(r)) == 1 else _fail()),
        accept("geojson list property", _file("a.geojson", _collection(POINT, properties={"t": ["甲", "乙"]})), "list_as_text", check=_column("t", '["甲", "乙"]')),
        refuse("geojson cut short", _file("a.geojson", good[:-40]), "UnsafeInputError", "do not close"),
        refuse("geojson cut in a string", _file("a.geojson", good[:-75]), "UnsafeInputError", "do not close"),
        refuse("geojson of 5000 levels", _file("a.geojson", '{"type":"FeatureCollection","features":' + "[" * 5000 + "]" * 5000 + "}"), "UnsafeInputError", "nested"),
        refuse("geojson with 1e400", _file("a.geojson", _collection(POINT).replace("119.5", "1e400")), "UnsafeInputError", "1e400".replace("1e", "e")),
        refuse("geojson with NaN", _file("a.geojson", _collection(POINT).replace("119.5", "NaN")), "UnsafeInputError", "NaN", "finite"),
        refuse("geojson with -Infinity", _file("a.geojson", _collection(POINT).replace("119.5", "-Infinity")), "UnsafeInputError", "Infinity"),
        refuse("geojson in gbk", _file("a.geojson", good, "gbk"), "EncodingError", "UTF-8", "save"),
        refuse("geojson in utf-16", _file("a.geojson", good, "utf-16"), "UnsafeInputError", "UTF-16", "UTF-8"),
        refuse("geojson with a NUL", _file("a.geojson", good.replace("甲", "\x00")), "UnsafeInputError", "NUL"),
        refuse("two geojson values in one file", _file("a.geojson", good + "\n" + good), "UnsafeInputError", "more than one"),
        refuse("geojson that is a list", _file("a.geojson", "[" + good + "]"), "UnsafeInputError", "content is"),
        refuse("topojson", _file("a.json", '{"type":"Topology","objects":{},"arcs":[]}'), "UnsafeInputError", "Topology"),
        refuse("esri json", _file("a.json", '{"geometryType":"esriGeometryPoint","fields":[],"features":[]}'), "UnsafeInputError", "Esri"),
        refuse("json without geometry", _file("a.json", '{"name":"x"}'), "UnsafeInputError", "no geometry type"),
        refuse("empty file named geojson", _file("a.geojson", b""), "UnsafeInputError", "empty"),
        refuse("bidirectional marks in a property name", _file("a.geojson", _collection(POINT, properties={"a\u202eb": 1})), "UnsafeInputError", "hidden"),
        refuse("replacement characters in a property", _file("a.geojson", _collection(POINT, properties={"a": "水\ufffd"})), "EncodingError", "U+FFFD"),
        refuse("text of two million characters in one cell", _file("a.geojson", _collection(POINT, properties={"a": "x" * 2_000_000})), "UnsafeInputError", "2000000"),
        refuse("too many fields", _file("a.geojson", _collection(POINT, properties={f"f{i}": 1 for i in range(1100)})), "UnsafeInputError", "1100 fields"),
    ]  # fmt: skip


def _fail() -> None:
    raise AssertionError("one row was expected")


def _said(code: str | None) -> Check:
    def check(read: list[Reading]) -> None:
        wkt = read[0].layers[0].declared_crs_wkt
        assert wkt is None if code is None else code in str(wkt)
        assert _frame(read).crs is None

    return check


def _geojson_geometry() -> list[Case]:
    open_ring = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]}
    tie = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}
    return [
        refuse("geojson null geometry", _file("a.geojson", _collection(POINT, None)), "UnsafeInputError", "1 of 2", "rows 1"),
        accept("geojson null geometry with consent", _file("a.geojson", _collection(POINT, None)), "null_geometry", check=lambda r: _column("DLBM", "0101", "0101")(r), consent=Consent(null_geometry=True)),
        refuse("geojson empty polygon", _file("a.geojson", _collection(POINT, {"type": "Polygon", "coordinates": []})), "UnsafeInputError", "rows 1"),
        refuse("geojson unclosed ring", _file("a.geojson", _collection(_square(0, 0, 1), open_ring)), "UnsafeInputError", "rows 1", "closed"),
        accept("geojson bow-tie is read as it is", _file("a.geojson", _collection(tie)), check=lambda r: _not_valid(r)),
        accept("geojson with points and polygons", _file("a.geojson", _collection(POINT, _square(0, 0, 1))), "mixed_types", check=_areas(0, 1)),
        accept("geojson in three dimensions", _file("a.geojson", _collection({"type": "Polygon", "coordinates": [[[0, 0, 5], [1, 0, 5], [1, 1, 5], [0, 0, 5]]]})), "z_or_m", check=_areas(0.5)),
        accept("geojson sliver", _file("a.geojson", _collection(_square(0, 0, 0.01))), check=_areas(0.0001)),
        refuse("geojson coordinates that are words", _file("a.geojson", _collection({"type": "Point", "coordinates": ["a", "b"]})), "UnsafeInputError", "shape"),
    ]  # fmt: skip


def _not_valid(read: list[Reading]) -> None:
    assert not _frame(read).is_valid.any()


def _kml() -> list[Case]:
    doctype = '<!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    bomb = "<!DOCTYPE kml [" + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10 if i else "x"}">' for i in range(9)) + "]>"
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    link = "<NetworkLink><Link><href>http://127.0.0.1:9/x.kml</href></Link></NetworkLink>"
    good = KML.format("")
    return [
        accept("kml", _file("a.kml", good), check=_column("Name", "村委会")),
        accept("kml with a network link that is not followed", _file("a.kml", KML.format(link)), "reference_ignored", check=_column("Name", "村委会")),
        refuse("kml with external entity", _file("a.kml", good.replace(head, head + doctype).replace("村委会", "&x;")), "UnsafeInputError", "DOCTYPE", "remove"),
        refuse("kml with entity bomb", _file("a.kml", good.replace(head, head + bomb).replace("村委会", "&a8;")), "UnsafeInputError", "DOCTYPE"),
        refuse("kml with a doctype in odd letters", _file("a.kml", good.replace(head, head + "<! dOcTyPe kml>")), "UnsafeInputError", "DOCTYPE"),
        refuse("kml in utf-16 that hides a doctype", _file("a.kml", good.replace(head, doctype), "utf-16"), "UnsafeInputError", "UTF-16"),
        refuse("kml in utf-16 without mark", _file("a.kml", good.encode("utf-16-le")), "EncodingError", "UTF-16"),
        refuse("kml that declares gbk", _file("a.kml", good.replace("UTF-8", "GBK"), "gbk"), "EncodingError", "gbk"),
        refuse("kml in gbk that declares utf-8", _file("a.kml", good, "gbk"), "EncodingError", "not UTF-8"),
        refuse("kml cut short", _file("a.kml", good[:-30]), "UnsafeInputError", "</kml>"),
        refuse("kml of 5000 levels", _file("a.kml", KML.format("<Folder>" * 5000 + "</Folder>" * 5000)), "UnsafeInputError", "nested"),
        refuse("kml with xinclude", _file("a.kml", KML.format('<xi:include href="/etc/passwd"/>')), "UnsafeInputError", "xi:include"),
        refuse("gml named kml", _file("a.kml", '<gml:FeatureCollection xmlns:gml="http://www.opengis.net/gml"/>'), "UnsafeInputError", "featurecollection"),
        refuse("svg with script named kml", _file("a.kml", "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"), "UnsafeInputError", "svg"),
        refuse("svg with script", _file("a.svg", "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"), "UnsafeInputError", ".svg"),
        refuse("gml is not on the list", _file("a.gml", "<gml/>"), "UnsafeInputError", ".gml"),
        refuse("kml with broken tags", _file("a.kml", KML.format("<Folder></Document>")), "UnsafeInputError", "a.kml"),
        refuse("kml with nan coordinates", _file("a.kml", good.replace("119.5,26.1,0", "nan,nan,0")), "UnsafeInputError", "no shape", "rows 0"),
    ]  # fmt: skip


def _drawing(*entities: str, header: str = "", end: str = "0\nEOF\n") -> str:
    return "0\nSECTION\n2\nHEADER\n" + header + "0\nENDSEC\n0\nSECTION\n2\nENTITIES\n" + "".join(entities) + "0\nENDSEC\n" + end


def _polyline(layer: str, closed: bool) -> str:
    points = "".join(f"10\n{x}\n20\n{y}\n" for x, y in ((0, 0), (10, 0), (10, 10), (0, 10)))
    return f"0\nLWPOLYLINE\n8\n{layer}\n100\nAcDbEntity\n100\nAcDbPolyline\n90\n4\n70\n{int(closed)}\n{points}"


def _dxf() -> list[Case]:
    zone = _polyline("地类界", True)
    page = "9\n$ACADVER\n1\nAC1015\n9\n$DWGCODEPAGE\n3\nANSI_936\n"
    return [
        accept("dxf of closed lines", _file("a.dxf", _drawing(_polyline("JZD", True), _polyline("JZX", False))), "closed_lines", check=_areas(100.0)),
        accept("dxf in gbk", _file("a.dxf", _drawing(zone, header=page), "gbk"), check=_column("Layer", "地类界"), encoding="gbk"),
        accept("dxf in utf-8", _file("a.dxf", _drawing(zone), "utf-8"), check=_column("Layer", "地类界"), encoding="utf-8"),
        refuse("dxf in gbk without a decision", _file("a.dxf", _drawing(zone, header=page), "gbk"), "EncodingError", "not ASCII"),
        refuse("dxf in gbk read as utf-8", _file("a.dxf", _drawing(zone, header=page), "gbk"), "EncodingError", "utf-8", encoding="utf-8"),
        refuse("dxf cut short", _file("a.dxf", _drawing(_polyline("A", True), end="")), "UnsafeInputError", "EOF"),
        refuse("binary dxf", _file("a.dxf", b"AutoCAD Binary DXF\r\n\x1a\x00" + b"\x00" * 100), "UnsafeInputError", "binary DXF", "ASCII"),
        refuse("dwg named dxf", _file("a.dxf", b"AC1032" + b"\x00" * 100), "UnsafeInputError", "DWG", "DXF"),
        refuse("text named dxf", _file("a.dxf", "hello\nworld\n"), "UnsafeInputError", "SECTION"),
        accept("dxf that refers to another drawing", _file("a.dxf", _drawing(_polyline("A", True), "0\nTEXT\n8\nA\n10\n1\n20\n1\n40\n1\n1\n/etc/secret.dwg\n")), "reference_ignored", check=_areas(100.0)),
        refuse("dxf with nan", _file("a.dxf", _drawing(_polyline("A", True).replace("10\n0\n20\n10", "10\nnan\n20\nnan"))), "TopologyError", "finite"),
    ]  # fmt: skip


def _csv() -> list[Case]:
    good = "编号,经度,纬度\n010203,119.5,26.1\n350123456789012345,119.6,26.2\n"
    ids = _column("编号", "010203", "350123456789012345")
    return [
        accept("csv in gbk", _file("a.csv", good, "gbk"), check=ids, encoding="gbk"),
        accept("csv in utf-8", _file("a.csv", good), check=ids, encoding="utf-8"),
        accept("csv with byte order mark", _file("a.csv", good, "utf-8-sig"), "bom", check=ids),
        accept("csv with mixed line ends", _file("a.csv", good.replace("\n", "\r\n", 1)), "mixed_line_ends", check=ids, encoding="utf-8"),
        accept("csv with old mac line ends", _file("a.csv", good.replace("\n", "\r")), check=ids, encoding="utf-8"),
        accept("csv with tabs", _file("a.csv", good.replace(",", "\t")), check=ids, encoding="utf-8"),
        accept("csv with degrees minutes seconds", _file("a.csv", "id,lon,lat\n1,119°30′36″E,26°6′0″N\n"), check=_points((119.51, 26.1)), encoding="utf-8"),
        accept("csv with formula cells", _file("a.csv", "id,lon,lat\n=cmd|'/C calc'!A0,1,2\n"), check=_column("id", "=cmd|'/C calc'!A0")),
        accept("csv with wkt", _file("a.csv", 'id,wkt\n1,"POLYGON ((0 0, 2 0, 2 2, 0 0))"\n'), check=_areas(2.0)),
        accept("csv in survey axes", _file("a.csv", "id,X,Y\n1,3300000.5,40500000.25\n"), "axis_order", check=_points((40500000.25, 3300000.5))),
        accept("csv in mathematical axes", _file("a.csv", "id,X,Y\n1,40500000.25,3300000.5\n"), check=_points((40500000.25, 3300000.5))),
        accept("csv in axes that do not say", _file("a.csv", "id,X,Y\n1,5,7\n"), "axis_order", check=_points((5, 7))),
        refuse("csv in gbk read as utf-8", _file("a.csv", good, "gbk"), "EncodingError", "utf-8", encoding="utf-8"),
        refuse("csv in gbk without a decision", _file("a.csv", good, "gbk"), "EncodingError", "not ASCII"),
        refuse("csv with decimal commas and semicolons", _file("a.csv", "id;lon;lat\n1;119,5;26,1\n"), "UnsafeInputError", "119,5", "decimal point"),
        refuse("csv with decimal commas and commas", _file("a.csv", "id,lon,lat\n1,119,5,26,1\n"), "UnsafeInputError", "3 cells", "5 cells", "decimal comma"),
        refuse("csv with NUL", _file("a.csv", b"id,lon,lat\n1,\x002,3\n"), "UnsafeInputError", "content is"),
        refuse("csv in utf-16", _file("a.csv", good, "utf-16"), "UnsafeInputError", "UTF-16", "UTF-8"),
        refuse("csv with duplicate columns", _file("a.csv", "id,id,lon,lat\n1,2,3,4\n"), "UnsafeInputError", "duplicate", "rename"),
        refuse("csv with two longitudes", _file("a.csv", "lon,经度,lat\n1,2,3\n"), "UnsafeInputError", "both look like", encoding="utf-8"),
        refuse("csv with a nameless column", _file("a.csv", "id,,lon,lat\n1,2,3,4\n"), "UnsafeInputError", "no name"),
        refuse("csv without coordinates", _file("a.csv", "id,name\n1,a\n"), "UnsafeInputError", "no coordinate columns", "name the coordinate"),
        refuse("csv with an open quote", _file("a.csv", 'id,lon,lat\n"1,2,3\n'), "UnsafeInputError", "quotes"),
        refuse("csv with NaN", _file("a.csv", "id,lon,lat\n1,NaN,3\n"), "UnsafeInputError", "NaN", "row 1"),
        refuse("csv with 1e400", _file("a.csv", "id,lon,lat\n1,1e400,3\n"), "UnsafeInputError", "1e400"),
        refuse("csv with a blank coordinate", _file("a.csv", "id,lon,lat\n1,,3\n2,1,2\n"), "UnsafeInputError", "no shape", "rows 0"),
        refuse("csv with broken wkt", _file("a.csv", 'id,wkt\n1,"POLYGON ((0 0"\n'), "UnsafeInputError", "WKT"),
        refuse("web page named csv", _file("a.csv", "<html><script>x</script></html>"), "UnsafeInputError", "xml"),
        refuse("program named csv", _file("a.csv", b"MZ\x90\x00" * 50), "UnsafeInputError", "program"),
        refuse("csv of no bytes", _file("a.csv", b""), "UnsafeInputError", "empty"),
        refuse("csv of too many rows", _file("a.csv", "id,lon,lat\n" + "1,2,3\n" * 50), "UnsafeInputError", "50 rows", limits=(("guard_table_rows_max", 10.0),)),
    ]  # fmt: skip


def _boundary() -> list[Case]:
    text = "[属性描述]\n坐标系=2000国家大地坐标系\n几度分带=3\n带号=40\n[地块坐标]\n4,0.01,DK1,测试地块,面,,耕地,,@\n" + "".join(
        f"J{i},1,{3300000 + y},{40500000 + x}\n" for i, (x, y) in enumerate(((0, 0), (100, 0), (100, 50), (0, 50)), 1)
    )
    table = "地块号,圈号,点号,X,Y\n" + "".join(f"A,1,{i},{x},{y}\n" for i, (x, y) in enumerate(((0, 0), (10, 0), (10, 10), (0, 10)))) + "".join(
        f"A,2,{i},{x},{y}\n" for i, (x, y) in enumerate(((2, 2), (2, 4), (4, 4), (4, 2)))
    )  # fmt: skip
    return [
        accept("boundary points as text in gbk", _file("界址点.txt", text, "gbk"), "crs_hint", check=_areas(5000.0), encoding="gbk"),
        accept("boundary points as table with a hole", _file("a.csv", table), check=_areas(96.0), encoding="utf-8"),
        accept("boundary points of two parts", _file("a.csv", table.replace("2,2\n", "20,20\n").replace("2,4\n", "20,24\n").replace("4,4\n", "24,24\n").replace("4,2\n", "24,20\n")), check=_areas(116.0), encoding="utf-8"),
        refuse("boundary text with fewer points than it states", _file("a.txt", text.rsplit("J4", 1)[0], "gbk"), "UnsafeInputError", "3 points", "4", encoding="gbk"),
        refuse("boundary text with a broken line", _file("a.txt", text + "J5;1\n", "gbk"), "UnsafeInputError", "line 11", encoding="gbk"),
        refuse("boundary ring of two points", _file("a.csv", "地块号,圈号,点号,X,Y\nA,1,1,0,0\nA,1,2,1,1\nA,1,3,0,0\n"), "TopologyError", "plot A", "three", encoding="utf-8"),
        refuse("boundary point without plot", _file("a.csv", table.replace("A,1,2,", ",1,2,")), "UnsafeInputError", "without plot", "row 3", encoding="utf-8"),
        refuse("plain text", _file("a.txt", "本项目说明\n", "gbk"), "UnsafeInputError", "plain text"),
    ]  # fmt: skip
