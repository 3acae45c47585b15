"""Reference, ramps, delay that follows height, turbulent delay (参考点与大气改正)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from qianmo.schema.errors import MissingDataError, SchemaError

__all__ = ["Ramp", "fit_ramp", "most_coherent", "ramp_values", "referenced", "without_ramp_and_height", "without_turbulence"]


@dataclass(frozen=True)
class Ramp:
    """A plane, and a part proportional to height, of every date (趋势面): centre and spread of x, y (and height), and coefficients (d, 3 or 4)."""

    centre: tuple[float, ...]
    spread: tuple[float, ...]
    coefficients: np.ndarray


def most_coherent(coherence: np.ndarray, complete: np.ndarray) -> int:
    """Index of the pixel with the highest mean coherence among those that every pair has (参考点选取).

    Parameters
    ----------
    coherence : ndarray (p, n)
    complete : ndarray (n,), bool

    Raises
    ------
    MissingDataError
        No pixel is complete.
    """
    complete = complete & np.isfinite(coherence).all(axis=0)
    if not complete.any():
        raise MissingDataError("没有一个像元在所有干涉对中有效", expected="至少一个完整像元作参考", cure="去掉覆盖差的干涉对, 或指定参考点")
    mean = np.full(len(complete), -np.inf)
    mean[complete] = coherence[:, complete].mean(axis=0)
    return int(mean.argmax())


def referenced(unwrapped: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Phases less the median of the reference pixels, pair by pair (p, n) (归算到参考点).

    Raises
    ------
    SchemaError
        No reference pixel, or a pair in which none of them is valid: the reference lies in water or shadow.
    """
    chosen = np.atleast_1d(pixels)
    if not len(chosen):
        raise SchemaError("没有参考像元", expected="至少一个")
    base = np.array([np.median(row[np.isfinite(row)]) if np.isfinite(row).any() else np.nan for row in unwrapped[:, chosen]])
    lost = np.flatnonzero(~np.isfinite(base))
    if len(lost):
        raise SchemaError(f"参考点在 {len(lost)} 个干涉对中无效 (序号 {lost[:8].tolist()})", expected="每个干涉对中都有效", cure="参考点可能在水面或阴影中, 请另选相干稳定的位置")
    return unwrapped - base[:, None]


def fit_ramp(series: np.ndarray, *, x: np.ndarray, y: np.ndarray, height_m: np.ndarray | None, stable: np.ndarray, passes: int = 5) -> Ramp:
    """A plane and a part proportional to height of every date, fitted on stable pixels by iterated Huber weights (轨道趋势面与地形相关延迟).

    Parameters
    ----------
    series : ndarray (d, n)
    x, y, height_m : ndarray (n,)
        Position, any unit, and height; None leaves the height out.
    stable : ndarray (n,), bool
        Pixels that do not move: a bowl must not pull the plane.

    Raises
    ------
    MissingDataError
        Fewer than ten stable pixels.
    SchemaError
        The height is the same everywhere.
    """
    columns = [np.asarray(v, dtype=float) for v in (x, y, *(() if height_m is None else (height_m,)))]
    if height_m is not None and not np.nanstd(columns[2]) > 0:
        raise SchemaError("高程没有起伏, 不能估计地形相关延迟", expected="有起伏的数字高程模型", cure="不做此项改正")
    centre = tuple(float(np.nanmean(v)) for v in columns)
    spread = tuple(float(np.nanstd(v)) or 1.0 for v in columns)
    design, found = _ramp_design(columns, centre, spread), np.empty((len(series), len(columns) + 1))
    whole = np.isfinite(design).all(axis=1)
    for k, row in enumerate(series):
        use = stable & np.isfinite(row) & whole
        if use.sum() < 10:
            raise MissingDataError(f"第 {k + 1} 期稳定像元 {int(use.sum())} 个", expected="至少 10 个", cure="放宽稳定区或不做此项改正")
        a, b, weight = design[use], np.asarray(row[use], dtype=float), np.ones(int(use.sum()))
        for _ in range(passes):
            root = np.sqrt(weight)
            found[k] = np.linalg.lstsq(a * root[:, None], b * root, rcond=None)[0]
            off = np.abs(b - a @ found[k])
            limit = 1.345 * max(float(np.median(off)) / 0.6745, 1e-12)
            weight = np.minimum(1.0, limit / np.maximum(off, 1e-300))
    return Ramp(centre, spread, found)


