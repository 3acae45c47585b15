"""Single settlements: homestead swap, quota chain, market entry, land ticket, claims, account of a remainder (单项测算)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qianmo.finance.distribution.read_settle import CLAIM_RULES, Settled, settled_from
from qianmo.jobs.context import Context
from qianmo.jobs.finance.model import in_wan
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.reports.distribution_tables import account_table, claims_table, parts_table, swap_table
from qianmo.reports.tables import workbook
from qianmo.reports.text_table import text_table
from qianmo.schema.book import BookTable
from qianmo.store.durable import replace_bytes
from qianmo.store.finance_file import read_finance_file

__all__ = ["SPECS", "run"]


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Settle every section of the file; exit code 1 when a payment of the account was refused."""
    source = Path(values["file"])
    context.step("读取与测算", 0.0)
    data, text = read_finance_file(source)
    found = settled_from(data, file=source.name, text=text)
    tables = _tables(found)
    lines = [f"{found.name}{' [合成数据]' if found.synthetic else ''}", *_lines(found), *(line for t in tables for line in text_table(t))]
    files: tuple[tuple[str, str], ...] = ()
    if values["out"] and tables:
        synthetic = (found.name,) if found.synthetic else ()
        book = workbook(tables, title=f"{found.name}　单项测算", date=f"{context.clock():%Y年%m月%d日}", synthetic=synthetic, made=context.clock().replace(tzinfo=None))
        place = Path(values["out"]) / "单项测算.xlsx"
        replace_bytes(place, book)
        files = ((str(place), "测算表"),)
    return JobReport(tuple(lines), files, _figures(found), int(bool(found.account and found.account.faults)))


def _lines(found: Settled) -> list[str]:
    lines = []
    if found.areas:
        a = found.areas
        lines.append(
            f"宅基地置换: 原 {float(a.old_mu):g} 亩, 安置 {float(a.resettle_mu):g} 亩, 腾退 {float(a.freed_mu):g} 亩, 验收 {float(a.accepted_mu):g} 亩, "
            f"预留 {float(a.reserve_mu):g} 亩, 节余 {float(a.surplus_mu):g} 亩"
        )
    if found.balance:
        b = found.balance
        when = "计算期内不能持续平衡" if b.lasting is None else f"第 {b.lasting} 年起累计平衡(首年为第 0 年)"
        let = "无年度收入" if found.least_occupancy is None else f"期末平衡的出租率 {float(found.least_occupancy):.2%}"
        lines.append(f"资金平衡: {when}, 最深缺口 {in_wan(max(-b.deepest_fen, 0))} 万元, {let}")
    if found.quota:
        q = found.quota
        lines.append(f"指标: 新增耕地 {float(sum(q.new_farmland_mu.values())):g} 亩, 可用指标 {float(sum(q.quota_mu.values())):g} 亩, 收益 {in_wan(sum(q.income_fen.values()))} 万元")
        late = sum(q.income_fen.values()) - sum(found.quota_years_fen)
        lines += [f"其中 {in_wan(late)} 万元在计算年限之后回款"] if late else []
    if found.entry:
        e = found.entry
        lines.append(f"入市: 增值 {in_wan(e.levy.added_fen)} 万元, 调节金 {in_wan(e.levy.levy_fen)} 万元, 净收益 {in_wan(e.levy.net_fen)} 万元, 受让方另缴 {in_wan(e.buyer_charge_fen)} 万元")
    if found.ticket:
        t = found.ticket
        lines.append(f"地票: 净价款 {in_wan(t.net_fen)} 万元, 农户 {in_wan(t.farmer_fen)} 万元, 集体 {in_wan(t.collective_fen)} 万元")
    if found.account and found.account.faults:
        lines += ["未登记的支出:", *(f"  {f}" for f in found.account.faults)]
    return lines


def _tables(found: Settled) -> list[BookTable]:
    synthetic = (found.name,) if found.synthetic else ()
    tables = [swap_table(found.balance, synthetic=synthetic)] if found.balance else []
    if found.quota:
        tables.append(parts_table("quota_use", "指标收益分配", found.quota.use_fen, synthetic=synthetic))
    if found.entry:
        tables.append(parts_table("market_entry", "入市净收益分配", found.entry.parts_fen, synthetic=synthetic))
    if found.claims_fen:
        tables.append(claims_table({CLAIM_RULES[k][0]: v for k, v in found.claims_fen.items()}, synthetic=synthetic))
    return tables + ([account_table(found.account, synthetic=synthetic)] if found.account else [])


def _figures(found: Settled) -> dict[str, Any]:
    """Money in yuan, areas in mu."""

    def yuan(parts: Mapping[str, int]) -> dict[str, float]:
        return {k: v / 100 for k, v in parts.items()}

    areas, b, q, e, t, account = found.areas, found.balance, found.quota, found.entry, found.ticket, found.account
    return {
        "name": found.name, "synthetic": found.synthetic,
        "areas_mu": None if areas is None else {k: float(v) for k, v in vars(areas).items()},
        "balance": None if b is None else {
            "balance_yuan": [v / 100 for v in b.balance_fen], "break_even": b.break_even, "lasting": b.lasting, "deepest_yuan": b.deepest_fen / 100,
            "least_occupancy": None if found.least_occupancy is None else float(found.least_occupancy)},
        "quota": None if q is None else {"new_farmland_mu": {k: float(v) for k, v in q.new_farmland_mu.items()}, "quota_mu": {k: float(v) for k, v in q.quota_mu.items()},
                                         "income_yuan": yuan(q.income_fen), "use_yuan": yuan(q.use_fen), "by_year_yuan": [v / 100 for v in found.quota_years_fen]},
        "market_entry": None if e is None else {"added_yuan": e.levy.added_fen / 100, "levy_yuan": e.levy.levy_fen / 100, "net_yuan": e.levy.net_fen / 100,
                                                "buyer_charge_yuan": e.buyer_charge_fen / 100, "parts_yuan": yuan(e.parts_fen)},
        "land_ticket": None if t is None else {"net_yuan": t.net_fen / 100, "farmer_yuan": t.farmer_fen / 100, "collective_yuan": t.collective_fen / 100},
        "claims_yuan": None if found.claims_fen is None else {k: yuan(v) for k, v in found.claims_fen.items()},
        "account": None if account is None else {"assigned_yuan": yuan(account.assigned_fen), "spent_yuan": yuan(account.spent_fen), "left_yuan": yuan(account.left_fen), "refused": list(account.faults)},
    }  # fmt: skip


SPECS = (
    JobSpec(
        "finance-settle", "单项测算: 置换平衡、指标链、入市、地票、债权清偿、剩余收益台账", "single settlements: homestead swap, quota chain, market entry, land ticket, claims, account of a remainder",
        (
            JobOption("file", "path", "单项测算文件 (TOML)", "file with the sections to settle", required=True, positional=True),
            JobOption("out", "path", "测算表 (XLSX) 的文件夹", "folder for the workbook; none without it"),
        ),
        run,
    ),
)  # fmt: skip
