"""Z-01: new farmland of at least a share of the original farmland (新增耕地率)."""

from __future__ import annotations

from qianmo.planning.limits.rows import limit_row
from qianmo.planning.parts import Parts
from qianmo.planning.problem import Limit
from qianmo.planning.settings import PlanSettings

__all__ = ["build"]


def build(parts: Parts, settings: PlanSettings) -> list[Limit]:
    """Farmland gained >= share × farmland before, net or gross as set (新增耕地不少于原有耕地的比例)."""
    share = settings.threshold("Z-01")
    quantity = "farmland_m2" if settings.new_farmland_basis == "net" else "new_farmland_m2"
    zh = f"新增耕地不少于原有耕地的{share:.2%}"
    return [limit_row("farmland_gain", "Z-01", zh, parts.effects[quantity], ">=", share * parts.base["farmland_m2"], "m2")]
