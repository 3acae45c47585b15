"""Ranking with weights, funds, and the year plan (评分、资金与年度组合)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from qianmo.governance.library.check import check_library
from qianmo.jobs.context import Context
from qianmo.jobs.library.plan import rank_library
from qianmo.jobs.queries.library import LibraryView
from qianmo.schema.errors import SchemaError
from qianmo.schema.library import library_criteria
from qianmo.web.authorise import may, viewer_of
from qianmo.web.authorise_library import is_whole, seen_library, whole_library
from qianmo.web.desk import CHANGING, project_folder
from qianmo.web.errors import error_words, kept_words
from qianmo.web.library_forms import BASE_WORDS, PlanForm
from qianmo.web.models import Person, Task
from qianmo.web.pages.library_sheets import sheet_of, weights_asked
from qianmo.web.tasks import ask
from qianmo.web.words import both

__all__ = ["ask_plan", "keep_ranking", "show_funds", "show_plan", "show_ranking"]

_JOB = "library-portfolio"


def show_ranking(request: HttpRequest) -> HttpResponse:
    """The ranked list by the weights of the form, at once; nothing is kept until that is asked."""
    return _ranking_page(request, request.GET.dict())


def keep_ranking(request: HttpRequest) -> HttpResponse:
    """Keep the ranking by the weights of the form."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    viewer = viewer_of(request)
    asked = request.POST.dict()
    with CHANGING:
        try:
            weights = weights_asked(whole_library(viewer), asked)
        except SchemaError:
            return _ranking_page(request, asked)
        rank_library(Context(user=viewer.name), {"project": str(project_folder()), "weight": [f"{k}={v}" for k, v in weights.items()], "compare": None})
    messages.success(request, _("The ranking and its weights are kept."))
    return redirect("library-ranking")


def show_funds(request: HttpRequest) -> HttpResponse:
    """Funds by source and by year, and the floors of regions."""
    viewer = viewer_of(request)
    view = seen_library(viewer)
    may_change = is_whole(viewer)
    sheets = {"funds": sheet_of("funds", view, {"edit": "1"} if may_change else {}), "years": sheet_of("fund-years", view, {}), "floors": sheet_of("floors", view, {})}
    return render(request, "desk/library_funds.html", {"view": view, "may_change": may_change, **sheets})


def show_plan(request: HttpRequest) -> HttpResponse:
    """The year plan: ask for one, watch it, read it."""
    return _plan_page(request, PlanForm())


def ask_plan(request: HttpRequest) -> HttpResponse:
    """Queue the search for a year plan; while one is under way no second one begins."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    view = whole_library(viewer_of(request))
    form = PlanForm(request.POST)
    if not form.is_valid() or not isinstance(request.user, Person):
        return _plan_page(request, form)
    if not Task.objects.filter(job=_JOB, state__in=("queued", "running")).exists():
        ask(request.user, _JOB, _values(form, view))
    return redirect("library-plan")


def _ranking_page(request: HttpRequest, asked: dict[str, str]) -> HttpResponse:
    viewer = viewer_of(request)
    view = seen_library(viewer)
    fault: dict[str, str] = {}
    typed = dict(asked)
    try:
        weights = weights_asked(view, asked)
    except SchemaError as wrong:
        fault, asked = error_words(wrong), {}
        weights = weights_asked(view, asked)
    shown = {
        "view": view, "ranking": sheet_of("ranking", view, asked), "flips": sheet_of("flips", view, asked), "fault": fault, "may_keep": may(viewer, "run") and not viewer.region,
        "order": sheet_of("order", view, {}), "may_change": is_whole(viewer),
        "criteria": [{"id": k, "name": both(c.zh, c.en), "typed": typed.get(f"w_{k}", f"{float(weights[k]):.4g}"), "weight": float(weights[k]), "default": float(c.weight)} for k, c in library_criteria().items()],
    }  # fmt: skip
    return render(request, "desk/library_ranking.html", shown, status=422 if fault else 200)


def _plan_page(request: HttpRequest, form: PlanForm) -> HttpResponse:
    viewer = viewer_of(request)
    view = seen_library(viewer)
    task = Task.objects.filter(job=_JOB).select_related("person").first() if may(viewer, "run") else None
    if task is not None and not (task.person.username == viewer.name or may(viewer, "manage")):
        task = None
    shown = {
        "view": view, "form": form, "task": task, "fault": _fault(task), "record": view.portfolio, "is_worthless": view.portfolio.get("value") == 0,
        "figures": [] if viewer.region else _figures(view),
        "weights": [(both(c.zh, c.en), float(w)) for k, c in library_criteria().items() if (w := weights_asked(view, {})[k])],
        "sheets": [sheet_of(n, view, {}) for n in ("plan-years", "plan", "balance", "payments")] if view.portfolio else [], "may_ask": may(viewer, "run") and not viewer.region, "errors": _errors(view),
    }  # fmt: skip
    return render(request, "desk/library_plan.html", shown, status=422 if form.errors else 200)


def _values(form: PlanForm, view: LibraryView) -> dict[str, Any]:
    given = form.cleaned_data
    weights = [f"{k}={v}" for k, v in weights_asked(view, {}).items()]
    return {"first": given["first"], "years": given["years"], "basis": given["basis"], "seconds": float(given["seconds"]), "states": given["states"], "keep_years": given["keep_years"], "weight": weights}


def _figures(view: LibraryView) -> list[tuple[str, str, str]]:
    r = view.portfolio
    if not r:
        return []
    plan = view.tables["portfolio_start"]
    inside = plan[plan["start_year"].notna()]
    return [
        (_("Projects in the plan"), f"{len(inside)} / {len(plan)}", _("projects that start within the years, of those that took part")),
        (_("Value"), f"{r['value'] / 1e6:,.2f}", _("sum over the projects in the plan: %(basis)s, less a share for each year of delay") % {"basis": BASE_WORDS.get(r["basis"], r["basis"])}),
        (_("Not better than"), f"{min(r['bound'], r['proven_bound']) / 1e6:,.2f}", _("no plan within these funds has a greater value: the smaller of two bounds")),
        (_("Gap at most"), f"{min(r['gap'], r['proven_gap']):.2%}", _("(bound − value) / value")),
        (_("Gap without trust in the solver"), f"{r['proven_gap']:.2%}", _("by weak duality with the prices of the funds, computed in whole multiples of 2⁻⁸⁰: true whatever the solver did")),
        (_("A clerk's plan by rank"), f"{r['value_by_rank'] / max(1, r['value']):.1%}", _("value of filling the years down the ranked list, as a share of the value of this plan")),
    ]  # fmt: skip


def _errors(view: LibraryView) -> list[str]:
    """Faults of the library that stop a year plan."""
    tables = {n: t for n, t in view.tables.items() if n.startswith("library_") and n != "library_rank"}
    faults = check_library(tables)
    return [f"{r['key']} {both(str(r['zh']), str(r['en']))}" for r in faults[faults["severity"] == "error"].head(20).to_dict("records")]


def _fault(task: Task | None) -> dict[str, str]:
    return kept_words(task.error) if task is not None else {}
