"""Subsidence of points under twenty faces: closed form by edges in numba, and the same closed form in plain NumPy as the peer,
which leaves out points beyond the reach of a face just as ours does."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import shapely
from measure import Way
from scipy.special import erf, owens_t

from qianmo.survey.subsidence.face import Face, acting_polygon, radius_m
from qianmo.survey.subsidence.parameters import SubsidenceParameters
from qianmo.survey.subsidence.predict import predict

__all__ = ["ways"]

_ROCK = SubsidenceParameters(q=0.75, tan_beta=2.0, b=0.3)
_CHUNK = 50_000


def ways(size: int, cache: Path) -> list[Way]:
    """Ours against NumPy with SciPy's erf and Owen's T, the eleven maps each; the figure is the sum of subsidence, tilt and curvature."""
    at = _points(size)
    return [
        Way("pim 20", "qianmo predict", size, partial(_ours, at), warm=partial(_ours, at[:100]), tolerance=1e-9),
        Way("pim 20", "NumPy closed form", size, partial(_numpy, at), tolerance=1e-9),
    ]


def _points(size: int) -> np.ndarray:
    return np.random.default_rng(5).uniform([-300.0, -300.0], [2400.0, 1700.0], (size, 2))


def _faces() -> list[Face]:
    return [Face(shapely.box(x, y, x + 180, y + 900), 250.0 + 5 * k, 2.5, _ROCK, dip_deg=6.0, dip_azimuth_deg=90.0, name=str(k))
            for k, (x, y) in enumerate((x, y) for y in (-400.0, 600.0) for x in np.arange(10) * 210.0)]  # fmt: skip


def _figure(w: np.ndarray, tilt: np.ndarray, curvature: np.ndarray) -> float:
    return float(w.sum() + np.abs(tilt).sum() + np.abs(curvature).sum())


def _ours(at: np.ndarray) -> float:
    moved = predict(at, _faces())
    return _figure(moved.subsidence_mm, moved.tilt_mm_m, moved.curvature_e3_m)


def _numpy(at: np.ndarray) -> float:
    total = 0.0
    for start in range(0, len(at), _CHUNK):
        part = at[start : start + _CHUNK]
        w, gradient, second, u, strain = np.zeros(len(part)), np.zeros((len(part), 2)), np.zeros((len(part), 3)), np.zeros((len(part), 2)), np.zeros((len(part), 3))
        for face in _faces():
            ring, reach = acting_polygon(face), 3.2 * radius_m(face)
            near = ((part >= ring.min(axis=0) - reach) & (part <= ring.max(axis=0) + reach)).all(axis=1)
            share, g, h = np.zeros(len(part)), np.zeros((len(part), 2)), np.zeros((len(part), 3))
            share[near], g[near], h[near] = _one(part[near], ring, radius_m(face))
            top = 1000.0 * face.thickness_m * face.parameters.q * np.cos(np.radians(face.dip_deg))
            drift = np.array([1.0, 0.0]) / np.tan(np.radians(90.0 - face.parameters.propagation * face.dip_deg))
            bend = face.parameters.b * radius_m(face)
            w, gradient, second = w + top * share, gradient + top * g, second + top * h
            u = u + top * (bend * g + drift * share[:, None])
            strain = strain + top * (bend * h + np.column_stack([drift[0] * g[:, 0], 0.5 * (drift[0] * g[:, 1] + drift[1] * g[:, 0]), drift[1] * g[:, 1]]))
        total += _figure(w, gradient, second)
    return total


def _one(at: np.ndarray, ring: np.ndarray, r: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Share, gradient and second derivatives of one polygon, edge by edge, for all points at once."""
    share, g, hess = np.zeros(len(at)), np.zeros((len(at), 2)), np.zeros((len(at), 3))
    scale = np.sqrt(2 * np.pi) / r
    for a, b in zip(ring, np.roll(ring, -1, axis=0)):
        a_, b_ = a - at, b - at
        t = (b - a) / np.hypot(*(b - a))
        n = np.array([t[1], -t[0]])
        h, t1, t2 = a_ @ n, a_ @ t, b_ @ t
        away = np.maximum(np.abs(h), 1e-9)
        share += np.arctan2(a_[:, 0] * b_[:, 1] - a_[:, 1] * b_[:, 0], (a_ * b_).sum(axis=1)) / (2 * np.pi)
        share -= np.sign(h) * (owens_t(scale * away, t2 / away) - owens_t(scale * away, t1 / away))
        along = np.exp(-np.pi * (h / r) ** 2) / r * 0.5 * (erf(np.sqrt(np.pi) * t2 / r) - erf(np.sqrt(np.pi) * t1 / r))
        turn = (np.exp(-np.pi * (b_**2).sum(axis=1) / r**2) - np.exp(-np.pi * (a_**2).sum(axis=1) / r**2)) / r**2
        bend = 2 * np.pi * h / r**2 * along
        g -= n * along[:, None]
        hess += np.column_stack([n[0] * t[0] * turn - n[0] ** 2 * bend, 0.5 * (n[0] * t[1] + n[1] * t[0]) * turn - n[0] * n[1] * bend, n[1] * t[1] * turn - n[1] ** 2 * bend])
    return share, g, hess
