"""Tables of the plan pages: plans, limits, edits, differences (方案页面的表)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from django.urls import reverse
from django.utils.translation import gettext as _

from qianmo.jobs.queries.plan_changes import ChangeClass
from qianmo.jobs.queries.variants import Variant
from qianmo.schema.measures import measures
from qianmo.web.sheets import Head, Sheet
from qianmo.web.words import both, local_time

__all__ = ["changed_sheet", "edits_sheet", "kind_word", "kinds_sheet", "limits_sheet", "measures_sheet", "plans_sheet"]

_SHOWN = 500
_SIGNS = {">=": "≥", "<=": "≤", "==": "="}


def kind_word(kind: str) -> str:
    """How a plan came about (方案来源)."""
    words = {"plan": _("Plan with proof"), "alternative": _("Alternative, found near the best"), "front": _("Plan of the front of aims"), "hand": _("Changed by hand, no proof")}
    return words.get(kind, kind)


def plans_sheet(plans: Sequence[tuple[Variant, float | None, list[str] | None]]) -> Sheet:
    """All plans; each with its score and the limits it breaks under the present problem, where that is known."""
    rows = [
        {"title": v.title, "link": reverse("plan", kwargs={"name": v.name}), "name": v.name, "kind": kind_word(v.kind), "made": local_time(v.made), "by": v.by, "patches": v.patches,
         "area_m2": v.area_m2, "cost_yuan": v.cost_yuan, "score": points, "limits": "—" if broken is None else _("all hold") if not broken else "、".join(broken), "synthetic": v.synthetic}
        for v, points, broken in plans
    ]  # fmt: skip
    heads = (
        Head("title", _("Plan"), "link"), Head("name", _("Layer"), "code"), Head("kind", _("How it came about")), Head("made", _("Stored")), Head("by", _("By")),
        Head("patches", _("Patches with works"), "count", _("Patches of the plan whose measure is not to keep the use.")),
        Head("area_m2", _("Area"), "area", _("Register area of those patches.")),
        Head("cost_yuan", _("Cost of works"), "money", _("Default cost of the works of each patch, without fees.")),
        Head("score", _("Score"), "score", _("Points against keeping all, counted again under the problem of the present plan; a plan of another problem has none.")),
        Head("limits", _("Limits")),
    )  # fmt: skip
    why = (_("A plan with proof has a bound that no plan can exceed, checked without the solver. A plan changed by hand has none: only its limits are checked again."),)
    return Sheet("plans", _("Plans of the project"), heads, rows, why=why, address=reverse("plans-table"))


def limits_sheet(name: str, limits: Sequence[Mapping[str, Any]], *, for_file: bool = False) -> Sheet:
    """Each limit of a plan: value before and after, bound, and how far beyond; a file has stored units and names them."""
    rows = [
        {**x, "relation": _SIGNS.get(x["relation"], x["relation"]),
         "state": _("holds") if not x["over"] else _("broken") if not x["over_before"] else _("was broken before"), "over": x["over"] or None, "mark": "whole" if x["over"] else ""} for x in limits
    ]
    heads = (
        Head("zh", _("Limit")), Head("rule_id", _("Rule"), "code"), Head("value_before", _("Before"), "mixed", _("Left side of the limit under the plan it came from.")),
        Head("value", _("After"), "mixed", _("Left side of the limit under this plan, in whole hundredths of m² or yuan, and the same by a second route.")),
        Head("relation", _("Relation"), "code"), Head("bound", _("Bound"), "mixed", _("From the rule, the budget or the settings of the present plan.")),
        Head("over", _("Beyond by"), "mixed", _("Distance from the bound on the wrong side.")), Head("state", _("Verdict")), *((Head("unit", _("Unit"), "code"),) if for_file else ()),
    )  # fmt: skip
    return Sheet("limits", _("Limits checked again"), heads, rows, address=reverse("plan-table", kwargs={"name": name, "table": "limits"}))


def edits_sheet(name: str, record: Mapping[str, Any]) -> Sheet:
    """What was set by hand, patch by patch."""
    known = measures()
    rows = [{"patch": p, "measure": both(known[e["measure"]].zh, known[e["measure"]].en), "target": e["target_class"]} for e in record.get("edits", ()) for p in e["patches"]]
    heads = (Head("patch", _("Patch"), "code"), Head("measure", _("Set to")), Head("target", _("Class it leads to"), "code"))
    return Sheet("edits", _("Set by hand"), heads, rows, address=reverse("plan-table", kwargs={"name": name, "table": "edits"}))


def kinds_sheet(before: str, after: str, kinds: Sequence[ChangeClass]) -> Sheet:
    """The legend of a difference with counts and areas."""
    rows = [{"what": both(k.zh, k.en), "rows": k.rows, "area_m2": k.area_m2} for k in kinds]
    whole = {"what": _("Together"), "rows": sum(k.rows for k in kinds), "area_m2": sum(k.area_m2 for k in kinds)}
    heads = (Head("what", _("Kind of change")), Head("rows", _("Patches"), "count", _("Patches whose measure or class differs.")), Head("area_m2", _("Area"), "area", _("Register area of those patches.")))
    return Sheet("kinds", _("Kinds of change"), heads, rows, whole, address=_changes_address(before, after, "kinds"))


def measures_sheet(before: str, after: str, sums: pd.DataFrame) -> Sheet:
    """Patches that leave and enter each measure."""
    known = measures()
    rows = [{**r, "what": both(r["zh"], known[r["measure"]].en if r["measure"] in known else "")} for r in sums.to_dict("records")]
    heads = (
        Head("what", _("Measure")), Head("patches_before", _("Patches that leave"), "count", _("Changed patches that have the measure in plan A.")),
        Head("area_before_m2", _("Area that leaves"), "area"), Head("patches_after", _("Patches that enter"), "count", _("Changed patches that have the measure in plan B.")),
        Head("area_after_m2", _("Area that enters"), "area", _("Register area of the changed patches.")),
    )  # fmt: skip
    return Sheet("measures", _("By measure"), heads, rows, address=_changes_address(before, after, "measures"))


def changed_sheet(before: str, after: str, rows: pd.DataFrame, *, most: int | None = _SHOWN) -> Sheet:
    """The changed patches, the first of them on the page, all in the Excel file."""
    listed = [{**r, "link": reverse("row", kwargs={"layer": "landuse_patch", "key": str(r["patch_id"])})} for r in (rows if most is None else rows.head(most)).to_dict("records")]
    heads = (
        Head("patch_id", _("Patch"), "link"), Head("village_code", _("Village"), "code"), Head("class_code", _("Class now"), "code"), Head("what_before", _("Plan A")), Head("what_after", _("Plan B")),
        Head("area_m2", _("Area"), "area", _("Register area of the patch.")), Head("cost_change_yuan", _("Change of cost"), "money", _("Cost of works in plan B less that in plan A.")),
    )  # fmt: skip
    why = (_("The table shows the first %(n)s of %(all)s patches; the Excel file holds all.") % {"n": most, "all": len(rows)},) if most is not None and len(rows) > most else ()
    return Sheet("patches", _("Changed patches"), heads, listed, why=why, address=_changes_address(before, after, "patches"))


def _changes_address(before: str, after: str, table: str) -> str:
    return reverse("plan-changes-table", kwargs={"before": before, "after": after, "table": table})
