"""Soil loss on a grid: CSLE and RUSLE, delivery to the streams, before and after (土壤流失量)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.stats import spearmanr

from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.survey.erosion.terrain import Flow

__all__ = ["Sampled", "connectivity", "delivered", "delivery_ratio", "sampled_residuals", "soil_loss"]

_RANGES = {"R": (0.0, 30_000.0), "K": (0.0, 0.15), "LS": (0.0, 500.0), "B": (0.0, 1.0), "C": (0.0, 1.0), "E": (0.0, 1.0), "T": (0.0, 1.0), "P": (0.0, 1.0)}
_MODELS = {"csle": ("R", "K", "LS", "B", "E", "T"), "rusle": ("R", "K", "LS", "C", "P")}


def soil_loss(factors: Mapping[str, np.ndarray], *, model: str = "csle") -> np.ndarray:
    """Product of the factors, t/(ha·a) (中国水土流失方程 CSLE, 通用方程 RUSLE).

    Parameters
    ----------
    factors : mapping of name to ndarray, one shape
        CSLE: R K LS B E T (B off farmland, T on it, 1 elsewhere); RUSLE: R K LS C P. R [MJ·mm/(ha·h·a)], K [t·ha·h/(ha·MJ·mm)].
    model : {"csle", "rusle"}

    Returns
    -------
    ndarray
        At least 0; nan where a factor is unknown. 1 t/ha = 100 t/km2.

    Raises
    ------
    SchemaError
        Unknown model or factor, grids of different shape, or values out of range: K in US units, cover in percent.
    MissingDataError
        A factor is missing.
    """
    if model not in _MODELS:
        raise SchemaError(f"模型 {model!r}", expected="csle 或 rusle")
    names = _MODELS[model]
    lost, other = [n for n in names if n not in factors], [n for n in factors if n not in names]
    if lost:
        raise MissingDataError(f"{model} 缺因子 {', '.join(lost)}", expected=", ".join(names))
    shapes = {n: np.shape(factors[n]) for n in names if np.ndim(factors[n])}
    if other or len(set(shapes.values())) > 1:
        raise SchemaError(f"因子 {other or shapes}", expected=f"{', '.join(names)}, 同一格网", cure="先配准到同一格网")
    found = np.array(1.0)
    for n in names:
        value, (low, high) = np.asarray(factors[n], dtype=float), _RANGES[n]
        if np.nanmin(value, initial=low) < low or np.nanmax(value, initial=low) > high:
            raise SchemaError(f"因子 {n} 范围 {np.nanmin(value):g} 至 {np.nanmax(value):g}", expected=f"{low:g} 至 {high:g}", cure="核对单位与无效值")
        found = found * value
    return found


def connectivity(loss_weight: np.ndarray, slope_tangent: np.ndarray, flow: Flow, cell_m: float, *, least_slope: float = 0.005, most_slope: float = 1.0, channel_m2: float) -> np.ndarray:
    r"""Index of connectivity of every cell, :math:`\log_{10}(D_{up}/D_{down})` (泥沙连通性指数).

    Parameters
    ----------
    loss_weight : ndarray (y, x)
        C factor, or any weight above 0 of how easily soil moves.
    slope_tangent : ndarray (y, x)
        Slope as rise over run.
    flow : Flow
    cell_m : float
    least_slope, most_slope : float
        Slopes are clipped to these.
    channel_m2 : float
        Area above which a cell is a channel: the way down ends there.

    Returns
    -------
    ndarray (y, x)
        nan outside; rises towards channels.

    References
    ----------
    .. [1] L. Borselli, P. Cassi, D. Torri, Catena, vol. 75, pp. 268-277, 2008.
    """
    shape, flat = flow.area_m2.shape, flow.downstream.ravel()
    s = np.clip(np.nan_to_num(slope_tangent.ravel(), nan=least_slope), least_slope, most_slope)
    w = np.maximum(np.nan_to_num(loss_weight.ravel()), 1e-3)
    area = flow.area_m2.ravel()
    up, way = _ways(w, s, area, flat, flow.order, shape[1], float(cell_m), float(channel_m2))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.log10(up / way)
    return np.where(np.isfinite(area), found, np.nan).reshape(shape)


@njit(cache=True)
def _ways(w, s, area, below, order, width, cell, channel):
    """Means of what lies above each cell times the root of its area, and the way down weighted by cover and slope."""
    weight, slope, count, way = w.copy(), s.copy(), np.ones_like(w), np.zeros_like(w)
    for p in range(order.size - 1, -1, -1):  # from the ridges down
        k = order[p]
        if below[k] != k and below[k] >= 0:
            weight[below[k]] += weight[k]
            slope[below[k]] += slope[k]
            count[below[k]] += count[k]
    for p in range(order.size):  # from the outlets up
        k, b = order[p], below[order[p]]
        if b == k or b < 0 or area[k] >= channel:
            way[k] = 0.5 * cell / (w[k] * s[k])
        else:
            aslant = abs(b // width - k // width) == 1 and abs(b % width - k % width) == 1
            way[k] = way[b] + cell * (np.sqrt(2.0) if aslant else 1.0) / (w[k] * s[k])
    return weight / count * (slope / count) * np.sqrt(count) * cell, way


def delivery_ratio(index: np.ndarray, *, most: float = 0.8, middle: float = 0.5, spread: float = 2.0) -> np.ndarray:
    """Share of the loss of a cell that reaches the channel, most/(1 + exp((IC0 − IC)/k)), 0 to `most` (泥沙输移比).

    References
    ----------
    .. [1] C. Vigiak et al., Geomorphology, vol. 138, pp. 74-88, 2012.
    """
    return most / (1.0 + np.exp((middle - np.asarray(index, dtype=float)) / spread))


def delivered(loss_t_ha: np.ndarray, ratio: np.ndarray, cell_m: float) -> float:
    """Sediment that leaves the model in a year [t] (年输沙量)."""
    return float(np.nansum(loss_t_ha * ratio) * cell_m**2 / 1e4)


@dataclass(frozen=True)
class Sampled:
    """Modelled against sampled loss (采样点残差): `residual` [t/(ha·a)] by sample, bias, root mean square and rank correlation."""

    residual: np.ndarray
    bias: float
    rms: float
    rank_correlation: float


def sampled_residuals(modelled: np.ndarray, measured: np.ndarray) -> Sampled:
    """Residuals of field samples, modelled less measured (实测点检核).

    Raises
    ------
    MissingDataError
        Fewer than three samples with both values.
    """
    a, b = np.asarray(modelled, dtype=float), np.asarray(measured, dtype=float)
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < 3:
        raise MissingDataError(f"有效采样点 {int(both.sum())} 个", expected="至少 3 个")
    off = a - b
    return Sampled(off, float(off[both].mean()), float(np.sqrt((off[both] ** 2).mean())), float(spearmanr(a[both], b[both]).statistic))
