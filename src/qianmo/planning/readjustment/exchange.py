"""Exchange of parcels between owners: same value, fewer blocks, nobody worse off (权属调换)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from qianmo.geo.adjacency import shared_borders_noded
from qianmo.planning.readjustment.flow import Transport, transport
from qianmo.planning.readjustment.holdings import Holdings, centroids, required_values, with_kept_owners
from qianmo.planning.readjustment.pieces import Pieces, cut_pieces, status_quo, whole_pieces
from qianmo.planning.readjustment.recentre import Ground, Sites, begin_sites, improve_sites, square_radius
from qianmo.planning.readjustment.rounding import rounded_owners
from qianmo.planning.readjustment.standing import standing, worse_off

__all__ = ["Exchange", "ExchangeSettings", "exchange"]


_PATIENCE = 12
_MORE_BONUS = 4.0
_FEW = 0.05
_NEARNESS = 0.1
_LADDER, _GOOD = (4.0, 64.0), 0.5


@dataclass(frozen=True)
class ExchangeSettings:
    """Limits and effort of an exchange (调换设置).

    Parameters
    ----------
    value_tolerance, distance_tolerance, area_tolerance : float
        How far value may differ, mean distance grow, area differ, as shares; area inf for any.
    may_split : bool
        Cut parcels to exact value; else only whole parcels move and cash settles the rest.
    gap_m, least_border_m : float
        What makes two pieces one block, see `block_labels`. [m]
    least_width_m : float
        Parts thinner than this are avoided. [m]
    rounds, repairs : int
        Rounds of re-centring; attempts to help owners who would be worse off before their land is kept as it is.
    width : int
        Candidate owners a parcel to begin with.
    """

    value_tolerance: float = 0.001
    distance_tolerance: float = 0.0
    area_tolerance: float = float("inf")
    may_split: bool = True
    gap_m: float = 0.0
    least_border_m: float = 0.5
    least_width_m: float = 4.0
    rounds: int = 40
    repairs: int = 4
    width: int = 6


@dataclass(frozen=True, eq=False)
class Exchange:
    """An exchange in which nobody is worse off (调换结果).

    Parameters
    ----------
    problem : Holdings
        With the parcels of owners that had to be kept marked ``kept_fair``.
    pieces : Pieces
    sites : (k, 2) [m]
    shipped : list of (rows, Transport, owners)
        The optimal flow of each pool.
    before, after : DataFrame
        See `standing`.
    kept : DataFrame (owner_id, what)
        Owners whose land stays, and what they would have lost.
    is_split : bool
        Parcels were cut to exact values; else whole parcels moved within the tolerances and cash settles the rest.
    """

    problem: Holdings
    pieces: Pieces
    sites: np.ndarray
    shipped: list[tuple[np.ndarray, Transport, np.ndarray]]
    before: pd.DataFrame
    after: pd.DataFrame
    kept: pd.DataFrame
    is_split: bool


def exchange(
    problem: Holdings, *, settings: ExchangeSettings, progress: Callable[[str, float], None], stop: Callable[[], bool]
) -> Exchange:
    """Find an exchange that gathers every holding and leaves nobody worse off (求解调换方案).

    Sites are improved, the exact flow to the sites is solved, parcels are cut, and everyone's standing is measured on the cut
    land. A few owners who would lose by distance get a stronger pull first. Those who still lose get a bonus on the land they
    have, four times larger each turn, so that they keep more of it; at last all their land is kept. Where that leaves many blocks, the search
    starts again with a bonus for everybody, larger each time, and the best is taken. In the worst case nothing moves.

    Parameters
    ----------
    progress : callable (words, share done)
    stop : callable
        True asks for the best so far: no more improvement, only what fairness needs.
    """
    borders = shared_borders_noded(problem.geometry)
    points = centroids(problem)
    now = status_quo(problem)
    before = standing(problem, now, gap_m=settings.gap_m, least_border_m=settings.least_border_m)
    allowed = before["mean_distance_m"].to_numpy() * (1 + settings.distance_tolerance)
    task = _Task(problem, points, borders, before, allowed, settings, progress, stop)
    sites = begin_sites(_ground(problem, points, allowed), _main_parcels(problem, points))
    sites = _improved(_ground(problem, points, allowed), sites, settings.rounds, task, is_first=True)
    best = _fair(task, sites, np.zeros(problem.k))
    for level in _LADDER:
        if stop() or _gathered(best) >= _GOOD:
            break
        other = _fair(task, sites, np.full(problem.k, level * square_radius(_ground(problem, points, allowed))))
        best = max(best, other, key=_gathered)
    if not stop() and _gathered(best) < _GOOD:
        homes = Sites(problem.anchor, np.zeros_like(sites.price), sites.pull)
        best = max(best, _fair(task, homes, np.zeros(problem.k), from_now=True), key=_gathered)
    return best


@dataclass(frozen=True, eq=False)
class _Task:
    problem: Holdings
    points: np.ndarray
    borders: pd.DataFrame
    before: pd.DataFrame
    allowed: np.ndarray
    settings: ExchangeSettings
    progress: Callable[[str, float], None]
    stop: Callable[[], bool]


def _gathered(found: Exchange) -> float:
    """Share of the superfluous blocks that the exchange does away with, 1 when nobody has more than one; and a little for nearness."""
    holders = int((required_values(found.problem) > 0).any(axis=0).sum())
    old, new = int(found.before["blocks"].sum()), int(found.after["blocks"].sum())
    far = [float((t["mean_distance_m"] * t["area_dm2"]).sum()) for t in (found.before, found.after)]
    return (old - new) / max(old - holders, 1) + _NEARNESS * (1.0 - far[1] / max(far[0], 1e-9))


def _fair(task: _Task, sites: Sites, bonus: np.ndarray, *, from_now: bool = False) -> Exchange:
    """Solve, cut and measure until nobody is worse off; or improve what is by whole parcels, never leaving the tolerances."""
    settings, before, allowed = task.settings, task.before, task.allowed
    here, target, attempt, lost = task.problem, task.allowed.copy(), 0, dict[int, str]()
    while True:
        shipped = _ship(here, task.points, sites, settings.width, bonus)
        if settings.may_split and not from_now:
            pieces = cut_pieces(
                here, shipped, sites.site, task.borders, least_width_m=settings.least_width_m, least_border_m=settings.least_border_m
            )  # fmt: skip
        else:
            pieces = whole_pieces(here, rounded_owners(here, task.points, shipped, sites.site, before, settings, bonus, from_now=from_now))
        after = standing(here, pieces, gap_m=settings.gap_m, least_border_m=settings.least_border_m)
        worse = worse_off(
            before, after, value_tolerance=settings.value_tolerance, distance_tolerance=settings.distance_tolerance,
            area_tolerance=settings.area_tolerance,
        )  # fmt: skip
        bad = np.flatnonzero(worse.any(axis=1))
        task.progress(_standing_words(here, after, len(bad)), 0.5 + 0.5 * min(attempt / (settings.repairs + 3), 1.0))
        if not len(bad):
            return Exchange(here, pieces, sites.site, shipped, before, after, _kept(here, lost), settings.may_split and not from_now)
        attempt += 1
        only_far = worse["distance"].to_numpy() & ~worse[["value", "area", "blocks"]].any(axis=1).to_numpy()
        if attempt <= settings.repairs and not task.stop() and only_far.any() and len(bad) <= _FEW * here.k and not bonus.any() and not from_now:
            target[only_far] *= np.clip(allowed[only_far] / after["mean_distance_m"].to_numpy()[only_far], 0.8, 0.98)
            sites = _improved(_ground(here, task.points, target), sites, max(settings.rounds // 5, 4), task)
        elif attempt <= settings.repairs + _PATIENCE:
            bonus = bonus.copy()
            bonus[bad] = np.maximum(bonus[bad] * _MORE_BONUS, square_radius(_ground(here, task.points, allowed)))
        else:
            lost |= {int(o): ", ".join(c for c in worse.columns if worse[c].iloc[o]) for o in bad}
            here = with_kept_owners(here, bad, reason="kept_fair")


def _standing_words(problem: Holdings, after: pd.DataFrame, losers: int) -> str:
    """Progress in words: blocks, how far they are above one a holder (nobody can have fewer), how many would lose."""
    blocks, holders = int(after["blocks"].sum()), int((required_values(problem) > 0).any(axis=0).sum())
    gap = (blocks - holders) / max(blocks, 1)
    return f"连片块数 {blocks / max(problem.k, 1):.3f} 块/户, 距每户一块的差距 {max(gap, 0.0):.2%}, 受损 {losers} 户"


def _improved(ground: Ground, sites: Sites, effort: int, task: _Task, *, is_first: bool = False) -> Sites:
    for r in range(0, effort, 4):
        if task.stop():
            break
        sites = improve_sites(ground, sites, rounds=min(4, effort - r), stop=task.stop)
        if is_first:
            task.progress(f"重心迭代 {r + 4}/{effort}", 0.5 * (r + 4) / max(effort, 1))
    return sites


def _ground(problem: Holdings, points: np.ndarray, allowed: np.ndarray) -> Ground:
    pools = [np.flatnonzero(problem.is_free & (problem.pool == p)) for p in range(len(problem.pool_id))]
    wanted = required_values(problem)
    kept = np.flatnonzero(~problem.is_free)
    area, owner, k = problem.area_dm2.astype(float), problem.owner, problem.k
    far = np.hypot(*(points[kept] - problem.anchor[owner[kept]]).T) if len(kept) else np.empty(0)
    moment = np.column_stack([np.bincount(owner[kept], area[kept] * points[kept, axis], k) for axis in (0, 1)])
    return Ground(
        tuple(points[pools[p]] for p in range(len(pools))), tuple(problem.value_fen[pools[p]] for p in range(len(pools))), tuple(area[pools[p]] for p in range(len(pools))), wanted,
        problem.anchor, np.bincount(owner[kept], area[kept], k), moment, np.bincount(owner[kept], area[kept] * far, k), allowed,
    )  # fmt: skip


def _main_parcels(problem: Holdings, points: np.ndarray) -> np.ndarray:
    """A parcel of each owner nearer to its anchor than most of its own. [m]"""
    far = np.hypot(*(points - problem.anchor[problem.owner]).T)
    order = np.lexsort((far, problem.owner))
    count = np.bincount(problem.owner, minlength=problem.k)
    first = np.concatenate([[0], np.cumsum(count)[:-1]])
    return np.asarray(points[order[first + (count * 3) // 10]])


def _ship(problem: Holdings, points: np.ndarray, sites: Sites, width: int, bonus: np.ndarray) -> list[tuple[np.ndarray, Transport, np.ndarray]]:
    found = []
    wanted = required_values(problem)
    rounded = np.round(sites.site, 3)
    for p in range(len(problem.pool_id)):
        rows = np.flatnonzero(problem.is_free & (problem.pool == p))
        if not len(rows):
            continue
        who = np.flatnonzero(wanted[p] > 0)
        place = np.full(problem.k, -1)
        place[who] = np.arange(len(who))
        flow = transport(
            points[rows], problem.value_fen[rows], rounded[who], wanted[p, who], sites.price[p, who], width=width,
            current=place[problem.owner[rows]], bonus_m2=bonus[who],
        )  # fmt: skip
        found.append((rows, flow, who))
    return found


def _kept(problem: Holdings, lost: dict[int, str]) -> pd.DataFrame:
    rows = [(problem.owner_id[o], what) for o, what in sorted(lost.items())]
    return pd.DataFrame(rows, columns=["owner_id", "what"])
