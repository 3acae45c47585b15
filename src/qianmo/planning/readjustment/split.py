"""Straight cuts that give each owner of a parcel its exact value (按价值精确分割)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.polygon import orient

__all__ = ["Cut", "cut_offsets", "cut_parcel", "parallel_parts"]

_TURNS = 8
_TOUCH_M = 0.01


@dataclass(frozen=True, eq=False)
class Cut:
    """One parcel cut into strips (分割结果).

    Parameters
    ----------
    parts : tuple of polygons
        In the order of the shares.
    joined : tuple of bool
        The part borders other land of its owner.
    narrow : tuple of bool
        The part is thinner than the least width and not joined along its length.
    """

    parts: tuple[shapely.Geometry, ...]
    joined: tuple[bool, ...]
    narrow: tuple[bool, ...]


def cut_offsets(polygon: shapely.Geometry, direction: np.ndarray, areas: Sequence[float]) -> np.ndarray:
    r"""Where lines across a direction leave exactly these areas behind them (闭式分割位置).

    The area on the near side of a moving line is piecewise quadratic in its position between vertices, holes included; the piece
    that holds the target is found and its quadratic solved.

    Parameters
    ----------
    polygon : Polygon or MultiPolygon
        [m]
    direction : (2,) unit vector
        The line moves along it.
    areas : increasing floats
        From 0 to the area of the polygon. [m2]

    Returns
    -------
    (len(areas),) float
        Positions along the direction. [m]
    """
    low, high, at_low, slope, sign, origin = _edges(polygon, direction)
    stops = np.unique(np.concatenate([low, high]))
    level = _swept(stops, low, high, at_low, slope, sign)
    out = np.empty(len(areas))
    for i, area in enumerate(areas):
        k = int(np.clip(np.searchsorted(level, area) - 1, 0, len(stops) - 2))
        a, b = stops[k], stops[k + 1]
        middle = float(_swept(np.array([(a + b) / 2]), low, high, at_low, slope, sign)[0])
        out[i] = a + (b - a) * _root(float(level[k]) - area, middle - area, float(level[k + 1]) - area)
    return out + origin


def parallel_parts(polygon: shapely.Geometry, direction: np.ndarray, shares: Sequence[float]) -> list[shapely.Geometry]:
    """The polygon cut across a direction into parts with these shares of its area, first share first along the direction."""
    total = shapely.area(polygon)
    at = cut_offsets(polygon, direction, [total * s for s in np.cumsum(shares)[:-1]])
    bounds = np.concatenate([[-np.inf], at, [np.inf]])
    return [shapely.intersection(polygon, _strip(polygon, direction, a, b)) for a, b in zip(bounds, bounds[1:])]


def cut_parcel(
    polygon: shapely.Geometry, shares: Sequence[float], sites: np.ndarray, land: Mapping[int, shapely.Geometry], *,
    least_width_m: float, least_border_m: float,
) -> Cut:  # fmt: skip
    """Cut a parcel between owners so that each part joins its owner's block, by the best of several directions (分割方向选择).

    Parameters
    ----------
    shares : floats, sum 1
        Of the value; value is even inside a parcel, so also of the area.
    sites : (len(shares), 2)
        Where each owner's land gathers: parts lie in that order. [m]
    land : mapping of position in `shares` to geometry
        Other land of the owner that borders the parcel.
    least_width_m, least_border_m : float
        Below the width a part counts as narrow; below the border as not joined. [m]
    """
    near = {i: shapely.buffer(g, _TOUCH_M) for i, g in land.items()}
    best: tuple[float, Cut] | None = None
    for direction in _directions(polygon, sites):
        order = np.argsort(sites @ direction, kind="stable")
        strips = parallel_parts(polygon, direction, [shares[i] for i in order])
        parts = tuple(strips[int(np.flatnonzero(order == i)[0])] for i in range(len(shares)))
        joined, narrow, badness = _judged(polygon, parts, near, least_width_m, least_border_m)
        if best is None or badness < best[0]:
            best = badness, Cut(parts, joined, narrow)
        if badness < 1.0:
            break
    assert best is not None
    return best[1]


def _judged(
    polygon: shapely.Geometry, parts: tuple[shapely.Geometry, ...], near: Mapping[int, shapely.Geometry], width: float, border: float
) -> tuple[tuple[bool, ...], tuple[bool, ...], float]:
    joined, narrow, badness = [], [], 0.0
    for i, part in enumerate(parts):
        edge = shapely.boundary(part)
        contact = float(shapely.length(shapely.intersection(edge, near[i]))) if i in near else 0.0
        length = float(shapely.length(edge)) / 2
        mean_width = float(shapely.area(part)) / max(length, 1e-9)
        joined.append(contact >= border)
        narrow.append(mean_width < width and contact < 0.4 * length)
        badness += 100.0 * (shapely.get_num_geometries(part) > 1) + (30.0 if i in near and not joined[-1] else 0.0) + 10.0 * narrow[-1]
        badness += 0.1 * length / np.sqrt(shapely.area(polygon))
    return tuple(joined), tuple(narrow), badness


def _directions(polygon: shapely.Geometry, sites: np.ndarray) -> list[np.ndarray]:
    """From site to site first, then across and along the parcel, then all round."""
    found = []
    step = sites[-1] - sites[0]
    far = np.argmax(np.hypot(*(sites - sites.mean(axis=0)).T))
    step = sites[far] - sites.mean(axis=0) if len(sites) > 2 else step
    if np.hypot(*step) > 1e-6:
        found.append(step / np.hypot(*step))
    box = shapely.get_coordinates(shapely.minimum_rotated_rectangle(polygon))
    for side in (box[1] - box[0], box[2] - box[1]) if len(box) >= 3 else ():
        if np.hypot(*side) > 1e-6:
            found.append(side / np.hypot(*side))
    turn = np.arange(_TURNS) * np.pi / _TURNS
    return [*found, *np.column_stack([np.cos(turn), np.sin(turn)])]


def _edges(polygon: shapely.Geometry, u: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, float]:
    """Edges as functions of position along u: from, to, offset at from, slope, sign; positions are from the centroid."""
    middle = shapely.get_coordinates(shapely.centroid(polygon))[0]
    found = []
    for part in shapely.get_parts(polygon):
        for ring in shapely.get_rings(orient(part)):
            xy = shapely.get_coordinates(ring) - middle
            t, s = xy @ u, xy @ np.array([-u[1], u[0]])
            found.append(np.column_stack([t[:-1], s[:-1], t[1:], s[1:]]))
    a, p, b, q = np.concatenate(found).T
    real = a != b
    a, p, b, q = a[real], p[real], b[real], q[real]
    forward = b > a
    low, high = np.where(forward, a, b), np.where(forward, b, a)
    at_low, at_high = np.where(forward, p, q), np.where(forward, q, p)
    return low, high, at_low, (at_high - at_low) / (high - low), np.where(forward, -1.0, 1.0), float(middle @ u)


def _swept(stops: np.ndarray, low: np.ndarray, high: np.ndarray, at_low: np.ndarray, slope: np.ndarray, sign: np.ndarray) -> np.ndarray:
    """Area with position at most each stop (Green's theorem on the clipped boundary)."""
    run = np.clip(stops[:, None], low, high) - low
    return np.asarray((sign * (at_low * run + slope * run**2 / 2)).sum(axis=1))


def _root(a: float, m: float, b: float) -> float:
    """Root in 0 to 1 of the quadratic with values a, m, b at 0, 1/2, 1, where a <= 0 <= b."""
    curve, rise = 2 * (a + b - 2 * m), 4 * m - 3 * a - b
    under = max(rise * rise - 4 * curve * a, 0.0)
    bottom = rise + np.sqrt(under)
    return float(np.clip(-2 * a / bottom if bottom > 0 else 0.5, 0.0, 1.0))


def _strip(polygon: shapely.Geometry, u: np.ndarray, low: float, high: float) -> shapely.Geometry:
    x0, y0, x1, y1 = shapely.bounds(polygon)
    middle, reach = np.array([(x0 + x1) / 2, (y0 + y1) / 2]), float(np.hypot(x1 - x0, y1 - y0)) + 1.0
    here, across = float(middle @ u), np.array([-u[1], u[0]])
    a, b = max(low, here - reach) - here, min(high, here + reach) - here
    corner = [middle + a * u - reach * across, middle + b * u - reach * across, middle + b * u + reach * across, middle + a * u + reach * across]
    return shapely.polygons(np.array(corner))
