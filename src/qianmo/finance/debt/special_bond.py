"""Whether the income of a project covers its special bond, by source and by year (专项债券收益与融资平衡)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from qianmo.finance.yearly import same_years
from qianmo.schema.errors import SchemaError

__all__ = ["BondCoverage", "bond_coverage"]

_COLUMNS = ("income", "principal", "interest", "service", "other_service", "coverage", "coverage_all", "surplus", "cash")
_NOISE = 1e-12
"""Share of the whole income that is rounding of float sums, not a lack of money."""


@dataclass(frozen=True)
class BondCoverage:
    """Balance of income and bond (融资平衡结果).

    Parameters
    ----------
    table : DataFrame
        A row a year and the row ``total``: a column for each source, then ``income``, ``principal``, ``interest``,
        ``service``, ``other_service``, ``coverage``, ``coverage_all``, ``surplus``, ``cash``.
    coverage, coverage_all : float
        Income over the service of the bond, and over the service of all debt, over the whole term (本息覆盖倍数).
    short_years : tuple of int
        Years (from 1) whose cash at the end is below 0: the survival check fails in them (财务生存能力).
    share_by_source : dict
        Share of each source in the income.
    reaches : bool or None
        Both coverages reach what was asked; None where nothing was asked.
    """

    table: pd.DataFrame
    coverage: float
    coverage_all: float
    short_years: tuple[int, ...]
    share_by_source: dict[str, float]
    reaches: bool | None

    @property
    def survives(self) -> bool:
        """No year ends with less than nothing."""
        return not self.short_years

    @property
    def passes(self) -> bool:
        """Coverage reached (where asked) and every year survived."""
        return self.survives and self.reaches is not False


def bond_coverage(
    income_by_source: Mapping[str, Any], principal: Any, interest: Any, *, other_service: Any = 0.0, opening_cash: float = 0.0,
    least: float | None = None, least_all: float | None = None,
) -> BondCoverage:  # fmt: skip
    """Coverage by source, year and in total, with the cash that is left (本息覆盖倍数表).

    Parameters
    ----------
    income_by_source : mapping of str to array (years,)
        Net income available for the bond from each source (政府性基金收入, 专项收入 …), one money unit; running costs are a
        source with negative values or already taken off.
    principal, interest : array (years,)
        Due in each year, positive.
    other_service : float or array (years,)
        Service of all other debt of the project, positive (市场化融资本息).
    opening_cash : float
        Cash before year 1.
    least, least_all : float, optional
        Coverage asked on the bond and on all debt; policy rates ``special_bond_coverage_bond`` and ``…_all``.

    Returns
    -------
    BondCoverage
        A total above 1 does not hide a year that cannot pay: see `short_years`.

    Raises
    ------
    SchemaError
        No source, lengths differ, a value missing, or principal or interest negative.
    """
    if not income_by_source:
        raise SchemaError("no source of income", expected="at least one named series")
    names = list(income_by_source)
    if set(names) & set(_COLUMNS):
        raise SchemaError(f"a source is named {sorted(set(names) & set(_COLUMNS))}", expected=f"names other than {', '.join(_COLUMNS)}")
    same_years(principal=principal, interest=interest, other_service=other_service, least=0.0)
    lines = same_years(**{f"income {n}": v for n, v in income_by_source.items()}, principal=principal, interest=interest, other_service=other_service)
    if lines[0].ndim > 1:
        raise SchemaError(f"bond series of shape {lines[0].shape}", expected="one scenario, (years,)")
    table = pd.DataFrame({**dict(zip(names, lines, strict=False)), "income": np.sum(lines[: len(names)], axis=0), "principal": lines[-3],
                          "interest": lines[-2], "service": lines[-3] + lines[-2], "other_service": lines[-1]},
                         index=pd.Index(range(1, len(lines[0]) + 1), name="year"), dtype=np.float64)  # fmt: skip
    table["surplus"] = table["income"] - table["service"] - table["other_service"]
    table["cash"] = opening_cash + table["surplus"].cumsum()
    short = tuple(int(y) for y in table.index[table["cash"] < -_NOISE * table["income"].abs().sum()])
    table = _with_total(table)
    table["coverage"] = _over(table["income"], table["service"])
    table["coverage_all"] = _over(table["income"], table["service"] + table["other_service"])
    both = float(table.loc["total", "coverage"]), float(table.loc["total", "coverage_all"])
    asked = [(c, a) for c, a in zip(both, (least, least_all), strict=True) if a is not None]
    reaches = all(not c < a for c, a in asked) if asked else None
    whole = float(table.loc["total", "income"])
    shares = {n: float(table.loc["total", n]) / whole if whole else float("nan") for n in names}
    return BondCoverage(table, *both, short, shares, reaches)


def _with_total(table: pd.DataFrame) -> pd.DataFrame:
    total = table.sum()
    total["cash"] = table["cash"].iloc[-1]
    return pd.concat([table, total.to_frame("total").T]).rename_axis("year")


def _over(part: pd.Series, whole: pd.Series) -> np.ndarray:
    """Quotient, nan where nothing is due."""
    top, below = part.to_numpy(dtype=np.float64), whole.to_numpy(dtype=np.float64)
    return np.divide(top, below, out=np.full(top.shape, np.nan), where=below > 0)
