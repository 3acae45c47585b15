"""An invented hilly landscape: outline, streams, valleys and ridges, DEM (虚拟地形)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from affine import Affine
from pyproj import CRS
from scipy.spatial import cKDTree

from qianmo.geo.grid import Grid

__all__ = [
    "Landscape",
    "elevation",
    "elevation_grid",
    "is_inside",
    "make_landscape",
    "noise",
    "sampled",
    "stream_distance",
    "waves",
]

_ASPECT = 1.25
_CORNER = 4
_RELIEF_M = 230.0
_VALLEY_M = 140.0
_RISE_M = 650.0
_HILLS_M = 70.0
_FALL = 0.003
_BASE_M = 120.0
_TRIBUTARY_M = 2400.0
_GULLY_M = 1300.0
_SAMPLE_M = 10.0


@dataclass(frozen=True)
class Landscape:
    """Shape of the invented land (虚拟地貌). Coordinates projected, in metres.

    `streams` are polylines, the main river first; side valleys without water join them. `hills` holds the waves of the
    noise as rows (kx, ky, phase, amplitude).
    """

    centre: tuple[float, float]
    half_width_m: float
    half_height_m: float
    outline: np.ndarray
    streams: tuple[np.ndarray, ...]
    near_stream: cKDTree
    hills: np.ndarray


def make_landscape(centre: tuple[float, float], area_m2: float, *, rng: np.random.Generator) -> Landscape:
    """Landscape of about a given area round a centre (生成地貌).

    A main river winds through it; tributaries leave it on both sides; land rises from the streams to the ridges.
    """
    height = np.sqrt(area_m2 / (4 * 0.927 * _ASPECT))
    width = _ASPECT * height
    outline = np.column_stack([rng.uniform(0.008, 0.02, 4), rng.uniform(0, 2 * np.pi, 4)])
    streams = _streams(centre, width, height, rng)
    gullies = [gully for line in streams[1:] for gully in _gullies(line, rng)]
    dense = np.vstack([_densified(line, _SAMPLE_M) for line in (*streams, *gullies)])
    return Landscape(centre, width, height, outline, streams, cKDTree(dense), waves(24, (400.0, 1800.0), rng))


def is_inside(land: Landscape, points: np.ndarray) -> np.ndarray:
    """True where points lie inside the wavy outline (是否界内)."""
    dx, dy = (points - land.centre).T
    angle = np.arctan2(dy, dx)
    wobble = 1 + sum(a * np.sin((k + 2) * angle + phase) for k, (a, phase) in enumerate(land.outline))
    return (np.abs(dx) / land.half_width_m) ** _CORNER + (np.abs(dy) / land.half_height_m) ** _CORNER < wobble**_CORNER


def stream_distance(land: Landscape, points: np.ndarray) -> np.ndarray:
    """Distance to the nearest stream [m], good to 5 m (距河距离)."""
    return land.near_stream.query(points)[0]


def elevation(land: Landscape, points: np.ndarray) -> np.ndarray:
    """Height of the invented ground [m]: flat valley floors, then slopes, hills on top (高程)."""
    away = np.maximum(stream_distance(land, points) - _VALLEY_M, 0.0) / _RISE_M
    rise = 1.0 - np.exp(-(away**1.5))
    floor = _BASE_M + _FALL * (points[:, 0] - land.centre[0] + land.half_width_m)
    return floor + rise * (_RELIEF_M + _HILLS_M * noise(land.hills, points))


def elevation_grid(land: Landscape, crs: CRS, *, cell_m: float) -> Grid:
    """DEM over the township with a margin of ten cells (数字高程模型)."""
    x0 = np.floor((land.centre[0] - 1.12 * land.half_width_m) / cell_m - 10) * cell_m
    y1 = np.ceil((land.centre[1] + 1.12 * land.half_height_m) / cell_m + 10) * cell_m
    nx = int(np.ceil(2 * 1.12 * land.half_width_m / cell_m)) + 20
    ny = int(np.ceil(2 * 1.12 * land.half_height_m / cell_m)) + 20
    x, y = np.meshgrid(x0 + (np.arange(nx) + 0.5) * cell_m, y1 - (np.arange(ny) + 0.5) * cell_m)
    values = elevation(land, np.column_stack([x.ravel(), y.ravel()])).reshape(ny, nx)
    return Grid(np.round(values, 2).astype("float32"), Affine(cell_m, 0, x0, 0, -cell_m, y1), crs, float("nan"))


def sampled(grid: Grid, points: np.ndarray) -> np.ndarray:
    """Values of the cells in which points lie (取样). Points off the grid take the nearest edge cell."""
    t = grid.transform
    column, row = (points[:, 0] - t.c) / t.a, (points[:, 1] - t.f) / t.e
    ny, nx = grid.values.shape
    return grid.values[np.clip(np.floor(row).astype(int), 0, ny - 1), np.clip(np.floor(column).astype(int), 0, nx - 1)]


def waves(count: int, lengths: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """Random plane waves, rows (kx, ky, phase, amplitude), for smooth noise of unit deviation (随机波)."""
    angle = rng.uniform(0, 2 * np.pi, count)
    k = 2 * np.pi / np.exp(rng.uniform(np.log(lengths[0]), np.log(lengths[1]), count))
    phase, amplitude = rng.uniform(0, 2 * np.pi, count), np.full(count, np.sqrt(2 / count))
    return np.column_stack([k * np.cos(angle), k * np.sin(angle), phase, amplitude])


def noise(modes: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Sum of the waves at points: smooth, mean 0, deviation about 1 (平滑噪声)."""
    total = np.zeros(len(points))
    for kx, ky, phase, amplitude in modes:
        total += amplitude * np.cos(kx * points[:, 0] + ky * points[:, 1] + phase)
    return total


