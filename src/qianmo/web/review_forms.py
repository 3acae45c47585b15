"""Forms of the moves of a review: what each verb asks, made from the state it acts on (办理表单)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from qianmo.governance.review_meeting import CHOICES, agenda_from_opinions
from qianmo.governance.review_moves import asks_office, with_office
from qianmo.governance.review_progress import can_sign, current_group, due_outcome
from qianmo.governance.review_records import APPLICANT_DESK, MANDATORY, MODES, OFFICE_DESK, Person, ReviewEvent, ReviewState
from qianmo.governance.review_rights import check_rights, local_day, may_hold, review_verbs
from qianmo.schema.errors import ReviewRefusedError
from qianmo.web.review_words import group_word, mode_word, name_of, word

__all__ = ["FOLLOW_UPS", "colleagues", "move_content", "move_form", "open_items", "seats_for", "signers_to_add"]

FOLLOW_UPS = 3
"""Follow-ups that the form of closing a meeting has room for."""

_TEXT = forms.Textarea(attrs={"rows": 3})
_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
Choices = list[tuple[str, str]]


class _MoveForm(forms.Form):
    """Fields of one move; a follow-up that is begun names its owner and its day."""

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        for n in range(1, FOLLOW_UPS + 1):
            begun = any(given.get(f"{k}_{n}") for k in ("text", "owner", "due"))
            for k in ("text", "owner", "due"):
                if begun and f"{k}_{n}" in self.fields and not given.get(f"{k}_{n}") and f"{k}_{n}" not in self.errors:
                    self.add_error(f"{k}_{n}", _("A follow-up needs what is to be done, an owner and a day."))
        return given


def move_form(
    verb: str, state: ReviewState, me: Person, now: datetime, data: Mapping[str, Any] | None = None, *, accounts: Sequence[Person] = (), initial: Mapping[str, Any] | None = None
) -> forms.Form:
    """The form of one move (办理表单); a choice holds only what the person may choose.

    Parameters
    ----------
    verb : str
        Any but submit, opine and resubmit, which have pages of their own.
    accounts : sequence of Person
        Who could join the roster.
    """
    form = _MoveForm(data, initial=dict(initial or {}))
    for name, field in _fields(verb, state, me, now, accounts).items():
        form.fields[name] = field
    if review_verbs()[verb].needs_reason:
        form.fields["reason"] = forms.CharField(label=_("Reason"), widget=_TEXT, max_length=2000)
    return form


def move_content(verb: str, given: Mapping[str, Any], state: ReviewState, accounts: Sequence[Person] = ()) -> dict[str, Any]:
    """What the move says, from a valid form (办理内容)."""
    if verb == "enrol":
        new = next(p for p in accounts if p.id == given["account"])
        return {"id": new.id, "name": new.name, "department": new.department, "role": given["role"]}
    if verb == "distribute":
        return {"groups": _groups(given, state)}
    if verb == "convene":
        return {"agenda": _agenda(given, state), "members": list(given["members"])}
    if verb == "close_meeting":
        rows = [{k: str(given[f"{k}_{n}"] or "") for k in ("text", "owner", "due")} for n in range(1, FOLLOW_UPS + 1)]
        return {"minutes": given["minutes"], "follow_ups": [r for r in rows if r["text"]]}
    if verb == "decide":
        return {"outcome": due_outcome(state)}
    plain = {k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in given.items() if v not in (None, "")}
    return plain


def seats_for(verb: str, state: ReviewState, me: Person, now: datetime) -> Choices:
    """Seats on which a person may make a move now (可办席位)."""
    live = current_group(state)
    order = [g.id for g in state.groups]
    found = []
    for group in state.groups:
        for seat in group.seats:
            if state.valid(seat.id) is not None or live is None or order.index(group.id) < order.index(live.id):
                continue
            if not _allowed(state, verb, me, now, {"seat": seat.id}):
                continue
            if (verb in ("opine", "return", "urge") and not can_sign(state, seat)) or (verb == "urge" and seat.person == me.id):
                continue
            if (verb == "drop_sign" and not seat.added_by) or (verb == "undelegate" and not seat.delegate) \
                    or (verb == "add_sign" and group.mode == "vote"):  # fmt: skip
                continue
            found.append((seat.id, f"{seat.department} · {name_of(state, seat.person)} · {group_word(group.id)}"))
    return found


def _allowed(state: ReviewState, verb: str, me: Person, now: datetime, target: Mapping[str, str]) -> bool:
    try:
        check_rights(state, ReviewEvent("?", verb, me.id, now, {"reason": "?", **target}))
    except ReviewRefusedError:
        return False
    return True


def _fields(verb: str, state: ReviewState, me: Person, now: datetime, accounts: Sequence[Person]) -> dict[str, forms.Field]:
    seats = seats_for(verb, state, me, now)
    match verb:
        case "enrol":
            roles = [(r, word("role", r)) for r in ("officer", "reader", "secretary", "issuer", "applicant")]
            return {"account": _choice(_("Account"), [(p.id, f"{p.name} · {p.department} ({p.id})") for p in accounts]), "role": _choice(_("Role"), roles)}
        case "distribute":
            return _distribute_fields(state, me)
        case "take_back":
            mine = [o for o in state.opinions if o.person == me.id and o.standing == "valid" and o.round == state.round]
            return {"opinion": _choice(_("Opinion"), [(o.id, f"{o.department} · {word('result', o.result)}") for o in mine])}
        case "return":
            if me.role != "secretary":
                return {"seat": _choice(_("Seat"), seats)}
            groups = [(g.id, _("To the group %(name)s, whose seats then sign anew") % {"name": group_word(g.id)}) for g in state.groups if state.phase in ("IN_REVIEW", "MEETING", "RESOLVED")]
            return {"to": _choice(_("Return to"), [("applicant", _("To the applicant, who hands in a changed package")), *groups])}
        case "add_sign":
            where = [("before", _("Before: the seat waits for the added signer")), ("after", _("After: the group waits for the added signer"))]
            return {"seat": _choice(_("Seat"), seats), "person": _choice(_("Signer to add"), signers_to_add(state, seats, me)), "where": _choice(_("Place in the row"), where)}
        case "transfer":
            return {"seat": _choice(_("Seat"), seats), "to": _choice(_("Hand over to"), colleagues(state, seats))}
        case "delegate":
            return {"seat": _choice(_("Seat"), seats), "to": _choice(_("Who signs in your name"), colleagues(state, seats)),
                    "until": forms.DateField(label=_("Until, this day included"), widget=_DAY, initial=local_day(now))}  # fmt: skip
        case "drop_sign" | "undelegate" | "urge":
            return {"seat": _choice(_("Seat"), seats)}
        case "copy":
            return {"to": _choice(_("Copy to"), [(p.id, f"{p.name} · {p.department}") for p in state.roster.values() if p.id not in state.copied and p.id != me.id])}
        case "convene":
            return _convene_fields(state)
        case "attend":
            return {"member": _choice(_("Who is present"), _absent(state, me))}
        case "recuse" | "vote":
            items = _choice(_("Item"), open_items(state, me))
            return {"item": items, **({"choice": _choice(_("Vote"), [(c, word("choice", c)) for c in CHOICES], radio=True)} if verb == "vote" else {})}
        case "close_meeting":
            return _minutes_fields(state)
        case "report_task" | "close_task":
            state_of = ("open",) if verb == "report_task" else ("open", "reported")
            tasks = [(t.id, t.text) for t in state.tasks if t.standing in state_of and _allowed(state, verb, me, now, {"task": t.id})]
            return {"task": _choice(_("Condition or follow-up"), tasks)}
    return {}


def _choice(label: str, choices: Choices, *, radio: bool = False, required: bool = True) -> forms.ChoiceField:
    shown = choices if (required and len(choices) == 1) or radio else [("", "—"), *choices]
    return forms.ChoiceField(label=label, choices=shown, required=required, widget=forms.RadioSelect if radio else forms.Select)


def signers_to_add(state: ReviewState, seats: Choices, me: Person) -> Choices:
    """Officers who can be added as signers: without a seat and no delegate in a group of the seats (可加签人员)."""
    groups = [found[0] for s, _label in seats if (found := state.seat(s))]
    busy = [{x for s in g.seats for x in (s.person, s.delegate)} for g in groups]
    return [(p.id, f"{p.name} · {p.department}") for p in state.roster.values() if p.role == "officer" and p.id != me.id and any(p.id not in b for b in busy)]


def colleagues(state: ReviewState, seats: Choices) -> Choices:
    """Who can hold a seat of the departments of the seats, without who fills them (可接办人员)."""
    found = [state.seat(s) for s, _label in seats]
    departments, holders = {f[1].department for f in found if f}, {f[1].person for f in found if f}
    return [(p.id, f"{p.name} · {p.department}") for p in state.roster.values() if p.id not in holders and any(may_hold(p, d) for d in departments)]


def _departments(state: ReviewState) -> list[str]:
    """Departments with an officer, the mandatory ones first."""
    there = list(dict.fromkeys(p.department for p in state.roster.values() if p.role == "officer"))
    return [*(d for d in MANDATORY if d in there), *(d for d in there if d not in MANDATORY)]


def _distribute_fields(state: ReviewState, me: Person) -> dict[str, forms.Field]:
    modes = [(m, mode_word(m)) for m in MODES]
    fields: dict[str, forms.Field] = {"mode_1": _choice(_("First group signs"), modes), "mode_2": _choice(_("Second group signs, when the first has ended"), modes, required=False)}
    fields["mode_1"].initial = "all"
    groups = [("1", _("first group")), ("2", _("second group")), ("", _("not asked"))]
    for number, department in enumerate(_departments(state)):
        people = [(p.id, p.name) for p in state.roster.values() if p.role == "officer" and p.department == department]
        must = f" ({_('mandatory')})" if department in MANDATORY else ""
        fields[f"group_{number}"] = forms.ChoiceField(label=f"{department}{must}", choices=groups, required=False, initial="1")
        fields[f"person_{number}"] = forms.ChoiceField(label=_("Officer of %(department)s") % {"department": department}, choices=people, initial=people[0][0])
    if asks_office(state):
        office = [(p.id, p.name) for p in state.roster.values() if may_hold(p, OFFICE_DESK)]
        fields["office"] = forms.ChoiceField(label=_("Who answers the points of the office itself (%(office)s)") % {"office": OFFICE_DESK}, choices=office, initial=me.id)
    return fields


def _groups(given: Mapping[str, Any], state: ReviewState) -> list[dict[str, Any]]:
    made = []
    for group, name in (("1", "departments"), ("2", "further")):
        seats = [{"department": d, "person": given[f"person_{n}"]} for n, d in enumerate(_departments(state)) if given[f"group_{n}"] == group]
        if seats:
            made.append({"id": name, "mode": given[f"mode_{group}"] or "all", "seats": seats})
    return with_office(state, made, given.get("office", ""))


def _convene_fields(state: ReviewState) -> dict[str, forms.Field]:
    people = [(p.id, f"{p.name} · {p.department}") for p in state.roster.values() if p.role not in ("applicant", "reader")]
    seated = list(dict.fromkeys(s.person for g in state.groups for s in g.seats if s.department != OFFICE_DESK))
    items = [(a["id"], a["title"]) for a in agenda_from_opinions(state) if a["id"] != "package"]
    fields: dict[str, forms.Field] = {}
    if items:
        fields["agenda"] = forms.MultipleChoiceField(label=_("Agenda from the opinions"), choices=items, initial=[i for i, _title in items], required=False, widget=forms.CheckboxSelectMultiple)
    fields["more"] = forms.CharField(label=_("Further items, one a line"), widget=_TEXT, required=False, max_length=4000)
    fields["members"] = forms.MultipleChoiceField(label=_("Members with a vote"), choices=people, initial=seated, widget=forms.CheckboxSelectMultiple)
    return fields


def _agenda(given: Mapping[str, Any], state: ReviewState) -> list[dict[str, str]]:
    """Chosen items, further ones, and the package as a whole at the end."""
    *proposed, package = agenda_from_opinions(state)
    lines = [line.strip() for line in given["more"].splitlines() if line.strip()]
    return [*(a for a in proposed if a["id"] in given.get("agenda", ())), *({"id": f"more-{n}", "title": t} for n, t in enumerate(lines, 1)), package]


def _absent(state: ReviewState, me: Person) -> Choices:
    meeting = state.meeting
    if meeting is None:
        return []
    return [(m, name_of(state, m)) for m in meeting.members if m not in meeting.present and (m == me.id or me.role == "secretary")]


def open_items(state: ReviewState, me: Person) -> Choices:
    """Items of the meeting that goes on, on which the person has neither voted nor stepped aside (待表决议题)."""
    meeting = state.meeting
    if meeting is None:
        return []
    done = {i for i, p, _c in (*meeting.votes, *meeting.recused) if p == me.id}
    return [(i, title) for i, title in meeting.agenda if i not in done]


def _minutes_fields(state: ReviewState) -> dict[str, forms.Field]:
    fields: dict[str, forms.Field] = {"minutes": forms.CharField(label=_("Minutes"), widget=forms.Textarea(attrs={"rows": 8}), max_length=20000)}
    owners = [(APPLICANT_DESK, APPLICANT_DESK), *((d, d) for d in _departments(state)), *((p.id, p.name) for p in state.roster.values() if p.role != "reader")]
    for n in range(1, FOLLOW_UPS + 1):
        fields[f"text_{n}"] = forms.CharField(label=_("Follow-up %(n)s") % {"n": n}, required=False, max_length=500)
        fields[f"owner_{n}"] = _choice(_("Owner of follow-up %(n)s") % {"n": n}, owners, required=False)
        fields[f"due_{n}"] = forms.DateField(label=_("Due day of follow-up %(n)s") % {"n": n}, required=False, widget=_DAY)
    return fields
