"""D rules on the attributes of land-use patches: ridges, unit codes, minimum area, widths, farmland, tags (图斑属性规则)."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd

from qianmo.onemap.faults import SPEC, fault_rows, gather, is_blank, layer_fault, no_faults, severity_of
from qianmo.onemap.level import RIDGE_CLASS, deduct_ridges, hundredths
from qianmo.schema.codes import land_classes
from qianmo.schema.rules import parameter, parameters, rule

__all__ = [
    "check_farmland_complete",
    "check_linear_width",
    "check_minimum_area",
    "check_net_area",
    "check_patch_numbers",
    "check_restorable_tags",
    "check_ridges",
    "check_unit_lengths",
    "patch_rules",
]

_TABLE = "landuse_patch"
_SLOPED = ("2", "3", "4", "5")
_FACILITY = "设施农用地"
_RESTORABLE_TAGS = ("JKHF", "GCHF")


def patch_rules(frame: pd.DataFrame, *, class_scheme: str, overrides: Mapping[str, float] | None = None) -> gpd.GeoDataFrame:
    """Faults of every D rule that looks at one patch alone: D-01, D-02, D-06 to D-10 (图斑规则检查).

    Parameters
    ----------
    frame : DataFrame, table ``landuse_patch``, n rows
        A rule whose columns are absent says nothing; absent required columns are faults of the specification.
    class_scheme : str
        Scheme of ``class_code``; '' skips the rules that need it.
    overrides : mapping, optional
        Values for parameters such as ``min_map_area_agri_m2``.
    """
    parts = [check_net_area(frame), check_unit_lengths(frame), check_patch_numbers(frame)]
    if class_scheme and "class_code" in frame.columns:
        parts += [
            check_ridges(frame, class_scheme=class_scheme),
            check_minimum_area(frame, class_scheme=class_scheme, overrides=overrides),
            check_linear_width(frame, class_scheme=class_scheme),
            check_farmland_complete(frame, class_scheme=class_scheme),
            check_restorable_tags(frame, class_scheme=class_scheme),
        ]
    return gather(frame, parts)


def check_net_area(frame: pd.DataFrame) -> gpd.GeoDataFrame:
    """D-01: class area is patch area less ridge area, to 0.01 m2 (净面积恒等)."""
    if not {"area_m2", "class_area_m2"} <= set(frame.columns):
        return no_faults(frame)
    area, ridge, net = _number(frame, "area_m2"), np.nan_to_num(_number(frame, "ridge_area_m2")), _number(frame, "class_area_m2")
    known = np.flatnonzero(np.isfinite(area) & np.isfinite(net) & np.isfinite(ridge))
    off = hundredths(net[known]) - (hundredths(area[known]) - hundredths(ridge[known]))
    rows = known[np.abs(off) > _cents("D-01")]
    return fault_rows(
        frame,
        _TABLE,
        rows,
        what="net_area",
        rule_id="D-01",
        severity=severity_of("D-01"),
        found=[f"图斑地类面积 {net[r]:.2f} m2" for r in rows],
        expected=[f"{area[r]:.2f} - {ridge[r]:.2f} = {area[r] - ridge[r]:.2f} m2" for r in rows],
        cure="核对图斑面积与扣除面积后重算 TBDLMJ",
    )


def check_ridges(frame: pd.DataFrame, *, class_scheme: str) -> gpd.GeoDataFrame:
    """D-02: ridge area is area times coefficient, only on farmland steeper than class 1 (田坎扣除)."""
    if "area_m2" not in frame.columns:
        return no_faults(frame)
    area, share, ridge = _number(frame, "area_m2"), _number(frame, "ridge_coefficient"), _number(frame, "ridge_area_m2")
    deducted = (np.nan_to_num(share) > 0) | (np.nan_to_num(ridge) > 0)
    sloped = _text(frame, "slope_class").isin(_SLOPED).to_numpy() & _has(frame, class_scheme, "ridge_applies")
    wrong_place = np.flatnonzero(deducted & ~sloped)
    right = np.full(len(frame), np.nan)
    computable = np.flatnonzero(np.isfinite(area) & np.isfinite(share) & (share >= 0) & (share < 1))
    right[computable] = deduct_ridges(area[computable], share[computable])[0]
    both = np.flatnonzero(np.isfinite(right) & np.isfinite(ridge))
    rows = both[np.abs(hundredths(ridge[both]) - hundredths(right[both])) > _cents("D-02")]
    empty = np.flatnonzero(np.isfinite(right) & (right > 0) & ~np.isfinite(ridge))
    code = _text(frame, "ridge_class_code")
    other = np.flatnonzero((code != "").to_numpy() & (code != RIDGE_CLASS).to_numpy())
    severity = severity_of("D-02")
    return gather(
        frame,
        [
            fault_rows(
                frame,
                _TABLE,
                wrong_place,
                what="ridge_not_allowed",
                rule_id="D-02",
                severity=severity,
                found=[f"KCXS {share[r]:g}, KCMJ {ridge[r]:g} m2" for r in wrong_place],
                expected="仅坡度级别 2-5 的耕地扣除田坎",
                cure="核对地类与坡度级别, 或清空扣除",
            ),
            fault_rows(
                frame,
                _TABLE,
                rows,
                what="ridge_area",
                rule_id="D-02",
                severity=severity,
                found=[f"KCMJ {ridge[r]:.2f} m2" for r in rows],
                expected=[f"{area[r]:.2f} x {share[r]:g} = {right[r]:.2f} m2" for r in rows],
                cure="重算 KCMJ 与 TBDLMJ",
            ),
            fault_rows(
                frame,
                _TABLE,
                empty,
                what="ridge_area_missing",
                rule_id="D-02",
                severity=severity,
                found="KCMJ 为空",
                expected=[f"{right[r]:.2f} m2" for r in empty],
                cure="由修复补填",
                repairable=True,
            ),
            fault_rows(
                frame,
                _TABLE,
                other,
                what="ridge_class",
                rule_id="D-02",
                severity=severity,
                found=[f"KCDLBM {code.iloc[r]}" for r in other],
                expected=RIDGE_CLASS,
                cure="扣除地类只能为田坎",
            ),
        ],
    )


def check_unit_lengths(frame: pd.DataFrame) -> gpd.GeoDataFrame:
    """D-06: unit codes have 19 digits; the village code is the first 12 of the location (单位代码)."""
    digits = int(rule("D-06").value())
    parts = []
    for name in (n for n in ("owner_code", "location_code") if n in frame.columns):
        text = _text(frame, name)
        rows = np.flatnonzero((text != "").to_numpy() & ~text.str.fullmatch(rf"[0-9]{{{digits}}}").to_numpy(dtype=bool))
        parts.append(
            fault_rows(
                frame,
                _TABLE,
                rows,
                what="unit_code_length",
                rule_id="D-06",
                severity=severity_of("D-06"),
                found=[f"{name} = {text.iloc[r]} ({len(text.iloc[r])} 位)" for r in rows],
                expected=f"{digits} 位数字",
                cure="按最新行政区代码补齐",
            )
        )
    if {"location_code", "village_code"} <= set(frame.columns):
        location, village = _text(frame, "location_code"), _text(frame, "village_code")
        known = ((location.str.len() >= 12) & (village != "")).to_numpy()
        rows = np.flatnonzero(known & (location.str[:12] != village).to_numpy())
        parts.append(
            fault_rows(
                frame,
                _TABLE,
                rows,
                what="village_code",
                found=[f"村代码 {village.iloc[r]}" for r in rows],
                expected=[f"坐落单位代码前 12 位 {location.iloc[r][:12]}" for r in rows],
                cure="核对坐落单位",
            )
        )
    return gather(frame, parts)


def check_patch_numbers(frame: pd.DataFrame) -> gpd.GeoDataFrame:
    """Patch number unique inside a village (图斑编号村内唯一)."""
    if not {"patch_number", "village_code"} <= set(frame.columns):
        return no_faults(frame)
    number, village = _text(frame, "patch_number"), _text(frame, "village_code")
    named = (number != "").to_numpy() & (village != "").to_numpy()
    double = pd.DataFrame({"v": village, "n": number}).duplicated(keep=False).to_numpy()
    rows = np.flatnonzero(named & double)
    return fault_rows(
        frame,
        _TABLE,
        rows,
        what="patch_number",
        severity="warning",
        found=[f"村 {village.iloc[r]} 内图斑编号 {number.iloc[r]} 重复" for r in rows],
        expected="村内唯一",
        cure="重新编号",
        rule_id=SPEC,
    )


def check_minimum_area(
    frame: pd.DataFrame, *, class_scheme: str, overrides: Mapping[str, float] | None = None
) -> gpd.GeoDataFrame:
    """D-07: minimum mapped area by big class: construction and facility, agricultural, other (最小上图面积)."""
    if "area_m2" not in frame.columns:
        return no_faults(frame)
    built, agri, other = (parameter(f"min_map_area_{k}_m2", overrides) for k in ("built", "agri", "other"))
    of_big_class = {"建设用地": built, "农用地": agri, "未利用地": other}
    limits = {c.code: built if c.zh == _FACILITY else of_big_class.get(c.big_class) for c in land_classes(class_scheme).values()}
    limit = _text(frame, "class_code").map(limits).to_numpy(dtype=float, na_value=np.nan)
    area = _number(frame, "area_m2")
    with np.errstate(invalid="ignore"):
        rows = np.flatnonzero((area > 0) & (area < limit))
    code = _text(frame, "class_code")
    return fault_rows(
        frame,
        _TABLE,
        rows,
        what="below_minimum_area",
        rule_id="D-07",
        severity=severity_of("D-07"),
        found=[f"{code.iloc[r]} 面积 {area[r]:.2f} m2" for r in rows],
        expected=[f"不小于 {limit[r]:g} m2" for r in rows],
        cure="并入相邻图斑, 或说明保留理由",
    )


def check_linear_width(frame: pd.DataFrame, *, class_scheme: str) -> gpd.GeoDataFrame:
    """D-08: a width only on linear classes, and there it should be filled (线状地物宽度)."""
    if "linear_width_m" not in frame.columns:
        return no_faults(frame)
    width, linear = _number(frame, "linear_width_m"), _has(frame, class_scheme, "linear_width_applies")
    known = _text(frame, "class_code").isin(land_classes(class_scheme)).to_numpy()
    rows = np.flatnonzero((np.nan_to_num(width) > 0) & ~linear & known)
    empty = np.flatnonzero(linear & ~(np.nan_to_num(width) > 0)) if np.isfinite(width).any() else np.empty(0, dtype=int)
    code = _text(frame, "class_code")
    return gather(
        frame,
        [
            fault_rows(
                frame,
                _TABLE,
                rows,
                what="width_not_allowed",
                rule_id="D-08",
                severity=severity_of("D-08"),
                found=[f"{code.iloc[r]} 宽度 {width[r]:g} m" for r in rows],
                expected="仅线状地类填宽度",
                cure="清空宽度或更正地类",
            ),
            fault_rows(
                frame,
                _TABLE,
                empty,
                what="width_missing",
                rule_id="D-08",
                severity="warning",
                found=[f"{code.iloc[r]} 未填宽度" for r in empty],
                expected="大于 0 m",
                cure="补填平均宽度",
            ),
        ],
    )


def check_farmland_complete(frame: pd.DataFrame, *, class_scheme: str) -> gpd.GeoDataFrame:
    """D-09: farmland has slope class and planting code; terraced or sloping beyond class 1 (耕地属性完整)."""
    farmland = _has(frame, class_scheme, "is_farmland")
    sloped = _text(frame, "slope_class").isin(_SLOPED).to_numpy() & farmland
    wanted = (
        ("slope_class", "耕地坡度级别", farmland),
        ("planting_code", "种植属性代码", farmland),
        ("farmland_type", "耕地类型 PD/TT", sloped),
    )
    parts = [_missing_on_farmland(frame, name, zh, where) for name, zh, where in wanted]
    known = _text(frame, "class_code").isin(land_classes(class_scheme)).to_numpy()
    extra = np.flatnonzero(known & ~farmland & (_text(frame, "slope_class") != "").to_numpy())
    all_rows = len(extra) == int((known & ~farmland).sum())
    if len(extra) and not all_rows:
        parts.append(
            fault_rows(
                frame,
                _TABLE,
                extra,
                what="slope_class_not_allowed",
                severity="warning",
                found="非耕地填有坡度级别",
                expected="仅耕地填写",
                cure="清空或更正地类",
            )
        )
    return gather(frame, parts)


def check_restorable_tags(frame: pd.DataFrame, *, class_scheme: str) -> gpd.GeoDataFrame:
    """D-10: the tags 即可恢复 and 工程恢复 only on the classes that can turn back to farmland (恢复标注)."""
    if "planting_code" not in frame.columns or class_scheme != "SD3":
        return no_faults(frame)
    allowed = parameters()["restorable_classes"].default.split(";")
    tag, code = _text(frame, "planting_code"), _text(frame, "class_code")
    rows = np.flatnonzero(tag.isin(_RESTORABLE_TAGS).to_numpy() & ~code.isin(allowed).to_numpy())
    return fault_rows(
        frame,
        _TABLE,
        rows,
        what="tag_not_allowed",
        rule_id="D-10",
        severity=severity_of("D-10"),
        found=[f"{code.iloc[r]} 标注 {tag.iloc[r]}" for r in rows],
        expected="仅园地、林地、0403K、0404、坑塘可标注",
        cure="清空标注或更正地类",
    )


def _number(frame: pd.DataFrame, name: str) -> np.ndarray:
    if name not in frame.columns:
        return np.full(len(frame), np.nan)
    return pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=float, na_value=np.nan)


def _text(frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame.columns:
        return pd.Series("", index=frame.index, dtype=object)
    return frame[name].astype(object).where(~is_blank(frame[name]), "").astype(str).str.strip()


def _has(frame: pd.DataFrame, class_scheme: str, flag: str) -> np.ndarray:
    codes = [c.code for c in land_classes(class_scheme).values() if getattr(c, flag)]
    return _text(frame, "class_code").isin(codes).to_numpy()


def _cents(rule_id: str) -> int:
    return int(hundredths([rule(rule_id).value()])[0])


def _missing_on_farmland(frame: pd.DataFrame, name: str, zh: str, where: np.ndarray) -> gpd.GeoDataFrame:
    rows = np.flatnonzero(where & (_text(frame, name) == "").to_numpy())
    severity = severity_of("D-09")
    if len(rows) > 1 and len(rows) == int(where.sum()):
        return layer_fault(
            frame,
            _TABLE,
            what="farmland_incomplete",
            rule_id="D-09",
            severity=severity,
            found=f"全部 {len(rows)} 个应填图斑的 {name} ({zh}) 为空",
            expected="必填",
            cure="由坡度图与调查成果补填",
        )
    return fault_rows(
        frame,
        _TABLE,
        rows,
        what="farmland_incomplete",
        rule_id="D-09",
        severity=severity,
        found=f"{name} ({zh}) 为空",
        expected="必填",
        cure="补填",
    )
