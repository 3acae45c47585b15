"""The project library: list, one project and its steps, board, bars over years (项目库)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from qianmo.governance.blank import is_blank
from qianmo.governance.library.board import bars, board
from qianmo.governance.library.cells import LISTS, cell_text, value_choices
from qianmo.governance.library.check_money import listed
from qianmo.governance.stages.history import state_before
from qianmo.governance.stages.move import Refusal, open_steps, refusals
from qianmo.jobs.context import Context
from qianmo.jobs.library.from_plan import FROM_PLAN, PLAN_FIGURES
from qianmo.jobs.library.steps import move_project
from qianmo.jobs.queries.identify import row_number
from qianmo.jobs.queries.library import LibraryView, workbook_of
from qianmo.jobs.queries.search import place_of
from qianmo.schema.desk import Viewer, workflow_actors
from qianmo.schema.errors import MissingDataError
from qianmo.schema.library import coded_values, column_word, project_classes
from qianmo.schema.tables import Column, table_spec
from qianmo.schema.workflows import Step, actor_words, document_words, workflow
from qianmo.web.authorise import may, shown_layer, viewer_of
from qianmo.web.authorise_library import is_whole, seen_library
from qianmo.web.desk import CHANGING, project_folder
from qianmo.web.pages.library_gantt import gantt
from qianmo.web.pages.library_sheets import CLASS_MARK, class_word, kept_projects, reason_word, sheet_of, state_word
from qianmo.web.sheets import excel
from qianmo.web.words import both

__all__ = ["library_table", "library_workbook", "move_step", "plan_word", "project_row", "show_bars", "show_board", "show_library", "show_project"]

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_SHOWN_BELOW = ("project_id", "name", "state", "synthetic")


def show_library(request: HttpRequest) -> HttpResponse:
    """List with filters and sums."""
    view, asked = seen_library(viewer_of(request)), request.GET.dict()
    shown = {"view": view, "classes": sheet_of("classes", view, asked), "projects": sheet_of("projects", view, asked), **_filters(view, asked), "may_change": is_whole(viewer_of(request))}
    return render(request, "desk/library_list.html", shown)


def library_table(request: HttpRequest, name: str) -> HttpResponse:
    """One table of the library as an Excel file."""
    view, asked = seen_library(viewer_of(request)), request.GET.dict()
    if asked.get("project"):
        project_row(view, asked["project"])
    return excel(sheet_of(name, view, asked))


def library_workbook(request: HttpRequest) -> HttpResponse:
    """What the person may see of the library as a workbook that can be edited and read back."""
    view = seen_library(viewer_of(request))
    response = HttpResponse(workbook_of(view, title=view.library.project.name), content_type=_XLSX)
    response.headers["Content-Disposition"] = 'attachment; filename="library.xlsx"'
    return response


def show_board(request: HttpRequest) -> HttpResponse:
    """Projects by state, one column a state."""
    view, asked = seen_library(viewer_of(request)), request.GET.dict()
    shown = kept_projects(view, asked)
    of = {str(r["project_id"]): r for r in shown.to_dict("records")}
    tabs = {"储备": _("Reserve"), "实施": _("Works"), "验收": _("Acceptance"), "其他": _("Other")}
    pages = [
        {"title": tabs.get(tab, tab), "count": sum(len(ids) for ids in states.values()), "columns": [
            {"id": s, "title": state_word(s), "cards": [{**of[i], "class": class_word(of[i]["project_class"]), "kind": CLASS_MARK.get(of[i]["project_class"], "")} for i in ids],
             "sum": float(sum(of[i]["investment_yuan"] for i in ids))} for s, ids in states.items()]}
        for tab, states in board(shown).items()
    ]  # fmt: skip
    return render(request, "desk/library_board.html", {"view": view, "pages": pages, **_filters(view, asked)})


def show_bars(request: HttpRequest) -> HttpResponse:
    """Projects over the years as bars, and the same as a table."""
    view, asked = seen_library(viewer_of(request)), request.GET.dict()
    shown = {"view": view, "chart": gantt(bars(kept_projects(view, asked))), "sheet": sheet_of("years", view, asked), "legend": [(CLASS_MARK[c], class_word(c)) for c in project_classes()], **_filters(view, asked)}
    return render(request, "desk/library_bars.html", shown)


def show_project(request: HttpRequest, project: str) -> HttpResponse:
    """Fields, money, open steps with what is missing, history."""
    return _project_page(request, project)


def move_step(request: HttpRequest, project: str) -> HttpResponse:
    """Take one step; a refusal says every reason and changes nothing."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    viewer = viewer_of(request)
    to, role, reason, documents = request.POST.get("to", ""), request.POST.get("role", ""), request.POST.get("reason", ""), request.POST.getlist("document")
    with CHANGING:
        view = seen_library(viewer)
        row = project_row(view, project)
        step = next((s for s in _steps(view, row) if s.state_to == to), None)
        if step is None:
            told = [_("The project is in another state by now, or has no such step. Look at the open steps again.")]
            return _project_page(request, project, refused=told, status=409)
        if role not in workflow_actors(viewer.role):
            raise PermissionDenied
        against = refusals(step, roles=(role,), documents=documents, filled=_filled(row), reason=reason)
        if against:
            return _project_page(request, project, refused=_words(against), status=409, tried={"to": to, "reason": reason, "documents": documents})
        values = {"project": str(project_folder()), "id": project, "to": to, "role": role, "actor": viewer.name, "reason": reason, "document": documents}
        move_project(Context(user=viewer.name), values)
    messages.success(request, _("%(project)s is now: %(state)s") % {"project": project, "state": state_word(to)})
    return redirect("library-project", project=project)


