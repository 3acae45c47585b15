"""Tables of the land-quality model, checked before use (耕地质量与适宜性模型)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qianmo.evaluation.membership import check_concepts, check_curve
from qianmo.evaluation.own_tables import Rows, known_tables, table_rows
from qianmo.evaluation.weights import check_weight_sum, consistency_ratio, judgement_matrix, pairwise_weights
from qianmo.schema.errors import RuleError
from qianmo.schema.rules import parameter

__all__ = ["MODEL_TABLES", "QualityModel", "quality_model"]

MODEL_TABLES = (
    "quality_indicator", "quality_concept", "quality_grade", "quality_judgement", "quality_effect", "suitability_criterion", "suitability_exclusion", "suitability_class",
)  # fmt: skip
"""Names of the tables, all in ``schema/parameters``; a county gives its own under the same names."""

_FROM_JUDGEMENT = 1e-3


@dataclass(frozen=True)
class QualityModel:
    """Indicators with functions and weights, words, limits of grades, effects of works, criteria and exclusions of uses (评价模型).

    `ratios` are the consistency ratios of the judgement matrices by name.
    """

    indicators: Rows
    concepts: Mapping[tuple[str, str], float]
    concept_names: Mapping[tuple[str, str], str]
    grades: tuple[tuple[int, str, float], ...]
    effects: Rows
    criteria: Rows
    exclusions: Rows
    classes: tuple[tuple[str, str, float], ...]
    ratios: Mapping[str, float]


def quality_model(own: Mapping[str, Rows] | None = None, overrides: Mapping[str, float] | None = None) -> QualityModel:
    """The model from the shipped tables, with those of the county in their place (组装并检查评价模型).

    Parameters
    ----------
    own : mapping of table name to rows, optional
        Tables that stand in for shipped ones, with the same columns.

    Raises
    ------
    SchemaError
        An unknown table, or one without a needed column.
    RuleError
        A function, a table of words, weights, judgements or limits that cannot be meant.
    """
    told = own or {}
    known_tables(told, MODEL_TABLES)
    tables = {n: _rows(n, told.get(n)) for n in MODEL_TABLES}
    indicators = tables["quality_indicator"]
    for row in (*indicators, *tables["suitability_criterion"]):
        check_curve(row)
    check_concepts(tables["quality_concept"])
    check_weight_sum([r["indicator"] for r in indicators], [_weight(r) for r in indicators], what="quality_indicator")
    ratios = _check_judgements(indicators, tables["quality_judgement"], parameter("ahp_consistency_max", overrides))
    for use in dict.fromkeys(r["use"] for r in tables["suitability_criterion"]):
        mine = [r for r in tables["suitability_criterion"] if r["use"] == use]
        check_weight_sum([r["indicator"] for r in mine], [_weight(r) for r in mine], what=f"suitability_criterion {use}")
    concepts = {(r["indicator"], r["value"]): float(r["membership"]) for r in tables["quality_concept"]}
    lost = [r["indicator"] for r in indicators if r["function"] == "concept" and not any(n == r["indicator"] for n, _ in concepts)]
    if lost:
        raise RuleError(f"概念型指标 {', '.join(lost)} 没有取值表", expected="quality_concept 中每个取值一行")
    names = {(r["indicator"], r["value"]): r["name_zh"] for r in tables["quality_concept"]}
    grades = tuple((int(r["grade"]), r["name_zh"], float(r["index_min"])) for r in tables["quality_grade"])
    classes = tuple((r["class"], r["name_zh"], float(r["score_min"])) for r in tables["suitability_class"])
    _check_limits([g[2] for g in grades], "quality_grade")
    _check_limits([c[2] for c in classes], "suitability_class")
    return QualityModel(indicators, concepts, names, grades, tables["quality_effect"], tables["suitability_criterion"], tables["suitability_exclusion"], classes, ratios)


def _rows(name: str, own: Rows | None) -> Rows:
    """The table; no judgements is an answer."""
    return own if own is not None and not own and name == "quality_judgement" else table_rows(name, own)


def _weight(row: Mapping[str, str]) -> float:
    try:
        return float(row["weight"])
    except ValueError:
        raise RuleError(f"指标 {row['indicator']} 的权重 {row['weight']!r}", expected="一个数") from None


def _check_judgements(indicators: Rows, judgements: Rows, largest: float) -> dict[str, float]:
    """Consistency ratio of every matrix; the weights must be those of the judgements. No judgements: weights stand by themselves."""
    if not judgements:
        return {}
    groups = list(dict.fromkeys(r["group"] for r in indicators))
    members = {g: [r["indicator"] for r in indicators if r["group"] == g] for g in groups}
    strange = {r["matrix"] for r in judgements} - {"group", *groups}
    if strange:
        raise RuleError(f"判断矩阵 {', '.join(sorted(strange))}", expected=f"group 或 {', '.join(groups)}")
    share, ratios = {}, {}
    for name, items in {"group": groups, **members}.items():
        matrix = judgement_matrix(items, {(r["row"], r["column"]): float(r["value"]) for r in judgements if r["matrix"] == name}, what=name)
        ratios[name] = consistency_ratio(matrix)
        if ratios[name] > largest:
            raise RuleError(f"判断矩阵 {name} 一致性比率 {ratios[name]:.3f}", expected=f"不超过 {largest:g}", cure="重新比较, 消除前后矛盾的判断")
        share[name] = dict(zip(items, pairwise_weights(matrix)[0]))
    for r in indicators:
        wanted = share["group"][r["group"]] * share[r["group"]][r["indicator"]]
        if abs(_weight(r) - wanted) > _FROM_JUDGEMENT:
            raise RuleError(f"指标 {r['indicator']} 的权重 {_weight(r):g}", expected=f"判断矩阵给出 {wanted:.4f}", cure="改权重, 或改判断矩阵, 或清空 quality_judgement.csv 的行")
    return ratios


def _check_limits(lower: Sequence[float], what: str) -> None:
    if any(b >= a for a, b in zip(lower, lower[1:])) or lower[-1] > 0 or lower[0] > 1:
        raise RuleError(f"{what} 的下限 {list(lower)}", expected="由高到低严格递减, 最后一级为 0, 最高不过 1")
