"""Stable history by reversed CUSUM of recursive residuals, and a fit that outliers do not bend (稳定历史期与抗差拟合)."""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from scipy.optimize import brentq
from scipy.special import ndtr

from qianmo.schema.errors import SchemaError
from qianmo.survey.change.lanes import LANES, packed_products, solve_lanes
from qianmo.survey.change.series import SeasonalModel, checked_series, fit_season

__all__ = ["crossing_level", "fit_robust", "fit_stable", "stable_from", "stable_only"]

_BISQUARE = 4.685
"""Residuals beyond so many standard deviations have no weight; 95 % as good as least squares where there are no outliers."""

_NORMAL_QUARTILE = 0.6744897501960817
"""Median of the absolute value of a standard normal number."""


def fit_stable(values: np.ndarray, days: np.ndarray, *, order: int = 2, trend: bool = True, level: float = 0.05) -> tuple[SeasonalModel, np.ndarray]:
    """Least squares of the seasonal model on the stable end of the history, pixel by pixel (稳定历史期拟合).

    Parameters
    ----------
    values, days, order, trend
        As for `fit_season`.
    level : float
        As for `stable_from`.

    Returns
    -------
    (model, first) : SeasonalModel, ndarray (n,) int
        The model, nan where fewer dates than unknowns plus three are stable; and the date that the stable history starts with,
        −1 where nothing could be said.

    Raises
    ------
    SchemaError, MissingDataError
        As `fit_season` and `stable_from`.
    """
    first = stable_from(values, days, order=order, trend=trend, level=level)
    return fit_season(stable_only(values, first), days, order=order, trend=trend, passes=1), first


