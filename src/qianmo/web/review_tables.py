"""Tables of the review pages; the page and its Excel file show the same (联席审查表格)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from qianmo.governance.review_escalation import escalations
from qianmo.governance.review_inbox import waits_for
from qianmo.governance.review_meeting import item_count
from qianmo.governance.review_progress import can_sign, current_group, group_result
from qianmo.governance.review_records import Group, Person, Seat
from qianmo.governance.review_waiting import desk_changes, waiting_by_desk
from qianmo.jobs.queries.review_desk import ReviewView, once, waits_of
from qianmo.schema.messages import english_message
from qianmo.web.review_words import day_word, group_word, mode_names, name_of, part_word, step_word, time_word, verb_word, word
from qianmo.web.words import both

__all__ = ["REVIEW_TABLES", "Cell", "PageTable", "changes_of_desks", "days_by_desk", "drawn_table", "inbox", "review_table"]


@dataclass(frozen=True)
class Cell:
    """One cell (单元格): text or number, where it leads, and how it stands out: late, wait, good or ''."""

    value: str | int | float
    href: str = ""
    tone: str = ""

    @property
    def is_number(self) -> bool:
        """Whether it is set to the right."""
        return isinstance(self.value, int | float)


@dataclass(frozen=True)
class PageTable:
    """A table of a page (页面表格); `empty` is said where it has no rows."""

    name: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: str

    @property
    def heads(self) -> list[tuple[str, bool]]:
        """Headings, each with whether its column holds numbers."""
        return [(h, bool(self.rows) and all(row[n].is_number for row in self.rows)) for n, h in enumerate(self.head)]

    def plain(self) -> list[list[str | int | float]]:
        """Values without links."""
        return [[c.value for c in row] for row in self.rows]


def drawn_table(view: ReviewView, name: str, today: date) -> dict[str, str]:
    """Name, title and HTML of a table of a review (审查表格网页); made once for each state, day and language."""

    def make() -> dict[str, str]:
        table = review_table(view, name, today)
        return {"name": name, "title": table.title, "excel": reverse("review-table", args=[view.id, name]) if table.rows else "", "html": render_to_string("review/table.html", {"t": table})}

    return once(view, ("table", name, today, get_language()), make)


def review_table(view: ReviewView, name: str, today: date) -> PageTable:
    """A table of one review by its name in `REVIEW_TABLES` (审查表格)."""
    return REVIEW_TABLES[name](view, today)


def inbox(views: Sequence[ReviewView], people: Sequence[Person | None], today: date) -> PageTable:
    """Reviews with what waits for the person who looks, those first (审查清单与我的待办)."""
    rows = []
    for view, person in zip(views, people, strict=True):
        mine = waits_for(view.state, person, today) if person else ()
        due = _due(view, today)
        late = any(due[w][1] for w in mine if w in due)
        first = min((day for w in mine if w in due and (day := due[w][0]) is not None), default=None)
        risen = [e for e in escalations(waits_of(view, today)).itertuples() if person is not None and e.role == person.role]
        late = late or bool(risen)
        told = [*(step_word(w[0]) for w in mine), *(_("%(what)s: %(department)s, %(n)s working days over") % {"what": both(e.zh, e.en), "department": e.department, "n": e.days_over} for e in risen)]
        phase = word("phase", view.state.phase) + (f" ({_('suspended')})" if view.state.is_suspended else "")
        cells = (
            Cell(view.id, reverse("review", args=[view.id])), Cell("; ".join(dict.fromkeys(told)) or "—", "", "wait" if told else ""),
            Cell(day_word(first), "", "late" if late else ""), Cell(view.state.project), Cell(phase), Cell(view.state.round), Cell(view.package.version),
        )  # fmt: skip
        rows.append((not told, first or date.max, view.id, cells))
    head = (_("Review"), _("Waits for me"), _("Due"), _("Project"), _("Phase"), _("Round"), _("Version"))
    return PageTable("inbox", _("Joint reviews"), head, tuple(r[-1] for r in sorted(rows, key=lambda r: r[:3])), _("No review may be read with your account."))


def days_by_desk(views: Sequence[ReviewView], today: date) -> PageTable:
    """Working days by step and desk over reviews (部门用时统计)."""
    parts = [w for w in (waits_of(v, today) for v in views) if not w.empty]
    waits = waiting_by_desk(pd.concat(parts, ignore_index=True)) if parts else pd.DataFrame()
    rows = tuple(
        (Cell(step_word(r.step)), Cell(r.department), Cell(int(r.waits)), Cell(float(r.median_days)), Cell(int(r.longest_days)), Cell(int(r.total_days)),
         Cell("—" if pd.isna(r.on_time) else f"{float(r.on_time):.0%}"), Cell(int(r.days_lost), "", "late" if r.days_lost else ""))
        for r in waits.itertuples()
    )  # fmt: skip
    head = (_("Step"), _("Department"), _("Waits"), _("Median days"), _("Longest"), _("Total days"), _("On time"), _("Days beyond the term"))
    return PageTable("days", _("Working days by desk"), head, rows, _("Nothing has waited yet."))


def changes_of_desks(views: Sequence[ReviewView]) -> PageTable:
    """What each desk added over reviews (部门作用统计)."""
    found = desk_changes([v.state for v in views])
    rows = tuple(
        (Cell(r.department), Cell(int(r.opinions)), Cell(int(r.rejects)), Cell(int(r.conditions)), Cell(int(r.overrules)), Cell(int(r.returns)), Cell(_("yes") if r.adds_nothing else ""))
        for r in found.itertuples()
    )  # fmt: skip
    head = (_("Department"), _("Opinions"), _("No consent"), _("With conditions"), _("Verdicts overruled"), _("Returns"), _("Changed nothing"))
    return PageTable("changes-of-desks", _("What the desks changed"), head, rows, _("No opinion was signed yet."))


def _due(view: ReviewView, today: date) -> dict[tuple[str, str, str], tuple[date | None, bool]]:
    """Due day and lateness of each wait that lasts."""
    waits = waits_of(view, today)
    going = waits[waits["closed"].isna()]
    found = {}
    for w in going.itertuples():
        due = None if w.due is None or pd.isna(w.due) else w.due
        found[(w.step, w.department, w.seat)] = (due, due is not None and due < today)
    return found


def _seats(view: ReviewView, today: date) -> PageTable:
    state, due = view.state, _due(view, today)
    rows = []
    for group in state.groups:
        for seat in group.seats:
            day, late = due.get(("opinion", seat.department, seat.id), (None, False))
            holder = name_of(state, seat.person)
            if seat.delegate:
                holder += " → " + _("%(name)s until %(day)s") % {"name": name_of(state, seat.delegate), "day": day_word(seat.delegate_until)}
            points = reverse("review-points", args=[view.id, seat.department])
            signs = f"{group_word(group.id)} · {both(*mode_names(group.mode))}"
            rows.append((Cell(seat.department, points), *_state_of(view, group, seat), Cell(day_word(day), "", "late" if late else ""), Cell(holder), Cell(signs), Cell(len(seat.urged))))
    head = (_("Department"), _("State"), _("Due"), _("Officer"), _("Group"), _("Urged"))
    return PageTable("seats", _("Groups and seats"), head, tuple(rows), _("The package has not been given to the departments yet."))


def _state_of(view: ReviewView, group: Group, seat: Seat) -> tuple[Cell]:
    opinion = view.state.valid(seat.id)
    if opinion is not None:
        return (Cell(word("result", opinion.result), "", "late" if opinion.result == "reject" else "good"),)
    if view.state.is_suspended:
        return (Cell(_("suspended")),)
    if can_sign(view.state, seat):
        return (Cell(_("waits for the opinion"), "", "wait"),)
    is_over = bool(group_result(view.state, group)) or current_group(view.state) is None or view.state.phase != "IN_REVIEW"
    return (Cell(_("no longer needed") if is_over else _("not yet its turn")),)


def _overdue(view: ReviewView, today: date) -> PageTable:
    rows = tuple(
        (Cell(step_word(e.step)), Cell(e.department), Cell(day_word(e.due)), Cell(int(e.days_over), "", "late"), Cell(both(e.zh, e.en)), Cell(word("role", e.role)))
        for e in escalations(waits_of(view, today)).itertuples()
    )  # fmt: skip
    head = (_("Step"), _("Department"), _("Due"), _("Working days over"), _("What now follows"), _("Who sees to it"))
    return PageTable("overdue", _("Overdue"), head, rows, _("Nothing is overdue."))


def _opinions(view: ReviewView, today: date) -> PageTable:
    state = view.state
    rows = []
    for o in state.opinions:
        signer = name_of(state, o.person) + (f" ({_('for %(name)s') % {'name': name_of(state, o.on_behalf_of)}})" if o.on_behalf_of else "")
        rows.append((Cell(o.round), Cell(o.department), Cell(word("result", o.result)), Cell(o.reason or "—"), Cell("; ".join(o.conditions) or "—"), Cell(signer), Cell(time_word(o.time)),
                     Cell(o.package[:12]), Cell(word("standing", o.standing), "", "" if o.standing == "valid" else "wait")))  # fmt: skip
    head = (_("Round"), _("Department"), _("Opinion"), _("Reason"), _("Conditions"), _("Signed by"), _("Time"), _("Version"), _("Standing"))
    return PageTable("opinions", _("Opinions"), head, tuple(rows), _("No opinion was signed yet."))


def _tasks(view: ReviewView, today: date) -> PageTable:
    rows = []
    for t in view.state.tasks:
        late = t.due is not None and t.due < today and t.standing in ("open", "reported")
        rows.append((Cell(t.text), Cell(t.raised_by), Cell(name_of(view.state, t.owner)), Cell(day_word(t.due), "", "late" if late else ""), Cell(word("task", t.standing))))
    return PageTable("tasks", _("Conditions and follow-ups"), (_("What"), _("Raised by"), _("Owner"), _("Due"), _("State")), tuple(rows), _("There are no conditions or follow-ups."))


def _unseen() -> str:
    return _("a part that your rights do not show")


def _parts(view: ReviewView, today: date) -> PageTable:
    rows = tuple((Cell(word("package", i.kind)), Cell(part_word(i.kind, i.zh, i.name) or _unseen()),
                  Cell(i.version or "—"), Cell(i.rows if i.rows >= 0 else "—"), Cell(i.sha256[:16] or "—")) for i in view.package.items)
    return PageTable("parts", _("What the package holds"), (_("Kind"), _("Name"), _("Date or edition"), _("Rows"), _("Hash of the content")), rows, _("The package is empty."))


def _changes(view: ReviewView, today: date) -> PageTable:
    rows = tuple((Cell(word("change", c["change"])), Cell(word("package", c["kind"])),
                  Cell(part_word(c["kind"], c["zh"], c["name"]) or _unseen()), Cell(c["before"] or "—"), Cell(c["after"] or "—")) for c in view.changes)
    none = _("This is the first round.") if view.state.round == 1 else _("Nothing differs from the round before.")
    return PageTable("changes", _("Changed since the last round"), (_("Difference"), _("Kind"), _("Name"), _("Before"), _("After")), rows, none)


def _log(view: ReviewView, today: date) -> PageTable:
    state = view.state
    rows = tuple((Cell(n), Cell(time_word(e.time)), Cell(name_of(state, e.actor)), Cell(verb_word(e.verb)), Cell(str(e.data.get("reason", "")) or "—")) for n, e in enumerate(view.events, 1))
    return PageTable("log", _("Every move"), (_("No."), _("Time"), _("Person"), _("Step taken"), _("Reason")), rows, "")


def _waits(view: ReviewView, today: date) -> PageTable:
    rows = []
    for w in waits_of(view, today).itertuples():
        due = _("the clock stands still") if w.due is None or pd.isna(w.due) else day_word(w.due) + (" *" if w.is_provisional else "")
        rows.append((Cell(int(w.round)), Cell(step_word(w.step)), Cell(w.department), Cell(day_word(w.opened)), Cell(day_word(w.closed)), Cell(int(w.days)), Cell(int(w.allowed_days)),
                     Cell(due, "", "late" if w.is_late else "")))  # fmt: skip
    head = (_("Round"), _("Step"), _("Department"), _("From day"), _("Until"), _("Working days"), _("Term"), _("Due"))
    return PageTable("waits", _("Who was waited for"), head, tuple(rows), _("Nothing has waited yet."))


def _points(view: ReviewView, today: date) -> PageTable:
    given = {(o.department, a["item"]): a for o in view.state.opinions if o.standing == "valid" for a in o.answers}
    rows = []
    for p in view.points:
        a = given.get((p["department"], p["item_id"]), {})
        rows.append((Cell(p["department"]), Cell(p["item_id"]), Cell(p["item_zh"]), Cell(word("suggested", p["suggested"])), Cell(_why(view, p)), Cell(int(p["parcels"])),
                     Cell(word("answer", a["answer"]) if a else "—"), Cell(a.get("reason", "") or "—")))  # fmt: skip
    head = (_("Department"), _("Point"), _("Content"), _("From the rules"), _("Because"), _("Parcels"), _("Answer"), _("Reason"))
    return PageTable("points", _("Checklist"), head, tuple(rows), _("There are no points."))


def _why(view: ReviewView, point: Mapping[str, Any]) -> str:
    """Why the rules suggest what they do, in the language of the page."""
    if not both("", "en"):
        return str(point["why"])
    links = [r for r in view.links if r["item_id"] == point["item_id"]]
    told = [f"{r['rule_id']} {word('verdict', r['verdict'])}" + (f" ({english_message(str(r['numbers']))})" if r["numbers"] else "") for r in links]
    return "; ".join(told) or _("No rule answers this point; the officer decides.")


def _roster(view: ReviewView, today: date) -> PageTable:
    state = view.state
    rows = tuple((Cell(p.name), Cell(p.id), Cell(p.department), Cell(word("role", p.role) + (f" ({_('copied to')})" if p.id in state.copied else ""))) for p in state.roster.values())
    return PageTable("roster", _("Roster"), (_("Name"), _("Account"), _("Department"), _("Role")), rows, "")


def _votes(view: ReviewView, today: date) -> PageTable:
    rows = []
    for number, m in enumerate(view.state.meetings, 1):
        for item, title in m.agenda:
            c = item_count(m, item)
            out = ", ".join(f"{name_of(view.state, p)} ({why})" for i, p, why in m.recused if i == item)
            result = m.results.get(item, "no_quorum" if m.standing == "no_quorum" else "")
            rows.append((Cell(number), Cell(title), Cell(c["entitled"]), Cell(c["present"]), Cell(c["yes"]), Cell(c["no"]), Cell(c["abstain"]), Cell(out or "—"),
                         Cell(word("vote", result) if result else "—", "", {"passed": "good", "refused": "late"}.get(result, ""))))  # fmt: skip
    head = (_("Meeting no."), _("Item"), _("Entitled"), _("Attending"), _("Yes"), _("No"), _("Abstain"), _("Recused"), _("Result"))
    return PageTable("votes", _("Agenda and votes"), head, tuple(rows), _("No meeting was called yet."))


REVIEW_TABLES: dict[str, Callable[[ReviewView, date], PageTable]] = {
    "seats": _seats, "overdue": _overdue, "opinions": _opinions, "tasks": _tasks, "parts": _parts, "changes": _changes, "log": _log, "waits": _waits,
    "points": _points, "roster": _roster, "votes": _votes,
}  # fmt: skip
"""Tables of one review by name (审查表格)."""
