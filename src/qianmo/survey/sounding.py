"""Depths from ground radar and transient electromagnetics (物探解释深度)."""

from __future__ import annotations

import numpy as np

from qianmo.schema.errors import SchemaError

__all__ = ["radar_depth_m", "transient_depth_m"]


def radar_depth_m(two_way_ns: float, velocity_m_ns: float) -> float:
    """Depth of a reflection, v·t/2 [m] (探地雷达深度).

    Parameters
    ----------
    two_way_ns : float
        Two-way time [ns], above 0.
    velocity_m_ns : float
        Speed of the wave [m/ns], 0.01 to 0.3; soils 0.06 to 0.15.

    Raises
    ------
    SchemaError
        A value is out of range.
    """
    if not (np.isfinite(two_way_ns) and two_way_ns > 0 and 0.01 <= velocity_m_ns <= 0.3):
        raise SchemaError(f"双程走时 {two_way_ns} ns, 波速 {velocity_m_ns} m/ns", expected="走时大于 0, 波速 0.01 至 0.3 m/ns")
    return velocity_m_ns * two_way_ns / 2.0


def transient_depth_m(resistivity_ohm_m: float, time_ms: float) -> float:
    """Depth of diffusion, 28·√(ρ t) [m] (瞬变电磁扩散深度).

    Parameters
    ----------
    resistivity_ohm_m, time_ms : float
        Above 0: apparent resistivity [Ω·m] and time after switching off [ms].

    Raises
    ------
    SchemaError
        A value is not above 0.
    """
    if not (np.isfinite(resistivity_ohm_m) and np.isfinite(time_ms) and resistivity_ohm_m > 0 and time_ms > 0):
        raise SchemaError(f"电阻率 {resistivity_ohm_m} Ω·m, 时间 {time_ms} ms", expected="大于 0")
    return 28.0 * float(np.sqrt(resistivity_ohm_m * time_ms))
