"""Carbon and farmland quality in the words of the plan (碳核算与耕地质量说明)."""

from __future__ import annotations

from typing import Any

from qianmo.reports.plan_material import Material
from qianmo.reports.typography import cell_text, percent_text
from qianmo.schema.book import Block, Paragraph

__all__ = ["carbon_blocks", "quality_blocks"]


def carbon_blocks(m: Material) -> list[Block]:
    """Stock, change, yearly net emission and dredging, with ranges; nothing where no account was made."""
    totals = m.frame("carbon_total")
    if totals is None:
        return []
    row = {r["item"]: r for r in totals.to_dict("records")}
    text = f"碳核算按碳密度与碳流量系数表进行，排放为正、吸收为负。现状碳储量{_ranged(row['stock'])}{m.see('carbon_class', map_key='carbon')}。"
    if "change" in row:
        text += f"方案实施并达到新的平衡后，碳储量变化{_ranged(row['change'])}，折合{_ranged(row['change_co2'])}{m.see('carbon_total', map_key='carbon_change')}。"
    blocks: list[Block] = [Paragraph(text), *m.place("carbon_total", "carbon_class")]
    years = m.frame("carbon_year")
    if years is not None:
        last = years.iloc[-1]
        whole = {"value": last["sum"], "low": last["sum_low"], "high": last["sum_high"], "unit": "吨CO2当量"}
        crosses = "该区间跨过零，以现有系数不能判断方案是增汇还是增排，须以实测碳密度核定。" if last["sum_low"] < 0 < last["sum_high"] else ""
        say = (
            f"土壤碳按二十年左右逐年变化，生物质损失计入完工后第一年，恢复湿地按固碳速率与甲烷排放计，旱地改为水田的增加水田甲烷。"
            f"到{int(last['year'])}年，方案累计净排放{_ranged(whole)}{m.see('carbon_year')}。{crosses}施工能耗未计入。"
        )
        blocks += [Paragraph(say), *m.place("carbon_year")]
    if m.has("pond_dredge"):
        frame = m.frame("pond_dredge")
        assert frame is not None  # the printed table has rows
        how = str(frame["method"].iloc[0])
        blocks += [Paragraph(f"坑塘湿地修复的清淤量合计{cell_text(m.total('pond_dredge', 'cut_m3'), '#,##0.00')}立方米，按{how}计算{m.see('pond_dredge')}；清淤费用不含在投资估算的湿地修复单价内。"),
                   *m.place("pond_dredge")]  # fmt: skip
    return blocks


def quality_blocks(m: Material) -> list[Block]:
    """Mean grade before and after, what limits, suitability; nothing where no grading was made."""
    totals = m.frame("quality_total")
    if totals is None:
        return []
    row = {r["zh"]: r for r in totals.to_dict("records")}
    mean = row["平均质量等级"]
    if mean["before"] != mean["before"]:
        text = f"耕地质量指标不足，未能评定等级{m.see('quality_total')}。"
    else:
        text = f"按编制参数中的指标体系评定，现状耕地平均质量等级为{mean['before']:.2f}等（1等最好）{m.see('quality_grade_area', map_key='quality')}。"
    if mean["after"] == mean["after"]:
        old, new = row["原有耕地平均质量等级"], row["新增耕地平均质量等级"]
        text += f"整治后为{mean['after']:.2f}等" + (f"，其中原有耕地{old['after']:.2f}等" if old["after"] == old["after"] else "") + (f"，新增耕地{new['after']:.2f}等" if new["after"] == new["after"] else "")
        lower = "整治后平均等级低于现状，原因在于新增耕地质量较低，须安排培肥与配套工程。" if mean["after"] > mean["before"] + 0.005 and new["after"] > mean["before"] else ""
        text += f"{m.see('quality_total', map_key='quality_after')}。{lower}"
    limits = m.frame("quality_limiting")
    if limits is not None:
        named = "、".join(f"{r['zh']}（{percent_text(r['share'])}）" for r in limits.head(3).to_dict("records") if r["indicator"])
        text += f"主要限制因素为{named}{m.see('quality_limiting')}。" if named else ""
    return [Paragraph(text + "该指标体系不是部颁等级，报批前应换用当地指标、权重与分级。"), *m.place("quality_total", "quality_grade_area", "quality_limiting")]


def _ranged(row: dict[str, Any]) -> str:
    value, low, high = (cell_text(row[k], "#,##0.00") for k in ("value", "low", "high"))
    return f"{value}{row['unit']}（区间{low}至{high}）"
