"""The problem as matrices for a linear or integer solver (线性模型).

Columns are the candidate options, then one joint variable for each border whose two ends can
still change. Rows: one measure a patch, the limits, and ``z <= s_i``, ``z <= s_j``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, vstack

from qianmo.planning.limits import one_measure
from qianmo.planning.problem import KEPT, Pairs, PlanProblem

__all__ = ["Candidates", "Model", "all_candidates", "as_upper", "build_model", "choice_from"]


@dataclass(frozen=True)
class Candidates:
    """What a patch may still become: options (m,) bool and keeping (n,) bool (候选)."""

    option: np.ndarray
    keep: np.ndarray


@dataclass(frozen=True)
class Model:
    """Maximise ``value @ v + constant`` with ``low <= rows @ v <= high``, first `options` binary (线性模型).

    `limit_rows` are the rows of the limits, divided by `limit_scale`; `z_layer`, `z_edge` name the
    border of each joint variable; `i_rows`, `j_rows` are the rows that tie it to its ends.
    """

    value: np.ndarray
    constant: float
    rows: csr_array
    low: np.ndarray
    high: np.ndarray
    options: np.ndarray
    limit_rows: slice
    limit_scale: np.ndarray
    z_layer: np.ndarray
    z_edge: np.ndarray
    i_rows: slice
    j_rows: slice


def all_candidates(problem: PlanProblem) -> Candidates:
    """Every option, and keeping where it is allowed (全部候选)."""
    return Candidates(np.ones(problem.m, bool), problem.keeps.copy())


def build_model(problem: PlanProblem, candidates: Candidates) -> Model:
    """Matrices over the candidates; borders with a settled end are folded away (建立线性模型)."""
    options = np.flatnonzero(candidates.option)
    column = np.full(problem.m, -1)
    column[options] = np.arange(len(options))
    value, constant = problem.value[options].astype(float).copy(), 0.0
    folded = [_fold(problem, p, candidates) for p in problem.pairs]
    for _, end_value, base in folded:
        value += end_value[options]
        constant += base
    z_layer = np.concatenate([np.full(len(f[0]), k) for k, f in enumerate(folded)] or [np.zeros(0, int)]).astype(int)
    z_edge = np.concatenate([f[0] for f in folded] or [np.zeros(0, int)]).astype(int)
    blocks: list[csr_array] = []
    low: list[np.ndarray] = []
    high: list[np.ndarray] = []
    _add(blocks, low, high, *_patch_rows(problem, candidates, options), columns=len(z_edge))
    first_limit = sum(b.shape[0] for b in blocks)
    rows, lo, hi, scale = _limit_rows(problem, options, column)
    _add(blocks, low, high, rows, lo, hi, columns=len(z_edge))
    first_i = first_limit + len(problem.limits)
    for end in ("i", "j"):
        rows, hi = _tie_rows(problem, z_layer, z_edge, end, options, column)
        blocks.append(rows)
        low.append(np.full(len(hi), -np.inf))
        high.append(hi)
    weights = [p.weight for p in problem.pairs]
    z_value = np.array([weights[k][e] for k, e in zip(z_layer, z_edge)], float)
    return Model(
        value=np.concatenate([value, z_value]),
        constant=constant,
        rows=csr_array(vstack(blocks)),
        low=np.concatenate(low),
        high=np.concatenate(high),
        options=options,
        limit_rows=slice(first_limit, first_i),
        limit_scale=scale,
        z_layer=z_layer,
        z_edge=z_edge,
        i_rows=slice(first_i, first_i + len(z_edge)),
        j_rows=slice(first_i + len(z_edge), first_i + 2 * len(z_edge)),
    )


def choice_from(problem: PlanProblem, model: Model, candidates: Candidates, v: np.ndarray) -> np.ndarray:
    """Choice nearest to a solution vector: the largest share wins, keeping on a tie (取整)."""
    share = v[: len(model.options)]
    patch = problem.patch[model.options]
    kept = 1.0 - np.bincount(patch, share, problem.n)
    best, choice = np.where(candidates.keep, kept, -1.0), np.full(problem.n, KEPT)
    order = np.argsort(share, kind="stable")
    top = np.full(problem.n, -np.inf)
    top[patch[order]] = share[order]
    pick = np.full(problem.n, KEPT)
    pick[patch[order]] = model.options[order]
    wins = top > best + 1e-9
    choice[wins] = pick[wins]
    return choice


def as_upper(model: Model) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows as upper sides: number, sign and side of those with an upper end, then of those with a lower end turned round (化为上界)."""
    lower = np.isfinite(model.low) & (model.low != 0)
    lower[model.limit_rows] = np.isfinite(model.low[model.limit_rows])
    up, down = np.flatnonzero(np.isfinite(model.high)), np.flatnonzero(lower)
    return np.concatenate([up, down]), np.concatenate([np.ones(len(up)), -np.ones(len(down))]), np.concatenate([model.high[up], -model.low[down]])


