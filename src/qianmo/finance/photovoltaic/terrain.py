"""What the land around a plant takes from its light (地形遮挡)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["OPEN", "Surroundings", "horizon_at", "sky_view"]


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Horizon and lie of the ground at one place (周围地形).

    `horizon_deg` (k,) is the height of the horizon in k directions, evenly from north by east; `sky` the share of the sky light on level
    ground that the horizon leaves; `rise_deg` the slope of the ground in the direction the racks face.
    """

    horizon_deg: np.ndarray
    sky: float = 1.0
    rise_deg: float = 0.0


OPEN = Surroundings(np.zeros(4))
"""Level ground without hills (开阔平地)."""


def horizon_at(horizon_deg: np.ndarray, azimuth_deg: np.ndarray) -> np.ndarray:
    """Height of the horizon in any direction [degree], straight between the directions known (任意方位的地平高度角)."""
    k = len(horizon_deg)
    place = np.mod(azimuth_deg, 360.0) * (k / 360.0)
    low = np.floor(place).astype(np.int64) % k
    part = place - np.floor(place)
    return horizon_deg[low] * (1.0 - part) + horizon_deg[(low + 1) % k] * part


def sky_view(horizon_deg: np.ndarray) -> np.ndarray:
    r"""Share of the even sky light on level ground that horizons leave (天空可视因子), from 0 to 1.

    With heights :math:`h_i` in k directions it is :math:`\frac{1}{k}\sum \cos^2 h_i`; heights below 0 count as 0.

    Parameters
    ----------
    horizon_deg : ndarray (..., k)

    References
    ----------
    .. [1] J. Dozier, J. Frew, Rapid calculation of terrain parameters for radiation modeling from digital elevation data, IEEE Trans. Geosci.
       Remote Sensing, vol. 28, pp. 963-969, 1990.
    """
    return np.asarray(np.mean(np.cos(np.radians(np.maximum(horizon_deg, 0.0))) ** 2, axis=-1))
