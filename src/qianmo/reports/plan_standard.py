"""Evaluations by the quality standards, service value and landscape pattern in the words of the plan (标准评价、服务价值与景观格局说明)."""

from __future__ import annotations

from typing import Any

import pandas as pd

from qianmo.reports.plan_material import Material
from qianmo.reports.table_standard import is_own
from qianmo.reports.typography import cell_text, percent_text
from qianmo.schema.book import Block, Paragraph

__all__ = ["pattern_blocks", "service_value_blocks", "standard_blocks"]


def standard_blocks(m: Material) -> list[Block]:
    """Gradation, reclamation and high-standard farmland; nothing of what was not evaluated (按标准评价)."""
    return [*_gradation(m), *_reclamation(m), *_high_standard(m)]


def service_value_blocks(m: Material) -> list[Block]:
    """Value before and after and the classes on whose equivalents it hangs (生态系统服务价值)."""
    if not m.has("service_value"):
        return []
    rows = m.tables["service_value"].frame
    before, after = rows["value_wan"].sum(), rows["value_after_wan"]
    text = f"按当量因子法，现状生态系统服务价值为{cell_text(before, '#,##0.00')}万元/年"
    text += f"，整治后为{cell_text(after.sum(), '#,##0.00')}万元/年" if after.notna().any() else ""
    main = rows[rows["sensitivity"] > 0].nlargest(3, "sensitivity")
    text += f"{m.see('service_value')}。" + (f"对当量最敏感的是{'、'.join(f'{a}（{v:.2f}）' for a, v in zip(main['zh'], main['sensitivity']))}。" if len(main) else "")
    lost = rows[rows["source"].str.startswith("没有当量")]
    text += f"没有当量的地类{cell_text(lost['area_ha'].sum(), '0.00')}公顷未计入。" if len(lost) else ""
    return [Paragraph(text + "该值为均值移用，只宜比较大小，不是市场价值，也不能作为补偿标准。"), *m.place("service_value")]


def pattern_blocks(m: Material) -> list[Block]:
    """Indices of the whole and of the classes; nothing where they were not computed (景观格局)."""
    if not m.has("pattern_whole"):
        return []
    known = m.tables["pattern_whole"].frame.set_index("code")["value"]
    said = "、".join(
        f"{word}{cell_text(known[code], shape)}{unit}" for code, word, shape, unit in
        (("NP", "斑块", "integer", "个"), ("MESH", "有效网格面积", "0.00", "公顷"), ("ED", "边缘密度", "0.00", "米/公顷"), ("SHDI", "香农多样性指数", "0.00", "")) if code in known.index
    )  # fmt: skip
    return [Paragraph(f"按图斑计算的景观格局为{said}{m.see('pattern_whole')}，分地类指数{m.see('pattern_class')}。"), *m.place("pattern_whole", "pattern_class")]


def _gradation(m: Material) -> list[Block]:
    if not m.has("gradation_total"):
        return []
    rows = _by_item(m, "gradation_total")
    text = f"按GB/T 28407农用地分等规程评定，{_both(rows['natural_grade'], '平均自然质量等别')}"
    used = rows.get("use_grade")
    text += f"，{_both(used, '平均利用等别')}" if used is not None and used["before"] == used["before"] else "，缺少产量或利用系数，未评利用等与经济等"
    text += f"，{_both(rows['capacity'], '耕地产能')}" if "capacity" in rows and rows["capacity"]["before"] == rows["capacity"]["before"] else ""
    text += f"，新增耕地平均{rows['new_grade']['after']:.2f}等" if "new_grade" in rows and rows["new_grade"]["after"] == rows["new_grade"]["after"] else ""
    source = "分等参数采用本县参数表。" if is_own(m.results, "gradation") else "分等参数为随包示例，置信度低，所得不是正式等别，报批前须换用本县分等参数。"
    return [Paragraph(f"{text}{m.see('gradation_total')}。等别越小越好。{source}"), *m.place("gradation_total", "gradation_grade_area")]


def _reclamation(m: Material) -> list[Block]:
    if not m.has("reclamation_total"):
        return []
    rows = m.tables["reclamation_total"].frame
    area, passed, bad = (float(rows[c].sum()) for c in ("area_ha", "pass_ha", "fail_ha"))
    doubtful, waiting, blank = (float(rows[c].sum()) for c in ("needs_confirmation_ha", "pending_ha", "no_data_ha"))
    parts = [f"{word}{cell_text(v, '0.00')}公顷" for word, v in (("达标", passed), ("不达标", bad), ("不达标但条文待核", doubtful), ("产量未到期", waiting), ("资料不全", blank)) if v > 0]
    text = f"按TD/T 1036土地复垦质量控制标准评价有样点的地块{cell_text(rows['parcels'].sum(), 'integer')}个、{cell_text(area, '0.00')}公顷，其中{'，'.join(parts)}{m.see('reclamation_total')}。"
    blocks: list[Block] = [Paragraph(text + ("" if is_own(m.results, "reclamation") else "控制指标为随包条文，须核对原文。")), *m.place("reclamation_total")]
    return blocks + (m.place("reclamation_short") if m.has("reclamation_short") else [])


def _high_standard(m: Material) -> list[Block]:
    if not m.has("high_standard_total"):
        return []
    rows = {r["item"]: r for r in _frame(m, "high_standard_total").to_dict("records")}
    whole = float(rows["farmland"]["value"])
    parts = [f"{r['zh'].removeprefix('其中')}{cell_text(r['value'], '0.00')}公顷（{percent_text(r['value'] / whole)}）" for k, r in rows.items() if k in ("met", "partly", "short", "unknown") and r["value"] > 0]
    text = f"按GB/T 30600高标准农田建设通则逐指标评分，耕地{cell_text(whole, '0.00')}公顷中{'，'.join(parts)}{m.see('high_standard_total')}。"
    if rows["cost"]["value"] > 0:
        low, cost, high = (cell_text(rows[k]["value"], "#,##0.00") for k in ("cost_low", "cost", "cost_high"))
        text += f"补齐差距的改造提升投资约{cost}万元（{low}至{high}万元）。"
    blocks: list[Block] = [Paragraph(text + ("" if is_own(m.results, "high_standard") else "评分限值为随包参数，置信度中低，须核对条文。")), *m.place("high_standard_total", "high_standard_area")]
    return blocks + (m.place("high_standard_work") if m.has("high_standard_work") else [])


def _frame(m: Material, key: str) -> pd.DataFrame:
    found = m.frame(key)
    assert found is not None  # the printed table has rows
    return found


def _by_item(m: Material, key: str) -> dict[str, dict[str, Any]]:
    return {str(r["item"]): {str(k): v for k, v in r.items()} for r in _frame(m, key).to_dict("records")}


def _both(row: dict[str, Any], word: str) -> str:
    """Before and after of one figure, each only where it is known."""
    if row["before"] != row["before"]:
        return f"{word}未能评定"
    later = f"，整治后{row['after']:.2f}{row['unit']}" if row["after"] == row["after"] else ""
    return f"现状{word}{row['before']:.2f}{row['unit']}{later}"
