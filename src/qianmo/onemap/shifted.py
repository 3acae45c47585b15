"""Is a layer shifted by GCJ-02 against a known one? (火星坐标偏移判定)."""

from __future__ import annotations

import numpy as np

from qianmo.geo.shift import wgs84_to_gcj02
from qianmo.schema.errors import CrsError

__all__ = ["offset_from_control"]

_M_PER_DEG = 111_320.0
_SAME_M = 20.0
_ELSEWHERE_M = 2_000.0
_SHARE_OF_SHIFT = 0.1
_MIN_POINTS = 3


def offset_from_control(lonlat: np.ndarray, known: np.ndarray) -> tuple[str, str, str]:
    """Compare matching points: same place, shifted by GCJ-02, another offset, or elsewhere (控制点比对).

    Parameters
    ----------
    lonlat, known : ndarray (n, 2), n >= 3
        The same points as this layer gives them and as they are known. [degree]

    Returns
    -------
    (suffix, verdict, reason)
        Suffix ';gcj02' or ''; verdict 'same', 'gcj02', 'offset' or 'elsewhere'. 'same' means a median within 20 m; 'gcj02' that
        removing the shift of that place leaves at most 20 m or a tenth of it.

    Raises
    ------
    CrsError
        Fewer than three points, or the two lists differ in length.
    """
    if lonlat.shape != known.shape or len(known) < _MIN_POINTS:
        found = f"{len(lonlat)} control points against {len(known)} known ones"
        raise CrsError(found, expected="at least 3 matching points (至少三个同名点)")
    plain = _median_distance(lonlat, known)
    if not np.isfinite(plain) or plain > _ELSEWHERE_M:
        return "", "elsewhere", f"control points are {plain:.0f} m away (控制点相差过大)"
    moved = np.column_stack(wgs84_to_gcj02(known[:, 0], known[:, 1]))
    shift, left = _median_distance(moved, known), _median_distance(lonlat, moved)
    if plain <= _SAME_M:
        return "", "same", f"control points agree within {plain:.1f} m (控制点吻合)"
    if left <= max(_SAME_M, _SHARE_OF_SHIFT * shift) and plain >= 0.5 * shift:
        text = f"control points are off by {plain:.0f} m, the GCJ-02 shift there is {shift:.0f} m, without it {left:.1f} m remain"
        return ";gcj02", "gcj02", f"{text} (火星坐标偏移)"
    text = f"control points are off by {plain:.0f} m, which is not the GCJ-02 shift of {shift:.0f} m: another datum?"
    return "", "offset", f"{text} (存在未知偏移)"


def _median_distance(a: np.ndarray, b: np.ndarray) -> float:
    d = (a - b) * _M_PER_DEG
    return float(np.median(np.hypot(d[:, 0] * np.cos(np.radians(b[:, 1])), d[:, 1])))
