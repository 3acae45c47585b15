"""Z-12: no works in the ecological redline that the zone matrix does not allow (生态保护红线)."""

from __future__ import annotations

import numpy as np

from qianmo.planning.limits.rows import limit_row
from qianmo.planning.parts import Parts
from qianmo.planning.problem import Limit
from qianmo.planning.settings import PlanSettings
from qianmo.schema.codes import zone_activities
from qianmo.schema.measures import measure

__all__ = ["build"]


def build(parts: Parts, settings: PlanSettings) -> list[Limit]:
    """Area of prohibited works inside the redline <= threshold (红线内禁止的工程面积).

    Options already blocked by the evaluation never come here; this row proves that none is left.
    """
    prohibited = np.array([_is_prohibited(x) for x in parts.measure], bool)
    inside = np.where(prohibited, parts.area[parts.patch] * parts.redline_share[parts.patch], 0.0)
    inside[inside <= settings.value("plan_overlap_tolerance_m2")] = 0.0
    return [limit_row("redline", "Z-12", "不突破生态保护红线", inside, "<=", settings.threshold_m2("Z-12"), "m2")]


def _is_prohibited(measure_id: str) -> bool:
    activity = measure(measure_id).activity_id
    return bool(activity) and zone_activities()[activity]["eco_other"] == "P"
