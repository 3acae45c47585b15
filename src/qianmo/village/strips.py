"""Rivers, ditches and roads as thin polygons of the mesh (线状地物图斑)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial import Delaunay, cKDTree, distance_matrix

from qianmo.village.terrain import Landscape

__all__ = ["StripSeeds", "strip_lines", "strip_seeds"]

_STEP_M = 40.0
_DENSE_M = 8.0
_TRIM_M = 30.0
_ROAD_OFFSET_M = 190.0


@dataclass(frozen=True)
class StripSeeds:
    """Seeds whose Voronoi cells form strips (线状种子点).

    `centre` seeds become the strip, `flank` seeds give it its width. `dense` points run along the lines; ordinary seeds
    keep `clear_m` away from them.
    """

    centre: np.ndarray
    class_code: np.ndarray
    width_m: np.ndarray
    flank: np.ndarray
    dense: np.ndarray
    clear_m: np.ndarray

    def kept_clear(self, points: np.ndarray) -> np.ndarray:
        """Points that do not crowd the strips (避让线状地物)."""
        away, which = cKDTree(self.dense).query(points, distance_upper_bound=float(self.clear_m.max()))
        near = np.isfinite(away)
        crowded = np.zeros(len(points), dtype=bool)
        crowded[near] = away[near] < self.clear_m[which[near]]
        return points[~crowded]


def strip_lines(land: Landscape, centres: np.ndarray, *, rng: np.random.Generator) -> list[tuple[np.ndarray, float, str]]:
    """Polylines with width and class: river, ditches, main road, rural roads that join all villages (线状地物中线).

    Returns
    -------
    list of (ndarray (n, 2), width_m, class_code)
        In order of precedence: where two meet the earlier one goes through.
    """
    river, *ditches = land.streams
    wide = float(np.clip(land.half_height_m / 60, 8, 36))
    lines = [(river, wide, "1101")]
    lines += [(line, 5.0, "1107") for line in ditches]
    lines.append((river + np.array([0.0, _ROAD_OFFSET_M]), 10.0, "1003"))
    lines += [(_winding(centres[i], centres[j], rng), 5.0, "1006") for i, j in _tree(centres)]
    return lines


def strip_seeds(lines: list[tuple[np.ndarray, float, str]], *, rng: np.random.Generator) -> StripSeeds:
    """Seeds of strips: one row along the line, one on each side at the width of the strip (线状种子点).

    A seed on the line and its mirror images have their common border at half the width, so the cells of the
    middle row form a strip of that width. Where a line meets an earlier one it stops short of it.
    """
    rows = []
    earlier: list[np.ndarray] = []
    codes = [code for _, _, code in lines]
    for code in dict.fromkeys(codes):
        batch = [_row(line, width, code, rng) for line, width, c in lines if c == code]
        batch = [row for row in batch if len(row[0])]
        if earlier and batch:
            batch = [_kept(row, np.vstack(earlier)) for row in batch]
        rows += batch
        earlier += [_resampled(line, _DENSE_M) for line, _, c in lines if c == code]
    centre = np.vstack([r[0] for r in rows])
    normal, width = np.vstack([r[1] for r in rows]), np.concatenate([r[2] for r in rows])
    wobble = rng.uniform(-1, 1, (len(centre), 2))
    flank = np.vstack([centre + normal * width[:, None] + wobble, centre - normal * width[:, None] + wobble])
    dense = [_resampled(line, _DENSE_M) for line, _, _ in lines]
    clear = [np.full(len(d), max(1.5 * width + 6, 14.0)) for d, (_, width, _) in zip(dense, lines, strict=True)]
    return StripSeeds(centre, np.concatenate([r[3] for r in rows]), width, flank, np.vstack(dense), np.concatenate(clear))


def _tree(centres: np.ndarray) -> list[tuple[int, int]]:
    if len(centres) < 2:
        return []
    if len(centres) <= 4:
        weight = distance_matrix(centres, centres)
    else:
        weight = np.zeros((len(centres),) * 2)
        simplices = Delaunay(centres).simplices
        for a, b in ((0, 1), (1, 2), (2, 0)):
            i, j = simplices[:, a], simplices[:, b]
            weight[i, j] = weight[j, i] = np.hypot(*(centres[i] - centres[j]).T)
    i, j = minimum_spanning_tree(weight).nonzero()
    return list(zip(i.tolist(), j.tolist(), strict=True))


def _winding(a: np.ndarray, b: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    length = float(np.hypot(*(b - a)))
    t = np.linspace(0, 1, max(8, int(length / 30)))
    along = (b - a) / max(length, 1.0)
    across = np.array([-along[1], along[0]])
    swing = 0.06 * length * np.sin(2 * np.pi * t * rng.integers(1, 3)) * np.sin(np.pi * t) * rng.choice([-1, 1])
    return a + np.outer(t * length, along) + np.outer(swing, across)


def _resampled(line: np.ndarray, step_m: float, *, trim_m: float = 0.0) -> np.ndarray:
    at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    s = np.arange(trim_m, at[-1] - trim_m, step_m)
    return np.column_stack([np.interp(s, at, line[:, 0]), np.interp(s, at, line[:, 1])])


def _row(line: np.ndarray, width: float, code: str, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    points = _resampled(line, max(_STEP_M, width), trim_m=_TRIM_M if code == "1006" else 0.0)
    if len(points) < 3:
        points = points[:0]
    tangent = np.gradient(points, axis=0) if len(points) else points
    tangent = tangent / np.maximum(np.hypot(tangent[:, 0], tangent[:, 1]), 1e-9)[:, None]
    points = points + tangent * rng.uniform(-3, 3, (len(points), 1))
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    return points, normal, np.full(len(points), width), np.full(len(points), code, dtype=object)


def _kept(row: tuple[np.ndarray, ...], earlier: np.ndarray) -> tuple[np.ndarray, ...]:
    clear = cKDTree(earlier).query(row[0])[0] > 1.5 * row[2] + 30.0
    return tuple(part[clear] for part in row)
