"""Red lines from files: what is read, what is asked, what is refused with its cure; the overlay is that of the drawn line."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from django.core.files.uploadedfile import SimpleUploadedFile


@pytest.fixture(scope="module")
def square(desk) -> gpd.GeoDataFrame:
    """A square of 200 m in the middle of the township, with a Chinese name."""
    from qianmo.web.desk import layers

    shown = layers().layer("landuse_patch")
    x, y = np.median(shown.box[0]), np.median(shown.box[1])
    return gpd.GeoDataFrame({"名称": ["东溪用地"]}, geometry=[shapely.box(x, y, x + 200, y + 200)], crs=shown.dataset.crs)


def _zipped(folder: Path) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            z.write(path, path.relative_to(folder).as_posix())
    return out.getvalue()


def _shapefile(frame, tmp_path, *, prj: bool = True) -> bytes:
    folder = tmp_path / "shp"
    folder.mkdir()
    frame.to_file(folder / "红线.shp", encoding="GBK")
    (folder / "红线.cpg").unlink(missing_ok=True)
    if not prj:
        (folder / "红线.prj").unlink()
    return _zipped(folder)


def _made(kind: str, frame, tmp_path) -> tuple[str, bytes]:
    ring = np.array(frame.geometry.iloc[0].exterior.coords)[:-1]
    degrees = frame.to_crs(4490)
    match kind:
        case "shapefile":
            return "红线.zip", _shapefile(frame, tmp_path)
        case "dxf":
            frame.geometry.boundary.to_frame("geometry").set_geometry("geometry").to_file(tmp_path / "a.dxf", driver="DXF", engine="pyogrio")
            return "a.dxf", (tmp_path / "a.dxf").read_bytes()
        case "geojson":
            return "a.geojson", degrees.to_json(drop_id=True).encode()
        case "kml":
            frame.to_crs(4326).to_file(tmp_path / "a.kml", driver="LIBKML", engine="pyogrio")
            return "a.kml", (tmp_path / "a.kml").read_bytes()
        case "gdb":
            frame.to_file(tmp_path / "a.gdb", driver="OpenFileGDB", engine="pyogrio", layer="红线")
            (tmp_path / "zip").mkdir()
            (tmp_path / "a.gdb").rename(tmp_path / "zip" / "a.gdb")
            return "a.zip", _zipped(tmp_path / "zip")
        case "csv":
            lines = ["地块号,点号,经度,纬度", *(f"甲,{k},{x:.9f},{y:.9f}" for k, (x, y) in enumerate(np.array(degrees.geometry.iloc[0].exterior.coords)[:-1], 1))]
            return "a.csv", "\n".join(lines).encode("utf-8-sig")
        case "rows":
            lines = ["点号,东坐标,北坐标", *(f"{k},{x:.3f},{y:.3f}" for k, (x, y) in enumerate(ring, 1))]
            return "a.csv", "\n".join(lines).encode("gbk")
    raise AssertionError(kind)


def _upload(client, name: str, body: bytes, title: str = "红线"):
    return client.post("/lines/upload/", {"title": title, "files": SimpleUploadedFile(name, body)}, follow=True)


def _here(answer) -> str:
    return answer.redirect_chain[-1][0]


@pytest.mark.parametrize("kind", ["shapefile", "dxf", "geojson", "kml", "gdb", "csv", "rows"])
def test_an_outline_of_each_format_covers_what_the_drawn_one_covers(signed_in, square, tmp_path, kind):
    from qianmo.web.models import DrawnLine

    client = signed_in("reader")
    answer = _upload(client, *_made(kind, square, tmp_path))
    if 'name="again"' in answer.content.decode() and 'name="shape"' not in answer.content.decode():
        assert kind in ("dxf", "rows", "csv"), "a format that says its place is not asked for it"
        answer = client.post(_here(answer), {"again": "1", "crs_other": "EPSG:4490" if kind == "csv" else square.crs.to_string()}, follow=True)
    page = answer.content.decode()
    assert answer.status_code == 200 and 'name="shape" value="0"' in page, re.sub(r"<[^>]+>", " ", page)
    assert kind not in ("shapefile", "geojson", "kml", "gdb") or "东溪用地" in page
    kept = client.post(_here(answer) if answer.redirect_chain else answer.request["PATH_INFO"], {"title": "东溪", "shape": "0"}, follow=True)
    assert kept.status_code == 200
    line = DrawnLine.objects.get()
    assert line.title == "东溪" and line.report["area_m2"] == pytest.approx(40_000, rel=2e-3)
    drawn = client.post("/api/red-line", data=json.dumps({"geometry": line.shape}), content_type="application/json").json()
    assert drawn["layers"] == json.loads(json.dumps(line.report["layers"])) and drawn["layers"]


def test_a_shapefile_without_prj_is_asked_for_its_place_and_shows_candidates(signed_in, square, tmp_path):
    far = square.copy()
    far.geometry = far.geometry.translate(yoff=900_000)
    client = signed_in("reader")
    answer = _upload(client, "红线.zip", _shapefile(far, tmp_path, prj=False))
    page = answer.content.decode()
    assert 'name="crs_other"' in page and "EPSG:" in page and 'name="shape"' not in page
    answer = client.post(_here(answer), {"again": "1", "crs_other": square.crs.to_string()})
    assert "不在项目区内" in answer.content.decode() and "disabled" in answer.content.decode()
    refused = client.post(answer.request["PATH_INFO"], {"title": "x", "shape": "0"})
    assert refused.status_code == 422 and "核对坐标系" in refused.content.decode()


def test_an_outline_that_crosses_itself_is_repaired_only_where_that_was_agreed(signed_in, square, tmp_path):
    from qianmo.web.models import DrawnLine

    x0, y0, x1, y1 = square.total_bounds
    bow = square.copy()
    bow.geometry = [shapely.Polygon([(x0, y0), (x1, y1), (x1, y0), (x0, y1)])]
    client = signed_in("reader")
    answer = _upload(client, "红线.zip", _shapefile(bow, tmp_path))
    page = answer.content.decode()
    assert "自相交" in page and 'name="repair"' in page
    assert client.post(_here(answer), {"title": "x", "shape": "0"}).status_code == 422 and not DrawnLine.objects.exists()
    client.post(_here(answer), {"title": "x", "shape": "0", "repair": "on"})
    line = DrawnLine.objects.get()
    assert line.report["area_m2"] == pytest.approx(20_000, rel=2e-3) and line.report["source"]["repaired"]


def test_of_several_outlines_those_ticked_are_laid_over(signed_in, square, tmp_path):
    from qianmo.web.models import DrawnLine

    two = gpd.GeoDataFrame(geometry=[square.geometry.iloc[0], square.geometry.iloc[0].buffer(-50)], crs=square.crs)
    client = signed_in("reader")
    answer = _upload(client, "红线.zip", _shapefile(two, tmp_path))
    assert answer.content.decode().count('name="shape"') == 2
    assert client.post(_here(answer), {"title": "x"}).status_code == 422
    client.post(_here(answer), {"title": "x", "shape": "1"})
    assert DrawnLine.objects.get().report["area_m2"] == pytest.approx(10_000, rel=2e-3)


@pytest.mark.parametrize(("name", "body", "told"), [
    ("a.geojson", json.dumps({"type": "Point", "coordinates": [117.25, 28.0]}).encode(), "没有面"),
    ("a.geojson", b"no json", ""),
    ("a.pdf", b"%PDF-1.7", ""),
])  # fmt: skip
def test_what_holds_no_outline_is_told_with_its_cure(signed_in, name, body, told):
    answer = _upload(signed_in("reader"), name, body)
    page = answer.content.decode()
    assert answer.status_code in (200, 415, 422) and told in page and "办法" in page and 'name="shape"' not in page


def test_a_file_that_is_too_large_is_refused_while_it_comes(signed_in):
    from qianmo.jobs.queries.uploads import uploads
    from qianmo.web.desk import project_folder

    answer = _upload(signed_in("reader"), "a.geojson", b" " * (21 << 20))
    assert answer.status_code == 415 and "20" in answer.content.decode()
    assert not [u for u in uploads(project_folder()) if u.get("kind") == "red-line" and u["size_bytes"] > 20 << 20]


def test_the_upload_of_somebody_else_is_not_found(signed_in, square, tmp_path):
    place = _here(_upload(signed_in("reader"), *_made("geojson", square, tmp_path)))
    assert signed_in("reviewer").get(place).status_code == 404 and signed_in("planner").get(place.replace("lines/upload", "imports")).status_code == 404
    assert signed_in("reader").post(place, {"remove": "1"}).status_code == 302 and signed_in("reader").get(place).status_code == 404
