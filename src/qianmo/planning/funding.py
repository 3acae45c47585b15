"""Where the money comes from, year by year (资金筹措)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qianmo.planning.costs import split_exactly
from qianmo.planning.settings import PlanSettings
from qianmo.schema.errors import RuleError

__all__ = ["FUNDING_COLUMNS", "SOURCES", "funding"]

FUNDING_COLUMNS = ("source", "year", "yuan")
SOURCES = {
    "central_fund": "中央财政资金",
    "provincial_fund": "省级财政资金",
    "county_fund": "市县财政资金",
    "quota_income": "指标交易收益",
    "social_capital": "社会资本",
}
"""Source of the parameter ``funding_share_<source>`` and its name."""


def funding(year_plan: pd.DataFrame, settings: PlanSettings) -> pd.DataFrame:
    """Money of each source in each year (资金筹措表).

    Returns
    -------
    DataFrame, columns `FUNDING_COLUMNS`
        The sources of a year sum to its investment to the cent.

    Raises
    ------
    RuleError
        The shares are negative or do not sum to 1.
    """
    shares = np.array([settings.value(f"funding_share_{s}") for s in SOURCES])
    if shares.min() < 0 or abs(shares.sum() - 1.0) > 1e-9:
        raise RuleError(f"funding shares sum to {shares.sum():.6f}", expected="shares of at least 0 that sum to 1",
                        cure="set the parameters funding_share_*")  # fmt: skip
    rows = [
        {"source": name, "year": int(year), "yuan": cents / 100}
        for year, yuan in zip(year_plan["year"], year_plan["cost_yuan"])
        for name, cents in zip(SOURCES.values(), split_exactly(int(np.rint(yuan * 100)), shares))
    ]
    return pd.DataFrame(rows, columns=list(FUNDING_COLUMNS))
