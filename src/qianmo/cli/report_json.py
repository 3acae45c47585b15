"""A report or an error as one JSON object for other programs (机器可读输出)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from qianmo.jobs.spec import JobReport
from qianmo.schema.errors import ChoiceNeededError, InfeasibleError, QianmoError
from qianmo.schema.messages import chinese_message

__all__ = ["error_json", "report_json"]


def report_json(job: str, report: JobReport, notes: Sequence[str]) -> str:
    """What a job made: ``job, ok, figures, lines, files, notes`` (作业结果)."""
    files = [{"path": path, "what": what} for path, what in report.files]
    return _text({"job": job, "ok": True, "figures": dict(report.figures), "lines": list(report.lines), "files": files, "notes": list(notes)})


def error_json(job: str, error: QianmoError | KeyboardInterrupt, code: int) -> str:
    """Why a job ended: ``job, ok, exit_code, error`` with kind, found, expected, cure, and what is to choose or in conflict (错误)."""
    record: dict[str, Any] = {"kind": type(error).__name__}
    if isinstance(error, QianmoError):
        record |= {"found": error.found, "expected": error.expected, "cure": error.cure}
    if isinstance(error, ChoiceNeededError):
        record["choices"] = list(error.choices)
    if isinstance(error, InfeasibleError):
        record |= {"conflict": list(error.conflict), "found_zh": chinese_message(error.found)}
    return _text({"job": job, "ok": False, "exit_code": code, "error": record})


def _text(record: Mapping[str, Any]) -> str:
    return json.dumps(_plain(record), ensure_ascii=False, indent=1, allow_nan=False)


def _plain(value: Any) -> Any:
    """The same in types that JSON has; numbers that are not finite become null."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray | list | tuple | set):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int | bool) or value is None else str(value)
