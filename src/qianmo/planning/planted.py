"""Problems whose best plan is known beforehand, of any size (已知最优解的算例)."""

from __future__ import annotations

import numpy as np

from qianmo.planning.prices import Prices, reduced_values
from qianmo.planning.problem import KEPT, Limit, Pairs, PlanProblem, limit_value, objective, states

__all__ = ["planted_problem", "planted_with_prices"]


def planted_problem(
    rows: int, columns: int, *, rng: np.random.Generator, options: int = 3, limits: int = 4, bonus: float = 1.0
) -> tuple[PlanProblem, np.ndarray, float]:
    """A grid of patches with a planted best plan (植入最优解的算例).

    A plan, prices of the limits and a split of the border bonuses are drawn first; then the values
    of the options are set so that the three fit together (complementary slackness). The plan is
    then the best there is, whatever a solver says.

    Parameters
    ----------
    rows, columns : int
        Shape of the grid; patches are squares with four neighbours.
    rng : Generator
    options, limits : int
        Options of each patch and '<=' or '>=' limits, half of them tight.
    bonus : float
        Mean bonus of a border with both ends in state 1. [points]

    Returns
    -------
    problem : PlanProblem
    choice : (n,) int
        The best plan.
    score : float
        Its score, which is also the least upper bound. [points]
    """
    problem, choice, _ = planted_with_prices(rows, columns, rng=rng, options=options, limits=limits, bonus=bonus)
    return problem, choice, objective(problem, choice)


def planted_with_prices(
    rows: int, columns: int, *, rng: np.random.Generator, options: int = 3, limits: int = 4, bonus: float = 1.0
) -> tuple[PlanProblem, np.ndarray, Prices]:
    """The same as `planted_problem`: problem, best plan (n,), and the prices that prove that nothing is better (植入最优解及其价格)."""
    n = rows * columns
    patch = np.repeat(np.arange(n), options)
    m = len(patch)
    pairs = _pairs(rows, columns, patch, rng, bonus)
    choice = np.where(rng.random(n) < 0.5, np.arange(n) * options + rng.integers(0, options, n), KEPT)
    made, price = _limits(patch, choice, rng, limits)
    works, target = np.full(m, "works", object), np.full(m, "", object)
    bare = PlanProblem(n, patch, works, target, np.zeros(m), np.ones(m), {}, {}, (pairs,), made)
    prices = Prices(price, (_split(pairs, states(pairs, choice), rng),))
    keep, drift, _ = reduced_values(bare, prices)
    wanted = _wanted(keep, patch, choice, rng)
    problem = PlanProblem(n, patch, works, target, wanted - drift, bare.cost, {}, {}, (pairs,), made)
    return problem, choice, prices


def _pairs(rows: int, columns: int, patch: np.ndarray, rng: np.random.Generator, bonus: float) -> Pairs:
    at = np.arange(rows * columns).reshape(rows, columns)
    i = np.concatenate([at[:, :-1].ravel(), at[:-1].ravel()])
    j = np.concatenate([at[:, 1:].ravel(), at[1:].ravel()])
    state0 = rng.random(rows * columns) < 0.5
    weight = bonus * rng.uniform(0.2, 1.8, len(i))
    return Pairs("contiguity", "集中连片", i, j, weight, state0, rng.random(len(patch)) < 0.5)


def _limits(
    patch: np.ndarray, choice: np.ndarray, rng: np.random.Generator, count: int
) -> tuple[tuple[Limit, ...], np.ndarray]:
    made, price = [], np.zeros(count)
    for k in range(count):
        option = np.sort(rng.choice(len(patch), size=max(1, len(patch) // 2), replace=False))
        coefficient = rng.uniform(0.1, 2.0, len(option)).round(2)
        relation, sign = ("<=", 1.0) if k % 2 == 0 else (">=", -1.0)
        row = Limit(f"limit{k}", f"R-{k:02d}", f"约束{k}", option, coefficient, relation, 0.0, "m2")
        reached = limit_value(row, choice, len(patch))
        is_tight = k < (count + 1) // 2
        price[k] = sign * rng.uniform(0.1, 1.0) if is_tight else 0.0
        bound = reached if is_tight else round(reached + sign * rng.uniform(0.5, 1.0), 2)
        made.append(Limit(row.id, row.rule_id, row.zh, option, coefficient, relation, bound, "m2"))
    return tuple(made), price


def _split(pairs: Pairs, after: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A split that is tight at the plan: nothing for the one end in state 1 where the other is in 0."""
    free = rng.random(len(pairs.i)) * pairs.weight
    only_i, only_j = after[pairs.i] & ~after[pairs.j], ~after[pairs.i] & after[pairs.j]
    return np.where(only_i, 0.0, np.where(only_j, pairs.weight, free))


def _wanted(keep: np.ndarray, patch: np.ndarray, choice: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Reduced values of the options that make the chosen one (or keeping) the best of its patch."""
    top = keep + np.where(choice >= 0, rng.uniform(0.05, 1.0, len(keep)), 0.0)
    wanted = top[patch] - rng.uniform(0.05, 1.0, len(patch))
    chosen = choice[choice >= 0]
    wanted[chosen] = top[patch[chosen]]
    return wanted
