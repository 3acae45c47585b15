"""Limits of a whole-area allocation: windows, budgets, dominance, balances, services (配置约束行).

The rows of one region system are cut from its options once; both sides of a window share their
arrays, and a row over all options shares the numbers of the options.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from qianmo.planning.allocation_parts import Allocation, Budget, Dominance, NoNetLoss, RegionSystem, Service, Window
from qianmo.planning.problem import Limit

__all__ = ["allocation_limits"]


@dataclass(frozen=True)
class _Part:
    """One region: its name, its parcels, and its options with the use before and after and the area [m2]."""

    system: str
    name: str
    parcel: np.ndarray
    option: np.ndarray
    before: np.ndarray
    after: np.ndarray
    area_m2: np.ndarray


def allocation_limits(question: Allocation, patch: np.ndarray, use: np.ndarray, flat: np.ndarray) -> tuple[Limit, ...]:
    """All limits of the question over its options (配置约束行).

    Parameters
    ----------
    question : Allocation
        Already checked.
    patch, use, flat : (m,) int
        Parcel and use of each option, and its place in the (n, K) tables.
    """
    every = np.arange(len(patch), dtype=np.int32)
    made: list[Limit] = []
    for system in question.regions:
        windows = {(w.region, w.use): w for w in question.windows if w.system == system.id}
        dominances = [d for d in question.dominances if d.system == system.id]
        balances = [b for b in question.no_net_losses if b.system == system.id]
        if windows or dominances or balances:
            for part in _parts(question, system, patch, use, every):
                made += _windows(question, part, windows)
                made += [row for d in dominances for row in _dominance(question, d, part, patch)]
                made += [_balance(question, b, part) for b in balances]
    made += [_budget(question, b, patch, flat, every) for b in question.budgets]
    made += [_service(question, s, patch, flat, every) for s in question.services]
    return tuple(made)


def _parts(q: Allocation, system: RegionSystem, patch: np.ndarray, use: np.ndarray, every: np.ndarray) -> Iterator[_Part]:
    current = q.current.astype(np.int8)
    area = q.area_dm2 / 100.0
    if len(system.names) == 1 and (system.code == 0).all():
        yield _Part(system.id, system.names[0], np.arange(q.n), every, current[patch], use, area[patch])
        return
    code = system.code.astype(np.int16 if len(system.names) < 2**15 else np.int32)
    of_parcel = np.argsort(code, kind="stable")
    of_option = np.argsort(code[patch], kind="stable").astype(np.int32)
    starts = np.arange(len(system.names) + 1)
    first_parcel = np.searchsorted(code[of_parcel], starts)
    first_option = np.searchsorted(code[patch[of_option]], starts)
    for r, name in enumerate(system.names):
        option = of_option[first_option[r] : first_option[r + 1]]
        parcel = of_parcel[first_parcel[r] : first_parcel[r + 1]]
        owner = patch[option]
        yield _Part(system.id, name, parcel, option, current[owner], use[option], area[owner])


def _windows(q: Allocation, part: _Part, windows: dict[tuple[str, str], Window]) -> Iterator[Limit]:
    for k, name in enumerate(q.uses):
        w = windows.get((part.name, name))
        if w is None:
            continue
        option, coefficient = _change(part, part.after == k, part.before == k)
        constant = _area_now(q, part.parcel, q.current[part.parcel] == k)
        where = f"{part.system}/{part.name}/{name}"
        if w.least_dm2 is not None and w.least_dm2 == w.most_dm2:
            yield Limit(f"{where}/exact", w.rule_id, f"{part.name}{name}面积", option, coefficient, "==", w.least_dm2 / 100.0, "m2", constant)
            continue
        if w.least_dm2 is not None:
            yield Limit(f"{where}/least", w.rule_id, f"{part.name}{name}面积下限", option, coefficient, ">=", w.least_dm2 / 100.0, "m2", constant)
        if w.most_dm2 is not None:
            yield Limit(f"{where}/most", w.rule_id, f"{part.name}{name}面积上限", option, coefficient, "<=", w.most_dm2 / 100.0, "m2", constant)


def _dominance(q: Allocation, d: Dominance, part: _Part, patch: np.ndarray) -> Iterator[Limit]:
    among = _positions(q, d.uses)
    into, out = among[part.after], among[part.before]
    held = among[q.current[part.parcel]]
    of_option, of_parcel = d.grade[patch[part.option]], d.grade[part.parcel]
    for grade in d.grades:
        fine = of_option <= grade
        option, coefficient = _change(part, into & fine, out & fine)
        now = _area_now(q, part.parcel, held & (of_parcel <= grade))
        yield Limit(
            f"{d.id}/{part.name}/{grade}", d.rule_id, f"{part.name}{grade}等及以上面积不降", option, coefficient, ">=", now, "m2", now
        )


def _balance(q: Allocation, b: NoNetLoss, part: _Part) -> Limit:
    kept, takers = _positions(q, b.uses), _positions(q, b.takers)
    gained = kept[part.after] & ~kept[part.before]
    taken = kept[part.before] & takers[part.after]
    option, coefficient = _change(part, gained, taken)
    return Limit(f"{b.id}/{part.name}", b.rule_id, f"{part.name}占补平衡", option, coefficient, ">=", 0.0, "m2")


def _budget(q: Allocation, b: Budget, patch: np.ndarray, flat: np.ndarray, every: np.ndarray) -> Limit:
    now = b.works_fen[np.arange(q.n), q.current]
    fen = b.works_fen.ravel()[flat].astype(float)
    fen -= now[patch]
    fen /= 100.0
    return Limit(b.id, b.rule_id, "投资上限", every, fen, "<=", b.most_fen / 100.0, "yuan")


def _service(q: Allocation, s: Service, patch: np.ndarray, flat: np.ndarray, every: np.ndarray) -> Limit:
    now = s.amount[np.arange(q.n), q.current].astype(float)
    change = s.amount.ravel()[flat].astype(float)
    change -= now[patch]
    moved = np.flatnonzero(change).astype(np.int32)
    if len(moved) == len(every):
        moved = every
    return Limit(s.id, s.rule_id, s.zh, moved, change[moved], ">=", s.floor, "1", float(now.sum()))


def _change(part: _Part, gained: np.ndarray, lost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Options that add their area, and those that take it off; what does both does neither."""
    moved = np.flatnonzero(gained != lost)
    area = part.area_m2[moved]
    return part.option[moved], np.where(gained[moved], area, -area)


def _area_now(q: Allocation, parcel: np.ndarray, held: np.ndarray) -> float:
    return int(q.area_dm2[parcel[held]].sum()) / 100.0


def _positions(q: Allocation, uses: Iterable[str]) -> np.ndarray:
    return np.isin(q.uses, tuple(uses))
