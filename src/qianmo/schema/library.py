"""Words of the project library: classes, coded values, criteria of the score (项目库代码)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from qianmo.schema.errors import RuleError
from qianmo.schema.shipped import shipped_rows

__all__ = ["Criterion", "coded_values", "column_word", "library_criteria", "project_classes", "random_index", "readiness_of", "value_words", "zone_names"]


@dataclass(frozen=True)
class Criterion:
    """One criterion of the score (评分指标): the value of `column` is normed from `least` (0) to `most` (1) and weighed."""

    id: str
    zh: str
    en: str
    column: str
    least: Fraction
    most: Fraction
    weight: Fraction


@cache
def project_classes() -> dict[str, str]:
    """The seven classes of sub-projects, Chinese → English, in the order of the list (子项目类别)."""
    return {r["class"]: r["en"] for r in shipped_rows("codes", "project_classes")}


@cache
def library_criteria() -> dict[str, Criterion]:
    """Criteria of the score with their default weights (评分指标与缺省权重)."""
    return {
        r["criterion"]: Criterion(r["criterion"], r["zh"], r["en"], r["column"], Fraction(r["least"]), Fraction(r["most"]), Fraction(r["weight"]))
        for r in shipped_rows("parameters", "library_criteria")
    }


@cache
def column_word(column: str) -> str:
    """What a column of the library is called in English, without its unit (字段英文名); the name of the column where it has no word."""
    return {r["column"]: r["en"] for r in shipped_rows("codes", "library_columns")}.get(column, column.replace("_", " "))


@cache
def coded_values(column: str) -> dict[str, tuple[str, str]]:
    """Code → Chinese and English word of a coded column of the library (代码值); empty where the column has no codes."""
    return {r["value"]: (r["zh"], r["en"]) for r in shipped_rows("codes", "library_values") if r["column"] == column}


def value_words(column: str, value: str) -> tuple[str, str]:
    """Chinese and English word of a coded value; the value itself where it is not listed (代码用语)."""
    return coded_values(column).get(value, (value, value))


@cache
def readiness_of(column: str, value: str) -> Fraction | None:
    """How ready a coded state is, from 0 to 1; None where it is no such state (准备程度)."""
    for r in shipped_rows("codes", "library_values"):
        if r["column"] == column and r["value"] == value and r["readiness"]:
            return Fraction(r["readiness"])
    return None


def random_index(order: int) -> float:
    """Mean consistency index of random tables of comparisons (随机一致性指标).

    Raises
    ------
    RuleError
        No value for that order.
    """
    for r in shipped_rows("parameters", "random_consistency"):
        if int(r["order"]) == order:
            return float(r["index"])
    raise RuleError(f"{order} 项指标没有随机一致性指标", expected="1 至 10 项")


@cache
def zone_names() -> dict[str, str]:
    """Zone of the matrix zone × activity → Chinese name (管控区)."""
    return {r["zone"]: r["zh"] for r in shipped_rows("codes", "zone_names")}
