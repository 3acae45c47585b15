"""Jobs: ask for one, watch it, cancel it (任务页)."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render

from qianmo.schema.messages import chinese_message
from qianmo.web.authorise import may, may_read_report, task_for, viewer_of
from qianmo.web.errors import kept_words
from qianmo.web.forms import job_form, job_values
from qianmo.web.models import Person, Task
from qianmo.web.tasks import ask, ask_cancel, desk_jobs

__all__ = ["all_tasks", "cancel_task", "new_task", "show_task"]

_LISTED = 100


def all_tasks(request: HttpRequest) -> HttpResponse:
    """Tasks of the person, or of everybody for a manager, the newest first."""
    viewer = viewer_of(request)
    tasks = Task.objects.select_related("person")
    if not may(viewer, "manage"):
        tasks = tasks.filter(person__username=viewer.name)
    return render(request, "desk/tasks.html", {"tasks": tasks[:_LISTED], "jobs": desk_jobs()})


def new_task(request: HttpRequest, job: str) -> HttpResponse:
    """Ask for a job with its options."""
    spec = next((j for j in desk_jobs() if j.name == job), None)
    if spec is None:
        raise Http404
    form = job_form(spec, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and isinstance(request.user, Person):
        return redirect("task", number=ask(request.user, job, job_values(spec, form)).number)
    return render(request, "desk/task_new.html", {"form": form, "spec": spec}, status=422 if form.errors else 200)


def show_task(request: HttpRequest, number: str) -> HttpResponse:
    """How far a task is, and what came of it."""
    viewer = viewer_of(request)
    task = task_for(viewer, str(number))
    is_open = may_read_report(viewer, task)
    lines = [chinese_message(line) for line in task.report.get("lines", [])] if is_open else []
    fault = kept_words(task.error if is_open or not task.error else {"id": task.error.get("id", "")})
    return render(request, "desk/task.html", {"task": task, "lines": lines, "fault": fault, "withheld": not is_open and not task.is_open})


def cancel_task(request: HttpRequest, number: str) -> HttpResponse:
    """Ask a task to stop."""
    task = task_for(viewer_of(request), str(number))
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    ask_cancel(task)
    return redirect("task", number=task.number)
