"""What was made from secret data is as secret: layers, tables and reports, by the list of what is made from what."""

from __future__ import annotations

import ast
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qianmo.jobs import opened
from qianmo.jobs.queries.made_from import Origins, data_of_job, is_listed, rights_of
from qianmo.schema.dataset import Dataset, Lineage
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.tables import table_names

SOURCES = ("landuse_patch", "basic_farmland", "eco_redline", "urban_boundary", "village", "parcel", "dem", "soil", "rain_day", "title", "working_face", "library_project", "a_road")
PLANS = ("plan_parcel", "alternative_plan_01", "alternative_plan_12", "front_plan_02", "variant_plan_01", "subproject", "plan_verdicts", "certificate", "alternative_diff", "front_points")
MADE = (*PLANS, "fault", "exchange_parcel", "basic_farmland_in", "swap_form", "soil_loss_after", "carbon_patch", "quality_patch", "title_outcome", "lot", "change_signal", "verdicts", "portfolio_start")
_OWN = {"library_project", "library_payment", "library_fund", "library_fund_year", "library_order", "library_floor", "library_history"}


def _literals(call: ast.Call) -> set[str]:
    """Names a call that stores something gives as plain text, also inside ``Dataset(…)`` and ``dataset_of(…)``."""
    found = set()
    for arg in call.args:
        if isinstance(arg, ast.Constant) and isinstance(arg.value, str):
            found.add(arg.value)
        elif isinstance(arg, ast.Call) and arg.args and isinstance(arg.args[0], ast.Constant):
            found.add(str(arg.args[0].value))
    return found


def _stored_by_jobs() -> dict[str, str]:
    """Every plain name that a job outside ingest and the invented village stores, with its file."""
    found: dict[str, str] = {}
    root = Path(opened.__file__).parent
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("put_layer", "put_grid", "put_table", "put_json", "put_source_table"):
                found |= dict.fromkeys(_literals(node), str(path.relative_to(root)))
    return found


def test_the_list_knows_everything_that_jobs_store_by_name():
    stored = _stored_by_jobs()
    assert len(stored) > 40 and "plan_parcel" in stored
    given_data = {"title", "working_face", "dem", "tables"}
    missing = {n: p for n, p in stored.items() if not is_listed(n) and n not in given_data}
    assert not missing, "say in codes/made_from.csv what they are made from"


def test_the_list_knows_every_table_that_a_job_takes_out_when_its_base_changes():
    groups = [v for k, v in vars(opened).items() if k.isupper() and isinstance(v, tuple) and k.endswith(("_TABLES", "_LAYERS", "_GRIDS", "_RESULTS", "_KEPT")) and k != "TENURE_LAYERS"]
    missing = {n for names in groups for n in names if not is_listed(n)}
    assert len(groups) > 8 and not missing


def test_the_list_itself_holds_together():
    rows = shipped_rows("codes", "made_from")
    data = [d for r in rows for d in r["data"].split(";")]
    assert len(data) == len(set(data)) and all(r["source"] and r["confidence"] in ("high", "medium", "low") for r in rows)
    for word in {w for r in rows for w in (*r["made_from"].split(";"), r["rights_of"]) if w and not w.startswith("@")}:
        assert is_listed(word) or word in table_names() or word in ("title", "working_face"), word


