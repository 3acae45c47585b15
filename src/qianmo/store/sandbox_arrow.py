"""One layer from GDAL as Arrow, and Arrow to the parent (子进程 Arrow 交换)."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import pyarrow as pa

from qianmo.schema.errors import UnsafeInputError

__all__ = ["AGAIN", "WKB", "arrow_of", "geometry_column", "unreadable", "write_table"]

WKB = "__wkb__"
AGAIN = "export the layer again from its source 请从原始软件重新导出"


def write_table(table: pa.Table, out: Path, name: str) -> str:
    """Write one table as an Arrow file and return its file name (写 Arrow 文件)."""
    with pa.OSFile(str(out / name), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return name


def unreadable(origin: str, error: Exception) -> UnsafeInputError:
    """The refusal of a file that its reader could not read (无法读取)."""
    return UnsafeInputError(
        f"{origin}: cannot be read ({str(error)[:200]})", expected="a complete file of its format", cure=AGAIN
    )


def arrow_of(path: str, name: str | int, task: dict[str, Any]) -> tuple[dict[str, Any], pa.Table, list[str]]:
    """One layer as its description, an Arrow table with WKB, and what the reader warned of (读取为 Arrow).

    Raises
    ------
    UnsafeInputError
        Too many features, or the reader failed.
    """
    import pyogrio
    from pyogrio.raw import read_arrow

    heard: list[str] = []
    listener = logging.Handler()
    listener.emit = lambda record: heard.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("pyogrio").addHandler(listener)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            count = pyogrio.read_info(path, layer=name)["features"]
            if count > task["features_max"]:
                raise UnsafeInputError(
                    f"{task['origin']}:{name}: {count} features",
                    expected=f"at most {task['features_max']}",
                    cure="split the layer 请拆分图层",
                )
            meta, table = read_arrow(path, layer=name, return_fids=True)
    except (
        pyogrio.errors.DataSourceError,
        pyogrio.errors.DataLayerError,
        pyogrio.errors.FeatureError,
        pyogrio.errors.GeometryError,
        pyogrio.errors.FieldError,
        RuntimeError,
        ValueError,
        UnicodeDecodeError,
        pa.ArrowException,
    ) as error:
        raise unreadable(f"{task['origin']}:{name}", error) from None
    finally:
        logging.getLogger("pyogrio").removeHandler(listener)
    if count >= 0 and table.num_rows != count:
        raise UnsafeInputError(
            f"{task['origin']}:{name}: {table.num_rows} features read", expected=f"{count} as the layer counts", cure=AGAIN
        )
    said = list(dict.fromkeys([*heard, *(str(w.message) for w in caught)]))
    return dict(meta) | {"count": table.num_rows}, table, [s[:200] for s in said if "Layer creation" not in s][:20]


def geometry_column(table: pa.Table) -> str | None:
    """Name of the column that holds the shapes, None where there is none (图形列)."""
    return next(
        (f.name for f in table.schema if (f.metadata and b"ARROW:extension:name" in f.metadata) or f.name == "wkb_geometry"), None
    )
