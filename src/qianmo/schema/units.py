"""Units of area and money (单位). Stored: metre, hectare, yuan; mu only in reports."""

from __future__ import annotations

__all__ = ["HA_PER_MU", "M2_PER_HA", "M2_PER_MU", "MU_PER_HA", "ha_to_mu", "m2_to_mu", "mu_to_ha", "mu_to_m2"]

MU_PER_HA = 15.0
HA_PER_MU = 1.0 / MU_PER_HA
M2_PER_HA = 10_000.0
M2_PER_MU = M2_PER_HA / MU_PER_HA


def ha_to_mu(area_ha: float) -> float:
    """Hectares to mu (公顷→亩); 1 ha = 15 mu exactly."""
    return area_ha * MU_PER_HA


def mu_to_ha(area_mu: float) -> float:
    """Mu to hectares (亩→公顷)."""
    return area_mu / MU_PER_HA


def m2_to_mu(area_m2: float) -> float:
    """Square metres to mu (平方米→亩); 3 mu = 2000 m2 exactly."""
    return area_m2 * MU_PER_HA / M2_PER_HA


def mu_to_m2(area_mu: float) -> float:
    """Mu to square metres (亩→平方米)."""
    return area_mu * M2_PER_HA / MU_PER_HA
