"""Which steps are open and why a step is refused, in words (可办环节与不予办理的理由)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from qianmo.schema.errors import NotAllowedError
from qianmo.schema.library import column_word
from qianmo.schema.tables import table_names, table_spec
from qianmo.schema.workflows import Step, Workflow, actor_words, document_words

__all__ = ["Refusal", "open_steps", "refusals", "step_between", "steps_for"]


@dataclass(frozen=True)
class Refusal:
    """One reason why a step may not be taken, in both languages (不予办理的理由).

    `kind` is state, actor, document, field, reason or time.
    """

    kind: str
    zh: str
    en: str


def open_steps(flow: Workflow, state: str, *, before: str = "") -> tuple[Step, ...]:
    """Steps that lead out of a state (下一步可办环节).

    Parameters
    ----------
    state : str
        '' for a matter that does not exist yet.
    before : str
        The state a suspended matter was in: it may only be resumed to that one.

    Raises
    ------
    RuleError
        No such state.
    """
    if state:
        flow.state(state)
    return tuple(s for s in flow.steps if s.state_from == state and (s.kind != "resume" or s.state_to == before))


def steps_for(flow: Workflow, state: str, roles: Collection[str], *, before: str = "") -> tuple[Step, ...]:
    """Open steps that somebody with these roles may take, whatever else is still missing (本角色可办环节)."""
    return tuple(s for s in open_steps(flow, state, before=before) if set(s.actors) & set(roles))


def step_between(flow: Workflow, state: str, to: str, *, before: str = "") -> Step:
    """The step from one state to another (两状态之间的环节).

    Raises
    ------
    RuleError
        One of the states does not exist.
    NotAllowedError
        The table has no such step; the open ones are named.
    """
    target = flow.state(to)
    found = next((s for s in open_steps(flow, state, before=before) if s.state_to == to), None)
    if found is None:
        here = flow.state(state).zh if state else "未建立"
        choices = [f"{s.zh}→{flow.state(s.state_to).zh}" for s in open_steps(flow, state, before=before)]
        raise NotAllowedError(f"{flow.zh}: 不能从“{here}”到“{target.zh}”", expected="、".join(choices) or "终态, 没有下一步", cure="按流程表的环节办理")
    return found


def refusals(
    step: Step, *, roles: Collection[str], documents: Collection[str] = (), filled: Collection[str] = (), reason: str = "", table: str = "library_project"
) -> tuple[Refusal, ...]:
    """All reasons why a step may not be taken now; none when it may (不予办理的理由清单).

    Parameters
    ----------
    step : Step
    roles : collection of str
        Roles of the person, as in ``workflow_actors.csv``.
    documents, filled : collection of str
        Documents that are there; fields that hold a value.
    reason : str
        What the person wrote.
    table : str
        Table whose labels name the fields.
    """
    found = []
    if not set(step.actors) & set(roles):
        zh, en = _words(actor_words(a) for a in step.actors)
        mine_zh, mine_en = _words(actor_words(a) for a in sorted(roles))
        found.append(Refusal("actor", f"“{step.zh}”由{zh}办理, 您的角色是{mine_zh or '(无)'}", f"'{step.en}' is taken by {en}; your role is {mine_en or '(none)'}"))
    lacking = [d for d in step.documents if d not in documents]
    if lacking:
        zh, en = _words(document_words(d) for d in lacking)
        found.append(Refusal("document", f"缺少材料: {zh}", f"documents missing: {en}"))
    blank = [f for f in step.fields if f not in filled]
    if blank:
        zh = "、".join(_label(table, f) for f in blank)
        found.append(Refusal("field", f"未填写: {zh}", f"not filled in: {', '.join(column_word(f) for f in blank)}"))
    if step.needs_reason and not reason.strip():
        found.append(Refusal("reason", f"“{step.zh}”必须写明理由", f"'{step.en}' needs a reason in words"))
    return tuple(found)


def _words(pairs: Iterable[tuple[str, str]]) -> tuple[str, str]:
    listed = list(pairs)
    return "、".join(zh for zh, _ in listed), ", ".join(en for _, en in listed)


def _label(table: str, field: str) -> str:
    spec = table_spec(table) if table in table_names() else None
    return spec.column(field).zh if spec is not None and field in spec.column_names else field
