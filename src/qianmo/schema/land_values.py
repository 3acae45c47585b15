"""Value of a square metre of land by quality class and grade, for exchanges without an appraisal (地类等别价值)."""

from __future__ import annotations

from functools import cache

import numpy as np

from qianmo.schema.errors import RuleError
from qianmo.schema.shipped import shipped_rows

__all__ = ["USE_CLASSES", "land_value"]

USE_CLASSES = ("paddy", "irrigated", "dry", "orchard")
_MIDDLE_GRADE = 8


def land_value(use_class: str, grade: float = float("nan")) -> float:
    """Default value of one square metre from ``parameters/land_values.csv`` (默认单价).

    Parameters
    ----------
    use_class : str
        One of `USE_CLASSES`.
    grade : float
        Farmland grade from 1 (best) to 15; the middle grade where it is not known.

    Returns
    -------
    float
        [yuan/m2]; a relative scale for exchange, no market price.

    Raises
    ------
    RuleError
        No such class or grade.
    """
    key = use_class, _MIDDLE_GRADE if not np.isfinite(grade) else int(grade)
    found = _values().get(key)
    if found is None:
        raise RuleError(f"no land value for {key}", expected="a class and grade of schema/parameters/land_values.csv")
    return found


@cache
def _values() -> dict[tuple[str, int], float]:
    return {(r["use_class"], int(r["grade"])): float(r["value_yuan_m2"]) for r in shipped_rows("parameters", "land_values")}