def project_row(view: LibraryView, project: str) -> dict[str, Any]:
    """One project of what a person may see.

    Raises
    ------
    MissingDataError
        There is none, or the person may not see it: the answer is the same.
    """
    found = view.projects[view.projects["project_id"] == project]
    if found.empty:
        raise MissingDataError(f"no project {project!r} in the library", expected="a project of the list", cure="open the list of the library")
    return dict(found.iloc[0])


def _project_page(request: HttpRequest, project: str, *, refused: list[str] | None = None, status: int = 200, tried: Mapping[str, Any] | None = None) -> HttpResponse:
    viewer = viewer_of(request)
    view = seen_library(viewer)
    row, asked = project_row(view, project), {"project": project}
    mine = workflow_actors(viewer.role) if may(viewer, "review") else ()
    orders = view.tables["library_order"].to_dict("records")
    shown = {
        "view": view, "row": row, "state": state_word(row["state"]),
        "fields": [(both(c.zh, column_word(c.name)), c, _field(c, row[c.name])) for c in table_spec("library_project").columns if c.name not in _SHOWN_BELOW],
        "is_synthetic": not is_blank(row["synthetic"]) and bool(row["synthetic"]), "may_change": is_whole(viewer),
        **{n: sheet_of(n, view, asked) for n in ("needs", "payments", "changes", "history")},
        "waits_for": [r for r in orders if r["after_id"] == project], "waited_for": [r for r in orders if r["before_id"] == project],
        "steps": [_step(s, mine, row, tried or {}) for s in _steps(view, row)], "refused": refused or [], "is_final": workflow("project_library").state(row["state"]).is_final,
        "place": _place(viewer, view, row),
        "rank": next((r for r in view.tables["library_rank"].to_dict("records") if r["project_id"] == project), None),
    }  # fmt: skip
    first = next(iter(view.entries(project)), None)
    if first is not None and first.reason == FROM_PLAN:
        shown["plan_words"] = [plan_word(c) for c in PLAN_FIGURES if not is_blank(row[c])]
    return render(request, "desk/library_project.html", shown, status=status)


