"""Steps of the project library: who may, what is missing, what is written down."""

from datetime import UTC, datetime, timedelta

import pytest

from qianmo.governance.stages.history import check_history, current_state, moved, state_before
from qianmo.governance.stages.move import open_steps, refusals, step_between, steps_for
from qianmo.schema.errors import NotAllowedError, RuleError
from qianmo.schema.workflows import workflow

LIBRARY = workflow("project_library")
TIME = datetime(2026, 1, 5, 9, tzinfo=UTC)
PAPERS = ("problem_statement", "wish_survey", "first_outline")


def proposed():
    return moved(LIBRARY, (), "CANDIDATE", item="P-1", actor="李四", role="village", time=TIME, documents=PAPERS, filled=("name", "villages"))


def test_a_village_proposes_and_the_town_takes_it_into_reserve():
    first = proposed()
    papers, fields = ("class_code_sheet", "priority_sheet"), ("project_class", "urgency", "fund_readiness")
    second = moved(LIBRARY, first, "RESERVED", item="P-1", actor="王五", role="town", time=TIME + timedelta(days=3), documents=papers, filled=fields)
    assert current_state(second) == "RESERVED" and second[:1] == first and second[1].actor == "王五"
    assert check_history(LIBRARY, second) == ()


def test_every_reason_of_a_refusal_is_told_in_both_languages():
    step = step_between(LIBRARY, "CANDIDATE", "RESERVED")
    told = refusals(step, roles=("village",), documents=("class_code_sheet",), filled=("project_class", "urgency"))
    assert [r.kind for r in told] == ["actor", "document", "field"]
    assert told[0].zh == "“镇级筛查分类排序”由镇办理, 您的角色是村" and "Sheet of priority scores" in told[1].en and "资金到位率" in told[2].zh
    with pytest.raises(NotAllowedError, match="优先级得分"):
        moved(LIBRARY, proposed(), "RESERVED", item="P-1", actor="甲", role="village", time=TIME)


def test_a_state_can_not_be_jumped_over_and_the_open_steps_are_named():
    with pytest.raises(NotAllowedError) as refused:
        step_between(LIBRARY, "CANDIDATE", "APPROVED")
    assert "候选" in refused.value.found and "储备" in refused.value.expected
    with pytest.raises(RuleError):
        step_between(LIBRARY, "CANDIDATE", "SOMEWHERE")


def test_sending_back_needs_a_reason_in_words():
    step = step_between(LIBRARY, "SCHEDULED", "APPROVED")
    assert [r.kind for r in refusals(step, roles=("county",), reason="  ")] == ["reason"]
    assert refusals(step, roles=("county",), reason="年度资金不足") == ()


def test_a_suspended_project_is_resumed_to_the_state_it_left():
    held = moved(LIBRARY, proposed(), "RESERVED", item="P-1", actor="a", role="town", time=TIME, documents=("class_code_sheet", "priority_sheet"),
                 filled=("project_class", "urgency", "fund_readiness"))  # fmt: skip
    stopped = moved(LIBRARY, held, "SUSPENDED", item="P-1", actor="b", role="county", time=TIME, reason="等待规划批复")
    assert state_before(stopped) == "RESERVED"
    with pytest.raises(NotAllowedError):
        moved(LIBRARY, stopped, "APPROVED", item="P-1", actor="b", role="county", time=TIME, reason="x")
    assert {s.state_to for s in open_steps(LIBRARY, "SUSPENDED", before="RESERVED")} == {"RESERVED", "WITHDRAWN"}
    assert current_state(moved(LIBRARY, stopped, "RESERVED", item="P-1", actor="b", role="county", time=TIME, reason="已批复")) == "RESERVED"


def test_time_runs_forward_and_has_a_zone():
    with pytest.raises(NotAllowedError, match="时区"):
        moved(LIBRARY, (), "CANDIDATE", item="P", actor="a", role="town", time=datetime(2026, 1, 1), documents=PAPERS, filled=("name", "villages"))
    with pytest.raises(NotAllowedError, match="早于"):
        moved(LIBRARY, proposed(), "WITHDRAWN", item="P-1", actor="a", role="town", time=TIME - timedelta(days=1), reason="x")


def test_a_history_that_was_tampered_with_is_told():
    first = proposed()
    forged = (*first, first[0].__class__("project_library", "P-1", 2, "CANDIDATE", "APPROVED", "x", "village", TIME))
    assert "不能从“候选”到“已批准”" in check_history(LIBRARY, forged)[0]
    other = (first[0].__class__("project_library", "P-1", 1, "", "CANDIDATE", "x", "county", TIME, documents=PAPERS),)
    assert "由村、镇办理" in check_history(LIBRARY, other)[0]


def test_a_role_sees_only_its_own_steps():
    assert {s.state_to for s in steps_for(LIBRARY, "RESERVED", ("county",))} == {"APPROVED_RESERVE", "CANDIDATE", "SUSPENDED", "REJECTED"}
    assert steps_for(LIBRARY, "CLOSED", ("county", "town")) == ()
