"""Tables of faults: one row a fault, with its place and its cure (质检问题表)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.schema.dataset import FAULT_COLUMNS, SEVERITIES
from qianmo.schema.rules import rule
from qianmo.schema.tables import table_spec

__all__ = [
    "SPEC",
    "WHOLE_LAYER",
    "fault_rows",
    "feature_ids",
    "gather",
    "id_column",
    "is_blank",
    "layer_fault",
    "no_faults",
    "severity_of",
]

SPEC = "SPEC"
"""Rule id of faults against the table specification itself (表结构), not against a D rule."""

WHOLE_LAYER = -1
"""Row number of a fault that belongs to the whole layer."""


def fault_rows(
    frame: pd.DataFrame,
    table: str,
    rows: Sequence[int] | np.ndarray,
    *,
    what: str,
    rule_id: str = SPEC,
    severity: str = "error",
    found: str | Sequence[str] = "",
    expected: str | Sequence[str] = "",
    cure: str | Sequence[str] = "",
    repairable: bool | np.ndarray = False,
    places: Sequence[Any] | np.ndarray | None = None,
) -> gpd.GeoDataFrame:
    """Faults of some rows of a layer (问题行).

    Parameters
    ----------
    frame : (Geo)DataFrame, table `table`, n rows
        The layer that was checked.
    rows : k row positions from 0
        Faulty rows; one fault each.
    what : str
        Machine word of the fault.
    found, expected, cure : str, or k str
        Chinese texts for the clerk; one text serves all rows.
    repairable : bool, or k bool
        True where :func:`qianmo.onemap.repair.repair` fixes it safely.
    places : k geometries, optional
        Where the fault lies; a point on each feature when left out.

    Returns
    -------
    GeoDataFrame, columns ``FAULT_COLUMNS`` and geometry, k rows, CRS of `frame`
    """
    at = np.asarray(rows, dtype=np.int64)
    k = len(at)
    if not k:
        return no_faults(frame)
    ids = feature_ids(frame, table)[at]
    data = {
        "layer": table,
        "row": at,
        "feature_id": ids,
        "rule": rule_id,
        "severity": severity,
        "what": what,
        "found": _texts(found, k),
        "expected": _texts(expected, k),
        "cure": _texts(cure, k),
        "repairable": np.broadcast_to(np.asarray(repairable, dtype=bool), (k,)),
    }
    where = _places(frame, at) if places is None else _geometries(places)
    return gpd.GeoDataFrame(pd.DataFrame(data, columns=list(FAULT_COLUMNS)), geometry=where, crs=_crs(frame))


def layer_fault(
    frame: pd.DataFrame,
    table: str,
    *,
    what: str,
    rule_id: str = SPEC,
    severity: str = "error",
    found: str = "",
    expected: str = "",
    cure: str = "",
    repairable: bool = False,
    place: Any = None,
) -> gpd.GeoDataFrame:
    """One fault of the whole layer, row -1 (整层问题); `place` where one geometry says more."""
    row = [table, WHOLE_LAYER, "", rule_id, severity, what, found, expected, cure, repairable]
    return gpd.GeoDataFrame(pd.DataFrame([row], columns=list(FAULT_COLUMNS)), geometry=[place], crs=_crs(frame))


def no_faults(frame: pd.DataFrame) -> gpd.GeoDataFrame:
    """Empty table of faults in the CRS of `frame` (无问题)."""
    return _empty(_crs(frame)).copy()


def gather(frame: pd.DataFrame, parts: Iterable[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """One table from many, worst first, then by rule, word and row (汇总).

    The order does not depend on the order in which the checks ran.
    """
    full = [p for p in parts if len(p)]
    if not full:
        return no_faults(frame)
    rows = pd.concat([pd.DataFrame(p) for p in full], ignore_index=True)
    together = gpd.GeoDataFrame(rows, geometry="geometry", crs=_crs(frame))
    rank = together["severity"].map({s: i for i, s in enumerate(SEVERITIES)})
    found, what, rules = (together[c].astype(str) for c in ("found", "what", "rule"))
    order = np.lexsort((found, together["row"], what, rules, rank))
    return together.iloc[order].reset_index(drop=True)


def id_column(table: str) -> str:
    """Column that names a feature: the first of the table specification (标识列)."""
    return table_spec(table).columns[0].name


def is_blank(values: pd.Series) -> np.ndarray:
    """True where a value is null or, being text, empty after trimming (空值)."""
    null = values.isna().to_numpy()
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return null
    return null | (values.astype(str).str.strip() == "").to_numpy()


def severity_of(rule_id: str) -> str:
    """Severity of a fault against a rule: error for a hard rule, else warning (级别)."""
    return "error" if rule(rule_id).is_hard else "warning"


@cache
def _empty(crs: Any) -> gpd.GeoDataFrame:
    kinds = {c: "int64" if c == "row" else "bool" if c == "repairable" else "object" for c in FAULT_COLUMNS}
    columns = {c: pd.Series([], dtype=kind) for c, kind in kinds.items()}
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries([], crs=crs), crs=crs)


def _texts(text: str | Sequence[str], k: int) -> list[str]:
    return [text] * k if isinstance(text, str) else [str(t) for t in text]


def feature_ids(frame: pd.DataFrame, table: str) -> np.ndarray:
    """Identifier of every row as text, '' where null or absent (要素标识)."""
    name = id_column(table)
    if name not in frame.columns:
        return np.full(len(frame), "", dtype=object)
    return frame[name].astype(object).where(~frame[name].isna(), "").astype(str).to_numpy(dtype=object)


def _crs(frame: pd.DataFrame) -> Any:
    return frame.crs if isinstance(frame, gpd.GeoDataFrame) and frame.active_geometry_name else None


def _geometries(places: Sequence[Any] | np.ndarray) -> np.ndarray:
    out = np.empty(len(places), dtype=object)
    out[:] = list(places)
    return out


def _places(frame: pd.DataFrame, rows: np.ndarray) -> np.ndarray:
    out = np.full(len(rows), None, dtype=object)
    if not isinstance(frame, gpd.GeoDataFrame) or not frame.active_geometry_name or not len(rows):
        return out
    geoms = frame.geometry.to_numpy()[rows]
    finite = np.isfinite(shapely.bounds(geoms)).all(axis=1)
    valid = finite & shapely.is_valid(geoms)
    out[valid] = shapely.point_on_surface(shapely.force_2d(geoms[valid]))
    out[finite & ~valid] = shapely.centroid(shapely.force_2d(geoms[finite & ~valid]))
    return out
