"""The joint review does what its verbs say, and refuses with a reason."""

from __future__ import annotations

import itertools
import re
from datetime import timedelta

import pytest

from qianmo.governance.review_process import apply, event_from_record, event_record, replay
from qianmo.governance.review_progress import current_group, due_outcome, waiting_desks
from qianmo.governance.review_records import MANDATORY, ReviewEvent
from qianmo.governance.review_rights import may_read, open_verbs, review_verbs
from qianmo.schema.errors import ReviewRefusedError
from qianmo.schema.shipped import shipped_rows

SEATS = [{"department": "自然资源", "person": "zi"}, {"department": "农业农村", "person": "nong"}, {"department": "生态环境", "person": "sheng"}]


def refusal(call, *args, **data) -> str:
    with pytest.raises(ReviewRefusedError) as caught:
        call(*args, **data)
    return caught.value.code


def test_a_review_with_three_consents_and_a_meeting_passes(desk):
    d = desk().opened().all_in().meet()
    assert d.do("decide", "xian", outcome="pass").phase == "DONE"
    assert d.state.outcome == "pass" and replay(d.events) == d.state


def test_g03_a_missing_mandatory_opinion_blocks_the_decision(desk):
    d = desk(meeting_always=0).opened()
    d.opine("zi", "1")
    d.opine("nong", "2")
    assert refusal(d.do, "decide", "xian", outcome="pass") == "opinions_missing"
    assert refusal(d.do, "convene", "mi", agenda=[{"id": "package", "title": "结论"}], members=["zi"]) == "opinions_missing"
    d.opine("sheng", "3")
    assert d.do("decide", "xian", outcome="pass").phase == "DONE"


def test_a24_each_department_form_has_pass_condition_or_reject_and_a_reason(desk):
    d = desk().opened()
    assert refusal(d.opine, "zi", "1", "maybe") == "bad_result"
    assert refusal(d.opine, "zi", "1", "reject", reason=" ") == "needs_reason"
    assert refusal(d.opine, "zi", "1", "condition", conditions=[]) == "no_conditions"
    d.all_in(("pass", "condition", "reject"))
    assert {o.department: (o.result, bool(o.reason)) for o in d.state.opinions} == {"自然资源": ("pass", False), "农业农村": ("condition", True), "生态环境": ("reject", True)}


def test_g04_two_departments_always_see_the_same_version_id(desk):
    d = desk().opened()
    assert refusal(d.do, "opine", "zi", seat="R1/departments/1", package="b" * 64, result="pass") == "wrong_package"
    d.all_in()
    assert {o.package for o in d.state.opinions} == {d.state.package}


def test_one_reject_blocks_and_needs_a_new_round(desk):
    d = desk().opened().all_in(("pass", "reject", "pass")).meet()
    assert due_outcome(d.state) == "refuse"
    assert refusal(d.do, "decide", "xian", outcome="pass") == "wrong_outcome"
    d.do("return", "mi", reason="修改后再审")
    d.do("resubmit", "shen", package="b" * 64, reason="已避让")
    assert d.state.round == 2 and due_outcome(d.state) == "" and [o.standing for o in d.state.opinions] == ["superseded"] * 3
    d.all_in().meet()
    assert d.do("decide", "xian", outcome="pass").outcome == "pass"


def test_old_opinions_do_not_carry_over_to_a_new_package(desk):
    d = desk().opened().all_in()
    d.do("return", "mi", reason="补件")
    assert refusal(d.do, "resubmit", "shen", package=d.state.package, reason="没有变化") == "same_package"
    d.do("resubmit", "shen", package="c" * 64, reason="补件")
    assert refusal(d.do, "convene", "mi", agenda=[{"id": "package", "title": "结论"}], members=["zi"]) == "opinions_missing"
    assert len(d.state.opinions) == 3 and not [o for o in d.state.opinions if o.standing == "valid"]


def test_conditions_become_tasks_that_only_their_department_closes(desk):
    d = desk().opened().all_in(("pass", "condition", "pass")).meet()
    d.do("decide", "xian", outcome="condition")
    (task,) = d.state.tasks
    assert refusal(d.do, "close_task", "zi", task=task.id) == "no_right"
    d.do("report_task", "shen", task=task.id)
    assert d.do("close_task", "tian", task=task.id).tasks[0].standing == "closed"
    assert refusal(d.do, "close_task", "tian", task=task.id) == "task_closed"


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_parallel_opinions_lead_to_the_same_result_in_any_order(desk, order):
    d = desk().opened()
    told = [("zi", "1", "pass"), ("nong", "2", "condition"), ("sheng", "3", "pass")]
    for n in order:
        d.opine(*told[n])
    assert due_outcome(d.state) == "condition" and current_group(d.state) is None
    assert {(o.department, o.result) for o in d.state.opinions} == {("自然资源", "pass"), ("农业农村", "condition"), ("生态环境", "pass")}


