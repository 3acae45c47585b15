"""The typed interface for programs and for the map, described by OpenAPI (数据接口)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import NinjaAPI, Query
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import django_auth

from qianmo.jobs.queries.changes import change_totals, side
from qianmo.jobs.queries.identify import identify
from qianmo.jobs.queries.measured import measured
from qianmo.jobs.queries.plan_changes import plan_change_rows, plan_change_sums
from qianmo.jobs.queries.red_line import over_layers, red_line_from
from qianmo.jobs.queries.search import search
from qianmo.jobs.queries.variants import Edit, chosen_patches, options_of, planning_desk, tried
from qianmo.web.api_shapes import (
    CatalogueRow,
    Change,
    Choice,
    Drawing,
    Fault,
    HandEdits,
    Here,
    KeptVariant,
    Measure,
    Outline,
    Place,
    PlanChanges,
    PlanOptions,
    Progress,
    RedLineReport,
    Row,
    TriedEdits,
)
from qianmo.web.authorise import (
    DEFAULT_DEMAND,
    compared_layers,
    compared_plans,
    demands,
    hidden_columns,
    may,
    shown_layer,
    shown_layers,
    task_for,
    viewer_of,
    visible_entries,
    whole_plan,
)
from qianmo.web.desk import layers
from qianmo.web.errors import log_error
from qianmo.web.hand_edits import keep_edits
from qianmo.web.known_here import known_at

__all__ = ["NEEDS", "api"]

NEEDS = {"catalogue": "see", "identify": "see", "search": "see", "red_line": "overlay", "task": "overlay", "changes": "see", "measure": "see",
         "here": "see", "plan_changes": "see", "plan_options": "run", "plan_check": "run", "plan_edit": "run"}  # fmt: skip
"""The action each operation needs."""


api = NinjaAPI(title="Qianmo desk 阡陌", version="1", docs_url=None, openapi_url="openapi.json", auth=django_auth, urls_namespace="api")


_REFUSED = {400: Fault, 401: Fault, 403: Fault, 404: Fault, 405: Fault, 409: Fault, 415: Fault, 422: Fault}


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, fault: ValidationError) -> Any:
    where = "; ".join(f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in fault.errors[:5])
    found = _("The request does not fit its description: %(where)s") % {"where": where}
    return _refused(request, 422, found, _("Compare it with the description at /api/openapi.json."))


@api.exception_handler(AuthenticationError)
def _unknown(request: HttpRequest, fault: AuthenticationError) -> Any:
    return _refused(request, 401, _("Nobody is signed in."), _("Sign in first."))


@api.exception_handler(HttpError)
def _not_so(request: HttpRequest, fault: HttpError) -> Any:
    if fault.status_code == 403:
        return _refused(request, 403, _("Your role does not include this."), _("Ask a manager of the desk for the right."))
    return _refused(request, fault.status_code, _("The request cannot be read."), _("Compare it with the description at /api/openapi.json."), cause=str(fault))


def _refused(request: HttpRequest, status: int, found: str, cure: str, *, cause: str = "") -> Any:
    number = log_error(request, cause or found, status=status)
    return api.create_response(request, {"error": {"id": number, "found": found, "expected": "", "cure": cure}}, status=status)


@api.get("/catalogue", response={200: list[CatalogueRow], **_REFUSED}, operation_id="catalogue")
def catalogue(request: HttpRequest) -> list[dict[str, Any]]:
    """Datasets the person may see, by legal rank."""
    viewer, asked = _needs(request, "catalogue"), demands()
    return [
        {
            "name": e.name, "zh": e.dataset.zh, "kind": e.dataset.kind, "subject": e.subject, "rank": e.rank, "rows": e.dataset.rows, "vintage": e.dataset.vintage,
            "source": e.dataset.lineage.source, "time": e.dataset.lineage.time, "secrecy": asked.get(e.name, DEFAULT_DEMAND).secrecy,
            "synthetic": e.dataset.synthetic, "is_drawn": e.is_drawn,
        }
        for e in visible_entries(viewer)
    ]  # fmt: skip


@api.get("/identify", response={200: list[Row], **_REFUSED}, operation_id="identify")
def identify_here(request: HttpRequest, lon: float = Query(ge=70, le=140), lat: float = Query(ge=0, le=60)) -> list[dict[str, Any]]:
    """Every row at a place, layer by layer."""
    viewer = _needs(request, "identify")
    return [asdict(found) for found in identify(shown_layers(viewer), lon, lat, region=viewer.region, hidden=hidden_columns(viewer))]


@api.get("/here", response={200: Here, **_REFUSED}, operation_id="here")
def known_here(request: HttpRequest, lon: float = Query(ge=70, le=140), lat: float = Query(ge=0, le=60)) -> dict[str, Any]:
    """History of the patch at a place over the kept states, projects of the library in its village, and its alarms."""
    viewer = _needs(request, "here")
    return known_at(viewer, lon, lat)


@api.get("/search", response={200: list[Place], **_REFUSED}, operation_id="search")
def search_words(request: HttpRequest, q: str = Query(min_length=1, max_length=100), limit: int = Query(20, ge=1, le=50)) -> list[dict[str, Any]]:
    """Rows by code, number or name, or a place by coordinates."""
    viewer = _needs(request, "search")
    return [asdict(place) for place in search(shown_layers(viewer), q, region=viewer.region, limit=limit, hidden=hidden_columns(viewer))]


@api.post("/red-line", response={200: RedLineReport, **_REFUSED}, operation_id="red_line")
def red_line(request: HttpRequest, outline: Outline) -> dict[str, Any]:
    """What a red line covers in every layer the person may see; nothing is kept."""
    viewer = _needs(request, "red_line")
    line = red_line_from(outline.geometry)
    covered = over_layers(shown_layers(viewer, outline.layers), line, region=viewer.region)
    return {"area_m2": line.area_m2, "vertices": line.vertices, "layers": [asdict(c) for c in covered]}


@api.post("/measure", response={200: Measure, **_REFUSED}, operation_id="measure")
def measure(request: HttpRequest, drawing: Drawing) -> dict[str, Any]:
    """Length and area of a drawing; nothing is kept."""
    _needs(request, "measure")
    return asdict(measured(drawing.geometry))


@api.get("/changes", response={200: list[Change], **_REFUSED}, operation_id="changes")
def changes_between(
    request: HttpRequest, before: str = Query(max_length=20), after: str = Query(max_length=20),
    lon: float | None = Query(None, ge=70, le=140), lat: float | None = Query(None, ge=0, le=60),
) -> list[dict[str, Any]]:  # fmt: skip
    """Land whose class differs between two sides (now, plan, N, N-plan), by class; of the whole, or at a place."""
    viewer = _needs(request, "changes")
    place = None if lon is None or lat is None else (lon, lat)
    return [asdict(t) for t in change_totals(compared_layers(viewer, side(before), side(after)), region=viewer.region, place=place)]


@api.get("/plan-changes", response={200: PlanChanges, **_REFUSED}, operation_id="plan_changes")
def plan_changes_between(request: HttpRequest, before: str = Query(max_length=40), after: str = Query(max_length=40)) -> dict[str, Any]:
    """What two plans do differently: kinds of change with their symbols, counts and areas, and the sums by measure."""
    viewer = _needs(request, "plan_changes")
    one, two = side(before), side(after)
    compared_plans(viewer, one, two)
    rows = plan_change_rows(*(shown_layer(viewer, s.layer, s.generation) for s in (one, two)), region=viewer.region)
    kinds, sums = plan_change_sums(rows)
    return {"patches": len(rows), "area_m2": float(rows["area_m2"].sum()), "cost_change_yuan": float(rows["cost_change_yuan"].sum()), "kinds": [asdict(k) for k in kinds],
            "measures": sums.to_dict("records")}  # fmt: skip


@api.post("/plan-options", response={200: PlanOptions, **_REFUSED}, operation_id="plan_options")
def plan_options(request: HttpRequest, choice: Choice) -> dict[str, Any]:
    """Patches of a plan that were chosen, and what may be set on them by hand."""
    shown = whole_plan(_needs(request, "plan_options"), choice.plan)
    chosen = chosen_patches(shown, choice.geometry, choice.patches)
    options = options_of(planning_desk(layers().project()), [c["patch"] for c in chosen], shown.dataset.class_scheme) if chosen else []
    return {"chosen": chosen, "options": options}


@api.post("/plan-check", response={200: TriedEdits, **_REFUSED}, operation_id="plan_check")
def plan_check(request: HttpRequest, asked: HandEdits) -> dict[str, Any]:
    """What edits by hand would do to limits, score and cost; nothing is kept."""
    shown = whole_plan(_needs(request, "plan_check"), asked.plan)
    return tried(layers().project(), shown, [Edit(tuple(e.patches), e.measure, e.target_class) for e in asked.edits])


@api.post("/plan-edit", response={200: KeptVariant, **_REFUSED}, operation_id="plan_edit")
def plan_edit(request: HttpRequest, asked: HandEdits) -> dict[str, Any]:
    """Keep edits by hand as a new variant of the project; undo takes it back."""
    viewer = _needs(request, "plan_edit")
    whole_plan(viewer, asked.plan)
    edits = [Edit(tuple(e.patches), e.measure, e.target_class) for e in asked.edits]
    return keep_edits(viewer, asked.plan, edits, title=asked.title, generation=asked.generation)


@api.get("/tasks/{number}", response={200: Progress, **_REFUSED}, operation_id="task")
def task_progress(request: HttpRequest, number: UUID) -> dict[str, Any]:
    """How far a task is, with the time left once a tenth is done."""
    from django.utils import timezone

    task = task_for(_needs(request, "task"), str(number))
    left = None
    if task.state == "running" and task.started and task.share > 0.1:
        left = (timezone.now() - task.started).total_seconds() * (1 - task.share) / task.share
    return {"state": task.state, "step": task.step, "share": task.share, "seconds_left": left}


def _needs(request: HttpRequest, operation: str) -> Any:
    viewer = viewer_of(request)
    if not may(viewer, NEEDS[operation]):
        raise HttpError(403, f"role {viewer.role}")
    return viewer
