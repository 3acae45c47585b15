"""Carbon accounts as sums of factor times area, so that each error enters once (碳核算的系数项)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from qianmo.evaluation.carbon_stock import ANNUAL
from qianmo.evaluation.land import Land
from qianmo.evaluation.service_classes import service_classes
from qianmo.schema.codes import land_classes
from qianmo.schema.errors import CodeError, RuleError
from qianmo.schema.local_factors import factor_values
from qianmo.schema.rules import parameter
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.units import M2_PER_HA

__all__ = ["CO2_PER_C", "POOLS", "carbon_factors", "flow_classes", "stock_terms", "term_totals", "terms", "warming_potential"]

CO2_PER_C = 44.0 / 12.0
"""Mass of carbon dioxide over that of its carbon."""

POOLS = ("AGB", "BGB", "SOC", "DOM")
"""Pools of IPCC: biomass above and below ground, soil to 100 cm, dead matter."""


def carbon_factors(overrides: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """Every carbon factor with its range, local ones first (碳核算系数).

    Returns
    -------
    DataFrame, index factor
        low, default, high, unit, zh, source, confidence. Densities are ``class:pool`` [t C/ha], flows the names of ``carbon_flow.csv``.

    Raises
    ------
    RuleError
        A row whose low, default and high are not in this order.
    """
    table = _shipped_factors()
    return _with_local(table, overrides) if overrides else table


def _with_local(table: pd.DataFrame, overrides: Mapping[str, Any]) -> pd.DataFrame:
    """Local ends in place of shipped ones; a replaced factor says so as its source."""
    ends = ["low", "default", "high"]
    found = {c: {**factor_values("carbon_density", c, overrides), **factor_values("carbon_flow", c, overrides)} for c in ends}
    rows = [str(f).replace(":", ".") for f in table.index]
    values = np.array([[found[c][r] for c in ends] for r in rows])
    own = (values != table[ends].to_numpy(float)).any(axis=1)
    out = table.copy()
    out[ends] = values
    out.loc[own, ["source", "confidence"]] = ["project.toml [factors]", "local"]
    return out


@cache
def _shipped_factors() -> pd.DataFrame:
    rows = [(f"{r['carbon_class']}:{r['pool']}", r["name_zh"], r) for r in shipped_rows("parameters", "carbon_density")]
    rows += [(r["flow"], r["name_zh"], r) for r in shipped_rows("parameters", "carbon_flow")]
    table = pd.DataFrame(
        [(key, float(r["low"]), float(r["default"]), float(r["high"]), r["unit"], zh, r["source"], r["confidence"]) for key, zh, r in rows],
        columns=["factor", "low", "default", "high", "unit", "zh", "source", "confidence"],
    ).set_index("factor")
    wrong = table.index[(table["low"] > table["default"]) | (table["default"] > table["high"])]
    if len(wrong):
        raise RuleError(f"碳系数 {', '.join(wrong)} 的区间次序不对", expected="低值 ≤ 缺省值 ≤ 高值", cure="改 schema/parameters 中的该行")
    return table


@cache
def flow_classes() -> dict[str, str]:
    """Yearly flow by carbon class; '' where the land has no coefficient (碳流量系数对应)."""
    return {r["carbon_class"]: r["flow"] for r in shipped_rows("parameters", "carbon_flow_class")}


def warming_potential(report: str | None, overrides: Mapping[str, Any] | None = None) -> tuple[float, str]:
    """Warming potential of methane and where it comes from: the report named, else parameter ``gwp_ch4`` (甲烷全球增温潜势).

    Raises
    ------
    RuleError
        No such report, or the parameter is not above 0.
    """
    known = {r["report"]: r for r in shipped_rows("parameters", "warming_potential")}
    if report:
        if report not in known:
            raise RuleError(f"增温潜势 {report}", expected=", ".join(known))
        return float(known[report]["methane"]), f"{known[report]['name_zh']}, {known[report]['horizon_yr']} 年"
    value = parameter("gwp_ch4", overrides)
    if not value > 0:
        raise RuleError(f"gwp_ch4 = {value:g}", expected="大于 0, 通常 25 至 34")
    return value, "参数 gwp_ch4"


def stock_terms(land: Land) -> pd.DataFrame:
    """Stock of every patch as factors times hectares, ridges apart (碳储量系数项).

    Returns
    -------
    DataFrame (row, factor, weight)
        `weight` [ha]. A patch whose class has no density has one term with the factor ``unknown``.

    Raises
    ------
    CodeError
        A class is not in the scheme.
    """
    annual = parameter("carbon_counts_annual_crop", land.overrides) > 0
    parts = []
    for code, area in ((land.code, land.class_area), (land.ridge_code, land.ridge)):
        kind = _kinds(code, land.scheme)
        used = np.flatnonzero(area > 0)
        for pool in POOLS:
            rows = used if annual or pool != "AGB" else used[~np.isin(kind[used], ANNUAL)]
            parts.append(terms(rows, [f"{k}:{pool}" if k else "unknown" for k in kind[rows]], area[rows] / M2_PER_HA))
    return pd.concat(parts, ignore_index=True)


def terms(rows: np.ndarray, factor: str | Sequence[str] | np.ndarray, weight: np.ndarray | float) -> pd.DataFrame:
    """A table of terms: row of the patch, factor, weight (系数项表)."""
    return pd.DataFrame({"row": np.asarray(rows, np.int64), "factor": np.broadcast_to(np.asarray(factor, object), np.shape(rows)), "weight": np.broadcast_to(np.asarray(weight, float), np.shape(rows))})


def term_totals(table: pd.DataFrame, by: np.ndarray | None = None, *, groups: int = 1, factors: pd.DataFrame | None = None) -> pd.DataFrame:
    r"""Sum, low and high of terms, whole or by group (系数项合计与误差传播).

    Parameters
    ----------
    table : DataFrame (row, factor, weight), k rows
    by : (k,) int, optional
        Group of each term, 0 to `groups` − 1; one group by default.
    factors : DataFrame, index factor (low, default, high), optional
        The shipped factors by default.

    Returns
    -------
    DataFrame, `groups` rows (value, low, high)
        NaN where a group holds a term of an unknown factor.

    Notes
    -----
    A factor is one uncertain number for all the land it is used on. The pools of a class go to the same end of their ranges together; classes and flows are
    independent. With the net weight :math:`w_f = \sum_i w_{if}` the error is :math:`\sqrt{\sum_k (\sum_{f \in k} w_f\,\Delta_f)^2}` over the classes `k`, upward with the end
    that raises the sum, downward with the other [1]_ (approach 1: root of the sum of squares), as in ``service_check``. Land of one class before and after cancels and
    adds no error.

    References
    ----------
    .. [1] IPCC 2006 Guidelines, vol. 1, ch. 3.
    """
    known = carbon_factors() if factors is None else factors
    group = np.zeros(len(table), np.int64) if by is None else np.asarray(by, np.int64)
    place = known.index.get_indexer(table["factor"].to_numpy(object))
    strange = np.unique(group[place < 0])
    good = place >= 0
    key, at = np.unique(group[good] * len(known) + place[good], return_inverse=True)
    net = np.bincount(at, weights=table["weight"].to_numpy(float)[good], minlength=len(key))
    of, factor = key // len(known), key % len(known)
    middle = known["default"].to_numpy(float)[factor]
    ends = [net * (known[c].to_numpy(float)[factor] - middle) for c in ("low", "high")]
    value = np.bincount(of, net * middle, minlength=groups)
    kinds = np.unique([f.partition(":")[0] for f in known.index], return_inverse=True)[1]
    pair, which = np.unique(of * (int(kinds.max()) + 1) + kinds[factor], return_inverse=True)
    low, high = (np.bincount(which, e, minlength=len(pair)) for e in ends)
    whose = pair // (int(kinds.max()) + 1)
    down = np.sqrt(np.bincount(whose, np.minimum(np.minimum(low, high), 0.0) ** 2, minlength=groups))
    up = np.sqrt(np.bincount(whose, np.maximum(np.maximum(low, high), 0.0) ** 2, minlength=groups))
    out = pd.DataFrame({"value": value, "low": value - down, "high": value + up})
    out.loc[strange] = np.nan
    return out


def _kinds(code: np.ndarray, scheme: str) -> np.ndarray:
    ids, known = service_classes(scheme, "carbon_class"), land_classes(scheme)
    names, place = np.unique(np.asarray(code, str), return_inverse=True)
    strange = [n for n in names if n not in known]
    if strange:
        raise CodeError(f"地类 {', '.join(strange)} 不在分类 {scheme} 中", expected=f"{scheme} 的地类编码", cure="核对 DLBM 与 class_scheme")
    have = {r["carbon_class"] for r in shipped_rows("parameters", "carbon_density")}
    return np.array([ids.get(n, "") if ids.get(n, "") in have else "" for n in names], object)[place]
