"""Invented villages whose owners hold scattered parcels, for tests and benchmarks (虚拟调换算例)."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

__all__ = ["village_exchange"]

_SIDE_M = 42.0
_JITTER = 0.28
_REACH_M = 400.0


def village_exchange(
    n: int, k: int, *, rng: np.random.Generator, classes: int = 1, collectives: int = 1, kept_share: float = 0.0, homes: str = "hamlets"
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Fields in a mesh of uneven quadrangles, owners in hamlets, parcels scattered over the land round them (synthetic).

    Parameters
    ----------
    n, k : int
        Parcels and owners, ``n >= 2 k``.
    classes : int
        Quality classes in broad bands (paddy, dry …); value varies inside each.
    collectives : int
        Vertical strips that hold the land of one collective; owners have land in their own only.
    kept_share : float
        Share of parcels with a mortgage, which may not move.
    homes : str
        ``hamlets``: forty homesteads a hamlet; ``scattered``: homesteads anywhere.

    Returns
    -------
    parcels : GeoDataFrame, owners : DataFrame
        As `holdings` wants them; EPSG:4547; ``attrs["synthetic"]`` is true.
    """
    columns = int(np.ceil(np.sqrt(n * 1.25)))
    rows = int(np.ceil(n / columns))
    cells = _mesh(rows, columns, rng)[:n]
    centre = shapely.centroid(cells)
    xy = np.column_stack([shapely.get_x(centre), shapely.get_y(centre)])
    strip = np.minimum((xy[:, 0] / (columns * _SIDE_M * 1.6) * collectives).astype(int), collectives - 1)
    home, side = _homes(k, xy, strip, collectives, homes, rng)
    owner = _scatter(xy, strip, home, side, rng)
    band = _band(xy, classes)
    fertile = 1.0 + 0.35 * np.sin(xy[:, 0] / 900.0) * np.cos(xy[:, 1] / 700.0) + rng.normal(0, 0.08, n)
    parcels = gpd.GeoDataFrame({
        "parcel_id": [f"P{j:06d}" for j in range(n)], "owner_id": [f"H{o:05d}" for o in owner],
        "area_m2": np.round(shapely.area(cells), 2), "value_yuan_m2": np.round((40.0 - 12.0 * band) * np.clip(fertile, 0.3, 2.0), 2),
        "use_class": np.array(["paddy", "irrigated", "dry"], object)[band], "collective_code": [f"C{s}" for s in strip],
        "reason": np.where(rng.random(n) < kept_share, "encumbered", ""),
    }, geometry=shapely.transform(cells, lambda c: c + [500_000.0, 3_000_000.0]), crs=4547)  # fmt: skip
    owners = pd.DataFrame({"owner_id": [f"H{o:05d}" for o in range(k)], "anchor_x": home[:, 0] + 500_000.0, "anchor_y": home[:, 1] + 3_000_000.0})
    parcels.attrs["synthetic"] = True
    return parcels, owners


def _mesh(rows: int, columns: int, rng: np.random.Generator) -> np.ndarray:
    """Quadrangles that share their corners, about 1,700 m2 each, longer than wide."""
    wide, high = 1.6 * _SIDE_M, 0.62 * _SIDE_M * 1.6
    x, y = np.meshgrid(np.arange(columns + 1.0), np.arange(rows + 1.0))
    x, y = x + rng.uniform(-_JITTER, _JITTER, x.shape), y + rng.uniform(-_JITTER, _JITTER, y.shape)
    node = np.round(np.stack([x * wide, y * high], axis=-1), 3)
    ring = np.stack([node[:-1, :-1], node[:-1, 1:], node[1:, 1:], node[1:, :-1], node[:-1, :-1]], axis=2).reshape(-1, 5, 2)
    return np.asarray(shapely.polygons(ring))


def _homes(
    k: int, xy: np.ndarray, strip: np.ndarray, collectives: int, homes: str, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    side = np.arange(k) * collectives // k
    low, high = xy.min(axis=0), xy.max(axis=0)
    home = np.empty((k, 2))
    for c in range(collectives):
        mine = np.flatnonzero(side == c)
        land = xy[strip == c]
        if homes == "scattered":
            home[mine] = land[rng.choice(len(land), len(mine), replace=len(mine) > len(land))] + rng.normal(0, 5.0, (len(mine), 2))
            continue
        count = max(1, len(mine) // 40)
        spread = land[rng.choice(len(land), count, replace=False)]
        home[mine] = spread[np.arange(len(mine)) % count] + rng.normal(0, 70.0, (len(mine), 2))
    return np.round(np.clip(home, low, high), 2), side


def _scatter(xy: np.ndarray, strip: np.ndarray, home: np.ndarray, side: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Owner of each parcel: drawn with a chance that falls off with the distance of the home, everyone at least two."""
    k = len(home)
    appetite = rng.gamma(6.0, 1.0, k)
    owner = np.empty(len(xy), int)
    for start in range(0, len(xy), 4096):
        block = slice(start, start + 4096)
        far = np.hypot(xy[block, None, 0] - home[None, :, 0], xy[block, None, 1] - home[None, :, 1])
        chance = np.cumsum(appetite * np.exp(-far / _REACH_M) * (strip[block, None] == side[None, :]), axis=1)
        owner[block] = (chance < (rng.random(len(far)) * chance[:, -1])[:, None]).sum(axis=1)
    for o in np.flatnonzero(np.bincount(owner, minlength=k) < 2):
        rich = np.bincount(owner, minlength=k)
        could = np.flatnonzero((strip == side[o]) & (rich[owner] > 2))
        owner[rng.choice(could, 2 - rich[o], replace=False)] = o
    return owner


def _band(xy: np.ndarray, classes: int) -> np.ndarray:
    if classes == 1:
        return np.zeros(len(xy), int)
    height = xy[:, 1] + 0.06 * np.ptp(xy[:, 1]) * np.sin(xy[:, 0] / (0.12 * np.ptp(xy[:, 0]) + 1.0))
    edge = np.quantile(height, np.linspace(0, 1, classes + 1)[1:-1])
    return np.asarray(np.searchsorted(edge, height))
