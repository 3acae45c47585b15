"""G-01: yearly balance between farmland and other agricultural land (耕地进出平衡)."""

from __future__ import annotations

import numpy as np

from qianmo.planning.limits.rows import limit_row
from qianmo.planning.parts import Parts
from qianmo.planning.problem import Limit
from qianmo.planning.settings import PlanSettings

__all__ = ["build"]


def build(parts: Parts, settings: PlanSettings) -> list[Limit]:
    """Farmland won from agricultural land less farmland lost to it >= threshold (进出平衡).

    State programmes of retirement are exempt when so set (G-02).
    """
    out = parts.effects["agri_out_m2"]
    if settings.retirement_is_exempt:
        out = np.where(parts.measure == "retire_steep", 0.0, out)
    net = parts.effects["agri_in_m2"] - out
    return [limit_row("farmland_balance", "G-01", "耕地进出平衡(进不少于出)", net, ">=", settings.threshold_m2("G-01"), "m2")]
