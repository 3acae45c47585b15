"""Every rule of the money answered for a project, with its figures and how sure the rule is (资金合规判定)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from qianmo.finance.legality import debt_rules, land_rules, package_rules, partnership_rules
from qianmo.finance.legality.answer import Answer, Measure
from qianmo.finance.legality.project_facts import ProjectFacts
from qianmo.schema.errors import MissingDataError, RuleError
from qianmo.schema.finance_rules import LintRule, finance_facts, finance_models, lint_rule, lint_rules
from qianmo.schema.rules import CONFIDENCE_WORDS, CONFIRM, FAIL, NO_DATA, PASS

__all__ = ["Finding", "legality_measures", "lint_project"]

UNSEEN = "条文按经验知识录入,报批前须核对原文"
"""Note on a rule of high confidence whose original was not at hand."""


@dataclass(frozen=True)
class Finding:
    """What one rule says about a project (判定).

    `verdict` is pass, fail, needs_confirmation or no_data. A rule that the figures break fails only when its text is certain
    (confidence high), it is in force on the day and no fact it looks at is in doubt; else it is to be confirmed. `applies` is False where the project has
    no such arrangement, or the rule is out of its dates and nothing is known; the verdict is then pass.
    """

    rule_id: str
    group_zh: str
    text_zh: str
    verdict: str
    applies: bool
    value: float | None
    limit: str
    numbers: str
    missing: str
    note: str
    severity: str
    source: str
    confidence: str
    effective_from: str
    effective_to: str

    @property
    def is_break(self) -> bool:
        """A binding rule is broken for certain."""
        return self.verdict == FAIL and self.severity == "hard"


@cache
def legality_measures() -> Mapping[str, Measure]:
    """The measure of every rule by rule id (规则与判定式登记表).

    Raises
    ------
    RuleError
        A rule of the list has no measure or two, or a measure has no rule.
    """
    found: dict[str, Measure] = {}
    for part in (partnership_rules, package_rules, debt_rules, land_rules):
        twice = found.keys() & part.MEASURES.keys()
        if twice:
            raise RuleError(f"rules measured twice: {', '.join(sorted(twice))}", expected="one measure a rule")
        found |= part.MEASURES
    odd = sorted(found.keys() ^ lint_rules().keys())
    if odd:
        raise RuleError(f"rules without a measure, or measures without a rule: {', '.join(odd)}", expected="one measure a rule")
    return MappingProxyType(found)


def lint_project(facts: ProjectFacts, *, rule_ids: Sequence[str] | None = None) -> tuple[Finding, ...]:
    """Findings on every rule, or on some, in the order of the list (资金合规检查).

    Parameters
    ----------
    facts : ProjectFacts
        What is known, the day whose rules apply, local thresholds.
    rule_ids : sequence of str, optional
        Rules wanted; all by default.

    Raises
    ------
    RuleError
        No such rule.
    """
    return tuple(_finding(facts, lint_rule(r)) for r in (lint_rules() if rule_ids is None else rule_ids))


def _finding(facts: ProjectFacts, found: LintRule) -> Finding:
    in_force = _in_force(facts, found)
    if found.models and not set(found.models) & set(facts.models or ()):
        names = "、".join(finance_models()[m] for m in found.models)
        if facts.models is None or not facts.are_all_models:
            return _row(found, NO_DATA, True, None, missing=f"项目模式(models):是否有{names}")
        return _row(found, PASS, False, None, note=f"不涉及{names}")
    try:
        answer = legality_measures()[found.rule.id](facts)
    except MissingDataError as lack:
        if not in_force:
            return _row(found, PASS, False, None, note=_dates(found, facts))
        return _row(found, NO_DATA, True, None, missing=lack.found)
    if answer.ok:
        return _row(found, PASS, True, answer, note="" if in_force else _dates(found, facts))
    unsure = [why for name, why in facts.doubts.items() if found.rule.id in finance_facts()[name].used_in]
    if in_force and found.rule.confidence == "high" and not unsure:
        return _row(found, FAIL, True, answer, note=UNSEEN if "own knowledge" in found.rule.source else "")
    doubt = [*unsure] if in_force else [*unsure, _dates(found, facts)]
    if found.rule.confidence != "high":
        doubt.append(f"规则文本可信度{CONFIDENCE_WORDS.get(found.rule.confidence, found.rule.confidence)}")
    return _row(found, CONFIRM, True, answer, note=f"{'、'.join(doubt)},须核实原文后判定")


def _in_force(facts: ProjectFacts, found: LintRule) -> bool:
    since, until = found.rule.effective_from, found.rule.effective_to
    return (since is None or since <= facts.on) and (until is None or facts.on <= until)


def _dates(found: LintRule, facts: ProjectFacts) -> str:
    return f"{facts.on} 不在规则有效期内({found.rule.effective_from or '…'} 至 {found.rule.effective_to or '…'})"


def _row(found: LintRule, verdict: str, applies: bool, answer: Answer | None, *, missing: str = "", note: str = "") -> Finding:
    rule = found.rule
    value, numbers, limit = (None, "", "") if answer is None else (answer.value, answer.numbers, answer.limit)
    return Finding(
        rule.id, found.group_zh, rule.zh, verdict, applies, value, limit, numbers, missing, note, rule.severity, rule.source,
        rule.confidence, str(rule.effective_from or ""), str(rule.effective_to or ""),
    )  # fmt: skip
