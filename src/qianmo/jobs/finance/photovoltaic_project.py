"""Rank the parcels of a project for photovoltaics (光伏候选地块评选)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from qianmo import __version__
from qianmo.evaluation.classes import farmland, group
from qianmo.finance.photovoltaic.candidates import Ground, candidate_table
from qianmo.finance.photovoltaic.land import land_verdicts
from qianmo.finance.photovoltaic.money import MoneyTerms, default_terms
from qianmo.finance.photovoltaic.plant import Plant, default_plant
from qianmo.geo.gradient import gradient
from qianmo.geo.grid import slope_deg, zonal_mean
from qianmo.geo.horizon import grid_north_deg, horizons
from qianmo.geo.overlay import share_inside
from qianmo.geo.raster import Grid
from qianmo.jobs.context import Context
from qianmo.jobs.finance.photovoltaic_terrain import DIRECTIONS, read_elevation
from qianmo.jobs.opened import Opened, open_for_work
from qianmo.jobs.spec import JobReport
from qianmo.reports.photovoltaic_chart import monthly_chart
from qianmo.reports.photovoltaic_sheet import candidate_sheet
from qianmo.schema.errors import CodeError, SchemaError
from qianmo.schema.rules import CONFIRM, FAIL, NO_DATA, PASS, parameter, parameters
from qianmo.schema.units import m2_to_mu, mu_to_m2
from qianmo.schema.weather import Weather
from qianmo.store.finance_file import write_bytes_once
from qianmo.store.project import change

__all__ = ["on_project"]

_SHOWN = 10
_WORDS = {PASS: "可用", CONFIRM: "待核实规则文本", NO_DATA: "待补资料", FAIL: "不可用"}


@dataclass(frozen=True, eq=False)
class _Choice:
    """Candidates and what they were chosen by."""

    patches: gpd.GeoDataFrame
    ground: Ground
    classes: tuple[str, ...]
    min_area_mu: float
    max_slope_deg: float
    left_out: tuple[tuple[str, int], ...]


def on_project(context: Context, values: Mapping[str, Any], weather: Weather, told: list[str]) -> JobReport:
    """Choose the candidates, compute them all, keep the table ``photovoltaic_parcel`` and its lineage, and write charts."""
    opened = open_for_work(Path(values["project"]))
    overrides = {k: v for k, v in opened.overrides.items() if isinstance(v, int | float)}
    plant, terms = default_plant(1.0, overrides=overrides), _terms(opened)
    context.step("候选地块与地形", 0.15)
    dem = _elevation(opened, values["dem"])
    chosen = _choose(opened, values, dem, overrides, plant)
    context.step("用地判定与逐时发电量", 0.45)
    verdicts = _verdicts(opened, chosen.patches, context, overrides)
    table, monthly, light = candidate_table(chosen.patches, chosen.ground, verdicts, weather, plant, terms, overrides=overrides)
    far = _station_km(opened, weather)
    if far > parameter("photovoltaic_station_max_km", overrides):
        context.note(f"气象站距项目 {far:.0f} 公里，辐射可能不同，请核对是否有更近的气象资料")
    if dem is None:
        context.note("项目没有高程模型: 按平地、无遮挡计算 (no elevation model)")
    context.step("保存结果", 0.8)
    lineage = _lineage(context, weather, plant, terms, chosen, dem, Path(values["dem"]).name if values["dem"] else None, far)
    with change(opened.project.folder, what="光伏候选地块", user=context.user, now=context.clock()) as stage:
        stage.put_table("photovoltaic_parcel", table)
        stage.put_json("photovoltaic", lineage)
    files = ((str(opened.project.folder), "光伏候选地块表 photovoltaic_parcel (当前版本的 tables/)"), *_write(values, opened, context, table, monthly, light))
    return JobReport((*told, *_lines(table, chosen)), files, _figures(table, chosen, far))


def _terms(opened: Opened) -> MoneyTerms:
    """Prices of ``[photovoltaic]`` in ``project.toml``, the unit costs where it says nothing."""
    given = opened.project.settings.get("photovoltaic", {})
    if not isinstance(given, dict) or any(isinstance(v, bool) or not isinstance(v, int | float) for v in given.values()):
        raise SchemaError(f"project.toml [photovoltaic]: {given!r}", expected="价格与年限，均为数", cure="如 price_yuan_kwh = 0.38")
    try:
        return default_terms(**given)
    except SchemaError as fault:
        raise SchemaError(f"project.toml [photovoltaic]: {fault.found}", expected=fault.expected, cure=fault.cure) from None


def _elevation(opened: Opened, named: str | None) -> Grid | None:
    """The elevation model named, else that of the project, else none."""
    target = pyproj.CRS(opened.patches.crs)
    if named:
        return read_elevation(Path(named), target)
    path = opened.project.state / "rasters" / "dem.tif"
    return read_elevation(path, target, assume=target) if path.is_file() else None


def _choose(opened: Opened, values: Mapping[str, Any], dem: Grid | None, overrides: Mapping[str, float], plant: Plant) -> _Choice:
    patches = opened.patches
    listed = values["classes"] or str(opened.overrides.get("photovoltaic_classes", parameters()["photovoltaic_classes"].default)).replace(";", ",")
    classes = tuple(c.strip() for c in listed.split(",") if c.strip())
    present = patches["class_code"].astype(str)
    is_class = present.str.startswith(classes) if classes else pd.Series(False, index=patches.index)
    if values["classes"] and not is_class.any():
        raise CodeError(f"--classes {values['classes']}: 没有这些地类的图斑", expected="、".join(sorted(present.unique())), cure="用上面列出的地类代码或其前几位")
    least = parameter("photovoltaic_area_min_mu", overrides) if values["min_area"] is None else float(values["min_area"])
    steepest = parameter("photovoltaic_slope_max_deg", overrides) if values["max_slope"] is None else float(values["max_slope"])
    if not (least >= 0.0 and 0.0 < steepest <= 90.0):
        raise SchemaError(f"--min-area {least:g}, --max-slope {steepest:g}", expected="0 亩以上，0 至 90 度")
    large = is_class & (patches["area_m2"] >= mu_to_m2(least))
    kept = patches[large].reset_index(drop=True)
    ground, seen = _ground(kept, dem)
    gentle = seen & ~(ground.slope_deg > steepest)
    left = (("面积不足", int((is_class & ~large).sum())), ("不在高程模型内", int((~seen).sum())), ("坡度过大", int((seen & ~gentle).sum())))
    kept, ground = kept[gentle].reset_index(drop=True), Ground(ground.east[gentle], ground.north[gentle], ground.slope_deg[gentle], ground.horizon_deg)
    return _Choice(kept, _with_horizon(kept, ground, dem), classes, least, steepest, left)


def _ground(patches: gpd.GeoDataFrame, dem: Grid | None) -> tuple[Ground, np.ndarray]:
    """Lie of the ground, still without horizons, and which patches the elevation model covers."""
    n = len(patches)
    if dem is None or not n:
        return Ground(np.zeros(n), np.zeros(n), np.full(n, np.nan), np.zeros((0, 1))), np.ones(n, bool)
    geoms = patches.geometry.to_numpy()
    east, north = (zonal_mean(Grid(v, dem.transform, dem.crs), geoms) for v in gradient(dem))
    slope = zonal_mean(slope_deg(dem), geoms)
    seen = np.isfinite(east) & np.isfinite(north) & np.isfinite(slope) & np.isfinite(_heights(patches, dem))
    return Ground(east, north, slope, np.zeros((0, 1))), seen


def _heights(patches: gpd.GeoDataFrame, dem: Grid) -> np.ndarray:
    """Height of the cell under the place that stands for each patch, NaN where there is none."""
    column, row = ~dem.transform * _places(patches)
    r, c = np.floor(row).astype(int), np.floor(column).astype(int)
    inside = (r >= 0) & (c >= 0) & (r < dem.values.shape[0]) & (c < dem.values.shape[1])
    r, c = np.where(inside, r, 0), np.where(inside, c, 0)
    return np.where(inside & dem.valid[r, c], dem.values[r, c].astype(float), np.nan)


def _places(patches: gpd.GeoDataFrame) -> tuple[np.ndarray, np.ndarray]:
    points = shapely.point_on_surface(patches.geometry.to_numpy())
    return shapely.get_x(points), shapely.get_y(points)


def _with_horizon(patches: gpd.GeoDataFrame, ground: Ground, dem: Grid | None) -> Ground:
    if dem is None or not len(patches):
        return Ground(ground.east, ground.north, ground.slope_deg, np.zeros((len(patches), 4)))
    x, y = _places(patches)
    profile = horizons(dem, x, y, directions=DIRECTIONS, north_deg=grid_north_deg(dem.crs, x, y))
    return Ground(ground.east, ground.north, ground.slope_deg, profile)


def _verdicts(opened: Opened, patches: gpd.GeoDataFrame, context: Context, overrides: Mapping[str, float]) -> pd.DataFrame:
    geoms = patches.geometry.to_numpy()
    kinds = group(patches["class_code"], scheme=opened.scheme) if len(patches) else np.zeros(0, object)
    shares = {"farmland": farmland(patches, scheme=opened.scheme).astype(float) if len(patches) else np.zeros(0)}
    shares |= {name: (kinds == name).astype(float) for name in ("forest", "grass")} | {"other_farm": (kinds == "garden").astype(float)}
    for name in ("basic_farmland", "eco_redline"):
        if name in opened.layers:
            shares[name] = share_inside(geoms, opened.layers[name].geometry.to_numpy()) if len(patches) else np.zeros(0)
    told = opened.documents
    return land_verdicts(
        patches["area_m2"].to_numpy(float), shares, on=context.clock().date(), rain_mm=told.get("yearly_rain_mm"), shrub_cover_pct=told.get("shrub_cover_pct"),
        protected_land_free=told.get("photovoltaic_off_grassland_and_forest"), facilities_on_construction=told.get("photovoltaic_facilities_as_construction"), overrides=overrides,
    )  # fmt: skip


def _station_km(opened: Opened, weather: Weather) -> float:
    west, south, east, north = opened.patches.total_bounds
    crs = pyproj.CRS(opened.patches.crs)
    lon, lat = pyproj.Transformer.from_crs(crs, crs.geodetic_crs or crs, always_xy=True).transform((west + east) / 2, (south + north) / 2)
    return float(pyproj.Geod(ellps="GRS80").inv(lon, lat, weather.longitude_deg, weather.latitude_deg)[2]) / 1000.0


def _lineage(context: Context, weather: Weather, plant: Plant, terms: MoneyTerms, chosen: _Choice, dem: Grid | None, named: str | None, far: float) -> dict[str, Any]:
    return {
        "tool": f"qianmo {__version__} pv", "time": context.clock().isoformat(timespec="seconds"), "user": context.user,
        "weather": {"file": weather.name, "source": weather.source, "sha256": weather.sha256, "station_km": far, "notes": list(weather.notes)},
        "plant": {k: v for k, v in vars(plant).items() if k != "capacity_kw"}, "money": vars(terms),
        "choice": {"classes": list(chosen.classes), "min_area_mu": chosen.min_area_mu, "max_slope_deg": chosen.max_slope_deg, "left_out": dict(chosen.left_out)},
        "elevation": "" if dem is None else named or "dem", "directions": DIRECTIONS,
    }  # fmt: skip


def _write(
    values: Mapping[str, Any], opened: Opened, context: Context, table: pd.DataFrame, monthly: np.ndarray, light: np.ndarray
) -> tuple[tuple[str, str], ...]:
    if not values["out"]:
        return ()
    folder = Path(values["out"])
    content = [("光伏候选地块.csv", "候选地块清单", table.to_csv(index=False).encode("utf-8-sig"))]
    usable = (table["rank"] > 0).to_numpy()
    if usable.any():
        capacity = table["capacity_kw"].to_numpy()[usable]
        total = (monthly[usable] * capacity[:, None]).sum(axis=0) / 1000.0
        mean_light = np.average(light[usable], axis=0, weights=capacity)
        note = ("含合成数据；" if opened.synthetic else "") + f"{int(usable.sum())} 个未被否定的候选地块合计 {capacity.sum() / 1000:,.2f} 兆瓦；辐射为按容量加权的平均"
        content.append(("月发电量.png", "月发电量图", monthly_chart(total, mean_light, title=f"{opened.project.name} 光伏候选地块月发电量", note=note)))
    mark = tuple(opened.synthetic.values())
    sheet = candidate_sheet(
        opened.layers, table, title="光伏候选地块图", crs_text=str(pyproj.CRS(opened.patches.crs).name), date=context.clock().date().isoformat(), vintage=opened.vintage, synthetic=mark,
    )  # fmt: skip
    content.append(("光伏候选地块图.png", "候选地块图", sheet))
    for name, _, data in content:
        write_bytes_once(folder / name, data)
    return tuple((str(folder / name), zh) for name, zh, _ in content)


def _lines(table: pd.DataFrame, chosen: _Choice) -> list[str]:
    count = table["verdict"].value_counts()
    left = "、".join(f"{zh} {n} 个" for zh, n in chosen.left_out if n)
    lines = [f"候选地块 {len(table)} 个（地类 {'、'.join(chosen.classes)}，不小于 {chosen.min_area_mu:g} 亩，坡度不大于 {chosen.max_slope_deg:g}°" + (f"；另有{left}未列入" if left else "") + "）"]
    if table.empty:
        return [*lines, "没有符合条件的候选地块；可用 --classes、--min-area、--max-slope 放宽"]
    lines.append("用地判定: " + "、".join(f"{zh} {int(count.get(v, 0))}" for v, zh in _WORDS.items()))
    free = table[table["rank"] > 0]
    lines.append(f"未被否定的合计 {m2_to_mu(float(free['area_m2'].sum())):,.2f} 亩，可装 {free['capacity_kw'].sum() / 1000:,.2f} 兆瓦，首年 {free['energy_mwh'].sum() / 10:,.2f} 万千瓦时")
    for r in free.head(_SHOWN).itertuples():
        slope = "" if np.isnan(r.slope_deg) else f"坡度 {r.slope_deg:.1f}°、"
        money = "" if np.isnan(r.rate_of_return) else f"，内部收益率 {r.rate_of_return:.2%}"
        lines.append(
            f"  {r.rank}. {r.patch_id} 地类 {r.class_code}，{m2_to_mu(r.area_m2):,.2f} 亩，{r.capacity_kw / 1000:,.2f} 兆瓦，{slope}遮挡损失 {r.horizon_loss_share:.2%}，"
            f"年等效 {r.full_load_h:,.1f} 小时，度电成本 {r.levelised_yuan_kwh:.4f} 元{money}，{_WORDS[r.verdict]}" + (f"（{r.reasons}）" if r.reasons else "")
        )
    return lines


def _figures(table: pd.DataFrame, chosen: _Choice, far: float) -> dict[str, Any]:
    free = table[table["rank"] > 0]
    rows = [{k: (None if isinstance(v, float) and not np.isfinite(v) else v) for k, v in row.items()} for row in table.to_dict("records")]
    return {
        "candidates": len(table), "left_out": dict(chosen.left_out), "verdicts": {str(k): int(v) for k, v in table["verdict"].value_counts().items()},
        "capacity_kw": float(free["capacity_kw"].sum()), "energy_mwh": float(free["energy_mwh"].sum()), "station_km": far, "parcels": rows,
    }  # fmt: skip
