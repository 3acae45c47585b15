"""Blocks that are too small are dropped or grown, exactly, in windows; what that costs is told apart (最小连片规则)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from qianmo.planning.farmland_swap.audit import small_blocks
from qianmo.planning.farmland_swap.window import BlockRule, dropped, link_graph, members, solve_window, too_small
from qianmo.planning.problem import PlanProblem, hundredths, objective
from qianmo.schema.errors import InfeasibleError, SchemaError
from qianmo.schema.units import m2_to_mu

__all__ = ["MinimumResult", "enforce_minimum"]

REACH = 4.0
"""A window holds this many times the least area around the block that is too small, at first."""


@dataclass(frozen=True)
class MinimumResult:
    """A choice whose blocks are all large enough, and the price of the rule (最小连片结果).

    `soft` and `hard` are the scores before and after, `price` their difference. `is_exact` says that one window held
    everything that may change and was solved to the end: then no choice under the rule is better. Else `hard` is the score
    of the best found, and `price` an upper end of the price.
    """

    choice: np.ndarray
    soft: float
    hard: float
    is_exact: bool
    blocks_before: int
    windows: int
    cuts: int
    least_m2: float

    @property
    def price(self) -> float:
        """Score that the hard rule costs (硬性规则的代价)."""
        return self.soft - self.hard

    def summary(self) -> dict[str, Any]:
        """The figures for the certificate (证书条目)."""
        return {
            "least_m2": self.least_m2, "blocks_too_small_before": self.blocks_before, "windows": self.windows, "cuts": self.cuts,
            "objective_soft": self.soft, "objective_hard": self.hard, "price": self.price, "price_is_exact": self.is_exact,
        }  # fmt: skip


def enforce_minimum(
    problem: PlanProblem, choice: np.ndarray, *, area: np.ndarray, layer_state: np.ndarray, least_m2: float,
    borders: tuple[np.ndarray, np.ndarray], needs: np.ndarray | None = None, most: int = 3000, time_limit_s: float = 60.0, nodes: int | None = None,
) -> MinimumResult:
    """Make every block large enough after a soft optimum (落实最小连片).

    Each block that is too small gets a window, solved exactly; where that takes too long, what is too small is dropped.

    Parameters
    ----------
    problem : PlanProblem
        At most one option a unit; it flips the state.
    choice : (n,) int
        The soft optimum.
    area : (n,) float
        [m2]
    layer_state : (n,) bool
        State where a unit keeps.
    least_m2 : float
        Least area of a block. [m2]
    borders : (i, j)
        Units that share a border.
    needs : (n,) bool, optional
        Blocks with one of these must be large enough; all by default.
    most : int
        Most units that may change in one window.
    time_limit_s : float
        Of each search. [s]
    nodes : int, optional
        Nodes of each search in a window, for the same end on every machine.

    Raises
    ------
    InfeasibleError
        A block was neither grown nor dropped within the limits and the time.
    SchemaError
        A unit has more than one option.
    """
    if len(np.unique(problem.patch)) != problem.m:
        raise SchemaError("a unit has more than one option", expected="one option a unit, which flips its state")
    rule = BlockRule(
        layer_state.astype(bool), link_graph(*borders, problem.n), hundredths(area), np.ones(problem.n, bool) if needs is None else needs,
        int(hundredths(least_m2)),
    )  # fmt: skip
    soft, now = objective(problem, choice), choice.copy()
    bad = too_small(rule, now)
    before, windows, cuts = len(bad), 0, 0
    whole = problem.m <= most
    proven = True
    while bad:
        found, used = None, 0
        for window in [problem.patch] if whole else _windows(problem, rule, bad[0], most):
            found, used = solve_window(problem, rule, now, window, time_limit_s=time_limit_s, nodes=nodes), used + 1
            if found is not None:
                break
        windows += used
        if found is None:
            rest = dropped(problem, rule, now)
            if rest is None:
                raise _stuck(rule, bad)
            now, proven = rest, False
            break
        now, cuts, proven = found.choice, cuts + found.cuts, proven and found.is_proven
        bad = too_small(rule, now)
    _audit(rule, now, area, borders, least_m2)
    return MinimumResult(now, soft, objective(problem, now), before == 0 or (whole and proven), before, windows, cuts, least_m2)


def _windows(problem: PlanProblem, rule: BlockRule, block: np.ndarray, most: int) -> list[np.ndarray]:
    """Growing neighbourhoods of a block: a few times the least area, then twice that, up to `most` units that may change."""
    flexible = np.zeros(problem.n, bool)
    flexible[problem.patch] = True
    seen = np.zeros(problem.n, bool)
    seen[block] = True
    ring, area, wanted, found = block, 0, REACH * rule.least, []
    while len(ring) and flexible[seen].sum() < most:
        area += int(rule.cents[ring].sum())
        if area >= wanted:
            found.append(np.flatnonzero(seen & flexible))
            wanted = 2 * area
        links = rule.graph[ring]
        ring = np.unique(links.indices)
        ring = ring[~seen[ring]]
        seen[ring] = True
    last = np.flatnonzero(seen & flexible)
    return [*found, last[:most]] if len(last) else found


def _stuck(rule: BlockRule, bad: list[np.ndarray]) -> InfeasibleError:
    have = int(rule.cents[bad[0]].sum()) / 100
    return InfeasibleError(
        f"{len(bad)} blocks stay below {m2_to_mu(rule.least / 100):.2f} mu; the smallest has {m2_to_mu(have):.2f} mu (units "
        f"{bad[0][:5].tolist()}) and was neither grown nor dropped within the limits and the time",
        conflict=("minimum_block",), cure="lower the least block, relax a limit, or give more time (降低连片下限、放宽约束或延长求解时间)",
    )  # fmt: skip


def _audit(rule: BlockRule, choice: np.ndarray, area: np.ndarray, borders: tuple[np.ndarray, np.ndarray], least_m2: float) -> None:
    left = small_blocks(members(rule, choice).tolist(), area.tolist(), borders[0].tolist(), borders[1].tolist(), least_m2=least_m2, needs=rule.needs.tolist())
    if left:
        raise SchemaError(f"audit finds {len(left)} blocks below {least_m2} m2, first {left[0]}", cure="请保留项目并反馈")
