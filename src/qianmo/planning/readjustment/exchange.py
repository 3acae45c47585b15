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
from qianmo.planning.readjustment.recentre import Ground, Sites, begin_sites, improve_sites
from qianmo.planning.readjustment.rounding import rounded_owners
from qianmo.planning.readjustment.standing import standing, worse_off

__all__ = ["Exchange", "ExchangeSettings", "exchange"]


_PATIENCE = 8


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
    """

    problem: Holdings
    pieces: Pieces
    sites: np.ndarray
    shipped: list[tuple[np.ndarray, Transport, np.ndarray]]
    before: pd.DataFrame
    after: pd.DataFrame
    kept: pd.DataFrame


def exchange(
    problem: Holdings, *, settings: ExchangeSettings, progress: Callable[[str, float], None], stop: Callable[[], bool]
) -> Exchange:
    """Find an exchange that gathers every holding and leaves nobody worse off (求解调换方案).

    Sites are improved, the exact flow to the sites is solved, parcels are cut, and everyone's standing is measured on the cut
    land. Owners who would lose get a stronger pull first; if that does not help, their land is kept and the rest solved again.
    The search ends because land can only be kept once; in the worst case nothing moves.

    Parameters
    ----------
    progress : callable (words, share done)
    stop : callable
        True asks for the best so far: no more improvement, only what fairness needs.
    """
    borders = shared_borders_noded(problem.geometry)
    points = centroids(problem)
    before = standing(problem, status_quo(problem), gap_m=settings.gap_m, least_border_m=settings.least_border_m)
    allowed = before["mean_distance_m"].to_numpy() * (1 + settings.distance_tolerance)
    here, target = problem, allowed.copy()
    lost: dict[int, str] = {}
    sites = begin_sites(_ground(here, points, target), _main_parcels(here, points))
    effort, attempt = settings.rounds, 0
    while True:
        ground = _ground(here, points, target)
        sites = _improved(ground, sites, effort, progress, stop, attempt, settings.repairs)
        shipped = _ship(here, points, sites, settings.width)
        pieces = _land(here, points, shipped, sites.site, borders, before, settings)
        after = standing(here, pieces, gap_m=settings.gap_m, least_border_m=settings.least_border_m)
        worse = worse_off(
            before, after, value_tolerance=settings.value_tolerance, distance_tolerance=settings.distance_tolerance,
            area_tolerance=settings.area_tolerance,
        )  # fmt: skip
        bad = np.flatnonzero(worse.any(axis=1))
        progress(f"连片块数 {after['blocks'].sum() / max(here.k, 1):.3f} 块/户, 受损 {len(bad)} 户", 0.5 + 0.5 * min(attempt / (settings.repairs + 3), 1.0))
        if not len(bad):
            return Exchange(here, pieces, sites.site, shipped, before, after, _kept(here, lost))
        attempt += 1
        only_far = worse["distance"].to_numpy() & ~worse[["value", "area", "blocks"]].any(axis=1).to_numpy()
        if attempt <= settings.repairs and not stop() and only_far.any():
            target[only_far] *= np.clip(allowed[only_far] / after["mean_distance_m"].to_numpy()[only_far], 0.8, 0.98)
            effort = max(settings.rounds // 5, 4)
            continue
        bad = _worst(bad, worse, after, allowed, attempt - settings.repairs)
        for o in bad:
            lost[int(o)] = ", ".join(c for c in worse.columns if worse[c].iloc[o])
        here = with_kept_owners(here, bad, reason="kept_fair")
        effort = 0 if stop() else 8


def _worst(bad: np.ndarray, worse: pd.DataFrame, after: pd.DataFrame, allowed: np.ndarray, turn: int) -> np.ndarray:
    """The half of those worse off who are furthest from what is allowed; all of them after some turns, so that the search ends."""
    if turn > _PATIENCE or len(bad) <= 2:
        return bad
    count = worse.iloc[bad].sum(axis=1).to_numpy()
    far = after["mean_distance_m"].to_numpy()[bad] / np.maximum(allowed[bad], 1e-9)
    return np.asarray(bad[np.lexsort((-far, -count))][: (len(bad) + 1) // 2])


def _improved(
    ground: Ground, sites: Sites, effort: int, progress: Callable[[str, float], None], stop: Callable[[], bool], attempt: int, repairs: int
) -> Sites:
    for r in range(0, effort, 4):
        if stop():
            break
        sites = improve_sites(ground, sites, rounds=min(4, effort - r), stop=stop)
        if attempt == 0:
            progress(f"重心迭代 {r + 4}/{effort}", 0.5 * (r + 4) / max(effort, 1))
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


def _ship(problem: Holdings, points: np.ndarray, sites: Sites, width: int) -> list[tuple[np.ndarray, Transport, np.ndarray]]:
    found = []
    wanted = required_values(problem)
    rounded = np.round(sites.site, 3)
    for p in range(len(problem.pool_id)):
        rows = np.flatnonzero(problem.is_free & (problem.pool == p))
        if not len(rows):
            continue
        who = np.flatnonzero(wanted[p] > 0)
        found.append((rows, transport(points[rows], problem.value_fen[rows], rounded[who], wanted[p, who], sites.price[p, who], width=width), who))
    return found


def _land(
    problem: Holdings, points: np.ndarray, shipped: list[tuple[np.ndarray, Transport, np.ndarray]], site: np.ndarray, borders: pd.DataFrame,
    before: pd.DataFrame, settings: ExchangeSettings,
) -> Pieces:  # fmt: skip
    if settings.may_split:
        return cut_pieces(problem, shipped, site, borders, least_width_m=settings.least_width_m, least_border_m=settings.least_border_m)
    return whole_pieces(problem, rounded_owners(problem, points, shipped, site, before, settings))


def _kept(problem: Holdings, lost: dict[int, str]) -> pd.DataFrame:
    rows = [(problem.owner_id[o], what) for o, what in sorted(lost.items())]
    return pd.DataFrame(rows, columns=["owner_id", "what"])
