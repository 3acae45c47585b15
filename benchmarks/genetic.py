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
class _System:
    """One division: region of each parcel, parcels of each region, least and greatest area of each region and use."""

    code: np.ndarray
    members: list[np.ndarray]
    least: np.ndarray
    most: np.ndarray


@dataclass(frozen=True)
class _Land:
    """The question as the algorithm sees it: value (n, K), borders both ways, windows by system, regions to cross over."""

    value: np.ndarray
    area: np.ndarray
    start: np.ndarray
    end: np.ndarray
    bonus: np.ndarray
    systems: list[_System]
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
    systems = [_system(q, s, uses) for s in q.regions if any(w.system == s.id for w in q.windows)]
    weight = q.borders.length_m * q.points_per_m
    ends = [np.concatenate([q.borders.i, q.borders.j]), np.concatenate([q.borders.j, q.borders.i])]
    return _Land(value, q.area_dm2.astype(float), ends[0], ends[1], np.concatenate([weight, weight]), systems, q.regions[-1].code)


def _system(q: Any, system: Any, uses: int) -> _System:
    least, most = np.zeros((len(system.names), uses)), np.full((len(system.names), uses), np.inf)
    place = {name: r for r, name in enumerate(system.names)}
    for w in q.windows:
        if w.system == system.id:
            least[place[w.region], q.uses.index(w.use)] = w.least_dm2 or 0
            most[place[w.region], q.uses.index(w.use)] = np.inf if w.most_dm2 is None else w.most_dm2
    return _System(system.code, [np.flatnonzero(system.code == r) for r in range(len(system.names))], least, most)


def _held(land: _Land, uses: np.ndarray) -> list[np.ndarray]:
    count = land.value.shape[1]
    return [np.bincount(s.code * count + uses, land.area, s.least.size).reshape(s.least.shape) for s in land.systems]


def _near(land: _Land, uses: np.ndarray) -> np.ndarray:
    """Bonus each parcel would get in each use beside its neighbours of today, (n, K)."""
    n, count = land.value.shape
    cell = land.start.astype(np.int64) * count + uses[land.end]
    return np.bincount(cell, land.bonus, n * count).reshape(n, count)


def _score(land: _Land, uses: np.ndarray) -> float:
    same = uses[land.start] == uses[land.end]
    return float(land.value[np.arange(len(uses)), uses].sum() + land.bonus[same].sum() / 2)


def _broken(land: _Land, uses: np.ndarray) -> float:
    over = (np.maximum(s.least - h, 0.0) + np.maximum(h - s.most, 0.0) for s, h in zip(land.systems, _held(land, uses)))
    return float(sum(x.sum() for x in over))


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


def _repair(land: _Land, uses: np.ndarray, *, rounds: int = 12) -> np.ndarray:
    """Broken windows, one by one; moves that break others are made only where nothing else helps."""
    uses = uses.copy()
    for turn in range(rounds):
        held = _held(land, uses)
        whole = land.value + _near(land, uses)
        broken = [
            (s, int(r), int(k), sign)
            for s, (system, h) in enumerate(zip(land.systems, held))
            for sign, wrong in ((1, h > system.most), (-1, h < system.least))
            for r, k in np.argwhere(wrong)
        ]
        if not broken:
            break
        for s, r, k, sign in broken:
            _mend(land, uses, held, whole, s, r, k, sign, is_careful=turn % 3 != 2)
    return uses


def _mend(
    land: _Land, uses: np.ndarray, held: list[np.ndarray], whole: np.ndarray, s: int, r: int, k: int, sign: int, *, is_careful: bool
) -> None:
    """Move the parcels that lose least for their area out of a use (sign 1) or into it (-1) until its window holds."""
    system = land.systems[s]
    inside = system.members[r]
    some = inside[(uses[inside] == k) == (sign > 0)]
    options = whole[some].copy()
    if sign > 0:
        options[:, k] = 2 * _NEVER
        full = np.zeros_like(options, bool)
        for other, h in zip(land.systems, held):
            full |= (other.most - h)[other.code[some]] < land.area[some, None]
        options[full & is_careful] = 2 * _NEVER
        target = options.argmax(axis=1)
    else:
        target = np.full(len(some), k)
    loss = whole[some, uses[some]] - options[np.arange(len(some)), target]
    order = np.argsort(loss / np.maximum(land.area[some], 1.0))
    for at in order[loss[order] < -_NEVER / 4].tolist():
        if (held[s][r, k] <= system.most[r, k]) if sign > 0 else (held[s][r, k] >= system.least[r, k]):
            return
        parcel, into = int(some[at]), int(target[at])
        out, size = int(uses[parcel]), land.area[parcel]
        places = [(h, other, int(other.code[parcel])) for h, other in zip(held, land.systems)]
        if is_careful and any(h[c, out] - size < o.least[c, out] or h[c, into] + size > o.most[c, into] for h, o, c in places):
            continue
        uses[parcel] = into
        for h, _, c in places:
            h[c, out] -= size
            h[c, into] += size
