"""Adjust permanent basic farmland: exact swap with proof, tables and reasons (永久基本农田布局调整)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from qianmo.planning.case_bounds import CasePrices
from qianmo.planning.certificate import certificate
from qianmo.planning.farmland_swap.eligibility import question_table
from qianmo.planning.farmland_swap.formulate import SwapFormulation, after_swap, formulate_swap, with_limits
from qianmo.planning.farmland_swap.land import SwapLand
from qianmo.planning.farmland_swap.limits import mean_limits
from qianmo.planning.farmland_swap.minimum import MinimumResult, enforce_minimum
from qianmo.planning.farmland_swap.outcome import swap_balance, swap_parcels
from qianmo.planning.farmland_swap.settings import SwapSettings
from qianmo.planning.problem import PlanProblem, objective
from qianmo.planning.proof import stored_prices
from qianmo.planning.solve import Solution, solve
from qianmo.schema.errors import InfeasibleError
from qianmo.schema.units import mu_to_m2

__all__ = ["SwapResult", "means", "swap"]


@dataclass(frozen=True)
class SwapResult:
    """A swap and everything that is told of it (永农调整成果).

    `after` (n,) bool is the protection after. `formulation` and `solution` allow the proof to be checked again with
    ``verify(formulation.problem, solution.choice, certificate, prices)``. `minimum` is None where no smallest block was asked for.
    """

    after: np.ndarray
    parcels: pd.DataFrame
    balance: pd.DataFrame
    questions: pd.DataFrame
    certificate: dict[str, Any]
    formulation: SwapFormulation
    solution: Solution
    minimum: MinimumResult | None

    @property
    def prices(self) -> CasePrices:
        """Prices of the proof as they are stored (证明价格)."""
        return stored_prices(self.formulation.problem, self.solution.prices, self.solution.branches)


def swap(
    land: SwapLand, *, settings: SwapSettings, gap: float | None = None, time_limit_s: float | None = None,
    timer: Callable[[], float] | None = None, search: Callable[[PlanProblem], Solution] | None = None,
) -> SwapResult:
    """Choose what leaves and what enters protection, within all limits (永农调出调入).

    Parameters
    ----------
    land : SwapLand
    settings : SwapSettings
    gap : float, optional
        Target of the proven gap; by default parameter ``swap_gap_rel``.
    time_limit_s : float, optional
        By default parameter ``swap_minutes``. [s]
    timer : function, optional
        Gives seconds, to report the time of the search.
    search : function, optional
        Solves one problem in place of `qianmo.planning.solve.solve` to that gap within that time.

    Returns
    -------
    SwapResult

    Raises
    ------
    InfeasibleError
        No swap obeys all limits; names the smallest set in conflict and what each lacks.
    MissingDataError
        There is no protected land.

    Notes
    -----
    The means of Z-04 and Z-05 compare ratios and are no linear limits. The swap is first solved without them; where its
    means hold it is the best of all. Else both sides are held apart by reference values between the two means, the best
    swap of the few references counts, and ``bound_without_means`` of the certificate still bounds every swap.
    """
    wanted = settings.value("swap_gap_rel") if gap is None else gap
    seconds = settings.value("swap_minutes") * 60.0 if time_limit_s is None else time_limit_s
    formulation = formulate_swap(land, settings)
    ask = search or partial(solve, gap=wanted, time_limit_s=seconds, timer=timer)
    free = ask(formulation.problem)
    chosen, (solution, minimum) = formulation, _with_blocks(formulation, free, time_limit_s=seconds)
    if not _means_hold(formulation, solution.choice):
        chosen, solution = _with_means(formulation, solution, ask)
        solution, minimum = _with_blocks(chosen, solution, time_limit_s=seconds)
    return _result(chosen, solution, free, minimum)


def means(land: SwapLand, choice: np.ndarray) -> dict[str, float]:
    """Means of both sides: grade_in, grade_out [grade]; patch_in, patch_out [m2]; NaN where nothing moves or none is known (两侧均值)."""
    moved = choice >= 0
    found = {}
    for name, side in (("in", moved & ~land.protected), ("out", moved & land.protected)):
        area = land.area[side]
        has = bool(len(area)) and area.sum() > 0
        known = has and bool(np.isfinite(land.grade[side][area > 0]).all())
        found[f"grade_{name}"] = float(np.average(np.nan_to_num(land.grade[side]), weights=area)) if known else float("nan")
        found[f"patch_{name}"] = float(area.mean()) if has else float("nan")
    return found


def _lacks(formulation: SwapFormulation, choice: np.ndarray) -> tuple[bool, bool]:
    """Whether the means of grade, of patch area, are the wrong way round."""
    m = means(formulation.land, choice)
    waived = formulation.settings.waived
    moves = not np.isnan(m["patch_out"])
    grade = m["grade_in"] > m["grade_out"] + 1e-12
    patch = moves and not m["patch_in"] > m["patch_out"]
    return bool(grade), bool(patch and "patch_mean" not in waived)


def _means_hold(formulation: SwapFormulation, choice: np.ndarray) -> bool:
    return not any(_lacks(formulation, choice))


def _with_means(
    formulation: SwapFormulation, free: Solution, ask: Callable[[PlanProblem], Solution]
) -> tuple[SwapFormulation, Solution]:
    best: tuple[SwapFormulation, Solution] | None = None
    refused: InfeasibleError | None = None
    unit = formulation.problem.patch
    for grade, patch in _references(formulation, free.choice):
        tried = with_limits(formulation, mean_limits(formulation.land, unit, grade=grade, patch_m2=patch))
        try:
            solution = ask(tried.problem)
        except InfeasibleError as none:
            refused = none
            continue
        if best is None or solution.objective > best[1].objective:
            best = tried, solution
    if best is None:
        assert refused is not None
        raise refused
    return best


def _references(formulation: SwapFormulation, choice: np.ndarray) -> list[tuple[float | None, float | None]]:
    """A few reference values of grade and patch area; a mean that holds by itself still gets one where the other binds."""
    land, m = formulation.land, means(formulation.land, choice)
    flexible = formulation.eligibility.flexible
    sides = [land.area[flexible & s] for s in (land.protected, ~land.protected)]
    middle = [float(np.median(a)) if len(a) else 0.0 for a in sides]
    grades: list[float | None] = [None] * 3
    if np.isfinite([m["grade_in"], m["grade_out"]]).all():
        grades = [m["grade_out"], (m["grade_in"] + m["grade_out"]) / 2, m["grade_in"]]
    patches: list[float | None] = [None] * 3
    if "patch_mean" not in formulation.settings.waived and np.isfinite(m["patch_out"]):
        low = m["patch_in"] if np.isfinite(m["patch_in"]) else m["patch_out"]
        patches = [m["patch_out"] + 0.01, (low + m["patch_out"]) / 2, sum(middle) / 2]
    return list(zip(grades, patches))


def _with_blocks(formulation: SwapFormulation, solution: Solution, *, time_limit_s: float) -> tuple[Solution, MinimumResult | None]:
    least = formulation.settings.value("swap_block_min_mu")
    if least <= 0:
        return solution, None
    land = formulation.land
    found = enforce_minimum(
        formulation.problem, solution.choice, area=land.area, layer_state=land.protected, least_m2=round(mu_to_m2(least), 2),
        needs=~land.protected, most=int(formulation.settings.value("window_patches_max")), time_limit_s=time_limit_s,
        borders=(land.border_i, land.border_j),
    )  # fmt: skip
    score = objective(formulation.problem, found.choice)
    return replace(solution, choice=found.choice, objective=score, method=f"{solution.method}; smallest block in exact windows"), found


def _result(formulation: SwapFormulation, solution: Solution, free: Solution, minimum: MinimumResult | None) -> SwapResult:
    after = after_swap(formulation, solution.choice)
    prices = stored_prices(formulation.problem, solution.prices, solution.branches)
    record = certificate(formulation.problem, solution, prices, waived=formulation.settings.waived, excluded=_counts(formulation))
    record["kind"] = "farmland_swap"
    record["bound_without_means"] = float(free.bound)
    record["not_imposed"] = [vars(x) for x in formulation.not_imposed]
    record["means"] = means(formulation.land, solution.choice)
    record["n_out"] = int((formulation.land.protected & ~after).sum())
    record["n_in"] = int((~formulation.land.protected & after).sum())
    if minimum is not None:
        record["minimum_block"] = minimum.summary()
    questions = question_table(formulation.land, formulation.eligibility)
    record["questions"] = questions.to_dict("records")
    return SwapResult(
        after, swap_parcels(formulation, solution), swap_balance(formulation.land, after, settings=formulation.settings),
        questions, record, formulation, solution, minimum,
    )  # fmt: skip


def _counts(formulation: SwapFormulation) -> dict[str, int]:
    """Number of units that each reason keeps from changing."""
    refused = formulation.problem.refusals
    assert refused is not None
    names, count = np.unique(np.array([f"{a}:{b}" for a, b in zip(refused.label, refused.reason)], str), return_counts=True)
    return {str(n): int(c) for n, c in zip(names, count)}
