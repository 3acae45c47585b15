"""True for any allocation: relaxing never hurts, names do not matter, area is kept, twins may be merged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.planning.allocation import Allocation, Borders, Window, allocation_problem, uses_after
from qianmo.planning.components import audit_components
from qianmo.planning.make_county import CountyRecipe, make_county
from qianmo.planning.problem import limit_values
from qianmo.planning.solve import Solution, solve

SEED = st.integers(0, 10_000)
FEW = settings(max_examples=8, deadline=None, derandomize=True)


def county(seed: int, n: int = 30) -> Allocation:
    recipe = CountyRecipe(uses=3, townships=2, villages=3, tightness=0.6, grades=(5, 10), locked=0.1, noise=1.5, budget=1.0)
    return make_county(n, rng=np.random.default_rng(seed), recipe=recipe)


def best(question: Allocation) -> Solution:
    return solve(allocation_problem(question), gap=0.0)


def test_most_counties_here_have_a_plan_worth_making() -> None:
    scores = np.array([best(county(seed)).objective for seed in range(8)])
    assert (np.abs(scores) > 0.1).sum() >= 5


@FEW
@given(SEED, st.data())
def test_relaxing_a_window_never_hurts(seed: int, data: st.DataObject) -> None:
    tight = county(seed)
    row = data.draw(st.integers(0, len(tight.windows) - 1))
    give = data.draw(st.integers(1, 10**6))
    w = tight.windows[row]
    wider = Window(w.system, w.region, w.use, max(0, (w.least_dm2 or 0) - give), None if w.most_dm2 is None else w.most_dm2 + give)
    loose = replace(tight, windows=(*tight.windows[:row], wider, *tight.windows[row + 1 :]))
    assert best(loose).objective >= best(tight).objective - 1e-7


@FEW
@given(SEED)
def test_more_budget_and_fewer_locks_never_hurt(seed: int) -> None:
    tight = county(seed)
    budget = replace(tight.budgets[0], most_fen=tight.budgets[0].most_fen * 2)
    score = best(tight).objective
    assert best(replace(tight, budgets=(budget,))).objective >= score - 1e-7
    assert best(replace(tight, lock=None)).objective >= score - 1e-7


def relabelled(q: Allocation, order: np.ndarray, kinds: np.ndarray) -> Allocation:
    """The same question with parcel ``order[k]`` in place k and use ``kinds[k]`` in place k."""
    place, kind = np.argsort(order), np.argsort(kinds)
    assert q.lock is not None and q.forbidden is not None and q.borders is not None
    table = np.ix_(order, kinds)
    return replace(
        q, uses=tuple(q.uses[k] for k in kinds), area_dm2=q.area_dm2[order], current=kind[q.current[order]].astype(np.int8),
        cost=q.cost[table], lock=np.where(q.lock[order] < 0, -1, kind[q.lock[order]]).astype(np.int8), forbidden=q.forbidden[table],
        borders=Borders(place[q.borders.j], place[q.borders.i], q.borders.length_m),
        regions=tuple(replace(s, code=s.code[order]) for s in q.regions), windows=q.windows[::-1],
        budgets=tuple(replace(b, works_fen=b.works_fen[table]) for b in q.budgets),
        dominances=tuple(replace(d, grade=d.grade[order]) for d in q.dominances),
        services=tuple(replace(s, amount=s.amount[table]) for s in q.services),
    )  # fmt: skip


@FEW
@given(SEED, st.permutations(range(30)), st.permutations(range(3)))
def test_the_order_of_parcels_uses_and_rows_does_not_matter(seed: int, order: list[int], kinds: list[int]) -> None:
    question = county(seed)
    other = best(relabelled(question, np.array(order), np.array(kinds)))
    assert abs(best(question).objective - other.objective) <= 1e-6 * max(1.0, abs(other.objective))


@FEW
@given(SEED)
def test_area_is_kept_to_the_integer_and_pieces_add_up_to_it(seed: int) -> None:
    question = county(seed, n=40)
    problem = allocation_problem(question)
    found = solve(problem, gap=1e-3)
    uses = uses_after(question, problem, found.choice)
    after = [int(question.area_dm2[uses == k].sum()) for k in range(3)]
    assert sum(after) == int(question.area_dm2.sum())
    values = dict(zip([x.id for x in problem.limits], limit_values(problem, found.choice)))
    for k, name in enumerate(question.uses):
        for side in ("least", "most"):
            if (row := f"county/全域/{name}/{side}") in values:
                assert round(values[row] * 100) == after[k]
    assert question.borders is not None
    pieces = audit_components(uses, question.borders.i, question.borders.j, question.area_dm2)
    assert pieces.groupby("use")["area_dm2"].sum().to_dict() == {k: a for k, a in enumerate(after) if (uses == k).any()}


@FEW
@given(SEED)
def test_merging_identical_neighbours_changes_nothing(seed: int) -> None:
    """Every parcel is cut into two halves with a border so long that they stay together; whole and halves score the same."""
    whole = county(seed, n=16)
    assert whole.borders is not None and whole.lock is not None and whole.forbidden is not None
    whole = replace(whole, area_dm2=whole.area_dm2 * 2, cost=whole.cost * np.float32(2.0), no_net_losses=(), services=(), budgets=())
    whole = replace(whole, windows=tuple(replace(w, least_dm2=(w.least_dm2 or 0) * 2, most_dm2=w.most_dm2 and w.most_dm2 * 2) for w in whole.windows))
    twice = np.repeat(np.arange(16), 2)
    i, j, metres = whole.borders.i, whole.borders.j, whole.borders.length_m
    halves = replace(
        whole, area_dm2=whole.area_dm2[twice] // 2, current=whole.current[twice], cost=whole.cost[twice] / np.float32(2.0),
        lock=whole.lock[twice], forbidden=whole.forbidden[twice], regions=tuple(replace(s, code=s.code[twice]) for s in whole.regions),
        dominances=tuple(replace(d, grade=d.grade[twice]) for d in whole.dominances),
        borders=Borders(np.r_[i * 2, np.arange(16) * 2], np.r_[j * 2 + 1, np.arange(16) * 2 + 1], np.r_[metres, np.full(16, 1e5)]),
    )  # fmt: skip
    one, two = best(whole), best(halves)
    assert abs(one.objective - two.objective) <= 1e-6 * max(1.0, abs(one.objective))
    assert one.objective <= two.bound + 1e-6
