"""Words of the review pages in the language of the page (联席审查用语)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pandas as pd
from django.utils.translation import gettext_lazy as _

from qianmo.governance.review_records import Person, ReviewState
from qianmo.governance.review_rights import local_time, review_verbs
from qianmo.schema.shipped import shipped_rows
from qianmo.web.words import both

__all__ = ["WORDS", "consequence", "day_word", "evidence_words", "group_word", "mode_names", "mode_word", "name_of", "part_word", "step_word", "time_word", "verb_word", "word"]

WORDS: dict[str, dict[str, Any]] = {
    "phase": {"SUBMITTED": _("Submitted"), "ACCEPTED": _("Taken in"), "IN_REVIEW": _("With the departments"), "MEETING": _("In the meeting"), "RESOLVED": _("Settled by the meeting"),
              "RETURNED": _("Returned for changes"), "DONE": _("Decided"), "WITHDRAWN": _("Withdrawn"), "VOIDED": _("Void")},
    "result": {"pass": _("Consent"), "condition": _("Consent with conditions"), "reject": _("No consent"), "abstain": _("Abstention")},
    "answer": {"pass": _("Met"), "condition": _("Met under a condition"), "reject": _("Not met"), "na": _("Does not apply")},
    "suggested": {"pass": _("Met"), "condition": _("Met under a condition"), "reject": _("Not met"), "confirm": _("Confirm the text of the rule"), "manual": _("Left to the officer")},
    "verdict": {"pass": _("passes"), "fail": _("fails"), "needs_confirmation": _("text to be confirmed"), "no_data": _("no data")},
    "outcome": {"pass": _("The project passes"), "condition": _("The project passes under conditions"), "refuse": _("The project is refused")},
    "standing": {"valid": _("stands"), "taken_back": _("taken back"), "superseded": _("no longer stands after a return")},
    "task": {"open": _("open"), "reported": _("reported, to be checked"), "closed": _("met"), "dropped": _("dropped with its opinion")},
    "vote": {"passed": _("passed"), "refused": _("not passed"), "no_quorum": _("no quorum")},
    "choice": {"yes": _("Yes"), "no": _("No"), "abstain": _("Abstain")},
    "meeting": {"open": _("going on"), "closed": _("adjourned"), "no_quorum": _("failed for want of a quorum"), "broken_off": _("broken off"), "overtaken": _("overtaken by a return")},
    "package": {"plan": _("Plan"), "layer": _("Layer"), "table": _("Result table"), "raster": _("Raster"), "rules": _("Rules"), "parameters": _("Parameters"), "checklist": _("Checklist"), "document": _("Document")},
    "change": {"added": _("added"), "removed": _("removed"), "changed": _("changed")},
    "role": {"applicant": _("Applicant"), "secretary": _("Office of the review"), "officer": _("Officer"), "issuer": _("Issuer"), "reader": _("Reads only")},
    "group": {"departments": _("Group of departments"), "further": _("Second group"), "office": _("Office of the review")},
    "confidence": {"high": _("high"), "medium": _("medium"), "low": _("low")},
}  # fmt: skip
"""Machine words of a review by group; those of the document (``codes/report_words.csv``) are the same in Chinese."""


def word(group: str, code: str) -> str:
    """What a machine word is called (用语); the word itself where it is unknown."""
    return str(WORDS[group].get(code, code))


def verb_word(verb: str) -> str:
    """What a move is called (动作名称)."""
    known = review_verbs()[verb]
    return both(known.zh, known.en[:1].upper() + known.en[1:])


def consequence(verb: str) -> str:
    """What follows from a move (动作后果)."""
    known = review_verbs()[verb]
    return both(known.consequence_zh, known.consequence_en)


def evidence_words(item: str, evidence: str) -> str:
    """Evidence of a point in Chinese (依据材料); as it is told where the point is not of the shipped checklist."""
    row = next((r for r in shipped_rows("codes", "review_checklist") if r["item_id"] == item and r["evidence"] == evidence), None)
    return row["evidence_zh"] if row else evidence


def step_word(step: str) -> str:
    """What a step with a term is called (环节名称)."""
    row = next((r for r in shipped_rows("codes", "review_steps") if r["step"] == step), None)
    return both(row["zh"], row["en"]) if row else step


def group_word(group: str) -> str:
    """What a group of seats is called: those the desk names, else its id (环节名称)."""
    return word("group", group)


def mode_names(mode: str) -> tuple[str, str]:
    """What a way of signing is called, Chinese and English (签署方式)."""
    row = next(r for r in shipped_rows("codes", "review_modes") if r["mode"] == mode)
    return row["zh"], row["en"]


def mode_word(mode: str) -> str:
    """What a way of signing is called, with what it means (签署方式)."""
    row = next(r for r in shipped_rows("codes", "review_modes") if r["mode"] == mode)
    return both(f"{row['zh']}({row['meaning_zh']})", f"{row['en']} ({row['meaning_en']})")


def name_of(state: ReviewState, person: str) -> str:
    """Name of a person of the roster; the id where there is none (姓名)."""
    found: Person | None = state.roster.get(person)
    return found.name if found else person


def part_word(kind: str, zh: str, name: str) -> str:
    """What a part of a package is called (送审内容名称); documents keep their file name."""
    return zh if kind == "document" else both(zh, name.removesuffix(".json").replace("_", " "))


def time_word(time: datetime) -> str:
    """A moment in Beijing time to the minute (办理时间)."""
    return f"{local_time(time):%Y-%m-%d %H:%M}"


def day_word(day: date | None) -> str:
    """A day, or a dash (日期)."""
    return "—" if day is None or pd.isna(day) else day.isoformat()
