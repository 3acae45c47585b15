"""Erosion of a project by water: loss grid, grades, sediment, before and after of the plan (水土流失评价)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qianmo import __version__
from qianmo.evaluation.land import Land, land_of
from qianmo.geo.cells import cells_inside
from qianmo.geo.grid import Grid, polygonize, slope_deg
from qianmo.geo.raster import NODATA
from qianmo.jobs.context import Context
from qianmo.jobs.opened import Opened, open_for_work, read_tables
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.jobs.survey.erosion_factors import (
    EQUATIONS,
    Factor,
    cover_and_practice,
    equation_factors,
    erodibility_on,
    erosivity_of,
    region_of,
)
from qianmo.jobs.survey.erosion_kinds import kind_words, kinds_of, survey_from
from qianmo.jobs.survey.erosion_outlet import outlet_figures, outlet_from, outlet_words
from qianmo.jobs.survey.erosion_samples import RESIDUAL_KINDS, compared_samples, residual_discs, samples_from
from qianmo.jobs.survey.rain_file import erosivity_from
from qianmo.reports.erosion_sheet import erosion_sheet
from qianmo.reports.figure_text import figure_text
from qianmo.schema.dataset import Dataset, Lineage
from qianmo.schema.errors import MissingDataError, SchemaError, TopologyError
from qianmo.schema.rules import parameter
from qianmo.schema.units import M2_PER_HA
from qianmo.store.durable import replace_bytes
from qianmo.store.project import change
from qianmo.store.read_cog import read_cog
from qianmo.survey.erosion.areas import grade_areas, patch_losses
from qianmo.survey.erosion.grade import GRADES, interval_grade, tolerance_t_km2
from qianmo.survey.erosion.loss import Sampled, connectivity, delivery_ratio, soil_loss
from qianmo.survey.erosion.terrain import Flow, flow_over, slope_length_grid

__all__ = ["SPECS", "run"]


@dataclass(frozen=True)
class _Ground:
    """What does not change with the plan: grid, flow, factors, and which patch each cell of the project lies in."""

    dem: Grid
    flow: Flow
    slope: np.ndarray
    erosivity: Factor
    erodibility: Factor
    length: np.ndarray
    patch: np.ndarray
    row: np.ndarray
    column: np.ndarray

    @property
    def cell_m(self) -> float:
        return abs(float(self.dem.transform.a))


@dataclass(frozen=True)
class _State:
    """Loss [t/ha], grade and share delivered of the cells of the project in one state."""

    loss: np.ndarray
    grade: np.ndarray
    ratio: np.ndarray

    def totals(self, cell_m: float) -> tuple[float, float, float]:
        """Loss [t/a], sediment [t/a], mean modulus [t/(km2·a)]."""
        to_t = cell_m**2 / M2_PER_HA
        return float(np.nansum(self.loss)) * to_t, float(np.nansum(self.loss * self.ratio)) * to_t, 100.0 * float(np.nanmean(self.loss))


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Compute the factors, multiply, grade by SL 190, sum up, and keep grids, tables and the map sheet."""
    context.step("读取项目", 0.0)
    opened = open_for_work(Path(values["project"]))
    region = region_of(opened.overrides, values["region"])
    tolerance = tolerance_t_km2(region)
    level, model = str(values["level"]), str(values["model"])
    samples = samples_from(str(values["samples"])) if values["samples"] else None
    gauge = outlet_from(str(values["outlet"])) if values["outlet"] else None
    survey = survey_from(str(values["survey"]), opened.patches["patch_id"].to_numpy(object)) if values["survey"] else None
    given = _given_rain(values)
    ground = _ground(context, opened, str(values["method"]), given)
    context.step("土壤流失量", 0.45)
    land = land_of(opened.patches, scheme=opened.scheme, overrides=opened.overrides)
    channel = parameter("erosion_channel_ha", opened.overrides) * M2_PER_HA
    now = _state(ground, land, level, model, region, channel)
    planned = read_tables(opened.project, ("plan_parcel",)).get("plan_parcel")
    later = None if planned is None else _state(ground, _land_after(land, opened.patches, planned), level, model, region, channel)
    context.step("统计与制图", 0.6)
    tables = _tables(opened, ground, now, later, region)
    factors = _factor_table(ground, land, level, model)
    compared = None if samples is None else compared_samples(samples, _on_grid(ground, now.loss, dtype=np.float32, nodata=NODATA), source=str(values["samples"]))
    if compared is not None:
        tables["erosion_sample"] = compared[0]
    if gauge is not None:
        tables["erosion_outlet"] = gauge
    if survey is not None:
        tables["erosion_kind"] = kinds_of(survey, tables["erosion_patch"], opened.patches["area_m2"].to_numpy(float) / M2_PER_HA)
    folder = Path(values["out"]) if values["out"] else opened.project.folder / "erosion"
    sheets = _sheets(context, opened, ground, now, later, region, tolerance, compared)
    context.step("保存", 0.85)
    facts = {"region": region, "tolerance_t_km2": tolerance, "level": level, "model": model, "method": values["method"], "R": ground.erosivity.source,
             "K": ground.erodibility.source, "channel_m2": channel}  # fmt: skip
    with change(opened.project.folder, what="水土流失评价", user=context.user, now=context.clock()) as stage:
        for name, zh, grid in _grids(ground, now, later):
            stage.put_grid(grid, _dataset(context, opened, name, zh, grid, facts))
        stage.remove_tables(("erosion_change", "erosion_sample", "erosion_kind", "erosion_outlet"))
        if later is None:
            stage.remove("soil_loss_after")
        for name, frame in {**tables, "erosion_factor": factors}.items():
            stage.put_table(name, frame)
    files = []
    for zh, data in sheets:
        replace_bytes(folder / f"{zh}.png", data)
        files.append((str(folder / f"{zh}.png"), zh))
    for factor in (ground.erosivity, ground.erodibility):
        if not factor.is_local:
            context.note(f"{factor.name} 不是本地数据: {factor.source}")
    if later is not None:
        _warn_of_rise(context, opened.patches, ground, now, later)
    figures = _figures(ground, now, later, tables["erosion_area"], region, tolerance)
    if compared is not None:
        figures |= _sample_figures(*compared)
    if gauge is not None:
        figures |= outlet_figures(gauge, sediment_t_yr=figures["sediment_t_yr"], area_ha=figures["area_ha"])
    return JobReport(tuple(_lines(ground, factors, tables, figures)), tuple(files), figures)


