"""The allocation becomes a planning problem with exact rows, and bad input is refused by row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from qianmo.planning.allocation import (
    Allocation,
    Borders,
    Budget,
    Dominance,
    NoNetLoss,
    RegionSystem,
    Service,
    Window,
    allocation_problem,
    choice_of,
    uses_after,
)
from qianmo.planning.allocation_parts import everywhere
from qianmo.planning.make_county import CountyRecipe, make_county, reference_plan
from qianmo.planning.make_selection import make_selection
from qianmo.planning.problem import KEPT, PlanProblem, limit_value, limit_values, objective
from qianmo.schema.errors import SchemaError

USES = ("0103", "0301", "0702")


def line(**changes: object) -> Allocation:
    """Four parcels in a row, two villages of two, three uses."""
    bare = Allocation(
        uses=USES, area_dm2=np.array([100, 250, 301, 99]), current=np.array([0, 1, 2, 0]),
        cost=np.array([[1.0, 3.0, 2.0], [4.0, 1.0, 0.5], [0.0, 0.0, 0.0], [2.0, 1.0, 5.0]]),
        borders=Borders(np.array([0, 1, 2]), np.array([1, 2, 3]), np.array([10.0, 20.0, 30.0])), points_per_m=0.1,
        regions=(everywhere(4), RegionSystem("village", "村", ("A", "B"), np.array([0, 0, 1, 1]))),
    )  # fmt: skip
    return replace(bare, **changes)  # type: ignore[arg-type]


def limit(problem: PlanProblem, name: str, uses: list[int], question: Allocation) -> float:
    row = next(x for x in problem.limits if x.id == name)
    return limit_value(row, choice_of(question, problem, np.array(uses)), problem.m)


def test_every_allowed_change_is_an_option_worth_the_cost_it_saves() -> None:
    problem = allocation_problem(line(points_per_cost=2.0))
    assert problem.patch.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert problem.target_class.tolist() == ["0301", "0702", "0103", "0702", "0103", "0301", "0301", "0702"]
    assert problem.value.tolist() == [-4.0, -2.0, -6.0, 1.0, 0.0, 0.0, 2.0, -6.0]
    assert problem.refusals is None and problem.keeps.all()


def test_the_score_is_the_cost_saved_and_the_borders_joined() -> None:
    question = line()
    problem = allocation_problem(question)
    choice = choice_of(question, problem, np.array([0, 2, 2, 0]))
    assert objective(problem, choice) == pytest.approx(0.5 + 20.0 * 0.1)
    assert uses_after(question, problem, choice).tolist() == [0, 2, 2, 0]
    assert all(p.i is problem.pairs[0].i and p.weight is problem.pairs[0].weight for p in problem.pairs)


def test_windows_count_the_area_after_the_plan_in_each_region() -> None:
    windows = (Window("village", "A", "0103", 0, 350), Window("village", "B", "0103", 99, 99), Window("county", "全域", "0301", 5, None))
    question = line(windows=windows)
    problem = allocation_problem(question)
    assert [x.id for x in problem.limits] == ["county/全域/0301/least", "village/A/0103/least", "village/A/0103/most", "village/B/0103/exact"]
    assert [x.relation for x in problem.limits] == [">=", ">=", "<=", "=="]
    least, most = problem.limits[1:3]
    assert least.option is most.option and least.coefficient is most.coefficient
    assert limit(problem, "village/A/0103/most", [0, 0, 2, 0], question) == 3.5
    assert limit(problem, "village/A/0103/most", [1, 1, 2, 0], question) == 0.0
    assert limit(problem, "village/B/0103/exact", [0, 1, 2, 0], question) == 0.99
    assert limit(problem, "county/全域/0301/least", [1, 1, 1, 0], question) == 6.51


def test_budget_service_dominance_and_balance_are_counted_by_hand() -> None:
    works = np.array([[0, 500, 900], [300, 0, 700], [100, 100, 0], [7, 800, 900]])
    amount = np.array([[1.0, 5.0, 0.0]] * 4)
    question = line(
        budgets=(Budget("money", works, 1500),),
        services=(Service("carbon", "碳", amount, 3.5),),
        dominances=(Dominance("grade", "county", ("0103",), np.array([1, 2, 3, 4]), (1, 3, 9)),),
        no_net_losses=(NoNetLoss("balance", "county", ("0103",), ("0702",)),),
    )  # fmt: skip
    problem = allocation_problem(question)
    plan = [2, 0, 2, 0]
    assert limit(problem, "money", plan, question) == 12.0
    assert limit(problem, "money", [0, 1, 2, 1], question) == 7.93
    assert limit(problem, "carbon", plan, question) == 2.0
    assert [limit(problem, f"grade/全域/{g}", plan, question) for g in (1, 3, 9)] == [0.0, 2.5, 3.49]
    assert [x.bound for x in problem.limits if x.id.startswith("grade")] == [1.0, 1.0, 1.99]
    assert limit(problem, "balance/全域", plan, question) == pytest.approx(1.5)
    assert limit(problem, "balance/全域", [1, 1, 2, 0], question) == 0.0
    assert problem.cost.tolist() == next(x for x in problem.limits if x.id == "money").coefficient.tolist()


def test_what_is_locked_or_forbidden_stands_in_the_refusals_with_reason_and_rule() -> None:
    forbidden = np.zeros((4, 3), np.uint8)
    forbidden[1, [1, 2]] = [1, 2]
    question = line(lock=np.array([0, -1, 1, -1]), forbidden=forbidden, reasons=(("slope", "G-09"), ("redline", "Y-01")))
    problem = allocation_problem(question)
    assert problem.patch.tolist() == [1, 2, 3, 3] and problem.target_class.tolist() == ["0103", "0301", "0301", "0702"]
    assert problem.keeps.tolist() == [True, False, False, True]
    assert problem.refusals is not None
    rows = list(zip(problem.refusals.patch.tolist(), problem.refusals.label, problem.refusals.reason, problem.refusals.rule_id))
    assert rows == [
        (0, "0301", "lock", ""), (0, "0702", "lock", ""), (1, "0301", "slope", "G-09"), (1, "0702", "redline", "Y-01"),
        (2, "0103", "lock", ""), (2, "0702", "lock", ""),
    ]  # fmt: skip
    with pytest.raises(SchemaError, match=r"parcels \[0\]"):
        choice_of(question, problem, np.array([1, 0, 1, 0]))


NAN, TWO = float("nan"), np.zeros((4, 3), np.uint8) + 1
FAULTS: list[tuple[str, dict[str, object] | Callable[[], dict[str, object]]]] = [
    (r"negative area in 1 parcels: rows \[2\]", {"area_dm2": np.array([1, 1, -1, 1])}),
    (r"not whole square decimetres", {"area_dm2": np.array([1.5, 1, 1, 1])}),
    (r"unknown use in 1 parcels: rows \[3\]", {"current": np.array([0, 1, 2, 3])}),
    (r"cost that is not a number in 1 parcels: rows \[1\]", {"cost": np.array([[1.0] * 3, [NAN, 1, 1], [1.0] * 3, [1.0] * 3])}),
    (r"cost has shape \(4, 2\)", {"cost": np.ones((4, 2))}),
    (r"missing neighbour in 1 borders: rows \[1\]", {"borders": Borders(np.array([0, 1]), np.array([1, 4]), np.ones(2))}),
    (r"borders itself in 1 borders: rows \[0\]", {"borders": Borders(np.array([1]), np.array([1]), np.ones(1))}),
    (r"length below 0 or missing in 1 borders", {"borders": Borders(np.array([0]), np.array([1]), np.array([NAN]))}),
    (r"lock to an unknown use in 1 parcels: rows \[0\]", {"lock": np.array([3, -1, -1, -1])}),
    (r"without a reason in 4 parcels", {"forbidden": TWO}),
    (r"leave no use in 4 parcels", {"forbidden": TWO, "reasons": (("slope", "G-09"),)}),
    (r"leave no use in 1 parcels: rows \[0\]", {"lock": np.array([1, -1, -1, -1]), "forbidden": np.eye(4, 3, 1, np.uint8), "reasons": (("a", ""),)}),
    (r"unknown region of village in 1 parcels: rows \[0\]", {"regions": (RegionSystem("village", "", ("A",), np.array([1, 0, 0, 0])),)}),
    (r"window 0 names the unknown region village/C", {"windows": (Window("village", "C", "0103", 0, 1),)}),
    (r"window 0 names the unknown use '9999'", {"windows": (Window("village", "A", "9999", 0, 1),)}),
    (r"window 0 \(A, 0103\) runs from 5 to 4 dm2", {"windows": (Window("village", "A", "0103", 5, 4),)}),
    (r"window 0 has neither", {"windows": (Window("village", "A", "0103", None, None),)}),
    (r"two windows are for the same use", {"windows": (Window("village", "A", "0103", 1, 2),) * 2}),
    (r"windows \[0, 1\] want 380 dm2 in A, which has 350", {"windows": (Window("village", "A", "0103", 200, None), Window("village", "A", "0301", 180, None))}),
    (r"leave room for 30 dm2 in A, which has 350", {"windows": tuple(Window("village", "A", u, None, 10) for u in USES)}),
    (r"window 0 wants 350 dm2 of 0103 in A, but at most 100 may", {"windows": (Window("village", "A", "0103", 350, None),), "lock": np.array([-1, 1, -1, -1])}),
    (r"window 0 allows 10 dm2 of 0301 in A, but 250 can be nothing else", {"windows": (Window("village", "A", "0301", None, 10),), "lock": np.array([-1, 1, -1, -1])}),
    (r"region A of village is in 2 pieces, with parcels \[0, 3\]", {"contiguous": ("village",), "regions": (RegionSystem("village", "", ("A", "B"), np.array([0, 1, 1, 0])),)}),
    (r"contiguity names the unknown region system 'town'", {"contiguous": ("town",)}),
    (r"works of budget x are float64", {"budgets": (Budget("x", np.ones((4, 3)), 1),)}),
    (r"service x that is not a number in 1 parcels: rows \[2\]", {"services": (Service("x", "", np.array([[0.0] * 3, [0.0] * 3, [NAN] * 3, [0.0] * 3]), 0),)}),
    (r"dominance x names the unknown use '7'", {"dominances": (Dominance("x", "village", ("7",), np.ones(4, int), (1,)),)}),
]  # fmt: skip


@pytest.mark.parametrize(("words", "changes"), FAULTS, ids=[f[0] for f in FAULTS])
def test_bad_input_is_refused_and_the_rows_are_named(words: str, changes: dict[str, object]) -> None:
    with pytest.raises(SchemaError, match=words):
        allocation_problem(line(**changes))


def test_connected_regions_are_accepted_where_contiguity_is_asked() -> None:
    assert allocation_problem(line(contiguous=("county", "village"))).m == 8


@pytest.mark.parametrize("n", [60, 999, 4000])
def test_the_invented_county_has_a_plan_that_obeys_every_row(n: int) -> None:
    recipe = CountyRecipe()
    question = make_county(n, rng=np.random.default_rng(n), recipe=recipe)
    problem = allocation_problem(question)
    smooth = make_county(n, rng=np.random.default_rng(n), recipe=replace(recipe, noise=0.0))
    plan = reference_plan(smooth, question.budgets[0].works_fen, recipe.budget)
    choice = choice_of(question, problem, plan)
    for x, value in zip(problem.limits, limit_values(problem, choice)):
        slack = {"<=": x.bound - value, ">=": value - x.bound, "==": -abs(value - x.bound)}[x.relation]
        assert slack >= -1e-9 * max(1.0, abs(x.bound)), x.id
    assert (choice != KEPT).any()
    assert len(question.borders.i) == pytest.approx(3 * n, rel=0.2)  # type: ignore[union-attr]


def test_a_county_of_fair_size_has_two_hundred_windows_locks_and_reasons() -> None:
    question = make_county(5000, rng=np.random.default_rng(2))
    assert len(question.windows) >= 200 and {w.system for w in question.windows} == {"county", "township"}
    assert question.lock is not None and 0.08 < (question.lock >= 0).mean() < 0.12
    assert {x.unit for x in allocation_problem(question).limits} == {"m2", "yuan", "1"}
    problem = allocation_problem(question)
    assert problem.refusals is not None and set(problem.refusals.reason) == {"lock", "redline", "slope", "basic_farmland"}


def test_the_same_seed_makes_the_same_county() -> None:
    one, two = (make_county(500, rng=np.random.default_rng(5)) for _ in range(2))
    assert (one.cost == two.cost).all() and one.windows == two.windows


def test_a_selection_charges_the_boundary_of_what_is_chosen() -> None:
    problem = make_selection(5, 6, features=3, rng=np.random.default_rng(0), penalty=0.5)
    rng = np.random.default_rng(1)
    for _ in range(20):
        chosen = rng.random((5, 6)) < 0.5
        framed = np.pad(chosen, 1).astype(int)
        boundary = np.abs(np.diff(framed, axis=0)).sum() + np.abs(np.diff(framed, axis=1)).sum()
        choice = np.where(chosen.ravel(), np.arange(30), KEPT)
        assert objective(problem, choice) == pytest.approx(-problem.cost[chosen.ravel()].sum() - 0.5 * boundary)
