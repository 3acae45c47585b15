"""Balance of a project's income and its special bonds over their life (专项债券融资平衡)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from qianmo.finance.debt.special_bond import BondCoverage, bond_coverage
from qianmo.finance.project.records import Project
from qianmo.finance.statements.line_rows import lines_of, net_row
from qianmo.schema.finance_codes import natures

__all__ = ["bond_balance", "bond_life"]


def bond_life(project: Project) -> int:
    """Year in which the last special bond is repaid, 0 without one (专项债券到期年)."""
    bonds = [ln for ln in project.loans if ln.nature == "special_bond"]
    return max((max(ln.last_draw, project.construction_years) + ln.term_years for ln in bonds), default=0)


def bond_balance(project: Project, values: Mapping[str, Sequence[float]]) -> BondCoverage | None:
    """Income by legal nature less running cost and taxes, against principal and interest of the bonds (收益与融资平衡).

    Parameters
    ----------
    project : Project
    values : mapping
        What `computed` gave.

    Returns
    -------
    BondCoverage or None
        Amounts [fen] for the years until the last bond is repaid; None without a bond. Interest of the construction years
        counts when it is paid in cash. Nothing is asked of the coverage here.
    """
    years = bond_life(project)
    if not years:
        return None
    bonds = [ln.id for ln in project.loans if ln.nature == "special_bond"]
    others = [ln.id for ln in project.loans if ln.nature != "special_bond"]

    def summed(names: Sequence[str]) -> np.ndarray:
        return sum((np.asarray(values[n]) for n in names), np.zeros(project.years))[:years]

    sources: dict[str, np.ndarray] = {}
    for line in lines_of(project, "operating", "subsidy", direction="in"):
        zh = natures()[line.nature].zh
        sources[zh] = sources.get(zh, np.zeros(years)) + np.asarray(values[net_row(project, line)][:years])
    sources["经营成本与税费"] = -summed(["cost.net", "surcharge.total", "tax.due"])
    return bond_coverage(
        sources, summed([f"loan.{n}.principal" for n in bonds]), summed([f"loan.{n}.paid" for n in bonds]),
        other_service=summed([f"loan.{n}.{part}" for n in others for part in ("principal", "paid")]),
    )  # fmt: skip
