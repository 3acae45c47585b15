"""Opening a review and handing in a changed package on pages: looked at first, submitted once, refused in words."""

from __future__ import annotations

import io
import json
import re
import secrets
import shutil

import pytest

from qianmo.jobs.context import Context
from qianmo.jobs.registry import job_spec
from qianmo.jobs.review.opened import open_review
from qianmo.jobs.spec import checked_values
from qianmo.store.review_log import review_ids

CHOSEN = {"secretary": "mi", "issuer": "xian"}


@pytest.fixture
def town(opened_review, evaluated, desk, people):
    """Accounts of all offices, with the planner as the town that submits; drafts and reviews that were made go away."""
    from qianmo.web.models import Person

    people["planner"].department, people["planner"].first_name = "游乌镇", "镇办"
    people["planner"].save()
    for name, called, department in (("mi", "米书平", "联席办"), ("zi", "赵自强", "自然资源"), ("ran", "冉秋", "自然资源"), ("nong", "农春生", "农业农村"), ("sheng", "盛明泰", "生态环境"),
                                     ("shui", "水长流", "水利"), ("xian", "谢远", "县政府")):  # fmt: skip
        people[name] = Person.objects.create_user(name, password="-", first_name=called, role="reviewer", department=department, clearance=1)
    yield desk
    shutil.rmtree(desk / "reviews", ignore_errors=True)


def _form(page: str, **changes) -> dict:
    """What a page of the form would send: the mandatory officers that are ticked already, and the office and issuer chosen."""
    officers: dict[str, list[str]] = {}
    for field, value, rest in re.findall(r'<input type="checkbox" name="(officers_\d+)" value="(\w+)"([^>]*)>', page):
        if "checked" in rest:
            officers.setdefault(field, []).append(value)
    return {"event": re.search(r'name="event" value="(\w+)"', page).group(1), "review": "2026-09", **CHOSEN, **officers, **changes}


def _photo(name: str = "公示照片.txt", text: str = "照片"):
    photo = io.BytesIO(text.encode())
    photo.name = name
    return photo


@pytest.fixture
def draft(town, signed_in, work):
    """Address of a draft that was looked at, and the browser of the town."""
    client = signed_in("planner")
    answer = client.post("/review-new/", _form(client.get("/review-new/").content.decode(), documents=[_photo()]))
    assert answer.status_code == 302, answer.content.decode()
    work()
    return answer.headers["Location"], client


def _send(address: str, client, **changes):
    package = re.search(r'name="package" value="(\w*)"', client.get(address).content.decode()).group(1)
    return client.post(f"{address}do/", {"do": "confirm", "package": package, **changes})


def test_a_review_is_opened_after_a_look_at_the_package(draft, town, work, signed_in):
    address, client = draft
    assert review_ids(town) == []
    page = client.get(address).content.decode()
    assert "送审前预览" in page and "公示照片.txt" in page and "审查要点预填情况" in page and "按工作日历推算的时限" in page
    assert _send(address, client).headers["Location"] == address
    work()
    answer = client.get(address)
    assert answer.status_code == 302 and answer.headers["Location"] == "/reviews/2026-09/"
    state = open_review({"project": town, "review": "2026-09"}).state
    assert state.phase == "SUBMITTED" and {p.id: p.role for p in state.roster.values()} == {
        "planner": "applicant", "mi": "secretary", "ran": "officer", "nong": "officer", "sheng": "officer", "xian": "issuer"
    }  # fmt: skip
    assert f"<b class=\"version\" title=\"{state.package}\">" in page, "what was submitted is what was looked at"
    assert signed_in("mi").get("/reviews/2026-09/").status_code == 200


def test_the_counts_of_the_look_are_those_of_the_checklists(draft, town, work):
    address, client = draft
    number = address.strip("/").split("/")[-1]
    look = json.loads((town / "reviews" / ".drafts" / number / "look.json").read_text(encoding="utf-8"))
    _send(address, client)
    work()
    suggested = open_review({"project": town, "review": "2026-09"}).state.suggestions
    for department, counts in look["points"].items():
        mine = [v["suggested"] for v in suggested.values() if v["department"] == department]
        assert {s: mine.count(s) for s in set(mine)} == counts


def test_a_draft_that_was_sent_is_removed_with_its_documents_and_its_address_leads_to_the_review(draft, town, work, signed_in):
    address, client = draft
    kept = town / "reviews" / ".drafts"
    assert [p.name for p in kept.rglob("公示照片.txt")]
    _send(address, client)
    work()
    assert list(kept.iterdir()) == []
    assert [p.read_text(encoding="utf-8") for p in (town / "reviews" / "2026-09").rglob("公示照片.txt")] == ["照片"]
    for answer in (client.get(address), client.post(f"{address}do/", {"do": "drop"})):
        assert answer.status_code == 302 and answer.headers["Location"] == "/reviews/2026-09/"
    assert signed_in("shui").get(address).status_code == 404, "who is not on the roster learns nothing"