def test_an_event_delivered_twice_counts_once_and_an_id_is_not_reused(desk):
    d = desk().opened()
    d.opine("zi", "1")
    assert apply(d.state, d.events[-1]) is d.state
    other = ReviewEvent(d.events[-1].id, "copy", "zi", d.now, {"to": "du"})
    assert refusal(apply, d.state, other) == "id_reused"


def test_an_event_survives_its_record(desk):
    d = desk().opened().all_in(("pass", "condition", "pass"))
    assert replay(event_from_record(event_record(e)) for e in d.events) == d.state


def test_any_one_signature_is_enough_for_huoqian(desk):
    groups = [{"id": "departments", "mode": "all", "seats": [{"department": d, "person": p} for d, p in zip(MANDATORY, ("zi", "nong", "sheng"))]},
              {"id": "leaders", "mode": "any", "seats": [{"department": "自然资源", "person": "ran"}, {"department": "水利", "person": "shui"}]}]  # fmt: skip
    d = desk().opened(groups=groups)
    assert refusal(d.opine, "ran", "R1/leaders/1") == "not_yet_turn"
    d.all_in()
    d.opine("shui", "R1/leaders/2")
    assert refusal(d.opine, "ran", "R1/leaders/1") == "group_closed" and due_outcome(d.state) == "pass"


def test_mandatory_departments_may_not_sit_in_huoqian(desk):
    assert refusal(desk().opened, mode="any") == "mandatory_missing"


def test_seats_of_yici_sign_in_their_order(desk):
    d = desk().opened(mode="sequence")
    assert refusal(d.opine, "nong", "2") == "not_yet_turn"
    d.opine("zi", "1")
    d.opine("nong", "2")
    assert [w[1] for w in waiting_desks(d.state)] == ["生态环境"]


def test_piaoqian_counts_votes_without_abstentions(desk):
    seats = [{"department": "自然资源", "person": p} for p in ("zi", "ran")] + [{"department": "农业农村", "person": "nong"}, {"department": "生态环境", "person": "sheng"}]
    for results, outcome in ((("pass", "reject", "pass", "abstain"), "pass"), (("pass", "reject", "abstain", "abstain"), "refuse"), (("abstain",) * 4, "refuse")):
        d = desk().opened(groups=[{"id": "departments", "mode": "vote", "seats": seats}])
        for n, (who, result) in enumerate(zip(("zi", "ran", "nong", "sheng"), results), 1):
            d.opine(who, str(n), result)
        assert due_outcome(d.state) == outcome


def test_tuihui_goes_back_to_any_group_and_keeps_the_earlier_ones(desk):
    groups = [{"id": "departments", "mode": "all", "seats": [{"department": d, "person": p} for d, p in zip(MANDATORY, ("zi", "nong", "sheng"))]},
              {"id": "water", "mode": "all", "seats": [{"department": "水利", "person": "shui"}]}]  # fmt: skip
    d = desk().opened(groups=groups).all_in()
    d.opine("shui", "R1/water/1", "reject")
    assert refusal(d.do, "return", "mi", reason="重签", to="nowhere") == "unknown_group"
    d.do("return", "mi", reason="重签", to="water")
    assert [o.standing for o in d.state.opinions] == ["valid"] * 3 + ["superseded"]
    d.opine("shui", "R1/water/1")
    assert due_outcome(d.state) == "pass"


def test_a_desk_whose_turn_it_is_may_return_the_package(desk):
    d = desk().opened()
    assert refusal(d.do, "return", "zi", reason="缺图", seat="R1/departments/2") == "no_right"
    assert d.do("return", "zi", reason="缺图", seat="R1/departments/1").phase == "RETURNED"
    assert d.state.returns == ((1, "自然资源", "applicant"),)


def test_an_opinion_is_taken_back_in_time_and_stays_on_record(desk):
    d = desk().opened()
    d.opine("zi", "1", "condition")
    first = d.state.opinions[0].id
    assert refusal(d.do, "take_back", "nong", opinion=first) == "no_right"
    d.do("take_back", "zi", opinion=first)
    assert d.state.opinions[0].standing == "taken_back" and d.state.tasks[0].standing == "dropped"
    d.opine("zi", "1")
    assert refusal(d.do, "take_back", "zi", opinion=d.state.opinions[1].id, hours=25) == "undo_over"


