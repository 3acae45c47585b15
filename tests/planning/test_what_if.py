"""What if: changed limits and locked patches, and what two plans do differently (情景与差异)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from qianmo.planning.certificate import certificate
from qianmo.planning.diff import changed_parcels, patch_scores, summary_of_changes
from qianmo.planning.front_aims import scalarised
from qianmo.planning.problem import KEPT, PlanProblem, limit_values, objective
from qianmo.planning.proof import stored_prices
from qianmo.planning.solve import Solution, solve
from qianmo.planning.what_if import Change, changed_problem, what_if
from qianmo.schema.errors import InfeasibleError, SchemaError


@pytest.fixture
def asked(tiny) -> tuple[PlanProblem, Solution]:  # type: ignore[no-untyped-def]
    problem, aims = tiny(6, 4)
    made = scalarised(problem, aims, np.array([1.0, 0.2, 0.6]))
    return made, solve(made, gap=0.0)


def best_of(problem: PlanProblem, plans: list[np.ndarray]) -> float:
    return max(objective(problem, c) for c in plans)


def test_a_changed_budget_gives_the_best_plan_of_the_new_problem(asked, every_plan) -> None:  # type:  # type: ignore[no-untyped-def]
    problem, first = asked
    done = what_if(problem, first, Change(bounds={"budget": 8.0}), gap=0.0)
    assert done.solution.objective == pytest.approx(best_of(done.problem, every_plan(done.problem)))
    row = done.limits[0]
    assert (row["id"], row["bound_after"], row["bound_before"]) == ("budget", 8.0, problem.limits[0].bound)
    assert row["value_before"] == pytest.approx(limit_values(problem, first.choice)[0]) and row["value_after"] <= 8.0
    assert sorted(done.changed) == sorted(np.flatnonzero(done.choice != first.choice))
    assert "差距" in done.lines()[0] and "8.00" in done.lines()[1]


def test_relaxing_a_limit_never_hurts(asked) -> None:  # type: ignore[no-untyped-def]
    problem, first = asked
    scores = [what_if(problem, first, Change(bounds={"budget": b}), gap=0.0).solution.objective for b in (2.0, 6.0, 12.0, 50.0)]
    assert scores == sorted(scores) and scores[0] < scores[-1]


def test_locked_patches_keep_their_lock_and_the_rest_is_best(asked, every_plan) -> None:  # type:  # type: ignore[no-untyped-def]
    problem, first = asked
    changed = next(k for k in range(problem.n) if first.choice[k] >= 0)
    other = next(k for k in range(problem.n) if k != changed)
    option = int(np.flatnonzero(problem.patch == other)[0])
    done = what_if(problem, first, Change(keep=(changed,), take={other: option}), gap=0.0)
    assert done.choice[changed] == KEPT and done.choice[other] == option
    fits = [c for c in every_plan(problem) if c[changed] == KEPT and c[other] == option]
    assert done.solution.objective == pytest.approx(best_of(problem, fits))
    assert objective(problem, done.choice) == pytest.approx(done.solution.objective)
    record = certificate(done.problem, done.solution, stored_prices(done.problem, done.solution.prices, done.solution.branches))
    assert all(c["ok"] for c in record["checks"])
    assert done.problem.refusals is not None and set(done.problem.refusals.reason) == {"lock"}
    assert len(done.problem.refusals.patch) == problem.m - done.problem.m == 3


def test_changes_that_do_not_fit_are_refused(asked) -> None:  # type: ignore[no-untyped-def]
    problem, first = asked
    wrong = [Change(bounds={"gold": 1.0}), Change(keep=(99,)), Change(keep=(0,), take={0: 0}), Change(take={0: problem.m - 1})]
    for change in wrong:
        with pytest.raises(SchemaError):
            changed_problem(problem, change)
    with pytest.raises(InfeasibleError):
        what_if(problem, first, Change(bounds={"budget": -1.0}))


def test_the_scores_of_patches_add_up(asked, every_plan) -> None:  # type:  # type: ignore[no-untyped-def]
    problem, first = asked
    for choice in (first.choice, np.full(problem.n, KEPT), every_plan(problem)[-1]):
        assert patch_scores(problem, choice).sum() == pytest.approx(objective(problem, choice))


def plan_table(measure: list[str], target: list[str], cost: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "patch_id": ["A", "B", "C", "D"], "village_code": ["1", "1", "2", "2"], "class_code": "0201", "area_m2": [10.0, 20.0, 30.0, 40.0],
            "measure": measure, "target_class": target, "cost_yuan": cost,
        }
    )  # fmt: skip


def test_a_difference_by_hand() -> None:
    one = plan_table(["keep", "restore_farmland", "keep", "keep"], ["0201", "0103", "0201", "0201"], [0.0, 200.0, 0.0, 0.0])
    two = plan_table(["restore_farmland", "keep", "keep", "restore_farmland"], ["0103", "0201", "0201", "0103"], [100.0, 0.0, 0.0, 400.0])
    changed = changed_parcels(one.iloc[::-1], two, score_before=np.array([0.0, 0.0, 2.0, 0.0]), score_after=np.array([1.0, 0.0, 0.0, 4.0]))
    assert changed["patch_id"].tolist() == ["A", "B", "D"]
    assert changed["cost_change_yuan"].tolist() == [100.0, -200.0, 400.0]
    assert changed["score_change"].tolist() == [1.0, -2.0, 4.0]
    by_measure = summary_of_changes(changed).set_index("measure")
    row = by_measure.loc["restore_farmland"]
    assert (row["patches_before"], row["patches_after"], row["area_before_m2"], row["area_after_m2"]) == (1, 2, 20.0, 50.0)
    assert row["cost_change_yuan"] == 300.0 and by_measure.loc["keep", "patches_after"] == 1
    by_village = summary_of_changes(changed, by="village_code").set_index("village_code")
    assert by_village["area_m2"].to_dict() == {"1": 30.0, "2": 40.0} and by_village["cost_change_yuan"].to_dict() == {"1": -100.0, "2": 400.0}
    same = changed_parcels(two, two)
    assert same.empty and summary_of_changes(same).empty and summary_of_changes(same, by="village_code").empty
    with pytest.raises(SchemaError, match="different patches"):
        changed_parcels(one.iloc[:3], two)
