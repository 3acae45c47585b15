"""Import in the browser: the quarantine, the four steps, the job; hostile files; a desk that is killed."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import re
import signal
import sys
import time
import zipfile
from pathlib import Path

import pytest

from qianmo.store.project import history
from qianmo.store.stage import read_catalog

HERE = Path(__file__).resolve().parent


def _work() -> None:
    from django_tasks_db.management.commands.db_worker import Worker

    Worker(queue_names=["default"], interval=0.1, batch=True, backend_name="default", startup_delay=False, max_tasks=None, worker_id=f"test-{time.monotonic_ns()}",
           excluded_queue_names=[]).run()  # fmt: skip


def _file(name: str, body: bytes) -> io.BytesIO:
    file = io.BytesIO(body)
    file.name = name
    return file


def _square(lon: float = 117.25, lat: float = 28.0, size: float = 0.002, **columns: object) -> dict:
    ring = [[lon, lat], [lon + size, lat], [lon + size, lat + size], [lon, lat + size], [lon, lat]]
    return {"type": "Feature", "properties": columns, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def _collection(*features: dict) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": list(features)}, ensure_ascii=False).encode()


REDLINE = _collection(_square(BSM="1", HXBM="H1", HXMC="东溪保护区", XZQDM="990101", MJ=43000.0))


@pytest.fixture
def looked(monkeypatch, desk):
    """Looks run here, in this process, as soon as they are asked for."""
    from qianmo.jobs.context import Context
    from qianmo.jobs.registry import job_spec
    from qianmo.jobs.spec import checked_values
    from qianmo.web.models import Task
    from qianmo.web.pages import imports
    from qianmo.web.run_job import _own_paths

    def at_once(person, job, values):
        task = Task.objects.create(job=job, values=dict(values), person=person)
        spec = job_spec(job)
        report = spec.run(Context(user=person.username), checked_values(spec, {**values, **_own_paths(spec, str(desk), values)}))
        Task.objects.filter(pk=task.pk).update(state="done", share=1.0, report={"lines": list(report.lines)})
        task.refresh_from_db()
        return task

    monkeypatch.setattr(imports, "ask", at_once)
    yield
    import shutil

    shutil.rmtree(desk / "uploads", ignore_errors=True)


def _sent(client, *files) -> str:
    answer = client.post("/imports/", {"files": list(files)})
    assert answer.status_code == 302, answer.content.decode()
    return answer.headers["Location"]


def test_a_layer_goes_through_the_four_steps_and_is_written_at_the_last_only(signed_in, looked, desk):
    client = signed_in("planner")
    before = len(history(desk))
    home = _sent(client, _file("红线.geojson", REDLINE))
    step = client.get(home).headers["Location"]
    print(step)
    for k in (1, 2, 3):
        page = client.get(f"{home}{k}/")
        assert page.status_code == 200, page.content.decode()[:2000]