def _given_rain(values: Mapping[str, Any]) -> Factor | None:
    a, b = values["fournier_a"], values["fournier_b"]
    if values["rain"]:
        return erosivity_from(str(values["rain"]), a=a, b=b)
    if a is not None or b is not None:
        raise SchemaError("给了月雨量公式的系数, 没有月雨量表", expected="--rain 月雨量表", cure="给出 --rain, 或去掉 --fournier-a、--fournier-b")
    return None


def _ground(context: Context, opened: Opened, method: str, given: Factor | None) -> _Ground:
    if "dem" not in opened.datasets:
        raise MissingDataError("项目中没有高程栅格 (no elevation model)", expected="数据集 dem", cure="先入库数字高程模型: qianmo ingest DEM.tif --into 项目")
    dem = read_cog(opened.project.state / "rasters" / "dem.tif")
    if dem.crs != opened.patches.crs:
        raise TopologyError(f"高程坐标系 {dem.crs.name} 与图斑 {opened.patches.crs.name} 不同", expected="同一坐标系", cure="重新入库高程")
    erosivity = given or erosivity_of(opened, method=method)
    context.step("汇流与坡长坡度", 0.15)
    flow = flow_over(dem)
    length = slope_length_grid(dem, flow, longest_m=parameter("erosion_longest_slope_m", opened.overrides))
    steep = slope_deg(dem)
    patch, row, column = cells_inside(opened.patches.geometry.to_numpy(), dem.transform, dem.values.shape)
    first = np.unique(row * dem.values.shape[1] + column, return_index=True)[1]  # a cell that two patches share counts once
    if not dem.valid[row, column].any():
        raise MissingDataError("高程栅格与地类图斑没有重叠", expected="覆盖图斑的高程", cure="核对高程范围与坐标系")
    inside = np.zeros(dem.values.shape, dtype=bool)
    inside[row, column] = True
    erodibility = erodibility_on(opened, dem, inside)
    return _Ground(dem, flow, np.where(steep.valid, steep.values, np.nan), erosivity, erodibility, length.values, patch[first], row[first], column[first])


