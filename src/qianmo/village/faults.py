"""Planting known faults in good patches, to try the checks on (植入已知错误)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.schema.errors import MissingDataError, SchemaError

__all__ = ["FAULT_KINDS", "plant_faults"]

_STRIP_M = 0.3
_SLIVER_EDGE_M = (2.0, 8.0)
_SLIVER_DEPTH_M = 0.002
_AREA_FACTOR = 1.05
_WRONG_CLASS = "0199"

_Planted = tuple[gpd.GeoDataFrame, int, int, shapely.Geometry | None]


def plant_faults(
    patches: gpd.GeoDataFrame, *, rng: np.random.Generator, kinds: Sequence[str] | None = None
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Plant faults in a clean coverage, each in patches of its own that no other fault touches (植入错误).

    Parameters
    ----------
    patches : GeoDataFrame, table ``landuse_patch``
        A planar partition with register columns.
    rng : numpy.random.Generator
        Chooses the patches.
    kinds : sequence of str, optional
        Kinds of FAULT_KINDS, each as often as it is named; all of them once by default.

    Returns
    -------
    patches : GeoDataFrame
        Copy with the faults. Rows keep their order; new rows stand at the end.
    truth : GeoDataFrame
        One row a fault: kind, row, patch_id, other_row, other_id (-1 and '' where one patch is concerned), rule, geometry
        of the place where it has one.

    Raises
    ------
    SchemaError
        Unknown kind.
    MissingDataError
        Not enough patches to keep the faults apart.
    """
    wanted = list(FAULT_KINDS) if kinds is None else list(kinds)
    unknown = sorted(set(wanted) - set(FAULT_KINDS))
    if unknown:
        raise SchemaError(f"unknown faults {', '.join(unknown)}", expected=", ".join(FAULT_KINDS))
    frame = patches.copy().reset_index(drop=True)
    tree = shapely.STRtree(frame.geometry.to_numpy())
    queue = iter(rng.permutation(len(patches)).tolist())
    used: set[int] = set()
    truth = []
    for kind in wanted:
        planted = None
        while planted is None:
            row, near = _free_row(frame, tree, queue, used, kind)
            planted = FAULT_KINDS[kind][1](frame, row, near)
        frame, row, other, place = planted
        used |= {row, *near}
        ids = [str(patches["patch_id"].iloc[k]) if 0 <= k < len(patches) else "" for k in (row, other)]
        truth.append((kind, row, ids[0], other, ids[1], FAULT_KINDS[kind][0], place))
    names = ["kind", "row", "patch_id", "other_row", "other_id", "rule", "geometry"]
    return frame, gpd.GeoDataFrame(pd.DataFrame(truth, columns=names), geometry="geometry", crs=patches.crs)


def _free_row(
    frame: gpd.GeoDataFrame, tree: shapely.STRtree, queue: Iterator[int], used: set[int], kind: str
) -> tuple[int, list[int]]:
    for row in queue:
        near = [int(k) for k in tree.query(tree.geometries[row], predicate="intersects") if k != row]
        if near and row not in used and used.isdisjoint(near):
            return row, near
    raise MissingDataError(f"no patch left to plant {kind!r} in", expected="a larger frame", cure="plant fewer faults")


def _border(frame: gpd.GeoDataFrame, row: int, near: list[int]) -> tuple[int, shapely.LineString | None]:
    """Neighbour with the longest border, and the middle third of one long piece of that border."""
    shape = frame.geometry.iloc[row]
    lines = [shapely.line_merge(shapely.intersection(shape.boundary, frame.geometry.iloc[k].boundary)) for k in near]
    best = int(np.argmax([line.length for line in lines]))
    parts = [p for p in shapely.get_parts(lines[best]) if p.geom_type == "LineString"]
    longest = max(parts, key=lambda p: p.length, default=None)
    if longest is None or longest.length < 10 * _STRIP_M:
        return near[best], None
    third = shapely.line_interpolate_point(longest, [1 / 3, 2 / 3], normalized=True)
    return near[best], shapely.LineString(third)


def _set_shape(frame: gpd.GeoDataFrame, row: int, shape: shapely.Geometry) -> None:
    shapes = frame.geometry.to_numpy().copy()
    shapes[row] = shape
    frame[frame.geometry.name] = gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs)


def _overlap(frame: gpd.GeoDataFrame, row: int, near: list[int]) -> _Planted | None:
    other, line = _border(frame, row, near)
    if line is None:
        return None
    before = frame.geometry.iloc[row]
    grown = shapely.union(before, shapely.intersection(line.buffer(_STRIP_M, cap_style="flat"), frame.geometry.iloc[other]))
    place = shapely.intersection(grown, frame.geometry.iloc[other])
    if grown.geom_type != "Polygon" or place.area <= 0:
        return None
    _set_shape(frame, row, grown)
    return frame, row, other, place


def _gap(frame: gpd.GeoDataFrame, row: int, near: list[int]) -> _Planted | None:
    other, line = _border(frame, row, near)
    if line is None:
        return None
    before = frame.geometry.iloc[row]
    shrunk = shapely.difference(before, line.buffer(_STRIP_M, cap_style="flat"))
    if shrunk.geom_type != "Polygon" or not 0 < before.area - shrunk.area < before.area / 2:
        return None
    _set_shape(frame, row, shrunk)
    return frame, row, other, shapely.difference(before, shrunk)


