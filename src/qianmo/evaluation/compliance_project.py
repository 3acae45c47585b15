"""Rules of the project as a whole: Z-01, Z-11, Z-14 to Z-21 (整治项目总体规则)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from qianmo.evaluation.answers import Measure, at_least, at_most, between, not_needed, numbers_in
from qianmo.evaluation.classes import flag, text_column
from qianmo.evaluation.facts import Answer, Facts, limit, mu, told, told_or
from qianmo.evaluation.fields import small_fields
from qianmo.schema.errors import MissingDataError
from qianmo.schema.rules import parameter, parameters, rule
from qianmo.schema.units import M2_PER_HA, mu_to_m2

__all__ = ["MEASURES", "class_area"]

DAYS_PER_YEAR = 365.25
COUNTY_DIGITS, TOWN_DIGITS = 6, 9


def class_area(facts: Facts, name: str, *, after: bool) -> float:
    """Class area of all patches with a flag, before or after the plan (某类用地面积) [m2]."""
    table = facts.planned if after else facts.before
    return float(table["class_area_m2"].to_numpy(float)[flag(table["class_code"], name, scheme=facts.scheme)].sum())


def _z01(facts: Facts) -> Answer:
    before, after = class_area(facts, "farmland", after=False), class_area(facts, "farmland", after=True)
    if before <= 0:
        raise MissingDataError("原有耕地面积(范围内没有耕地,比例不存在)")
    was = flag(facts.before["class_code"], "farmland", scheme=facts.scheme)
    now = flag(facts.planned["class_code"], "farmland", scheme=facts.scheme)
    gross = float(facts.planned["class_area_m2"].to_numpy(float)[now & ~was].sum())
    basis = str(facts.overrides.get("new_farmland_basis", parameters()["new_farmland_basis"].default))
    gain = gross if basis == "gross" else after - before
    least = limit(facts, "Z-01", "new_farmland_ratio_min")
    words = (
        f"整治前耕地 {mu(before)},整治后 {mu(after)},净增 {mu(after - before)}({(after - before) / before:.4%}),"
        f"新增(毛){mu(gross)}({gross / before:.4%}),判定口径 {'毛' if basis == 'gross' else '净'}增,应不少于 {mu(least * before)}"
    )
    answer = at_least("Z-01", gain / before, words, threshold=least)
    gap = gain - least * before
    margin = f"{'富余' if answer.ok else '差'} {mu(abs(gap))}"
    return Answer(answer.ok, answer.value, words, margin=margin, threshold=answer.threshold)


def _z11(facts: Facts) -> Answer:
    before, after = class_area(facts, "construction", after=False), class_area(facts, "construction", after=True)
    change = after - before
    words = f"整治前建设用地 {mu(before)},整治后 {mu(after)},变化 {mu(change)}"
    most = limit(facts, "Z-11")
    answer = at_most("Z-11", change / M2_PER_HA, words, threshold=most)
    margin = f"减少 {mu(abs(change))}" if change <= 0 else f"超出 {mu(change)}"
    return Answer(answer.ok, answer.value, words, margin=margin, threshold=f"{most:g}")


def _z14(facts: Facts) -> Answer:
    codes = text_column(facts.before, "village_code")
    if "village_code" in getattr(facts.layers.get("village"), "columns", ()):
        codes = text_column(facts.layers["village"], "village_code")
    codes = codes[codes != ""]
    if codes.empty or not codes.str.fullmatch(rf"\d{{{TOWN_DIGITS},}}").all():
        raise MissingDataError("村级代码 village_code(至少9位数字,用于识别乡镇和县)")
    towns, counties = codes.str[:TOWN_DIGITS].unique(), codes.str[:COUNTY_DIGITS].unique()
    words = f"涉及 {len(counties)} 个县({'、'.join(sorted(counties)[:5])})、{len(towns)} 个乡镇"
    return Answer(len(counties) == 1, float(len(towns)), words, threshold="同一县内的乡镇")


def _z15(facts: Facts) -> Answer:
    low, high = numbers_in(facts, "Z-15", 2)
    if facts.documents.get("start_date") is None and facts.works is not None and "year" in facts.works.columns:
        years = facts.works["year"].dropna()
        if len(years):
            span = float(years.max() - years.min() + 1)
            words = f"计划 {int(years.min())} 年至 {int(years.max())} 年,{span:g} 个年度"
            return between("Z-15", span, words, low=low, high=high)
    start, end = told(facts, "start_date", "end_date")
    span = round((end - start).days / DAYS_PER_YEAR, 1)
    return between("Z-15", span, f"{start} 至 {end},{span:g} 年", low=low, high=high)


def _z16(facts: Facts) -> Answer:
    consent, demolished = told(facts, "consent_rate", "demolition_share")
    least, most = numbers_in(facts, "Z-16", 2)
    ok = bool(round(consent - least, 9) >= 0 and round(most - demolished, 9) >= 0)
    words = f"同意率 {consent:.2%}(应≥{least:.1%}),拆除占现有建筑面积 {demolished:.2%}(应≤{most:.1%})"
    return Answer(ok, consent, words, margin=f"同意率 {consent - least:+.2%},拆除占比余 {most - demolished:+.2%}")


def _z17(facts: Facts) -> Answer:
    (complete,) = told(facts, "zhejiang_indicators_complete")
    return Answer(bool(complete), None, f"浙江指标表{'齐全' if complete else '不齐全'}")


def _z18(facts: Facts) -> Answer:
    land0, gdp0, land1, gdp1 = told(
        facts, "construction_2020_m2", "gdp_2020_yuan", "construction_target_year_m2", "gdp_target_year_yuan"
    )
    if min(land0, gdp0, gdp1) <= 0:
        raise MissingDataError("大于零的2020年建设用地、GDP与目标年GDP")
    drop = 1.0 - (land1 / gdp1) / (land0 / gdp0)
    return at_least("Z-18", drop, f"单位GDP建设用地下降 {drop:.2%}", threshold=limit(facts, "Z-18"))


def _z19(facts: Facts) -> Answer:
    before = small_fields(facts.before, scheme=facts.scheme, overrides=facts.overrides)
    merged = None if facts.works is None else facts.measure_of == "merge_fields"
    after = small_fields(facts.planned, scheme=facts.scheme, overrides=facts.overrides, merged=merged)
    size = facts.overrides.get("Z-19", mu_to_m2(parameter("small_patch_mu", facts.overrides)))
    change = before[0] - after[0]
    words = f"小于 {mu(float(size))} 的耕地图斑 {before[0]} 个({mu(before[1])})→ {after[0]} 个({mu(after[1])})"
    margin = f"减少 {change} 个" if change > 0 else f"增加 {-change} 个"
    return Answer(after[0] < before[0], float(change), words, margin=margin, threshold="0", unit="count", comparator=">")


def _z20(facts: Facts) -> Answer:
    (updated,) = told(facts, "basic_farmland_database_updated")
    if not updated:
        return not_needed("永农数据库尚未更新")
    (state,) = told(facts, "project_state")
    return Answer(state == "ACCEPTED", None, f"项目状态 {state},数据库已更新")


def _z21(facts: Facts) -> Answer:
    experts, people = told(facts, "acceptance_experts", "acceptance_villagers")
    p = facts.overrides
    low, high = parameter("expert_panel_min", p), parameter("expert_panel_max", p)
    _, _, least, most = numbers_in(facts, "Z-21", 4)
    least = parameter("villager_rep_min", p) if "villager_rep_min" in p else least
    ok = bool(low <= experts <= high and least <= people <= most)
    return Answer(ok, experts, f"专家 {experts:g} 人(应{low:g}-{high:g}),村民代表 {people:g} 人(应{least:g}-{most:g})")


def _z13(facts: Facts) -> Answer:
    if facts.documents.get("expansion_multiple_after") is not None:
        before, after = told(facts, "expansion_multiple_before", "expansion_multiple_after")
        change = after - before
        return at_most("Z-13", change, f"扩展倍数 {before:g} → {after:g}", threshold=limit(facts, "Z-13"), unit="倍")
    if told_or(facts, "urban_boundary_adjusted", False):
        raise MissingDataError("调整前后城镇开发边界扩展倍数(expansion_multiple_before、expansion_multiple_after)")
    boundary = facts.layer("urban_boundary", "城镇开发边界")
    outside = _new_construction_outside(facts)
    words = f"方案不调整城镇开发边界({len(boundary)} 个图斑),边界外新增建设用地 {outside:.2f} m2,扩展倍数变化 0"
    return Answer(outside <= parameter("conflict_tolerance_m2", facts.overrides), 0.0, words, threshold=rule("Z-13").threshold)


def _new_construction_outside(facts: Facts) -> float:
    was = flag(facts.before["class_code"], "construction", scheme=facts.scheme)
    now = flag(facts.planned["class_code"], "construction", scheme=facts.scheme)
    outside = facts.before["area_m2"].to_numpy(float) - facts.zones["udb_inside"].to_numpy()
    return float(np.maximum(outside, 0.0)[now & ~was].sum())


MEASURES: Mapping[str, Measure] = {
    "Z-01": _z01,
    "Z-11": _z11,
    "Z-13": _z13,
    "Z-14": _z14,
    "Z-15": _z15,
    "Z-16": _z16,
    "Z-17": _z17,
    "Z-18": _z18,
    "Z-19": _z19,
    "Z-20": _z20,
    "Z-21": _z21,
}
"""Measures of the rules of the project by rule id."""
