"""The acceptance form of a project: measured, cut, accepted, money to the fen, worked out while it is filled in (验收与核减)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from qianmo.governance.acceptance.form import RESULTS, accepted_lines, check_form, quota_of, refusals_of_result
from qianmo.governance.acceptance.money import settled
from qianmo.governance.blank import is_blank
from qianmo.governance.library.typed import typed_table
from qianmo.jobs.context import Context
from qianmo.jobs.library.steps import accept_form, over_share, planned_form
from qianmo.jobs.queries.library import LibraryView
from qianmo.schema.acceptance import acceptance_fields, cut_reasons
from qianmo.schema.desk import Viewer, workflow_actors
from qianmo.web.authorise import may, viewer_of
from qianmo.web.authorise_library import seen_library
from qianmo.web.desk import CHANGING
from qianmo.web.pages.library import project_row
from qianmo.web.sheets import Head, Sheet, excel
from qianmo.web.words import both

__all__ = ["acceptance_table", "keep_acceptance", "show_acceptance"]

_INPUTS = ("planned", "price_yuan", "measured", "cut", "reason_code", "reason")
_MAY_ACCEPT = frozenset({"county", "city", "province", "county_department"})


def show_acceptance(request: HttpRequest, project: str) -> HttpResponse:
    """The form; what is sent is checked and priced each time, and nothing is stored."""
    return _page(request, project)


def keep_acceptance(request: HttpRequest, project: str) -> HttpResponse:
    """Store the form with its result when nothing speaks against it."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    viewer = viewer_of(request)
    project_row(seen_library(viewer), project)
    if not _may_store(viewer):
        raise PermissionDenied
    form, wrong = _sent(request, project)
    result = request.POST.get("result", "")
    against = [*wrong, *(() if wrong else _told(form)), *(() if wrong else refusals_of_result(form, result))]
    if against:
        return _page(request, project, against=list(dict.fromkeys(against)))
    with CHANGING:
        accept_form(Context(user=viewer.name), seen_library(viewer).library, project, form, result)
    messages.success(request, _("The acceptance is kept: %(result)s") % {"result": _result_word(result)})
    return redirect("library-acceptance", project=project)


def acceptance_table(request: HttpRequest, project: str) -> HttpResponse:
    """The stored form as an Excel file."""
    view = seen_library(viewer_of(request))
    project_row(view, project)
    fields = acceptance_fields().fields
    lines = settled(_kept(view, project), over_share=over_share(view.library)).lines
    rows = []
    for r in lines.to_dict("records"):
        field = fields[str(r["field"])]
        rows.append({**r, "field_word": both(field.zh, field.en), "unit": _unit_word(field.unit), "why": both(*cut_reasons().get(str(r["reason_code"]), ("", "")))})
    heads = (
        Head("field_word", _("Field")), Head("unit", _("Unit")), Head("planned", _("Planned"), "number"), Head("measured", _("Measured"), "number"),
        Head("cut", _("Cut"), "number"), Head("accepted", _("Accepted"), "number", _("measured − cut")),
        Head("why", _("Reason of the cut")), Head("reason", _("In words")), Head("price_yuan", _("Price"), "fen"),
        Head("contract_yuan", _("Contract"), "fen", _("planned × price, rounded to the fen once")),
        Head("payable_yuan", _("Payable"), "fen", _("accepted × price, not more than planned")), Head("deducted_yuan", _("Deducted"), "fen", _("contract − payable")),
    )  # fmt: skip
    return excel(Sheet("acceptance", _("Acceptance of %(project)s") % {"project": project}, heads, rows))


def _page(request: HttpRequest, project: str, *, against: list[str] | None = None) -> HttpResponse:
    viewer = viewer_of(request)
    view = seen_library(viewer)
    row = project_row(view, project)
    form, wrong = _sent(request, project) if request.method == "POST" else (_kept(view, project), [])
    told = wrong or _told(form)
    typed = request.POST.dict() if request.method == "POST" else {}
    shown = {
        "view": view, "row": row, "groups": _groups(form, typed), "reasons": [(k, both(*w)) for k, w in cut_reasons().items()], "faults": against or told, "may_store": _may_store(viewer),
        "result": request.POST.get("result", "pass"), "results": [(r, _result_word(r)) for r in RESULTS], **_worked_out(view, form, bool(told)), "is_kept": not _lines(view, project).empty,
    }  # fmt: skip
    return render(request, "desk/library_acceptance.html", shown, status=422 if against else 200)


