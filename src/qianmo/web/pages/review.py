"""One review: its state, the moves of the signed-in person, its files (审查页)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from qianmo.governance.review_inbox import waits_for
from qianmo.governance.review_meeting import quorum_met
from qianmo.governance.review_progress import due_outcome, missing_mandatory, open_points
from qianmo.governance.review_records import OFFICE_DESK, Person, ReviewEvent, ReviewState
from qianmo.governance.review_rights import check_rights, local_day, local_time, review_verbs
from qianmo.jobs.queries.identify import row_number
from qianmo.jobs.queries.review_desk import FORMS, ReviewView, decision_file, kept_documents, last_documents, review_view
from qianmo.jobs.queries.search import place_of
from qianmo.schema.errors import MissingDataError, ReviewRefusedError, UnsafeInputError
from qianmo.web.authorise import may, shown_layer, viewer_of, visible_entries
from qianmo.web.authorise_review import hidden_data, review_for, roster_person
from qianmo.web.desk import project_folder
from qianmo.web.models import Person as Account
from qianmo.web.pages.review_drafts import begin, document_fault
from qianmo.web.pages.reviews import excel
from qianmo.web.review_act import act, actor_of, event_id, fresh_id, is_done, now, refusal, verbs_of
from qianmo.web.review_forms import colleagues, move_content, move_form, open_items, seats_for, signers_to_add
from qianmo.web.review_new_form import ResubmitForm, sent_documents
from qianmo.web.review_tables import REVIEW_TABLES, drawn_table, review_table
from qianmo.web.review_words import consequence, name_of, verb_word, word

__all__ = ["decision", "do_move", "show_meeting", "show_parcel", "show_review", "table"]

_ON_PAGE = ("seats", "overdue", "opinions", "tasks", "changes", "waits", "parts", "roster", "log")
_MEETING = ("convene", "attend", "recuse", "vote", "close_meeting")
_BY_SEAT = ("transfer", "delegate", "undelegate", "add_sign", "drop_sign", "urge")
_ENDS = {"accept": ("accept",), "distribute": ("distribute",), "opinion": ("opine",), "meeting": ("convene", "attend", "vote"), "return": ("return",), "issue": ("decide",), "revise": ("resubmit",)}
"""Moves that end a wait, by its step: their buttons stand out."""
_FINAL = ("withdraw", "void")


def show_review(request: HttpRequest, review: str) -> HttpResponse:
    """Package, what changed, seats with deadlines, opinions, conditions, and the moves open to the person."""
    view = review_for(viewer_of(request), review)
    person, today = roster_person(viewer_of(request), view.state), local_day(now())
    tables = [drawn_table(view, name, today) for name in _ON_PAGE]
    shown = {
        "view": view, "state": view.state, "person": person, "open": tables[:5], "folded": tables[5:], "phase": word("phase", view.state.phase),
        "outcome": _outcome(view.state), "missing": _missing(view.state), "unanswered": _unanswered(view.state), "buttons": _buttons(request, view, person), "forms": tuple(FORMS), "points": _departments(view),
        "mine": waits_for(view.state, person, today) if person else (), "unlike": view.state.roster.get(viewer_of(request).name) if person is None else None,
    }  # fmt: skip
    return render(request, "review/review.html", shown)


def show_meeting(request: HttpRequest, review: str) -> HttpResponse:
    """Agenda, who is there, quorum, votes, minutes and follow-ups of the meetings."""
    view = review_for(viewer_of(request), review)
    state, today = view.state, local_day(now())
    person = roster_person(viewer_of(request), state)
    meetings = [_meeting(state, number) for number in range(len(state.meetings) - 1, -1, -1)]
    shown = {"view": view, "meetings": meetings, "buttons": [b for b in _buttons(request, view, person) if b["verb"] in _MEETING],
             "tables": [drawn_table(view, name, today) for name in ("votes", "tasks")], "person": person}  # fmt: skip
    return render(request, "review/meeting.html", shown)


def do_move(request: HttpRequest, review: str, verb: str) -> HttpResponse:
    """The page that says what follows from a move and makes it."""
    view = review_for(viewer_of(request), review)
    person = actor_of(request, view)
    if verb not in review_verbs() or verb in ("submit", "opine"):
        raise Http404
    number = event_id(request, verb, person.id, review) if request.method == "POST" else ""
    if number and is_done(view, number):
        return _recorded(request, review, verb)
    if verb not in verbs_of(request, view):
        _refuse_by_state(view.state, verb, person)
        raise PermissionDenied(f"{verb} is not open to {person.id}")
    accounts = _accounts(view.state) if verb == "enrol" else ()
    if verb == "resubmit":
        form = ResubmitForm(last_documents(view), request.POST or None, request.FILES or None)
    else:
        form = move_form(verb, view.state, person, now(), request.POST or None, accounts=accounts, initial=dict(request.GET.items()))
    if isinstance(form, ResubmitForm) and request.method == "POST" and form.is_valid():
        try:
            return begin(request, number, form.record(review, person), [*kept_documents(view, form.kept()), *sent_documents(form.cleaned_data)])
        except UnsafeInputError as fault:
            form.add_error("documents", document_fault(request, fault))
    if request.method == "POST" and form.is_valid():
        try:
            act(request, view, verb, person, number, lambda state: move_content(verb, form.cleaned_data, state, accounts))
            return _recorded(request, review, verb)
        except ReviewRefusedError as fault:
            form.add_error(None, refusal(fault))
    shown = {"view": view, "form": form, "verb": verb, "word": verb_word(verb), "consequence": consequence(verb), "event": fresh_id(), "person": person, "is_final": verb in _FINAL,
             "outcome": _outcome(view.state) if verb == "decide" else "", "back": "review-meeting" if verb in _MEETING else "review"}  # fmt: skip
    return render(request, "review/move.html", shown, status=422 if form.errors else 200)


def _refuse_by_state(state: ReviewState, verb: str, person: Person) -> None:
    """Say that the review has gone on, or stands still, where that is why a move is closed; a right that is missing is not told here."""
    try:
        check_rights(state, ReviewEvent("?", verb, person.id, now(), {"reason": "?"}))
    except ReviewRefusedError as fault:
        if fault.code in ("wrong_phase", "final", "is_suspended"):
            raise


def table(request: HttpRequest, review: str, table: str) -> HttpResponse:
    """A table of the review as Excel."""
    view = review_for(viewer_of(request), review)
    if table not in REVIEW_TABLES:
        raise MissingDataError(f"no table {table!r}", expected="a table of the page", cure="go back to the page and choose its Excel button")
    return excel(review_table(view, table, local_day(now())), f"{table}-{view.package.version}")


def decision(request: HttpRequest, review: str, form: str) -> HttpResponse:
    """The decision in Word or PDF; a draft while the review is not done."""
    viewer = viewer_of(request)
    view = review_for(viewer, review)
    hidden = hidden_data(viewer, review_view(project_folder(), review))
    name, body = decision_file(project_folder(), view.id, form, today=local_day(now()), hidden=hidden)
    response = HttpResponse(body, content_type=FORMS[form])
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return response


def show_parcel(request: HttpRequest, review: str, parcel: str) -> HttpResponse:
    """Where a parcel of a chip lies on the map."""
    viewer = viewer_of(request)
    review_for(viewer, review)
    layer = next((e.name for e in visible_entries(viewer) if e.dataset.kind == "landuse_patch"), "landuse_patch")
    shown = shown_layer(viewer, layer)
    place = place_of(shown, row_number(shown, parcel, region=viewer.region))
    response = redirect("map")
    response.headers["Location"] += f"#place={place.lon:.6f},{place.lat:.6f},17"
    return response


def _recorded(request: HttpRequest, review: str, verb: str) -> HttpResponse:
    messages.success(request, _("Recorded: %(move)s. %(consequence)s.") % {"move": verb_word(verb), "consequence": consequence(verb)})
    return redirect("review-meeting" if verb in _MEETING else "review", review)


def _buttons(request: HttpRequest, view: ReviewView, person: Person | None) -> list[dict[str, str]]:
    """Moves open to the person that have something to act on."""
    if person is None:
        return []
    found, due = [], {v for step, *_rest in waits_for(view.state, person, local_day(now())) for v in _ENDS[step]}
    for verb in verbs_of(request, view):
        seats = seats_for(verb, view.state, person, now()) if verb in (*_BY_SEAT, "opine") or (verb == "return" and person.role != "secretary") else [("", "")]
        if not seats or verb == "submit" or (verb == "take_back" and not _mine(view.state, person)) or ((verb == "resume") != view.state.is_suspended and verb in ("resume", "suspend")):
            continue
        if (verb in ("transfer", "delegate") and not colleagues(view.state, seats)) or (verb == "add_sign" and not signers_to_add(view.state, seats, person)):
            continue
        if verb == "enrol" and not _accounts(view.state):
            continue
        if (verb == "convene" and due_outcome(view.state) == "") or (verb == "attend" and not _is_absent(view.state, person)):
            continue
        if verb in ("vote", "recuse") and (not open_items(view.state, person) or (verb == "vote" and not _is_present(view.state, person))):
            continue
        department = view.state.seat(seats[0][0])[1].department if verb == "opine" else ""  # type: ignore[index]
        found.append({"verb": verb, "word": verb_word(verb), "consequence": consequence(verb), "department": department, "is_final": "1" if verb in _FINAL else "", "is_next": "1" if verb in due else ""})
    return found


def _missing(state: ReviewState) -> list[str]:
    """Departments that must sign and have not, the office with its own points among them."""
    office = any(s.department == OFFICE_DESK and state.valid(s.id) is None for g in state.groups for s in g.seats)
    return [*missing_mandatory(state), *((OFFICE_DESK,) if office else ())]


def _unanswered(state: ReviewState) -> list[str]:
    """Mandatory points nobody has answered, once the departments are through (未作答的必审要点)."""
    if state.phase not in ("MEETING", "RESOLVED", "DONE"):
        return []
    return [f"{department} {'、'.join(items)}" for department, items in open_points(state).items()]


def _mine(state: ReviewState, person: Person) -> bool:
    return any(o.person == person.id and o.standing == "valid" and o.round == state.round for o in state.opinions)


def _is_absent(state: ReviewState, person: Person) -> bool:
    meeting = state.meeting
    return meeting is not None and any(m not in meeting.present and (m == person.id or person.role == "secretary") for m in meeting.members)


def _is_present(state: ReviewState, person: Person) -> bool:
    return state.meeting is not None and person.id in state.meeting.present


def _meeting(state: ReviewState, number: int) -> dict[str, Any]:
    m = state.meetings[number]
    return {"number": number + 1, "meeting": m, "standing": word("meeting", m.standing), "opened": local_time(m.opened), "present": [name_of(state, p) for p in m.present],
            "absent": [name_of(state, p) for p in m.members if p not in m.present], "quorum": all(quorum_met(m, item) for item, _title in m.agenda)}  # fmt: skip


def _outcome(state: ReviewState) -> str:
    found = state.outcome or due_outcome(state)
    return word("outcome", found) if found else ""


def _departments(view: ReviewView) -> list[str]:
    return list(dict.fromkeys(p["department"] for p in view.points))


def _accounts(state: ReviewState) -> list[Person]:
    """Accounts that may join the roster: open, with a department, and with a role that reviews."""
    found = [a for a in Account.objects.filter(is_active=True).exclude(department="").order_by("username") if a.username not in state.roster and may(a.viewer(), "review")]
    return [Person(a.username, a.first_name or a.username, a.department, "") for a in found]
