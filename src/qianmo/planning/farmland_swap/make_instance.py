"""Invented land for swaps, of any size: protected fields, candidates, townships (永农调整算例).

A jittered grid of fields with up to six neighbours, as Voronoi cells have; slope, grade and class vary smoothly in space.
Everything is synthetic.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.ndimage import uniform_filter
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from qianmo.planning.farmland_swap.land import SwapLand, land_from_table
from qianmo.schema.units import mu_to_m2

__all__ = ["make_small_swap", "make_swap", "make_swap_tables"]

MEAN_MU = 4.0
"""Mean area of a field. [mu]"""


def make_swap(n: int, *, rng: np.random.Generator, townships: int = 6) -> SwapLand:
    """Land of about `n` fields, fit for a swap within the shipped limits (生成算例).

    Parameters
    ----------
    n : int
        Fields; rounded up to fill the grid.
    rng : Generator
    townships : int
        Vertical strips; each has villages of its own.
    """
    return land_from_table(*make_swap_tables(n, rng=rng, townships=townships))


def make_small_swap(*, rng: np.random.Generator, n: int = 49, leave: int = 5, enter: int = 5) -> SwapLand:
    """Land in which only a few units may change, so that every swap can be tried out (可穷举的小算例).

    At most `leave` protected units may leave where leaving needs no reason, and at most `enter` candidates enter; nothing
    must leave. All other protected land is high-standard farmland, all other candidates are unstable. What may enter is
    mostly better than what may leave.
    """
    land = make_swap(n, rng=rng, townships=2)
    flat = {"slope_low": np.minimum(land.slope_low, 20.0), "slope_high": np.minimum(land.slope_high, 20.0)}
    clean = {"polluted": np.zeros(land.n), "project_share": np.zeros(land.n), "erosion": np.ones(land.n)}
    candidate = ~land.protected & land.farmland & (land.block_protected > 0)
    high, stable = land.protected.astype(float), np.where(land.protected, 1.0, 0.0)
    goes, comes = rng.permutation(np.flatnonzero(land.protected))[:leave], rng.permutation(np.flatnonzero(candidate))[:enter]
    high[goes], stable[comes] = 0.0, 1.0
    grade, code, area = land.grade.copy(), land.class_code.copy(), land.area.copy()
    grade[goes], grade[comes] = np.minimum(grade[goes] + 2, 15), np.maximum(grade[comes] - 4, 1)
    code[comes] = rng.choice(["0101", "0101", "0103"], len(comes))
    area[comes] = np.round(1.5 * area[comes], 2)
    flat["slope_low"][comes] = flat["slope_high"][comes] = np.minimum(flat["slope_low"][comes], 14.0)
    return replace(land, high_standard=high, stable=stable, grade=grade, class_code=code, area=area, **flat, **clean)


def make_swap_tables(n: int, *, rng: np.random.Generator, townships: int = 6) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same as tables: units (table ``swap_unit``) and borders (i, j, length_m) (算例表).

    Land that must leave is of the poorer half, so that land of every grade can be made up for.
    """
    columns = max(2, round(np.sqrt(n)))
    rows = -(-n // columns)
    shape, count = (rows, columns), rows * columns
    area = np.round(mu_to_m2(MEAN_MU) * rng.lognormal(-0.18, 0.6, count), 2)
    slope = np.round(np.clip(11 + 9 * _smooth(shape, 9, rng) + 3 * rng.normal(size=count), 0, 44), 2)
    grade = np.clip(np.rint(8 + 2.2 * _smooth(shape, 7, rng) + 0.5 * rng.normal(size=count) + slope / 20), 1, 15).astype(int)
    wet = _smooth(shape, 5, rng) - slope / 15
    code = np.where(wet > -0.6, "0101", np.where(wet > -1.0, "0102", "0103")).astype(object)
    farm = _smooth(shape, 3, rng) > -0.9
    code[~farm] = "0301"
    worst = grade + slope / 4 + 2.0 * rng.normal(size=count)
    poor = grade >= np.quantile(grade[farm], 0.5)
    protected = farm & (worst <= np.quantile(worst[farm], 0.72)) & (slope <= 24 + np.where(poor, rng.exponential(0.6, count), 0.0))
    borders = _borders(shape, area, rng)
    block = _blocks(farm, borders, count)
    y, x = np.divmod(np.arange(count), columns)
    town = np.minimum(x * townships // columns, townships - 1)
    village = np.minimum(y * 5 // rows, 4)
    outside = 4 * np.sqrt(area)
    shared = np.bincount(np.r_[borders["i"], borders["j"]], np.r_[borders["length_m"], borders["length_m"]], count)
    units: dict[str, Any] = {
        "unit_id": [f"U{k:07d}" for k in range(count)], "is_protected": protected, "area_m2": area, "class_code": code,
        "village_code": [f"990101{t:03d}{v:03d}" for t, v in zip(town, village)], "township_code": [f"990101{t:03d}" for t in town],
        "slope_low_deg": slope, "slope_high_deg": slope, "quality_grade": grade,
        "is_high_standard": (farm & (rng.random(count) < np.where(protected, 0.15, 0.3))).astype(float), "is_stable": (rng.random(count) > 0.02).astype(float),
        "erosion_class": 1 + np.minimum((slope / 9).astype(int), 3), "is_polluted": (poor & (rng.random(count) < 0.002)).astype(float),
        "project_share": np.where(poor & (rng.random(count) < 0.006), np.round(rng.random(count), 3), 0.0),
        "redline_share": np.zeros(count), "redline_core_share": np.zeros(count), "urban_share": np.zeros(count), "reserve_share": np.zeros(count),
        "protected_share": np.zeros(count), "block": block, "perimeter_m": np.round(np.maximum(outside, shared), 2),
    }  # fmt: skip
    return pd.DataFrame(units), borders


def _smooth(shape: tuple[int, int], reach: int, rng: np.random.Generator) -> np.ndarray:
    """Noise with zero mean and unit spread that varies over about `reach` fields."""
    field = uniform_filter(rng.normal(size=shape), reach, mode="wrap").ravel()
    return (field - field.mean()) / (field.std() or 1.0)


def _borders(shape: tuple[int, int], area: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    at = np.arange(shape[0] * shape[1]).reshape(shape)
    cross = rng.random((shape[0] - 1, shape[1] - 1)) < 0.5
    links = [
        (at[:, :-1].ravel(), at[:, 1:].ravel(), 0.8), (at[:-1].ravel(), at[1:].ravel(), 0.8),
        (at[:-1, :-1][cross], at[1:, 1:][cross], 0.3), (at[1:, :-1][~cross], at[:-1, 1:][~cross], 0.3),
    ]  # fmt: skip
    i, j = np.concatenate([a for a, _, _ in links]), np.concatenate([b for _, b, _ in links])
    part = np.concatenate([np.full(len(a), s) for a, _, s in links])
    length = np.round(part * np.sqrt(np.minimum(area[i], area[j])) * rng.uniform(0.7, 1.3, len(i)), 2)
    low, high = np.minimum(i, j), np.maximum(i, j)
    order = np.lexsort((high, low))
    return pd.DataFrame({"i": low[order], "j": high[order], "length_m": length[order]})


def _blocks(farm: np.ndarray, borders: pd.DataFrame, count: int) -> np.ndarray:
    """Blocks of farmland over borders; other land is a block for itself."""
    i, j = borders["i"].to_numpy(), borders["j"].to_numpy()
    both = farm[i] & farm[j]
    graph = coo_array((np.ones(int(both.sum())), (i[both], j[both])), shape=(count, count))
    return connected_components(graph, directed=False)[1]
