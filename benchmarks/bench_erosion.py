"""Flow accumulation with LS, RUSLE loss and sediment delivery on a square of cells: ours, and the published formulas in plain NumPy.

The peer sorts the cells by height and passes their area down in one Python loop. RichDEM and pysheds are under the GPL and not
asked. The invented ground has a lower neighbour for every cell inside, so that filling of sinks, which the peer has not, changes nothing.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import affine
import numpy as np
import pyproj
from measure import Way

from qianmo.geo.grid import slope_deg
from qianmo.geo.raster import Grid
from qianmo.survey.erosion.loss import connectivity, delivered, delivery_ratio, soil_loss
from qianmo.survey.erosion.terrain import Flow, flow_over, slope_length_grid

__all__ = ["d8_by_sorting", "ground", "ls_by_formula", "ways"]

_CELL_M, _LONGEST_M, _CHANNEL_M2 = 10.0, 150.0, 250_000.0
_R, _K, _P = 5000.0, 0.004, 0.5
_CHUNK = 1 << 20
_MOST_PLAIN = 1_000_000
_STEPS = tuple((a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b)


def ground(side: int) -> Grid:
    """Parallel valleys that fall to the south with rough sides, heights in steps of 1/1024 m; every cell inside has a lower neighbour."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    z = (side - y) * np.float32(1.0) + 15 * (1 - np.cos(2 * np.pi * x / 40, dtype=np.float32)) + np.random.default_rng(1).uniform(0, 0.6, (side, side)).astype(np.float32)
    return Grid((np.round(z * 1024) / 1024).astype(np.float32), affine.Affine(_CELL_M, 0, 500_000, 0, -_CELL_M, 4_000_000), pyproj.CRS.from_epsg(4547), None)


