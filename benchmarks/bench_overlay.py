"""Overlay of patches with plan polygons: the house, geopandas.overlay, DuckDB."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from measure import Way
from townships import SEED, layers

from qianmo.geo.overlay import intersection_pairs

try:
    import duck
except ImportError:  # the optional peer is not installed
    duck = None  # type: ignore[assignment]

__all__ = ["plan_polygons", "ways"]

_PATCHES_A_POLYGON = 24
_VERTICES = 54
_SAME = 1e-7


def plan_polygons(frame: gpd.GeoDataFrame, *, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Blobs of 54 vertices that know nothing of the patches: one for 24 patches, a sixth of the area in all."""
    count = max(4, len(frame) // _PATCHES_A_POLYGON)
    x0, y0, x1, y1 = frame.total_bounds
    centre = rng.uniform([x0, y0], [x1, y1], (count, 2))
    radius = np.sqrt(frame.area.sum() / count / 6 / np.pi) * rng.uniform(0.5, 1.4, count)
    angle = np.linspace(0, 2 * np.pi, _VERTICES, endpoint=False)
    waves = 1 + 0.2 * np.sin(angle * rng.integers(2, 7, (count, 1)) + rng.uniform(0, 6, (count, 1)))
    xy = centre[:, None] + (radius[:, None] * waves)[:, :, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return gpd.GeoDataFrame(geometry=shapely.polygons(np.round(xy, 3)), crs=frame.crs)


def ways(size: int, cache: Path) -> list[Way]:
    """Three ways; the figure is the sum of all intersection areas."""
    frame = layers(size, cache)["landuse_patch"][["geometry"]]
    plan = plan_polygons(frame, rng=np.random.default_rng(SEED))
    a, b = frame.geometry.to_numpy(), plan.geometry.to_numpy()
    ours = lambda: float(intersection_pairs(a, b)["area_m2"].sum())  # noqa: E731
    peer = lambda: float(gpd.overlay(frame, plan, how="intersection").area.sum())  # noqa: E731
    found = [
        Way("overlay", "qianmo intersection_pairs", size, ours, lambda: intersection_pairs(a[:10], b[:10]), _SAME),
        Way("overlay", "geopandas.overlay", size, peer, tolerance=_SAME),
    ]
    if duck is not None and duck.has_spatial():
        found.append(Way("overlay", "DuckDB spatial (with loading)", size, lambda: _sql(frame, plan), tolerance=_SAME))
    return found


def _sql(frame: gpd.GeoDataFrame, plan: gpd.GeoDataFrame) -> float:
    connection = duck.connect()
    duck.register(connection, "patch", frame)
    duck.register(connection, "plan", plan)
    query = "SELECT sum(ST_Area(ST_Intersection(p.geom, q.geom))) FROM patch p JOIN plan q ON ST_Intersects(p.geom, q.geom)"
    row = connection.execute(query).fetchone()
    return float(row[0]) if row else 0.0
