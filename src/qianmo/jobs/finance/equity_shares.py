"""Equity in kind from a file: shares with their band, dividends and losses, members (作价入股)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from qianmo.finance.distribution.clearance import FAULT_WORDS, appraised_by_party, clearance_faults
from qianmo.finance.distribution.dividend import MemberDividend, YearAllocation, allocate_years, debt_like, member_dividends
from qianmo.finance.distribution.members import QuantifiedShares, decision, quantified_shares
from qianmo.finance.distribution.read_equity import CLAUSE_WORDS, EquityCase, equity_case_from
from qianmo.finance.distribution.shares import ShareBand, share_bands
from qianmo.jobs.context import Context
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.reports.distribution_tables import asset_table, equity_table, member_table, year_table
from qianmo.reports.tables import workbook
from qianmo.reports.text_table import text_table
from qianmo.schema.book import BookTable
from qianmo.store.durable import replace_bytes
from qianmo.store.finance_file import read_finance_file

__all__ = ["SPECS", "run"]


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Read the clearance list and the agreement, compute shares, years and members, and print what was asked for.

    Exit code 1 when an asset has a fault that forbids its contribution, or the vote did not pass.
    """
    source = Path(values["file"])
    context.step("读取资产与协议", 0.0)
    case = _case(source)
    context.step("计算股比与分配", 0.3)
    bands = share_bands(case.assets)
    years = allocate_years(case.results_fen, case.agreement)
    rights, dividends = _member_side(case, years)
    voted = decision(case.members, case.votes, passing=case.passing, veto=case.veto) if case.votes is not None else None
    faults = clearance_faults(case.assets)
    flagged = debt_like(case.agreement, appraised_by_party(case.assets), risk_free_rate=case.risk_free_rate)
    tables = _tables(case, bands, years, rights, dividends)
    files = _print(context, case, tables, Path(values["out"])) if values["out"] else ()
    lines = [f"{case.name}{' [合成数据]' if case.synthetic else ''}", *(line for t in tables for line in text_table(t))]
    lines += [f"资产 {f.asset_id}: {FAULT_WORDS[f.fault]}{'' if f.binds else ' (不计入)'}" for f in faults]
    lines += [_agreed_line(case, p, b) for p, b in bands.items() if case.is_agreed and not b.low <= case.agreement.shares[p] <= b.high]
    lines += [
        f"明股实债提示: {case.names[d.party]} 的保底分红相当于年利率 {float(d.rate):.2%}"
        + (f", 高于无风险利率 {float(case.risk_free_rate):.2%}, 任何情形都不承担风险" if d.above_risk_free else "")
        for d in flagged
    ]
    missing = [k for k, text in case.clauses.items() if not text.strip()]
    if missing:
        lines.append(f"协议缺少条款: {'、'.join(CLAUSE_WORDS[k] for k in missing)}")
    if voted is not None:
        lines.append(f"表决: 赞成 {float(voted.in_favour):.2%}, {'通过' if voted.passed else '未通过'}" + (f" (否决: {'、'.join(voted.vetoes)})" if voted.vetoes else ""))
    figures = _figures(case, bands, years, dividends, rights) | {
        "faults": [{"asset": f.asset_id, "fault": f.fault, "binds": f.binds} for f in faults],
        "missing_clauses": missing,
        "debt_like": [{"party": d.party, "rate": float(d.rate), "above_risk_free": d.above_risk_free} for d in flagged],
        "vote": None if voted is None else {"passed": voted.passed, "in_favour": float(voted.in_favour), "vetoes": list(voted.vetoes)},
    }
    return JobReport(tuple(lines), files, figures, int(any(f.binds for f in faults) or (voted is not None and not voted.passed)))


def _case(source: Path) -> EquityCase:
    """The case a file describes (读取入股情形)."""
    data, text = read_finance_file(source)
    return equity_case_from(data, file=source.name, text=text)


