"""The planning problem as arrays: one measure per patch, side limits, pair bonuses (规划问题).

Every engine solves this object and nothing else. The score of a plan is measured from the
plan that keeps every patch as it is, so keeping all scores 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from qianmo.schema.errors import SchemaError

__all__ = ["KEPT", "Limit", "Pairs", "PlanProblem", "limit_value", "limit_values", "objective", "states"]

KEPT = -1
"""Entry of a choice for a patch that keeps its use."""


@dataclass(frozen=True)
class Limit:
    """One limit on a plan: ``constant + sum coefficient[chosen] (relation) bound`` (限制条件).

    `option` and `coefficient` are the non-zero entries; `unit` is m2, yuan or 1.
    """

    id: str
    rule_id: str
    zh: str
    option: np.ndarray
    coefficient: np.ndarray
    relation: str
    bound: float
    unit: str
    constant: float = 0.0


@dataclass(frozen=True)
class Pairs:
    """Bonus of each border whose two ends are both in state 1 after the plan (成对奖励).

    `state0` (n,) is the state of a kept patch, `state` (m,) that of a patch under each option;
    `i`, `j`, `weight` (k,) are the borders, with `weight` of at least 0.
    """

    aim: str
    zh: str
    i: np.ndarray
    j: np.ndarray
    weight: np.ndarray
    state0: np.ndarray
    state: np.ndarray


@dataclass(frozen=True)
class PlanProblem:
    """One planning problem (规划问题).

    Parameters
    ----------
    n : int
        Patches.
    patch : (m,) int
        Patch of each option, ascending.
    measure, target_class : (m,) text
        What the option does and the class it leads to.
    value : (m,) float
        Weighted gain of the option against keeping, pair bonuses apart. [points]
    cost : (m,) float
        Default cost of the works. [yuan]
    effects : mapping quantity → (m,) float
        Linear effect of each option against keeping.
    base : mapping quantity → float
        The quantities when all is kept.
    pairs : tuple of Pairs
    limits : tuple of Limit
    """

    n: int
    patch: np.ndarray
    measure: np.ndarray
    target_class: np.ndarray
    value: np.ndarray
    cost: np.ndarray
    effects: Mapping[str, np.ndarray]
    base: Mapping[str, float]
    pairs: tuple[Pairs, ...]
    limits: tuple[Limit, ...]

    def __post_init__(self) -> None:
        if np.any(np.diff(self.patch) < 0) or (self.m and (self.patch[0] < 0 or self.patch[-1] >= self.n)):
            raise SchemaError("options are not sorted by patch, or name a patch out of range", expected=f"0 to {self.n - 1}")
        if not np.isfinite(self.value).all():
            raise SchemaError(f"value of options {np.flatnonzero(~np.isfinite(self.value))[:5].tolist()} is not a number")
        for p in self.pairs:
            if np.any(p.weight < 0) or np.any(p.i == p.j):
                raise SchemaError(f"pairs {p.aim} hold a negative weight or a border of a patch with itself")
        if len({x.id for x in self.limits}) != len(self.limits):
            raise SchemaError("two limits share an id")

    @property
    def m(self) -> int:
        """Options."""
        return len(self.patch)


def states(pairs: Pairs, choice: np.ndarray) -> np.ndarray:
    """State of every patch under a choice, (n,) bool (规划后状态)."""
    after = pairs.state0.astype(bool).copy()
    changed = choice >= 0
    after[changed] = pairs.state[choice[changed]]
    return after


def objective(problem: PlanProblem, choice: np.ndarray) -> float:
    """Score of a choice against keeping all (目标值) [points]."""
    total = float(problem.value[choice[choice >= 0]].sum())
    for p in problem.pairs:
        before, after = p.state0.astype(bool), states(p, choice)
        total += float(p.weight @ ((after[p.i] & after[p.j]).astype(float) - (before[p.i] & before[p.j])))
    return total


def limit_value(limit: Limit, choice: np.ndarray, m: int) -> float:
    """Left side of one limit under a choice of `m` options (限制条件取值)."""
    chosen = np.zeros(m, bool)
    chosen[choice[choice >= 0]] = True
    return limit.constant + float(limit.coefficient[chosen[limit.option]].sum())


def limit_values(problem: PlanProblem, choice: np.ndarray) -> np.ndarray:
    """Left side of every limit under a choice (限制条件取值)."""
    return np.array([limit_value(x, choice, problem.m) for x in problem.limits])
