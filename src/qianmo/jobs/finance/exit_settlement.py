"""Exit of an investor from a file: increment, settlement, schemes side by side, use of the remainder (退出结算)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from qianmo.finance.distribution.exact import exact
from qianmo.finance.distribution.exit_share import ExitSettlement, capital_time_share, exit_sensitivity, exit_share, settle_exit
from qianmo.finance.distribution.fairness import FairnessRow, fairness_report
from qianmo.finance.distribution.increment import IncrementPool, pool_over_levy_band
from qianmo.finance.distribution.nucleolus import nucleolus
from qianmo.finance.distribution.nucleolus_check import certificate_record, check_nucleolus
from qianmo.finance.distribution.read_exit import ExitCase, exit_case_from
from qianmo.finance.distribution.remainder import AccountState, assigned_remainder, remainder_account
from qianmo.finance.distribution.schemes import SCHEME_WORDS, Situation
from qianmo.finance.distribution.time_weight import time_weights
from qianmo.jobs.context import Context
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.reports.distribution_chart import scheme_chart
from qianmo.reports.distribution_tables import (
    account_table,
    exit_table,
    fairness_table,
    pool_table,
    scheme_table,
    sensitivity_table,
)
from qianmo.reports.tables import workbook
from qianmo.reports.text_table import text_table
from qianmo.schema.book import BookTable
from qianmo.schema.errors import SchemaError
from qianmo.schema.rules import parameter
from qianmo.store.durable import replace_bytes
from qianmo.store.finance_file import read_finance_file

__all__ = ["SPECS", "run"]


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Read the exit, settle it, compare schemes, check the proof of the nucleolus, and keep the account of the remainder.

    Exit code 1 when a payment of the account was refused.
    """
    source = Path(values["file"])
    context.step("读取退出文件", 0.0)
    data, text = read_finance_file(source)
    case = exit_case_from(data, file=source.name, text=text)
    context.step("退出结算", 0.2)
    capital = capital_time_share(case.contributions, _private(case), until=case.until, rate=case.rate) if case.contributions else Fraction(0)
    share = exit_share(capital, case.performance, case.risk, case.terms)
    settled = settle_exit(case.pool.pool_fen, share, case.terms, loss_rule=case.loss_rule)
    context.step("方案对照", 0.4)
    rows = fairness_report(_situation(case), step=exact(parameter("fairness_step"))) if case.pool.pool_fen > 0 else ()
    account = _account(case, settled)
    tables = _tables(case, settled, rows, account, capital)
    lines = [f"{case.name}{' [合成数据]' if case.synthetic else ''}"]
    lines += _settlement_lines(case, settled, capital)
    lines += [line for t in tables for line in text_table(t)]
    proof = _proof(case) if rows else None
    if proof is not None:
        lines.append(f"核仁证明: {len(proof['levels'])} 层, 逐层复核一致 (精确有理数)")
    files = _print(context, case, tables, rows, proof, Path(values["out"])) if values["out"] else ()
    return JobReport(tuple(lines), files, _figures(case, settled, capital, rows, account), int(bool(account and account.faults)))


def _private(case: ExitCase) -> tuple[str, ...]:
    return tuple(p for p, r in case.roles.items() if r == "private")


def _situation(case: ExitCase) -> Situation:
    return Situation(
        tuple(case.names), case.pool.pool_fen, case.contract, case.contributions, case.until, case.rate, case.party_performance, case.party_risk, case.game,
        case.tiers, case.investor, (lambda situation: _formula(case, situation)) if case.contributions else None,
    )  # fmt: skip


def _formula(case: ExitCase, situation: Situation) -> dict[str, Fraction]:
    """Shares of all parties by the three-factor formula: private parties by their time weight, the rest 70/30."""
    weights = time_weights(situation.contributions, until=situation.until, rate=situation.rate)
    private = {p: weights.get(p, Fraction(0)) for p in _private(case)}
    mine = sum(private.values(), Fraction(0))
    share = exit_share(mine / sum(weights.values(), Fraction(0)), case.performance, case.risk, case.terms)
    found = {p: share * w / mine if mine else share / len(private) for p, w in private.items()}
    by_role = {r: p for p, r in case.roles.items()}
    kept = case.terms.collective_share if "government" in by_role else Fraction(1)
    found[by_role["collective"]] = (1 - share) * kept
    if "government" in by_role:
        found[by_role["government"]] = (1 - share) * (1 - kept)
    return found


def _account(case: ExitCase, settled: ExitSettlement) -> AccountState | None:
    remainder = settled.collective_fen + settled.government_fen
    if settled.is_loss or remainder <= 0:
        return None
    return remainder_account(assigned_remainder(remainder, case.uses), case.spendings)


def _tables(
    case: ExitCase, settled: ExitSettlement, rows: tuple[FairnessRow, ...], account: AccountState | None, capital: Fraction
) -> list[BookTable]:
    synthetic = (case.name,) if case.synthetic else ()
    tables = [pool_table(case.pool, synthetic=synthetic), exit_table(settled, synthetic=synthetic)]
    if rows:
        tables += [scheme_table(rows, case.names, synthetic=synthetic), fairness_table(rows, case.names, synthetic=synthetic)]
        tried = case.sensitivity
        changed = exit_sensitivity(
            case.pool.pool_fen, capital, case.risk, case.terms, performance=tried["performance"] or (case.performance,),
            floors=tried["floors"] or (case.terms.floor,), caps=tried["caps"] or (case.terms.cap,),
        )  # fmt: skip
        tables += [sensitivity_table(changed, synthetic=synthetic)] if len(changed) > 1 else []
    return tables + ([account_table(account, synthetic=synthetic)] if account else [])


