"""Chapters on the region as it is: general, region, present use, problems, potential (方案前五章)."""

from __future__ import annotations

import pandas as pd

from qianmo.reports.plan_material import Material, points, section
from qianmo.reports.plan_nature import climate_blocks, soil_blocks
from qianmo.reports.plan_standard import pattern_blocks
from qianmo.reports.plan_survey import survey_sections
from qianmo.reports.table_frames import is_not_involved
from qianmo.reports.typography import area_text, count_text, money_text, percent_text, quantity_text, word
from qianmo.schema.book import Block, Chapter, Paragraph
from qianmo.schema.codes import FARMLAND_CODES
from qianmo.schema.units import M2_PER_HA

__all__ = ["general_chapter", "potential_chapter", "present_chapter", "problem_chapter", "region_chapter"]

_BASIS = (
    "《中华人民共和国土地管理法》及其实施条例；",
    "《自然资源部关于开展全域土地综合整治试点工作的通知》（自然资发〔2019〕194号）；",
    "《关于在国土空间规划中统筹划定落实三条控制线的指导意见》（中共中央办公厅、国务院办公厅，2019年）；",
    "《关于坚决制止耕地“非农化”行为的通知》（国办发明电〔2020〕24号）、《关于防止耕地“非粮化”稳定粮食生产的意见》（国办发〔2020〕44号）；",
    "《关于严格耕地用途管制有关问题的通知》（自然资发〔2021〕166号）；",
    "《关于改革完善耕地占补平衡管理的通知》（自然资发〔2024〕204号）；",
    "《永久基本农田保护红线管理办法》（2025年10月1日起施行）；",
    "本地国土空间规划、国土变更调查成果及省级实施细则（由编制单位补充文号）。",
)


def general_chapter(m: Material) -> Chapter:
    """Purpose, basis, extent, period, conclusions (总则)."""
    blocks: list[Block] = [
        section(1, "编制目的"),
        Paragraph(
            f"为统筹农用地整理、建设用地整理和生态保护修复，保护耕地和永久基本农田，优化农村用地布局，改善农村人居环境，"
            f"依据土地利用现状数据和国土空间规划控制线，编制《{m.project_name}实施方案》（以下简称“本方案”）。"
        ),
        section(2, "编制依据"),
        points(_BASIS),
        section(3, "整治范围与数据基础"),
        Paragraph(_extent(m)),
        Paragraph(f"面积和位置计算采用{m.crs_text}，数据时点为{m.vintage}。面积以数据集登记的图斑面积为准，1公顷等于15亩{m.see('lineage')}。"),
        section(4, "实施期限"),
        Paragraph(_period(m)),
        section(5, "主要结论"),
        *_conclusions(m),
    ]
    if m.synthetic:
        blocks += [
            section(6, "合成数据声明"),
            Paragraph(
                f"本方案使用了下列合成数据：{'、'.join(m.synthetic)}。合成数据按公开的规则生成，不代表真实情况；凡用到合成数据的表和图均已标注。"
                "在以正式成果替换合成数据之前，本方案仅供演示和方法检验，不得作为审批依据。"
            ),
        ]
    return Chapter("第一章", "总则", tuple(blocks))


def region_chapter(m: Material) -> Chapter:
    """Location, terrain, rain, soil, and what the data do not hold (区域概况与自然资源禀赋)."""
    blocks: list[Block] = [section(1, "地理位置"), Paragraph(f"整治区域的位置以经纬网表示{m.see('', map_key='location')}。本次未提供县级行政区划底图。")]
    blocks.append(section(2, "地形坡度"))
    slopes = m.frame("slope_classes")
    if slopes is None:
        blocks.append(Paragraph("本次数据不含坡度级别和数字高程模型，未作地形分析。"))
    else:
        farm = slopes["farmland_m2"].sum()
        steep = slopes.loc[slopes["slope_class"].astype(str) == "5", "farmland_m2"].sum()
        flat = slopes.loc[slopes["slope_class"].astype(str).isin(["1", "2"]), "farmland_m2"].sum()
        blocks.append(
            Paragraph(
                f"耕地中坡度6°及以下的有{area_text(flat)}，占{percent_text(_share(flat, farm))}；坡度大于25°的有{area_text(steep)}，"
                f"占{percent_text(_share(steep, farm))}{m.see('slope_classes', map_key='slope')}。"
            )
        )
        blocks += m.place("slope_classes")
    blocks += [section(3, "水文气象"), *climate_blocks(m), section(4, "土壤"), *soil_blocks(m)]
    blocks += [section(5, "人口与经济"), Paragraph("本次数据不含人口和经济统计资料，本节由编制单位依据统计年鉴和部门资料补充。")]
    return Chapter("第二章", "区域概况与自然资源禀赋", tuple(blocks))


