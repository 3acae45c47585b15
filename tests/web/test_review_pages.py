"""Joint review on the pages: who may do what, what is recorded, what counts once, what is refused."""

from __future__ import annotations

import io
import json
import re
import secrets
import time
import zipfile
from datetime import date, timedelta
from urllib.parse import quote

import pytest

from qianmo.governance.review_rights import open_verbs, review_verbs
from qianmo.jobs.review.opened import open_review

ROSTER = ("shen", "mi", "zi", "ran", "nong", "sheng", "xian", "du")


@pytest.fixture
def office(review, signed_in, desk, work):
    """Moves on pages, by a signed-in account."""

    class Office:
        id = review
        project = desk

        def __init__(self) -> None:
            self.browsers = {}

        def of(self, name: str):
            return self.browsers.setdefault(name, signed_in(name))

        def do(self, name: str, verb: str, **data):
            return self.of(name).post(f"/reviews/{review}/do/{verb}/", {"event": secrets.token_hex(16), **data})

        def resubmit(self, name: str, **data):
            """Hand in a changed package: keep a draft, have it looked at, say yes, have it submitted."""
            address = self.do(name, "resubmit", **data).headers["Location"]
            work()
            package = re.search(r'name="package" value="(\w+)"', self.of(name).get(address).content.decode()).group(1)
            assert self.of(name).post(f"{address}do/", {"do": "confirm", "package": package}).status_code == 302
            work()

        @property
        def state(self):
            return open_review({"project": desk, "review": review}).state

        @property
        def events(self) -> int:
            return len(open_review({"project": desk, "review": review}).events)

        def opinion(self, department: str, **changes) -> dict:
            """A filled form of a department: what the rules say, and 'does not apply' where they say nothing."""
            state = self.state
            said = {"event": secrets.token_hex(16), "step": "sign", "package": state.package, "result": "pass"}
            for item, v in state.suggestions.items():
                if v["department"] == department:
                    said[f"answer-{item}"] = "pass" if v["suggested"] == "pass" else "na"
                    said[f"reason-{item}"] = "已核对" if v["suggested"] in ("reject", "condition") else ""
            return {**said, **changes}

        def sign(self, name: str, department: str, **changes):
            return self.of(name).post(f"/reviews/{review}/points/{department}/sign/", self.opinion(department, **changes))

        def distributed(self):
            assert self.do("mi", "accept").status_code == 302
            groups = {f"group_{n}": "1" for n in range(3)} | {"person_0": "zi", "person_1": "nong", "person_2": "sheng"}
            answer = self.do("mi", "distribute", mode_1="all", office="mi", **groups)
            assert answer.status_code == 302, answer.content.decode()
            return self

    return Office()


def test_a_review_with_a_return_and_a_delegated_signature_ends_in_a_decision(office):
    office.distributed()
    assert office.do("mi", "return", to="applicant", reason="缺公示照片").status_code == 302
    photo = io.BytesIO("照片".encode())
    photo.name = "公示照片.txt"
    office.resubmit("shen", reason="已补公示照片", documents=[photo])
    page = office.of("mi").get(f"/reviews/{office.id}/").content.decode()
    assert office.state.round == 2 and "公示照片.txt" in page and "新增" in page
    seat = office.state.groups[0].seats[0].id
    assert office.do("zi", "delegate", seat=seat, to="ran", until="2099-01-01", reason="出差").status_code == 302
    assert "受 赵自强 委托" in office.of("ran").get(f"/reviews/{office.id}/points/自然资源/").content.decode()
    assert office.sign("ran", "自然资源").status_code == 302
    assert office.sign("nong", "农业农村", result="condition", reason="缺评定", conditions="补充质量评定\n", due="2099-05-01").status_code == 302
    assert office.sign("sheng", "生态环境").status_code == 302
    assert "/do/convene/" not in office.of("mi").get(f"/reviews/{office.id}/").content.decode()
    assert office.sign("mi", "联席办").status_code == 302
    agenda = re.findall(r'name="agenda" value="([^"]+)"', office.of("mi").get(f"/reviews/{office.id}/do/convene/").content.decode())
    answer = office.do("mi", "convene", agenda=agenda, more="资金安排", members=["zi", "nong", "sheng"])
    assert answer.status_code == 302, answer.content.decode()
    for who in ("zi", "nong", "sheng"):
        assert office.do(who, "attend", member=who).status_code == 302
        for item, _title in office.state.meeting.agenda:
            assert office.do(who, "vote", item=item, choice="yes").status_code == 302
    minutes = {"minutes": "议定有条件同意。", "text_1": "补充评定", "owner_1": "农业农村", "due_1": "2099-06-01"}
    assert office.do("mi", "close_meeting", **minutes).status_code == 302
    assert office.do("xian", "decide").status_code == 302
    state = office.state
    assert state.phase == "DONE" and state.outcome == "condition" and [o.on_behalf_of for o in state.opinions] == ["zi", "", "", ""]
    assert [t.text for t in state.tasks] == ["补充质量评定", "补充评定"]
    word, pdf = (office.of("nong").get(f"/reviews/{office.id}/decision/{form}/") for form in ("docx", "pdf"))
    assert zipfile.ZipFile(io.BytesIO(word.content)).testzip() is None and pdf.content.startswith(b"%PDF")
    assert "赵自强" in zipfile.ZipFile(io.BytesIO(word.content)).read("word/document.xml").decode()


