"""Projects come into the library: from the plan, or one by a form; and the fields of one are changed (项目入库与维护)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from qianmo.governance.blank import is_blank
from qianmo.jobs.context import Context
from qianmo.jobs.library.edit import add_from_plan
from qianmo.jobs.library.from_plan import plan_projects
from qianmo.jobs.library.row import edit_project, mark_of, next_id, project_texts
from qianmo.schema.tables import table_spec
from qianmo.web.authorise import viewer_of
from qianmo.web.authorise_library import seen_library, whole_library
from qianmo.web.desk import CHANGING, project_folder
from qianmo.web.library_row_forms import column_field
from qianmo.web.pages.library import plan_word, project_row
from qianmo.web.pages.library_sheets import class_word
from qianmo.web.sheets import Head, Sheet, excel
from qianmo.web.words import both

__all__ = ["ProjectForm", "change_project", "new_project", "plan_to_library"]

_FIXED = ("state",)


def plan_to_library(request: HttpRequest) -> HttpResponse:
    """Sub-projects of the plan that are not in the library yet; the chosen ones become candidates."""
    viewer = viewer_of(request)
    view = whole_library(viewer)
    known = {str(r["project_id"]): str(r["name"]) for r in view.projects.to_dict("records")}
    offered = [{**r, "class": class_word(str(r["project_class"])), "there": known.get(str(r["subproject_id"]), ""), "years": _years(r)} for r in plan_projects(project_folder())]
    if request.GET.get("table") == "xlsx":
        return excel(_sheet(offered))
    fresh = [str(r["subproject_id"]) for r in offered if not r["there"]]
    told = ""
    if request.method == "POST":
        chosen = request.POST.getlist("project")
        with CHANGING:
            if request.POST.get("generation") != str(whole_library(viewer).generation):
                told = _("The project has changed since this page was opened. Look at the list again, then confirm.")
            elif not chosen or not set(chosen) <= set(fresh):
                told = _("Choose at least one sub-project that is not in the library yet.")
            else:
                add_from_plan(Context(user=viewer.name), {"project": str(project_folder()), "only": chosen})
        if not told:
            messages.success(request, _("%(n)s sub-projects of the plan are candidates of the library now.") % {"n": len(chosen)})
            return redirect("library")
    shown = {"view": view, "offered": offered, "fresh": len(fresh), "told": told, "sums": _sums(offered), "chosen": request.POST.getlist("project") if told else fresh}
    return render(request, "desk/library_from_plan.html", shown, status=409 if told else 200)


def _years(row: Mapping[str, Any]) -> str:
    """First and last year, one where they are the same."""
    years = [str(int(row[c])) for c in ("start_year", "end_year") if not is_blank(row[c])]
    return "–".join(dict.fromkeys(years)) or "—"


def _sums(offered: list[dict[str, Any]]) -> dict[str, float]:
    return {c: sum(0.0 if is_blank(r[c]) else float(r[c]) for r in offered) for c in ("area_m2", "new_farmland_m2", "freed_construction_m2", "ecological_m2", "cost_yuan")}


def _sheet(offered: list[dict[str, Any]]) -> Sheet:
    """The list as an Excel file."""
    heads = (
        Head("subproject_id", _("Project"), "code"), Head("name", _("Name")), Head("class", _("Class")), Head("area_m2", _("Area"), "area", _("sum of the parcels of the sub-project")),
        Head("new_farmland_m2", _("New farmland"), "area", _("sum of the parcels of the sub-project")), *(Head(c, plan_word(c)[0], "area", plan_word(c)[1]) for c in ("freed_construction_m2", "ecological_m2")),
        Head("cost_yuan", _("Investment"), "money", _("default cost of the plan")),
        Head("years", _("Years")), Head("state", _("In the library")),
    )  # fmt: skip
    rows = [{**r, "state": _("yes") if r["there"] else _("no")} for r in offered]
    return Sheet("from-plan", _("Sub-projects of the plan into the library"), heads, rows, {"subproject_id": _("Sum"), **_sums(offered)})


def new_project(request: HttpRequest) -> HttpResponse:
    """Propose a project by a form; it begins as a candidate."""
    view = whole_library(viewer_of(request))
    form = ProjectForm(request.POST or None, initial={"project_id": next_id(view.projects), "proposed": f"{timezone.localdate():%Y-%m-%d}"}, is_new=True)
    if request.method == "POST" and form.is_valid() and _stored(request, form, form.texts()):
        messages.success(request, _("The project %(project)s is in the library as a candidate.") % {"project": form.texts()["project_id"]})
        return redirect("library-project", form.texts()["project_id"])
    return render(request, "desk/library_form.html", {"view": view, "form": form, "title": _("Propose a project"), "back": ""}, status=422 if form.errors else 200)


def change_project(request: HttpRequest, project: str) -> HttpResponse:
    """Change the fields of one project; state and id stay, they have steps of their own."""
    viewer = viewer_of(request)
    view = seen_library(viewer)
    row = project_row(view, project)
    form = ProjectForm(request.POST or None, initial={**project_texts(row), "mark": mark_of(row)}, is_new=False)
    if request.method == "POST" and form.is_valid():
        texts = {**project_texts(row), **form.texts(), "project_id": project}
        if _stored(request, form, texts, mark=form.cleaned_data["mark"] or "-"):
            messages.success(request, _("Saved."))
            return redirect("library-project", project)
    shown = {"view": view, "form": form, "title": _("Change %(project)s") % {"project": f"{row['name']} {project}"}, "back": project}
    return render(request, "desk/library_form.html", shown, status=422 if form.errors else 200)


class ProjectForm(forms.Form):
    """Every field of a project that may be written, with its words and units (项目表单)."""

    def __init__(self, *args: Any, is_new: bool, **named: Any) -> None:
        super().__init__(*args, **named)
        self.is_new = is_new
        for column in table_spec("library_project").columns:
            if column.name not in _FIXED and (is_new or column.name != "project_id"):
                self.fields[column.name] = column_field(column)
        if not is_new:
            self.fields["reason"] = forms.CharField(label=_("Reason of the change"), max_length=300, required=False, help_text=_("Stands in the log of changes with your name and the time."))
        self.fields["mark"] = forms.CharField(widget=forms.HiddenInput, required=False)

    def texts(self) -> dict[str, str]:
        """Column → text as in a sheet."""
        return {k: str(v if v is not None else "") for k, v in self.cleaned_data.items() if k not in ("mark", "reason")}


def _stored(request: HttpRequest, form: ProjectForm, texts: Mapping[str, str], *, mark: str = "") -> bool:
    """Store it, or put what is wrong to its field; nothing is stored then."""
    viewer = viewer_of(request)
    with CHANGING:
        faults = edit_project(Context(user=viewer.name), project_folder(), texts, mark=mark, reason=form.cleaned_data.get("reason", ""))
    for fault in faults.to_dict("records"):
        name = fault["column"] if fault["column"] in form.fields else None
        form.add_error(name, both(str(fault["zh"]), str(fault["en"])))
    return faults.empty
