"""Every policy rule answered by the data, with its numbers (合规性判定)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType

import pandas as pd

from qianmo.evaluation import (
    compliance_basic_farmland,
    compliance_ecology,
    compliance_farmland,
    compliance_finance,
    compliance_participation,
    compliance_project,
    compliance_quota,
    compliance_survey,
)
from qianmo.evaluation.answers import Measure
from qianmo.evaluation.facts import Answer, Facts
from qianmo.schema.errors import MissingDataError, RuleError
from qianmo.schema.rules import CONFIDENCE_WORDS, CONFIRM, Rule, rule, rules, verdict_of
from qianmo.schema.tables import table_spec

__all__ = ["answer_rule", "compliance_measures", "verdicts"]


@cache
def compliance_measures() -> Mapping[str, Measure]:
    """The measure of every rule by rule id (规则与计算式登记表).

    Raises
    ------
    RuleError
        A rule of the list has no measure or two, or a measure has no rule: there is no silent default.
    """
    rooms = (
        compliance_project, compliance_basic_farmland, compliance_ecology, compliance_farmland,
        compliance_quota, compliance_finance, compliance_participation, compliance_survey,
    )  # fmt: skip
    found: dict[str, Measure] = {}
    for room in rooms:
        twice = found.keys() & room.MEASURES.keys()
        if twice:
            raise RuleError(f"rules measured twice: {', '.join(sorted(twice))}", expected="one measure a rule")
        found |= room.MEASURES
    odd = sorted(found.keys() ^ rules().keys())
    if odd:
        raise RuleError(f"rules without a measure, or measures without a rule: {', '.join(odd)}", expected="one measure a rule")
    return MappingProxyType(found)


def verdicts(facts: Facts, *, rule_ids: Sequence[str] | None = None) -> pd.DataFrame:
    """Verdict on every rule, or on some (合规判定表).

    Parameters
    ----------
    facts : Facts
        Tables, layers, documents and local values.
    rule_ids : sequence of str, optional
        Rules wanted, in that order; all by default.

    Returns
    -------
    DataFrame, table ``verdict``, one row a rule in the order of the list
        verdict is pass, fail, needs_confirmation (the data speak against the rule, but its text is not confirmed) or
        no_data; `numbers` holds the figures behind `value`, `missing` what would be needed for an answer.

    Raises
    ------
    CodeError, CrsError, SchemaError
        The tables themselves are wrong; a rule that only lacks data does not raise.
    RuleError
        No such rule.
    """
    names = list(table_spec("verdict").column_names)
    wanted = list(rules() if rule_ids is None else rule_ids)
    return pd.DataFrame([_row(rule(r), answer_rule(facts, r)) for r in wanted], columns=names)


def answer_rule(facts: Facts, rule_id: str) -> Answer:
    """Answer to one rule (单条规则判定); `ok` None and `missing` filled where the data cannot say.

    Raises
    ------
    RuleError
        No such rule.
    """
    if rule_id not in compliance_measures():
        raise RuleError(f"no rule {rule_id!r}", expected="an id of schema/rules/consolidation_rules.csv")
    try:
        return compliance_measures()[rule_id](facts)
    except MissingDataError as lack:
        return Answer(None, missing=lack.found)


def _row(found: Rule, answer: Answer) -> dict[str, object]:
    verdict = verdict_of(found, None if answer.ok is None else bool(answer.ok))
    words = answer.numbers
    if verdict == CONFIRM:
        words += f"(规则文本置信度{CONFIDENCE_WORDS.get(found.confidence, found.confidence)},须核实原文后判定)"
    return {
        "rule_id": found.id,
        "text_zh": found.zh,
        "verdict": verdict,
        "value": answer.value,
        "threshold": answer.threshold or found.threshold,
        "comparator": answer.comparator or found.comparator,
        "unit": answer.unit or found.unit,
        "margin": answer.margin,
        "numbers": words,
        "severity": found.severity,
        "source": found.source,
        "confidence": found.confidence,
        "missing": answer.missing,
    }
