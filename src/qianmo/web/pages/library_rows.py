"""Funds by source and year, payments of a project, order and floors: changed on pages, by the rules of the workbook (资金、用款与先后维护)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from qianmo.governance.blank import is_blank
from qianmo.governance.library.cells import cell_text
from qianmo.governance.library.check_money import fen_of
from qianmo.jobs.context import Context
from qianmo.jobs.library.row import project_texts
from qianmo.jobs.library.rows import RowSet, edit_rows, mark_of_rows, pay_out, rows_within
from qianmo.jobs.queries.library import LibraryView
from qianmo.schema.errors import MissingDataError
from qianmo.schema.library import project_classes
from qianmo.schema.tables import table_spec
from qianmo.web.authorise import viewer_of
from qianmo.web.authorise_library import seen_library, whole_library
from qianmo.web.desk import CHANGING, project_folder
from qianmo.web.library_row_forms import ReasonForm, RowForm, row_initial, rows_form, typed_rows
from qianmo.web.pages.library import project_row
from qianmo.web.pages.library_sheets import class_word, sheet_of
from qianmo.web.words import both

__all__ = ["change_floors", "change_fund", "change_order", "change_payments", "new_fund", "pay_fund", "show_changes"]

_SHEETS = {"library_fund_year": "fund-years", "library_payment": "needs", "library_order": "order", "library_floor": "floors"}
"""The Excel table of the kept rows of a page (可导出的表)."""


@dataclass
class _Asked:
    """One page of rows: what it is called, what it changes, and where it leads."""

    title: str
    told: str
    table: str
    within: Mapping[str, str]
    what: str
    back: str
    left_out: tuple[str, ...] = ()
    choices: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    fund: str = ""
    may_remove: bool = False
    more: dict[str, Any] = field(default_factory=dict)


def new_fund(request: HttpRequest) -> HttpResponse:
    """A fund that is not in the library yet, with its years."""
    asked = _Asked(_("Add a fund"), _fund_told(), "library_fund_year", {}, "", reverse("library-funds"), ("fund_id",), fund="new")
    return _rows_page(request, asked)


def change_fund(request: HttpRequest, fund: str) -> HttpResponse:
    """A fund and its years together; or the fund is taken out."""
    view = whole_library(viewer_of(request))
    row = _fund_row(view, fund)
    asked = _Asked(f"{row['name']} {fund}", _fund_told(), "library_fund_year", {"fund_id": fund}, f"表单 资金 {fund}", reverse("library-funds"), ("fund_id",), fund=fund, may_remove=True,
                   more={"years": _years_to_pay(view, fund), "projects": _project_choices(view), "pay": request.GET.get("pay", "")})  # fmt: skip
    return _rows_page(request, asked)


def pay_fund(request: HttpRequest, fund: str) -> HttpResponse:
    """Record one payment from a fund; refused beyond what is promised, and the second time where it is sent twice."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    viewer = viewer_of(request)
    view = whole_library(viewer)
    _fund_row(view, fund)
    year, amount, project, reason = (request.POST.get(n, "").strip()[:300] for n in ("year", "amount", "project", "reason"))
    known = dict(_project_choices(view))
    told = [_("Choose a project of the library.")] if project and project not in known else []
    if not told:
        words = f"{project}: {reason}" if project and reason else reason
        with CHANGING:
            faults = pay_out(Context(user=viewer.name), project_folder(), fund, year, amount, mark=request.POST.get(f"mark-{year}", ""), reason=words)
        told = _words_of(faults)
    if told:
        asked = _Asked(f"{_fund_row(view, fund)['name']} {fund}", _fund_told(), "library_fund_year", {"fund_id": fund}, "", reverse("library-funds"), ("fund_id",), fund=fund, may_remove=True,
                       more={"years": _years_to_pay(view, fund), "projects": _project_choices(view), "refused": told, "paid": {"year": year, "amount": amount, "project": project, "reason": reason}})  # fmt: skip
        return _rows_page(request, asked, is_sent=False, status=422)
    messages.success(request, _("The payment is recorded."))
    return redirect("library-funds")


