"""An invented consolidation area for field design and re-allotment (虚拟分地项目)."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from qianmo.schema.errors import SchemaError
from qianmo.village.names import village_name

__all__ = ["AllotmentExample", "make_allotment"]

_EPSG = 4547
_ORIGIN = (500_000.0, 3_100_000.0)
_FIELD_M = (300.0, 150.0)
_SHARE_OF_VALUE = 0.96


@dataclass(frozen=True)
class AllotmentExample:
    """Area, lines, value zones and owners with the columns of their tables, all synthetic (虚拟分地项目)."""

    area: gpd.GeoDataFrame
    allotment_line: gpd.GeoDataFrame
    value_zone: gpd.GeoDataFrame
    allotment_owner: pd.DataFrame


def make_allotment(*, owners: int = 60, rows: int = 2, columns: int = 3, rng: np.random.Generator) -> AllotmentExample:
    """Bent roads across a plain, soil of uneven value, owners with scattered old land (生成虚拟分地项目).

    Parameters
    ----------
    owners : int
        Number of owners, at least 2.
    rows, columns : int
        Fields across and along; each about 300 m by 150 m.
    rng : Generator

    Returns
    -------
    AllotmentExample
        Entitlements are 1 / 0.96 of what the area is worth less roads and ditches.

    Raises
    ------
    SchemaError
        A number is too small.
    """
    if owners < 2 or rows < 1 or columns < 1:
        raise SchemaError(f"{owners} owners, {rows} x {columns} fields", expected="at least 2 owners and 1 x 1 fields")
    x, y = np.arange(columns + 1) * _FIELD_M[0], np.arange(rows + 1) * _FIELD_M[1]
    corner = np.stack(np.meshgrid(x, y), axis=-1)
    corner[..., 1] += 18 * np.sin(corner[..., 0] / 260.0) + rng.uniform(-6, 6, corner.shape[:2])
    corner[..., 0] += 0.18 * corner[..., 1] + rng.uniform(-5, 5, corner.shape[:2])
    corner += _ORIGIN
    edge = [*corner[0], *corner[1:, -1], *corner[-1, -2::-1], *corner[-2:0:-1, 0]]
    roads = [shapely.LineString(corner[k]) for k in range(rows + 1)]
    area = shapely.union_all([shapely.Polygon(edge), *shapely.buffer(roads, 2.0, cap_style="flat", join_style="mitre")])
    ditches = [shapely.LineString(corner[:, k]) for k in range(1, columns)]
    crs = CRS.from_epsg(_EPSG)
    lines = gpd.GeoDataFrame(
        {
            "line_id": [f"R{k + 1}" for k in range(len(roads))] + [f"D{k + 1}" for k in range(len(ditches))],
            "line_kind": ["road"] * len(roads) + ["ditch"] * len(ditches), "width_m": [4.0] * len(roads) + [1.5] * len(ditches),
        },
        geometry=roads + ditches, crs=crs,
    )  # fmt: skip
    zones = _zones(area, rng, crs)
    return AllotmentExample(
        gpd.GeoDataFrame({"project_id": ["A"]}, geometry=[area], crs=crs), lines, zones, _owners(owners, area, lines, zones, rng)
    )  # fmt: skip


def _zones(area: shapely.Polygon, rng: np.random.Generator, crs: CRS) -> gpd.GeoDataFrame:
    west, south, east, north = area.bounds
    seeds = rng.uniform([west, south], [east, north], (max(4, round(area.area / 20_000)), 2))
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(seeds), extend_to=shapely.box(west - 50, south - 50, east + 50, north + 50)))
    cells = cells[shapely.intersects(cells, area)]
    value = np.round(rng.uniform(30, 60, len(cells)), 1)
    return gpd.GeoDataFrame({"zone_id": [f"S{k + 1:02d}" for k in range(len(cells))], "unit_value_yuan_m2": value}, geometry=cells, crs=crs)


def _owners(count: int, area: shapely.Polygon, lines: gpd.GeoDataFrame, zones: gpd.GeoDataFrame, rng: np.random.Generator) -> pd.DataFrame:
    used = shapely.union_all(shapely.buffer(lines.geometry.to_numpy(), lines["width_m"].to_numpy() / 2, cap_style="flat"))
    land = shapely.difference(area, used)
    worth = float(shapely.area(shapely.intersection(zones.geometry.to_numpy(), land)) @ zones["unit_value_yuan_m2"].to_numpy())
    share = np.clip(rng.lognormal(0.0, 0.35, count), 0.6, 2.2)
    value = np.round(worth / _SHARE_OF_VALUE * share / share.sum(), 2)
    west, south, east, north = area.bounds
    place = np.round(rng.uniform([west, south], [east, north], (count, 2)), 1)
    return pd.DataFrame(
        {
            "owner_id": [f"N{k + 1:04d}" for k in range(count)], "owner_name": [f"{village_name(k)[:2]}户" + (str(k // 60 + 1) if k >= 60 else "") for k in range(count)], "entitlement_yuan": value, "x_m": place[:, 0],
            "y_m": place[:, 1], "wishes": "", "lots_max": 2,
        }
    )  # fmt: skip