def d8_by_sorting(z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cells above each cell, itself included, the cell below, and the order from high to low; a cell without a lower neighbour keeps its water."""
    rows, columns = z.shape
    step, most = np.zeros(z.shape, np.int64), np.zeros(z.shape, np.float32)
    for a, b in _STEPS:
        here, there = _pair(rows, columns, a, b)
        drop = (z[here] - z[there]) / np.float32(np.hypot(a, b))
        better = drop > most[here]
        most[here][better] = drop[better]
        step[here][better] = a * columns + b
    below = step + np.arange(z.size).reshape(z.shape)
    order, flat = np.argsort(-z, axis=None, kind="stable"), below.ravel()
    count = [1] * z.size
    for start in range(0, z.size, _CHUNK):
        part = order[start : start + _CHUNK]
        for k, d in zip(part.tolist(), flat[part].tolist()):
            if d != k:
                count[d] += count[k]
    return np.array(count, dtype=float).reshape(z.shape), below, order


def ls_by_formula(z: np.ndarray, area_m2: np.ndarray) -> np.ndarray:
    """LS of Desmet and Govers 1996 with the steepness of McCool 1987 and Liu 1994, slope by Horn 1981."""
    theta = _horn(z)
    degree = np.degrees(theta)
    dy, dx = np.gradient(z.astype(float))
    m = np.where(degree <= 1, 0.2, np.where(degree <= 3, 0.3, np.where(degree <= 5, 0.4, 0.5)))
    alpha = np.arctan2(dy, dx)
    inflow = np.minimum(np.maximum(area_m2 - _CELL_M**2, 0), (_LONGEST_M - _CELL_M) * _CELL_M)
    length = ((inflow + _CELL_M**2) ** (m + 1) - inflow ** (m + 1)) / (_CELL_M ** (m + 2) * (np.abs(np.sin(alpha)) + np.abs(np.cos(alpha))) ** m * 22.13**m)
    steep = np.where(degree < 5, 10.8 * np.sin(theta) + 0.03, np.where(degree < 10, 16.8 * np.sin(theta) - 0.5, 21.91 * np.sin(theta) - 0.96))
    return length * steep


def ways(size: int, cache: Path) -> list[Way]:
    """Flow with LS and RUSLE at the size asked for; delivery by both at a million cells at most, and by ours at the size."""
    side = int(np.sqrt(size))
    few = min(side, int(np.sqrt(_MOST_PLAIN)))
    made = [
        Way("flow LS", "qianmo", side**2, partial(_flow_ls, side), warm=partial(_flow_ls, 40), tolerance=1e-5),
        Way("flow LS", "NumPy, sorted D8", side**2, partial(_flow_ls_plain, side), tolerance=1e-5),
        Way("RUSLE", "qianmo", side**2, partial(_rusle, side), tolerance=1e-5),
        Way("RUSLE", "formulas", side**2, partial(_rusle_plain, side), tolerance=1e-5),
        Way("delivery", "qianmo", few**2, partial(_sdr, few), warm=partial(_sdr, 40), tolerance=1e-5),
        Way("delivery", "NumPy, sorted D8", few**2, partial(_sdr_plain, few), tolerance=1e-5),
    ]
    return made if few == side else [*made, Way("delivery", "qianmo", side**2, partial(_sdr, side), warm=partial(_sdr, 40), tolerance=1e-5)]


def _pair(rows: int, columns: int, a: int, b: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Windows of the cells that have a neighbour a down and b to the right, and of those neighbours."""
    return (slice(max(0, -a), rows - max(0, a)), slice(max(0, -b), columns - max(0, b))), (slice(max(0, a), rows - max(0, -a)), slice(max(0, b), columns - max(0, -b)))


def _horn(z: np.ndarray) -> np.ndarray:
    """Slope [rad]; beyond the edge the ground goes on in a straight line."""
    w = np.pad(z.astype(float), 1, mode="reflect", reflect_type="odd")
    n, m, s = w[:-2], w[1:-1], w[2:]
    east = (n[:, 2:] + 2 * m[:, 2:] + s[:, 2:] - n[:, :-2] - 2 * m[:, :-2] - s[:, :-2]) / (8 * _CELL_M)
    north = (n[:, :-2] + 2 * n[:, 1:-1] + n[:, 2:] - s[:, :-2] - 2 * s[:, 1:-1] - s[:, 2:]) / (8 * _CELL_M)
    return np.arctan(np.hypot(east, north))


def _inside(values: np.ndarray) -> float:
    """Sum over the cells that do not lie at the edge, where two rules of the slope meet."""
    return float(np.nansum(values[1:-1, 1:-1].astype(float)))


def _cover(side: int) -> np.ndarray:
    return np.random.default_rng(2).choice(np.array([0.003, 0.02, 0.1, 0.3]), (side, side))


def _ours(side: int) -> tuple[Grid, Flow, np.ndarray]:
    dem = ground(side)
    flow = flow_over(dem)
    return dem, flow, slope_length_grid(dem, flow, longest_m=_LONGEST_M).values


def _plain(side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    z = ground(side).values
    count, below, order = d8_by_sorting(z)
    area = count * _CELL_M**2
    return z, area, below, order, ls_by_formula(z, area)


def _flow_ls(side: int) -> float:
    _, flow, ls = _ours(side)
    return _inside(ls) + _inside(flow.area_m2) / 1e4


def _flow_ls_plain(side: int) -> float:
    _, area, _, _, ls = _plain(side)
    return _inside(ls) + _inside(area) / 1e4


def _rusle(side: int) -> float:
    ls = np.random.default_rng(3).uniform(0, 30, (side, side))
    return float(soil_loss({"R": np.full(ls.shape, _R), "K": np.full(ls.shape, _K), "LS": ls, "C": _cover(side), "P": np.full(ls.shape, _P)}, model="rusle").sum())


def _rusle_plain(side: int) -> float:
    """A = R · K · LS · C · P, Renard et al. 1997."""
    ls = np.random.default_rng(3).uniform(0, 30, (side, side))
    return float((np.full(ls.shape, _R) * np.full(ls.shape, _K) * ls * _cover(side) * np.full(ls.shape, _P)).sum())


def _sdr(side: int) -> float:
    dem, flow, ls = _ours(side)
    cover, steep = _cover(side), slope_deg(dem)
    loss = soil_loss({"R": np.array(_R), "K": np.array(_K), "LS": ls, "C": cover, "P": np.array(_P)}, model="rusle")
    index = connectivity(cover, np.tan(np.radians(steep.values)), flow, _CELL_M, channel_m2=_CHANNEL_M2)
    return delivered(loss[1:-1, 1:-1], delivery_ratio(index)[1:-1, 1:-1], _CELL_M)


def _sdr_plain(side: int) -> float:
    """Index of connectivity of Borselli 2008, delivery of Vigiak 2012 with 0.8, 0.5 and 2; the slope is that of the house, for the edge lies on the ways down."""
    z, area, below, order, ls = _plain(side)
    cover, flat = _cover(side), below.ravel()
    slope = np.clip(np.tan(np.radians(slope_deg(ground(side)).values.astype(float))), 0.005, 1.0).ravel()
    weight = np.maximum(cover.ravel(), 1e-3)
    w, s, n, way = weight.tolist(), slope.tolist(), (area.ravel() / _CELL_M**2).tolist(), [0.0] * z.size
    for k in order.tolist():
        if flat[k] != k:
            w[flat[k]] += w[k]
            s[flat[k]] += s[k]
    for k in order[::-1].tolist():
        d, step = int(flat[k]), _CELL_M / (weight[k] * slope[k])
        if d == k or n[k] * _CELL_M**2 >= _CHANNEL_M2:
            way[k] = 0.5 * step
        else:
            aslant = abs(d // side - k // side) + abs(d % side - k % side) == 2
            way[k] = way[d] + step * (2**0.5 if aslant else 1.0)
    count = np.array(n)
    up = np.array(w) / count * (np.array(s) / count) * np.sqrt(count * _CELL_M**2)
    ratio = 0.8 / (1 + np.exp((0.5 - np.log10(up / np.array(way))) / 2.0))
    return _inside(_R * _K * ls * cover * _P * ratio.reshape(z.shape)) * _CELL_M**2 / 1e4
