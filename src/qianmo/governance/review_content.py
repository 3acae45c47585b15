"""Content hashes that say only what is in a table or a record, not how it was stored (内容摘要)."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["bytes_hash", "canonical_json", "frame_hash", "record_hash"]

_EXACT = 2**53


def bytes_hash(data: bytes) -> str:
    """SHA-256 of a document as 64 hexadecimal digits (文件摘要)."""
    return hashlib.sha256(data).hexdigest()


def record_hash(value: Any) -> str:
    """SHA-256 of a record by its canonical JSON (记录摘要)."""
    return bytes_hash(canonical_json(value).encode("utf-8"))


def canonical_json(value: Any) -> str:
    """One text for one content (规范化 JSON): keys sorted, no blanks, whole numbers without a point, NaN as null.

    Examples
    --------
    >>> canonical_json({"b": 1.0, "a": [float("nan"), "田"]})
    '{"a":[null,"田"],"b":1}'
    """
    return json.dumps(_plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def frame_hash(frame: pd.DataFrame | gpd.GeoDataFrame) -> str:
    """SHA-256 of a table or a layer (表内容摘要).

    The order of rows and of columns does not matter, the kind of storage (integer or real, categorical or text) neither; every
    value, every vertex as drawn and the coordinate system do, and so do rows that occur twice.

    Parameters
    ----------
    frame : DataFrame or GeoDataFrame, n rows
        Column names are text and differ from each other.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    names = sorted(map(str, frame.columns))
    by_name = dict(zip(map(str, frame.columns), frame.columns))
    columns = [_column_texts(frame[by_name[n]]) for n in names]
    rows = sorted(hashlib.sha256("\x1f".join(row).encode("utf-8")).digest() for row in zip(*columns)) if columns else []
    crs = getattr(frame, "crs", None) if "geometry" in names else None
    head = canonical_json({"columns": names, "rows": len(frame), "crs": _crs_text(crs)})
    total = hashlib.sha256(head.encode("utf-8"))
    for row in rows:
        total.update(row)
    return total.hexdigest()


def _column_texts(column: pd.Series) -> list[str]:
    if column.dtype.name == "geometry":
        drawn = shapely.to_wkb(np.asarray(column.array), hex=True, byte_order=1)
        return ["" if w is None else str(w) for w in drawn]
    if column.dtype.kind in "iub":
        return [str(v).lower() if column.dtype.kind == "b" else str(v) for v in column.tolist()]
    return [json.dumps(_plain(v), ensure_ascii=False, sort_keys=True, separators=(",", ":")) for v in column.tolist()]


def _crs_text(crs: Any) -> str:
    if crs is None:
        return ""
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else str(crs.to_wkt())


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            return None if math.isnan(value) else str(value)
        return int(value) if value.is_integer() and abs(value) < _EXACT else value
    if isinstance(value, datetime | date | pd.Timestamp):
        return None if value is pd.NaT else value.isoformat()
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Sequence | np.ndarray | set | frozenset):
        parts = [_plain(v) for v in value]
        return sorted(parts, key=canonical_json) if isinstance(value, set | frozenset) else parts
    return None if pd.isna(value) else str(value)
