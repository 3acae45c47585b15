"""Workflows as data: states, steps, who may take them and what they need (环节、权限与材料)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from qianmo.schema.errors import RuleError
from qianmo.schema.shipped import shipped_rows

__all__ = ["STEP_KINDS", "State", "Step", "Workflow", "actor_words", "document_words", "workflow", "workflow_names", "workflow_words"]

STEP_KINDS = ("forward", "return", "suspend", "resume", "reject", "withdraw")
"""Kinds of steps: 办理, 退回, 挂起, 恢复, 不予批准, 撤回."""


@dataclass(frozen=True)
class State:
    """One state of a matter (状态). `tab` is the page of the board it stands on; no step leads out of a `final` state."""

    id: str
    zh: str
    en: str
    tab: str
    is_final: bool


@dataclass(frozen=True)
class Step:
    """One step from a state to a state (环节).

    `state_from` is '' for the step that makes a new matter. Any of `actors` may take it, when all `documents` are there and all
    `fields` are filled. `deadline` counts in `deadline_unit` (working_day, day, month, year, automatic), None where there is none.
    """

    workflow: str
    number: int
    kind: str
    state_from: str
    state_to: str
    zh: str
    en: str
    actors: tuple[str, ...]
    deadline: int | None
    deadline_unit: str
    documents: tuple[str, ...]
    fields: tuple[str, ...]
    needs_reason: bool
    source: str
    confidence: str


@dataclass(frozen=True)
class Workflow:
    """One workflow (流程): its states by id and its steps in order."""

    id: str
    zh: str
    en: str
    states: dict[str, State]
    steps: tuple[Step, ...]

    def state(self, state: str) -> State:
        """One state.

        Raises
        ------
        RuleError
            The workflow has no such state.
        """
        if state not in self.states:
            raise RuleError(f"{self.zh}没有状态 {state!r}", expected=", ".join(self.states))
        return self.states[state]


@cache
def workflow(name: str) -> Workflow:
    """One workflow (流程).

    Raises
    ------
    RuleError
        No workflow of that name.
    """
    words = next((r for r in shipped_rows("codes", "workflows") if r["workflow"] == name), None)
    if words is None:
        raise RuleError(f"没有流程 {name!r}", expected=", ".join(workflow_names()))
    states = {
        r["state"]: State(r["state"], r["zh"], r["en"], r["tab"], r["final"] == "1")
        for r in shipped_rows("codes", "workflow_states") if r["workflow"] == name
    }  # fmt: skip
    steps = tuple(_step(r) for r in shipped_rows("codes", "workflow_steps") if r["workflow"] == name)
    return Workflow(name, words["zh"], words["en"], states, steps)


def workflow_names() -> tuple[str, ...]:
    """Names of all workflows (流程清单)."""
    return tuple(r["workflow"] for r in shipped_rows("codes", "workflows"))


def workflow_words(kind: str) -> dict[str, tuple[str, str]]:
    """Chinese and English words of all ``actor`` or ``document`` ids (用语).

    Raises
    ------
    RuleError
        `kind` is neither.
    """
    if kind not in ("actor", "document"):
        raise RuleError(f"no words for {kind!r}", expected="actor, document")
    return {r[kind]: (r["zh"], r["en"]) for r in shipped_rows("codes", f"workflow_{kind}s")}


def actor_words(actor: str) -> tuple[str, str]:
    """Chinese and English word of an actor; the id itself where it is not listed (办理主体)."""
    return workflow_words("actor").get(actor, (actor, actor))


def document_words(document: str) -> tuple[str, str]:
    """Chinese and English word of a document; the id itself where it is not listed (材料名称)."""
    return workflow_words("document").get(document, (document, document))


def _step(r: dict[str, str]) -> Step:
    return Step(
        r["workflow"], int(r["step"]), r["kind"], r["state_from"], r["state_to"], r["action_zh"], r["action_en"], _listed(r["actors"]),
        int(r["deadline"]) if r["deadline"] else None, r["deadline_unit"], _listed(r["documents"]), _listed(r["fields"]),
        r["reason_required"] == "1", r["source"], r["confidence"],
    )  # fmt: skip


def _listed(text: str) -> tuple[str, ...]:
    return tuple(x for x in text.split(";") if x)