def plan_word(column: str) -> tuple[str, str]:
    """A figure that came from the plan, and how the plan has it (规划数值来历)."""
    words = {
        "area_m2": (_("Area"), _("sum of the parcels of the sub-project")), "investment_yuan": (_("Investment"), _("default cost of the plan")),
        "new_farmland_m2": (_("New farmland"), _("class area of parcels of the sub-project that are farmland after the works and were none before")),
        "freed_construction_m2": (_("Construction land freed"), _("class area of parcels of the sub-project that are construction land before the works and none after")),
        "ecological_m2": (_("Ecological area"), _("class area of parcels of the sub-project whose measure is ecological restoration")),
        "works_years": (_("Years of the works"), _("last year of the schedule of the plan less the first, and one")),
        "start_year": (_("Start year"), _("schedule of the plan, until the year plan gives another")), "end_year": (_("End year"), _("schedule of the plan, until the year plan gives another")),
    }  # fmt: skip
    return words[column]


def _place(viewer: Viewer, view: LibraryView, row: Mapping[str, Any]) -> str:
    """Where a project lies, for the map: the sub-project of the plan of that id, else its first village; '' where neither may be seen."""
    for layer, keys, zoom in (("subproject", (str(row["project_id"]),), 15), ("village", view.unit_codes(row), 13)):
        for key in keys:
            try:
                shown = shown_layer(viewer, layer)
                found = place_of(shown, row_number(shown, key, region=viewer.region))
            except MissingDataError:
                continue
            return f"{found.lon:.6f},{found.lat:.6f},{zoom}"
    return ""


def _steps(view: LibraryView, row: Mapping[str, Any]) -> tuple[Step, ...]:
    return open_steps(workflow("project_library"), str(row["state"]), before=state_before(view.entries(str(row["project_id"]))))


def _step(step: Step, mine: tuple[str, ...], row: Mapping[str, Any], tried: Mapping[str, Any]) -> dict[str, Any]:
    roles = [a for a in step.actors if a in mine]
    blank = refusals(step, roles=step.actors, documents=step.documents, filled=_filled(row), reason="-")
    units = {"working_day": _("working days"), "day": _("days"), "month": _("months"), "year": _("years")}
    same = tried.get("to") == step.state_to
    return {
        "step": step, "title": both(step.zh, step.en), "to": state_word(step.state_to), "actors": [both(*actor_words(a)) for a in step.actors], "roles": [(a, both(*actor_words(a))) for a in roles],
        "documents": [(d, both(*document_words(d)), same and d in tried.get("documents", ())) for d in step.documents], "missing": _words(blank), "is_tried": same,
        "reason": tried.get("reason", "") if same else "",
        "deadline": f"{step.deadline} {units.get(step.deadline_unit, step.deadline_unit)}" if step.deadline else "", "is_forward": step.kind == "forward",
    }  # fmt: skip


def _filled(row: Mapping[str, Any]) -> set[str]:
    return {k for k, v in row.items() if not is_blank(v)}


def _words(against: tuple[Refusal, ...]) -> list[str]:
    return [both(r.zh, r.en) for r in against]


def _field(column: Column, value: Any) -> Any:
    if is_blank(value):
        return ""
    if column.unit in ("m2", "yuan"):
        return float(value)
    if column.name == "project_class":
        return class_word(str(value))
    words = value_choices(column)
    if words:
        return "、".join(both(*words.get(v, (v, v))) for v in (listed(value) if column.name in LISTS else (str(value),)))
    if column.name == "scale_unit" and str(value) in coded_values("scale_unit"):
        return both(*coded_values("scale_unit")[str(value)])
    if column.name == "note" and str(value) == FROM_PLAN:
        return reason_word(str(value))
    if column.type == "boolean":
        return _("yes") if bool(value) else _("no")
    return cell_text(column, value)


def _filters(view: LibraryView, asked: Mapping[str, str]) -> dict[str, Any]:
    present = view.projects
    return {
        "asked": asked, "class_choices": [(c, class_word(c)) for c in project_classes()], "state_choices": [(s.id, both(s.zh, s.en)) for s in workflow("project_library").states.values()],
        "region_choices": sorted({str(r) for r in present["region"] if not is_blank(r)}),
    }  # fmt: skip

