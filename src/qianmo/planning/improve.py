"""Making a choice obey the limits, and better, by changing one patch at a time (修复与改进)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from qianmo.planning.problem import KEPT, PlanProblem, limit_values, states

__all__ = ["climb", "excess", "obeys", "proper", "repair"]

NOISE = 1e-9
"""Relative size of rounding noise in sums of floats."""


@dataclass(frozen=True)
class _Moves:
    """Every option and, after them, keeping each patch: patch, value, states, limit coefficients.

    `bound`, `upper`, `lower` say for each limit where it ends and on which sides it binds.
    """

    patch: np.ndarray
    value: np.ndarray
    state: tuple[np.ndarray, ...]
    row: np.ndarray
    bound: np.ndarray
    upper: np.ndarray
    lower: np.ndarray


def excess(problem: PlanProblem, choice: np.ndarray) -> np.ndarray:
    """By how much each limit is broken, 0 where it holds (L,) (超限量)."""
    return _excess(limit_values(problem, choice), _moves(problem))


def obeys(problem: PlanProblem, choice: np.ndarray) -> bool:
    """True when every limit holds and every patch that must change does (满足全部约束)."""
    return not excess(problem, choice).any() and bool((choice[~problem.keeps] >= 0).all())


def proper(problem: PlanProblem, choice: np.ndarray) -> np.ndarray:
    """The choice with the most valuable option wherever keeping is chosen but not allowed (合规化)."""
    wrong = np.flatnonzero((choice == KEPT) & ~problem.keeps)
    if not len(wrong):
        return choice
    order = np.lexsort((-np.arange(problem.m), problem.value))
    best = np.full(problem.n, KEPT)
    best[problem.patch[order]] = order
    choice = choice.copy()
    choice[wrong] = best[wrong]
    return choice


def repair(problem: PlanProblem, choice: np.ndarray, *, steps: int = 400) -> np.ndarray | None:
    """A choice near the given one that obeys all limits, or None when none was found (修复).

    Each step takes the change that loses the least score for the violation it removes. Patches that
    must change take their best option first.
    """
    moves, choice = _moves(problem), proper(problem, choice)
    scale = _scales(problem)
    values = limit_values(problem, choice)
    for _ in range(steps):
        now = float((_excess(values, moves) / scale).sum())
        if now <= 0:
            return choice
        gain, after = _gains(problem, moves, choice), _after(problem, moves, choice, values)
        removed = now - (_excess(after, moves) / scale[:, None]).sum(axis=0)
        useful = (removed > 1e-12) & np.isfinite(gain)
        if not useful.any():
            return None
        rate = np.where(useful, gain / np.where(useful, removed, 1.0), -np.inf)
        finishing = useful & (removed >= now - 1e-12)
        best = int(np.argmax(np.where(finishing, gain, -np.inf))) if finishing.any() else int(np.argmax(rate))
        _take(problem, moves, choice, best)
        values = after[:, best]
    return None


def climb(problem: PlanProblem, choice: np.ndarray, *, passes: int = 60) -> np.ndarray:
    """Take improving changes of one patch while the limits hold, until none is left (爬山改进)."""
    moves, choice = _moves(problem), choice.copy()
    neighbours = _neighbours(problem)
    for _ in range(passes):
        values, gain = limit_values(problem, choice), _gains(problem, moves, choice)
        candidates = np.flatnonzero(gain > 1e-9)
        if not len(candidates):
            break
        touched, any_taken = np.zeros(problem.n, bool), False
        for k in candidates[np.argsort(-gain[candidates], kind="stable")]:
            at = moves.patch[k]
            if touched[at]:
                continue
            trial = values + moves.row[:, k] - _current(problem, moves, choice, at)
            if _excess(trial, moves).any():
                continue
            _take(problem, moves, choice, int(k))
            values, any_taken = trial, True
            touched[at] = True
            touched[neighbours.indices[neighbours.indptr[at] : neighbours.indptr[at + 1]]] = True
        if not any_taken:
            break
    return choice


def _moves(problem: PlanProblem) -> _Moves:
    row = np.zeros((len(problem.limits), problem.m + problem.n))
    for k, x in enumerate(problem.limits):
        np.add.at(row[k], x.option, x.coefficient)
    return _Moves(
        patch=np.concatenate([problem.patch, np.arange(problem.n)]),
        value=np.concatenate([problem.value, np.where(problem.keeps, 0.0, -np.inf)]),
        state=tuple(np.concatenate([p.state, p.state0]).astype(float) for p in problem.pairs),
        row=row,
        bound=np.array([x.bound for x in problem.limits], float),
        upper=np.array([x.relation != ">=" for x in problem.limits], bool),
        lower=np.array([x.relation != "<=" for x in problem.limits], bool),
    )


def _at(problem: PlanProblem, choice: np.ndarray) -> np.ndarray:
    """Move that stands for the present state of each patch."""
    return np.where(choice >= 0, choice, problem.m + np.arange(problem.n))


def _gains(problem: PlanProblem, moves: _Moves, choice: np.ndarray) -> np.ndarray:
    now = _at(problem, choice)
    gain = moves.value - moves.value[now][moves.patch]
    for p, state in zip(problem.pairs, moves.state):
        here = states(p, choice).astype(float)
        pull = np.bincount(p.i, p.weight * here[p.j], problem.n) + np.bincount(p.j, p.weight * here[p.i], problem.n)
        gain += (state - here[moves.patch]) * pull[moves.patch]
    gain[problem.m :][~problem.keeps] = -np.inf
    return gain


def _after(problem: PlanProblem, moves: _Moves, choice: np.ndarray, values: np.ndarray) -> np.ndarray:
    now = _at(problem, choice)
    return values[:, None] + moves.row - moves.row[:, now][:, moves.patch]


def _current(problem: PlanProblem, moves: _Moves, choice: np.ndarray, at: int) -> np.ndarray:
    return moves.row[:, choice[at] if choice[at] >= 0 else problem.m + at]


def _take(problem: PlanProblem, moves: _Moves, choice: np.ndarray, move: int) -> None:
    choice[moves.patch[move]] = move if move < problem.m else KEPT


def _scales(problem: PlanProblem) -> np.ndarray:
    return np.array([np.abs(x.coefficient).max(initial=0.0) or 1.0 for x in problem.limits])


def _excess(values: np.ndarray, moves: _Moves) -> np.ndarray:
    """By how much each limit is broken, for one set of values (L,) or many (L, k)."""
    shape = (-1,) + (1,) * (values.ndim - 1)
    bound = moves.bound.reshape(shape)
    room = values - bound
    over = np.maximum(np.where(moves.upper.reshape(shape), room, 0.0), np.where(moves.lower.reshape(shape), -room, 0.0))
    return np.where(over > NOISE * np.maximum(1.0, np.maximum(np.abs(bound), np.abs(values))), over, 0.0)


def _neighbours(problem: PlanProblem) -> csr_array:
    i = np.concatenate([p.i for p in problem.pairs] or [np.zeros(0, int)])
    j = np.concatenate([p.j for p in problem.pairs] or [np.zeros(0, int)])
    ones = np.ones(2 * len(i), bool)
    return csr_array((ones, (np.concatenate([i, j]), np.concatenate([j, i]))), shape=(problem.n, problem.n))
