"""One photovoltaic plant and how its light becomes power (光伏电站)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
import pvlib

from qianmo.schema.errors import SchemaError
from qianmo.schema.rules import parameter

__all__ = ["REFERENCE_EFFICIENCY", "TEMPERATURE_MODEL", "Plant", "alternating_power", "default_plant"]

TEMPERATURE_MODEL = pvlib.temperature.TEMPERATURE_MODEL_PARAMETERS["sapm"]["open_rack_glass_polymer"]
"""Coefficients a, b, deltaT of the Sandia cell temperature on open racks (组件温度模型)."""

REFERENCE_EFFICIENCY = 0.9637
"""Efficiency of the inverter whose part-load curve PVWatts scales (参考逆变器效率)."""

_RANGES = {
    "tilt_deg": (0.0, 90.0), "azimuth_deg": (0.0, 360.0), "ground_cover": (0.01, 0.95), "dc_ac_ratio": (0.5, 3.0),
    "inverter_efficiency": (0.5, 1.0), "losses": (0.0, 0.95), "temperature_per_c": (-0.02, 0.0), "albedo": (0.0, 1.0),
}  # fmt: skip


@dataclass(frozen=True)
class Plant:
    """Fixed racks with their modules and inverters (固定支架光伏电站).

    `capacity_kw` is the direct-current capacity; `azimuth_deg` from north by east; `ground_cover` the width of a row over the distance of rows;
    `row_shading` counts the shade of the row in front; `strings` is how many bands of a row fail one by one under that shade: 0 loses the shaded share only.
    """

    capacity_kw: float
    tilt_deg: float
    azimuth_deg: float
    ground_cover: float
    dc_ac_ratio: float
    inverter_efficiency: float
    losses: float
    temperature_per_c: float
    albedo: float
    row_shading: bool = True
    strings: int = 0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.capacity_kw) and self.capacity_kw > 0.0):
            raise SchemaError(f"capacity_kw is {self.capacity_kw}", expected="a capacity above 0 kW", cure="核对装机容量（直流侧，千瓦）")
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise SchemaError(f"{name} is {value}", expected=f"{low:g} to {high:g}", cure="核对单位：角度为度，比率为小数")
        if self.strings < 0:
            raise SchemaError(f"strings is {self.strings}", expected="0 or more")


def default_plant(capacity_kw: float, *, overrides: Mapping[str, float] | None = None, **given: float | bool | int) -> Plant:
    """A plant of some capacity; what is not given comes from the parameters ``photovoltaic_*`` (默认电站).

    Raises
    ------
    SchemaError
        Something given is no property of a plant, or out of range.
    """
    known = {f.name for f in fields(Plant)}
    strange = sorted(set(given) - known)
    if strange:
        raise SchemaError(f"a plant has no {', '.join(strange)}", expected=", ".join(sorted(known)))
    names = [n for n in _RANGES if n not in given]
    made = Plant(capacity_kw, **{n: parameter(f"photovoltaic_{n}", overrides) for n in names}, **{n: given[n] for n in _RANGES if n in given})  # type: ignore[arg-type]
    rest = {k: v for k, v in given.items() if k not in _RANGES and k != "capacity_kw"}
    return replace(made, **rest) if rest else made  # type: ignore[arg-type]


def alternating_power(plant: Plant, effective_w_m2: np.ndarray, plane_w_m2: np.ndarray, air_c: np.ndarray, wind_m_s: np.ndarray) -> np.ndarray:
    """Power at the grid side of the inverter [kW], as PVWatts version 5 (交流功率).

    Cell temperature of Sandia from the radiation on the plane; direct current from the effective radiation, linear in temperature, less losses; inverter with
    the part-load curve of PVWatts, clipped at its rating.

    References
    ----------
    .. [1] A. P. Dobos, PVWatts Version 5 Manual, NREL/TP-6A20-62641, 2014.
    """
    cell = pvlib.temperature.sapm_cell(plane_w_m2, air_c, wind_m_s, **TEMPERATURE_MODEL)
    direct = pvlib.pvsystem.pvwatts_dc(effective_w_m2, cell, plant.capacity_kw, plant.temperature_per_c) * (1.0 - plant.losses)
    rating = plant.capacity_kw / plant.dc_ac_ratio / plant.inverter_efficiency
    return np.asarray(pvlib.inverter.pvwatts(direct, rating, plant.inverter_efficiency, REFERENCE_EFFICIENCY))
