"""Makers of measures for rules that one comparison answers (常用判定式)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from qianmo.evaluation.facts import Answer, Facts, document_facts, limit, told
from qianmo.schema.errors import MissingDataError, RuleError
from qianmo.schema.rules import rule

__all__ = [
    "Measure",
    "all_true",
    "at_least",
    "at_most",
    "between",
    "never",
    "no_overlap",
    "not_needed",
    "numbers_in",
    "share_at_least",
]

UNITS = {"years": "年", "months": "个月", "count": "个", "class": "级", "grade": "等", "ha": "公顷", "digits": "位"}
"""Units of the rule list as a clerk reads them."""

Measure = Callable[[Facts], Answer]
"""A measure looks at the facts and answers one rule; it raises MissingDataError where the data cannot."""


def at_least(rule_id: str, value: float, numbers: str, *, threshold: float, unit: str = "") -> Answer:
    """Answer to 'value >= threshold' (不低于)."""
    gap = value - threshold
    margin = _margin(gap, unit, rule_id)
    return Answer(round(gap, 9) >= 0, value, numbers, margin=margin, threshold=f"{threshold:g}", comparator=">=")


def at_most(rule_id: str, value: float, numbers: str, *, threshold: float, unit: str = "") -> Answer:
    """Answer to 'value <= threshold' (不高于)."""
    gap = threshold - value
    margin = _margin(gap, unit, rule_id)
    return Answer(round(gap, 9) >= 0, value, numbers, margin=margin, threshold=f"{threshold:g}", comparator="<=")


def no_overlap(area_m2: float, tolerance_m2: float, numbers: str) -> Answer:
    """Answer to 'overlap == 0' within the drawing tolerance (不重叠)."""
    over = max(area_m2 - tolerance_m2, 0.0)
    text = f"{numbers};重叠 {area_m2:.2f} m2,容差 {tolerance_m2:g} m2"
    return Answer(area_m2 <= tolerance_m2, round(area_m2, 2), text, margin=f"超出 {over:.2f} m2" if over else "无超出")


def not_needed(numbers: str, value: float | None = 0.0) -> Answer:
    """Answer to a rule whose case does not occur (不涉及): passes, and says why."""
    return Answer(True, value, f"不涉及:{numbers}")


def all_true(*names: str) -> Measure:
    """Measure that passes when every document flag is true (资料齐备)."""

    def measure(facts: Facts) -> Answer:
        values = told(facts, *names)
        return Answer(all(values), float(sum(values)), "、".join(f"{document_facts()[n]['zh']}:{'是' if v else '否'}" for n, v in zip(names, values)))

    return measure


def never(rule_id: str, name: str, zh: str) -> Measure:
    """Measure that passes when a document quantity is zero (应为零)."""

    def measure(facts: Facts) -> Answer:
        (value,) = told(facts, name)
        return at_most(rule_id, float(value), f"{zh} {float(value):g}", threshold=limit(facts, rule_id), unit=rule(rule_id).unit)

    return measure


def share_at_least(rule_id: str, part: str, whole: str, zh: str, *, parameter: str = "") -> Measure:
    """Measure that passes when one document count over another reaches the threshold (比例不低于)."""

    def measure(facts: Facts) -> Answer:
        a, b = told(facts, part, whole)
        if b <= 0 or a < 0 or a > b:
            raise MissingDataError(f"{zh}: {part}={a:g}, {whole}={b:g} 不成比例(应 0 ≤ 分子 ≤ 分母)")
        return at_least(rule_id, a / b, f"{zh} {a:g}/{b:g} = {a / b:.4f}", threshold=limit(facts, rule_id, parameter))

    return measure


def between(rule_id: str, value: float, numbers: str, *, low: float, high: float, unit: str = "") -> Answer:
    """Answer to 'low <= value <= high' (介于)."""
    gap = min(value - low, high - value)
    return Answer(round(gap, 9) >= 0, value, numbers, margin=_margin(gap, unit, rule_id), threshold=f"{low:g}-{high:g}")


def numbers_in(facts: Facts, rule_id: str, count: int) -> list[float]:
    """The first numbers in the threshold text of a rule, or in the text that overrides it (阈值中的数字).

    Raises
    ------
    RuleError
        The text holds fewer numbers than asked for.
    """
    text = str(facts.overrides.get(rule_id, rule(rule_id).threshold))
    found: list[Any] = re.findall(r"\d+(?:\.\d+)?", text)
    if len(found) < count:
        raise RuleError(f"rule {rule_id} has threshold {text!r}", expected=f"{count} numbers")
    return [float(x) for x in found[:count]]


def _margin(gap: float, unit: str, rule_id: str) -> str:
    unit = unit or rule(rule_id).unit
    shown = f"{abs(gap) * 100:.2f} 个百分点" if unit == "ratio" else f"{abs(gap):g} {UNITS.get(unit, unit)}".strip()
    return f"富余 {shown}" if round(gap, 9) >= 0 else f"差 {shown}"
