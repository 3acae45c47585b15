"""Where change begins: thresholds of a strength, small patches removed (阈值与最小图斑)."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import label

from qianmo.schema.errors import MissingDataError, SchemaError

__all__ = ["change_chance", "larger_patches", "otsu_threshold"]


def otsu_threshold(strength: np.ndarray, *, clip: float = 0.995, bins: int = 256) -> float:
    """Threshold that best splits a histogram in two (大津阈值).

    Parameters
    ----------
    strength : ndarray, any shape
        nan is left out.
    clip : float
        Quantile above which values count as this quantile: a few extremes must not stretch the histogram. 0.5 to 1.
    bins : int

    Raises
    ------
    MissingDataError
        No finite value, or all are equal.
    SchemaError
        Clip out of range.

    References
    ----------
    .. [1] N. Otsu, IEEE Transactions on Systems, Man, and Cybernetics, vol. 9, pp. 62-66, 1979.
    """
    if not 0.5 <= clip <= 1.0:
        raise SchemaError(f"截断分位 {clip}", expected="0.5 至 1")
    v = np.asarray(strength, dtype=float)
    v = v[np.isfinite(v)]
    if not len(v) or v.min() == v.max():
        raise MissingDataError("变化强度没有差异", expected="至少两个不同的有限值")
    v = np.minimum(v, np.quantile(v, clip))
    count, edge = np.histogram(v, bins)
    middle = (edge[:-1] + edge[1:]) / 2
    below, total = np.cumsum(count), count.sum()
    mass = np.cumsum(count * middle)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (mass[-1] * below / total - mass) ** 2 / (below * (total - below))
    return float(middle[int(np.nanargmax(between[:-1]))])


def change_chance(strength: np.ndarray, *, limit: float, rounds: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Probability of change by strength, from two overlapping hills in its histogram (变化后验概率).

    The logarithm of the strength is taken as a mixture of two normal laws that starts from the split at `limit`; the
    posterior is made to rise with the strength, so that the tail of the wider law below the narrower one is not change.

    Parameters
    ----------
    strength : ndarray, any shape
        From 0; nan is left out. A sample of the scene is enough.
    limit : float
        Where the two hills are split at first, above 0.
    rounds : int
        Most iterations.

    Returns
    -------
    at, chance : ndarray (256,), float
        Strengths, rising, and the probability of change at each, 0 to 1, never falling; interpolate between.

    Raises
    ------
    MissingDataError
        Fewer than ten values on a side of the limit: there is nothing to learn from.

    References
    ----------
    .. [1] L. Bruzzone and D. Fernandez Prieto, IEEE Transactions on Geoscience and Remote Sensing, vol. 38,
       pp. 1171-1182, 2000.
    """
    v = np.asarray(strength, dtype=float)
    v = v[np.isfinite(v)]
    high = v > limit
    if min(high.sum(), (~high).sum()) < 10:
        raise MissingDataError(f"阈值 {limit:g} 以上 {int(high.sum())} 个值, 以下 {int((~high).sum())} 个", expected="两侧各至少 10 个")
    z = np.log(np.maximum(v, 1e-6))
    count, edge = np.histogram(z, 512)
    z = (edge[:-1] + edge[1:]) / 2
    share = (z > np.log(limit)).astype(float)
    for _ in range(rounds):
        laws = [_law(z, count * w) for w in (1.0 - share, share)]
        quiet, loud = (p * np.exp(-0.5 * ((z - m) / s) ** 2) / s for p, m, s in laws)
        new = loud / np.maximum(quiet + loud, 1e-300)
        if np.abs(new - share).max() < 1e-6:
            break
        share = new
    share = np.where(z <= laws[0][1], 0.0, share)
    at = np.exp(z[::2])
    return at, np.maximum.accumulate(share)[::2]


def _law(z: np.ndarray, weight: np.ndarray) -> tuple[float, float, float]:
    total = max(float(weight.sum()), 1e-12)
    mean = float(weight @ z) / total
    return total, mean, max(float(np.sqrt(weight @ (z - mean) ** 2 / total)), 1e-3)


def larger_patches(changed: np.ndarray, *, least_cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Patches of change that reach the minimum mapping unit, and those that do not (最小上图图斑).

    Parameters
    ----------
    changed : ndarray (y, x), bool
    least_cells : int
        Cells of the minimum mapping unit, at least 1.

    Returns
    -------
    kept, small : ndarray (y, x), bool
        Together they are `changed`: small change is listed, not lost.

    Raises
    ------
    SchemaError
        `least_cells` below 1.
    """
    if least_cells < 1:
        raise SchemaError(f"最小图斑 {least_cells} 像元", expected="至少 1")
    named, count = label(changed, structure=np.ones((3, 3)))
    size = np.bincount(named.ravel(), minlength=count + 1)
    size[0] = 0
    kept = size[named] >= least_cells
    return kept, np.asarray(changed, dtype=bool) & ~kept
