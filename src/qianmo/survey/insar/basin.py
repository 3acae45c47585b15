"""The bowl that mining leaves: its edge, area, growth and deepest point by date (沉陷盆地提取)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import label

from qianmo.schema.errors import SchemaError

__all__ = ["Basin", "basins", "growth", "labelled_basins"]


@dataclass(frozen=True)
class Basin:
    """A bowl at one date (盆地): its number in the labels, area [ha], deepest value [mm, down positive] and where."""

    number: int
    area_ha: float
    deepest_mm: float
    row: int
    column: int


def basins(subsidence_mm: np.ndarray, *, edge_mm: float = 10.0, cell_area_m2: float, least_cells: int = 4) -> list[Basin]:
    """Connected areas that sank by the edge value or more, the deepest first; as `labelled_basins` (按阈值提取盆地)."""
    return labelled_basins(subsidence_mm, edge_mm=edge_mm, cell_area_m2=cell_area_m2, least_cells=least_cells)[1]


def labelled_basins(subsidence_mm: np.ndarray, *, edge_mm: float = 10.0, cell_area_m2: float, least_cells: int = 4) -> tuple[np.ndarray, list[Basin]]:
    """Connected areas that sank by the edge value or more, as labels and as a list, the deepest first (按阈值提取盆地).

    Parameters
    ----------
    subsidence_mm : ndarray (rows, columns)
        Down positive; nan = unknown.
    edge_mm : float
        Subsidence at the edge; 10 mm in mining practice.
    cell_area_m2 : float
    least_cells : int
        Smaller areas are noise.

    Returns
    -------
    labels : ndarray (rows, columns), int32
        Number of the bowl of each cell, 1 for the deepest; 0 outside.
    found : list of Basin

    Raises
    ------
    SchemaError
        Edge or cell area not above 0.
    """
    if not (edge_mm > 0 and cell_area_m2 > 0):
        raise SchemaError(f"边界值 {edge_mm} mm, 像元面积 {cell_area_m2} m2", expected="大于 0")
    w = np.asarray(subsidence_mm)
    named, count = label(np.where(np.isfinite(w), w >= edge_mm, False), structure=np.ones((3, 3)))
    cells = np.bincount(named.ravel(), minlength=count + 1)
    large = np.flatnonzero(cells[1:] >= least_cells) + 1
    if not len(large):
        return np.zeros(w.shape, np.int32), []
    # only the cells of bowls are sorted: they are few
    at = np.flatnonzero(named)
    owner, value = named.ravel()[at], w.ravel()[at]
    by = np.lexsort((-value, owner))
    first = by[np.searchsorted(owner[by], large)]
    depth = value[first].astype(float)
    places = np.column_stack(np.unravel_index(at[first], w.shape))
    order = np.lexsort((large, -depth))
    new = np.zeros(count + 1, np.int32)
    new[large[order]] = np.arange(1, len(large) + 1)
    found = [
        Basin(n + 1, float(cells[large[k]]) * cell_area_m2 / 1e4, float(depth[k]), int(places[k][0]), int(places[k][1])) for n, k in enumerate(order)
    ]  # fmt: skip
    return new[named], found


def growth(area_ha: np.ndarray, days: np.ndarray) -> dict[str, float]:
    """How the area grew: share gained over all, speed over all and over the last step (扩展趋势).

    Returns
    -------
    dict
        ``gain_share`` (nan when the first area is 0), ``speed_ha_yr``, ``last_speed_ha_yr``, ``is_faster`` (1 or 0).

    Raises
    ------
    SchemaError
        Fewer than two dates, or days that do not rise.
    """
    a, t = np.asarray(area_ha, dtype=float), np.asarray(days, dtype=float)
    if a.shape != t.shape or len(t) < 2 or not (np.diff(t) > 0).all():
        raise SchemaError(f"面积 {a.shape}, 日期 {t.shape}", expected="至少两期, 天数递增")
    speed = (a[-1] - a[0]) / (t[-1] - t[0]) * 365.25
    last = (a[-1] - a[-2]) / (t[-1] - t[-2]) * 365.25
    return {
        "gain_share": a[-1] / a[0] - 1.0 if a[0] > 0 else float("nan"), "speed_ha_yr": speed, "last_speed_ha_yr": last, "is_faster": float(last > speed),
    }  # fmt: skip
