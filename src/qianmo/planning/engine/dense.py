"""The planning problem laid out for compiled loops: slots a patch, borders, limit entries (求解用数组).

Slot 0 of a patch is keeping where that is allowed, then come its options in their order. The
states of a slot in all pair layers are the bits of one number. Limits are written for the
slots of each patch; a coefficient that all options of a patch share is moved to keeping with the
other sign, which halves the entries of area windows.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from qianmo.planning.engine.columns import Columns, Gatherer
from qianmo.planning.engine.layout import Layout
from qianmo.planning.problem import Limit, Pairs, PlanProblem
from qianmo.schema.errors import SchemaError

__all__ = ["MOST_LAYERS", "Dense", "choice_of", "dense", "slots_of"]

MOST_LAYERS = 16
"""Pair layers that fit the bits of a slot."""


@dataclass(frozen=True)
class Dense:
    """Arrays of one problem (求解用数组).

    Parameters
    ----------
    layout : Layout
        What the compiled loops read.
    first : (n + 1,) int64
        First option of each patch.
    keeps : (n,) bool
    low, high : (R,) float64
        Ends of each row, the constant taken off.
    members : (R,) tuples
        Limits that each row stands for: one, or the two ends of a window.
    layer_rows, layer_turned : tuples of arrays
        For each layer, the border of each of its pairs, and whether its ends are the other way round.
    mends : (L,) int16
        Most slots of one patch that share the bit of a layer.
    base : float
        Bonus of the borders that are joined today. [points]
    """

    n: int
    slots: int
    layers: int
    layout: Layout
    first: np.ndarray
    keeps: np.ndarray
    low: np.ndarray
    high: np.ndarray
    members: tuple[tuple[int, ...], ...]
    layer_rows: tuple[np.ndarray | None, ...]
    layer_turned: tuple[np.ndarray | None, ...]
    mends: np.ndarray
    base: float


def dense(problem: PlanProblem) -> Dense:
    """Lay a problem out (建立求解用数组).

    Raises
    ------
    SchemaError
        More pair layers than `MOST_LAYERS`.
    """
    layers = len(problem.pairs)
    if layers > MOST_LAYERS:
        raise SchemaError(f"{layers} pair layers", expected=f"at most {MOST_LAYERS}")
    n, keeps = problem.n, problem.keeps
    options = np.bincount(problem.patch, minlength=n)
    first = np.concatenate([[0], np.cumsum(options)]).astype(np.int64)
    count = (options + keeps).astype(np.int16)
    slots = int(count.max(initial=1))
    slot = (np.arange(problem.m) - first[problem.patch] + keeps[problem.patch]).astype(np.int16)
    value = np.full((n, slots), -np.inf, np.float32)
    value[keeps, 0] = 0.0
    value[problem.patch, slot] = problem.value
    bits = np.zeros((n, slots), np.uint16)
    for k, p in enumerate(problem.pairs):
        bits[keeps, 0] |= p.state0[keeps].astype(np.uint16) << k
        bits[problem.patch, slot] |= p.state.astype(np.uint16) << k
    mends, patterns = _mends(bits, count, layers), _patterns(bits)
    del bits
    end_i, end_j, weight, rows, turned = _borders(problem.pairs, n)
    groups = _groups(problem.limits)
    columns, low, high = _rows(problem, groups, slot, options, slots)
    layout = Layout(value, *patterns, count, weight, *_near(end_i, end_j, n), end_i, end_j, *(getattr(columns, f.name) for f in fields(columns)))
    base = sum(float(p.weight @ (p.state0[p.i].astype(bool) & p.state0[p.j].astype(bool))) for p in problem.pairs)
    return Dense(n, slots, layers, layout, first, keeps, low, high, groups, rows, turned, mends, base)


def slots_of(d: Dense, choice: np.ndarray) -> np.ndarray:
    """Slot of each patch under a choice, (n,) int16 (选项转槽位)."""
    changed = choice >= 0
    return np.where(changed, choice - d.first[:-1] + d.keeps, 0).astype(np.int16)


def choice_of(d: Dense, slot: np.ndarray) -> np.ndarray:
    """Choice that a slot of each patch stands for, (n,) int64 (槽位转选项)."""
    return np.where(d.keeps & (slot == 0), -1, d.first[:-1] + slot - d.keeps).astype(np.int64)


def _borders(
    pairs: tuple[Pairs, ...], n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[np.ndarray | None, ...], tuple[np.ndarray | None, ...]]:
    """Borders of all layers in one table; None where a layer is the table itself."""
    if not pairs:
        empty = np.zeros(0, np.int32)
        return empty, empty, np.zeros((0, 1), np.float32), (), ()
    head = pairs[0]
    if all(_same(p.i, head.i) and _same(p.j, head.j) for p in pairs):
        one = all(_same(p.weight, head.weight) for p in pairs)
        weight = head.weight[:, None] if one else np.stack([p.weight for p in pairs], axis=1)
        none = (None,) * len(pairs)
        return head.i.astype(np.int32), head.j.astype(np.int32), np.ascontiguousarray(weight, np.float32), none, none
    codes = [np.minimum(p.i, p.j).astype(np.int64) * n + np.maximum(p.i, p.j) for p in pairs]
    every = np.unique(np.concatenate(codes))
    weight = np.zeros((len(every), len(pairs)), np.float32)
    rows = tuple(np.searchsorted(every, c) for c in codes)
    for k, p in enumerate(pairs):
        np.add.at(weight[:, k], rows[k], p.weight)
    return (every // n).astype(np.int32), (every % n).astype(np.int32), weight, rows, tuple(p.i > p.j for p in pairs)


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return a is b or np.array_equal(a, b)


def _near(end_i: np.ndarray, end_j: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    degree = np.bincount(end_i, minlength=n) + np.bincount(end_j, minlength=n)
    first = np.concatenate([[0], np.cumsum(degree)]).astype(np.int64)
    ends = np.empty(2 * len(end_i), np.int32)
    ends[0::2], ends[1::2] = end_i, end_j
    return np.argsort(ends, kind="stable").astype(np.int32), first


def _groups(limits: tuple[Limit, ...]) -> tuple[tuple[int, ...], ...]:
    """Numbers of the limits that bound the same sum, together: a window is one row with two ends."""
    found: dict[tuple[int, int, float], list[list[int]]] = {}
    for k, x in enumerate(limits):
        mark = (len(x.option), int(x.option[0]) if len(x.option) else -1, float(x.coefficient.sum()))
        for group in found.setdefault(mark, []):
            other = limits[group[0]]
            if _same(other.option, x.option) and _same(other.coefficient, x.coefficient):
                group.append(k)
                break
        else:
            found[mark].append([k])
    return tuple(sorted(tuple(g) for groups in found.values() for g in groups))


def _rows(
    problem: PlanProblem, groups: tuple[tuple[int, ...], ...], slot: np.ndarray, options: np.ndarray, slots: int
) -> tuple[Columns, np.ndarray, np.ndarray]:
    """Limit entries as columns, and both ends of every row."""
    gatherer = Gatherer(problem.n, slots)
    low, high = np.full(len(groups), -np.inf), np.full(len(groups), np.inf)
    for r, members in enumerate(groups):
        at, where, number, moved = _moved(problem, problem.limits[members[0]], slot, options)
        gatherer.add(r, at, where, number)
        for x in (problem.limits[k] for k in members):
            side = x.bound - x.constant - moved
            low[r] = max(low[r], side) if x.relation != "<=" else low[r]
            high[r] = min(high[r], side) if x.relation != ">=" else high[r]
    return gatherer.done(), low, high


def _moved(
    problem: PlanProblem, limit: Limit, slot: np.ndarray, options: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Entries of one limit, those that all options of a patch share moved to keeping, and the sum moved."""
    option, coefficient = limit.option, limit.coefficient
    if np.any(np.diff(option) < 0):
        order = np.argsort(option, kind="stable")
        option, coefficient = option[order], coefficient[order]
    if np.any(option[1:] == option[:-1]):
        start = np.flatnonzero(np.concatenate([[True], option[1:] != option[:-1]]))
        option, coefficient = option[start], np.add.reduceat(coefficient, start)
    at = problem.patch[option]
    if not len(at):
        return at, at, np.zeros(0), 0.0
    start = np.flatnonzero(np.concatenate([[True], at[1:] != at[:-1]]))
    size = np.diff(np.append(start, len(at)))
    owner = at[start]
    same = np.minimum.reduceat(coefficient, start) == np.maximum.reduceat(coefficient, start)
    whole = same & (size == options[owner]) & problem.keeps[owner] & (size > 1)
    rest = np.repeat(~whole, size)
    shared = coefficient[start[whole]]
    return (
        np.concatenate([at[rest], owner[whole]]),
        np.concatenate([slot[option[rest]], np.zeros(whole.sum(), np.int64)]),
        np.concatenate([coefficient[rest], -shared]),
        float(shared.sum()),
    )


def _patterns(bits: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number of the pattern of each slot, the patterns, and the layer of those with a single one."""
    table = np.flatnonzero(np.bincount(bits.ravel(), minlength=1))
    if len(table) > 255:
        raise SchemaError(f"{len(table)} patterns of states", expected="at most 255")
    number = np.zeros(int(table.max()) + 1, np.uint8)
    number[table] = np.arange(len(table))
    only = [-1 if t == 0 else t.bit_length() - 1 if t & (t - 1) == 0 else -2 for t in table.tolist()]
    return number[bits], table.astype(np.int64), np.array(only, np.int8)


def _mends(bits: np.ndarray, count: np.ndarray, layers: int) -> np.ndarray:
    used = np.arange(bits.shape[1])[None, :] < count[:, None]
    return np.array(
        [max(1, int((((bits >> k) & 1).astype(bool) & used).sum(axis=1).max(initial=1))) for k in range(layers)], np.int16
    )
