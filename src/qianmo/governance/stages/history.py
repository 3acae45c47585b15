"""The history of a matter: entries that are only ever appended (办理记录)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from qianmo.governance.stages.move import Refusal, refusals, step_between
from qianmo.schema.errors import NotAllowedError
from qianmo.schema.workflows import Workflow

__all__ = ["IMPORTED", "Entry", "check_history", "current_state", "moved", "opened_at", "state_before"]

IMPORTED = "import"
"""Role of the first entry of a matter that was taken over from elsewhere in a later state."""


@dataclass(frozen=True)
class Entry:
    """One step that was taken (办理记录): by whom, as what, when, why, with which documents."""

    workflow: str
    item: str
    number: int
    state_from: str
    state_to: str
    actor: str
    role: str
    time: datetime
    reason: str = ""
    documents: tuple[str, ...] = ()


def current_state(history: Sequence[Entry]) -> str:
    """State after the last entry, '' before the first (当前状态)."""
    return history[-1].state_to if history else ""


def state_before(history: Sequence[Entry]) -> str:
    """State from which a suspended matter was suspended, '' for one that is not suspended (挂起前状态)."""
    return history[-1].state_from if history and history[-1].state_to == "SUSPENDED" else ""


def opened_at(flow: Workflow, state: str, *, item: str, actor: str, time: datetime, reason: str) -> tuple[Entry, ...]:
    """The history of a matter that is taken over from elsewhere in a state (承接既有项目).

    Raises
    ------
    RuleError
        No such state.
    NotAllowedError
        The time has no zone, or no reason is given.
    """
    flow.state(state)
    if not reason.strip() or time.tzinfo is None:
        raise NotAllowedError(f"{item}: 承接既有项目必须写明来源与带时区的时间", cure="写明理由")
    return (Entry(flow.id, item, 1, "", state, actor, IMPORTED, time, reason.strip()),)


def moved(
    flow: Workflow, history: Sequence[Entry], to: str, *, item: str, actor: str, role: str, time: datetime, reason: str = "",
    documents: Collection[str] = (), filled: Collection[str] = (),
) -> tuple[Entry, ...]:  # fmt: skip
    """The history with one entry more (办理一步).

    Parameters
    ----------
    flow : Workflow
    history : sequence of Entry
        All entries of the matter, oldest first; left as it is.
    to : str
        State to go to.
    item, actor, role, reason
        The matter, the person, the role taken, the reason in words.
    time : datetime
        With a time zone, not before the last entry.
    documents, filled
        Documents that are there; fields that hold a value.

    Returns
    -------
    tuple of Entry
        `history` and the new entry.

    Raises
    ------
    RuleError
        No such state.
    NotAllowedError
        The table has no such step, or it is refused; every reason is named.
    """
    step = step_between(flow, current_state(history), to, before=state_before(history))
    reasons = [*refusals(step, roles=(role,), documents=documents, filled=filled, reason=reason), *_time_refusals(history, time)]
    if not actor.strip():
        reasons.append(Refusal("actor", "没有办理人", "nobody is named"))
    if reasons:
        raise NotAllowedError(f"{item} {step.zh}: " + "; ".join(r.zh for r in reasons), cure="补齐后再办理")
    held = tuple(sorted(set(documents)))
    return (*history, Entry(flow.id, item, len(history) + 1, step.state_from, to, actor, role, time, reason.strip(), held))


def check_history(flow: Workflow, history: Sequence[Entry]) -> tuple[str, ...]:
    """What is wrong with a history, in words; nothing when every entry is a step of the table taken by one who may (核对办理记录)."""
    faults: list[str] = []
    for k, e in enumerate(history):
        past = history[:k]
        if e.number != k + 1:
            faults.append(f"第 {k + 1} 条: 序号为 {e.number}")
        if e.item != history[0].item or e.workflow != flow.id:
            faults.append(f"第 {k + 1} 条: 不属于 {history[0].item} 的{flow.zh}流程")
        if e.state_from != current_state(past):
            faults.append(f"第 {k + 1} 条: 起始状态 {e.state_from or '(无)'}, 上一条到 {current_state(past) or '(无)'}")
        if not k and e.role == IMPORTED and e.reason and not e.state_from:
            continue
        try:
            step = step_between(flow, e.state_from, e.state_to, before=state_before(past))
        except NotAllowedError as fault:
            faults.append(f"第 {k + 1} 条: {fault.found}")
            continue
        told = [*refusals(step, roles=(e.role,), documents=e.documents, filled=step.fields, reason=e.reason), *_time_refusals(past, e.time)]
        faults += [f"第 {k + 1} 条: {r.zh}" for r in told]
    return tuple(faults)


def _time_refusals(history: Sequence[Entry], time: datetime) -> list[Refusal]:
    if time.tzinfo is None:
        return [Refusal("time", "时间没有时区", "the time has no time zone")]
    if history and time < history[-1].time:
        return [Refusal("time", f"时间早于上一步 ({history[-1].time.isoformat()})", "the time is before the last entry")]
    return []
