"""What the rules of the money look at: facts by name, checked against their list (合规事实)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.finance_rules import finance_facts, finance_models, lint_rules

__all__ = ["ProjectFacts", "project_facts", "told", "told_or"]

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class ProjectFacts:
    """Facts of one project (项目合规事实).

    Parameters
    ----------
    values : mapping
        By the names of ``codes/finance_facts.csv``: numbers in yuan, square metres, years and fractions; flags; texts; dates; lists.
    on : date
        Day whose rules apply.
    overrides : mapping
        Local thresholds by rule id, as text or number.
    are_all_models : bool
        False when the models were only inferred: then a rule of another model is left open instead of set aside.
    doubts : mapping
        Why a fact is not certain, by name, as a rate from a list that nobody has compared with the original: a rule that such a
        fact breaks is to be confirmed and never fails.
    """

    values: Mapping[str, Any]
    on: date
    overrides: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    are_all_models: bool = True
    doubts: Mapping[str, str] = field(default_factory=lambda: NOTHING)

    @property
    def models(self) -> tuple[str, ...] | None:
        """Arrangements of the project; None when they are not told."""
        found = self.values.get("models")
        return None if found is None else tuple(found)


def project_facts(
    values: Mapping[str, Any], on: date, *, overrides: Mapping[str, Any] = NOTHING, are_all_models: bool = True, doubts: Mapping[str, str] = NOTHING
) -> ProjectFacts:
    """Facts with their names and types checked (核对合规事实).

    Raises
    ------
    SchemaError
        An unknown name (the nearest known ones are listed), a value of the wrong type or outside its bounds, a quantity that is not
        finite, an unknown model, or an override of no rule.
    """
    for name, value in values.items():
        known = finance_facts().get(name)
        if known is None:
            near = get_close_matches(name, finance_facts(), 3, 0.5)
            raise SchemaError(f"不认识的合规事实 {name}", expected=", ".join(near) or "codes/finance_facts.csv 中的名称", cure="检查拼写")
        if not _fits(known.type, value):
            raise SchemaError(f"{known.zh}({name}) 的值是 {value!r}", expected=EXPECTED[known.type])
        if known.type in ("real", "integer") and value is not None and not known.least <= value <= known.most:
            cure = "比例写小数: 35 % 写 0.35" if known.unit == "ratio" else ""
            bounds = f"不小于 {known.least:g}" if math.isinf(known.most) else f"{known.least:g} 至 {known.most:g}"
            raise SchemaError(f"{known.zh}({name}) 的值是 {value!r}", expected=bounds, cure=cure)
    strange = [m for m in values.get("models", ()) if m not in finance_models()]
    if strange:
        raise SchemaError(f"不认识的项目模式 {', '.join(map(str, strange))}", expected=", ".join(f"{k}({v})" for k, v in finance_models().items()))
    unknown = [r for r in overrides if r not in lint_rules()]
    if unknown:
        raise SchemaError(f"没有规则 {', '.join(unknown)}", expected="资金合规规则的编号, 如 M-07")
    return ProjectFacts(MappingProxyType(dict(values)), on, MappingProxyType(dict(overrides)), are_all_models, MappingProxyType(dict(doubts)))


def told(facts: ProjectFacts, *names: str) -> list[Any]:
    """Values of facts (已知事实).

    Raises
    ------
    MissingDataError
        Some are not known; the message lists them in Chinese with their names.
    """
    absent = [n for n in names if facts.values.get(n) is None]
    if absent:
        raise MissingDataError("、".join(f"{finance_facts()[n].zh}({n})" for n in absent))
    return [facts.values[n] for n in names]


def told_or(facts: ProjectFacts, name: str, otherwise: Any) -> Any:
    """One fact, or another value where it is not known (事实,缺省)."""
    found = facts.values.get(name)
    return otherwise if found is None else found


EXPECTED = {
    "real": "数值", "integer": "整数", "flag": "true 或 false", "text": "带引号的文字", "date": "不带引号的日期, 如 2026-01-01", "list": "[ … ] 列表",
}  # fmt: skip
"""What a fact of each type looks like in a file."""


def _fits(kind: str, value: Any) -> bool:
    if value is None:
        return True
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return {
        "real": is_number,
        "integer": is_number and float(value).is_integer() if is_number else False,
        "flag": isinstance(value, bool),
        "text": isinstance(value, str),
        "date": type(value) is date,
        "list": isinstance(value, list | tuple),
    }[kind]
