"""Transient electromagnetic soundings: checks, layered inversion, section of a line (瞬变电磁测深)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import diags_array
from scipy.special import erf

from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.survey.resistivity.section import ResistivitySection
from qianmo.survey.resistivity.simulation import transient_forward
from qianmo.survey.resistivity.smoothest import Smoothest, smoothest_model

__all__ = ["TransientSounding", "checked_sounding", "half_space_decay", "inverted_sounding", "layers_of", "section_of_soundings"]

_MU0 = 4e-7 * np.pi


@dataclass(frozen=True, eq=False)
class TransientSounding:
    """One central-loop sounding (中心回线测深).

    Attributes
    ----------
    at_m : float
        Distance along the line.
    times_s : ndarray (t,)
        After a step to zero, rising [s].
    decay_v_m2_a : ndarray (t,)
        Size of dB/dt per ampere [V/(m²·A)], above 0.
    error : ndarray (t,)
        Relative standard error.
    loop_radius_m : float
        Side over √π for a square loop.
    """

    at_m: float
    times_s: np.ndarray
    decay_v_m2_a: np.ndarray
    error: np.ndarray
    loop_radius_m: float


def half_space_decay(times_s: np.ndarray, *, resistivity_ohm_m: float, loop_radius_m: float) -> np.ndarray:
    r"""Size of dB/dt per ampere at the centre of a loop on a uniform ground [V/(m²·A)] (均匀半空间中心回线衰减).

    With :math:`\theta = \sqrt{\mu_0/(4\rho t)}` and loop radius a [1]_:
    :math:`\rho/a^3\,[3\,\mathrm{erf}(\theta a) - 2/\sqrt\pi\,\theta a (3 + 2\theta^2a^2) e^{-\theta^2a^2}]`.

    References
    ----------
    .. [1] S. H. Ward, G. W. Hohmann, Electromagnetic theory for geophysical applications, SEG, 1988, eq. 4.98.
    """
    u = loop_radius_m * np.sqrt(_MU0 / (4.0 * resistivity_ohm_m * times_s))
    return resistivity_ohm_m / loop_radius_m**3 * (3.0 * erf(u) - 2.0 / np.sqrt(np.pi) * u * (3.0 + 2.0 * u**2) * np.exp(-(u**2)))


def checked_sounding(sounding: TransientSounding) -> TransientSounding:
    """The same sounding after its times, values and loop were checked (瞬变电磁数据核对).

    Raises
    ------
    MissingDataError
        Fewer than eight gates.
    SchemaError
        Times that do not rise or lie outside 1 µs–1 s (wrong unit), values not above 0, values that no ground between 0.01 and 1e6 Ω·m gives
        (wrong unit: nV, mV, or not divided by the current), errors or loop out of range.
    """
    t, v = sounding.times_s, sounding.decay_v_m2_a
    if len(t) < 8:
        raise MissingDataError(f"测点 {sounding.at_m:g}: {len(t)} 个时间道", expected="至少 8 个")
    if t.shape != v.shape or v.shape != sounding.error.shape or not (np.isfinite(t).all() and (np.diff(t) > 0).all()):
        raise SchemaError(f"测点 {sounding.at_m:g}: 时间道不递增或列长不一", expected="递增的时间", cure="按时间排序")
    if t[0] < 1e-6 or t[-1] > 1.0:
        raise SchemaError(f"测点 {sounding.at_m:g}: 时间 {t[0]:g} 至 {t[-1]:g} s", expected="1e-6 至 1 s", cure="核对时间单位 (s, ms 与 µs)")
    if not 0.5 <= sounding.loop_radius_m <= 1000.0:
        raise SchemaError(f"测点 {sounding.at_m:g}: 回线半径 {sounding.loop_radius_m:g} m", expected="0.5 至 1000 m")
    bad = (np.flatnonzero(~(np.isfinite(v) & (v > 0))) + 1).tolist()
    if bad:
        raise SchemaError(f"测点 {sounding.at_m:g}: 衰减值为负或为零, 第 {', '.join(map(str, bad[:5]))} 道", expected="大于 0", cure="去掉噪声以下的晚期道; 取绝对值前核对极性")
    late = (_MU0**2.5 * sounding.loop_radius_m**2 / (20.0 * np.sqrt(np.pi) * v * t**2.5)) ** (2 / 3)
    if not 1e-2 <= late[-1] <= 1e6:
        raise SchemaError(f"测点 {sounding.at_m:g}: 晚期视电阻率 {late[-1]:g} Ω·m", expected="大地的电阻率", cure="核对单位 (V/(m²·A), nV, 是否除以电流与接收面积)")
    bad = (np.flatnonzero(~((sounding.error >= 1e-3) & (sounding.error <= 0.5))) + 1).tolist()
    if bad:
        raise SchemaError(f"测点 {sounding.at_m:g}: 相对中误差, 第 {', '.join(map(str, bad[:5]))} 道", expected="0.001 至 0.5 (不是百分数)")
    return sounding


def layers_of(*, first_m: float, deepest_m: float, count: int) -> np.ndarray:
    """Thicknesses of all layers but the last, growing evenly in ratio down to the depth [m] (分层).

    Raises
    ------
    SchemaError
        Depths not rising, or fewer than three layers.
    """
    if not (0 < first_m < deepest_m / count and count >= 3):
        raise SchemaError(f"首层 {first_m:g} m, 深度 {deepest_m:g} m, {count} 层", expected="首层小于平均层厚, 至少 3 层")
    low, high = 1.0 + 1e-9, 3.0
    for _ in range(80):
        ratio = (low + high) / 2
        low, high = (ratio, high) if first_m * (ratio**count - 1) / (ratio - 1) < deepest_m else (low, ratio)
    return first_m * ratio ** np.arange(count)


def inverted_sounding(sounding: TransientSounding, *, thickness_m: np.ndarray, start_ohm_m: np.ndarray | float = 50.0) -> Smoothest:
    """Smoothest layered model that fits the decay within its errors (一维反演).

    Parameters
    ----------
    sounding : TransientSounding
    thickness_m : ndarray (n − 1,)
        See `layers_of`.
    start_ohm_m : float or ndarray (n,)

    Raises
    ------
    SchemaError, MissingDataError
        See `checked_sounding`, `smoothest_model`; SimPEG is not installed.
    """
    checked_sounding(sounding)
    n = len(thickness_m) + 1
    rough = diags_array([-np.ones(n - 1), np.ones(n - 1)], offsets=[0, 1], shape=(n - 1, n)).tocsr()
    forward = transient_forward(sounding.times_s, thickness_m=thickness_m, loop_radius_m=sounding.loop_radius_m)
    start = np.log(np.broadcast_to(np.asarray(start_ohm_m, dtype=float), (n,)).copy())
    return smoothest_model(forward, np.log(sounding.decay_v_m2_a), sounding.error, start=start, roughness=rough)


def section_of_soundings(soundings: Sequence[TransientSounding], *, thickness_m: np.ndarray, start_ohm_m: float = 50.0) -> ResistivitySection:
    """Soundings of a line inverted one after the other, each from the model of the one before, side by side (测线断面).

    Raises
    ------
    MissingDataError
        Fewer than five soundings: no background along the line.
    SchemaError
        Places that do not rise.
    """
    at = np.array([s.at_m for s in soundings])
    if len(at) < 5:
        raise MissingDataError(f"测点 {len(at)} 个", expected="至少 5 个, 背景取自同一测线")
    if not (np.diff(at) > 0).all():
        raise SchemaError("测点位置不递增", expected="沿测线递增的距离 (米)")
    start: np.ndarray | float = start_ohm_m
    found = []
    for s in soundings:
        made = inverted_sounding(s, thickness_m=thickness_m, start_ohm_m=start)
        found.append(made)
        start = np.exp(made.model)
    middle = (at[1:] + at[:-1]) / 2
    edges = np.concatenate([[at[0] - (middle[0] - at[0])], middle, [at[-1] + (at[-1] - middle[-1])]])
    depth = np.concatenate([[0.0], np.cumsum(thickness_m)])
    cut = lambda name: np.column_stack([getattr(f, name)[:-1] for f in found])  # noqa: E731
    return ResistivitySection(edges, depth, np.exp(cut("model")), cut("sensitivity") / thickness_m[:, None], cut("sigma"), float(np.mean([f.reduced_chi2 for f in found])))
