"""Kinds, legal natures and tax treatments of lines of money, from their lists (资金科目、法律性质、计税方式)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from qianmo.schema.shipped import shipped_rows

__all__ = ["Kind", "Nature", "TaxTreatment", "kinds", "natures", "tax_treatments"]


@dataclass(frozen=True)
class Kind:
    """One kind of line (科目).

    `direction` in or out; `stage` capital, operating, subsidy or funding; `asset` fixed, intangible, deferred or none;
    `nature` and `tax` are taken where the line names none; a `variable` cost moves with the
    output; `once` income (quota, land) is no part of a normal year.
    """

    id: str
    zh: str
    direction: str
    stage: str
    asset: str
    nature: str
    tax: str
    variable: bool
    once: bool


@dataclass(frozen=True)
class Nature:
    """Legal nature of a line (法律性质); `side` in or out."""

    id: str
    zh: str
    side: str
    description: str


@dataclass(frozen=True)
class TaxTreatment:
    """How a line is taxed (计税方式).

    `vat_rate_id` names a policy rate, '' for none; a `simple` tax is paid without input tax; `taxable` counts for income tax.
    """

    id: str
    zh: str
    vat_rate_id: str
    simple: bool
    taxable: bool


@cache
def kinds() -> dict[str, Kind]:
    """All kinds by id (全部科目)."""
    rows = shipped_rows("codes", "finance_kinds")
    return {r["kind"]: Kind(r["kind"], r["zh"], r["direction"], r["stage"], r["asset"], r["nature"], r["tax"], r["variable"] == "yes", r["once"] == "yes") for r in rows}


@cache
def natures() -> dict[str, Nature]:
    """All legal natures by id (全部法律性质)."""
    return {r["nature"]: Nature(r["nature"], r["zh"], r["side"], r["description"]) for r in shipped_rows("codes", "finance_natures")}


@cache
def tax_treatments() -> dict[str, TaxTreatment]:
    """All tax treatments by id (全部计税方式)."""
    rows = shipped_rows("codes", "finance_tax_treatments")
    return {r["treatment"]: TaxTreatment(r["treatment"], r["zh"], r["vat_rate_id"], r["simple"] == "yes", r["income_tax"] == "taxable") for r in rows}
