"""Daily discharge and sediment of a gauge from a file, and the lines that set the map beside it (出口实测泥沙)."""

from __future__ import annotations

from typing import Any

import pandas as pd

from qianmo.jobs.plain_table import plain_table
from qianmo.schema.errors import SchemaError
from qianmo.survey.erosion.outlet import gauged_load

__all__ = ["outlet_figures", "outlet_from", "outlet_words"]


def outlet_from(path: str) -> pd.DataFrame:
    """Load by year from a CSV with day, discharge_m3_s, sediment_g_l (出口观测).

    Raises
    ------
    SchemaError
        Columns are missing, a day is no date, a value no number; the rows are named.
    """
    table = plain_table(path, needed=("day", "discharge_m3_s", "sediment_g_l"), meaning="day 日期, discharge_m3_s 日均流量 (m³/s), sediment_g_l 含沙量 (g/L); 没有观测的留空")
    made = pd.DataFrame({"day": pd.to_datetime(table["day"], errors="coerce")})
    wrong = made["day"].isna()
    for column in ("discharge_m3_s", "sediment_g_l"):
        text = table[column].astype(object).where(table[column].notna(), "").astype(str).str.strip()
        made[column] = pd.to_numeric(text, errors="coerce")
        wrong |= made[column].isna() & (text != "")
    if wrong.any():
        raise SchemaError(f"{path}: 第 {', '.join(str(k + 2) for k in wrong[wrong].index[:8])} 行的日期或数值有误", expected="日期与数, 没有观测的留空", cure="改正这些行")
    return gauged_load(made)


def outlet_figures(table: pd.DataFrame, *, sediment_t_yr: float, area_ha: float) -> dict[str, Any]:
    """Figures of the comparison: what passed on the gauged days, their water as depth over the catchment, and the fullest year over the map."""
    full = table.loc[table["load_t"].idxmax()]
    return {
        "gauged_days": int(table["days"].sum()), "gauged_t": float(table["load_t"].sum()), "fullest_year": int(full["year"]), "fullest_days": int(full["days"]),
        "fullest_t": float(full["load_t"]), "fullest_water_mm": float(full["water_m3"] / (10.0 * area_ha)),
        "fullest_over_map": float(full["load_t"] / sediment_t_yr) if sediment_t_yr > 0 else float("nan"),
    }  # fmt: skip


def outlet_words(f: dict[str, Any], sediment_t_yr: float) -> list[str]:
    """What is said of it: never a yearly load, never a validation."""
    return [
        f"  出口实测: {f['gauged_days']} 天共 {f['gauged_t']:,.0f} 吨; 实测最多的 {f['fullest_year']} 年 {f['fullest_days']} 天 {f['fullest_t']:,.0f} 吨, 径流深 {f['fullest_water_mm']:,.0f} 毫米",
        f"  模型每年进入沟道 {sediment_t_yr:,.0f} 吨, 该年实测天数的输沙已是其 {f['fullest_over_map']:,.1f} 倍; 未测日的输沙未知, 不折算成年, 也不算检验: 沟蚀、崩岗与河岸不在模型内",
    ]
