"""Whole-area allocation against enumeration, HiGHS, SCIP, planted optima and closed forms (配置求解对照)."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from qianmo.planning.allocation import Allocation, Borders, allocation_problem, choice_of, uses_after
from qianmo.planning.components import audit_components
from qianmo.planning.make_county import CountyRecipe, make_county
from qianmo.planning.planted_county import planted_county
from qianmo.planning.prices import dual_bound
from qianmo.planning.problem import limit_values, objective
from qianmo.planning.solve import solve

SMALL = CountyRecipe(uses=3, townships=2, villages=3, tightness=0.5, grades=(5, 10), locked=0.05, noise=1.5, budget=1.0)


@pytest.fixture
def linear(repo: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(repo / "benchmarks"))
    return importlib.import_module("linear_allocation")


def every_plan(n: int, uses: int) -> np.ndarray:
    """All uses of all parcels, (uses**n, n) int8."""
    return np.stack(np.unravel_index(np.arange(uses**n), (uses,) * n), axis=1).astype(np.int8)


def obeyed(q: Allocation, plans: np.ndarray) -> np.ndarray:
    """Which plans obey every lock, rule and row, in whole numbers and from the question alone."""
    good = np.ones(len(plans), bool)
    for k in range(q.n):
        bad = [u for u in range(len(q.uses)) if q.forbidden is not None and q.forbidden[k, u]]
        good &= ~np.isin(plans[:, k], bad)
        good &= True if q.lock is None or q.lock[k] < 0 else plans[:, k] == q.lock[k]
    systems = {s.id: s for s in q.regions}
    for w in q.windows:
        inside = systems[w.system].code == systems[w.system].names.index(w.region)
        held = ((plans == q.uses.index(w.use)) & inside) @ q.area_dm2
        good &= (held >= (w.least_dm2 or 0)) & (held <= (10**15 if w.most_dm2 is None else w.most_dm2))
    for b in q.budgets:
        good &= sum(b.works_fen[k, plans[:, k]].astype(np.int64) for k in range(q.n)) <= b.most_fen
    for d in q.dominances:
        kinds = [q.uses.index(u) for u in d.uses]
        for r in range(len(systems[d.system].names)):
            for g in d.grades:
                fine = (systems[d.system].code == r) & (d.grade <= g)
                good &= (np.isin(plans, kinds) & fine) @ q.area_dm2 >= q.area_dm2[fine & np.isin(q.current, kinds)].sum()
    for b in q.no_net_losses:
        kept, takers = [q.uses.index(u) for u in b.uses], [q.uses.index(u) for u in b.takers]
        held = np.isin(q.current, kept)
        for r in range(len(systems[b.system].names)):
            inside = systems[b.system].code == r
            gain = (np.isin(plans, kept) & (inside & ~held)) @ q.area_dm2
            good &= gain >= (np.isin(plans, takers) & (inside & held)) @ q.area_dm2
    for s in q.services:
        good &= sum(s.amount[k, plans[:, k]] for k in range(q.n)) >= s.floor - 1e-9
    return good


def scores(q: Allocation, plans: np.ndarray) -> np.ndarray:
    """Score of many plans written out from the definition."""
    total = np.zeros(len(plans))
    for k in range(q.n):
        total += q.cost[k, q.current[k]].astype(float) - q.cost[k].astype(float)[plans[:, k]]
    if q.borders is not None:
        for i, j, metres in zip(q.borders.i, q.borders.j, q.borders.length_m):
            total += q.points_per_m * metres * ((plans[:, i] == plans[:, j]).astype(float) - (q.current[i] == q.current[j]))
    return total


@pytest.mark.parametrize(("n", "seed"), [(6, 1), (8, 4), (8, 5), (9, 6), (9, 8), (10, 5), (10, 11), (12, 3)])
def test_the_best_allocation_is_the_one_that_enumeration_finds(n: int, seed: int) -> None:
    question = make_county(n, rng=np.random.default_rng(seed), recipe=SMALL)
    assert question.windows and question.borders is not None and len(question.borders.i) > n
    plans = every_plan(n, 3)
    good = obeyed(question, plans)
    assert 0 < good.sum() < len(plans) / 2
    truth = scores(question, plans[good]).max()
    assert abs(truth) > 0.1
    problem = allocation_problem(question)
    found = solve(problem, gap=0.0)
    uses = uses_after(question, problem, found.choice)
    assert obeyed(question, uses[None, :]).all()
    assert scores(question, uses[None, :])[0] == pytest.approx(truth, abs=1e-7)
    assert found.objective == pytest.approx(truth, abs=1e-7)
    assert found.bound >= truth - 1e-7


@pytest.mark.parametrize("seed", range(3))
def test_every_plan_scores_and_obeys_alike_in_question_and_problem(seed: int) -> None:
    question = make_county(6, rng=np.random.default_rng(seed), recipe=replace(SMALL, locked=0.0))
    question = replace(question, forbidden=None, windows=tuple(replace(w, least_dm2=(w.least_dm2 or 0) // 2) for w in question.windows))
    problem, plans = allocation_problem(question), every_plan(6, 3)
    good, score = obeyed(question, plans), scores(question, plans)
    for plan, is_good, worth in zip(plans[::7], good[::7], score[::7]):
        choice = choice_of(question, problem, plan)
        assert objective(problem, choice) == pytest.approx(worth, abs=1e-9)
        held = [
            v <= x.bound + 1e-9 if x.relation == "<=" else v >= x.bound - 1e-9 if x.relation == ">=" else abs(v - x.bound) < 1e-9
            for x, v in zip(problem.limits, limit_values(problem, choice))
        ]
        assert all(held) == is_good


@pytest.mark.parametrize(("n", "peer"), [(60, "by_highs"), (60, "by_scip"), (150, "by_highs"), (150, "by_scip"), (400, "by_highs")])
def test_integer_solvers_find_the_same_best_score(linear: ModuleType, n: int, peer: str) -> None:
    recipe = CountyRecipe(uses=3, townships=2, villages=4, tightness=1.0, grades=(5, 10), compactness=0.1, budget=1.0, noise=1.2)
    question = make_county(n, rng=np.random.default_rng(n), recipe=recipe)
    program = linear.program_of(question)
    theirs = getattr(linear, peer)(program, 3, time_limit_s=20.0, gap=1e-6)
    assert theirs.score > 1.0
    problem = allocation_problem(question)
    ours = solve(problem, gap=1e-5, time_limit_s=20.0)
    uses = uses_after(question, problem, ours.choice)
    assert linear.score_of(question, uses) == pytest.approx(ours.objective, rel=1e-9)
    assert linear.score_of(question, theirs.uses) == pytest.approx(theirs.score, rel=1e-6)
    assert theirs.score * (1 - 1e-4) <= ours.objective <= theirs.bound * (1 + 1e-6)
    assert ours.bound >= theirs.score * (1 - 1e-6)


def test_the_relaxation_by_pdlp_bounds_what_we_find_and_our_bound_is_as_good(linear: ModuleType) -> None:
    question = make_county(150, rng=np.random.default_rng(4), recipe=replace(SMALL, tightness=1.0))
    theirs = linear.by_pdlp(linear.program_of(question), time_limit_s=20.0, tolerance=1e-6)
    ours = solve(allocation_problem(question), gap=1e-5)
    assert ours.objective <= theirs.bound * (1 + 1e-4)
    assert ours.bound <= theirs.bound * (1 + 1e-2)


@pytest.mark.parametrize("n", [30, 500, 10_000])
def test_planted_prices_prove_exactly_what_the_planted_plan_scores(n: int) -> None:
    planted = planted_county(n, rng=np.random.default_rng(n))
    assert objective(planted.problem, planted.choice) == pytest.approx(planted.score, rel=1e-11)
    assert dual_bound(planted.problem, planted.prices) == pytest.approx(planted.score, rel=1e-11)
    values = limit_values(planted.problem, planted.choice)
    room = [v - x.bound if x.relation == ">=" else x.bound - v for v, x in zip(values, planted.problem.limits)]
    assert min(room) >= -1e-9 * max(abs(x.bound) for x in planted.problem.limits)
    assert sum(abs(r) < 1e-6 for r in room) >= len(room) / 4


def test_a_planted_optimum_of_ten_thousand_parcels_is_found_and_proven() -> None:
    planted = planted_county(10_000, rng=np.random.default_rng(7), townships=6)
    found = solve(planted.problem, gap=1e-3, time_limit_s=20.0)
    assert found.objective <= planted.score * (1 + 1e-9) <= found.bound * (1 + 2e-9)
    assert found.objective >= planted.score * (1 - 1e-3)
    assert found.bound <= planted.score * (1 + 1e-3)


@pytest.mark.parametrize("n", [200, 3000])
def test_without_borders_and_rows_every_parcel_takes_its_cheapest_use(n: int) -> None:
    county = make_county(n, rng=np.random.default_rng(n))
    question = Allocation(county.uses, county.area_dm2, county.current, county.cost, lock=county.lock)
    problem = allocation_problem(question)
    found = solve(problem, gap=0.0)
    cheapest = np.where(county.lock >= 0, county.lock, county.cost.argmin(axis=1))
    assert (uses_after(question, problem, found.choice) == cheapest).all()
    assert found.bound == pytest.approx(found.objective, rel=1e-9)


def test_with_windows_but_no_borders_the_assignment_program_bounds_it(linear: ModuleType) -> None:
    county = make_county(400, rng=np.random.default_rng(9), recipe=CountyRecipe(uses=4, townships=3, villages=6, tightness=0.5))
    question = replace(county, points_per_m=0.0)
    program = linear.program_of(question)
    relaxed = linear.by_highs(replace(program, binaries=0), 4, time_limit_s=20.0)
    problem = allocation_problem(question)
    found = solve(problem, gap=1e-4)
    assert problem.pairs == ()
    assert found.objective <= relaxed.bound * (1 + 1e-9)
    assert found.bound >= found.objective
    assert found.bound <= relaxed.bound * (1 + 1e-9), "cases prove at least what the relaxation does"
    assert dual_bound(problem, found.prices) == pytest.approx(relaxed.bound, rel=5e-3)


def test_with_very_heavy_borders_each_piece_of_land_takes_its_one_cheapest_use() -> None:
    rng = np.random.default_rng(11)
    county = make_county(120, rng=rng, recipe=CountyRecipe(uses=3))
    assert county.borders is not None
    island = np.arange(120) // 40
    inside = island[county.borders.i] == island[county.borders.j]
    borders = Borders(county.borders.i[inside], county.borders.j[inside], county.borders.length_m[inside])
    question = Allocation(county.uses, county.area_dm2, county.current, county.cost, borders=borders, points_per_m=10.0)
    problem = allocation_problem(question)
    found = solve(problem, gap=0.0)
    uses = uses_after(question, problem, found.choice)
    pieces = audit_components(np.zeros(120, int), borders.i, borders.j, county.area_dm2)
    assert len(audit_components(uses, borders.i, borders.j, county.area_dm2)) == len(pieces) >= 3
    label = {int(first): k for k, first in enumerate(pieces["first"])}
    for first in label:
        mine = island == island[first]
        assert (uses[mine] == county.cost[mine].sum(axis=0).argmin()).all()
