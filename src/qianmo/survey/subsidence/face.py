"""Working faces: any polygon, dip and depth, as the area that acts on the ground (工作面)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from qianmo.schema.errors import SchemaError, TopologyError
from qianmo.survey.subsidence.parameters import SubsidenceParameters, influence_radius_m, propagation_angle_deg

__all__ = ["Face", "acting_polygon", "dip_direction", "inner_ring", "largest_subsidence_mm", "radius_m"]



@dataclass(frozen=True)
class Face:
    """One working face (工作面).

    Attributes
    ----------
    polygon : Polygon
        Goaf in plan, metric CRS [m], without holes.
    depth_m : float
        Mean depth of the seam below ground [m], at the polygon's centroid.
    thickness_m : float
        Mined thickness [m].
    dip_deg : float
        Dip of the seam α, 0 to below 75.
    dip_azimuth_deg : float
        Direction of the dip, clockwise from north.
    parameters : SubsidenceParameters
        What the rock does.
    name : str
        Name for tables and messages.

    Raises
    ------
    SchemaError
        Depth, thickness, dip or azimuth are out of range.
    TopologyError
        The polygon is empty, invalid, in parts or holed.
    """

    polygon: shapely.Polygon
    depth_m: float
    thickness_m: float
    parameters: SubsidenceParameters
    dip_deg: float = 0.0
    dip_azimuth_deg: float = 0.0
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse a face that cannot be."""
        for what, value, low, high in (
            ("采深 depth_m", self.depth_m, 1.0, 3000.0), ("采厚 thickness_m", self.thickness_m, 1e-3, 60.0),
            ("倾角 dip_deg", self.dip_deg, 0.0, 75.0), ("倾向 dip_azimuth_deg", self.dip_azimuth_deg, 0.0, 360.0),
        ):  # fmt: skip
            if not (np.isfinite(value) and low <= value <= high):
                raise SchemaError(f"工作面 {self.name}: {what} = {value}", expected=f"{low:g} 至 {high:g}", cure="核对单位 (米、度)")
        p = self.polygon
        if not isinstance(p, shapely.Polygon) or p.is_empty or not p.is_valid or len(p.interiors):
            raise TopologyError(f"工作面 {self.name}: 图形为空、自交、多部件或有洞", expected="一个没有洞的有效多边形", cure="修复图形, 或按部件拆成几个工作面")


def largest_subsidence_mm(face: Face) -> float:
    """W0 = m q cos α [mm] (最大下沉值)."""
    return 1000.0 * face.thickness_m * face.parameters.q * float(np.cos(np.radians(face.dip_deg)))


def dip_direction(face: Face) -> np.ndarray:
    """Unit vector (east, north) down the dip (倾向单位向量)."""
    azimuth = np.radians(face.dip_azimuth_deg)
    return np.array([np.sin(azimuth), np.cos(azimuth)])


def acting_polygon(face: Face) -> np.ndarray:
    """Ring of the area that acts on the ground, anticlockwise, not closed [m] (计算开采边界).

    Each edge moves inward by the inflection offset of its side; then each vertex moves down-dip by H·cot θ0, with H the
    depth of the seam under that vertex, so that a panel of length D along the dip acts with D·sin(θ0+α)/sin θ0.

    Returns
    -------
    ndarray (k, 2), float

    Raises
    ------
    SchemaError
        The offsets leave nothing of the face, or the seam would reach the surface.
    """
    inner = inner_ring(face)
    dip = dip_direction(face)
    centre = np.asarray(face.polygon.centroid.coords)[0]
    depth = face.depth_m + np.tan(np.radians(face.dip_deg)) * ((inner - centre) @ dip)
    if (depth <= 0).any():
        raise SchemaError(f"工作面 {face.name}: 按倾角推算煤层出露地表 (最小采深 {depth.min():.1f} m)", expected="采深处处大于 0", cure="核对采深、倾角与倾向")
    angle = np.radians(propagation_angle_deg(face.dip_deg, face.parameters.propagation))
    return inner + (depth / np.tan(angle))[:, None] * dip


def inner_ring(face: Face) -> np.ndarray:
    """Ring between the inflection points, anticlockwise, not closed, (k, 2) [m] (拐点连线): each edge moved inward by its offset.

    Raises
    ------
    SchemaError
        The offsets leave nothing of the face.
    """
    ring = np.asarray(face.polygon.exterior.coords)[:-1, :2]
    if not shapely.LinearRing(ring).is_ccw:
        ring = ring[::-1]
    shift = _offsets(ring, face)
    if not shift.any():
        return ring
    step = np.roll(ring, -1, axis=0) - ring
    along = step / np.linalg.norm(step, axis=1)[:, None]
    inward = np.column_stack([-along[:, 1], along[:, 0]])
    anchor = ring + inward * shift[:, None]
    before = np.roll(np.arange(len(ring)), 1)
    moved = np.array([_crossing(anchor[a], along[a], anchor[b], along[b]) for a, b in zip(before, range(len(ring)))])
    left = shapely.Polygon(moved)
    kept = ((np.roll(moved, -1, axis=0) - moved) * along).sum(axis=1) > 0
    if not left.is_valid or not kept.all() or not left.area > 0:
        raise SchemaError(f"工作面 {face.name}: 拐点偏移距大于工作面尺寸", expected="偏移后仍为有效多边形", cure="核对拐点偏移距 s1-s4 与工作面边界")
    return moved


def _offsets(ring: np.ndarray, face: Face) -> np.ndarray:
    """Offset of each edge by the side it faces: down-dip s1, up-dip s2, left s3 and right s4 looking down the dip."""
    p = face.parameters
    step = np.roll(ring, -1, axis=0) - ring
    outward = np.column_stack([step[:, 1], -step[:, 0]])
    dip = dip_direction(face)
    down, right = outward @ dip, outward @ np.array([dip[1], -dip[0]])
    across = np.abs(down) >= np.abs(right)
    return np.where(across, np.where(down > 0, p.offset_down_m, p.offset_up_m), np.where(right > 0, p.offset_right_m, p.offset_left_m))


def _crossing(a: np.ndarray, along_a: np.ndarray, b: np.ndarray, along_b: np.ndarray) -> np.ndarray:
    cross = along_a[0] * along_b[1] - along_a[1] * along_b[0]
    if abs(cross) < 1e-9:
        return b
    gap = b - a
    return a + along_a * ((gap[0] * along_b[1] - gap[1] * along_b[0]) / cross)


def radius_m(face: Face) -> float:
    """Main influence radius of a face [m] (主要影响半径)."""
    return influence_radius_m(face.depth_m, face.parameters.tan_beta)
