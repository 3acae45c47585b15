"""Rules of the legality of project money: which there are, to which projects they apply, what they look at (资金合规规则)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

from qianmo.schema.errors import RuleError
from qianmo.schema.rules import Rule, rule_from_row, rules
from qianmo.schema.shipped import shipped_rows

__all__ = ["CapitalShare", "FinanceFact", "LintRule", "capital_shares", "finance_facts", "finance_models", "lint_rule", "lint_rules"]


@dataclass(frozen=True)
class LintRule:
    """A rule and where it belongs (合规规则): `group_zh` of the report, `models` of a project that it applies to, () for all."""

    rule: Rule
    group_zh: str
    models: tuple[str, ...]


@dataclass(frozen=True)
class FinanceFact:
    """A fact that rules look at (合规事实): `type` real, integer, flag, text, date or list; numbers from `least` to `most`;
    `used_in` the rules that look at it.
    """

    name: str
    type: str
    unit: str
    zh: str
    least: float
    most: float
    used_in: tuple[str, ...]


@dataclass(frozen=True)
class CapitalShare:
    """Least share of equity of an industry (行业最低资本金比例)."""

    industry: str
    zh: str
    least: float
    source: str
    confidence: str
    since: date


@cache
def lint_rules() -> dict[str, LintRule]:
    """All rules of ``codes/finance_lint.csv`` by id, in the order of the report (全部资金合规规则).

    Their texts stand in ``rules/finance_rules.csv``; F and J rules in ``rules/consolidation_rules.csv``.

    Raises
    ------
    RuleError
        A row names a rule or a model that does not exist, or a rule of the money has no row.
    """
    own = {r["rule_id"]: rule_from_row(r) for r in shipped_rows("rules", "finance_rules")}
    texts, found = {**rules(), **own}, {}
    for row in shipped_rows("codes", "finance_lint"):
        models = tuple(m for m in row["models"].split(";") if m)
        strange = [m for m in models if m not in finance_models()]
        if row["rule_id"] not in texts or strange:
            raise RuleError(f"codes/finance_lint.csv: {row['rule_id']} {' '.join(strange)}".strip(), expected="ids of rules and of codes/finance_models.csv")
        found[row["rule_id"]] = LintRule(texts[row["rule_id"]], row["group_zh"], models)
    left = own.keys() - found.keys()
    if left:
        raise RuleError(f"rules without a row in codes/finance_lint.csv: {', '.join(sorted(left))}", expected="one row a rule")
    return found


def lint_rule(rule_id: str) -> LintRule:
    """One rule.

    Raises
    ------
    RuleError
        Unknown id.
    """
    if rule_id not in lint_rules():
        raise RuleError(f"no rule {rule_id!r}", expected="an id of codes/finance_lint.csv")
    return lint_rules()[rule_id]


@cache
def finance_facts() -> dict[str, FinanceFact]:
    """All facts by name (全部合规事实)."""
    return {
        r["name"]: FinanceFact(r["name"], r["type"], r["unit"], r["zh"], float(r["least"] or "-inf"), float(r["most"] or "inf"), tuple(r["used_in"].split(";")))
        for r in shipped_rows("codes", "finance_facts")
    }


@cache
def finance_models() -> dict[str, str]:
    """Kinds of arrangements a project may have, with their Chinese names (项目模式)."""
    return {r["model"]: r["zh"] for r in shipped_rows("codes", "finance_models")}


@cache
def capital_shares() -> dict[str, CapitalShare]:
    """Least shares of equity by industry (行业最低资本金比例)."""
    return {
        r["industry"]: CapitalShare(r["industry"], r["zh"], float(r["least_share"]), r["source"], r["confidence"], date.fromisoformat(r["from"]))
        for r in shipped_rows("parameters", "capital_shares")
    }