def test_a_clock_set_back_does_not_open_the_undo_window_again(desk):
    d = desk().opened()
    d.opine("zi", "1")
    d.do("copy", "mi", to="du", hours=48)
    late = ReviewEvent("back", "take_back", "zi", d.events[-2].time + timedelta(hours=1), {"opinion": d.state.opinions[0].id})
    assert refusal(apply, d.state, late) == "undo_over"


def test_what_others_built_upon_is_not_taken_back(desk):
    d = desk().opened(mode="sequence")
    d.opine("zi", "1")
    d.opine("nong", "2")
    assert refusal(d.do, "take_back", "zi", opinion=d.state.opinions[0].id) == "built_upon"


def test_jiaqian_before_makes_the_adder_wait_and_after_makes_the_group_wait(desk):
    d = desk().opened()
    d.do("add_sign", "zi", seat="R1/departments/1", person="shui", where="before", reason="涉河")
    assert refusal(d.opine, "zi", "1") == "not_yet_turn"
    d.opine("shui", "4")
    d.opine("zi", "1")
    d.do("add_sign", "nong", seat="R1/departments/2", person="tian", where="after", reason="复核")
    d.opine("nong", "2")
    d.opine("sheng", "3")
    assert current_group(d.state) is not None
    d.opine("tian", "5")
    assert current_group(d.state) is None


def test_jianqian_drops_only_added_seats_without_an_opinion(desk):
    d = desk().opened()
    d.do("add_sign", "zi", seat="R1/departments/1", person="shui", where="before", reason="涉河")
    assert refusal(d.do, "drop_sign", "nong", seat="R1/departments/4", reason="不需") == "no_right"
    assert refusal(d.do, "drop_sign", "mi", seat="R1/departments/2", reason="不需") == "not_added"
    d.do("drop_sign", "zi", seat="R1/departments/4", reason="不涉河")
    d.opine("zi", "1")
    assert [s.waits_for for s in d.state.groups[0].seats] == [(), (), ()]


def test_zhuanban_stays_in_the_department_and_never_goes_back(desk):
    d = desk().opened()
    assert refusal(d.do, "transfer", "zi", seat="R1/departments/1", to="nong", reason="出差") == "other_department"
    d.do("transfer", "zi", seat="R1/departments/1", to="ran", reason="出差")
    assert refusal(d.opine, "zi", "1") == "no_right"
    assert refusal(d.do, "transfer", "ran", seat="R1/departments/1", to="zi", reason="转回") == "was_holder"
    assert refusal(d.do, "transfer", "ran", seat="R1/departments/1", to="ran", reason="自己") == "same_person"
    d.opine("ran", "1")


def test_weituo_signs_in_the_holders_name_and_cannot_be_passed_on(desk):
    d = desk().opened()
    day = str((d.now + timedelta(days=3)).date())
    assert refusal(d.do, "delegate", "zi", seat="R1/departments/1", to="tian", until=day, reason="出差") == "other_department"
    d.do("delegate", "zi", seat="R1/departments/1", to="ran", until=day, reason="出差")
    for verb in ("delegate", "transfer", "add_sign", "undelegate"):
        data = {"seat": "R1/departments/1", "to": "zhi", "person": "shui", "where": "before", "until": day, "reason": "再委托"}
        assert refusal(d.do, verb, "ran", **data) == "no_right"
    d.opine("ran", "1")
    assert (d.state.opinions[0].person, d.state.opinions[0].on_behalf_of) == ("ran", "zi")


def test_weituo_ends_with_its_day_and_when_it_is_called_back(desk):
    d = desk().opened()
    day = str(d.now.date())
    d.do("delegate", "zi", seat="R1/departments/1", to="ran", until=day, reason="出差", hours=0.1)
    assert refusal(d.opine, "ran", "1", hours=24) == "no_right"
    assert refusal(d.do, "delegate", "zi", seat="R1/departments/1", to="ran", until="2026-03-01", reason="出差") == "past_date"
    d.do("undelegate", "zi", seat="R1/departments/1")
    assert refusal(d.do, "undelegate", "zi", seat="R1/departments/1") == "no_delegation"


def test_cuiban_rests_for_a_day(desk):
    d = desk().opened()
    d.do("urge", "shen", seat="R1/departments/1")
    assert refusal(d.do, "urge", "mi", seat="R1/departments/1") == "urged_lately"
    d.do("urge", "mi", seat="R1/departments/1", hours=24)
    assert refusal(d.do, "urge", "nong", seat="R1/departments/1") == "no_right"


