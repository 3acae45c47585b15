"""The reading process: shuts itself in, then reads one task after another (读取子进程)."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

__all__ = ["main"]


def main() -> None:
    """Read the request named on the command line; each task leaves ``task_<n>.json`` and its data files (子进程入口)."""
    request_path = Path(sys.argv[-1])
    request = json.loads(request_path.read_text(encoding="utf-8"))
    out = request_path.parent
    from qianmo.store.sandbox_lock import shut_in

    walls = shut_in(read=request["read"], write=str(out), **request["limits"])
    sys.meta_path.insert(0, _Without())  # type: ignore[arg-type]
    os.chdir(out)
    for task in request["tasks"]:
        (out / f"started_{task['id']}").touch()
        answer = {"walls": walls} | _answer(task, out)
        part = out / f"task_{task['id']}.part"
        part.write_text(json.dumps(answer, ensure_ascii=True, allow_nan=False), encoding="ascii")
        part.rename(out / f"task_{task['id']}.json")


class _Without:
    """Import hook: the readers do without these heavy packages, which halves the start of the process."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name in ("geopandas", "pandas", "shapely"):
            raise ModuleNotFoundError(name)


def _answer(task: dict[str, Any], out: Path) -> dict[str, Any]:
    from qianmo.schema.errors import QianmoError

    try:
        return {"ok": True, "items": _read(task, out)}
    except QianmoError as error:
        return {"ok": False, "error": type(error).__name__, "found": error.found, "expected": error.expected, "cure": error.cure}
    except MemoryError:
        return {
            "ok": False,
            "error": "UnsafeInputError",
            "found": "not enough memory to read the file",
            "expected": "a file that fits guard_worker_memory_mb",
            "cure": "split the data or raise the limit 请拆分数据或提高内存上限",
        }


def _read(task: dict[str, Any], out: Path) -> list[dict[str, Any]]:
    if task["kind"] == "vector":
        from qianmo.store.sandbox_vector import read_vector_task

        return read_vector_task(task, out)
    if task["kind"] == "raster":
        from qianmo.store.sandbox_raster import read_raster_task

        return read_raster_task(task, out)
    if task["kind"] == "table":
        from qianmo.store.sandbox_table import read_table_task

        return read_table_task(task, out)
    if task["kind"] == "radar":
        from qianmo.store.sandbox_radar import read_radar_task

        return read_radar_task(task, out)
    from qianmo.store.sandbox_probe import probe_task

    return probe_task(task)


if __name__ == "__main__":
    main()
