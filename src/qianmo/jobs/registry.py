"""All jobs in the order of the main job (作业清单)."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from qianmo.jobs.spec import JobSpec

__all__ = ["job_spec", "job_specs"]

_MODULES = ("ingest_base", "evaluate_area", "plan_area", "make_book", "demo", "project_history", "make_village")


@cache
def job_specs() -> tuple[JobSpec, ...]:
    """Every job of the house."""
    found: list[JobSpec] = []
    for name in _MODULES:
        found.extend(import_module(f"qianmo.jobs.{name}").SPECS)
    return tuple(found)


def job_spec(name: str) -> JobSpec:
    """One job by name (StopIteration never: the registry is fixed and tested)."""
    return next(s for s in job_specs() if s.name == name)
