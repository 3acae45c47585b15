"""Rules of farmland protection and balance: G-01 to G-10 (耕地保护与平衡规则)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from qianmo.evaluation.answers import Measure, all_true, at_most, not_needed
from qianmo.evaluation.classes import class_table, farmland, group, text_column
from qianmo.evaluation.compliance_basic_farmland import grain_share
from qianmo.evaluation.facts import Answer, Facts, limit, mu, told
from qianmo.evaluation.slope import slope_bounds
from qianmo.schema.codes import zone_activities
from qianmo.schema.errors import MissingDataError
from qianmo.schema.measures import measures
from qianmo.schema.rules import parameter
from qianmo.schema.units import M2_PER_HA

__all__ = ["MEASURES", "is_forest_or_wetland", "restorable"]

RESTORABLE = ("JKHF", "GCHF")
DESTROYING = ("ZA05", "ZA06")
"""Turf; lakes and over-wide green belts: activities of the zone matrix that rule G-06 forbids on farmland."""

RIVERS = ("1101", "1102", "1103", "1105", "1106")


def restorable(patches: pd.DataFrame) -> np.ndarray:
    """True where the survey says the patch can be farmland again: tag JKHF or GCHF, or class with K (可恢复、可调整地类)."""
    tagged = text_column(patches, "planting_code").isin(RESTORABLE)
    codes = text_column(patches, "class_code")
    return (tagged | codes.isin([c for c in codes.unique() if c.endswith("K")])).to_numpy()


def is_forest_or_wetland(patches: pd.DataFrame, *, scheme: str) -> np.ndarray:
    """True for forest, wetland and river that rule G-09 keeps from new farmland (林地、湿地、河湖), unless restorable."""
    kept = np.isin(group(patches["class_code"], scheme=scheme), ["forest", "wetland"])
    kept |= text_column(patches, "class_code").isin(RIVERS).to_numpy()
    return kept & ~restorable(patches)


def _flows(facts: Facts, *, agricultural: bool) -> tuple[float, float]:
    """Area out of and into farmland [m2]: within agriculture, or from and to anything."""
    table, flows = class_table(facts.scheme), facts.flows
    old, new = (table.loc[flows[c].to_list()] for c in ("from_class", "to_class"))
    was, now = old["farmland"].to_numpy(bool), new["farmland"].to_numpy(bool)
    other_old, other_new = np.ones(len(old), bool), np.ones(len(new), bool)
    if agricultural:
        other_old, other_new = ((t["big_class"] == "农用地").to_numpy(bool) for t in (old, new))
    area = flows["area_m2"].to_numpy(float)
    return float(area[was & ~now & other_new].sum()), float(area[~was & now & other_old].sum())


def _g01(facts: Facts) -> Answer:
    out, into = _flows(facts, agricultural=True)
    exempt = _retired(facts)
    words = (
        f"耕地转其他农用地 {mu(out)},其他农用地转耕地 {mu(into)},差 {mu(into - out)};"
        f"其中陡坡退耕 {mu(exempt)}(是否免于平衡见 G-02)"
    )
    least = limit(facts, "G-01")
    gap = (into - out) / M2_PER_HA
    margin = f"{'富余' if gap >= least else '差'} {mu(abs(into - out))}"
    return Answer(gap >= least, gap, words, margin=margin, threshold=f"{least:g}")


def _retired(facts: Facts) -> float:
    if facts.works is None:
        return 0.0
    return float(facts.before["class_area_m2"].to_numpy(float)[facts.measure_of == "retire_steep"].sum())


def _g02(facts: Facts) -> Answer:
    retired = _retired(facts)
    if facts.works is not None and retired == 0 and facts.documents.get("exempt_outflow_confirmed") is None:
        return not_needed("方案无退耕,无免于平衡的流出")
    (confirmed,) = told(facts, "exempt_outflow_confirmed")
    return Answer(bool(confirmed), retired, f"陡坡退耕 {mu(retired)},国家生态退耕任务{'已' if confirmed else '未'}确认", unit="m2")


def _g03(facts: Facts) -> Answer:
    out, into = _flows(facts, agricultural=False)
    words = f"各类占用与流出耕地合计 {mu(out)},补充耕地合计 {mu(into)},统一台账差 {mu(into - out)}"
    margin = f"{'富余' if into >= out else '差'} {mu(abs(into - out))}"
    return Answer(into >= out, (into - out) / M2_PER_HA, words, margin=margin, threshold="0", unit="ha", comparator=">=")


def _g04(facts: Facts) -> Answer:
    occupied, gain = told(facts, "nonagricultural_occupation_m2", "stable_farmland_net_gain_m2")
    over = (occupied - max(0.0, gain)) / M2_PER_HA
    words = f"非农建设占用 {mu(occupied)},上年度稳定利用耕地净增 {mu(gain)}"
    return at_most("G-04", over, words, threshold=limit(facts, "G-04"))


def _g06(facts: Facts) -> Answer:
    used = set(facts.measure_of) - {""}
    activity = {m: measures()[m].activity_id for m in used}
    bad = sorted(m for m, a in activity.items() if a in DESTROYING)
    names = "、".join(zone_activities()[a]["activity_zh"] for a in DESTROYING)
    onto = farmland(facts.before, scheme=facts.scheme) & np.isin(facts.measure_of, bad)
    area = float(facts.before["class_area_m2"].to_numpy(float)[onto].sum())
    return Answer(area == 0, area, f"方案措施 {len(used)} 种,属「{names}」的 {len(bad)} 种,涉及耕地 {mu(area)}", unit="m2")


def _g08(facts: Facts) -> Answer:
    area = facts.before["class_area_m2"].to_numpy(float)
    if facts.layers.get("basic_farmland") is not None:
        area = np.maximum(area - facts.zones["basic_farmland"].to_numpy(), 0.0)
    share, total = grain_share(facts, area)
    return Answer(True, share, f"一般耕地中有种植属性的 {mu(total)},种粮占 {share:.2%}(信息项,不设限值)")


def _g09(facts: Facts) -> Answer:
    made = farmland(facts.planned, scheme=facts.scheme) & ~farmland(facts.before, scheme=facts.scheme)
    if not made.any():
        return not_needed("方案无新增耕地")
    area = facts.before["area_m2"].to_numpy(float)
    steepest = limit(facts, "G-09")
    lower, upper = slope_bounds(facts.before)
    steep = made & (lower > steepest) | made & (lower == steepest) & (upper > steepest)
    nature = made & is_forest_or_wetland(facts.before, scheme=facts.scheme)
    tolerance = parameter("conflict_tolerance_m2", facts.overrides)
    red = np.zeros(len(area))
    if facts.layers.get("eco_redline") is not None:
        red = facts.zones[["eco_core", "eco_other", "eco_unzoned"]].sum(axis=1).to_numpy()
    inside = float(red[made & (red > tolerance)].sum())
    bad = made & (steep | nature | (red > tolerance))
    words = (
        f"新增耕地 {int(made.sum())} 个图斑;坡度大于{steepest:g}度 {mu(area[steep].sum())},"
        f"占林地湿地河湖 {mu(area[nature].sum())},在生态保护红线内 {inside:.2f} m2"
    )
    if bad.any():
        return Answer(False, float(area[bad].sum()), words, margin=f"{int(bad.sum())} 个图斑不符", threshold="0", unit="m2")
    unknown = int((made & ~np.isfinite(upper)).sum())
    lacking = ([f"{unknown} 个新增耕地图斑的坡度"] if unknown else []) + (
        ["生态保护红线图层 eco_redline"] if facts.layers.get("eco_redline") is None else []
    )
    if lacking:
        raise MissingDataError("、".join(lacking))
    return Answer(True, 0.0, words, margin="无不符图斑", threshold="0", unit="m2")


def _g10(facts: Facts) -> Answer:
    (cases,) = told(facts, "penalty_cases")
    if cases == 0:
        return not_needed("无处罚案件")
    (checked,) = told(facts, "penalty_cases_with_field_evidence")
    return Answer(checked >= cases, checked, f"处罚案件 {cases:g} 件,有实地证据 {checked:g} 件", unit="cases")


MEASURES: Mapping[str, Measure] = {
    "G-01": _g01,
    "G-02": _g02,
    "G-03": _g03,
    "G-04": _g04,
    "G-05": all_true("replacement_party_named"),
    "G-06": _g06,
    "G-07": all_true("business_conversion_approved"),
    "G-08": _g08,
    "G-09": _g09,
    "G-10": _g10,
}
"""Measures of the rules of farmland by rule id."""