def stable_only(values: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Values (d, n) from the stable start of each pixel on, nan before it and where the start is −1 (只留稳定期)."""
    late = np.arange(len(values))[:, None] >= first
    return np.where(late & (np.asarray(first) >= 0), values, np.nan)


def stable_from(values: np.ndarray, days: np.ndarray, *, order: int = 2, trend: bool = True, level: float = 0.05) -> np.ndarray:
    r"""Date from which the history of each pixel is stable: reverse-ordered CUSUM (稳定历史期起点).

    The season is fitted backwards from the last date of the history, a date at a time; where the sum of the errors of
    prediction crosses the boundary, something was otherwise before.

    Parameters
    ----------
    values : ndarray (d, n), float
        The history; nan = cloud.
    days : ndarray (d,)
        Rising.
    order, trend
        As for `fit_season`.
    level : float
        Chance that a stable history is cut, 0.001 to 0.2.

    Returns
    -------
    ndarray (n,), int32
        Index of the first clear date of the stable history: the first clear date of all where nothing crosses; −1
        where fewer clear dates than unknowns plus three.

    Raises
    ------
    SchemaError
        A level out of range, or as `checked_series`.
    MissingDataError
        As `checked_series`.

    Notes
    -----
    With recursive residuals :math:`w_j` [1]_ of the m clear dates after the first k, backwards, the sums
    :math:`W_j = \sum_{i \le j} w_i / (\hat\sigma\sqrt m)` are compared with :math:`\lambda(1 + 2j/m)`; σ̂ is the standard deviation of w.
    Plane rotations give :math:`w_j` as what is left of the new value once the new row is turned into the triangle of those before,
    so no matrix is inverted. That the history is cut there was proposed by [2]_ and is the default of [3]_.

    References
    ----------
    .. [1] R. L. Brown, J. Durbin and J. M. Evans, Journal of the Royal Statistical Society B, vol. 37, pp. 149-192, 1975.
    .. [2] M. H. Pesaran and A. Timmermann, Journal of Empirical Finance, vol. 9, pp. 495-510, 2002.
    .. [3] J. Verbesselt, A. Zeileis and M. Herold, Remote Sensing of Environment, vol. 123, pp. 98-108, 2012.
    """
    y, design = checked_series(values, days, order=order, trend=trend)
    return _stable(y, design, crossing_level(level))


def crossing_level(level: float) -> float:
    r"""λ at which a Wiener process crosses ±λ(1 + 2t) with this chance before t = 1 (累积和边界系数); 0.948 for 0.05.

    Raises
    ------
    SchemaError
        A level outside 0.001 to 0.2.

    Notes
    -----
    :math:`p = 2[1 - \Phi(3\lambda) + e^{-4\lambda^2}(\Phi(\lambda) + \Phi(5\lambda) - 1) - e^{-16\lambda^2}(1 - \Phi(\lambda))]`, A. Zeileis, Computational Statistics
    & Data Analysis, vol. 45, pp. 291-309, 2004.
    """
    if not 0.001 <= level <= 0.2:
        raise SchemaError(f"水平 {level:g}", expected="0.001 至 0.2")

    def chance(x: float) -> float:
        return float(2 * (1 - ndtr(3 * x) + np.exp(-4 * x**2) * (ndtr(x) + ndtr(5 * x) - 1) - np.exp(-16 * x**2) * (1 - ndtr(x))))

    return float(brentq(lambda x: chance(x) - level, 0.4, 4.0, xtol=1e-14))


def fit_robust(values: np.ndarray, days: np.ndarray, *, order: int = 2, trend: bool = True, rounds: int = 20, near: float = 1e-3) -> SeasonalModel:
    r"""Seasonal model by iteratively reweighted least squares with Tukey's bisquare (抗差季节模型拟合).

    Parameters
    ----------
    values, days, order, trend
        As for `fit_season`.
    rounds : int
        Fits at most, at least 1.
    near : float
        Rounds end where no coefficient moves by more than `near` standard deviations.

    Returns
    -------
    SeasonalModel
        `sigma` is the robust scale: the median absolute residual over 0.6745. Undisclosed clouds and shadows of up to
        about a third of the dates hardly move it; the model is nan as in `fit_season`.

    Raises
    ------
    SchemaError
        `rounds` below 1, or as `checked_series`.
    MissingDataError
        As `checked_series`.

    Notes
    -----
    Weights :math:`w = (1 - (r / 4.685 s)^2)^2`, 0 beyond; s anew from every fit; the first fit is least squares. A. E. Beaton and J. W. Tukey,
    Technometrics, vol. 16, pp. 147-185, 1974; P. J. Huber, Robust Statistics, 1981.
    """
    if rounds < 1 or not near > 0:
        raise SchemaError(f"迭代 {rounds} 次, 收敛界限 {near:g}", expected="至少 1 次, 大于 0")
    y, design = checked_series(values, days, order=order, trend=trend)
    coefficients, sigma, clear = _robust(y, design, packed_products(design), rounds, near, _BISQUARE, _NORMAL_QUARTILE)
    return SeasonalModel(coefficients, sigma, clear, order, trend)


@njit(cache=True, parallel=True)
def _stable(y, design, critical):
    dates, n = y.shape
    k = design.shape[1]
    first = np.full(n, -1, np.int32)
    for p in prange(n):
        triangle, row, at = np.zeros((k, k + 1)), np.empty(k + 1), np.empty(dates, np.int64)
        error = np.empty(dates)
        count = 0
        for d in range(dates - 1, -1, -1):
            if abs(y[d, p]) < np.inf:
                at[count] = d
                row[:k], row[k] = design[d], y[d, p]
                for i in range(k):  # turn the row into the triangle; what is left of the value is the recursive residual
                    if row[i] != 0.0:
                        length = np.sqrt(triangle[i, i] ** 2 + row[i] ** 2)
                        c, s = triangle[i, i] / length, row[i] / length
                        for j in range(i, k + 1):
                            above, here = triangle[i, j], row[j]
                            triangle[i, j], row[j] = c * above + s * here, c * here - s * above
                error[count] = row[k]
                count += 1
        if count < k + 3:
            continue
        m = count - k
        mean, spread, total = 0.0, 0.0, 0.0
        for j in range(k, count):
            mean += error[j] / m
        for j in range(k, count):
            spread += (error[j] - mean) ** 2 / (m - 1)
        first[p] = at[count - 1]
        for j in range(1, m + 1):
            total += error[k + j - 1]
            if abs(total) > critical * (1.0 + 2.0 * j / m) * np.sqrt(spread * m):
                first[p] = at[k + j - 2]
                break
    return first


@njit(cache=True, parallel=True)
def _robust(y, design, products, rounds, near, tuning, quartile):
    dates, n = y.shape
    k, packed = design.shape[1], products.shape[1]
    coefficients, sigma, clear = np.full((k, n), np.nan), np.full(n, np.nan), np.zeros(n, np.int32)
    for block in prange((n + LANES - 1) // LANES):
        first = block * LANES
        here = min(LANES, n - first)
        weight, z, left = np.zeros((dates, LANES)), np.zeros((dates, LANES)), np.zeros((dates, LANES))
        seen, sizes = np.zeros((dates, LANES), np.bool_), np.empty(dates)
        normal, right, last = np.empty((packed, LANES)), np.empty((k, LANES)), np.zeros((k, LANES))
        count, scale, good = np.zeros(LANES), np.ones(LANES), np.ones(LANES, np.bool_)
        for d in range(dates):
            for w in range(here):
                if abs(y[d, first + w]) < np.inf:
                    seen[d, w], weight[d, w], z[d, w] = True, 1.0, y[d, first + w]
                    count[w] += 1.0
        for turn in range(rounds):
            normal[:], right[:] = 0.0, 0.0
            for d in range(dates):
                for j in range(packed):
                    for w in range(LANES):
                        normal[j, w] += products[d, j] * weight[d, w]
                for j in range(k):
                    for w in range(LANES):
                        right[j, w] += design[d, j] * weight[d, w] * z[d, w]
            solve_lanes(normal, right, count, good)
            for d in range(dates):
                for w in range(LANES):
                    left[d, w] = z[d, w]
                for j in range(k):
                    for w in range(LANES):
                        left[d, w] -= design[d, j] * right[j, w]
            moved = False
            for w in range(here):
                if good[w]:
                    for j in range(k):
                        moved = moved or abs(right[j, w] - last[j, w]) > near * scale[w]
                    size = 0
                    for d in range(dates):
                        if seen[d, w]:
                            sizes[size] = abs(left[d, w])
                            size += 1
                    scale[w] = max(_middle(sizes, size) / quartile, 1e-9)
            last[:] = right
            if not moved and turn > 0:
                break
            for d in range(dates):
                for w in range(LANES):
                    far = left[d, w] / (tuning * scale[w])
                    weight[d, w] = (1.0 - far * far) ** 2 if seen[d, w] and abs(far) < 1.0 else 0.0
        for w in range(here):
            clear[first + w] = int(count[w])
            if good[w]:
                sigma[first + w] = scale[w]
                for j in range(k):
                    coefficients[j, first + w] = last[j, w]
    return coefficients, sigma, clear


@njit(cache=True)
def _middle(values, size):
    """Median of the first `size` values, which are put in another order."""
    half = size // 2
    upper = _ranked(values, size, half)
    if size % 2 == 1:
        return upper
    lower = values[0]
    for i in range(1, half):
        lower = max(lower, values[i])
    return 0.5 * (lower + upper)


@njit(cache=True)
def _ranked(values, size, rank):
    """The value of this rank, in its place, smaller ones before it (Hoare's quickselect)."""
    low, high = 0, size - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if rank <= j:
            high = j
        elif rank >= i:
            low = i
        else:
            break
    return values[rank]
