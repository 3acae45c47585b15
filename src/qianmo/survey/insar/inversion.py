"""From interferograms to a series of phases: weighted least squares with gaps, pixel by pixel (SBAS 网络反演)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit, prange

from qianmo.schema.errors import SchemaError
from qianmo.survey.insar.network import Network

__all__ = ["PhaseSeries", "coherence_weights", "invert"]


@dataclass(frozen=True)
class PhaseSeries:
    """Phases by date of n pixels (时序相位).

    Attributes
    ----------
    phase_rad : ndarray (d, n), float32
        Phase since the first date; nan where the pixel's pairs do not determine it.
    residual_rad : ndarray (n,), float32
        Root of the weighted mean square of the misfit of the pairs.
    coherence : ndarray (n,), float32
        Temporal coherence |mean exp(i·misfit)|, 0 to 1.
    used : ndarray (n,), int16
        Pairs that were there.
    functional_sigma : ndarray (n,), float32
        Standard error that the noise of the pairs leaves in the wanted functional of the phases [its unit]; nan where none was
        wanted or no pair is spare.
    """

    phase_rad: np.ndarray
    residual_rad: np.ndarray
    coherence: np.ndarray
    used: np.ndarray
    functional_sigma: np.ndarray


def coherence_weights(coherence: np.ndarray, *, looks: float = 1.0, floor: float = 0.05) -> np.ndarray:
    """Weights of pairs from their coherence γ: looks·2γ²/(1 − γ²), the inverse of the phase variance (相干性定权).

    Parameters
    ----------
    coherence : ndarray, any shape
        0 to 1; nan stays nan.
    looks : float
        Independent looks, at least 1.
    floor : float
        Lowest coherence taken into account; below it the weight is that of the floor.

    Raises
    ------
    SchemaError
        Coherence outside 0 to 1.

    References
    ----------
    .. [1] E. Rodriguez, J. M. Martin, IEE Proceedings F, vol. 139, pp. 147-159, 1992.
    """
    c = np.asarray(coherence, dtype=np.float32)
    if np.nanmin(c, initial=0.0) < 0 or np.nanmax(c, initial=0.0) > 1.0 + 1e-6:
        raise SchemaError(f"相干性范围 {np.nanmin(c):g} 至 {np.nanmax(c):g}", expected="0 至 1", cure="核对是否为 0-255 的整数影像, 或无效值未标记")
    squared = np.clip(c, floor, 0.999) ** 2
    return (2.0 * looks * squared / (1.0 - squared)).astype(np.float32)


def invert(unwrapped: np.ndarray, network: Network, *, weights: np.ndarray | None = None, functional: np.ndarray | None = None) -> PhaseSeries:
    """Phases by date from the phases of pairs by weighted least squares (网络反演).

    Parameters
    ----------
    unwrapped : ndarray (p, n), float
        Unwrapped phase of each pair [rad], later minus earlier, referenced; nan = no data.
    network : Network
        p pairs.
    weights : ndarray (p, n) or (p,), optional
        Not below 0; nan and 0 leave the pair out. 1 where not given.
    functional : ndarray (d,), optional
        Linear functional of the phases by date, say `rate.rate_functional`: its standard error is propagated from the misfit of the pairs.

    Returns
    -------
    PhaseSeries
        The normal equations of a pixel are banded (bandwidth: dates the longest pair spans) and solved by Cholesky in float64.

    Raises
    ------
    SchemaError
        Shapes that do not match, or negative weights.
    """
    phase = np.asarray(unwrapped)
    pairs = len(network.first)
    if phase.ndim != 2 or phase.shape[0] != pairs:
        raise SchemaError(f"相位数组 {phase.shape}, 干涉对 {pairs} 个", expected="(干涉对, 像元)")
    per_pixel = weights is not None and np.ndim(weights) == 2
    flat = np.ones(pairs, dtype=np.float32) if weights is None else np.asarray(weights, dtype=np.float32)
    if (per_pixel and flat.shape != phase.shape) or (not per_pixel and flat.shape != (pairs,)):
        raise SchemaError(f"权数组 {flat.shape}, 相位 {phase.shape}", expected="与相位同形, 或每个干涉对一个")
    if np.nanmin(flat, initial=0.0) < 0:
        raise SchemaError(f"权为负 ({np.nanmin(flat):g})", expected="不小于 0")
    wanted = np.zeros(len(network.dates)) if functional is None else np.asarray(functional, dtype=float)
    if wanted.shape != (len(network.dates),):
        raise SchemaError(f"泛函 {wanted.shape}, 日期 {len(network.dates)} 个", expected="每个日期一个系数")
    solved, residual, coherence, used, spread = _solve(
        np.ascontiguousarray(phase, dtype=np.float32), np.ascontiguousarray(flat if per_pixel else flat[:, None]), per_pixel,
        network.first, network.second, len(network.dates), network.widest, wanted[1:],
    )  # fmt: skip
    return PhaseSeries(solved, residual, coherence, used, spread if functional is not None else np.full(phase.shape[1], np.nan, np.float32))


_TURN = 2.0 * np.pi
_LANES = 16
"""Pixels that go through the equations side by side: they share their shape, so the processor's vector units can do them at once."""


