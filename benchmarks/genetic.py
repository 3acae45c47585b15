"""A genetic algorithm with feasibility repair: the peer that papers on land-use allocation use.

Knows area windows only. Children take whole regions from two parents, parts of them join their neighbours' use or climb, then each
window that is broken is repaired by the parcels that lose least for their area. A plain, fair version with all steps in NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["by_genetic"]

_POPULATION = 24
_NEVER = -1e18


@dataclass(frozen=True)
class _Land:
    """The question as the algorithm sees it: value (n, K), borders both ways, windows as (members, use, least, most)."""

    value: np.ndarray
    area: np.ndarray
    start: np.ndarray
    end: np.ndarray
    bonus: np.ndarray
    windows: list[tuple[np.ndarray, int, float, float]]
    blocks: np.ndarray


def by_genetic(question: Any, *, seconds: float, clock: Callable[[], float], rng: np.random.Generator) -> tuple[float, np.ndarray, int]:
    """Best score of a plan that obeys all windows (nan: none), its uses, and how many children were made."""
    land = _land(question)
    started = clock()
    today = _score(land, question.current)
    herd = [_repair(land, _draft(land, question.current, rng)) for _ in range(_POPULATION)]
    worth = np.array([_worth(land, u) for u in herd])
    children = 0
    while clock() - started < seconds:
        one, two = (max(rng.integers(0, _POPULATION, 3), key=lambda k: worth[k]) for _ in range(2))
        child = _repair(land, _climb(land, _cross(land, herd[one], herd[two], rng), rng))
        children += 1
        score, worst = _worth(land, child), int(worth.argmin())
        if score > worth[worst] and score not in worth:
            herd[worst], worth[worst] = child, score
    best = herd[int(worth.argmax())]
    return (_score(land, best) - today if _broken(land, best) == 0 else float("nan")), best, children


def _land(q: Any) -> _Land:
    n, uses = q.cost.shape
    value = -q.cost.astype(float) * q.points_per_cost
    if q.forbidden is not None:
        value[q.forbidden > 0] = _NEVER
    if q.lock is not None:
        held = np.flatnonzero(q.lock >= 0)
        value[held] = np.where(np.arange(uses)[None, :] == q.lock[held, None], value[held], _NEVER)
    systems = {s.id: s for s in q.regions}
    windows = [
        (np.flatnonzero(systems[w.system].code == systems[w.system].names.index(w.region)), q.uses.index(w.use),
         float(w.least_dm2 or 0), np.inf if w.most_dm2 is None else float(w.most_dm2))
        for w in q.windows
    ]  # fmt: skip
    weight = q.borders.length_m * q.points_per_m
    ends = [np.concatenate([q.borders.i, q.borders.j]), np.concatenate([q.borders.j, q.borders.i])]
    return _Land(value, q.area_dm2.astype(float), ends[0], ends[1], np.concatenate([weight, weight]), windows, q.regions[-1].code)


def _near(land: _Land, uses: np.ndarray) -> np.ndarray:
    """Bonus each parcel would get in each use beside its neighbours of today, (n, K)."""
    n, count = land.value.shape
    cell = land.start.astype(np.int64) * count + uses[land.end]
    return np.bincount(cell, land.bonus, n * count).reshape(n, count)


def _score(land: _Land, uses: np.ndarray) -> float:
    same = uses[land.start] == uses[land.end]
    return float(land.value[np.arange(len(uses)), uses].sum() + land.bonus[same].sum() / 2)


def _broken(land: _Land, uses: np.ndarray) -> float:
    total = 0.0
    for members, k, least, most in land.windows:
        held = land.area[members][uses[members] == k].sum()
        total += max(least - held, held - most, 0.0)
    return total


def _worth(land: _Land, uses: np.ndarray) -> float:
    return _score(land, uses) - 1e-2 * _broken(land, uses)


def _draft(land: _Land, current: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A first plan: the best uses, with noise, smoothed a few times."""
    uses = (land.value + rng.normal(0, rng.uniform(0.0, 0.5), land.value.shape)).argmax(axis=1)
    for _ in range(rng.integers(0, 6)):
        uses = (land.value + rng.uniform(0.8, 1.5) * _near(land, uses)).argmax(axis=1)
    return uses


def _cross(land: _Land, one: np.ndarray, two: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    takes = rng.random(int(land.blocks.max()) + 1) < rng.uniform(0.2, 0.8)
    return np.where(takes[land.blocks], one, two)


def _climb(land: _Land, uses: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A part of the parcels take their best use beside their neighbours; a few take their neighbours' use."""
    near = _near(land, uses)
    better = (land.value + near).argmax(axis=1)
    joined = (np.where(land.value > _NEVER / 2, near, -1.0)).argmax(axis=1)
    draw = rng.random(len(uses))
    return np.where(draw < 0.2, better, np.where(draw > 0.998, joined, uses))


def _repair(land: _Land, uses: np.ndarray, *, rounds: int = 8) -> np.ndarray:
    uses = uses.copy()
    for _ in range(rounds):
        whole = land.value + _near(land, uses)
        touched = False
        for members, k, least, most in land.windows:
            held = land.area[members][uses[members] == k].sum()
            if held > most:
                touched |= _move(land, uses, whole, members[uses[members] == k], held - most, away=k)
            elif held < least:
                touched |= _move(land, uses, whole, members[uses[members] != k], least - held, into=k)
        if not touched:
            break
    return uses


def _move(
    land: _Land, uses: np.ndarray, whole: np.ndarray, some: np.ndarray, amount: float, *, away: int = -1, into: int = -1
) -> bool:
    """Move the parcels that lose least for their area, until the amount is moved."""
    if not len(some):
        return False
    options = whole[some].copy()
    if away >= 0:
        options[:, away] = _NEVER * 2
        target = options.argmax(axis=1)
    else:
        target = np.full(len(some), into)
    loss = whole[some, uses[some]] - options[np.arange(len(some)), target]
    order = np.argsort(loss / np.maximum(land.area[some], 1.0))
    order = order[loss[order] < -_NEVER / 4]
    reached = np.cumsum(land.area[some[order]])
    count = int(np.searchsorted(reached, amount)) + 1
    picked = order[:count]
    uses[some[picked]] = target[picked]
    return bool(len(picked))
