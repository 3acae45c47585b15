"""Open a review, or hand in a changed package: fill in, look at the package, submit (送审)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from qianmo.governance.review_package import DATA_KINDS
from qianmo.governance.review_records import MANDATORY, ReviewEvent
from qianmo.governance.review_rights import check_rights, local_day
from qianmo.jobs.queries.review_desk import review_names
from qianmo.jobs.queries.review_drafts import begin_draft, is_stale, look_of, remove, sent_as
from qianmo.schema.desk import Viewer
from qianmo.schema.errors import MissingDataError, NotAllowedError, QianmoError, ReviewRefusedError, UnsafeInputError
from qianmo.web.authorise import hidden_names, may, viewer_of
from qianmo.web.authorise_review import accounts_for_review, draft_for, may_submit, review_for, roster_person
from qianmo.web.desk import project_folder
from qianmo.web.errors import error_words, log_error
from qianmo.web.models import Person, Task
from qianmo.web.pages.reviews import excel
from qianmo.web.review_act import event_id, fresh_id, now
from qianmo.web.review_new_form import NewReviewForm, called, sent_documents
from qianmo.web.review_tables import PageTable
from qianmo.web.review_tables_draft import DRAFT_TABLES, draft_table, terms_table
from qianmo.web.review_words import word
from qianmo.web.tasks import ask, ask_cancel

__all__ = ["act_on_draft", "begin", "document_fault", "new_review", "show_draft", "table_of_draft"]

_LOOK, _SEND = "review-look", "review-send"


def new_review(request: HttpRequest) -> HttpResponse:
    """Who takes part and what goes along; nothing is submitted before the package was looked at."""
    viewer = viewer_of(request)
    may_submit(viewer)
    me = _account(request)
    accounts = accounts_for_review(viewer)
    form = NewReviewForm(project_folder(), me, accounts, _free_id(), request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        record = {"kind": "open", "review": form.cleaned_data["review"], "actor": me.username, "roster": form.roster(), "settings": {}}
        try:
            return begin(request, event_id(request, "submit", me.username, record["review"]), record, sent_documents(form.cleaned_data))
        except UnsafeInputError as fault:
            form.add_error("documents", document_fault(request, fault))
    lacking = [d for d in MANDATORY if d not in form.departments]
    shown = {"form": form, "event": fresh_id(), "me": me, "called": called(me), "terms": terms_table(local_day(now())), "lacking": lacking}
    return render(request, "review/new.html", shown, status=422 if form.errors else 200)


def begin(request: HttpRequest, event: str, record: Mapping[str, Any], documents: Iterable[tuple[str, Any]]) -> HttpResponse:
    """Keep a draft and have its package looked at; the same form sent twice makes one draft (保存送审稿)."""
    number = str(UUID(event))
    if begin_draft(project_folder(), number, {**record, "person": viewer_of(request).name, "made": now().isoformat(timespec="seconds")}, documents):
        ask(_account(request), _LOOK, {"draft": number})
    return redirect("review-draft", number=number)


def document_fault(request: HttpRequest, fault: UnsafeInputError) -> str:
    """Why a document was not taken, for the form; logged (文件问题)."""
    log_error(request, fault, status=422)
    return "; ".join(w for w in error_words(fault).values() if w)


def show_draft(request: HttpRequest, number: str) -> HttpResponse:
    """What the package would hold, and what then follows."""
    viewer, number = viewer_of(request), str(number)
    if sent := _sent(viewer, number):
        return redirect("review", sent)
    kept = draft_for(viewer, number)
    look, task = look_of(project_folder(), number), _task(number)
    stale = is_stale(project_folder(), look)
    hidden = _hidden(viewer, look)
    tables = [draft_table(name, kept, look, hidden, local_day(now())) for name in DRAFT_TABLES] if look else []
    shown = {
        "draft": kept, "look": look, "task": task, "fault": _fault(task), "stale": stale, "tables": [t for t in tables if t.rows or (t.name == "changes" and kept["kind"] == "resubmit")],
        "hidden": len(hidden), "version": look.get("package", "")[:12], "total": len(look.get("items", ())), "points": sum(n for c in look.get("points", {}).values() for n in c.values()),
        "roster": [{**p, "role": word("role", p["role"])} for p in kept.get("roster", ())], "is_mine": kept["actor"] == viewer.name,
        "is_same": kept["kind"] == "resubmit" and bool(look) and not look["changes"], "may_confirm": _may_confirm(kept, look, task, stale) and kept["actor"] == viewer.name,
    }  # fmt: skip
    return render(request, "review/draft.html", shown)


def act_on_draft(request: HttpRequest, number: str) -> HttpResponse:
    """Submit it, look again, stop the work under way, or drop it."""
    viewer, number = viewer_of(request), str(number)
    sent = _sent(viewer, number)
    kept = {} if sent else draft_for(viewer, number)
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if sent:
        return redirect("review", sent)
    task, do = _task(number), request.POST.get("do", "")
    if do == "drop":
        if task is not None and task.is_open:
            ask_cancel(task)
        remove(project_folder(), number)
        messages.info(request, _("The draft was dropped; nothing was submitted."))
        return redirect("reviews")
    if kept["actor"] != viewer.name:
        raise PermissionDenied("the draft of somebody else")
    if do == "stop" and task is not None:
        ask_cancel(task)
    elif do == "again" and not (task is not None and task.is_open):
        ask(_account(request), _LOOK, {"draft": number})
    elif do == "confirm" and not (task is not None and task.is_open):
        _confirm(request, kept, number, task)
    return redirect("review-draft", number=number)


def table_of_draft(request: HttpRequest, number: str, table: str) -> HttpResponse:
    """A table of the draft as Excel."""
    viewer = viewer_of(request)
    kept, look = draft_for(viewer, str(number)), look_of(project_folder(), str(number))
    if table not in DRAFT_TABLES or not look:
        raise MissingDataError(f"no table {table!r}", expected="a table of the page", cure="go back to the page and choose its Excel button")
    found: PageTable = draft_table(table, kept, look, _hidden(viewer, look), local_day(now()))
    return excel(found, f"{table}-{look['package'][:12]}")


def _sent(viewer: Viewer, number: str) -> str:
    """The review a draft became, for who may read it; '' for everybody else, who then learns nothing."""
    name = sent_as(project_folder(), number)
    return review_for(viewer, name).id if name else ""


def _hidden(viewer: Viewer, look: Mapping[str, Any]) -> frozenset[str]:
    """Names of data, of this round and the one before, that the person may not see."""
    return hidden_names(viewer, {i["name"] for i in (*look.get("items", ()), *look.get("changes", ())) if i["kind"] in DATA_KINDS})


def _confirm(request: HttpRequest, kept: Mapping[str, Any], number: str, task: Task | None) -> None:
    """Queue what was looked at; the rights are asked for once more, since days may lie between."""
    look = look_of(project_folder(), number)
    if request.POST.get("package") != look.get("package") or not _may_confirm(kept, look, task, is_stale(project_folder(), look)):
        raise NotAllowedError("送审包在预览之后有变化, 或还没有预览", expected="与预览相同的送审包", cure="重新预览, 核对后再送审")
    viewer = viewer_of(request)
    if kept["kind"] == "open":
        if not may(viewer, "run"):
            raise PermissionDenied("may not open a review")
        may_submit(viewer)
    else:
        state = review_for(viewer, kept["review"]).state
        person = roster_person(viewer, state)
        if person is None:
            raise PermissionDenied("not on the roster")
        try:
            check_rights(state, ReviewEvent("?", "resubmit", person.id, now(), {"reason": kept["reason"]}))
        except ReviewRefusedError as fault:
            raise NotAllowedError(fault.zh, cure="打开审查页查看现状") from fault
    ask(_account(request), _SEND, {"draft": number})


def _may_confirm(kept: Mapping[str, Any], look: Mapping[str, Any], task: Task | None, stale: bool) -> bool:
    """A finished look of the present project, and a package that differs from the last round unless it is the same on purpose."""
    if not look or stale or (task is not None and task.is_open):
        return False
    return kept["kind"] == "open" or bool(look["changes"]) or bool(kept["unchanged"])


def _task(number: str) -> Task | None:
    """The task that looked at the draft or submitted it last."""
    return Task.objects.filter(job__in=(_LOOK, _SEND), values__draft=number).select_related("person").first()


def _fault(task: Task | None) -> dict[str, str]:
    if task is None or not task.error:
        return {}
    error = task.error
    return {**error, **error_words(QianmoError(error.get("found", ""), expected=error.get("expected", ""), cure=error.get("cure", "")))}


def _free_id() -> str:
    """The next id of the year."""
    year = now().year
    taken = {*review_names(project_folder())}
    return next(name for n in range(1, 10_000) if (name := f"{year}-{n:02d}") not in taken)


def _account(request: HttpRequest) -> Person:
    if not isinstance(request.user, Person):
        raise PermissionDenied
    return request.user
