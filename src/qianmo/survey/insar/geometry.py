"""From the line of sight to up and east (视线向形变分解)."""

from __future__ import annotations

import numpy as np

from qianmo.schema.errors import MissingDataError, SchemaError

__all__ = ["check_headings", "heading_degrees", "incidence_degrees", "sight_vector", "up_and_east", "vertical"]

_DEGREES = ("deg", "degree", "degrees", "°", "度")
_RADIANS = ("rad", "radian", "radians", "弧度")
_STEEP, _FLAT = 5.0, 75.0


def sight_vector(incidence_deg: float, heading_deg: float) -> np.ndarray:
    """Unit vector (east, north, up) from the ground to a right-looking satellite (视线单位向量).

    `heading_deg` is the flight direction clockwise from north: about −12 ascending, −168 descending.
    """
    theta, heading = np.radians(incidence_deg), np.radians(heading_deg)
    return np.array([-np.sin(theta) * np.cos(heading), np.sin(theta) * np.sin(heading), np.cos(theta)])


def incidence_degrees(values: np.ndarray, *, stated: str = "", unit: str = "degree") -> np.ndarray:
    """Incidence of every cell in degrees, from a map in degrees or radians (入射角栅格).

    Parameters
    ----------
    values : ndarray, any shape
        Between the vertical and the line of sight at the ground; nan and exactly 0 are no data.
    stated : str
        Unit that the file states; '' where it states none.
    unit : str
        ``degree`` or ``radian``: what the user says it is.

    Returns
    -------
    ndarray, float32
        5 to 75; nan without data.

    Raises
    ------
    MissingDataError
        No cell holds an angle.
    SchemaError
        The file states another unit than the user, the numbers are those of the other unit, or outside 5 to 75 degrees.
    """
    angle = _in_degrees(values, stated, unit, "入射角")
    angle[angle == 0] = np.nan
    if not np.isfinite(angle).any():
        raise MissingDataError("入射角栅格没有有效值", expected="覆盖干涉图的入射角", cure="核对文件与无数据值")
    low, high = float(np.nanmin(angle)), float(np.nanmax(angle))
    if not stated and unit == "degree" and low > 0 and high < np.radians(_FLAT) + 1e-6:
        raise SchemaError(f"入射角栅格 {low:.3g} 至 {high:.3g}, 像是弧度", expected=f"{_STEEP:g} 至 {_FLAT:g} 度", cure="确为弧度时加 --angle-unit radian")
    if not (low >= _STEEP and high <= _FLAT):
        raise SchemaError(
            f"入射角栅格 {low:.4g} 至 {high:.4g} 度", expected=f"{_STEEP:g} 至 {_FLAT:g} 度", cure="核对单位 (--angle-unit) 与无数据值; 须是地面处视线与铅垂线的夹角, 不是视线仰角"
        )
    return angle


def heading_degrees(values: np.ndarray, *, stated: str = "", unit: str = "degree") -> np.ndarray:
    """Flight direction, of every cell or one, clockwise from north, in degrees (航向栅格).

    Parameters
    ----------
    values : ndarray, any shape
        nan is no data.
    stated, unit : str
        As for `incidence_degrees`.

    Raises
    ------
    MissingDataError
        No cell holds an angle.
    SchemaError
        The file states another unit than the user, beyond 360 degrees, or numbers that look like radians.
    """
    angle = _in_degrees(values, stated, unit, "航向")
    if not np.isfinite(angle).any():
        raise MissingDataError("航向没有有效值", expected="覆盖干涉图的航向", cure="核对文件与无数据值")
    if np.nanmax(np.abs(angle)) > 360:
        raise SchemaError(f"航向 {_range(angle)} 度", expected="-360 至 360 度, 由北顺时针", cure="核对单位 (--angle-unit) 与无数据值")
    if not stated and unit == "degree" and np.nanmax(np.abs(angle)) <= 2 * np.pi + 1e-6:
        raise SchemaError(
            f"航向 {_range(angle)}, 像是弧度", expected="度, 由北顺时针: 升轨约 -12, 降轨约 -168", cure="确为弧度时加 --angle-unit radian"
        )
    return angle


def check_headings(ascending_deg: np.ndarray | float, descending_deg: np.ndarray | float) -> None:
    """Refuse headings that are not those of an ascending and a descending track (航向检查).

    Raises
    ------
    SchemaError
        cos α not above one half for the ascending, or not below minus one half for the descending track.
    """
    up, down = (np.asarray(v, dtype=float) for v in (ascending_deg, descending_deg))
    if (np.cos(np.radians(up)) < _LEAST).any() or (np.cos(np.radians(down)) > -_LEAST).any():
        raise SchemaError(
            f"升轨航向 {_range(up)}, 降轨航向 {_range(down)}", expected="由北顺时针: 升轨约 -12 度 (北飞), 降轨约 -168 度 (南飞)", cure="两轨弄反时对调; 给飞行方向, 不是视线方位角"
        )


