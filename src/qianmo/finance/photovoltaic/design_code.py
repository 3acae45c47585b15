"""Yield by the Chinese design code, and the ratio behind it (规范发电量)."""

from __future__ import annotations

from qianmo.schema.errors import SchemaError

__all__ = ["design_code_energy", "overall_efficiency"]

_STANDARD_KW_M2 = 1.0
"""E_s: radiation under standard conditions."""


def design_code_energy(radiation_kwh_m2: float, capacity_kw: float, efficiency: float) -> float:
    r"""Energy a year [kWh] by GB 50797: :math:`E_p = H_A \, P_{AZ} / E_s \cdot K` (上网发电量).

    Parameters
    ----------
    radiation_kwh_m2 : float
        Yearly radiation :math:`H_A`: on level ground by the text of the code, then K holds the gain of the tilt too; on the plane of
        the modules K is the performance ratio.
    capacity_kw : float
        Installed capacity :math:`P_{AZ}`.
    efficiency : float
        Overall efficiency K, a share above 0; it may exceed 1 with radiation on level ground.

    References
    ----------
    .. [1] GB 50797-2012, 光伏发电站设计规范, clause 6.6 (own knowledge of the text, to be confirmed).

    Examples
    --------
    >>> round(design_code_energy(1180.26, 50_000.0, 0.748) / 1e6, 2)
    44.14
    """
    if not (radiation_kwh_m2 >= 0.0 and capacity_kw > 0.0 and 0.0 < efficiency < 2.0):
        raise SchemaError(
            f"radiation {radiation_kwh_m2}, capacity {capacity_kw}, K {efficiency}", expected="kWh/m2 from 0, kW above 0, K as a share", cure="综合效率写作小数，如 0.80",
        )  # fmt: skip
    return radiation_kwh_m2 * capacity_kw / _STANDARD_KW_M2 * efficiency


def overall_efficiency(energy_kwh: float, radiation_kwh_m2: float, capacity_kw: float) -> float:
    """Overall efficiency K that the energy of an hourly computation means (综合效率系数)."""
    if radiation_kwh_m2 <= 0.0 or capacity_kw <= 0.0:
        raise SchemaError(f"radiation {radiation_kwh_m2}, capacity {capacity_kw}", expected="both above 0")
    return energy_kwh * _STANDARD_KW_M2 / (radiation_kwh_m2 * capacity_kw)