def test_a_send_that_is_taken_up_again_after_the_draft_is_gone_says_that_it_was_sent(draft, town, work):
    address, client = draft
    number = address.strip("/").split("/")[-1]
    _send(address, client)
    work()
    spec = job_spec("review-send")
    report = spec.run(Context(user="x"), checked_values(spec, {"project": str(town), "draft": number}))
    assert report.figures == {"review": "2026-09"} and len(open_review({"project": town, "review": "2026-09"}).events) == 1


def test_a_draft_that_a_killed_send_left_behind_goes_with_the_next_and_one_that_was_not_sent_stays(draft, town, work, signed_in):
    address, client = draft
    kept = town / "reviews" / ".drafts"
    number = address.strip("/").split("/")[-1]
    shutil.copytree(kept / number, town / "copy")
    _send(address, client)
    work()
    shutil.move(town / "copy", kept / number)  # as if the process had died between the log and the removal
    shutil.copytree(kept / number, kept / f".half-{number}-gone")  # and another in the middle of a removal
    other = client.post("/review-new/", _form(client.get("/review-new/").content.decode(), review="2026-10")).headers["Location"]
    work()
    spec = job_spec("review-send")
    spec.run(Context(user="x"), checked_values(spec, {"project": str(town), "draft": number}))
    assert [p.name for p in kept.iterdir()] == [other.strip("/").split("/")[-1]]
    assert client.get(other).status_code == 200


def test_the_same_form_sent_twice_makes_one_draft_and_a_second_yes_one_review(town, signed_in, work):
    client = signed_in("planner")
    said = _form(client.get("/review-new/").content.decode())
    first, second = (client.post("/review-new/", said).headers["Location"] for _ in range(2))
    assert first == second
    work()
    _send(first, client)
    _send(first, client)
    work()
    assert len(open_review({"project": town, "review": "2026-09"}).events) == 1


def test_a_project_that_changed_since_the_look_is_not_submitted(draft, town, work):
    from datetime import UTC, datetime

    from qianmo.store.project import change, undo

    address, client = draft
    package = re.search(r'name="package" value="(\w*)"', client.get(address).content.decode()).group(1)
    with change(town, what="改", user="甲", now=datetime(2026, 5, 1, tzinfo=UTC)) as stage:
        stage.put_json("note", {"a": 1})
    try:
        page = client.get(address).content.decode()
        assert "请重新预览" in page and 'value="confirm"' not in page
        answer = client.post(f"{address}do/", {"do": "confirm", "package": package})
        assert answer.status_code == 409 and "重新预览" in answer.content.decode() and review_ids(town) == []
        client.post(f"{address}do/", {"do": "again"})
        work()
        assert 'value="confirm"' in client.get(address).content.decode()
    finally:
        undo(town)


def test_wrong_forms_say_what_is_wrong_and_keep_nothing(town, signed_in):
    client = signed_in("planner")
    good = _form(client.get("/review-new/").content.decode())
    for changes, told in (
        ({"review": "../外面"}, "只能用汉字"), ({"review": ""}, "必填"), ({"secretary": "xian"}, "两个角色"), ({"officers_0": []}, "自然资源"), ({"secretary": "nobody"}, "nobody"),
        ({"officers_0": ["nong"]}, "nong"),
    ):  # fmt: skip
        answer = client.post("/review-new/", {**good, **changes})
        assert answer.status_code == 422 and told in answer.content.decode(), (changes, answer.content.decode()[-3000:])
    answer = client.post("/review-new/", {**good, "event": "x"})
    assert answer.status_code == 422 and "表单" in answer.content.decode()
    for documents, told in (([_photo("a.txt"), _photo("A.txt")], "两个同名文件"), ([_photo("CON")], "重命名")):
        answer = client.post("/review-new/", {**good, "event": secrets.token_hex(16), "documents": documents})
        assert answer.status_code == 422 and told in answer.content.decode() and 'value="2026-09"' in answer.content.decode(), "what was typed stays"
    assert not (town / "reviews" / ".drafts").is_dir() or not list((town / "reviews" / ".drafts").iterdir())


def test_an_id_that_is_taken_is_refused_on_the_form_and_again_when_it_was_taken_meanwhile(draft, town, work, signed_in, people):
    address, client = draft
    other = client.post("/review-new/", _form(client.get("/review-new/").content.decode(), event=secrets.token_hex(16))).headers["Location"]
    work()
    _send(address, client)
    work()
    answer = client.post("/review-new/", _form(client.get("/review-new/").content.decode()))
    assert answer.status_code == 422 and "已存在" in answer.content.decode()
    assert _send(other, client).status_code == 302
    work()
    page = client.get(other).content.decode()
    assert "已经存在" in page and "换一个编号" in page and len(open_review({"project": town, "review": "2026-09"}).events) == 1


