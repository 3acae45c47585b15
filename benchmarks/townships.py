"""Invented townships for the benchmarks, made once and kept in a folder."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np

from qianmo.village.make import make_township

__all__ = ["SEED", "layers", "middle", "villages_for"]

SEED = 20260101
_RECIPE = 1
_PATCHES_A_VILLAGE = 1250


def villages_for(size: int) -> int:
    """Villages for a number of patches: one for 1,250, at least one."""
    return max(1, size // _PATCHES_A_VILLAGE)


def layers(size: int, cache: Path) -> dict[str, gpd.GeoDataFrame]:
    """Vector layers of a township of `size` patches, from the folder or made into it."""
    folder = cache / f"township-{size}-{SEED}-{_RECIPE}"
    done = folder / "complete"
    if not done.exists():
        town = make_township(patches=size, villages=villages_for(size), rng=np.random.default_rng(SEED))
        folder.mkdir(parents=True, exist_ok=True)
        for name, frame in town.layers().items():
            frame.to_parquet(folder / f"{name}.parquet")
        done.touch()
    return {path.stem: gpd.read_parquet(path) for path in sorted(folder.glob("*.parquet"))}


def middle(frame: gpd.GeoDataFrame, count: int) -> gpd.GeoDataFrame:
    """The `count` patches nearest the middle, for ways too slow for all."""
    x0, y0, x1, y1 = frame.total_bounds
    centre = frame.geometry.centroid
    away = np.hypot(centre.x - (x0 + x1) / 2, centre.y - (y0 + y1) / 2).to_numpy()
    rows = np.sort(np.argsort(away, kind="stable")[:count])
    return frame.iloc[rows].reset_index(drop=True)
