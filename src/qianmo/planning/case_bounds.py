"""The bound that stored prices prove, case by case (分情形上界).

A proof may divide the plans by single options: those that take it and those that do not. Every
case has prices of its own; a proof with one set of prices is one case and no division. Shares no
code with the modules that make plans or prices.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from math import fsum, inf, isfinite

import numpy as np

from qianmo.planning.problem import Limit, PlanProblem

__all__ = ["SHARES", "CasePrices", "case_bound", "case_of", "case_options", "one_case", "proven_bound", "rounded_sum", "whole", "wrong_prices"]

SHARES = 65535
"""A border gives ``weight * share / SHARES`` of its bonus to end i and the rest to end j."""

UNIT_ROUNDOFF = 2.0**-53
CHUNK = 1 << 16

Fixed = tuple[tuple[int, bool], ...]


@dataclass(frozen=True)
class CasePrices:
    """Cases and their prices as a proof keeps them (分情形价格).

    `option` (k,) is the option that each division asks for; `taken` and `left` (k,) lead on where it is
    chosen and where not: to a division (at least 0) or to case ``-1 - number``. Division 0 comes
    first, or case 0 where there is none. `limit` (c, L) are the prices of the limits, `share` one (c, e)
    uint16 a pair layer: the part of each bonus that end i gets, in 65535ths.
    """

    option: np.ndarray
    taken: np.ndarray
    left: np.ndarray
    limit: np.ndarray
    share: tuple[np.ndarray, ...]

    @property
    def cases(self) -> int:
        """Number of cases."""
        return len(self.limit)


def one_case(price: np.ndarray, shares: Sequence[np.ndarray] = ()) -> CasePrices:
    """Prices (L,) and shares (e,) that hold for all plans: one case, no division (不分情形)."""
    none = np.zeros(0, np.int64)
    return CasePrices(none, none, none, np.asarray(price, float)[None], tuple(np.asarray(s)[None] for s in shares))


def proven_bound(problem: PlanProblem, prices: CasePrices) -> tuple[float, float, int]:
    """Upper bound on the score of every plan within the limits, its rounding error, and the case it comes from (上界).

    Each plan lies in exactly one case, so the largest bound of the cases holds for all of them. The error
    is the largest among the cases that may reach that bound: ``bound + error`` holds for certain; both are infinite where
    prices are too large for floating point. [points]

    Raises
    ------
    ValueError
        The divisions do not form one tree (`wrong_prices` says so before).
    """
    options = case_options(prices)
    if options is None:
        raise ValueError("the divisions do not form one tree")
    found = [case_bound(problem, prices.limit[c], [s[c] for s in prices.share], fixed) for c, fixed in enumerate(options)]
    if not all(isfinite(error) for _, error in found):
        return inf, inf, 0
    case = max(range(len(found)), key=lambda c: found[c][0])
    bound = found[case][0]
    return bound, max(error for low, error in found if low + error >= bound), case


@np.errstate(over="ignore", invalid="ignore")
def case_bound(problem: PlanProblem, price: np.ndarray, shares: Sequence[np.ndarray], fixed: Fixed = ()) -> tuple[float, float]:
    """Bound on the plans that take or leave certain options, and the largest rounding error in it (单一情形上界) [points].

    Sum over patches of the best value after prices, plus prices times bounds, less today's bonuses; -inf where a
    patch has no way left. The error is ``k u / (1 - k u)`` times the sum of all amounts that enter, ``k`` the most
    additions any of them goes through and ``u`` 2^-53; it is proven, not estimated.
    """
    option, keep = problem.value.astype(float), np.zeros(problem.n)
    constant: list[float] = []
    size = [rounded_sum([np.abs(option)])]
    touched = np.zeros(problem.m, np.int32)
    for x, each in zip(problem.limits, price.tolist()):
        if each:
            amount = _amounts(x) * each
            np.subtract.at(option, x.option, amount)
            np.add.at(touched, x.option, 1)
            constant += [each * x.bound, -each * x.constant]
            size.append(float(np.abs(amount).sum()))
    ends = 0
    for p, share in zip(problem.pairs, shares):
        part = p.weight * (share / float(SHARES))
        bonus = np.bincount(p.i, part, problem.n) + np.bincount(p.j, p.weight - part, problem.n)
        keep += np.where(p.state0, bonus, 0.0)
        option += np.where(p.state, bonus[problem.patch], 0.0)
        today = p.weight[p.state0[p.i].astype(bool) & p.state0[p.j].astype(bool)]
        constant.append(-rounded_sum([today]))
        size += [float(p.weight.sum()) * 2.0, float(today.sum())]
        ends = max(ends, int((np.bincount(p.i, minlength=problem.n) + np.bincount(p.j, minlength=problem.n)).max(initial=0)))
    best = _best(problem, option, np.where(problem.keeps, keep, -np.inf), fixed)
    steps = (int(touched.max(initial=0)) + ends + len(problem.pairs) + 8) * UNIT_ROUNDOFF
    return rounded_sum([best, np.array(constant)]), steps / (1 - steps) * 1.001 * rounded_sum([np.array(size), np.abs(np.array(constant))])


def case_options(prices: CasePrices) -> list[Fixed] | None:
    """What each case says of options, (option, is taken) from the first division on; None where that is no tree.

    A tree: from the first division every division and every case is reached exactly once.
    """
    k, cases = len(prices.option), prices.cases
    if not (len(prices.taken) == len(prices.left) == k and cases == k + 1):
        return None
    out: list[Fixed | None] = [None] * cases
    is_divided = np.zeros(k, bool)
    todo: list[tuple[int, Fixed]] = [(0 if k else -1, ())]
    while todo:
        at, fixed = todo.pop()
        if not -cases <= at < k or (is_divided[at] if at >= 0 else out[-1 - at] is not None):
            return None
        if at < 0:
            out[-1 - at] = fixed
            continue
        is_divided[at] = True
        o = int(prices.option[at])
        todo += [(int(prices.taken[at]), (*fixed, (o, True))), (int(prices.left[at]), (*fixed, (o, False)))]
    reached = [x for x in out if x is not None]
    return reached if len(reached) == cases else None


def case_of(prices: CasePrices, choice: np.ndarray) -> int:
    """The one case that a plan lies in (方案所属情形). `choice` (n,) is the option of each patch, negative where it is kept."""
    taken = set(choice[choice >= 0].tolist())
    at = 0 if len(prices.option) else -1
    while at >= 0:
        at = int((prices.taken if int(prices.option[at]) in taken else prices.left)[at])
    return -1 - at


def wrong_prices(problem: PlanProblem, prices: CasePrices) -> list[str]:
    """What makes prices no proof: divisions that form no tree, a price of the wrong sign, a split outside its bonus."""
    if prices.limit.shape != (prices.cases, len(problem.limits)) or len(prices.share) != len(problem.pairs):
        return [f"{prices.limit.shape} prices of {len(problem.limits)} limits, {len(prices.share)} of {len(problem.pairs)} layers of border shares"]
    wrong = [] if case_options(prices) is not None else ["the divisions do not form one tree"]
    wrong += [f"division by option {o}" for o in prices.option.tolist() if not 0 <= o < problem.m]
    for x, each in zip(problem.limits, prices.limit.T):
        legal = each >= 0 if x.relation == "<=" else each <= 0 if x.relation == ">=" else True
        bad = np.flatnonzero(~(np.isfinite(each) & legal))
        if len(bad):
            wrong.append(f"{x.id}: {each[bad[0]]} in case {bad[0]}")
    for p, share in zip(problem.pairs, prices.share):
        if (
            share.shape != (prices.cases, len(p.weight))
            or share.dtype.kind not in "iu"
            or (share.size and not 0 <= share.min() <= share.max() <= SHARES)
        ):
            wrong.append(f"{p.aim}: shares outside 0 to {SHARES}")
    return wrong


def rounded_sum(parts: Iterable[np.ndarray]) -> float:
    """Exactly rounded sum of all numbers, infinite where it is beyond floating point (精确舍入求和)."""
    try:
        return fsum(chain.from_iterable(a[k : k + CHUNK].tolist() for a in parts for k in range(0, len(a), CHUNK)))
    except (OverflowError, ValueError):
        return inf


def whole(amount: np.ndarray | float) -> np.ndarray:
    """Whole square decimetres or fen of an amount in m2 or yuan (整数计量)."""
    return np.rint(np.asarray(amount, float) * 100.0).astype(np.int64)


def _best(problem: PlanProblem, option: np.ndarray, best: np.ndarray, fixed: Fixed) -> np.ndarray:
    """Best value of each patch: what a case refuses is out, what it takes leaves no other way."""
    for o, is_taken in fixed:
        at, value = problem.patch[o], option[o]
        if is_taken:
            option[slice(*np.searchsorted(problem.patch, [at, at + 1]))] = -np.inf
            best[at] = -np.inf
        option[o] = value if is_taken else -np.inf
    if problem.m:
        first = np.flatnonzero(np.r_[True, np.diff(problem.patch) != 0])
        best[problem.patch[first]] = np.maximum(best[problem.patch[first]], np.maximum.reduceat(option, first))
    return best


def _amounts(x: Limit) -> np.ndarray:
    return whole(x.coefficient) / 100.0 if x.is_whole else x.coefficient.astype(float)
