"""Contracts of an investor in the scenarios: what is put in and paid out, whatever the project earns (投资合同的情景判别)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from qianmo.finance.distribution.read import amount_fen
from qianmo.finance.legality.fixed_return import FixedReturn, fixed_return
from qianmo.finance.project.entry import Entry, document
from qianmo.finance.project.positions import key_lines
from qianmo.finance.risk.draws import drawn_values
from qianmo.finance.risk.model import RiskModel
from qianmo.finance.risk.simulate import evaluate_yearly

__all__ = ["Contract", "contract_payouts", "contracts_from", "judged_contracts"]


@dataclass(frozen=True)
class Contract:
    """Terms of an investor (投资合同).

    `invested_fen` goes in in `year`; from the next year to `until` comes at least `floor_rate` of it, or `share` of the positive flow of
    the owners where that is more; `principal_back` returns it in `until` whatever happened.
    """

    zh: str
    invested_fen: int
    year: int
    until: int
    floor_rate: float
    share: float
    principal_back: bool


def contracts_from(given: Mapping[str, Any], *, years: int, file: str, text: str = "") -> tuple[Contract, ...]:
    """Contracts of the list ``[[contract]]`` of a file of uncertain inputs (读取投资合同).

    Raises
    ------
    FinanceInputError
        A key is missing, unknown or out of range.
    """
    whole = document({"contract": given.get("contract", [])}, file, key_lines(text))
    return tuple(_contract(e, years) for e in whole.children("contract"))


def contract_payouts(contract: Contract, owners_flow_fen: np.ndarray) -> np.ndarray:
    """Money of the investor by year (years, scenarios) [fen]: negative what is put in, positive what is paid out (投资方收付).

    Parameters
    ----------
    contract : Contract
    owners_flow_fen : array (years, scenarios)
        Net flow of all owners, of which the investor has a share.

    Examples
    --------
    >>> contract = Contract("基金", 100, 1, 3, 0.1, 0.0, True)
    >>> contract_payouts(contract, np.zeros((3, 1))).ravel().tolist()
    [-100.0, 10.0, 110.0]
    """
    found = np.zeros(owners_flow_fen.shape)
    found[contract.year - 1] -= contract.invested_fen
    span = slice(contract.year, contract.until)
    found[span] += np.maximum(contract.share * np.maximum(owners_flow_fen[span], 0.0), contract.floor_rate * contract.invested_fen)
    if contract.principal_back:
        found[contract.until - 1] += contract.invested_fen
    return found


def judged_contracts(contracts: tuple[Contract, ...], model: RiskModel, *, scenarios: int, seed: int, risk_free_rate: float) -> dict[str, FixedReturn]:
    """Whether each contract is a loan in disguise, over drawn scenarios (明股实债判别).

    Parameters
    ----------
    contracts : tuple of Contract
    model : RiskModel
    scenarios, seed : int
        Scenarios of which every year is kept.
    risk_free_rate : float

    Returns
    -------
    dict of Chinese name to FixedReturn
        In the order of the contracts; empty without any.
    """
    if not contracts:
        return {}
    rows = evaluate_yearly(model, drawn_values(model.marginals, model.factor, seed, 0, scenarios)).rows
    return {c.zh: fixed_return(contract_payouts(c, rows["equity_flow"]), rows["project_flow"], risk_free_rate) for c in contracts}


def _contract(entry: Entry, years: int) -> Contract:
    year = entry.integer("year", 1, least=1, most=years - 1)
    found = Contract(
        entry.text("zh"), amount_fen(entry, "invested"), year, entry.integer("until", years, least=year + 1, most=years), entry.number("floor_rate", 0.0, least=0.0, most=1.0),
        entry.number("share", 0.0, least=0.0, most=1.0), entry.flag("principal_back", False),
    )  # fmt: skip
    if found.invested_fen <= 0:
        entry.fail("invested", "投入为 0", expected="大于 0 的金额")
    entry.done()
    return found
