"""The library to Excel and back: upload, look at the differences, take them after a yes (项目库表格往返)."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from qianmo.jobs.context import Context
from qianmo.jobs.library.compare import Comparison
from qianmo.jobs.library.upload import SUFFIXES, compared_upload, take_upload
from qianmo.schema.errors import QianmoError
from qianmo.schema.library import column_word
from qianmo.schema.tables import table_spec
from qianmo.web.authorise import viewer_of
from qianmo.web.authorise_library import whole_library
from qianmo.web.desk import CHANGING, project_folder
from qianmo.web.errors import error_words, log_error, status_of
from qianmo.web.sheets import Head, Sheet, excel
from qianmo.web.words import both, said

__all__ = ["check_import", "check_table", "show_import"]

_KEY, _MOST_BYTES = "library_upload", 4 << 20


def show_import(request: HttpRequest) -> HttpResponse:
    """Choose a workbook; it is kept with the session until its differences are taken or dropped."""
    view = whole_library(viewer_of(request))
    told: dict[str, str] = {}
    if request.method == "POST":
        file = request.FILES.get("file")
        if file is None or not file.name:
            told = {"found": _("No file was chosen."), "cure": _("Choose the workbook that was taken along from the library.")}
        elif not file.name.lower().endswith(SUFFIXES) or (file.size or 0) > _MOST_BYTES:
            told = {"found": _("The file %(name)s cannot be read here.") % {"name": file.name}, "expected": _("An .xlsx or .csv file of at most 4 MB"), "cure": _("Save the workbook as .xlsx and send it again.")}
        else:
            body = file.read()
            request.session[_KEY] = {"name": file.name[:120], "body": base64.b64encode(body).decode("ascii"), "sha256": hashlib.sha256(body).hexdigest()}
            return redirect("library-import-check")
    return render(request, "desk/library_import.html", {"view": view, "fault": told}, status=422 if told else 200)


def check_import(request: HttpRequest) -> HttpResponse:
    """What the file would change; nothing is stored before a yes."""
    viewer = viewer_of(request)
    view = whole_library(viewer)
    sent = request.session.get(_KEY)
    if sent is None:
        return redirect("library-import")
    if request.method == "POST" and request.POST.get("do") == "drop":
        del request.session[_KEY]
        messages.info(request, _("The file was dropped; nothing was changed."))
        return redirect("library-import")
    body = base64.b64decode(sent["body"])
    fault: dict[str, str] = {}
    status = 200
    if request.method == "POST" and request.POST.get("sha256") == sent["sha256"]:
        try:
            with CHANGING:
                take_upload(Context(user=viewer.name), project_folder(), sent["name"], body, generation=int(request.POST.get("generation", "0") or 0), take_clean=request.POST.get("do") == "clean")
            del request.session[_KEY]
            messages.success(request, _("The changes of %(name)s are kept.") % {"name": sent["name"]})
            return redirect("library")
        except QianmoError as error:
            fault, status = error_words(error), status_of(error)
            log_error(request, error, status=status)
    try:
        generation, found = compared_upload(project_folder(), sent["name"], body)
    except QianmoError as error:
        del request.session[_KEY]
        log_error(request, error, status=status_of(error))
        return render(request, "desk/library_import.html", {"fault": error_words(error)}, status=status_of(error))
    return render(request, "desk/library_check.html", {"view": view, "sent": sent, "generation": generation, "fault": fault, **_shown(found)}, status=status)


def check_table(request: HttpRequest) -> HttpResponse:
    """The differences and conflicts of the file as an Excel file."""
    whole_library(viewer_of(request))
    sent = request.session.get(_KEY)
    if sent is None:
        return redirect("library-import")
    _number, found = compared_upload(project_folder(), sent["name"], base64.b64decode(sent["body"]))
    shown = _shown(found)
    words = {"added": _("added"), "changed": _("changed"), "removed": _("removed")}
    rows = [{**r, "title": t["title"], "kind": words[r["kind"]]} for t in shown["tables"] for r in (*t["changed"], *t["added"], *t["removed"])]
    rows += [{**f, "label": f["words"], "before": "", "after": f["found"]} for f in (*shown["faults"], *shown["warnings"])]
    heads = (
        Head("title", _("Table")), Head("row", _("Row"), "count"), Head("key", _("Key")), Head("kind", _("Kind")), Head("label", _("Column")), Head("before", _("In the library")), Head("after", _("In the file")),
    )  # fmt: skip
    return excel(Sheet("differences", _("Differences"), heads, rows))


def _shown(found: Comparison) -> dict[str, Any]:
    """Lines of the page by table, and what may be done with them."""
    tables = []
    for d in found.differences:
        spec = table_spec(d.table)
        rows = d.changes.to_dict("records")
        tables.append({
            "title": both(spec.zh, d.table.replace("_", " ")), "counts": [(d.count(k), w) for k, w in (("added", _("added")), ("changed", _("changed")), ("removed", _("removed")))],
            "added": [r for r in rows if r["kind"] == "added"], "removed": [r for r in rows if r["kind"] == "removed"],
            "changed": [{**r, "label": _label(d.table, r["column"])} for r in rows if r["kind"] == "changed"],
        })  # fmt: skip
    faults = [*_faults(found.refused, _("conflict")), *_faults(found.errors, _("fault of the library"))]
    return {"tables": tables, "faults": faults, "warnings": _faults(found.warnings, _("notice")), "may_take": bool(found.changed) and not faults,
            "may_take_clean": bool(found.changed) and bool(len(found.refused)) and not len(found.errors), "is_same": not found.changed and not faults}  # fmt: skip


def _faults(rows: Any, kind: str) -> list[dict[str, Any]]:
    told = []
    for r in rows.to_dict("records"):
        found = "" if str(r["found"]) in ("None", "nan", "<NA>") else r["found"]
        told.append({**r, "kind": kind, "title": both(table_spec(r["table"]).zh, r["table"].replace("_", " ")), "words": both(str(r["zh"]), str(r["en"])), "cure": said(str(r["cure"])), "found": found})
    return told


def _label(table: str, column: str) -> str:
    c = table_spec(table).column(column)
    return both(c.zh, column_word(column))
