"""Checks between the parts of a project file (项目文件的相互检查)."""

from __future__ import annotations

import math

from qianmo.finance.project.entry import Entry
from qianmo.finance.project.records import Project
from qianmo.schema.finance_codes import kinds

__all__ = ["check_gearing", "check_names"]


def check_names(whole: Entry, project: Project) -> None:
    """Ids occur once, and every name leads to something (编号检查).

    Raises
    ------
    FinanceInputError
        An id twice, or a name that leads nowhere.
    """
    for key, records in (("party", project.parties), ("sub_project", project.sub_projects), ("loan", project.loans), ("transfer", project.transfers)):
        _check_once(whole, key, [r.id for r in records])  # type: ignore[attr-defined]
    count = len(whole.children("line"))
    names = [ln.id for ln in project.lines]
    for n, name in enumerate(names):
        if name in names[:n]:
            _entry(whole, *_place(n, count)).fail("id", f"编号 {name!r} 重复", expected="每个编号只用一次")
    subs, parties = {s.id for s in project.sub_projects}, {p.id for p in project.parties}
    for n, ln in enumerate(project.lines):
        _known(_entry(whole, *_place(n, count)), "sub_project", ln.sub_project, subs)
        _known(_entry(whole, *_place(n, count)), "party", ln.party, parties | {""})
    for n, sub in enumerate(project.sub_projects):
        _known(_entry(whole, "sub_project", n), "party", sub.party, parties | {""})
    for n, loan in enumerate(project.loans):
        _known(_entry(whole, "loan", n), "party", loan.party, parties | {""})
    for n, move in enumerate(project.transfers):
        entry = _entry(whole, "transfer", n)
        _known(entry, "from_sub_project", move.giver, subs)
        _known(entry, "to_sub_project", move.taker, subs)
        if move.giver == move.taker:
            entry.fail("to_sub_project", f"{move.taker} 向自己转移", expected="另一个子项目")


def _place(n: int, lines: int) -> tuple[str, int]:
    return ("line", n) if n < lines else ("quota", n - lines)


def _entry(whole: Entry, key: str, n: int) -> Entry:
    return whole.children(key)[n]


def _check_once(whole: Entry, key: str, names: list[str]) -> None:
    for n, name in enumerate(names):
        if name in names[:n]:
            _entry(whole, key, n).fail("id", f"编号 {name!r} 重复", expected="每个编号只用一次")


def _known(entry: Entry, key: str, name: str, known: set[str]) -> None:
    if name not in known:
        entry.fail(key, f"没有编号为 {name!r} 的{'子项目' if 'sub' in key else '参与方'}", expected=", ".join(sorted(known - {''})) or "先定义它")


def check_gearing(whole: Entry, project: Project) -> None:
    """Shares of loans and of owners sum to what they must, and one loan alone is sized by coverage (比例检查).

    Raises
    ------
    FinanceInputError
        Loans of more than the whole cost, equity shares that do not sum to 1, loans that cannot stand together.
    """
    shares = math.fsum(ln.share for ln in project.loans)
    if shares > 1.0 + 1e-12:
        _entry(whole, "loan", len(project.loans) - 1).fail("share", f"各笔借款比例合计 {shares:g}", expected="不超过 1", cure="降低借款比例")
    sized = [n for n, ln in enumerate(project.loans) if ln.sizing == "coverage"]
    if len(sized) > 1:
        _entry(whole, "loan", sized[1]).fail("coverage", "两笔借款都按偿债备付率确定规模", expected="至多一笔", cure="另一笔写 amount 或 share")
    for n, ln in enumerate(project.loans):
        if sized and ln.plan == "capacity":
            _entry(whole, "loan", n).fail("plan", "最大能力还款与按偿债备付率确定的借款不能并用", expected="约定的还款方式")
    equity = math.fsum(p.equity_share for p in project.parties)
    if equity > 1e-12 and abs(equity - 1.0) > 1e-9:
        _entry(whole, "party", 0).fail("equity_share", f"各方股权比例合计 {equity:g}", expected="合计为 1")
    if any(kinds()[ln.kind].stage == "capital" for ln in project.lines) or not project.loans:
        return
    _entry(whole, "loan", 0).fail("id", "有借款而无建设投资", expected="至少一行建设投资")
