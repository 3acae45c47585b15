"""Checks of sums: village against patches, register against map, township against villages (面积汇总检查)."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd

from qianmo.geo.area import ellipsoid_area_of
from qianmo.onemap.control_units import control_units
from qianmo.onemap.faults import fault_rows, gather, layer_fault, no_faults, severity_of
from qianmo.onemap.level import hundredths
from qianmo.schema.errors import CrsError
from qianmo.schema.rules import parameter, rule

__all__ = ["REGISTER_COLUMNS", "check_register", "check_township_sums", "check_village_sums"]

REGISTER_COLUMNS: Mapping[str, str] = {
    "landuse_patch": "area_m2",
    "basic_farmland": "patch_area_m2",
    "parcel": "registered_area_m2",
    "village": "control_area_m2",
    "eco_redline": "area_m2",
    "urban_boundary": "area_m2",
    "planning_zone": "area_m2",
    "project_area": "area_m2",
    "approved_use": "area_m2",
}
"""Column of each table that holds the area of the register (登记面积)."""


def check_register(frame: gpd.GeoDataFrame, table: str, *, overrides: Mapping[str, float] | None = None) -> gpd.GeoDataFrame:
    """D-04: register area against ellipsoidal area, 1 m2 or 0.1 % whichever is more (登记面积与椭球面积).

    Where the CRS has no safe way to CGCS2000 the layer gets one fault that says so.
    """
    column = REGISTER_COLUMNS.get(table, "")
    if column not in frame.columns:
        return no_faults(frame)
    try:
        measured = _ellipsoid(frame)
    except CrsError as error:
        return layer_fault(
            frame,
            table,
            what="area_not_checked",
            rule_id="D-04",
            severity="warning",
            found=error.found,
            expected="可安全转换到 CGCS2000 的坐标系",
            cure="补充坐标系或转换参数后重查",
        )
    registered = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    allowed = np.maximum(parameter("area_diff_abs_m2", overrides), parameter("area_diff_rel", overrides) * np.abs(registered))
    with np.errstate(invalid="ignore"):
        rows = np.flatnonzero(np.abs(registered - measured) > allowed)
    return fault_rows(
        frame,
        table,
        rows,
        what="register_area",
        rule_id="D-04",
        severity=severity_of("D-04"),
        found=[
            f"登记 {registered[r]:.2f} m2, 椭球面积 {measured[r]:.2f} m2, 差 {registered[r] - measured[r]:+.2f} m2" for r in rows
        ],
        expected=[f"差值不超过 {allowed[r]:.2f} m2" for r in rows],
        cure="核对图形或登记面积",
    )


def check_village_sums(frame: pd.DataFrame, villages: pd.DataFrame) -> gpd.GeoDataFrame:
    """D-03: patch areas of every village, land and islands apart where given, sum to its control area (村级面积闭合).

    Parameters
    ----------
    frame : DataFrame, table ``landuse_patch``
    villages : DataFrame, table ``village``
        With ``control_area_m2``; townships (9 digits) are left to :func:`check_township_sums`.

    Returns
    -------
    GeoDataFrame of faults
        Rows of `frame` for patches of no village; row -1 with the village in ``feature_id`` for sums.
    """
    table = "landuse_patch"
    if not {"village_code", "area_m2"} <= set(frame.columns):
        return no_faults(frame)
    severity = severity_of("D-03")
    code = frame["village_code"].astype(object).where(frame["village_code"].notna(), "").astype(str).to_numpy()
    of_patch, of_village = control_units(frame, villages)
    stray = np.flatnonzero(~np.isin(of_patch.astype(str), of_village.astype(str)))
    parts = [
        fault_rows(
            frame,
            table,
            stray,
            what="village_unknown",
            rule_id="D-03",
            severity=severity,
            found=[f"村代码 {code[r] or '为空'}" + (f" 描述说明 {of_patch[r].partition('/')[2]}" if "/" in of_patch[r] else "") for r in stray],
            expected="村级调查区中的代码",
            cure="核对坐落单位代码",
        )
    ]
    area = pd.to_numeric(frame["area_m2"], errors="coerce").fillna(0.0)
    sums = pd.Series(hundredths(area.to_numpy(dtype=float))).groupby(of_patch).sum()
    for unit, (_, village) in zip(of_village, villages.iterrows(), strict=True):
        if len(str(village["village_code"])) != 9:
            parts.append(_village_fault(frame, village, int(sums.get(unit, 0)), severity))
    return gather(frame, parts)


def check_township_sums(villages: pd.DataFrame) -> gpd.GeoDataFrame:
    """D-03: control areas of the villages of a township (first 9 digits) sum to its own (乡级面积闭合)."""
    if not {"village_code", "control_area_m2"} <= set(villages.columns):
        return no_faults(villages)
    code = villages["village_code"].astype(str)
    control = pd.to_numeric(villages["control_area_m2"], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    rows, found, expected = [], [], []
    for r in np.flatnonzero((code.str.len() == 9).to_numpy() & np.isfinite(control)):
        members = (code.str.startswith(code.iloc[r]) & (code.str.len() > 9)).to_numpy()
        if members.any() and np.isfinite(control[members]).all():
            total = int(hundredths(control[members]).sum())
            if abs(total - int(hundredths(control[[r]])[0])) > rule("D-03").value() * 100:
                rows.append(int(r))
                found.append(f"{int(members.sum())} 个村控制面积之和 {total / 100:.2f} m2")
                expected.append(f"乡镇控制面积 {control[r]:.2f} m2")
    return fault_rows(
        villages,
        "village",
        rows,
        what="township_sum",
        rule_id="D-03",
        severity=severity_of("D-03"),
        found=found,
        expected=expected,
        cure="核对村级控制面积",
    )


def _ellipsoid(frame: gpd.GeoDataFrame) -> np.ndarray:
    out = np.full(len(frame), np.nan)
    polygon = frame.geom_type.isin(["Polygon", "MultiPolygon"]).to_numpy() & ~frame.geometry.is_empty.to_numpy()
    finite = np.isfinite(frame.geometry.bounds.to_numpy()).all(axis=1)
    ok = polygon & finite
    if ok.any():
        out[ok] = np.asarray(ellipsoid_area_of(frame[ok]))
    return out


def _village_fault(frame: pd.DataFrame, village: pd.Series, total: int, severity: str) -> gpd.GeoDataFrame:
    control = village.get("control_area_m2")
    name = f"{village['village_code']} {village.get('village_name', '')}".strip()
    if pd.isna(control):
        return _of_village(
            layer_fault(
                frame,
                "landuse_patch",
                what="no_control_area",
                rule_id="D-03",
                severity="info",
                found=f"{name} 无控制面积",
                expected="村级控制面积 (DCMJ)",
                cure="补充控制面积",
            ),
            village,
        )
    difference = total - int(hundredths([float(control)])[0])
    if abs(difference) <= rule("D-03").value() * 100:
        return no_faults(frame)
    return _of_village(
        layer_fault(
            frame,
            "landuse_patch",
            what="village_sum",
            rule_id="D-03",
            severity=severity,
            found=f"{name} 图斑面积之和 {total / 100:.2f} m2, 差 {difference / 100:+.2f} m2",
            expected=f"控制面积 {float(control):.2f} m2",
            cure="差值小时平差; 差值大时查图斑缺漏或重叠",
        ),
        village,
    )


def _of_village(faults: gpd.GeoDataFrame, village: pd.Series) -> gpd.GeoDataFrame:
    return faults.assign(feature_id=str(village["village_code"]))