def _state(ground: _Ground, land: Land, level: str, model: str, region: str, channel_m2: float) -> _State:
    at = ground.row, ground.column
    own = equation_factors(land, ground.patch, ground.slope[at], level=level, model=model)
    k = np.asarray(ground.erodibility.value)
    loss = soil_loss({"R": np.full(len(ground.patch), float(ground.erosivity.value)), "K": k[at], "LS": ground.length[at], **own}, model=model)
    weight = np.full(ground.dem.values.shape, np.nan)
    weight[at] = cover_and_practice(land, ground.patch, ground.slope[at], level=level)[0]
    index = connectivity(weight, np.tan(np.radians(ground.slope)), ground.flow, ground.cell_m, channel_m2=channel_m2)
    grade = interval_grade(100.0 * loss, table="modulus", erosion="water", region=region)
    return _State(loss, grade, delivery_ratio(index)[at])


def _land_after(land: Land, patches: pd.DataFrame, planned: pd.DataFrame) -> Land:
    """The patches with the class and the terraces of the plan; slope stays."""
    rows = planned.set_index("patch_id").reindex(patches["patch_id"].to_numpy())
    lost = rows.index[rows["target_class"].isna()]
    if len(lost):
        raise MissingDataError(f"方案缺 {len(lost)} 个图斑, 如 {', '.join(map(str, lost[:3]))}", expected="方案与图斑同一版本", cure="重新运行 qianmo plan")
    return replace(land, code=rows["target_class"].to_numpy(object), terraced=land.terraced | (rows["measure"] == "terrace").to_numpy(bool))


def _tables(opened: Opened, ground: _Ground, now: _State, later: _State | None, region: str) -> dict[str, pd.DataFrame]:
    patches, cell_m2 = opened.patches, ground.cell_m**2
    names = _villages(opened)[ground.patch]
    kept = ["patch_id", "class_code", *(c for c in ("village_code",) if c in patches)]
    own = patch_losses(ground.patch, now.loss, now.ratio, count=len(patches), cell_m2=cell_m2)
    grade = interval_grade(own["modulus_t_km2"].to_numpy(), table="modulus", erosion="water", region=region)
    out = {
        "erosion_area": grade_areas(names, now.grade, now.loss, cell_m2=cell_m2),
        "erosion_patch": pd.concat([pd.DataFrame(patches[kept]).reset_index(drop=True), own.assign(grade=grade, grade_zh=[GRADES[g] or "未知" for g in grade])], axis=1),
    }
    if later is not None:
        both = [grade_areas(names, s.grade, s.loss, cell_m2=cell_m2)[["zone", "grade", "grade_zh", "area_ha", "loss_t_yr"]] for s in (now, later)]
        table = both[0].merge(both[1], on=["zone", "grade", "grade_zh"], how="outer", suffixes=("_before", "_after"))
        out["erosion_change"] = table.fillna({c: 0.0 for c in table.columns if c.startswith(("area", "loss"))})
    return out


def _warn_of_rise(context: Context, patches: pd.DataFrame, ground: _Ground, now: _State, later: _State) -> None:
    """A note where the plan loses more soil, with the patches that add most."""
    rise = np.bincount(ground.patch, weights=np.nan_to_num(later.loss - now.loss), minlength=len(patches)) * ground.cell_m**2 / M2_PER_HA
    if rise.sum() > 0:
        top = [f"{patches['patch_id'].iloc[k]} +{rise[k]:.0f} 吨/年" for k in np.argsort(-rise)[:3] if rise[k] > 0]
        context.note(f"方案使土壤流失增加 {rise.sum():.0f} 吨/年, 主要在 {'、'.join(top)}; 可锁定这些图斑或改坡为梯 (qianmo plan --lock 图斑)")