def _streams(centre: tuple[float, float], width: float, height: float, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    x = np.linspace(-1.15 * width, 1.15 * width, max(40, int(width / 60)))
    phase = rng.uniform(0, 2 * np.pi, 2)
    y = 0.16 * height * np.sin(3.1 * x / width + phase[0]) + 60.0 * np.sin(x / 330.0 + phase[1])
    river = np.column_stack([x, y]) + centre
    n = max(2, int(2 * width / _TRIBUTARY_M) + 1)
    mouths = (np.arange(n) + rng.uniform(0.3, 0.7, n)) / n * (len(x) - 20) + 10
    return (river, *[_tributary(river[int(m)], 1 if i % 2 else -1, height, rng) for i, m in enumerate(mouths)])


def _tributary(mouth: np.ndarray, side: int, height: float, rng: np.random.Generator) -> np.ndarray:
    s = np.arange(0.0, rng.uniform(0.7, 1.25) * height, 40.0)
    bend = rng.uniform(100, 220) * (np.sin(s / rng.uniform(350, 600) + rng.uniform(0, 6)) - np.sin(rng.uniform(0, 1)))
    lean = rng.uniform(-0.25, 0.25)
    return mouth + np.column_stack([lean * s + bend * np.minimum(s / 400.0, 1.0), side * s])


def _gullies(stream: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    starts = np.arange(int(rng.uniform(0.3, 0.8) * _GULLY_M / 40.0), len(stream) - 2, int(_GULLY_M / 40.0))
    lines = []
    for k, at in enumerate(starts):
        along = stream[at + 1] - stream[at]
        side = np.array([-along[1], along[0]]) * (1 if k % 2 else -1) + along * rng.uniform(0.2, 0.9)
        s = np.arange(0.0, rng.uniform(500.0, 1000.0), 40.0)
        swing = rng.uniform(20, 60) * np.sin(s / rng.uniform(150, 300))
        unit = side / np.hypot(*side)
        lines.append(stream[at] + np.outer(s, unit) + np.outer(swing, [-unit[1], unit[0]]))
    return lines


def _densified(line: np.ndarray, step_m: float) -> np.ndarray:
    at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    s = np.arange(0.0, at[-1], step_m)
    return np.column_stack([np.interp(s, at, line[:, 0]), np.interp(s, at, line[:, 1])])
