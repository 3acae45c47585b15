"""Policy rules and parameters as data, with source and confidence (规则与参数)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from types import MappingProxyType

from qianmo.schema.errors import RuleError
from qianmo.schema.shipped import shipped_rows

__all__ = [
    "CONFIDENCE_WORDS",
    "CONFIRM",
    "FAIL",
    "NO_DATA",
    "PASS",
    "Parameter",
    "Rule",
    "UnitCost",
    "parameter",
    "parameters",
    "rule",
    "rule_from_row",
    "rules",
    "source_words",
    "unit_cost",
    "unit_costs",
    "verdict_of",
]

PASS, FAIL, CONFIRM, NO_DATA = "pass", "fail", "needs_confirmation", "no_data"
"""The four verdicts: 通过, 不通过, 规则文本待核实, 无数据."""

CONFIDENCE_WORDS: Mapping[str, str] = MappingProxyType({"high": "高", "medium": "中", "low": "低"})
"""Confidence in the text of a rule as a clerk reads it (条文可信度)."""


@dataclass(frozen=True)
class Rule:
    """One policy rule (规则). `threshold` is text as in the table; `hard` rules bind a plan."""

    id: str
    domain: str
    zh: str
    en: str
    formula: str
    threshold: str
    comparator: str
    unit: str
    severity: str
    inputs: str
    source: str
    confidence: str
    effective_from: date | None
    effective_to: date | None
    note: str

    @property
    def is_hard(self) -> bool:
        """True for a rule that binds."""
        return self.severity == "hard"

    def value(self) -> float:
        """Threshold as a number.

        Raises
        ------
        RuleError
            The threshold is not one number.
        """
        try:
            return float(self.threshold)
        except ValueError:
            raise RuleError(f"rule {self.id} has threshold {self.threshold!r}", expected="one number") from None


@dataclass(frozen=True)
class Parameter:
    """One editable default (参数)."""

    name: str
    default: str
    unit: str
    used_in: str
    meaning: str
    source: str
    confidence: str

    def value(self) -> float:
        """Default as a number.

        Raises
        ------
        RuleError
            The default is a word.
        """
        try:
            return float(self.default)
        except ValueError:
            raise RuleError(f"parameter {self.name} is {self.default!r}", expected="a number") from None


@dataclass(frozen=True)
class UnitCost:
    """One cost, price or rate item with low, default, high (单价)."""

    id: str
    category: str
    zh: str
    en: str
    unit: str
    low: float
    default: float
    high: float
    price_basis: str
    source: str
    confidence: str


@cache
def rules() -> dict[str, Rule]:
    """All shipped rules by id."""
    return {r["rule_id"]: rule_from_row(r) for r in shipped_rows("rules", "consolidation_rules")}


def rule(rule_id: str, *, on: date | None = None) -> Rule:
    """One rule, optionally required to be in force on a date.

    Raises
    ------
    RuleError
        Unknown id, or not in force on that date.
    """
    found = rules().get(rule_id)
    if found is None:
        raise RuleError(f"no rule {rule_id!r}", expected="an id of schema/rules/consolidation_rules.csv")
    if on and ((found.effective_from and on < found.effective_from) or (found.effective_to and on > found.effective_to)):
        raise RuleError(f"rule {rule_id} is not in force on {on}", expected=f"{found.effective_from} to {found.effective_to}")
    return found


@cache
def parameters() -> dict[str, Parameter]:
    """All shipped parameters by name."""
    return {
        r["param"]: Parameter(r["param"], r["default"], r["unit"], r["used_in"], r["meaning"], r["source"], r["confidence"])
        for r in shipped_rows("parameters", "parameters")
    }


def parameter(name: str, overrides: Mapping[str, float] | None = None) -> float:
    """Value of a numeric parameter: the override where given, else the shipped default.

    Raises
    ------
    RuleError
        Unknown parameter, or not a number.
    """
    found = parameters().get(name)
    if found is None:
        raise RuleError(f"no parameter {name!r}", expected="a name of schema/parameters/parameters.csv")
    if overrides and name in overrides:
        return float(overrides[name])
    return found.value()


@cache
def unit_costs() -> dict[str, UnitCost]:
    """All shipped cost items by id."""
    return {
        r["item_id"]: UnitCost(
            r["item_id"], r["category"], r["name_zh"], r["name_en"], r["unit"], float(r["low"]), float(r["default"]),
            float(r["high"]), r["price_basis"], r["source"], r["confidence"],
        )
        for r in shipped_rows("parameters", "unit_costs")
    }  # fmt: skip


def unit_cost(item_id: str) -> UnitCost:
    """One cost item.

    Raises
    ------
    RuleError
        Unknown id.
    """
    found = unit_costs().get(item_id)
    if found is None:
        raise RuleError(f"no unit cost {item_id!r}", expected="an id of schema/parameters/unit_costs.csv")
    return found


def verdict_of(found: Rule, ok: bool | None) -> str:
    """Verdict for a measured outcome.

    None → no_data; True → pass; False → fail, but a rule whose text was not confirmed
    (confidence medium or low) gives needs_confirmation instead of a bare fail (domain rule 0.1.2).
    """
    if ok is None:
        return NO_DATA
    if ok:
        return PASS
    return FAIL if found.confidence == "high" else CONFIRM


def rule_from_row(r: Mapping[str, str]) -> Rule:
    """The rule that a row of a rule list describes (由表行得到规则)."""
    return Rule(
        r["rule_id"], r["domain"], r["text_zh"], r["text_en"], r["formula"], r["threshold_default"], r["comparator"], r["unit"],
        r["severity"], r["inputs"], r["source"], r["confidence"], _date(r["effective_from"]), _date(r["effective_to"], end=True), r["note"],
    )  # fmt: skip


def _date(text: str, *, end: bool = False) -> date | None:
    """A date from YYYY-MM-DD, YYYY-MM or YYYY: the first day of the span, or its last when `end`."""
    if not text:
        return None
    parts = [int(p) for p in text.split("-")]
    if len(parts) == 3:
        return date(*parts)
    if not end:
        return date(parts[0], parts[1] if len(parts) == 2 else 1, 1)
    month = parts[1] if len(parts) == 2 else 12
    following = date(parts[0] + month // 12, month % 12 + 1, 1)
    return date.fromordinal(following.toordinal() - 1)


def source_words(text: str) -> str:
    """Where a rule or rate was read, in Chinese (来源的中文说法).

    >>> source_words("企业所得税法 (own knowledge)")
    '企业所得税法 (经验知识, 未见原文)'
    """
    for said, zh in _SOURCES.items():
        text = text.replace(said, zh)
    return text


_SOURCES = {
    "partly found": "部分见于", "found:": "见于", "own knowledge": "经验知识, 未见原文", "own design": "自拟", "document found": "文件已见", "numbers": "数字为",
    "note on project finance": "资金设计说明", "domain note": "业务说明", "published guideline used in practice": "实务指引", "arithmetic": "算术关系",
    "shared price list unit_costs.csv (market ranges, 2022-2025)": "单价表市场区间(2022—2025)",
}  # fmt: skip