def test_everything_that_evaluation_and_plan_really_store_is_listed(tmp_path):
    """The chain is run, and what lies in its folders is looked up."""
    from qianmo.jobs.context import Context
    from qianmo.jobs.registry import job_spec
    from qianmo.jobs.spec import checked_values
    from qianmo.store.project import open_project
    from qianmo.store.stage import read_catalog

    context = Context(user="测试", clock=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    folder = tmp_path / "town"
    for name, values in (("village", {"into": str(folder), "patches": 200, "villages": 2}), ("evaluate", {"project": str(folder)}), ("plan", {"project": str(folder), "seconds": 10.0})):
        job_spec(name).run(context, checked_values(job_spec(name), values))
    project = open_project(folder)
    stored = {p.stem for p in (project.state / "tables").iterdir()} | {n for n, d in read_catalog(project.state).items() if not d.lineage.tool.endswith(" village")}
    assert {"verdicts", "plan_parcel", "certificate"} <= stored
    assert not {n for n in stored if not is_listed(n) and n not in ("rain_day", "rain_station", "soil_type")}


@settings(max_examples=120, deadline=None)
@given(st.sets(st.sampled_from((*SOURCES, *MADE)), min_size=1, max_size=6), st.sampled_from(MADE))
def test_what_lies_behind_a_layer_is_closed_and_never_the_layer_itself(pool, name):
    relation = Origins(frozenset((*SOURCES, *MADE)))
    behind = relation.behind(name, pool)
    assert name not in behind and behind <= pool
    for other in behind:
        assert relation.behind(other, pool) - {name} <= behind, "the sources of a source are sources"
    for source in SOURCES:
        assert not relation.behind(source, pool), "what came from a file is made from nothing here"


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("source", ["landuse_patch", "basic_farmland", "eco_redline", "village", "a_road", "gone_since"])
def test_every_plan_layer_and_table_rests_on_each_layer_of_the_map(plan, source):
    assert source in Origins(frozenset(SOURCES)).behind(plan, {source, "library_project", "title"})
    assert not Origins(frozenset(SOURCES)).behind(plan, {"library_project", "title"})


def test_a_result_that_the_list_does_not_know_rests_on_everything():
    relation = Origins(frozenset((*SOURCES, "brand_new")), unlisted=frozenset({"brand_new"}))
    assert relation.behind("brand_new", SOURCES) == set(SOURCES)


def test_a_lineage_that_names_its_data_is_believed_beside_the_list():
    relation = Origins(frozenset(SOURCES), told={"variant_plan_07": ("front_plan_03",)})
    assert relation.behind("variant_plan_07", {"front_plan_03", "library_fund"}) == {"front_plan_03"}
    assert rights_of("variant_plan_07") == "plan_parcel" and rights_of("plan_parcel") == ""


def test_jobs_name_their_data_and_unknown_jobs_none():
    assert "plan_parcel" in data_of_job("plan") and data_of_job("status") is None and data_of_job("ingest") is not None


@pytest.fixture
def plans_put(library, put_project_back):
    """The township with a plan, an alternative, a plan of a front, a variant and sub-projects, as their jobs name them."""
    from qianmo.store.parquet import read_frame
    from qianmo.store.project import change, open_project

    before = (library / "current").read_text(encoding="ascii")
    frame = read_frame(open_project(library).state / "layers" / "landuse_patch.parquet")[["patch_id", "village_code", "class_code", "area_m2", "class_area_m2", "geometry"]].copy()
    frame["measure"], frame["target_class"], frame["cost_yuan"], frame["reason"] = "keep", frame["class_code"], 0.0, "示例"
    tools = {"plan_parcel": "plan", "alternative_plan_01": "alternatives", "front_plan_01": "front", "variant_plan_01": "edit-plan", "brand_plan_01": "unheard-of"}
    with change(library, what="方案", user="测试", now=datetime(2026, 1, 2, tzinfo=UTC)) as stage:
        base = stage.datasets["landuse_patch"]
        for name, tool in tools.items():
            lineage = Lineage(f"qianmo {tool}", "", f"qianmo 0.1.0 {tool}", "2026-01-02", "测试")
            stage.put_layer(frame, Dataset(name, "plan_parcel", f"图层{name}", base.crs, base.class_scheme, "", True, len(frame), lineage))
    yield tuple(tools)
    put_project_back(library, before)


def _answers(client, layer: str, patch: str) -> dict[str, int]:
    """Status of every address of one layer."""
    word = "plan" if layer == "plan_parcel" else layer
    addresses = (f"/layers/{layer}/", f"/layers/{layer}/columns.xlsx", f"/layers/{layer}/{patch}/", f"/tiles/x/{layer}/14/13520/6800.mvt", f"/tiles/x/{layer}/12/3380/1700.png", f"/plans/{layer}/",
                 f"/plans/{layer}/to/{layer}/", f"/plans/{layer}/to/{layer}/patches.xlsx", f"/tiles/plans/{word}/{word}/14/13520/6800.mvt", f"/api/plan-changes?before={word}&after={word}")  # fmt: skip
    return {a: client.get(a).status_code for a in addresses}


@pytest.mark.parametrize("secret", ["plan_parcel", "basic_farmland", "village"])
def test_a_layer_made_from_secret_data_is_in_no_answer_of_who_lacks_the_clearance(plans_put, signed_in, secret):
    from qianmo.web.desk import layers
    from qianmo.web.models import LayerRight

    patch = str(layers().layer("landuse_patch").table.column("patch_id")[0])
    seen, open_before = signed_in("planner"), signed_in("manager")
    before = {a: s for n in plans_put for a, s in _answers(seen, n, patch).items()}
    assert set(before.values()) == {200}, before
    LayerRight.objects.create(layer=secret, secrecy=3)
    for name in plans_put:
        assert set(_answers(seen, name, patch).values()) == {404}, name
        assert 404 not in _answers(open_before, name, patch).values(), name
    line = {"geometry": {"type": "Polygon", "coordinates": [[[117.2, 27.9], [117.3, 27.9], [117.3, 28.1], [117.2, 27.9]]]}}
    told = [seen.get(a).content.decode() for a in ("/", "/map/style.json", "/api/catalogue", f"/api/search?q={patch}", "/plans/", "/api/identify?lon=117.25&lat=28.0", f"/layers/landuse_patch/{patch}/")]
    told.append(seen.post("/api/red-line", data=json.dumps(line), content_type="application/json").content.decode())
    for name in plans_put:
        assert not any(f"图层{name}" in text or f'"{name}"' in text for text in told), name
    assert seen.post("/sheets/new/", {"layers": "alternative_plan_01", "west": 117.2, "south": 27.9, "east": 117.3, "north": 28.1, "size": "A4"}).status_code == 404


def test_what_is_said_of_a_made_layer_alone_never_lowers_it(plans_put, people, signed_in):
    from qianmo.web.authorise import demands
    from qianmo.web.models import LayerRight

    LayerRight.objects.create(layer="landuse_patch", secrecy=3)
    LayerRight.objects.create(layer="front_plan_01", secrecy=0)
    assert demands()["front_plan_01"].secrecy == 3 and demands()["eco_redline"].secrecy == 1
    page = signed_in("manager").get("/layers/front_plan_01/rights/").content.decode()
    assert "不低于该级" in page and "不低于该级" not in signed_in("manager").get("/layers/landuse_patch/rights/").content.decode()
    LayerRight.objects.filter(layer="landuse_patch").update(secrecy=0)
    assert demands()["front_plan_01"].secrecy == 0, "a manager may open what rests on open data"


def test_plans_of_the_kind_of_the_plan_ask_for_its_departments(plans_put, people):
    from qianmo.web.authorise import demands
    from qianmo.web.models import LayerRight

    LayerRight.objects.create(layer="plan_parcel", secrecy=1, departments="农业农村")
    assert demands()["alternative_plan_01"].departments == ("农业农村",) and demands()["landuse_patch"].departments == ()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from((*SOURCES, *MADE)), st.integers(0, 3), max_size=6))
