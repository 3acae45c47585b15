"""Value of a block as a function of how far a cut line has moved, in closed form (价值累积曲线).

Land value is constant on each soil polygon, so the value on a cut line (unit value times chord) is piecewise linear
in its position and the value behind it piecewise quadratic: both the curve and its inverse are exact to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from qianmo.schema.errors import SchemaError, TopologyError

__all__ = ["ValueProfile", "position_of", "steepest_value", "value_profile", "value_to"]


@dataclass(frozen=True, eq=False)
class ValueProfile:
    """Piecewise quadratic cumulative value (价值累积曲线).

    Parameters
    ----------
    at : (k,) float
        Positions of the corners along the axis, rising. [m]
    start, end : (k - 1,) float
        Value on the cut line at both ends of each interval. [value/m]
    total_to : (k,) float
        Value behind each position; 0 at first, the whole block at last.
    """

    at: np.ndarray
    start: np.ndarray
    end: np.ndarray
    total_to: np.ndarray

    @property
    def total(self) -> float:
        """Value of the whole block."""
        return float(self.total_to[-1])


def value_profile(pieces: np.ndarray, unit_value: np.ndarray, axis: np.ndarray) -> ValueProfile:
    """Cumulative value of soil pieces along an axis (价值累积曲线).

    Parameters
    ----------
    pieces : (n,) of Polygon or MultiPolygon
        The block cut by the soil polygons. [m]
    unit_value : (n,) float
        Value of one square metre of each piece, at least 0.
    axis : (2,) float
        Unit vector square to the cut lines.

    Returns
    -------
    ValueProfile
        Cost is the number of edges times the corners they pass.

    Raises
    ------
    TopologyError
        No piece has an area.
    SchemaError
        A unit value is negative or not finite.
    """
    bad = np.flatnonzero(~(np.isfinite(unit_value) & (np.asarray(unit_value) >= 0)))
    if len(bad):
        raise SchemaError(f"soil pieces {', '.join(str(k + 1) for k in bad[:8])}: unit value is no number of at least 0", expected="finite values", cure="改正单位价值")
    parts, owner = shapely.get_parts(np.asarray(pieces, dtype=object), return_index=True)
    polygonal = shapely.area(parts) > 0
    parts, value = shapely.orient_polygons(parts[polygonal]), np.asarray(unit_value, dtype=float)[owner[polygonal]]
    if not len(parts):
        raise TopologyError("a block without area", expected="polygons", cure="检查地块图形")
    u1, v1, u2, v2, weight = _edges(parts, value, np.asarray(axis, dtype=float))
    at = np.unique(np.concatenate([u1, u2]))
    low, high = np.searchsorted(at, np.minimum(u1, u2)), np.searchsorted(at, np.maximum(u1, u2))
    edge = np.repeat(np.arange(len(u1)), high - low)
    first = np.cumsum(high - low) - (high - low)
    interval = np.arange(len(edge)) - first[edge] + low[edge]
    share = (v2 - v1)[edge] / (u2 - u1)[edge]
    start = np.bincount(interval, weight[edge] * (v1[edge] + share * (at[interval] - u1[edge])), len(at) - 1)
    end = np.bincount(interval, weight[edge] * (v1[edge] + share * (at[interval + 1] - u1[edge])), len(at) - 1)
    start, end = np.maximum(start, 0.0), np.maximum(end, 0.0)
    behind = np.concatenate([[0.0], np.cumsum((start + end) / 2 * np.diff(at))])
    return ValueProfile(at, start, end, behind)


def value_to(profile: ValueProfile, position: np.ndarray) -> np.ndarray:
    """Value behind cut lines at these positions, same shape, from 0 to the total (累积价值)."""
    t = np.clip(position, profile.at[0], profile.at[-1])
    k = np.clip(np.searchsorted(profile.at, t, side="right") - 1, 0, len(profile.start) - 1)
    gone = t - profile.at[k]
    rise = (profile.end[k] - profile.start[k]) / (profile.at[k + 1] - profile.at[k])
    return profile.total_to[k] + gone * (profile.start[k] + rise * gone / 2)


def position_of(profile: ValueProfile, value: np.ndarray) -> np.ndarray:
    """Positions of the cut lines behind which these values lie, same shape: the inverse of `value_to` (反求界线位置)."""
    wanted = np.clip(value, 0.0, profile.total)
    k = np.clip(np.searchsorted(profile.total_to, wanted, side="right") - 1, 0, len(profile.start) - 1)
    left = np.maximum(wanted - profile.total_to[k], 0.0)
    length = profile.at[k + 1] - profile.at[k]
    rise = (profile.end[k] - profile.start[k]) / length
    root = np.sqrt(np.maximum(profile.start[k] ** 2 + 2 * rise * left, 0.0))
    below = profile.start[k] + root
    return profile.at[k] + np.minimum(np.divide(2 * left, below, out=np.zeros_like(left), where=below > 0), length)


def steepest_value(profile: ValueProfile, width: float) -> float:
    """Most value that any strip of this width holds: a lot worth more is wider wherever it lies (等宽条带最大价值).

    The strip that holds most begins or ends at a corner, or has equal chords at both ends within two intervals; both
    kinds are tried, so the answer is exact.
    """
    low, high = profile.at[0], profile.at[-1]
    if width >= high - low:
        return profile.total
    starts = np.clip(np.unique(np.concatenate([profile.at, profile.at - width])), low, high - width)
    starts = np.unique(starts)
    middle = _equal_chords(profile, starts, width)
    tried = np.concatenate([starts, middle])
    return float(np.max(value_to(profile, tried + width) - value_to(profile, tried)))


def _equal_chords(profile: ValueProfile, starts: np.ndarray, width: float) -> np.ndarray:
    """Positions between neighbouring starts at which the chords at both ends of the strip are equal."""
    a, b = starts[:-1], starts[1:]
    centre = (a + b) / 2
    gap_a, gap_b = (_chord(profile, p + width, centre + width) - _chord(profile, p, centre) for p in (a, b))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = gap_a / (gap_a - gap_b)
    good = np.isfinite(share) & (share > 0) & (share < 1)
    return (a + share * (b - a))[good]


def _chord(profile: ValueProfile, position: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Value on the cut line, continued from the interval that holds `inside`."""
    k = np.clip(np.searchsorted(profile.at, inside, side="right") - 1, 0, len(profile.start) - 1)
    rise = (profile.end[k] - profile.start[k]) / (profile.at[k + 1] - profile.at[k])
    return profile.start[k] + rise * (position - profile.at[k])


def _edges(parts: np.ndarray, value: np.ndarray, axis: np.ndarray) -> tuple[np.ndarray, ...]:
    """Edges that move along the axis: u and v at both ends, and the value they add or take away per metre of v."""
    rings, piece = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    u, v = points @ axis, points @ np.array([-axis[1], axis[0]])
    v = v - v.mean()
    same = ring[1:] == ring[:-1]
    u1, u2, v1, v2 = u[:-1][same], u[1:][same], v[:-1][same], v[1:][same]
    weight = -np.sign(u2 - u1) * value[piece[ring[1:][same]]]
    moves = u1 != u2
    return u1[moves], v1[moves], u2[moves], v2[moves], weight[moves]
