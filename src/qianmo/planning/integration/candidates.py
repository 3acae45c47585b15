"""Candidate blocks: connected sets of titles grown over the graph of neighbours (候选整合地块)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from qianmo.planning.integration.settings import IntegrationSettings
from qianmo.planning.integration.titles import Titles
from qianmo.schema.errors import InfeasibleError

__all__ = ["Candidate", "agreed_shares", "candidates", "neighbours"]

_ENUMERATE_MAX = 12


@dataclass(frozen=True)
class Candidate:
    """One block that could be assembled (候选地块): rows of its titles, area, kind of land, years of cleaning."""

    members: tuple[int, ...]
    area_m2: float
    is_state: bool
    delay: int


def neighbours(titles: Titles, *, reach_m: float) -> list[set[int]]:
    """Rows of the titles no further than `reach_m` from each title (产权邻接)."""
    i, j = shapely.STRtree(titles.shape).query(titles.shape, predicate="dwithin", distance=reach_m)
    out: list[set[int]] = [set() for _ in range(len(titles))]
    for a, b in zip(i.tolist(), j.tolist()):
        if a != b:
            out[a].add(b)
    return out


def candidates(titles: Titles, *, settings: IntegrationSettings) -> list[Candidate]:
    """Connected blocks between the least and the largest area (候选地块生成).

    Up to 12 titles every connected set is listed. Above, a block is grown from each title, always by the neighbour that
    keeps it most compact, and kept each time its area lies between the limits; once over all titles, once over those
    whose holder has not refused. The most compact are kept, every title once at least where it can be.

    Returns
    -------
    list of Candidate
        Depends on shapes and on refusals at the start only, so that re-solves use the same list.

    Raises
    ------
    InfeasibleError
        No connected set is large enough.
    """
    near = neighbours(titles, reach_m=settings.reach_m)
    willing = {k for k, c in enumerate(titles.consent) if c != "no"}
    if len(titles) <= _ENUMERATE_MAX:
        found = _every(near, titles.area_m2, settings)
    else:
        found = {s for allowed in (set(range(len(titles))), willing) for k in allowed for s in _grown(k, allowed, near, titles, settings)}
    if not found:
        raise InfeasibleError(
            "no connected set of titles is large enough",
            conflict=(f"integrate_block_area_min_m2 = {settings.block_area_min_m2:g}", f"integrate_reach_m = {settings.reach_m:g}", "产权分布"),
            cure="调低整合地块最小面积, 调大相邻距离, 或补充产权",
        )  # fmt: skip
    ranked = sorted(found, key=lambda s: (not s <= willing, -_compact(s, titles), sorted(s)))
    if len(titles) > _ENUMERATE_MAX:
        ranked = _spread(ranked, settings.candidates_max)
    return [_candidate(s, titles) for s in ranked]


def agreed_shares(titles: Titles, members: tuple[int, ...]) -> tuple[float, float]:
    """Share of holders and share of area of a block whose consent is yes; a holder agrees with all titles or not at all (同意比例)."""
    holders = {titles.holder[k] for k in members}
    not_yet = {titles.holder[k] for k in members if titles.consent[k] != "yes"}
    area = titles.area_m2[list(members)]
    agreed = np.array([titles.consent[k] == "yes" for k in members])
    return 1 - len(not_yet) / len(holders), float(area[agreed].sum() / area.sum())


def _every(near: list[set[int]], area: np.ndarray, s: IntegrationSettings) -> set[frozenset[int]]:
    level = {frozenset([k]) for k in range(len(near))}
    found: set[frozenset[int]] = set()
    while level:
        found |= {x for x in level if s.block_area_min_m2 <= area[list(x)].sum() <= s.block_area_max_m2}
        level = {x | {n} for x in level for k in x for n in near[k] - x if area[list(x)].sum() + area[n] <= s.block_area_max_m2}
    return found


def _grown(seed: int, allowed: set[int], near: list[set[int]], titles: Titles, s: IntegrationSettings) -> list[frozenset[int]]:
    block = {seed}
    out: list[frozenset[int]] = []
    while True:
        total = float(titles.area_m2[list(block)].sum())
        if total > s.block_area_max_m2:
            return out
        if total >= s.block_area_min_m2:
            out.append(frozenset(block))
            if total >= 3 * s.block_area_min_m2:
                return out
        edge = set.union(*(near[k] for k in block)) & allowed - block
        if not edge:
            return out
        block.add(max(sorted(edge), key=lambda n: _compact(frozenset(block | {n}), titles)))


def _compact(members: frozenset[int], titles: Titles) -> float:
    """Area over the area of the convex hull, 0 to 1."""
    rows = sorted(members)
    hull = shapely.convex_hull(shapely.geometrycollections(list(titles.shape[rows]))).area
    return float(titles.area_m2[rows].sum() / hull)


def _spread(ranked: list[frozenset[int]], most: int) -> list[frozenset[int]]:
    """The best blocks, first one for each title that lies in any."""
    first: list[frozenset[int]] = []
    seen: set[int] = set()
    for s in ranked:
        if s - seen:
            first.append(s)
            seen |= s
    rest = [s for s in ranked if s not in set(first)]
    return (first + rest)[:most]


def _candidate(members: frozenset[int], titles: Titles) -> Candidate:
    rows = tuple(sorted(members))
    area, state = titles.area_m2[list(rows)], titles.is_state[list(rows)]
    return Candidate(rows, float(area.sum()), bool(area[state].sum() >= area.sum() / 2), int(titles.delay[list(rows)].max()))
