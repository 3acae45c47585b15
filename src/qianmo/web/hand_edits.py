"""Keeping a plan that was changed by hand, with the rights of the plan it came from (保存手改方案)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from qianmo.jobs.context import Context
from qianmo.jobs.queries.variants import Edit, next_variant
from qianmo.jobs.registry import job_spec
from qianmo.jobs.spec import checked_values
from qianmo.schema.desk import Viewer
from qianmo.schema.errors import NotAllowedError
from qianmo.web.desk import CHANGING, layers, project_folder
from qianmo.web.models import LayerRight

__all__ = ["keep_edits"]

_RIGHTS = ("secrecy", "departments", "region", "review_number")


def keep_edits(viewer: Viewer, plan: str, edits: Sequence[Edit], *, title: str = "", generation: int = 0) -> dict[str, Any]:
    """Keep edits of a plan as a new variant (保存手改方案); it demands of who sees it what its plan demands, before it is there.

    Raises
    ------
    NotAllowedError
        The project changed since `generation`, 0 for not asking.
    """
    spec = job_spec("edit-plan")
    with CHANGING:
        project = layers().project()
        if generation and generation != project.generation:
            raise NotAllowedError("the project changed since this page was opened", expected=f"version {project.generation}", cure="reload the map and choose again")
        _demand_as(plan, next_variant(project))
        texts = [f"{p}={e.measure}{f':{e.target_class}' if e.target_class else ''}" for e in edits for p in e.patches]
        values = checked_values(spec, {"project": str(project_folder()), "plan": plan, "set": texts, "title": title.strip() or None})
        report = spec.run(Context(user=viewer.name, clock=timezone.now), values)
    return {"name": report.figures["name"], "title": next(e.dataset.zh for e in layers().entries() if e.name == report.figures["name"]), "generation": layers().project().generation}


def _demand_as(plan: str, variant: str) -> None:
    """The rights of a plan for its variant; names of variants that may still be seen are not given again."""
    right = LayerRight.objects.filter(layer=plan).first()
    if right is not None:
        LayerRight.objects.update_or_create(layer=variant, defaults={f: getattr(right, f) for f in _RIGHTS})