def _villages(opened: Opened) -> np.ndarray:
    """Name of the village of each patch, its code where there is no layer of villages."""
    patches = opened.patches
    if "village_code" not in patches:
        return np.full(len(patches), "未分村", object)
    code = patches["village_code"].astype("string").fillna("未分村").to_numpy(object)
    if "village" not in opened.layers:
        return code
    villages = opened.layers["village"]
    named = dict(zip(villages["village_code"].astype(str), villages["village_name"].astype(str)))
    return np.array([named.get(str(c), str(c)) for c in code], dtype=object)


_FACTOR_WORDS = {
    "C": ("作物覆盖与管理", "soil_cover.csv 按地类, {level} (置信度低)"), "P": ("水土保持措施", "soil_cover.csv 与 slope_practice.csv 按地类与坡度"),
    "B": ("植被覆盖与生物措施", "soil_cover.csv 按地类, {level}, 耕地取 1 (置信度低)"), "E": ("工程措施", "soil_cover.csv 田埂, practice_terrace 梯田"),
    "T": ("耕作措施", "耕地取作物覆盖, {level} (置信度低); 等高耕作按 slope_practice.csv"),
}  # fmt: skip


def _factor_table(ground: _Ground, land: Land, level: str, model: str) -> pd.DataFrame:
    """Least, mean and largest value of each factor over the cells of the project, and where it came from."""
    at = ground.row, ground.column
    own = equation_factors(land, ground.patch, ground.slope[at], level=level, model=model)
    longest = "高程栅格: 填洼, D8 汇流, Desmet 与 Govers"
    parts = [
        ("R", "降雨侵蚀力", "MJ·mm/(ha·h·a)", np.full(len(ground.patch), float(ground.erosivity.value)), ground.erosivity.source, ground.erosivity.is_local),
        ("K", "土壤可蚀性", "t·ha·h/(ha·MJ·mm)", np.asarray(ground.erodibility.value)[at], ground.erodibility.source, ground.erodibility.is_local),
        ("LS", "坡长坡度", "", ground.length[at], longest, True),
        *((n, _FACTOR_WORDS[n][0], "", v, _FACTOR_WORDS[n][1].format(level=level), False) for n, v in own.items()),
    ]
    rows = [(n, zh, unit, float(np.nanmin(v)), float(np.nanmean(v)), float(np.nanmax(v)), int(np.isnan(v).sum()), src, own) for n, zh, unit, v, src, own in parts]
    return pd.DataFrame(rows, columns=["factor", "zh", "unit", "least", "mean", "largest", "unknown_cells", "source", "is_local"])


def _on_grid(ground: _Ground, values: np.ndarray, *, dtype: Any, nodata: float) -> Grid:
    filled = np.full(ground.dem.values.shape, nodata, dtype=dtype)
    filled[ground.row, ground.column] = np.where(np.isfinite(values), values, nodata)
    return Grid(filled, ground.dem.transform, ground.dem.crs, nodata)


def _grids(ground: _Ground, now: _State, later: _State | None) -> list[tuple[str, str, Grid]]:
    made = [
        ("soil_loss", "土壤流失量 t/(ha·a)", _on_grid(ground, now.loss, dtype=np.float32, nodata=NODATA)),
        ("erosion_grade", "土壤侵蚀强度分级 1-6", _on_grid(ground, now.grade.astype(float), dtype=np.uint8, nodata=0)),
        ("sediment_delivery", "泥沙输移比", _on_grid(ground, now.ratio, dtype=np.float32, nodata=NODATA)),
    ]
    return made if later is None else [*made, ("soil_loss_after", "方案后土壤流失量 t/(ha·a)", _on_grid(ground, later.loss, dtype=np.float32, nodata=NODATA))]


