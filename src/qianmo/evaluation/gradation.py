"""Gradation of farmland: score, natural, utilisation and economic index and grade, capacity (农用地分等)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from qianmo.evaluation.gradation_model import BIN_KINDS, Crop, GradationModel
from qianmo.evaluation.membership import membership
from qianmo.evaluation.score_steps import step_scores, step_words
from qianmo.schema.errors import MissingDataError
from qianmo.schema.rules import parameter

__all__ = ["crop_indices", "crop_scores", "gradation", "grade_of", "grain_capacity"]

_FULL = 100.0


def gradation(facts: pd.DataFrame, model: GradationModel, coefficients: pd.DataFrame | None = None, overrides: Mapping[str, float] | None = None) -> pd.DataFrame:
    r"""Index and grade of n patches by the three steps of GB/T 28407 (农用地分等).

    Parameters
    ----------
    facts : DataFrame, n rows
        A column a `fact` of the indicators; a column that is missing, or a blank, is unknown.
    coefficients : DataFrame, n rows, optional
        Columns ``use_<crop>`` and ``economic_<crop>`` from 0 to 1, from :func:`qianmo.evaluation.gradation_use.use_coefficients`; NaN is unknown.

    Returns
    -------
    DataFrame, index of `facts`
        natural_score (0..1, mean of C weighted by α·β), natural_index, natural_low and natural_high (unknown scores at 0 and at 100), use_index,
        economic_index, natural_grade, use_grade, economic_grade (1 best to 15), known_weight, limiting, limiting_zh. NaN and '' where less than
        ``quality_known_weight_min`` of the weights is known; use and economic indices also where a coefficient is unknown. Rises with every score.

    Raises
    ------
    MissingDataError
        No indicator is known for any patch.

    Notes
    -----
    :math:`C_j = \sum_k w_k f_k / 100` or :math:`\prod_k (f_k / 100)^{w_k}` over the known k with their weights made to sum to 1,
    :math:`R = \sum_j \alpha_j C_j \beta_j`, :math:`Y = \sum_j R_j K_{L,j}`, :math:`G = \sum_j Y_j K_{C,j}`; with one coefficient for all crops
    :math:`Y = R K_L` and :math:`G = Y K_C`. The limiting factor has the largest loss :math:`\sum_j \alpha_j \beta_j w_k (1 - f_k/100)`.
    """
    found = [(c, *crop_scores(facts, c)) for c in model.crops]
    if len(facts) and not any(np.isfinite(f).any() for _, f, _ in found):
        raise MissingDataError("没有一个图斑有任何分等因素", expected=", ".join(f"{r['fact']} ({r['name_zh']})" for r in model.indicators), cure="补充坡度、土壤或 --indicators 指标表")
    n = len(facts)
    natural, low, high, used, earned = (np.zeros(n) for _ in range(5))
    known = np.full(n, np.inf)
    lost: dict[str, np.ndarray] = {}
    for crop, score, weight in found:
        potential = crop.light_temperature * crop.yield_ratio
        share = np.isfinite(score) @ weight / weight.sum()
        known = np.minimum(known, share)
        part = potential * _joined(score, weight, model)
        natural += part
        low += potential * _joined(np.nan_to_num(score, nan=0.0), weight, model)
        high += potential * _joined(np.nan_to_num(score, nan=_FULL), weight, model)
        use, economic = (_coefficient(coefficients, f"{k}_{crop.crop}", n) for k in ("use", "economic"))
        used += part * use
        earned += part * use * economic
        for k, row in enumerate(crop.indicators):
            loss = potential * weight[k] * (1.0 - score[:, k] / _FULL)
            lost[row["indicator"]] = lost.get(row["indicator"], 0.0) + np.nan_to_num(loss, nan=0.0)
    enough = known >= parameter("quality_known_weight_min", overrides) - 1e-9
    best = sum(c.light_temperature * c.yield_ratio for c in model.crops)
    out = {"natural_score": natural / best, "natural_index": natural, "natural_low": low, "natural_high": high, "use_index": used, "economic_index": earned}
    out = {k: np.where(enough, v, np.nan) for k, v in out.items()}
    for kind in BIN_KINDS:
        out[f"{kind}_grade"] = grade_of(out[f"{kind}_index"], model, kind)
    limiting, words = _limiting(lost, facts, model, enough, best)
    return pd.DataFrame(out | {"known_weight": known if n else np.empty(0), "limiting": limiting, "limiting_zh": words}, index=facts.index)


def crop_indices(facts: pd.DataFrame, model: GradationModel, coefficients: pd.DataFrame) -> pd.DataFrame:
    """The parts of the indices by crop, n patches times the crops (分作物等指数).

    Returns
    -------
    DataFrame
        patch_id, crop, crop_zh, score (C, 0..1), natural_index (α·C·β), use_coefficient, use_index, economic_coefficient, economic_index; their sums over the
        crops are the indices of :func:`gradation`.
    """
    parts = []
    for crop in model.crops:
        score, weight = crop_scores(facts, crop)
        c = _joined(score, weight, model)
        natural = crop.light_temperature * crop.yield_ratio * c
        use, economic = (coefficients[f"{k}_{crop.crop}"].to_numpy(float) for k in ("use", "economic"))
        parts.append(pd.DataFrame({
            "patch_id": facts["patch_id"].to_numpy(object), "crop": crop.crop, "crop_zh": crop.zh, "score": c, "natural_index": natural, "use_coefficient": use,
            "use_index": natural * use, "economic_coefficient": economic, "economic_index": natural * use * economic,
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def crop_scores(facts: pd.DataFrame, crop: Crop) -> tuple[np.ndarray, np.ndarray]:
    """Scores 0 to 100 of n patches and m indicators for one crop, NaN unknown, (n, m), and the weights, (m,) (因素分值与权重)."""
    score = np.full((len(facts), len(crop.indicators)), np.nan)
    for k, row in enumerate(crop.indicators):
        if row["fact"] not in facts:
            continue
        steps = crop.steps.get(row["indicator"])
        values = facts[row["fact"]]
        if steps and step_words(steps):
            score[:, k] = step_scores(steps, values.to_numpy(object), what=row["name_zh"])
            continue
        number = pd.to_numeric(values, errors="coerce").to_numpy(float, na_value=np.nan)
        score[:, k] = step_scores(steps, number, what=row["name_zh"]) if steps else _FULL * membership(row, number, {})
    return score, np.array([float(r["weight"]) for r in crop.indicators])


def grade_of(index: np.ndarray, model: GradationModel, kind: str) -> np.ndarray:
    """Grade of n indices (等别), 1 best to 15, NaN where the index is; a limit belongs to the better grade."""
    lower = np.array([v for _, v in model.bins[kind]])
    number = np.array([g for g, _ in model.bins[kind]], float)
    place = np.clip(np.searchsorted(-lower, -(index + 1e-9 * np.maximum(index, 1.0)), side="left"), 0, len(lower) - 1)
    return np.where(np.isfinite(index), number[place], np.nan)


def grain_capacity(grade: np.ndarray, overrides: Mapping[str, float] | None = None) -> np.ndarray:
    """Grain capacity of land of a grade [kg/mu a year] (产能): ``grade_area_base`` less the grade, times ``capacity_grade_step``.

    >>> grain_capacity(np.array([10.0])).tolist()
    [550.0]
    """
    return (parameter("grade_area_base", overrides) - grade) * parameter("capacity_grade_step", overrides)


def _joined(score: np.ndarray, weight: np.ndarray, model: GradationModel) -> np.ndarray:
    """C of n patches over the known indicators, 0 to 1; NaN where none is known."""
    known = np.isfinite(score)
    have = known @ weight
    with np.errstate(divide="ignore", invalid="ignore"):
        if model.is_geometric:
            logs = np.where(known, np.log(np.where(known, score, 1.0) / _FULL), 0.0)
            spread = np.where(weight > 0, logs * weight, 0.0).sum(axis=1)
            return np.where(have > 0, np.exp(spread / have), np.nan)
        return np.where(have > 0, np.where(known, score, 0.0) @ weight / (have * _FULL), np.nan)


def _coefficient(told: pd.DataFrame | None, name: str, n: int) -> np.ndarray:
    return np.full(n, np.nan) if told is None or name not in told else told[name].to_numpy(float)


def _limiting(lost: Mapping[str, np.ndarray], facts: pd.DataFrame, model: GradationModel, enough: np.ndarray, best: float) -> tuple[np.ndarray, np.ndarray]:
    names = list(lost)
    table = np.column_stack([lost[k] for k in names]) if names else np.zeros((len(facts), 1))
    worst = table.argmax(axis=1) if len(facts) else np.empty(0, int)
    limits = enough & (table.max(axis=1) > 1e-9 * best) if len(facts) else np.empty(0, bool)
    limiting, words = np.full(len(facts), "", object), np.full(len(facts), "", object)
    for k, name in enumerate(names):
        rows = np.flatnonzero(limits & (worst == k))
        if len(rows):
            row, named = _told_of(name, model)
            limiting[rows] = name
            words[rows] = [f"{row['name_zh']}: {_shown(v, row, named)} (失分 {x / best:.3f})" for v, x in zip(facts[row["fact"]].to_numpy(object)[rows], table[rows, k])]
    return limiting, words


def _told_of(name: str, model: GradationModel) -> tuple[Mapping[str, str], Mapping[str, str]]:
    crop = next(c for c in model.crops if any(r["indicator"] == name for r in c.indicators))
    return next(r for r in crop.indicators if r["indicator"] == name), step_words(crop.steps.get(name, ()))


def _shown(value: Any, row: Mapping[str, str], named: Mapping[str, str]) -> str:
    return named.get(str(value), str(value)) if named else f"{float(value):.4g} {_UNITS.get(row['unit'], row['unit'])}".strip()


_UNITS = {"degree": "度", "cm": "厘米", "g/kg": "克/千克", "m": "米"}
