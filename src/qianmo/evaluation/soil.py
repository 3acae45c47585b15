"""Areas of the soil types of a soil map (土壤类型面积)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qianmo.schema.errors import SchemaError

__all__ = ["soil_areas"]


def soil_areas(values: np.ndarray, valid: np.ndarray, *, cell_m2: float, types: pd.DataFrame | None = None) -> pd.DataFrame:
    """Area of each value of a soil map by counting cells (土壤类型面积).

    Parameters
    ----------
    values, valid : array of one shape
        Codes of the cells that count, and which of them hold one.
    cell_m2 : float
        Area of a cell. [m2]
    types : DataFrame, table ``soil_type``, optional
        Names and topsoil; a code that is not in it keeps its number and no name.

    Returns
    -------
    DataFrame, one row a code, the largest first, then one without code for the cells that hold none
        soil_code, soil_name ('' without), cells, area_m2, share (of all cells), topsoil_organic_share, topsoil_clay_share, depth_mm.

    Raises
    ------
    SchemaError
        The map holds numbers that are no codes.
    """
    codes, cells = np.unique(values[valid], return_counts=True)
    bare = int(np.size(valid) - np.count_nonzero(valid))
    if len(codes) and not (codes == np.rint(codes)).all():
        raise SchemaError(f"土壤栅格的像元值 {float(codes[codes != np.rint(codes)][0])} 不是代号", expected="整数代号", cure="核对土壤图是否为连续量")
    out = pd.DataFrame({"soil_code": [str(int(c)) for c in codes], "cells": cells, "area_m2": cells * float(cell_m2)})
    if types is None:
        out = out.assign(soil_name="", topsoil_organic_share=np.nan, topsoil_clay_share=np.nan, depth_mm=np.nan)
    else:
        out = out.merge(types, on="soil_code", how="left")
        out["soil_name"] = out["soil_name"].fillna("")
    columns = ["soil_code", "soil_name", "cells", "area_m2", "share", "topsoil_organic_share", "topsoil_clay_share", "depth_mm"]
    out = out.sort_values(["area_m2", "soil_code"], ascending=[False, True], kind="stable")
    if bare:
        out = pd.concat([out, pd.DataFrame([{"soil_code": "", "soil_name": "", "cells": bare, "area_m2": bare * float(cell_m2)}])], ignore_index=True)
    out["share"] = out["cells"] / out["cells"].sum() if len(out) else 0.0
    return out[columns].reset_index(drop=True)
