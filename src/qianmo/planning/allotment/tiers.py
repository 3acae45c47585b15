"""Blocks too deep for one row of lots: tiers with a farm track between them (分层地块)."""

from __future__ import annotations

import numpy as np
import shapely

from qianmo.planning.allotment.fields import strips_across
from qianmo.planning.allotment.frontage import Frontage
from qianmo.planning.allotment.settings import AllotmentSettings
from qianmo.schema.errors import InfeasibleError

__all__ = ["depth_of", "tiers_of"]

_NO_TRACK_M = 1e-9


def depth_of(block: shapely.Polygon, frontage: Frontage) -> float:
    """Extent of a block square to its main frontage. [m]"""
    step = frontage.main[-1] - frontage.main[0]
    return float(np.ptp(shapely.get_coordinates(block) @ np.array([-step[1], step[0]])) / np.linalg.norm(step))


def tiers_of(
    block: shapely.Polygon, frontage: Frontage, *, settings: AllotmentSettings, block_id: str = ""
) -> tuple[list[shapely.Polygon], list[shapely.Geometry]]:
    """Tiers of a block from the main frontage backwards, and the tracks between them (分层与田间路).

    A block within the depth limit stays whole. One with roads on both edges and no more than twice the limit deep falls
    into two tiers without a track; every other deep block gets tracks of `track_width_m`.

    Raises
    ------
    InfeasibleError
        A track is needed and its width is set to 0.
    """
    depth = depth_of(block, frontage)
    if depth <= settings.depth_max_m:
        return [block], []
    width = settings.track_width_m
    if frontage.is_double and depth <= 2 * settings.depth_max_m:
        width = 0.0
    elif width <= 0:
        raise InfeasibleError(
            f"block {block_id or '?'} is {depth:.1f} m deep, has one road and no track may be laid",
            conflict=("allot_depth_max_m", "allot_track_width_m", "frontage"), cure="允许设置田间路 (allot_track_width_m > 0) 或调大 allot_depth_max_m",
        )  # fmt: skip
    step = frontage.main[-1] - frontage.main[0]
    back = float(np.arctan2(step[1], step[0])) + np.pi / 2
    strips = shapely.union_all(strips_across(block, back, most_m=settings.depth_max_m, track_m=width or _NO_TRACK_M))
    rest = shapely.get_parts(shapely.difference(block, strips))
    tracks = shapely.get_parts(shapely.intersection(block, strips))
    inward = np.array([np.cos(back), np.sin(back)])
    rest = sorted((p for p in rest if p.area > _NO_TRACK_M), key=lambda p: float(shapely.get_coordinates(p.centroid)[0] @ inward))
    return rest, [t for t in tracks if t.area > 0] if width else []
