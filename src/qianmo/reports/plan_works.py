"""Chapters on money, time, benefit, safeguards, and the annexes (方案第十一至十四章与附件)."""

from __future__ import annotations

import math
import re
from typing import Any

from qianmo.reports.plan_land import carbon_blocks, quality_blocks
from qianmo.reports.plan_material import Material, points, section
from qianmo.reports.plan_standard import service_value_blocks, standard_blocks
from qianmo.reports.plan_survey import erosion_change_blocks
from qianmo.reports.typography import area_text, count_text, money_text, percent_text, word
from qianmo.schema.book import Block, BookMap, Chapter, MapBlock, Paragraph
from qianmo.schema.rules import parameter
from qianmo.schema.units import M2_PER_HA

__all__ = ["annexes", "benefit_chapter", "money_chapter", "safeguard_chapter", "time_chapter"]

_TINY = 1e-9


def money_chapter(m: Material) -> Chapter:
    """Cost by measure with its range, money by source and year (投资估算与资金筹措)."""
    blocks: list[Block] = [section(1, "投资估算")]
    if m.has("cost_by_measure"):
        total, low, high, works, fees = (
            m.total("cost_by_measure", c) * 1e4 for c in ("total_wan", "total_low_wan", "total_high_wan", "works_wan", "fees_wan")
        )
        blocks.append(
            Paragraph(
                f"总投资{money_text(total)}，其中工程施工费{money_text(works)}，其他费用及不可预见费{money_text(fees)}{m.see('cost_by_measure')}。按单价的低值和高值计算，"
                f"总投资区间为{money_text(low)}至{money_text(high)}。单价为编制参数，报批前应以当地预算定额核定。"
            )
        )
    blocks += [*m.place("cost_by_measure"), section(2, "资金筹措")]
    funds = m.frame("funding")
    if funds is not None:
        whole = funds["yuan"].sum()
        sums = funds.groupby("source", sort=False)["yuan"].sum()
        named = "、".join(f"{s}{money_text(v)}（{percent_text(v / whole)}）" for s, v in sums.items() if v > 0) if whole else ""
        blocks.append(Paragraph(f"资金来源为{named}{m.see('funding')}。各来源比例为编制参数，须经资金主管部门核定；不得新增地方政府隐性债务。"))
    return Chapter("第十一章", "投资估算与资金筹措", (*blocks, *m.place("funding")))


def time_chapter(m: Material) -> Chapter:
    """Works and money by year (进度安排)."""
    blocks: list[Block] = []
    rows = m.frame("year_plan")
    if rows is not None:
        items = tuple(
            f"{int(r['year'])}年：完工子项目{count_text(r['subprojects'])}个，完成整治规模{area_text(r['area_m2'])}，新增耕地{area_text(r['new_farmland_m2'])}，当年投资{money_text(r['cost_yuan'])}；"
            for r in rows.to_dict("records")
        )
        blocks += [Paragraph(f"子项目按完工年度计入规模，投资按施工年度均摊。年度任务安排如下{m.see('year_plan', map_key='sequence')}："), points(items)]
    return Chapter("第十二章", "进度安排", (*blocks, *m.place("year_plan")))


def benefit_chapter(m: Material) -> Chapter:
    """Only what was computed; the rest is named as not computed (效益分析)."""
    blocks: list[Block] = [section(1, "耕地与粮食生产条件")]
    if m.has("subproject"):
        new = m.total("subproject", "new_farmland_ha") * M2_PER_HA
        blocks.append(Paragraph(f"实施后新增耕地{area_text(new)}{m.see('subproject')}，耕地破碎化和连片度变化{m.see('indicators') or '未计算'}。"))
    else:
        blocks.append(Paragraph("尚无规划结果，未测算。"))
    blocks += [*quality_blocks(m), *standard_blocks(m)]
    blocks.append(section(2, "生态效益"))
    costs = m.frame("cost_by_measure")
    green = None if costs is None else costs[costs["project_class"] == "生态保护修复"]
    if green is not None and len(green):
        named = "、".join(f"{r['zh']}{area_text(r['area_m2'])}" for r in green.to_dict("records"))
        blocks.append(Paragraph(f"安排生态保护修复工程：{named}{m.see('cost_by_measure')}。"))
    else:
        blocks.append(Paragraph("本方案未安排生态保护修复工程。"))
    services = m.has("service_check") or m.has("carbon_total")
    if m.has("service_check"):
        text = "碳储量、土壤流失、生态系统服务价值、耕地质量和生境的变化按随附系数表测算，系数多为一般值，属筛查性估算；选择方案用线性估算，方案确定后按规划后图斑精确复算"
        blocks += [Paragraph(f"{text}，两者之差见[[table:service_check]]。"), *m.place("service_check"), *_service_notes(m)]
    blocks += [*erosion_change_blocks(m), *carbon_blocks(m), *service_value_blocks(m)]
    absent = ("农业产值、就业和农民收入", "产量、价格和用工") if services else ("农业产值、就业、农民收入和碳汇量", "产量、价格、用工和碳密度")
    blocks += [
        section(3, "未测算的效益"),
        Paragraph(f"本次成果未测算{absent[0]}。上述内容缺少{absent[1]}等当地资料，由编制单位补充，不以估计数代替。"),
    ]
    return Chapter("第十三章", "效益分析", tuple(blocks))


def _service_notes(m: Material) -> list[Block]:
    """How each service was recomputed, and what was left out for want of data."""
    rows = m.frame("service_check")
    return [] if rows is None else [Paragraph("精确复算的口径如下："), points(tuple(f"{r['zh']}：{r['note']}" for r in rows.to_dict("records")))]


