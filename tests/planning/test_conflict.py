"""The smallest conflict, and what each of its limits would have to give (最少冲突约束)."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import numpy as np
import pytest

from qianmo.planning.conflict import explain_conflict, irreducible, is_feasible, shortfall, smallest_conflict
from qianmo.planning.problem import KEPT, Limit, PlanProblem, limit_value
from qianmo.schema.messages import chinese_message


def random_problem(seed: int, *, n: int = 5, limits: int = 6) -> PlanProblem:
    rng = np.random.default_rng(seed)
    patch = np.repeat(np.arange(n), 2)
    m = len(patch)
    rows = []
    for k in range(limits):
        option = np.sort(rng.choice(m, 5, replace=False))
        coefficient = rng.integers(50, 400, 5) / 100.0
        relation = ("<=", ">=")[k % 2]
        rows.append(Limit(f"x{k}", f"R-{k}", f"约束{k}", option, coefficient, relation, 2.0 if relation == "<=" else 7.0, "m2"))
    text = np.full(m, "", object)
    return PlanProblem(n, patch, text, text, rng.normal(0, 1, m), np.ones(m), {}, {}, (), tuple(rows))


def plans_of(problem: PlanProblem) -> list[np.ndarray]:
    per = [[KEPT, *np.flatnonzero(problem.patch == k).tolist()] for k in range(problem.n)]
    return [np.array(c) for c in itertools.product(*per)]


def holds(x: Limit, choice: np.ndarray, m: int) -> bool:
    value = limit_value(x, choice, m)
    return value <= x.bound if x.relation == "<=" else value >= x.bound


@pytest.mark.parametrize("seed", list(range(12)))
def test_the_conflict_is_the_smallest_there_is_and_its_amounts_are_least(seed: int) -> None:
    problem = random_problem(seed)
    plans = plans_of(problem)
    kept = np.array([[holds(x, c, problem.m) for x in problem.limits] for c in plans])
    if kept.all(axis=1).any():
        assert is_feasible(problem, list(problem.limits))
        return
    sizes = [len(s) for r in range(1, 7) for s in itertools.combinations(range(6), r) if not kept[:, list(s)].all(axis=1).any()]
    core = smallest_conflict(problem)
    assert len(core) == min(sizes) <= len(irreducible(problem))
    assert not kept[:, core].all(axis=1).any()
    text = explain_conflict(problem)
    for k in core:
        x = problem.limits[k]
        rest = [i for i in range(6) if i != k]
        reached = [limit_value(x, c, problem.m) for c, row in zip(plans, kept) if row[rest].all()]
        told = str(text).split(f"[{x.id}]")[1].split("R-")[0]
        if not reached:
            assert "others conflict too" in told
            continue
        least = min(abs(x.bound - v) for v in reached)
        assert float(re.search(r"missing ([\d.,]+) m2", told)[1].replace(",", "")) == pytest.approx(least, abs=0.005)
        assert f"须{'下调' if x.relation == '>=' else '上调'} {least:,.2f} 平方米" in chinese_message(text.found)
        assert shortfall(problem, [problem.limits[i] for i in rest], x) == pytest.approx(min(reached, key=lambda v: abs(v - x.bound)))


def test_the_search_passes_over_a_larger_conflict_that_is_found_first() -> None:
    text = np.full(3, "", object)
    all_, one = np.arange(3), np.ones(3)
    rows = (
        Limit("a", "A", "甲", np.array([0]), np.ones(1), ">=", 2.0, "1"),
        Limit("b", "B", "乙", all_, one, ">=", 2.0, "1"),
        Limit("c", "C", "丙", all_, one, "<=", 1.0, "1"),
    )
    problem = PlanProblem(3, np.arange(3), text, text, np.zeros(3), np.zeros(3), {}, {}, (), rows)
    assert irreducible(problem) == [1, 2] and smallest_conflict(problem) == [0]
    assert "仅放弃此项仍无可行方案" in chinese_message(explain_conflict(problem).found)
    two = replace(problem, limits=rows[1:])
    assert explain_conflict(two).conflict == ("B", "C")


def test_patches_that_must_change_count() -> None:
    text = np.full(1, "", object)
    row = Limit("a", "A", "甲", np.array([0]), np.ones(1), "<=", 0.0, "1")
    problem = PlanProblem(1, np.zeros(1, int), text, text, np.zeros(1), np.zeros(1), {}, {}, (), (row,), may_keep=np.array([False]))
    assert not is_feasible(problem, [row]) and smallest_conflict(problem) == [0]
    assert shortfall(problem, [], row) == 1.0


def test_an_equation_gives_to_the_nearer_side() -> None:
    text = np.full(2, "", object)
    row = Limit("a", "A", "甲", np.arange(2), np.array([3.0, 4.5]), "==", 4.0, "m2")
    problem = PlanProblem(2, np.arange(2), text, text, np.zeros(2), np.zeros(2), {}, {}, (), (row,))
    assert shortfall(problem, [], row) == 4.5
    assert "须移动 0.50 平方米" in chinese_message(explain_conflict(problem).found)


def test_a_large_problem_is_asked_by_the_functions_given() -> None:
    problem = random_problem(0)
    asked: list[int] = []

    def never(p: PlanProblem, limits: list[Limit]) -> bool:
        asked.append(len(limits))
        return len(limits) < 6

    error = explain_conflict(problem, feasible=never, reach=lambda p, others, x: float(len(others)))
    assert len(error.conflict) == 6 and asked and "5.00 m2" in str(error)