def gone_on(state, verb: str) -> bool:
    """Whether the state of the review alone closes a move to everybody."""
    stands_still = state.is_suspended and verb not in ("resume", "void", "withdraw", "copy")
    return state.phase not in review_verbs()[verb].phases or stands_still


def test_a_move_of_a_page_that_is_out_of_date_says_that_the_review_has_gone_on(office):
    office.do("mi", "accept")
    answer = office.do("mi", "accept")
    assert answer.status_code == 409 and "当前环节不能办理这一动作: 受理,现为已受理" in answer.content.decode()
    office.of("mi").post("/language/", {"language": "en", "next": "/"})
    assert "this cannot be done in the present step: accept, now taken in" in office.do("mi", "accept").content.decode()
    assert office.do("zi", "distribute").status_code == 403 and office.events == 2


@pytest.mark.parametrize("phase", ["submitted", "with the departments", "suspended"])
def test_every_move_answers_every_person_as_the_rules_of_the_review_say(office, phase):
    from qianmo.web.review_act import now

    if phase != "submitted":
        office.distributed()
    if phase == "suspended":
        office.do("mi", "suspend", reason="等材料")
    checked = 0
    for name in ROSTER:
        allowed = open_verbs(office.state, name, now())
        for verb in review_verbs():
            status = office.of(name).get(f"/reviews/{office.id}/do/{verb}/").status_code
            reads = name != "du"
            expected = 404 if not reads or verb in ("submit", "opine") else 200 if verb in allowed else 409 if gone_on(office.state, verb) else 403
            assert status == expected, (name, verb, status)
            checked += 1
    assert checked == len(ROSTER) * len(review_verbs())


def test_the_buttons_of_a_page_are_moves_that_are_open(office):
    from qianmo.web.review_act import now

    office.distributed()
    for name in ROSTER[:-1]:
        page = office.of(name).get(f"/reviews/{office.id}/").content.decode()
        shown = set(re.findall(rf"/reviews/{office.id}/do/(\w+)/", page))
        assert shown and shown <= set(open_verbs(office.state, name, now())), name
        for verb in shown:
            assert review_verbs()[verb].consequence_zh in page


def test_a_posted_actor_is_not_asked(office):
    office.do("mi", "accept", actor="zi")
    assert open_review({"project": office.project, "review": office.id}).events[-1].actor == "mi"
    assert office.do("zi", "void", actor="mi", reason="冒名").status_code == 403
    assert office.state.phase == "ACCEPTED"


def test_an_account_of_another_department_is_nobody_on_the_roster(office, people):
    people["zi"].department = "水利"
    people["zi"].save()
    assert office.of("zi").get(f"/reviews/{office.id}/").status_code == 404
    assert office.do("zi", "copy", to="du").status_code == 404
    people["manager"].username = "nong"
    assert "2026-01" not in office.of("zi").get("/reviews/").content.decode()


def test_who_may_run_jobs_cannot_act_for_others_through_the_task_list(office, signed_in):
    for job in ("review-do", "review-look", "review-send", "review-resubmit", "review-form", "review-decision", "review-state", "review-waiting"):
        assert signed_in("manager").get(f"/tasks/new/{job}/").status_code == 404, job


def test_a_reader_sees_the_review_when_it_was_copied_to_him_and_can_do_nothing(office):
    assert office.of("du").get(f"/reviews/{office.id}/").status_code == 404
    office.do("mi", "copy", to="du")
    page = office.of("du").get(f"/reviews/{office.id}/")
    assert page.status_code == 200 and "/do/" not in page.content.decode()


