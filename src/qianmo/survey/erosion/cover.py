"""Cover factor B, tillage and engineering factors of the soil-loss equations (植被与措施因子)."""

from __future__ import annotations

import numpy as np

from qianmo.schema.errors import SchemaError

__all__ = ["cover_factor", "weighted_over_year"]


def cover_factor(cover_percent: np.ndarray) -> np.ndarray:
    """Factor of vegetation from its cover in percent: 1 at 0, 0.6508 − 0.3436·lg c, 0 from 78.3 on (植被覆盖因子).

    Raises
    ------
    SchemaError
        Cover outside 0 to 100: a fraction in place of percent is not told apart from sparse cover, so give percent.

    References
    ----------
    .. [1] 蔡崇法等, 水土保持学报, 2000, 14(2): 19-24.
    """
    c = np.asarray(cover_percent, dtype=float)
    bad = np.flatnonzero((c < 0) | (c > 100))
    if len(bad):
        raise SchemaError(f"植被盖度 {c.ravel()[bad[:5]].tolist()}", expected="0 至 100 (百分数)")
    with np.errstate(divide="ignore"):
        middle = 0.6508 - 0.3436 * np.log10(np.maximum(c, 1e-300))
    found = np.where(c == 0, 1.0, np.where(c >= 78.3, 0.0, np.clip(middle, 0.0, 1.0)))
    return np.where(np.isfinite(c), found, np.nan)


def weighted_over_year(factors: np.ndarray, erosivity: np.ndarray) -> np.ndarray:
    """Factor of the year: those of its parts weighted with their erosivity (按降雨侵蚀力加权).

    Parameters
    ----------
    factors : ndarray (k, …)
        Factor of each part of the year.
    erosivity : ndarray (k,)
        R of each part, at least 0, not all 0.

    Raises
    ------
    SchemaError
        Lengths differ, or no erosivity.
    """
    f, r = np.asarray(factors, dtype=float), np.asarray(erosivity, dtype=float)
    if f.shape[:1] != r.shape or not (r >= 0).all() or r.sum() <= 0:
        raise SchemaError(f"分期因子 {f.shape}, 侵蚀力 {r.shape}", expected="期数一致, 侵蚀力不小于 0 且合计大于 0")
    return np.tensordot(r / r.sum(), f, axes=1)
