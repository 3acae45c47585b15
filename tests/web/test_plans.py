"""Plans on the desk: listed, compared, changed by hand with their limits checked, kept as variants without proof, taken back."""

from __future__ import annotations

import io
import json
import shutil

import openpyxl
import pytest

from qianmo.jobs.context import Context
from qianmo.jobs.registry import job_spec
from qianmo.jobs.spec import checked_values
from qianmo.store.project import open_project


@pytest.fixture(scope="module")
def planned(desk, put_project_back, tmp_path_factory):
    """The township evaluated and planned, with its state put back at the end."""
    before = (desk / "current").read_text(encoding="ascii")
    state, kept = desk / "generations" / before.strip(), tmp_path_factory.mktemp("before") / "state"
    shutil.copytree(state, kept)
    for name, more in (("evaluate", {}), ("plan", {"seconds": 20.0})):
        spec = job_spec(name)
        spec.run(Context(user="测试"), checked_values(spec, {"project": str(desk), **more}))
    yield desk
    put_project_back(desk, before)
    if not state.is_dir():  # ten later states pushed it out
        shutil.copytree(kept, state)


def _post(client, address: str, body: dict):
    return client.post(address, data=json.dumps(body), content_type="application/json")


def _worked(client, desk) -> str:
    """A patch on which the plan does works that cut farmland where they are given up."""
    from qianmo.web.desk import layers

    table = layers().layer("plan_parcel").table
    pairs = list(zip(table.column("patch_id").to_pylist(), table.column("measure").to_pylist(), strict=True))
    return next(p for p, m in pairs if m == "restore_farmland")


class TestByHand:
    def test_a_measure_is_set_kept_as_a_variant_shown_in_tiles_and_taken_back(self, planned, signed_in):
        client = signed_in("planner")
        patch, start = _worked(client, planned), open_project(planned).generation
        told = _post(client, "/api/plan-options", {"plan": "plan_parcel", "patches": [patch]}).json()
        assert [c["patch"] for c in told["chosen"]] == [patch] and {"keep", "restore_farmland"} <= {o["measure"] for o in told["options"]}
        edits = [{"patches": [patch], "measure": "keep"}]
        tried = _post(client, "/api/plan-check", {"plan": "plan_parcel", "edits": edits}).json()
        assert tried["patches"] == 1 and tried["objective"] < tried["objective_before"] and "没" not in tried["statement"] and "未证明最优" in tried["statement"]
        assert not {"bound", "gap", "gap_rel", "proof"} & set(tried)
        assert open_project(planned).generation == start, "a trial keeps nothing"
        kept = _post(client, "/api/plan-edit", {"plan": "plan_parcel", "edits": edits, "title": "保留园地", "generation": start})
        assert kept.status_code == 200, kept.content
        name = kept.json()["name"]
        style = client.get("/map/style.json").json()
        layer = next(x for x in style["layers"] if x["name"] == name)
        assert layer["title"] == "保留园地"
        changes = client.get(f"/api/plan-changes?before=plan&after={name}").json()
        assert changes["patches"] == 1 and [k["code"] for k in changes["kinds"]] == ["dropped"] and changes["kinds"][0]["hatch"]
        page = client.get(f"/plans/{name}/").content.decode()
        assert "未证明最优" in page and "上界" not in page and "保留园地" in page
        assert (open_project(planned).state / "proof").is_dir() and "proof" not in json.loads((open_project(planned).state / "tables" / "variant_plans.json").read_text("utf-8"))[name]
        client.post("/undo/", {"generation": open_project(planned).generation, "way": "undo"})
        assert client.get(f"/plans/{name}/").status_code == 404 and open_project(planned).generation == start

    def test_the_plan_and_its_proof_stay_as_they_were(self, planned, signed_in):
        client = signed_in("planner")
        _post(client, "/api/plan-edit", {"plan": "plan_parcel", "edits": [{"patches": [_worked(client, planned)], "measure": "keep"}]})
        spec = job_spec("verify-plan")
        assert spec.run(Context(user="测试"), checked_values(spec, {"folder": str(planned)})).figures["ok"]
        client.post("/undo/", {"generation": open_project(planned).generation, "way": "undo"})

    def test_a_limit_that_breaks_is_named_with_how_far(self, planned, signed_in):
        from qianmo.web.desk import layers

        table = layers().layer("plan_parcel").table
        gains = [p for p, m in zip(table.column("patch_id").to_pylist(), table.column("measure").to_pylist(), strict=True) if m.startswith(("restore", "reclaim"))]
        tried = _post(signed_in("planner"), "/api/plan-check", {"plan": "plan_parcel", "edits": [{"patches": gains, "measure": "keep"}]}).json()
        broken = {x["id"]: x for x in tried["limits"] if x["over"] > 0}
        gain = broken["farmland_gain"]
        assert gain["over"] == pytest.approx(gain["bound"] - gain["value"], abs=0.01) and gain["over_before"] == 0

    def test_what_the_problem_does_not_offer_is_refused(self, planned, signed_in):
        client = signed_in("planner")
        wrong = {"plan": "plan_parcel", "edits": [{"patches": [_worked(client, planned)], "measure": "pond_to_wetland"}]}
        assert _post(client, "/api/plan-check", wrong).status_code == 422 and _post(client, "/api/plan-edit", wrong).status_code == 422

    def test_an_edit_on_an_old_page_changes_nothing(self, planned, signed_in):
        client, now = signed_in("planner"), open_project(planned).generation
        asked = {"plan": "plan_parcel", "edits": [{"patches": [_worked(client, planned)], "measure": "keep"}], "generation": now - 1}
        assert _post(client, "/api/plan-edit", asked).status_code == 409 and open_project(planned).generation == now

    @pytest.mark.parametrize(("who", "status"), [("reviewer", 403), ("reader", 403), ("outsider", 404)])
    def test_who_may_not_plan_or_not_see_it_changes_nothing(self, planned, signed_in, who, status):
        asked = {"plan": "plan_parcel", "edits": [{"patches": [_worked(None, planned)], "measure": "keep"}]}
        for address in ("/api/plan-check", "/api/plan-edit"):
            assert _post(signed_in(who), address, asked).status_code == status

    def test_a_planner_of_one_village_does_not_change_the_whole(self, planned, signed_in, people):
        people["planner"].region = "990101100201"
        people["planner"].save()
        client = signed_in("planner")
        assert _post(client, "/api/plan-options", {"plan": "plan_parcel", "patches": []}).status_code == 403
        assert "farmland_gain" not in client.get("/plans/plan_parcel/").content.decode()

    def test_a_variant_asks_what_its_plan_asks(self, planned, signed_in):
        from qianmo.web.models import LayerRight

        LayerRight.objects.create(layer="plan_parcel", secrecy=3)
        client = signed_in("manager")
        name = _post(client, "/api/plan-edit", {"plan": "plan_parcel", "edits": [{"patches": [_worked(client, planned)], "measure": "keep"}]}).json()["name"]
        assert LayerRight.objects.get(layer=name).secrecy == 3
        assert signed_in("planner").get(f"/plans/{name}/").status_code == 404 and client.get(f"/plans/{name}/").status_code == 200
        client.post("/undo/", {"generation": open_project(planned).generation, "way": "undo"})


