"""Carbon of a project: stock, flow, what the plan changes year by year, dredging of ponds (碳核算)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qianmo import __version__
from qianmo.evaluation.carbon_account import carbon_by_class, carbon_by_patch, carbon_totals, carbon_used_factors
from qianmo.evaluation.carbon_plan import yearly_plan
from qianmo.evaluation.carbon_terms import warming_potential
from qianmo.evaluation.land import Land, land_of
from qianmo.evaluation.service_value import value_by_class
from qianmo.evaluation.services import land_with
from qianmo.geo.prisms import cut_and_fill
from qianmo.geo.raster import Grid
from qianmo.jobs.context import Context
from qianmo.jobs.finance.photovoltaic_terrain import read_elevation
from qianmo.jobs.opened import CARBON_TABLES, Opened, Planned, open_for_work, planned_state
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.reports.patch_sheet import Cover, carbon_maps
from qianmo.reports.plan_tables import book_tables
from qianmo.reports.tables import workbook
from qianmo.schema.errors import CrsError, MissingDataError
from qianmo.schema.rules import parameter, unit_cost
from qianmo.schema.tables import table_spec
from qianmo.schema.units import M2_PER_HA
from qianmo.store.durable import replace_bytes
from qianmo.store.project import change

__all__ = ["SPECS", "cover_of", "run"]

_PONDS = ("1104", "1104A")
_RESTORED = "pond_to_wetland"
_PRINTED = ("carbon_total", "carbon_class", "carbon_year", "pond_dredge")


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Account, keep the tables with their lineage, write workbook and map sheets; nothing is written when anything fails."""
    context.step("读取项目", 0.0)
    opened = open_for_work(Path(values["project"]))
    warming, source = warming_potential(values["gwp"], opened.overrides)
    plan = planned_state(opened)
    before = land_of(opened.patches, scheme=opened.scheme, overrides=opened.overrides)
    after = None if plan is None else land_with(before, plan.target, plan.measure)
    context.step("储量与流量", 0.2)
    tables = _tables(opened, before, after, plan, warming, source)
    context.step("坑塘清淤", 0.4)
    dredge, beds = _dredge(opened, plan, values)
    if dredge is not None:
        tables["pond_dredge"] = dredge
    context.step("制图", 0.6)
    folder = Path(values["out"]) if values["out"] else opened.project.folder / "carbon"
    sheets = carbon_maps(opened.patches, tables["carbon_patch"], opened.layers.get("village"), cover_of(context, opened))
    made = _workbook(context, opened, tables)
    context.step("保存", 0.9)
    lineage = {
        "tool": f"qianmo {__version__} carbon", "at": context.clock().isoformat(timespec="seconds"), "user": context.user, "gwp": warming, "gwp_source": source,
        "sources": {n: opened.datasets[n].lineage.source_sha256 for n in ("landuse_patch",)}, "beds": beds, "with_plan": plan is not None,
    }  # fmt: skip
    with change(opened.project.folder, what="碳核算", user=context.user, now=context.clock()) as stage:
        stage.remove_tables(CARBON_TABLES)
        for name, frame in tables.items():
            stage.put_table(name, frame)
        stage.put_json("carbon_lineage", lineage)
    files = [(folder / "碳核算附表.xlsx", made, "碳核算附表 (含公式)"), *((folder / f"{m.title}.png", m.png, m.title) for m in sheets)]
    for path, data, _ in files:
        replace_bytes(path, data)
    figures = _figures(tables, warming)
    return JobReport(tuple(_lines(tables, warming, source, plan)), tuple((str(p), w) for p, _, w in files), figures)


def _tables(opened: Opened, before: Land, after: Land | None, plan: Planned | None, warming: float, source: str) -> dict[str, pd.DataFrame]:
    measure = None if plan is None else plan.measure
    tables = {
        "carbon_patch": carbon_by_patch(before, after, opened.patches["patch_id"].to_numpy(object), measure, warming=warming),
        "carbon_class": carbon_by_class(before), "carbon_factor": carbon_used_factors(before, after),
        "carbon_total": carbon_totals(before, after, measure, warming=warming, warming_source=source), "service_value_class": value_by_class(before),
    }  # fmt: skip
    if after is not None and plan is not None:
        tables["service_value_class_after"] = value_by_class(after)
        years = yearly_plan(before, after, plan.measure, plan.year, warming=warming)
        if len(years):
            tables["carbon_year"] = years
    return tables


