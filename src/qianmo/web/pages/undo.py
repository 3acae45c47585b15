"""Take the last change of the project back, or bring it again (撤销与恢复)."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from qianmo.jobs.context import Context
from qianmo.jobs.queries.states import kept_states, redoable, undoable
from qianmo.jobs.registry import job_spec
from qianmo.schema.errors import NotAllowedError
from qianmo.web.authorise import viewer_of
from qianmo.web.desk import layers, project_folder

__all__ = ["undo_last"]


def undo_last(request: HttpRequest) -> HttpResponse:
    """What would be taken back, and after a second press it is; refused where somebody changed the project meanwhile."""
    folder, now = project_folder(), layers().project().generation
    if request.method == "POST":
        if request.POST.get("generation") != str(now):
            raise NotAllowedError("the project changed since this page was opened", expected=f"version {now}", cure="look at the last change again, then undo")
        again = request.POST.get("way") == "redo"
        report = job_spec("undo").run(Context(user=viewer_of(request).name), {"project": str(folder), "redo": again})
        messages.success(request, f"{_('Brought back') if again else _('Taken back')}: {report.lines[0].partition(': ')[2]}")
        return redirect("undo")
    shown = {"generation": now, "last": undoable(folder), "next": redoable(folder), "states": kept_states(folder)}
    return render(request, "desk/undo.html", shown)
