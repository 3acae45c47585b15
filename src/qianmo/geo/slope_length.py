"""Slope length and steepness of the soil-loss equation, for fields and for flow over a height model (坡长坡度)."""

from __future__ import annotations

import numpy as np

__all__ = ["UNIT_PLOT_M", "catchment_length_factor", "length_exponent", "slope_length_factor", "steepness_factor"]

UNIT_PLOT_M = 22.13
"""Length of the plot on which the equation rests [m] (Wischmeier and Smith 1978)."""


def length_exponent(slope_deg: np.ndarray) -> np.ndarray:
    """Exponent m of the length factor (坡长指数): 0.2 up to 1 degree, 0.3 up to 3, 0.4 up to 5, 0.5 above."""
    slope = np.asarray(slope_deg, float)
    return np.select([slope <= 1, slope <= 3, slope <= 5], [0.2, 0.3, 0.4], 0.5)


def steepness_factor(slope_deg: np.ndarray) -> np.ndarray:
    r"""Steepness factor S (坡度因子), at least 0.03.

    :math:`10.8 \sin\theta + 0.03` below 5 degrees, :math:`16.8 \sin\theta - 0.5` below 10 [1]_, :math:`21.91 \sin\theta - 0.96` from 10 on [2]_.

    References
    ----------
    .. [1] D. K. McCool et al., Transactions of the ASAE, vol. 30, pp. 1387-1396, 1987.
    .. [2] B. Y. Liu, M. A. Nearing, L. M. Risse, Transactions of the ASAE, vol. 37, pp. 1835-1840, 1994.
    """
    slope = np.asarray(slope_deg, float)
    sine = np.sin(np.radians(slope))
    return np.select([slope < 5, slope < 10], [10.8 * sine + 0.03, 16.8 * sine - 0.5], 21.91 * sine - 0.96)


def slope_length_factor(length_m: np.ndarray, slope_deg: np.ndarray) -> np.ndarray:
    r"""Slope length and steepness factor LS of a field (坡长坡度因子), (n,), at least 0; NaN where the slope is unknown.

    :math:`L = (\lambda / 22.13)^m`, times `steepness_factor`.

    Examples
    --------
    >>> slope_length_factor(np.array([50.0]), np.array([7.0])).round(4)
    array([2.3259])
    """
    slope = np.asarray(slope_deg, float)
    found = (np.asarray(length_m, float) / UNIT_PLOT_M) ** length_exponent(slope) * steepness_factor(slope)
    return np.where(np.isfinite(slope), found, np.nan)


def catchment_length_factor(area_m2: np.ndarray, slope_deg: np.ndarray, aspect_rad: np.ndarray, cell_m: float, *, longest_m: float) -> np.ndarray:
    r"""Length factor of a cell from the area that drains into it (汇流坡长因子).

    Parameters
    ----------
    area_m2 : ndarray (y, x)
        Area above the cell, without the cell [m2].
    slope_deg, aspect_rad : ndarray (y, x)
    cell_m : float
        Side of a cell [m].
    longest_m : float
        Slope length at which water gathers into a channel [m]; longer ones count as this.

    Returns
    -------
    ndarray (y, x)
        At least 0; rises with the area above.

    Notes
    -----
    .. math:: L = \frac{(A + D^2)^{m+1} - A^{m+1}}{D^{m+2}\, x^m\, 22.13^m}, \quad x = |\sin\alpha| + |\cos\alpha|

    References
    ----------
    .. [1] P. J. J. Desmet, G. Govers, Journal of Soil and Water Conservation, vol. 51, pp. 427-433, 1996.
    """
    m = length_exponent(slope_deg)
    across = np.abs(np.sin(aspect_rad)) + np.abs(np.cos(aspect_rad))
    above = np.minimum(area_m2, max(longest_m - cell_m, 0.0) * cell_m)
    return ((above + cell_m**2) ** (m + 1) - above ** (m + 1)) / (cell_m ** (m + 2) * across**m * UNIT_PLOT_M**m)
