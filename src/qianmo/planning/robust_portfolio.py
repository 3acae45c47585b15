"""Shares of land uses that do least badly in the worst case over indicators and uncertain scenarios (稳健用地组合)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.optimize import linprog

from qianmo.schema.errors import QianmoError, SchemaError

__all__ = ["Portfolio", "normalised_shortfalls", "robust_portfolio", "worst_shortfall"]

MOST_USES = 16
"""Beyond this the 2**K scenarios of an indicator no longer fit into memory."""


@dataclass(frozen=True)
class Portfolio:
    """Shares of the uses (K,), summing to 1, and the largest normalised shortfall `beta` from 0 to 1 (用地组合)."""

    shares: np.ndarray
    beta: float


def normalised_shortfalls(
    mean: np.ndarray, error: np.ndarray, more_is_better: np.ndarray, *, deviations: float
) -> np.ndarray:
    r"""How far each use falls short of the best use, in every scenario of every indicator (归一化差距).

    Parameters
    ----------
    mean, error : (K, I) float
        Expectation and standard error of each use in each indicator. [unit of the indicator]
    more_is_better : (I,) bool
    deviations : float
        Standard errors by which a use is worsened in a scenario, at least 0.

    Returns
    -------
    (I * 2**K, K) float
        From 0 (the best use of the scenario) to 1 (the worst). Scenarios in which all uses are equal tell nothing and are all 0.

    Raises
    ------
    SchemaError
        Shapes do not fit, a number is missing, an error is negative, or there are more than 16 uses.

    Notes
    -----
    In scenario :math:`s` each use is at its expectation or worsened: :math:`v_k = \mu_k \mp s_k u \sigma_k`. The shortfall is
    :math:`(v_{max} - v_k) / (v_{max} - v_{min})` where more is better, and turned round where less is, as in [1]_.

    References
    ----------
    .. [1] E. Gosling et al., A goal programming approach to evaluate agroforestry systems in Eastern Panama, Journal of
       Environmental Management, vol. 261, 2020.
    """
    mean, error, more = np.asarray(mean, float), np.asarray(error, float), np.asarray(more_is_better, bool)
    _refuse(mean, error, more, deviations)
    worsened = np.array(list(product((0.0, 1.0), repeat=len(mean))))
    parts = []
    for k in range(mean.shape[1]):
        sign = 1.0 if more[k] else -1.0
        value = sign * mean[:, k] - worsened * deviations * error[:, k]
        top, low = value.max(axis=1, keepdims=True), value.min(axis=1, keepdims=True)
        parts.append(np.divide(top - value, top - low, out=np.zeros_like(value), where=top > low))
    return np.concatenate(parts)


def robust_portfolio(
    mean: np.ndarray, error: np.ndarray, more_is_better: np.ndarray, *, deviations: float = 2.0,
    least: np.ndarray | None = None, most: np.ndarray | None = None,
) -> Portfolio:  # fmt: skip
    """Shares that make the largest normalised shortfall least, by a linear program (稳健用地组合).

    Parameters
    ----------
    mean, error, more_is_better, deviations
        As in `normalised_shortfalls`.
    least, most : (K,) float, optional
        Bounds on the shares, 0 and 1 by default. [1]

    Raises
    ------
    SchemaError
        As `normalised_shortfalls`, or bounds that no shares obey.
    """
    short = normalised_shortfalls(mean, error, more_is_better, deviations=deviations)
    count = short.shape[1]
    low = np.zeros(count) if least is None else np.asarray(least, float)
    high = np.ones(count) if most is None else np.asarray(most, float)
    if not ((low <= high).all() and (low >= 0).all() and low.sum() - 1e-9 <= 1.0 <= high.sum() + 1e-9):
        raise SchemaError(f"shares from {low.tolist()} to {high.tolist()} cannot sum to 1", expected="0 <= least <= most")
    found = linprog(
        np.append(np.zeros(count), 1.0),
        A_ub=np.hstack([short, -np.ones((len(short), 1))]), b_ub=np.zeros(len(short)),
        A_eq=np.append(np.ones(count), 0.0)[None, :], b_eq=[1.0],
        bounds=[*zip(low, high), (0.0, None)], method="highs",
    )  # fmt: skip
    if found.x is None:
        raise QianmoError(f"the linear program stopped with {found.message!r}", cure="check the numbers (检查输入)")
    return Portfolio(np.clip(found.x[:count], 0.0, 1.0), float(found.x[count]))


def worst_shortfall(
    shares: np.ndarray, mean: np.ndarray, error: np.ndarray, more_is_better: np.ndarray, *, deviations: float = 2.0
) -> float:
    """Largest normalised shortfall of given shares, from 0 to 1 (最大归一化差距).

    Raises
    ------
    SchemaError
        As `normalised_shortfalls`, or shares that are negative or do not sum to 1.
    """
    given = np.asarray(shares, float)
    if given.shape != (len(mean),) or not (given >= 0).all() or abs(given.sum() - 1.0) > 1e-6:
        raise SchemaError(f"shares {given.tolist()}", expected=f"{len(mean)} shares of at least 0 that sum to 1")
    return float((normalised_shortfalls(mean, error, more_is_better, deviations=deviations) @ given).max())


def _refuse(mean: np.ndarray, error: np.ndarray, more: np.ndarray, deviations: float) -> None:
    if mean.ndim != 2 or error.shape != mean.shape or more.shape != mean.shape[1:]:
        raise SchemaError(f"shapes {mean.shape}, {error.shape}, {more.shape}", expected="(K, I), (K, I), (I,)")
    if len(mean) > MOST_USES:
        raise SchemaError(f"{len(mean)} uses", expected=f"at most {MOST_USES}")
    wrong = ~np.isfinite(mean) | ~np.isfinite(error) | (error < 0)
    if wrong.any() or not deviations >= 0:
        rows = np.argwhere(wrong)[:5].tolist()
        raise SchemaError(f"numbers missing or negative errors at (use, indicator) {rows}; deviations {deviations}")
