"""Pages of the project library: filters and sums, steps, ranking, acceptance, Excel and back, rights."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from typing import ClassVar

import openpyxl
import pytest

from qianmo.jobs.context import Context
from qianmo.jobs.library.store import open_library
from qianmo.jobs.registry import job_spec
from qianmo.jobs.spec import checked_values
from qianmo.store.project import history

pytestmark = pytest.mark.usefixtures("library")

PAPERS = ["implementation_plan", "basic_farmland_plan", "map_sheets", "plan_database"]


def _job(name: str, **values):
    context = Context(user="测试员", clock=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    return job_spec(name).run(context, checked_values(job_spec(name), values))


def _text(answer) -> str:
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", answer.content.decode()))


def _sheet(client, name: str, **asked) -> list[tuple]:
    answer = client.get(f"/library/tables/{name}.xlsx", asked)
    assert answer.status_code == 200, answer.content[:400]
    return [tuple(c.value for c in row) for row in openpyxl.load_workbook(io.BytesIO(answer.content))["表"].iter_rows()]


class TestList:
    def test_filters_leave_what_was_asked_for_and_sums_follow(self, signed_in, library):
        client = signed_in("reader")
        rows = _sheet(client, "projects", **{"class": "农用地整理", "region": "北片"})
        frame = open_library(library).projects
        mine = frame[(frame["project_class"] == "农用地整理") & (frame["region"] == "北片")]
        assert [r[0] for r in rows[2:-1]] == mine["project_id"].tolist()
        at = next(k for k, h in enumerate(rows[1]) if "投资" in h)
        assert rows[-1][at] == pytest.approx(mine["investment_yuan"].sum(), abs=0.004) and rows[-1][0] == f"{len(mine)} 个项目合计"
        assert "ZXM-001" in (text := _text(client.get("/library/", {"region": "北片"}))) and "ZXM-003" not in text

    def test_a_filter_that_leaves_nothing_is_an_empty_list(self, signed_in):
        client = signed_in("reader")
        for address in ("", "board/", "years/"):
            answer = client.get("/library/" + address, {"class": "没有", "region": "没有", "q": "没有\x00"})
            assert answer.status_code == 200, address

    def test_every_page_and_every_table_opens_in_both_languages(self, signed_in):
        from qianmo.web.pages.library_sheets import SHEETS

        client = signed_in("manager")
        for language, word in (("zh-hans", "项目库"), ("en", "Library")):
            client.post("/language/", {"language": language, "next": "/"})
            rows = ("funds/new/", "funds/of/ST-ND/", "floors/", "order/", "changes/", "projects/ZXM-002/payments/")
            for address in ("", "board/", "years/", "ranking/", "funds/", *rows, "plan/", "import/", "projects/ZXM-001/", "projects/ZXM-001/acceptance/"):
                answer = client.get("/library/" + address)
                text = answer.content.decode()
                assert answer.status_code == 200 and word in text, address
                assert not re.search(r"\sstyle=|<style|\son\w+=", text), address
            for name in SHEETS:
                assert _sheet(client, name, project="ZXM-001")[0][0], name

    def test_every_column_of_figures_says_where_they_come_from(self, signed_in, library):
        from qianmo.jobs.queries.library import library_view
        from qianmo.web.pages.library_sheets import SHEETS

        view = library_view(library)
        for name, make in SHEETS.items():
            assert [h.label for h in make(view, {"project": "ZXM-001"}).heads if h.is_number and not h.why] == [], name

    @pytest.mark.parametrize("address", ["projects/没有这个/", "projects/没有这个/acceptance/", "tables/nothing.xlsx", "tables/history.xlsx?project=没有这个"])
    def test_what_is_not_there_is_not_found_with_a_cure(self, signed_in, address):
        answer = signed_in("reader").get("/library/" + address)
        assert answer.status_code == 404 and "办法" in answer.content.decode()

    def test_markup_and_formulas_in_a_name_stay_text(self, signed_in, library):
        from qianmo.jobs.library.store import put_library
        from qianmo.store.project import change

        now = open_library(library)
        projects = now.projects.copy()
        projects.loc[0, "name"] = "=1+1<script>alert(1)</script>"
        with change(library, what="怪名", user="甲", now=datetime(2026, 1, 3, tzinfo=UTC)) as stage:
            put_library(stage, {**now.tables, "library_project": projects}, now.history, Context(), source="怪名")
        client = signed_in("reader")
        for address in ("/library/", "/library/board/", "/library/projects/ZXM-001/"):
            assert "<script>alert" not in client.get(address).content.decode()
        assert "=1+1<script>alert(1)</script>" in [r[1] for r in _sheet(client, "projects")]


class TestSteps:
    def test_a_step_with_its_papers_moves_the_project_and_is_in_the_history(self, signed_in, library):
        client = signed_in("planner")
        answer = client.post("/library/projects/ZXM-001/step/", {"to": "PLAN_DRAFT", "role": "town", "document": PAPERS}, follow=True)
        assert "方案编制" in _text(answer) and open_library(library).row("ZXM-001")["state"] == "PLAN_DRAFT"
        last = open_library(library).history.iloc[-1]
        assert (last["actor"], last["role"], last["state_to"]) == ("planner", "town", "PLAN_DRAFT")
        assert _sheet(client, "history", project="ZXM-001")[-1][2] == "方案编制"

    def test_a_refused_step_names_every_reason_and_changes_nothing(self, signed_in, library):
        before = len(history(library))
        client = signed_in("planner")
        answer = client.post("/library/projects/ZXM-001/step/", {"to": "PLAN_DRAFT", "role": "town", "document": PAPERS[:1]})
        text = _text(answer)
        assert answer.status_code == 409 and "缺少材料: 永农调整方案、图件、数据库" in text and len(history(library)) == before
        assert re.search(r'value="implementation_plan" checked', answer.content.decode()), "what was ticked stays ticked"

    def test_a_return_without_reason_is_refused(self, signed_in):
        answer = signed_in("manager").post("/library/projects/ZXM-001/step/", {"to": "RESERVED", "role": "county"})
        assert answer.status_code == 409 and "必须写明理由" in _text(answer)

    @pytest.mark.parametrize(("who", "role", "status"), [("reader", "town", 403), ("reviewer", "town", 403), ("planner", "county", 403), ("planner", "province", 403)])
    def test_nobody_acts_as_somebody_else(self, signed_in, library, who, role, status):
        before = len(history(library))
        assert signed_in(who).post("/library/projects/ZXM-001/step/", {"to": "PLAN_DRAFT", "role": role, "document": PAPERS}).status_code == status
        assert len(history(library)) == before

    def test_a_step_that_does_not_exist_is_refused(self, signed_in):
        assert signed_in("manager").post("/library/projects/ZXM-001/step/", {"to": "CLOSED", "role": "county"}).status_code == 409

    def test_two_steps_at_once_lose_none(self, signed_in, library):
        from concurrent.futures import ThreadPoolExecutor

        from django.db import connection

        def move(project: str) -> int:
            try:
                return client.post(f"/library/projects/{project}/step/", {"to": "PLAN_DRAFT", "role": "town", "document": PAPERS}).status_code
            finally:
                connection.close()

        client = signed_in("manager")
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(move, ["ZXM-001", "ZXM-002", "ZXM-003", "ZXM-004"]))
        assert answers == [302] * 4
        frame = open_library(library).projects.set_index("project_id")["state"]
        assert [frame[p] for p in ("ZXM-001", "ZXM-002", "ZXM-003", "ZXM-004")] == ["PLAN_DRAFT"] * 4


class TestRanking:
    def test_a_preview_follows_the_weights_and_keeps_nothing(self, signed_in, library):
        before = len(history(library))
        client = signed_in("reader")
        default, other = _sheet(client, "ranking"), _sheet(client, "ranking", w_urgency="0", w_fund_readiness="1")
        assert [r[1] for r in default] != [r[1] for r in other] and len(history(library)) == before
        _job("library-score", project=str(library), weight=["fund_readiness=1"])
        assert [r[1] for r in other[2:]] == _job("library-score", project=str(library), weight=["fund_readiness=1"]).figures["order"]

    def test_a_ranking_is_kept_when_asked_and_its_weights_come_back(self, signed_in):
        client = signed_in("planner")
        assert client.post("/library/ranking/keep/", {"w_urgency": "1", "w_fund_readiness": "1"}).status_code == 302
        assert 'value="0.5"' in client.get("/library/ranking/").content.decode()

    @pytest.mark.parametrize("weight", ["viel", "-1", "1e999999999", "nan"])
    def test_a_bad_weight_is_told_and_the_page_stays(self, signed_in, weight):
        for answer in (signed_in("planner").get("/library/ranking/", {"w_urgency": weight}), signed_in("planner").post("/library/ranking/keep/", {"w_urgency": weight})):
            assert answer.status_code == 422 and "原因" in answer.content.decode()


class TestAcceptance:
    FORM: ClassVar = {"YS_GM_XZGDMJ.planned": "1.4", "YS_GM_XZGDMJ.price_yuan": "12345.67", "YS_GM_XZGDMJ.measured": "1.3", "YS_GM_XZGDMJ.cut": "0.1", "YS_GM_XZGDMJ.reason_code": "slope",
            "YS_GM_XZGDMJ.reason": "坡度 27 度", "YS_GM_HDMJ.measured": "1.3", "YS_GM_HDMJ.cut": "0.1", "YS_GM_HDMJ.reason_code": "slope", "YS_GM_HDMJ.reason": "坡度 27 度",
            "YS_GM_STMJ.measured": "0", "YS_GM_SJDMJ.measured": "0"}  # fmt: skip

    def test_money_is_worked_out_to_the_fen_while_nothing_is_stored(self, signed_in, library):
        before = len(history(library))
        text = _text(signed_in("reader").post("/library/projects/ZXM-001/acceptance/", self.FORM))
        for amount in ("17,283.94", "14,814.80", "2,469.14"):  # 1.4, 1.2 times the price, and what lies between
            assert amount in text, amount
        assert len(history(library)) == before

    def test_a_form_with_faults_shows_no_amount_and_is_not_kept(self, signed_in, library):
        before = len(history(library))
        for wrong in ({"YS_GM_XZGDMJ.reason": ""}, {"YS_GM_XZGDMJ.cut": "9"}, {"YS_GM_XZGDMJ.measured": "viel"}, {"YS_GM_HDMJ.measured": "0.5"}):
            answer = signed_in("manager").post("/library/projects/ZXM-001/acceptance/keep/", {**self.FORM, **wrong, "result": "pass"})
            assert answer.status_code == 422 and "14,814.80" not in answer.content.decode() and 'class="fault"' in answer.content.decode(), wrong
        assert len(history(library)) == before

    def test_a_form_without_faults_is_kept_and_goes_to_excel(self, signed_in):
        client = signed_in("manager")
        assert client.post("/library/projects/ZXM-001/acceptance/keep/", {**self.FORM, "result": "pass"}).status_code == 302
        book = openpyxl.load_workbook(io.BytesIO(client.get("/library/projects/ZXM-001/acceptance.xlsx").content))
        assert 14814.8 in [c.value for row in book["表"].iter_rows() for c in row]

    def test_who_builds_does_not_accept(self, signed_in):
        assert signed_in("planner").post("/library/projects/ZXM-001/acceptance/keep/", {**self.FORM, "result": "pass"}).status_code == 403


class TestExcelAndBack:
    def _sent(self, client, edit, name="库.xlsx"):
        book = openpyxl.load_workbook(io.BytesIO(client.get("/library/library.xlsx").content))
        sheet = book["项目库"]
        edit(sheet, {c.value: c.column for c in sheet[1]})
        out = io.BytesIO()
        book.save(out)
        out.seek(0)
        out.name = name
        return client.post("/library/import/", {"file": out})

    def _yes(self, client, do="all"):
        page = client.get("/library/import/check/").content.decode()
        hidden = dict(re.findall(r'type="hidden" name="(sha256|generation)" value="([^"]*)"', page))
        return page, hidden, lambda: client.post("/library/import/check/", {**hidden, "do": do})

    def test_differences_are_shown_first_and_taken_after_a_yes(self, signed_in, library):
        before, client = len(history(library)), signed_in("planner")

        def edit(sheet, at):
            sheet.cell(2, at["项目名称"]).value = "改名的项目"
            sheet.delete_rows(sheet.max_row)

        assert self._sent(client, edit).status_code == 302
        page, _, yes = self._yes(client)
        assert "改名的项目" in page and "删除" in page and len(history(library)) == before
        told = openpyxl.load_workbook(io.BytesIO(client.get("/library/import/check.xlsx").content))["表"]
        assert "改名的项目" in [c.value for row in told.iter_rows() for c in row]
        assert yes().status_code == 302 and open_library(library).row("ZXM-001")["name"] == "改名的项目"
        assert client.get("/library/import/check/").status_code == 302, "the file is gone after it was taken"

    def test_a_change_on_both_sides_is_a_conflict_and_the_clean_rows_can_be_taken(self, signed_in, library):
        client = signed_in("planner")

        def edit(sheet, at):
            sheet.cell(2, at["项目名称"]).value = "表中的名"
            sheet.cell(3, at["备注"]).value = "好的一行"
            _job("library-move", project=str(library), id="ZXM-001", to="SUSPENDED", role="county", reason="等待")

        self._sent(client, edit)
        page, _, yes = self._yes(client)
        assert "导出后库中也改过该行" in page and 'value="all"' not in page
        assert yes().status_code == 422, "what the page does not offer is refused"
        assert self._yes(client, "clean")[2]().status_code == 302
        assert open_library(library).row("ZXM-001")["name"] != "表中的名" and open_library(library).row("ZXM-002")["note"] == "好的一行"

    def test_a_yes_to_an_old_page_is_refused(self, signed_in, library):
        client = signed_in("planner")
        self._sent(client, lambda sheet, at: setattr(sheet.cell(3, at["备注"]), "value", "一行"))
        yes = self._yes(client)[2]
        _job("library-move", project=str(library), id="ZXM-001", to="SUSPENDED", role="county", reason="等待")
        answer = yes()
        assert answer.status_code == 409 and "项目又有改动" in answer.content.decode()

    @pytest.mark.parametrize(("name", "body"), [("a.xlsx", b"no workbook"), ("a.exe", b"MZ"), ("../../x.csv", b"a,b\n1,2\n"), ("a.xlsx", b""), ("library_project.csv", b"\xff\xfe\x00")])
    def test_a_file_that_is_none_is_refused_with_a_cure(self, signed_in, library, name, body):
        before, client = len(history(library)), signed_in("planner")
        file = io.BytesIO(body)
        file.name = name
        answer = client.post("/library/import/", {"file": file}, follow=True)
        assert answer.status_code in (415, 422) and "原因" in answer.content.decode() and len(history(library)) == before


class TestRights:
    def test_a_villager_sees_the_projects_of_the_own_village_and_no_others(self, signed_in, library):
        client = signed_in("villager")
        frame = open_library(library).projects
        own = frame.loc[frame["villages"].str.contains("乙丑村"), "project_id"].tolist()
        assert own and [r[0] for r in _sheet(client, "projects")[2:-1]] == own
        foreign = next(p for p in frame["project_id"] if p not in own)
        assert client.get(f"/library/projects/{own[0]}/").status_code == 200
        for address in (f"projects/{foreign}/", f"projects/{foreign}/acceptance/", f"projects/{foreign}/acceptance.xlsx", f"tables/history.xlsx?project={foreign}"):
            assert client.get("/library/" + address).status_code == 404, address
        for address in ("", "board/", "years/", "ranking/", "plan/"):
            assert foreign not in client.get("/library/" + address).content.decode(), address
        book = openpyxl.load_workbook(io.BytesIO(client.get("/library/library.xlsx").content))
        assert foreign not in [c.value for row in book["项目库"].iter_rows() for c in row]

    def test_a_planner_of_one_village_changes_no_foreign_project_and_not_the_whole(self, people, signed_in, library):
        people["planner"].region = "990101100201"
        people["planner"].save()
        client, before = signed_in("planner"), len(history(library))
        step = {"to": "PLAN_DRAFT", "role": "town", "document": PAPERS}
        assert client.post("/library/projects/ZXM-001/step/", step).status_code == 404
        for address in ("import/", "plan/run/", "ranking/keep/"):
            assert client.post("/library/" + address, {"first": 2027}).status_code == 403, address
        assert len(history(library)) == before and client.post("/library/projects/ZXM-013/step/", step).status_code == 302

    def test_a_library_above_the_clearance_is_like_none(self, people, signed_in):
        from qianmo.web.library_routes import LIBRARY_ROUTES
        from qianmo.web.models import LayerRight

        LayerRight.objects.create(layer="library_project", secrecy=3)
        client = signed_in("planner")
        for route in LIBRARY_ROUTES:
            address = "/" + route.address.replace("<str:project>", "ZXM-001").replace("<str:name>", "projects")
            for method in ("get", "post"):
                assert getattr(client, method)(address).status_code in (403, 404, 405), address
        assert signed_in("manager").get("/library/projects/ZXM-001/").status_code == 200

    def test_funds_may_be_hidden_while_projects_are_seen(self, people, signed_in):
        from qianmo.web.models import LayerRight

        LayerRight.objects.create(layer="library_fund", secrecy=3)
        client = signed_in("reader")
        assert "ST-ND" not in client.get("/library/funds/").content.decode() and "ZXM-001" in client.get("/library/").content.decode()
        assert not any("ST-ND" in str(r) for r in _sheet(client, "funds") + _sheet(client, "balance"))


def test_a_year_plan_runs_as_a_task_and_its_tables_add_up(signed_in, library, work):
    from qianmo.web.models import Task

    client = signed_in("planner")
    form = {"first": 2027, "years": 5, "basis": "score_money", "seconds": 20, "states": ["APPROVED_RESERVE"]}
    assert client.post("/library/plan/run/", {**form, "years": 99}).status_code == 422
    assert client.post("/library/plan/run/", form).status_code == 302 and client.post("/library/plan/run/", form).status_code == 302
    assert Task.objects.count() == 1, "no second search while one is under way"
    assert 'id="task-progress"' in client.get("/library/plan/").content.decode()
    work()
    assert Task.objects.get().state == "done", Task.objects.get().error
    page = _text(client.get("/library/plan/"))
    assert "年度计划 2027–2031" in page and "不依赖求解器的差距" in page
    years, paid, balance = _sheet(client, "plan-years"), _sheet(client, "payments"), _sheet(client, "balance")
    assert years[-1][3] == pytest.approx(sum(r[4] for r in paid[2:-1]), abs=0.004) == pytest.approx(sum(r[4] or 0 for r in balance[2:]), abs=0.004)
    assert all(r[2] + r[3] - r[4] - r[5] == pytest.approx(r[6], abs=0.004) for r in balance[2:])
    assert "<rect" in client.get("/library/years/").content.decode()


def test_a_search_without_solution_names_cause_and_cure(signed_in, library, work):
    client = signed_in("planner")
    client.post("/library/plan/run/", {"first": 2027, "years": 1, "basis": "score", "seconds": 20, "states": ["MAINTENANCE"]})
    work()
    text = _text(client.get("/library/plan/"))
    assert "上次求解没有得到方案" in text and "原因" in text and "Traceback" not in text
