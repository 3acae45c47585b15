"""Land classes of patches as flags and groups (地类标志与一级类)."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from qianmo.schema.codes import land_classes
from qianmo.schema.errors import CodeError, MissingDataError
from qianmo.schema.shipped import shipped_rows

__all__ = ["GROUPS", "class_table", "farmland", "flag", "group", "ridge_area", "text_column"]

GROUPS = ("farmland", "garden", "forest", "grass", "wetland", "construction", "transport", "water", "other")
"""First-level groups in the order of every table by village."""

RIDGE_CLASS = "1203"


@cache
def class_table(scheme: str) -> pd.DataFrame:
    """Classes of one scheme (地类表): index code; zh, group, big_class and the flags farmland, construction, eco, wetland.

    Raises
    ------
    CodeError
        The scheme does not exist or has no list of first-level groups.
    """
    first = {r["first_level"]: r["group"] for r in shipped_rows("codes", "class_groups") if r["scheme"] == scheme}
    classes = land_classes(scheme)
    if not first:
        raise CodeError(
            f"land-class scheme {scheme!r} has no first-level groups",
            expected="a scheme of schema/codes/class_groups.csv",
            cure="map the classes to SD3 at ingest (先把地类转换为三调工作分类)",
        )
    rows = {}
    for code, c in classes.items():
        top = code
        while classes[top].parent in classes:
            top = classes[top].parent
        # the 2017 list keeps wetlands under forest, grass and water; the survey counts them as one group
        name = "wetland" if c.is_wetland and not c.is_construction else first[top]
        rows[code] = (c.zh, name, c.big_class, c.is_farmland, c.is_construction, c.is_eco, c.is_wetland)
    columns = ["zh", "group", "big_class", "farmland", "construction", "eco", "wetland"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def flag(codes: pd.Series, name: str, *, scheme: str) -> np.ndarray:
    """One flag of :func:`class_table` for every patch (地类标志), bool (n,).

    Raises
    ------
    CodeError
        A code is empty or not in the scheme; the message names the rows.
    """
    return _mapped(codes, name, scheme=scheme).to_numpy(dtype=bool)


def group(codes: pd.Series, *, scheme: str) -> np.ndarray:
    """First-level group of every patch (一级类), text (n,). Raises CodeError as :func:`flag`."""
    return _mapped(codes, "group", scheme=scheme).to_numpy(dtype=object)


def farmland(patches: pd.DataFrame, *, scheme: str) -> np.ndarray:
    """True where a patch is cultivated land (耕地), bool (n,). Raises CodeError as :func:`flag`."""
    return flag(patches["class_code"], "farmland", scheme=scheme)


def ridge_area(patches: pd.DataFrame) -> np.ndarray:
    """Ridges deducted from each patch (田坎面积) [m2], (n,): register area less class area, never negative."""
    gap = patches["area_m2"].to_numpy(float) - patches["class_area_m2"].to_numpy(float)
    return np.maximum(np.round(gap, 2), 0.0)


def text_column(table: pd.DataFrame, name: str) -> pd.Series:
    """A text column, blanks where it is absent or null (文本字段)."""
    if name not in table.columns:
        return pd.Series("", index=table.index, dtype=object)
    given = table[name]
    if given.dtype == "str":
        return given.fillna("")
    return given.astype(object).where(given.notna(), "").map(str)


def _mapped(codes: pd.Series, name: str, *, scheme: str) -> pd.Series:
    if not isinstance(codes, pd.Series):
        raise MissingDataError("no class codes", expected="column class_code of landuse_patch")
    table = class_table(scheme)
    categories = pd.Categorical(codes)
    unknown = [str(c) for c in categories.categories if c not in table.index]
    if unknown or (categories.codes < 0).any():
        bad = ~codes.isin(table.index)
        rows = ", ".join(str(i) for i in np.flatnonzero(bad.to_numpy())[:5])
        raise CodeError(
            f"{int(bad.sum())} patches have a land class outside scheme {scheme}: "
            f"{', '.join(unknown[:8]) or 'empty'} (rows {rows})",
            expected=f"codes of {scheme}",
            cure="check DLBM and the class_scheme of the dataset (核对地类编码与分类方案)",
        )
    values = table[name].reindex(categories.categories).to_numpy()
    return pd.Series(values[categories.codes] if len(codes) else values[:0], index=codes.index)
