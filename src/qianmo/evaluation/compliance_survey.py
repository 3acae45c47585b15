"""Rules of the survey database: D-01 to D-11, from the table of faults or straight from the register (质检规则)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from qianmo.evaluation.answers import Measure
from qianmo.evaluation.classes import class_table, farmland, flag, text_column
from qianmo.evaluation.facts import Answer, Facts, limit
from qianmo.schema.codes import land_classes
from qianmo.schema.errors import MissingDataError
from qianmo.schema.rules import parameter, rule

__all__ = ["MEASURES"]

RESTORABLE = ("JKHF", "GCHF")


def _checked(rule_id: str, direct: Callable[[Facts], Answer]) -> Measure:
    """Measure that counts the faults of a rule where the checks were run, else looks at the register itself."""

    def measure(facts: Facts) -> Answer:
        if facts.faults is None:
            return direct(facts)
        ran = facts.faults.attrs.get("rules_checked")
        if ran is not None and rule_id not in ran:
            return direct(facts)
        found = facts.faults[(facts.faults["rule"] == rule_id) & (facts.faults["severity"] != "info")]
        where = "、".join(map(str, found["layer"].unique()))
        words = f"质检问题表中 {rule_id} 共 {len(found)} 处" + (f"(图层 {where})" if where else "")
        return Answer(len(found) == 0, float(len(found)), words, margin=f"{len(found)} 处不符", threshold="0", unit="places", comparator="<=")

    return measure


def _counted(bad: int, of: int, words: str) -> Answer:
    return Answer(bad == 0, float(bad), f"{words}{of} 个图斑中 {bad} 处不符", margin=f"{bad} 处不符", threshold="0", unit="places", comparator="<=")


def _column(facts: Facts, *names: str) -> list[np.ndarray]:
    absent = [n for n in names if n not in facts.before.columns or facts.before[n].isna().all()]
    if absent:
        raise MissingDataError("图斑字段 " + "、".join(absent))
    return [pd.to_numeric(facts.before[n], errors="coerce").to_numpy(dtype=float, na_value=np.nan) for n in names]


def _d01(facts: Facts) -> Answer:
    net, gross, ridge = _column(facts, "class_area_m2", "area_m2", "ridge_area_m2")
    gap = np.abs(net - (gross - np.nan_to_num(ridge)))
    return _counted(int((np.round(gap, 4) > limit(facts, "D-01")).sum()), len(gap), f"最大差 {np.nanmax(gap):.4f} m2;")


def _d02(facts: Facts) -> Answer:
    ridge, gross, share = _column(facts, "ridge_area_m2", "area_m2", "ridge_coefficient")
    gap = np.abs(np.nan_to_num(ridge) - np.round(gross * np.nan_to_num(share), 2))
    allowed = farmland(facts.before, scheme=facts.scheme) & ~text_column(facts.before, "slope_class").isin(["", "1"]).to_numpy()
    bad = (np.round(gap, 4) > limit(facts, "D-02")) | (~allowed & (np.nan_to_num(ridge) > 0))
    return _counted(int(bad.sum()), len(gap), f"最大差 {gap.max():.4f} m2;")


def _d03(facts: Facts) -> Answer:
    villages = facts.layer("village", "村级调查区")
    if "control_area_m2" not in villages.columns or villages["control_area_m2"].isna().all():
        raise MissingDataError("村级调查区控制面积 control_area_m2(DCMJ)")
    sums = facts.before.groupby(text_column(facts.before, "village_code"))["area_m2"].sum()
    control = villages.set_index(villages["village_code"].astype(str))["control_area_m2"].dropna().astype(float)
    gap = (sums.reindex(control.index).fillna(0.0) - control).abs()
    bad = int((gap.round(4) > limit(facts, "D-03")).sum())
    words = f"{len(gap)} 个村中 {bad} 个不闭合,最大差 {gap.max():.2f} m2"
    return Answer(bad == 0, float(gap.max()), words, margin=f"{bad} 个村不闭合")


def _d04(facts: Facts) -> Answer:
    gross, ellipsoid = _column(facts, "area_m2", "ellipsoid_area_m2")
    p = facts.overrides
    allowed = np.maximum(parameter("area_diff_abs_m2", p), parameter("area_diff_rel", p) * ellipsoid)
    gap = np.abs(gross - ellipsoid)
    return _counted(int((gap > allowed).sum()), len(gap), f"最大差 {np.nanmax(gap):.2f} m2;")


def _d05(facts: Facts) -> Answer:
    raise MissingDataError("拓扑质检结果(入库质检问题表 fault)")


def _d06(facts: Facts) -> Answer:
    names = [n for n in ("location_code", "owner_code") if n in facts.before.columns]
    if not names or all((text_column(facts.before, n) == "").all() for n in names):
        raise MissingDataError("坐落、权属单位代码 location_code、owner_code")
    length = int(limit(facts, "D-06"))
    bad = np.zeros(len(facts.before), dtype=bool)
    for name in names:
        bad |= ~text_column(facts.before, name).str.fullmatch(rf"\d{{{length}}}").to_numpy()
    return _counted(int(bad.sum()), len(bad), f"{'、'.join(names)} 应为 {length} 位:")


def _d07(facts: Facts) -> Answer:
    codes = facts.before["class_code"]
    p = facts.overrides
    built = flag(codes, "construction", scheme=facts.scheme) | text_column(facts.before, "class_code").eq("1202").to_numpy()
    agricultural = (class_table(facts.scheme)["big_class"].reindex(codes) == "农用地").to_numpy()
    other = np.where(agricultural, parameter("min_map_area_agri_m2", p), parameter("min_map_area_other_m2", p))
    least = np.where(built, parameter("min_map_area_built_m2", p), other)
    bad = np.round(facts.before["area_m2"].to_numpy(float), 2) < least
    return _counted(int(bad.sum()), len(bad), "小于最小上图面积:")


def _d08(facts: Facts) -> Answer:
    (width,) = _column(facts, "linear_width_m")
    linear = {c for c, k in land_classes(facts.scheme).items() if k.linear_width_applies}
    bad = (np.nan_to_num(width) > 0) & ~text_column(facts.before, "class_code").isin(linear).to_numpy()
    return _counted(int(bad.sum()), len(bad), "非线状地类填了宽度:")


def _d09(facts: Facts) -> Answer:
    is_farm = farmland(facts.before, scheme=facts.scheme)
    names = ("slope_class", "planting_code", "farmland_type")
    absent = [n for n in names if n not in facts.before.columns]
    if absent:
        raise MissingDataError("图斑字段 " + "、".join(absent))
    slope, crop, kind = (text_column(facts.before, n) for n in names)
    sloping = ~slope.isin(["", "1"])
    bad = is_farm & ((slope == "") | (crop == "") | (sloping & (kind == ""))).to_numpy()
    return _counted(int(bad.sum()), int(is_farm.sum()), "耕地属性不全:")


def _d10(facts: Facts) -> Answer:
    if (text_column(facts.before, "planting_code") == "").all():
        raise MissingDataError("种植属性 planting_code(ZZSXDM)")
    tagged = text_column(facts.before, "planting_code").isin(RESTORABLE).to_numpy()
    bad = tagged & farmland(facts.before, scheme=facts.scheme)
    return _counted(int(bad.sum()), int(tagged.sum()), "恢复属性标注在耕地上:")


def _d11(facts: Facts) -> Answer:
    allowed = _allowed_codes()
    tables = {"landuse_patch": facts.before, **facts.layers}
    codes = {n: t.crs.to_epsg() if t.crs is not None else None for n, t in tables.items() if getattr(t, "crs", None) is not None}
    if not codes or "landuse_patch" not in codes:
        raise MissingDataError("图斑坐标系")
    zones = {c for c in codes.values() if c != min(allowed)}
    ok = all(c in allowed for c in codes.values()) and len(zones) <= 1
    words = ";".join(f"{n} EPSG:{c}" for n, c in codes.items())
    return Answer(ok, float(len(zones)), words, margin=f"{len(zones)} 个投影带")


def _allowed_codes() -> set[int]:
    """EPSG codes in the threshold of rule D-11: single codes and ranges."""
    found: set[int] = set()
    for low, high in re.findall(r"(\d{4})(?:-(\d{4}))?", rule("D-11").threshold):
        found |= set(range(int(low), int(high or low) + 1))
    return found


MEASURES: Mapping[str, Measure] = {
    rule_id: _checked(rule_id, direct)
    for rule_id, direct in {
        "D-01": _d01,
        "D-02": _d02,
        "D-03": _d03,
        "D-04": _d04,
        "D-05": _d05,
        "D-06": _d06,
        "D-07": _d07,
        "D-08": _d08,
        "D-09": _d09,
        "D-10": _d10,
        "D-11": _d11,
    }.items()
}
"""Measures of the rules of the survey database by rule id."""
