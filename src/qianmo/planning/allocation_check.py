"""Refusing a whole-area allocation that is wrong or contradicts itself, rows named (配置问题检查)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from qianmo.planning.allocation_parts import FREE, Allocation, RegionSystem, Window
from qianmo.planning.components import region_pieces
from qianmo.schema.errors import SchemaError

__all__ = ["refuse_bad_allocation"]


def refuse_bad_allocation(question: Allocation, allowed: np.ndarray) -> None:
    """Raise with every fault found (配置问题检查).

    Parameters
    ----------
    question : Allocation
    allowed : (n, K) bool
        As `allowed_uses` gives it.

    Raises
    ------
    SchemaError
        Shapes first, then values, then contradictions; each stage names all its faults and rows.
    """
    for stage in (_shapes, _values, _names, _conflicts):
        faults = list(stage(question, allowed))
        if faults:
            raise SchemaError("; ".join(faults), expected="numbers in range that do not contradict each other",
                              cure="correct the rows named (更正所列各行)")  # fmt: skip


def _shapes(q: Allocation, allowed: np.ndarray) -> Iterator[str]:
    n, count = q.n, len(q.uses)
    tables = {"cost": q.cost, "forbidden": q.forbidden}
    tables |= {f"budget {b.id}": b.works_fen for b in q.budgets} | {f"service {s.id}": s.amount for s in q.services}
    for name, table in tables.items():
        if table is not None and table.shape != (n, count):
            yield f"{name} has shape {table.shape}, not ({n}, {count})"
    columns = {"current": q.current, "lock": q.lock} | {f"region system {s.id}": s.code for s in q.regions}
    columns |= {f"grades of {d.id}": d.grade for d in q.dominances}
    for name, column in columns.items():
        if column is not None and column.shape != (n,):
            yield f"{name} has shape {column.shape}, not ({n},)"
    if not np.issubdtype(q.area_dm2.dtype, np.integer):
        yield f"areas are {q.area_dm2.dtype}, not whole square decimetres"
    yield from (f"works of budget {b.id} are {b.works_fen.dtype}, not whole fen" for b in q.budgets if b.works_fen.dtype.kind not in "iu")
    if len(set(q.uses)) != count or not count:
        yield f"uses {list(q.uses)} are none or repeat"
    b = q.borders
    if b is not None and not len(b.i) == len(b.j) == len(b.length_m):
        yield f"borders have {len(b.i)}, {len(b.j)} and {len(b.length_m)} rows"


def _values(q: Allocation, allowed: np.ndarray) -> Iterator[str]:
    n, count = q.n, len(q.uses)
    yield from _bad("negative area", q.area_dm2 < 0)
    yield from _bad("unknown use", (q.current < 0) | (q.current >= count))
    yield from _bad("cost that is not a number", np.logical_not(np.isfinite(q.cost).all(axis=1)))
    if q.lock is not None:
        yield from _bad("lock to an unknown use", (q.lock < FREE) | (q.lock >= count))
    if q.forbidden is not None:
        yield from _bad("forbidden conversion without a reason", (q.forbidden > len(q.reasons)).any(axis=1))
    for s in q.regions:
        yield from _bad(f"unknown region of {s.id}", (s.code < -1) | (s.code >= len(s.names)))
    for service in q.services:
        yield from _bad(f"service {service.id} that is not a number", np.logical_not(np.isfinite(service.amount).all(axis=1)))
    if not (np.isfinite(q.points_per_m) and q.points_per_m >= 0 and np.isfinite(q.points_per_cost)):
        yield f"points a metre {q.points_per_m} or a unit of cost {q.points_per_cost} are no weights"
    if q.borders is not None:
        i, j, metres = q.borders.i, q.borders.j, q.borders.length_m
        yield from _bad("missing neighbour", (i < 0) | (j < 0) | (i >= n) | (j >= n), what="borders")
        yield from _bad("parcel that borders itself", i == j, what="borders")
        yield from _bad("border length below 0 or missing", ~(metres >= 0) | ~np.isfinite(metres), what="borders")


def _names(q: Allocation, allowed: np.ndarray) -> Iterator[str]:
    systems = {s.id: s for s in q.regions}
    if len(systems) != len(q.regions):
        yield "two region systems share an id"
    asked = [(f"dominance {d.id}", d.system, d.uses) for d in q.dominances]
    asked += [(f"no net loss {d.id}", d.system, (*d.uses, *d.takers)) for d in q.no_net_losses]
    asked += [("contiguity", name, ()) for name in q.contiguous]
    for name, system, uses in asked:
        if system not in systems:
            yield f"{name} names the unknown region system {system!r}"
        yield from (f"{name} names the unknown use {u!r}" for u in uses if u not in q.uses)
    known = {s.id: frozenset(s.names) for s in q.regions}
    for row, w in enumerate(q.windows):
        if w.system not in systems or w.region not in known[w.system]:
            yield f"window {row} names the unknown region {w.system}/{w.region}"
        if w.use not in q.uses:
            yield f"window {row} names the unknown use {w.use!r}"
        if w.least_dm2 is None and w.most_dm2 is None:
            yield f"window {row} has neither a least nor a most"
        if (w.least_dm2 or 0) < 0 or (w.most_dm2 is not None and w.most_dm2 < (w.least_dm2 or 0)):
            yield f"window {row} ({w.region}, {w.use}) runs from {w.least_dm2} to {w.most_dm2} dm2"
    places = [(w.system, w.region, w.use) for w in q.windows]
    if len(set(places)) != len(places):
        yield "two windows are for the same use in the same region"


def _conflicts(q: Allocation, allowed: np.ndarray) -> Iterator[str]:
    stuck = ~allowed.any(axis=1)
    yield from _bad("lock or rules that leave no use", stuck)
    for s in q.regions:
        mine = [(row, w) for row, w in enumerate(q.windows) if w.system == s.id]
        if mine:
            yield from _contradictions(q, allowed, s, mine)
    if q.contiguous and q.borders is None:
        yield "contiguity is asked for, but there are no borders"
    for s in q.regions:
        if s.id in q.contiguous and q.borders is not None:
            for region, parcels in region_pieces(s.code, q.borders.i, q.borders.j).items():
                yield f"region {s.names[region]} of {s.id} is in {len(parcels)} pieces, with parcels {parcels[:5]}"


def _contradictions(q: Allocation, allowed: np.ndarray, s: RegionSystem, windows: list[tuple[int, Window]]) -> Iterator[str]:
    inside = s.code >= 0
    code, area = s.code[inside].astype(np.intp), q.area_dm2[inside].astype(float)
    total = np.bincount(code, area, len(s.names))
    only = allowed.sum(axis=1) == 1
    place = {name: k for k, name in enumerate(s.names)}
    reach, forced = np.zeros((2, len(s.names), len(q.uses)))
    for k in range(len(q.uses)):
        can = allowed[inside, k]
        reach[:, k] = np.bincount(code, area * can, len(s.names))
        forced[:, k] = np.bincount(code, area * (can & only[inside]), len(s.names))
    least, most, rows = np.zeros(len(s.names)), reach.copy(), dict[int, list[int]]()
    for row, w in windows:
        r, k = place[w.region], q.uses.index(w.use)
        rows.setdefault(r, []).append(row)
        least[r] += w.least_dm2 or 0
        if w.most_dm2 is not None:
            most[r, k] = min(most[r, k], w.most_dm2)
        if (w.least_dm2 or 0) > reach[r, k]:
            yield f"window {row} wants {w.least_dm2} dm2 of {w.use} in {w.region}, but at most {reach[r, k]:.0f} may become it"
        if w.most_dm2 is not None and w.most_dm2 < forced[r, k]:
            yield f"window {row} allows {w.most_dm2} dm2 of {w.use} in {w.region}, but {forced[r, k]:.0f} can be nothing else"
    for r in np.flatnonzero(least > total).tolist():
        yield f"windows {rows[r]} want {least[r]:.0f} dm2 in {s.names[r]}, which has {total[r]:.0f}"
    for r in np.flatnonzero(most.sum(axis=1) < total).tolist():
        yield f"windows {rows.get(r, [])} leave room for {most[r].sum():.0f} dm2 in {s.names[r]}, which has {total[r]:.0f}"


def _bad(what_is_wrong: str, wrong: np.ndarray | np.bool, *, what: str = "parcels") -> Iterator[str]:
    if wrong.any():
        rows = np.flatnonzero(wrong)
        yield f"{what_is_wrong} in {len(rows)} {what}: rows {rows[:5].tolist()}"
