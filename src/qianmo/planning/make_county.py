"""An invented county for the allocation of uses, of any size; no real place (合成县算例)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qianmo.planning.allocation_parts import (
    FREE,
    Allocation,
    Budget,
    Dominance,
    NoNetLoss,
    RegionSystem,
    Service,
    Window,
    allowed_uses,
    everywhere,
)
from qianmo.planning.fields import grid_shape, jittered_borders, smooth_field, squares_of

__all__ = ["USES", "CountyRecipe", "county_regions", "make_county", "reference_plan"]

USES = ("0101", "0103", "0201", "0301", "0702", "1108", "0404", "1104", "1001", "1206")
"""Uses of the invented county in order, by class code: paddy, dry land, orchard, forest, homestead, wetland, …"""

FARMLAND = 2
"""So many of the first uses are farmland; one where there are fewer than four uses."""

REASONS = (("redline", "Y-01"), ("slope", "G-09"), ("basic_farmland", "Z-12"))
"""Reasons of the invented county with the rules they stand for."""


@dataclass(frozen=True)
class CountyRecipe:
    """How the invented county is drawn (合成县参数).

    Parameters
    ----------
    uses : int
        2 to 10.
    townships, villages : int
        About how many; villages have no windows but keep their farmland.
    locked : float
        Share of parcels that keep their use. [1]
    noise : float
        Deviation of what a parcel adds to the smooth suitability of a use (which has deviation 1).
    compactness : float
        Points of a border of 60 m between equal uses; a parcel of mean area gains about 1 by the better use.
    tightness : float
        Half-width of a window is drawn up to this share of the area the reference plan gives. [1]
    budget : float
        Budget as a share of what the works of the reference plan cost. [1]
    grades : tuple of int
        Thresholds of the dominance rows.
    rows : text
        'all', or 'few': county windows, budget and dominance only.
    """

    uses: int = 6
    townships: int = 40
    villages: int = 200
    locked: float = 0.10
    noise: float = 0.6
    compactness: float = 0.3
    tightness: float = 0.08
    budget: float = 0.9
    grades: tuple[int, ...] = (4, 7, 10)
    rows: str = "all"


def make_county(n: int, *, rng: np.random.Generator, recipe: CountyRecipe = CountyRecipe()) -> Allocation:
    """A whole-area allocation with all kinds of rows that some plan obeys (合成县算例).

    Parameters
    ----------
    n : int
        Parcels, at least 4; on a jittered grid with about three borders a parcel.
    rng : Generator
    recipe : CountyRecipe

    Returns
    -------
    Allocation
        Windows lie around `reference_plan`; about a third are so narrow that they bind. The budget is below what the reference
        plan costs, so that it binds too; farmland is kept by the reference plan, hence dominance, balance and service hold.
    """
    rows, columns = grid_shape(n)
    suitability = _suitability(rows, columns, n, rng, recipe)
    area = np.maximum(1, np.rint(rng.lognormal(12.6, 0.6, n))).astype(np.int64)
    grade = _grades(smooth_field(rows, columns, rng=rng).ravel()[:n])
    current = _current(suitability, rng)
    lock = np.where(rng.random(n) < recipe.locked, current, FREE).astype(np.int8)
    forbidden = _forbidden(smooth_field(rows, columns, rng=rng).ravel()[:n], grade, current, recipe.uses)
    noise = rng.standard_normal(suitability.shape, dtype=np.float32) * np.float32(recipe.noise)
    smooth_cost = _cost(suitability, area, current)
    regions = county_regions(n, recipe.townships, recipe.villages)
    bare = Allocation(
        uses=USES[: recipe.uses], area_dm2=area, current=current, cost=smooth_cost, lock=lock, forbidden=forbidden, reasons=REASONS,
        borders=jittered_borders(n, rng=rng), points_per_m=recipe.compactness / 60.0, regions=regions,
    )  # fmt: skip
    works = _works_fen(area, current, rng, recipe.uses)
    plan = reference_plan(bare, works, recipe.budget)
    smooth_cost -= noise * (area / area.mean()).astype(np.float32)[:, None]
    return _with_rows(bare, plan, works, grade, recipe, rng)


def reference_plan(question: Allocation, works_fen: np.ndarray, budget: float) -> np.ndarray:
    """Smooth plan that obeys every row of the invented county, (n,) int8 (参照方案).

    Farmland stays and none is added, so that dominance and balance hold with nothing to spare; the other parcels take the use of
    least smooth cost that is allowed. Where that would cost more than the share
    `budget` of it, the changes with the least gain for their cost stay undone.
    """
    every = np.arange(question.n)
    cost = np.where(allowed_uses(question), question.cost, np.inf)
    farmland = _farmland(len(question.uses))
    stays = question.current < farmland
    cost[~stays, :farmland] = np.inf
    held = np.isinf(cost).all(axis=1)
    cost[held, question.current[held]] = 0.0
    plan = cost.argmin(axis=1).astype(np.int8)
    plan[stays] = question.current[stays]
    moved = np.flatnonzero(plan != question.current)
    gain = (question.cost[every, question.current] - cost[every, plan])[moved]
    fen = works_fen[moved, plan[moved]].astype(np.int64)
    order = np.argsort(-gain / np.maximum(fen, 1), kind="stable")
    undone = moved[order[np.cumsum(fen[order]) - fen[order] >= budget * fen.sum()]]
    plan[undone] = question.current[undone]
    return plan


def county_regions(n: int, townships: int, villages: int) -> tuple[RegionSystem, ...]:
    """County, townships and villages over each other (县、乡镇、村三级分区)."""
    town, village = squares_of(n, min(townships, max(1, n // 4))), squares_of(n, min(villages, max(1, n // 2)))
    return (
        everywhere(n),
        RegionSystem("township", "乡镇", tuple(f"T{k:03d}" for k in range(town.max() + 1)), town),
        RegionSystem("village", "村", tuple(f"V{k:04d}" for k in range(village.max() + 1)), village),
    )


def _with_rows(
    bare: Allocation, plan: np.ndarray, works: np.ndarray, grade: np.ndarray, recipe: CountyRecipe, rng: np.random.Generator
) -> Allocation:
    n = bare.n
    farmland = bare.uses[: _farmland(recipe.uses)]
    fen = int(works[np.arange(n), plan].sum(dtype=np.int64))
    systems = bare.regions[:2] if recipe.rows == "all" else bare.regions[:1]
    everything = recipe.rows == "all"
    carbon = np.outer(bare.area_dm2 / bare.area_dm2.mean(), _CARBON[: recipe.uses]) if everything else None
    floor = 0.0 if carbon is None else float(np.round(carbon[np.arange(n), plan].sum() * 0.99, 2))
    return Allocation(
        **{
            **bare.__dict__,
            "windows": tuple(w for s in systems for w in _windows(bare, s, plan, recipe.tightness, rng)),
            "budgets": (Budget("budget", works, fen),),
            "dominances": (Dominance("dominance", "township" if everything else "county", farmland, grade, recipe.grades, "Y-02"),),
            "no_net_losses": (NoNetLoss("balance", "village", farmland, bare.uses[4:5] or bare.uses[-1:], "G-01"),) if everything else (),
            "services": () if carbon is None else (Service("carbon", "碳储量不低于", carbon, floor),),
        }
    )


_CARBON = (0.6, 0.5, 0.8, 1.6, 0.1, 1.2, 0.9, 0.3, 0.0, 0.2)
"""Carbon of the uses of the invented county per mean parcel area, invented."""


def _farmland(uses: int) -> int:
    return FARMLAND if uses >= 4 else 1


def _suitability(rows: int, columns: int, n: int, rng: np.random.Generator, recipe: CountyRecipe) -> np.ndarray:
    """Smooth suitability of every use, (n, K) float32."""
    out = np.empty((n, recipe.uses), np.float32)
    for k in range(recipe.uses):
        out[:, k] = smooth_field(rows, columns, rng=rng).ravel()[:n] - 0.15 * k
    return out


def _current(suitability: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Uses of today: suitable on the whole, but with much noise."""
    now = suitability + rng.standard_normal(suitability.shape, dtype=np.float32) * np.float32(0.7)
    return now.argmax(axis=1).astype(np.int8)


