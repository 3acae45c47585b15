"""Every table of a page has its Excel file: steps of an import, files of red lines, an overlay that is not kept, a row, sessions."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import openpyxl
import pytest

LINE = {"type": "Polygon", "coordinates": [[[117.243, 27.993], [117.257, 27.993], [117.257, 28.004], [117.243, 27.993]]]}


def _rows(answer) -> list[list[object]]:
    assert answer.status_code == 200, answer.content[:300]
    assert answer.headers["Content-Disposition"].startswith("attachment")
    return [list(r) for r in openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0].iter_rows(values_only=True)]


def test_every_page_with_a_table_offers_an_excel_file(desk):
    import qianmo.web

    without = {
        p.name for p in (Path(qianmo.web.__file__).parent / "templates" / "desk").rglob("*.html")
        if "<table" in (text := p.read_text(encoding="utf-8")) and not re.search(r"xlsx|-table'|sheet\.address|>Excel<", text)
    }  # fmt: skip
    assert not without


def test_a_drawn_red_line_gives_its_table_without_being_kept(people, signed_in):
    from qianmo.web.models import DrawnLine

    client = signed_in("reader")
    told = client.post("/api/red-line", data=json.dumps({"geometry": LINE}), content_type="application/json").json()
    rows = _rows(client.post("/lines/overlay.xlsx", {"shape": json.dumps(LINE), "title": ""}))
    areas = {r[0]: r[3] for r in rows if r[0] and r[1] in ("", None)}
    for layer in told["layers"]:
        assert areas[layer["layer_zh"]] == pytest.approx(layer["area_m2"], rel=1e-9)
    assert areas["红线 red line"] == pytest.approx(told["area_m2"], rel=1e-9) and not DrawnLine.objects.exists()


@pytest.mark.parametrize("shape", ["", "[]", "{", '{"type": "Point", "coordinates": [117, 28]}'])
def test_what_is_no_outline_gives_a_page_with_a_cure(people, signed_in, shape):
    answer = signed_in("reader").post("/lines/overlay.xlsx", {"shape": shape})
    assert answer.status_code == 422 and b"xl/" not in answer.content


def test_a_secret_layer_is_in_no_table_of_an_overlay(people, signed_in):
    from qianmo.web.models import LayerRight

    LayerRight.objects.create(layer="village", secrecy=3)
    sent = {"shape": json.dumps(LINE)}
    assert "行政村" not in str(_rows(signed_in("reader").post("/lines/overlay.xlsx", sent)))


def test_a_row_gives_its_fields_and_its_history(people, signed_in):
    from qianmo.web.desk import layers

    patch = str(layers().layer("landuse_patch").table.column("patch_id")[0])
    client = signed_in("reader")
    fields, history = (_rows(client.get(f"/rows/landuse_patch/{t}/{patch}.xlsx")) for t in ("fields", "history"))
    assert any(patch in map(str, r) for r in fields) and len(history) > 2
    assert client.get(f"/rows/landuse_patch/owners/{patch}.xlsx").status_code == 404
    assert client.get("/rows/village/history/990101100201.xlsx").status_code == 404
    page = client.get(f"/layers/landuse_patch/{patch}/").content.decode()
    for address in re.findall(r'href="(/rows/[^"]+)"', page):
        assert client.get(address).status_code == 200


def test_owners_are_in_no_file_of_who_only_looks(people, signed_in):
    from qianmo.schema.desk import OWNER_COLUMNS
    from qianmo.web.desk import layers

    shown = next((layers().layer(e.name) for e in layers().entries() if e.is_drawn and e.dataset.kind == "parcel"), None)
    if shown is None:
        pytest.skip("the township has no parcels")
    key = str(shown.table.column(shown.key_column)[0])
    seen = {r[0] for r in _rows(signed_in("reader").get(f"/rows/{shown.dataset.name}/fields/{key}.xlsx"))}
    assert not OWNER_COLUMNS & seen


def test_sessions_give_their_table(people, signed_in):
    assert len(_rows(signed_in("reader").get("/accounts/sessions.xlsx"))) >= 3


def test_the_steps_of_an_import_give_their_tables(people, signed_in, desk):
    from qianmo.jobs.queries.uploads import begin_upload, keep_look

    half = begin_upload(desk)
    half.begin("a.csv")
    half.add(b"a,b")
    number = half.finish({"person": "planner", "made": "2026-01-01T00:00:00", "answers": {}})
    place = {"chosen": "EPSG:4527", "candidates": [{"value": "EPSG:4527", "name": "CGCS2000 / 3-degree zone 39", "score": 0.9, "reasons": ["落在县域内"], "box": [117.2, 27.9, 117.3, 28.0]}]}
    look = {
        "sources": [{"name": "upload/田.shp", "skip": False, "encoding": {"chosen": "GB18030", "candidates": [{"value": "GB18030", "score": 0.8, "texts": ["东溪村", "水田"]}]}}],
        "layers": [{"name": "upload/田.shp", "skip": False, "rows": 7, "table": {"chosen": "landuse_patch"}, "scheme": {"chosen": "SD3"}, "place": place, "kind": "other_layer"}],
        "repairs": [{"layer": "landuse_patch", "what": "删除重复点", "kind": "repeated vertex", "count": 2, "rows": [1, 5], "change_m2": 0.0}], "faults": [], "notes": [], "errors": [],
    }  # fmt: skip
    keep_look(desk, number, look)
    client, said = signed_in("planner"), {}
    for table in ("encodings", "places", "repairs", "layers"):
        said[table] = str(_rows(client.get(f"/imports/{number}/tables/{table}.xlsx")))
    assert "东溪村" in said["encodings"] and "落在县域内" in said["places"] and "117.2" in said["places"] and "删除重复点" in said["repairs"] and "SD3" in said["layers"]
    assert client.get(f"/imports/{number}/tables/other.xlsx").status_code == 404
    assert signed_in("reader").get(f"/imports/{number}/tables/layers.xlsx").status_code == 403
