"""Run one task of the desk: ``python -m qianmo.web.run_job PROJECT NUMBER DESK``, the last the process of the desk (任务进程)."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qianmo.web.settings import configure

if TYPE_CHECKING:
    from qianmo.jobs.spec import JobSpec

__all__ = ["main", "own_paths"]

_EVERY_S = 0.4


def main(project: str, number: str, desk: str) -> int:
    """Run the job of a task and keep its report or its error with the task (运行作业)."""
    threading.Thread(target=_end_with_parent, args=(int(desk),), daemon=True).start()
    configure(Path(project), database_url=os.environ.get("QIANMO_DATABASE_URL", ""))

    from django.utils import timezone

    from qianmo.jobs.context import Context
    from qianmo.jobs.registry import job_spec
    from qianmo.jobs.spec import checked_values
    from qianmo.schema.errors import QianmoError
    from qianmo.web.errors import kept_error, log_error
    from qianmo.web.models import Task

    asked = Task.objects.select_related("person").get(pk=int(number))
    told = _Teller(asked.pk)
    try:
        spec = job_spec(asked.job)
        values = checked_values(spec, {**asked.values, **own_paths(spec, project, asked.values, str(asked.number))})
        context = Context(user=asked.person.username, progress=told)
        report = spec.run(context, values)
        kept = {"lines": [*report.lines, *context.notes], "files": [list(f) for f in report.files], "figures": _plain(dict(report.figures)), "code": report.exit_code}
        done: dict[str, Any] = {"state": "done", "share": 1.0, "report": kept}
    except QianmoError as error:
        number = log_error(None, f"task {asked.number} {asked.job}: {error}", status=422)
        done = {"state": "failed", "error": kept_error(error, number)}
    except Exception as fault:  # noqa: BLE001 the fault is logged under an id and the task says so
        number = log_error(None, fault, status=500)
        done = {"state": "failed", "error": {"id": number, "found": "the job made a mistake", "cure": "tell the manager of the desk the number"}}
    Task.objects.filter(pk=asked.pk, state="running").update(**done, ended=timezone.now())
    return 0


class _Teller:
    """Keeps step and share with the task, not more than twice a second."""

    def __init__(self, pk: int) -> None:
        self.pk, self.last = pk, 0.0

    def __call__(self, step: str, share: float) -> None:
        from qianmo.web.models import Task

        if time.monotonic() - self.last >= _EVERY_S:
            self.last = time.monotonic()
            Task.objects.filter(pk=self.pk).update(step=step[:200], share=share)


def own_paths(spec: JobSpec, project: str, values: dict[str, Any], number: str = "") -> dict[str, str]:
    """Paths that the desk sets (网页给定路径): the project, its folder of documents, and the folder of an upload."""
    own = {"project": project} if any(o.name == "project" for o in spec.options) else {}
    if spec.name == "book":
        own["out"] = str(Path(project) / "book")
    if spec.name == "sheet":
        own["out"] = str(Path(project) / "sheets" / f"{number}.pdf")
    if spec.name in ("ingest", "ingest-look"):
        own |= {"into": project, "recipe": str(Path(project) / values["recipe"])}
    if spec.name == "ingest-look":
        own["out"] = str((Path(project) / values["recipe"]).with_name("look.json"))
    return own


def _plain(figures: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in figures.items() if isinstance(v, str | int | float | bool) or v is None}


def _end_with_parent(parent: int) -> None:
    """End when the desk has ended, even before this process began to look: its next start begins the task anew."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
