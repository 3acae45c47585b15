"""Checks that every project must stand: balance, cash, accounts, loans (报表校验)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qianmo.finance.project.records import Project

__all__ = ["Check", "checks_of"]

_NOISE = 1e-6
"""Share of the largest asset that is float noise when amounts are not rounded."""

_ONE_YUAN = 100.0
"""Fen by which the tax assumed for the size of a loan may differ from the tax that results."""


@dataclass(frozen=True)
class Check:
    """One check (校验): `years` are the years (from 1) in which it fails; a `hard` one says the model itself is wrong."""

    id: str
    zh: str
    hard: bool
    years: tuple[int, ...]
    row: str

    @property
    def passes(self) -> bool:
        """No year fails."""
        return not self.years


def checks_of(project: Project, values: Mapping[str, Sequence[float]], *, exact: bool = True) -> list[Check]:
    """All checks with the years in which they fail (全部校验).

    Parameters
    ----------
    project : Project
    values : mapping
        What `computed` gave.
    exact : bool
        Amounts are whole fen, so that nothing at all is forgiven.

    Returns
    -------
    list of Check
    """
    allowed = 0.0 if exact else _NOISE * max(1.0, *(abs(x) for x in values["balance.assets"]))

    def years(row: str, wrong: Sequence[bool]) -> tuple[int, ...]:
        return tuple(t for t, w in enumerate(wrong, 1) if w)

    def check(name: str, zh: str, row: str, wrong: Sequence[bool], *, hard: bool = False) -> Check:
        return Check(name, zh, hard, years(row, wrong), row)

    moved = _moved(project, values)
    found = [
        check("balance", "资产 = 负债 + 所有者权益", "balance.difference", [abs(x) > allowed for x in values["balance.difference"]], hard=True),
        check("transfers", "转出合计 = 转入合计", "cash.net", [abs(x) > allowed for x in moved], hard=True),
        check("survival", "累计盈余资金不为负(财务生存能力)", "cash.closing", [x < -allowed for x in values["cash.closing"]]),
        check("short_term", "期末没有短期借款余额", "short.borrowed", [t == project.years - 1 and x > allowed for t, x in enumerate(values["short.borrowed"])]),
        check("loans_repaid", "计算期末长期借款已还清", "loans.closing", [t == project.years - 1 and x > allowed for t, x in enumerate(values["loans.closing"])]),
    ]
    for loan in project.loans:
        if loan.after_tax:
            row = f"loan.{loan.id}.tax_gap"
            found.append(check(f"tax_{loan.id}", f"按税后现金定额所用的所得税与所得税一致: {loan.zh}", row, [abs(x) > _ONE_YUAN for x in values[row]]))
    for sub in project.sub_projects:
        row = f"sub.{sub.id}.account"
        if sub.account:
            found.append(check(f"account_{sub.id}", f"资金账户不为负: {sub.zh}", row, [x < -allowed for x in values[row]]))
    for sub in project.sub_projects:
        giver = [m for m in project.transfers if m.giver == sub.id]
        if giver:
            surplus = [i - c + r for i, c, r in zip(values[f"sub.{sub.id}.income"], values[f"sub.{sub.id}.cost"], values[f"sub.{sub.id}.received"], strict=True)]
            wrong = [g > max(s, 0.0) + allowed for g, s in zip(values[f"sub.{sub.id}.given"], surplus, strict=True)]
            found.append(check(f"transfer_{sub.id}", f"转出额不超过当年经营净收益: {sub.zh}", f"sub.{sub.id}.given", wrong))
    return found


def _moved(project: Project, values: Mapping[str, Sequence[float]]) -> list[float]:
    ids = [s.id for s in project.sub_projects]
    return [sum(values[f"sub.{i}.given"][t] - values[f"sub.{i}.received"][t] for i in ids) for t in range(project.years)]
