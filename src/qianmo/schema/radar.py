"""One profile of ground-penetrating radar (探地雷达剖面)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qianmo.schema.errors import SchemaError

__all__ = ["RadarProfile", "checked_profile"]

_WINDOW_NS = (1.0, 20_000.0)
_STEP_M = (1e-4, 50.0)


@dataclass(frozen=True, eq=False)
class RadarProfile:
    """Traces of one radar line (雷达剖面).

    Attributes
    ----------
    name, kind : str
        Name of the file and its format.
    amplitude : ndarray (sample, trace), float32
        Amplitude in counts of the instrument, centred on 0.
    sample_ns : float
        Time between samples [ns].
    start_ns : float
        Time of the first sample against the time zero of the instrument [ns]; 0 where the file says nothing.
    position_m : ndarray (trace,)
        Distance along the line, rising [m].
    antenna_mhz : float
        Nominal frequency [MHz]; nan where the file says nothing.
    separation_m : float
        Distance of transmitter and receiver [m]; 0 where the file says nothing.
    notes : tuple of str
        What the reader put right, in words.
    """

    name: str
    kind: str
    amplitude: np.ndarray
    sample_ns: float
    start_ns: float
    position_m: np.ndarray
    antenna_mhz: float = float("nan")
    separation_m: float = 0.0
    sha256: str = ""
    notes: tuple[str, ...] = ()


def checked_profile(found: RadarProfile) -> RadarProfile:
    """The same profile, after its shape, window and spacing were checked (雷达剖面核对).

    Raises
    ------
    SchemaError
        No traces, a window outside 1–20,000 ns, positions that do not rise or lie outside 0.1 mm–50 m apart, amplitudes that are not finite.
    """
    samples, traces = found.amplitude.shape
    if samples < 8 or traces < 2:
        raise SchemaError(f"{found.name}: {samples} 个采样, {traces} 道", expected="至少 8 个采样和 2 道", cure="核对文件头的采样数")
    window = samples * found.sample_ns
    if not (np.isfinite(window) and _WINDOW_NS[0] <= window <= _WINDOW_NS[1]):
        raise SchemaError(f"{found.name}: 时窗 {window:g} ns", expected=f"{_WINDOW_NS[0]:g} 至 {_WINDOW_NS[1]:g} ns", cure="核对时间单位 (ns 与 ps、µs)")
    steps = np.diff(found.position_m)
    if found.position_m.shape != (traces,) or not np.isfinite(found.position_m).all() or not (steps > 0).all():
        bad = (np.flatnonzero(~(steps > 0))[:5] + 2).tolist()
        raise SchemaError(f"{found.name}: 道位置不递增, 第 {', '.join(map(str, bad))} 道", expected="沿测线递增的距离 (米)", cure="按测线方向排序, 或改正起止位置与道间距")
    if steps.min() < _STEP_M[0] or steps.max() > _STEP_M[1]:
        raise SchemaError(f"{found.name}: 道间距 {steps.min():g} 至 {steps.max():g} m", expected=f"{_STEP_M[0]:g} 至 {_STEP_M[1]:g} m", cure="核对距离单位 (米与毫米)")
    if not np.isfinite(found.amplitude).all():
        raise SchemaError(f"{found.name}: 振幅有非有限值", expected="有限的数", cure="重新导出该文件")
    return found
