"""What options add to service layers, as they came with the options (生态服务系数入方案)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from qianmo.schema.errors import MissingDataError

__all__ = ["known_effect", "service_effects"]

COLUMNS = ("carbon_t", "soil_loss_t_yr", "service_value_yuan_yr", "grade_area_ha", "habitat_ha", "water_yield_m3_yr")
"""Optional columns beside those of ``measure_option``; NaN is unknown."""

CURE = "supply the missing data and run qianmo evaluate again, or set weight and floor of it to 0"


def service_effects(options: pd.DataFrame) -> dict[str, np.ndarray]:
    """Effects from the optional columns of the options (生态服务效应), each (m,), NaN unknown.

    Soil loss enters as `soil_saved_t_yr`, the loss avoided, so that more is better and floors say what they mean.
    """
    found = {c: pd.to_numeric(options[c], errors="coerce").to_numpy(float, na_value=np.nan) for c in COLUMNS if c in options}
    if "soil_loss_t_yr" in found:
        found["soil_saved_t_yr"] = 0.0 - found.pop("soil_loss_t_yr")
    return found


def known_effect(effects: Mapping[str, np.ndarray], quantity: str, patch_id: np.ndarray) -> np.ndarray:
    """One effect that a plan rests on; it must be known for every option (必须完整的效应) (m,).

    Parameters
    ----------
    effects : mapping
        Of :class:`qianmo.planning.parts.Parts`.
    patch_id : (m,) text
        Patch of each option, to name in the message.

    Raises
    ------
    MissingDataError
        The options came without it, or some of its values are unknown: they are never taken as 0.
    """
    if quantity not in effects:
        raise MissingDataError(f"the options have no {quantity}", expected="coefficients from the evaluation", cure=CURE)
    unknown = ~np.isfinite(effects[quantity])
    if unknown.any():
        names = ", ".join(map(str, list(dict.fromkeys(patch_id[unknown]))[:5]))
        raise MissingDataError(f"{quantity} is unknown for {int(unknown.sum())} options, of patches {names}", expected="a number for every option", cure=CURE)
    return effects[quantity]
