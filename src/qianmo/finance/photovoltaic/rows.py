"""Rows of racks that shade one another (阵列前后遮挡)."""

from __future__ import annotations

import numpy as np
import pvlib

__all__ = ["diffuse_share", "shaded_share"]


def shaded_share(
    cos_zenith: np.ndarray, toward: np.ndarray, *, tilt_deg: float, ground_cover: float, rise_deg: float = 0.0, strings: int = 0
) -> np.ndarray:
    r"""Share of the width of a row that lies in the shade of the row in front (前排遮挡比例), from 0 to 1.

    Rows without end on ground that rises by `rise_deg` towards the sun side. In the plane across the rows, with the sun at projected zenith
    :math:`\rho`, tilt :math:`\beta`, rise :math:`\gamma` and ground cover :math:`g`, the share is :math:`1 - \cos(\rho + \gamma) / (g \cos(\rho - \beta))` where that is positive, as
    in [1]_ for fixed rotation.

    Parameters
    ----------
    cos_zenith, toward : ndarray
        Components of the direction to the sun: upward, and level in the direction the racks face.
    rise_deg : float
        Slope of the ground in the direction the racks face; above 0 where it rises there, so that the row in front stands higher.
    strings : int
        Bands along the row that are lost whole when any part is shaded; 0 for none.

    References
    ----------
    .. [1] K. S. Anderson, A. R. Jensen, Shaded fraction and backtracking in single-axis trackers on rolling terrain, J. Renewable
       Sustainable Energy, vol. 16, 023504, 2024.
    """
    tilt, rise = np.radians(tilt_deg), np.radians(rise_deg)
    facing = cos_zenith * np.cos(tilt) + toward * np.sin(tilt)
    between = cos_zenith * np.cos(rise) - toward * np.sin(rise)
    with np.errstate(over="ignore"):  # a sun all but in the plane of the rack
        lit = np.divide(between, ground_cover * facing, out=np.ones_like(np.asarray(facing, float)), where=facing > 0.0)
    share = np.where(facing > 0.0, np.clip(1.0 - lit, 0.0, 1.0), 0.0)
    return np.minimum(np.ceil(share * strings - 1e-9) / strings, 1.0) if strings else share


def diffuse_share(tilt_deg: float, ground_cover: float) -> float:
    """Share of the sky light of a free row that is left between rows, mean over the height of the row (散射遮挡后比例), from 0 to 1.

    The masking angle is averaged over the width of the row as in [1]_; the sky light lost is that of pvlib's ``sky_diffuse_passias``.
    The ground is taken level.

    References
    ----------
    .. [1] D. Passias, B. Källbäck, Shading effects in rows of solar cell panels, Solar Cells, vol. 11, pp. 281-291, 1984.
    """
    if tilt_deg == 0.0:
        return 1.0
    angle = pvlib.shading.masking_angle_passias(tilt_deg, ground_cover)
    return 1.0 - float(pvlib.shading.sky_diffuse_passias(angle))
