"""What the motion means on the ground: bowls by date and threshold, patches, standing water (形变落到地块)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from qianmo.geo.crs import transform
from qianmo.geo.grid import polygonize, zonal_mean
from qianmo.geo.raster import Grid
from qianmo.schema.errors import CrsError, MissingDataError
from qianmo.schema.rules import parameter
from qianmo.store.parquet import read_frame
from qianmo.store.project import Project
from qianmo.store.stage import read_catalog
from qianmo.survey.insar.basin import growth, labelled_basins
from qianmo.survey.insar.ponding import ponding_gain_m
from qianmo.survey.subsidence.damage import graded, intervals

__all__ = ["bowls_by_date", "cell_area_m2", "cell_size_m", "patch_motion", "ponding", "spread"]


_DRAWN_CELLS = 200_000_000


def bowls_by_date(
    sunk: Iterable[np.ndarray], days: Sequence[date], like: Grid, *, edges_mm: Sequence[float]
) -> tuple[pd.DataFrame, gpd.GeoDataFrame | None]:
    """Bowls at every date and threshold: a table of areas, speeds and deepest points, and their outlines (各期各阈值沉陷盆地).

    Parameters
    ----------
    sunk : iterable of ndarray (rows, columns)
        Subsidence at each date [mm], down positive, nan = unknown.
    days : sequence of date
    like : Grid
        Transform and CRS.
    edges_mm : sequence of float
        Thresholds, the main one first.

    Returns
    -------
    table : DataFrame (day, days, edge_mm, area_ha, basins, deepest_mm, speed_ha_yr)
        One row a date and threshold; speed since the date before, nan at the first.
    outlines : GeoDataFrame (basin_id, day, edge_mm, area_ha, deepest_mm, deepest_x, deepest_y, geometry) or None
        Of all dates; of the last date of each quarter where cells times dates exceed 200 million.
    """
    cell = cell_area_m2(like)
    rows, frames, shown = [], [], _outlined(days, like.values.size)
    for w, day in zip(sunk, days):
        deepest = float(np.nanmax(w)) if np.isfinite(w).any() else float("nan")
        for edge in edges_mm:
            labels, found = labelled_basins(w, edge_mm=edge, cell_area_m2=cell)
            rows.append((day, (day - days[0]).days, edge, sum(b.area_ha for b in found), len(found), deepest))
            if found and day in shown:
                pieces = polygonize(Grid(labels, like.transform, like.crs, None), crop_zero=True).sort_values("value", kind="stable")
                # pieces of one bowl touch at corners alone: together they are a polygon of many parts
                drawn = shapely.multipolygons(pieces.geometry.to_numpy(), indices=pieces["value"].to_numpy() - 1)
                x = [like.transform.c + (b.column + 0.5) * like.transform.a for b in found]
                y = [like.transform.f + (b.row + 0.5) * like.transform.e for b in found]
                named = {
                    "basin_id": [f"{day:%Y%m%d}-{edge:g}-{b.number}" for b in found], "day": [str(day)] * len(found), "edge_mm": [float(edge)] * len(found),
                    "area_ha": [b.area_ha for b in found], "deepest_mm": [b.deepest_mm for b in found], "deepest_x": x, "deepest_y": y,
                }  # fmt: skip
                frames.append(gpd.GeoDataFrame(named, geometry=drawn, crs=like.crs))
    table = pd.DataFrame(rows, columns=["day", "days", "edge_mm", "area_ha", "basins", "deepest_mm"])
    step = table.groupby("edge_mm")[["area_ha", "days"]].diff()
    table["speed_ha_yr"] = step["area_ha"] / step["days"] * 365.25
    return table, pd.concat(frames, ignore_index=True) if frames else None


def _outlined(days: Sequence[date], cells: int) -> set[date]:
    """Dates whose bowls are drawn: all, or the last of each quarter of a year where there are many cells."""
    if cells * len(days) <= _DRAWN_CELLS:
        return set(days)
    return set({(d.year, (d.month - 1) // 3): d for d in days}.values())


def spread(table: pd.DataFrame, edge_mm: float) -> dict[str, float]:
    """Growth of the bowls of one threshold since they were first seen; empty where they were seen once at most (扩展趋势)."""
    grown = table[(table["edge_mm"] == edge_mm) & (table["area_ha"] > 0)]
    return growth(grown["area_ha"].to_numpy(), grown["days"].to_numpy()) if len(grown) > 1 else {}


def ponding(vertical: Grid, height: Grid) -> Grid:
    """Depth of standing water that today's rate adds in the years of ``motion_pond_years`` [m] (新增积水深度)."""
    sunk = np.where(vertical.valid, -vertical.values, np.nan).astype(float) / 1000.0 * parameter("motion_pond_years")
    gain = ponding_gain_m(np.where(height.valid, height.values, np.nan), sunk)
    return Grid(gain.astype(np.float32), vertical.transform, vertical.crs, float("nan"))


