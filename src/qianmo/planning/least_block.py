"""Land newly brought to a use lies in blocks that are large enough; what the hard rule costs is told apart (最小连片规模).

For problems with any number of options a patch. After the soft optimum each block that is too small gets an exact window: the
patches around it may change, all others keep what they have. A block S that is too small is cut off by ``s_u <= sum of s_j over
the neighbours of S`` for every newly brought patch u of S: in a large block, u leaves S through a neighbour. What no window
solves is given up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, vstack
from scipy.sparse.csgraph import connected_components

from qianmo.planning.farmland_swap.audit import small_blocks
from qianmo.planning.farmland_swap.minimum import MinimumResult
from qianmo.planning.farmland_swap.window import link_graph
from qianmo.planning.improve import excess
from qianmo.planning.model import Candidates, Model, build_model, choice_from
from qianmo.planning.problem import KEPT, Pairs, PlanProblem, hundredths, objective, states
from qianmo.planning.relaxation import typical_unit
from qianmo.planning.solve import Solution
from qianmo.schema.errors import InfeasibleError, SchemaError
from qianmo.schema.units import m2_to_mu

__all__ = ["with_least_block"]

REACH = 4
"""A window holds this many times the least area around a block that is too small, at first."""

ROUNDS = 60
"""Most rounds of cuts in one window."""

COARSE, FINE = 2e-3, 1e-6
"""Gap of the searches whose answers are only asked which blocks are too small, and of the last."""

UNPROVEN = 3
"""Searches of a window that may run into their time limit before it is given up."""

METHOD = "smallest block in exact windows"


def with_least_block(
    problem: PlanProblem, soft: Solution, layer: Pairs, *, area: np.ndarray, least_m2: float, borders: tuple[np.ndarray, np.ndarray],
    most: int = 3000, time_limit_s: float = 60.0, timer: Callable[[], float] | None = None, stop: Callable[[], bool] | None = None,
) -> tuple[Solution, MinimumResult]:  # fmt: skip
    """The plan with every block of newly brought land at least so large, and the price of that (落实最小连片规模).

    Parameters
    ----------
    problem : PlanProblem
    soft : Solution
        Of the problem without the rule; its prices bound every plan with the rule too.
    layer : Pairs
        States: 1 where the patch has the use. Patches of state 0 today are newly brought to it.
    area : (n,) float
        Area of each patch. [m2]
    least_m2 : float
        Least area of a block of state 1 that holds a newly brought patch; what has the use today counts with it. [m2]
    borders : (i, j)
        Patches that share a border.
    most : int
        Most patches that may change in one window.
    time_limit_s : float
        Of all windows together where there is a timer, of a search in one where there is none; after it blocks are given up. [s]
    timer, stop : functions, optional
        Seconds; True where the user asks to end, which gives up the blocks that are left.

    Returns
    -------
    solution : Solution
        The plan under the rule, with the prices and the bound of the soft one.
    result : MinimumResult
        Scores with and without the rule; ``is_exact`` where one window held all patches that may change and was solved to the end.

    Raises
    ------
    InfeasibleError
        A block was neither made larger nor given up within the limits and the time.
    SchemaError
        A least area that is no number of at least 0, or the independent count finds a block that is too small.
    """
    if not (np.isfinite(least_m2) and least_m2 >= 0):
        raise SchemaError(f"least block {least_m2} m2", expected="an area of at least 0 (不小于 0 的面积)")
    rule = _Rule(problem, layer, area, least_m2, borders)
    clock = _Clock(time_limit_s, timer, stop)
    now, windows, cuts, proven = soft.choice.copy(), 0, 0, True
    whole = len(np.unique(problem.patch)) <= most
    bad = rule.too_small(now)
    before = len(bad)
    while bad:
        found = None
        for window in [np.unique(problem.patch)] if whole else rule.windows(bad[0], most):
            if clock.is_over():
                break
            windows += 1
            found = _in_window(rule, now, window, clock)
            if found is not None:
                break
        if found is None:
            now, proven = _given_up(rule, now, bad), False
        else:
            now, cuts, proven = found[0], cuts + found[1], proven and found[2]
        bad = rule.too_small(now)
    left = small_blocks(states(layer, now).tolist(), area.tolist(), borders[0].tolist(), borders[1].tolist(), least_m2=least_m2, needs=rule.new.tolist())
    if left:
        raise SchemaError(f"audit finds {len(left)} blocks below {least_m2} m2, first {left[0]}", cure="请保留项目并反馈")
    score = objective(problem, now)
    result = MinimumResult(now, soft.objective, score, before == 0 or (whole and proven), before, windows, cuts, least_m2)
    return (soft if not before else replace(soft, choice=now, objective=score, method=f"{soft.method}; {METHOD}")), result


class _Rule:
    """The layer, the graph of neighbours and the least area in whole dm2."""

    def __init__(self, problem: PlanProblem, layer: Pairs, area: np.ndarray, least_m2: float, borders: tuple[np.ndarray, np.ndarray]) -> None:
        self.problem, self.layer, self.graph = problem, layer, link_graph(*borders, problem.n)
        self.dm2, self.least = hundredths(area), int(hundredths(least_m2))
        self.new = ~layer.state0.astype(bool)

    def too_small(self, choice: np.ndarray) -> list[np.ndarray]:
        """Patches of each block with newly brought land that is too small, smallest first."""
        at = np.flatnonzero(states(self.layer, choice))
        if not len(at):
            return []
        label = connected_components(self.graph[at][:, at], directed=False)[1]
        size = np.bincount(label, self.dm2[at])
        wrong = np.flatnonzero((size < self.least) & (np.bincount(label, self.new[at]) > 0))
        pieces = np.split(at[np.argsort(label, kind="stable")], np.cumsum(np.bincount(label))[:-1])
        return [pieces[k] for k in wrong[np.argsort(size[wrong], kind="stable")]]

    def beside(self, patches: np.ndarray) -> np.ndarray:
        """Neighbours of a set of patches outside it."""
        near = np.unique(self.graph[patches].indices)
        return np.setdiff1d(near, patches)

    def windows(self, block: np.ndarray, most: int) -> list[np.ndarray]:
        """Growing neighbourhoods of a block, at most `most` patches that may change."""
        movable = np.zeros(self.problem.n, bool)
        movable[self.problem.patch] = True
        found: list[np.ndarray] = []
        seen, wanted = block, REACH * self.least
        while True:
            inside = seen[movable[seen]]
            ring = self.beside(seen)
            if len(inside) > most or not len(ring):
                return [*found, inside[:most]] if len(inside) else found
            if int(self.dm2[seen].sum()) >= wanted:
                found.append(inside)
                wanted = 2 * int(self.dm2[seen].sum())
            seen = np.concatenate([seen, ring])


class _Clock:
    """Time that is left; a search takes a quarter of the whole at most."""

    def __init__(self, seconds: float, timer: Callable[[], float] | None, stop: Callable[[], bool] | None) -> None:
        self.seconds, self.timer, self.stop = seconds, timer, stop
        self.began = timer() if timer else 0.0

    def left(self) -> float:
        """Seconds for the next search."""
        rest = self.seconds - (self.timer() - self.began if self.timer else 0.0)
        return min(rest, self.seconds / (UNPROVEN + 1))

    def is_over(self) -> bool:
        return self.left() <= 0.0 or (self.stop is not None and self.stop())


def _in_window(rule: _Rule, start: np.ndarray, window: np.ndarray, clock: _Clock) -> tuple[np.ndarray, int, bool] | None:
    """The best plan that differs from the given one only in the window and has no block there that is too small; cuts; proven."""
    problem = rule.problem
    left = _open(problem, start, window)
    model = build_model(problem, left)
    others = {tuple(np.sort(b)) for b in rule.too_small(start) if not np.isin(b, window).any()}
    rows: list[csr_array] = []
    sides: list[float] = []
    tight, late, fine = np.zeros(len(problem.limits)), 0, False
    for _ in range(ROUNDS):
        if clock.is_over() or late >= UNPROVEN:
            return None
        x, is_best = _search(model, rows, sides, tight, clock.left(), gap=FINE if fine else COARSE)
        if x is None:
            return None
        late += not is_best
        trial = choice_from(problem, model, left, x)
        over = excess(problem, trial)
        bad = [b for b in rule.too_small(trial) if tuple(np.sort(b)) not in others]
        if not bad and not over.any() and (fine or not is_best or clock.is_over()):
            return trial, len(rows), fine and is_best and not tight.any()
        fine = not bad and not over.any()
        if fine:
            continue
        tight = tight + 1.5 * over
        new = [_cut(rule, model, left, int(u), b) for b in bad for u in b[rule.new[b]]]
        kept = [c for c in new if c is not None]
        if bad and not kept and not over.any():
            return None
        rows += [c[0] for c in kept]
        sides += [c[1] for c in kept]
    return None


def _open(problem: PlanProblem, start: np.ndarray, window: np.ndarray) -> Candidates:
    """All options in the window; outside what the plan holds."""
    free = np.zeros(problem.n, bool)
    free[window] = True
    left = Candidates(free[problem.patch], problem.keeps & (free | (start == KEPT)))
    left.option[start[(start >= 0) & ~free]] = True
    return left


def _cut(rule: _Rule, model: Model, left: Candidates, patch: int, block: np.ndarray) -> tuple[csr_array, float] | None:
    """``s_patch - sum s_beside <= 0`` with ``s = state0 + sum (state - state0) v``; None where no candidate can change it."""
    layer, problem = rule.layer, rule.problem
    sign = np.zeros(problem.n)
    sign[patch] = 1.0
    sign[rule.beside(block)] = -1.0
    now = layer.state0.astype(float)
    change = sign[problem.patch[model.options]] * (layer.state[model.options].astype(float) - now[problem.patch[model.options]])
    if not change.any():
        return None
    row = np.zeros(len(model.value))
    row[: len(model.options)] = change
    return csr_array(row[None, :]), -float(sign @ now)


def _search(model: Model, rows: list[csr_array], sides: list[float], tight: np.ndarray, time_limit_s: float, *, gap: float) -> tuple[np.ndarray | None, bool]:
    low, high = model.low.copy(), model.high.copy()
    low[model.limit_rows] += tight / model.limit_scale
    high[model.limit_rows] -= tight / model.limit_scale
    held = [LinearConstraint(model.rows, low, high)]
    if rows:
        held.append(LinearConstraint(csr_array(vstack(rows)), -np.inf, np.array(sides)))
    binary = (np.arange(len(model.value)) < len(model.options)).astype(int)
    found = milp(
        -model.value * typical_unit(model.value), constraints=held, integrality=binary, bounds=Bounds(0, 1),
        options={"mip_rel_gap": gap, "time_limit": time_limit_s},
    )  # fmt: skip
    return found.x, found.status == 0


def _given_up(rule: _Rule, choice: np.ndarray, bad: list[np.ndarray]) -> np.ndarray:
    """The plan in which the newly brought patches of every block that is too small keep their use."""
    problem, now = rule.problem, choice.copy()
    for block in bad:
        new = block[rule.new[block]]
        now[new[problem.keeps[new]]] = KEPT
    if excess(problem, now).any() or len(rule.too_small(now)) >= len(bad):
        have = int(rule.dm2[bad[0]].sum()) / 100
        raise InfeasibleError(
            f"{len(bad)} blocks stay below {m2_to_mu(rule.least / 100):.2f} mu; the smallest has {m2_to_mu(have):.2f} mu (units "
            f"{bad[0][:5].tolist()}) and was neither grown nor dropped within the limits and the time",
            conflict=("minimum_block",), cure="lower the least block, relax a limit, or give more time (降低连片下限、放宽约束或延长求解时间)",
        )  # fmt: skip
    return now
