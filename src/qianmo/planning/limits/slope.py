"""G-09: no new farmland on steep land (新增耕地坡度)."""

from __future__ import annotations

import numpy as np

from qianmo.planning.limits.rows import limit_row
from qianmo.planning.parts import Parts
from qianmo.planning.problem import Limit
from qianmo.planning.settings import PlanSettings

__all__ = ["build"]


def build(parts: Parts, settings: PlanSettings) -> list[Limit]:
    """New farmland on slopes above the threshold, or of unknown slope, is 0 (陡坡新增耕地面积为零)."""
    steepest = settings.threshold("G-09")
    slope = parts.slope[parts.patch]
    wrong = np.where(~(slope <= steepest), parts.effects["new_farmland_m2"], 0.0)
    return [limit_row("slope", "G-09", f"新增耕地坡度不大于{steepest:g}°(坡度未知的不计)", wrong, "<=", 0.0, "m2")]
