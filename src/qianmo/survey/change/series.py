"""Series of images: seasonal model with gaps, filling, monitoring by EWMA, CUSUM and repeats (时序变化检测)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit, prange

from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.survey.change.lanes import LANES, packed_products, solve_lanes

__all__ = ["Alarm", "SeasonalModel", "checked_series", "filled", "fit_season", "monitor", "season_design"]

_DAYS_A_YEAR = 365.2425


@dataclass(frozen=True)
class SeasonalModel:
    """Constant, trend and harmonics of every pixel (季节模型).

    Attributes
    ----------
    coefficients : ndarray (k, n)
        nan where too few clear dates.
    sigma : ndarray (n,)
        Standard deviation of the residuals of the fit.
    clear : ndarray (n,), int
        Clear dates used.
    order, trend
        As fitted.
    """

    coefficients: np.ndarray
    sigma: np.ndarray
    clear: np.ndarray
    order: int
    trend: bool


@dataclass(frozen=True)
class Alarm:
    """What monitoring found (告警).

    Attributes
    ----------
    date_index : ndarray (n,), int
        Date of the first alarm that was later kept up, −1 where none.
    direction : ndarray (n,), int8
        1 above the season, −1 below, 0 none.
    repeats : ndarray (n,), int16
        Clear dates in a row beyond the limit, the alarm's date included.
    confidence : ndarray (n,), float
        0 none; 1 − 2^(−repeats): grows with every repeat.
    confirmed_index : ndarray (n,), int
        Date on which the alarm was sure not to be withdrawn, at or after `date_index`; −1 where none or not yet. Delays are
        counted to this date: nobody knew before.
    """

    date_index: np.ndarray
    direction: np.ndarray
    repeats: np.ndarray
    confidence: np.ndarray
    confirmed_index: np.ndarray


def season_design(days: np.ndarray, *, order: int = 2, trend: bool = True) -> np.ndarray:
    """Columns constant, years since the first day (if `trend`), cos and sin of each harmonic: (d, k) (季节模型设计矩阵)."""
    t = np.asarray(days, dtype=float)
    turn = 2.0 * np.pi * t / _DAYS_A_YEAR
    columns = [np.ones_like(t)] + ([t / _DAYS_A_YEAR] if trend else [])
    for k in range(1, order + 1):
        columns += [np.cos(k * turn), np.sin(k * turn)]
    return np.column_stack(columns)


def fit_season(values: np.ndarray, days: np.ndarray, *, order: int = 2, trend: bool = True, passes: int = 2, clip: float = 3.0) -> SeasonalModel:
    """Least squares of the seasonal model, pixel by pixel, with gaps; outliers are left out and the fit repeated (季节模型拟合).

    Parameters
    ----------
    values : ndarray (d, n), float
        A vegetation index or a band; nan = cloud or no data.
    days : ndarray (d,)
        Days since a common date, rising.
    order : int
        Harmonics, 0 to 5.
    trend : bool
        A straight trend as well; leave it out for short histories.
    passes : int
        Fits; after each but the last, dates beyond `clip` standard deviations are left out.
    clip : float

    Returns
    -------
    SeasonalModel
        Pixels with fewer clear dates than unknowns plus three have nan.

    Raises
    ------
    SchemaError
        Shapes or days that do not fit, or an order out of range.
    MissingDataError
        Fewer dates than unknowns plus three.
    """
    if passes < 1:
        raise SchemaError(f"拟合 {passes} 次", expected="至少 1 次")
    y, design = checked_series(values, days, order=order, trend=trend)
    coefficients, sigma, clear = _fitted(y, design, packed_products(design), passes, clip)
    return SeasonalModel(coefficients, sigma, clear, order, trend)


def checked_series(values: np.ndarray, days: np.ndarray, *, order: int, trend: bool) -> tuple[np.ndarray, np.ndarray]:
    """Values in single precision (d, n) and the design (d, k) of a fit that can be done (拟合前检查).

    Raises
    ------
    SchemaError
        Shapes or days that do not fit, or an order out of range.
    MissingDataError
        Fewer dates than unknowns plus three.
    """
    y, t = np.asarray(values), np.asarray(days, dtype=float)
    if y.ndim != 2 or t.shape != (y.shape[0],) or not (np.diff(t) > 0).all() or not 0 <= order <= 5:
        raise SchemaError(f"时序 {y.shape}, 日期 {t.shape}, 阶数 {order}", expected="(日期, 像元), 日期递增, 阶数 0-5")
    design = season_design(t, order=order, trend=trend)
    if len(t) < design.shape[1] + 3:
        raise MissingDataError(f"{len(t)} 期影像", expected=f"至少 {design.shape[1] + 3} 期", cure="降低阶数或补充影像")
    return np.ascontiguousarray(y, dtype=np.float32), design


def filled(values: np.ndarray, days: np.ndarray, model: SeasonalModel) -> np.ndarray:
    """The series with gaps taken from the model (缺测填补); a gap stays where the pixel has no model."""
    expected = season_design(days, order=model.order, trend=model.trend) @ model.coefficients
    return np.where(np.isfinite(values), values, expected)


def monitor(
    values: np.ndarray, days: np.ndarray, model: SeasonalModel, *, method: str = "cusum", limit: float = 5.0, memory: float = 0.3, slack: float = 0.5,
    repeats: int = 3, least_sigma: float = 0.01,
) -> Alarm:
    """Watch new dates against the season (时序监测).

    Parameters
    ----------
    values : ndarray (d, n)
        New dates only; nan = cloud.
    days : ndarray (d,)
        On the time axis of the fit.
    model : SeasonalModel
        Fitted on the stable history.
    method : {"cusum", "ewma", "repeats"}
        CUSUM of standardised residuals with `slack`; their exponential mean with `memory`; or `repeats` clear dates in a row
        beyond the limit.
    limit : float
        CUSUM: decision interval h [standard deviations]; EWMA: standard deviations of the mean; repeats: standard deviations of a date.
    memory : float
        Weight of a new date in the mean, above 0, at most 1.
    slack : float
        k of the CUSUM [standard deviations], not below 0.
    repeats : int
        Dates in a row that confirm, at least 1.
    least_sigma : float
        Floor of the standard deviation: a pixel that fits too well must not alarm at nothing.

    Raises
    ------
    SchemaError
        Unknown method, shapes that do not fit, or settings out of range.
    """  # fmt: skip
    y = np.asarray(values, dtype=float)
    names = ("cusum", "ewma", "repeats")
    if method not in names or y.ndim != 2 or y.shape != (len(days), model.coefficients.shape[1]) or not (limit > 0 and 0 < memory <= 1 and slack >= 0 and repeats >= 1):
        raise SchemaError(f"方法 {method!r}, 时序 {y.shape}, 阈值 {limit}", expected=f"{', '.join(names)}; (日期, 像元); 阈值大于 0")
    expected = season_design(days, order=model.order, trend=model.trend) @ model.coefficients
    score = (y - expected) / np.maximum(model.sigma, least_sigma)
    at, way, run, sure = _watched(np.ascontiguousarray(score.T), names.index(method), limit, memory, slack, repeats)
    return Alarm(at, way, run, np.where(at >= 0, 1.0 - 0.5 ** np.maximum(run, 1).astype(float), 0.0), sure)


@njit(cache=True, parallel=True)
def _fitted(y, design, products, passes, clip):
    """Normal equations of sixteen pixels at a time; `products` are those of the columns of the design, packed by rows."""
    dates, n = y.shape
    k, packed = design.shape[1], products.shape[1]
    coefficients, sigma, clear = np.full((k, n), np.nan), np.full(n, np.nan), np.zeros(n, np.int32)
    for block in prange((n + LANES - 1) // LANES):
        first = block * LANES
        here = min(LANES, n - first)
        use, z, left = np.zeros((dates, LANES)), np.zeros((dates, LANES)), np.zeros((dates, LANES))
        whole, whole_right, total, count = np.zeros((packed, LANES)), np.zeros((k, LANES)), np.empty(LANES), np.zeros(LANES)
        normal, right = np.empty((packed, LANES)), np.empty((k, LANES))
        good = np.ones(LANES, np.bool_)
        for d in range(dates):
            for w in range(here):
                if abs(y[d, first + w]) < np.inf:
                    use[d, w], z[d, w] = 1.0, y[d, first + w]
            for j in range(packed):
                for w in range(LANES):
                    whole[j, w] += products[d, j] * use[d, w]
            for j in range(k):
                for w in range(LANES):
                    whole_right[j, w] += design[d, j] * z[d, w]
            for w in range(LANES):
                count[w] += use[d, w]
        for turn in range(passes):
            normal[:], right[:], total[:] = whole, whole_right, 0.0
            solve_lanes(normal, right, count, good)
            for d in range(dates):
                for w in range(LANES):
                    left[d, w] = z[d, w]
                for j in range(k):
                    for w in range(LANES):
                        left[d, w] -= design[d, j] * right[j, w]
                for w in range(LANES):
                    total[w] += use[d, w] * left[d, w] * left[d, w]
            for w in range(LANES):
                total[w] = np.sqrt(total[w] / max(count[w] - k, 1.0))
            if turn == passes - 1 or not _dropped(left, use, z, clip, total, good, design, products, whole, whole_right, count):
                break
        for w in range(here):
            clear[first + w] = int(count[w])
            if good[w]:
                sigma[first + w] = total[w]
                for j in range(k):
                    coefficients[j, first + w] = right[j, w]
    return coefficients, sigma, clear


@njit(cache=True)
def _dropped(left, use, z, clip, sigma, good, design, products, whole, right, count):
    """Take what lies beyond `clip` standard deviations out of the sums; False where nothing does."""
    found = False
    for d in range(left.shape[0]):
        for w in range(LANES):
            if use[d, w] > 0.0 and good[w] and abs(left[d, w]) > clip * sigma[w]:
                found = True
                use[d, w] = 0.0
                count[w] -= 1.0
                for j in range(products.shape[1]):
                    whole[j, w] -= products[d, j]
                for j in range(design.shape[1]):
                    right[j, w] -= design[d, j] * z[d, w]
    return found


@njit(cache=True, parallel=True)
def _watched(score, method, limit, memory, slack, repeats):
    n, dates = score.shape
    at, way, run, sure = np.full(n, -1, np.int32), np.zeros(n, np.int8), np.zeros(n, np.int16), np.full(n, -1, np.int32)
    for p in prange(n):
        high = low = mean = spread = 0.0
        first_high = first_low = -1
        streak, sign, started = 0, 0, -1
        for d in range(dates):
            s = score[p, d]
            if not abs(s) < np.inf:
                continue
            fired, new = 0, -1
            if method == 0:
                high, low = max(0.0, high + s - slack), max(0.0, low - s - slack)
                first_high = -1 if high == 0.0 else (d if first_high < 0 else first_high)
                first_low = -1 if low == 0.0 else (d if first_low < 0 else first_low)
                fired, new = (1, first_high) if high > limit else ((-1, first_low) if low > limit else (0, -1))
            elif method == 1:
                mean = memory * s + (1 - memory) * mean
                spread = memory**2 + (1 - memory) ** 2 * spread
                fired = 1 if mean > limit * np.sqrt(spread) else (-1 if mean < -limit * np.sqrt(spread) else 0)
                new = d
            else:
                here = 1 if s > limit else (-1 if s < -limit else 0)
                if here == 0 or here != sign:
                    streak, started = 0, d
                sign = here
                if here != 0:
                    streak += 1
                    fired, new = (here, started) if streak >= repeats else (0, -1)
            if fired != 0 and fired == way[p] and at[p] >= 0:
                run[p] += 1
            elif fired != 0:
                at[p], way[p], run[p], sure[p] = new, fired, streak if method == 2 else 1, -1
            elif at[p] >= 0 and run[p] < repeats:
                at[p], way[p], run[p] = -1, 0, 0  # not kept up: no alarm
            if at[p] >= 0 and run[p] >= repeats and sure[p] < 0:
                sure[p] = d
    return at, way, run, sure
