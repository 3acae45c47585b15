"""Rules of the ecological redline: Z-12 and E-01 to E-03 (生态保护红线规则)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from qianmo.evaluation.answers import Measure, no_overlap, not_needed
from qianmo.evaluation.facts import Answer, Facts, told
from qianmo.schema.codes import zone_activities
from qianmo.schema.errors import MissingDataError
from qianmo.schema.measures import measures
from qianmo.schema.rules import parameter

__all__ = ["MEASURES", "activity_value"]

REDLINE = ("eco_core", "eco_other", "eco_unzoned")


def activity_value(measure: str, zone: str) -> str:
    """Value of a measure in a zone of the activity matrix (准入判定): A allowed, C conditional, P prohibited."""
    return zone_activities()[measures()[measure].activity_id][zone]


def _areas(facts: Facts, zones: tuple[str, ...], values: str = "ACP") -> float:
    """Area of works in the zones whose activity has one of the values there [m2], overlaps above the tolerance only."""
    facts.layer("eco_redline", "生态保护红线")
    chosen, tolerance = facts.measure_of, parameter("conflict_tolerance_m2", facts.overrides)
    total = 0.0
    for zone in zones:
        column = "eco_other" if zone == "eco_unzoned" else zone
        named = [m for m in set(chosen) - {""} if activity_value(m, column) in values]
        area = facts.zones[zone].to_numpy()
        total += float(area[np.isin(chosen, named) & (area > tolerance)].sum())
    return total


def _z12(facts: Facts) -> Answer:
    banned, bound, free = (_areas(facts, REDLINE, v) for v in "PCA")
    words = f"红线内工程:禁止类 {banned:.2f} m2,有条件类 {bound:.2f} m2,正面清单类 {free:.2f} m2"
    tolerance = parameter("conflict_tolerance_m2", facts.overrides)
    if banned <= tolerance < bound and not _told_positive(facts):
        return no_overlap(bound, tolerance, words)
    return no_overlap(banned, tolerance, words)


def _told_positive(facts: Facts) -> bool:
    """Whether the province has found the conditional works to be on the positive list (有限人为活动认定)."""
    return bool(told(facts, "limited_activity_opinion")[0])


def _e01(facts: Facts) -> Answer:
    core, unzoned = _areas(facts, ("eco_core",)), _areas(facts, ("eco_unzoned",))
    tolerance = parameter("conflict_tolerance_m2", facts.overrides)
    if core <= tolerance < unzoned:
        raise MissingDataError(f"红线的自然保护地分区 reserve_zone(红线内工程 {unzoned:.2f} m2 处未注明是否核心保护区)")
    return no_overlap(core, tolerance, f"核心保护区内工程 {core:.2f} m2,未注明分区的红线内工程 {unzoned:.2f} m2")


def _e02(facts: Facts) -> Answer:
    zones = ("eco_other", "eco_unzoned")
    banned, bound, free = (_areas(facts, zones, v) for v in "PCA")
    words = f"核心区外红线内工程:正面清单类 {free:.2f} m2,须认定 {bound:.2f} m2,清单外 {banned:.2f} m2"
    tolerance = parameter("conflict_tolerance_m2", facts.overrides)
    if banned > tolerance:
        return Answer(False, banned, words, margin=f"清单外 {banned:.2f} m2", unit="m2")
    ok = bound <= tolerance or _told_positive(facts)
    return Answer(ok, bound, words, margin="均在正面清单内" if ok else f"未获认定 {bound:.2f} m2", unit="m2")


def _e03(facts: Facts) -> Answer:
    inside = _areas(facts, REDLINE)
    if inside <= parameter("conflict_tolerance_m2", facts.overrides):
        return not_needed("生态保护红线内无工程")
    found = _told_positive(facts)
    return Answer(found, inside, f"红线内工程 {inside:.2f} m2,省级认定意见{'有' if found else '无'}", unit="m2")


MEASURES: Mapping[str, Measure] = {"Z-12": _z12, "E-01": _e01, "E-02": _e02, "E-03": _e03}
"""Measures of the rules of the redline by rule id."""
