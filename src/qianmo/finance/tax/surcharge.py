"""Surcharges on the value-added tax paid (城市维护建设税, 教育费附加, 地方教育附加)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from qianmo.finance.fen import whole_fen
from qianmo.finance.yearly import same_shape

__all__ = ["SurchargeYears", "surcharges"]


@dataclass(frozen=True)
class SurchargeYears:
    """Surcharges by year, arrays like the tax [fen], costs positive (税金及附加逐年表)."""

    city_fen: np.ndarray
    education_fen: np.ndarray
    local_education_fen: np.ndarray

    @property
    def total_fen(self) -> np.ndarray:
        """Sum of the three [fen]."""
        return self.city_fen + self.education_fen + self.local_education_fen


def surcharges(
    vat_paid: Any, city_rate: Any, education_rate: Any, local_education_rate: Any, exact: bool = True
) -> SurchargeYears:
    """Surcharges on the value-added tax paid (附加税费).

    Parameters
    ----------
    vat_paid : array (years,) or (years, scenarios)
        Value-added tax paid [fen], not negative.
    city_rate, education_rate, local_education_rate : float or array (years,)
        Fractions; policy rates ``city_maintenance_urban`` (or ``_town``, ``_other``), ``education_surcharge``,
        ``local_education_surcharge``.
    exact : bool
        Whole fen, each surcharge rounded by itself as it is declared by itself.

    Returns
    -------
    SurchargeYears
        Three arrays and their sum.

    Raises
    ------
    SchemaError
        Lengths differ, or a value is missing or negative.
    """
    paid, city, education, local = same_shape(
        vat_paid=vat_paid, city_rate=city_rate, education_rate=education_rate, local_education_rate=local_education_rate, least=0.0
    )
    return SurchargeYears(whole_fen(paid * city, exact), whole_fen(paid * education, exact), whole_fen(paid * local, exact))
