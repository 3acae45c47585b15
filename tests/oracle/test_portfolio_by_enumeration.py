"""The portfolio against all choices of start years, written out; its conflicts against all sets of conditions."""

from itertools import combinations, product

import numpy as np
import pytest

from qianmo.governance.portfolio.conflict import clauses, explain_conflict, is_possible
from qianmo.governance.portfolio.make_instance import made_portfolio
from qianmo.governance.portfolio.pay import payments_of
from qianmo.governance.portfolio.problem import Candidate, Floor, Need, Precedence, Problem, Supply
from qianmo.governance.portfolio.replay import replay
from qianmo.governance.portfolio.solve import solve_portfolio
from qianmo.schema.errors import InfeasibleError

CASES = [(12, 1, 2, 1.0), (12, 2, 2, 1.0), (6, 3, 2, 0.0), (7, 3, 1, 0.3), (6, 3, 2, 0.5)]


def all_choices(problem):
    """Rows of start years, 0 for a project that is left out."""
    return np.array(list(product(*([*([] if c.must else [0]), *sorted(c.starts)] for c in problem.candidates))), dtype=np.int64)


def allowed(problem, rows):
    """True where money, floors and order hold; money by Hall's condition over sets of needs."""
    at = {c.id: k for k, c in enumerate(problem.candidates)}
    good = np.ones(len(rows), bool)
    for p in problem.precedences:
        b, a = rows[:, at[p.before]], rows[:, at[p.after]]
        good &= (a == 0) | ((b > 0) & (a > b + problem.candidates[at[p.before]].years - 1))
    due, regions = {}, np.zeros((len(rows), len(problem.floors)), np.int64)
    for k, c in enumerate(problem.candidates):
        for n in c.needs:
            for year in c.starts:
                there = np.where(rows[:, k] == year, n.fen, 0)
                due[n.funds, year + n.stage] = due.get((n.funds, year + n.stage), 0) + there
                for r, f in enumerate(problem.floors):
                    if f.region == c.region and f.first <= year + n.stage <= f.last:
                        regions[:, r] += there
    for r, f in enumerate(problem.floors):
        good &= regions[:, r] >= f.least_fen
    keys = list(due)
    for size in range(1, len(keys) + 1):
        for some in combinations(keys, size):
            room = sum(s.fen for s in problem.supplies if any(s.fund in funds and s.year <= year <= s.until for funds, year in some))
            good &= sum(due[k] for k in some) <= room
    return good


def best(problem):
    rows = all_choices(problem)
    rows = rows[allowed(problem, rows)]
    worth = [{0: 0, **c.starts} for c in problem.candidates]
    return max((sum(w[y] for w, y in zip(worth, row)) for row in rows.tolist()), default=None)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("projects", "years", "funds", "window"), CASES)
def test_the_value_is_that_of_the_best_of_all_choices(projects, years, funds, window, seed):
    rng = np.random.default_rng(1000 * projects + 10 * years + seed)
    problem = made_portfolio(projects, years, funds, rng=rng, regions=2, window=window, order=0.3, must=0.1)
    truth = best(problem)
    if truth is None:
        with pytest.raises(InfeasibleError):
            solve_portfolio(problem, gap=0.0)
        return
    found = solve_portfolio(problem, gap=0.0)
    again = replay(problem, found)
    assert found.value == again.value == truth and again.faults == ()
    assert truth <= found.bound <= truth * (1 + 1e-6) + 1 and truth <= again.bound


def test_enough_money_is_told_by_flow_as_by_all_sets_of_needs(rng):
    problem = made_portfolio(9, 3, 2, rng=rng, window=1.0, order=0.0, must=0.0, floors=False)
    rows = all_choices(problem)
    told = allowed(problem, rows)
    ids = [c.id for c in problem.candidates]
    mine = [payments_of(problem, {i: int(y) for i, y in zip(ids, row) if y}) is not None for row in rows]
    assert mine == told.tolist() and 0 < sum(mine) < len(mine)


def tight(seed):
    """A small problem with decoys in which something cannot hold."""
    rng = np.random.default_rng(seed)
    names = ["甲", "乙"]
    candidates = []
    for k in range(4):
        funds = frozenset(names if rng.random() < 0.4 else [names[int(rng.integers(2))]])
        year = int(rng.integers(2026, 2028))
        starts = {year: 5} if rng.random() < 0.5 else {2026: 5, 2027: 4}
        candidates.append(Candidate(f"P{k}", "项目", "东" if k < 2 else "西", starts, (Need(0, funds, int(rng.integers(30, 90))),), 1, must=rng.random() < 0.6))
    supplies = tuple(Supply(f, y, y + (f == "甲" and y == 2026), int(rng.integers(20, 80))) for f in names for y in (2026, 2027))
    return Problem(2026, 2027, tuple(candidates), supplies, (Floor("东", 2026, 2027, int(rng.integers(40, 120))),), (Precedence("P0", "P3"),))


@pytest.mark.parametrize("seed", range(24))
def test_the_conflict_is_as_small_as_the_smallest_of_all_sets(seed):
    problem = tight(seed)
    listed = clauses(problem)
    if is_possible(problem, listed):
        assert best(problem) is not None
        return
    assert best(problem) is None
    size = next(n for n in range(1, len(listed) + 1) if any(not is_possible(problem, some) for some in combinations(listed, n)))
    told = explain_conflict(problem).conflict
    assert len(told) == size and not is_possible(problem, tuple(c for c in listed if c.zh in told))
