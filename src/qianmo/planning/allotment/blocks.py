"""Blocks ready to be cut: tiers, frontage, axis, soil pieces, value curve (待分地块)."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.planning.allotment.frontage import Frontage, cut_axis, frontage_of
from qianmo.planning.allotment.partition import fitting_axis, soil_pieces
from qianmo.planning.allotment.profile import ValueProfile, steepest_value, value_profile
from qianmo.planning.allotment.ruled import Ruling, least_ruled_lot, ruled_profile, ruling_of
from qianmo.planning.allotment.settings import AllotmentSettings
from qianmo.planning.allotment.tiers import tiers_of
from qianmo.schema.rules import parameter

__all__ = ["ReadyBlock", "least_lot", "ready_blocks", "surfaces"]


@dataclass(frozen=True, eq=False)
class ReadyBlock:
    """A block, or a tier of one, ready to be cut (待分地块).

    `unit_fen` is the value of a square metre of each piece. `ruling` is there for blocks too crooked for parallel cut lines;
    `axis` then runs along the chord of the road side and `profile` along the road side itself.
    """

    name: str
    parent: str
    shape: shapely.Polygon
    frontage: Frontage
    axis: np.ndarray
    pieces: np.ndarray
    unit_fen: np.ndarray
    profile: ValueProfile
    ruling: Ruling | None = None


def surfaces(lines: gpd.GeoDataFrame) -> tuple[shapely.Geometry, shapely.Geometry]:
    """Surface of roads and of ditches: lines widened to their width, polygons as they are (道路与沟渠占地)."""
    width = pd.to_numeric(lines["width_m"], errors="coerce") if "width_m" in lines.columns else pd.Series(np.nan, index=lines.index)
    out = []
    for kind in ("road", "ditch"):
        mine = (lines["line_kind"] == kind).to_numpy()
        shape, wide = lines.geometry.to_numpy()[mine], width.fillna(parameter(f"allot_{kind}_width_m")).to_numpy(dtype=float)[mine]
        flat = np.where(shapely.get_dimensions(shape) == 1, shapely.buffer(shape, wide / 2, cap_style="flat", join_style="mitre"), shape)
        out.append(shapely.union_all(flat))
    return out[0], out[1]


def ready_blocks(
    blocks: gpd.GeoDataFrame, roads: shapely.Geometry, zones: gpd.GeoDataFrame, settings: AllotmentSettings
) -> tuple[list[ReadyBlock], list[shapely.Geometry]]:
    """Every block, or its tiers where it is too deep, and the tracks laid between tiers (地块准备).

    Raises
    ------
    TopologyError, MissingDataError, InfeasibleError
        A block lies on no road, its soil has no value, or it is too deep and no track may be laid.
    """
    zone_shape, unit = zones.geometry.to_numpy(), zones["unit_value_yuan_m2"].to_numpy(dtype=float) * 100.0
    out: list[ReadyBlock] = []
    tracks: list[shapely.Geometry] = []
    for name, shape in zip(blocks["block_id"].astype(str), blocks.geometry.to_numpy()):
        front = frontage_of(shape, roads, reach_m=settings.frontage_reach_m, block_id=name)
        tiers, laid = tiers_of(shape, front, settings=settings, block_id=name)
        tracks += laid
        near = shapely.union_all([roads, *laid])
        for k, tier in enumerate(tiers, 1):
            own = name if len(tiers) == 1 else f"{name}-{k}"
            mine = front if len(tiers) == 1 else frontage_of(tier, near, reach_m=settings.frontage_reach_m, block_id=own)
            pieces, value = soil_pieces(tier, zone_shape, unit, block_id=own)
            axis = fitting_axis(tier, pieces, value, mine, cut=settings.cut)
            if axis is None:
                ruling = ruling_of(tier, mine, block_id=own)
                along = cut_axis(tier, mine, cut="perpendicular")
                out.append(ReadyBlock(own, name, tier, mine, along, pieces, value, ruled_profile(ruling, pieces, value, block_id=own), ruling))
                continue
            out.append(ReadyBlock(own, name, tier, mine, axis, pieces, value, value_profile(pieces, value, axis)))
    return out, tracks


def least_lot(block: ReadyBlock, s: AllotmentSettings) -> int:
    """Value above which a lot of this block is wide and large enough wherever it lies. [fen]"""
    wide = s.lot_width_min_m
    by_width = least_ruled_lot(block.ruling, block.profile, wide) if block.ruling else steepest_value(block.profile, wide)
    by_area = float(block.unit_fen.max()) * s.lot_area_min_m2
    return min(int(np.ceil(max(by_width, by_area) * (1 + 1e-9))), round(block.profile.total))
