"""A class map cut along the classes of a second raster (分级分割)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.ndimage import uniform_filter

from qianmo.geo.cells import placed
from qianmo.geo.grid import Grid

__all__ = ["with_classes"]


def with_classes(grid: Grid, measure: Grid, *, limits: Sequence[float], only: Sequence[int], window: int) -> Grid:
    """Labels ``10 * class + grade``, where grade is the class of a measure at the cell, 0 where it is not asked for.

    Parameters
    ----------
    grid : Grid
        Class map, whole numbers from 0 to 255.
    measure : Grid
        Such as slope, in the same coordinates; sampled at the cell centres after a mean over `window` cells.
    limits : sequence of float
        Upper limits of all grades but the last, rising; a value on a limit belongs to the lower grade.
    only : sequence of int
        Classes that are cut; the others keep grade 0, as do cells where the measure is missing.
    window : int
        Cells a side of the mean that smooths the measure.

    Returns
    -------
    Grid
        32-bit labels; nodata as in `grid` times ten.
    """
    weight = uniform_filter(measure.valid.astype(float), window, mode="constant")
    total = uniform_filter(np.where(measure.valid, measure.values, 0.0).astype(float), window, mode="constant")
    smooth = np.divide(total, weight, out=np.full(total.shape, np.nan), where=weight > 1e-9)
    rows, columns = np.indices(grid.values.shape, dtype=float)
    x, y = placed(grid.transform, np.asarray(columns + 0.5), np.asarray(rows + 0.5))
    at_column, at_row = placed(~measure.transform, x, y)
    c, r = np.floor(at_column).astype(int), np.floor(at_row).astype(int)
    inside = (r >= 0) & (c >= 0) & (r < measure.values.shape[0]) & (c < measure.values.shape[1])
    value = np.full(grid.values.shape, np.nan)
    value[inside] = smooth[r[inside], c[inside]]
    grade = np.where(np.isnan(value), 0, np.searchsorted(np.asarray(limits), value, side="left") + 1)
    labels = grid.values.astype(np.int32) * 10 + np.where(np.isin(grid.values, only), grade, 0).astype(np.int32)
    return replace(grid, values=labels, nodata=None if grid.nodata is None else float(grid.nodata) * 10)
