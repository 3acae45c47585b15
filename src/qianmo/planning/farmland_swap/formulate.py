"""From units and settings to the problem that is solved: protected after, yes or no (建立永农调整问题)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from qianmo.planning.farmland_swap.eligibility import Eligibility, eligibility
from qianmo.planning.farmland_swap.land import SwapLand
from qianmo.planning.farmland_swap.limits import NotImposed, swap_limits
from qianmo.planning.farmland_swap.settings import SwapSettings, reason_rows
from qianmo.planning.problem import Limit, Pairs, PlanProblem, Refusals
from qianmo.schema.errors import MissingDataError
from qianmo.schema.units import mu_to_m2

__all__ = ["SwapFormulation", "after_swap", "formulate_swap", "protected_worth", "with_limits"]

LEAVE, ENTER = "leave", "enter"


@dataclass(frozen=True)
class SwapFormulation:
    """A swap as a planning problem, with what it came from (永农调整问题及来源).

    Option k of the problem flips unit ``problem.patch[k]``; each unit has at most one.
    """

    land: SwapLand
    settings: SwapSettings
    eligibility: Eligibility
    problem: PlanProblem
    not_imposed: tuple[NotImposed, ...]


def formulate_swap(land: SwapLand, settings: SwapSettings) -> SwapFormulation:
    """The problem of one swap (建立永农调整问题).

    Units: those of `land`. State: protected. An option flips a unit that may change; must-leave units may not keep. The
    score is in yuan: less outline, fewer scattered patches, better grade and joined large fields, less the cost of the
    change.

    Raises
    ------
    MissingDataError
        There is no protected land.
    """
    if not land.protected.any():
        raise MissingDataError("没有永久基本农田图斑 (no protected land)", cure="先接入永久基本农田图层 (YJJBNTTB)")
    found = eligibility(land, settings)
    unit = np.flatnonzero(found.flexible)
    enters = ~land.protected[unit]
    limits, left = swap_limits(land, unit, settings)
    worth, cost = protected_worth(land, settings), _cost(land, settings)[unit]
    pairs, folded = _pairs(land, found, settings)
    value = np.where(enters, worth[unit], -worth[unit]) + folded[unit] - cost
    if settings.fewest_changes:
        value = np.full(len(unit), -1.0)
    signed = np.where(enters, 1.0, -1.0) * land.area[unit]
    problem = PlanProblem(
        n=land.n, patch=unit, measure=np.where(enters, ENTER, LEAVE).astype(object), target_class=land.class_code[unit], value=value,
        cost=cost, effects={"basic_farmland_m2": signed}, base={"basic_farmland_m2": float(land.area[land.protected].sum())},
        pairs=() if settings.fewest_changes else (pairs,), limits=limits,
        may_keep=~found.must_leave, refusals=_refusals(found),
    )  # fmt: skip
    return SwapFormulation(land, settings, found, problem, left)


def with_limits(formulation: SwapFormulation, extra: tuple[Limit, ...]) -> SwapFormulation:
    """The same problem with more limits (追加约束)."""
    return replace(formulation, problem=replace(formulation.problem, limits=(*formulation.problem.limits, *extra)))


def after_swap(formulation: SwapFormulation, choice: np.ndarray) -> np.ndarray:
    """Protected after, (n,) bool (调整后是否永农)."""
    return formulation.land.protected ^ (choice >= 0)


def protected_worth(land: SwapLand, settings: SwapSettings) -> np.ndarray:
    """Worth of having each unit protected, borders with protected neighbours apart, (n,) [yuan] (保护价值)."""
    outline = settings.value("swap_border_yuan_m") * land.perimeter
    scattered = land.block_area < round(mu_to_m2(settings.value("swap_scattered_block_mu")), 2)
    known = np.isfinite(land.grade) & land.protected & (land.area > 0)
    mean = float(np.average(land.grade[known], weights=land.area[known])) if known.any() else 0.0
    better = np.where(np.isfinite(land.grade), mean - np.nan_to_num(land.grade), 0.0) if known.any() else np.zeros(land.n)
    grade = settings.value("swap_grade_yuan_mu") * land.mu() * better
    return grade - outline - np.where(scattered, settings.value("swap_fragment_yuan"), 0.0)


def _cost(land: SwapLand, settings: SwapSettings) -> np.ndarray:
    return np.round(settings.value("swap_cost_yuan_mu") * land.mu() + settings.value("swap_change_yuan"), 2)


def _pairs(land: SwapLand, found: Eligibility, settings: SwapSettings) -> tuple[Pairs, np.ndarray]:
    """Borders between two units that may change, and what the others add to the flip of each unit, (n,) [yuan].

    A border inside protected land takes its length off the outline twice; inside a large block it joins a field. Where one
    end is settled the border is worth a number to the other: that of a must-leave unit is lost, that with protected land
    that stays is won by entering and lost by leaving.
    """
    large = land.block_area >= round(mu_to_m2(settings.value("contig_block_min_mu")), 2)
    i, j = land.border_i, land.border_j
    joins = large[i] & large[j] & (land.block[i] == land.block[j])
    rate = 2.0 * settings.value("swap_border_yuan_m") + np.where(joins, settings.value("swap_join_yuan_m"), 0.0)
    weight = rate * land.border_m
    free, stays = found.may_leave | found.may_enter, land.protected & ~found.flexible
    folded, sign = np.zeros(land.n), np.where(land.protected, -1.0, 1.0)
    for a, b in ((i, j), (j, i)):
        beside = free[a] & stays[b]
        np.add.at(folded, a[beside], (sign[a] * weight)[beside])
        lost = found.must_leave[a] & land.protected[b] & ~(found.must_leave[b] & (b < a))
        np.add.at(folded, a[lost], -weight[lost])
    both = free[i] & free[j]
    unit = np.flatnonzero(found.flexible)
    pairs = Pairs("compactness", "永久基本农田集中连片", i[both], j[both], weight[both], land.protected.copy(), ~land.protected[unit])
    return pairs, folded


def _refusals(found: Eligibility) -> Refusals:
    parts = []
    for (side, code), mask in found.reasons.items():
        row = reason_rows()[side, code]
        if row["effect"] in ("must_stay", "refuse"):
            at = np.flatnonzero(mask & ~found.flexible)
            parts.append((at, LEAVE if side == "out" else ENTER, code, row["rule_id"]))
    for q in found.questions:
        at = np.flatnonzero(q.units & ~found.flexible)
        parts.append((at, LEAVE if q.side == "out" else ENTER, f"no_data_{q.code}", q.rule_id))
    patch = np.concatenate([p[0] for p in parts] or [np.zeros(0, int)])
    text = [np.concatenate([np.full(len(p[0]), p[k], object) for p in parts] or [np.zeros(0, object)]) for k in (1, 2, 3)]
    return Refusals(patch, *text)
