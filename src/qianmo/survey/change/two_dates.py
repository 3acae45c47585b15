"""How much each pixel changed between two images: CVA, IR-MAD, PCA with two means (双时相变化检测)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.cluster.vq import kmeans2
from scipy.linalg import eigh
from scipy.ndimage import uniform_filter
from scipy.stats import chi2

from qianmo.schema.errors import MissingDataError, SchemaError

__all__ = ["Detector", "Difference", "apply_detector", "change_vector", "fit_detector", "irmad", "pca_two_means"]


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


@dataclass(frozen=True)
class Detector:
    """What a detector learned of a scene (检测器): means and axes of both dates, in bands by variates.

    Attributes
    ----------
    method : str
        irmad or cva.
    mean_before, mean_after : ndarray (bands,)
    axes_before, axes_after : ndarray (bands, variates)
        Canonical axes; for cva one over the standard deviation on the diagonal.
    correlation : ndarray (variates,)
        Canonical correlations, 0 to 1; zeros for cva.
    rounds : int
        Iterations used.
    """

    method: str
    mean_before: np.ndarray
    mean_after: np.ndarray
    axes_before: np.ndarray
    axes_after: np.ndarray
    correlation: np.ndarray
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
    return _applied(_standards(x, y), x, y, good)


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
    return _applied(_alteration(x, y, rounds, tolerance), x, y, good)


def fit_detector(method: str, before: np.ndarray, after: np.ndarray, *, rounds: int = 30, tolerance: float = 1e-3) -> Detector:
    """Statistics of a detector from pixels of the whole scene, to be applied tile by tile (检测器参数).

    Parameters
    ----------
    method : {"irmad", "cva"}
    before, after : ndarray (bands, y, x)
        The scene, or its pixels on a lattice; nan = no data.
    rounds, tolerance
        As in `irmad`.

    Returns
    -------
    Detector
        With all pixels of the scene, `apply_detector` gives what `irmad` and `change_vector` give.

    Raises
    ------
    SchemaError
        Another method, or as `change_vector`.
    MissingDataError
        As `change_vector`.
    """
    if method not in ("irmad", "cva"):
        raise SchemaError(f"检测方法 {method!r}", expected="irmad 或 cva", cure="其他方法须整景计算")
    x, y, _ = _pixels(before, after, None)
    return _standards(x, y) if method == "cva" else _alteration(x, y, rounds, tolerance)


def apply_detector(detector: Detector, before: np.ndarray, after: np.ndarray) -> Difference:
    """Strength of change in a tile by statistics of the scene (分块应用).

    Parameters
    ----------
    detector : Detector
        Of `fit_detector`.
    before, after : ndarray (bands, y, x)
        A tile; it may be without data altogether.

    Raises
    ------
    SchemaError
        The tiles differ in shape or have other bands than the scene.
    """
    a, b = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    if a.ndim != 3 or a.shape != b.shape or a.shape[0] != len(detector.mean_before):
        raise SchemaError(f"分块 {a.shape} 与 {b.shape}", expected=f"({len(detector.mean_before)}, 行, 列) 且相同")
    good = np.isfinite(a).all(axis=0) & np.isfinite(b).all(axis=0)
    return _applied(detector, a[:, good].T, b[:, good].T, good)


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


def _standards(x: np.ndarray, y: np.ndarray) -> Detector:
    bands = x.shape[1]
    return Detector("cva", x.mean(axis=0), y.mean(axis=0), np.diag(1.0 / x.std(axis=0)), np.diag(1.0 / y.std(axis=0)), np.zeros(bands), 1)


def _alteration(x: np.ndarray, y: np.ndarray, rounds: int, tolerance: float) -> Detector:
    bands = x.shape[1]
    weight, last = np.ones(len(x)), np.zeros(bands)
    detector = _standards(x, y)
    for turn in range(1, rounds + 1):
        total = weight.sum()
        if not total > 10 * bands:
            raise SchemaError(
                f"第 {turn} 轮后只剩 {total:.1f} 个像元的权重, 迭代塌缩", expected="多数像元未变化且各有差异", cure="把没有影像的部分设为无效值, 或改用 cva"
            )
        mx, my = weight @ x / total, weight @ y / total
        cx, cy = x - mx, y - my
        sxx, syy, sxy = (cx * weight[:, None]).T @ cx / total, (cy * weight[:, None]).T @ cy / total, (cx * weight[:, None]).T @ cy / total
        try:
            squared, a = eigh(sxy @ np.linalg.solve(syy, sxy.T), sxx)
        except np.linalg.LinAlgError:
            raise SchemaError("波段线性相关, 典型变量无法求解", expected="相互独立的波段", cure="去掉重复或由其他波段算出的波段") from None
        rho = np.sqrt(np.clip(squared, 0.0, 1.0 - 1e-12))
        b = np.linalg.solve(syy, sxy.T @ a)
        a = a / np.sqrt(np.einsum("ij,ik,kj->j", a, sxx, a))
        b = b / np.sqrt(np.maximum(np.einsum("ij,ik,kj->j", b, syy, b), 1e-300))
        b = b * np.sign(np.einsum("ij,ik,kj->j", a, sxy, b))
        detector = Detector("irmad", mx, my, a, b, rho, turn)
        weight = chi2.sf(_squares(detector, x, y), bands)
        if np.abs(rho - last).max() < tolerance:
            break
        last = rho
    return detector


def _squares(detector: Detector, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    gap = (y - detector.mean_after) @ detector.axes_after - (x - detector.mean_before) @ detector.axes_before
    scale = np.maximum(2.0 * (1.0 - detector.correlation), 1e-12) if detector.method == "irmad" else np.ones(len(detector.correlation))
    return np.asarray((gap**2 / scale).sum(axis=1))


def _applied(detector: Detector, x: np.ndarray, y: np.ndarray, good: np.ndarray) -> Difference:
    stat = _squares(detector, x, y)
    chance = _laid(chi2.sf(stat, x.shape[1]), good) if detector.method == "irmad" else None
    return Difference(_laid(np.sqrt(stat), good), chance, detector.rounds)


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
