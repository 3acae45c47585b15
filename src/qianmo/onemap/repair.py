"""Repair of what is safe, with before and after of every change (安全修复)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.onemap.check_layer import check_layer
from qianmo.onemap.faults import WHOLE_LAYER, id_column
from qianmo.onemap.level import deduct_ridges, hundredths
from qianmo.onemap.repair_coverage import cut_overlaps, fill_gaps
from qianmo.onemap.repair_geometry import clean_vertices, made_valid
from qianmo.schema.codes import land_classes
from qianmo.schema.errors import SchemaError, TopologyError

__all__ = ["LOG_COLUMNS", "RepairResult", "repair", "repair_layer"]

LOG_COLUMNS = ("row", "feature_id", "what", "column", "before", "after", "before_area_m2", "after_area_m2", "note")
"""Columns of the repair log: areas are planar [m2]; `row` is the row before repair; before and after are text or WKT."""

_VERTEX_FAULTS = ("repeated_vertices", "ring_direction", "has_z")
_TEXT_FAULTS = ("blank_ends", "control_character")
_ROUNDS = 4


@dataclass(frozen=True)
class RepairResult:
    """What a repair gives (修复结果).

    Attributes
    ----------
    frame : GeoDataFrame
        The repaired layer; rows in their order, those removed left out, index from 0.
    log : DataFrame, columns ``LOG_COLUMNS``
        One row a change. The geometry before is in `before` as WKT, so each change can be undone.
    area_change_m2 : float
        Planar area after less before, all rows; the sum of the log.
    kept : ndarray
        Old row number of every row that is left.
    """

    frame: gpd.GeoDataFrame
    log: pd.DataFrame
    area_change_m2: float
    kept: np.ndarray


def repair(
    frame: gpd.GeoDataFrame,
    faults: gpd.GeoDataFrame,
    *,
    table: str,
    class_scheme: str = "",
    overrides: Mapping[str, float] | None = None,
) -> RepairResult:
    """Repair the faults marked repairable, and nothing else (安全修复).

    Text loses blanks at its ends and control characters; empty class names and missing ridge and class areas are filled
    from what the row says; double vertices, heights and invalid rings go; small overlaps fall to the larger neighbour,
    narrow gaps to the one with the longest shared border; rows equal in everything are kept once. Register areas are
    never changed.

    Parameters
    ----------
    frame : GeoDataFrame, table `table`, n rows
        The layer that was checked, unchanged since. [m]
    faults : GeoDataFrame
        From :func:`~qianmo.onemap.check_layer.check_layer`, or a choice of its rows.

    Returns
    -------
    RepairResult

    Raises
    ------
    SchemaError
        The faults belong to another layer.
    TopologyError
        A repair would lose or make land beyond what its fault said.
    """
    _refuse_foreign(frame, faults, table)
    todo = faults[faults["repairable"].to_numpy(dtype=bool)]
    out = frame.copy()
    log: list[list[Any]] = []
    _repair_text(out, todo, table, log)
    if "class_name_missing" in set(todo["what"]):
        _fill_names(out, todo, table, class_scheme, log)
    _fill_ridges(out, todo, table, log)
    _repair_shapes(out, todo, table, log, overrides)
    kept = _drop_duplicates(out, todo, table, log)
    result = out.iloc[kept].reset_index(drop=True)
    changes = pd.DataFrame(log, columns=list(LOG_COLUMNS))
    change = _total(result) - _total(frame)
    logged = float((changes["after_area_m2"].fillna(0.0) - changes["before_area_m2"].fillna(0.0)).sum())
    if abs(change - logged) > 1e-6 * max(1.0, _total(frame)):
        raise TopologyError(
            f"repair changed the area by {change:.4f} m2, the log says {logged:.4f} m2", cure="report this (请反馈)"
        )
    return RepairResult(result, changes, change, kept)


def repair_layer(
    frame: gpd.GeoDataFrame,
    table: str,
    *,
    class_scheme: str,
    control: gpd.GeoDataFrame | None = None,
    overrides: Mapping[str, float] | None = None,
) -> tuple[RepairResult, gpd.GeoDataFrame]:
    """Check and repair in turn until nothing safe is left to do (检查并修复).

    A mended bow-tie may touch its neighbours, so one round is not always enough; four always were.

    Returns
    -------
    result, faults
        The result over all rounds (log rows keep the row numbers of `frame`), and the faults that remain.
    """
    kept, logs, current = np.arange(len(frame)), [], frame
    for _ in range(_ROUNDS):
        faults = check_layer(current, table, class_scheme=class_scheme, control=control, overrides=overrides)
        if not faults["repairable"].any():
            break
        step = repair(current, faults, table=table, class_scheme=class_scheme, overrides=overrides)
        if not len(step.log):
            break
        logs.append(step.log.assign(row=kept[step.log["row"].to_numpy(dtype=np.int64)]))
        kept, current = kept[step.kept], step.frame
    else:
        faults = check_layer(current, table, class_scheme=class_scheme, control=control, overrides=overrides)
    log = pd.concat(logs, ignore_index=True) if logs else pd.DataFrame(columns=list(LOG_COLUMNS))
    return RepairResult(current, log, _total(current) - _total(frame), kept), faults


def _refuse_foreign(frame: gpd.GeoDataFrame, faults: pd.DataFrame, table: str) -> None:
    rows = faults["row"].to_numpy(dtype=np.int64)
    if len(faults) and (set(faults["layer"]) != {table} or rows.max() >= len(frame)):
        named = ", ".join(sorted(set(faults["layer"])))
        raise SchemaError(f"faults of layer {named} up to row {rows.max()}", expected=f"faults of {table}, {len(frame)} rows")
    name = id_column(table)
    some = faults[(rows >= 0) & (faults["feature_id"] != "").to_numpy()]
    if name in frame.columns and len(some):
        now = frame[name].astype(str).to_numpy()[some["row"].to_numpy(dtype=np.int64)]
        if (now != some["feature_id"].astype(str).to_numpy()).any():
            raise SchemaError("identifiers moved since the check", expected="the frame that was checked", cure="重新检查")


def _rows(todo: pd.DataFrame, *words: str) -> np.ndarray:
    return np.unique(todo.loc[todo["what"].isin(words), "row"].to_numpy(dtype=np.int64))


def _entry(frame: pd.DataFrame, table: str, row: int, what: str, **parts: Any) -> list[Any]:
    name = id_column(table)
    identifier = str(frame[name].iloc[row]) if name in frame.columns else ""
    values = {
        "row": row,
        "feature_id": identifier,
        "what": what,
        "column": "",
        "before": "",
        "after": "",
        "before_area_m2": np.nan,
        "after_area_m2": np.nan,
        "note": "",
        **parts,
    }
    return [values[c] for c in LOG_COLUMNS]


def _set_values(
    out: gpd.GeoDataFrame, table: str, column: str, rows: np.ndarray, new: list[Any], what: str, log: list[list[Any]]
) -> None:
    values = out[column].astype(object).to_numpy(copy=True) if column in out.columns else np.full(len(out), None, dtype=object)
    for row, value in zip(rows, new):
        if values[row] != value:
            before = "" if values[row] is None or values[row] != values[row] else str(values[row])
            log.append(_entry(out, table, int(row), what, column=column, before=before, after=str(value)))
            values[row] = value
    kind = out[column].dtype if column in out.columns else (float if column.endswith("_m2") else object)
    out[column] = pd.Series(values, index=out.index).astype(kind)


def _repair_text(out: gpd.GeoDataFrame, todo: pd.DataFrame, table: str, log: list[list[Any]]) -> None:
    rows = _rows(todo, *_TEXT_FAULTS)
    if not len(rows):
        return
    for column in [c for c in out.columns if c != out.geometry.name]:
        values = out[column].astype(object).to_numpy()[rows]
        texts = np.array([isinstance(v, str) for v in values], dtype=bool)
        clean = ["".join(c for c in v if c in "\t\n\r" or not _is_control(c)).strip() for v in values[texts]]
        if texts.any():
            _set_values(out, table, str(column), rows[texts], clean, "text", log)


def _is_control(character: str) -> bool:
    return ord(character) < 32 or 127 <= ord(character) < 160


def _fill_names(out: gpd.GeoDataFrame, todo: pd.DataFrame, table: str, class_scheme: str, log: list[list[Any]]) -> None:
    if not class_scheme:
        raise SchemaError("class names cannot be filled without a class scheme", expected="class_scheme, as it was checked")
    classes = land_classes(class_scheme)
    rows = _rows(todo, "class_name_missing")
    names = [classes[str(out["class_code"].iloc[r]).strip()].zh for r in rows]
    _set_values(out, table, "class_name", rows, names, "class_name", log)


def _fill_ridges(out: gpd.GeoDataFrame, todo: pd.DataFrame, table: str, log: list[list[Any]]) -> None:
    ridges = _rows(todo, "ridge_area_missing")
    if len(ridges):
        area, share = out["area_m2"].to_numpy(dtype=float)[ridges], out["ridge_coefficient"].to_numpy(dtype=float)[ridges]
        _set_values(out, table, "ridge_area_m2", ridges, deduct_ridges(area, share)[0].tolist(), "ridge_area", log)
    missing = todo[(todo["what"] == "value_missing") & todo["found"].astype(str).str.startswith("class_area_m2")]
    rows = np.unique(missing["row"].to_numpy(dtype=np.int64))
    if len(rows):
        area = out["area_m2"].to_numpy(dtype=float)[rows]
        known = "ridge_area_m2" in out.columns
        ridge = np.nan_to_num(out["ridge_area_m2"].to_numpy(dtype=float)[rows]) if known else np.zeros(len(rows))
        net = (hundredths(area) - hundredths(ridge)) / 100.0
        _set_values(out, table, "class_area_m2", rows, net.tolist(), "class_area", log)


def _repair_shapes(
    out: gpd.GeoDataFrame, todo: gpd.GeoDataFrame, table: str, log: list[list[Any]], overrides: Mapping[str, float] | None
) -> None:
    geoms = out.geometry.to_numpy().copy()
    vertex = _rows(todo, *_VERTEX_FAULTS)
    if WHOLE_LAYER in vertex:
        raised = np.flatnonzero(shapely.has_z(geoms) | shapely.has_m(geoms))
        vertex = np.union1d(vertex[vertex != WHOLE_LAYER], raised)
    broken = _rows(todo, "invalid")
    _put(out, geoms, vertex, lambda g: clean_vertices(g[vertex]), "vertices", table, log)
    _put(out, geoms, broken, lambda g: made_valid(g[broken], overrides=overrides)[0], "made_valid", table, log)
    for word, mend in (("overlap", cut_overlaps), ("gap", fill_gaps)):
        some = todo[todo["what"] == word]
        rows = np.unique(some["row"].to_numpy(dtype=np.int64))
        _put(out, geoms, rows, lambda g, some=some, rows=rows, mend=mend: mend(g, some)[rows], word, table, log)
    out[out.geometry.name] = gpd.GeoSeries(list(geoms), index=out.index, crs=out.crs)


def _put(
    out: gpd.GeoDataFrame, geoms: np.ndarray, rows: np.ndarray, mend: Any, what: str, table: str, log: list[list[Any]]
) -> None:
    if not len(rows):
        return
    old, new = geoms[rows], mend(geoms)
    same = shapely.equals_identical(old, new)
    for row, before, after in zip(rows[~same], old[~same], new[~same]):
        log.append(
            _entry(
                out,
                table,
                int(row),
                what,
                column="geometry",
                before=shapely.to_wkt(before, rounding_precision=-1),
                before_area_m2=float(shapely.area(before)),
                after_area_m2=float(shapely.area(after)),
                note=f"面积变化 {shapely.area(after) - shapely.area(before):+.4f} m2",
            )
        )
    geoms[rows] = new


def _drop_duplicates(out: gpd.GeoDataFrame, todo: pd.DataFrame, table: str, log: list[list[Any]]) -> np.ndarray:
    gone = _rows(todo, "duplicate_feature")
    for row in gone:
        geom = out.geometry.iloc[row]
        log.append(
            _entry(
                out,
                table,
                int(row),
                "duplicate_removed",
                column="geometry",
                before=geom.wkt,
                before_area_m2=float(geom.area),
                after_area_m2=0.0,
                note="与保留的一行完全相同",
            )
        )
    return np.setdiff1d(np.arange(len(out)), gone)


def _total(frame: gpd.GeoDataFrame) -> float:
    return float(np.nansum(shapely.area(frame.geometry.to_numpy())))