def _span(problem: PlanProblem, p: Pairs, candidates: Candidates) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest state each patch may still have."""
    low = np.where(candidates.keep, p.state0, 1).astype(int)
    high = np.where(candidates.keep, p.state0, 0).astype(int)
    open_options = np.flatnonzero(candidates.option)
    np.minimum.at(low, problem.patch[open_options], p.state[open_options].astype(int))
    np.maximum.at(high, problem.patch[open_options], p.state[open_options].astype(int))
    return low, high


def _fold(problem: PlanProblem, p: Pairs, candidates: Candidates) -> tuple[np.ndarray, np.ndarray, float]:
    """Borders that stay open, what the others give to each option, and the constant."""
    low, high = _span(problem, p, candidates)
    settled = low == high
    joint = ~settled[p.i] & ~settled[p.j]
    constant = -float(p.weight @ (p.state0[p.i].astype(bool) & p.state0[p.j].astype(bool)))
    both = settled[p.i] & settled[p.j]
    constant += float((p.weight * low[p.i] * low[p.j])[both].sum())
    bonus = np.zeros(problem.n)
    for a, b in ((p.i, p.j), (p.j, p.i)):
        half = settled[a] & ~settled[b]
        np.add.at(bonus, b[half], (p.weight * low[a])[half])
    constant += float((bonus * p.state0).sum())
    value = bonus[problem.patch] * (p.state.astype(float) - p.state0[problem.patch])
    return np.flatnonzero(joint), value, constant


def _patch_rows(
    problem: PlanProblem, candidates: Candidates, options: np.ndarray
) -> tuple[csr_array, np.ndarray, np.ndarray]:
    rows = csr_array(one_measure.build(problem.patch, problem.n)[:, options])
    used = np.flatnonzero((np.diff(rows.indptr) > 0) | ~candidates.keep)
    return csr_array(rows[used]), np.where(candidates.keep[used], 0.0, 1.0), np.ones(len(used))


def _limit_rows(
    problem: PlanProblem, options: np.ndarray, column: np.ndarray
) -> tuple[csr_array, np.ndarray, np.ndarray, np.ndarray]:
    row, col, val = [np.zeros(0, int)], [np.zeros(0, int)], [np.zeros(0)]
    scale, low, high = np.ones(len(problem.limits)), [], []
    for k, x in enumerate(problem.limits):
        here = column[x.option] >= 0
        scale[k] = np.abs(x.coefficient).max(initial=0.0) or 1.0
        row.append(np.full(here.sum(), k))
        col.append(column[x.option[here]])
        val.append(x.coefficient[here] / scale[k])
        side = (x.bound - x.constant) / scale[k]
        low.append(side if x.relation in (">=", "==") else -np.inf)
        high.append(side if x.relation in ("<=", "==") else np.inf)
    shape = (len(problem.limits), len(options))
    rows = csr_array((np.concatenate(val), (np.concatenate(row), np.concatenate(col))), shape=shape)
    return rows, np.array(low, float), np.array(high, float), scale


def _tie_rows(
    problem: PlanProblem, z_layer: np.ndarray, z_edge: np.ndarray, end: str, options: np.ndarray, column: np.ndarray
) -> tuple[csr_array, np.ndarray]:
    """Rows ``z - sum (state - state0) x <= state0`` of one end."""
    count = len(z_edge)
    row, col, val, high = [np.arange(count)], [len(options) + np.arange(count)], [np.ones(count)], np.zeros(count)
    start = np.searchsorted(problem.patch, np.arange(problem.n + 1))
    for k, p in enumerate(problem.pairs):
        mine = np.flatnonzero(z_layer == k)
        at = getattr(p, end)[z_edge[mine]]
        high[mine] = p.state0[at]
        span = start[at + 1] - start[at]
        owner = np.repeat(mine, span)
        option = np.repeat(start[at], span) + np.arange(span.sum()) - np.repeat(np.cumsum(span) - span, span)
        change = p.state[option].astype(float) - p.state0[problem.patch[option]]
        use = (change != 0) & (column[option] >= 0)
        row.append(owner[use])
        col.append(column[option[use]])
        val.append(-change[use])
    shape = (count, len(options) + count)
    return csr_array((np.concatenate(val), (np.concatenate(row), np.concatenate(col))), shape=shape), high


def _add(
    blocks: list[csr_array], low: list[np.ndarray], high: list[np.ndarray], rows: csr_array, lo: np.ndarray, hi: np.ndarray,
    *, columns: int,
) -> None:  # fmt: skip
    wide = csr_array((rows.data, rows.indices, rows.indptr), shape=(rows.shape[0], rows.shape[1] + columns))
    blocks.append(wide)
    low.append(lo)
    high.append(hi)
