"""From the line of sight to up and east (视线向形变分解)."""

from __future__ import annotations

import numpy as np

from qianmo.schema.errors import SchemaError

__all__ = ["sight_vector", "up_and_east", "vertical"]


def sight_vector(incidence_deg: float, heading_deg: float) -> np.ndarray:
    """Unit vector (east, north, up) from the ground to a right-looking satellite (视线单位向量).

    `heading_deg` is the flight direction clockwise from north: about −12 ascending, −168 descending.
    """
    theta, heading = np.radians(incidence_deg), np.radians(heading_deg)
    return np.array([-np.sin(theta) * np.cos(heading), np.sin(theta) * np.sin(heading), np.cos(theta)])


def vertical(sight_mm: np.ndarray, incidence_deg: np.ndarray | float) -> np.ndarray:
    """Vertical motion if all motion is vertical, v/cos θ, up positive (视线向转垂直向).

    An assumption, to be stated: near the edge of a mine horizontal motion is of the same size and one track cannot tell.

    Raises
    ------
    SchemaError
        Incidence outside 0 to 75 degrees.
    """
    theta = np.asarray(incidence_deg, dtype=float)
    if not ((theta >= 0) & (theta <= 75)).all():
        raise SchemaError(f"入射角 {np.nanmin(theta):g} 至 {np.nanmax(theta):g}", expected="0 至 75 度", cure="核对单位 (度, 非弧度)")
    return np.asarray(sight_mm, dtype=float) / np.cos(np.radians(theta))


def up_and_east(
    ascending_mm: np.ndarray, descending_mm: np.ndarray, *, incidence_ascending_deg: float, incidence_descending_deg: float,
    sigma_ascending_mm: np.ndarray | float = 1.0, sigma_descending_mm: np.ndarray | float = 1.0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Up and east from an ascending and a descending track, with their standard errors (升降轨二维分解).

    asc = U cos θa − E sin θa, desc = U cos θd + E sin θd: right-looking, northward motion is not seen.

    Returns
    -------
    up, east, sigma_up, sigma_east : ndarray
        Shape of the inputs [their unit].

    Raises
    ------
    SchemaError
        Shapes differ, or an incidence outside 5 to 75 degrees.
    """  # fmt: skip
    a, d = np.asarray(ascending_mm, dtype=float), np.asarray(descending_mm, dtype=float)
    if a.shape != d.shape or not (5 <= incidence_ascending_deg <= 75 and 5 <= incidence_descending_deg <= 75):
        raise SchemaError(f"升轨 {a.shape}, 降轨 {d.shape}, 入射角 {incidence_ascending_deg}, {incidence_descending_deg}", expected="同一格网, 入射角 5 至 75 度")
    ta, td = np.radians(incidence_ascending_deg), np.radians(incidence_descending_deg)
    matrix = np.array([[np.cos(ta), -np.sin(ta)], [np.cos(td), np.sin(td)]])
    back = np.linalg.inv(matrix)
    up, east = back[0, 0] * a + back[0, 1] * d, back[1, 0] * a + back[1, 1] * d
    sa, sd = np.broadcast_to(sigma_ascending_mm, a.shape), np.broadcast_to(sigma_descending_mm, a.shape)
    return up, east, np.hypot(back[0, 0] * sa, back[0, 1] * sd), np.hypot(back[1, 0] * sa, back[1, 1] * sd)
