"""What of the project library somebody sees, and who may change it as a whole (项目库权限)."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied

from qianmo.jobs.queries.library import LibraryView, library_view
from qianmo.schema.desk import Viewer
from qianmo.schema.errors import MissingDataError
from qianmo.web.authorise import DEFAULT_DEMAND, demands, may, may_see
from qianmo.web.desk import project_folder

__all__ = ["is_whole", "seen_library", "whole_library"]


_RESTS_ON = {"library_fund_year": "library_fund", "portfolio_payment": "library_fund", "fund_balance": "library_fund"}


def seen_library(viewer: Viewer) -> LibraryView:
    """The part of the project library a person may see (可见项目库): secrecy and department of each table, region of each project.

    A project lies where its villages lie; one of which no village is known is seen only by people of the whole project.

    Raises
    ------
    MissingDataError
        The person may not see the library at all; the answer is that of a project without one.
    """
    asked = demands()
    view = library_view(project_folder())
    if not may_see(viewer, asked.get("library_project", DEFAULT_DEMAND)):
        raise MissingDataError("there is no project library here", expected="a library of the project", cure="ask a manager of the desk for the right")
    if viewer.region:
        rows = view.projects.to_dict("records")
        view = view.of_projects([str(r["project_id"]) for r in rows if any(_meets(viewer.region, c) for c in view.unit_codes(r))])
    hidden = _hidden(viewer, view)
    return view.without(hidden) if hidden else view


def whole_library(viewer: Viewer) -> LibraryView:
    """The library for who may change it as a whole: nobody of one region alone, and nobody from whom a table is hidden (整库权限).

    Raises
    ------
    PermissionDenied
        The person sees a part only.
    """
    view = seen_library(viewer)
    if viewer.region or _hidden(viewer, view):
        raise PermissionDenied
    return view


def is_whole(viewer: Viewer) -> bool:
    """Whether somebody may change the library as a whole (可否维护整库)."""
    try:
        whole_library(viewer)
    except PermissionDenied:
        return False
    return may(viewer, "run")


def _hidden(viewer: Viewer, view: LibraryView) -> set[str]:
    asked = demands()
    return {n for n in view.tables if not all(may_see(viewer, asked.get(k, DEFAULT_DEMAND)) for k in (n, _RESTS_ON.get(n, n)))}


def _meets(region: str, code: str) -> bool:
    return bool(code) and (code.startswith(region) or region.startswith(code))
