"""Rows of the sub-projects, the transfers between them, and the parties (子项目、反哺转移、各方)."""

from __future__ import annotations

from qianmo.finance.project.records import Line, Party, Project, SubProject, Transfer
from qianmo.finance.sheet.expression import Expression, Here, choose, larger, rounded, total_of
from qianmo.finance.sheet.row import Row
from qianmo.finance.statements.line_rows import gross_row, lines_of
from qianmo.finance.statements.making import booked, given, given_years, running, sum_row

__all__ = ["party_rows", "sub_project_rows"]

_SUB, _PARTY = "子项目", "各方"


def sub_project_rows(project: Project) -> list[Row]:
    """Income, cost, investment, transfers and account of every sub-project (各子项目收支与资金账户).

    Parameters
    ----------
    project : Project

    Returns
    -------
    list of Row
        ``sub.<id>.net`` before financing and transfers; ``sub.<id>.account`` cumulative money with the investment of the
        construction years funded by the package and transfers counted.
    """
    rows: list[Row] = []
    for move in project.transfers:
        rows += _transfer_rows(move)
    for sub in project.sub_projects:
        rows += _sub_rows(project, sub)
    return rows


def _sub_rows(project: Project, sub: SubProject) -> list[Row]:
    p = f"sub.{sub.id}"

    def rows_of(*stages: str, direction: str = "") -> list[str]:
        def mine(ln: Line) -> bool:
            return ln.sub_project == sub.id

        return [gross_row(project, ln) for ln in lines_of(project, *stages, direction=direction, test=mine)]

    return [
        sum_row(f"{p}.income", f"{sub.zh}: 收入与补贴", _SUB, rows_of("operating", "subsidy", direction="in")),
        sum_row(f"{p}.cost", f"{sub.zh}: 经营成本", _SUB, rows_of("operating", direction="out")),
        sum_row(f"{p}.capex", f"{sub.zh}: 建设投资", _SUB, rows_of("capital")),
        sum_row(f"{p}.grant", f"{sub.zh}: 财政补助", _SUB, rows_of("funding")),
        booked(f"{p}.net", f"{sub.zh}: 净现金流量(融资与转移前)", _SUB, Here(f"{p}.income") - Here(f"{p}.cost") - Here(f"{p}.capex")),
        sum_row(f"{p}.received", f"{sub.zh}: 转入", _SUB, [f"transfer.{m.id}.amount" for m in project.transfers if m.taker == sub.id]),
        sum_row(f"{p}.given", f"{sub.zh}: 转出", _SUB, [f"transfer.{m.id}.amount" for m in project.transfers if m.giver == sub.id]),
        booked(f"{p}.funding", f"{sub.zh}: 项目统筹资金(建设期)", _SUB, choose(Here("time.construction"), larger(Here(f"{p}.capex") - Here(f"{p}.grant"), 0), 0)),
        running(f"{p}.account", f"{sub.zh}: 资金账户余额", _SUB, Here(f"{p}.net") + Here(f"{p}.grant") + Here(f"{p}.funding") + Here(f"{p}.received") - Here(f"{p}.given")),
    ]  # fmt: skip


def _transfer_rows(move: Transfer) -> list[Row]:
    name = f"transfer.{move.id}"
    if move.amounts_fen:
        return [given_years(f"{name}.asked", f"{move.zh}: 约定转移额", "分", move.amounts_fen, move.source), booked(f"{name}.amount", f"{move.zh}: 转移额", _SUB, rounded(Here(f"{name}.asked")))]
    surplus = larger(Here(f"sub.{move.giver}.income") - Here(f"sub.{move.giver}.cost"), 0)
    return [
        given(f"{name}.share", f"{move.zh}: 占转出方经营净收益比例", "比例", move.share, move.source),
        booked(f"{name}.amount", f"{move.zh}: 转移额", _SUB, rounded(surplus * Here(f"{name}.share"))),
    ]


def party_rows(project: Project) -> list[Row]:
    """Money in and out of every party (各方现金流量).

    Parameters
    ----------
    project : Project

    Returns
    -------
    list of Row
        ``party.<id>.in``, ``.out``, ``.net``. Equity and dividends are divided by share to the fen; in the last year the
        equity on the balance sheet falls to the investors (期末净资产按比例). Lines and loans that name a party count for it,
        the taxes for the only party that is a government.
    """
    rows: list[Row] = []
    owners = [p for p in project.parties if p.equity_share]
    for n, party in enumerate(owners):
        rows += _owner_rows(party, sum(p.equity_share for p in owners[:n]))
    governments = [p for p in project.parties if p.role == "government"]
    for party in project.parties:
        rows += _party(project, party, party in owners, governments == [party])
    return rows


def _owner_rows(party: Party, ahead: float) -> list[Row]:
    """Share of equity, dividend and what is left, each rounded on the cumulative share of the owners."""
    p = f"party.{party.id}"
    rows = [
        given(f"{p}.share", f"{party.zh}: 股权比例", "比例", party.equity_share, party.source),
        given(f"{p}.ahead", f"{party.zh}: 排在其前的股权比例合计", "比例", ahead, party.source),
    ]
    upto, before = Here(f"{p}.ahead") + Here(f"{p}.share"), Here(f"{p}.ahead")
    for part, zh, whole in (("capital", "出资", Here("equity.paid")), ("dividend", "分得利润", Here("profit.dividend")), ("rest", "期末净资产", Here("balance.equity") * Here("time.last"))):
        rows.append(booked(f"{p}.{part}", f"{party.zh}: {zh}", _PARTY, rounded(whole * upto) - rounded(whole * before)))
    return rows


def _party(project: Project, party: Party, owner: bool, taxed: bool) -> list[Row]:
    p = f"party.{party.id}"
    paid_to = [gross_row(project, ln) for ln in lines_of(project, "capital", "operating", direction="out") if ln.party == party.id]
    paid_by = [gross_row(project, ln) for ln in lines_of(project, "operating", "subsidy", "funding", direction="in") if ln.party == party.id]
    loans = [ln.id for ln in project.loans if ln.party == party.id]
    coming: list[Expression] = [Here(r) for r in paid_to]
    going: list[Expression] = [Here(r) for r in paid_by]
    if owner:
        coming += [Here(f"{p}.dividend"), Here(f"{p}.rest")]
        going.append(Here(f"{p}.capital"))
    for name in loans:
        coming += [Here(f"loan.{name}.principal"), Here(f"loan.{name}.paid")]
        going.append(Here(f"loan.{name}.drawn"))
    if taxed:
        coming += [Here("vat.paid"), Here("surcharge.total"), Here("tax.due")]
    return [
        booked(f"{p}.in", f"{party.zh}: 现金流入", _PARTY, total_of(coming)),
        booked(f"{p}.out", f"{party.zh}: 现金流出", _PARTY, total_of(going)),
        booked(f"{p}.net", f"{party.zh}: 净现金流量", _PARTY, Here(f"{p}.in") - Here(f"{p}.out")),
        running(f"{p}.net_cum", f"{party.zh}: 累计净现金流量", _PARTY, Here(f"{p}.net")),
    ]