def _dredge(opened: Opened, plan: Planned | None, values: Mapping[str, Any]) -> tuple[pd.DataFrame | None, dict[str, str]]:
    """Volumes of the ponds that the plan makes wetland, or of all ponds where two beds are given without a plan."""
    given = [values["bed_before"], values["bed_after"]]
    if any(given) and not all(given):
        raise MissingDataError("只给了一期坑塘底高程", expected="--bed-before 与 --bed-after 两期", cure="两期都给出, 或都不给 (按平均清淤深度估算)")
    code = opened.patches["class_code"].astype(str).to_numpy()
    chosen = np.isin(code, _PONDS) if plan is None and all(given) else np.zeros(len(code), bool) if plan is None else plan.measure == _RESTORED
    rows = np.flatnonzero(chosen)
    if not len(rows):
        if all(given):
            raise MissingDataError("没有要清淤的坑塘", expected="方案安排坑塘湿地修复, 或项目有坑塘水面 (1104)", cure="核对方案与地类")
        return None, {}
    area = opened.patches["area_m2"].to_numpy(float)[rows]
    if all(given):
        before, after = (_bed(Path(p), opened) for p in given)
        found = cut_and_fill(before, after, opened.patches.geometry.to_numpy()[rows], largest_m=parameter("pond_dredge_max_m", opened.overrides))
        covered = (found["covered_m2"] / found["area_m2"]).to_numpy()
        if not (covered > 0).any():
            raise MissingDataError("底高程栅格与坑塘没有重叠", expected="覆盖坑塘的两期高程", cure="核对高程范围与坐标系")
        cut, fill, how = found["cut_m3"].to_numpy(), found["fill_m3"].to_numpy(), "两期底高程"
    else:
        depth = parameter("pond_dredge_depth_m", opened.overrides)
        cut, fill, covered, how = area * depth, np.zeros(len(rows)), np.ones(len(rows)), f"平均深度 {depth:g} 米"
    price = unit_cost("C-DREDGE")
    table = pd.DataFrame({
        "patch_id": opened.patches["patch_id"].to_numpy(object)[rows], "class_code": code[rows], "area_ha": area / M2_PER_HA, "depth_m": cut / area, "cut_m3": cut,
        "fill_m3": fill, "covered_share": covered, "method": how, "cost_low_yuan": cut * price.low, "cost_yuan": cut * price.default, "cost_high_yuan": cut * price.high,
    })  # fmt: skip
    digests = {Path(p).name: hashlib.sha256(Path(p).read_bytes()).hexdigest() for p in given if p}
    return table[list(table_spec("pond_dredge").column_names)], digests


def _bed(path: Path, opened: Opened) -> Grid:
    """A survey of the bed in the CRS of the project; one in another datum has to be brought there first."""
    try:
        return read_elevation(path, opened.patches.crs)
    except CrsError as fault:
        raise CrsError(f"{path.name}: {fault.found}", expected=f"项目坐标系 {opened.patches.crs.name}", cure="先把底高程栅格转换到项目坐标系 (有当地参数的软件)") from fault


def cover_of(context: Context, opened: Opened) -> Cover:
    """What the sheets of a project say outside their frame (图廓注记)."""
    office = str(opened.project.settings.get("office", {}).get("name", ""))
    return Cover(opened.project.name, opened.patches.crs.name, f"{context.clock():%Y年%m月%d日}", opened.vintage, office, opened.synthetic)


def _workbook(context: Context, opened: Opened, tables: Mapping[str, pd.DataFrame]) -> bytes:
    printed = book_tables(tables, synthetic=opened.synthetic)
    kept = [printed[k] for k in _PRINTED if k in tables]
    return workbook(
        kept, title=f"{opened.project.name} 碳核算", date=f"{context.clock():%Y年%m月%d日}", vintage=opened.vintage, crs_text=opened.patches.crs.name,
        synthetic=tuple(opened.synthetic.values()), made=context.clock(),
    )  # fmt: skip


def _figures(tables: Mapping[str, pd.DataFrame], warming: float) -> dict[str, Any]:
    found: dict[str, Any] = {"gwp": warming}
    for r in tables["carbon_total"].to_dict("records"):
        found[r["item"]] = {k: float(r[k]) for k in ("value", "low", "high", "known_share")} | {"unit": r["unit"]}
    for name, key in (("service_value_class", "service_value_yuan_yr"), ("service_value_class_after", "service_value_after_yuan_yr")):
        if name in tables:
            found[key] = float(tables[name]["value_yuan_yr"].sum())
    kinds = tables["service_value_class"].query("`class` != ''")
    found["service_sensitivity"] = {k: float(v) for k, v in zip(kinds["class"], kinds["sensitivity"]) if v > 0}
    if "carbon_year" in tables:
        last = tables["carbon_year"].iloc[-1]
        found["plan_sum_t_co2e"] = {"year": int(last["year"]), "value": float(last["sum"]), "low": float(last["sum_low"]), "high": float(last["sum_high"])}
    if "pond_dredge" in tables:
        found["dredged_m3"] = float(tables["pond_dredge"]["cut_m3"].sum())
        found["dredging_wan"] = float(tables["pond_dredge"]["cost_yuan"].sum()) / 1e4
    return found


