"""Which sides of a block lie on a road, and how much of them a strip between two cut lines holds (临路边)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from qianmo.schema.errors import TopologyError

__all__ = ["Frontage", "cut_axis", "frontage_of", "frontage_within"]

_CORNER_DEG = 45.0


@dataclass(frozen=True, eq=False)
class Frontage:
    """Sides of one block that lie on a road (临路边).

    Parameters
    ----------
    main : (k, 2) float
        The longest side on a road, corner to corner. [m]
    sides : tuple of (k, 2) float
        All sides that run with the main one, on this or the far edge of the block, the main one first. [m]
    is_double : bool
        True where roads lie on both edges.
    """

    main: np.ndarray
    sides: tuple[np.ndarray, ...]
    is_double: bool

    @property
    def length_m(self) -> float:
        """Length of all sides. [m]"""
        return float(sum(np.linalg.norm(np.diff(s, axis=0), axis=1).sum() for s in self.sides))


def frontage_of(block: shapely.Polygon, roads: shapely.Geometry, *, reach_m: float, block_id: str = "") -> Frontage:
    """Sides of a block on roads (临路边).

    Parameters
    ----------
    block : Polygon
    roads : Geometry
        Road surfaces or lines. [m]
    reach_m : float
        A border no further than this from them is frontage; a border edge counts where both ends and its middle do. [m]
    block_id : str
        For the message.

    Raises
    ------
    TopologyError
        No border edge lies on a road.
    """
    ring = np.asarray(shapely.orient_polygons(shapely.Polygon(block.exterior)).exterior.coords)[:, :2]
    middle = (ring[:-1] + ring[1:]) / 2
    near = np.logical_and.reduce([shapely.dwithin(shapely.points(p), roads, reach_m) for p in (ring[:-1], middle, ring[1:])])
    runs = _runs(ring, near)
    if not runs:
        raise TopologyError(
            f"block {block_id or '?'} has no border on a road", expected=f"at least one border edge within {reach_m:g} m of a road",
            cure="地块不临路: 补画道路或田间路, 调大 allot_frontage_reach_m, 或与相邻地块合并",
        )  # fmt: skip
    main = max(runs, key=_chord)
    way = _way(main)
    with_it = [r for r in runs if abs(_way(r) @ way) > np.cos(np.radians(_CORNER_DEG))]
    far = [r for r in with_it if _way(r) @ way < 0]
    ordered = sorted(with_it, key=lambda r: (r is not main, -_chord(r)))
    return Frontage(main, tuple(ordered), bool(far))


def cut_axis(block: shapely.Polygon, frontage: Frontage, *, cut: str) -> np.ndarray:
    """Unit vector square to the cut lines (分地轴线).

    'perpendicular' follows the chord of the main frontage; 'sides' makes the cut lines parallel to the mean direction
    of the two end sides of the block, as long as these stand at 45° or more to the frontage, else the chord again.
    """
    along = _way(frontage.main)
    if cut != "sides":
        return along
    ring = np.asarray(shapely.orient_polygons(shapely.Polygon(block.exterior)).exterior.coords)[:, :2]
    edges = np.diff(ring, axis=0)
    across = edges @ np.array([-along[1], along[0]])
    steep = np.abs(across) >= np.linalg.norm(edges, axis=1) * np.sin(np.radians(_CORNER_DEG))
    pointed = edges[steep] * np.sign(across[steep])[:, None]
    if not len(pointed):
        return along
    total = pointed.sum(axis=0)
    total /= np.linalg.norm(total)
    return np.array([total[1], -total[0]])


def frontage_within(frontage: Frontage, axis: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Length of frontage between neighbouring cut lines, (n - 1,) float. [m]"""
    found = np.zeros(len(cuts) - 1)
    for side in frontage.sides:
        u, length = side @ axis, np.linalg.norm(np.diff(side, axis=0), axis=1)
        low, high = np.minimum(u[:-1], u[1:]), np.maximum(u[:-1], u[1:])
        span = np.maximum(high - low, 1e-12)
        passed = np.clip(cuts[:, None] - low, 0.0, span) / span
        found += np.diff(passed @ length)
    return found


def _runs(ring: np.ndarray, near: np.ndarray) -> list[np.ndarray]:
    """Chains of frontage edges, broken at corners."""
    n = len(near)
    step = np.diff(ring, axis=0)
    unit = step / np.linalg.norm(step, axis=1)[:, None]
    turn = np.einsum("ij,ij->i", unit, np.roll(unit, 1, axis=0)) < np.cos(np.radians(_CORNER_DEG))
    begins = near & (~np.roll(near, 1) | turn)
    if near.all() and not begins.any():
        begins[0] = True
    chains = []
    for k in np.flatnonzero(begins):
        last = k
        while near[(last + 1) % n] and not begins[(last + 1) % n]:
            last += 1
        chains.append(ring[np.append(np.arange(k, last + 1), last + 1) % n])
    return chains


def _chord(run: np.ndarray) -> float:
    return float(np.linalg.norm(run[-1] - run[0]))


def _way(run: np.ndarray) -> np.ndarray:
    step = run[-1] - run[0]
    size = np.linalg.norm(step)
    return step / size if size > 0 else np.array([1.0, 0.0])
