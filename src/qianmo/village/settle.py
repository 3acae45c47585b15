"""Invented villages of a landscape: centres, hamlets, territories (虚拟村庄布局)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from qianmo.village.names import town_of
from qianmo.village.terrain import Landscape, noise, stream_distance, waves

__all__ = ["Settlement", "nearness", "settle", "territory"]

_NEAR_M, _FAR_M = 90.0, 260.0
_HAMLETS = 4


@dataclass(frozen=True)
class Settlement:
    """Centres of villages and the nuclei of their houses (聚落). The first village of a town is its seat."""

    centres: np.ndarray
    nuclei: np.ndarray
    nucleus_radius_m: np.ndarray
    nucleus_is_town: np.ndarray
    warp_x: np.ndarray
    warp_y: np.ndarray
    warp_m: float


def settle(land: Landscape, ground: np.ndarray, villages: int, *, rng: np.random.Generator) -> Settlement:
    """Place villages evenly, near streams, each with a nucleus and hamlets (村庄选址).

    Parameters
    ----------
    ground : ndarray, shape (n, 2)
        Points inside the township, evenly spread. [m]
    villages : int
        How many.
    """
    away = stream_distance(land, ground)
    valley = ground[(away > _NEAR_M) & (away < _FAR_M)]
    if len(valley) < villages:
        valley = ground[np.argsort(away)[: max(4 * villages, 1)]]
    even = _even(ground, villages, rng)
    centres = _distinct(valley, even)
    centres = centres[np.lexsort([centres[:, 1], np.floor(centres[:, 0] / max(land.half_width_m / 2, 1.0))])]
    reach = np.sqrt(4 * land.half_width_m * land.half_height_m / villages)
    hamlets = np.repeat(centres, _HAMLETS, axis=0) + rng.normal(0, 0.28 * reach, (villages * _HAMLETS, 2))
    hamlets = valley[cKDTree(valley).query(hamlets)[1]]
    seat = np.array([k == 0 or town_of(k) != town_of(k - 1) for k in range(villages)])
    main = 0.085 * reach * np.exp(rng.normal(0, 0.2, villages)) * np.where(seat, 2.0, 1.0)
    small = 0.04 * reach * np.exp(rng.normal(0, 0.3, len(hamlets)))
    return Settlement(
        centres, np.vstack([centres, hamlets]), np.concatenate([main, small]),
        np.concatenate([seat, np.zeros(len(hamlets), bool)]),
        waves(6, (1.2 * reach, 2.5 * reach), rng), waves(6, (1.2 * reach, 2.5 * reach), rng), 0.06 * reach,
    )  # fmt: skip


def territory(place: Settlement, points: np.ndarray) -> np.ndarray:
    """Number of the village of each point: nearest centre on ground warped by smooth noise (村域)."""
    shift = np.column_stack([noise(place.warp_x, points), noise(place.warp_y, points)])
    return cKDTree(place.centres).query(points + place.warp_m * shift)[1]


def nearness(place: Settlement, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance to the closest nucleus in units of its radius, and whether that nucleus is a town (聚落邻近度)."""
    near = min(6, len(place.nuclei))
    away, which = cKDTree(place.nuclei).query(points, k=np.arange(1, near + 1))
    ratio = away / place.nucleus_radius_m[which]
    best = ratio.argmin(axis=1)
    rows = np.arange(len(points))
    return ratio[rows, best], place.nucleus_is_town[which[rows, best]]


def _even(ground: np.ndarray, count: int, rng: np.random.Generator, *, rounds: int = 8) -> np.ndarray:
    sample = ground[rng.permutation(len(ground))[: max(60 * count, 2000)]]
    centres = sample[:count]
    for _ in range(rounds):
        mine = cKDTree(centres).query(sample)[1]
        size = np.maximum(np.bincount(mine, minlength=count), 1)
        centres = np.column_stack([np.bincount(mine, sample[:, k], count) / size for k in (0, 1)])
    return centres


def _distinct(valley: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    tree = cKDTree(valley)
    taken: set[int] = set()
    chosen: list[int] = []
    for point in wanted:
        for k in np.atleast_1d(tree.query(point, k=min(len(valley), 1 + min(len(taken), 50)))[1]).tolist():
            if k not in taken:
                taken.add(k)
                chosen.append(k)
                break
    return valley[chosen]
