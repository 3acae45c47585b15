"""Tools of the map behind its pages: older tiles, changes, owners, rasters, sheets, undo; each with the rights of who asks."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import geopandas as gpd
import pytest

from qianmo.geo.tile_rings import tile_of
from qianmo.store.project import change, open_project, undo

TILE = "14/{}/{}".format(*tile_of(117.25, 28.0, 14))
NOW = datetime(2026, 1, 2, tzinfo=UTC)

FORM = {"layers": "landuse_patch,village", "west": "117.24", "south": "27.99", "east": "117.26", "north": "28.01", "size": "A4", "title": "图"}


@pytest.fixture
def edited(desk):
    """A second state in which every tenth patch became a pond; taken back afterwards."""
    before = open_project(desk)
    frame = gpd.read_parquet(before.state / "layers" / "landuse_patch.parquet")
    frame.loc[frame.index % 10 == 0, "class_code"] = "1104"
    with change(desk, what="变更", user="甲", now=NOW) as stage:
        stage.put_layer(frame, stage.datasets["landuse_patch"])
    yield before.generation
    while open_project(desk).generation != before.generation:
        undo(desk)


def _tile_at(client, state: int) -> bytes:
    layers = client.get(f"/map/style.json?at={state}" if state else "/map/style.json").json()["layers"]
    layer = next(la for la in layers if la["name"] == "landuse_patch")
    answer = client.get(f"/tiles/{layer['version']}/landuse_patch/{TILE}.mvt")
    assert "immutable" in answer.headers.get("Cache-Control", "") and answer.content
    return answer.content


class TestOlderStates:
    def test_a_tile_is_that_of_the_state_its_version_word_names(self, signed_in, edited):
        client = signed_in("reader")
        assert _tile_at(client, edited) != _tile_at(client, 0)

    def test_the_style_lists_other_states_that_are_kept(self, signed_in, edited):
        states = signed_in("reader").get("/map/style.json").json()["states"]
        assert edited in [s["number"] for s in states]

    @pytest.mark.parametrize("address", ["/map/style.json?at=99", "/map/style.json?at=x", "/tiles/99~a/landuse_patch/14/13528/6851.mvt", "/api/changes?before=99&after=now", "/tiles/changes/now/plan-9/14/1/1.mvt"])
    def test_a_state_that_is_not_kept_is_not_found(self, signed_in, address):
        assert signed_in("reader").get(address).status_code == 404

    def test_rights_of_today_hold_for_every_state(self, people, signed_in, edited):
        from qianmo.web.models import LayerRight

        LayerRight.objects.create(layer="landuse_patch", secrecy=3)
        client = signed_in("reader")
        for address in (f"/tiles/{edited}~x/landuse_patch/14/13528/6851.mvt", f"/api/changes?before={edited}&after=now", f"/tiles/changes/{edited}/now/14/13528/6851.mvt"):
            assert client.get(address).status_code == 404, address
        assert "landuse_patch" not in [la["name"] for la in client.get(f"/map/style.json?at={edited}").json()["layers"]]

    def test_changed_land_is_told_and_cut_to_the_region(self, signed_in, edited):
        whole = signed_in("reader").get(f"/api/changes?before={edited}&after=now").json()
        own = signed_in("villager").get(f"/api/changes?before={edited}&after=now").json()
        assert {c["after"] for c in whole} == {"1104"} and all(c["area_m2"] > 0 for c in whole)
        assert 0 < sum(c["rows"] for c in own) < sum(c["rows"] for c in whole)


def test_owners_are_hidden_from_who_only_looks(signed_in, desk):
    from qianmo.web.desk import layers

    parcels = layers().layer("parcel").table.to_pylist()
    row = next(p for p in parcels if p.get("holder_name") or p.get("holder_id"))
    page = f"/layers/parcel/{row['parcel_id']}/"
    owner = row.get("holder_name") or row["holder_id"]
    assert owner in signed_in("reviewer").get(page).content.decode()
    assert owner not in signed_in("reader").get(page).content.decode()
    if row.get("holder_name"):
        found = {name: [f for f in signed_in(name).get("/api/search", {"q": owner}).json() if f["layer"] == "parcel"] for name in ("reader", "reviewer")}
        assert found["reviewer"] and not found["reader"]


class TestSheets:
    def test_a_sheet_is_asked_for_with_the_region_of_the_person(self, signed_in):
        from qianmo.web.models import Task

        answer = signed_in("villager").post("/sheets/new/", FORM)
        made = Task.objects.get()
        assert answer.headers["Location"] == f"/sheets/{made.number}/"
        assert made.values["region"] == "990101100201" and made.values["layer"] == ["landuse_patch", "village"]

    def test_a_layer_one_may_not_see_is_not_printed(self, people, signed_in):
        from qianmo.web.models import LayerRight, Task

        LayerRight.objects.create(layer="village", secrecy=3)
        assert signed_in("reader").post("/sheets/new/", FORM).status_code == 404 and not Task.objects.exists()

    def test_the_title_block_takes_what_was_typed_and_the_review_numbers_of_its_layers(self, people, signed_in):
        from qianmo.web.models import LayerRight, Task

        name = FORM["layers"].split(",")[0]
        LayerRight.objects.create(layer=name, secrecy=0, review_number="浙S(2026)3号")
        signed_in("reader").post("/sheets/new/", {**FORM, "number": "GH-03", "drawn": " 沈文清 ", "approved": "x" * 99})
        values = Task.objects.latest("asked").values
        assert (values["number"], values["drawn"], values["review_number"], len(values["approved"])) == ("GH-03", "沈文清", "浙S(2026)3号", 40)

    def test_a_finished_sheet_is_closed_when_its_layer_becomes_secret(self, people, signed_in, desk):
        from qianmo.web.models import LayerRight, Task

        made = Task.objects.create(job="sheet", state="done", person=people["reader"], values={"layer": ["village"], "region": ""})
        (desk / "sheets").mkdir(exist_ok=True)
        (desk / "sheets" / f"{made.number}.pdf").write_bytes(b"%PDF-1.7")
        client = signed_in("reader")
        answer = client.get(f"/sheets/{made.number}/sheet.pdf")
        assert answer.status_code == 200 and b"".join(answer.streaming_content).startswith(b"%PDF")
        LayerRight.objects.create(layer="village", secrecy=3)
        assert client.get(f"/sheets/{made.number}/sheet.pdf").status_code == 404

    @pytest.mark.parametrize("wrong", [{"layers": ""}, {"west": "x"}, {"size": "A0"}])
    def test_a_bad_form_is_refused_with_a_cure(self, signed_in, wrong):
        from qianmo.web.models import Task

        assert signed_in("reader").post("/sheets/new/", {**FORM, **wrong}).status_code == 422 and not Task.objects.exists()

    def test_the_job_of_sheets_is_not_offered_without_its_rights(self, signed_in):
        assert signed_in("planner").get("/tasks/new/sheet/").status_code == 404


class TestUndo:
    def test_the_last_change_goes_back_and_comes_again(self, signed_in, desk, edited):
        client, now = signed_in("planner"), open_project(desk).generation
        page = client.get("/undo/").content.decode()
        assert "变更" in page and f'name="generation" value="{now}"' in page
        assert client.post("/undo/", {"generation": now, "way": "undo"}).status_code == 302
        assert open_project(desk).generation == edited
        client.post("/undo/", {"generation": edited, "way": "redo"})
        assert open_project(desk).generation == now

    def test_a_press_on_an_old_page_changes_nothing(self, signed_in, desk, edited):
        now = open_project(desk).generation
        assert signed_in("planner").post("/undo/", {"generation": edited, "way": "undo"}).status_code == 409
        assert open_project(desk).generation == now

    def test_who_may_not_run_jobs_may_not_undo(self, signed_in, desk, edited):
        now = open_project(desk).generation
        assert signed_in("reviewer").post("/undo/", {"generation": now, "way": "undo"}).status_code == 403
        assert open_project(desk).generation == now


def test_a_measure_needs_no_more_than_to_see(signed_in):
    line = {"geometry": {"type": "LineString", "coordinates": [[117.24, 28.0], [117.25, 28.0]]}}
    answer = signed_in("reader").post("/api/measure", data=json.dumps(line), content_type="application/json")
    assert answer.json()["length_m"] == pytest.approx(983.6, abs=1.0)


def test_a_raster_tile_is_kept_by_the_browser_and_bad_ones_are_not_found(signed_in):
    client = signed_in("reader")
    told = client.get("/map/style.json").json()["rasters"][0]
    style = client.get(f"/rasters/{told['name']}.json").json()
    assert style["how"] == "shade" and style["box"][0] < style["box"][2]
    answer = client.get(f"/rasters/{told['version']}/{told['name']}/12/3382/1712.png")
    assert answer.status_code in (200, 204) and "immutable" in answer.headers["Cache-Control"]
    assert client.get(f"/rasters/x/{told['name']}/3/9/9.png").status_code == 404
    assert client.get("/rasters/village.json").status_code == 404