def vertical(sight_mm: np.ndarray, incidence_deg: np.ndarray | float) -> np.ndarray:
    """Vertical motion if all motion is vertical, v/cos θ, up positive (视线向转垂直向).

    An assumption, to be stated: near the edge of a mine horizontal motion is of the same size and one track cannot tell.

    Parameters
    ----------
    sight_mm : ndarray
    incidence_deg : float or ndarray of the same shape
        nan where it is not known: there the vertical is not known either.

    Raises
    ------
    SchemaError
        Incidence outside 0 to 75 degrees.
    """
    theta = np.asarray(incidence_deg)
    if ((theta < 0) | (theta > _FLAT)).any():
        raise SchemaError(f"入射角 {np.nanmin(theta):g} 至 {np.nanmax(theta):g}", expected="0 至 75 度", cure="核对单位 (度, 非弧度)")
    return np.asarray(sight_mm, dtype=float) / np.cos(np.radians(theta))


def up_and_east(
    ascending_mm: np.ndarray, descending_mm: np.ndarray, *, incidence_ascending_deg: np.ndarray | float, incidence_descending_deg: np.ndarray | float,
    heading_ascending_deg: np.ndarray | float = 0.0, heading_descending_deg: np.ndarray | float = 180.0,
    sigma_ascending_mm: np.ndarray | float = 1.0, sigma_descending_mm: np.ndarray | float = 1.0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Up and east from an ascending and a descending track, with their standard errors, cell by cell (升降轨二维分解).

    Each track sees d = U cos θ − E sin θ cos α + N sin θ sin α, θ its incidence and α its heading (`sight_vector`). Northward motion N is taken
    for none: two right-looking tracks hardly see it. With headings of 0 and 180 degrees, the default, it drops out.

    Parameters
    ----------
    ascending_mm, descending_mm : ndarray
        Towards the satellite positive, on the same cells.
    incidence_ascending_deg, incidence_descending_deg, heading_ascending_deg, heading_descending_deg : float or ndarray of the same shape
        nan where it is not known: there nothing is.
    sigma_ascending_mm, sigma_descending_mm : float or ndarray
        Standard errors.

    Returns
    -------
    up, east, sigma_up, sigma_east : ndarray
        Shape of the inputs [their unit].

    Raises
    ------
    SchemaError
        Shapes differ, an incidence outside 5 to 75 degrees, or headings as for `check_headings`.
    """  # fmt: skip
    a, d = np.asarray(ascending_mm, dtype=float), np.asarray(descending_mm, dtype=float)
    angles = [np.asarray(v, dtype=float) for v in (incidence_ascending_deg, incidence_descending_deg, heading_ascending_deg, heading_descending_deg)]
    if a.shape != d.shape or any(v.shape not in ((), a.shape) for v in angles):
        raise SchemaError(f"升轨 {a.shape}, 降轨 {d.shape}, 角度 {[v.shape for v in angles]}", expected="同一格网")
    for v in angles[:2]:
        if ((v < _STEEP) | (v > _FLAT)).any():
            raise SchemaError(f"入射角 {np.nanmin(v):g} 至 {np.nanmax(v):g}", expected="5 至 75 度", cure="核对单位 (度, 非弧度)")
    ta, td, ha, hd = (np.radians(v) for v in angles)
    check_headings(angles[2], angles[3])
    ua, ea, ud, ed = np.cos(ta), -np.sin(ta) * np.cos(ha), np.cos(td), -np.sin(td) * np.cos(hd)
    whole = ua * ed - ud * ea
    sa, sd = np.broadcast_to(sigma_ascending_mm, a.shape), np.broadcast_to(sigma_descending_mm, a.shape)
    up, east = (ed * a - ea * d) / whole, (ua * d - ud * a) / whole
    return up, east, np.hypot(ed / whole * sa, ea / whole * sd), np.hypot(ud / whole * sa, ua / whole * sd)


_LEAST = 0.5
"""Least |cos| of a heading: beyond 60 degrees from north or south a track is neither ascending nor descending."""


def _in_degrees(values: np.ndarray, stated: str, unit: str, what: str) -> np.ndarray:
    """A copy in degrees, float32, by the unit that the file and the user say."""
    said = stated.strip().lower()
    by_file = "degree" if said in _DEGREES else "radian" if said in _RADIANS else ""
    if said and not by_file:
        raise SchemaError(f"{what}栅格单位为 {stated}", expected="度或弧度", cure="核对文件是否为角度")
    if by_file == "degree" and unit == "radian":
        raise SchemaError(f"{what}栅格注明单位为 {stated}, 与 --angle-unit {unit} 不符", expected="同一单位", cure="去掉 --angle-unit, 或改正文件的单位")
    angle = np.array(values, dtype=np.float32)
    angle[~np.isfinite(angle)] = np.nan
    return np.degrees(angle) if (by_file or unit) == "radian" else angle


def _range(angle: np.ndarray) -> str:
    low, high = float(np.nanmin(angle)), float(np.nanmax(angle))
    return f"{low:.4g}" if low == high else f"{low:.4g} 至 {high:.4g}"
