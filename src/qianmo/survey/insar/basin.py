"""The bowl that mining leaves: its edge, area, growth and deepest point by date (沉陷盆地提取)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import label

from qianmo.schema.errors import SchemaError

__all__ = ["Basin", "basins", "growth"]


@dataclass(frozen=True)
class Basin:
    """A bowl at one date (盆地): its cells as a mask, area [ha], deepest value [mm, down positive] and where."""

    mask: np.ndarray
    area_ha: float
    deepest_mm: float
    row: int
    column: int


def basins(subsidence_mm: np.ndarray, *, edge_mm: float = 10.0, cell_area_m2: float, least_cells: int = 4) -> list[Basin]:
    """Connected areas that sank by the edge value or more, the deepest first (按阈值提取盆地).

    Parameters
    ----------
    subsidence_mm : ndarray (rows, columns)
        Down positive; nan = unknown.
    edge_mm : float
        Subsidence at the edge; 10 mm in mining practice.
    cell_area_m2 : float
    least_cells : int
        Smaller areas are noise.

    Raises
    ------
    SchemaError
        Edge or cell area not above 0.
    """
    if not (edge_mm > 0 and cell_area_m2 > 0):
        raise SchemaError(f"边界值 {edge_mm} mm, 像元面积 {cell_area_m2} m2", expected="大于 0")
    w = np.asarray(subsidence_mm, dtype=float)
    named, count = label(np.where(np.isfinite(w), w >= edge_mm, False), structure=np.ones((3, 3)))
    found = []
    for k in range(1, count + 1):
        mask = named == k
        if mask.sum() >= least_cells:
            deepest = np.where(mask, w, -np.inf)
            row, column = np.unravel_index(int(deepest.argmax()), w.shape)
            found.append(Basin(mask, float(mask.sum()) * cell_area_m2 / 1e4, float(w[row, column]), int(row), int(column)))
    return sorted(found, key=lambda b: -b.deepest_mm)


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
