"""An invented old factory area with scattered titles (虚拟老旧厂区)."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS

from qianmo.schema.errors import SchemaError

__all__ = ["make_factories"]

_EPSG = 4547
_ORIGIN = (503_000.0, 3_104_000.0)
_LOT_M = (70.0, 55.0)
_STREET_M = 9.0


def make_factories(*, rows: int = 4, columns: int = 6, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Titles side by side in rows parted by streets, with uneven values and consents (生成虚拟老旧厂区).

    Parameters
    ----------
    rows, columns : int
        Titles across and along; each about 70 m by 55 m.
    rng : Generator

    Returns
    -------
    GeoDataFrame, table ``title``, rows * columns rows
        Two titles in five are state land, one in ten needs cleaning, most holders agree, some are open, few refuse.

    Raises
    ------
    SchemaError
        Fewer than one row or column.
    """
    if rows < 1 or columns < 1:
        raise SchemaError(f"{rows} x {columns} titles", expected="at least 1 x 1")
    wide = _LOT_M[0] * rng.uniform(0.75, 1.25, (rows, columns))
    edge = np.concatenate([np.zeros((rows, 1)), np.cumsum(wide, axis=1)], axis=1) + _ORIGIN[0]
    shapes = []
    for r in range(rows):
        low = _ORIGIN[1] + r * _LOT_M[1] + (r // 2) * _STREET_M
        shift = 6.0 * (r - rows / 2)
        for c in range(columns):
            west, east = edge[r, c], edge[r, c + 1]
            shapes.append(shapely.Polygon([(west + shift, low), (east + shift, low), (east + shift + 6, low + _LOT_M[1]), (west + shift + 6, low + _LOT_M[1])]))
    n = rows * columns
    area = shapely.area(np.array(shapes, dtype=object))
    unit = rng.uniform(220, 360, n)
    floor = np.round(area * rng.uniform(0.2, 0.7, n), 1)
    dirty = rng.random(n) < 0.1
    holder = np.where(rng.random(n) < 0.15, np.maximum(np.arange(n) - 1, 0), np.arange(n))
    table = {
        "title_id": [f"C{k + 1:03d}" for k in range(n)], "holder_id": [f"Q{h + 1:03d}" for h in holder], "holder_name": [f"虚拟企业{h + 1}" for h in holder],
        "land_kind": np.where(np.arange(n) % columns < columns * 0.4, "state", "collective").astype(object), "value_yuan": np.round(area * unit, 0),
        "floor_area_m2": floor, "remediation_yuan": np.where(dirty, np.round(area * 60), 0.0), "delay_years": np.where(dirty, 1, 0),
        "consent": rng.choice(["yes", "open", "no"], n, p=[0.78, 0.16, 0.06]).astype(object),
        "accepts": rng.choice(["", "merge;swap;cooperate", "transfer;cooperate", "merge;transfer"], n, p=[0.5, 0.2, 0.15, 0.15]).astype(object),
        "gain_min": rng.choice([0.0, 0.05, 0.1], n, p=[0.5, 0.3, 0.2]),
    }  # fmt: skip
    return gpd.GeoDataFrame(table, geometry=shapes, crs=CRS.from_epsg(_EPSG))
