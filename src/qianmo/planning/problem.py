"""The planning problem as arrays: one measure per patch, side limits, pair bonuses (规划问题).

Every engine solves this object and nothing else. The score of a plan is measured from the
plan that keeps every patch as it is, so keeping all scores 0. Areas and money in the limits are
whole hundredths (square decimetres and fen), so that their sums are exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from qianmo.schema.errors import SchemaError

__all__ = [
    "KEPT", "UNITS", "Limit", "Pairs", "PlanProblem", "Refusals", "hundredths", "limit_value", "limit_values", "objective", "states",
]  # fmt: skip

KEPT = -1
"""Entry of a choice for a patch that keeps its use."""


UNITS = {"m2": 100.0, "yuan": 100.0, "1": 1.0}
"""Smallest counted part of each unit of a limit: 0.01 m2 is 1 dm2, 0.01 yuan is 1 fen; '1' is any number."""


@dataclass(frozen=True)
class Limit:
    """One limit on a plan: ``constant + sum coefficient[chosen] (relation) bound`` (限制条件).

    `option` and `coefficient` are the non-zero entries; `unit` is m2 or yuan, in whole hundredths, or 1.
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

    @property
    def is_whole(self) -> bool:
        """True where the limit counts in whole square decimetres or fen (整数计量)."""
        return self.unit in ("m2", "yuan")


@dataclass(frozen=True)
class Pairs:
    """Bonus of each border whose two ends are both in state 1 after the plan (成对奖励).

    `state0` (n,) is the state of a kept patch, `state` (m,) that of a patch under each option;
    `i`, `j`, `weight` (k,) are the borders, with `weight` of at least 0. A plan that rewards equal
    uses on both sides of a border has one layer a use, all with the same borders.
    """

    aim: str
    zh: str
    i: np.ndarray
    j: np.ndarray
    weight: np.ndarray
    state0: np.ndarray
    state: np.ndarray


@dataclass(frozen=True)
class Refusals:
    """What may not be chosen and why, one row an option that is not in the problem (禁止转换及理由).

    `patch` (r,) int; `label` (r,) measure or use; `reason` (r,) code such as lock, redline, slope;
    `rule_id` (r,) the rule, or '' where the user locked it.
    """

    patch: np.ndarray
    label: np.ndarray
    reason: np.ndarray
    rule_id: np.ndarray


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
    may_keep : (n,) bool, optional
        False where the patch must change (must-leave land); it then needs an option. All may by default.
    refusals : Refusals, optional
        Options left out before, with the reason of each.

    Raises
    ------
    SchemaError
        Numbers missing, options out of order or range, borders of unknown patches, limits that
        count in parts of a square decimetre or fen, an unknown unit or relation, a patch that may
        neither keep nor change. The rows are named.
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
    may_keep: np.ndarray | None = None
    refusals: Refusals | None = None

    def __post_init__(self) -> None:
        if np.any(np.diff(self.patch) < 0) or (self.m and (self.patch[0] < 0 or self.patch[-1] >= self.n)):
            raise SchemaError("options are not sorted by patch, or name a patch out of range", expected=f"0 to {self.n - 1}")
        if not np.isfinite(self.value).all():
            raise SchemaError(f"value of options {_rows(~np.isfinite(self.value))} is not a number")
        for p in self.pairs:
            _refuse_pairs(p, self.n)
        for x in self.limits:
            _refuse_limit(x, self.m)
        if len({x.id for x in self.limits}) != len(self.limits):
            raise SchemaError("two limits share an id")
        stuck = ~self.keeps & (np.bincount(self.patch, minlength=self.n) == 0)
        if stuck.any():
            raise SchemaError(f"patches {_rows(stuck)} may neither keep their use nor change it", expected="one option at least")

    @property
    def m(self) -> int:
        """Options."""
        return len(self.patch)

    @property
    def keeps(self) -> np.ndarray:
        """Where keeping is allowed, (n,) bool (可维持现状)."""
        return np.ones(self.n, bool) if self.may_keep is None else np.asarray(self.may_keep, bool)


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


def hundredths(amount: np.ndarray | float) -> np.ndarray:
    """Whole square decimetres or fen of amounts in m2 or yuan, int64 (整数化)."""
    return np.rint(np.asarray(amount, float) * 100.0).astype(np.int64)


def limit_value(limit: Limit, choice: np.ndarray, m: int) -> float:
    """Left side of one limit under a choice of `m` options, exact to the dm2 or fen (限制条件取值)."""
    return _value(limit, _chosen(choice, m))


def limit_values(problem: PlanProblem, choice: np.ndarray) -> np.ndarray:
    """Left side of every limit under a choice (限制条件取值)."""
    chosen = _chosen(choice, problem.m)
    return np.array([_value(x, chosen) for x in problem.limits])


def _chosen(choice: np.ndarray, m: int) -> np.ndarray:
    chosen = np.zeros(m, bool)
    chosen[choice[choice >= 0]] = True
    return chosen


def _value(limit: Limit, chosen: np.ndarray) -> float:
    taken = limit.coefficient[chosen[limit.option]]
    if limit.is_whole:
        return int(hundredths(taken).sum() + hundredths(limit.constant)) / 100.0
    return limit.constant + float(taken.sum())


def _refuse_pairs(p: Pairs, n: int) -> None:
    wrong = ~(p.weight >= 0) | ~np.isfinite(p.weight) | (p.i == p.j)
    wrong |= (p.i < 0) | (p.j < 0) | (p.i >= n) | (p.j >= n)
    if wrong.any():
        raise SchemaError(
            f"pairs {p.aim} hold a negative weight, a missing neighbour or a border of a patch with itself: rows {_rows(wrong)}",
            expected=f"weights of at least 0 between two patches 0 to {n - 1}",
        )


def _refuse_limit(x: Limit, m: int) -> None:
    if x.unit not in UNITS or x.relation not in ("<=", ">=", "=="):
        raise SchemaError(f"limit {x.id} has unit {x.unit!r} and relation {x.relation!r}", expected="m2, yuan or 1; <=, >= or ==")
    if len(x.option) and (x.option.min() < 0 or x.option.max() >= m):
        raise SchemaError(f"limit {x.id} names options out of range", expected=f"0 to {m - 1}")
    if not (np.isfinite(x.coefficient).all() and np.isfinite(x.bound) and np.isfinite(x.constant)):
        raise SchemaError(f"limit {x.id} holds a number that is missing: entries {_rows(~np.isfinite(x.coefficient))}")
    if x.is_whole:
        parts = np.append(x.coefficient, [x.bound, x.constant]) * 100.0
        off = np.abs(parts - np.rint(parts)) > 1e-6 * np.maximum(1.0, np.abs(parts) * 1e-6)
        if off.any():
            raise SchemaError(
                f"limit {x.id} counts in parts of a square decimetre or fen: entries {_rows(off)}",
                expected="whole hundredths of m2 or yuan", cure="round areas and money to 0.01 before (先取整到 0.01)",
            )  # fmt: skip


def _rows(wrong: np.ndarray) -> list[int]:
    return [int(k) for k in np.flatnonzero(wrong)[:5]]
