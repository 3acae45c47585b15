"""What is known of a place beside the layers: history of its patch, projects of its village, alarms (此处的历史、项目与预警)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from qianmo.jobs.queries.identify import identify
from qianmo.jobs.queries.patch_history import patch_alarms, patch_history
from qianmo.schema.desk import Viewer
from qianmo.schema.errors import MissingDataError
from qianmo.schema.workflows import workflow
from qianmo.web.authorise import DEFAULT_DEMAND, demands, may_see, shown_layer
from qianmo.web.authorise_library import seen_library
from qianmo.web.desk import layers, project_folder

__all__ = ["known_at", "known_of"]

_LAND = "landuse_patch"


def known_at(viewer: Viewer, lon: float, lat: float) -> dict[str, Any]:
    """The same of the patch at a place; empty where the person may see no land use there (此处可知)."""
    try:
        found = identify([shown_layer(viewer, _LAND)], lon, lat, region=viewer.region)
    except MissingDataError:
        found = []
    if not found:
        return {"patch": "", "history": [], "projects": [], "alarms": []}
    return known_of(viewer, found[0].key, str(found[0].value("village_code") or ""))


def known_of(viewer: Viewer, patch: str, village: str) -> dict[str, Any]:
    """History, projects and alarms of one patch of land use that the person may see (图斑可知)."""
    asked = demands()
    history = patch_history(project_folder(), patch, may_see=lambda name: may_see(viewer, asked.get(name, DEFAULT_DEMAND)), held=layers())
    may_alarms = all(may_see(viewer, asked.get(n, DEFAULT_DEMAND)) for n in ("change_signal", "change_series"))
    return {
        "patch": patch,
        "history": [asdict(h) for h in history],
        "projects": _projects(viewer, village),
        "alarms": [asdict(a) for a in patch_alarms(layers().project(), patch)] if may_alarms else [],
    }


def _projects(viewer: Viewer, village: str) -> list[dict[str, Any]]:
    try:
        view = seen_library(viewer)
    except MissingDataError:
        return []
    states = workflow("project_library").states
    return [
        {"project": str(r["project_id"]), "name": str(r["name"]), "state": str(r["state"]), "state_zh": states[r["state"]].zh if r["state"] in states else str(r["state"]),
         "state_en": states[r["state"]].en if r["state"] in states else str(r["state"])}
        for r in view.in_unit(village)
    ]  # fmt: skip
