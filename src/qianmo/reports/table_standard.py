"""Rows of the printed tables of evaluations by a standard, of service values and of landscape pattern (标准评价成果表整理)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from qianmo.reports.table_survey import table_of
from qianmo.schema.codes import class_schemes, land_classes
from qianmo.schema.rules import CONFIDENCE_WORDS
from qianmo.schema.shipped import shipped_rows

__all__ = ["STANDARD_ROWS", "is_own"]

_SHIPPED, _OWN = "低（随包参数）", "本地参数"
_PASSED = "pass"


def is_own(results: Mapping[str, Any], key: str) -> bool:
    """True where the evaluation rests on tables of the county in place of the shipped ones (采用本地参数表)."""
    return bool(dict(results.get(f"{key}_lineage") or {}).get("own_tables"))


def _confident(results: Mapping[str, Any], key: str, lineage: str, *, register: tuple[str, ...] = ()) -> pd.DataFrame | None:
    """The table with the confidence in the figures: low with the shipped model, local with the county's, of the register where they come from it."""
    frame = table_of(results, key)
    if frame is None:
        return None
    word = _OWN if is_own(results, lineage) else _SHIPPED
    plain = frame["zh"].isin(("耕地面积",))
    from_register = frame["zh"].str.contains("数据库") if not register else frame["item"].isin(register)
    return frame.assign(confidence=np.where(plain, "高（图斑面积）", np.where(from_register, "按调查数据库", word)))


def _quality_total(results: Mapping[str, Any]) -> pd.DataFrame | None:
    return _confident(results, "quality_total", "quality")


def _gradation_total(results: Mapping[str, Any]) -> pd.DataFrame | None:
    return _confident(results, "gradation_total", "gradation", register=("register_grade", "register_capacity"))


def _gradation_grade_area(results: Mapping[str, Any]) -> pd.DataFrame | None:
    """Grades that hold farmland in any kind and state."""
    frame = table_of(results, "gradation_grade_area")
    return None if frame is None else frame[(frame[[c for c in frame if c.endswith("_ha")]].fillna(0.0) > 0).any(axis=1)]


def _reclamation_total(results: Mapping[str, Any]) -> pd.DataFrame | None:
    """Targets with the lowest confidence in the criteria that were applied to them."""
    frame, found = table_of(results, "reclamation_total"), table_of(results, "reclamation_result")
    if frame is None:
        return None
    order = [*CONFIDENCE_WORDS.values()]
    least = {} if found is None else {t: max((w for w in g if w in order), key=order.index, default="") for t, g in found.groupby("target")["confidence_zh"]}
    return frame.assign(confidence=[least.get(t, "") for t in frame["target"]])


def _reclamation_short(results: Mapping[str, Any]) -> pd.DataFrame | None:
    """Criteria that a sample does not meet, and the ones that could not be judged counted by indicator."""
    found = table_of(results, "reclamation_result")
    if found is None:
        return None
    bad = found[found["verdict"] != _PASSED]
    counts = bad.groupby(["target_zh", "name_zh", "limit_zh", "verdict_zh", "confidence_zh"], as_index=False, sort=False).agg(samples=("sample", "size"), parcels=("patch_id", "nunique"))
    return counts if len(counts) else None


def _high_standard_total(results: Mapping[str, Any]) -> pd.DataFrame | None:
    frame = table_of(results, "high_standard_total")
    if frame is None:
        return None
    word = _OWN if is_own(results, "high_standard") else "中低（随包限值）"
    money = frame["item"].str.startswith("cost")
    return frame.assign(confidence=np.where(frame["item"] == "farmland", "高（图斑面积）", np.where(money, "低（单价区间）", word)))


def _service_value(results: Mapping[str, Any]) -> pd.DataFrame | None:
    """Classes with value before and after, the share that one class has in the whole, and where its equivalents come from."""
    frame, later = table_of(results, "service_value_class"), table_of(results, "service_value_class_after")
    if frame is None:
        return None
    first, second = frame.set_index("class"), None if later is None else later.set_index("class")
    keys = list(dict.fromkeys([*frame["class"], *([] if later is None else later["class"])]))
    shipped = {r["esv_class"]: r for r in shipped_rows("parameters", "service_equivalent")}
    rows = []
    for key in keys:
        one = first.loc[key] if key in first.index else None
        two = second.loc[key] if second is not None and key in second.index else None
        told = one if one is not None else two
        assert told is not None  # the key is of one of them
        own = bool(told["source"])
        rows.append({
            "zh": told["zh"], "area_ha": 0.0 if one is None else one["area_ha"], "area_after_ha": np.nan if second is None else 0.0 if two is None else two["area_ha"],
            "equivalent": told["equivalent"], "value_yuan_yr": 0.0 if one is None else one["value_yuan_yr"],
            "value_after_yuan_yr": np.nan if second is None else 0.0 if two is None else two["value_yuan_yr"], "sensitivity": np.nan if one is None else one["sensitivity"],
            "confidence": "" if not key else _OWN if own else CONFIDENCE_WORDS.get(shipped[key]["confidence"], "") if key in shipped else "",
            "source": "没有当量，未计入" if not key else "项目自定当量" if own else "谢高地等2015",
        })  # fmt: skip
    return pd.DataFrame(rows)


def _pattern_class(results: Mapping[str, Any]) -> pd.DataFrame | None:
    frame = table_of(results, "pattern_class")
    if frame is None:
        return None
    named = {c: k.zh for scheme in reversed(class_schemes()) for c, k in land_classes(scheme).items()}
    return frame.assign(class_zh=[f"{named[str(c)]}({c})" if str(c) in named else str(c) for c in frame["class"]], share=frame["PLAND"] / 100.0, largest=frame["LPI"] / 100.0).sort_values(
        "CA", ascending=False, kind="stable"
    )


def _pattern_whole(results: Mapping[str, Any]) -> pd.DataFrame | None:
    """Indices of the whole in words and units; those without a word stay in the file of the command."""
    frame = table_of(results, "pattern_whole")
    if frame is None:
        return None
    known = frame.set_index("index")["value"]
    rows = [(r["zh"], r["code"], float(known[r["code"]]), r["unit"], r["note"], r["format"]) for r in shipped_rows("codes", "pattern_words") if r["code"] in known.index and known[r["code"]] == known[r["code"]]]
    return pd.DataFrame(rows, columns=["zh", "code", "value", "unit", "note", "row_format"]) if rows else None


STANDARD_ROWS: Mapping[str, Callable[[Mapping[str, Any]], pd.DataFrame | None]] = MappingProxyType(
    {
        "quality_total": _quality_total, "gradation_total": _gradation_total, "gradation_grade_area": _gradation_grade_area, "reclamation_total": _reclamation_total,
        "reclamation_short": _reclamation_short, "high_standard_total": _high_standard_total, "service_value": _service_value, "pattern_class": _pattern_class,
        "pattern_whole": _pattern_whole,
    }
)  # fmt: skip
"""Table key → how its rows are made."""
