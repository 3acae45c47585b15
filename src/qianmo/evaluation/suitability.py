"""Suitability of land for uses: weighted criteria behind hard exclusions, with the reason (土地适宜性评价)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from qianmo.evaluation.membership import membership
from qianmo.evaluation.quality_model import QualityModel
from qianmo.schema.errors import RuleError
from qianmo.schema.rules import parameter

__all__ = ["suitability"]

_RELATIONS: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "=": operator.eq, "!=": operator.ne,
}  # fmt: skip


def suitability(facts: pd.DataFrame, model: QualityModel, overrides: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Suitability of every patch for every use (适宜性分级).

    Parameters
    ----------
    facts : DataFrame, n rows
        A column a `fact` of criteria and exclusions; missing or blank is unknown.

    Returns
    -------
    DataFrame, n × uses rows
        row, use, use_zh, score (0..1 over the known criteria, also where excluded), known_weight, class, class_zh, reason_zh: the exclusion, else the criterion
        that costs most, else which data are missing. An exclusion beats any score; class is ``excluded`` then, and ``unknown`` where too little is known or an
        exclusion cannot be judged for want of data.

    Raises
    ------
    RuleError
        A relation that is not > >= < <= = !=, or a value that is not a number.
    """
    uses = list(dict.fromkeys((r["use"], r["use_zh"]) for r in model.criteria))
    return pd.concat([_one(facts, model, use, zh, overrides) for use, zh in uses], ignore_index=True)


def _one(facts: pd.DataFrame, model: QualityModel, use: str, zh: str, overrides: Mapping[str, float] | None) -> pd.DataFrame:
    rows = [r for r in model.criteria if r["use"] == use]
    weight = np.array([float(r["weight"]) for r in rows])
    found = np.column_stack([membership(r, _values(facts, r["fact"]), model.concepts) for r in rows])
    known = np.isfinite(found)
    have = known @ weight
    with np.errstate(invalid="ignore", divide="ignore"):
        score = np.where(have > 0, (np.where(known, found, 0.0) @ weight) / have, np.nan)
    lost = np.where(known, (1.0 - np.where(known, found, 1.0)) * weight, -1.0)
    enough = have >= parameter("quality_known_weight_min", overrides) - 1e-9
    barred, open_ = _exclusions(facts, model, use)
    lower = np.array([c[2] for c in model.classes])
    place = np.clip(np.searchsorted(-lower, -(np.nan_to_num(score) + 1e-12), side="left"), 0, len(lower) - 1)
    names, words = (np.array([c[k] for c in model.classes], object) for k in (0, 1))
    kind = np.where(barred != "", "excluded", np.where(~enough | (open_ != ""), "unknown", names[place]))
    shown = np.where(barred != "", "禁止", np.where(~enough | (open_ != ""), "缺数据", words[place]))
    weakest = [f"{rows[k]['name_zh']}失分最多 ({lost[n, k]:.2f})" if lost[n, k] > 1e-12 else "各项条件均好" for n, k in enumerate(lost.argmax(axis=1))]
    missing = ["缺 " + "、".join(r["name_zh"] for r, k in zip(rows, line) if not k) for line in known]
    reason = np.where(barred != "", barred, np.where(~enough, missing, np.where(open_ != "", open_, weakest)))
    return pd.DataFrame({"row": np.arange(len(facts)), "use": use, "use_zh": zh, "score": score, "known_weight": have / weight.sum(), "class": kind, "class_zh": shown, "reason_zh": reason})


def _exclusions(facts: pd.DataFrame, model: QualityModel, use: str) -> tuple[np.ndarray, np.ndarray]:
    """Reasons that bar each patch, joined, and what could not be judged."""
    barred: list[list[str]] = [[] for _ in range(len(facts))]
    unknown: list[list[str]] = [[] for _ in range(len(facts))]
    for rule in (r for r in model.exclusions if r["use"] == use):
        if rule["relation"] not in _RELATIONS:
            raise RuleError(f"suitability_exclusion {use}: 关系 {rule['relation']}", expected=", ".join(_RELATIONS))
        try:
            limit = float(rule["value"])
        except ValueError:
            raise RuleError(f"suitability_exclusion {use}: 限值 {rule['value']!r}", expected="一个数") from None
        values = _values(facts, rule["fact"])
        for n in np.flatnonzero(np.isfinite(values) & _RELATIONS[rule["relation"]](values, limit)):
            barred[n].append(rule["reason_zh"])
        for n in np.flatnonzero(~np.isfinite(values)):
            unknown[n].append(rule["reason_zh"])
    joined: list[Any] = ["；".join(r) for r in barred]
    return np.array(joined, object), np.array(["无法判断是否" + "、".join(r) if r else "" for r in unknown], object)


def _values(facts: pd.DataFrame, name: str) -> np.ndarray:
    if name not in facts:
        return np.full(len(facts), np.nan)
    return pd.to_numeric(facts[name], errors="coerce").to_numpy(float, na_value=np.nan)