def safeguard_chapter(m: Material) -> Chapter:
    """Organisation, participation, upkeep, risks (保障措施)."""
    years = parameter("maintenance_years")
    consent = percent_text(parameter("consent_ratio"))
    blocks: list[Block] = [
        section(1, "组织保障"),
        Paragraph("由县级人民政府统筹，乡镇人民政府组织实施，自然资源、农业农村、生态环境、财政等部门联合审查，按职责监督。"),
        section(2, "公众参与"),
        Paragraph(f"实施前应公示方案并征求村民意见，涉及村民权益的事项须依法表决，同意比例不低于{consent}（编制参数）。本次成果未附村民表决、公示和部门意见材料，须在报批前补齐。"),
        section(3, "验收与后期管护"),
        Paragraph(
            f"工程完成后由县级组织多部门联合验收，专家{parameter('expert_panel_min'):g}至{parameter('expert_panel_max'):g}人，村民代表不少于{parameter('villager_rep_min'):g}人；"
            f"验收后管护期不少于{years:g}年，落实管护主体、资金和责任。"
        ),
        section(4, "风险与对策"),
    ]
    if m.has("risks"):
        levels = m.tables["risks"].frame["level"].value_counts()
        named = "、".join(f"{k}风险{levels[k]}项" for k in ("高", "中", "低") if k in levels)
        blocks.append(Paragraph(f"依据合规性审查和数据质检结果，识别风险{int(levels.sum())}项，其中{named}{m.see('risks')}。"))
    return Chapter("第十四章", "保障措施、公众参与与后期管护", (*blocks, *m.place("risks")))


def annexes(m: Material, maps: tuple[BookMap, ...]) -> list[Chapter]:
    """Verdicts, proof of the plan, sources of the data, map sheets (附件)."""
    proof = Chapter("附件二", "规划方案最优性证明", tuple(_proof(m)))
    sources = Chapter("附件三", "数据来源与质检", (Paragraph("各数据集的来源文件、指纹、坐标系和时点如下，据此可追溯本方案的全部数字。"), *m.place("lineage", "faults_summary")))
    made = [Chapter("附件一", "合规性审查表", tuple(m.place("verdicts"))), proof, sources]
    if maps:
        made.append(Chapter("附件四", "附图", tuple(MapBlock(b.key) for b in maps)))
    return made


def _proof(m: Material) -> list[Block]:
    record = m.certificate
    if not record:
        return [Paragraph("本次成果未附规划方案的最优性证书。")]
    digits, cases = _digits(record["gap_abs"]), int(record.get("cases", 1))
    reached, bound, gap = (_score(record[k], digits) for k in ("objective", "bound", "gap_abs"))
    divided = f"该上界分{cases}种情形证明：按是否采用个别措施，把全部可能的方案划分为{cases}种情形，任一方案恰属其中一种，各情形上界中的最大者即为全部方案的上界。" if cases > 1 else ""
    blocks: list[Block] = [
        Paragraph(
            f"规划方案由优化计算得出。参与计算的图斑{count_text(record['n_parcels'])}个，可选措施{count_text(record['n_options'])}项。"
            f"方案综合得分为{reached}；可以证明，在同样的约束条件下，任何方案的得分都不会高于{bound}。"
            f"两者相差{gap}，占最大可能改进量的{_fine_percent(record['gap_rel'])}。也就是说，即使继续寻找更好的方案，得分至多再提高这一差额。{divided}"
        ),
        Paragraph(f"求解方法：{_method(record)}；求解器：{word('solver', record['solver'])}{_seconds(record)}。上界由证明文件中的影子价格直接推出，不依赖求解器的声明，可由独立的核验程序逐项重算{m.see('checks')}。"),
    ]
    binding = [x for x in record.get("limits") or [] if abs(float(x.get("price") or 0)) > _TINY]
    whose = "该情形的" if cases > 1 else ""
    if binding:
        items = tuple(f"{x['zh']}（{x['rule_id'] or x['id']}）：影子价格{float(x['price']):.6g}，即限值每放宽1个单位，{whose}得分上界至多提高该数；" for x in binding)
        blocks += [Paragraph("对结果起决定作用的约束如下" + ("（影子价格取自上界最大的情形）：" if cases > 1 else "：")), points(items)]
    elif record.get("limits"):
        blocks.append(Paragraph("各项约束均有富余，没有约束对结果起决定作用。"))
    return [*blocks, *m.place("limits", "checks")]


def _method(record: dict[str, Any]) -> str:
    """Steps of the search; a number in one (of steps, of cases) is put back into its Chinese word."""
    steps = str(record["method"]).split(", ")
    return "，".join(word("method", re.sub(r"\d+", "N", s)).replace("N", "".join(re.findall(r"\d+", s)[:1])) for s in steps)


def _seconds(record: dict[str, Any]) -> str:
    taken = record.get("time_s")
    return f"；用时{float(taken):.1f}秒" if taken else ""


def _digits(gap: float) -> int:
    """Decimals that show two figures of a gap: 2 to 6."""
    return min(6, max(2, 1 - math.floor(math.log10(gap)))) if gap > 0 else 2


def _score(value: float, digits: int) -> str:
    return f"{float(value):.{digits}f}"


def _fine_percent(share: float) -> str:
    return percent_text(share) if abs(share) >= 1e-2 or share == 0 else f"{share * 100:.3g}%"


