"""Where sinking ground will hold water: depressions before and after the motion goes on (积水风险)."""

from __future__ import annotations

import numpy as np

from qianmo.schema.errors import SchemaError

__all__ = ["depression_depth_m", "ponding_gain_m"]

_NODATA = -9999.0


def depression_depth_m(height_m: np.ndarray) -> np.ndarray:
    """Depth of water that stands where it cannot run off, (rows, columns) [m], nan where the height is (洼地深度).

    Depressions are filled to their lowest outlet (priority flood of `pyflwdir`); water leaves at the edge of the model and at cells without
    height.

    Raises
    ------
    SchemaError
        Not a grid, or no height at all.
    """
    import pyflwdir  # compiled at import: only where water is asked for

    h = np.asarray(height_m, dtype=np.float32)
    known = np.isfinite(h)
    if h.ndim != 2 or not known.any():
        raise SchemaError(f"高程 {h.shape}, 有效 {int(known.sum())} 个", expected="(行, 列) 的高程格网")
    filled, _ = pyflwdir.dem.fill_depressions(np.where(known, h, np.float32(_NODATA)), outlets="edge", nodata=_NODATA)
    return np.where(known, np.maximum(filled - h, 0.0), np.nan)


def ponding_gain_m(height_m: np.ndarray, sunk_m: np.ndarray) -> np.ndarray:
    """Depth of standing water that the motion adds, (rows, columns) [m], at least 0 (新增积水深度).

    Parameters
    ----------
    height_m : ndarray (rows, columns)
        Ground today [m]; its noise makes hollows of its own, which are in both terms.
    sunk_m : ndarray (rows, columns)
        Motion to come, down positive [m]; nan counts as none.

    Raises
    ------
    SchemaError
        Shapes that differ, or no height at all.
    """
    if np.shape(height_m) != np.shape(sunk_m):
        raise SchemaError(f"高程 {np.shape(height_m)}, 下沉 {np.shape(sunk_m)}", expected="同一格网")
    later = np.asarray(height_m, dtype=float) - np.nan_to_num(sunk_m)
    return np.maximum(depression_depth_m(later) - depression_depth_m(height_m), 0.0)
