"""Checks of single geometries: empty, not finite, wrong kind, invalid, double, slivers (单个图形检查)."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.geo.side_by_side import side_by_side
from qianmo.geo.topology import invalid, slivers
from qianmo.onemap.faults import fault_rows, gather, layer_fault, no_faults, severity_of
from qianmo.onemap.repair_geometry import has_repeated_vertices, made_valid, same_way_holes
from qianmo.schema.rules import parameter
from qianmo.schema.tables import table_spec

__all__ = ["check_duplicates", "check_geometry", "duplicate_groups", "is_sound"]

_RULE = "D-05"
_WHICH = {0: "点", 1: "线", 2: "线", 3: "面", 4: "多点", 5: "多线", 6: "多面", 7: "集合"}


def check_geometry(
    frame: gpd.GeoDataFrame, table: str, *, sound: np.ndarray | None = None, overrides: Mapping[str, float] | None = None
) -> gpd.GeoDataFrame:
    """Faults of every geometry taken alone (图形检查), rule D-05.

    Null or empty; coordinates that are NaN or infinite; not a polygon; invalid, with reason and place; repeated
    vertices; a hole that turns as its outer ring; heights that will be dropped; slivers. `sound` is the answer of
    :func:`is_sound` where it is known already.
    """
    geoms = frame.geometry.to_numpy()
    sound = is_sound(geoms) if sound is None else sound
    finite = _finite(geoms)
    return gather(
        frame,
        [
            *_presence(frame, table, geoms, finite),
            *_kinds(frame, table, geoms),
            _validity(frame, table, geoms, finite & ~sound, overrides),
            *_vertices(frame, table, geoms, finite),
            _slivers(frame, table, geoms, sound, overrides),
        ],
    )


def check_duplicates(frame: gpd.GeoDataFrame, table: str) -> gpd.GeoDataFrame:
    """Rows that repeat the shape of another row (重复图形).

    `duplicate_feature`: every attribute is equal too; repair keeps one. `duplicate_geometry`: the attributes differ,
    so only the clerk knows which row is right.
    """
    group = duplicate_groups(frame.geometry.to_numpy())
    rows = np.flatnonzero(group >= 0)
    if not len(rows):
        return no_faults(frame)
    plain = pd.DataFrame(frame.drop(columns=frame.geometry.name)).iloc[rows].astype(object)
    keys = plain.where(plain.notna(), "").astype(str).assign(_group=group[rows])
    again = keys.duplicated(keep="first").to_numpy()
    of_group = pd.Series(rows[~again]).groupby(group[rows[~again]])
    several = (of_group.transform("size") > 1).to_numpy()
    keepers, extra = rows[~again][several], rows[again]
    first = of_group.first()
    return gather(
        frame,
        [
            fault_rows(
                frame,
                table,
                extra,
                what="duplicate_feature",
                rule_id=_RULE,
                found=[f"与第 {first[group[r]]} 行图形和属性完全相同" for r in extra],
                expected="要素不重复",
                cure="由修复删除重复行",
                repairable=True,
            ),
            fault_rows(
                frame,
                table,
                keepers,
                what="duplicate_geometry",
                rule_id=_RULE,
                found=[f"图形与另外 {int(n) - 1} 行相同而属性不同" for n in of_group.transform("size").to_numpy()[several]],
                expected="一个图形一行",
                cure="核对保留哪一行",
            ),
        ],
    )


def duplicate_groups(geoms: np.ndarray) -> np.ndarray:
    """Number of the group of equal shapes a row belongs to, -1 for a shape of its own (重复图形分组).

    Shapes are equal when their vertices are, wherever a ring begins and whichever way it turns.
    """
    out = np.full(len(geoms), -1, dtype=np.int64)
    present = np.flatnonzero(~(shapely.is_missing(geoms) | shapely.is_empty(geoms)))
    keys = pd.DataFrame(shapely.bounds(geoms[present])).assign(n=shapely.get_num_coordinates(geoms[present]))
    likely = present[keys.duplicated(keep=False).to_numpy()]
    if not len(likely):
        return out
    text = pd.Series(shapely.to_wkb(shapely.normalize(geoms[likely])))
    double = text.duplicated(keep=False).to_numpy()
    out[likely[double]] = pd.factorize(text[double])[0]
    return out


def is_sound(geoms: np.ndarray) -> np.ndarray:
    """True for polygons that are there, finite and valid: the ones that topology can be asked about (可用图形)."""
    polygonal = np.isin(shapely.get_type_id(geoms), (3, 6)) & ~shapely.is_empty(geoms)
    out = polygonal & _finite(geoms)
    out[out] = side_by_side(shapely.is_valid, geoms[out])
    return out


def _finite(geoms: np.ndarray) -> np.ndarray:
    coords, owner = shapely.get_coordinates(geoms, return_index=True)
    out = np.ones(len(geoms), dtype=bool)
    out[owner[~np.isfinite(coords).all(axis=1)]] = False
    return out


def _presence(frame: gpd.GeoDataFrame, table: str, geoms: np.ndarray, finite: np.ndarray) -> list[gpd.GeoDataFrame]:
    null = np.flatnonzero(shapely.is_missing(geoms))
    empty = np.flatnonzero(~shapely.is_missing(geoms) & shapely.is_empty(geoms))
    wild = np.flatnonzero(~finite)
    severity = severity_of(_RULE)
    return [
        fault_rows(
            frame,
            table,
            null,
            what="null_geometry",
            rule_id=_RULE,
            severity=severity,
            found="无图形",
            expected="面图形",
            cure="补图形或删除该行",
        ),
        fault_rows(
            frame,
            table,
            empty,
            what="empty_geometry",
            rule_id=_RULE,
            severity=severity,
            found="图形为空",
            expected="面图形",
            cure="补图形或删除该行",
        ),
        fault_rows(
            frame,
            table,
            wild,
            what="not_finite",
            rule_id=_RULE,
            severity=severity,
            found="坐标含 NaN 或无穷大",
            expected="有限坐标",
            cure="从原始数据重新导出",
            places=[None] * len(wild),
        ),
    ]


def _kinds(frame: gpd.GeoDataFrame, table: str, geoms: np.ndarray) -> list[gpd.GeoDataFrame]:
    if table_spec(table).geometry != "polygon":
        return []
    kind = shapely.get_type_id(geoms)
    rows = np.flatnonzero((kind >= 0) & ~np.isin(kind, (3, 6)) & ~shapely.is_empty(geoms))
    return [
        fault_rows(
            frame,
            table,
            rows,
            what="geometry_type",
            rule_id=_RULE,
            severity=severity_of(_RULE),
            found=[f"图形为{_WHICH.get(int(kind[r]), '其他')}" for r in rows],
            expected="面或多面",
            cure="核对图层是否选错",
        )
    ]


def _validity(
    frame: gpd.GeoDataFrame, table: str, geoms: np.ndarray, doubtful: np.ndarray, overrides: Mapping[str, float] | None
) -> gpd.GeoDataFrame:
    asked = np.flatnonzero(doubtful & ~shapely.is_missing(geoms) & ~shapely.is_empty(geoms))
    bad = invalid(geoms[asked])
    rows = asked[bad["row"].to_numpy(dtype=np.int64)]
    polygonal = np.isin(shapely.get_type_id(geoms[rows]), (3, 6))
    safe = np.zeros(len(rows), dtype=bool)
    safe[polygonal] = made_valid(geoms[rows[polygonal]], overrides=overrides)[1]
    return fault_rows(
        frame,
        table,
        rows,
        what="invalid",
        rule_id=_RULE,
        severity=severity_of(_RULE),
        found=[f"图形无效: {reason}" for reason in bad["reason"]],
        expected="简单面: 环闭合且不自相交",
        cure=["由修复拆为合法面" if s else "修复会明显改变面积, 请对照影像改图" for s in safe],
        repairable=safe,
        places=bad["location"].to_numpy(),
    )


def _vertices(frame: gpd.GeoDataFrame, table: str, geoms: np.ndarray, finite: np.ndarray) -> list[gpd.GeoDataFrame]:
    polygon = np.flatnonzero(finite & np.isin(shapely.get_type_id(geoms), (3, 6)) & ~shapely.is_empty(geoms))
    twice = polygon[has_repeated_vertices(geoms[polygon])]
    turned = polygon[same_way_holes(geoms[polygon])]
    raised = int((shapely.has_z(geoms) | shapely.has_m(geoms)).sum())
    parts = [
        fault_rows(
            frame,
            table,
            twice,
            what="repeated_vertices",
            rule_id=_RULE,
            severity="info",
            found="相邻节点重合",
            expected="无重复节点",
            cure="由修复删除",
            repairable=True,
        ),
        fault_rows(
            frame,
            table,
            turned,
            what="ring_direction",
            rule_id=_RULE,
            severity="info",
            found="内环与外环方向相同",
            expected="内外环方向相反",
            cure="由修复统一方向",
            repairable=True,
        ),
    ]
    if raised:
        parts.append(
            layer_fault(
                frame,
                table,
                what="has_z",
                rule_id=_RULE,
                severity="info",
                found=f"{raised} 个图形带高程或量测值",
                expected="二维图形",
                cure="由修复去掉 Z/M 值",
                repairable=True,
            )
        )
    return parts


def _slivers(
    frame: gpd.GeoDataFrame, table: str, geoms: np.ndarray, is_good: np.ndarray, overrides: Mapping[str, float] | None
) -> gpd.GeoDataFrame:
    sound = np.flatnonzero(is_good)
    limits = parameter("sliver_max_area_m2", overrides), parameter("sliver_max_thinness", overrides)
    rows = sound[np.asarray(slivers(geoms[sound], max_area=limits[0], max_thinness=limits[1]), dtype=np.int64)]
    area = shapely.area(geoms[rows])
    return fault_rows(
        frame,
        table,
        rows,
        what="sliver",
        rule_id=_RULE,
        severity="warning",
        found=[f"狭长碎面 {a:.4f} m2" for a in area],
        expected=f"不小于 {limits[0]:g} m2",
        cure="并入相邻图斑",
    )
