"""Candidate parcels: terrain, yield, land verdict and money of each (光伏候选地块)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from qianmo.finance.figures.levelised_cost import levelised_cost
from qianmo.finance.figures.rates_of_many import rates_of_many
from qianmo.finance.photovoltaic.exceedance import combined_uncertainty, exceedance, lifetime_energy, uncertainties
from qianmo.finance.photovoltaic.land import LAND_RULES, avoided_carbon_t, capacity_on
from qianmo.finance.photovoltaic.money import MoneyTerms
from qianmo.finance.photovoltaic.parcel_yield import ParcelYield, parcel_yield
from qianmo.finance.photovoltaic.plant import Plant
from qianmo.finance.photovoltaic.terrain import sky_view
from qianmo.finance.photovoltaic.tilt_change import tilted_by
from qianmo.geo.gradient import aspect_deg
from qianmo.schema.rules import FAIL, PASS, parameter
from qianmo.schema.units import m2_to_mu
from qianmo.schema.weather import Weather

__all__ = ["Ground", "candidate_table", "racks_on"]


@dataclass(frozen=True, eq=False)
class Ground:
    """Lie of the land under n parcels (地块地形): rise to the east and north [m/m], mean slope [degree], horizon (n, k) [degree]."""

    east: np.ndarray
    north: np.ndarray
    slope_deg: np.ndarray
    horizon_deg: np.ndarray


def racks_on(ground: Ground, plant: Plant) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tilt and azimuth of the modules, and rise of the ground in front of the rows [degree], three arrays (n,) (沿坡布置).

    Rows follow the ground along their length: its slope in that direction turns the modules with it. Across the rows the racks keep their
    tilt, and the slope only makes the rows stand higher or lower than one another.
    """
    turn = np.radians(plant.azimuth_deg)
    facing = ground.east * np.sin(turn) + ground.north * np.cos(turn)
    along = ground.east * np.cos(turn) - ground.north * np.sin(turn)
    n = len(facing)
    tilt, azimuth = tilted_by(np.full(n, plant.tilt_deg), np.full(n, plant.azimuth_deg), along * np.cos(turn), -along * np.sin(turn))
    return tilt, azimuth, np.degrees(np.arctan(facing))


def candidate_table(
    parcels: pd.DataFrame, ground: Ground, verdicts: pd.DataFrame, weather: Weather, plant: Plant, terms: MoneyTerms, *, overrides: Mapping[str, float] | None = None,
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:  # fmt: skip
    """Table ``photovoltaic_parcel`` in the order of its ranks; by month in that order full-load hours and light on the modules, (n, 12) each (候选地块评选).

    Parcels that no rule fails come first, by full-load hours, then area; their rank counts from 1. Refused ones follow with rank 0.

    Parameters
    ----------
    parcels : DataFrame, n rows
        patch_id, class_code, area_m2, and village_code where it is known.
    verdicts : DataFrame, n rows
        See `qianmo.finance.photovoltaic.land.land_verdicts`.
    plant : Plant
        Kind of plant; its capacity does not matter.
    """
    tilt, azimuth, rise = racks_on(ground, plant)
    found = parcel_yield(
        weather, replace(plant, capacity_kw=1.0), tilt_deg=tilt, azimuth_deg=azimuth, horizon_deg=ground.horizon_deg, sky=sky_view(ground.horizon_deg), rise_deg=rise,
    )  # fmt: skip
    area = parcels["area_m2"].to_numpy(float)
    capacity = capacity_on(area, overrides)
    unsure = combined_uncertainty(list(uncertainties(overrides).values()), variability=parameter("photovoltaic_variability", overrides))
    energy = capacity * found.hours
    level, rate = _money(found, area, capacity, terms)
    rules = [r for r in LAND_RULES if r in verdicts.columns]
    table = pd.DataFrame({
        "patch_id": parcels["patch_id"].astype(str).to_numpy(object), "class_code": parcels["class_code"].astype(str).to_numpy(object),
        "village_code": parcels["village_code"].astype("string").fillna("").to_numpy(object) if "village_code" in parcels.columns else "",
        "area_m2": area, "slope_deg": ground.slope_deg, "aspect_deg": aspect_deg(ground.east, ground.north), "tilt_deg": tilt, "azimuth_deg": azimuth,
        "horizon_max_deg": ground.horizon_deg.max(axis=1) if len(area) else np.zeros(0), "sky_share": sky_view(ground.horizon_deg), "capacity_kw": capacity,
        "full_load_h": found.hours, "energy_mwh": energy / 1000.0, "energy_p90_mwh": exceedance(energy, unsure, 0.9) / 1000.0, "plane_kwh_m2": found.plane_kwh_m2,
        "horizon_loss_share": _over(found.horizon_lost_kwh_m2, found.free_plane_kwh_m2), "row_loss_share": _over(found.row_lost_kwh_m2, found.free_plane_kwh_m2),
        "levelised_yuan_kwh": level, "rate_of_return": rate, "carbon_t": avoided_carbon_t(energy, overrides), "verdict": verdicts["verdict"].to_numpy(object),
        "rule_ids": [";".join(r for r in rules if row[r] != PASS) for row in verdicts[rules].to_dict("records")], "reasons": verdicts["reasons"].to_numpy(object),
    })  # fmt: skip
    refused = (table["verdict"] == FAIL).to_numpy()
    order = np.lexsort((table["patch_id"].to_numpy(str), -area, -np.round(found.hours, 9), refused))
    table = table.iloc[order].reset_index(drop=True)
    table.insert(0, "rank", np.where(refused[order], 0, np.arange(1, len(order) + 1)))
    return table, found.monthly_hours[order], found.monthly_plane_kwh_m2[order]


def _over(lost: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(lost, whole, out=np.zeros_like(lost), where=whole > 0.0)


def _money(found: ParcelYield, area_m2: np.ndarray, capacity: np.ndarray, terms: MoneyTerms) -> tuple[np.ndarray, np.ndarray]:
    """Levelised cost [yuan/kWh] and rate of return of one kW on each parcel; not a number where there is no single rate."""
    if not len(capacity):
        return np.zeros(0), np.zeros(0)
    falling = lifetime_energy(1.0, terms.degradation, terms.years)[:, None]
    energy = falling * found.hours[None, :]
    rent = m2_to_mu(1.0) * area_m2 / capacity * terms.rent_yuan_mu_year
    yearly = np.broadcast_to(terms.operation_yuan_w_year * 1000.0 + rent, energy.shape)
    first = np.full((1, len(capacity)), terms.capital_yuan_w * 1000.0)
    cost = np.concatenate([first, yearly])
    level = levelised_cost(cost, np.concatenate([np.zeros_like(first), energy]), terms.discount_rate)
    flows = np.concatenate([-first, energy * terms.price_yuan_kwh - yearly])
    return np.atleast_1d(level), np.atleast_1d(rates_of_many(flows))
