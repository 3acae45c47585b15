"""Steps that make a radar section legible: dewow, time zero, background, band, gain (雷达资料处理)."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.signal import butter, hilbert, sosfiltfilt

from qianmo.schema.errors import SchemaError

__all__ = ["band_passed", "dewowed", "direct_wave_ns", "envelope", "from_zero", "gained", "levelled_gain", "without_background"]


def dewowed(wave: np.ndarray, *, sample_ns: float, window_ns: float) -> np.ndarray:
    """Each trace less its running mean: the slow drift of the receiver goes (去直流漂移).

    Parameters
    ----------
    wave : ndarray (sample, trace)
    sample_ns, window_ns : float
        Sample and length of the mean [ns]; one to two periods of the antenna.

    Raises
    ------
    SchemaError
        The window is shorter than three samples or longer than the trace.
    """
    count = round(window_ns / sample_ns) | 1
    if not 3 <= count <= wave.shape[0]:
        raise SchemaError(f"去漂移窗 {window_ns:g} ns", expected=f"{3 * sample_ns:g} 至 {wave.shape[0] * sample_ns:g} ns")
    return wave - uniform_filter1d(np.asarray(wave, dtype=float), count, axis=0, mode="nearest")


def direct_wave_ns(wave: np.ndarray, *, sample_ns: float, within_ns: float) -> float:
    """Time of the strongest envelope of the mean trace in its first part, to a fraction of a sample [ns] (直达波时刻).

    The direct wave is alike in all traces; the mean trace keeps it and loses the rest.

    Raises
    ------
    SchemaError
        The strongest value lies at the border of `within_ns`: no direct wave stands there.
    """
    count = min(max(round(within_ns / sample_ns), 3), wave.shape[0])
    size = envelope(np.asarray(wave, dtype=float).mean(axis=1, keepdims=True))[:, 0]
    k = int(size[:count].argmax())
    if k in (0, count - 1):
        raise SchemaError(f"前 {within_ns:g} ns 内没有直达波", expected="记录开头的直达波", cure="给出时间零点, 或加大搜索窗")
    a, b, c = size[k - 1 : k + 2]
    return float((k + 0.5 * (a - c) / (a - 2 * b + c)) * sample_ns)


def from_zero(wave: np.ndarray, *, sample_ns: float, zero_ns: float) -> np.ndarray:
    """Traces from time zero on, shifted to whole samples by linear interpolation (时间零点校正).

    Raises
    ------
    SchemaError
        Time zero lies outside the record.
    """
    if not 0 <= zero_ns < (wave.shape[0] - 8) * sample_ns:
        raise SchemaError(f"时间零点 {zero_ns:g} ns", expected=f"0 至 {(wave.shape[0] - 8) * sample_ns:g} ns")
    whole, part = divmod(zero_ns / sample_ns, 1.0)
    k = int(whole)
    return (1.0 - part) * wave[k:-1] + part * wave[k + 1 :]


def without_background(wave: np.ndarray, *, traces: int | None = None) -> np.ndarray:
    """Traces less what is alike along the line (去背景).

    The median of all traces where `traces` is None: a body shorter than half the line leaves no shadow at its depth. Else the mean of that many
    neighbours. Flat layers longer than the window go as well.

    Raises
    ------
    SchemaError
        Fewer than five traces, or a window longer than the line.
    """
    n = wave.shape[1]
    if traces is None and n >= 5:
        return wave - np.median(wave, axis=1, keepdims=True)
    if traces is None or not 5 <= traces <= n:
        raise SchemaError(f"去背景窗 {traces} 道, 剖面 {n} 道", expected="5 道至剖面道数")
    return wave - uniform_filter1d(np.asarray(wave, dtype=float), traces | 1, axis=1, mode="nearest")


def band_passed(wave: np.ndarray, *, sample_ns: float, low_mhz: float, high_mhz: float) -> np.ndarray:
    """Butterworth band of fourth order run forth and back, so that nothing moves in time (带通滤波).

    Raises
    ------
    SchemaError
        The band is empty or reaches over half the sampling frequency.
    """
    most = 500.0 / sample_ns
    if not 0 < low_mhz < high_mhz < most:
        raise SchemaError(f"通带 {low_mhz:g} 至 {high_mhz:g} MHz", expected=f"0 < 低 < 高 < {most:g} MHz (采样频率的一半)")
    return sosfiltfilt(butter(4, [low_mhz / most, high_mhz / most], btype="band", output="sos"), wave, axis=0)


def gained(wave: np.ndarray, *, sample_ns: float, power: float, decay_per_ns: float) -> np.ndarray:
    """Amplitude times t^power·exp(decay·t): spreading and loss undone, relative sizes kept (增益).

    Raises
    ------
    SchemaError
        Power or decay are below 0.
    """
    if power < 0 or decay_per_ns < 0:
        raise SchemaError(f"增益 t^{power:g}·exp({decay_per_ns:g} t)", expected="不小于 0")
    t = (np.arange(wave.shape[0]) + 1.0) * sample_ns
    return wave * (t**power * np.exp(decay_per_ns * t))[:, None]


def levelled_gain(wave: np.ndarray, *, sample_ns: float, window_ns: float) -> np.ndarray:
    """Amplitude over its running root mean square: for the eye only, sizes are lost (自动增益)."""
    count = max(round(window_ns / sample_ns), 3) | 1
    power = uniform_filter1d(np.asarray(wave, dtype=float) ** 2, count, axis=0, mode="nearest")
    return wave / np.sqrt(power + 1e-12 * max(float(power.max()), 1e-300))


def envelope(wave: np.ndarray) -> np.ndarray:
    """Size of the analytic signal of each trace, free of phase (包络)."""
    return np.abs(hilbert(np.asarray(wave, dtype=float), axis=0))
