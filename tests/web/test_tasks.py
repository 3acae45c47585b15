"""Tasks: asked for once and kept, run in a process of their own, taken up again after a sudden end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from qianmo.store.project import history


def _work() -> None:
    """Do what is queued, then stop."""
    from django_tasks_db.management.commands.db_worker import Worker

    Worker(queue_names=["default"], interval=0.1, batch=True, backend_name="default", startup_delay=False, max_tasks=None, worker_id=f"test-{time.monotonic_ns()}",
           excluded_queue_names=[]).run()  # fmt: skip


def _in_thread() -> threading.Thread:
    thread = threading.Thread(target=_work)
    thread.start()
    return thread


def _running_child(project) -> int:
    """The process of the job, once it has begun."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        for folder in os.listdir("/proc"):
            if folder.isdigit():
                try:
                    with open(f"/proc/{folder}/cmdline", encoding="utf-8") as file:
                        words = file.read()
                except OSError:
                    continue
                if "qianmo.web.run_job" in words and str(project) in words:
                    return int(folder)
        time.sleep(0.05)
    raise AssertionError("the process of the job did not begin")


def test_only_jobs_that_need_nothing_but_the_project_are_offered(desk):
    from qianmo.web.tasks import desk_jobs

    names = {j.name for j in desk_jobs()}
    assert {"evaluate", "plan", "swap"} <= names
    assert not names & {"ingest", "demo", "undo", "finance-run", "village"}


def test_a_job_that_cannot_run_fails_with_cause_and_cure(people, signed_in):
    from qianmo.web.models import Task

    client = signed_in("planner")
    address = client.post("/tasks/new/plan/", {"lock": "没有这一块=没有这一项"}).headers["Location"]
    _work()
    task = Task.objects.get()
    assert task.state == "failed" and task.error["found"]
    text = client.get(address).content.decode()
    assert "失败" in text and "原因" in text and "Traceback" not in text


def test_a_bad_value_is_refused_before_anything_is_queued(people, signed_in):
    from qianmo.web.models import Task

    assert signed_in("planner").post("/tasks/new/plan/", {"gap": "viel"}).status_code == 422
    assert not Task.objects.exists()


def test_a_queued_task_is_cancelled_at_once(people, signed_in):
    from qianmo.web.models import Task

    client = signed_in("planner")
    address = client.post("/tasks/new/evaluate/", {}).headers["Location"]
    client.post(address + "cancel/")
    _work()
    assert Task.objects.get().state == "cancelled"


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="looks for the process of the job in /proc")
def test_what_ran_when_the_desk_was_killed_runs_again_and_ends(people, signed_in, desk):
    from django_tasks_db.models import DBTaskResult

    from qianmo.web.models import Task
    from qianmo.web.tasks import pick_up

    client = signed_in("planner")
    client.post("/tasks/new/evaluate/", {})
    before = len(history(desk))
    thread = _in_thread()
    os.kill(_running_child(desk), signal.SIGKILL)
    thread.join(timeout=30)
    task = Task.objects.get()
    assert task.state == "failed" and len(history(desk)) == before, "a killed job leaves the project as it was"
    Task.objects.update(state="running", error={}, ended=None)
    DBTaskResult.objects.update(status="RUNNING")
    assert pick_up() == 1
    _work()
    task.refresh_from_db()
    assert task.state == "done" and task.report["lines"] and len(history(desk)) == before + 1


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="looks for the process of the job in /proc")
def test_a_running_task_ends_when_that_is_asked(people, signed_in, desk):
    from qianmo.web.models import Task

    client = signed_in("planner")
    address = client.post("/tasks/new/evaluate/", {}).headers["Location"]
    before = len(history(desk))
    thread = _in_thread()
    child = _running_child(desk)
    client.post(address + "cancel/")
    thread.join(timeout=30)
    assert Task.objects.get().state == "cancelled" and len(history(desk)) == before
    assert not os.path.exists(f"/proc/{child}")


def test_a_job_whose_desk_is_gone_before_it_began_ends_by_itself(people, signed_in, desk):
    from qianmo.web.models import Task

    signed_in("planner").post("/tasks/new/evaluate/", {})
    before = len(history(desk))
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = subprocess.run([sys.executable, "-m", "qianmo.web.run_job", str(desk), str(Task.objects.get().pk), str(gone.pid)], timeout=60)
    assert left.returncode == 1 and Task.objects.get().state == "queued" and len(history(desk)) == before


def test_a_fault_of_the_database_does_not_end_the_thread_that_works_tasks_off(people, monkeypatch, caplog):
    from django.db import OperationalError
    from django_tasks_db.management.commands.db_worker import Worker

    from qianmo.web.tasks import start_worker

    calls = []

    def run(self):
        calls.append(self.worker_id)
        if len(calls) < 3:
            raise OperationalError("database is locked")
        self.running = False

    monkeypatch.setattr(Worker, "run", run)
    start_worker().join(timeout=20)
    assert len(calls) == 3 and "database is locked" in caplog.text
