"""Chapters on aims, layout, sub-projects, basic farmland, tenure (方案第六至十章)."""

from __future__ import annotations

from typing import Any

import pandas as pd

from qianmo.reports.plan_material import Material, points, section
from qianmo.reports.plan_state import verdict_counts
from qianmo.reports.table_frames import verdict_word
from qianmo.reports.typography import area_text, count_text, money_text, percent_text, quantity_text
from qianmo.schema.book import Block, Chapter, Paragraph

__all__ = ["aims_chapter", "basic_farmland_chapter", "layout_chapter", "subproject_chapter", "tenure_chapter"]

_MOST_NAMED = 12


def aims_chapter(m: Material) -> Chapter:
    """Aims, indicators before and after, verdict on the rules (目标与指标)."""
    blocks: list[Block] = [
        section(1, "总体目标"),
        Paragraph("守住耕地和永久基本农田、生态保护红线、城镇开发边界三条控制线，做到耕地数量不减少、质量有提升、布局更集中，建设用地总量不增加，生态功能不降低。"),
        section(2, "指标"),
    ]
    rows = m.frame("indicators")
    if rows is not None:
        five = rows[rows["group"] == "jingshan"]
        items = tuple(_change(r) for r in five.to_dict("records"))
        blocks += [Paragraph(f"整治前后主要指标变化如下{m.see('indicators')}："), points(items)] if items else []
    blocks += [*m.place("indicators"), section(3, "合规性审查")]
    verdicts = m.frame("verdicts")
    if verdicts is None:
        blocks.append(Paragraph("本次成果未附合规性审查结果。"))
    else:
        blocks.append(Paragraph(f"对照规则库逐条审查，共审查{verdict_counts(verdicts)}{m.see('verdicts')}。“规则文本待核实”指数据与规则不一致，但规则条文尚未与原文核对，不直接判定为不通过；“缺数据”指现有资料不足以判定。"))
        blocks += _named(verdicts, "fail", "判定为不通过、须整改的规则：") + _named(verdicts, "needs_confirmation", "须核对原文后判定的规则：")
    return Chapter("第六章", "目标与指标", tuple(blocks))


def layout_chapter(m: Material) -> Chapter:
    """Zones by village, change of classes, balance (整治分区与空间布局)."""
    blocks: list[Block] = [section(1, "整治分区")]
    if m.has("subproject"):
        where = m.see("", map_key="zoning")
        blocks.append(Paragraph(f"整治分区以行政村为单元，按村内整治面积最大的工程类别确定主导方向{where}。"))
    else:
        blocks.append(Paragraph("尚未安排整治工程，未划分整治分区。"))
    blocks.append(section(2, "整治前后地类变化"))
    flows = m.frame("flow_matrix")
    if flows is not None:
        moved = flows[flows["from_class"] != flows["to_class"]]
        blocks.append(
            Paragraph(f"整治后有{count_text(moved['patches'].sum())}个图斑改变地类，地类变化面积{area_text(moved['area_m2'].sum())}{m.see('flow', map_key='target')}，具体流向见[[table:flow_matrix]]。")
            if len(moved)
            else Paragraph("整治后没有图斑改变地类。")
        )
    blocks += m.place("flow")
    if m.has("flow_matrix"):
        blocks += m.place("flow_matrix")
    blocks.append(section(3, "用地平衡"))
    balance = m.frame("balance")
    if balance is not None:
        items = tuple(
            f"{r['item']}：整治前{area_text(r['before_m2'])}，整治后{area_text(r['after_m2'])}，{_net(r['net_m2'])}；"
            for r in balance.to_dict("records")
            if r["before_m2"] or r["after_m2"]
        )
        blocks += [Paragraph(f"主要用地平衡情况如下{m.see('balance')}："), points(items)]
    return Chapter("第七章", "整治分区与空间布局", (*blocks, *m.place("balance")))


def subproject_chapter(m: Material) -> Chapter:
    """Sub-projects by class (子项目安排)."""
    blocks: list[Block] = []
    rows = m.frame("subproject")
    if rows is not None:
        sums = rows.groupby("project_class", sort=False)[["area_m2", "new_farmland_m2", "cost_yuan"]].sum()
        counts = rows["project_class"].value_counts()
        items = tuple(
            f"{kind}：{counts[kind]}个，整治规模{area_text(r['area_m2'])}，新增耕地{area_text(r['new_farmland_m2'])}，投资{money_text(r['cost_yuan'])}；"
            for kind, r in sums.iterrows()
        )
        blocks += [
            Paragraph(
                f"本方案按行政村和工程类别共划分子项目{len(rows)}个，整治规模{area_text(rows['area_m2'].sum())}，投资{money_text(rows['cost_yuan'].sum())}"
                f"{m.see('subproject', map_key='subproject')}。各类子项目如下："
            ),
            points(items),
        ]
    return Chapter("第八章", "子项目安排", (*blocks, *m.place("subproject")))


