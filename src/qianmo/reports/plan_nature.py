"""Rain and soil of the region in the words of the plan (水文气象与土壤)."""

from __future__ import annotations

from typing import Any

import pandas as pd

from qianmo.reports.plan_material import Material, points
from qianmo.reports.table_nature import station_label
from qianmo.reports.typography import area_text, cell_text, percent_text
from qianmo.schema.book import Block, Paragraph
from qianmo.schema.units import M2_PER_HA

__all__ = ["climate_blocks", "soil_blocks"]

_MOST_SOILS = 3


def climate_blocks(m: Material) -> list[Block]:
    """Rain of the stations, or what the data do not hold."""
    stations = m.frame("rain_summary")
    if stations is None:
        return [Paragraph("本次数据不含水文、气象资料，本节由编制单位依据水文、气象部门资料补充。")]
    years = m.frame("rain_year")
    assert years is not None  # the summary is made from the same series
    texts = [_station_text(r, years[years["station_id"] == r["station_id"]]) for r in stations.to_dict("records")]
    first = stations.iloc[0]
    season = f"汛期按{first['flood_first_month']}月至{first['flood_last_month']}月统计，日降水量达到{first['threshold_mm']:g}毫米计为侵蚀性降雨（均为编制参数）"
    blocks: list[Block] = [Paragraph(f"降水采用{len(stations)}个雨量站的逐日资料。{season}。")]
    blocks += [Paragraph(texts[0] + _where(m))] if len(texts) == 1 else [Paragraph("各站降水情况如下" + _where(m).removesuffix("。") + "："), points(texts)]
    blocks += m.place("rain_station", "rain_year", "rain_month")
    return [*blocks, Paragraph("本次数据不含径流、气温、蒸发和灾害性天气资料，由编制单位依据水文、气象部门资料补充。")]


def soil_blocks(m: Material) -> list[Block]:
    """Soil types by area, or what the data do not hold."""
    rows = m.frame("soil_area")
    if rows is None:
        return [Paragraph("本次数据不含土壤图，本节由编制单位依据土壤普查成果补充。")]
    named = rows[rows["soil_code"] != ""]
    total = float(rows["area_m2"].sum())
    if named.empty:
        return [Paragraph("土壤图未覆盖整治区域，本节由编制单位依据土壤普查成果补充。"), *m.place("soil_area")]
    leading = "、".join(
        f"{r['soil_name'] or '未注明名称'}（代号{r['soil_code']}）{area_text(r['area_m2'])}，占{percent_text(r['area_m2'] / total)}" for r in named.head(_MOST_SOILS).to_dict("records")
    )
    bare = float(rows.loc[rows["soil_code"] == "", "area_m2"].sum())
    uncovered = f"土壤图未覆盖的有{area_text(bare)}。" if bare else ""
    head = f"土壤图记录土壤类型{len(named)}种，面积合计{area_text(m.total('soil_area', 'area_ha') * M2_PER_HA)}，面积居前的为{leading}{m.see('soil_area')}。{uncovered}"
    latin = "来源中的土种名称为拼音缩写，未附中文全名，由编制单位依据土壤普查资料补正。" if named["soil_name"].astype(str).str.fullmatch(r"[A-Za-z]+").any() else ""
    organic = named["topsoil_organic_share"]
    topsoil = f"表层有机质含量在{percent_text(organic.min())}至{percent_text(organic.max())}之间。" if organic.notna().any() else ""
    return [Paragraph(head + topsoil + latin), *m.place("soil_area")]


def _station_text(r: dict[str, Any], years: pd.DataFrame) -> str:
    name = station_label(r["station_id"], r["station_name"])
    height = f"，高程{cell_text(r['elevation_m'], '0.0')}米" if r["elevation_m"] == r["elevation_m"] else ""
    place = f"{name}（站号{r['station_id']}）位于东经{cell_text(r['longitude_deg'], '0.0000')}度、北纬{cell_text(r['latitude_deg'], '0.0000')}度{height}"
    gap = f"缺测{r['missing_days']}天，未作插补" if r["missing_days"] else "无缺测"
    span = f"资料自{_day(r['first_day'])}至{_day(r['last_day'])}，共{r['days']}天，{gap}"
    top = f"最大日降水量{_mm(r['wettest_mm'])}，出现在{_day(r['wettest_day'])}" if r["wettest_day"] is not None else "资料期内无降水"
    if not r["whole_years"]:
        return f"{place}。{span}；没有资料完整的年份，不计算多年平均值。{top}"
    whole = years[years["missing_days"] == 0]
    most, least = whole.loc[whole["rain_mm"].idxmax()], whole.loc[whole["rain_mm"].idxmin()]
    spread = f"最多的{most['year']}年为{_mm(most['rain_mm'])}，最少的{least['year']}年为{_mm(least['rain_mm'])}，" if len(whole) > 1 else ""
    flood = f"汛期降水占{percent_text(r['flood_share'])}；" if r["flood_share"] == r["flood_share"] else ""
    return (
        f"{place}。{span}。{len(whole)}个完整年份的平均年降水量{_mm(r['mean_year_mm'])}，{spread}{flood}"
        f"侵蚀性降雨平均每年{cell_text(r['mean_erosive_days'], '0.0')}天；{top}"
    )


def _where(m: Material) -> str:
    return f"{m.see('rain_station')}{m.see('rain_year')}{m.see('rain_month', map_key='rain_month')}。".replace("）（见", "、")


def _mm(value: float) -> str:
    return f"{cell_text(value, '0.0')}毫米"


def _day(day: Any) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
