"""Area windows of measures, by village or over all (分村规模上下限)."""

from __future__ import annotations

import numpy as np

from qianmo.planning.limits.rows import limit_row
from qianmo.planning.parts import Parts
from qianmo.planning.problem import Limit
from qianmo.planning.settings import PlanSettings, Window
from qianmo.schema.errors import SchemaError
from qianmo.schema.measures import measure

__all__ = ["build"]


def build(parts: Parts, settings: PlanSettings) -> list[Limit]:
    """Lower and upper area of each window (各村各措施面积窗口).

    Raises
    ------
    SchemaError
        A window names a village that has no patch, or its ends cross.
    CodeError
        A window names an unknown measure.
    """
    return [row for w in settings.windows for row in _window(parts, settings, w)]


def _window(parts: Parts, settings: PlanSettings, window: Window) -> list[Limit]:
    name = measure(window.measure).zh
    if window.min_m2 > window.max_m2:
        raise SchemaError(f"window of {window.measure} from {window.min_m2} to {window.max_m2} m2", expected="min not above max")
    if window.village_code and not np.any(parts.village == window.village_code):
        raise SchemaError(f"window for village {window.village_code}", expected="a village_code of the patches")
    here = (parts.measure == window.measure) & ((window.village_code == "") | (parts.village[parts.patch] == window.village_code))
    area = np.where(here, parts.class_area[parts.patch], 0.0)
    where = settings.village_names.get(window.village_code, window.village_code) or "全区"
    key = f"window:{window.measure}:{window.village_code or '*'}"
    rows = []
    if window.min_m2 > 0:
        rows.append(limit_row(f"{key}:min", "window", f"{where}{name}面积下限", area, ">=", window.min_m2, "m2"))
    if np.isfinite(window.max_m2):
        rows.append(limit_row(f"{key}:max", "window", f"{where}{name}面积上限", area, "<=", window.max_m2, "m2"))
    return rows