def _told(form: pd.DataFrame) -> list[str]:
    return [both(str(r["zh"]), f"{acceptance_fields().fields[r['key']].en if r['key'] in acceptance_fields().fields else r['key']}: {r['en']}") for r in check_form(form).to_dict("records")]


def _may_store(viewer: Viewer) -> bool:
    return may(viewer, "review") and bool(_MAY_ACCEPT & set(workflow_actors(viewer.role)))


def _lines(view: LibraryView, project: str) -> pd.DataFrame:
    lines = view.tables["acceptance_line"]
    return lines[lines["project_id"] == project].reset_index(drop=True)


def _kept(view: LibraryView, project: str) -> pd.DataFrame:
    lines = _lines(view, project)
    return planned_form(view.library, project) if lines.empty else lines


def _sent(request: HttpRequest, project: str) -> tuple[pd.DataFrame, list[str]]:
    """The form as it was sent, and what is no number in it."""
    names = [f for f in acceptance_fields().fields if any(f"{f}.{c}" in request.POST for c in _INPUTS)]
    rows = [{"project_id": project, "field": f, **{c: request.POST.get(f"{f}.{c}", "").strip() for c in _INPUTS}} for f in names]
    frame, faults = typed_table("acceptance_line", pd.DataFrame(rows, columns=["project_id", "field", *_INPUTS]))
    words = acceptance_fields().fields
    return frame, [f"{both(words[names[r['row'] - 1]].zh, words[names[r['row'] - 1]].en)}: {both(str(r['zh']), str(r['en']))} ({r['found'][:40]})" for r in faults.to_dict("records")]


def _groups(form: pd.DataFrame, typed: Mapping[str, str]) -> list[dict[str, Any]]:
    fields = acceptance_fields().fields
    accepted = accepted_lines(form)["accepted"].tolist()
    groups: dict[str, dict[str, Any]] = {}
    for r, whole in zip(form.to_dict("records"), accepted, strict=True):
        f = fields[str(r["field"])]
        group = groups.setdefault(f.group, {"title": _group_word(f.group), "rows": [], "is_open": False})
        values = {c: typed.get(f"{f.id}.{c}", "" if is_blank(r[c]) else _plain(r[c])) for c in _INPUTS}
        group["rows"].append({"field": f, "name": both(f.zh, f.en), "unit": _unit_word(f.unit), "accepted": "" if is_blank(whole) else _plain(whole), **values})
        group["is_open"] = group["is_open"] or any(values[c] for c in _INPUTS)
    return list(groups.values())


def _worked_out(view: LibraryView, form: pd.DataFrame, has_faults: bool) -> dict[str, Any]:
    """Money and quota of the form as it stands; nothing while it has faults, so that no wrong amount is ever shown."""
    if has_faults:
        return {"money": None, "lines": [], "quota": None}
    found = settled(form, over_share=over_share(view.library))
    words = acceptance_fields().fields
    lines = [{**r, "name": both(words[str(r["field"])].zh, words[str(r["field"])].en)} for r in found.lines.to_dict("records") if not is_blank(r["price_yuan"])]
    return {"money": {"contract": found.contract_fen / 100, "payable": found.payable_fen / 100, "deducted": found.deducted_fen / 100}, "lines": lines, "quota": quota_of(form)}


def _group_word(group: str) -> str:
    return {"规模": _("Scale"), "提质改造": _("Upgrading"), "成效": _("Effect"), "投资": _("Investment"), "权属调整": _("Tenure"), "工程量": _("Quantities of works")}.get(group, group)


def _unit_word(unit: str) -> str:
    words = {"ha": _("ha"), "grade": _("grade"), "count": _("pieces"), "km": _("km"), "kg": _("kg"), "persons": _("persons"), "trees": _("trees"), "m3": _("m³"), "元": _("yuan"), "万元": _("10,000 yuan")}
    return words.get(unit, unit)


def _result_word(result: str) -> str:
    return {"pass": _("passed"), "mend": _("to be mended"), "fail": _("not passed")}.get(result, result)


def _plain(value: Any) -> str:
    return repr(float(value)).removesuffix(".0") if isinstance(value, int | float) else str(value)