def _settlement_lines(case: ExitCase, settled: ExitSettlement, capital: Fraction) -> list[str]:
    pool = case.pool
    lines = [f"可分配增值 {_wan(pool.pool_fen)} (增值 {_wan(pool.added_fen)}, 调节金 {_wan(pool.levy_fen)})"]
    if pool.levy_fen:
        least, most = (_wan(p.pool_fen) for p in _pool_band(pool))
        lines.append(f"调节金在 {parameter('levy_rate_min'):.0%} 至 {parameter('levy_rate_max'):.0%} 之间变动时, 可分配增值 {least} 至 {most}")
    if settled.is_loss:
        return [*lines, "没有增值可分, 按协议的亏损条款分担"]
    return [
        *lines,
        f"资金时间占比 C = {float(capital):.5f}, 绩效 P = {float(case.performance):.3g}, 风险 ρ = {float(case.risk):.3g}, "
        f"退出比例 {float(settled.share):.4%} (下限 {float(case.terms.floor):.0%}, 上限 {float(case.terms.cap):.0%})",
        f"社会资本 {_wan(settled.private_fen)}, 集体 {_wan(settled.collective_fen)}, 政府 {_wan(settled.government_fen)}",
    ]


def _pool_band(pool: IncrementPool) -> tuple[IncrementPool, IncrementPool]:
    band = (parameter("levy_rate_min"), parameter("levy_rate_max"))
    return pool_over_levy_band(pool.exit_fen, pool.indexed_fen, band=band, public_cost_fen=pool.public_cost_fen)


def _proof(case: ExitCase) -> dict[str, Any] | None:
    """The nucleolus with its certificate, checked by the second route.

    Raises
    ------
    SchemaError
        The check found a fault.
    """
    if case.game is None:
        return None
    found = nucleolus(case.game)
    faults = check_nucleolus(case.game, found)
    if faults:
        raise SchemaError(f"核仁证明未通过: {faults[0]}", expected="逐层复核一致", cure="请保留文件并反馈")
    return {"unit": "fen", "values": {"+".join(case.game.members(s)): str(case.game.values[s]) for s in range(1, len(case.game.values))}, **certificate_record(case.game, found)}


def _print(
    context: Context, case: ExitCase, tables: list[BookTable], rows: tuple[FairnessRow, ...], proof: dict[str, Any] | None, folder: Path
) -> tuple[tuple[str, str], ...]:
    context.step("写工作簿与图", 0.8)
    synthetic = (case.name,) if case.synthetic else ()
    day = f"{context.clock():%Y年%m月%d日}"
    book = workbook(tables, title=f"{case.name}　退出结算", date=day, synthetic=synthetic, made=context.clock().replace(tzinfo=None))
    made = [("退出结算.xlsx", book, "增值、结算、方案对照、公平性、台账")]
    if rows:
        mark = f"{case.name}: 合成数据, 仅供演示" if case.synthetic else ""
        made.append(("方案对照.png", scheme_chart(rows, case.names, title=f"{case.name}　增值分配方案对照", mark=mark), "方案对照图"))
    if proof is not None:
        made.append(("核仁证明.json", json.dumps(proof, ensure_ascii=False, indent=1).encode(), "核仁的精确证明, 不用求解器即可复核"))
    for name, data, _ in made:
        replace_bytes(folder / name, data)
    return tuple((str(folder / name), what) for name, _, what in made)


def _figures(
    case: ExitCase, settled: ExitSettlement, capital: Fraction, rows: tuple[FairnessRow, ...], account: AccountState | None
) -> dict[str, Any]:
    return {
        "name": case.name, "synthetic": case.synthetic, "pool_yuan": case.pool.pool_fen / 100, "added_yuan": case.pool.added_fen / 100, "levy_yuan": case.pool.levy_fen / 100,
        "capital_time_share": float(capital), "share": float(settled.share), "is_loss": settled.is_loss,
        "private_yuan": settled.private_fen / 100, "collective_yuan": settled.collective_fen / 100, "government_yuan": settled.government_fen / 100,
        "schemes": [
            {"scheme": r.scheme, "zh": SCHEME_WORDS.get(r.scheme, r.scheme), "amount_yuan": {p: v / 100 for p, v in r.amounts_fen.items()}, "efficient": r.efficient,
             "in_core": None if r.core is None else r.core.in_core, "worst_coalition": [] if r.core is None else list(r.core.worst),
             "worst_excess_yuan": None if r.core is None else float(r.core.excess) / 100,
             "gainers": [] if r.core is None else [{"coalition": list(s), "gain_yuan": float(g) / 100} for s, g in r.core.gainers],
             "symmetric": r.symmetric, "dummy": r.dummy, "falls": list(r.falls)}
            for r in rows
        ],
        "account": None if account is None else {
            "assigned_yuan": {u: v / 100 for u, v in account.assigned_fen.items()}, "spent_yuan": {u: v / 100 for u, v in account.spent_fen.items()},
            "left_yuan": {u: v / 100 for u, v in account.left_fen.items()}, "refused": list(account.faults),
        },
    }  # fmt: skip


def _wan(fen: int) -> str:
    return f"{fen / 1e6:,.4f} 万元" if fen % 10_000 else f"{fen / 1e6:,.2f} 万元"


SPECS = (
    JobSpec(
        "exit", "退出结算与增值分配方案对照", "exit settlement: increment, three-factor share, schemes side by side with a fairness report, use of the remainder",
        (
            JobOption("file", "path", "退出结算文件 (TOML)", "file with values, terms, contributions, game, tiers", required=True, positional=True),
            JobOption("out", "path", "工作簿与图的文件夹", "folder for workbook, chart and proof; none without it"),
        ),
        run,
    ),
)  # fmt: skip
