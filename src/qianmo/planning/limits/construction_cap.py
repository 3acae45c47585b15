"""Z-11: construction land does not grow (建设用地总量不增加)."""

from __future__ import annotations

from qianmo.planning.limits.rows import limit_row
from qianmo.planning.parts import Parts
from qianmo.planning.problem import Limit
from qianmo.planning.settings import PlanSettings

__all__ = ["build"]


def build(parts: Parts, settings: PlanSettings) -> list[Limit]:
    """Change of construction land <= threshold (建设用地净增面积上限)."""
    cap = settings.threshold_m2("Z-11")
    return [limit_row("construction_cap", "Z-11", "建设用地总量不增加", parts.effects["construction_m2"], "<=", cap, "m2")]
