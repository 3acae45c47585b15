"""Y-01 and Y-02: protected farmland keeps its use (永久基本农田)."""

from __future__ import annotations

import numpy as np

from qianmo.planning.limits.rows import limit_row
from qianmo.planning.parts import Parts
from qianmo.planning.problem import Limit
from qianmo.planning.settings import PlanSettings
from qianmo.schema.codes import land_class

__all__ = ["build"]

ORCHARD_FOREST_POND = ("02", "03", "1104")
"""Classes of Y-02: garden, forest, pond."""


def build(parts: Parts, settings: PlanSettings) -> list[Limit]:
    """Protected area that leaves farmland <= threshold, for any use (Y-01) and for orchard, forest, pond (Y-02).

    An overlap below the drawing tolerance does not count.
    """
    lost = -parts.effects["basic_farmland_m2"]
    lost = np.where(lost > settings.value("plan_overlap_tolerance_m2"), lost, 0.0)
    planted = np.array([_leads_to(c, settings.class_scheme) for c in parts.target_class], bool)
    return [
        limit_row("basic_farmland", "Y-01", "永久基本农田不改变用途", lost, "<=", settings.threshold_m2("Y-01"), "m2"),
        limit_row(
            "basic_farmland_planting", "Y-02", "永久基本农田不发展林果业和挖塘养鱼", np.where(planted, lost, 0.0), "<=",
            settings.threshold_m2("Y-02"), "m2",
        ),
    ]  # fmt: skip


def _leads_to(code: str, scheme: str) -> bool:
    while code:
        if code in ORCHARD_FOREST_POND:
            return True
        code = land_class(code, scheme=scheme).parent
    return False
