"""Blocks cut into lots of exact value: the house, and bisection on overlays with shapely."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import shapely
from measure import Way

from qianmo.planning.allotment.frontage import cut_axis, frontage_of
from qianmo.planning.allotment.partition import partition, soil_pieces
from qianmo.planning.allotment.profile import value_profile

__all__ = ["Case", "cases", "cut_by_bisection", "cut_by_house", "ways"]

SEED = 20260101
_LOTS_A_BLOCK = 25
_LOT_M = 14.0
_MOST = 1000
_SAME = 1e-6

Case = tuple[shapely.Polygon, shapely.LineString, np.ndarray, np.ndarray, np.ndarray]
"""Block, road, soil polygons, unit values, value shares of its lots."""


def cases(lots: int, *, rng: np.random.Generator) -> list[Case]:
    """Blocks of 25 lots with a bent front and back, ends that are not square and 12 soil polygons each."""
    out = []
    for k in range(max(lots // _LOTS_A_BLOCK, 1)):
        count = min(lots, _LOTS_A_BLOCK)
        length, x0, y0 = count * _LOT_M, 5e5 + 500.0 * (k % 8), 3.1e6 + 250.0 * (k // 8)
        x = np.linspace(0, length, 7)
        front, back = rng.uniform(-4, 4, 7), rng.uniform(85, 140, 7)
        turn = rng.uniform(0, np.pi)
        shape = shapely.Polygon([*zip(x, front), *zip((x + rng.uniform(-6, 6, 7))[::-1], back[::-1])])
        road = shapely.LineString([(x[0] - 5, front[0]), *zip(x, front), (x[-1] + 5, front[-1])])
        box = shapely.box(-40, -40, length + 40, 180)
        seeds = rng.uniform([0, 0], [length, 130], (12, 2))
        soil = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(seeds), extend_to=box))
        moved = [shapely.affinity.translate(shapely.affinity.rotate(g, turn, origin=(0, 0), use_radians=True), x0, y0) for g in (shape, road, *soil)]
        out.append((moved[0], moved[1], np.array(moved[2:], dtype=object), rng.uniform(30, 60, len(soil)), rng.uniform(0.8, 1.2, count)))
    return out


def cut_by_house(found: list[Case], *, audit: bool = False) -> tuple[float, float]:
    """All lots; returns the value of the odd lots over the whole, and the largest relative error of a value where asked."""
    odd = whole = 0.0
    error = 0.0
    for block, road, soil, unit, share in found:
        front = frontage_of(block, road, reach_m=0.01)
        pieces, value = soil_pieces(block, soil, unit)
        made = partition(block, share, pieces, value, front, cut_axis(block, front, cut="perpendicular"), width_min_m=4.0)
        i, j = shapely.STRtree(pieces).query(made.lots)
        worth = np.bincount(i, shapely.area(shapely.intersection(made.lots[i], pieces[j])) * value[j], len(share))
        odd, whole = odd + worth[::2].sum(), whole + worth.sum()
        if audit:
            error = max(error, float(np.abs(worth / (share / share.sum() * worth.sum()) - 1).max()))
            if made.frontage_m.min() <= 0 or made.width_m.min() < 4.0 or shapely.union_all(made.lots).symmetric_difference(block).area > 1e-6:
                error = float("inf")
    return odd / whole, error


def cut_by_bisection(found: list[Case]) -> float:
    """The same lots by halving an interval 50 times a line, each time with an overlay: what a GIS script does."""
    odd = whole = 0.0
    for block, road, soil, unit, share in found:
        front = frontage_of(block, road, reach_m=0.01)
        axis = cut_axis(block, front, cut="perpendicular")
        pieces, value = soil_pieces(block, soil, unit)
        span = value_profile(pieces, value, axis)
        across = np.array([-axis[1], axis[0]])
        total = float(shapely.area(pieces) @ value)
        middle = shapely.get_coordinates(block) @ across

        def strip(a: float, b: float, axis: np.ndarray = axis, across: np.ndarray = across, middle: np.ndarray = middle) -> shapely.Polygon:
            low, high = middle.min() - 1, middle.max() + 1
            return shapely.Polygon([axis * a + across * low, axis * b + across * low, axis * b + across * high, axis * a + across * high])

        start = float(span.at[0])
        for n, part in enumerate(share / share.sum() * total):
            low, high = start, float(span.at[-1])
            for _ in range(50):
                here = (low + high) / 2
                short = shapely.area(shapely.intersection(pieces, strip(start, here))) @ value < part
                low, high = (here, high) if short else (low, here)
            worth = float(shapely.area(shapely.intersection(pieces, strip(start, high))) @ value)
            start, whole = high, whole + worth
            odd += worth if n % 2 == 0 else 0.0
    return odd / whole


def ways(size: int, cache: Path) -> list[Way]:
    """The house on up to 1,000 lots in blocks of 25, and 1,000 lots checked; bisection on the same lots."""
    lots = min(size, _MOST)
    found = cases(lots, rng=np.random.default_rng(SEED))
    count = sum(len(c[4]) for c in found)
    few = cases(25, rng=np.random.default_rng(1))

    def audited() -> float:
        figure, error = cut_by_house(found, audit=True)
        if not error <= _SAME:
            raise AssertionError(f"a lot misses its value by {error:.1e}, or its frontage, width or block")
        return figure

    return [
        Way("allot", "qianmo partition", count, lambda: cut_by_house(found)[0], partial(cut_by_house, few), _SAME),
        Way("allot", "qianmo partition, audited by overlay", count, audited, partial(cut_by_house, few), _SAME),
        Way("allot", "bisection on overlays (shapely)", count, lambda: cut_by_bisection(found), partial(cut_by_house, few), _SAME),
    ]
