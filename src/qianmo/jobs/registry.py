"""All jobs in the order of the main job (作业清单); the module of a job is imported when the job is asked for."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from qianmo.jobs.spec import JobSpec
from qianmo.schema.errors import SchemaError

__all__ = ["GROUPS", "job_names", "job_spec", "job_specs"]

GROUPS = {"finance": ("项目资金", "project finance"), "review": ("联席审查", "joint review"), "library": ("项目库", "project library")}
"""Families of jobs: the job ``finance-run`` is the command ``qianmo finance run`` (命令组)."""

_HOMES = {
    "ingest": "ingest.base",
    "ingest-look": "ingest.look",
    "evaluate": "evaluation.evaluate_area",
    "swap": "planning.swap_farmland",
    "plan": "planning.plan_area",
    "front": "planning.front_area",
    "book": "book.make_book",
    "demo": "demo",
    "exchange": "planning.exchange_land",
    "allot": "planning.allot_lots",
    "integrate": "planning.integrate_titles",
    "verify-plan": "planning.verify_plan",
    "solve": "planning.solve_problem",
    "detect": "survey.detect_change",
    "motion": "survey.track_motion",
    "status": "project_history",
    "history": "project_history",
    "undo": "project_history",
    "village": "make_village",
    "finance-run": "finance.run",
    "finance-explain": "finance.explain",
    "equity": "finance.equity_shares",
    "exit": "finance.exit_settlement",
    "finance-workbook": "finance.workbook",
    "finance-lint": "finance.lint",
    "finance-risk": "finance.risk",
    "finance-package": "finance.package",
    "finance-template": "finance.template",
    "finance-settle": "finance.settle",
    "pv": "finance.pv_yield",
    "erosion": "survey.erosion_map",
    "subside": "survey.subside",
    "goaf": "survey.goaf_sites",
    "review-open": "review.open",
    "review-resubmit": "review.open",
    "review-do": "review.act",
    "review-form": "review.act",
    "review-state": "review.show",
    "review-waiting": "review.show",
    "review-decision": "review.decision",
    "carbon": "evaluation.carbon_account",
    "quality": "evaluation.quality_grade",
    "library-list": "library.edit",
    "library-add": "library.edit",
    "library-import": "library.edit",
    "library-export": "library.edit",
    "library-score": "library.plan",
    "library-portfolio": "library.plan",
    "library-move": "library.steps",
    "library-accept": "library.steps",
    "lights": "survey.change_lights",
    "watch": "survey.watch_series",
    "probe": "survey.probe_goaf",
    "alternatives": "planning.alternative_plans",
    "plan-diff": "planning.plan_difference",
    "sheet": "print_sheet",
    "review-look": "review.draft",
    "review-send": "review.draft",
    "edit-plan": "planning.edit_plan",
    "pattern": "evaluation.land_pattern",
    "change": "evaluation.land_change",
    "quota": "library.share_quota",
}


def job_names() -> tuple[str, ...]:
    """Names of all jobs."""
    return tuple(_HOMES)


@cache
def job_spec(name: str) -> JobSpec:
    """One job by name.

    Raises
    ------
    SchemaError
        No such job.
    """
    if name not in _HOMES:
        raise SchemaError(f"no job {name!r}", expected=", ".join(_HOMES))
    return next(s for s in import_module(f"qianmo.jobs.{_HOMES[name]}").SPECS if s.name == name)


def job_specs() -> tuple[JobSpec, ...]:
    """Every job of the house."""
    return tuple(job_spec(name) for name in _HOMES)
