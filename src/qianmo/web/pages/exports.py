"""Lists of the desk as Excel files: catalogue, columns, versions, red lines, tasks, uploads, faults, people (清单导出)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from qianmo.jobs.queries.catalogue import subjects
from qianmo.jobs.queries.states import kept_states
from qianmo.jobs.queries.uploads import look_of, uploads
from qianmo.schema.errors import MissingDataError
from qianmo.schema.tables import table_names, table_spec
from qianmo.web.authorise import DEFAULT_DEMAND, demands, may, upload_for, viewer_of, visible_entries
from qianmo.web.desk import project_folder
from qianmo.web.models import DrawnLine, Person, Task
from qianmo.web.sheets import Head, Sheet, excel
from qianmo.web.words import both, job_word, level_word, local_time, role_word, said

__all__ = [
    "catalogue_table",
    "columns_table",
    "faults_table",
    "lines_table",
    "people_table",
    "tasks_table",
    "uploads_table",
    "versions_table",
]

_TIME = "%Y-%m-%d %H:%M"


def catalogue_table(request: HttpRequest) -> HttpResponse:
    """Datasets the person may see, by subject and legal rank."""
    asked, titles = demands(), subjects()
    rows = [
        {"subject": both(*titles[e.subject]) if e.subject in titles else e.subject, "rank": e.rank + 1, "zh": e.dataset.zh, "name": e.name, "rows": e.dataset.rows, "crs": e.dataset.crs, "vintage": e.dataset.vintage,
         "source": e.dataset.lineage.source, "time": local_time(e.dataset.lineage.time), "tool": e.dataset.lineage.tool, "secrecy": level_word(asked.get(e.name, DEFAULT_DEMAND).secrecy),
         "synthetic": _("synthetic") if e.dataset.synthetic else ""}
        for e in visible_entries(viewer_of(request))
    ]  # fmt: skip
    heads = (("subject", _("Subject")), ("rank", _("Legal rank"), "count"), ("zh", _("Dataset")), ("name", _("Name"), "code"), ("rows", _("Rows"), "count"), ("crs", _("Reference system"), "code"), ("vintage", _("Date")),
             ("source", _("Source")), ("time", _("Stored")), ("tool", _("Version")), ("secrecy", _("Secrecy")), ("synthetic", _("synthetic")))  # fmt: skip
    return _file("catalogue", _("Datasets"), heads, rows)


def columns_table(request: HttpRequest, layer: str) -> HttpResponse:
    """Columns of one dataset."""
    entry = next((e for e in visible_entries(viewer_of(request)) if e.name == layer), None)
    if entry is None or entry.dataset.kind not in table_names():
        raise MissingDataError(
            f"no layer {layer!r} on the map", expected="a drawn layer of the project", cure="choose a layer of the catalogue"
        )
    rows = [
        {"name": c.name, "zh": c.zh, "unit": c.unit, "description": c.description} for c in table_spec(entry.dataset.kind).columns
    ]
    return _file(
        f"columns-{layer}",
        entry.dataset.zh,
        (("name", _("Column"), "code"), ("zh", _("Name")), ("unit", _("Unit")), ("description", _("Meaning"))),
        rows,
    )


def versions_table(request: HttpRequest) -> HttpResponse:
    """Versions of the project that are kept."""
    rows = [{"number": s.number, "what": s.what, "user": s.user, "time": local_time(s.time)} for s in kept_states(project_folder())]
    return _file(
        "versions",
        _("Versions that are kept"),
        (("number", _("Number"), "count"), ("what", _("Change")), ("user", _("Person")), ("time", _("Stored"))),
        rows,
    )


def lines_table(request: HttpRequest) -> HttpResponse:
    """Red lines of the person, of everybody for a manager."""
    viewer = viewer_of(request)
    kept = DrawnLine.objects.select_related("person")
    kept = kept if may(viewer, "manage") else kept.filter(person__username=viewer.name)
    rows = [
        {
            "title": x.title,
            "area_m2": float(x.report["area_m2"]),
            "vertices": x.report["vertices"],
            "person": x.person.username,
            "made": x.made.strftime(_TIME),
            "files": "、".join(x.report.get("source", {}).get("files", ())),
        }
        for x in kept
    ]
    heads = (
        ("title", _("Title")),
        ("area_m2", _("Area"), "area"),
        ("vertices", _("Vertices"), "count"),
        ("person", _("Drawn by")),
        ("made", _("Stored")),
        ("files", _("Files")),
    )
    return _file("red-lines", _("Kept red lines"), heads, rows)


def tasks_table(request: HttpRequest) -> HttpResponse:
    """Tasks of the person, of everybody for a manager."""
    viewer = viewer_of(request)
    tasks = Task.objects.select_related("person")
    tasks = tasks if may(viewer, "manage") else tasks.filter(person__username=viewer.name)
    rows = [
        {
            "job": job_word(t.job),
            "state": str(dict(Task.STATES)[t.state]),
            "person": t.person.username,
            "asked": t.asked.strftime(_TIME),
            "ended": t.ended.strftime(_TIME) if t.ended else "",
            "found": t.error.get("found", ""),
        }
        for t in tasks
    ]
    heads = (
        ("job", _("Task")),
        ("state", _("State")),
        ("person", _("Asked by")),
        ("asked", _("Asked at")),
        ("ended", _("Ended at")),
        ("found", _("Cause")),
    )
    return _file("tasks", _("All tasks"), heads, rows)


def uploads_table(request: HttpRequest) -> HttpResponse:
    """Uploads of the person, of everybody for a manager."""
    viewer = viewer_of(request)
    seen = [
        b for b in uploads(project_folder()) if not b.get("kind") and (b.get("person") == viewer.name or may(viewer, "manage"))
    ]
    rows = [
        {"names": "、".join(b["names"]), "person": b["person"], "made": b["made"], "mb": b["size_bytes"] / (1 << 20)}
        for b in seen
    ]
    return _file(
        "uploads",
        _("Uploads"),
        (("names", _("Files")), ("person", _("Asked by")), ("made", _("Asked at")), ("mb", "MB", "number")),
        rows,
    )


def faults_table(request: HttpRequest, number: str) -> HttpResponse:
    """Faults that the look at an upload found."""
    upload_for(viewer_of(request), str(number))
    look = look_of(project_folder(), str(number))
    rows = [
        {**f, "expected": said(f["expected"]), "cure": said(f["cure"]), "lines": "、".join(str(r + 1) for r in f["rows"])}
        for f in look.get("faults", ())
    ]
    heads = (
        ("layer", _("Layer"), "code"),
        ("rule", _("Rule"), "code"),
        ("what", _("Fault")),
        ("severity", _("Severity"), "code"),
        ("count", _("Rows"), "count"),
        ("lines", _("Row numbers")),
        ("found", _("Found")),
        ("expected", _("Expected")),
        ("cure", _("Cure")),
    )
    return _file("faults", _("Faults"), heads, rows)


def people_table(request: HttpRequest) -> HttpResponse:
    """Everybody with an account."""
    rows = [
        {"account": p.username, "name": p.first_name, "role": role_word(p.role), "region": p.region, "department": p.department, "clearance": level_word(p.clearance), "open": _("yes") if p.is_active else _("closed"),
         "last": p.last_login.strftime(_TIME) if p.last_login else ""}
        for p in Person.objects.order_by("username")
    ]  # fmt: skip
    heads = (
        ("account", _("Account"), "code"),
        ("name", _("Name")),
        ("role", _("Role")),
        ("region", _("Region code"), "code"),
        ("department", _("Department")),
        ("clearance", _("Clearance")),
        ("open", _("Open")),
        ("last", _("Last sign-in")),
    )
    return _file("people", _("People"), heads, rows)


def _file(name: str, title: str, heads: Sequence[tuple[str, ...]], rows: Sequence[Mapping[str, Any]]) -> HttpResponse:
    return excel(Sheet(name, title, tuple(Head(*h) for h in heads), rows), stem="qianmo")
