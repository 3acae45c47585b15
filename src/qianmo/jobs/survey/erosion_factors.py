"""Factors of the soil-loss equation from what a project holds: R, K, LS, C, P on its height grid (土壤流失因子)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qianmo.evaluation.land import Land
from qianmo.evaluation.service_classes import factor_column, looked_up
from qianmo.evaluation.soil_loss import COVER_COLUMN, practice_factor
from qianmo.geo.cells import placed
from qianmo.geo.grid import Grid
from qianmo.jobs.opened import Opened
from qianmo.schema.errors import CrsError, MissingDataError
from qianmo.schema.rules import parameter, parameters
from qianmo.store.parquet import read_frame
from qianmo.store.read_cog import read_cog
from qianmo.survey.erosion.rainfall import daily_erosivity, whole_years, yearly_erosivity
from qianmo.survey.erosion.soil import erodibility_by_type

__all__ = ["EQUATIONS", "Factor", "cover_and_practice", "equation_factors", "erodibility_on", "erosivity_of", "region_of", "sampled_codes"]

EQUATIONS = ("rusle", "csle")
"""Soil-loss equations of the command: C·P, or B·E·T of the Chinese one."""


@dataclass(frozen=True)
class Factor:
    """A factor with where it came from (因子及来源): `value` is one number or a grid (y, x); `is_local` False for a shipped default."""

    name: str
    value: float | np.ndarray
    source: str
    is_local: bool


def erosivity_of(opened: Opened, *, method: str) -> Factor:
    """R of the project: the user's number, else the mean of its rain stations over whole years, else the shipped default (降雨侵蚀力取值).

    Raises
    ------
    MissingDataError
        The project holds rain, but no year without a missing day.
    """
    name = "erosion_rain_erosivity"
    if name in opened.overrides:
        return Factor("R", parameter(name, opened.overrides), f"project.toml {name}", is_local=True)
    days = _table(opened, "rain_day")
    if days is None:
        return Factor("R", parameter(name), f"项目没有逐日降水, 取参数缺省值 {name} (置信度低)", is_local=False)
    found, said = [], []
    for station, part in days.sort_values("day").groupby("station_id", sort=True):
        rain = whole_years(pd.Series(part["rain_mm"].to_numpy(float), index=pd.DatetimeIndex(pd.to_datetime(part["day"]))))
        if len(rain):
            table = daily_erosivity(rain, method=method, threshold_mm=parameter("erosion_rain_threshold_mm", opened.overrides))
            found.append(yearly_erosivity(table))
            said.append(f"{station} {table.index[0]}-{table.index[-1]}年")
    if not found:
        raise MissingDataError("各雨量站都没有资料完整的年份, 不能算降雨侵蚀力", expected="至少一站一年逐日降水无缺测",
                               cure=f"补齐缺测日后重新入库, 或在 project.toml [parameters] 写 {name}")  # fmt: skip
    spread = "" if len(found) == 1 else f", {len(found)} 站 {min(found):.0f} 至 {max(found):.0f} 取平均"
    return Factor("R", float(np.mean(found)), f"逐日降水 ({method}): {'、'.join(said)}{spread}", is_local=True)


def erodibility_on(opened: Opened, dem: Grid, inside: np.ndarray) -> Factor:
    """K of every cell: by the texture of its soil type where known, else the parameter (土壤可蚀性取值).

    `inside` (y, x) marks the cells of the project, over which the share with a known soil is told.

    Raises
    ------
    CrsError
        The soil map lies in another CRS than the heights.
    """
    name = "erosion_soil_erodibility"
    rest = parameter(name, opened.overrides)
    values = np.full(dem.values.shape, rest)
    types = _table(opened, "soil_type")
    own = name in opened.overrides
    word = f"project.toml {name} = {rest:g}" if own else f"参数缺省值 {name} = {rest:g} (置信度低)"
    if own or "soil" not in opened.datasets or types is None:
        why = "" if own else "项目没有土壤图与土种表, "
        return Factor("K", values, why + word, is_local=own)
    code = sampled_codes(read_cog(opened.project.state / "rasters" / "soil.tif"), dem)
    least = parameter("erosion_soil_erodibility_least", opened.overrides)
    by_type = erodibility_by_type(types, least=least)
    cell_k = pd.Series(code.ravel()).map(by_type).to_numpy(float).reshape(code.shape)
    known = np.isfinite(cell_k)
    if not known.any():
        return Factor("K", values, f"土种表没有砂粒、粉粒、黏粒与有机质, {word}", is_local=False)
    lacking = [str(c) for c in by_type.index[by_type.isna()]]
    share = float(known[inside].mean())
    low = [str(c) for c in by_type.index[by_type <= least]]
    more = f"; 土种 {'、'.join(lacking)} 缺质地" if lacking else ""
    more += f"; 土种 {'、'.join(low)} 修正后低于 {least:g}, 取此下限 (erosion_soil_erodibility_least)" if low else ""
    return Factor("K", np.where(known, cell_k, rest), f"EPIC 与张科利修正, {int(by_type.notna().sum())} 个土种, 覆盖项目 {share:.1%} 像元{more}; 其余取{word}", is_local=True)


def sampled_codes(grid: Grid, like: Grid) -> np.ndarray:
    """Code of a class raster under the centre of every cell of another grid, as text; None outside (按像元中心取代号).

    Raises
    ------
    CrsError
        The two lie in different CRS.
    """
    if grid.crs != like.crs:
        raise CrsError(f"土壤图坐标系 {grid.crs.name}, 高程 {like.crs.name}", expected="同一坐标系", cure="重新入库土壤图")
    height, width = like.values.shape
    x, y = placed(like.transform, *(v + 0.5 for v in np.meshgrid(np.arange(width), np.arange(height))))
    column, row = (np.floor(v).astype(np.int64) for v in placed(~grid.transform, x, y))
    inside = (row >= 0) & (row < grid.values.shape[0]) & (column >= 0) & (column < grid.values.shape[1])
    row, column = np.where(inside, row, 0), np.where(inside, column, 0)
    inside &= grid.valid[row, column]
    out = np.full(like.values.shape, None, dtype=object)
    out[inside] = [str(int(v)) for v in grid.values[row, column][inside]]
    return out


def cover_and_practice(land: Land, patch: np.ndarray, slope_deg: np.ndarray, *, level: str) -> tuple[np.ndarray, np.ndarray]:
    """C and P of n cells by the class of their patch and their own slope (作物覆盖与措施因子).

    Parameters
    ----------
    land : Land, k patches
    patch : ndarray (n,), int
        Row of the patch of each cell.
    slope_deg : ndarray (n,)
    level : {"low", "default", "high"}
        End of the cover factor.

    Returns
    -------
    (C, P) : two ndarray (n,)
        nan where the class has no factor; P is 1 where C is 0, for no soil moves there.
    """
    cell = replace(land.rows(patch), slope=slope_deg)
    cover = looked_up(cell.code, cell.scheme, "carbon_class", factor_column("soil_cover", COVER_COLUMN[level], land.overrides))
    return cover, np.where(cover == 0, 1.0, practice_factor(cell))


def equation_factors(land: Land, patch: np.ndarray, slope_deg: np.ndarray, *, level: str, model: str) -> dict[str, np.ndarray]:
    """The factors of cover and measures that an equation asks for, by cell (方程的覆盖与措施因子).

    RUSLE: C and P of `cover_and_practice`. CSLE: on cropland B is 1 and T holds the crop with its tillage, C times the contour share of P;
    elsewhere B is C and T is 1; E is what bunds and terraces leave. B·E·T equals C·P with the shipped tables: the equations differ in where
    local values of plants, works and tillage enter.
    """
    cover, practice = cover_and_practice(land, patch, slope_deg, level=level)
    if model == "rusle":
        return {"C": cover, "P": practice}
    cell = replace(land.rows(patch), slope=slope_deg)
    kinds = looked_up(cell.code, cell.scheme, "carbon_class", dict.fromkeys(("cropland_paddy", "cropland_dry"), 1.0))
    tilled = np.nan_to_num(kinds) == 1.0
    bunded = np.nan_to_num(looked_up(cell.code, cell.scheme, "carbon_class", {"cropland_paddy": 1.0})) == 1.0
    works = np.where(bunded | cell.terraced, practice, 1.0)
    return {"B": np.where(tilled, 1.0, cover), "E": works, "T": np.where(tilled, cover, 1.0) * np.where(bunded | cell.terraced, 1.0, practice)}


def region_of(overrides: Mapping[str, Any], told: str | None) -> str:
    """Region of SL 190: that of the command line, of project.toml, or the shipped one (侵蚀类型区)."""
    return str(told or overrides.get("erosion_region") or parameters()["erosion_region"].default)


def _table(opened: Opened, name: str) -> pd.DataFrame | None:
    path: Path = opened.project.state / "tables" / f"{name}.parquet"
    return read_frame(path) if path.is_file() else None