def _lines(tables: Mapping[str, pd.DataFrame], warming: float, source: str, plan: Planned | None) -> list[str]:
    lines = [f"碳核算 (甲烷增温潜势 {warming:g}: {source}); 排放为正, 吸收为负; 筛查性估算"]
    for r in tables["carbon_total"].itertuples():
        part = "" if r.known_share > 1 - 1e-9 else f"; 可算面积 {r.known_share:.1%}"
        lines.append(f"  {r.zh}: {r.value:+.1f} ({r.low:+.1f} 至 {r.high:+.1f}) {r.unit}{part}")
    lines += _value_lines(tables)
    if plan is None:
        lines.append("  还没有方案, 未算变化 (qianmo plan 之后再运行)")
    if "carbon_year" in tables:
        last = tables["carbon_year"].iloc[-1]
        lines.append(f"  到 {int(last['year'])} 年方案累计净排放 {last['sum']:+.1f} ({last['sum_low']:+.1f} 至 {last['sum_high']:+.1f}) 吨CO2当量")
        if last["sum_low"] < 0 < last["sum_high"]:
            lines.append("  区间跨零: 以现有系数不能判断方案是增汇还是增排")
    if "pond_dredge" in tables:
        t = tables["pond_dredge"]
        low, cost, high = (t[c].sum() / 1e4 for c in ("cost_low_yuan", "cost_yuan", "cost_high_yuan"))
        lines.append(f"  清淤 {t['cut_m3'].sum():.0f} 立方米, 填筑 {t['fill_m3'].sum():.0f} 立方米 ({t['method'].iloc[0]}), {cost:.1f} 万元 ({low:.1f} 至 {high:.1f})")
        short = t[t["covered_share"] < 1 - 1e-6]
        if len(short):
            lines.append(f"  {len(short)} 个坑塘测量未全覆盖, 如 {short['patch_id'].iloc[0]} ({short['covered_share'].iloc[0]:.1%}): 体积只含有测量的部分")
    return lines


def _value_lines(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """Value of ecosystem services before and after, the classes on whose equivalents it hangs, and what is not in it."""
    table, later = tables["service_value_class"], tables.get("service_value_class_after")
    after = "" if later is None else f", 方案后 {later['value_yuan_yr'].sum() / 1e4:.1f} 万元/年"
    lines = [f"  生态系统服务价值 (当量因子法) {table['value_yuan_yr'].sum() / 1e4:.1f} 万元/年{after}; 均值移用, 只宜比较大小"]
    main = table[table["sensitivity"] > 0].nlargest(3, "sensitivity")
    if len(main):
        lines.append(f"    对当量的敏感性指数: {'、'.join(f'{r.zh} {r.sensitivity:.2f}' for r in main.itertuples())} (当量变 1%, 总价值变的百分数)")
    own, lost = table.loc[table["source"] != "", "zh"].tolist(), table[table["class"] == ""]
    return lines + ([f"    采用项目自定当量: {'、'.join(own)}"] if own else []) + [f"    {r.zh} {r.area_ha:.1f} 公顷未计入" for r in lost.itertuples()]


SPECS = (
    JobSpec(
        "carbon", "碳核算", "carbon stock and flow, what the plan changes year by year, dredging of ponds",
        (
            JobOption("project", "path", "项目文件夹", "project folder", required=True, positional=True),
            JobOption("gwp", "choice", "甲烷增温潜势 (IPCC 报告)", "warming potential of methane, parameter gwp_ch4 by default",
                      choices=("AR4", "AR5", "AR5-feedback", "AR6", "AR6-20yr")),
            JobOption("bed_before", "path", "清淤前坑塘底高程 (GeoTIFF)", "bed of the ponds before, GeoTIFF in metres"),
            JobOption("bed_after", "path", "清淤后坑塘底高程 (GeoTIFF)", "bed of the ponds after, same cells"),
            JobOption("out", "path", "图件与附表输出文件夹", "folder for sheets and workbook, the project's carbon/ by default"),
        ),
        run,
    ),
)  # fmt: skip