def change_payments(request: HttpRequest, project: str) -> HttpResponse:
    """When a project needs how much from which funds; the sum is the investment."""
    view = whole_library(viewer_of(request))
    row = project_row(view, project)
    funds = [(str(f["fund_id"]), f"{f['fund_id']} {f['name']}") for f in view.tables["library_fund"].to_dict("records")]
    told = _("Each row: the year of the works from 1, the funds that may pay, and the amount. The amounts add up to the investment to the fen; earmarks of funds are obeyed.")
    asked = _Asked(_("Payments of %(project)s") % {"project": f"{row['name']} {project}"}, told, "library_payment", {"project_id": project}, f"表单 用款 {project}",
                   reverse("library-project", args=[project]), ("project_id",), {"fund_ids": funds}, more={"investment": float(row["investment_yuan"]), "project": row})  # fmt: skip
    return _rows_page(request, asked)


def change_order(request: HttpRequest) -> HttpResponse:
    """Which project waits for which."""
    view = whole_library(viewer_of(request))
    named = _project_choices(view)
    told = _("A project starts only after the one before it is finished; the year plan obeys this. No project may wait for itself, not even in a circle.")
    return _rows_page(request, _Asked(_("Order of projects"), told, "library_order", {}, "表单 先后关系", reverse("library-ranking"), (), {"before_id": named, "after_id": named}))


def change_floors(request: HttpRequest) -> HttpResponse:
    """The least that is paid in a region over some years."""
    view = whole_library(viewer_of(request))
    regions = sorted({str(r) for r in view.projects["region"] if not is_blank(r)})
    told = _("The year plan pays at least this much for projects of the region in these years.")
    return _rows_page(request, _Asked(_("Least money by region"), told, "library_floor", {}, "表单 片区保底", reverse("library-funds"), (), {"region": [(r, r) for r in regions]}))


def show_changes(request: HttpRequest) -> HttpResponse:
    """The log: who changed what, when and why."""
    view = seen_library(viewer_of(request))
    asked = request.GET.dict()
    if asked.get("project"):
        project_row(view, asked["project"])
    return render(request, "desk/library_changes.html", {"view": view, "sheet": sheet_of("changes", view, asked)})


def _rows_page(request: HttpRequest, asked: _Asked, *, is_sent: bool = True, status: int = 200) -> HttpResponse:
    viewer = viewer_of(request)
    view = whole_library(viewer)
    data = request.POST if request.method == "POST" and is_sent else None
    head, reason = _fund_form(asked, view, data), ReasonForm(data if data is not None and data.get("do") != "more" else None, initial={"reason": (data or {}).get("reason", "")})
    current = rows_within(view.tables[asked.table], asked.table, asked.within) if asked.fund != "new" else view.tables[asked.table].iloc[:0]
    initial = [row_initial(asked.table, r) for r in current.sort_values(list(current.columns[:2])).to_dict("records")]
    formset = rows_form(asked.table, data, initial, left_out=asked.left_out, choices=asked.choices)
    told: list[str] = []
    if data is not None and data.get("do") != "more":
        forms_here = [f for f in (reason, head) if f is not None]
        are_right = [f.is_valid() for f in forms_here]
        is_whole = all(are_right) and (data.get("do") == "remove" or formset.is_valid())
        if is_whole:
            told, faults = _store(request, asked, view, head, formset, reason.cleaned_data["reason"])
            if not told and faults.empty:
                messages.success(request, _("Saved."))
                return redirect(asked.back)
        status = 422
    marks = _marks(asked, view, data)
    shown = {"view": view, "asked": asked, "head": head, "formset": formset, "reason": reason, "told": [*told, *asked.more.get("refused", ())], "marks": marks, "labels": _labels(asked),
             "sheet": "" if asked.fund == "new" else _SHEETS[asked.table], **asked.more}  # fmt: skip
    return render(request, "desk/library_rows.html", shown, status=status)


