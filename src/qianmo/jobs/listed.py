"""What jobs are called and take, without their programs: read in a process of its own and kept in a file (作业目录).

All programs together take 5 s and 400 MB to load; who only shows a list or a form should not hold them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from qianmo.jobs.context import Context
from qianmo.jobs.registry import job_names, job_spec, job_specs
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.store.durable import replace_text

__all__ = ["listed_specs"]


_listed: dict[str, dict[str, JobSpec]] = {}
"""The one list of this process, by its stamp."""


def listed_specs(folder: Path) -> Mapping[str, JobSpec]:
    """Every job by name (作业目录); its program is loaded when it is run.

    Parameters
    ----------
    folder : Path
        Where ``desk.jobs.json`` is kept; it is made again when a job has changed.
    """
    stamp = _stamp()
    if stamp in _listed:
        return _listed[stamp]
    path = folder / "desk.jobs.json"
    held = _read(path)
    if held.get("stamp") != stamp:
        told = subprocess.run([sys.executable, "-m", "qianmo.jobs.listed"], stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8", check=True).stdout
        replace_text(path, told)
        held = json.loads(told)
    _listed[stamp] = {r["name"]: _spec(r) for r in held["jobs"]}
    return _listed[stamp]


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _files() -> list[Path]:
    return sorted(Path(__file__).parent.rglob("*.py"))


def _stamp() -> str:
    """Another word when a file of a job was changed."""
    files = _files()
    return f"{len(files)}-{sum(f.stat().st_size for f in files)}-{max(f.stat().st_mtime_ns for f in files)}-{sys.version_info[:2]}"


def _spec(record: Mapping[str, Any]) -> JobSpec:
    name = record["name"]
    options = tuple(JobOption(**{**o, "choices": tuple(o["choices"])}) for o in record["options"])

    def run(context: Context, values: Mapping[str, Any]) -> JobReport:
        return job_spec(name).run(context, values)

    return JobSpec(name, record["zh"], record["en"], options, run)


def _told() -> str:
    jobs = [{"name": n, "zh": s.zh, "en": s.en, "options": [asdict(o) for o in s.options]} for n, s in zip(job_names(), job_specs())]
    return json.dumps({"stamp": _stamp(), "jobs": jobs}, ensure_ascii=False)


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.write(_told())