def test_nothing_is_less_secret_than_anything_it_was_made_from(desk, said):
    from qianmo.schema.desk import LayerDemand
    from qianmo.web.authorise import Demands
    from qianmo.web.desk import layers

    asked = Demands({n: LayerDemand(level, (), "") for n, level in said.items()})
    for name in MADE:
        behind = layers().origins().behind(name, said.keys())
        assert asked[name].secrecy == max([said.get(name, 1), *(said[n] for n in behind)])
    for name in SOURCES:
        assert asked[name].secrecy == said.get(name, 1)


def test_the_report_of_a_task_over_secret_data_is_withheld(plans_put, people, signed_in):
    from qianmo.web.models import LayerRight, Task

    kept = {job: Task.objects.create(job=job, person=people["planner"], state="done", report={"lines": ["面积 12345.67 亩"]}) for job in ("plan", "status", "library-list")}
    failed = Task.objects.create(job="plan", person=people["planner"], state="failed", error={"id": "a1", "kind": "InfeasibleError", "found": "图斑 990101 超出", "expected": "", "cure": ""})
    client = signed_in("planner")
    assert all("12345.67" in client.get(f"/tasks/{t.number}/").content.decode() for t in kept.values())
    LayerRight.objects.create(layer="eco_redline", secrecy=3)
    for job, task in kept.items():
        page = client.get(f"/tasks/{task.number}/").content.decode()
        assert ("12345.67" in page) == (job == "library-list") and ("高于您的密级" in page) != (job == "library-list"), job
    page = client.get(f"/tasks/{failed.number}/").content.decode()
    assert "990101" not in page and "a1" in page
