"""Reviews with what waits for me; where the days went (审查清单、用时统计)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from qianmo.governance.review_rights import local_day
from qianmo.governance.review_waiting import parallel_days
from qianmo.jobs.queries.page_tables import table_workbook
from qianmo.jobs.queries.review_desk import waits_of
from qianmo.jobs.queries.review_drafts import is_sent
from qianmo.schema.errors import MissingDataError
from qianmo.web.authorise import may, viewer_of
from qianmo.web.authorise_review import drafts_for, reviews_for, roster_person
from qianmo.web.desk import project_folder
from qianmo.web.review_act import now
from qianmo.web.review_tables import PageTable, changes_of_desks, days_by_desk, inbox

__all__ = ["all_reviews", "excel", "list_table", "show_days"]


def all_reviews(request: HttpRequest) -> HttpResponse:
    """Every review the person may read, those that wait for him first."""
    viewer = viewer_of(request)
    waiting = [d for d in drafts_for(viewer) if not is_sent(project_folder(), d)]
    return render(request, "review/reviews.html", {"table": _table(request, "inbox"), "drafts": waiting, "may_open": may(viewer, "run")})


def show_days(request: HttpRequest) -> HttpResponse:
    """Working days by desk over all reviews, and what would have been saved side by side."""
    views, today = reviews_for(viewer_of(request)), local_day(now())
    waits = [w for w in (waits_of(v, today) for v in views) if not w.empty]
    both = {k: sum(parallel_days(w)[k] for w in waits) for k in ("sequential", "parallel")}
    shown = {"days": days_by_desk(views, today), "changed": changes_of_desks(views), "both": both, "count": len(views), "returns": sum(len(v.state.returns) for v in views)}
    return render(request, "review/days.html", shown)


def list_table(request: HttpRequest, table: str) -> HttpResponse:
    """A table over all reviews as Excel."""
    found = _table(request, table)
    if found is None:
        raise MissingDataError(f"no table {table!r}", expected="a table of the page", cure="go back to the page and choose its Excel button")
    return excel(found, table)


def excel(table: PageTable, stem: str) -> HttpResponse:
    """A table of a page as a download (导出)."""
    heads = [(label, "number" if any(row[n].is_number for row in table.rows) else "text") for n, label in enumerate(table.head)]
    response = HttpResponse(table_workbook(table.title, heads, table.plain()), content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
    response.headers["Content-Disposition"] = f'attachment; filename="{stem}.xlsx"'
    return response


def _table(request: HttpRequest, name: str) -> PageTable | None:
    viewer, today = viewer_of(request), local_day(now())
    views = reviews_for(viewer)
    if name == "inbox":
        return inbox(views, [roster_person(viewer, v.state) for v in views], today)
    return days_by_desk(views, today) if name == "days" else changes_of_desks(views) if name == "changes-of-desks" else None
