"""Solving an integration: assembly first, then how what is left is shared (整合求解)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, hstack, vstack

from qianmo.planning.integration.candidates import Candidate
from qianmo.planning.integration.model import Model, build
from qianmo.planning.integration.options import FEN, LAND_M2
from qianmo.planning.integration.settings import IntegrationSettings
from qianmo.planning.integration.titles import Titles
from qianmo.schema.errors import InfeasibleError, QianmoError

__all__ = ["Answer", "solve"]

_CASH_SLACK = 1e-9

_PAY_IN_DISLIKE = 0.5
"""A holder is asked to pay in only where nothing else makes ends meet: weight against the value handed out."""

_CASH_DISLIKE = 0.01
"""Of two ways to give the same value, land or equity comes before cash."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What the programme chose (整合解).

    `plots` and `options` are rows of the model that are taken; the other arrays run along `options`. `objective` and
    `bound` are in fen as the programme sees them, before amounts are made whole; `bound` is the claim of the solver.
    """

    model: Model
    plots: np.ndarray
    options: np.ndarray
    land_m2: np.ndarray
    equity_fen: np.ndarray
    cash_fen: np.ndarray
    objective: float
    bound: float
    status: str


def solve(titles: Titles, blocks: list[Candidate], *, settings: IntegrationSettings) -> Answer:
    """The best assembly within all limits (整合求解).

    Keeping every title as it is obeys all limits, so there is always an answer.

    Parameters
    ----------
    titles : Titles
    blocks : list of Candidate
    settings : IntegrationSettings

    Raises
    ------
    QianmoError
        The solver gave no answer in the time limit.
    InfeasibleError
        Never for checked titles; kept for a solver that claims it.
    """
    model = build(titles, blocks, settings)
    rows = LinearConstraint(model.matrix, model.low, model.high)
    found = milp(model.value, constraints=rows, bounds=Bounds(0, model.upper), integrality=model.whole,
                 options={"mip_rel_gap": settings.gap_rel, "time_limit": settings.time_limit_s})  # fmt: skip
    if found.status == 2:
        raise InfeasibleError("the solver finds no assembly", conflict=("integrate_*",), cure="请保留输入并反馈")
    if found.x is None:
        raise QianmoError(f"no assembly after {settings.time_limit_s:g} s", expected="a first assembly", cure="提高 integrate_time_limit_s 或减少候选地块")
    chosen = np.round(found.x * model.whole)
    x = _shared(model, chosen, float(model.value @ np.where(model.whole > 0, chosen, found.x)), settings)
    at = model.column
    plots = np.flatnonzero(x[: len(model.plots)] > 0.5)
    options = np.flatnonzero(x[at["option"] : at["land"]] > 0.5)
    bound = -float(found.mip_dual_bound if found.mip_dual_bound is not None else found.fun) * FEN
    objective = -float(model.value @ x) * FEN
    return Answer(
        model, plots, options, x[at["land"] + options] * LAND_M2, x[at["equity"] + options] * FEN,
        (x[at["out"] + options] - x[at["in"] + options]) * FEN, objective, max(bound, objective),
        "optimal within gap" if found.status == 0 else "stopped at the time limit",
    )  # fmt: skip


def _shared(model: Model, chosen: np.ndarray, best: float, s: IntegrationSettings) -> np.ndarray:
    """With the assembly fixed and no more cash than it needs: the least to holders ('fund') or the largest least gain ('maxmin')."""
    at, width = model.column, len(model.value)
    low = np.where(model.whole > 0, chosen, 0.0)
    high = np.where(model.whole > 0, chosen, model.upper)
    price = s.price_yuan_m2 * 100 * LAND_M2 / FEN
    o = len(model.options)
    given = np.zeros(width)
    given[at["land"] : at["land"] + o], given[at["equity"] : at["equity"] + o] = price, 1.0
    given[at["out"] : at["out"] + o], given[at["in"] : at["in"] + o] = 1.0, -1.0
    matrix, least, most = model.matrix, model.low, model.high
    cash = csr_array(model.value.reshape(1, -1))
    matrix, least, most = vstack([matrix, cash]).tocsr(), np.append(least, -np.inf), np.append(most, best + _CASH_SLACK * max(1.0, abs(best)))
    value = given.copy()
    value[at["in"] : at["in"] + o] += _PAY_IN_DISLIKE
    value[at["out"] : at["out"] + o] += _CASH_DISLIKE
    if s.share_rule == "maxmin" and chosen[at["option"] : at["land"]].any():
        matrix, least, most = _with_gain(model, chosen, matrix, least, most, given, at)
        value, low, high = np.append(value * 1e-6, -1.0), np.append(low, 0.0), np.append(high, 100.0)
    found = milp(value, constraints=LinearConstraint(matrix, least, most), bounds=Bounds(low, high))
    if found.x is None:
        raise QianmoError(f"sharing what is left failed: {found.message}", expected="an optimum", cure="请保留输入并反馈")
    return found.x[:width]


def _with_gain(
    model: Model, chosen: np.ndarray, matrix: csr_array, least: np.ndarray, most: np.ndarray, given: np.ndarray, at: dict[str, int]
) -> tuple[csr_array, np.ndarray, np.ndarray]:
    """Rows that make the new last column the least relative gain over the value that is due."""
    taken = np.flatnonzero(chosen[at["option"] : at["land"]] > 0.5)
    due = _due(model, taken)
    rows = []
    for n, need in zip(taken, due):
        row = np.zeros(len(given) + 1)
        for kind in ("land", "equity", "out", "in"):
            row[at[kind] + n] = given[at[kind] + n]
        row[-1] = -need if model.options[n].mode != "transfer" else 0.0
        rows.append(row)
    wide = hstack([matrix, csr_array((matrix.shape[0], 1))])
    return vstack([wide, csr_array(np.array(rows))]).tocsr(), np.concatenate([least, due]), np.concatenate([most, np.full(len(due), np.inf)])


def _due(model: Model, taken: np.ndarray) -> np.ndarray:
    """What is due to each option taken, read from the limit of its cash. [10,000 yuan]"""
    return model.upper[model.column["out"] + taken]