def _bow_tie(frame: gpd.GeoDataFrame, row: int, near: list[int]) -> _Planted | None:
    shape = frame.geometry.iloc[row]
    ring = shapely.get_coordinates(shape.exterior)[:-1]
    for k in range(1, len(ring) - 1):
        swapped = ring.copy()
        swapped[[k, k + 1]] = swapped[[k + 1, k]]
        twisted = shapely.Polygon(swapped, [r.coords for r in shape.interiors])
        if not twisted.is_valid:
            _set_shape(frame, row, twisted)
            return frame, row, -1, shapely.Point(ring[k])
    return None


def _swapped_ring(frame: gpd.GeoDataFrame, row: int, near: list[int]) -> _Planted | None:
    shape = frame.geometry.iloc[row]
    x, y = shapely.get_coordinates(shapely.point_on_surface(shape))[0]
    half = min(2.0, shape.boundary.distance(shapely.Point(x, y)) / 3)
    if shape.interiors or half < 0.05:
        return None
    inner = np.round(np.array([[x - half, y - half], [x + half, y - half], [x + half, y + half], [x - half, y + half]]), 3)
    _set_shape(frame, row, shapely.Polygon(inner, [shape.exterior.coords]))
    return frame, row, -1, shapely.Point(x, y)


def _sliver(frame: gpd.GeoDataFrame, row: int, near: list[int]) -> _Planted | None:
    shape = shapely.orient_polygons(frame.geometry.iloc[row])
    ring = shapely.get_coordinates(shape.exterior)
    edge = np.hypot(*np.diff(ring, axis=0).T)
    for k in np.flatnonzero((edge > _SLIVER_EDGE_M[0]) & (edge < _SLIVER_EDGE_M[1])).tolist():
        a, b = ring[k], ring[k + 1]
        inward = np.array([a[1] - b[1], b[0] - a[0]]) / edge[k]
        tip = np.round((a + b) / 2 + inward * _SLIVER_DEPTH_M, 3)
        thin = shapely.Polygon([a, b, tip])
        rest = shapely.Polygon(np.vstack([ring[: k + 1], tip, ring[k + 1 :]]), [r.coords for r in shape.interiors])
        if thin.is_valid and rest.is_valid and thin.area > 0 and shapely.is_ccw(thin.exterior):
            return _with_sliver(frame, row, rest, thin)
    return None


def _with_sliver(frame: gpd.GeoDataFrame, row: int, rest: shapely.Polygon, thin: shapely.Polygon) -> _Planted:
    _set_shape(frame, row, rest)
    extra = frame.iloc[[row]].copy()
    extra["patch_id"] = _spare_id(frame)
    if "area_m2" in extra:
        extra["area_m2"] = extra["class_area_m2"] = 0.01
    for zero in ("ridge_coefficient", "ridge_area_m2"):
        if zero in extra:
            extra[zero] = 0.0
    extra[frame.geometry.name] = gpd.GeoSeries([thin], index=extra.index, crs=frame.crs)
    longer = gpd.GeoDataFrame(pd.concat([frame, extra], ignore_index=True), geometry=frame.geometry.name, crs=frame.crs)
    return longer, len(longer) - 1, row, thin


def _spare_id(frame: gpd.GeoDataFrame) -> str:
    last = frame["patch_id"].dropna().astype(str).max()
    return f"{int(last) + 1:0{len(last)}d}" if last.isdigit() else f"{last}-1"


def _duplicate_id(frame: gpd.GeoDataFrame, row: int, near: list[int]) -> _Planted:
    frame.loc[row, "patch_id"] = frame.loc[near[0], "patch_id"]
    return frame, row, near[0], None


def _wrong_code(frame: gpd.GeoDataFrame, row: int, near: list[int]) -> _Planted:
    frame.loc[row, "class_code"] = _WRONG_CLASS
    return frame, row, -1, None


def _null_class(frame: gpd.GeoDataFrame, row: int, near: list[int]) -> _Planted:
    frame.loc[row, "class_code"] = None
    return frame, row, -1, None


def _area_mismatch(frame: gpd.GeoDataFrame, row: int, near: list[int]) -> _Planted:
    area = round(float(frame.loc[row, "area_m2"]) * _AREA_FACTOR, 2)
    share = float(frame.loc[row, "ridge_coefficient"]) if "ridge_coefficient" in frame else 0.0
    ridge = round(area * share, 2)
    frame.loc[row, ["area_m2", "class_area_m2"]] = [area, round(area - ridge, 2)]
    if "ridge_area_m2" in frame:
        frame.loc[row, "ridge_area_m2"] = ridge
    return frame, row, -1, None


def _mojibake(frame: gpd.GeoDataFrame, row: int, near: list[int]) -> _Planted | None:
    good = str(frame.loc[row, "owner_name"])
    bad = good.encode("utf-8").decode("gbk", errors="replace")
    if bad == good:
        return None
    frame.loc[row, "owner_name"] = bad
    return frame, row, -1, None


FAULT_KINDS: dict[str, tuple[str, Callable[[gpd.GeoDataFrame, int, list[int]], _Planted | None]]] = {
    "overlap": ("D-05", _overlap),
    "gap": ("D-05", _gap),
    "bow_tie": ("D-05", _bow_tie),
    "swapped_ring": ("D-05", _swapped_ring),
    "sliver": ("D-05", _sliver),
    "duplicate_id": ("", _duplicate_id),
    "wrong_code": ("", _wrong_code),
    "null_class": ("", _null_class),
    "area_mismatch": ("D-04", _area_mismatch),
    "mojibake": ("", _mojibake),
}
"""Kinds of faults: the rule that forbids each ('' where a field rule does), and how it is planted."""
