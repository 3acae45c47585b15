"""Farmland quality as one sum (耕地质量等面积): area times grades above a base."""

from __future__ import annotations

import numpy as np

from qianmo.evaluation.land import Land
from qianmo.schema.codes import land_classes
from qianmo.schema.rules import parameter
from qianmo.schema.units import M2_PER_HA

__all__ = ["grade_area", "grade_after"]


def grade_area(land: Land, level: str = "default") -> np.ndarray:
    r"""Grade area of every patch [ha grade] (耕地质量等面积), (n,).

    :math:`a_i (15.5 - g_i)` on farmland, 0 elsewhere; NaN on farmland without a grade. Times ``capacity_grade_step`` and
    15 mu per hectare it is grain capacity in kg a year. `level` is not used.
    """
    classes = land_classes(land.scheme)
    farm = np.array([classes[str(c)].is_farmland for c in land.code], bool)
    points = (parameter("grade_area_base", land.overrides) - land.grade) * land.class_area / M2_PER_HA
    return np.where(farm, points, 0.0)


def grade_after(land: Land, target: np.ndarray, measure: np.ndarray) -> np.ndarray:
    """Grade after works (整治后等别), (n,): what works gain, at best grade 1; NaN where land is new farmland.

    The gains are the parameters ``quality_gain_<measure>``. Land made into farmland has no grade until it is assessed.
    """
    classes = land_classes(land.scheme)
    stays = np.array([classes[str(b)].is_farmland and classes[str(t)].is_farmland for b, t in zip(land.code, target)], bool)
    gain = np.zeros(len(target))
    for name in ("high_standard", "dry_to_paddy", "terrace"):
        gain[measure == name] = parameter(f"quality_gain_{name}", land.overrides)
    return np.where(stays, np.maximum(land.grade - gain, 1.0), np.nan)
