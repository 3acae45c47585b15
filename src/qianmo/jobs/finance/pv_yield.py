"""Yield of a photovoltaic plant, or of the candidate parcels of a project (光伏发电量)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qianmo.finance.photovoltaic.design_code import design_code_energy, overall_efficiency
from qianmo.finance.photovoltaic.exceedance import combined_uncertainty, exceedance, uncertainties
from qianmo.finance.photovoltaic.land import avoided_carbon_t
from qianmo.finance.photovoltaic.money import PlantMoney, plant_money
from qianmo.finance.photovoltaic.site_yield import SiteYield, site_yield
from qianmo.finance.photovoltaic.weather_check import check_weather
from qianmo.jobs.context import Context
from qianmo.jobs.finance.photovoltaic_file import PlantFile, plant_file
from qianmo.jobs.finance.photovoltaic_project import on_project
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.reports.photovoltaic_chart import monthly_chart
from qianmo.schema.errors import SchemaError
from qianmo.schema.rules import CONFIDENCE_WORDS, parameter, parameters
from qianmo.schema.weather import Weather, checked_weather
from qianmo.store.finance_file import write_bytes_once
from qianmo.store.guard_limits import default_limits
from qianmo.store.read_weather import read_weather

__all__ = ["SPECS", "accepted_weather", "run"]

_CARBON = "photovoltaic_carbon_t_mwh"


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """One plant by its file, or the parcels of a project with a weather file."""
    if bool(values["file"]) == bool(values["project"]):
        raise SchemaError("须给出电站文件或 --project 其中之一 (a plant file, or --project)", expected="一个电站文件 (.toml)，或 --project 与 --weather 两个选项")
    if values["project"]:
        if not values["weather"]:
            raise SchemaError("--project 须同时给出 --weather 气象文件 (no weather file)", expected="EPW 或 PVGIS 典型年文件")
        weather, told = accepted_weather(context, Path(values["weather"]), values)
        return on_project(context, values, weather, told)
    return _one_plant(context, values)


def accepted_weather(context: Context, path: Path, values: Mapping[str, Any]) -> tuple[Weather, list[str]]:
    """Read a weather file, set its clock where asked, and check it; errors stop the work unless they were accepted (气象导入).

    Raises
    ------
    SchemaError
        The check found an error; everything found is listed with its cure.
    """
    context.step("读取与检查气象", 0.0)
    weather = _with_clock(read_weather(path, limits=default_limits()), values["utc_offset"], values["sun_minute"])
    faults = check_weather(weather)
    wrong = faults[faults["severity"] == "error"]
    if len(wrong) and not values["accept"]:
        found = "; ".join(f"{r.what}: {r.found}" for r in wrong.itertuples())
        cure = "; ".join(r.cure for r in wrong.itertuples()) + "（--utc-offset 改时区，--sun-minute 改太阳时刻）; 确认无误时加 --accept"
        raise SchemaError(f"{path.name} 未通过气象检查: {found}", expected="; ".join(r.expected for r in wrong.itertuples()), cure=cure)
    sums = "、".join(f"{zh} {float(v.sum()) / 1000:,.1f}" for zh, v in (("总辐射", weather.ghi_w_m2), ("法向直射", weather.dni_w_m2), ("散射", weather.dhi_w_m2)))
    words = {"error": "已接受的问题", "warning": "提醒", "info": "通过"}
    lines = [f"气象 {weather.name} ({weather.kind}，北纬 {weather.latitude_deg:g}°，东经 {weather.longitude_deg:g}°): 年{sums} kWh/m2"]
    lines += [f"  {note}" for note in weather.notes]
    lines += [f"  {words[r.severity]}: {r.what}；{r.found}" + (f"；{r.cure}" if r.cure else "") for r in faults.itertuples()]
    return weather, lines


def _with_clock(weather: Weather, utc_offset: float | None, sun_minute: float | None) -> Weather:
    """The year with another time zone or minute of the sun, which its notes then tell."""
    if utc_offset is not None:
        note = f"时区由 UTC{weather.utc_offset_h:+g} 改为 UTC{utc_offset:+g}（--utc-offset）"
        weather = replace(weather, utc_offset_h=float(utc_offset), notes=(*weather.notes, note))
    if sun_minute is not None:
        if not -120.0 <= sun_minute <= 180.0:
            raise SchemaError(f"--sun-minute {sun_minute:g}", expected="-120 至 180 分", cure="时段平均值标注在终点为 30，标注在起点的 EPW 为 90 或 -30")
        note = f"太阳时刻由第 {weather.sun_minute:.1f} 分改为第 {sun_minute:g} 分（--sun-minute）"
        weather = replace(weather, sun_minute=float(sun_minute), notes=(*weather.notes, note))
    return checked_weather(weather)


def _one_plant(context: Context, values: Mapping[str, Any]) -> JobReport:
    asked = plant_file(Path(values["file"]))
    weather, lines = accepted_weather(context, asked.weather, values)
    context.step("逐时发电量", 0.3)
    found = site_yield(weather, asked.plant, around=asked.around)
    money = plant_money(asked.plant.capacity_kw, found.energy_kwh, asked.area_mu, asked.terms)
    levels = _levels(found.energy_kwh, asked)
    lines = [asked.name, *lines, *_yield_lines(asked, weather, found, levels), *_money_lines(asked, money)]
    files: tuple[tuple[str, str], ...] = ()
    if values["out"]:
        context.step("绘图与写出", 0.8)
        files = _write(Path(values["out"]), asked, weather, found, money)
    return JobReport(tuple(lines), files, _figures(asked, weather, found, money, levels))


def _levels(energy_kwh: float, asked: PlantFile) -> dict[str, float]:
    """P50, P75 and P90 of a single year, and P90 of the mean of ten."""
    parts = list(uncertainties(asked.overrides).values())
    yearly = parameter("photovoltaic_variability", asked.overrides)
    one, ten = (combined_uncertainty(parts, variability=yearly, years=n) for n in (1, 10))
    p75, p90, p90_ten = (float(exceedance(energy_kwh, u, level)) for u, level in ((one, 0.75), (one, 0.9), (ten, 0.9)))
    return {"p50_kwh": energy_kwh, "p75_kwh": p75, "p90_kwh": p90, "p90_ten_years_kwh": p90_ten, "uncertainty_share": one, "uncertainty_ten_years_share": ten}


def _yield_lines(asked: PlantFile, weather: Weather, found: SiteYield, levels: Mapping[str, float]) -> list[str]:
    plant = asked.plant
    level = float(weather.ghi_w_m2.sum()) / 1000.0
    k_plane = overall_efficiency(found.energy_kwh, found.plane_kwh_m2, plant.capacity_kw)
    simple = parameter("photovoltaic_performance_pct", asked.overrides) / 100.0
    by_code = design_code_energy(found.plane_kwh_m2, plant.capacity_kw, simple)
    carbon = float(avoided_carbon_t(found.energy_kwh, asked.overrides))
    named = "、".join(f"{k.upper()} {levels[f'{k}_kwh'] / 1e4:,.2f}" for k in ("p50", "p75", "p90"))
    return [
        f"电站 {plant.capacity_kw / 1000:,.3f} 兆瓦(直流)，倾角 {plant.tilt_deg:g}°，方位 {plant.azimuth_deg:g}°，用地 {asked.area_mu:,.2f} 亩",
        f"  组件面年辐射 {found.plane_kwh_m2:,.1f} kWh/m2（水平面 {level:,.1f}；地形与前排遮挡使其减少 {1.0 - found.plane_kwh_m2 * 1000.0 / float(found.free_plane_w_m2.sum()):.2%}）",
        f"  首年发电量 {found.energy_kwh / 1e4:,.2f} 万千瓦时，年等效利用 {found.full_load_hours:,.1f} 小时",
        f"  {named} 万千瓦时（单年，综合不确定度 {levels['uncertainty_share']:.1%}）；十年平均 P90 {levels['p90_ten_years_kwh'] / 1e4:,.2f}",
        f"  规范法 E_p = H_A·P_AZ/E_s·K: 逐时结果相当于 K = {k_plane:.3f}（以组件面辐射计）；取 K = {simple:.2f} 时 {by_code / 1e4:,.2f} 万千瓦时",
        f"  首年减排二氧化碳 {carbon:,.0f} 吨（排放因子 {parameter(_CARBON, asked.overrides):g} 吨/兆瓦时，可信度{CONFIDENCE_WORDS[parameters()[_CARBON].confidence]}，以当年公布值为准）",
        "  月发电量(万千瓦时): " + "、".join(f"{m}月 {e / 1e4:,.1f}" for m, e in enumerate(found.monthly_kwh, 1)),
    ]


def _money_lines(asked: PlantFile, money: PlantMoney) -> list[str]:
    terms = asked.terms
    rate = f"{money.rate_of_return:.2%}" if np.isfinite(money.rate_of_return) else f"—（{money.note}）"
    back = f"{money.payback_years:.2f} 年" if np.isfinite(money.payback_years) else "经营期内不能收回"
    return [
        f"资金(税前、无贷款，{terms.years} 年): 投资 {money.capital_fen / 1e6:,.2f} 万元，首年收入 {money.revenue_fen[0] / 1e6:,.2f}、运维 {money.operation_fen[0] / 1e6:,.2f}、租金 {money.rent_fen[0] / 1e6:,.2f} 万元",
        f"  全投资内部收益率 {rate}，静态回收期 {back}，净现值({terms.discount_rate:.1%}) {money.net_present_value_fen / 1e6:,.2f} 万元，度电成本 {money.levelised_yuan_kwh:.4f} 元/千瓦时",
        f"  {terms.years} 年总发电量 {money.energy_kwh.sum() / 1e4:,.2f} 万千瓦时（年衰减 {terms.degradation:.2%}）",
    ]


def _write(folder: Path, asked: PlantFile, weather: Weather, found: SiteYield, money: PlantMoney) -> tuple[tuple[str, str], ...]:
    plane = np.bincount(found.month, weights=found.plane_w_m2, minlength=13)[1:] / 1000.0
    note = f"气象 {weather.source or weather.name}；首年 {found.energy_kwh / 1e4:,.2f} 万千瓦时，年等效利用 {found.full_load_hours:,.1f} 小时"
    chart = monthly_chart(found.monthly_kwh / 1000.0, plane, title=f"{asked.name} 月发电量", note=note)
    monthly = pd.DataFrame({"month": range(1, 13), "energy_kwh": found.monthly_kwh, "plane_kwh_m2": plane})
    yearly = pd.DataFrame({
        "year": range(1, asked.terms.years + 1), "energy_kwh": money.energy_kwh, "revenue_yuan": money.revenue_fen / 100, "operation_yuan": money.operation_fen / 100,
        "rent_yuan": money.rent_fen / 100, "net_yuan": money.net_fen[1:] / 100,
    })  # fmt: skip
    content = (
        ("月发电量.png", "月发电量图", chart), ("月发电量.csv", "月发电量表", monthly.to_csv(index=False).encode("utf-8-sig")),
        ("逐年发电与收支.csv", "逐年发电与收支表", yearly.to_csv(index=False).encode("utf-8-sig")),
    )  # fmt: skip
    for name, _, data in content:
        write_bytes_once(folder / name, data)
    return tuple((str(folder / name), zh) for name, zh, _ in content)


def _figures(asked: PlantFile, weather: Weather, found: SiteYield, money: PlantMoney, levels: Mapping[str, float]) -> dict[str, Any]:
    def plain(value: float) -> float | None:
        return float(value) if np.isfinite(value) else None

    return {
        "name": asked.name, "capacity_kw": asked.plant.capacity_kw, "area_mu": asked.area_mu,
        "weather": {"file": weather.name, "sha256": weather.sha256, "ghi_kwh_m2": float(weather.ghi_w_m2.sum()) / 1000.0, "notes": list(weather.notes)},
        "plane_kwh_m2": found.plane_kwh_m2, "energy_kwh": found.energy_kwh, "full_load_h": found.full_load_hours, "monthly_kwh": found.monthly_kwh.tolist(), **levels,
        "performance_ratio": overall_efficiency(found.energy_kwh, found.plane_kwh_m2, asked.plant.capacity_kw), "carbon_t": float(avoided_carbon_t(found.energy_kwh, asked.overrides)),
        "capital_yuan": money.capital_fen / 100.0, "net_present_value_yuan": money.net_present_value_fen / 100.0, "rate_of_return": plain(money.rate_of_return),
        "payback_years": plain(money.payback_years), "levelised_yuan_kwh": money.levelised_yuan_kwh, "yearly_energy_kwh": money.energy_kwh.tolist(), "net_yuan": (money.net_fen / 100.0).tolist(),
    }  # fmt: skip


SPECS = (
    JobSpec(
        "pv", "光伏发电量、用地与收益", "photovoltaic yield, land and money of a plant, or of the candidate parcels of a project",
        (
            JobOption("file", "path", "电站文件 (TOML)", "file of one plant (TOML)", positional=True),
            JobOption("project", "path", "项目文件夹: 评选候选地块", "project folder: rank its candidate parcels"),
            JobOption("weather", "path", "气象文件 (EPW 或 PVGIS 典型年)", "weather file (EPW or PVGIS typical year)"),
            JobOption("dem", "path", "更大范围的高程模型 (GeoTIFF), 不给则用项目的", "wider elevation model (GeoTIFF), that of the project by default"),
            JobOption("classes", "text", "候选地类代码, 逗号分隔", "land classes of candidates, separated by commas"),
            JobOption("min_area", "number", "最小地块面积 (亩)", "least area of a candidate in mu"),
            JobOption("max_slope", "number", "最大平均坡度 (度)", "steepest mean slope in degrees"),
            JobOption("out", "path", "图表输出文件夹", "folder for charts and tables"),
            JobOption("utc_offset", "number", "气象文件的时区 (小时)", "time zone of the weather file in hours"),
            JobOption("sun_minute", "number", "辐射所代表的太阳时刻 (分)", "minute of the hour at which the sun stands for its radiation"),
            JobOption("accept", "flag", "接受气象检查发现的问题", "go on although the weather check found errors"),
        ),
        run,
    ),
)  # fmt: skip
