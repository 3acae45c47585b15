"""Movement of the ground over any working faces, at the end and on any day (开采沉陷预计)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import get_num_threads, set_num_threads

from qianmo.schema.errors import SchemaError
from qianmo.survey.subsidence.face import Face, acting_polygon, dip_direction, largest_subsidence_mm, radius_m
from qianmo.survey.subsidence.influence import MAPS, moved_points
from qianmo.survey.subsidence.parameters import propagation_angle_deg

__all__ = ["Movement", "in_direction", "predict", "principal"]


@dataclass(frozen=True)
class Movement:
    """Movement of n points (移动变形值).

    Attributes
    ----------
    subsidence_mm : ndarray (n,)
        Down positive.
    tilt_mm_m, horizontal_mm : ndarray (n, 2)
        East and north components; the tilt points where the ground sinks more.
    curvature_e3_m, strain_mm_m : ndarray (n, 3)
        Components east-east, east-north, north-north; stretching positive.
    """

    subsidence_mm: np.ndarray
    tilt_mm_m: np.ndarray
    curvature_e3_m: np.ndarray
    horizontal_mm: np.ndarray
    strain_mm_m: np.ndarray


def predict(points_m: np.ndarray, faces: Sequence[Face], *, shares: Sequence[float] | None = None) -> Movement:
    """Movement of points by all faces together (多工作面叠加).

    Parameters
    ----------
    points_m : ndarray (n, 2)
        East and north in the metric CRS of the faces [m].
    faces : sequence of Face
    shares : sequence of float, optional
        How much of each face's final movement has come about, 0 to 1 (see `developed_share`); 1 where not given.

    Returns
    -------
    Movement

    Raises
    ------
    SchemaError
        No face, points that are not finite pairs, or shares that do not match the faces.
    """
    xy = np.ascontiguousarray(points_m, dtype=float)
    if xy.ndim != 2 or xy.shape[1] != 2 or not np.isfinite(xy).all():
        bad = [] if xy.ndim != 2 else np.flatnonzero(~np.isfinite(xy).all(axis=1))[:10].tolist()
        raise SchemaError(f"预计点坐标有误, 行 {bad}", expected="(n, 2) 的有限坐标, 单位米", cure="删除或补齐缺坐标的点")
    if not len(faces):
        raise SchemaError("没有工作面", expected="至少一个工作面")
    given = np.ones(len(faces)) if shares is None else np.asarray(shares, dtype=float)
    if given.shape != (len(faces),) or not np.isfinite(given).all() or (given < 0).any() or (given > 1).any():
        raise SchemaError(f"完成比例 {given}", expected=f"{len(faces)} 个 0 至 1 之间的数")
    rings = [acting_polygon(f) for f in faces]
    starts = np.concatenate([[0], np.cumsum([len(r) for r in rings])]).astype(np.int64)
    drift = np.array([_drift(f) for f in faces])
    found = _alone_if_few(
        xy, np.concatenate(rings), starts, np.array([radius_m(f) for f in faces]), given * [largest_subsidence_mm(f) for f in faces],
        np.array([f.parameters.b for f in faces]), drift,
    )  # fmt: skip
    row = dict(zip(MAPS, found))
    return Movement(
        row["w"], np.column_stack([row["ix"], row["iy"]]), np.column_stack([row["kxx"], row["kxy"], row["kyy"]]),
        np.column_stack([row["ux"], row["uy"]]), np.column_stack([row["exx"], row["exy"], row["eyy"]]),
    )  # fmt: skip


def in_direction(tensor: np.ndarray, azimuth_deg: float) -> np.ndarray:
    """Curvature or strain (n, 3) seen along a direction, clockwise from north (指定方向的变形)."""
    e, n = np.sin(np.radians(azimuth_deg)), np.cos(np.radians(azimuth_deg))
    return tensor[:, 0] * e * e + 2.0 * tensor[:, 1] * e * n + tensor[:, 2] * n * n


def principal(tensor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Largest and smallest value of curvature or strain (n, 3) over all directions (主变形)."""
    middle, half = (tensor[:, 0] + tensor[:, 2]) / 2.0, np.hypot((tensor[:, 0] - tensor[:, 2]) / 2.0, tensor[:, 1])
    return middle + half, middle - half


_FEW = 20_000
"""Points times faces below which starting threads costs more than they save: a fit asks thousands of times for a few hundred points."""


def _alone_if_few(xy: np.ndarray, *rest: np.ndarray) -> np.ndarray:
    threads = get_num_threads()
    set_num_threads(1 if len(xy) * len(rest[2]) < _FEW else threads)
    try:
        return moved_points(xy, *rest)
    finally:
        set_num_threads(threads)


def _drift(face: Face) -> np.ndarray:
    angle = np.radians(propagation_angle_deg(face.dip_deg, face.parameters.propagation))
    return dip_direction(face) / np.tan(angle)
