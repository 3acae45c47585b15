"""The budget of the user: works, fees and contingency (投资上限)."""

from __future__ import annotations

from qianmo.planning.costs import fee_factor
from qianmo.planning.limits.rows import limit_row
from qianmo.planning.parts import Parts
from qianmo.planning.problem import Limit
from qianmo.planning.settings import PlanSettings

__all__ = ["build"]


def build(parts: Parts, settings: PlanSettings) -> list[Limit]:
    """Default cost of works times the fee factor <= budget; nothing without a budget (总投资不超过预算)."""
    if settings.budget_yuan is None:
        return []
    total = parts.cost * fee_factor("default")
    return [limit_row("budget", "budget", "总投资(含费用)不超过预算", total, "<=", settings.budget_yuan, "yuan")]
