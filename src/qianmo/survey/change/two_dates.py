"""How much each pixel changed between two images: CVA, IR-MAD, PCA with two means (双时相变化检测)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.cluster.vq import kmeans2
from scipy.linalg import eigh
from scipy.ndimage import uniform_filter
from scipy.stats import chi2

from qianmo.schema.errors import MissingDataError, SchemaError

__all__ = ["Difference", "change_vector", "irmad", "pca_two_means"]


@dataclass(frozen=True)
class Difference:
    """Change of every pixel (变化强度).

    Attributes
    ----------
    strength : ndarray (y, x)
        Larger = changed more; nan where a date has no data.
    no_change : ndarray (y, x) or None
        Probability of no change under the detector's model, where it has one.
    rounds : int
        Iterations used.
    """

    strength: np.ndarray
    no_change: np.ndarray | None
    rounds: int


def change_vector(before: np.ndarray, after: np.ndarray, *, valid: np.ndarray | None = None) -> Difference:
    """Length of the change vector of standardised bands (变化向量分析 CVA).

    Parameters
    ----------
    before, after : ndarray (bands, y, x)
        Two images of one place, the same bands.
    valid : ndarray (y, x), bool, optional
        Pixels free of cloud and with data at both dates.

    Raises
    ------
    SchemaError
        Images differ in shape, or a band is constant.
    MissingDataError
        Fewer than a hundred valid pixels.
    """
    x, y, good = _pixels(before, after, valid)
    gap = (y - y.mean(axis=0)) / y.std(axis=0) - (x - x.mean(axis=0)) / x.std(axis=0)
    return Difference(_laid(np.sqrt((gap**2).sum(axis=1)), good), None, 1)


def irmad(before: np.ndarray, after: np.ndarray, *, valid: np.ndarray | None = None, rounds: int = 30, tolerance: float = 1e-3) -> Difference:
    """Iteratively reweighted multivariate alteration detection (迭代加权多元变化检测 IR-MAD).

    Parameters
    ----------
    before, after, valid
        As in `change_vector`; different gain and offset of the two images do not matter.
    rounds : int
        Most iterations.
    tolerance : float
        Stop when no canonical correlation moves by more.

    Returns
    -------
    Difference
        `strength` is the root of the chi-square of the differences of canonical variates; `no_change` its upper tail.

    Raises
    ------
    SchemaError, MissingDataError
        As `change_vector`; or bands that are linear in each other.

    References
    ----------
    .. [1] A. A. Nielsen, IEEE Transactions on Image Processing, vol. 16, pp. 463-478, 2007.
    """
    x, y, good = _pixels(before, after, valid)
    bands = x.shape[1]
    weight, last = np.ones(len(x)), np.zeros(bands)
    stat, done = np.zeros(len(x)), 0
    for turn in range(1, rounds + 1):
        done = turn
        total = weight.sum()
        mx, my = weight @ x / total, weight @ y / total
        cx, cy = x - mx, y - my
        sxx, syy, sxy = (cx * weight[:, None]).T @ cx / total, (cy * weight[:, None]).T @ cy / total, (cx * weight[:, None]).T @ cy / total
        try:
            squared, a = eigh(sxy @ np.linalg.solve(syy, sxy.T), sxx)
        except np.linalg.LinAlgError:
            raise SchemaError("波段线性相关, 典型变量无法求解", expected="相互独立的波段", cure="去掉重复或由其他波段算出的波段") from None
        rho = np.sqrt(np.clip(squared, 0.0, 1.0 - 1e-12))
        b = np.linalg.solve(syy, sxy.T @ a) / rho
        a = a / np.sqrt(np.einsum("ij,ik,kj->j", a, sxx, a))
        b = b / np.sqrt(np.einsum("ij,ik,kj->j", b, syy, b))
        b = b * np.sign(np.einsum("ij,ik,kj->j", a, sxy, b))
        stat = (((cx @ a - cy @ b) ** 2) / np.maximum(2.0 * (1.0 - rho), 1e-12)).sum(axis=1)
        weight = chi2.sf(stat, bands)
        if np.abs(rho - last).max() < tolerance:
            break
        last = rho
    return Difference(_laid(np.sqrt(stat), good), _laid(chi2.sf(stat, bands), good), done)


def pca_two_means(before: np.ndarray, after: np.ndarray, *, valid: np.ndarray | None = None, window: int = 5, parts: int = 3, seed: int = 0) -> Difference:
    """Principal components of windows of the difference image, split into two means (PCA-K 均值).

    Parameters
    ----------
    before, after, valid
        As in `change_vector`.
    window : int
        Side of the window that lends a pixel its surroundings, odd.
    parts : int
        Components kept.
    seed : int
        Start of the two means.

    Returns
    -------
    Difference
        `strength` is how much nearer a pixel lies to the mean of change than to that of no change.

    Raises
    ------
    SchemaError
        An even window, or as `change_vector`.

    References
    ----------
    .. [1] T. Celik, IEEE Geoscience and Remote Sensing Letters, vol. 6, pp. 772-776, 2009.
    """
    if window < 1 or window % 2 == 0:
        raise SchemaError(f"窗口 {window}", expected="奇数, 如 5")
    x, y, good = _pixels(before, after, valid)
    gap = np.abs((y - y.mean(axis=0)) / y.std(axis=0) - (x - x.mean(axis=0)) / x.std(axis=0))
    layers = []
    for band in gap.T:
        plane = np.nan_to_num(_laid(band, good))
        share = np.maximum(uniform_filter(good.astype(float), window), 1e-9)
        layers += [plane[good], (uniform_filter(plane, window) / share)[good]]
    stack = np.column_stack(layers)
    stack = (stack - stack.mean(axis=0)) / stack.std(axis=0)
    _, _, axes = np.linalg.svd(stack[:: max(1, len(stack) // 20000)] - stack.mean(axis=0), full_matrices=False)
    seen = stack @ axes[:parts].T
    length = np.sqrt((gap**2).sum(axis=1))
    start = np.stack([seen[length <= np.median(length)].mean(axis=0), seen[length >= np.quantile(length, 0.9)].mean(axis=0)])
    centre, _ = kmeans2(seen, start, minit="matrix", rng=np.random.default_rng(seed))
    far = [np.linalg.norm(seen - c, axis=1) for c in centre]
    return Difference(_laid(far[0] - far[1], good), None, 1)


def _pixels(before: np.ndarray, after: np.ndarray, valid: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    a, b = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    if a.ndim != 3 or a.shape != b.shape:
        raise SchemaError(f"两期影像 {a.shape} 与 {b.shape}", expected="(波段, 行, 列) 且相同", cure="先配准、重采样到同一格网, 并选相同波段")
    good = np.isfinite(a).all(axis=0) & np.isfinite(b).all(axis=0)
    if valid is not None:
        if np.shape(valid) != good.shape:
            raise SchemaError(f"有效掩膜 {np.shape(valid)}, 影像 {good.shape}", expected="与影像同形")
        good &= np.asarray(valid, dtype=bool)
    if good.sum() < 100:
        raise MissingDataError(f"有效像元 {int(good.sum())} 个", expected="至少 100 个", cure="云或无效值太多, 换一期影像")
    x, y = a[:, good].T, b[:, good].T
    flat = [k + 1 for k in range(a.shape[0]) if x[:, k].std() == 0 or y[:, k].std() == 0]
    if flat:
        raise SchemaError(f"波段 {flat} 为常数", expected="有变化的波段", cure="去掉空波段, 或核对无效值")
    return x, y, good


def _laid(values: np.ndarray, good: np.ndarray) -> np.ndarray:
    out = np.full(good.shape, np.nan)
    out[good] = values
    return out
