"""Change of land use between two layers: matrix, flows, degrees of dynamic, changed patches (土地利用变化)."""

from __future__ import annotations

from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.geo.area import ellipsoid_area_of
from qianmo.geo.crs import same_metric_crs
from qianmo.geo.overlay import intersection_pairs
from qianmo.schema.codes import domain_codes
from qianmo.schema.errors import SchemaError, TopologyError
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.units import M2_PER_HA

__all__ = ["change_matrix", "change_patches", "change_totals", "class_changes", "land_flows", "overlaid", "suspected_type"]

_OPEN_M2 = 0.01
"""Planar area of a patch that must be outside the other layer before it counts as outside: the rounding of coordinates."""

_DOUBLE = 1e-6
"""Share of the area that may be covered twice: the rounding of borders."""


def overlaid(before: gpd.GeoDataFrame, after: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Pieces of two land-use layers, with exact ellipsoidal areas (两期图斑叠加).

    Parameters
    ----------
    before, after : GeoDataFrame (code, geometry)
        Partitions of the land in one metric CRS; `code` is a class or a group. [m]

    Returns
    -------
    GeoDataFrame (from_class, to_class, area_m2, geometry)
        One row a pair of patches that overlap, and one a patch for what lies outside the other layer (no geometry; '' for the missing class). The areas of a patch of `before`
        sum to its ellipsoidal area.

    Raises
    ------
    CrsError
        The layers differ in CRS, or are in degrees.
    TopologyError
        A geometry is not valid, patches of one layer overlap, or the layers do not meet.
    """
    same_metric_crs(before, after)
    a, b = before.geometry.to_numpy(), after.geometry.to_numpy()
    pairs = intersection_pairs(a, b)
    if not len(pairs):
        raise TopologyError("两期图斑没有重叠", expected="同一地区", cure="核对两个项目的位置与坐标系")
    i, j = pairs["i"].to_numpy(int), pairs["j"].to_numpy(int)
    rests = []
    for geoms, place, zh in ((a, i, "后期"), (b, j, "前期")):
        flat = shapely.area(geoms)
        rest = flat - np.bincount(place, pairs["area_m2"].to_numpy(float), minlength=len(geoms))
        double = np.flatnonzero(rest < -np.maximum(_OPEN_M2, _DOUBLE * flat))
        if len(double):
            raise TopologyError(f"{zh}图斑互相重叠: {len(double)} 处, 共 {-rest[double].sum():.2f} 平方米, 如第 {double[0] + 1} 行对面", expected="图斑不重叠", cure="用 qianmo ingest 的拓扑检查修复后重试")
        rests.append(rest)
    frame = gpd.GeoDataFrame({"geometry": list(pairs["geometry"])}, geometry="geometry", crs=before.crs)
    piece, whole = ellipsoid_area_of(frame), ellipsoid_area_of(before)
    covered = np.bincount(i, piece, minlength=len(a))
    outside = rests[0] > _OPEN_M2
    with np.errstate(invalid="ignore", divide="ignore"):
        piece = piece * np.where(outside | (covered == 0), 1.0, whole / covered)[i]  # the cuts of a covered patch close to it
    old, new = before["code"].to_numpy(object), after["code"].to_numpy(object)
    lost = np.flatnonzero(outside)
    found = np.flatnonzero(rests[1] > _OPEN_M2)
    gained = ellipsoid_area_of(after.iloc[found]) - np.bincount(j, piece, minlength=len(b))[found] if len(found) else np.empty(0)
    columns = {
        "from_class": np.concatenate([old[i], old[lost], np.full(len(found), "", object)]), "to_class": np.concatenate([new[j], np.full(len(lost), "", object), new[found]]),
        "area_m2": np.concatenate([piece, np.maximum(whole[lost] - covered[lost], 0.0), np.maximum(gained, 0.0)]),
    }  # fmt: skip
    shapes = np.concatenate([frame.geometry.to_numpy(), np.full(len(lost) + len(found), None, object)])
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=before.crs)


def land_flows(pieces: pd.DataFrame) -> pd.DataFrame:
    """Area from each class to each class (转移面积): from_class, to_class, pieces, area_m2, sorted; unchanged land is included."""
    sums = pieces.groupby(["from_class", "to_class"], as_index=False).agg(pieces=("area_m2", "size"), area_m2=("area_m2", "sum"))
    return sums.sort_values(["from_class", "to_class"], kind="stable").reset_index(drop=True)


def change_matrix(flows: pd.DataFrame) -> pd.DataFrame:
    """The matrix n × n of areas [ha], rows before, columns after (转移矩阵), over land that both layers cover.

    Returns
    -------
    DataFrame, index and columns the same sorted classes
        The diagonal is unchanged land; rows sum to the area before, columns to the area after.
    """
    both = flows[(flows["from_class"] != "") & (flows["to_class"] != "")]
    names = sorted({*both["from_class"], *both["to_class"]})
    wide = both.pivot_table(index="from_class", columns="to_class", values="area_m2", aggfunc="sum", fill_value=0.0)
    return wide.reindex(index=names, columns=names, fill_value=0.0).astype(float) / M2_PER_HA


def class_changes(matrix: pd.DataFrame, years: float) -> pd.DataFrame:
    r"""Flows and degrees of dynamic of every class (转入、转出、净变化与动态度).

    Parameters
    ----------
    matrix : DataFrame (n, n)
        From :func:`change_matrix`. [ha]
    years : float
        Between both dates.

    Returns
    -------
    DataFrame
        class_code, before_ha, unchanged_ha, inflow_ha, outflow_ha, net_ha, after_ha, dynamic_yr (single degree of dynamic, negative where the class shrinks),
        turnover_yr (never negative). The degrees are NaN for a class that was not there before.

    Raises
    ------
    SchemaError
        The years are not above 0.

    Notes
    -----
    :math:`K = (U_b - U_a) / U_a / T`, and with inflow and outflow :math:`(I + O) / U_a / T`, which land that moves both ways does not cancel.
    """
    _check_years(years)
    table = matrix.to_numpy(float)
    same, before, after = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    inflow, outflow = after - same, before - same
    with np.errstate(invalid="ignore", divide="ignore"):
        single, turnover = (np.where(before > 0, v / before / years, np.nan) for v in (after - before, inflow + outflow))
    return pd.DataFrame({
        "class_code": list(matrix.index), "before_ha": before, "unchanged_ha": same, "inflow_ha": inflow, "outflow_ha": outflow, "net_ha": inflow - outflow, "after_ha": after,
        "dynamic_yr": single, "turnover_yr": turnover,
    })  # fmt: skip


def change_totals(matrix: pd.DataFrame, years: float) -> dict[str, float]:
    r"""Area of both layers, changed area and the comprehensive degree of dynamic (综合动态度).

    Returns
    -------
    dict
        area_ha, changed_ha, changed_share, comprehensive_yr.

    Raises
    ------
    SchemaError
        The years are not above 0.

    Notes
    -----
    :math:`LC = \sum_i (I_i + O_i) / (2 \sum_i U_i) / T`, the share of the land that changed in a year: each changed hectare is an outflow of one class and an
    inflow of another. Where only the outflows are summed over the same denominator, half of it comes out.
    """
    _check_years(years)
    table = matrix.to_numpy(float)
    area, changed = float(table.sum()), float(table.sum() - np.trace(table))
    return {"area_ha": area, "changed_ha": changed, "changed_share": changed / area if area else np.nan, "comprehensive_yr": changed / area / years if area else np.nan}


def change_patches(pieces: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Changed land as patches: pieces of one class before and one after that touch along a border are one (变化图斑).

    Returns
    -------
    GeoDataFrame (from_class, to_class, area_m2, geometry)
        Largest first; ellipsoidal areas. Land outside either layer is not a change.
    """
    moved = pieces[(pieces["from_class"] != pieces["to_class"]) & (pieces["from_class"] != "") & (pieces["to_class"] != "")]
    rows: list[tuple[str, str, object]] = []
    for (old, new), mine in moved.groupby(["from_class", "to_class"], sort=True):
        joined = shapely.union_all(mine.geometry.to_numpy())
        rows += [(old, new, part) for part in shapely.get_parts(joined) if shapely.area(part) > 0]
    out = gpd.GeoDataFrame({"from_class": [r[0] for r in rows], "to_class": [r[1] for r in rows]}, geometry=[r[2] for r in rows], crs=pieces.crs)
    out.insert(2, "area_m2", ellipsoid_area_of(out) if len(out) else np.empty(0))
    return out.sort_values("area_m2", ascending=False, kind="stable").reset_index(drop=True)


def suspected_type(codes: list[str], *, scheme: str) -> list[tuple[str, str]]:
    """Suspected type (TBLX) and its name for each class after a change (疑似图斑类型), by the longest first figures; ('', '') where none fits."""
    table = _suspected(scheme)
    names = domain_codes("TBLX")
    found = (next((table[c[:k]] for k in range(len(c), 1, -1) if c[:k] in table), "") for c in codes)
    return [(t, names[t] if t else "") for t in found]


@cache
def _suspected(scheme: str) -> dict[str, str]:
    return {r["class_prefix"]: r["suspected_type"] for r in shipped_rows("codes", "suspected_types") if r["scheme"] == scheme}


def _check_years(years: float) -> None:
    if not (years > 0 and np.isfinite(years)):
        raise SchemaError(f"两期相隔 {years:g} 年", expected="大于 0", cure="后期晚于前期; 用 --years 给出年数")
