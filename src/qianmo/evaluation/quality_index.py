"""Farmland quality by weighted membership: index, grade, limiting factor (耕地质量综合指数与等级)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from qianmo.evaluation.fact_ranges import changed_by_works, check_ranges
from qianmo.evaluation.membership import membership
from qianmo.evaluation.quality_model import QualityModel
from qianmo.schema.errors import MissingDataError
from qianmo.schema.rules import parameter

__all__ = ["check_facts", "facts_after_works", "grade_by_area", "limiting_summary", "mean_index_grade", "quality_index"]


def quality_index(facts: pd.DataFrame, model: QualityModel, overrides: Mapping[str, float] | None = None) -> pd.DataFrame:
    r"""Quality index, grade and limiting factor of n patches (耕地质量综合指数).

    Parameters
    ----------
    facts : DataFrame, n rows
        A column a `fact` of the indicators; a column that is missing, or a blank, is unknown.

    Returns
    -------
    DataFrame, index of `facts`
        index (0..1 over the known indicators), index_low and index_high (the unknown ones at 0 and at 1), known_weight, grade (1 best), grade_low and
        grade_high (best and worst grade the unknown allow), limiting (indicator that costs most), limiting_zh (in words). NaN and '' where less than
        ``quality_known_weight_min`` of the weights is known.

    Raises
    ------
    MissingDataError
        No indicator is known for any patch.

    Notes
    -----
    :math:`P = \sum_k w_k f_k(x_k) / \sum_k w_k` over the known k. The limiting factor has the largest loss :math:`w_k (1 - f_k)`.
    """
    weight = np.array([float(r["weight"]) for r in model.indicators])
    found = np.column_stack([_member(r, facts, model) for r in model.indicators]) if len(facts) else np.empty((0, len(weight)))
    known = np.isfinite(found)
    if len(facts) and not known.any():
        raise MissingDataError("没有一个图斑有任何质量指标", expected=", ".join(f"{r['fact']} ({r['name_zh']})" for r in model.indicators), cure="补充坡度、土壤或 --indicators 指标表")
    have = known @ weight
    sums = np.nansum(np.where(known, found, 0.0) * weight, axis=1)
    enough = have >= parameter("quality_known_weight_min", overrides) - 1e-9
    whole = float(weight.sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        index = np.where(enough, sums / have, np.nan)
    low, high = np.where(enough, sums / whole, np.nan), np.where(enough, (sums + whole - have) / whole, np.nan)
    lost = np.where(known, (1.0 - np.where(known, found, 1.0)) * weight, -1.0)
    worst = lost.argmax(axis=1) if len(facts) else np.empty(0, int)
    limits = (lost.max(axis=1) > 1e-12) & enough if len(facts) else np.empty(0, bool)
    names = np.array([r["indicator"] for r in model.indicators], object)
    words = np.full(len(facts), "", object)
    for k, row in enumerate(model.indicators):
        rows = np.flatnonzero(limits & (worst == k))
        if len(rows):
            values = facts[row["fact"]].to_numpy(object)[rows]
            words[rows] = [_words(model, row, v, m, x) for v, m, x in zip(values, found[rows, k], lost[rows, k])]
    return pd.DataFrame(
        {
            "index": index, "index_low": low, "index_high": high, "known_weight": have / whole, "grade": _grade(index, model), "grade_low": _grade(high, model),
            "grade_high": _grade(low, model), "limiting": np.where(limits, names[worst], ""), "limiting_zh": words,
        },
        index=facts.index,
    )  # fmt: skip


def check_facts(facts: pd.DataFrame, model: QualityModel) -> None:
    """Refuse figures that cannot be meant, most often for their units (指标值检查).

    Raises
    ------
    SchemaError
        A figure below ``valid_min`` or above ``valid_max`` of its indicator; the patches are named.
    """
    check_ranges(facts, model.indicators, words=[r["fact"] for r in model.indicators if r["function"] == "concept"])


def facts_after_works(facts: pd.DataFrame, measure: np.ndarray, model: QualityModel) -> pd.DataFrame:
    """Facts after works, by the table of effects (措施后指标).

    ``at_least`` raises a number, or a word to a better rank; ``at_most`` lowers a number; ``set`` replaces. What is unknown stays unknown: else only land with works
    would be graded, and a mean before would stand beside a mean after over other indicators and other fields.

    Raises
    ------
    RuleError
        An effect names a relation that is not one of these.
    """
    return changed_by_works(facts, measure, model.effects, model.concepts, what="quality_effect")


def mean_index_grade(grade: np.ndarray, area: np.ndarray) -> float:
    """Area-weighted mean grade over the graded land (平均质量等级); NaN where none is graded."""
    used = np.isfinite(grade) & (area > 0)
    return float(np.average(grade[used], weights=area[used])) if used.any() else float("nan")


def grade_by_area(model: QualityModel, before: tuple[np.ndarray, np.ndarray], after: tuple[np.ndarray, np.ndarray] | None) -> pd.DataFrame:
    """Area by grade before and after (各等级面积): columns grade, zh, before_ha, after_ha; a last row for land without a grade."""
    rows: list[tuple[Any, ...]] = []
    for grade, zh in [*((float(g), zh) for g, zh, _ in model.grades), (np.nan, "指标不足未评")]:
        sums = [np.nan if side is None else float(side[1][np.isnan(side[0]) if np.isnan(grade) else side[0] == grade].sum()) for side in (before, after)]
        rows.append((grade, zh, *sums))
    return pd.DataFrame(rows, columns=["grade", "zh", "before_ha", "after_ha"])


def _member(row: Mapping[str, str], facts: pd.DataFrame, model: QualityModel) -> np.ndarray:
    if row["fact"] not in facts:
        return np.full(len(facts), np.nan)
    column = facts[row["fact"]]
    values = column.to_numpy(object) if row["function"] == "concept" else pd.to_numeric(column, errors="coerce").to_numpy(float, na_value=np.nan)
    return membership(row, values, model.concepts)


def _grade(index: np.ndarray, model: QualityModel) -> np.ndarray:
    lower = np.array([g[2] for g in model.grades])
    number = np.array([g[0] for g in model.grades], float)
    place = np.clip(np.searchsorted(-lower, -(index + 1e-12), side="left"), 0, len(lower) - 1)
    return np.where(np.isfinite(index), number[place], np.nan)


def _words(model: QualityModel, row: Mapping[str, str], value: Any, member: float, lost: float) -> str:
    shown = model.concept_names.get((row["indicator"], str(value)), str(value)) if row["function"] == "concept" else f"{float(value):.4g} {_UNITS.get(row['unit'], row['unit'])}".strip()
    return f"{row['name_zh']}: {shown} (隶属度 {member:.2f}, 失分 {lost:.3f})"


_UNITS = {"degree": "度", "mu": "亩", "cm": "厘米", "g/kg": "克/千克", "m": "米"}


def limiting_summary(table: pd.DataFrame, area: np.ndarray, model: QualityModel) -> pd.DataFrame:
    """Area by limiting factor, largest first (限制因素面积): columns indicator, zh, patches, area_ha, share of the graded area."""
    graded = table["index"].notna().to_numpy()
    names: Sequence[tuple[str, str]] = [(r["indicator"], r["name_zh"]) for r in model.indicators]
    total = float(area[graded].sum())
    rows = []
    for key, zh in [*names, ("", "没有限制因素")]:
        mine = graded & (table["limiting"] == key).to_numpy()
        if mine.any():
            rows.append((key, zh, int(mine.sum()), float(area[mine].sum()), float(area[mine].sum()) / total if total else np.nan))
    return pd.DataFrame(rows, columns=["indicator", "zh", "patches", "area_ha", "share"]).sort_values("area_ha", ascending=False, kind="stable").reset_index(drop=True)
