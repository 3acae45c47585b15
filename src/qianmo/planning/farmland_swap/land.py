"""Units of a swap as arrays: protected patches, candidates, their borders (调整单元)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from qianmo.planning.problem import hundredths
from qianmo.schema.codes import land_class
from qianmo.schema.errors import SchemaError
from qianmo.schema.tables import require_columns, table_spec
from qianmo.schema.units import mu_to_m2

__all__ = ["SwapLand", "land_from_table", "with_unit"]

PADDY, IRRIGATED = "0101", ("0101", "0102")
"""Classes of paddy and of irrigated farmland (水田; 水田和水浇地)."""


@dataclass(frozen=True)
class SwapLand:
    """Arrays of n units and k borders (调整单元).

    Areas in m2, whole hundredths; slope in degrees; grade 1 best. NaN stands for unknown in every float array: flags are
    1.0, 0.0 or NaN. `block` numbers the blocks of farmland; `border_m` are shared border lengths.
    """

    unit_id: np.ndarray
    protected: np.ndarray
    area: np.ndarray
    class_code: np.ndarray
    farmland: np.ndarray
    village: np.ndarray
    township: np.ndarray
    slope_low: np.ndarray
    slope_high: np.ndarray
    grade: np.ndarray
    high_standard: np.ndarray
    stable: np.ndarray
    erosion: np.ndarray
    polluted: np.ndarray
    project_share: np.ndarray
    redline_share: np.ndarray
    core_share: np.ndarray
    urban_share: np.ndarray
    reserve_share: np.ndarray
    protected_share: np.ndarray
    block: np.ndarray
    perimeter: np.ndarray
    border_i: np.ndarray
    border_j: np.ndarray
    border_m: np.ndarray

    @property
    def n(self) -> int:
        """Units."""
        return len(self.unit_id)

    @property
    def paddy(self) -> np.ndarray:
        """True where the land is paddy, (n,) bool (水田)."""
        return self.class_code == PADDY

    @property
    def irrigated(self) -> np.ndarray:
        """True where the land is irrigated, (n,) bool (水田、水浇地)."""
        return np.isin(self.class_code, IRRIGATED)

    @property
    def block_area(self) -> np.ndarray:
        """Area of the block of each unit, (n,) [m2] (连片面积)."""
        return np.bincount(self.block, self.area)[self.block]

    @property
    def block_protected(self) -> np.ndarray:
        """Protected area of the block of each unit, (n,) [m2] (连片内已保护面积)."""
        return np.bincount(self.block, self.area * self.protected)[self.block]

    def mu(self) -> np.ndarray:
        """Areas in mu, (n,) (亩)."""
        return self.area / mu_to_m2(1.0)


def land_from_table(units: pd.DataFrame, borders: pd.DataFrame, *, class_scheme: str = "SD3") -> SwapLand:
    """Arrays of one swap (整理调整单元).

    Parameters
    ----------
    units : DataFrame, table ``swap_unit``, n rows
        Missing optional columns are unknown everywhere.
    borders : DataFrame, columns i, j, length_m
        Rows of `units` that share a border, by position. [m]
    class_scheme : str

    Raises
    ------
    SchemaError
        A column missing, ids doubled, an area that is missing, negative or not above zero where protected, shares outside
        0..1, borders of unknown rows. The rows are named.
    CodeError
        A class is not in the scheme.
    """
    require_columns("swap_unit", list(units.columns))
    ids = units["unit_id"].astype(str).to_numpy(object)
    doubled = units["unit_id"].duplicated().to_numpy()
    _refuse(doubled, ids, "doubled unit_id", "one row a unit")
    area = _number(units, "area_m2")
    _refuse(~(area >= 0), ids, "area_m2 missing or negative", "areas of at least 0 m2")
    perimeter = _number(units, "perimeter_m")
    _refuse(~(perimeter >= 0), ids, "perimeter_m missing or negative", "lengths of at least 0 m")
    codes = units["class_code"].astype(str).to_numpy(object)
    known = {c: land_class(c, scheme=class_scheme).is_farmland for c in set(codes)}
    shares = {name: _share(units, name, ids) for name in _SHARES}
    i, j, length = _borders(borders, len(units))
    return SwapLand(
        unit_id=ids, protected=units["is_protected"].to_numpy(bool), area=hundredths(area) / 100.0, class_code=codes,
        farmland=np.array([known[c] for c in codes], bool), village=_text(units, "village_code"), township=_text(units, "township_code"),
        slope_low=_number(units, "slope_low_deg"), slope_high=_number(units, "slope_high_deg"), grade=_grade(units),
        high_standard=_number(units, "is_high_standard"), stable=_number(units, "is_stable"), erosion=_number(units, "erosion_class"),
        polluted=_number(units, "is_polluted"), project_share=shares["project_share"], redline_share=shares["redline_share"],
        core_share=shares["redline_core_share"], urban_share=shares["urban_share"], reserve_share=shares["reserve_share"],
        protected_share=np.nan_to_num(shares["protected_share"]), block=_blocks(units), perimeter=perimeter,
        border_i=i, border_j=j, border_m=length,
    )  # fmt: skip


def with_unit(land: SwapLand, row: int, **values: object) -> SwapLand:
    """The same land with other values of one unit, e.g. ``grade=4`` (改动一个单元)."""
    changed = {}
    for name, value in values.items():
        array = getattr(land, name).copy()
        array[row] = value
        changed[name] = array
    return replace(land, **changed)


_SHARES = ("project_share", "redline_share", "redline_core_share", "urban_share", "reserve_share", "protected_share")


def _number(units: pd.DataFrame, name: str) -> np.ndarray:
    table_spec("swap_unit").column(name)
    if name not in units:
        return np.full(len(units), np.nan)
    return pd.to_numeric(units[name], errors="coerce").to_numpy(float, na_value=np.nan)


def _grade(units: pd.DataFrame) -> np.ndarray:
    grade = _number(units, "quality_grade")
    return np.where((grade >= 1) & (grade <= 15), grade, np.nan)


def _share(units: pd.DataFrame, name: str, ids: np.ndarray) -> np.ndarray:
    share = _number(units, name)
    _refuse((share < 0) | (share > 1 + 1e-9), ids, f"{name} outside 0..1", "shares from 0 to 1")
    return np.minimum(share, 1.0)


def _text(units: pd.DataFrame, name: str) -> np.ndarray:
    column = units[name].astype(object)
    return column.where(units[name].notna(), "").astype(str).to_numpy(object)


def _blocks(units: pd.DataFrame) -> np.ndarray:
    return np.unique(units["block"].to_numpy(), return_inverse=True)[1].astype(np.int64)


def _borders(borders: pd.DataFrame, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    i, j = borders["i"].to_numpy(np.int64), borders["j"].to_numpy(np.int64)
    length = borders["length_m"].to_numpy(float)
    wrong = (i < 0) | (j < 0) | (i >= n) | (j >= n) | (i == j) | ~(length >= 0)
    if wrong.any():
        raise SchemaError(f"borders {np.flatnonzero(wrong)[:5].tolist()} name a missing unit or have no length", expected=f"rows 0 to {n - 1}")
    return i, j, length


def _refuse(wrong: np.ndarray, ids: np.ndarray, found: str, expected: str) -> None:
    if wrong.any():
        raise SchemaError(f"{found} in {int(wrong.sum())} units: {', '.join(map(str, ids[wrong][:5]))}", expected=expected)