def basic_farmland_chapter(m: Material) -> Chapter:
    """The national review form, or the words that nothing is moved (永久基本农田布局调整方案)."""
    where = m.see("", map_key="basic_farmland")
    if m.frame("basic_farmland_form") is not None:
        text = f"本方案涉及永久基本农田布局调整，调整情况按审查情况汇总表的格式逐项填列{m.see('basic_farmland_form', map_key='basic_farmland')}。调入地块须经验收合格、纳入国土调查成果后方可更新永久基本农田数据库。"
    elif m.swaps_basic_farmland is False:
        text = f"本方案不调整永久基本农田布局{where}，不填报审查情况汇总表。各项工程不得占用、破坏永久基本农田。"
    else:
        text = f"本次成果未提供永久基本农田调出调入数据{where}。如需调整布局，应另行编制调整方案，按“总体稳定、优进劣出”的原则论证，并填报审查情况汇总表。"
    blocks: list[Block] = [Paragraph(text)]
    verdicts = m.frame("verdicts")
    if verdicts is not None:
        blocks += _named(verdicts[verdicts["rule_id"].isin(["Z-02", "Z-03", "Z-04", "Z-05"])], "", "有关规则的判定：")
    return Chapter("第九章", "永久基本农田布局调整方案", (*blocks, *m.place("basic_farmland_form"), *_swap_blocks(m)))


def _swap_blocks(m: Material) -> list[Block]:
    """What moves, township by township and patch by patch, and what must be confirmed; nothing without a swap."""
    balance, moved = m.frame("swap_balance"), m.frame("swap_parcel")
    if balance is None or moved is None or not m.has("swap_moved"):
        return []
    total = balance[(balance["township_code"] == "*") & (balance["item"] == "total")].iloc[0]
    count = moved["decision"].value_counts()
    text = (
        f"调出{count_text(int(count.get('leave', 0)))}个图斑{area_text(total['out_m2'])}，调入{count_text(int(count.get('enter', 0)))}个图斑{area_text(total['in_m2'])}，"
        f"永久基本农田由{area_text(total['before_m2'])}变为{area_text(total['after_m2'])}。各乡镇、各等别的平衡见[[table:swap_balance]]，逐图斑理由见[[table:swap_moved]]。"
    )
    blocks: list[Block] = [Paragraph(text), *m.place("swap_balance", "swap_moved")]
    questions = m.frame("swap_questions")
    if questions is not None:
        sides = {"out": "调出", "in": "调入"}
        items = tuple(f"{sides[q['side']]}：{q['zh']}（{q['rule_id']}），涉及{count_text(int(q['units']))}个图斑" for q in questions.to_dict("records"))
        blocks += [Paragraph("以下条件现有资料不能判定，报批前须逐项核实："), points(items)]
    return blocks


def tenure_chapter(m: Material) -> Chapter:
    """Principles, and honestly what is not known (权属调整方案)."""
    blocks: list[Block] = [
        section(1, "权属现状"),
        Paragraph(f"本次成果没有经确认的权属调查、承包经营权和村民意愿资料，因此不编制权属调整的具体面积和对象{m.see('', map_key='tenure')}。[[table:tenure]]仅按村列出拟整治规模，供权属调查时核对。"),
        *m.place("tenure"),
        section(2, "调整原则"),
        Paragraph("权属调整应当依法、自愿、公开，先调查后调整，先公告后签约；集体土地所有权界线和承包经营权的调整须经农村集体经济组织依法表决，维护农民合法权益，不得强迫。"),
        section(3, "工作程序"),
        points(("开展权属调查，查清所有权、承包经营权和宅基地使用权；", "编制权属调整方案并公告；", "依法表决，签订权属调整协议；", "工程验收后办理变更登记，更新不动产登记簿。")),
    ]
    return Chapter("第十章", "权属调整方案", tuple(blocks))


def _named(verdicts: pd.DataFrame, verdict: str, lead: str) -> list[Block]:
    rows = verdicts[verdicts["verdict"] == verdict] if verdict else verdicts
    if rows.empty:
        return []
    items = [
        f"{r['rule_id']}：{r['text_zh']}" + ("" if verdict else f"——{verdict_word(r['verdict'], r['numbers'])}") + (f"（{r['margin']}）" if isinstance(r["margin"], str) and r["margin"] else "")
        for r in rows.head(_MOST_NAMED).to_dict("records")
    ]
    more = [f"其余{len(rows) - _MOST_NAMED}条见[[table:verdicts]]。"] if len(rows) > _MOST_NAMED else []
    return [Paragraph(lead), points(tuple(items + more))]


def _change(row: dict[str, Any]) -> str:
    before, after, unit = float(row["before"]), float(row["after"]), str(row["unit"])
    old, new, change = (quantity_text(v, unit) for v in (before, after, abs(after - before)))
    if old == new:
        return f"{row['zh']}：{old}，保持不变"
    rate = f"，变化率{percent_text((after - before) / before)}" if before else ""
    return f"{row['zh']}：由{old}变为{new}，{_signed(after - before)}{change}{rate}"


def _signed(change: float) -> str:
    return "增加" if change > 0 else "减少" if change < 0 else "变化"


def _net(change_m2: float) -> str:
    return f"净{_signed(change_m2)}{area_text(abs(change_m2))}" if change_m2 else "没有变化"
