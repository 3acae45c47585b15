"""One check of a layer: every fault of attributes, geometry, topology and sums in one table (图层质检)."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import geopandas as gpd
import pandas as pd

from qianmo.geo.crs import china_crs, datum_of
from qianmo.onemap.check_attributes import (
    check_codes,
    check_columns,
    check_identifiers,
    check_ranges,
    check_text,
    check_types,
    check_unit_codes,
)
from qianmo.onemap.check_geometry import check_duplicates, check_geometry, is_sound
from qianmo.onemap.check_patches import patch_rules
from qianmo.onemap.check_topology import NOT_OVERLAPPING, check_coverage, check_inside, complaints
from qianmo.onemap.check_totals import check_register, check_township_sums, check_village_sums
from qianmo.onemap.faults import gather, layer_fault, no_faults, severity_of
from qianmo.schema.rules import parameter
from qianmo.schema.tables import table_spec

__all__ = ["check_attributes", "check_crs", "check_layer", "check_topology", "check_totals"]


def check_layer(
    frame: gpd.GeoDataFrame,
    table: str,
    *,
    class_scheme: str,
    control: gpd.GeoDataFrame | None = None,
    sheet_column: str = "",
    overrides: Mapping[str, float] | None = None,
) -> gpd.GeoDataFrame:
    """Every fault of one layer (图层质检).

    Parameters
    ----------
    frame : GeoDataFrame, table `table`, n rows
        As harmonised; project CRS [m]. Never changed.
    table : str
        Name of a table of ``schema/tables``.
    class_scheme : str
        Scheme of the land classes, '' where the layer has none.
    control : GeoDataFrame, table ``village``, optional
        Villages with control areas in the same CRS: then sums and the outer border are checked too.
    sheet_column : str
        Column with the map sheet, for edge matching.
    overrides : mapping, optional
        Values for parameters.

    Returns
    -------
    GeoDataFrame, columns ``FAULT_COLUMNS`` and geometry (point, line or polygon), CRS of `frame`
        Worst first. No row means that nothing was found. The same for any order of the rows, but for ``row`` itself.

    Raises
    ------
    SchemaError
        No table of that name.
    """
    with ThreadPoolExecutor(max_workers=2) as pool:  # the geometry engine lets threads run side by side
        shapes = pool.submit(check_topology, frame, table, control=control, sheet_column=sheet_column, overrides=overrides)
        totals = pool.submit(check_totals, frame, table, control=control, overrides=overrides)
        words = check_attributes(frame, table, class_scheme=class_scheme, overrides=overrides)
        return gather(frame, [words, check_crs(frame, table), shapes.result(), totals.result()])


def check_attributes(
    frame: pd.DataFrame, table: str, *, class_scheme: str, overrides: Mapping[str, float] | None = None
) -> gpd.GeoDataFrame:
    """Faults of columns, types, identifiers, codes, ranges, text, and the D rules of single patches (属性检查)."""
    parts = [
        check_columns(frame, table),
        check_types(frame, table),
        check_identifiers(frame, table),
        check_codes(frame, table, class_scheme=class_scheme),
        check_ranges(frame, table, overrides=overrides),
        check_text(frame, table),
        check_unit_codes(frame, table),
    ]
    if table == "landuse_patch":
        parts.append(patch_rules(frame, class_scheme=class_scheme, overrides=overrides))
    return gather(frame, parts)


def check_crs(frame: gpd.GeoDataFrame, table: str) -> gpd.GeoDataFrame:
    """D-11: the layer has a projected CRS on CGCS2000 (坐标系检查)."""
    if table_spec(table).geometry == "none":
        return no_faults(frame)
    severity = severity_of("D-11")
    if frame.crs is None:
        return layer_fault(
            frame,
            table,
            what="crs_missing",
            rule_id="D-11",
            severity=severity,
            found="图层没有坐标系",
            expected="CGCS2000 投影坐标系",
            cure="导入时指定坐标系",
        )
    parts = []
    if not frame.crs.is_projected:
        parts.append(
            layer_fault(
                frame,
                table,
                what="crs_not_metric",
                rule_id="D-11",
                severity=severity,
                found=f"{frame.crs.name}, 单位为度",
                expected="米制投影坐标系; 拓扑与面积容差以米计",
                cure="先投影到项目坐标系",
            )
        )
    if datum_of(frame.crs) != "CGCS2000":
        parts.append(
            layer_fault(
                frame,
                table,
                what="crs_datum",
                rule_id="D-11",
                severity=severity,
                found=f"基准为 {datum_of(frame.crs)}",
                expected="CGCS2000",
                cure="用当地转换参数转换到 CGCS2000",
            )
        )
    elif frame.crs.is_projected and frame.crs.to_epsg() not in china_crs():
        parts.append(
            layer_fault(
                frame,
                table,
                what="crs_not_standard",
                rule_id="D-11",
                severity="warning",
                found=frame.crs.name,
                expected="标准 3 度或 6 度带",
                cure="核对是否为地方坐标系",
            )
        )
    return gather(frame, parts)


def check_topology(
    frame: gpd.GeoDataFrame,
    table: str,
    *,
    control: gpd.GeoDataFrame | None = None,
    sheet_column: str = "",
    overrides: Mapping[str, float] | None = None,
) -> gpd.GeoDataFrame:
    """Faults of single geometries and between them, D-05 (拓扑检查); between them only in a metric CRS."""
    sound = is_sound(frame.geometry.to_numpy())
    parts = [check_geometry(frame, table, sound=sound, overrides=overrides), check_duplicates(frame, table)]
    if frame.crs is None or not frame.crs.is_projected or table not in NOT_OVERLAPPING:
        return gather(frame, parts)
    found = complaints(frame, tolerance=parameter("edge_match_tolerance_m", overrides), sound=sound)
    parts.append(check_coverage(frame, table, sheet_column=sheet_column, found=found, overrides=overrides))
    if control is not None and table != "village" and control.crs == frame.crs:
        parts.append(check_inside(frame, table, control, found=found))
    elif control is not None and table != "village":
        parts.append(
            layer_fault(
                frame,
                table,
                what="control_crs",
                rule_id="D-11",
                found="村级调查区与图层坐标系不同",
                expected="同一坐标系",
                cure="先统一坐标系",
            )
        )
    return gather(frame, parts)


def check_totals(
    frame: gpd.GeoDataFrame, table: str, *, control: pd.DataFrame | None = None, overrides: Mapping[str, float] | None = None
) -> gpd.GeoDataFrame:
    """Faults of sums: register against map, villages against patches, townships against villages (面积汇总检查)."""
    parts = [check_register(frame, table, overrides=overrides)]
    if table == "landuse_patch" and control is not None:
        parts.append(check_village_sums(frame, control))
    if table == "village":
        parts.append(check_township_sums(frame))
    return gather(frame, parts)
