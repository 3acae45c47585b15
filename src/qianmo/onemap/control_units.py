"""Control units of the survey area: a village, apart for land and islands (控制面积单元: 村与描述说明)."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["control_units"]

_LAND = "00"


def control_units(frame: pd.DataFrame, villages: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Key of the control unit of each patch and of each row of the village table (控制单元).

    The national survey closes areas per village and description code (MSSM: 00 land, 01 island). Where the village table
    carries the code, a village with islands has one row for each; a blank code means land. Where no row carries it, the
    village is one unit.

    Parameters
    ----------
    frame : DataFrame, table ``landuse_patch``, n rows
    villages : DataFrame, table ``village``, k rows

    Returns
    -------
    (n,) and (k,) arrays of str
        'code' or 'code/island'.

    Examples
    --------
    >>> village = pd.DataFrame({"village_code": ["v1", "v1"], "island_code": ["00", "01"]})
    >>> patch = pd.DataFrame({"village_code": ["v1", "v1"], "island_code": [None, "01"]})
    >>> [k.tolist() for k in control_units(patch, village)]
    [['v1/00', 'v1/01'], ['v1/00', 'v1/01']]
    """
    apart = bool((_text(villages, "island_code") != "").any())
    return _keys(frame, apart=apart), _keys(villages, apart=apart)


def _keys(table: pd.DataFrame, *, apart: bool) -> np.ndarray:
    code = _text(table, "village_code")
    if not apart:
        return code.to_numpy(dtype=object)
    island = _text(table, "island_code")
    return (code + "/" + island.where(island != "", _LAND)).to_numpy(dtype=object)


def _text(table: pd.DataFrame, column: str) -> pd.Series:
    if column not in table.columns:
        return pd.Series([""] * len(table), index=table.index, dtype=object)
    return table[column].astype("string").fillna("").astype(object).str.strip()
