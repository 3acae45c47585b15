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
    "ingest": "ingest_base",
    "ingest-look": "ingest_look",
    "evaluate": "evaluate_area",
    "swap": "swap_farmland",
    "plan": "plan_area",
    "front": "front_area",
    "book": "make_book",
    "demo": "demo",
    "exchange": "exchange_land",
    "allot": "allot_lots",
    "integrate": "integrate_titles",
    "verify-plan": "verify_plan",
    "solve": "solve_problem",
    "detect": "detect_change",
    "motion": "track_motion",
    "status": "project_history",
    "history": "project_history",
    "undo": "project_history",
    "village": "make_village",
    "finance-run": "finance_run",
    "finance-explain": "finance_explain",
    "equity": "equity_shares",
    "exit": "exit_settlement",
    "finance-workbook": "finance_workbook",
    "finance-lint": "finance_lint",
    "finance-risk": "finance_risk",
    "finance-package": "finance_package",
    "finance-template": "finance_template",
    "finance-settle": "finance_settle",
    "pv": "pv_yield",
    "erosion": "erosion_map",
    "subside": "subside",
    "goaf": "goaf_sites",
    "review-open": "review_open",
    "review-resubmit": "review_open",
    "review-do": "review_act",
    "review-form": "review_act",
    "review-state": "review_show",
    "review-waiting": "review_show",
    "review-decision": "review_decision",
    "carbon": "carbon_account",
    "quality": "quality_grade",
    "library-list": "library_edit",
    "library-add": "library_edit",
    "library-import": "library_edit",
    "library-export": "library_edit",
    "library-score": "library_plan",
    "library-portfolio": "library_plan",
    "library-move": "library_steps",
    "library-accept": "library_steps",
    "lights": "change_lights",
    "watch": "watch_series",
    "probe": "probe_goaf",
    "alternatives": "alternative_plans",
    "plan-diff": "plan_difference",
    "sheet": "print_sheet",
    "review-look": "review_draft",
    "review-send": "review_draft",
    "edit-plan": "edit_plan",
    "pattern": "land_pattern",
    "change": "land_change",
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