def test_who_has_no_department_or_too_little_clearance_is_told_what_helps(town, signed_in, people):
    from qianmo.web.models import LayerRight

    client = signed_in("planner")
    LayerRight.objects.create(layer="village", secrecy=3)
    answer = client.get("/review-new/")
    assert answer.status_code == 409 and "密级" in answer.content.decode()
    LayerRight.objects.all().delete()
    people["planner"].department = ""
    people["planner"].save()
    assert "没有填写部门" in client.get("/review-new/").content.decode()
    assert signed_in("mi").get("/review-new/").status_code == 403


def test_accounts_below_the_secrecy_of_the_package_are_not_proposed(town, signed_in, people):
    from qianmo.web.models import LayerRight, Person

    LayerRight.objects.create(layer="village", secrecy=2)
    Person.objects.filter(username__in=("planner", "mi", "zi", "nong", "sheng", "xian")).update(clearance=2)
    page = signed_in("planner").get("/review-new/").content.decode()
    assert 'value="zi"' in page and 'value="ran"' not in page and "水利" not in page


def test_parts_that_rights_do_not_show_are_counted_and_not_named(draft, town, signed_in):
    from qianmo.web.models import LayerRight

    address, client = draft
    named = client.get(address).content.decode()
    title = next(i["zh"] for i in json.loads((town / "reviews" / ".drafts" / address.strip("/").split("/")[-1] / "look.json").read_text(encoding="utf-8"))["items"] if i["name"] == "village")
    assert f"<td>{title}</td>" in re.sub(r'<td class="[^"]*">', "<td>", named)
    LayerRight.objects.create(layer="village", departments="农业农村")
    page = client.get(address).content.decode()
    assert f">{title}</td>" not in page and "其中 1 项您无权查看" in page and "您无权查看的内容" in page


def test_the_review_page_does_not_name_parts_that_rights_do_not_show(draft, town, work, signed_in):
    from qianmo.web.models import LayerRight

    address, client = draft
    _send(address, client)
    work()
    whole = signed_in("ran").get("/reviews/2026-09/").content.decode()
    LayerRight.objects.create(layer="village", departments="农业农村")
    masked, theirs = (signed_in(n).get("/reviews/2026-09/").content.decode() for n in ("ran", "nong"))
    assert "您无权查看的内容" not in whole and "您无权查看的内容" in masked and "您无权查看的内容" not in theirs


def test_a_draft_belongs_to_who_made_it(draft, signed_in, people):
    address, _client = draft
    assert signed_in("mi").get(address).status_code == 404
    assert signed_in("mi").post(f"{address}do/", {"do": "confirm"}).status_code == 404
    assert signed_in("manager").get(address).status_code == 200
    assert signed_in("manager").post(f"{address}do/", {"do": "confirm"}).status_code == 403
    assert signed_in("manager").get(f"{address}do/").status_code == 405


def test_a_draft_can_be_dropped_and_its_tables_taken_along(draft, town):
    address, client = draft
    for table in ("points", "parts", "terms", "changes"):
        assert client.get(f"{address}tables/{table}.xlsx").content[:2] == b"PK"
    assert client.get(f"{address}tables/other.xlsx").status_code == 404
    assert "2026-09" in client.get("/reviews/").content.decode()
    assert client.post(f"{address}do/", {"do": "drop"}).headers["Location"] == "/reviews/"
    assert client.get(address).status_code == 404 and "2026-09" not in client.get("/reviews/").content.decode() and review_ids(town) == []


def test_a_changed_package_is_looked_at_and_makes_a_new_round(draft, town, work, signed_in):
    address, client = draft
    _send(address, client)
    work()
    mi = signed_in("mi")
    assert mi.post("/reviews/2026-09/do/return/", {"event": secrets.token_hex(16), "to": "applicant", "reason": "缺纪要"}).status_code == 302
    same = client.post("/reviews/2026-09/do/resubmit/", {"event": secrets.token_hex(16), "reason": "请再看", "documents": [_photo()]}).headers["Location"]
    work()
    page = client.get(same).content.decode()
    assert "与上一轮完全相同" in page and 'value="confirm"' not in page
    assert client.post(f"{same}do/", {"do": "confirm", "package": "x"}).status_code == 409
    changed = client.post("/reviews/2026-09/do/resubmit/", {"event": secrets.token_hex(16), "reason": "已补纪要", "documents": [_photo(), _photo("会议纪要.txt")]}).headers["Location"]
    work()
    assert "会议纪要.txt" in client.get(changed).content.decode() and "新增" in client.get(changed).content.decode()
    _send(changed, client)
    work()
    state = open_review({"project": town, "review": "2026-09"}).state
    assert (state.round, state.phase) == (2, "SUBMITTED") and client.get(changed).headers["Location"] == "/reviews/2026-09/"
    assert _send_again(same, client) == 409, "a draft of a round that is over"


def _send_again(address: str, client) -> int:
    package = re.search(r'name="package" value="(\w*)"', client.get(address).content.decode()).group(1)
    return client.post(f"{address}do/", {"do": "confirm", "package": package}).status_code
