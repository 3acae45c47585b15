"""Checks between geometries of a layer: overlaps, gaps, unmatched edges, land outside the villages (图层拓扑检查)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.geo.topology import mismatches, overlaps
from qianmo.onemap.check_geometry import duplicate_groups, is_sound
from qianmo.onemap.faults import fault_rows, feature_ids, gather, layer_fault, no_faults, severity_of
from qianmo.schema.rules import parameter, rule

__all__ = [
    "NOT_OVERLAPPING",
    "PARTITIONS",
    "Complaints",
    "check_coverage",
    "check_edges",
    "check_gaps",
    "check_inside",
    "check_overlaps",
    "complaints",
]

PARTITIONS = ("landuse_patch", "village")
"""Tables that cover their land without a hole."""

NOT_OVERLAPPING = (*PARTITIONS, "parcel", "basic_farmland", "eco_redline", "urban_boundary", "planning_zone")
"""Tables whose features never overlap each other."""

_RULE = "D-05"

_TOUCH = 1e-6
"""Overlay moves vertices by less than this [m]: what lies nearer touches."""


@dataclass(frozen=True)
class Complaints:
    """Where the polygons of a layer do not fit each other (不匹配处).

    Attributes
    ----------
    geoms : ndarray, n
        The polygons in the plane; None where a row cannot be asked (null, not finite, invalid, no polygon).
    rows, edges : ndarray, k
        Rows that do not fit, and for each the lines where.
    """

    geoms: np.ndarray
    rows: np.ndarray
    edges: np.ndarray

    @cached_property
    def land(self) -> shapely.Geometry:
        """Union of all polygons that can be asked."""
        return _union(self.geoms, self.rows)


def check_coverage(
    frame: gpd.GeoDataFrame,
    table: str,
    *,
    sheet_column: str = "",
    found: Complaints | None = None,
    overrides: Mapping[str, float] | None = None,
) -> gpd.GeoDataFrame:
    """Faults between the polygons of one layer (面层拓扑检查), rule D-05.

    One pass over all edges finds the rows that do not fit their neighbours; only those are looked at closely, so a clean
    layer of 300 000 patches costs seconds.

    Parameters
    ----------
    frame : GeoDataFrame, table `table`, n rows
        Metric CRS [m]. Rows whose geometry is not sound are left out (they have faults of their own).
    sheet_column : str
        Column that names the map sheet; then unmatched edges between sheets are warnings, inside a sheet information.
    found : Complaints, optional
        What :func:`complaints` gave, when the caller already asked.
    overrides : mapping, optional
        Values for ``edge_match_tolerance_m``, ``gap_max_width_m``, ``repair_*``.
    """
    if table not in NOT_OVERLAPPING or not len(frame):
        return no_faults(frame)
    tolerance = parameter("edge_match_tolerance_m", overrides)
    found = complaints(frame, tolerance=tolerance) if found is None else found
    parts = [check_overlaps(frame, table, found=found, overrides=overrides)]
    if table in PARTITIONS:
        parts.append(check_gaps(frame, table, found=found, overrides=overrides))
    parts.append(check_edges(frame, table, found=found, sheet_column=sheet_column, overrides=overrides))
    return gather(frame, parts)


def complaints(frame: gpd.GeoDataFrame, *, tolerance: float, sound: np.ndarray | None = None) -> Complaints:
    """Rows with edges that overlap a neighbour, miss it by less than `tolerance` [m], or meet it without a common vertex.

    One pass over all edges (不匹配的边); every check between polygons starts from it. `sound` is the answer of
    :func:`~qianmo.onemap.check_geometry.is_sound` where it is known already.
    """
    all_geoms = frame.geometry.to_numpy()
    geoms = np.full(len(all_geoms), None, dtype=object)
    sound = np.flatnonzero(is_sound(all_geoms) if sound is None else sound)
    geoms[sound] = shapely.force_2d(all_geoms[sound])
    if not len(sound):
        return Complaints(geoms, sound, np.empty(0, dtype=object))
    lines = mismatches(geoms[sound], gap_m=tolerance)
    bad = ~(shapely.is_missing(lines) | shapely.is_empty(lines))
    return Complaints(geoms, sound[bad], lines[bad])


def check_overlaps(
    frame: gpd.GeoDataFrame, table: str, *, found: Complaints | None = None, overrides: Mapping[str, float] | None = None
) -> gpd.GeoDataFrame:
    """Pairs that share more land than rule D-05 allows; the fault stands on the smaller one (重叠).

    Equal shapes are faults of :func:`~qianmo.onemap.check_geometry.check_duplicates` and not repeated here.
    """
    found = complaints(frame, tolerance=0.0) if found is None else found
    geoms, suspects = found.geoms, found.rows
    if not len(suspects):
        return no_faults(frame)
    rows = _with_neighbours(geoms, suspects)
    pairs = overlaps(geoms[rows], min_area=rule(_RULE).value())
    i, j = rows[pairs["i"].to_numpy(dtype=np.int64)], rows[pairs["j"].to_numpy(dtype=np.int64)]
    group = duplicate_groups(geoms)
    keep = ~((group[i] >= 0) & (group[i] == group[j]))
    i, j, pairs = i[keep], j[keep], pairs[keep]
    area, shared, ids = shapely.area(geoms), pairs["area_m2"].to_numpy(dtype=float), feature_ids(frame, table)
    loser = np.array([b if (area[a], ids[a]) > (area[b], ids[b]) else a for a, b in zip(i, j)], dtype=np.int64)
    other = np.where(loser == i, j, i)
    small = (shared <= parameter("repair_overlap_max_m2", overrides)) & (shared < 0.5 * area[loser])
    return fault_rows(
        frame,
        table,
        loser,
        what="overlap",
        rule_id=_RULE,
        severity=severity_of(_RULE),
        found=[f"与第 {o} 行 ({ids[o]}) 重叠 {s:.4f} m2" for o, s in zip(other, shared)],
        expected=f"重叠不超过 {rule(_RULE).value():g} m2",
        cure=["由修复归入较大图斑" if s else "核对边界归属" for s in small],
        repairable=small,
        places=[_polygonal(g) for g in pairs["geometry"]],
    )


def check_gaps(
    frame: gpd.GeoDataFrame, table: str, *, found: Complaints | None = None, overrides: Mapping[str, float] | None = None
) -> gpd.GeoDataFrame:
    """Holes that no polygon of a partition covers (缝隙与空洞).

    `gap`: narrower than ``gap_max_width_m``; the fault stands on the neighbour with the longest shared border, which
    receives it when the gap is small. `hole`: wider, so land is missing and nothing is repaired.
    """
    found = complaints(frame, tolerance=parameter("gap_max_width_m", overrides)) if found is None else found
    geoms = found.geoms
    holes = _holes(found.land)
    area = shapely.area(holes)
    width = 2 * area / np.maximum(shapely.length(holes), 1e-12)
    real = area > rule(_RULE).value()
    holes, area, width = holes[real], area[real], width[real]
    narrow = width <= parameter("gap_max_width_m", overrides)
    heirs = _longest_neighbour(geoms, holes, feature_ids(frame, table))
    small = narrow & (area <= parameter("repair_gap_max_m2", overrides)) & (heirs >= 0)
    severity = severity_of(_RULE)
    parts = []
    for what, which, word in (("gap", narrow, "缝隙"), ("hole", ~narrow, "空洞")):
        parts.append(
            fault_rows(
                frame,
                table,
                np.maximum(heirs[which], 0),
                what=what,
                rule_id=_RULE,
                severity=severity,
                found=[f"{word} {a:.4f} m2, 宽约 {w:.3f} m" for a, w in zip(area[which], width[which])],
                expected="图斑之间无缝隙",
                cure=["由修复归入共边最长的图斑" if s else "补图斑或核对边界" for s in small[which]],
                repairable=small[which],
                places=holes[which],
            )
        )
    return gather(frame, parts)


def check_edges(
    frame: gpd.GeoDataFrame,
    table: str,
    *,
    found: Complaints | None = None,
    sheet_column: str = "",
    overrides: Mapping[str, float] | None = None,
) -> gpd.GeoDataFrame:
    """Borders whose vertices the neighbour does not have (接边): between map sheets a warning, inside one information.

    A vertex counts when it lies nearer than
    ``edge_match_tolerance_m`` to the border of a neighbour that has no vertex there.
    """
    tolerance = parameter("edge_match_tolerance_m", overrides)
    found = complaints(frame, tolerance=tolerance) if found is None else found
    loose = _loose_vertices(found.geoms, found.rows, tolerance)
    if not len(loose):
        return no_faults(frame)
    line = pd.Series(found.edges, index=found.rows)
    sheets = frame[sheet_column].astype(str).to_numpy() if sheet_column in frame.columns else None
    loose["across"] = False if sheets is None else sheets[loose["row"]] != sheets[loose["other"]]
    parts = []
    for across, word in ((True, "图幅接边"), (False, "相邻边界")):
        some = loose[loose["across"] == across].groupby("row").agg(n=("distance", "size"), worst=("distance", "max"))
        parts.append(
            fault_rows(
                frame,
                table,
                some.index.to_numpy(),
                what="edge_mismatch" if across else "unmatched_vertices",
                rule_id=_RULE,
                severity="warning" if across else "info",
                found=[f"{word}有 {n} 个节点邻面没有, 最大偏离 {w:.4f} m" for n, w in zip(some["n"], some["worst"])],
                expected="公共边节点一致",
                cure="在邻面边界上加节点或捕捉对齐",
                places=line.reindex(some.index).to_numpy(),
            )
        )
    return gather(frame, parts)


def check_inside(
    frame: gpd.GeoDataFrame, table: str, villages: gpd.GeoDataFrame, *, found: Complaints | None = None
) -> gpd.GeoDataFrame:
    """Land outside the villages, and land of the villages that no patch covers (村界范围).

    Both tables in the same metric CRS. Uncovered land is asked of ``landuse_patch`` only.
    """
    found = complaints(frame, tolerance=0.0) if found is None else found
    geoms, units = found.geoms, shapely.force_2d(villages.geometry.to_numpy())
    sound = np.flatnonzero(~shapely.is_missing(geoms))
    whole = shapely.union_all(units[is_sound(units)])
    shapely.prepare(whole)
    doubtful = sound[~shapely.covers(whole, geoms[sound])]
    outside = shapely.difference(geoms[doubtful], whole)
    area = shapely.area(outside)
    out = area > rule(_RULE).value()
    parts = [
        fault_rows(
            frame,
            table,
            doubtful[out],
            what="outside_villages",
            rule_id=_RULE,
            severity="warning",
            found=[f"超出村界 {a:.4f} m2" for a in area[out]],
            expected="位于村级调查区内",
            cure="核对村界或图斑边界",
            places=outside[out],
        )
    ]
    if table == "landuse_patch" and len(sound):
        rest = shapely.get_parts(shapely.difference(whole, found.land))
        bare = rest[shapely.area(rest) > rule(_RULE).value()]
        parts.extend(_bare_land(frame, table, bare))
    return gather(frame, parts)


def _with_neighbours(geoms: np.ndarray, suspects: np.ndarray) -> np.ndarray:
    """Suspects and every sound row whose box meets theirs: a polygon around a small one need not complain itself."""
    if not len(suspects):
        return suspects
    sound = np.flatnonzero(~shapely.is_missing(geoms))
    met = shapely.STRtree(geoms[sound]).query(geoms[suspects])[1]
    return np.union1d(suspects, sound[np.unique(met)])


def _union(geoms: np.ndarray, suspects: np.ndarray) -> shapely.Geometry:
    """Union of all sound polygons: fast where they match, by overlay where they complain."""
    sound = np.flatnonzero(~shapely.is_missing(geoms))
    doubtful = np.intersect1d(_with_neighbours(geoms, suspects), sound)
    clean = np.setdiff1d(sound, doubtful)
    return shapely.union_all([shapely.coverage_union_all(geoms[clean]), *geoms[doubtful]])


def _holes(land: shapely.Geometry) -> np.ndarray:
    parts = shapely.get_parts(land)
    if not len(parts):
        return np.empty(0, dtype=object)
    inner = [ring for part in parts for ring in part.interiors]
    return shapely.polygons(inner) if inner else np.empty(0, dtype=object)


def _longest_neighbour(geoms: np.ndarray, holes: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Row that shares the longest border with each hole; equal lengths go to the smaller identifier; -1 for none."""
    out = np.full(len(holes), -1, dtype=np.int64)
    sound = np.flatnonzero(~shapely.is_missing(geoms))
    if not len(holes) or not len(sound):
        return out
    hole, row = shapely.STRtree(geoms[sound]).query(holes, predicate="dwithin", distance=_TOUCH)
    row = sound[row]
    shared = np.round(shapely.length(shapely.intersection(shapely.boundary(holes[hole]), shapely.buffer(geoms[row], _TOUCH))), 3)
    best = pd.DataFrame({"hole": hole, "row": row, "shared": -shared, "id": ids[row]}).sort_values(["hole", "shared", "id"])
    first = best.drop_duplicates("hole")
    out[first["hole"]] = first["row"]
    return out


