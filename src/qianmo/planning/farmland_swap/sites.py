"""Choose whole sites: ecological restoration, concentrated fields of 100 or 1,000 mu (修复选址、百亩方千亩方)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse.csgraph import connected_components

from qianmo.planning.certificate import certificate
from qianmo.planning.farmland_swap.minimum import MinimumResult, enforce_minimum
from qianmo.planning.farmland_swap.window import link_graph
from qianmo.planning.limits.rows import limit_row
from qianmo.planning.problem import Limit, Pairs, PlanProblem, hundredths, objective
from qianmo.planning.proof import stored_prices
from qianmo.planning.solve import Solution, solve
from qianmo.schema.errors import RuleError, SchemaError
from qianmo.schema.rules import parameter
from qianmo.schema.units import mu_to_m2

__all__ = ["SiteSelection", "SiteWish", "field_wish", "select_sites", "site_problem"]


@dataclass(frozen=True)
class SiteWish:
    """What is wanted of the sites (选址要求).

    Parameters
    ----------
    least_block_m2 : float
        Least area of each site; 0 means none. 100 mu is parameter ``field_small_mu``, 1,000 mu ``field_large_mu``. [m2]
    target_m2 : float
        Least area of all sites together. [m2]
    budget_yuan : float, optional
        Greatest cost of all. [yuan]
    region_target_m2 : mapping region → m2
        Least area in each region.
    border_yuan_m : float
        Worth of a metre of border inside a site. [yuan/m]
    kind : str
        Word for the sites in the names of the limits, e.g. 生态修复.
    """

    least_block_m2: float = 0.0
    target_m2: float = 0.0
    budget_yuan: float | None = None
    region_target_m2: Mapping[str, float] | None = None
    border_yuan_m: float = 0.0
    kind: str = "选址"


@dataclass(frozen=True)
class SiteSelection:
    """Sites chosen (选址成果): `selected` (n,) bool, `block` (n,) int with -1 outside, `blocks` one row a site."""

    selected: np.ndarray
    block: np.ndarray
    blocks: pd.DataFrame
    problem: PlanProblem
    solution: Solution
    minimum: MinimumResult | None
    certificate: dict[str, Any]


def select_sites(
    area: np.ndarray, worth: np.ndarray, cost: np.ndarray, borders: pd.DataFrame, *, eligible: np.ndarray, wish: SiteWish,
    region: np.ndarray | None = None, gap: float = 1e-3, time_limit_s: float = 60.0, most: int = 3000,
    timer: Callable[[], float] | None = None, nodes: int | None = None,
) -> SiteSelection:
    """Choose units so that worth less cost is greatest and every site is large enough (选址).

    Parameters
    ----------
    area, worth, cost : (n,) float
        Area [m2], worth when selected [yuan], cost [yuan].
    borders : DataFrame, columns i, j, length_m
        [m]
    eligible : (n,) bool
    wish : SiteWish
    region : (n,) text, optional
        Region of each unit, for ``wish.region_target_m2``.
    gap, time_limit_s, most, timer
        Of the search, and the most units of one exact window.
    nodes : int, optional
        Nodes of each search in a window, for the same end on every machine.

    Returns
    -------
    SiteSelection
        The certificate bounds the soft problem; ``minimum`` tells the price of the least area apart.

    Raises
    ------
    InfeasibleError
        No selection obeys the limits, or a site was not made large enough within limits and time.
    SchemaError
        Numbers missing, lengths that differ.
    """
    problem = site_problem(area, worth, cost, borders, eligible=eligible, wish=wish, region=region)
    solution = solve(problem, gap=gap, time_limit_s=time_limit_s, timer=timer)
    minimum = None
    i, j = borders["i"].to_numpy(np.int64), borders["j"].to_numpy(np.int64)
    if wish.least_block_m2 > 0:
        minimum = enforce_minimum(
            problem, solution.choice, area=area, layer_state=np.zeros(problem.n, bool), least_m2=wish.least_block_m2, borders=(i, j), most=most,
            time_limit_s=time_limit_s, nodes=nodes,
        )  # fmt: skip
        score = objective(problem, minimum.choice)
        solution = replace(solution, choice=minimum.choice, objective=score, method=f"{solution.method}; least block in exact windows")
    selected = solution.choice >= 0
    block = _numbered(selected, i, j)
    record = certificate(problem, solution, stored_prices(problem, solution.prices, solution.branches)) | {"kind": "sites"} | ({"minimum_block": minimum.summary()} if minimum else {})
    return SiteSelection(selected, block, _blocks(block, area, worth, cost), problem, solution, minimum, record)


def field_wish(size: str, *, parameters: Mapping[str, float] | None = None, **wish: Any) -> SiteWish:
    """The wish for concentrated fields: ``small`` of at least 100 mu, ``large`` of at least 1,000 mu (百亩方、千亩方).

    Parameters
    ----------
    size : {'small', 'large'}
        Parameter ``field_small_mu`` or ``field_large_mu``.
    parameters : mapping name → value, optional
        Local values.
    wish
        Other fields of `SiteWish`.

    Raises
    ------
    RuleError
        No such size.
    """
    names = {"small": "百亩方", "large": "千亩方"}
    if size not in names:
        raise RuleError(f"no concentrated field of size {size!r}", expected=", ".join(names))
    least = round(mu_to_m2(parameter(f"field_{size}_mu", parameters)), 2)
    return SiteWish(**{"least_block_m2": least, "kind": names[size], **wish})


def site_problem(
    area: np.ndarray, worth: np.ndarray, cost: np.ndarray, borders: pd.DataFrame, *, eligible: np.ndarray, wish: SiteWish,
    region: np.ndarray | None = None,
) -> PlanProblem:
    """The selection as a planning problem: one option a unit that may be selected (选址问题).

    Raises
    ------
    SchemaError
        Numbers missing, lengths that differ.
    """
    n = len(area)
    if not len(worth) == len(cost) == len(eligible) == n or (region is not None and len(region) != n):
        raise SchemaError("area, worth, cost, eligible and region differ in length", expected=f"{n} entries each")
    bad = ~(np.isfinite(area) & np.isfinite(worth) & np.isfinite(cost) & (area >= 0))
    if bad.any():
        raise SchemaError(f"units {np.flatnonzero(bad)[:5].tolist()} lack area, worth or cost", expected="numbers, areas of at least 0")
    unit = np.flatnonzero(eligible)
    i, j = borders["i"].to_numpy(np.int64), borders["j"].to_numpy(np.int64)
    weight = wish.border_yuan_m * borders["length_m"].to_numpy(float)
    text = np.full(len(unit), "select", object)
    pairs = Pairs("compactness", f"{wish.kind}集中连片", i, j, weight, np.zeros(n, bool), np.ones(len(unit), bool))
    return PlanProblem(
        n, unit, text, np.full(len(unit), "", object), (worth - cost)[unit].astype(float), np.round(cost[unit], 2), {"site_m2": area[unit]},
        {"site_m2": 0.0}, (pairs,) if weight.any() else (), tuple(_limits(area, cost, unit, wish, region)),
    )  # fmt: skip


def _limits(area: np.ndarray, cost: np.ndarray, unit: np.ndarray, wish: SiteWish, region: np.ndarray | None) -> list[Limit]:
    rows = []
    if wish.target_m2 > 0:
        rows.append(limit_row("target", "target", f"{wish.kind}面积下限", area[unit], ">=", wish.target_m2, "m2"))
    if wish.budget_yuan is not None:
        rows.append(limit_row("budget", "budget", f"{wish.kind}投资上限", cost[unit], "<=", wish.budget_yuan, "yuan"))
    for name, least in (wish.region_target_m2 or {}).items():
        if region is None or not np.any(region == name):
            raise SchemaError(f"target for region {name}", expected="a region of the units")
        here = np.where(region[unit] == name, area[unit], 0.0)
        rows.append(limit_row(f"target:{name}", "target", f"{name}{wish.kind}面积下限", here, ">=", least, "m2"))
    return rows


def _numbered(selected: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    block, at = np.full(len(selected), -1), np.flatnonzero(selected)
    if len(at):
        block[at] = connected_components(link_graph(i, j, len(selected))[at][:, at], directed=False)[1]
    return block


def _blocks(block: np.ndarray, area: np.ndarray, worth: np.ndarray, cost: np.ndarray) -> pd.DataFrame:
    inside = block >= 0
    count = np.bincount(block[inside])
    cents = np.bincount(block[inside], hundredths(area[inside]), len(count)) / 100.0
    sums = [np.bincount(block[inside], a[inside], len(count)) for a in (worth, cost)]
    return pd.DataFrame({"block": np.arange(len(count)), "units": count, "area_m2": cents, "worth_yuan": sums[0], "cost_yuan": sums[1]})
