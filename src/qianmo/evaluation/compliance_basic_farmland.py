"""Rules of permanent basic farmland: Z-02 to Z-10 and Y-01 to Y-08 (永久基本农田规则)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from qianmo.evaluation.answers import Measure, all_true, at_least, at_most, no_overlap, not_needed
from qianmo.evaluation.basic_farmland_form import conclusions, moved_areas, side
from qianmo.evaluation.classes import flag, group, text_column
from qianmo.evaluation.facts import Answer, Facts, limit, mu, told, told_or
from qianmo.evaluation.quality import mean_grade
from qianmo.evaluation.slope import slope_class
from qianmo.geo.overlay import share_inside
from qianmo.schema.errors import MissingDataError
from qianmo.schema.rules import parameter, parameters
from qianmo.schema.units import M2_PER_HA

__all__ = ["MEASURES", "grain_share"]

GRAIN = ("LS", "LYFL", "LLJZ")
PONDS = ("1104", "1104A", "1104K")


def _moved(facts: Facts) -> tuple[pd.DataFrame, pd.DataFrame]:
    return (
        facts.layer("basic_farmland_out", "永农调出图斑(未做布局调整则不适用)"),
        facts.layer("basic_farmland_in", "永农调入图斑(未做布局调整则不适用)"),
    )


def _form(facts: Facts) -> tuple[dict[str, float], str]:
    out, into = _moved(facts)
    area_out, area_in = moved_areas(out).sum(), moved_areas(into).sum()
    base, words = _base_area(facts)
    c = conclusions(
        out_ha=area_out / M2_PER_HA,
        in_ha=area_in / M2_PER_HA,
        out_patches=len(out),
        in_patches=len(into),
        base_ha=base / M2_PER_HA,
    )
    moved = f"调出 {mu(area_out)}({len(out)}个),调入 {mu(area_in)}({len(into)}个)"
    return c, f"{moved},差 {mu(area_in - area_out)},{words} {mu(base)}"


def _base_area(facts: Facts) -> tuple[float, str]:
    basis = str(facts.overrides.get("pbf_denominator", parameters()["pbf_denominator"].default))
    township = told_or(facts, "township_basic_farmland_m2", None)
    if basis == "township" and township:
        return float(township), "乡镇原永农"
    own = moved_areas(facts.layer("basic_farmland", "永久基本农田")).sum()
    return float(own), "整治区域原永农" if basis == "project" else "整治区域原永农(未提供乡镇数)"


def _adjusted(facts: Facts) -> bool:
    return bool(told_or(facts, "basic_farmland_adjusted", True))


def _z02(facts: Facts) -> Answer:
    if not _adjusted(facts):
        return not_needed("不做永农布局调整")
    c, words = _form(facts)
    return at_least("Z-02", c["net_gain"], words, threshold=limit(facts, "Z-02", "pbf_net_gain_min"))


def _z03(facts: Facts) -> Answer:
    if not _adjusted(facts):
        return not_needed("不做永农布局调整")
    c, words = _form(facts)
    return at_most("Z-03", c["out_share"], words, threshold=limit(facts, "Z-03", "pbf_adjust_share_max"))


def _z04(facts: Facts) -> Answer:
    if not _adjusted(facts):
        return not_needed("不做永农布局调整")
    out, into = _moved(facts)
    old, new = mean_grade(out, moved_areas(out)), mean_grade(into, moved_areas(into))
    if not np.isfinite([old, new]).all():
        raise MissingDataError("调出、调入图斑的耕地等别 quality_grade(代理分不能代替等别)")
    words = f"调出平均 {old:.2f} 等,调入平均 {new:.2f} 等,提升 {old - new:.2f} 等"
    return at_least("Z-04", old - new, words, threshold=limit(facts, "Z-04"))


def _z05(facts: Facts) -> Answer:
    if not _adjusted(facts):
        return not_needed("不做永农布局调整")
    c, words = _form(facts)
    gain, least = c["contiguity_gain"], limit(facts, "Z-05")
    words += f";平均图斑 {c['mean_out_ha']:.4f} → {c['mean_in_ha']:.4f} 公顷({c['mean_gain_mu']:+.2f}亩)"
    return Answer(gain > least, gain, words, margin=f"{gain - least:+.2%}", threshold=f"{least:g}")


def _bins(names: tuple[str, ...]) -> Measure:
    def measure(facts: Facts) -> Answer:
        if not _adjusted(facts):
            return not_needed("不做永农布局调整")
        parts = []
        for table, prefix, zh in zip(_moved(facts), ("dc", "dr"), ("调出", "调入")):
            values = side(table, prefix=prefix, scheme=facts.scheme)
            if any(values[prefix + n] is None for n in names):
                raise MissingDataError(f"{zh}图斑的坡度 slope_class")
            parts.append(f"{zh} " + "/".join(f"{values[prefix + n]:.4f}" for n in names) + " 公顷")
        return Answer(True, None, ";".join(parts))

    return measure


def _z08(facts: Facts) -> Answer:
    if not _adjusted(facts):
        return not_needed("不做永农布局调整")
    klass = slope_class(_moved(facts)[1])
    if (klass == "").any():
        raise MissingDataError(f"调入图斑坡度级 slope_class({int((klass == '').sum())} 个为空)")
    worst = max(int(c) for c in klass)
    return at_most("Z-08", worst, f"调入 {len(klass)} 个图斑,最大坡度级 {worst}", threshold=limit(facts, "Z-08"))


def _z09(facts: Facts) -> Answer:
    if not _adjusted(facts):
        return not_needed("不做永农布局调整")
    into = _moved(facts)[1]
    stable, codes = text_column(into, "is_stable"), text_column(into, "class_code")
    if (stable == "").any() or (codes == "").any():
        raise MissingDataError("调入图斑的稳定耕地标识 is_stable 与地类 class_code")
    good = stable.isin(["1", "1.0", "True"]).to_numpy() & flag(codes, "farmland", scheme=facts.scheme)
    return Answer(bool(good.all()), float(good.all()), f"{len(into)} 个调入图斑中 {int(good.sum())} 个为稳定利用耕地")


def _z10(facts: Facts) -> Answer:
    if not _adjusted(facts):
        return not_needed("不做永农布局调整")
    out = _moved(facts)[0]
    area = moved_areas(out)
    if "is_high_standard" in out.columns and out["is_high_standard"].notna().all():
        built = area[out["is_high_standard"].astype(bool).to_numpy()].sum()
    else:
        done = facts.layer("high_standard_farmland", "已建高标准农田")
        built = float((share_inside(out.geometry.to_numpy(), done.geometry.to_numpy()) * area).sum())
    return at_most("Z-10", built / M2_PER_HA, f"调出图斑中已建高标准农田 {mu(built)}", threshold=limit(facts, "Z-10"))


def _inside(facts: Facts, rows: np.ndarray) -> float:
    facts.layer("basic_farmland", "永久基本农田")
    return _overlap(facts, facts.zones["basic_farmland"], rows)


def _overlap(facts: Facts, zone: pd.Series, rows: np.ndarray) -> float:
    area = zone.to_numpy()[rows]
    return float(area[area > parameter("conflict_tolerance_m2", facts.overrides)].sum())


def _used(facts: Facts, member: Mapping[str, np.ndarray]) -> Answer:
    """Overlap of a kind of land with basic farmland, in the state that is judged, with the state before beside it."""
    now = _inside(facts, member["now"])
    words = f"现状 {_inside(facts, member['before']):.2f} m2"
    words += f",规划后 {now:.2f} m2" if facts.after is not None else "(尚无规划方案,按现状判定)"
    if facts.after is not None and facts.layers.get("basic_farmland_after") is not None:
        now = _overlap(facts, facts.zones_after_swap, member["now"])
        words += f"(按现行永农);按布局调整后的永农判定 {now:.2f} m2(验收后生效)"
    return no_overlap(now, parameter("conflict_tolerance_m2", facts.overrides), words)


def _y01(facts: Facts) -> Answer:
    states = {"before": facts.before, "now": facts.now}
    return _used(facts, {k: flag(t["class_code"], "construction", scheme=facts.scheme) for k, t in states.items()})


def _y02(facts: Facts) -> Answer:
    states = {"before": facts.before, "now": facts.now}
    member = {}
    for name, table in states.items():
        grown = np.isin(group(table["class_code"], scheme=facts.scheme), ["garden", "forest"])
        member[name] = grown | text_column(table, "class_code").isin(PONDS).to_numpy()
    return _used(facts, member)


def grain_share(facts: Facts, weight: np.ndarray) -> tuple[float, float]:
    """Share of weighted farmland under grain, and the weight that is known (种粮占比).

    Raises
    ------
    MissingDataError
        No farmland in question has a planting code.
    """
    farm = flag(facts.before["class_code"], "farmland", scheme=facts.scheme)
    crop = text_column(facts.before, "planting_code")
    known = farm & (crop != "").to_numpy() & (weight > 0)
    if not known.any():
        raise MissingDataError("耕地种植属性 planting_code(ZZSXDM)")
    total = float(weight[known].sum())
    return float(weight[known & crop.isin(GRAIN).to_numpy()].sum()) / total, total


def _y03(facts: Facts) -> Answer:
    facts.layer("basic_farmland", "永久基本农田")
    share, total = grain_share(facts, facts.zones["basic_farmland"].to_numpy())
    return at_least("Y-03", share, f"永农内有种植属性的耕地 {mu(total)},种粮占 {share:.2%}", threshold=limit(facts, "Y-03"))


def _y04(facts: Facts) -> Answer:
    if facts.works is not None and not told_or(facts, "major_project_on_basic_farmland", False):
        facts.measure_of  # noqa: B018 - the plan must fit the patches before it can answer
        return not_needed("整治措施不含重大项目建设占用")
    approved, out, into, grade = told(
        facts, "state_council_approval", "basic_farmland_occupied_m2", "basic_farmland_replaced_m2", "replacement_grade_not_lower"
    )
    words = f"批准 {'有' if approved else '无'},占用 {mu(out)},补划 {mu(into)},质量{'不降低' if grade else '降低'}"
    return Answer(bool(approved and grade and into >= out), into - out, words, margin=f"补划差 {mu(into - out)}", threshold="0", unit="m2", comparator=">=")


def _y05(facts: Facts) -> Answer:
    (rights,) = told(facts, "mining_rights_on_basic_farmland")
    if rights == 0:
        return not_needed("永农范围内无矿业权")
    (fits,) = told(facts, "mining_strategic_or_underground")
    return Answer(bool(fits), float(rights), f"永农范围内矿业权 {rights:g} 个,{'均' if fits else '未全部'}属战略性矿产或井下开采", unit="count")


def _y08(facts: Facts) -> Answer:
    if not _adjusted(facts):
        return not_needed("不做永农布局调整")
    into, reserve = _moved(facts)[1], facts.layer("basic_farmland_reserve", "永久基本农田储备区")
    area = moved_areas(into)
    inside = float((share_inside(into.geometry.to_numpy(), reserve.geometry.to_numpy()) * area).sum())
    words = f"调入 {mu(area.sum())},其中储备区内 {mu(inside)}"
    return at_least("Y-08", inside / area.sum(), words, threshold=limit(facts, "Y-08"))


MEASURES: Mapping[str, Measure] = {
    "Z-02": _z02,
    "Z-03": _z03,
    "Z-04": _z04,
    "Z-05": _z05,
    "Z-06": _bins(("PdLe15Mj", "PdGe15Le25", "PdGe25")),
    "Z-07": _bins(("LpLe5", "LpGe5Le10", "LpGe10Le20", "LpGe20")),
    "Z-08": _z08,
    "Z-09": _z09,
    "Z-10": _z10,
    "Y-01": _y01,
    "Y-02": _y02,
    "Y-03": _y03,
    "Y-04": _y04,
    "Y-05": _y05,
    "Y-06": all_true("misdrawn_cases_reported_upward"),
    "Y-07": all_true("basic_farmland_result_published"),
    "Y-08": _y08,
}
"""Measures of the rules of basic farmland by rule id."""