def test_chaosong_lets_read_and_nothing_else(desk):
    d = desk().opened()
    assert not may_read(d.state, "du")
    d.do("copy", "zi", to="du")
    assert may_read(d.state, "du") and open_verbs(d.state, "du", d.now) == ()


def test_guaqi_stops_everything_until_it_is_lifted(desk):
    d = desk().opened()
    d.do("suspend", "mi", reason="等待省厅答复")
    assert refusal(d.opine, "zi", "1") == "is_suspended" and refusal(d.do, "suspend", "mi", reason="再次") == "is_suspended"
    d.do("resume", "mi")
    assert refusal(d.do, "resume", "mi") == "not_suspended"
    d.opine("zi", "1")


@pytest.mark.parametrize(("verb", "actor", "phase"), [("withdraw", "shen", "WITHDRAWN"), ("void", "mi", "VOIDED")])
def test_withdrawn_and_void_reviews_stay_so(desk, verb, actor, phase):
    d = desk().opened().all_in()
    assert refusal(d.do, verb, "zi", reason="不办了") == "no_right" and refusal(d.do, verb, actor) == "needs_reason"
    assert d.do(verb, actor, reason="不办了").phase == phase
    for other in review_verbs():
        assert refusal(d.do, other, "mi", reason="x", seat="R1/departments/1", to="du") in ("final",)
    assert waiting_desks(d.state) == () and len(d.state.opinions) == 3


def test_a_meeting_without_quorum_fails_and_another_is_called(desk):
    d = desk().opened().all_in()
    d.do("convene", "mi", agenda=[{"id": "package", "title": "结论"}], members=["zi", "nong", "sheng"])
    d.do("attend", "zi")
    d.do("close_meeting", "mi", minutes="到会不足")
    assert d.state.meetings[0].standing == "no_quorum" and d.state.phase == "IN_REVIEW"
    assert refusal(d.do, "decide", "xian", outcome="pass") == "meeting_needed"
    d.meet()
    assert d.do("decide", "xian", outcome="pass").phase == "DONE"


def test_a_recused_member_neither_votes_nor_counts(desk):
    d = desk().opened().all_in()
    d.do("convene", "mi", agenda=[{"id": "package", "title": "结论"}], members=["zi", "nong", "sheng"])
    for who in ("zi", "nong", "sheng"):
        d.do("attend", who)
    d.do("recuse", "zi", item="package", reason="亲属为承包人")
    assert refusal(d.do, "vote", "zi", item="package", choice="yes") == "is_recused"
    d.do("vote", "nong", item="package", choice="yes")
    assert refusal(d.do, "vote", "nong", item="package", choice="no") == "voted"
    assert refusal(d.do, "close_meeting", "mi", minutes="议定") == "votes_missing"
    d.do("vote", "sheng", item="package", choice="abstain")
    d.do("close_meeting", "mi", minutes="议定")
    assert d.state.meetings[-1].results["package"] == "refused"  # 1 of 2 is not more than half
    assert due_outcome(d.state) == "refuse"


def test_follow_ups_have_an_owner_and_a_day(desk):
    d = desk().opened().all_in()
    d.do("convene", "mi", agenda=[{"id": "package", "title": "结论"}], members=["zi"])
    d.do("attend", "mi", member="zi")
    d.do("vote", "zi", item="package", choice="yes")
    d.do("close_meeting", "mi", minutes="议定", follow_ups=[{"text": "补充监测点", "owner": "生态环境", "due": "2026-04-01"}])
    assert due_outcome(d.state) == "condition" and d.state.tasks[0].owner == "生态环境"
    d.do("report_task", "sheng", task=d.state.tasks[0].id)
    d.do("close_task", "mi", task=d.state.tasks[0].id)


def test_answers_are_complete_and_overrules_carry_reasons(desk):
    points = {"LR04": {"department": "自然资源", "mandatory": True, "suggested": "reject"}, "LR03": {"department": "自然资源", "mandatory": True, "suggested": "confirm"}}
    d = desk(suggestions=points).opened()
    good = [{"item": "LR04", "answer": "pass", "reason": "图斑为误划, 已核实"}, {"item": "LR03", "answer": "pass", "text_confirmed": True}]
    assert refusal(d.opine, "zi", "1", answers=good[:1]) == "checklist_gap"
    assert refusal(d.opine, "zi", "1", answers=[{"item": "LR04", "answer": "pass"}, good[1]]) == "overrule_reason"
    assert refusal(d.opine, "zi", "1", answers=[good[0], {"item": "LR03", "answer": "pass"}]) == "text_unconfirmed"
    assert refusal(d.opine, "zi", "1", answers=[*good, {"item": "AG01", "answer": "pass"}]) == "unknown_item"
    assert refusal(d.opine, "zi", "1", answers=[{"item": "LR04", "answer": "reject", "reason": "占用"}, good[1]]) == "better_than_answers"
    d.opine("zi", "1", answers=good)