def patch_motion(project: Project | None, grids: Mapping[str, Grid], *, years: float) -> pd.DataFrame | None:
    """Rate, standard error, tilt, grade, alarm of mining areas and standing water of every land-use patch; None without patches (地块形变).

    `grids` holds motion_vertical, motion_sigma and, with a height model, motion_pond; `years` is the length of the series.

    Raises
    ------
    MissingDataError
        Stack and patches do not meet.
    """
    if project is None or "landuse_patch" not in read_catalog(project.state):
        return None
    frame = read_frame(project.state / "layers" / "landuse_patch.parquet")
    up, sigma = grids["motion_vertical"], grids["motion_sigma"]
    shapes = transform(frame.geometry.to_numpy(), pyproj.CRS(frame.crs), up.crs)
    x0, y0, x1, y1 = shapely.total_bounds(shapes)
    rows, columns = up.values.shape
    west, north = up.transform.c, up.transform.f
    east, south = west + columns * up.transform.a, north + rows * up.transform.e
    if x1 < west or x0 > east or y1 < south or y0 > north:
        raise MissingDataError("干涉图与项目地块没有重叠", expected="同一地区", cure="核对干涉图的坐标系与项目位置")
    rate = zonal_mean(up, shapes)
    along, across = cell_size_m(up)
    down, right = np.gradient(np.where(up.valid, up.values, np.nan).astype(float)) if min(rows, columns) > 1 else (np.zeros(up.values.shape),) * 2
    tilt = zonal_mean(Grid(np.hypot(right / along, down / across), up.transform, up.crs, float("nan")), shapes)
    sinking = np.where(np.isfinite(rate), np.maximum(-rate, 0.0), np.nan)
    rank, _ = graded("insar_subsidence", "地面沉降", {"v": sinking, "W": sinking * years})
    words = {r.rank: r.zh for r in intervals("insar_subsidence", "地面沉降")}
    table = pd.DataFrame(
        {
            "patch_id": frame["patch_id"].to_numpy(), "vertical_mm_yr": rate, "sigma_mm_yr": zonal_mean(sigma, shapes), "tilt_rate_mm_m_yr": tilt, "tilt_mm_m": tilt * years,
            "grade": [words.get(int(r), "") for r in rank], "mine_alarm": _mine_alarm(sinking),
        }
    )  # fmt: skip
    if "motion_pond" in grids:
        pond = grids["motion_pond"]
        deep = Grid(np.where(pond.valid, pond.values >= parameter("motion_pond_depth_m"), np.nan), pond.transform, pond.crs, float("nan"))
        table["pond_m"], table["pond_share"] = zonal_mean(pond, shapes), zonal_mean(deep, shapes)
        risk = table["pond_share"] >= parameter("motion_pond_share")
        table["pond_risk"] = np.where(table["pond_share"].isna(), "", np.where(risk, "有", "无"))
    return table


def _mine_alarm(sinking_mm_yr: np.ndarray) -> list[str]:
    """Colour of the alarm of mining areas by rate; '' where the ground sinks more slowly than the first, or is not known (矿区形变预警)."""
    rows = intervals("insar_alarm", "矿区形变预警")
    first = min(r.low for r in rows)
    rank, _ = graded("insar_alarm", "矿区形变预警", {"v": np.where(sinking_mm_yr > first, sinking_mm_yr, np.nan)})
    words = {r.rank: r.zh for r in rows}
    return [words.get(int(r), "") for r in rank]


def cell_size_m(grid: Grid) -> tuple[float, float]:
    """Width and height of the cell in the middle [m] (像元尺寸)."""
    t = grid.transform
    if not grid.crs.is_geographic:
        return abs(t.a), abs(t.e)
    x, y = t.c, t.f + (grid.values.shape[0] // 2) * t.e
    geod = grid.crs.get_geod()
    if geod is None:
        raise CrsError("干涉图的坐标系没有椭球", expected="地理坐标系或米制投影坐标系", cure="用处理软件重新导出地理编码结果")
    return abs(geod.inv(x, y, x + t.a, y)[2]), abs(geod.inv(x, y, x, y + t.e)[2])


def cell_area_m2(grid: Grid) -> float:
    """Area of the cell in the middle [m2] (像元面积)."""
    along, across = cell_size_m(grid)
    return along * across
