"""From a consolidation area with its roads and ditches to straight fields (田块设计)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from qianmo.planning.allotment.frontage import frontage_of
from qianmo.planning.allotment.settings import AllotmentSettings
from qianmo.schema.errors import SchemaError, TopologyError

__all__ = ["FieldDesign", "design_fields", "strips_across"]

_SLIVER_M2 = 1.0
_NOTHING_M2 = 1e-6


@dataclass(frozen=True, eq=False)
class FieldDesign:
    """Fields and new tracks (田块设计结果).

    Parameters
    ----------
    fields : (n,) of Polygon
        All with a border on a road or a track. [m]
    tracks : (m,) of Polygon
        New farm tracks, cut out of the fields. [m2 lost to production]
    remnants : (r,) of Polygon
        Pieces too small for a lot, or on no road: for common use or for merging by hand.
    direction_deg : (n,) float
        Direction of the long side, anticlockwise from east, 0 to below 180.
    length_m, depth_m : (n,) float
        Extent along and across that direction.
    """

    fields: np.ndarray
    tracks: np.ndarray
    remnants: np.ndarray
    direction_deg: np.ndarray
    length_m: np.ndarray
    depth_m: np.ndarray


def design_fields(
    area: shapely.Geometry, road_surface: shapely.Geometry, ditch_surface: shapely.Geometry, *, settings: AllotmentSettings,
    slope_deg: float = 0.0, contour_direction_deg: float | None = None,
) -> FieldDesign:  # fmt: skip
    """Straight fields between given roads and ditches (田块设计).

    The area less roads and ditches falls into faces. Each face takes the direction of its longest road side, or that of
    the contour where the mean slope reaches the limit. A face deeper than the limit gets tracks along that direction,
    a face longer than the limit tracks across it; strips between tracks are of equal size.

    Parameters
    ----------
    area : Polygon or MultiPolygon
        Consolidation area. [m]
    road_surface, ditch_surface : Geometry
        Roads and ditches with their width; empty where there are none.
    settings : AllotmentSettings
        `depth_max_m`, `field_length_max_m`, `track_width_m`, `frontage_reach_m`, `lot_area_min_m2`, `contour_slope_min_deg`.
    slope_deg : float
        Mean slope of the area. [degree]
    contour_direction_deg : float, optional
        Direction of the contour lines, anticlockwise from east.

    Returns
    -------
    FieldDesign
        Fields, tracks, remnants, roads and ditches make up the area without overlap.

    Raises
    ------
    TopologyError
        The area is not valid or no field is left.
    SchemaError
        The slope asks for contours and none are given.
    """
    if area.is_empty or not area.is_valid or area.area <= 0:
        raise TopologyError(f"consolidation area: {shapely.is_valid_reason(area)}", expected="a valid polygon", cure="修复整治区范围图形")
    steep = slope_deg >= settings.contour_slope_min_deg
    if steep and contour_direction_deg is None:
        raise SchemaError(f"mean slope {slope_deg:.1f}° and no contour direction", expected="contour_direction_deg", cure="提供等高线方向或高程数据")
    land = shapely.difference(area, shapely.union_all([road_surface, ditch_surface]))
    fields: list[shapely.Polygon] = []
    tracks: list[shapely.Geometry] = []
    ways: list[float] = []
    loose: list[shapely.Polygon] = []
    faces, horns = _without_necks(shapely.get_parts(land), settings.track_width_m)
    loose += horns
    for face in faces:
        if face.area < max(settings.lot_area_min_m2, _SLIVER_M2):
            loose.append(face)
            continue
        way = np.radians(contour_direction_deg or 0.0) if steep else _direction(face, road_surface, settings)
        strips = shapely.union_all(_strips(face, way, settings))
        mine = [p for p in shapely.get_parts(shapely.intersection(face, strips)) if p.area > 0]
        new_roads = shapely.union_all([road_surface, *mine])
        tracks += mine
        for part in shapely.get_parts(shapely.difference(face, strips)):
            if part.area <= _NOTHING_M2:
                continue
            good = part.area >= settings.lot_area_min_m2 and _has_road(part, new_roads, settings)
            (fields if good else loose).append(part)
            if good:
                ways.append(float(np.degrees(way)) % 180.0)
    if not fields:
        raise TopologyError("no field is left between the roads and ditches", expected="faces with a border on a road", cure="检查道路是否与整治区相接")
    sizes = np.array([_extent(f, np.radians(w)) for f, w in zip(fields, ways)])
    none = np.empty(0, dtype=object)
    return FieldDesign(
        np.array(fields, dtype=object), np.array(tracks, dtype=object) if tracks else none, np.array(loose, dtype=object) if loose else none,
        np.array(ways), sizes[:, 0], sizes[:, 1],
    )  # fmt: skip


def strips_across(face: shapely.Polygon, way: float, *, most_m: float, track_m: float) -> list[shapely.Polygon]:
    """Strips square to the direction `way` that cut a face into equal parts of at most `most_m`; they reach beyond it (切分田间路).

    Parameters
    ----------
    face : Polygon
    way : float
        Direction along which the face is too long. [rad]
    most_m, track_m : float
        Longest part; width of each track. [m]
    """
    axis = np.array([np.cos(way), np.sin(way)])
    along, side = shapely.get_coordinates(face) @ axis, shapely.get_coordinates(face) @ np.array([-axis[1], axis[0]])
    low, length = along.min(), along.max() - along.min()
    count = int(np.ceil((length + track_m) / (most_m + track_m) - 1e-9))
    part = (length - (count - 1) * track_m) / max(count, 1)
    out = []
    for k in range(1, count):
        start = low + k * part + (k - 1) * track_m
        corners = [(start, side.min() - 1), (start + track_m, side.min() - 1), (start + track_m, side.max() + 1), (start, side.max() + 1)]
        out.append(shapely.Polygon([u * axis + v * np.array([-axis[1], axis[0]]) for u, v in corners]))
    return out


def _without_necks(faces: np.ndarray, width: float) -> tuple[list[shapely.Polygon], list[shapely.Polygon]]:
    """Faces without necks and horns narrower than a track, and what was taken off; other faces stay as they are."""
    kept: list[shapely.Polygon] = []
    taken: list[shapely.Polygon] = []
    for face in faces:
        core = shapely.buffer(shapely.buffer(face, -width / 2, join_style="mitre"), width / 2, join_style="mitre")
        rest = [p for p in shapely.get_parts(shapely.difference(face, core)) if p.area > _SLIVER_M2]
        if rest:
            rest_all = shapely.union_all(rest)
            kept += [p for p in shapely.get_parts(shapely.difference(face, rest_all)) if p.area > _SLIVER_M2]
            taken += rest
        else:
            kept.append(face)
    return kept, taken


def _strips(face: shapely.Polygon, way: float, s: AllotmentSettings) -> list[shapely.Polygon]:
    """Strips along the direction (tiers) and across it, where the face is deeper or longer than a field may be."""
    tiers = strips_across(face, way + np.pi / 2, most_m=s.depth_max_m, track_m=s.track_width_m)
    return tiers + strips_across(face, way, most_m=s.field_length_max_m, track_m=s.track_width_m)


def _direction(face: shapely.Polygon, roads: shapely.Geometry, s: AllotmentSettings) -> float:
    if not roads.is_empty and _has_road(face, roads, s):
        main = frontage_of(face, roads, reach_m=s.frontage_reach_m).main
        step = main[-1] - main[0]
        return float(np.arctan2(step[1], step[0]))
    ring = np.asarray(shapely.oriented_envelope(face).exterior.coords)
    steps = np.diff(ring, axis=0)
    step = steps[np.argmax(np.linalg.norm(steps, axis=1))]
    return float(np.arctan2(step[1], step[0]))


def _has_road(face: shapely.Polygon, roads: shapely.Geometry, s: AllotmentSettings) -> bool:
    try:
        frontage_of(face, roads, reach_m=s.frontage_reach_m)
    except TopologyError:
        return False
    return True


def _extent(face: shapely.Polygon, way: float) -> tuple[float, float]:
    axis = np.array([np.cos(way), np.sin(way)])
    points = shapely.get_coordinates(face)
    return float(np.ptp(points @ axis)), float(np.ptp(points @ np.array([-axis[1], axis[0]])))
