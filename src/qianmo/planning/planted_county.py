"""Allocations whose best plan is known beforehand, of any size: K uses, windows, a budget, borders (已知最优解的配置算例)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qianmo.planning.allocation import allocation_problem, choice_of
from qianmo.planning.allocation_parts import FREE, Allocation, Borders, Budget, RegionSystem, Window, allowed_uses
from qianmo.planning.fields import grid_shape, jittered_borders, smooth_field
from qianmo.planning.make_county import USES, county_regions
from qianmo.planning.prices import Prices
from qianmo.planning.problem import PlanProblem

__all__ = ["PlantedCounty", "planted_county"]


@dataclass(frozen=True)
class PlantedCounty:
    """A question, its problem, the best plan as uses (n,) and as choice (n,), its score, the prices that prove it (植入算例).

    `score` is also the least upper bound; it comes from the dual side, term by term. [points]
    """

    question: Allocation
    problem: PlanProblem
    uses: np.ndarray
    choice: np.ndarray
    score: float
    prices: Prices


@dataclass(frozen=True)
class _Row:
    """Windows of one system, their prices (regions, uses) [points/m2], and the price of each side by its limit id."""

    windows: list[Window]
    price: np.ndarray
    sides: dict[str, float]


def planted_county(
    n: int, *, rng: np.random.Generator, uses: int = 6, townships: int = 40, compactness: float = 0.3, locked: float = 0.1,
    margin: float = 0.05,
) -> PlantedCounty:  # fmt: skip
    r"""A county with a planted best plan (植入最优解的县).

    A smooth plan, prices of windows and budget, and a split of every border bonus are drawn first; the split lies at its end on
    every border the plan cuts. Then costs are set so that each parcel's use in the plan is its best after prices. By
    complementary slackness nothing can be better, whatever a solver says.

    Parameters
    ----------
    n : int
        Parcels.
    rng : Generator
    uses, townships : int
    compactness : float
        Points of a 60 m border between equal uses.
    locked : float
        Share of parcels locked to their use in the plan. [1]
    margin : float
        By how much at least the use in the plan beats the others after prices; 0 < margin < 1. [points]

    Notes
    -----
    For prices :math:`p_{rk}` of areas and :math:`q` of money, and split :math:`\alpha_{ek}` of the bonus,

    .. math:: -c_{ik} = m_{ik} + p_{r(i)k} a_i + q f_{ik} - \sum_{e \ni i} \alpha^i_{ek}

    with :math:`m_{ik}` = 0 for the use planted and below -margin for the others.
    """
    rows, columns = grid_shape(n)
    fields = np.stack([smooth_field(rows, columns, rng=rng).ravel()[:n] for _ in range(uses)], axis=1)
    plan = fields.argmax(axis=1).astype(np.int8)
    current = np.where(rng.random(n) < 0.5, plan, rng.integers(0, uses, n)).astype(np.int8)
    area = np.maximum(1, np.rint(rng.lognormal(12.6, 0.6, n))).astype(np.int64)
    works = np.rint(np.outer(area / 100.0, rng.uniform(30, 300, uses))).astype(np.int64)
    works[np.arange(n), current] = 0
    borders = jittered_borders(n, rng=rng)
    regions = county_regions(n, townships, townships * 5)[:2]
    drawn = [_draw(s, USES[:uses], plan, area, rng) for s in regions]
    money = float(rng.uniform(0.5, 1.5) * 1e-5)
    cost = rng.uniform(margin, 1.0, (n, uses))
    cost[np.arange(n), plan] = 0.0
    for system, row in zip(regions, drawn):
        cost -= row.price[system.code] * (area / 100.0)[:, None]
    cost -= money * works / 100.0
    split = [_split(cost, k, plan, borders, compactness / 60.0, rng) for k in range(uses)]
    question = Allocation(
        uses=USES[:uses], area_dm2=area, current=current, cost=cost, borders=borders, points_per_m=compactness / 60.0,
        lock=np.where(rng.random(n) < locked, plan, FREE).astype(np.int8), regions=regions,
        windows=tuple(w for row in drawn for w in row.windows),
        budgets=(Budget("budget", works, int(works[np.arange(n), plan].sum())),),
    )  # fmt: skip
    problem = allocation_problem(question)
    sides = {"budget": money} | {side: price for row in drawn for side, price in row.sides.items()}
    prices = Prices(np.array([sides[x.id] for x in problem.limits]), tuple(split))
    score = _dual_score(question, plan, drawn, money, split)
    return PlantedCounty(question, problem, plan, choice_of(question, problem, plan), score, prices)


def _draw(system: RegionSystem, uses: tuple[str, ...], plan: np.ndarray, area: np.ndarray, rng: np.random.Generator) -> _Row:
    """Windows: a third tight below, a third tight above, the rest loose; loose sides have no price."""
    held = np.zeros((len(system.names), len(uses)), np.int64)
    np.add.at(held, (system.code, plan), area)
    kind = rng.integers(0, 3, held.shape)
    size = rng.uniform(0.2, 1.0, held.shape) * 1e-4
    price = np.where(kind == 0, -size, np.where(kind == 1, size, 0.0))
    room = (held * rng.uniform(0.01, 0.2, held.shape)).astype(np.int64) + 1
    windows: list[Window] = []
    sides: dict[str, float] = {}
    for r, name in enumerate(system.names):
        for k, use in enumerate(uses):
            least = int(held[r, k] - (0 if kind[r, k] == 0 else min(room[r, k], held[r, k])))
            most = int(held[r, k] + (0 if kind[r, k] == 1 else room[r, k]))
            windows.append(Window(system.id, name, use, least, most))
            where = f"{system.id}/{name}/{use}"
            sides |= {f"{where}/least": min(price[r, k], 0.0), f"{where}/most": max(price[r, k], 0.0), f"{where}/exact": price[r, k]}
    return _Row(windows, price, sides)


def _split(
    cost: np.ndarray, k: int, plan: np.ndarray, borders: Borders, points_per_m: float, rng: np.random.Generator
) -> np.ndarray:
    """Part of each bonus of use k for end i, at its end on cut borders; what each end gets is added to its cost."""
    weight = borders.length_m * points_per_m
    at_i, at_j = plan[borders.i] == k, plan[borders.j] == k
    part = np.where(at_i == at_j, rng.random(len(weight)) * weight, np.where(at_i, 0.0, weight))
    cost[:, k] += np.bincount(borders.i, part, len(cost)) + np.bincount(borders.j, weight - part, len(cost))
    return part


def _dual_score(q: Allocation, plan: np.ndarray, drawn: list[_Row], money: float, split: list[np.ndarray]) -> float:
    """The bound that the planted prices prove, from the question alone."""
    every = np.arange(q.n)
    reduced = -q.cost.astype(float)
    constant = money * q.budgets[0].most_fen / 100.0
    reduced -= money * q.budgets[0].works_fen / 100.0
    for system, row in zip(q.regions, drawn):
        reduced -= row.price[system.code] * (q.area_dm2 / 100.0)[:, None]
        held = np.zeros_like(row.price)
        np.add.at(held, (system.code, plan), q.area_dm2 / 100.0)
        constant += float((row.price * held).sum())
    assert q.borders is not None
    i, j, weight = q.borders.i, q.borders.j, q.borders.length_m * q.points_per_m
    for k, part in enumerate(split):
        reduced[:, k] += np.bincount(i, part, q.n) + np.bincount(j, weight - part, q.n)
    best = np.where(allowed_uses(q), reduced, -np.inf).max(axis=1)
    today = -float(q.cost[every, q.current].sum()) + float(weight[q.current[i] == q.current[j]].sum())
    return float(best.sum()) + constant - today
