"""Prices of limits and borders, and the bound they prove (影子价格与上界).

For any price ``p`` of each limit (at least 0 on '<=', at most 0 on '>=') and any split of each
pair bonus ``w`` into ``a`` for one end and ``w - a`` for the other,

    score(x) <= sum over patches of max(reduced value of keeping, of each option)
                + sum p * (bound - constant) - bonus of the borders joined today

for every plan ``x`` that obeys the limits, because ``w * s_i * s_j <= a * s_i + (w - a) * s_j``.
The limits' best prices come from the linear relaxation (`qianmo.planning.solve`) or from the
minimum cuts here; the bound holds whatever they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from qianmo.planning.problem import PlanProblem

__all__ = ["Prices", "dual_bound", "legal_prices", "reduced_values", "zero_prices"]


@dataclass(frozen=True)
class Prices:
    """Price of each limit (L,) and, for each pair layer, the part of each bonus given to end i (k,) (价格)."""

    limit: np.ndarray
    split: tuple[np.ndarray, ...]


def zero_prices(problem: PlanProblem) -> Prices:
    """No price on limits, bonuses split in halves (零价格)."""
    return Prices(np.zeros(len(problem.limits)), tuple(p.weight / 2 for p in problem.pairs))


def legal_prices(problem: PlanProblem, prices: Prices) -> Prices:
    """The nearest prices with the right signs and splits inside their bonus (合法价格)."""
    limit = np.array(prices.limit, float)
    for k, x in enumerate(problem.limits):
        if (x.relation == "<=" and limit[k] < 0) or (x.relation == ">=" and limit[k] > 0):
            limit[k] = 0.0
    return Prices(limit, tuple(np.clip(a, 0.0, p.weight) for a, p in zip(prices.split, problem.pairs)))


def reduced_values(problem: PlanProblem, prices: Prices) -> tuple[np.ndarray, np.ndarray, float]:
    """Value of keeping (n,) and of each option (m,) after prices, and the constant (折算得分)."""
    keep, option = np.zeros(problem.n), problem.value.astype(float).copy()
    constant = 0.0
    for x, price in zip(problem.limits, prices.limit):
        np.subtract.at(option, x.option, price * x.coefficient)
        constant += price * (x.bound - x.constant)
    for p, a in zip(problem.pairs, prices.split):
        bonus = np.bincount(p.i, a, problem.n) + np.bincount(p.j, p.weight - a, problem.n)
        keep += bonus * p.state0
        option += bonus[problem.patch] * p.state
        constant -= float(p.weight @ (p.state0[p.i].astype(bool) & p.state0[p.j].astype(bool)))
    return keep, option, constant


def dual_bound(problem: PlanProblem, prices: Prices, *, fixed: Mapping[int, bool] | None = None) -> float:
    """Upper bound on the score of every plan within the limits (上界) [points].

    With `fixed`, of the plans that take (True) or do not take (False) certain options.
    """
    keep, option, constant = reduced_values(problem, prices)
    best = np.where(problem.keeps, keep, -np.inf)
    for o, is_taken in (fixed or {}).items():
        if is_taken:
            at, value = problem.patch[o], option[o]
            option[problem.patch == at] = -np.inf
            best[at], option[o] = -np.inf, value
        else:
            option[o] = -np.inf
    np.maximum.at(best, problem.patch, option)
    return float(best.sum()) + constant