def test_a_secret_layer_in_the_package_closes_the_review_to_lower_clearances(office):
    from qianmo.web.models import LayerRight

    LayerRight.objects.create(layer="village", secrecy=2)
    addresses = ("", "meeting/", "points/自然资源/", "tables/parts.xlsx", "decision/pdf/", "do/accept/", "parcels/x/")
    assert {office.of("mi").get(f"/reviews/{office.id}/{a}").status_code for a in addresses} == {404}
    assert office.id not in office.of("mi").get("/reviews/").content.decode()
    assert office.of("manager").get(f"/reviews/{office.id}/").status_code == 200


def test_a_layer_of_another_department_is_not_named_on_a_checklist(office):
    from qianmo.web.models import LayerRight

    before = office.of("zi").get(f"/reviews/{office.id}/points/自然资源/").content.decode()
    assert "/layers/landuse_patch/" in before
    LayerRight.objects.create(layer="landuse_patch", departments="农业农村")
    after = office.of("zi").get(f"/reviews/{office.id}/points/自然资源/").content.decode()
    assert "/layers/landuse_patch/" not in after and "/parcels/" not in after and "您无权查看的图层" in after


def test_a_chip_leads_to_its_parcel_on_the_map(office):
    page = office.of("zi").get(f"/reviews/{office.id}/points/生态环境/").content.decode()
    chips = re.findall(rf"/reviews/{office.id}/parcels/([^\"]+)/", page)
    assert chips
    answer = office.of("zi").get(f"/reviews/{office.id}/parcels/{chips[0]}/")
    assert re.fullmatch(r"/map/#place=\d+\.\d+,\d+\.\d+,17", answer.headers["Location"])
    assert office.of("zi").get(f"/reviews/{office.id}/parcels/没有/").status_code == 404


def test_the_office_signs_its_own_points_and_its_page_names_them_until_then(office):
    office.distributed()
    page = office.of("mi").get(f"/reviews/{office.id}/").content.decode()
    assert "尚缺必审部门意见: 自然资源、农业农村、生态环境、联席办" in page and f"/reviews/{office.id}/points/{quote('联席办')}/" in page
    assert office.sign("mi", "联席办", **{"answer-ALL2": ""}).status_code == 422
    assert office.sign("mi", "联席办").status_code == 302
    assert "联席办" not in re.search("尚缺必审部门意见: ([^<]*)", office.of("mi").get(f"/reviews/{office.id}/").content.decode()).group(1)
    assert office.sign("zi", "联席办").status_code == 403


class TestTwice:
    def test_a_double_click_counts_once(self, office):
        event = secrets.token_hex(16)
        first, second = (office.do("mi", "accept", event=event) for _ in range(2))
        assert first.status_code == second.status_code == 302 and office.events == 2

    def test_a_signature_sent_again_counts_once(self, office):
        office.distributed()
        said = office.opinion("农业农村")
        address = f"/reviews/{office.id}/points/农业农村/sign/"
        assert [office.of("nong").post(address, said).status_code for _ in range(3)] == [302, 302, 302]
        assert len(office.state.opinions) == 1

    def test_the_same_form_with_another_content_is_another_move(self, office):
        office.distributed()
        said = office.opinion("农业农村")
        address = f"/reviews/{office.id}/points/农业农村/sign/"
        office.of("nong").post(address, said)
        assert office.of("nong").post(address, {**said, "result": "reject", "reason": "改主意"}).status_code == 403
        assert [o.result for o in office.state.opinions] == ["pass"]

    def test_two_that_arrive_at_once_count_once(self, office):
        from qianmo.jobs.context import Context
        from qianmo.jobs.review.opened import add_event
        from qianmo.web.review_act import now

        folder = office.project / "reviews" / office.id
        add_event(folder, "accept", "mi", Context(clock=now), lambda s: {}, event_id="a" * 32)
        _, state = add_event(folder, "accept", "mi", Context(clock=lambda: now() + timedelta(seconds=3)), lambda s: {}, event_id="a" * 32)
        assert state.phase == "ACCEPTED" and office.events == 2

    def test_a_form_without_its_number_is_refused(self, office):
        for event in ("", "1", "../../etc"):
            assert office.do("mi", "accept", event=event).status_code == 422
        assert office.events == 1