def _dataset(context: Context, opened: Opened, name: str, zh: str, grid: Grid, facts: Mapping[str, Any]) -> Dataset:
    used = [opened.datasets[n] for n in ("dem", "landuse_patch", "rain_day", "soil", "soil_type") if n in opened.datasets]
    moment = context.clock().isoformat(timespec="seconds")
    lineage = Lineage("; ".join(d.name for d in used), "; ".join(d.lineage.source_sha256 for d in used), f"qianmo {__version__} erosion", moment, context.user, dict(facts))
    return Dataset(name, "raster", zh, opened.datasets["dem"].crs, "", opened.datasets["landuse_patch"].vintage, any(d.synthetic for d in used), grid.values.size, lineage)


def _sheets(
    context: Context, opened: Opened, ground: _Ground, now: _State, later: _State | None, region: str, tolerance: float,
    compared: tuple[pd.DataFrame, Sampled] | None,
) -> list[tuple[str, bytes]]:
    """Map sheets of the grades, present and planned, and of the residuals at the samples."""
    settings = opened.project.settings
    synthetic = [zh for name, zh in opened.synthetic.items() if name in ("landuse_patch", "dem", "rain_day", "soil", "soil_type", "village", "helmert")]
    remarks = [f"按 SL 190-2007 水力侵蚀强度分级,{region},容许土壤流失量 {tolerance:g} t/(km²·a)。", f"像元 {ground.cell_m:g} 米;R = {figure_text(float(ground.erosivity.value))}。",
               "面蚀模型计算值,不含沟蚀、崩岗与重力侵蚀。", *([] if ground.erodibility.is_local else ["K 取参数缺省值。"])]  # fmt: skip
    made = []
    told = {"crs_text": opened.patches.crs.name, "date": f"{context.clock():%Y年%m月%d日}", "vintage": opened.vintage,
            "office": str(settings.get("office", {}).get("name", "")), "synthetic": synthetic}  # fmt: skip
    villages = opened.layers.get("village")
    for zh, state in (("土壤侵蚀强度分级图", now), ("方案后土壤侵蚀强度分级图", later)):
        if state is not None:
            grades = polygonize(_on_grid(ground, state.grade.astype(float), dtype=np.uint8, nodata=0))
            png = erosion_sheet(grades, villages, title=f"{opened.project.name}　{zh}", remarks=remarks, **told)
            made.append((zh, png))
    if compared is not None:
        grades = polygonize(_on_grid(ground, now.grade.astype(float), dtype=np.uint8, nodata=0))
        discs = residual_discs(compared[0], _on_grid(ground, now.loss, dtype=np.float32, nodata=NODATA))
        more = [*remarks, f"注记: 点名与残差 (模型 − 实测, t/(km²·a));偏差 {compared[1].bias:+.0f},均方根 {compared[1].rms:.0f}。"]
        made.append(("采样点残差图", erosion_sheet(grades, villages, discs, title=f"{opened.project.name}　土壤侵蚀采样点残差图", remarks=more, **told)))
    return made


def _figures(ground: _Ground, now: _State, later: _State | None, area: pd.DataFrame, region: str, tolerance: float) -> dict[str, Any]:
    loss, sediment, modulus = now.totals(ground.cell_m)
    whole = area[area["zone"] == "全区"]
    found = {
        "region": region, "tolerance_t_km2": tolerance, "R": float(ground.erosivity.value), "loss_t_yr": loss, "sediment_t_yr": sediment,
        "modulus_t_km2": modulus, "area_ha": float(whole["area_ha"].sum()), "unknown_ha": float(whole.loc[whole["grade"] == 0, "area_ha"].sum()),
        "area_ha_by_grade": {str(g): float(a) for g, a in zip(whole["grade_zh"], whole["area_ha"])},
    }  # fmt: skip
    if later is not None:
        found |= dict(zip(("loss_after_t_yr", "sediment_after_t_yr", "modulus_after_t_km2"), later.totals(ground.cell_m)))
    return found


def _sample_figures(table: pd.DataFrame, sampled: Sampled) -> dict[str, Any]:
    kinds = {k: int((table["kind"] == k).sum()) for k in RESIDUAL_KINDS}
    return {"samples": len(table), "sample_bias_t_km2": sampled.bias, "sample_rms_t_km2": sampled.rms, "sample_rank_correlation": sampled.rank_correlation,
            "sample_kinds": kinds}  # fmt: skip