class TestPages:
    def test_the_list_and_the_difference_go_to_excel_with_the_same_figures(self, planned, signed_in):
        client = signed_in("planner")
        name = _post(client, "/api/plan-edit", {"plan": "plan_parcel", "edits": [{"patches": [_worked(client, planned)], "measure": "keep"}]}).json()["name"]
        assert "有证明的方案" in client.get("/plans/").content.decode()
        assert client.get(f"/plans/?a=plan_parcel&b={name}").headers["Location"] == f"/plans/plan_parcel/to/{name}/"
        assert client.get(f"/plans/?a=plan_parcel&b={name}&map=1").headers["Location"].startswith("/map/#compare=plan,")
        told = client.get(f"/api/plan-changes?before=plan&after={name}").json()
        for table, rows in (("kinds", 1), ("measures", 2), ("patches", 1)):
            answer = client.get(f"/plans/plan_parcel/to/{name}/{table}.xlsx")
            book = openpyxl.load_workbook(io.BytesIO(answer.content)).active
            numbers = [c.value for r in book.iter_rows() for c in r if isinstance(c.value, int | float)]
            assert answer.status_code == 200 and len(numbers) >= rows
        assert any(abs(n - told["area_m2"]) < 0.01 for n in numbers)
        for table in ("limits", "edits"):
            assert client.get(f"/plans/{name}/tables/{table}.xlsx").status_code == 200
        client.post("/undo/", {"generation": open_project(planned).generation, "way": "undo"})

    def test_a_name_that_is_no_plan_is_not_found(self, planned, signed_in):
        client = signed_in("planner")
        assert client.get("/plans/landuse_patch/").status_code == 404 and client.get("/plans/now/to/plan/").status_code == 404
