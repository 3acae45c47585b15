"""Moving sums of residuals against a boundary of known level: the monitor of BFAST (滑动和监测)."""

from __future__ import annotations

from functools import cache

import numpy as np

from qianmo.schema.errors import RuleError, SchemaError
from qianmo.schema.shipped import shipped_rows
from qianmo.survey.change.series import Alarm, SeasonalModel, season_design

__all__ = ["boundary", "critical_value", "moving_sums", "mosum_monitor"]


def mosum_monitor(
    values: np.ndarray, days: np.ndarray, model: SeasonalModel, *, history: int, window: float = 0.25, level: float = 0.05, least_sigma: float = 0.01, critical: float | None = None,
) -> Alarm:
    r"""Watch new dates by moving sums of the residuals of the seasonal model (BFAST 型监测).

    Parameters
    ----------
    values : ndarray (d, n)
        All dates, those of the history first; nan = cloud.
    days : ndarray (d,)
        On the time axis of the fit, rising.
    model : SeasonalModel
        Fitted on the first `history` dates.
    history : int
        Dates of the stable history, at least 1, below d.
    window : float
        Share h of the clear dates of the history in a sum: 0.25, 0.5 or 1.
    level : float
        Chance that a quiet series ever alarms: 0.1, 0.05 or 0.01.
    least_sigma : float
        Floor of the standard deviation.
    critical : float, optional
        λ itself in place of the one simulated for window, level and length, as to follow another program's table.

    Returns
    -------
    Alarm
        The first crossing; `direction` is that of the sum there, `repeats` counts clear dates in a
        row beyond the boundary from the crossing on, `confidence` is 1 − 2^(−repeats).

    Raises
    ------
    SchemaError
        Shapes that do not fit, or no dates to watch.
    RuleError
        No critical value for window, level and length.

    Notes
    -----
    With residuals :math:`e` of the n clear dates of the history and those after, the sums :math:`M_k = \frac{1}{\hat\sigma\sqrt n}\sum_{i=k-\lfloor hn\rfloor+1}^{k} e_i` are
    compared with :math:`\lambda\sqrt{\log_+(k/n)}`, log₊ being 1 up to e [1]_, [2]_. λ is simulated (``mosum_critical.csv``).

    References
    ----------
    .. [1] C.-S. J. Chu, M. Stinchcombe and H. White, Econometrica, vol. 64, pp. 1045-1065, 1996.
    .. [2] J. Verbesselt, A. Zeileis and M. Herold, Remote Sensing of Environment, vol. 123, pp. 98-108, 2012.
    """  # fmt: skip
    y, t = np.asarray(values, dtype=float), np.asarray(days, dtype=float)
    if y.ndim != 2 or t.shape != (len(y),) or y.shape[1] != model.coefficients.shape[1] or not 0 < history < len(y) or not (np.diff(t) > 0).all():
        raise SchemaError(f"时序 {y.shape}, 日期 {t.shape}, 历史期 {history} 期", expected="(日期, 像元), 日期递增, 历史期之后还有日期")
    left = y - season_design(t, order=model.order, trend=model.trend) @ model.coefficients
    sums, ratio = moving_sums(left / np.maximum(model.sigma, least_sigma), history=history, window=window)
    limit = _critical_of_each(window, level, ratio) if critical is None else np.float64(critical)
    beyond = np.abs(sums) > boundary(ratio, limit)
    return _alarms(sums, beyond, np.isfinite(sums))


def moving_sums(score: np.ndarray, *, history: int, window: float) -> tuple[np.ndarray, np.ndarray]:
    """Moving sums of standardised residuals over clear dates, and clear dates so far over those of the history (滑动和).

    Returns
    -------
    (sums, ratio) : two ndarray (d − history, n)
        nan where a date is not clear, or the history has fewer than 2 / `window` clear dates.
    """
    seen = np.isfinite(score)
    count = np.cumsum(seen, axis=0)
    n = count[history - 1]
    width = np.floor(window * n + 1e-9).astype(int)
    order = np.argsort(~seen, axis=0, kind="stable")
    packed = np.take_along_axis(np.where(seen, score, 0.0), order, axis=0)
    total = np.vstack([np.zeros((1, score.shape[1])), np.cumsum(packed, axis=0)])
    at = count[history:]
    with np.errstate(invalid="ignore", divide="ignore"):
        sums = (np.take_along_axis(total, at, axis=0) - np.take_along_axis(total, np.maximum(at - width, 0), axis=0)) / np.sqrt(n)
        ratio = at / n
    known = seen[history:] & (width >= 2)
    return np.where(known, sums, np.nan), np.where(known, ratio, np.nan)


def boundary(ratio: np.ndarray, critical: float | np.ndarray) -> np.ndarray:
    """λ·√log₊(k/n) (监测边界); rises from λ once the series is e times the history."""
    return critical * np.sqrt(np.maximum(np.log(np.where(np.isfinite(ratio), ratio, 1.0)), 1.0))


def critical_value(window: float, level: float, ratio: float) -> float:
    """λ for a window, a level and a series at most so many times the history, the next longer of the table (临界值).

    Raises
    ------
    RuleError
        Not in the table.
    """
    found = [value for (h, longest, p), value in sorted(_table().items()) if h == window and p == level and longest >= ratio - 1e-9]
    if not found:
        raise RuleError(f"滑动和临界值: 窗 {window:g}, 水平 {level:g}, 全长为历史期的 {ratio:.1f} 倍", expected="窗 0.25, 0.5 或 1; 水平 0.1, 0.05 或 0.01; 至多 10 倍", cure="延长历史期")
    return found[0]


def _critical_of_each(window: float, level: float, ratio: np.ndarray) -> np.ndarray:
    """λ of each column by its own length, (n,): it does not depend on which series are watched together."""
    longest = np.max(np.where(np.isfinite(ratio), ratio, 1.0), axis=0)
    kinds, at = np.unique(np.round(longest, 9), return_inverse=True)
    return np.array([critical_value(window, level, float(k)) for k in kinds])[at]


@cache
def _table() -> dict[tuple[float, float, float], float]:
    return {(float(r["window"]), float(r["horizon"]), float(r["level"])): float(r["value"]) for r in shipped_rows("parameters", "mosum_critical")}


def _alarms(sums: np.ndarray, beyond: np.ndarray, seen: np.ndarray) -> Alarm:
    """First crossing of each column, its sign, and clear dates in a row beyond from there."""
    beyond = beyond & seen
    first = np.where(beyond.any(axis=0), beyond.argmax(axis=0), -1)
    rows = np.arange(len(sums))[:, None]
    after = rows >= np.maximum(first, 0)
    ended = np.cumsum(seen & ~beyond & after, axis=0) > 0
    repeats = np.where(first >= 0, (beyond & after & ~ended).sum(axis=0), 0)
    sign = np.sign(np.nan_to_num(sums[np.maximum(first, 0), np.arange(sums.shape[1])]))
    way = np.where(first >= 0, sign, 0).astype(np.int8)
    return Alarm(first.astype(np.int32), way, repeats.astype(np.int16), np.where(first >= 0, 1.0 - 0.5**repeats, 0.0), first.astype(np.int32))
