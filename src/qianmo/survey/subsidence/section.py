"""Subsidence on a main section of a half-infinite or finite panel, in closed form (主断面预计)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import erf

from qianmo.schema.errors import SchemaError

__all__ = ["SectionMovement", "finite_section", "largest_movements", "semi_infinite_section"]

_HALF_CURVATURE = float(np.sqrt(2.0 * np.pi / np.e))
"""1.52…: the largest curvature is this times W0/r2, at x = ±r/√(2π) ≈ ±0.4 r."""


@dataclass(frozen=True)
class SectionMovement:
    """Movement along a section, n points (主断面移动变形).

    Attributes
    ----------
    subsidence_mm : ndarray (n,)
        W, down positive.
    tilt_mm_m : ndarray (n,)
        i = dW/dx [mm/m].
    curvature_e3_m : ndarray (n,)
        K = d2W/dx2 [1e-3/m].
    horizontal_mm : ndarray (n,)
        U = b r i.
    strain_mm_m : ndarray (n,)
        ε = b r K, stretching positive.
    """

    subsidence_mm: np.ndarray
    tilt_mm_m: np.ndarray
    curvature_e3_m: np.ndarray
    horizontal_mm: np.ndarray
    strain_mm_m: np.ndarray


def semi_infinite_section(x_m: np.ndarray, *, largest_mm: float, radius_m: float, b: float = 0.3) -> SectionMovement:
    r"""Movement beside a half-infinite goaf (半无限开采), x from the inflection point, positive over the goaf.

    .. math:: W(x) = \frac{W_0}{2}\left[\operatorname{erf}(\sqrt\pi x/r) + 1\right]

    Parameters
    ----------
    x_m : ndarray (n,)
        Distance [m].
    largest_mm : float
        W0 = m q cos α of full extraction [mm].
    radius_m : float
        Main influence radius r [m], above 0.
    b : float
        Coefficient of horizontal movement.

    Raises
    ------
    SchemaError
        The radius is not above 0.

    References
    ----------
    .. [1] 概率积分法, as in the design notes of the project, section 4.5; test vector ``pim``.
    """
    if not radius_m > 0:
        raise SchemaError(f"主要影响半径 {radius_m} m", expected="大于 0")
    x = np.asarray(x_m, dtype=float)
    bell = np.exp(-np.pi * (x / radius_m) ** 2)
    w = largest_mm / 2.0 * (erf(np.sqrt(np.pi) * x / radius_m) + 1.0)
    i = largest_mm / radius_m * bell
    k = -2.0 * np.pi * largest_mm / radius_m**3 * x * bell
    return SectionMovement(w, i, k, b * radius_m * i, b * radius_m * k)


def finite_section(x_m: np.ndarray, *, length_m: float, largest_mm: float, radius_m: float, b: float = 0.3) -> SectionMovement:
    """Movement over a panel of finite length (有限开采): the half-infinite answer less the same shifted by the length.

    `length_m` is measured between the two inflection points, l = D3 − s3 − s4 [m].

    Raises
    ------
    SchemaError
        The length or the radius is not above 0.
    """
    if not length_m > 0:
        raise SchemaError(f"两拐点间的长度 {length_m} m", expected="大于 0", cure="采区尺寸须大于两端拐点偏移距之和")
    near = semi_infinite_section(x_m, largest_mm=largest_mm, radius_m=radius_m, b=b)
    far = semi_infinite_section(np.asarray(x_m, dtype=float) - length_m, largest_mm=largest_mm, radius_m=radius_m, b=b)
    names = SectionMovement.__dataclass_fields__
    return SectionMovement(**{name: getattr(near, name) - getattr(far, name) for name in names})


def largest_movements(*, largest_mm: float, radius_m: float, b: float) -> dict[str, float]:
    """Largest tilt, curvature, horizontal movement and strain of a half-infinite panel (最大值).

    i0 = W0/r, K0 = 1.52 W0/r², U0 = b W0, ε0 = 1.52 b W0/r.
    """
    tilt = largest_mm / radius_m
    curvature = _HALF_CURVATURE * largest_mm / radius_m**2
    return {"tilt_mm_m": tilt, "curvature_e3_m": curvature, "horizontal_mm": b * largest_mm, "strain_mm_m": b * radius_m * curvature}