class TestRefused:
    def test_an_opinion_on_an_old_version_is_refused_and_what_was_typed_stays(self, office):
        office.distributed()
        answer = office.sign("nong", "农业农村", package="0" * 64, reason="我写的理由")
        text = answer.content.decode()
        assert answer.status_code == 422 and "意见所依据的版本不是当前送审版本" in text and "我写的理由" in text and not office.state.opinions

    def test_a_rule_is_overruled_only_with_a_reason(self, office):
        office.distributed()
        item = next(k for k, v in office.state.suggestions.items() if v["department"] == "农业农村" and v["suggested"] in ("reject", "condition"))
        answer = office.sign("nong", "农业农村", **{f"answer-{item}": "na", f"reason-{item}": ""})
        assert answer.status_code == 422 and "改变规则判定须逐条写明理由" in answer.content.decode()
        page = office.sign("nong", "农业农村", step="check", **{f"answer-{item}": "na", f"reason-{item}": "不涉及"})
        assert page.status_code == 200 and "改变判定" in page.content.decode() and not office.state.opinions
        assert office.sign("nong", "农业农村", **{f"answer-{item}": "na", f"reason-{item}": "不涉及"}).status_code == 302

    def test_a_missing_answer_is_named_in_the_language_of_the_page(self, office):
        office.distributed()
        office.of("nong").post("/language/", {"language": "en", "next": "/"})
        answer = office.sign("nong", "农业农村", **{"answer-AG01": ""})
        assert answer.status_code == 422 and "mandatory points are not all answered" in answer.content.decode()

    def test_a_wrong_day_of_a_delegation_keeps_the_form(self, office):
        office.distributed()
        seat = office.state.groups[0].seats[0].id
        for until in ("昨天", "2001-01-01", ""):
            answer = office.do("zi", "delegate", seat=seat, to="ran", until=until, reason="出差")
            assert answer.status_code == 422 and 'role="alert"' in answer.content.decode()
        assert office.events == 3

    def test_nothing_is_posted_for_a_seat_of_another(self, office):
        office.distributed()
        assert office.sign("sheng", "农业农村").status_code == 403
        seat = next(s.id for s in office.state.groups[0].seats if s.person == "nong")
        assert office.do("zi", "transfer", seat=seat, to="ran", reason="x").status_code == 422
        assert office.events == 3

    @pytest.mark.parametrize("address", ["reviews/没有/", "reviews/..%2f..%2fetc/", "reviews/2026-01/do/dance/", "reviews/2026-01/points/没有/", "reviews/2026-01/tables/x.xlsx", "reviews/2026-01/decision/exe/"])
    def test_what_is_not_there_is_a_page_with_cause_and_number(self, office, address):
        answer = office.of("mi").get(f"/{address}")
        assert answer.status_code in (403, 404) and re.search(r'<dd class="code">[0-9a-f]{8}</dd>', answer.content.decode())

    def test_a_changed_log_is_named_and_no_page_shows_a_trace(self, office):
        log = office.project / "reviews" / office.id / "events.jsonl"
        log.write_bytes(log.read_bytes().replace("沈文清".encode(), "沈文青".encode()))
        answer = office.of("mi").get(f"/reviews/{office.id}/")
        assert answer.status_code == 422 and "哈希链" in answer.content.decode() and "Traceback" not in answer.content.decode()
        assert office.do("mi", "accept").status_code == 422


def test_a_follow_up_without_owner_or_day_keeps_the_form_and_says_so(office):
    office.distributed()
    for name, department in (("zi", "自然资源"), ("nong", "农业农村"), ("sheng", "生态环境"), ("mi", "联席办")):
        assert office.sign(name, department).status_code == 302
    assert office.do("mi", "convene", more="", members=["zi"]).status_code == 302
    office.do("zi", "attend", member="zi")
    office.do("zi", "vote", item="package", choice="yes")
    for said in ({"text_1": "落实资金"}, {"owner_1": "农业农村"}, {"text_1": "落实资金", "owner_1": "农业农村"}, {"text_2": "落实资金", "due_2": "明天", "owner_2": "农业农村"}):
        answer = office.do("mi", "close_meeting", minutes="议定同意", **said)
        text = answer.content.decode()
        assert answer.status_code == 422 and "isoformat" not in text and "议定同意" in text and ("督办事项须写明" in text or "日期" in text), said
    assert office.do("mi", "close_meeting", minutes="议定同意", text_1="落实资金", owner_1="农业农村", due_1="2099-01-01").status_code == 302


