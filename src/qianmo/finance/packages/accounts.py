"""Account of a sub-project in many scenarios (子项目资金账户的情景)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qianmo.finance.project.records import Project
from qianmo.finance.risk.model import RiskModel
from qianmo.schema.finance_codes import kinds

__all__ = ["AccountRisk", "account_risk", "delayed"]

_MONTHS = 12
_FORGIVEN_FEN = 100.0
"""A balance is below zero from one yuan on: scenarios are not rounded to the fen."""


@dataclass(frozen=True, eq=False)
class AccountRisk:
    """Balance of an account in the scenarios (账户情景). [fen]

    `balance_fen` (years, scenarios); `never_below` share of the scenarios in which no year is below zero.
    """

    sub_project: str
    balance_fen: np.ndarray
    never_below: float

    def lowest(self, chance: float) -> float:
        """Lowest balance of all years that is kept with this chance (保证率下的最低余额) [fen]."""
        return float(np.quantile(self.balance_fen.min(axis=0), 1.0 - chance))


def account_risk(project: Project, model: RiskModel, drawn: np.ndarray) -> dict[str, AccountRisk]:
    """Accounts of all sub-projects that keep one (各资金账户).

    Parameters
    ----------
    project : Project
    model : RiskModel
        Of the same project, from `project_risk`.
    drawn : array (inputs, scenarios)

    Returns
    -------
    dict of sub-project to AccountRisk
        The rule of the statements: income less cost and investment, plus grants, plus what the package pays for the works of the
        construction years, plus transfers received less given. A transfer by share follows the giver's surplus in the scenario.
    """
    count = drawn.shape[1]
    names = [x.name for x in model.inputs]
    rows = {ln.name: ln for ln in model.lines}

    def gross(line_id: str) -> np.ndarray:
        row = rows[line_id]
        factor = np.ones(count)
        for name in row.drivers:
            factor = factor * drawn[names.index(name)]
        flow = (row.amount_fen * (1.0 + np.asarray(row.vat_rate)))[:, None] * factor[None, :]
        return delayed(flow, drawn[names.index(row.delay)]) if row.delay else flow

    def summed(sub: str, *stages: str, direction: str = "") -> np.ndarray:
        mine = [ln for ln in project.lines if ln.sub_project == sub and kinds()[ln.kind].stage in stages and direction in ("", kinds()[ln.kind].direction)]
        return sum((gross(ln.id) for ln in mine), np.zeros((project.years, count)))

    surplus = {s.id: summed(s.id, "operating", "subsidy", direction="in") - summed(s.id, "operating", direction="out") for s in project.sub_projects}
    moved = [np.asarray(m.amounts_fen)[:, None] + np.zeros((1, count)) if m.amounts_fen else m.share * np.maximum(surplus[m.giver], 0.0) for m in project.transfers]
    building = (np.arange(project.years) < project.construction_years)[:, None]
    found = {}
    for sub in project.sub_projects:
        if not sub.account:
            continue
        capital, grant = summed(sub.id, "capital"), summed(sub.id, "funding")
        flow = surplus[sub.id] - capital + grant + np.where(building, np.maximum(capital - grant, 0.0), 0.0)
        for m, amount in zip(project.transfers, moved, strict=True):
            flow = flow + (amount if m.taker == sub.id else 0.0) - (amount if m.giver == sub.id else 0.0)
        balance = np.cumsum(flow, axis=0)
        found[sub.id] = AccountRisk(sub.id, balance, float((balance.min(axis=0) >= -_FORGIVEN_FEN).mean()))
    return found


def delayed(flow: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Flows moved by months, part years shared between two years; what leaves the timeline is lost (推迟).

    >>> delayed(np.array([[12.0], [0.0], [0.0]]), np.array([18.0])).ravel().tolist()
    [0.0, 6.0, 6.0]
    """
    years = flow.shape[0]
    whole = np.floor(months / _MONTHS).astype(int)
    part = months / _MONTHS - whole
    found = np.zeros_like(flow)
    for k in np.unique(whole):
        at = whole == k
        if k < years:
            found[k:, at] += flow[: years - k, at] * (1.0 - part[at])
        if k + 1 < years:
            found[k + 1 :, at] += flow[: years - k - 1, at] * part[at]
    return found
