"""References of a project file looked up: plan, plant, prices (查找引用的数值)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from qianmo.finance.photovoltaic.exceedance import combined_uncertainty, exceedance, uncertainties
from qianmo.finance.photovoltaic.land import avoided_carbon_t
from qianmo.finance.photovoltaic.site_yield import site_yield
from qianmo.finance.photovoltaic.weather_check import check_weather
from qianmo.finance.project.positions import Path as Place
from qianmo.finance.project.references import Referred, priced, referred_values
from qianmo.finance.sheet.row import Source
from qianmo.jobs.finance.photovoltaic_file import plant_file
from qianmo.jobs.planning.plan_figures import PlanFigures, plan_figures
from qianmo.jobs.spec import JobOption
from qianmo.schema.errors import SchemaError
from qianmo.schema.rules import parameter
from qianmo.store.guard_limits import default_limits
from qianmo.store.read_weather import read_weather

__all__ = ["PROJECT_OPTION", "looked_up_references", "plant_figures"]

PROJECT_OPTION = JobOption("project", "path", "方案所在的项目文件夹, 代替文件中的 [plan] project", "project folder with the plan, in place of [plan] project of the file")
"""Option of every command that reads a file of project money."""

Values = dict[str, tuple[float, str]]


def looked_up_references(data: Mapping[str, Any], path: Path, text: str, project: str | None = None) -> tuple[dict[str, Any], dict[Place, Source]]:
    """The data of a file with its references replaced (代入方案、电站与单价).

    Parameters
    ----------
    data, text
        As read from the file.
    path : Path
        The file: paths in it count from its folder.
    project : str, optional
        Project folder of the command line.

    Raises
    ------
    FinanceInputError
        A reference leads to no plan, plant, price or figure; file, line and key are named.
    """
    seats: dict[str, Any] = {}

    def look(word: str, name: str) -> Referred:
        if word not in ("plan", "plant"):
            return priced(word, name)
        if word not in seats:
            seats[word] = _plan(data, path, project) if word == "plan" else _plant(data, path)
        if word == "plan":
            found: Referred = seats[word].refer(name)
            return found
        figures, told = seats[word]
        return _of_plant(figures, told, name)

    return referred_values(data, look, file=path.name, text=text)


def plant_figures(path: Path) -> Values:
    """Figures of the plant of a file, on its weather file (电站数值).

    Returns
    -------
    dict of name to number and unit
        ``energy``, ``energy_p90`` of the first year [kWh a year], ``hours`` [h a year], ``capacity`` [kW], ``area`` [mu],
        ``carbon`` [t a year] avoided.

    Raises
    ------
    SchemaError
        The weather file does not pass its check.
    """
    asked = plant_file(path)
    weather = read_weather(asked.weather, limits=default_limits())
    faults = check_weather(weather)
    wrong = faults[faults["severity"] == "error"]
    if len(wrong):
        raise SchemaError(f"{asked.weather.name} 未通过气象检查: {'; '.join(wrong['found'])}", cure=f"qianmo pv {path}")
    energy = float(site_yield(weather, asked.plant, around=asked.around).energy_kwh)
    spread = combined_uncertainty(list(uncertainties(asked.overrides).values()), variability=parameter("photovoltaic_variability", asked.overrides), years=1)
    return {
        "energy": (round(energy, 3), "kWh/年"), "energy_p90": (round(float(exceedance(energy, spread, 0.9)), 3), "kWh/年"),
        "hours": (round(energy / asked.plant.capacity_kw, 6), "小时/年"), "capacity": (asked.plant.capacity_kw, "kW"), "area": (asked.area_mu, "亩"),
        "carbon": (round(float(avoided_carbon_t(energy, asked.overrides)), 3), "吨/年"),
    }  # fmt: skip


_kept_plant = cache(plant_figures)


def _plan(data: Mapping[str, Any], path: Path, project: str | None) -> PlanFigures:
    told = data.get("plan", {}).get("project") if isinstance(data.get("plan", {}), Mapping) else None
    if not project and not isinstance(told, str):
        raise SchemaError("没有指定方案", expected='--project 项目文件夹, 或文件中 [plan] project = "…"', cure="先用 qianmo plan 编制方案")
    folder = Path(project) if project else path.parent / str(told)
    return plan_figures(folder)


def _plant(data: Mapping[str, Any], path: Path) -> tuple[Values, str]:
    told = data.get("plant", {}).get("file") if isinstance(data.get("plant", {}), Mapping) else None
    if not isinstance(told, str):
        raise SchemaError("没有指定电站文件", expected='[plant] file = "….toml"', cure="写法见 examples/finance/renhua")
    place = path.parent / told
    return _kept_plant(place), f"电站 {told} 逐时计算"


def _of_plant(values: Values, words: str, name: str) -> Referred:
    if name not in values:
        raise SchemaError(f"电站没有 {name}", expected=", ".join(values))
    value, unit = values[name]
    return Referred(f"{value!r} {unit}", words, "medium")
