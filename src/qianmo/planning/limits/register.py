"""The limits that bind a plan, in the order they are reported (约束登记)."""

from __future__ import annotations

from qianmo.planning.limits import (
    basic_farmland,
    budget,
    construction_cap,
    farmland_balance,
    farmland_gain,
    floors,
    redline,
    slope,
    windows,
)
from qianmo.planning.parts import Parts
from qianmo.planning.problem import Limit
from qianmo.planning.settings import PlanSettings
from qianmo.schema.errors import RuleError

__all__ = ["WAIVABLE", "build_limits"]

LIMITS = (farmland_gain, construction_cap, redline, basic_farmland, slope, farmland_balance, budget, windows, floors)

WAIVABLE = ("Z-01", "G-01")
"""Rules whose text allows exceptions ("in principle", balance over the county); the others cannot be waived."""


def build_limits(parts: Parts, settings: PlanSettings) -> tuple[Limit, ...]:
    """Every limit of the plan (全部约束).

    Raises
    ------
    RuleError
        The settings waive a rule that cannot be waived.
    """
    wrong = sorted(set(settings.waived) - set(WAIVABLE))
    if wrong:
        raise RuleError(f"rules {', '.join(wrong)} cannot be waived", expected=", ".join(WAIVABLE))
    rows = [row for limit in LIMITS for row in limit.build(parts, settings)]
    return tuple(x for x in rows if x.rule_id not in settings.waived)
