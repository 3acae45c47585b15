"""Projects come into the library by pages: from the plan, by a form; fields are changed by who may, and nobody's change is lost."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pandas as pd
import pytest

from qianmo.jobs.library.store import open_library


def _plan(folder) -> None:
    from qianmo.store.project import change

    rows = [("ZXM-001", "农用地整理", "已在库的", "甲子村", 1), ("GH-101", "生态保护修复", "河岸修复", "甲子村", 2), ("GH-102", "农用地整理", "坡改梯", "丙寅村", 3)]
    frame = pd.DataFrame([
        {"subproject_id": i, "project_class": c, "name": n, "village_code": "990101100200", "village_name": v, "measure": "restore_farmland", "patches": k, "area_m2": 1000.0 * k,
         "new_farmland_m2": 500.0 * k, "cost_yuan": 10_000.5 * k, "start_year": 2028, "end_year": 2029} for i, c, n, v, k in rows
    ])  # fmt: skip
    with change(folder, what="方案", user="测试", now=datetime(2026, 4, 1, tzinfo=UTC)) as stage:
        stage.put_table("subproject", frame)


def _hidden(page: str, name: str) -> str:
    return re.search(rf'name="{name}" value="([^"]*)"', page).group(1)


def _form(page: str) -> dict[str, str]:
    """What the form of a project holds, as a browser would send it."""
    said = dict(re.findall(r'<input type="(?:text|date|hidden)" name="(\w+)"(?: value="([^"]*)")?', page))
    for name, options in re.findall(r'<select name="(\w+)".*?>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        said[name] = chosen.group(1) if chosen else ""
    return said


def test_the_chosen_sub_projects_of_the_plan_become_candidates(library, signed_in):
    _plan(library)
    client = signed_in("planner")
    page = client.get("/library/from-plan/").content.decode()
    assert client.get("/library/from-plan/?table=xlsx").content[:2] == b"PK"
    assert page.count('name="project"') == 2 and "2028–2029" in page and "已在库中" in page and "河岸修复" in page
    answer = client.post("/library/from-plan/", {"generation": _hidden(page, "generation"), "project": ["GH-102"]})
    assert answer.status_code == 302 and answer.headers["Location"] == "/library/"
    found = open_library(library)
    row = found.row("GH-102")
    assert (row["state"], row["investment_yuan"], row["area_m2"], row["start_year"]) == ("CANDIDATE", 30_001.5, 3000.0, 2028)
    assert "GH-101" not in set(found.projects["project_id"]) and found.history.iloc[-1]["actor"] == "planner"
    assert client.get("/library/from-plan/").content.decode().count('name="project"') == 1


def test_what_the_plan_knows_is_filled_in_and_says_where_it_comes_from(library, signed_in):
    from qianmo.store.project import change

    _plan(library)
    parcels = pd.DataFrame([
        {"patch_id": str(n), "village_code": "990101100201", "class_code": before, "measure": m, "target_class": after, "area_m2": 500.0, "class_area_m2": 400.25, "cost_yuan": 1.0, "reason": "试", "subproject_id": i,
         "year": 2028} for n, (i, before, after, m) in enumerate([("GH-101", "1104", "1108", "pond_to_wetland"), ("GH-102", "0702", "0103", "reclaim_homestead"), ("", "0702", "0702", "keep")])
    ])  # fmt: skip
    with change(library, what="方案", user="测试", now=datetime(2026, 4, 1, tzinfo=UTC)) as stage:
        stage.put_table("plan_parcel", parcels)
    client = signed_in("planner")
    page = client.get("/library/from-plan/").content.decode()
    assert "腾退建设用地" in page and 'data-m2="400.25"' in page
    assert client.post("/library/from-plan/", {"generation": _hidden(page, "generation"), "project": ["GH-101", "GH-102"]}).status_code == 302
    found = open_library(library)
    assert [(found.row(i)["freed_construction_m2"], found.row(i)["ecological_m2"], found.row(i)["works_years"]) for i in ("GH-101", "GH-102")] == [(0.0, 400.25, 2), (400.25, 0.0, 2)]
    assert found.row("GH-101")["activity_id"] == "ZA26" and not str(found.row("GH-101")["plan_conformity"]).startswith("conf"), "what the plan does not know stays blank"
    shown = client.get("/library/projects/GH-102/").content.decode()
    assert "整治前为建设用地、整治后不再是建设用地的图斑" in shown and "整治前为建设用地" not in client.get("/library/projects/ZXM-001/").content.decode()


def test_a_list_that_is_old_or_empty_is_refused_and_nothing_comes_in(library, signed_in):
    _plan(library)
    client = signed_in("planner")
    now = _hidden(client.get("/library/from-plan/").content.decode(), "generation")
    before = len(open_library(library).projects)
    for said in ({"generation": "1", "project": ["GH-102"]}, {"generation": now}, {"generation": now, "project": ["ZXM-001"]}, {"generation": now, "project": ["没有"]}):
        answer = client.post("/library/from-plan/", said)
        assert answer.status_code == 409 and 'role="alert"' in answer.content.decode(), said
    assert len(open_library(library).projects) == before


def test_without_a_plan_the_page_says_what_to_do(library, signed_in):
    page = signed_in("planner").get("/library/from-plan/").content.decode()
    assert "请先编制方案" in page and "/tasks/new/plan/" in page


def test_who_sees_a_part_of_the_library_takes_nothing_in(library, signed_in, people):
    people["planner"].region = "990101100201"
    people["planner"].save()
    for address in ("/library/from-plan/", "/library/new/"):
        assert signed_in("planner").get(address).status_code == 403
        assert signed_in("reviewer").get(address).status_code == 403


def test_every_field_of_a_project_can_be_changed_on_its_page_but_state_and_number(library, signed_in):
    from qianmo.schema.tables import table_spec

    client = signed_in("planner")
    said = _form(client.get("/library/projects/ZXM-001/change/").content.decode())
    assert {c.name for c in table_spec("library_project").columns} - set(said) == {"state", "project_id"}
    before = open_library(library).row("ZXM-001")
    answer = client.post("/library/projects/ZXM-001/change/", {**said, "urgency": "5", "villages": "甲子村；丙寅村", "plan_conformity": "有条件符合", "note": "改过", "state": "CLOSED", "reason": "镇里复核"})
    assert answer.status_code == 302, re.findall(r'class="errorlist[^>]*>(.*?)</ul>', answer.content.decode())
    after = open_library(library).row("ZXM-001")
    assert (after["urgency"], after["villages"], after["note"], after["state"]) == (5, "甲子村;丙寅村", "改过", before["state"])
    same = [c for c in before if c not in ("urgency", "villages", "note", "plan_conformity")]
    assert [str(before[c]) for c in same] == [str(after[c]) for c in same], "what was not touched stays to the last digit"
    page = client.get("/library/projects/ZXM-001/").content.decode()
    assert "镇里复核" in page
    assert "<dd>改过</dd>" in page and "<td>改过</td>" in page, "among the fields, and in the log of changes"


@pytest.mark.parametrize(
    ("changed", "field", "told"),
    [({"urgency": "9"}, "urgency", "1"), ({"investment_yuan": "很多"}, "investment_yuan", "应为数字"), ({"area_m2": "-1"}, "area_m2", "不能为负数"), ({"proposed": "2026-02-30"}, "proposed", "日期"),
     ({"project_class": "别的"}, "project_class", "别的"), ({"fund_readiness": "1.5"}, "fund_readiness", "1"), ({"name": ""}, "name", "必填"), ({"zones": "天上"}, "zones", "应为")],
)  # fmt: skip
def test_a_wrong_field_is_named_and_nothing_is_kept(library, signed_in, changed, field, told):
    client = signed_in("planner")
    generation = (library / "current").read_text(encoding="ascii")
    said = _form(client.get("/library/projects/ZXM-001/change/").content.decode())
    answer = client.post("/library/projects/ZXM-001/change/", {**said, **changed})
    found = re.search(rf'id="id_{field}_error"[^>]*>(.*?)</div>', answer.content.decode(), re.DOTALL)
    assert answer.status_code == 422 and found and told in found.group(1), answer.content.decode()[-3000:]
    assert (library / "current").read_text(encoding="ascii") == generation


def test_two_who_change_the_same_project_do_not_overwrite_each_other(library, signed_in):
    first, second = signed_in("planner"), signed_in("manager")
    mine, theirs = (_form(c.get("/library/projects/ZXM-002/change/").content.decode()) for c in (first, second))
    assert first.post("/library/projects/ZXM-002/change/", {**mine, "note": "甲"}).status_code == 302
    answer = second.post("/library/projects/ZXM-002/change/", {**theirs, "note": "乙"})
    assert answer.status_code == 422 and "也改过" in answer.content.decode() and open_library(library).row("ZXM-002")["note"] == "甲"


def test_a_project_is_proposed_by_a_form_and_its_number_is_used_once(library, signed_in):
    client = signed_in("planner")
    said = _form(client.get("/library/new/").content.decode())
    full = {**said, "project_class": "产业导入", "name": "冷链仓", "villages": "甲子村", "investment_yuan": "1200000"}
    answer = client.post("/library/new/", full)
    assert answer.status_code == 302 and answer.headers["Location"] == f"/library/projects/{said['project_id']}/"
    row = open_library(library).row(said["project_id"])
    assert (row["state"], row["name"], row["investment_yuan"]) == ("CANDIDATE", "冷链仓", 1_200_000.0)
    again = client.post("/library/new/", {**full, "name": "另一个"})
    assert again.status_code == 422 and "相同编号" in again.content.decode()


def test_a_project_leads_to_its_place_on_the_map(library, signed_in):
    from qianmo.web.authorise import layers

    village = str(layers().layer("village").table.column("village_name")[0])
    client = signed_in("planner")
    said = _form(client.get("/library/projects/ZXM-001/change/").content.decode())
    client.post("/library/projects/ZXM-001/change/", {**said, "villages": village})
    page = client.get("/library/projects/ZXM-001/").content.decode()
    assert re.search(r'href="/map/#place=\d+\.\d+,\d+\.\d+,13"', page)
