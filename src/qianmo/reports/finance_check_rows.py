"""Checks of a project as live formulas: 1 in a year that fails (校验公式)."""

from __future__ import annotations

from collections.abc import Callable

from qianmo.finance.project.records import Project
from qianmo.reports.sheet_formula import Places

__all__ = ["check_formulas"]

_HALF = 0.5
"""Half a fen: amounts are whole, so nothing is forgiven."""

_ONE_YUAN = 100.0
"""The same as in `checks_of`."""


def check_formulas(project: Project, places: Places) -> dict[str, Callable[[int], str]]:
    """Formula of a year for every check of `checks_of`, by the same ids (各项校验公式).

    Parameters
    ----------
    project : Project
    places : Places
    """
    ids = [s.id for s in project.sub_projects]

    def moved(t: int) -> str:
        given, taken = ("+".join(places.cell(f"sub.{i}.{part}", t) for i in ids) or "0" for part in ("given", "received"))
        return f"IF(ABS(({given})-({taken}))>{_HALF},1,0)"

    def below(row: str) -> Callable[[int], str]:
        return lambda t: f"IF({places.cell(row, t)}<-{_HALF},1,0)"

    def left(row: str) -> Callable[[int], str]:
        return lambda t: f"IF(AND({places.cell('time.last', t)}=1,{places.cell(row, t)}>{_HALF}),1,0)"

    def apart(row: str) -> Callable[[int], str]:
        return lambda t: f"IF(ABS({places.cell(row, t)})>{_ONE_YUAN:g},1,0)"

    def over(name: str) -> Callable[[int], str]:
        def at(t: int) -> str:
            part = {k: places.cell(f"sub.{name}.{k}", t) for k in ("given", "income", "cost", "received")}
            return f"IF({part['given']}>MAX({part['income']}-{part['cost']}+{part['received']},0)+{_HALF},1,0)"

        return at

    found: dict[str, Callable[[int], str]] = {
        "balance": lambda t: f"IF(ABS({places.cell('balance.difference', t)})>{_HALF},1,0)", "transfers": moved, "survival": below("cash.closing"),
        "short_term": left("short.borrowed"), "loans_repaid": left("loans.closing"),
    }  # fmt: skip
    found |= {f"tax_{ln.id}": apart(f"loan.{ln.id}.tax_gap") for ln in project.loans if ln.after_tax}
    found |= {f"account_{s.id}": below(f"sub.{s.id}.account") for s in project.sub_projects if s.account}
    givers = {m.giver for m in project.transfers}
    return found | {f"transfer_{s.id}": over(s.id) for s in project.sub_projects if s.id in givers}
