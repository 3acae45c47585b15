"""Velocity and depth from diffraction hyperbolas, with their uncertainty (双曲线拟合波速)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.survey.radar.process import envelope

__all__ = ["Apex", "Hyperbola", "find_apexes", "fit_hyperbola", "picked_times"]


@dataclass(frozen=True)
class Apex:
    """A diffraction found by the scan (绕射顶点): trace, time [ns], best velocity [m/ns] and semblance 0 to 1."""

    trace: int
    time_ns: float
    velocity_m_ns: float
    semblance: float


@dataclass(frozen=True)
class Hyperbola:
    """A fitted diffraction (绕射拟合).

    Attributes
    ----------
    at_m, depth_m, velocity_m_ns : float
        Place along the line, depth of the top, velocity of the ground above it.
    sigma_at_m, sigma_depth_m, sigma_velocity_m_ns : float
        Standard errors, scaled by the misfit where it exceeds the given error of a time.
    rms_ns : float
        Misfit of the times.
    count : int
        Times used.
    """

    at_m: float
    depth_m: float
    velocity_m_ns: float
    sigma_at_m: float
    sigma_depth_m: float
    sigma_velocity_m_ns: float
    rms_ns: float
    count: int


def fit_hyperbola(position_m: np.ndarray, time_ns: np.ndarray, *, sigma_ns: float, separation_m: float = 0.0, radius_m: float = 0.0) -> Hyperbola:
    r"""Least-squares place, depth and velocity of a diffraction (双曲线最小二乘).

    .. math:: t(x) = \left(\sqrt{(x-x_0-s/2)^2 + h^2} + \sqrt{(x-x_0+s/2)^2 + h^2} - 2R\right)/v,\quad h = d + R

    Parameters
    ----------
    position_m, time_ns : ndarray (n,)
        Two-way times from time zero, above 0.
    sigma_ns : float
        Standard error of a time, above 0.
    separation_m, radius_m : float
        Distance s of the antennas; radius R of a round body, 0 for a point: a radius left out makes velocity and depth too large.

    Raises
    ------
    SchemaError
        Lengths differ, a time or the error is not above 0.
    MissingDataError
        Fewer than five times, or all on one side so flat that depth and velocity cannot be told apart.
    """
    x, t = np.asarray(position_m, dtype=float), np.asarray(time_ns, dtype=float)
    if x.shape != t.shape or x.ndim != 1 or not (np.isfinite(t).all() and (t > 0).all() and sigma_ns > 0):
        raise SchemaError("双曲线拾取的位置与走时不成对, 或走时、中误差不大于 0", expected="等长的一维数组, 走时以 ns 计", cure="核对时间零点与单位")
    if len(x) < 5:
        raise MissingDataError(f"双曲线拾取 {len(x)} 个", expected="至少 5 个")

    def times(p: np.ndarray) -> np.ndarray:
        high = p[1] + radius_m
        return (np.hypot(x - p[0] - separation_m / 2, high) + np.hypot(x - p[0] + separation_m / 2, high) - 2 * radius_m) / p[2]

    apex = float(x[t.argmin()])
    starts = [np.array([apex, v * t.min() / 2, v]) for v in (0.06, 0.1, 0.16)]
    low, high = [x.min() - np.ptp(x), 1e-3, 0.01], [x.max() + np.ptp(x), 100.0, 0.31]
    tries = [least_squares(lambda p: (times(p) - t) / sigma_ns, s, bounds=(low, high), x_scale=[0.1, 1.0, 0.05], xtol=1e-12, ftol=1e-12) for s in starts]
    best = min(tries, key=lambda s: float(s.cost))
    spare = max(len(x) - 3, 1)
    scale = max(2.0 * best.cost / spare, 1.0)
    normal = best.jac.T @ best.jac
    spread = np.sqrt(np.maximum(np.diag(np.linalg.pinv(normal)), 0.0) * scale)
    if not (spread[2] < 0.5 * best.x[2] and spread[1] < 0.5 * best.x[1]) or best.x[2] >= 0.309:
        raise MissingDataError(f"双曲线不能确定波速: {best.x[2]:.3f} ± {spread[2]:.3f} m/ns", expected="两翼足够长的绕射", cure="拾取更宽的两翼, 或给定波速")
    rms = float(np.sqrt(((times(best.x) - t) ** 2).mean()))
    return Hyperbola(float(best.x[0]), float(best.x[1]), float(best.x[2]), float(spread[0]), float(spread[1]), float(spread[2]), rms, len(x))


def find_apexes(
    wave: np.ndarray, *, sample_ns: float, step_m: float, velocities_m_ns: Sequence[float], reach_m: float, least_semblance: float, most: int = 5, from_ns: float = 0.0,
) -> list[Apex]:  # fmt: skip
    """Scan every point and velocity for diffractions; the strongest that stand apart (绕射自动搜索).

    Semblance of a hyperbola is the energy of the sum of its samples over the sum of their energies: 1 where all traces
    agree, 1/n for noise. It is weighted with the summed energy, so that chance agreement of weak samples does not win.

    Parameters
    ----------
    wave : ndarray (sample, trace)
        Processed, from time zero on.
    velocities_m_ns : sequence of float
    reach_m : float
        Half-width of a hyperbola; apexes nearer to an end of the line are searched on the side that is there.
    least_semblance : float
        0 to 1.
    most : int
    from_ns : float
        Nothing earlier is searched.
    """
    samples, traces = wave.shape
    wings = np.arange(-round(reach_m / step_m), round(reach_m / step_m) + 1)
    t = np.arange(samples, dtype=float)
    best = np.zeros((samples, traces))
    velocity = np.zeros((samples, traces))
    quality = np.zeros((samples, traces))
    for v in velocities_m_ns:
        total, energy, count = np.zeros((samples, traces)), np.zeros((samples, traces)), np.zeros((samples, traces))
        for k in wings:
            late = np.hypot(t, 2 * k * step_m / (v * sample_ns))
            a, b = max(0, -int(k)), min(traces, traces - int(k))
            if a >= b:
                continue
            inside = late < samples - 1
            row: np.ndarray = late[inside].astype(np.int64)
            rest = (late[inside] - row)[:, None]
            part = np.zeros((samples, b - a))
            part[inside] = (1.0 - rest) * wave[row, a + k : b + k] + rest * wave[row + 1, a + k : b + k]
            total[:, a:b] += part
            energy[:, a:b] += part * part
            count[:, a:b] += 1.0
        share = np.where(energy > 0, total**2 / np.maximum(count * energy, 1e-300), 0.0)
        score = share * np.sqrt(energy / np.maximum(count, 1.0))
        better = score > best
        best, quality, velocity = np.where(better, score, best), np.where(better, share, quality), np.where(better, v, velocity)
    best[: int(from_ns / sample_ns)] = 0.0
    best[quality < least_semblance] = 0.0
    return _peaks(best, quality, velocity, sample_ns=sample_ns, step_m=step_m, apart_m=reach_m / 2, most=most)


def _peaks(best: np.ndarray, quality: np.ndarray, velocity: np.ndarray, *, sample_ns: float, step_m: float, apart_m: float, most: int) -> list[Apex]:
    left = best.copy()
    found: list[Apex] = []
    floor = 0.25 * float(best.max())
    column = np.arange(best.shape[1])
    while len(found) < most and left.max() > max(floor, 0.0):
        row, trace = (int(v) for v in np.unravel_index(int(left.argmax()), left.shape))
        found.append(Apex(trace, row * sample_ns, float(velocity[row, trace]), float(quality[row, trace])))
        near = np.abs(column - trace) * step_m < apart_m
        high = max(int(8 * apart_m / velocity[row, trace] / sample_ns / 4), 5)
        left[max(row - high, 0) : row + high + 1, near] = 0.0
    return found


def picked_times(wave: np.ndarray, apex: Apex, *, sample_ns: float, position_m: np.ndarray, reach_m: float, period_ns: float) -> tuple[np.ndarray, np.ndarray]:
    """Time of the envelope's peak in each trace near the hyperbola of an apex (沿双曲线拾取走时).

    Parameters
    ----------
    period_ns : float
        Period of the antenna: peaks are looked for this far to either side.

    Returns
    -------
    (position_m, time_ns)
        Only traces whose peak is at least a third as high as at the apex.
    """
    size = envelope(wave)
    x0 = position_m[apex.trace]
    places, times, heights = [], [], []
    for k in np.flatnonzero(np.abs(position_m - x0) <= reach_m):
        middle = np.hypot(apex.time_ns, 2 * (position_m[k] - x0) / apex.velocity_m_ns) / sample_ns
        a, b = max(int(middle - period_ns / sample_ns), 1), min(int(middle + period_ns / sample_ns) + 1, wave.shape[0] - 1)
        if b - a < 3:
            continue
        i = a + int(size[a:b, k].argmax())
        if i in (a, b - 1):
            continue
        before, here, after = size[i - 1 : i + 2, k]
        bend = before - 2 * here + after
        places.append(position_m[k])
        times.append((i + (0.5 * (before - after) / bend if bend < 0 else 0.0)) * sample_ns)
        heights.append(here)
    if not places:
        return np.empty(0), np.empty(0)
    x, t, h = map(np.asarray, (places, times, heights))
    top = h[np.abs(x - x0).argmin()]
    kept = h >= top / 3.0
    return x[kept], t[kept]
