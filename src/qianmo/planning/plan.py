"""Make a plan: one measure a patch, with proof, tables and reasons (编制整治方案)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from qianmo.planning.case_bounds import CasePrices
from qianmo.planning.certificate import certificate
from qianmo.planning.costs import cost_by_measure
from qianmo.planning.farmland_swap.minimum import MinimumResult
from qianmo.planning.formulate import Formulation, formulate
from qianmo.planning.funding import funding
from qianmo.planning.joining import field_groups
from qianmo.planning.least_block import with_least_block
from qianmo.planning.parts import Parts, assemble_parts
from qianmo.planning.problem import Pairs, PlanProblem
from qianmo.planning.proof import stored_prices
from qianmo.planning.reasons import reasons
from qianmo.planning.results import apply_plan, merged_fields, plan_parcels
from qianmo.planning.schedule import schedule, year_plan
from qianmo.planning.settings import PlanSettings
from qianmo.planning.solve import Solution, solve
from qianmo.planning.subprojects import subprojects

__all__ = ["PlanResult", "plan"]


@dataclass(frozen=True)
class PlanResult:
    """A plan and everything a plan book needs of it (规划成果).

    `after` are the patches with new classes and ``field_group``; `merged` has merged fields
    dissolved, for counting fragments. `formulation` and `solution` allow the proof to be checked
    again with ``verify(formulation.problem, solution.choice, certificate, prices)``.
    """

    plan_parcel: pd.DataFrame
    subproject: pd.DataFrame
    cost_by_measure: pd.DataFrame
    year_plan: pd.DataFrame
    funding: pd.DataFrame
    after: pd.DataFrame
    merged: pd.DataFrame
    certificate: dict[str, Any]
    formulation: Formulation
    solution: Solution
    prices: CasePrices


def plan(
    patches: pd.DataFrame,
    options: pd.DataFrame,
    borders: pd.DataFrame,
    *,
    settings: PlanSettings,
    basic_share: np.ndarray | None = None,
    redline_share: np.ndarray | None = None,
    timer: Callable[[], float] | None = None,
    locks: Mapping[str, str] | None = None,
    search: Callable[[PlanProblem], Solution] | None = None,
    least_block_m2: float = 0.0,
) -> PlanResult:
    """Choose one measure a patch, or keep it, within all limits (编制整治方案).

    Parameters
    ----------
    patches : (Geo)DataFrame, table ``landuse_patch``, n rows
        Metric CRS. [m]
    options : DataFrame, table ``measure_option``
    borders : DataFrame, columns i, j, length_m
        Shared borders of rows of `patches`, by position. [m]
    settings : PlanSettings
    basic_share, redline_share : (n,) float, optional
        Share of each patch in permanent basic farmland, in the ecological redline. [0..1]
    timer : function, optional
        Gives seconds, to report the time of the search.
    locks : mapping patch id → measure, optional
        Patches that are settled beforehand; 'keep' for the present use.
    search : function, optional
        Solves the problem, e.g. ``partial(solve, gap=1e-4, time_limit_s=60, tell=…, stop=…, start=…)``;
        by default `solve` to the gap and within the time of the parameters.
    least_block_m2 : float
        Least area of a block of farmland that holds new farmland; its price is ``minimum_block`` of the certificate. [m2]

    Returns
    -------
    PlanResult

    Raises
    ------
    InfeasibleError
        No plan obeys all limits; names the rules in conflict and what is missing.
    SchemaError, CodeError, RuleError
        Input that does not fit.

    Examples
    --------
    >>> done = plan(patches, options, borders, settings=PlanSettings(start_year=2026))
    >>> done.certificate["gap_rel"] <= 1e-3
    True
    """
    parts = assemble_parts(patches, options, borders, settings=settings, basic_share=basic_share, redline_share=redline_share)
    formulation = formulate(parts, settings, locks=locks)
    if search is None:
        search = partial(solve, gap=settings.value("plan_gap_rel"), time_limit_s=settings.value("plan_time_limit_s"), timer=timer)
    solution = search(formulation.problem)
    block = None
    if least_block_m2 != 0.0:
        solution, block = _with_block(formulation, solution, borders, least_m2=least_block_m2, settings=settings, timer=timer)
    prices = stored_prices(formulation.problem, solution.prices, solution.branches)
    parts, choice = formulation.parts, solution.choice
    years = int(settings.value("plan_years"))
    costs = cost_by_measure(parts, choice)
    listed, of_patch = subprojects(parts, choice, costs, village_names=settings.village_names)
    dated = schedule(listed, start_year=settings.start_year, years=years)
    by_year = year_plan(dated, start_year=settings.start_year, years=years)
    parcels = plan_parcels(
        parts, choice, reason=reasons(formulation, solution, prices), subproject=of_patch, year=_years(of_patch, dated)
    )
    after = apply_plan(patches, parcels, groups=field_groups(parts, choice, settings), class_scheme=settings.class_scheme)
    record = certificate(formulation.problem, solution, prices, aims=formulation.aims, waived=settings.waived, excluded=_blocked(parts))
    if block is not None:
        record["minimum_block"] = block.summary()
    return PlanResult(
        plan_parcel=parcels,
        subproject=dated,
        cost_by_measure=costs,
        year_plan=by_year,
        funding=funding(by_year, settings),
        after=after,
        merged=merged_fields(after),
        certificate=record,
        formulation=formulation,
        solution=solution,
        prices=prices,
    )


def _with_block(
    formulation: Formulation, soft: Solution, borders: pd.DataFrame, *, least_m2: float, settings: PlanSettings, timer: Callable[[], float] | None
) -> tuple[Solution, MinimumResult]:
    """The plan with every block of farmland that holds new farmland at least so large."""
    parts = formulation.parts
    layer = Pairs("farmland", "耕地", *(np.zeros(0, int),) * 2, np.zeros(0), parts.is_farmland, parts.to_farmland)
    ends = (borders["i"].to_numpy(np.int64), borders["j"].to_numpy(np.int64))
    return with_least_block(
        formulation.problem, soft, layer, area=parts.area, least_m2=round(least_m2, 2), borders=ends, most=int(settings.value("window_patches_max")),
        time_limit_s=settings.value("plan_time_limit_s"), timer=timer,
    )  # fmt: skip


def _years(of_patch: np.ndarray, dated: pd.DataFrame) -> np.ndarray:
    ends = dict(zip(dated["subproject_id"], dated["end_year"]))
    return np.array([ends.get(x, 0) for x in of_patch], int)


def _blocked(parts: Parts) -> dict[str, int]:
    """Number of options each rule took away."""
    return {str(r): int(c) for r, c in parts.excluded["rule_ids"].value_counts().sort_index().items()}