def _store(request: HttpRequest, asked: _Asked, view: LibraryView, head: RowForm | None, formset: forms.BaseFormSet, reason: str) -> tuple[list[str], pd.DataFrame]:
    """Store the rows, or put what is wrong to its row; nothing is stored then."""
    viewer, data = viewer_of(request), request.POST
    is_gone = data.get("do") == "remove" and asked.may_remove
    kept = [] if is_gone else typed_rows(formset)
    sets = []
    fund = asked.fund if asked.fund != "new" else (head.cleaned_data["fund_id"] if head is not None else "")
    within = {"fund_id": fund} if asked.fund else asked.within
    if head is not None:
        sets.append(RowSet("library_fund", [] if is_gone else [head.texts()], data.get("mark-library_fund", ""), within))
    sets.append(RowSet(asked.table, [f.texts() for f in kept], data.get(f"mark-{asked.table}", ""), within))
    if asked.table == "library_payment" and data.get("follow"):
        row = {**project_texts(asked.more["project"]), "investment_yuan": _sum_of(kept)}
        sets.append(RowSet("library_project", [row], data.get("mark-library_project", ""), within))
    with CHANGING:
        faults = edit_rows(Context(user=viewer.name), project_folder(), sets, reason=reason, what=asked.what or f"表单 资金 {fund}")
    rest = []
    for n, f in zip(faults.index, faults.to_dict("records")):
        form = kept[int(f["row"]) - 1] if f["table"] == asked.table and 0 < f["row"] <= len(kept) else head if f["table"] == "library_fund" else None
        if form is None:
            rest.append(n)
        else:
            form.add_error(f["column"] if f["column"] in form.fields else None, both(str(f["zh"]), str(f["en"])))
    return _words_of(faults.loc[rest]), faults


def _fund_form(asked: _Asked, view: LibraryView, data: Any) -> RowForm | None:
    if not asked.fund:
        return None
    is_new = asked.fund == "new"
    initial = {"carry_years": "0"} if is_new else row_initial("library_fund", _fund_row(view, asked.fund))
    if data is not None and data.get("do") == "more":
        initial, data = {**data.dict(), "classes": data.getlist("classes")}, None
    if not isinstance(initial.get("regions", ""), str):
        initial["regions"] = "；".join(initial["regions"])
    return RowForm(data, table="library_fund", left_out=() if is_new else ("fund_id",), choices={"classes": [(c, class_word(c)) for c in project_classes()]}, initial=initial)


def _marks(asked: _Asked, view: LibraryView, data: Any) -> list[tuple[str, str]]:
    """Fingerprints of the rows as the form was opened; those that were sent stay, so that a second try does not overwrite either."""
    tables = [asked.table, *(["library_fund"] if asked.fund else []), *(["library_project"] if asked.table == "library_payment" else [])]
    found = []
    for name in tables:
        frame = view.tables[name].iloc[:0] if asked.fund == "new" else view.tables[name]
        found.append((f"mark-{name}", (data or {}).get(f"mark-{name}") or mark_of_rows(frame, name, {} if asked.fund == "new" else asked.within)))
    return found


def _labels(asked: _Asked) -> list[Any]:
    form = RowForm(table=asked.table, left_out=asked.left_out, choices=asked.choices)
    return [(f.label, f.required) for f in form.fields.values()]


def _fund_row(view: LibraryView, fund: str) -> dict[str, Any]:
    rows = [r for r in view.tables["library_fund"].to_dict("records") if str(r["fund_id"]) == fund]
    if not rows:
        raise MissingDataError(f"no fund {fund!r} in the library", expected="a fund of the list", cure="open the list of funds")
    return dict(rows[0])


def _years_to_pay(view: LibraryView, fund: str) -> list[dict[str, Any]]:
    """Years of a fund with what is promised and not paid yet."""
    table, spec = view.tables["library_fund_year"], table_spec("library_fund_year")
    rows = []
    for r in table[table["fund_id"] == fund].sort_values("year").to_dict("records"):
        promised, paid = (0 if is_blank(r[c]) else fen_of(r[c]) for c in ("committed_yuan", "paid_yuan"))
        year = cell_text(spec.column("year"), r["year"])
        rows.append({"year": year, "left": (promised - paid) / 100, "mark": mark_of_rows(table, "library_fund_year", {"fund_id": fund, "year": year})})
    return rows


def _project_choices(view: LibraryView) -> list[tuple[str, str]]:
    return [(str(r["project_id"]), f"{r['project_id']} {r['name']}") for r in view.projects.to_dict("records")]


def _sum_of(rows: Sequence[RowForm]) -> str:
    """The amounts of the rows added in whole fen; '' where one is no number, which the check names."""
    try:
        return f"{sum(fen_of(f.texts()['amount_yuan'].replace(',', '')) for f in rows) / 100:.2f}"
    except (ValueError, OverflowError):
        return ""


def _words_of(faults: pd.DataFrame) -> list[str]:
    return [" ".join(x for x in (str(f["key"]), both(str(f["zh"]), str(f["en"]))) if x) for f in faults.to_dict("records")]


def _fund_told() -> str:
    return _("The fund, its earmark, and what arrives, is promised and is paid in each year. Paid is at most promised, promised at most what arrives.")
