"""Yearly flow of carbon in a state and by a plan (碳流量与方案年度净排放)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qianmo.evaluation.carbon_terms import CO2_PER_C, POOLS, carbon_factors, flow_classes, stock_terms, term_totals, terms
from qianmo.evaluation.land import Land
from qianmo.evaluation.service_classes import service_classes
from qianmo.schema.errors import SchemaError
from qianmo.schema.rules import parameter
from qianmo.schema.units import M2_PER_HA

__all__ = ["PLAN_PARTS", "plan_terms", "state_flow_terms", "wetland_flow", "yearly_plan"]

PLAN_PARTS = {"biomass": "生物质与枯落物", "soil": "土壤有机碳", "wetland_sink": "恢复湿地固碳", "wetland_methane": "恢复湿地甲烷", "paddy_methane": "水田甲烷"}
"""Parts of what a plan does to the air, with their Chinese names."""

_KG_PER_T = 1000.0
_RESTORED = "pond_to_wetland"


def wetland_flow(area_ha: float, *, sink_t_ha: float, methane_kg_ha: float, warming: float) -> float:
    """Net emission of restored wetland [t CO2e/yr], negative for a sink (恢复湿地净排放): −A·sink·44/12 + A·CH4·GWP/1000."""
    return area_ha * (methane_kg_ha * warming / _KG_PER_T - sink_t_ha * CO2_PER_C)


def state_flow_terms(land: Land, *, warming: float) -> pd.DataFrame:
    """Yearly net emission of land as it lies, by coefficients (土地利用碳排放系数法).

    Returns
    -------
    DataFrame (row, factor, weight)
        Sums of factor × weight are [t CO2e/yr], emission positive. Built land and others without a coefficient have the factor ``unknown``: their
        emission comes from energy, not from the land.
    """
    kinds = service_classes(land.scheme, "carbon_class")
    flow = np.array([flow_classes().get(kinds.get(str(c), ""), "") for c in land.code], object)
    hectares = land.area / M2_PER_HA
    plain = np.flatnonzero((flow != "wetland") & (flow != ""))
    wet = np.flatnonzero(flow == "wetland")
    rest = np.flatnonzero(flow == "")
    return pd.concat([
        terms(plain, flow[plain], hectares[plain] * CO2_PER_C), *_wetland(wet, hectares[wet], warming), terms(rest, "unknown", hectares[rest]),
    ], ignore_index=True)  # fmt: skip


def plan_terms(before: Land, after: Land, measure: np.ndarray, *, year: int, warming: float) -> pd.DataFrame:
    r"""What the works of a plan add to the air in one year after them, against land left as it is (方案碳排放系数项).

    Parameters
    ----------
    before, after : Land, n patches in the same order
    measure : (n,) text
    year : int
        Year after the works, from 1.
    warming : float
        Warming potential of methane.

    Returns
    -------
    DataFrame (row, factor, weight, part)
        Sums of factor × weight are [t CO2e/yr], emission positive; parts as in ``PLAN_PARTS``.

    Raises
    ------
    SchemaError
        The states differ in patches, or the year is not above 0.

    Notes
    -----
    Soil goes from one class to the next in equal steps over ``carbon_soil_transition_yr`` years, biomass and dead matter grow over
    ``carbon_growth_yr`` years and are lost in the first year. Ponds made wetland follow the measured uptake and methane of restored wetland instead, so that
    nothing counts twice. Farmland turned to paddy, or from it, changes its methane. High-standard farmland gains soil carbon. Fuel and cement of the works are
    not in it.
    """
    if len(before.code) != len(after.code) or len(measure) != len(before.code) or year < 1:
        raise SchemaError(f"图斑 {len(before.code)} 与 {len(after.code)}, 措施 {len(measure)}, 年 {year}", expected="同一组图斑, 年份从 1 起")
    growth, transition = parameter("carbon_growth_yr", before.overrides), parameter("carbon_soil_transition_yr", before.overrides)
    restored = measure == _RESTORED
    hectares = after.area / M2_PER_HA
    moved = (before.code.astype(str) != after.code.astype(str)) & ~restored
    parts = [_stock_change(before, after, np.flatnonzero(moved), year, growth, transition)]
    wet = np.flatnonzero(restored)
    parts += [t.assign(part=p) for t, p in zip(_wetland(wet, hectares[wet], warming), ("wetland_sink", "wetland_methane"))]
    was, now = _is_paddy(before), _is_paddy(after)
    for rows, sign in ((np.flatnonzero(now & ~was), 1.0), (np.flatnonzero(was & ~now), -1.0)):
        parts.append(terms(rows, "paddy_methane", sign * hectares[rows] * warming / _KG_PER_T).assign(part="paddy_methane"))
    if year <= transition:
        rows = np.flatnonzero(measure == "high_standard")
        parts.append(terms(rows, "farmland_soil_gain", -hectares[rows] * CO2_PER_C).assign(part="soil"))
    return pd.concat(parts, ignore_index=True)


def yearly_plan(before: Land, after: Land, measure: np.ndarray, works_year: np.ndarray, *, warming: float) -> pd.DataFrame:
    """Net emission of a plan by calendar year with the joint error (方案逐年净排放).

    Parameters
    ----------
    works_year : (n,) float
        Year in which the works of each patch end; NaN where nothing is done.

    Returns
    -------
    DataFrame, a row a year from the first works until all land is in its new state
        year, one column a part [t CO2e/yr], net, low, high, sum (from the first year), sum_low, sum_high [t CO2e].
    """
    last = int(max(parameter("carbon_growth_yr", before.overrides), parameter("carbon_soil_transition_yr", before.overrides)))
    done = np.isfinite(works_year)
    if not done.any():
        return pd.DataFrame(columns=["year", *PLAN_PARTS, "net", "low", "high", "sum", "sum_low", "sum_high"])
    first, end = int(np.nanmin(works_year)), int(np.nanmax(works_year))
    cohorts = sorted({int(y) for y in works_year[done]})
    later = np.where(done, works_year, -1)
    phases: dict[tuple[bool, ...], pd.DataFrame] = {}

    def of(cohort: int, age: int) -> pd.DataFrame:
        phase = (age == 1, *(age <= parameter(n, before.overrides) for n in ("carbon_growth_yr", "carbon_soil_transition_yr")))
        if phase not in phases:
            phases[phase] = plan_terms(before, after, measure, year=age, warming=warming)
        return _of(phases[phase], later == cohort)

    known = carbon_factors(before.overrides)
    rows, gone = [], []
    for year in range(first + 1, end + last + 1):
        now = pd.concat([of(c, year - c) for c in cohorts if year > c], ignore_index=True)
        gone.append(now)
        net, whole = term_totals(now, factors=known).iloc[0], term_totals(_merged(gone), factors=known).iloc[0]
        part = {p: float(term_totals(now[now["part"] == p], factors=known)["value"].iloc[0]) for p in PLAN_PARTS}
        rows.append({"year": year, **part, "net": net["value"], "low": net["low"], "high": net["high"], "sum": whole["value"], "sum_low": whole["low"], "sum_high": whole["high"]})
    return pd.DataFrame(rows)


def _wetland(rows: np.ndarray, hectares: np.ndarray, warming: float) -> list[pd.DataFrame]:
    return [terms(rows, "wetland_sink", -hectares * CO2_PER_C), terms(rows, "wetland_methane", hectares * warming / _KG_PER_T)]


def _stock_change(before: Land, after: Land, rows: np.ndarray, year: int, growth: float, transition: float) -> pd.DataFrame:
    """Stock after less before of the rows, spread over the years by pool and sign; emission positive."""
    both = []
    for land, sign in ((after.rows(rows), -1.0), (before.rows(rows), 1.0)):
        table = stock_terms(land)
        both.append(table.assign(weight=sign * CO2_PER_C * table["weight"], pool=[f.rpartition(":")[2] for f in table["factor"]]))
    table = pd.concat(both, ignore_index=True)
    middle = table["factor"].map(carbon_factors(before.overrides)["default"]).to_numpy(float)
    share = np.full(len(table), np.nan)
    for pool in (*POOLS, "unknown"):
        mine = (table["pool"] == pool).to_numpy()
        released = np.bincount(table["row"][mine], np.nan_to_num(middle[mine]) * table["weight"][mine], minlength=len(rows))
        grows = np.where(released <= 0, (year <= growth) / growth, float(year == 1))
        by_row = np.full(len(rows), (year <= transition) / transition) if pool == "SOC" else grows
        share[mine] = by_row[table["row"][mine]]
    out = table.assign(weight=table["weight"] * share, row=rows[table["row"].to_numpy()], part=np.where(table["pool"] == "SOC", "soil", "biomass"))
    return out.loc[(share > 0) & (out["weight"] != 0), ["row", "factor", "weight", "part"]]


def _is_paddy(land: Land) -> np.ndarray:
    kinds = service_classes(land.scheme, "carbon_class")
    return np.array([kinds.get(str(c), "") == "cropland_paddy" for c in land.code], bool)


def _of(table: pd.DataFrame, keep: np.ndarray) -> pd.DataFrame:
    """Terms of the patches to keep, one a factor and part."""
    return table[keep[table["row"].to_numpy()]].groupby(["factor", "part"], as_index=False)["weight"].sum()


def _merged(tables: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables, ignore_index=True).groupby("factor", as_index=False)["weight"].sum()
