"""An invented selection of land units that meets targets of many features at least cost (合成选址算例)."""

from __future__ import annotations

import numpy as np

from qianmo.planning.allocation_parts import Borders
from qianmo.planning.fields import smooth_field, square_borders
from qianmo.planning.problem import Limit, Pairs, PlanProblem

__all__ = ["make_selection", "selection_problem"]


def selection_problem(
    cost: np.ndarray,
    amounts: list[tuple[np.ndarray, np.ndarray]],
    targets: np.ndarray,
    *,
    borders: Borders | None = None,
    outer_m: np.ndarray | None = None,
    penalty: float = 0.0,
    names: list[str] | None = None,
) -> PlanProblem:
    r"""Units chosen at least cost so that every feature reaches its target (最小成本选址).

    Parameters
    ----------
    cost : (n,) float
        Cost of each unit. [points]
    amounts : list of (unit, amount), one a feature
        Units that hold the feature and how much.
    targets : (F,) float
        Least amount of each feature in the chosen units.
    borders : Borders, optional
    outer_m : (n,) float, optional
        Border of each unit with nothing beyond. [m]
    penalty : float
        Points for a metre of border between chosen and not chosen, or chosen and nothing.
    names : list of text, optional
        Names of the features.

    Returns
    -------
    PlanProblem
        One option a unit. The score is minus cost and boundary penalty; choosing nothing scores 0.

    Notes
    -----
    With :math:`b|x_i - x_j| = b x_i + b x_j - 2 b x_i x_j` the border costs both units and is given back where both are chosen.
    """
    n = len(cost)
    value = -np.asarray(cost, float)
    pairs: tuple[Pairs, ...] = ()
    if borders is not None and penalty > 0:
        weight = borders.length_m * penalty
        edge = np.bincount(borders.i, weight, n) + np.bincount(borders.j, weight, n)
        value -= edge if outer_m is None else edge + np.asarray(outer_m) * penalty
        pairs = (Pairs("boundary", "边界相接", borders.i, borders.j, 2.0 * weight, np.zeros(n, bool), np.ones(n, bool)),)
    word = np.array("select", object)
    label = [f"F{k:03d}" for k in range(len(targets))] if names is None else names
    limits = tuple(
        Limit(f"target/{label[k]}", "", f"{label[k]}目标", unit.astype(np.int32), amount.astype(float), ">=", float(target), "1")
        for k, ((unit, amount), target) in enumerate(zip(amounts, targets, strict=True))
    )
    every, text = np.arange(n, dtype=np.int32), np.broadcast_to(word, n)
    return PlanProblem(n, every, text, text, value, np.asarray(cost, float), {}, {}, pairs, limits)


def make_selection(
    rows: int, columns: int, *, features: int = 72, rng: np.random.Generator, share: float = 0.2, penalty: float = 0.5
) -> PlanProblem:
    """A grid of units with smooth features, cost, boundary penalty and targets (合成选址算例).

    Features hold where their smooth field is high: 5 to 60 % of the units. Amounts are in hundredths. 777 by 780 units are the
    606,060 of the benchmark.

    Parameters
    ----------
    rows, columns : int
    features : int
    rng : Generator
    share : float
        Target as a share of what there is of each feature. [1]
    penalty : float
        Points for a unit side of boundary; the mean cost of a unit is 1.
    """
    n = rows * columns
    cost = np.exp(0.5 * smooth_field(rows, columns, rng=rng).ravel()) * rng.uniform(0.8, 1.2, n)
    cost = np.round(cost / cost.mean(), 4)
    amounts, targets = [], np.empty(features)
    for k in range(features):
        field = smooth_field(rows, columns, rng=rng, roughness=rng.uniform(1.8, 3.0)).ravel()
        least = np.quantile(field[:: max(1, n // 20_000)], 1.0 - rng.uniform(0.05, 0.6))
        unit = np.flatnonzero(field > least).astype(np.int32)
        amount = np.round(np.maximum(field[unit] - least, 0.01).astype(float) * rng.uniform(0.5, 3.0), 2)
        amount = np.maximum(amount, 0.01)
        amounts.append((unit, amount))
        targets[k] = np.floor(amount.sum() * share * 100.0) / 100.0
    outer = np.zeros((rows, columns))
    outer[[0, -1]] += 1.0
    outer[:, [0, -1]] += 1.0
    return selection_problem(
        cost, amounts, targets, borders=square_borders(rows, columns), outer_m=outer.ravel(), penalty=penalty
    )
