"""A block between roads and ditches cut into lots of exact value (块内分地)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from qianmo.planning.allotment.frontage import Frontage, cut_axis, frontage_within
from qianmo.planning.allotment.profile import ValueProfile, position_of, value_profile
from qianmo.schema.errors import InfeasibleError, MissingDataError, SchemaError, TopologyError

__all__ = ["Partition", "fitting_axis", "partition", "refuse_narrow", "soil_pieces"]

_UNCOVERED = 1e-6
_WIDTH_SLACK_M = 1e-6


@dataclass(frozen=True, eq=False)
class Partition:
    """Lots of one block in their order along the axis (分地结果).

    Parameters
    ----------
    lots : (n,) of Polygon
        They share their corners exactly and fill the block. [m]
    cuts : (n + 1,) float
        Positions of the cut lines, the ends of the block included. [m]
    width_m, frontage_m : (n,) float
        Distance between the side lines; length of border on a road. [m]
    axis : (2,) float
        Unit vector square to the cut lines.
    """

    lots: np.ndarray
    cuts: np.ndarray
    width_m: np.ndarray
    frontage_m: np.ndarray
    axis: np.ndarray


def soil_pieces(
    block: shapely.Polygon, zones: np.ndarray, unit_value: np.ndarray, *, block_id: str = ""
) -> tuple[np.ndarray, np.ndarray]:
    """The block cut by the soil polygons, and the unit value of each piece (地块内价值分区).

    Raises
    ------
    MissingDataError
        A part of the block has no value, or has two.
    """
    touched = np.flatnonzero(shapely.intersects(zones, block)) if len(zones) else np.array([], dtype=int)
    cut = shapely.intersection(zones[touched], block) if len(touched) else np.array([], dtype=object)
    area = shapely.area(cut)
    keep = area > 0
    if abs(area.sum() - block.area) > _UNCOVERED * block.area:
        what = "has no soil value" if area.sum() < block.area else "has two soil values"
        raise MissingDataError(
            f"block {block_id or '?'}: {abs(block.area - area.sum()):.2f} m2 of {block.area:.2f} m2 {what}",
            expected="soil polygons that cover every block once", cure="补全价值分区图层, 或消除价值分区之间的重叠",
        )  # fmt: skip
    return cut[keep], np.asarray(unit_value, dtype=float)[touched[keep]]


def fitting_axis(
    block: shapely.Polygon, pieces: np.ndarray, unit_value: np.ndarray, frontage: Frontage, *, cut: str, lots: int = 12
) -> np.ndarray | None:
    """Axis for the cut lines asked for, or for the other direction where only that one cuts the block cleanly (选择分地轴线).

    Tried with `lots` lots of equal value: each must be one piece with frontage. None where neither direction does: the
    block is too crooked for parallel lines, see `ruled_partition`.
    """
    ways = [cut_axis(block, frontage, cut=c) for c in (cut, "sides" if cut == "perpendicular" else "perpendicular")]
    for axis in ways:
        try:
            partition(block, np.ones(lots), pieces, unit_value, frontage, axis)
        except (TopologyError, InfeasibleError):
            continue
        return axis
    return None


def partition(
    block: shapely.Polygon, values: np.ndarray, pieces: np.ndarray, unit_value: np.ndarray, frontage: Frontage, axis: np.ndarray, *,
    width_min_m: float = 0.0, block_id: str = "", names: tuple[str, ...] = (), profile: ValueProfile | None = None,
) -> Partition:  # fmt: skip
    """Cut a block by parallel lines so that every lot has its value exactly (块内分地).

    Parameters
    ----------
    block : Polygon
        May be concave, may have holes. [m]
    values : (n,) float or int
        Value of each lot in order along the axis; their ratios count, the block's own value is shared out by them.
    pieces, unit_value
        As made by `soil_pieces`.
    frontage : Frontage
    axis : (2,) float
        As made by `cut_axis`.
    width_min_m : float
        Least distance between the side lines of a lot. [m]
    block_id, names : str, tuple of str
        For messages.

    Returns
    -------
    Partition
        Every lot is one polygon with frontage; relative error of its value below 1e-9 for blocks of up to 10 km.

    Raises
    ------
    InfeasibleError
        A lot would be narrower than the limit or have too little frontage; lots and figures are named.
    TopologyError
        A cut line leaves the block and enters it again (the block is too crooked for parallel cuts).
    SchemaError
        A value is not above 0.
    """
    shares = np.asarray(values, dtype=float)
    label = names or tuple(str(k + 1) for k in range(len(shares)))
    bad = [label[k] for k in np.flatnonzero(~(np.isfinite(shares) & (shares > 0)))]
    if bad or not len(shares):
        raise SchemaError(f"block {block_id or '?'}: lots {bad[:5]} without a value above 0", expected="values above 0")
    curve = value_profile(pieces, unit_value, axis) if profile is None else profile
    if curve.total <= 0:
        raise SchemaError(f"block {block_id or '?'} has no value", expected="a unit value above 0 somewhere")
    inner = position_of(curve, curve.total * (np.cumsum(shares)[:-1] / shares.sum()))
    cuts = np.concatenate([curve.at[:1], inner, curve.at[-1:]])
    width = np.diff(cuts)
    front = frontage_within(frontage, axis, cuts)
    refuse_narrow(width, front, width_min_m, block_id, label)
    return Partition(_pieces_between(block, cuts, axis, block_id, label), cuts, width, front, axis)


def refuse_narrow(width: np.ndarray, front: np.ndarray, least: float, block_id: str, label: tuple[str, ...]) -> None:
    """Raise for lots narrower than `least` or without frontage (宽度与临路检查).

    Raises
    ------
    InfeasibleError
        Lots and figures are named.
    """
    thin = np.flatnonzero(width < least - _WIDTH_SLACK_M)
    if len(thin):
        shown = ", ".join(f"{label[k]} {width[k]:.2f} m" for k in thin[:5])
        raise InfeasibleError(
            f"block {block_id or '?'}: {len(thin)} lots narrower than {least:g} m ({shown})",
            conflict=("allot_lot_width_min_m", "lot value", "block shape"), cure="合并小地块、减少该块的承包户、加深地块或调低最小宽度",
        )  # fmt: skip
    blind = np.flatnonzero(front < min(least, 1.0) if least else front <= 0)
    if len(blind):
        shown = ", ".join(f"{label[k]} {front[k]:.2f} m" for k in blind[:5])
        raise InfeasibleError(
            f"block {block_id or '?'}: {len(blind)} lots without frontage ({shown})", conflict=("frontage", "block shape", "direction of cuts"),
            cure="改用 --cut sides (界线平行于端边), 或在地块后部补一条田间路",
        )  # fmt: skip


def _pieces_between(block: shapely.Polygon, cuts: np.ndarray, axis: np.ndarray, block_id: str, label: tuple[str, ...]) -> np.ndarray:
    """Faces of the block between cut lines; neighbours share their corners because border and lines are noded together."""
    if len(cuts) == 2:
        return np.array([block], dtype=object)
    across = np.array([-axis[1], axis[0]])
    reach = shapely.get_coordinates(block) @ across
    low, high = reach.min() - 1.0, reach.max() + 1.0
    foot = cuts[1:-1, None] * axis
    lines = shapely.linestrings(np.stack([foot + low * across, foot + high * across], axis=1))
    noded = shapely.node(shapely.multilinestrings([*shapely.get_parts(block.boundary), *lines]))
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    inside = shapely.point_on_surface(faces)
    shapely.prepare(block)
    kept = shapely.contains_properly(block, inside)
    faces, inside = faces[kept], inside[kept]
    lot = np.clip(np.searchsorted(cuts, shapely.get_coordinates(inside) @ axis) - 1, 0, len(cuts) - 2)
    count = np.bincount(lot, minlength=len(cuts) - 1)
    torn = np.flatnonzero(count != 1)
    if len(torn):
        raise TopologyError(
            f"block {block_id or '?'}: lot {label[torn[0]]} falls into {count[torn[0]]} parts",
            expected="a block that every cut line crosses once", cure="地块过于弯曲: 在转折处用田间路分成两块, 或改用 --cut sides",
        )  # fmt: skip
    return faces[np.argsort(lot)]