def _lines(ground: _Ground, factors: pd.DataFrame, tables: Mapping[str, pd.DataFrame], f: Mapping[str, Any]) -> list[str]:
    lines = [f"土壤流失 {f['loss_t_yr']:,.0f} 吨/年, 平均模数 {f['modulus_t_km2']:,.0f} t/(km²·a); {f['region']}容许 {f['tolerance_t_km2']:g}"]
    lines += [f"  {r.factor} {r.zh}: {figure_text(r.least)} / {figure_text(r.mean)} / {figure_text(r.largest)} {r.unit} (最小/平均/最大); {r.source}" for r in factors.itertuples()]
    whole = tables["erosion_area"][tables["erosion_area"]["zone"] == "全区"]
    lines += [f"  {r.grade_zh}: {r.area_ha:,.2f} 公顷 ({r.share:.2%}), {r.loss_t_yr:,.1f} 吨/年" for r in whole.itertuples()]
    lines.append(f"  进入沟道的泥沙 {f['sediment_t_yr']:,.0f} 吨/年 (连通性指数输移比); 面蚀之外的侵蚀不在内")
    if "erosion_kind" in tables:
        lines += kind_words(tables["erosion_kind"])
    if "samples" in f:
        k = f["sample_kinds"]
        lines.append(
            f"  采样点 {f['samples']} 个: 模型减实测平均 {f['sample_bias_t_km2']:+,.0f}, 均方根 {f['sample_rms_t_km2']:,.0f} t/(km²·a), 秩相关 {f['sample_rank_correlation']:.2f}; "
            f"不足一半 {k['below']}, 半至两倍 {k['near']}, 两倍以上 {k['above']}, 无模型值 {k['unknown']}"
        )
    if "gauged_t" in f:
        lines += outlet_words(dict(f), f["sediment_t_yr"])
    if "loss_after_t_yr" in f:
        lines.append(f"方案后: 土壤流失 {f['loss_t_yr']:,.0f} → {f['loss_after_t_yr']:,.0f} 吨/年, 进入沟道 {f['sediment_t_yr']:,.0f} → {f['sediment_after_t_yr']:,.0f} 吨/年")
    return lines


SPECS = (
    JobSpec(
        "erosion", "水土流失评价", "soil loss by water, SL 190 grades, sediment, before and after of the plan",
        (
            JobOption("project", "path", "项目文件夹", "project folder", required=True, positional=True),
            JobOption("region", "text", "侵蚀类型区 (SL 190)", "region of SL 190 for the tolerable loss, parameter erosion_region by default"),
            JobOption("method", "choice", "降雨侵蚀力方法", "model of rain erosivity", default="zhang_daily", choices=("zhang_daily", "census")),
            JobOption("rain", "path", "次降雨或月雨量表 [默认用项目的逐日降水]", "table of storms or of monthly rain, in place of the daily rain of the project"),
            JobOption("fournier_a", "number", "月雨量公式 R = a·F^b 的 a", "a of R = a·F^b for monthly rain"),
            JobOption("fournier_b", "number", "月雨量公式 R = a·F^b 的 b", "b of R = a·F^b"),
            JobOption("level", "choice", "覆盖因子取值", "end of the cover factor", default="default", choices=("low", "default", "high")),
            JobOption("model", "choice", "土壤流失方程", "equation: RUSLE with C and P, or the Chinese CSLE with B, E and T", default="rusle", choices=EQUATIONS),
            JobOption("survey", "path", "侵蚀类型调查表 (CSV: patch_id 与沟蚀、崩塌、风蚀、冻融指标)", "survey of gullies, collapses, wind and freeze-thaw by patch: graded by SL 190"),
            JobOption("samples", "path", "实测采样点表", "table of measured moduli with x, y, modulus_t_km2: residuals are listed and mapped"),
            JobOption("outlet", "path", "流域出口观测表 (CSV: day, discharge_m3_s, sediment_g_l)", "table of a gauge: what passed on the measured days is set beside the map"),
            JobOption("out", "path", "图件输出文件夹", "folder for map sheets, the project's erosion/ by default"),
        ),
        run,
    ),
)  # fmt: skip