def _cost(suitability: np.ndarray, area: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Points lost by each use: unsuitable land, and the works of a change, by area."""
    cost = np.float32(0.5) - suitability
    cost[np.arange(len(area)), current] -= np.float32(0.5)
    cost *= (area / area.mean()).astype(np.float32)[:, None]
    return cost


def _grades(field: np.ndarray) -> np.ndarray:
    """Farmland grades 1 (best) to 10 of equal size."""
    rank = np.argsort(np.argsort(field, kind="stable"), kind="stable")
    return (1 + rank * 10 // len(field)).astype(np.int8)


def _forbidden(steep: np.ndarray, grade: np.ndarray, current: np.ndarray, uses: int) -> np.ndarray:
    """No farmland on steep land, no homestead on redline land, good farmland stays farmland."""
    code = np.zeros((len(grade), uses), np.uint8)
    houses = min(4, uses - 1)
    farmland = _farmland(uses)
    code[steep > 1.6, :farmland] = 2
    code[steep < -1.5, houses] = 1
    good = (grade <= 2) & (current < farmland)
    code[good, farmland:] = 3
    code[np.arange(len(grade)), current] = 0
    return code


def _works_fen(area: np.ndarray, current: np.ndarray, rng: np.random.Generator, uses: int) -> np.ndarray:
    """Cost of changing each parcel to each use, (n, K) int32 [fen]."""
    rate = rng.uniform(0.3, 3.0, uses).astype(np.float32)
    spread = rng.uniform(0.7, 1.3, len(area)).astype(np.float32)
    fen = np.minimum(np.rint(np.outer(area * spread / 100.0, rate * 100.0)), 2e9).astype(np.int32)
    fen[np.arange(len(area)), current] = 0
    return fen


def _windows(
    question: Allocation, system: RegionSystem, plan: np.ndarray, tightness: float, rng: np.random.Generator
) -> list[Window]:
    """Windows around the areas of the plan, a mean parcel wide at least: a third narrow, a third wide, a third with one side only."""
    made, count = [], len(question.uses)
    held = np.zeros((len(system.names), count), np.int64)
    np.add.at(held, (system.code, plan), question.area_dm2)
    width = held * rng.uniform(0.0, tightness, held.shape)
    kind = rng.integers(0, 3, held.shape)
    width = np.where(kind == 0, width * 0.1, width)
    width = np.maximum(width, question.area_dm2.mean()).astype(np.int64)
    for r, name in enumerate(system.names):
        for k, use in enumerate(question.uses):
            least, most = max(0, int(held[r, k] - width[r, k])), int(held[r, k] + width[r, k])
            made.append(Window(system.id, name, use, least, None if kind[r, k] == 2 else most, "Z-11" if use == "0702" else ""))
    return made
