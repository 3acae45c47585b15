"""Smooth random fields and planar graphs for invented instances (随机场与平面邻接图)."""

from __future__ import annotations

import numpy as np
from scipy import fft

from qianmo.planning.allocation_parts import Borders

__all__ = ["grid_shape", "jittered_borders", "smooth_field", "square_borders", "squares_of"]


def grid_shape(n: int) -> tuple[int, int]:
    """Rows and columns of the most square grid with at least n cells, the last row perhaps short (近方形网格)."""
    columns = int(np.ceil(np.sqrt(n)))
    return -(-n // columns), columns


def smooth_field(rows: int, columns: int, *, rng: np.random.Generator, roughness: float = 2.6) -> np.ndarray:
    """A random field with a power spectrum k**-roughness, mean 0 and deviation 1, (rows, columns) float32 (平滑随机场).

    From 0 (white noise) upwards smoother; land looks like 2 to 3.
    """
    wave = fft.rfft2(rng.standard_normal((rows, columns), dtype=np.float32))
    y, x = np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)[None, :]
    far = np.hypot(y, x).astype(np.float32)
    far[0, 0] = np.inf
    wave *= far ** np.float32(-roughness / 2)
    field = fft.irfft2(wave, s=(rows, columns))
    return np.asarray((field - field.mean()) / max(float(field.std()), 1e-9), np.float32)


def square_borders(rows: int, columns: int, *, side_m: float = 1.0) -> Borders:
    """Borders of a grid of squares, four neighbours each (方格邻接)."""
    at = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    i = np.concatenate([at[:, :-1].ravel(), at[:-1].ravel()])
    j = np.concatenate([at[:, 1:].ravel(), at[1:].ravel()])
    return Borders(i, j, np.broadcast_to(np.float64(side_m), len(i)))


def jittered_borders(n: int, *, rng: np.random.Generator, side_m: float = 60.0) -> Borders:
    """Borders of n irregular parcels on a jittered grid: about three a parcel, planar (抖动网格邻接).

    Right and lower neighbours, and one of the two diagonals of every four parcels, which is how corners fall apart when
    a grid is shaken.
    """
    rows, columns = grid_shape(n)
    at = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    falls = rng.random((rows - 1, columns - 1)) < 0.5
    i = np.concatenate([at[:, :-1].ravel(), at[:-1].ravel(), np.where(falls, at[:-1, :-1], at[:-1, 1:]).ravel()])
    j = np.concatenate([at[:, 1:].ravel(), at[1:].ravel(), np.where(falls, at[1:, 1:], at[1:, :-1]).ravel()])
    sides = rows * (columns - 1) + (rows - 1) * columns
    share = np.concatenate([rng.uniform(0.4, 1.0, sides), rng.uniform(0.05, 0.5, len(i) - sides)])
    real = j < n
    return Borders(i[real], j[real], np.round(share[real] * side_m, 1))


def squares_of(n: int, count: int) -> np.ndarray:
    """About `count` square regions of the grid of n parcels, (n,) int from 0 (方块分区)."""
    rows, columns = grid_shape(n)
    down = max(1, round(np.sqrt(count * rows / columns)))
    across = max(1, round(count / down))
    y = np.arange(rows) * down // rows
    x = np.arange(columns) * across // columns
    return (y[:, None] * across + x[None, :]).ravel()[:n].astype(np.int32)