def test_only_what_can_be_done_is_offered(office, people):
    office.distributed()
    page = office.of("nong").get(f"/reviews/{office.id}/").content.decode()
    assert "/do/delegate/" not in page and "/do/transfer/" not in page, "nobody else of the department is on the roster"
    page = office.of("zi").get(f"/reviews/{office.id}/").content.decode()
    assert "/do/delegate/" in page and "/do/transfer/" in page
    signers = office.of("nong").get(f"/reviews/{office.id}/do/add_sign/").content.decode().split('name="person"')[1].split("</select>")[0]
    assert re.findall(r'<option value="(\w+)"', signers) == ["ran"], "who has a seat already is not offered"
    assert "联席办" not in office.of("mi").get(f"/reviews/{office.id}/do/urge/").content.decode().split('name="seat"')[1].split("</select>")[0]
    strong = re.findall(r'class="button strong" href="([^"]+)"', page)
    assert len(strong) == 1 and "/points/" in strong[0]


def test_documents_of_the_last_round_go_along_unless_they_are_left_out_or_replaced(office):
    office.distributed()

    def paper(name: str, text: str):
        made = io.BytesIO(text.encode())
        made.name = name
        return made

    def kept() -> dict[str, str]:
        folder = office.project / "reviews" / office.id / "packages" / office.state.package[:12] / "content" / "documents"
        return {p.name: p.read_text(encoding="utf-8") for p in folder.iterdir()}

    office.do("mi", "return", to="applicant", reason="缺照片")
    office.resubmit("shen", reason="已补", documents=[paper("照片.txt", "一"), paper("纪要.txt", "一")])
    office.do("mi", "return", to="applicant", reason="缺图")
    page = office.of("shen").get(f"/reviews/{office.id}/do/resubmit/").content.decode()
    assert set(re.findall(r'name="keep" value="([^"]+)"[^>]*checked', page)) == {"照片.txt", "纪要.txt"}
    office.resubmit("shen", reason="已补图", keep=["照片.txt", "纪要.txt"], documents=[paper("图.txt", "二"), paper("纪要.txt", "二")])
    assert kept() == {"照片.txt": "一", "纪要.txt": "二", "图.txt": "二"}
    assert office.do("mi", "return", to="applicant", reason="再补").status_code == 302
    assert office.do("shen", "resubmit", reason="x", keep=["../../events.jsonl"]).status_code == 422
    office.resubmit("shen", reason="只留图", keep=["图.txt"])
    assert kept() == {"图.txt": "二"}


def test_markup_in_a_reason_stays_text(office):
    office.distributed()
    office.do("mi", "return", to="applicant", reason="<script>alert(1)</script>")
    page = office.of("shen").get(f"/reviews/{office.id}/").content.decode()
    assert "<script>alert" not in page and "&lt;script&gt;" in page


def test_every_table_of_the_pages_comes_as_excel_with_the_same_rows(office):
    from openpyxl import load_workbook

    from qianmo.web.review_tables import REVIEW_TABLES

    office.distributed()
    for address in (*(f"/reviews/{office.id}/tables/{t}.xlsx" for t in REVIEW_TABLES), *(f"/review-tables/{t}.xlsx" for t in ("inbox", "days", "changes-of-desks"))):
        answer = office.of("mi").get(address)
        assert answer.status_code == 200, address
        sheet = load_workbook(io.BytesIO(answer.content)).active
        assert sheet.cell(1, 1).value and sheet.cell(2, 1).value, address
        if "seats" in address:
            assert sheet.max_row == 2 + 4 and sheet.cell(3, 1).value == "自然资源"
    page = office.of("mi").get(f"/reviews/{office.id}/").content.decode()
    assert page.count("<table") == len(re.findall(r'tables/\w+\.xlsx"[^>]*aria-label', page))


def test_english_pages_of_a_review_have_english_words(office):
    office.distributed()
    browser = office.of("mi")
    browser.post("/language/", {"language": "en", "next": "/"})
    for address in ("/reviews/", "/review-days/", f"/reviews/{office.id}/", f"/reviews/{office.id}/meeting/", f"/reviews/{office.id}/do/suspend/", f"/reviews/{office.id}/points/自然资源/"):
        text = browser.get(address).content.decode()
        assert '<html lang="en">' in text and not set(re.findall(r"待办|签署环节|送审包内容|版本号|理由|返回", text)), address