def present_chapter(m: Material) -> Chapter:
    """Structure by class and village, quality, the three lines, tenure (土地利用现状)."""
    blocks: list[Block] = [section(1, "地类结构")]
    structure = m.frame("land_structure")
    if structure is not None:
        blocks.append(Paragraph(_structure_text(m, structure)))
    blocks += [*m.place("land_structure"), *pattern_blocks(m), section(2, "各村土地利用结构")]
    villages = m.frame("structure_by_village")
    if villages is not None:
        top = villages.loc[villages["farmland_m2"].idxmax()]
        blocks.append(
            Paragraph(
                f"整治区域涉及{len(villages)}个行政村，耕地最多的是{top['village_name']}，有{area_text(top['farmland_m2'])}{m.see('structure_by_village')}。"
            )
        )
    blocks += [*m.place("structure_by_village"), section(3, "耕地质量")]
    quality = m.frame("quality")
    if quality is not None:
        kinds = "、".join(word("quality_basis", b) for b in quality["basis"].unique())
        blocks.append(Paragraph(f"耕地质量按{kinds}统计{m.see('quality')}。" + ("代理指标不是耕地等别，不能用于等别比较。" if "GDDB" not in set(quality["basis"]) else "")))
    blocks += [*m.place("quality"), section(4, "控制线与图层重叠"), Paragraph(_conflict_text(m))]
    if m.has("conflicts"):
        blocks += m.place("conflicts")
    blocks += [section(5, "土地权属"), Paragraph("土地权属情况见第十章。")]
    return Chapter("第三章", "土地利用现状", tuple(blocks))


def problem_chapter(m: Material) -> Chapter:
    """Fragmentation, contiguity, idle land, the surveys the project holds, faults of the data (存在问题)."""
    blocks: list[Block] = [section(1, "耕地细碎")]
    fragments = m.frame("fragmentation")
    if fragments is not None:
        whole = fragments.iloc[-1]
        blocks.append(
            Paragraph(
                f"整治区域共有耕地图斑{count_text(whole['patches'])}个，平均每个{area_text(whole['mean_patch_m2'])}；3亩以下图斑{count_text(whole['small_patches'])}个，"
                f"面积{area_text(whole['small_area_m2'])}，占耕地面积的{percent_text(whole['small_share'])}；有效网格面积{whole['effective_mesh_ha']:.2f}公顷"
                f"{m.see('fragmentation')}。"
            )
        )
    blocks += [*m.place("fragmentation"), section(2, "耕地连片程度")]
    classes = m.frame("contiguity")
    if classes is not None:
        large = classes.iloc[-1]
        share = percent_text(_share(large["area_m2"], classes["area_m2"].sum()))
        blocks.append(
            Paragraph(f"连片规模{large['class_label']}的耕地有{count_text(large['blocks'])}片，面积{area_text(large['area_m2'])}，占{share}{m.see('contiguity')}。")
        )
    blocks += [*m.place("contiguity"), section(3, "闲置低效用地")]
    idle = m.frame("idle_land")
    if idle is not None:
        blocks.append(
            Paragraph(f"评价发现闲置低效用地及候选地块{len(idle)}处，面积{area_text(idle['area_m2'].sum())}{m.see('idle_kinds')}，其中候选地块须经实地核实后确认。")
        )
    blocks += m.place("idle_kinds")
    surveys = survey_sections(m)
    for number, (title, found) in enumerate(surveys, start=4):
        blocks += [section(number, title), *found]
    blocks += [section(4 + len(surveys), "数据质量"), Paragraph(_fault_text(m))]
    return Chapter("第四章", "存在问题", tuple(blocks))


def potential_chapter(m: Material) -> Chapter:
    """What could be done, where, at what cost, and what the rules keep back (整治潜力)."""
    options = m.frame("potential_summary")
    blocks: list[Block] = [section(1, "潜力测算方法"), Paragraph("逐图斑判断可实施的整治措施；与控制线、坡度等规则相抵触的图斑单列为受限图斑，不计入可实施面积。费用按单价表的低值、默认值和高值测算。")]
    blocks.append(section(2, "潜力规模"))
    if options is not None:
        some = options[options["area_m2"] > 0].sort_values("area_m2", ascending=False, kind="stable")
        items = tuple(
            f"{r['zh']}：图斑{count_text(r['patches'])}个，面积{area_text(r['area_m2'])}，费用{money_text(r['cost_yuan'])}"
            f"（区间{money_text(r['cost_low_yuan'])}至{money_text(r['cost_high_yuan'])}）"
            + (f"；另有{count_text(r['blocked_patches'])}个图斑受规则限制" if r["blocked_patches"] else "")
            + "。"
            for r in some.to_dict("records")
        )
        blocks += [Paragraph(f"各项措施的潜力如下{m.see('potential_summary', map_key='potential')}："), points(items)]
    return Chapter("第五章", "整治潜力", (*blocks, *m.place("potential_summary")))


