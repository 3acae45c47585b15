"""Patches as the service formulas see them (图斑的服务计算要素)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from qianmo.evaluation.classes import RIDGE_CLASS, text_column
from qianmo.schema.rules import parameter

__all__ = ["EROSIVITY", "ERODIBILITY", "Land", "land_of", "slope_length"]

EROSIVITY, ERODIBILITY = "rain_erosivity", "soil_erodibility"
"""Columns of the patches that give R [MJ mm/(ha h a)] and K [t ha h/(ha MJ mm)] where the project has them."""

TERRACED = "TT"


@dataclass(frozen=True)
class Land:
    """Arrays of n patches in one state (土地状态).

    Areas in m2, slope in degrees and length of slope in m, grade 1 best; NaN is unknown. `threat` is the share of the known
    border that lies against threats, weighted by their strength. [0..1]
    """

    scheme: str
    code: np.ndarray
    area: np.ndarray
    class_area: np.ndarray
    slope: np.ndarray
    length: np.ndarray
    grade: np.ndarray
    terraced: np.ndarray
    erosivity: np.ndarray
    erodibility: np.ndarray
    threat: np.ndarray
    overrides: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ridge(self) -> np.ndarray:
        """Area of the ridges that the class area leaves out [m2] (田坎面积)."""
        return np.maximum(self.area - self.class_area, 0.0)

    @property
    def ridge_code(self) -> np.ndarray:
        """Class of the ridges, as an array beside `code` (田坎地类)."""
        return np.full(len(self.code), RIDGE_CLASS, object)

    def rows(self, at: np.ndarray) -> Land:
        """The same land with the rows `at`, in that order (取行)."""
        names = ("code", "area", "class_area", "slope", "length", "grade", "terraced", "erosivity", "erodibility", "threat")
        return replace(self, **{n: getattr(self, n)[at] for n in names})


def land_of(
    patches: pd.DataFrame, *, scheme: str, threat: np.ndarray | None = None, overrides: Mapping[str, Any] | None = None
) -> Land:
    """Land in the state of a patch table (由图斑表取要素).

    Parameters
    ----------
    patches : DataFrame, table ``landuse_patch``
        May hold the columns `rain_erosivity` and `soil_erodibility`; else the parameters of these names are used.
    threat : (n,) float, optional
        From :func:`qianmo.evaluation.habitat.threat_share`; unknown when left out.
    """
    n, told = len(patches), overrides or {}
    area = _number(patches, "area_m2")
    return Land(
        scheme, patches["class_code"].to_numpy(object), area, _number(patches, "class_area_m2"), _number(patches, "slope_deg"),
        slope_length(area, told), _grade(patches), (text_column(patches, "farmland_type") == TERRACED).to_numpy(bool),
        _given(patches, EROSIVITY, "erosion_rain_erosivity", told), _given(patches, ERODIBILITY, "erosion_soil_erodibility", told),
        np.full(n, np.nan) if threat is None else threat, told,
    )  # fmt: skip


def slope_length(area_m2: np.ndarray, overrides: Mapping[str, Any] | None = None) -> np.ndarray:
    """Length of slope of a field without a flow map [m] (坡长): side of the square of its area, at most ``ls_len_max_m``."""
    return np.minimum(np.sqrt(np.asarray(area_m2, float)), parameter("ls_len_max_m", overrides))


def _number(table: pd.DataFrame, name: str) -> np.ndarray:
    if name not in table:
        return np.full(len(table), np.nan)
    return pd.to_numeric(table[name], errors="coerce").to_numpy(float, na_value=np.nan)


def _given(patches: pd.DataFrame, column: str, name: str, overrides: Mapping[str, Any]) -> np.ndarray:
    if column in patches:
        return _number(patches, column)
    return np.full(len(patches), parameter(name, overrides))


def _grade(patches: pd.DataFrame) -> np.ndarray:
    grade = _number(patches, "quality_grade")
    return np.where((grade >= 1) & (grade <= 15), grade, np.nan)
