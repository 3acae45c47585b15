"""The file of one photovoltaic plant, read into records (光伏电站文件)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from qianmo.finance.photovoltaic.land import capacity_on
from qianmo.finance.photovoltaic.money import MoneyTerms, default_terms
from qianmo.finance.photovoltaic.plant import Plant, default_plant
from qianmo.finance.photovoltaic.terrain import Surroundings, sky_view
from qianmo.jobs.finance.photovoltaic_terrain import surroundings_at
from qianmo.schema.errors import FinanceInputError, SchemaError
from qianmo.schema.rules import parameter, parameters
from qianmo.schema.units import m2_to_mu, mu_to_m2
from qianmo.store.finance_file import read_finance_file

__all__ = ["PlantFile", "plant_file"]

_PLANT = tuple(f.name for f in fields(Plant) if f.name != "capacity_kw")
_MONEY = tuple(f.name for f in fields(MoneyTerms))
_KEYS = {
    "": ("name", "weather"), "plant": ("capacity_mw", *_PLANT), "land": ("area_mu",), "money": _MONEY, "terrain": ("horizon_deg", "rise_deg", "dem", "longitude_deg", "latitude_deg"), "parameters": (),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class PlantFile:
    """What the file of a plant says (电站文件内容)."""

    name: str
    weather: Path
    plant: Plant
    area_mu: float
    around: Surroundings
    terms: MoneyTerms
    overrides: Mapping[str, float]


def plant_file(path: Path) -> PlantFile:
    """Read and check the file of a plant (读取电站文件).

    The capacity, or the area, or both are given; the missing one follows from the parameter ``pv_m2_per_kw``. The weather file is found beside the file.

    Raises
    ------
    FinanceInputError
        A key that does not exist, a value of the wrong kind or out of range; file, line and key are named.
    MissingDataError
        The file is not there.
    """
    found, text = read_finance_file(path)
    read = _Reading(Path(path), found, text)
    read.only_known()
    overrides = read.overrides()
    land, plant = read.numbers("land"), read.numbers("plant")
    area_m2 = mu_to_m2(land["area_mu"]) if "area_mu" in land else float("nan")
    if "capacity_mw" not in plant and "area_mu" not in land:
        raise read.fault("没有装机容量，也没有用地面积", "plant", "capacity_mw", expected="capacity_mw（兆瓦，直流侧）或 [land] area_mu（亩）")
    if not np.isnan(area_m2) and area_m2 <= 0.0:
        raise read.fault(f"面积为 {land['area_mu']:g} 亩", "land", "area_mu", expected="大于 0")
    capacity = plant.pop("capacity_mw") * 1000.0 if "capacity_mw" in plant else float(capacity_on(area_m2, overrides))
    mu = land.get("area_mu", m2_to_mu(capacity * parameter("pv_m2_per_kw", overrides)))
    try:
        made = default_plant(capacity, overrides=overrides, **plant)
        terms = default_terms(**read.numbers("money"))  # type: ignore[arg-type]
    except SchemaError as fault:
        raise read.placed(fault) from None
    return PlantFile(read.text("", "name", Path(path).stem), read.weather(), made, float(mu), read.around(made.azimuth_deg), terms, overrides)


@dataclass(frozen=True)
class _Reading:
    path: Path
    found: Mapping[str, Any]
    written: str

    def fault(self, what: str, section: str, key: str, *, expected: str = "", cure: str = "") -> FinanceInputError:
        line = _line_of(self.written, section, key)
        return FinanceInputError(what, file=self.path.name, line=line, key=f"{section}.{key}".strip("."), expected=expected, cure=cure)

    def placed(self, fault: SchemaError) -> FinanceInputError:
        """A fault of a record with the place of the first key its words name."""
        named = next(((s, k) for s in ("plant", "money") for k in self.found.get(s, {}) if re.search(rf"\b{k}\b", fault.found)), ("plant", "capacity_mw"))
        return self.fault(fault.found, *named, expected=fault.expected, cure=fault.cure)

    def only_known(self) -> None:
        for key, value in self.found.items():
            if isinstance(value, dict):
                if key not in _KEYS:
                    raise self.fault(f"没有 [{key}] 这一节", key, "", expected=", ".join(f"[{k}]" for k in _KEYS if k))
                strange = [k for k in value if key != "parameters" and k not in _KEYS[key]]
                if strange:
                    raise self.fault("没有这个键", key, strange[0], expected=", ".join(_KEYS[key]))
            elif key not in _KEYS[""]:
                raise self.fault("没有这个键", "", key, expected=", ".join((*_KEYS[""], *(f"[{k}]" for k in _KEYS if k))))

    def numbers(self, section: str) -> dict[str, Any]:
        values = dict(self.found.get(section, {}))
        for key, value in values.items():
            if key == "row_shading":
                if not isinstance(value, bool):
                    raise self.fault(f"{value!r}", section, key, expected="true 或 false")
            elif isinstance(value, bool) or not isinstance(value, int | float):
                raise self.fault(f"{value!r} 不是数", section, key, expected="一个数，不带单位")
            elif key in ("years", "strings") and not isinstance(value, int):
                raise self.fault(f"{value!r}", section, key, expected="整数")
        return values

    def text(self, section: str, key: str, default: str) -> str:
        value = self.found.get(section, {}).get(key, default) if section else self.found.get(key, default)
        if not isinstance(value, str):
            raise self.fault(f"{value!r} 不是文字", section, key, expected="引号内的文字")
        return value

    def weather(self) -> Path:
        named = self.text("", "weather", "")
        if not named:
            raise self.fault("没有气象文件", "", "weather", expected='weather = "….epw" 或 PVGIS 典型年文件')
        return self.path.parent / named

    def around(self, facing_deg: float) -> Surroundings:
        values = self.found.get("terrain", {})
        if "dem" in values:
            return self.from_model(values, facing_deg)
        if placed := [k for k in ("longitude_deg", "latitude_deg") if k in values]:
            raise self.fault("给出了站址而没有高程模型", "terrain", placed[0], expected='dem = "….tif"')
        heights, rise = values.get("horizon_deg", [0.0]), values.get("rise_deg", 0.0)
        good = isinstance(heights, list) and heights and all(isinstance(h, int | float) and not isinstance(h, bool) and 0.0 <= h < 90.0 for h in heights)
        if not good:
            raise self.fault(f"{heights!r}", "terrain", "horizon_deg", expected="正北起顺时针等分方位的遮挡角列表，0 至 90 度")
        if isinstance(rise, bool) or not isinstance(rise, int | float) or not -45.0 <= rise <= 45.0:
            raise self.fault(f"{rise!r}", "terrain", "rise_deg", expected="-45 至 45 度，朝阵列正面方向地面升高为正")
        profile = np.array(heights, float)
        return Surroundings(profile, float(sky_view(profile)), float(rise))

    def from_model(self, values: Mapping[str, Any], facing_deg: float) -> Surroundings:
        both = [k for k in ("horizon_deg", "rise_deg") if k in values]
        if both:
            raise self.fault("与高程模型重复", "terrain", both[0], expected="dem 与站址经纬度，或 horizon_deg 与 rise_deg，二者取一")
        for key, most in (("longitude_deg", 180.0), ("latitude_deg", 90.0)):
            value = values.get(key)
            if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > most:
                raise self.fault(f"{value!r}", "terrain", key, expected=f"站址，-{most:g} 至 {most:g} 度")
        path = self.path.parent / self.text("terrain", "dem", "")
        return surroundings_at(path, float(values["longitude_deg"]), float(values["latitude_deg"]), facing_deg)

    def overrides(self) -> dict[str, float]:
        values = self.numbers("parameters")
        strange = [k for k in values if k not in parameters()]
        if strange:
            raise self.fault("没有这个参数", "parameters", strange[0], expected="schema/parameters/parameters.csv 中的参数名")
        return {k: float(v) for k, v in values.items()}


def _line_of(text: str, section: str, key: str) -> int:
    """Line of a key from 1, of its section where there is no key, 0 where neither is written."""
    inside, at = not section, 0
    for number, line in enumerate(text.splitlines(), 1):
        if head := re.match(r"\s*\[\s*([^\]]+?)\s*\]", line):
            inside = head.group(1) == section
            at = number if inside else at
        elif inside and key and re.match(rf"\s*{re.escape(key)}\s*=", line):
            return number
    return at