def test_missing_or_wrong_content_is_refused_in_words(desk):
    d = desk().opened()
    for verb, actor, data in (("opine", "zi", {"seat": "R1/departments/1"}), ("copy", "mi", {}), ("delegate", "zi", {"seat": "R1/departments/1", "to": "ran", "until": "明天", "reason": "x"})):
        assert refusal(d.do, verb, actor, **data) == "wrong_data"
    for odd in ({"x": float("nan")}, {"x": {1, 2}}, {"x": "\ud800"}):
        assert refusal(d.do, "copy", "zi", to="du", **odd) == "wrong_data"
    assert refusal(d.do, "dance", "zi") == "unknown_verb" and refusal(d.do, "copy", "nobody", to="du") == "unknown_person"


def test_every_refusal_used_is_worded_in_both_languages(repo):
    used = set()
    for path in sorted((repo / "src/qianmo/governance").glob("review*.py")):
        text = path.read_text(encoding="utf-8")
        for call in re.findall(r"refused\(([^,)]*)", text):
            used |= set(re.findall(r'"(\w+)"', call))
    listed = {r["code"] for r in shipped_rows("codes", "review_refusals")}
    assert used - listed == set() and all(r["zh"] and r["en"] for r in shipped_rows("codes", "review_refusals"))
    assert listed == used


def test_in_a_vote_seats_are_fixed_and_nobody_votes_twice(desk):
    seats = [{"department": "自然资源", "person": p} for p in ("zi", "ran")] + [{"department": "农业农村", "person": "nong"}, {"department": "生态环境", "person": "sheng"}]
    d = desk().opened(groups=[{"id": "departments", "mode": "vote", "seats": seats}])
    assert refusal(d.do, "add_sign", "zi", seat="R1/departments/1", person="shui", where="before", reason="涉河") == "vote_is_fixed"
    for verb in ("delegate", "transfer"):
        assert refusal(d.do, verb, "zi", seat="R1/departments/1", to="ran", until="2026-04-01", reason="出差") == "seat_taken"
    d.do("delegate", "zi", seat="R1/departments/1", to="zhi", until="2026-04-01", reason="出差")
    assert refusal(d.do, "delegate", "ran", seat="R1/departments/2", to="zhi", until="2026-04-01", reason="出差") == "seat_taken"


def test_a_row_stopped_before_the_mandatory_departments_signed_must_be_returned(desk):
    d = desk(meeting_always=0).opened(mode="sequence")
    d.opine("zi", "1", "reject")
    assert waiting_desks(d.state) == (("return", "联席办", ""),) and due_outcome(d.state) == ""
    assert refusal(d.do, "decide", "xian", outcome="refuse") == "opinions_missing"
    assert refusal(d.do, "convene", "mi", agenda=[{"id": "package", "title": "结论"}], members=["zi"]) == "opinions_missing"
    assert refusal(d.opine, "nong", "2") == "group_closed"
    assert d.do("return", "mi", reason="修改").phase == "RETURNED"


def test_a_package_may_be_returned_before_it_is_accepted(desk):
    d = desk()
    d.do("return", "mi", reason="缺附件")
    assert d.do("resubmit", "shen", package="d" * 64, reason="补齐").phase == "SUBMITTED"


def test_one_person_cannot_stand_twice_on_the_roster_or_in_a_group(desk):
    twice = [*SEATS, {"department": "水利", "person": "zi"}]
    assert refusal(desk().opened, groups=[{"id": "departments", "mode": "all", "seats": twice}]) == "seats_wrong"
    assert refusal(desk().do, "enrol", "mi", id="zi", name="又一个", department="水利", role="officer") == "wrong_data"
    d = desk()
    d.do("enrol", "mi", id="lin", name="林业", department="林草", role="officer")
    d.opened(groups=[{"id": "departments", "mode": "all", "seats": [*SEATS, {"department": "林草", "person": "lin"}]}])
    assert len(d.state.groups[0].seats) == 4
