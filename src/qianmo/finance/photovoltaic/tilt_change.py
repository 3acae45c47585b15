"""What sinking ground does to a plant: racks turn with it (沉陷引起的倾角变化)."""

from __future__ import annotations

import numpy as np

from qianmo.finance.photovoltaic.parcel_yield import parcel_yield
from qianmo.finance.photovoltaic.plant import Plant
from qianmo.finance.photovoltaic.sun import SunHours
from qianmo.schema.weather import Weather

__all__ = ["tilted_by", "yield_change"]


def tilted_by(tilt_deg: np.ndarray, azimuth_deg: np.ndarray, east: np.ndarray, north: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tilt and azimuth of racks after the ground under them turned (沉陷后的倾角与方位) [degree], two arrays (n,).

    The rack keeps its angle to the ground: it turns about the level line along which the new slope stays level, by the angle of that slope.

    Parameters
    ----------
    tilt_deg, azimuth_deg : ndarray (n,)
        Before; azimuth from north by east.
    east, north : ndarray (n,)
        Change of the rise of the ground to the east and to the north [m/m], such as the gradient of the vertical displacement of an InSAR survey.

    Examples
    --------
    Ground that now falls by 5 % to the south turns a rack facing south by 2.86 degrees:

    >>> tilt, azimuth = tilted_by(np.array([20.0]), np.array([180.0]), np.zeros(1), np.array([0.05]))
    >>> round(float(tilt[0]), 2), round(float(azimuth[0]), 2)
    (22.86, 180.0)
    """
    tilt, turn = np.radians(np.asarray(tilt_deg, float)), np.radians(np.asarray(azimuth_deg, float))
    normal = np.stack([np.sin(tilt) * np.sin(turn), np.sin(tilt) * np.cos(turn), np.cos(tilt)])
    gx, gy = np.asarray(east, float), np.asarray(north, float)
    slope = np.hypot(gx, gy)
    cos, sin = 1.0 / np.sqrt(1.0 + slope**2), slope / np.sqrt(1.0 + slope**2)
    ux, uy = (np.divide(v, slope, out=np.zeros_like(slope), where=slope > 0.0) for v in (gy, -gx))
    axis = np.stack([ux, uy, np.zeros_like(slope)])
    along = (axis * normal).sum(axis=0)
    turned = normal * cos + np.cross(axis, normal, axis=0) * sin + axis * along * (1.0 - cos)
    flat = np.hypot(turned[0], turned[1])
    new_turn = np.where(flat > 1e-12, np.degrees(np.arctan2(turned[0], turned[1])) % 360.0, np.asarray(azimuth_deg, float))
    return np.degrees(np.arctan2(flat, turned[2])), new_turn


def yield_change(weather: Weather, plant: Plant, east: np.ndarray, north: np.ndarray, *, sun: SunHours | None = None) -> np.ndarray:
    """Share of the yearly yield gained (above 0) or lost (below 0) when the ground under the racks turns (沉陷引起的发电量变化), (n,).

    Rows shade one another as before: only the lie of the modules changes. Open horizon.
    """
    n = len(east)
    tilt, azimuth = tilted_by(np.full(n, plant.tilt_deg), np.full(n, plant.azimuth_deg), east, north)
    both = parcel_yield(
        weather, plant, tilt_deg=np.append(tilt, plant.tilt_deg), azimuth_deg=np.append(azimuth, plant.azimuth_deg), horizon_deg=np.zeros((n + 1, 1)),
        sky=np.ones(n + 1), rise_deg=np.zeros(n + 1), sun=sun,
    )  # fmt: skip
    return both.hours[:-1] / both.hours[-1] - 1.0
