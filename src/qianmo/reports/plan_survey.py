"""Erosion, mining, goaf, motion and change in the words of the plan (专项调查说明)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from qianmo.reports.plan_material import Material
from qianmo.reports.table_survey import UNKNOWN_GRADE, WHOLE
from qianmo.reports.typography import cell_text, count_text, percent_text
from qianmo.schema.book import Block, Paragraph

__all__ = ["change_blocks", "erosion_blocks", "erosion_change_blocks", "goaf_blocks", "mining_blocks", "motion_blocks", "survey_sections"]

_MODULUS = "吨/（平方公里·年）"
_MOVEMENT = (("subsidence", "下沉", "0.0", "毫米"), ("tilt", "倾斜", "0.00", "毫米/米"), ("curvature", "曲率", "0.0000", "毫米/平方米"),
             ("horizontal_movement", "水平移动", "0.0", "毫米"), ("strain", "水平变形", "0.00", "毫米/米"))  # fmt: skip

_LENT = {"q": "下沉系数", "tan_beta": "主要影响角正切", "b": "水平移动系数", "k": "开采影响传播系数", "s1": "拐点偏移距s1", "s2": "拐点偏移距s2", "s3": "拐点偏移距s3", "s4": "拐点偏移距s4"}


def survey_sections(m: Material) -> list[tuple[str, list[Block]]]:
    """Title and blocks of each survey that the project holds, in the order of the book (专项调查各节)."""
    made = (
        ("水土流失", erosion_blocks(m)), ("采煤沉陷与损毁", mining_blocks(m)), ("采空区", goaf_blocks(m)), ("地表形变", motion_blocks(m)), ("土地变化监测", change_blocks(m)),
    )  # fmt: skip
    return [(title, blocks) for title, blocks in made if blocks]


def erosion_blocks(m: Material) -> list[Block]:
    """Loss, modulus, area by grade, factors, samples; nothing where no survey was made."""
    area, patches = m.frame("erosion_area"), m.frame("erosion_patch")
    if area is None or patches is None:
        return []
    whole, facts = area[area["zone"] == WHOLE], _facts(m, "erosion_facts")
    eroded, unknown = (float(whole.loc[rows, "area_ha"].sum()) for rows in (whole["grade"] >= 2, whole["grade"] == 0))
    cells = patches["cells"].to_numpy(float)
    modulus = float(np.nansum(patches["modulus_t_km2"].to_numpy(float) * cells) / cells.sum()) if cells.sum() else float("nan")
    allowed = f"，{facts['region']}容许土壤流失量为{facts['tolerance_t_km2']:g}{_MODULUS}" if "region" in facts else ""
    share = percent_text(eroded / float(whole["area_ha"].sum()))
    text = (
        f"按SL 190—2007水力侵蚀强度分级评价，全区土壤流失量{_said(whole['loss_t_yr'].sum(), '0.0')}吨/年，平均侵蚀模数{_said(modulus, '0.0')}{_MODULUS}{allowed}。"
        f"轻度以上侵蚀面积{_said(eroded, '0.00')}公顷，占{share}{m.see('erosion_total', map_key='erosion')}。"
        f"流失的土壤中进入沟道的泥沙{_said(patches['sediment_t_yr'].sum(), '0.0')}吨/年，泥沙输移比由连通性指数估算。"
    )
    text += f"另有{_said(unknown, '0.00')}公顷缺少因子，未能评价。" if unknown else ""
    known = f"以上为面蚀模型计算值，没有误差区间，不含沟蚀、崩岗与重力侵蚀。{_lent(m)}{_sampled(m)}"
    blocks = [Paragraph(text), *m.place("erosion_total"), Paragraph(known), *(m.place("erosion_sample") if m.has("erosion_sample") else [])]
    return [*blocks, *_other_kinds(m)]


def erosion_change_blocks(m: Material) -> list[Block]:
    """Loss before and after the plan, a rise named as one; nothing where it was not computed."""
    frame = m.frame("erosion_change")
    if frame is None:
        return []
    rows = frame[frame["zone"] == WHOLE]
    before, after = (float(rows[c].sum()) for c in ("loss_t_yr_before", "loss_t_yr_after"))
    sign = "增加" if after > before else "减少"
    advice = "须对新增侵蚀的图斑改坡为梯或调整用途。" if after > before else ""
    text = (
        f"按现状与方案两种地类状态分别计算，土壤流失量由{_said(before, '0.0')}吨/年变为{_said(after, '0.0')}吨/年，{sign}{_said(abs(after - before), '0.0')}吨/年"
        f"{m.see('erosion_change', map_key='erosion_after')}。两次计算除地类与梯田外各因子相同，差值没有误差区间。{advice}"
    )
    return [Paragraph(text), *m.place("erosion_change")]


def mining_blocks(m: Material) -> list[Block]:
    """Faces, largest movement, basin, damage of buildings and land; nothing where mining was not predicted."""
    faces = m.frame("subsidence_face")
    if faces is None:
        return []
    facts = _facts(m, "subsidence_facts")
    largest = dict(facts.get("largest", {}))
    moved = "、".join(f"{zh}{_said(largest[k], shape)}{unit}" for k, zh, shape, unit in _MOVEMENT if k in largest)
    state = str(facts.get("date") or "最终状态")
    text = f"用概率积分法预计{len(faces)}个工作面的地表移动变形（{state}{'状态' if state != '最终状态' else ''}）{m.see('subsidence_face', map_key='subsidence')}。"
    text += f"最大{moved}。" if moved else ""
    text += f"下沉{facts['edge_mm']:g}毫米边界内{_said(facts['basin_ha'], '0.00')}公顷。" if "basin_ha" in facts else ""
    lent = dict(facts.get("defaults", {}))
    text += f"{'、'.join(f'{_LENT.get(k, k)}（{n}个工作面）' for k, n in lent.items())}取编制参数的缺省值。" if lent else ""
    text += _charts(m, "subsidence_section", "主断面曲线与参数权衡")
    blocks: list[Block] = [Paragraph(text), *m.place("subsidence_face"), *_fitted(m)]
    houses, land = m.has("damage_building"), m.has("land_damage")
    parts = []
    if houses:
        t = m.tables["damage_building"].frame
        parts.append("房屋" + "、".join(f"{r['grade_zh']}级{count_text(r['buildings'])}栋" for r in t.to_dict("records")) + m.see("damage_building", map_key="damage"))
        over = float(t["needs_judgement"].sum())
        parts += [f"其中{count_text(over)}栋长度超过20米，分级表不适用，须专门鉴定"] if over else []
    if land:
        t = m.tables["land_damage"].frame
        parts.append("土地" + "、".join(f"{r['use']}{r['grade_zh']}损毁{_said(r['area_ha'], '0.00')}公顷" for r in t.to_dict("records")) + m.see("land_damage", map_key="" if houses else "damage"))
    blocks.append(Paragraph("；".join(parts) + "。损坏等级由预计的移动变形得出，没有误差区间，以观测站实测和现场鉴定为准。" if parts else "项目中没有房屋图层，或下沉范围内没有可定级的土地，未作损坏评价。"))
    return [*blocks, *(m.place("damage_building") if houses else []), *(m.place("land_damage") if land else [])]


def goaf_blocks(m: Material) -> list[Block]:
    """Zones with depth, confidence, stability and treatment, the charts of the lines; nothing where no line was interpreted."""
    seen = m.frame("goaf_anomaly")
    sections = sorted(k for k in m.maps if k.startswith("goaf_section_"))
    charts = f"测线剖面见{'、'.join(f'[[map:{k}]]' for k in sections)}。" if sections else ""
    if seen is None:
        return [Paragraph(f"已解释的物探测线未发现异常。{charts}")] if sections else []
    zones = m.frame("goaf_zone")
    if zones is None:
        return [Paragraph(f"物探发现异常{len(seen)}处，未能合成异常区{m.see('goaf_anomaly')}。{charts}"), *m.place("goaf_anomaly")]
    facts = _facts(m, "goaf_facts")
    overlap = facts["overlap_m2"] > 0.01
    blind, unjudged = int(zones["depth_m"].isna().sum()), int((zones["stability"] == "").sum())
    judged = zones.loc[zones["stability"] != "", "stability"].value_counts()
    text = f"综合物探测线{_with_motion(seen)}，发现异常{len(seen)}处{m.see('goaf_anomaly')}，"
    text += f"合成异常区{len(zones)}处，共占地{_said(facts['covered_m2'], '#,##0.00')}平方米{'（重叠处只计一次）' if overlap else ''}{m.see('goaf_zone', map_key='goaf')}。"
    text += f"场地稳定性为{'、'.join(f'{k}{n}处' for k, n in judged.items())}。" if len(judged) else ""
    text += f"{blind}处没有深度。" if blind else ""
    text += f"{unjudged}处资料不足，未判定稳定性，不等于稳定。" if unjudged else ""
    doubted = int((zones["doubt"].fillna("") != "").sum()) if "doubt" in zones else 0
    text += f"{doubted}处的定级有疑点（没有实测移动，或深厚比小），列于表中，不能据此认定稳定。" if doubted else ""
    known = zones["grout_m3"].notna()
    if known.any() and overlap:
        text += f"{int(known.sum())}处可估算注浆量，但异常区相互重叠{_said(facts['overlap_m2'], '#,##0.00')}平方米，各处注浆量不可相加，按市场单价默认值（置信度低）逐处列出。"
    elif known.any():
        text += f"{int(known.sum())}处可估算注浆量，合计{_said(zones['grout_m3'].sum(), '#,##0.00')}立方米，按市场单价默认值（置信度低）为{_said(zones['cost_wan'].sum(), '#,##0.00')}万元。"
    deep = zones[zones["depth_m"].notna()]
    listed = "、".join(f"{r['zone_id']}深{_said(r['depth_m'], '0.00')}±{_said(r['sigma_m'], '0.00')}米（置信度{r['confidence']:.2f}）" for r in deep.head(5).to_dict("records"))
    text += (f"{'主要' if len(deep) > 5 else ''}异常区深度：{listed}。" if listed else "") + charts
    return [Paragraph(text + "物探异常须经钻探验证后方可作为治理设计依据。"), *m.place("goaf_zone")]


def motion_blocks(m: Material) -> list[Block]:
    """Dates, reference, rates with their error, bowls, patches by grade, what was not seen; nothing where no stack was read."""
    told, dates = m.results.get("motion"), m.frame("motion_date")
    if not isinstance(told, Mapping) or dates is None:
        return []
    facts = _facts(m, "motion_facts")
    how = "由升降轨分解为垂直与东西向，看不见南北向移动" if told["is_two_tracks"] else "由单轨视线向按没有水平移动换算，单轨不能区分水平移动"
    edge = f"下沉{facts['edge_mm']:g}毫米以上的" if "edge_mm" in facts else ""
    text = (
        f"采用{told['first']}至{told['last']}的{count_text(told['dates'])}期雷达影像、{count_text(told['pairs'])}个干涉对，垂直速率{how}{m.see('motion_total', map_key='motion')}。"
        f"最大沉降速率{_said(-told['lowest_vertical_mm_yr'], '0.00')}毫米/年，垂直速率中误差中位数{_said(told['sigma_median_mm_yr'], '0.00')}毫米/年（68%）；"
        f"最后一期{edge}沉陷盆地{_said(told['area_ha'], '0.00')}公顷{m.see('motion_basin')}。速率相对参考点，参考点自身的移动不可知。"
        f"有速率的像元占{percent_text(told['seen_share'])}，没有速率的像元和图斑不代表没有形变。"
    )
    if not told.get("loops"):
        text += "没有闭合环，解缠未能检验。"
    if facts.get("edge_mm", np.inf) < 2 * told["scatter_median_mm"]:
        text += f"盆地边界小于单期噪声{_said(told['scatter_median_mm'], '0.0')}毫米的两倍，边缘不可靠。"
    if "east_p5_mm_yr" in told:
        text += (
            f"东西向速率（东为正）在{_said(told['east_p5_mm_yr'], '0.00')}至{_said(told['east_p95_mm_yr'], '0.00')}毫米/年之间（5%至95%分位），"
            f"中误差中位数{_said(told['east_sigma_median_mm_yr'], '0.00')}毫米/年{'；没有给航向，按正北与正南飞行分解' if told.get('is_north_south') else ''}。"
        )
    if "break_share" in told:
        text += f"趋势发生转折的像元占{percent_text(told['break_share'])}。"
    text += _charts(m, "motion_section", "速率与最快处的时序")
    blocks: list[Block] = [Paragraph(text), *m.place("motion_total", "motion_basin")]
    if not m.has("motion_grade"):
        return [*blocks, Paragraph("没有按图斑统计地表形变。")]
    t = m.tables["motion_grade"].frame
    said = "、".join(f"{r['grade']}{count_text(r['patches'])}个" for r in t.to_dict("records") if r["grade"] != UNKNOWN_GRADE)
    blank = float(t.loc[t["grade"] == UNKNOWN_GRADE, "patches"].sum())
    pond = "；没有高程资料，未判断积水风险" if t["pond"].isna().all() else f"；有新增积水风险的{count_text(t['pond'].sum())}个"
    lines = f"按图斑平均速率分级：{said or '没有可定级的图斑'}，没有数据的{count_text(blank)}个{m.see('motion_grade')}{pond}。"
    rows = m.frame("motion_patch")
    alarm = {} if rows is None or "mine_alarm" not in rows else {k: int((rows["mine_alarm"] == k).sum()) for k in ("红", "橙", "黄", "蓝")}
    lines += "矿区形变预警：" + ("、".join(f"{k}色{n}个" for k, n in alarm.items() if n) or "没有达到预警的图斑") + "。" if alarm else ""
    return [*blocks, Paragraph(lines), *m.place("motion_grade")]


def change_blocks(m: Material) -> list[Block]:
    """Changed area, lights of the fields, alarms of the series, what was not seen; nothing where no images were compared."""
    told, series = m.results.get("change"), m.results.get("change_series_facts")
    blocks: list[Block] = []
    if isinstance(told, Mapping):
        when = str(_facts(m, "change_facts").get("vintage") or "两期（影像日期未注明）").replace(" 至 ", "至")
        text = (
            f"比较{when}的影像，发现变化图斑{count_text(told['patches'])}个，面积{_said(told['changed_m2'] / 1e4, '0.00')}公顷{m.see('change_class', map_key='change')}；"
            f"小于最小上图面积、未上图的变化{_said(told['small_m2'] / 1e4, '0.00')}公顷。"
        )
        text += "" if told.get("shift_row") is not None else "两期影像是否配准未能判断。"
        text += f"有云而未看清的像元前期占{percent_text(told['cloudy_before'])}、后期占{percent_text(told['cloudy_after'])}。" if "cloudy_before" in told else "未作去云处理。"
        blocks += [Paragraph(text), *m.place("change_class")]
        if m.has("change_light"):
            t = m.tables["change_light"].frame
            sums = t.groupby("light", sort=False)["parcels"].sum()
            said = "、".join(f"{k}{count_text(n)}个" for k, n in sums.items())
            blocks += [Paragraph(f"耕地图斑按阈值判为{said}{m.see('change_light')}。红绿灯是遥感线索，不是非农化、非粮化的认定；无法判断和未看清的图斑须另取影像或现场核实。"), *m.place("change_light")]
        else:
            blocks.append(Paragraph("没有耕地图斑信号，未判红绿灯。"))
    if isinstance(series, Mapping):
        text = (
            f"逐期监测{count_text(series['dates'])}期影像的{count_text(series['parcels'])}个图斑，{series['history']}以后告警{count_text(series['alarms'])}个，"
            f"其中连续三次以上{count_text(series['sure'])}个{m.see('change_series')}。告警为线索，把握随重复次数增长。"
        )
        blocks.append(Paragraph(text))
    return blocks


def _charts(m: Material, key: str, what: str) -> str:
    """Where the charts of a survey stand."""
    found = sorted(k for k in m.maps if k.startswith(f"{key}_"))
    return f"{what}见{'、'.join(f'[[map:{k}]]' for k in found)}。" if found else ""


def _other_kinds(m: Material) -> list[Block]:
    """Kinds beside sheet erosion that were surveyed on the ground."""
    rows = m.frame("erosion_kind")
    if rows is None:
        return []
    worn = rows[rows["grade"] >= 2]
    said = "、".join(f"{zh}{_said(part['area_ha'].sum(), '0.00')}公顷" for zh, part in worn.groupby("kind_zh", sort=False))
    return [Paragraph(f"结合沟蚀、重力、风力与冻融侵蚀的实地调查，轻度以上侵蚀按主导类型为：{said or '无'}{m.see('erosion_kind')}。"), *m.place("erosion_kind")]


def _facts(m: Material, key: str) -> dict[str, Any]:
    return dict(m.results.get(key) or {})


def _said(value: float, shape: str) -> str:
    return cell_text(value, shape)


def _lent(m: Material) -> str:
    """Which factors are not of this place."""
    factors = m.frame("erosion_factor")
    lent = [] if factors is None else [f"{r['factor']}（{r['zh']}）" for r in factors.to_dict("records") if not r["is_local"]]
    return f"{'、'.join(lent)}取随附参数，不是本地资料，置信度低{m.see('erosion_factor')}。" if lent else f"各因子的取值与来源{m.see('erosion_factor')}。"


def _sampled(m: Material) -> str:
    rows = m.frame("erosion_sample")
    if rows is None:
        return "项目没有实测采样点，模型值未经检核。"
    off = rows["residual_t_km2"].dropna().to_numpy(float)
    rms = float(np.sqrt((off**2).mean()))
    return f"与{len(off)}个实测点相比，模型平均偏差{_said(float(off.mean()), '0.0')}{_MODULUS}、均方根差{_said(rms, '0.0')}{_MODULUS}{m.see('erosion_sample', map_key='erosion_sample')}。"


def _fitted(m: Material) -> list[Block]:
    rows = m.frame("subsidence_fit")
    if rows is None:
        return [Paragraph("没有观测资料，预计参数未经反演，预计值没有误差区间。")]
    source = m.frame("subsidence_fit_source")
    rms = "" if source is None else "，" + "、".join(f"{r['zh']}{count_text(r['count'])}个观测的残差{_said(r['rms_joint_mm'], '0.0')}毫米" for r in source.to_dict("records"))
    named = "、".join(f"{r['zh']}{_said(r['value'], '0.0000')}±{_said(r['sigma'], '0.0000')}" for r in rows.to_dict("records"))
    return [Paragraph(f"由观测反演的参数为{named}{rms}{m.see('subsidence_fit')}。"), *m.place("subsidence_fit")]


def _with_motion(seen: pd.DataFrame) -> str:
    lines = seen.loc[seen["method"] != "insar", "line"].nunique()
    return f"{lines}条" + ("与InSAR沉降区" if (seen["method"] == "insar").any() else "")
