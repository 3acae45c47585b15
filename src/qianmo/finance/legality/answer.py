"""The answer to one rule, and the comparisons most rules consist of (判定结果与常用判定式)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qianmo.finance.legality.project_facts import ProjectFacts, told
from qianmo.schema.errors import MissingDataError, RuleError
from qianmo.schema.finance_rules import finance_facts, lint_rule

__all__ = ["Answer", "Measure", "amount", "at_least", "at_most", "is_never", "is_never_true", "is_true", "numbers_in", "parts_at_most", "threshold"]

SLACK = 1e-9
"""Rounding of float arithmetic that does not break a rule."""


@dataclass(frozen=True)
class Answer:
    """Whether a rule holds, the quantity measured, and the figures behind it in Chinese (判定结果)."""

    ok: bool
    value: float | None
    numbers: str
    limit: str = ""


Measure = Callable[[ProjectFacts], Answer]
"""Looks at the facts and answers one rule; raises MissingDataError where they cannot."""


def threshold(facts: ProjectFacts, rule_id: str) -> float:
    """Threshold in force: the local one, else that of the rule (阈值)."""
    return numbers_in(facts, rule_id, 1)[0]


def numbers_in(facts: ProjectFacts, rule_id: str, count: int) -> list[float]:
    """The first numbers in the threshold text of a rule, or in its local one (阈值中的数字).

    Raises
    ------
    RuleError
        The text holds fewer numbers than asked for.
    """
    text = str(facts.overrides.get(rule_id, lint_rule(rule_id).rule.threshold))
    found = re.findall(r"\d+(?:\.\d+)?", text)
    if len(found) < count:
        raise RuleError(f"rule {rule_id} has threshold {text!r}", expected=f"{count} numbers")
    return [float(x) for x in found[:count]]


def at_least(facts: ProjectFacts, rule_id: str, value: float, numbers: str) -> Answer:
    """Answer to 'value >= threshold' (不低于)."""
    least = threshold(facts, rule_id)
    return Answer(value >= least - SLACK * max(1.0, abs(least)), value, numbers, f"≥ {least:g}")


def at_most(facts: ProjectFacts, rule_id: str, value: float, numbers: str) -> Answer:
    """Answer to 'value <= threshold' (不高于)."""
    most = threshold(facts, rule_id)
    return Answer(value <= most + SLACK * max(1.0, abs(most)), value, numbers, f"≤ {most:g}")


def is_never_true(*names: str) -> Measure:
    """Measure that passes when no flag is set (不得出现)."""

    def measure(facts: ProjectFacts) -> Answer:
        values = told(facts, *names)
        return Answer(not any(values), float(sum(values)), _flags(names, values), "0")

    return measure


def is_true(*names: str) -> Measure:
    """Measure that passes when every flag is set (应当具备)."""

    def measure(facts: ProjectFacts) -> Answer:
        values = told(facts, *names)
        return Answer(all(values), float(sum(values)), _flags(names, values), str(len(names)))

    return measure


def is_never(name: str, *, tolerance: float = 0.0) -> Measure:
    """Measure that passes when a quantity is zero, up to a tolerance of its unit (应为零)."""

    def measure(facts: ProjectFacts) -> Answer:
        value = float(told(facts, name)[0])
        return Answer(abs(value) <= tolerance, value, f"{finance_facts()[name].zh} {amount(value, finance_facts()[name].unit)}", "0")

    return measure


def parts_at_most(rule_id: str, name: str, zh: str) -> Measure:
    """Measure that passes when the shares of a list add up to at most the threshold (合计不超过)."""

    def measure(facts: ProjectFacts) -> Answer:
        shares = [_share(name, s) for s in told(facts, name)[0]]
        words = " + ".join(f"{s:.2%}" for s in shares) or "无"
        return at_most(facts, rule_id, math.fsum(shares), f"{zh} {words} = {math.fsum(shares):.2%}")

    return measure


def amount(value: float, unit: str) -> str:
    """A quantity as a clerk reads it (数量文字): yuan as 万元, fractions as per cent."""
    if unit == "yuan":
        return f"{value / 1e4:,.2f} 万元"
    return f"{value:.2%}" if unit == "ratio" else f"{value:,.2f} {UNITS.get(unit, unit)}".strip()


UNITS = {"year": "年", "m2": "平方米"}
"""Units of facts in Chinese."""


def _share(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 1.0:
        raise MissingDataError(f"{finance_facts()[name].zh}({name}): {value!r} 不是 0 到 1 的比例")
    return float(value)


def _flags(names: tuple[str, ...], values: list[bool]) -> str:
    return "、".join(f"{finance_facts()[n].zh}:{'是' if v else '否'}" for n, v in zip(names, values))
