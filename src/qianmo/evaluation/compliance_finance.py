"""Rules of finance: F-01 to F-14 (投融资、股权与光伏规则)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from qianmo.evaluation.answers import Measure, all_true, at_least, at_most, between, never, no_overlap, not_needed, numbers_in
from qianmo.evaluation.classes import farmland
from qianmo.evaluation.facts import Answer, Facts, limit, told, told_or
from qianmo.geo.overlay import share_inside
from qianmo.schema.errors import MissingDataError
from qianmo.schema.measures import measures
from qianmo.schema.rules import parameter

__all__ = ["MEASURES", "feedback_ratio"]

SOLAR = ("ZA19", "ZA20")


def feedback_ratio(*, industry_net: float, quota: float, subsidy: float, ecology_cost: float) -> float:
    """Self-balance of an EOD package (反哺比): present values of industry, quota and subsidy over that of the restoration.

    >>> round(feedback_ratio(industry_net=11703.64, quota=5339.98, subsidy=0.0, ecology_cost=9716.98), 4)
    1.754
    """
    return (industry_net + quota + subsidy) / ecology_cost


def _f01(facts: Facts) -> Answer:
    industry, quota, cost = told(facts, "industry_net_yuan", "quota_income_yuan", "ecology_cost_yuan")
    subsidy = float(told_or(facts, "subsidy_yuan", 0.0))
    if cost <= 0:
        raise MissingDataError("大于零的生态治理成本现值(ecology_cost_yuan)")
    ratio = feedback_ratio(industry_net=industry, quota=quota, subsidy=subsidy, ecology_cost=cost)
    words = f"现值:产业净收益 {industry:.2f} + 指标 {quota:.2f} + 补助 {subsidy:.2f},治理成本 {cost:.2f} 元"
    return at_least("F-01", ratio, words, threshold=limit(facts, "F-01"))


def _f02(facts: Facts) -> Answer:
    guarantee, buyback = told(facts, "government_guarantee", "government_buyback")
    count = float(guarantee) + float(buyback)
    return Answer(count == 0, count, f"政府担保{'有' if guarantee else '无'},回购承诺{'有' if buyback else '无'}", unit="items")


def _f04(facts: Facts) -> Answer:
    count, money, level = told(facts, "eod_subprojects", "eod_investment_yuan", "eod_level")
    most, city, county = numbers_in(facts, "F-04", 3)
    if level not in ("city", "county"):
        raise MissingDataError(f"项目层级 eod_level(city 或 county,现为 {level})")
    cap = city if level == "city" else county
    words = f"子项目 {count:g} 个(应≤{most:g}),投资 {money / 1e8:.2f} 亿元(应≤{cap:g})"
    return Answer(count <= most and money / 1e8 <= cap, count, words, unit="count", threshold=f"{most:g}")


def _f05(facts: Facts) -> Answer:
    score, single = told(facts, "linkage_score", "single_implementer")
    least = limit(facts, "F-05", "link_score_min")
    answer = at_least("F-05", score, f"关联度 {score:g},单一实施主体{'是' if single else '否'}", threshold=least)
    return Answer(bool(answer.ok and single), score, answer.numbers, margin=answer.margin, threshold=answer.threshold)


def _f06(facts: Facts) -> Answer:
    (term,) = told(facts, "concession_years")
    return at_most("F-06", term, f"特许经营期 {term:g} 年", threshold=limit(facts, "F-06", "ppp_max_term"))


def _f08(facts: Facts) -> Answer:
    share, required = told(facts, "private_share", "private_share_required")
    return at_least("F-08", share, f"民企股比 {share:.2%},清单要求 {required:.2%}", threshold=required)


def _f09(facts: Facts) -> Answer:
    (share,) = told(facts, "exit_private_share")
    low, high = parameter("exit_floor", facts.overrides), parameter("exit_cap", facts.overrides)
    return between("F-09", share, f"社会资本分享比例 {share:.2%}", low=low, high=high)


def _without_solar(facts: Facts) -> bool:
    """True when the plan is known and has no photovoltaic works, neither as a measure nor as a layer."""
    if facts.layers.get("photovoltaic") is not None or told_or(facts, "photovoltaic_planned", False):
        return False
    if facts.works is None and facts.documents.get("photovoltaic_planned") is None:
        raise MissingDataError("规划措施图斑 plan_parcel 或光伏用地图层 photovoltaic(有无光伏项目未知)")
    used = set() if facts.works is None else set(facts.measure_of) - {""}
    return not any(measures()[m].activity_id in SOLAR for m in used)


def _solar_on(facts: Facts, rows: np.ndarray) -> float:
    arrays = facts.layer("photovoltaic", "光伏用地")
    share = np.zeros(len(facts.before))
    share[rows] = share_inside(facts.before.geometry.to_numpy()[rows], arrays.geometry.to_numpy())
    return float((share * facts.before["area_m2"].to_numpy(float)).sum())


def _f11(facts: Facts) -> Answer:
    if _without_solar(facts):
        return not_needed("方案措施中无光伏")
    arrays = facts.layer("photovoltaic", "光伏用地")
    kept = facts.layer("basic_farmland", "永久基本农田")
    share = share_inside(arrays.geometry.to_numpy(), kept.geometry.to_numpy())
    area = float((share * arrays.geometry.area.to_numpy()).sum())
    tolerance = parameter("conflict_tolerance_m2", facts.overrides)
    if area > tolerance:
        return no_overlap(area, tolerance, "光伏用地与永久基本农田(图上面积)")
    (others,) = told(facts, "photovoltaic_off_grassland_and_forest")
    words = f"永农内光伏 {area:.2f} m2;基本草原、Ⅰ级保护林地、重点国有林区{'未' if others else '有'}占用"
    return Answer(bool(others), area, words)


def _f12(facts: Facts) -> Answer:
    if _without_solar(facts):
        return not_needed("方案措施中无光伏")
    area = _solar_on(facts, np.flatnonzero(farmland(facts.before, scheme=facts.scheme)))
    return no_overlap(area, parameter("conflict_tolerance_m2", facts.overrides), "光伏方阵与耕地图斑")


def _f13(facts: Facts) -> Answer:
    if _without_solar(facts):
        return not_needed("方案措施中无光伏")
    rain, cover = told(facts, "yearly_rain_mm", "shrub_cover_pct")
    most_rain, most_cover = numbers_in(facts, "F-13", 2)
    words = f"年降水 {rain:g} mm(应<{most_rain:g}),灌木覆盖度 {cover:g}%(应<{most_cover:g})"
    return Answer(rain < most_rain and cover < most_cover, rain, words, unit="mm", threshold=f"{most_rain:g}")


def _f14(facts: Facts) -> Answer:
    if _without_solar(facts):
        return not_needed("方案措施中无光伏配套设施")
    return all_true("photovoltaic_facilities_as_construction")(facts)


MEASURES: Mapping[str, Measure] = {
    "F-01": _f01,
    "F-02": _f02,
    "F-03": never("F-03", "land_transfer_income_share", "土地出让收入占比"),
    "F-04": _f04,
    "F-05": _f05,
    "F-06": _f06,
    "F-07": never("F-07", "ppp_capital_subsidy_yuan", "PPP建设补贴"),
    "F-08": _f08,
    "F-09": _f09,
    "F-10": all_true("equity_steps_complete"),
    "F-11": _f11,
    "F-12": _f12,
    "F-13": _f13,
    "F-14": _f14,
}
"""Measures of the rules of finance by rule id."""
