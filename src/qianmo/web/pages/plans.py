"""Plans of the project: list, one plan with its limits, and what two of them do differently (方案)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from qianmo.jobs.queries.changes import side
from qianmo.jobs.queries.layers import ShownLayer
from qianmo.jobs.queries.plan_changes import plan_change_rows, plan_change_sums
from qianmo.jobs.queries.states import kept_states
from qianmo.jobs.queries.variants import PlanningDesk, Variant, planning_desk, standing, variant_of, variant_records
from qianmo.schema.desk import Viewer
from qianmo.schema.errors import MissingDataError
from qianmo.web.authorise import compared_plans, may, shown_layer, viewer_of, visible_entries
from qianmo.web.desk import layers
from qianmo.web.plan_tables import changed_sheet, edits_sheet, kind_word, kinds_sheet, limits_sheet, measures_sheet, plans_sheet
from qianmo.web.sheets import Sheet, excel

__all__ = ["all_plans", "changes_table", "plan_table", "plans_table", "show_changes", "show_plan"]


def all_plans(request: HttpRequest) -> HttpResponse:
    """All plans the person may see; two of them can be chosen and compared."""
    viewer = viewer_of(request)
    one, two = request.GET.get("a", ""), request.GET.get("b", "")
    if one and two:
        if "map" in request.GET:
            return redirect(f"/map/#compare={_word(one)},{_word(two)},swipe,50,1")
        return redirect("plan-changes", before=one, after=two)
    listed = _listed(viewer)
    shown = {"sheet": plans_sheet(listed), "sides": _sides(viewer, listed), "a": "plan_parcel", "b": listed[-1][0].name if listed else "", "may_edit": may(viewer, "run") and not viewer.region}
    return render(request, "desk/plans.html", shown)


def plans_table(request: HttpRequest) -> HttpResponse:
    """The list as an Excel file."""
    return excel(plans_sheet(_listed(viewer_of(request))), stem="qianmo")


def show_plan(request: HttpRequest, name: str) -> HttpResponse:
    """One plan: where it came from, what it says of itself, its limits, what was set by hand."""
    viewer, shown, plan = _one(request, name)
    sheets = [s for s in (_limits(viewer, shown, plan), edits_sheet(name, plan.record) if plan.record else None) if s is not None]
    desk = _desk()
    stale = bool(plan.record) and (desk is None or plan.record.get("problem_sha256") != desk.sha256)
    broken = [x for x in plan.record.get("limits", ()) if x["over"] > 0] if not viewer.region else []
    base = plan.record.get("base", "")
    here = {e.name for e in visible_entries(viewer)}
    said = {"plan": plan, "kind": kind_word(plan.kind), "sheets": sheets, "stale": stale, "broken": broken, "base": base if base in here else "", "dataset": shown.dataset,
            "score": None if viewer.region else plan.record.get("objective"), "score_before": plan.record.get("objective_before"),
            "is_last": plan.kind == "hand" and may(viewer, "run") and plan.record.get("base_generation") is not None}  # fmt: skip
    return render(request, "desk/plan.html", said)


def plan_table(request: HttpRequest, name: str, table: str) -> HttpResponse:
    """One table of a plan as an Excel file."""
    viewer, shown, plan = _one(request, name)
    found = {"limits": _limits(viewer, shown, plan, for_file=True), "edits": edits_sheet(name, plan.record) if plan.record else None}.get(table)
    if found is None:
        raise MissingDataError(f"no table {table!r}", expected="limits, edits", cure="start from the page of the plan")
    return excel(found, stem=name)


def show_changes(request: HttpRequest, before: str, after: str) -> HttpResponse:
    """What two plans do differently: kinds of change, sums by measure, the patches."""
    one, two, sheets, kinds = _changes(request, before, after)
    return render(request, "desk/plan_changes.html", {"one": one, "two": two, "before": before, "after": after, "words": (_word(before), _word(after)), "sheets": sheets, "kinds": kinds})


def changes_table(request: HttpRequest, before: str, after: str, table: str) -> HttpResponse:
    """One table of a difference as an Excel file, whole."""
    sheets = {s.name: s for s in _changes(request, before, after, most=None)[2]}
    if table not in sheets:
        raise MissingDataError(f"no table {table!r}", expected=", ".join(sheets), cure="start from the page of the difference")
    return excel(sheets[table], stem="plan-changes")


def _changes(request: HttpRequest, before: str, after: str, *, most: int | None = 500) -> tuple[str, str, list[Sheet], Any]:
    viewer, (one, two) = viewer_of(request), (side(_word(w)) for w in (before, after))
    compared_plans(viewer, one, two)
    left, right = (shown_layer(viewer, s.layer, s.generation) for s in (one, two))
    rows = plan_change_rows(left, right, region=viewer.region)
    kinds, sums = plan_change_sums(rows)
    titles = [f"{s.dataset.zh} ({_('state')} {w.generation})" if w.generation else s.dataset.zh for s, w in ((left, one), (right, two))]
    return titles[0], titles[1], [kinds_sheet(before, after, kinds), measures_sheet(before, after, sums), changed_sheet(before, after, rows, most=most)], kinds


def _word(name: str) -> str:
    """The word of a side of the map for a plan: its layer by name, the plan of today, or that of a kept state."""
    return "plan" if name == "plan_parcel" else name


def _listed(viewer: Viewer) -> list[tuple[Variant, float | None, list[str] | None]]:
    desk, records = (None if viewer.region else _desk()), variant_records(layers().project())
    found = []
    for entry in visible_entries(viewer):
        if entry.dataset.kind != "plan_parcel" or not entry.is_drawn:
            continue
        shown = layers().layer(entry.name)
        if "measure" not in shown.table.column_names:
            continue
        at = standing(desk, shown) if desk is not None else None
        broken = None if at is None else [str(r.zh) for r in at[1].itertuples() if r.over_after > 0]
        found.append((variant_of(shown, records.get(entry.name), region=viewer.region), at[0] if at else None, broken))
    order = {"plan": 0, "alternative": 1, "front": 2, "hand": 3}
    return sorted(found, key=lambda f: (order.get(f[0].kind, 9), f[0].name))


def _sides(viewer: Viewer, listed: list[tuple[Variant, float | None, list[str] | None]]) -> list[tuple[str, str]]:
    """What can be chosen as A or B: the plans of today, then those of kept states where the plan was another file."""
    found = [(v.name, v.title) for v, _score, _broken in listed]
    now = layers().project().generation
    seen = {layers().version("plan_parcel")} if any(n == "plan_parcel" for n, _title in found) else set()
    for state in kept_states(layers().folder):
        if state.number == now or all(e.name != "plan_parcel" for e in visible_entries(viewer, state.number)):
            continue
        version = layers(state.number).version("plan_parcel").partition("~")[2]
        if version not in seen:
            seen.add(version)
            found.append((f"{state.number}-plan", f"{_('Plan of version')} {state.number} · {state.what}"))
    return found


def _one(request: HttpRequest, name: str) -> tuple[Viewer, ShownLayer, Variant]:
    viewer = viewer_of(request)
    shown = shown_layer(viewer, name)
    if shown.dataset.kind != "plan_parcel" or "measure" not in shown.table.column_names:
        raise MissingDataError(f"no plan {name!r} on the map", expected="a plan of the project", cure="open the list of plans")
    return viewer, shown, variant_of(shown, variant_records(layers().project()).get(name), region=viewer.region)


def _limits(viewer: Viewer, shown: ShownLayer, plan: Variant, *, for_file: bool = False) -> Sheet | None:
    """Limits hold for the whole, so who sees one region only is not shown them."""
    if viewer.region:
        return None
    if plan.record:
        return limits_sheet(plan.name, plan.record["limits"], for_file=for_file)
    desk = _desk()
    at = standing(desk, shown) if desk is not None else None
    return None if at is None else limits_sheet(plan.name, [_limit(r) for r in at[1].to_dict("records")], for_file=for_file)


def _limit(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "value": row["value_after"], "over": row["over_after"]}


def _desk() -> PlanningDesk | None:
    try:
        return planning_desk(layers().project())
    except MissingDataError:
        return None
