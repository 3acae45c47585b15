"""Erosion on the ground: area by grade and zone, loss of each patch (侵蚀面积统计)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qianmo.schema.units import M2_PER_HA
from qianmo.survey.erosion.grade import GRADES

__all__ = ["grade_areas", "patch_losses"]


def grade_areas(zone: np.ndarray, grade: np.ndarray, loss_t_ha: np.ndarray, *, cell_m2: float) -> pd.DataFrame:
    """Area and loss of each grade in each zone (分级面积统计表).

    Parameters
    ----------
    zone : ndarray (n,), object
        Name of the zone of every cell.
    grade : ndarray (n,), int
        1 to 6; 0 = unknown.
    loss_t_ha : ndarray (n,)
        Yearly loss [t/ha]; nan where unknown.
    cell_m2 : float
        Area of a cell [m2].

    Returns
    -------
    DataFrame (zone, grade, grade_zh, cells, area_ha, share, loss_t_yr)
        One row a zone and a grade that occurs, then those of the whole area with the zone 全区; `share` is that of the zone.
        Areas add up to the cells given; the unknown ones have grade 0 and the word 未知.
    """
    cells = pd.DataFrame({"zone": np.asarray(zone, object), "grade": grade, "loss": np.nan_to_num(loss_t_ha)})
    whole = cells.assign(zone="全区")
    table = pd.concat([cells, whole]).groupby(["zone", "grade"], sort=True)["loss"].agg(["size", "sum"]).reset_index()
    table["whole"] = table["zone"] == "全区"
    table = table.sort_values(["whole", "zone", "grade"], kind="stable").reset_index(drop=True)
    area = table["size"] * cell_m2 / M2_PER_HA
    return pd.DataFrame({
        "zone": table["zone"], "grade": table["grade"], "grade_zh": [GRADES[g] or "未知" for g in table["grade"]], "cells": table["size"], "area_ha": area,
        "share": area / area.groupby(table["zone"]).transform("sum"), "loss_t_yr": table["sum"] * cell_m2 / M2_PER_HA,
    })  # fmt: skip


def patch_losses(patch: np.ndarray, loss_t_ha: np.ndarray, ratio: np.ndarray, *, count: int, cell_m2: float) -> pd.DataFrame:
    """Mean modulus, loss and sediment of each patch from its cells (图斑土壤流失).

    Parameters
    ----------
    patch : ndarray (n,), int
        Row of the patch of each cell.
    loss_t_ha, ratio : ndarray (n,)
        Loss [t/(ha·a)] and share that reaches a channel; nan = unknown, left out of the means.
    count : int
        Number of patches.
    cell_m2 : float

    Returns
    -------
    DataFrame, `count` rows
        cells (with a known loss), modulus_t_km2 (nan without one), loss_t_yr, sediment_t_yr: sums over the cells.
    """
    known = np.isfinite(loss_t_ha)
    here, loss = patch[known], loss_t_ha[known]
    cells = np.bincount(here, minlength=count)
    total = np.bincount(here, weights=loss, minlength=count)
    led = np.bincount(here, weights=loss * np.nan_to_num(ratio[known]), minlength=count)
    mean = np.divide(total, cells, out=np.full(count, np.nan), where=cells > 0)
    to_t = cell_m2 / M2_PER_HA
    return pd.DataFrame({"cells": cells, "modulus_t_km2": 100.0 * mean, "loss_t_yr": total * to_t, "sediment_t_yr": led * to_t})
