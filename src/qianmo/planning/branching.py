"""A proof by cases: the plans are divided by single options, each case has prices of its own (分支证明).

One set of prices may leave a gap that comes from whole patches alone (a budget that half a patch
would fill). Dividing the plans into those that take an option and those that do not, again and
again, closes it. Every plan falls into exactly one case, so the largest bound of the cases bounds
all plans; each is recomputed from its prices in one pass, without a solver.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, hstack

from qianmo.planning.model import Model, all_candidates, as_upper, build_model
from qianmo.planning.prices import Prices, dual_bound
from qianmo.planning.problem import PlanProblem
from qianmo.planning.relaxation import prices_of, typical_unit

__all__ = ["Branches", "branch", "branch_bound", "case_options"]

ELASTIC = 1e5
"""Price of breaking a limit by its largest coefficient, in typical values; only where a case has no plan."""


@dataclass(frozen=True)
class Branches:
    """Cases and their prices (分支与价格).

    `option` (k,) is the option that each division asks for; `taken` and `left` (k,) lead on where it
    is chosen and where not: to a division (at least 0) or to case ``-1 - number``. Division 0 comes
    first. `limit` (c, L) and `split` (one (c, e) array a pair layer) are the prices of the cases.
    """

    option: np.ndarray
    taken: np.ndarray
    left: np.ndarray
    limit: np.ndarray
    split: tuple[np.ndarray, ...]

    @property
    def cases(self) -> int:
        """Number of cases."""
        return len(self.limit)


@dataclass
class _Case:
    fixed: dict[int, bool]
    prices: Prices
    bound: float
    share: np.ndarray
    parent: int = -1
    is_taken: bool = False
    number: int = field(default=-1)


def branch(
    problem: PlanProblem, score: float, *, gap: float, most: int = 300, is_over: Callable[[], bool] | None = None
) -> Branches | None:
    """Divide until the bound of every case is within the gap of a score, or `most` cases stand (分支证明).

    Parameters
    ----------
    problem : PlanProblem
        Small: each case solves its linear relaxation.
    score : float
        Score of the plan at hand. [points]
    gap : float
        Wanted (bound - score) / bound.
    most : int
        Most cases.
    is_over : function, optional
        True ends the division; the cases so far are a proof all the same.

    Returns
    -------
    Branches or None
        None where the first relaxation is near enough already, or has no plan.
    """
    relaxed = _Relaxed(problem)
    root = relaxed.case({})
    if root is None or _within(root.bound, score, gap):
        return None
    heap: list[tuple[float, int, _Case]] = [(-root.bound, 0, root)]
    closed: list[_Case] = []
    divided: list[tuple[int, _Case]] = []
    count = 1
    while heap and 1 + len(divided) < most and not (is_over is not None and is_over()):
        _, _, case = heapq.heappop(heap)
        option = _undecided(problem, case)
        if _within(case.bound, score, gap) or option < 0:
            closed.append(case)
            continue
        here = len(divided)
        divided.append((option, case))
        for is_taken in (True, False):
            child = relaxed.case({**case.fixed, option: is_taken})
            if child is None or child.bound > case.bound:
                child = _Case({**case.fixed, option: is_taken}, case.prices, case.bound, case.share)
            child.parent, child.is_taken = here, is_taken
            count += 1
            heapq.heappush(heap, (-child.bound, count, child))
    return _assembled(problem, [*closed, *(c for _, _, c in heap)], divided)


def branch_bound(problem: PlanProblem, branches: Branches) -> float:
    """Largest bound of the cases (分支上界) [points]."""
    bounds = []
    for case, fixed in enumerate(case_options(branches)):
        prices = Prices(branches.limit[case], tuple(s[case] for s in branches.split))
        bounds.append(dual_bound(problem, prices, fixed=fixed))
    return max(bounds)


def case_options(branches: Branches) -> list[dict[int, bool]]:
    """What each case says of options: taken or not (各分支的选项取舍)."""
    out: list[dict[int, bool]] = [{} for _ in range(branches.cases)]
    todo: list[tuple[int, dict[int, bool]]] = [(0 if len(branches.option) else -1, {})]
    while todo:
        at, fixed = todo.pop()
        if at < 0:
            out[-1 - at] = fixed
            continue
        option = int(branches.option[at])
        todo += [(int(branches.taken[at]), {**fixed, option: True}), (int(branches.left[at]), {**fixed, option: False})]
    return out


class _Relaxed:
    """The linear relaxation of the cases of one problem."""

    def __init__(self, problem: PlanProblem) -> None:
        self.problem, self.model = problem, build_model(problem, all_candidates(problem))
        self.unit = typical_unit(self.model.value)
        self.upper, self.flip, self.sides = as_upper(self.model)
        self.rows = csr_array(self.model.rows[self.upper].multiply(self.flip[:, None]))
        self.column = np.full(problem.m, -1)
        self.column[self.model.options] = np.arange(len(self.model.options))

    def case(self, fixed: dict[int, bool]) -> _Case | None:
        """Prices of one case; None where its relaxation could not be solved."""
        size, options = len(self.model.value), len(self.model.options)
        low, high = np.zeros(size), np.r_[np.ones(options), np.full(size - options, np.inf)]
        for option, is_taken in fixed.items():
            low[self.column[option]] = high[self.column[option]] = float(is_taken)
        found = linprog(-self.model.value * self.unit, A_ub=self.rows, b_ub=self.sides, bounds=np.stack([low, high], 1), method="highs")
        if found.status == 2:
            found = self._elastic(low, high)
        if found.status != 0:
            return None
        dual = np.zeros(self.model.rows.shape[0])
        np.add.at(dual, self.upper, -found.ineqlin.marginals * self.flip)
        prices = prices_of(self.problem, self.model, dual, self.unit)
        return _Case(fixed, prices, dual_bound(self.problem, prices, fixed=fixed), found.x[:options])

    def _elastic(self, low: np.ndarray, high: np.ndarray) -> object:
        """The relaxation with limits that may be broken at a price."""
        model: Model = self.model
        is_limit = np.flatnonzero((self.upper >= model.limit_rows.start) & (self.upper < model.limit_rows.stop))
        slack = csr_array((-np.ones(len(is_limit)), (is_limit, np.arange(len(is_limit)))), shape=(len(self.upper), len(is_limit)))
        value = np.r_[-model.value * self.unit, np.full(len(is_limit), ELASTIC)]
        ends = np.stack([np.r_[low, np.zeros(len(is_limit))], np.r_[high, np.full(len(is_limit), np.inf)]], 1)
        found = linprog(value, A_ub=csr_array(hstack([self.rows, slack])), b_ub=self.sides, bounds=ends, method="highs")
        if found.x is not None:
            found.x = found.x[: len(model.value)]
        return found


def _within(bound: float, score: float, gap: float) -> bool:
    return bound - score <= gap * abs(bound)


def _undecided(problem: PlanProblem, case: _Case) -> int:
    """Option to divide by: the share furthest from whole, weighed by what it costs; -1 where all are whole."""
    far = np.minimum(case.share, 1.0 - case.share)
    far = np.where(far > 1e-7, far * (1e-3 + problem.cost / max(float(problem.cost.max(initial=0.0)), 1e-9)), 0.0)
    best = int(np.argmax(far)) if len(far) else -1
    return best if best >= 0 and far[best] > 0 and best not in case.fixed else -1


def _assembled(problem: PlanProblem, cases: list[_Case], divided: list[tuple[int, _Case]]) -> Branches | None:
    if not divided:
        return None
    taken, left = np.zeros(len(divided), np.int64), np.zeros(len(divided), np.int64)
    for number, case in enumerate(cases):
        (taken if case.is_taken else left)[case.parent] = -1 - number
    for here, (_, case) in enumerate(divided):
        if case.parent >= 0:
            (taken if case.is_taken else left)[case.parent] = here
    return Branches(
        np.array([o for o, _ in divided], np.int64), taken, left, np.stack([c.prices.limit for c in cases]),
        tuple(np.stack([c.prices.split[k] for c in cases]) for k in range(len(problem.pairs))),
    )  # fmt: skip