def _member_side(case: EquityCase, years: tuple[YearAllocation, ...]) -> tuple[QuantifiedShares | None, tuple[MemberDividend, ...]]:
    """Members' shares and yearly dividends; what only makes good a loss goes back to the fund that bore it."""
    if not case.members:
        return None, ()
    rights = quantified_shares(case.members, case.rule, collective=case.names[case.collective])
    paid = []
    for year in years:
        restored = year.restored_fen[case.collective]
        year_paid = member_dividends(year.amount_fen[case.collective] - restored, rights, public_fund_rate=case.public_fund_rate)
        paid.append(replace(year_paid, income_fen=year_paid.income_fen + restored, public_fund_fen=year_paid.public_fund_fen + restored))
    return rights, tuple(paid)


def _tables(
    case: EquityCase, bands: Mapping[str, ShareBand], years: tuple[YearAllocation, ...], rights: QuantifiedShares | None, dividends: tuple[MemberDividend, ...]
) -> list[BookTable]:
    synthetic = (case.name,) if case.synthetic else ()
    tables = [
        asset_table(case.assets, case.names, synthetic=synthetic), equity_table(appraised_by_party(case.assets), bands, case.names, synthetic=synthetic),
    ]  # fmt: skip
    if years:
        tables.append(year_table(case.first_year, years, case.names, synthetic=synthetic))
    if rights is not None:
        tables.append(member_table(rights, dividends, synthetic=synthetic))
    return tables


def _print(context: Context, case: EquityCase, tables: list[BookTable], folder: Path) -> tuple[tuple[str, str], ...]:
    context.step("写工作簿", 0.8)
    path = folder / "作价入股.xlsx"
    day = f"{context.clock():%Y年%m月%d日}"
    data = workbook(tables, title=f"{case.name}　作价入股", date=day, synthetic=(case.name,) if case.synthetic else (), made=context.clock().replace(tzinfo=None))
    replace_bytes(path, data)
    return ((str(path), "清产核资、股比、年度分配、成员份额"),)


def _agreed_line(case: EquityCase, party: str, band: ShareBand) -> str:
    return f"注意: {case.names[party]} 的约定股比 {float(case.agreement.shares[party]):.2%} 不在评估区间 {float(band.low):.2%} 至 {float(band.high):.2%} 内"


def _figures(
    case: EquityCase, bands: Mapping[str, ShareBand], years: tuple[YearAllocation, ...], dividends: tuple[MemberDividend, ...], rights: QuantifiedShares | None
) -> dict[str, Any]:
    values = appraised_by_party(case.assets)
    return {
        "name": case.name, "synthetic": case.synthetic,
        "shares": [
            {"party": p, "zh": case.names[p], "value_yuan": values[p] / 100, "share": float(b.share), "low": float(b.low), "high": float(b.high),
             "agreed": float(case.agreement.shares.get(p, 0))}
            for p, b in bands.items()
        ],
        "years": [
            {"year": case.first_year + k, "result_yuan": y.result_fen / 100, "amount_yuan": {p: v / 100 for p, v in y.amount_fen.items()},
             "uncovered_yuan": y.uncovered_fen / 100}
            for k, y in enumerate(years)
        ],
        "members": None if rights is None else {
            "ownership": {k: float(v) for k, v in rights.ownership.items()}, "reserved": float(rights.reserved),
            "income_share": {k: float(v) for k, v in rights.income.items()},
            "years": [{"public_fund_yuan": d.public_fund_fen / 100, "reserved_yuan": d.reserved_fen / 100, "member_yuan": {k: v / 100 for k, v in d.member_fen.items()}} for d in dividends],
        },
    }  # fmt: skip


SPECS = (
    JobSpec(
        "equity", "作价入股: 股比区间、分红与亏损", "equity in kind: shares with their appraisal band, dividends and losses, members' income shares",
        (
            JobOption("file", "path", "作价入股文件 (TOML)", "file with assets, agreement, years, members", required=True, positional=True),
            JobOption("out", "path", "工作簿文件夹", "folder for the workbook; none without it"),
        ),
        run,
    ),
)  # fmt: skip
