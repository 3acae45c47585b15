"""Jobs asked for in the browser, run one after the other in a process of their own (后台任务)."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from django_tasks import task

from qianmo.jobs.listed import listed_specs
from qianmo.jobs.spec import JobSpec
from qianmo.web.desk import project_folder
from qianmo.web.errors import log_error
from qianmo.web.models import Person, Task

__all__ = ["ask", "ask_cancel", "desk_jobs", "pick_up", "run_task", "start_worker"]

_NOT_HERE = ("status", "history", "undo", "demo", "village", "ingest", "ingest-look", "sheet")
_GRACE_S = 10.0
"""How long a job that was asked to stop may take before it is ended. [s]"""


def desk_jobs() -> tuple[JobSpec, ...]:
    """Jobs that can be asked for in the browser: those that need a project and no other file (网页作业).

    Moves of a joint review are not among them: their option ``actor`` would let anybody act for anybody; the pages of the review take the signed-in person.
    """
    return _desk_jobs(str(project_folder()))


@cache
def _desk_jobs(folder: str) -> tuple[JobSpec, ...]:
    """The same for one folder, made once: the programs of a running desk stay as they are."""
    found = []
    for name, spec in listed_specs(Path(folder)).items():
        paths = [o for o in spec.options if o.kind in ("path", "paths") and (o.required or o.positional)]
        if name not in _NOT_HERE and not name.startswith("review-") and [o.name for o in paths] == ["project"]:
            found.append(spec)
    return tuple(found)


def ask(person: Person, job: str, values: Mapping[str, Any]) -> Task:
    """Keep what was asked and queue it in one step (排队): both are kept, or neither."""
    with transaction.atomic():
        asked = Task.objects.create(job=job, values=dict(values), person=person)
        run_task.enqueue(asked.pk)
    return asked


def ask_cancel(asked: Task) -> None:
    """Ask a task to stop; one that has not begun is cancelled at once (取消)."""
    Task.objects.filter(pk=asked.pk, state="queued").update(state="cancelled", ended=timezone.now())
    Task.objects.filter(pk=asked.pk, state="running").update(cancel_asked=True)


@task()
def run_task(pk: int) -> None:
    """Run one task in a process of its own, and end it when that is asked (运行任务)."""
    started = Task.objects.filter(pk=pk, state="queued").update(state="running", started=timezone.now(), share=0.0, step="")
    if not started:
        return
    environment = {**os.environ, "PROJ_NETWORK": "OFF"}
    words = [sys.executable, "-m", "qianmo.web.run_job", settings.QIANMO_PROJECT, str(pk), str(os.getpid())]
    child = subprocess.Popen(words, env={**environment, "QIANMO_DATABASE_URL": settings.QIANMO_DATABASE_URL}, stdin=subprocess.DEVNULL)
    stopped = False
    while True:
        try:
            child.wait(timeout=0.5)
            break
        except subprocess.TimeoutExpired:
            if Task.objects.filter(pk=pk, cancel_asked=True).exists():
                stopped = True
                _end(child)
                break
    if stopped:
        Task.objects.filter(pk=pk, state="running").update(state="cancelled", ended=timezone.now())
    elif Task.objects.filter(pk=pk, state="running").exists():
        error = {"found": f"the process of the job ended with code {child.returncode}", "cure": "run it again; the project is as it was"}
        Task.objects.filter(pk=pk, state="running").update(state="failed", ended=timezone.now(), error=error)


def pick_up() -> int:
    """Queue again what ran when the desk was stopped; the project is as it was before (断点续跑). Gives how many."""
    from django_tasks_db.models import DBTaskResult

    with transaction.atomic():
        left = list(Task.objects.filter(state__in=("running", "queued")).order_by("asked"))
        DBTaskResult.objects.exclude(status__in=("SUCCESSFUL", "FAILED")).delete()
        for asked in left:
            Task.objects.filter(pk=asked.pk).update(state="cancelled" if asked.cancel_asked else "queued", share=0.0, step="")
            if not asked.cancel_asked:
                run_task.enqueue(asked.pk)
    return len(left)


def start_worker() -> threading.Thread:
    """The thread that takes tasks from the queue of the database (任务线程); a fault of the database is logged and the thread goes on."""
    from django_tasks_db.management.commands.db_worker import Worker

    worker = Worker(queue_names=["default"], interval=0.5, batch=False, backend_name="default", startup_delay=False, max_tasks=None,
                    worker_id=f"desk-{os.getpid()}", excluded_queue_names=[])  # fmt: skip
    thread = threading.Thread(target=_work, args=(worker,), name="qianmo-tasks", daemon=True)
    thread.start()
    return thread


def _work(worker: Any) -> None:
    while worker.running:
        try:
            worker.run()
        except DatabaseError as fault:
            log_error(None, fault, status=500)
            connection.close()
            time.sleep(worker.interval)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(timeout=_GRACE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
