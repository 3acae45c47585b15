"""Which protected land must, may or must not leave, and which land may enter, each with its rule (调出调入资格)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from qianmo.planning.farmland_swap.land import SwapLand
from qianmo.planning.farmland_swap.settings import SwapSettings, reason_rows
from qianmo.schema.units import mu_to_m2

__all__ = ["Eligibility", "Question", "eligibility", "question_table", "reason_table"]

NO_DATA = "缺数据,须核实"
"""What stands where the data cannot say."""


@dataclass(frozen=True)
class Question:
    """A condition that the data cannot answer (待核实事项): never taken as a pass in silence.

    `units` (n,) bool are the units it is open for; `whole` says that the data set is missing for all of that side. Then
    a unit may still be chosen and is marked; where only some units lack the value they are refused or must stay.
    """

    side: str
    code: str
    zh: str
    rule_id: str
    units: np.ndarray
    whole: bool


@dataclass(frozen=True)
class Eligibility:
    """Answer for every unit (资格). Masks (n,) bool; `reasons` by (side, code) of ``codes/swap_reasons.csv``."""

    must_leave: np.ndarray
    may_leave: np.ndarray
    may_enter: np.ndarray
    reasons: Mapping[tuple[str, str], np.ndarray]
    questions: tuple[Question, ...]

    @property
    def flexible(self) -> np.ndarray:
        """Units that may change (可变单元)."""
        return self.must_leave | self.may_leave | self.may_enter


def eligibility(land: SwapLand, settings: SwapSettings) -> Eligibility:
    """Judge every unit (判定资格).

    Protected land **must leave** for a hard reason, **may leave** for a soft one (or for any, where so set) unless it is
    built high-standard farmland, and **must stay** otherwise. A candidate **may enter** when no reason speaks against it.

    Notes
    -----
    An unknown value is a question. Where one unit lacks what the others have, it is refused (or stays); where the whole
    data set is missing, units stay eligible and carry the question to the tables and the certificate.
    """
    known = _conditions(land, settings)
    reasons: dict[tuple[str, str], np.ndarray] = {}
    questions: list[Question] = []
    blocked = np.zeros(land.n, bool)
    for (side, code), (holds, unknown) in known.items():
        here = land.protected if side == "out" else ~land.protected
        reasons[side, code] = holds & here
        row, open_ = reason_rows()[side, code], unknown & here
        if open_.any() and row["effect"] in ("must_leave", "must_stay", "refuse"):
            whole = bool(open_[here].all())
            questions.append(Question(side, code, row["zh"], row["rule_id"], open_, whole))
            if not whole and row["effect"] in ("refuse", "must_stay"):
                blocked |= open_
    effect = {e: _any(reasons, e, land.n) for e in ("must_leave", "may_leave", "must_stay", "refuse")}
    must = effect["must_leave"]
    may = effect["may_leave"] | (land.protected if settings.leave_without_reason else False)
    held = effect["must_stay"] | blocked
    reasons["out", "no_reason"] = land.protected & ~must & ~may & ~held
    enter = ~land.protected & ~effect["refuse"] & ~blocked & (land.area > 0)
    return Eligibility(must, may & ~must & ~held & land.protected, enter, reasons, tuple(questions))


def reason_table(land: SwapLand, found: Eligibility) -> pd.DataFrame:
    """One row a unit and reason: unit_id, side, code, effect, zh, rule_id, confidence (理由清单).

    Questions are rows with effect ``no_data``: "no data, needs confirmation".
    """
    parts = []
    for (side, code), mask in found.reasons.items():
        row = reason_rows()[side, code]
        parts.append(_rows(land, mask, side, code, row["effect"], row["zh"], row["rule_id"], row["confidence"]))
    for q in found.questions:
        parts.append(_rows(land, q.units, q.side, q.code, "no_data", f"{q.zh}:{NO_DATA}", q.rule_id, ""))
    columns = ["unit_id", "side", "code", "effect", "zh", "rule_id", "confidence"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def question_table(land: SwapLand, found: Eligibility) -> pd.DataFrame:
    """Open questions by condition: side, code, zh, rule_id, units, area_m2, whole (待核实事项表)."""
    rows = [(q.side, q.code, f"{q.zh}:{NO_DATA}", q.rule_id, int(q.units.sum()), round(float(land.area[q.units].sum()), 2), q.whole) for q in found.questions]
    return pd.DataFrame(rows, columns=["side", "code", "zh", "rule_id", "units", "area_m2", "whole"])


def _conditions(land: SwapLand, settings: SwapSettings) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
    """For each condition, where it holds and where nobody knows."""
    steepest, marked = settings.value("swap_entrant_slope_max_deg"), settings.value("swap_steep_area_deg")
    unfit = settings.value("swap_leave_slope_deg")
    worst = settings.value("swap_erosion_class_max")
    no_slope = ~np.isfinite(land.slope_low) | ~np.isfinite(land.slope_high)
    eroded, polluted = (land.erosion > worst, ~np.isfinite(land.erosion)), (land.polluted == 1.0, ~np.isfinite(land.polluted))
    unstable = (land.stable == 0.0, ~np.isfinite(land.stable))
    high = (land.high_standard == 1.0, ~np.isfinite(land.high_standard))
    sure = np.zeros(land.n, bool)
    inside = {name: _inside(land, getattr(land, name), settings) for name in ("project_share", "redline_share", "core_share", "urban_share")}
    scattered = land.block_area < _m2(settings, "swap_scattered_block_mu")
    poor = land.grade > _mean_grade(land) + settings.value("swap_poor_grade_step")
    joined = (land.block_protected > 0) | (land.block_area >= _m2(settings, "contig_block_min_mu")) | (land.reserve_share > 0.5)
    reserve = (land.reserve_share > 0.5, ~np.isfinite(land.reserve_share))
    partly = land.protected_share * land.area > settings.value("conflict_tolerance_m2")
    return {
        ("out", "steep"): (_above(land, unfit), no_slope | _straddles(land, unfit)),
        ("out", "eroded"): eroded,
        ("out", "polluted"): polluted,
        ("out", "listed_project"): inside["project_share"],
        ("out", "not_farmland"): (~land.farmland, sure),
        ("out", "redline_core"): inside["core_share"],
        ("out", "scattered"): (scattered, sure),
        ("out", "moderately_steep"): (_above(land, marked), sure),
        ("out", "unstable"): unstable,
        ("out", "poor_grade"): (poor, ~np.isfinite(land.grade)),
        ("out", "redline_other"): inside["redline_share"],
        ("out", "urban"): inside["urban_share"],
        ("out", "high_standard"): high,
        ("in", "not_farmland"): (~land.farmland, sure),
        ("in", "unstable"): unstable,
        ("in", "steep"): (_above(land, steepest), no_slope | _straddles(land, steepest)),
        ("in", "eroded"): eroded,
        ("in", "polluted"): polluted,
        ("in", "listed_project"): inside["project_share"],
        ("in", "redline"): inside["redline_share"],
        ("in", "urban"): inside["urban_share"],
        ("in", "isolated"): (~joined, sure),
        ("in", "partly_protected"): (partly, sure),
        ("in", "joined"): (land.block_protected > 0, sure),
        ("in", "high_standard"): high,
        ("in", "irrigated"): (land.irrigated, sure),
        ("in", "reserve"): reserve,
    }  # fmt: skip


def _above(land: SwapLand, limit_deg: float) -> np.ndarray:
    """True where the slope is surely above the limit; a slope class from 25 degrees up does not hold 25 itself."""
    return (land.slope_low > limit_deg) | ((land.slope_low >= limit_deg) & (land.slope_high > limit_deg))


def _straddles(land: SwapLand, limit_deg: float) -> np.ndarray:
    return (land.slope_low < limit_deg) & (land.slope_high > limit_deg)


def _inside(land: SwapLand, share: np.ndarray, settings: SwapSettings) -> tuple[np.ndarray, np.ndarray]:
    return np.nan_to_num(share) * land.area > settings.value("conflict_tolerance_m2"), ~np.isfinite(share)


def _mean_grade(land: SwapLand) -> float:
    known = land.protected & np.isfinite(land.grade) & (land.area > 0)
    return float(np.average(land.grade[known], weights=land.area[known])) if known.any() else float("inf")


def _m2(settings: SwapSettings, name: str) -> float:
    return round(mu_to_m2(settings.value(name)), 2)


def _any(reasons: Mapping[tuple[str, str], np.ndarray], effect: str, n: int) -> np.ndarray:
    out = np.zeros(n, bool)
    for key, mask in reasons.items():
        if reason_rows()[key]["effect"] == effect:
            out |= mask
    return out


def _rows(land: SwapLand, mask: np.ndarray, side: str, code: str, effect: str, zh: str, rule_id: str, confidence: str) -> pd.DataFrame:
    ids = land.unit_id[mask]
    return pd.DataFrame({"unit_id": ids, "side": side, "code": code, "effect": effect, "zh": zh, "rule_id": rule_id, "confidence": confidence})