def ramp_values(ramp: Ramp, x: np.ndarray, y: np.ndarray, height_m: np.ndarray | None) -> np.ndarray:
    """The ramp at these places, (d, n); nan where the height is (趋势面取值).

    Raises
    ------
    SchemaError
        Height given to a ramp without one, or not given to one with it.
    """
    if (height_m is None) != (len(ramp.centre) == 2):
        raise SchemaError("趋势面与所给高程不符", expected="拟合与取值同样有或没有高程")
    columns = [np.asarray(v, dtype=float) for v in (x, y, *(() if height_m is None else (height_m,)))]
    return ramp.coefficients @ _ramp_design(columns, ramp.centre, ramp.spread).T


def without_ramp_and_height(series: np.ndarray, *, x: np.ndarray, y: np.ndarray, height_m: np.ndarray | None, stable: np.ndarray, passes: int = 5) -> np.ndarray:
    """The series less the ramp of `fit_ramp`, (d, n) (去除趋势面与地形相关延迟)."""
    return np.asarray(series, dtype=float) - ramp_values(fit_ramp(series, x=x, y=y, height_m=height_m, stable=stable, passes=passes), x, y, height_m)


def without_turbulence(series: np.ndarray, shape: tuple[int, int], days: np.ndarray, *, wide_pixels: float, long_days: float) -> np.ndarray:
    """Take off what is smooth in space and rough in time (湍流大气滤波).

    Parameters
    ----------
    series : ndarray (d, rows·columns)
    shape : (rows, columns)
    days : ndarray (d,)
    wide_pixels : float
        Standard deviation of the space filter [pixels].
    long_days : float
        Standard deviation of the time filter [days]; motion faster than this is taken for atmosphere: say so in the report.

    Raises
    ------
    SchemaError
        A filter width that is not above 0.
    """
    if not (wide_pixels > 0 and long_days > 0):
        raise SchemaError(f"滤波宽度 {wide_pixels} 像元, {long_days} 天", expected="大于 0")
    t = np.asarray(days, dtype=float)
    kernel = np.exp(-0.5 * ((t[:, None] - t[None, :]) / long_days) ** 2)
    # local straight lines, so that a steady rate passes whole even at both ends
    smooth = np.empty((len(t), len(t)))
    for k in range(len(t)):
        a = np.column_stack([np.ones_like(t), t - t[k]])
        w = kernel[k][:, None]
        smooth[k] = np.linalg.pinv(a.T @ (w * a))[0] @ (w * a).T
    y = np.asarray(series)
    y = y if y.dtype == np.float32 else y.astype(float)
    known = np.isfinite(y).all(axis=0)
    filled, out = np.where(known, y, np.zeros((), y.dtype)), y.copy()
    mass = np.maximum(gaussian_filter(known.reshape(shape).astype(y.dtype), wide_pixels), 1e-9).ravel()
    for k in range(len(t)):
        # one date at a time: a long series of a large image is never held twice
        rough = filled[k] - smooth[k].astype(y.dtype) @ filled
        out[k] -= gaussian_filter(rough.reshape(shape), wide_pixels).ravel() / mass
    return out


def _ramp_design(columns: list[np.ndarray], centre: tuple[float, ...], spread: tuple[float, ...]) -> np.ndarray:
    return np.column_stack([np.ones_like(columns[0]), *((v - c) / s for v, c, s in zip(columns, centre, spread))])
