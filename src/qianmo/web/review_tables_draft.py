"""Tables of a package that is not submitted yet, and the terms that would run (送审稿表格)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from qianmo.governance.calendar import due_date
from qianmo.governance.review_records import OFFICE_DESK
from qianmo.schema.messages import english_message
from qianmo.schema.shipped import shipped_rows
from qianmo.web.review_tables import Cell, PageTable
from qianmo.web.review_words import day_word, part_word, step_word, word
from qianmo.web.words import both

__all__ = ["DRAFT_TABLES", "draft_table", "terms_table"]

_ORDER = ("pass", "condition", "reject", "confirm", "manual")
_ROW = ("accept", "distribute", "opinion", "meeting", "issue")


def draft_table(name: str, draft: Mapping[str, Any], look: Mapping[str, Any], hidden: Collection[str], today: date) -> PageTable:
    """A table of the draft by its name in `DRAFT_TABLES` (送审稿表格); parts of `hidden` are counted and not named."""
    return DRAFT_TABLES[name](draft, look, hidden, today)


def terms_table(today: date) -> PageTable:
    """The last day of each step where every step takes its whole term, by the working-day calendar (办理时限)."""
    rows, start = [], today
    terms = {r["step"]: r for r in shipped_rows("codes", "review_steps")}
    for step in _ROW:
        due = due_date(start, int(terms[step]["working_days"]))
        rows.append((Cell(step_word(step)), Cell(both(terms[step]["desk"], english_message(terms[step]["desk"]))), Cell(int(terms[step]["working_days"])), Cell(day_word(due.day) + (" *" if due.is_provisional else ""))))
        start = due.day or start
    return PageTable("terms", _("Terms by the working-day calendar"), (_("Step"), _("Department"), _("Working days"), _("At the latest")), tuple(rows), "")


def _points(draft: Mapping[str, Any], look: Mapping[str, Any], hidden: Collection[str], today: date) -> PageTable:
    """Counts of what the rules suggest; departments with an officer first."""
    asked = [OFFICE_DESK if p["role"] == "secretary" else p["department"] for p in draft.get("roster", ()) if p["role"] in ("officer", "secretary")]
    rows = []
    for d in sorted(look["points"], key=lambda d: d not in asked):
        counts = look["points"][d]
        numbers = [Cell(int(counts.get(s, 0)), "", "late" if s == "reject" and counts.get(s) else "") for s in _ORDER]
        part = [Cell(_("takes part") if d in asked else _("for reference only"))] if asked else []
        rows.append((Cell(d), *part, Cell(sum(counts.values())), *numbers))
    head = (_("Department"), *((_("Part"),) if asked else ()), _("Points"), *(word("suggested", s) for s in _ORDER))
    return PageTable("points", _("What the rules say on the checklists"), head, tuple(rows), "")


def _changes(draft: Mapping[str, Any], look: Mapping[str, Any], hidden: Collection[str], today: date) -> PageTable:
    rows = []
    for c in look["changes"]:
        told = (_hidden_word(), "—", "—") if c["name"] in hidden else (part_word(c["kind"], c["zh"], c["name"]), c["before"] or "—", c["after"] or "—")
        rows.append((Cell(word("change", c["change"])), Cell(word("package", c["kind"])), *map(Cell, told)))
    return PageTable("changes", _("Changed since the last round"), (_("Difference"), _("Kind"), _("Name"), _("Before"), _("After")), tuple(rows), _("Nothing differs from the round before."))


def _parts(draft: Mapping[str, Any], look: Mapping[str, Any], hidden: Collection[str], today: date) -> PageTable:
    seen = [
        (Cell(word("package", i["kind"])), Cell(part_word(i["kind"], i["zh"], i["name"])), Cell(i["version"] or "—"), Cell(i["rows"] if i["rows"] >= 0 else "—"), Cell(i["sha256"][:16]))
        for i in look["items"] if i["name"] not in hidden
    ]  # fmt: skip
    rest = [(Cell(word("package", i["kind"])), Cell(_hidden_word()), Cell("—"), Cell("—"), Cell("—")) for i in look["items"] if i["name"] in hidden]
    return PageTable("parts", _("What the package holds"), (_("Kind"), _("Name"), _("Date or edition"), _("Rows"), _("Hash of the content")), (*seen, *rest), "")


def _terms(draft: Mapping[str, Any], look: Mapping[str, Any], hidden: Collection[str], today: date) -> PageTable:
    return terms_table(today)


def _hidden_word() -> str:
    return _("a part that your rights do not show")


DRAFT_TABLES: dict[str, Callable[..., PageTable]] = {"points": _points, "changes": _changes, "terms": _terms, "parts": _parts}
"""Tables of a draft by name, in the order of the page (送审稿表格)."""