@njit(cache=True, parallel=True)
def _solve(phase, weight, per_pixel, first, second, dates, width, wanted):
    pairs, n = phase.shape
    solved = np.full((dates, n), np.nan, np.float32)
    residual, coherence, used = np.full(n, np.nan, np.float32), np.full(n, np.nan, np.float32), np.zeros(n, np.int16)
    spread = np.full(n, np.nan, np.float32)
    groups = (n + _LANES - 1) // _LANES
    for g in prange(groups):
        start, stop = g * _LANES, min(n, (g + 1) * _LANES)
        unknown = dates - 1
        band = np.zeros((unknown, width + 1, _LANES))  # band[j, m] = A[j, j - m]
        x = np.zeros((unknown, _LANES))
        w, d = np.zeros(_LANES), np.zeros(_LANES)
        for p in range(pairs):
            _read(phase, weight, per_pixel, p, start, stop, w, d)
            a, b = first[p] - 1, second[p] - 1
            for k in range(_LANES):
                band[b, 0, k] += w[k]
                x[b, k] += w[k] * d[k]
            if a >= 0:
                for k in range(_LANES):
                    band[a, 0, k] += w[k]
                    x[a, k] -= w[k] * d[k]
                    band[b, b - a, k] -= w[k]
        singular = np.zeros(_LANES)
        _factor(band, unknown, width, singular)
        _substitute(band, x, unknown, width)
        z = np.zeros((unknown, _LANES))
        for j in range(unknown):
            for k in range(_LANES):
                z[j, k] = wanted[j]
        _substitute(band, z, unknown, width)
        total, mass, real, imaginary, count = np.zeros(_LANES), np.zeros(_LANES), np.zeros(_LANES), np.zeros(_LANES), np.zeros(_LANES)
        for p in range(pairs):
            _read(phase, weight, per_pixel, p, start, stop, w, d)
            a, b = first[p] - 1, second[p] - 1
            for k in range(_LANES):
                off = d[k] - x[b, k]
                if a >= 0:
                    off += x[a, k]
                there = 1.0 if w[k] > 0.0 else 0.0
                total[k] += w[k] * off * off
                mass[k] += w[k]
                count[k] += there
                quarter = (off - _TURN * np.rint(off / _TURN)) * 0.25
                square = quarter * quarter
                c = 1.0 - square * (0.5 - square * (1.0 / 24.0 - square * (1.0 / 720.0 - square * (1.0 / 40320.0 - square / 3628800.0))))
                s = quarter * (1.0 - square * (1.0 / 6.0 - square * (1.0 / 120.0 - square * (1.0 / 5040.0 - square / 362880.0))))
                c, s = c * c - s * s, 2.0 * s * c
                real[k] += there * (c * c - s * s)
                imaginary[k] += there * 2.0 * s * c
        for k in range(stop - start):
            used[start + k] = int(count[k])
            if count[k] > 0 and singular[k] == 0.0:
                solved[0, start + k] = 0.0
                for j in range(unknown):
                    solved[j + 1, start + k] = x[j, k]
                residual[start + k] = np.sqrt(total[k] / mass[k])
                coherence[start + k] = np.hypot(real[k], imaginary[k]) / count[k]
                if count[k] > unknown:
                    carried = 0.0
                    for j in range(unknown):
                        carried += wanted[j] * z[j, k]
                    spread[start + k] = np.sqrt(max(carried, 0.0) * total[k] / (count[k] - unknown))
    return solved, residual, coherence, used, spread


@njit(cache=True)
def _read(phase, weight, per_pixel, p, start, stop, w, d):
    """Weights and phases of one pair; both 0 where the pair is missing or weighs nothing."""
    for k in range(stop - start):
        v = np.float64(weight[p, start + k]) if per_pixel else np.float64(weight[p, 0])
        f = np.float64(phase[p, start + k])
        good = v > 0.0 and v < np.inf and abs(f) < np.inf
        w[k] = v if good else 0.0
        d[k] = f if good else 0.0


@njit(cache=True)
def _factor(band, size, width, singular):
    """Cholesky of banded matrices in place; `singular` where dates have no chain of pairs."""
    total = np.empty(_LANES)
    for j in range(size):
        low = max(0, j - width)
        for i in range(low, j):
            for k in range(_LANES):
                total[k] = band[j, j - i, k]
            for m in range(max(low, i - width), i):
                for k in range(_LANES):
                    total[k] -= band[j, j - m, k] * band[i, i - m, k]
            for k in range(_LANES):
                band[j, j - i, k] = total[k] / band[i, 0, k]
        for k in range(_LANES):
            total[k] = band[j, 0, k]
        for m in range(low, j):
            for k in range(_LANES):
                total[k] -= band[j, j - m, k] * band[j, j - m, k]
        for k in range(_LANES):
            lost = not total[k] > 1e-9 * band[j, 0, k]
            singular[k] = 1.0 if lost else singular[k]
            band[j, 0, k] = 1.0 if lost else np.sqrt(total[k])


@njit(cache=True)
def _substitute(band, x, size, width):
    for j in range(size):
        for m in range(max(0, j - width), j):
            for k in range(_LANES):
                x[j, k] -= band[j, j - m, k] * x[m, k]
        for k in range(_LANES):
            x[j, k] /= band[j, 0, k]
    for j in range(size - 1, -1, -1):
        for m in range(j + 1, min(size, j + width + 1)):
            for k in range(_LANES):
                x[j, k] -= band[m, m - j, k] * x[m, k]
        for k in range(_LANES):
            x[j, k] /= band[j, 0, k]
