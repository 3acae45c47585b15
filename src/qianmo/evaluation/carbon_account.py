"""Tables of a carbon account: by patch, by class, in sum (碳核算成果表)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from qianmo.evaluation.carbon_plan import plan_terms, state_flow_terms
from qianmo.evaluation.carbon_terms import CO2_PER_C, POOLS, carbon_factors, stock_terms, term_totals
from qianmo.evaluation.land import Land
from qianmo.evaluation.service_classes import service_classes
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.tables import table_spec
from qianmo.schema.units import M2_PER_HA

__all__ = ["carbon_by_class", "carbon_by_patch", "carbon_used_factors", "carbon_totals"]

_FLOW_NOTE = "按土地利用碳排放系数；建设用地等由能源消费决定，没有土地系数，未计入"


def carbon_by_patch(before: Land, after: Land | None, patch_id: np.ndarray, measure: np.ndarray | None, *, warming: float) -> pd.DataFrame:
    """Stock, yearly flow and change of every patch with their ranges (图斑碳储量与流量).

    Parameters
    ----------
    before, after : Land, n patches in the same order; `after` None without a plan
    patch_id, measure : (n,) text
    warming : float
        Warming potential of methane.

    Returns
    -------
    DataFrame, table ``carbon_patch``, n rows
        NaN where a class has no density or no flow coefficient, never 0 in its place.
    """
    n = len(patch_id)
    out: dict[str, Any] = {
        "patch_id": patch_id, "class_code": before.code, "target_class": None if after is None else after.code, "measure": measure, "area_ha": before.area / M2_PER_HA,
    }  # fmt: skip
    known = carbon_factors(before.overrides)
    out |= _named(_each(stock_terms(before), n, known), "stock", "t")
    out |= _named(_each(state_flow_terms(before, warming=warming), n, known), "flow", "t_yr")
    change = None if after is None else _each(_difference(before, after), n, known)
    nothing = pd.DataFrame({"value": np.full(n, np.nan), "low": np.nan, "high": np.nan})
    out |= _named(nothing if change is None else change, "change", "t")
    return pd.DataFrame(out)[list(table_spec("carbon_patch").column_names)]


def carbon_by_class(land: Land) -> pd.DataFrame:
    """Area, density with its range, and stock of every carbon class (各类土地碳密度与储量).

    Columns class, zh, area_ha, density_low, density, density_high [t C/ha], stock_t, confidence. The density is stock over area; ridges of fields stand in their own
    class. Land of a class without density stands in a row with an empty stock.
    """
    table = stock_terms(land)
    table = table.assign(kind=[f.rpartition(":")[0] for f in table["factor"]])
    names = {r["carbon_class"]: r["name_zh"] for r in shipped_rows("parameters", "carbon_density")}
    known = carbon_factors(land.overrides)
    rows = []
    for kind in sorted(set(table["kind"]), key=lambda k: (k == "", k)):
        mine = table[table["kind"] == kind]
        area = float(mine.loc[~mine["factor"].str.endswith(tuple(f":{p}" for p in POOLS if p != "SOC")), "weight"].sum())
        if kind == "":
            rows.append(("", "没有碳密度的地类", area / len(POOLS), np.nan, np.nan, np.nan, np.nan, ""))
            continue
        whole = term_totals(mine, factors=known).iloc[0]
        confidence = known.loc[f"{kind}:SOC", "confidence"]
        rows.append((kind, names[kind], area, *(whole[c] / area for c in ("low", "value", "high")), whole["value"], confidence))
    return pd.DataFrame(rows, columns=["class", "zh", "area_ha", "density_low", "density", "density_high", "stock_t", "confidence"])


def carbon_totals(before: Land, after: Land | None, measure: np.ndarray | None, *, warming: float, warming_source: str) -> pd.DataFrame:
    """What a report says first: stock, flow, change, net emission of the plan (碳核算汇总).

    Columns item, zh, unit, value, low, high, known_share, note. Sums are over the patches that are known; `known_share` is their share of the area.
    """
    rows = [_total("stock", "现状碳储量", "吨碳", stock_terms(before), before, "各库合计"),
            _total("flow", "现状年净排放", "吨CO2当量/年", state_flow_terms(before, warming=warming), before, _FLOW_NOTE)]  # fmt: skip
    if after is not None and measure is not None:
        change = _difference(before, after)
        rows += [
            _total("stock_after", "方案后碳储量", "吨碳", stock_terms(after), after, "各库达到新的平衡之后"),
            _total("change", "碳储量变化", "吨碳", change, before, "同一地类前后相抵，不产生误差"),
            _total("change_co2", "碳储量变化折合", "吨CO2", change.assign(weight=change["weight"] * CO2_PER_C), before, "44/12"),
            _total("flow_after", "方案后年净排放", "吨CO2当量/年", state_flow_terms(after, warming=warming), after, _FLOW_NOTE),
        ]
        for year, zh in ((1, "方案净排放（完工后第1年）"), (2, "方案净排放（第2年起每年）")):
            table = plan_terms(before, after, measure, year=year, warming=warming)
            rows.append(_total(f"plan_year_{year}", zh, "吨CO2当量/年", table, before, f"相对于维持现状；甲烷增温潜势{warming:g}（{warming_source}）"))
    return pd.DataFrame(rows, columns=["item", "zh", "unit", "value", "low", "high", "known_share", "note"])


def carbon_used_factors(*lands: Land | None) -> pd.DataFrame:
    """Factors that the account rests on, with source and confidence (所用碳系数)."""
    kinds = {k for land in lands if land is not None for k in (service_classes(land.scheme, "carbon_class").get(str(c), "") for c in np.unique(land.code.astype(str)))}
    table = carbon_factors(next((land.overrides for land in lands if land is not None), None)).reset_index()
    density = table["factor"].str.contains(":")
    return table[~density | table["factor"].str.partition(":")[0].isin(kinds)].reset_index(drop=True)


def _difference(before: Land, after: Land) -> pd.DataFrame:
    old = stock_terms(before)
    return pd.concat([stock_terms(after), old.assign(weight=-old["weight"])], ignore_index=True)


def _each(table: pd.DataFrame, count: int, factors: pd.DataFrame) -> pd.DataFrame:
    return term_totals(table, table["row"].to_numpy(), groups=count, factors=factors)


def _named(table: pd.DataFrame, name: str, unit: str) -> dict[str, np.ndarray]:
    return {f"{name}_{unit}": table["value"].to_numpy(), f"{name}_low_{unit}": table["low"].to_numpy(), f"{name}_high_{unit}": table["high"].to_numpy()}


def _total(item: str, zh: str, unit: str, table: pd.DataFrame, land: Land, note: str) -> tuple[Any, ...]:
    lost = np.unique(table.loc[table["factor"] == "unknown", "row"].to_numpy(np.int64))
    whole = term_totals(table[~table["row"].isin(lost)], factors=carbon_factors(land.overrides)).iloc[0]
    known = 1.0 - float(land.area[lost].sum()) / float(land.area.sum())
    return item, zh, unit, whole["value"], whole["low"], whole["high"], known, note
