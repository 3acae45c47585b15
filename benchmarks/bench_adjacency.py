"""Adjacency with shared lengths: edge hash of the house, DuckDB SQL, STRtree with boundary intersection."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from measure import Way
from townships import layers, middle

from qianmo.geo.adjacency import shared_borders

try:
    import duck
except ImportError:  # the optional peer is not installed
    duck = None  # type: ignore[assignment]

__all__ = ["ways"]

_SUBSET = 20_000
_SQL = """
WITH line AS (
    SELECT id, UNNEST(ST_Dump(ST_Boundary(geom))).geom AS line FROM patch
), edge AS (
    SELECT id, ST_PointN(line, k) AS a, ST_PointN(line, k + 1) AS b
    FROM (SELECT id, line, UNNEST(range(1, ST_NPoints(line)))::INTEGER AS k FROM line)
), side AS (
    SELECT id, ST_X(a) AS x0, ST_Y(a) AS y0, ST_X(b) AS x1, ST_Y(b) AS y1 FROM edge
), signed AS (
    SELECT id, (x0, y0) < (x1, y1) AS forward, x0, y0, x1, y1 FROM side
), keyed AS (
    SELECT id, CASE WHEN forward THEN x0 ELSE x1 END AS ax, CASE WHEN forward THEN y0 ELSE y1 END AS ay,
           CASE WHEN forward THEN x1 ELSE x0 END AS cx, CASE WHEN forward THEN y1 ELSE y0 END AS cy
    FROM signed
), shared AS (
    SELECT min(id) AS i, max(id) AS j, sqrt((cx - ax) ** 2 + (cy - ay) ** 2) AS m FROM keyed
    GROUP BY ax, ay, cx, cy HAVING count(*) = 2
)
SELECT sum(m) FROM (SELECT i, j, sum(m) AS m FROM shared WHERE i <> j GROUP BY i, j)
"""


def ways(size: int, cache: Path) -> list[Way]:
    """All patches by hash and SQL; a subset by all three."""
    frame = layers(size, cache)["landuse_patch"][["geometry"]]
    part = middle(frame, min(_SUBSET, size))
    tiny = middle(frame, 50)
    found = []
    for rows in (frame, part) if len(part) < len(frame) else (frame,):
        found.append(_hash(rows, tiny))
        if duck is not None and duck.has_spatial():
            found.append(_sql(rows))
    return [*found, _tree(part)]


def _hash(frame: gpd.GeoDataFrame, tiny: gpd.GeoDataFrame) -> Way:
    geoms = frame.geometry.to_numpy()
    run = lambda: float(shared_borders(geoms)["length_m"].sum())  # noqa: E731
    return Way("adjacency", "qianmo shared_borders", len(geoms), run, lambda: shared_borders(tiny.geometry.to_numpy()))


def _sql(frame: gpd.GeoDataFrame) -> Way:
    def run() -> float:
        connection = duck.connect()
        duck.register(connection, "patch", frame)
        row = connection.execute(_SQL).fetchone()
        return float(row[0]) if row else 0.0

    return Way("adjacency", "DuckDB spatial, edge hash in SQL (with loading)", len(frame), run)


def _tree(frame: gpd.GeoDataFrame) -> Way:
    geoms = frame.geometry.to_numpy()

    def run() -> float:
        i, j = shapely.STRtree(geoms).query(geoms, predicate="intersects")
        once = i < j
        lines = shapely.boundary(geoms)
        length = shapely.length(shapely.intersection(lines[i[once]], lines[j[once]]))
        return float(np.sum(length))

    return Way("adjacency", "STRtree + boundary intersection (Shapely)", len(geoms), run)