def _loose_vertices(geoms: np.ndarray, suspects: np.ndarray, tolerance: float) -> pd.DataFrame:
    """Vertices of a row near the border of another row that has no vertex there: row, other, distance."""
    columns = ["row", "other", "distance"]
    if not len(suspects):
        return pd.DataFrame(columns=columns)
    near = shapely.STRtree(geoms[suspects]).query(geoms[suspects], predicate="dwithin", distance=tolerance)
    a, b = suspects[near[0]], suspects[near[1]]
    a, b = a[a != b], b[a != b]
    coords, pair = shapely.get_coordinates(geoms[a], return_index=True)
    frames = shapely.bounds(geoms[b])[pair]
    inside = ((coords >= frames[:, :2] - tolerance) & (coords <= frames[:, 2:] + tolerance)).all(axis=1)
    points, pair = shapely.points(coords[inside]), pair[inside]
    lines = shapely.boundary(geoms)
    distance = shapely.distance(points, lines[b[pair]])
    close = distance <= tolerance
    row, other, points, distance = a[pair][close], b[pair][close], points[close], distance[close]
    loose = _to_vertices(points, geoms, other) > _TOUCH
    x, y = shapely.get_x(points[loose]), shapely.get_y(points[loose])
    found = pd.DataFrame({"row": row[loose], "other": other[loose], "distance": distance[loose], "x": x, "y": y})
    return found.drop_duplicates()[columns]


def _to_vertices(points: np.ndarray, geoms: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Distance of each point to the nearest vertex of its other geometry."""
    wanted, place = np.unique(other, return_inverse=True)
    clouds = shapely.extract_unique_points(geoms[wanted])
    return shapely.distance(points, clouds[place])


def _polygonal(geom: shapely.Geometry) -> shapely.Geometry:
    if geom.geom_type != "GeometryCollection":
        return geom
    return shapely.union_all([g for g in shapely.get_parts(geom) if g.geom_type in ("Polygon", "MultiPolygon")])


def _bare_land(frame: gpd.GeoDataFrame, table: str, bare: np.ndarray) -> list[gpd.GeoDataFrame]:
    return [
        layer_fault(
            frame,
            table,
            what="uncovered_land",
            rule_id=_RULE,
            severity=severity_of(_RULE),
            found=f"村界内 {land.area:.4f} m2 没有图斑",
            expected="图斑铺满村界",
            cure="补图斑或核对村界",
            place=land,
        )
        for land in bare
    ]
