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
    if not (0.5 <= two_way_ns <= 20_000.0 and 0.01 <= velocity_m_ns <= 0.3):
        raise SchemaError(f"双程走时 {two_way_ns} ns, 波速 {velocity_m_ns} m/ns", expected="走时 0.5 至 20000 ns, 波速 0.01 至 0.3 m/ns", cure="核对单位 (ns 与 µs, m/ns 与 m/µs)")
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
    if not (0.01 <= resistivity_ohm_m <= 1e6 and 1e-3 <= time_ms <= 1e3):
        raise SchemaError(f"电阻率 {resistivity_ohm_m} Ω·m, 时间 {time_ms} ms", expected="电阻率 0.01 至 1e6 Ω·m, 时间 0.001 至 1000 ms", cure="核对单位 (ms 与 s, Ω·m 与 kΩ·m)")
    return 28.0 * float(np.sqrt(resistivity_ohm_m * time_ms))