def _extent(m: Material) -> str:
    parts = []
    if m.has("land_structure"):
        parts.append(f"整治区域总面积{area_text(m.total('land_structure', 'area_ha') * M2_PER_HA)}，图斑{count_text(m.total('land_structure', 'patches'))}个")
    villages = m.frame("structure_by_village")
    if villages is not None:
        names = "、".join(villages["village_name"].astype(str).head(12)) + ("等" if len(villages) > 12 else "")
        parts.append(f"涉及{names}，共{len(villages)}个行政村")
    return "，".join(parts) + f"{m.see('land_structure', map_key='present')}。" if parts else "本次未提供现状统计，整治范围由编制单位补充。"


def _period(m: Material) -> str:
    years = m.frame("year_plan")
    if years is None:
        return "尚未编制年度计划，实施期限待定。"
    first, last = int(years["year"].min()), int(years["year"].max())
    return f"本方案实施期限为{first}年至{last}年，共{last - first + 1}年{m.see('year_plan')}。"


def _conclusions(m: Material) -> list[Block]:
    said: list[str] = []
    rows = m.frame("indicators")
    farm = None if rows is None else rows[rows["key"] == "farmland_area"]
    if farm is not None and len(farm):
        r = farm.iloc[0]
        said.append(f"耕地面积由{quantity_text(r['before'], r['unit'])}变为{quantity_text(r['after'], r['unit'])}，变化{quantity_text(r['after'] - r['before'], r['unit'])}{m.see('indicators')}；")
    if m.has("subproject"):
        said.append(
            f"安排子项目{len(m.tables['subproject'].frame)}个，整治规模{area_text(m.total('subproject', 'area_ha') * M2_PER_HA)}，"
            f"新增耕地{area_text(m.total('subproject', 'new_farmland_ha') * M2_PER_HA)}{m.see('subproject')}；"
        )
    if m.has("cost_by_measure"):
        said.append(f"投资估算{money_text(m.total('cost_by_measure', 'total_wan') * 1e4)}{m.see('cost_by_measure')}；")
    verdicts = m.frame("verdicts")
    if verdicts is not None:
        said.append(f"合规性审查{verdict_counts(verdicts)}{m.see('verdicts')}。")
    return [points(said)] if said else [Paragraph("尚无评价和规划结果。")]


def verdict_counts(verdicts: pd.DataFrame) -> str:
    """Counts of the verdicts in words (合规判定计数)."""
    counts = verdicts["verdict"].value_counts()
    aside = int(verdicts["numbers"].map(is_not_involved).sum())
    named = "、".join(
        f"{word('verdict', v)}{counts.get(v, 0)}条" + (f"（含不涉及{aside}条）" if v == "pass" and aside else "")
        for v in ("pass", "fail", "needs_confirmation", "no_data")
    )
    return f"规则{len(verdicts)}条，其中{named}"


def _structure_text(m: Material, structure: pd.DataFrame) -> str:
    total = structure["class_area_m2"].sum()
    farm = structure.loc[structure["class_code"].isin(FARMLAND_CODES), "class_area_m2"].sum()
    big = structure.groupby("big_class")["class_area_m2"].sum()
    top = structure.nlargest(3, "class_area_m2")
    kinds = "，".join(f"{k}{area_text(big[k])}，占{percent_text(_share(big[k], total))}" for k in ("农用地", "建设用地", "未利用地") if k in big)
    leading = "、".join(f"{r['class_name']}（{percent_text(_share(r['class_area_m2'], total))}）" for r in top.to_dict("records"))
    return (
        f"整治区域地类面积合计{area_text(total)}，其中{kinds}。耕地{area_text(farm)}，占{percent_text(_share(farm, total))}。"
        f"面积居前的地类为{leading}{m.see('land_structure', map_key='present')}。"
    )


def _conflict_text(m: Material) -> str:
    rows = m.frame("conflicts")
    lines = "永久基本农田、生态保护红线和城镇开发边界的分布见[[map:three_lines]]。" if "three_lines" in m.maps else ""
    if rows is None:
        return lines + "本次成果没有图层叠加记录。"
    found = rows[rows["pairs"] > 0]
    against = found[found["rule_id"].fillna("").astype(str) != ""]
    if against.empty:
        return lines + f"图层两两叠加未发现违反规则的重叠{m.see('conflicts')}。"
    return lines + f"图层两两叠加发现违反规则的重叠{len(against)}类、{count_text(against['pairs'].sum())}处{m.see('conflicts')}，须在报批前逐处核实。"


def _fault_text(m: Material) -> str:
    rows = m.frame("faults_summary")
    if rows is None:
        return "本次成果未附数据质检汇总。"
    kinds = rows.groupby("severity")["count"].sum()
    named = "、".join(f"{word('fault_severity', s)}{count_text(kinds[s])}处" for s in ("error", "warning", "info") if s in kinds)
    return f"数据质检共记录问题{count_text(rows['count'].sum())}处，其中{named}{m.see('faults_summary')}。"


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0
