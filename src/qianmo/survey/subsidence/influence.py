"""The influence of a polygon on points, in closed form by its edges (影响函数的多边形积分).

With density f(d) = exp(−π d²/r²)/r², the share of the influence of a point that falls into a polygon is a bivariate normal
probability: the sum over the edges of angle/2π less a difference of Owen's T. Its gradient and its second derivatives are
sums over the edges of error functions and exponentials. No grid, no quadrature of the area, no finite difference.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

__all__ = ["MAPS", "moved_points", "owens_t"]

MAPS = ("w", "ix", "iy", "kxx", "kxy", "kyy", "ux", "uy", "exx", "exy", "eyy")
"""Rows of the answer: subsidence; tilt; curvature; horizontal movement; strain (下沉, 倾斜, 曲率, 水平移动, 水平变形)."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(20)
_NODES, _WEIGHTS = (_NODES + 1.0) / 2.0, _WEIGHTS / 2.0
_REACH = 3.2
"""Radii beyond which a face moves the ground by less than 1e-14 of its largest subsidence."""
_ON_EDGE = 1e-12
"""A point this near the line of an edge lies on it: its triangle with the edge is empty."""
_TWO_PI = 2.0 * math.pi
_ROOT_PI = math.sqrt(math.pi)


@njit(cache=True)
def owens_t(h: float, a: float) -> float:
    """Owen's T, (1/2π)·∫₀^a exp(−h²(1+x²)/2)/(1+x²) dx, to 1e-14.

    References
    ----------
    .. [1] D. B. Owen, Annals of Mathematical Statistics, vol. 27, pp. 1075-1090, 1956.
    """
    sign = 1.0 if a >= 0 else -1.0
    h, a = abs(h), abs(a)
    if h > 8.5 or a == 0.0:
        return 0.0
    if a <= 1.0:
        return sign * _small_t(h, a)
    one, two = 0.5 * math.erfc(h / math.sqrt(2.0)), 0.5 * math.erfc(a * h / math.sqrt(2.0))
    rest = _small_t(a * h, 1.0 / a) if a * h <= 8.5 else 0.0
    return sign * (0.5 * (one + two) - one * two - rest)


@njit(cache=True)
def _small_t(h: float, a: float) -> float:
    total = 0.0
    for k in range(_NODES.size):
        x2 = (a * _NODES[k]) ** 2
        total += _WEIGHTS[k] * math.exp(-0.5 * h * h * (1.0 + x2)) / (1.0 + x2)
    return total * a / _TWO_PI


@njit(cache=True, parallel=True)
def moved_points(xy, rings, starts, radii, largest, b, drift):
    """Movement of every point by all faces together.

    Parameters
    ----------
    xy : ndarray (n, 2)
        Points [m].
    rings : ndarray (e, 2)
        Vertices of the acting polygons, anticlockwise, one after the other [m].
    starts : ndarray (f + 1,), int
        Where each polygon starts in `rings`.
    radii, largest, b : ndarray (f,)
        Influence radius [m], W0 [mm], coefficient of horizontal movement.
    drift : ndarray (f, 2)
        cot θ0 times the unit vector down the dip.

    Returns
    -------
    ndarray (11, n)
        Rows in the order of `MAPS`: mm, mm/m, 1e-3/m, mm, mm/m.
    """
    n, faces = xy.shape[0], radii.size
    out = np.zeros((11, n))
    box = np.empty((faces, 4))
    for f in range(faces):
        part = rings[starts[f] : starts[f + 1]]
        reach = _REACH * radii[f]
        box[f, 0], box[f, 1] = part[:, 0].min() - reach, part[:, 1].min() - reach
        box[f, 2], box[f, 3] = part[:, 0].max() + reach, part[:, 1].max() + reach
    for p in prange(n):
        x, y = xy[p, 0], xy[p, 1]
        for f in range(faces):
            if x < box[f, 0] or y < box[f, 1] or x > box[f, 2] or y > box[f, 3]:
                continue
            share, gx, gy, hxx, hxy, hyy = _one_face(x, y, rings, starts[f], starts[f + 1], radii[f])
            w, u = largest[f], b[f] * radii[f]
            out[0, p] += w * share
            out[1, p] += w * gx
            out[2, p] += w * gy
            out[3, p] += w * hxx
            out[4, p] += w * hxy
            out[5, p] += w * hyy
            out[6, p] += w * (u * gx + drift[f, 0] * share)
            out[7, p] += w * (u * gy + drift[f, 1] * share)
            out[8, p] += w * (u * hxx + drift[f, 0] * gx)
            out[9, p] += w * (u * hxy + 0.5 * (drift[f, 0] * gy + drift[f, 1] * gx))
            out[10, p] += w * (u * hyy + drift[f, 1] * gy)
    return out


@njit(cache=True)
def _one_face(x, y, rings, start, stop, r):
    scale, root = math.sqrt(_TWO_PI) / r, _ROOT_PI / r
    share = gx = gy = hxx = hxy = hyy = 0.0
    ax, ay = rings[stop - 1, 0] - x, rings[stop - 1, 1] - y
    before = math.exp(-math.pi * (ax * ax + ay * ay) / (r * r)) / (r * r)
    for k in range(start, stop):
        bx, by = rings[k, 0] - x, rings[k, 1] - y
        after = math.exp(-math.pi * (bx * bx + by * by) / (r * r)) / (r * r)
        length = math.hypot(bx - ax, by - ay)
        if length > 0.0:
            tx, ty = (bx - ax) / length, (by - ay) / length
            nx, ny = ty, -tx
            h, t1, t2 = ax * nx + ay * ny, ax * tx + ay * ty, bx * tx + by * ty
            far = abs(h) * scale
            if far > _ON_EDGE:
                share += math.atan2(ax * by - ay * bx, ax * bx + ay * by) / _TWO_PI
            if far < 8.5:
                if far > _ON_EDGE:
                    sign = 1.0 if h > 0 else -1.0
                    share -= sign * (owens_t(far, t2 / abs(h)) - owens_t(far, t1 / abs(h)))
                along = math.exp(-math.pi * h * h / (r * r)) / r * 0.5 * (math.erf(root * t2) - math.erf(root * t1))
                bend, turn = _TWO_PI * h / (r * r) * along, after - before
                gx -= nx * along
                gy -= ny * along
                hxx += nx * tx * turn - nx * nx * bend
                hxy += 0.5 * (nx * ty + ny * tx) * turn - nx * ny * bend
                hyy += ny * ty * turn - ny * ny * bend
        ax, ay, before = bx, by, after
    return min(max(share, 0.0), 1.0), gx, gy, hxx, hxy, hyy  # rounding leaves the range by 1e-16
