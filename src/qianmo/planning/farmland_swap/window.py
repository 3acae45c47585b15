"""One exact window: flips of a few units with blocks that are large enough (精确窗口).

A yes-or-no program over the window; every unit outside keeps what it has. Blocks that are too small are cut off one after
the other: a unit of the set S, which is connected and smaller than the least area, is in a large block only through a
neighbour of S (vertex separator): ``s_i <= sum of s_j over the neighbours of S``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, csr_array, vstack
from scipy.sparse.csgraph import connected_components

from qianmo.planning.problem import Pairs, PlanProblem, hundredths, limit_values, objective

__all__ = ["BlockRule", "WindowResult", "dropped", "link_graph", "members", "solve_window", "too_small"]

ROUNDS = 80
"""Most rounds of cuts in one window."""

COARSE = 2e-3
"""Gap of the searches before the last: their answers are only asked which blocks are too small."""

UNPROVEN = 3
"""Searches that may run into their time limit, a quarter of that of the window, before the window is given up."""


@dataclass(frozen=True)
class BlockRule:
    """Blocks of the state `state0`, flipped where an option is chosen, must reach an area (最小连片规则).

    `graph` (n, n) links units that share a border; `cents` are areas in whole dm2; only blocks with a unit of `needs` count.
    """

    state0: np.ndarray
    graph: csr_array
    cents: np.ndarray
    needs: np.ndarray
    least: int


@dataclass(frozen=True)
class WindowResult:
    """A choice, whether it is proven best in its window, the bound on the score that the search claims (窗口解)."""

    choice: np.ndarray
    is_proven: bool
    bound: float
    cuts: int


def members(rule: BlockRule, choice: np.ndarray) -> np.ndarray:
    """State under a choice, (n,) bool (所选单元)."""
    return rule.state0 ^ (choice >= 0)


def too_small(rule: BlockRule, choice: np.ndarray) -> list[np.ndarray]:
    """Units of each block that is too small, smallest first (过小连片)."""
    inside = members(rule, choice)
    at = np.flatnonzero(inside)
    if not len(at):
        return []
    label = connected_components(rule.graph[at][:, at], directed=False)[1]
    size = np.bincount(label, rule.cents[at])
    bad = np.flatnonzero((size < rule.least) & (np.bincount(label, rule.needs[at]) > 0))
    order = np.argsort(label, kind="stable")
    pieces = np.split(at[order], np.cumsum(np.bincount(label))[:-1])
    return [pieces[k] for k in bad[np.argsort(size[bad], kind="stable")]]


def solve_window(
    problem: PlanProblem, rule: BlockRule, choice: np.ndarray, window: np.ndarray, *, time_limit_s: float, gap: float = 1e-6,
    nodes: int | None = None,
) -> WindowResult | None:
    """The best choice that differs from the given one only in the window and leaves no block there too small (求解窗口).

    Parameters
    ----------
    problem : PlanProblem
        At most one option a unit.
    window : (w,) int
        Units that may change.
    time_limit_s : float
        A search between two rounds of cuts takes a quarter of it at most; after three that do, the window is given up. [s]
    nodes : int, optional
        Nodes of the search tree, likewise for each of the searches: the same end on every machine.

    Returns
    -------
    WindowResult or None
        None where no such choice exists or none was found in time.
    """
    model = _Model(problem, rule, choice, window)
    tight, count, late, fine = np.zeros(len(problem.limits)), 0, 0, False
    settled = {tuple(b.tolist()) for b in too_small(rule, choice) if not np.isin(b, window).any()}
    for _ in range(ROUNDS):
        found = model.search(tight, gap=gap if fine else max(gap, COARSE), time_limit_s=time_limit_s / (UNPROVEN + 1), nodes=nodes)
        if found is None:
            return None
        trial, bound, is_best = found
        late += not is_best
        over = _excess(problem, trial)
        blocks = [b for b in too_small(rule, trial) if tuple(b.tolist()) not in settled]
        if not over.any() and not blocks and (fine or not is_best):
            return WindowResult(trial, is_best and not tight.any(), bound, count)
        if late >= UNPROVEN:
            return None
        fine = not over.any() and not blocks
        tight += over * 1.5
        before = count
        for block in blocks:
            count += model.cut(block, members(rule, trial))
        if blocks and count == before and not over.any():
            return None
    return None


def dropped(problem: PlanProblem, rule: BlockRule, choice: np.ndarray) -> np.ndarray | None:
    """The choice with every block that is too small flipped away, or None where a unit or a limit forbids it (舍去过小连片)."""
    option = np.full(problem.n, -1)
    option[problem.patch] = np.arange(problem.m)
    now = choice.copy()
    for block in too_small(rule, choice):
        for k in block[rule.needs[block]].tolist():
            if not rule.state0[k] and problem.keeps[k]:
                now[k] = -1
            elif rule.state0[k] and option[k] >= 0:
                now[k] = option[k]
    return None if too_small(rule, now) or _excess(problem, now).any() else now


class _Model:
    """Columns: flips of the window, then joint variables of its borders; rows grow by the cuts."""

    def __init__(self, problem: PlanProblem, rule: BlockRule, choice: np.ndarray, window: np.ndarray) -> None:
        self.problem, self.rule, self.start = problem, rule, choice
        inside = np.zeros(problem.n, bool)
        inside[window] = True
        self.options = np.flatnonzero(inside[problem.patch])
        self.column = np.full(problem.n, -1)
        self.column[problem.patch[self.options]] = np.arange(len(self.options))
        self.fixed = np.where(self.column >= 0, -1, choice)
        value, self.ties, self.joint = self._objective()
        self.value = np.concatenate([value, self.joint])
        self.low = np.where(problem.keeps[problem.patch[self.options]], 0.0, 1.0)
        self.limits, self.scale, self.sides = self._limits()
        self.cuts: list[csr_array] = []
        self.ends: list[float] = []

    def search(self, tight: np.ndarray, *, gap: float, time_limit_s: float, nodes: int | None = None) -> tuple[np.ndarray, float, bool] | None:
        count, pairs = len(self.options), len(self.joint)
        if not count:
            return (self.fixed, objective(self.problem, self.fixed), True)
        low, high = self.sides
        rules = [LinearConstraint(self.limits, low + tight / self.scale, high - tight / self.scale)] if len(self.problem.limits) else []
        rules += [LinearConstraint(self.ties[0], -np.inf, self.ties[1])] if pairs else []
        rules += [LinearConstraint(csr_array(vstack(self.cuts)), -np.inf, np.array(self.ends))] if self.cuts else []
        size = np.abs(self.value).max(initial=0.0) or 1.0
        found = milp(
            -self.value / size, constraints=rules, integrality=np.r_[np.ones(count), np.zeros(pairs)],
            bounds=Bounds(np.r_[self.low, np.zeros(pairs)], 1.0),
            options={"mip_rel_gap": gap, "time_limit": time_limit_s} | ({} if nodes is None else {"node_limit": nodes}),
        )  # fmt: skip
        if found.x is None:
            return None
        trial = self.fixed.copy()
        taken = self.options[np.rint(found.x[:count]).astype(bool)]
        trial[self.problem.patch[taken]] = taken
        reached = objective(self.problem, trial)
        slack = (-found.mip_dual_bound + found.fun) * size if found.mip_dual_bound is not None else np.inf
        return trial, reached + max(float(slack), 0.0), found.status == 0

    def cut(self, block: np.ndarray, inside: np.ndarray) -> int:
        """Rows that forbid the block as it is, for itself and for the largest set around it; the number of rows."""
        made = 0
        for around in {tuple(s.tolist()): s for s in (block, self._grown(block, inside))}.values():
            beside = np.setdiff1d(_beside(self.rule.graph, around), around)
            for unit in block[self.rule.needs[block]]:
                made += self._row(int(unit), beside)
        return made

    def _row(self, unit: int, beside: np.ndarray) -> int:
        """``s_unit - sum s_beside <= 0`` with ``s = state0 + sign v`` in the window and a number outside."""
        count, end = len(self.options), 0.0
        row = np.zeros(count + len(self.joint))
        for k, sign in [(unit, 1.0), *((int(b), -1.0) for b in beside)]:
            now = bool(self.rule.state0[k])
            if self.column[k] >= 0:
                row[self.column[k]] += sign * (-1.0 if now else 1.0)
                end -= sign * now
            else:
                end -= sign * (now ^ (self.fixed[k] >= 0))
        if not row.any() and end >= 0:
            return 0
        self.cuts.append(csr_array(row[None, :]))
        self.ends.append(end)
        return 1

    def _grown(self, block: np.ndarray, inside: np.ndarray) -> np.ndarray:
        """The block with unselected units around it, as long as it stays too small and meets no other selected unit."""
        held, area = set(block.tolist()), int(self.rule.cents[block].sum())
        queue = list(block)
        for k in queue:
            for near in _beside(self.rule.graph, np.array([k])).tolist():
                if near in held or area + int(self.rule.cents[near]) >= self.rule.least:
                    continue
                others = [x for x in _beside(self.rule.graph, np.array([near])).tolist() if x not in held]
                if inside[near] or inside[others].any():
                    continue
                held.add(near)
                queue.append(near)
                area += int(self.rule.cents[near])
        return np.array(sorted(held))

    def _objective(self) -> tuple[np.ndarray, tuple[csr_array, np.ndarray], np.ndarray]:
        problem, column, options = self.problem, self.column, self.options
        value = problem.value[options].astype(float).copy()
        blank = np.zeros(0, int)
        joint, ends, row, col, val = [np.zeros(0)], [np.zeros(0)], [blank], [blank], [np.zeros(0)]
        first = height = 0
        for p in problem.pairs:
            base, slope = self._states(p)
            open_ = (column >= 0) & (slope != 0)
            for a, b in ((p.i, p.j), (p.j, p.i)):
                half = open_[a] & ~open_[b]
                np.add.at(value, column[a[half]], p.weight[half] * slope[a[half]] * base[b[half]])
            both = np.flatnonzero(open_[p.i] & open_[p.j] & (p.weight > 0))
            for end in (p.i[both], p.j[both]):
                at = height + np.arange(len(both))
                row += [at, at]
                col += [len(options) + first + np.arange(len(both)), column[end]]
                val += [np.ones(len(both)), -slope[end]]
                ends.append(base[end])
                height += len(both)
            joint.append(p.weight[both])
            first += len(both)
        shape = (height, len(options) + first)
        ties = csr_array((np.concatenate(val), (np.concatenate(row), np.concatenate(col))), shape=shape)
        return value, (ties, np.concatenate(ends)), np.concatenate(joint)

    def _states(self, p: Pairs) -> tuple[np.ndarray, np.ndarray]:
        """State of each unit at rest in this window, and what its flip adds."""
        base, slope = p.state0.astype(float), np.zeros(self.problem.n)
        moved = np.flatnonzero(self.fixed >= 0)
        base[moved] = p.state[self.fixed[moved]].astype(float)
        units = self.problem.patch[self.options]
        slope[units] = p.state[self.options].astype(float) - base[units]
        return base, slope

    def _limits(self) -> tuple[csr_array, np.ndarray, tuple[np.ndarray, np.ndarray]]:
        problem = self.problem
        where = np.full(problem.m, -1)
        where[self.options] = np.arange(len(self.options))
        chosen = np.zeros(problem.m, bool)
        chosen[self.fixed[self.fixed >= 0]] = True
        row, col, val = [np.zeros(0, int)], [np.zeros(0, int)], [np.zeros(0)]
        scale, low, high = np.ones(len(problem.limits)), [], []
        for k, x in enumerate(problem.limits):
            here = where[x.option] >= 0
            scale[k] = np.abs(x.coefficient).max(initial=0.0) or 1.0
            row.append(np.full(here.sum(), k))
            col.append(where[x.option[here]])
            val.append(x.coefficient[here] / scale[k])
            side = (x.bound - x.constant - float(x.coefficient[chosen[x.option]].sum())) / scale[k]
            low.append(side if x.relation != "<=" else -np.inf)
            high.append(side if x.relation != ">=" else np.inf)
        width = len(self.options) + len(self.joint)
        rows = csr_array((np.concatenate(val), (np.concatenate(row), np.concatenate(col))), shape=(len(problem.limits), width))
        return rows, scale, (np.array(low, float), np.array(high, float))


def link_graph(i: np.ndarray, j: np.ndarray, n: int) -> csr_array:
    """Units that share a border, both ways (邻接图)."""
    ones = np.ones(2 * len(i), np.int8)
    return csr_array(coo_array((ones, (np.r_[i, j], np.r_[j, i])), shape=(n, n)))


def _beside(graph: csr_array, units: np.ndarray) -> np.ndarray:
    return np.unique(np.concatenate([graph.indices[graph.indptr[k] : graph.indptr[k + 1]] for k in units] or [np.zeros(0, int)]))


def _excess(problem: PlanProblem, choice: np.ndarray) -> np.ndarray:
    """By how much each limit is broken, to the dm2."""
    over = np.zeros(len(problem.limits))
    for k, (x, value) in enumerate(zip(problem.limits, limit_values(problem, choice))):
        room = int(hundredths(value) - hundredths(x.bound)) / 100 if x.is_whole else value - x.bound
        worst = max(room if x.relation != ">=" else 0.0, -room if x.relation != "<=" else 0.0)
        over[k] = worst if x.is_whole or worst > 1e-9 * max(1.0, abs(x.bound)) else 0.0
    return over
