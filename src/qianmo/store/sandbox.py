"""Running the readers in a separate, shut-in process; the parent survives whatever happens there (沙箱)."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from qianmo.schema import errors
from qianmo.schema.errors import QianmoError, UnsafeInputError
from qianmo.store.guard_limits import Limits
from qianmo.store.raw import Source

__all__ = ["ALLOWED_VECTOR_DRIVERS", "run_guarded", "task_of"]

ALLOWED_VECTOR_DRIVERS = ("ESRI Shapefile", "OpenFileGDB", "GPKG", "GeoJSON", "LIBKML", "DXF")
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); import qianmo; sys.path.append(sys.path.pop(0)); "
    "from qianmo.store.sandbox_worker import main; main()"
)
"""The process runs the package of its parent, also where another copy is installed; nothing else is found there first."""
_ANSWER_MAX = 64 << 20
_KINDS = ("UnsafeInputError", "EncodingError", "MissingDataError", "SchemaError", "CrsError")


def run_guarded(
    tasks: Sequence[Mapping[str, Any]], *, read: Sequence[Path], workdir: Path, limits: Limits
) -> list[dict[str, Any] | QianmoError]:
    """Run reading tasks in one separate process; a task that kills it is refused, the rest goes on in a new one (沙箱运行).

    Parameters
    ----------
    tasks : sequence of mapping
        ``{"kind": "vector" | "raster" | "table", "origin": …, …}`` as made by `qianmo.store.read_vector`.
    read : sequence of Path
        Folders the process may read.
    workdir : Path
        An existing folder of ours; data files lie in a fresh folder below it, named in each answer as ``folder``.

    Returns
    -------
    list
        One answer or one error a task, in order.
    """
    answers: dict[int, dict[str, Any] | QianmoError] = {}
    waiting = [dict(t) | {"id": i} for i, t in enumerate(tasks)]
    while waiting:
        folder = Path(tempfile.mkdtemp(prefix="read_", dir=workdir.resolve()))
        ending = _run(waiting, read, folder, limits)
        for task in waiting:
            if (answer := _answer(folder, task, limits)) is not None:
                answers[task["id"]] = answer
        left = [t for t in waiting if t["id"] not in answers]
        if left:
            answers[left[0]["id"]] = _death(ending, left[0], started=(folder / f"started_{left[0]['id']}").exists())
            left = left[1:]
        waiting = left
    return [answers[i] for i in range(len(tasks))]


def task_of(source: Source, *, encoding: str | None, limits: Limits, plain_tables: bool = False, as_plain: bool = False) -> dict[str, Any]:
    """Reading task of a checked source (生成读取任务).

    `plain_tables` reads tables without coordinates too; `as_plain` reads every table as plain cells, also one with coordinates,
    and passes over lines before the header that begin with #.
    """
    kind = {"GTiff": "raster", "CSV": "table", "XLSX": "table", "BoundaryText": "table"}.get(source.driver, "vector")
    return {
        "kind": kind,
        "driver": source.driver,
        "origin": source.origin,
        "stem": source.stem,
        "encoding": encoding,
        "count": source.feature_count_header,
        "parts": {k: str(p.resolve()) for k, p in source.parts.items()},
        "features_max": int(limits.features_max),
        "fields_max": int(limits.fields_max),
        "text_cell_max": int(limits.text_cell_max),
        "cells_max": int(limits.cells_max),
        "bands_max": int(limits.bands_max),
        "rows_max": int(limits.table_rows_max),
        "plain_tables": plain_tables or as_plain,
        "as_plain": as_plain,
    }


def _run(tasks: Sequence[Mapping[str, Any]], read: Sequence[Path], folder: Path, limits: Limits) -> tuple[int, str]:
    """Exit code (negative: signal; -999: out of time) and the end of what the process said."""
    request = folder / "request.json"
    bounds = {
        "memory_bytes": int(limits.worker_memory_mb) << 20,
        "seconds": int(limits.worker_seconds),
        "output_bytes": int(limits.worker_output_mb) << 20,
        "files": int(limits.worker_files),
    }
    request.write_text(
        json.dumps({"tasks": list(tasks), "read": [str(p.resolve()) for p in read], "limits": bounds}), encoding="utf-8"
    )
    package_root = str(Path(errors.__file__).resolve().parents[2])
    with (folder / "said.txt").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-I", "-B", "-c", _START, package_root, str(request)],
            cwd=folder,
            env=_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,
            close_fds=True,
        )
        try:
            code = process.wait(timeout=limits.worker_seconds)
        except subprocess.TimeoutExpired:
            code = -999
        finally:
            _end(process)
    with (folder / "said.txt").open("rb") as said:
        said.seek(max(0, os.fstat(said.fileno()).st_size - 2000))
        return code, said.read(2000).decode("utf-8", "replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _environment(folder: Path) -> dict[str, str]:
    """A bare environment: no proxies, no user settings, no network or virtual drivers."""
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PYTHONUTF8": "1",
        "OGR_SKIP": _skipped(),
        "GDAL_SKIP": "VRT,WMS,WMTS,WCS,HTTP,PLMOSAIC,EEDAI,DERIVED,STACIT,STACTA,GDALG,MBTiles,PDF,NITF,HDF5,netCDF",
        "GDAL_PAM_ENABLED": "NO",
        "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
        "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
        "CPL_VSIL_CURL_USE_HEAD": "NO",
        "GDAL_HTTP_PROXY": "127.0.0.1:9",
        "GDAL_HTTP_TIMEOUT": "1",
        "GDAL_HTTP_MAX_RETRY": "0",
        "GDAL_DRIVER_PATH": "disable",
        "GDAL_PYTHON_DRIVER_PATH": "",
        "GDAL_VRT_ENABLE_PYTHON": "NO",
        "PROJ_NETWORK": "OFF",
        "OGR_SQLITE_ALLOW_EXTERNAL_ACCESS": "NO",
        "OGR_SQLITE_PRAGMA": "trusted_schema=0",
        "OGR_GEOJSON_MAX_OBJ_SIZE": "200",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "ARROW_NUM_THREADS": "1",
    }


@cache
def _skipped() -> str:
    import pyogrio

    return ",".join(d for d in pyogrio.list_drivers() if d not in ALLOWED_VECTOR_DRIVERS)


def _answer(folder: Path, task: Mapping[str, Any], limits: Limits) -> dict[str, Any] | QianmoError | None:
    path = folder / f"task_{task['id']}.json"
    if not path.is_file() or path.is_symlink():
        return None
    if path.stat().st_size > _ANSWER_MAX:
        return UnsafeInputError(
            f"{task['origin']}: the reader's answer is too long", expected="a short description", cure="split the data 请拆分数据"
        )
    answer = json.loads(path.read_text(encoding="ascii"))
    if answer.get("ok") is True:
        return _checked(answer, folder, limits)
    kind = getattr(errors, answer["error"]) if answer.get("error") in _KINDS else UnsafeInputError
    found = str(answer.get("found"))
    prefix = "" if task["origin"] in found else f"{task['origin']}: "
    return kind(prefix + found, expected=str(answer.get("expected", "")), cure=str(answer.get("cure", "")))


def _checked(answer: dict[str, Any], folder: Path, limits: Limits) -> dict[str, Any] | QianmoError:
    for item in answer["items"]:
        if "file" in item:
            path = folder / str(item["file"])
            if (
                path.parent != folder
                or path.is_symlink()
                or not path.is_file()
                or path.stat().st_size > limits.worker_output_mb * (1 << 20)
            ):
                return UnsafeInputError(
                    "the reader's answer names no plain file",
                    expected="one data file an item",
                    cure="read the source again 请重试",
                )
    return answer | {"folder": str(folder)}


def _death(ending: tuple[int, str], task: Mapping[str, Any], *, started: bool) -> QianmoError:
    code, said = ending
    last = next((x.strip() for x in reversed(said.splitlines()) if x.strip()), "")[:200]
    cure = "the file is damaged or hostile: export it again from its source 文件损坏或不安全，请从原始软件重新导出"
    if code == -999 or code == -signal.SIGXCPU:
        found, expected, cure = (
            "reading took too long and was stopped",
            "an answer within guard_worker_seconds",
            "split the data or raise the limit 请拆分数据或提高时限",
        )
    elif "MemoryError" in said or "bad_alloc" in said or code == -signal.SIGKILL:
        found, expected, cure = (
            "reading needed more memory than allowed",
            "guard_worker_memory_mb",
            "split the data or raise the limit 请拆分数据或提高内存上限",
        )
    elif code < 0:
        found, expected = f"the reader crashed ({signal.Signals(-code).name})", "a file that can be read"
    elif code == 0 or not started:
        found, expected = f"the reader ended without an answer ({last})", "an answer"
    else:
        found, expected = f"the reader failed ({last})", "a file that can be read"
    return UnsafeInputError(f"{task['origin']}: {found}", expected=expected, cure=cure)
