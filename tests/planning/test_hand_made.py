"""A plan changed by hand: the limits are those of going through it by hand, what is not offered is refused, nothing claims a bound."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from qianmo.planning.hand_made import allowed_options, choice_of, edited_choice, limit_table
from qianmo.planning.problem import KEPT
from qianmo.planning.verify import fingerprint, score, verify_hand_made
from qianmo.schema.errors import SchemaError

IDS = np.array([f"P{k}" for k in range(5)], object)


def _parcels(problem, choice) -> pd.DataFrame:
    done = choice >= 0
    measure, target = np.full(problem.n, "keep", object), np.full(problem.n, "0101", object)
    measure[done], target[done] = problem.measure[choice[done]], problem.target_class[choice[done]]
    return pd.DataFrame({"patch_id": IDS[: problem.n], "measure": measure, "target_class": target})


def test_the_limit_table_breaks_exactly_where_going_through_by_hand_does(tiny, every_plan):
    problem, _ = tiny(4, seed=3)
    within = {tuple(p.tolist()) for p in every_plan(problem)}
    nothing = np.full(problem.n, KEPT)
    broke = 0
    for code in range(3**problem.n):
        digits = [(code // 3**k) % 3 for k in range(problem.n)]
        choice = np.array([KEPT if d == 0 else 2 * k + d - 1 for k, d in enumerate(digits)])
        table = limit_table(problem, nothing, choice)
        held = not (table["over_after"] > 0).any()
        broke += not held
        assert held == (tuple(choice.tolist()) in within)
        spent = sum(round(float(problem.limits[0].coefficient[o]) * 100) for o in choice if o >= 0) / 100
        assert table["value_after"][0] == pytest.approx(spent, abs=1e-9)
        assert table["over_after"][0] == pytest.approx(max(0.0, spent - problem.limits[0].bound), abs=1e-9)
    assert 0 < broke < 3**problem.n


def test_a_list_of_parcels_and_its_choice_are_the_same_in_any_order(tiny):
    problem, _ = tiny(5, seed=1)
    choice = np.array([KEPT, 3, 4, KEPT, 9])
    table = _parcels(problem, choice)
    for seed in range(3):
        assert choice_of(problem, IDS, table.sample(frac=1, random_state=seed)).tolist() == choice.tolist()


@pytest.mark.parametrize("spoil", [lambda t: t.iloc[1:], lambda t: t.assign(measure="unknown"), lambda t: t.assign(patch_id=[f"X{k}" for k in range(5)])])
def test_a_plan_of_another_problem_is_refused(tiny, spoil):
    problem, _ = tiny(5, seed=1)
    with pytest.raises(SchemaError):
        choice_of(problem, IDS, spoil(_parcels(problem, np.full(5, KEPT))))


def test_an_edit_changes_its_patches_alone_and_keeping_undoes_it(tiny):
    problem, _ = tiny(5, seed=2)
    start = np.array([0, KEPT, KEPT, 7, KEPT])
    edited = edited_choice(problem, start, [1, 2], "w0", "w0")
    assert edited.tolist() == [0, 2, 4, 7, KEPT] and start.tolist() == [0, KEPT, KEPT, 7, KEPT]
    assert edited_choice(problem, edited, [1, 2], "keep").tolist() == start.tolist()
    assert edited_choice(problem, start, [1, 2], "w0").tolist() == edited.tolist(), "a measure that leads to one class needs no class"


def test_what_a_patch_does_not_offer_is_refused_and_named(tiny):
    problem, _ = tiny(5, seed=2)
    with pytest.raises(SchemaError, match=r"1 of 1 patches do not offer dig"):
        edited_choice(problem, np.full(5, KEPT), [3], "dig")
    offered = allowed_options(problem, [0, 3])
    assert offered["measure"].tolist() == ["keep", "w0", "w1"] and offered["patches"].tolist() == [2, 2, 2]


def _record(problem, choice) -> dict:
    limits = limit_table(problem, choice, choice)
    rows = [{"id": r.id, "relation": r.relation, "value": r.value_after, "bound": r.bound, "constant": 0.0, "slack": r.bound - r.value_after} for r in limits.itertuples()]
    return {"problem_sha256": fingerprint(problem), "objective": score(problem, choice), "limits": rows}


def test_a_record_is_checked_and_may_not_claim_a_bound(tiny):
    problem, _ = tiny(5, seed=4)
    choice = np.array([0, KEPT, 4, KEPT, KEPT])
    record = _record(problem, choice)
    assert all(c["ok"] for c in verify_hand_made(problem, choice, record))
    for claim in ({"bound": 3.0}, {"gap_rel": 0.0}, {"proof": {"folder": "proof"}}):
        assert [c["id"] for c in verify_hand_made(problem, choice, {**record, **claim}) if not c["ok"]] == ["no_bound"]
    for spoiled, fault in (({"objective": record["objective"] + 0.01}, "objective"), ({"problem_sha256": "0"}, "problem")):
        assert fault in [c["id"] for c in verify_hand_made(problem, choice, {**record, **spoiled}) if not c["ok"]]