def test_rules_and_their_figures_are_told_in_the_language_of_the_page(office):
    browser = office.of("mi")
    for department in ("自然资源", "生态环境", "联席办"):
        zh = browser.get(f"/reviews/{office.id}/points/{department}/").content.decode()
        assert "own knowledge" not in zh and "minutes, photos" not in zh and "overlay" not in zh and '<q class="quoted"' not in zh, department
    browser.post("/language/", {"language": "en", "next": "/"})
    for department in ("自然资源", "生态环境", "联席办"):
        en = browser.get(f"/reviews/{office.id}/points/{department}/").content.decode()
        quoted = re.findall(r'<q class="quoted" lang="zh-CN">([^<]+)</q>', en)
        figures = re.findall(r'<span class="numbers">([^<]*)', en)
        assert quoted and figures and not any(re.search("[\u3400-\u9fff]", f) for f in figures), (department, figures)
    assert "New farmland" in browser.get(f"/reviews/{office.id}/points/自然资源/").content.decode()


def test_a_refusal_on_an_english_page_is_english_with_what_it_is_about(office):
    office.distributed()
    browser = office.of("nong")
    browser.post("/language/", {"language": "en", "next": "/"})
    text = office.sign("nong", "农业农村", **{"answer-AG01": ""}).content.decode()
    assert "mandatory points are not all answered: AG01" in text


def test_pages_of_a_review_keep_to_the_policy_of_the_desk(office):
    office.distributed()
    for address in ("/reviews/", "/review-days/", f"/reviews/{office.id}/", f"/reviews/{office.id}/meeting/", f"/reviews/{office.id}/points/自然资源/", f"/reviews/{office.id}/do/void/"):
        text = office.of("mi").get(address).content.decode()
        assert not re.search(r"\son\w+=|\sstyle=|<style|<script", text), address


def test_a_page_of_a_long_review_is_quick(office):
    from qianmo.jobs.context import Context
    from qianmo.jobs.review.opened import add_event
    from qianmo.web.review_act import now

    office.distributed()
    folder = office.project / "reviews" / office.id
    log = folder / "events.jsonl"
    for n in range(280 - office.events):
        add_event(folder, "copy", "mi", Context(clock=now), lambda s, n=n: {"to": "du", "n": n})
    assert log.read_bytes().count(b"\n") == 280
    browser = office.of("mi")
    browser.get(f"/reviews/{office.id}/")
    began = time.process_time()
    for _ in range(5):
        assert browser.get(f"/reviews/{office.id}/").status_code == 200
    assert (time.process_time() - began) / 5 < 0.2
    assert json.loads(log.read_bytes().splitlines()[-1])["n"] == 280


def test_a_review_waits_for_those_who_can_end_the_wait(office):
    from qianmo.governance.review_inbox import waits_for

    def waiting() -> set[str]:
        state = office.state
        return {n for n in ROSTER if waits_for(state, state.roster[n], date(2026, 3, 3))}

    assert waiting() == {"mi"}
    office.distributed()
    assert waiting() == {"zi", "nong", "sheng", "mi"}
    office.do("zi", "delegate", seat=office.state.groups[0].seats[0].id, to="ran", until="2099-01-01", reason="出差")
    assert waiting() == {"zi", "ran", "nong", "sheng", "mi"}
    assert "待我办理" in office.of("ran").get("/reviews/").content.decode()
    assert office.of("ran").get("/reviews/").content.decode().count("tone-wait") == 1
    assert "tone-wait" not in office.of("xian").get("/reviews/").content.decode()
    office.do("mi", "suspend", reason="等材料")
    assert waiting() <= {"mi"}


def test_an_overdue_step_rises_to_the_county_on_its_page_and_in_its_inbox(office):
    page = office.of("mi").get(f"/reviews/{office.id}/").content.decode()
    assert "逾期与升级" in page and "县政府督办" in page
    inbox = office.of("xian").get("/reviews/").content.decode()
    assert re.search(r"县政府督办: 联席办 逾期 \d+ 个工作日", inbox) and "tone-late" in inbox
    assert "县政府督办" not in office.of("nong").get("/reviews/").content.decode()
    office.do("mi", "accept")
    assert "没有逾期事项" in office.of("mi").get(f"/reviews/{office.id}/").content.decode()
    assert "县政府督办" not in office.of("xian").get("/reviews/").content.decode()
