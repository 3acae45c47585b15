"""Whatever is clicked: only steps of the table, by those who may; every state can be reached and can end."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.governance.stages.history import check_history, current_state, moved, state_before
from qianmo.governance.stages.move import open_steps
from qianmo.schema.errors import NotAllowedError
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.tables import table_spec
from qianmo.schema.workflows import STEP_KINDS, workflow, workflow_names, workflow_words


def reached(pairs, begin):
    found, todo = set(begin), list(begin)
    while todo:
        here = todo.pop()
        for a, b in pairs:
            if a == here and b not in found:
                found.add(b)
                todo.append(b)
    return found


@pytest.mark.parametrize("name", workflow_names())
def test_every_state_is_reached_and_every_state_can_end(name):
    flow = workflow(name)
    pairs = [(s.state_from, s.state_to) for s in flow.steps]
    assert reached(pairs, [""]) - {""} == set(flow.states)
    ends = [s.id for s in flow.states.values() if s.is_final]
    assert ends and reached([(b, a) for a, b in pairs], ends) >= set(flow.states)
    assert not [s for s in flow.steps if s.state_from in ends and s.state_to != s.state_from]


@pytest.mark.parametrize("name", workflow_names())
def test_every_word_of_a_step_is_listed(name):
    flow = workflow(name)
    pairs = [(s.state_from, s.state_to) for s in flow.steps]
    assert len(pairs) == len(set(pairs))
    for s in flow.steps:
        assert s.actors and set(s.actors) <= set(workflow_words("actor")) and set(s.documents) <= set(workflow_words("document"))
        assert s.kind in STEP_KINDS and s.source and s.confidence in ("high", "medium", "low")
        assert name != "project_library" or set(s.fields) <= set(table_spec("library_project").column_names)
        assert s.kind == "forward" or s.needs_reason


def test_every_step_of_the_domain_table_is_there(shared_domain):
    import csv

    with (shared_domain / "workflows.csv").open(encoding="utf-8-sig") as f:
        told = [r for r in csv.DictReader(f) if r["workflow"] != "joint_review"]
    mine = {(r["workflow"], r["state_from"], r["state_to"], r["action_zh"]) for r in shipped_rows("codes", "workflow_steps")}
    for r in told:
        for to in r["state_to"].split(" / "):
            assert (r["workflow"], r["state_from"], to, r["action_zh"]) in mine, r


ROLES = sorted(workflow_words("actor"))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_way_through_the_library_leaves_the_table(data):
    flow = workflow("project_library")
    table = {(s.state_from, s.state_to): s for s in flow.steps}
    history, time = (), datetime(2026, 1, 1, tzinfo=UTC)
    for _ in range(12):
        here, time = current_state(history), time + timedelta(hours=1)
        way = [s.state_to for s in open_steps(flow, here, before=state_before(history))]
        to = data.draw(st.sampled_from(sorted(flow.states)) if not way or data.draw(st.booleans()) else st.sampled_from(way))
        step = table.get((here, to))
        role = data.draw(st.sampled_from(ROLES) if step is None or data.draw(st.integers(0, 3)) == 0 else st.sampled_from(step.actors))
        papers = step.documents if step else ()
        before = history
        try:
            history = moved(flow, history, to, item="P", actor="x", role=role, time=time, reason="r", documents=papers, filled=step.fields if step else ())
        except NotAllowedError:
            assert history is before
            resumed = step is not None and step.kind == "resume" and to != state_before(history)
            assert step is None or resumed or role not in step.actors
            continue
        assert step is not None and role in step.actors and history[:-1] == before
    assert check_history(flow, history) == ()
