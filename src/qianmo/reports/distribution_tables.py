"""Printed tables of equity, dividends, exit and fairness (收益分配附表)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from qianmo.finance.distribution.clearance import FAULT_WORDS, Asset, clearance_faults
from qianmo.finance.distribution.dividend import MemberDividend, YearAllocation
from qianmo.finance.distribution.exit_share import ExitSettlement
from qianmo.finance.distribution.fairness import FairnessRow
from qianmo.finance.distribution.homestead_swap import SwapBalance
from qianmo.finance.distribution.increment import IncrementPool
from qianmo.finance.distribution.members import QuantifiedShares
from qianmo.finance.distribution.remainder import USE_WORDS, AccountState
from qianmo.finance.distribution.schemes import SCHEME_WORDS
from qianmo.finance.distribution.shares import ShareBand
from qianmo.schema.book import BookColumn, BookTable

__all__ = [
    "account_table", "asset_table", "claims_table", "equity_table", "exit_table", "fairness_table", "member_table", "parts_table", "pool_table", "scheme_table",
    "sensitivity_table", "swap_table", "year_table",
]  # fmt: skip

Column = tuple[str, str, str, str]
Names = Mapping[str, str]


def asset_table(assets: Sequence[Asset], names: Names, *, synthetic: Sequence[str] = ()) -> BookTable:
    """Clearance list with band and faults (清产核资清单)."""
    faults: dict[str, list[str]] = {}
    for f in clearance_faults(assets):
        faults.setdefault(f.asset_id, []).append(FAULT_WORDS[f.fault])
    rows = [
        (a.asset_id, a.name, names.get(a.party, a.party), a.appraised_fen / 100, float(a.band), float(a.low_fen / 100), float(a.high_fen / 100),
         a.title, "；".join(dict.fromkeys(faults.get(a.asset_id, ()))))
        for a in assets
    ]  # fmt: skip
    columns = (
        ("asset_id", "编号", "", "text"), ("name", "资产", "", "text"), ("party", "投入方", "", "text"), ("value", "评估值", "元", "#,##0.00"),
        ("band", "浮动幅度", "", "0.00%"), ("low", "低值", "元", "#,##0.00"), ("high", "高值", "元", "#,##0.00"), ("title", "权属凭证", "", "text"),
        ("faults", "问题", "", "text"),
    )  # fmt: skip
    return _table("assets", "清产核资清单", rows, columns, sums=("value", "low", "high"), synthetic=synthetic)


def equity_table(values_fen: Mapping[str, int], bands: Mapping[str, ShareBand], names: Names, *, synthetic: Sequence[str] = ()) -> BookTable:
    """Contributions and shares with their band (股比表)."""
    rows = [(names.get(p, p), values_fen[p] / 100, float(b.share), float(b.low), float(b.high)) for p, b in bands.items()]
    columns = (
        ("party", "股东", "", "text"), ("value", "作价", "元", "#,##0.00"), ("share", "股比", "", "0.00%"), ("low", "股比下限", "", "0.00%"),
        ("high", "股比上限", "", "0.00%"),
    )  # fmt: skip
    note = "股比上下限为各项评估值在浮动幅度内变动时的精确极值"
    return _table("equity", "作价入股股比表", rows, columns, sums=("value", "share"), note=note, synthetic=synthetic)


def year_table(first_year: int, years: Sequence[YearAllocation], names: Names, *, synthetic: Sequence[str] = ()) -> BookTable:
    """Profit and loss by year and party (年度分配表)."""
    parties = list(years[0].amount_fen) if years else []
    rows = [
        (first_year + k, y.result_fen / 100, *(y.amount_fen[p] / 100 for p in parties), sum(y.restored_fen.values()) / 100,
         sum(v for v in y.topped_up_fen.values() if v > 0) / 100, y.uncovered_fen / 100)
        for k, y in enumerate(years)
    ]  # fmt: skip
    columns: tuple[Column, ...] = (
        ("year", "年度", "", "year"), ("result", "经营结果", "元", "#,##0.00"), *((f"party_{k}", names.get(p, p), "元", "#,##0.00") for k, p in enumerate(parties)),
        ("restored", "其中弥补亏损", "元", "#,##0.00"), ("topped", "其中保底补足", "元", "#,##0.00"), ("uncovered", "未承担亏损", "元", "#,##0.00"),
    )  # fmt: skip
    note = "亏损为负数；各方之和加未承担亏损等于经营结果"
    return _table("years", "年度分红与亏损分担表", rows, columns, sums=tuple(c[0] for c in columns[1:]), note=note, synthetic=synthetic)


def member_table(rights: QuantifiedShares, dividends: Sequence[MemberDividend], *, synthetic: Sequence[str] = ()) -> BookTable:
    """Members' income shares and dividends over all years, with fund and reserved share (成员量化与分红表)."""
    rows: list[tuple[Any, ...]] = [("公积公益金", None, sum(d.public_fund_fen for d in dividends) / 100)]
    rows.append(("集体股", float(rights.reserved), sum(d.reserved_fen for d in dividends) / 100))
    rows += [(m, float(s), sum(d.member_fen[m] for d in dividends) / 100) for m, s in rights.income.items()]
    columns = (("member", "成员", "", "text"), ("share", "收益份额", "", "0.00%"), ("paid", "累计分配", "元", "#,##0.00"))
    owner = "、".join(rights.ownership)
    note = f"份额仅为收益分配依据，不是所有权份额；资产仍归{owner}所有；亏损由公积公益金承担"
    return _table("members", "成员收益份额与分红表", rows, columns, sums=("paid",), note=note, synthetic=synthetic)


def pool_table(pool: IncrementPool, *, synthetic: Sequence[str] = ()) -> BookTable:
    """From exit value to what can be shared (可分配增值计算表)."""
    rows = [
        ("退出时评估值", pool.exit_fen / 100), ("减：初始值（按指数调整）", -pool.indexed_fen / 100), ("减：公共投入", -pool.public_cost_fen / 100),
        ("减：土地增值收益调节金", -pool.levy_fen / 100),
    ]  # fmt: skip
    return _table("pool", "可分配增值计算表", rows, (("item", "项目", "", "text"), ("amount", "金额", "元", "#,##0.00")), sums=("amount",), synthetic=synthetic)


def exit_table(settlement: ExitSettlement, *, synthetic: Sequence[str] = ()) -> BookTable:
    """Amounts at exit (退出结算表)."""
    whole = settlement.private_fen + settlement.collective_fen + settlement.government_fen
    amounts = (("社会资本", settlement.private_fen), ("集体", settlement.collective_fen), ("政府", settlement.government_fen))
    rows = [(n, a / 100, a / whole if whole else None) for n, a in amounts]
    columns = (("party", "一方", "", "text"), ("amount", "金额", "元", "#,##0.00"), ("share", "占比", "", "0.00%"))
    title = "退出亏损分担表" if settlement.is_loss else "退出结算表"
    return _table("exit", title, rows, columns, sums=("amount",), synthetic=synthetic)


def sensitivity_table(rows: Sequence[Mapping[str, Any]], *, synthetic: Sequence[str] = ()) -> BookTable:
    """Private share over performance, floor and cap (敏感性)."""
    made = [
        (float(r["performance"]), float(r["floor"]), float(r["cap"]), float(r["share"]), r["private_fen"] / 100, r["collective_fen"] / 100, r["government_fen"] / 100)
        for r in rows
    ]  # fmt: skip
    columns = (
        ("performance", "绩效系数", "", "0.00"), ("floor", "下限", "", "0.00%"), ("cap", "上限", "", "0.00%"), ("share", "退出比例", "", "0.00%"),
        ("private", "社会资本", "元", "#,##0.00"), ("collective", "集体", "元", "#,##0.00"), ("government", "政府", "元", "#,##0.00"),
    )  # fmt: skip
    return _table("sensitivity", "退出比例敏感性表", made, columns, synthetic=synthetic)


def scheme_table(rows: Sequence[FairnessRow], names: Names, *, synthetic: Sequence[str] = ()) -> BookTable:
    """Each scheme × each party (方案对照表)."""
    parties = list(rows[0].amounts_fen) if rows else []
    made = [(SCHEME_WORDS.get(r.scheme, r.scheme), *(r.amounts_fen[p] / 100 for p in parties), sum(r.amounts_fen.values()) / 100) for r in rows]
    columns: tuple[Column, ...] = (
        ("scheme", "方案", "", "text"), *((f"party_{k}", names.get(p, p), "元", "#,##0.00") for k, p in enumerate(parties)), ("total", "合计", "元", "#,##0.00"),
    )  # fmt: skip
    return _table("schemes", "增值分配方案对照表", made, columns, synthetic=synthetic, empty="没有可用方案")


def fairness_table(rows: Sequence[FairnessRow], names: Names, *, synthetic: Sequence[str] = ()) -> BookTable:
    """Which promises each scheme keeps (公平性报告)."""
    made = []
    for r in rows:
        core = r.core
        leaving = "；".join(f"{_named(s, names)} 可多得 {float(g) / 100:,.2f} 元" for s, g in core.gainers[:3]) if core else ""
        made.append((
            SCHEME_WORDS.get(r.scheme, r.scheme), _yes(r.efficient), _yes(core.in_core if core else None), _named(core.worst, names) if core else "",
            float(core.excess) / 100 if core else None, leaving or ("无" if core else ""), _yes(r.symmetric), _yes(r.dummy),
            "是" if not r.falls else f"否：{_named(r.falls, names)}",
        ))  # fmt: skip
    columns = (
        ("scheme", "方案", "", "text"), ("efficient", "足额分完", "", "text"), ("core", "在核心内", "", "text"), ("worst", "最不满联盟", "", "text"),
        ("excess", "超出值", "元", "#,##0.00"), ("leaving", "退出更有利者", "", "text"), ("symmetric", "同等对待", "", "text"), ("dummy", "无贡献不多得", "", "text"),
        ("monotone", "多投不少得", "", "text"),
    )  # fmt: skip
    note = "超出值为负表示任何联盟自行其事都不如留下；“—”表示无从检验"
    return _table("fairness", "公平性报告", made, columns, note=note, synthetic=synthetic, empty="没有可用方案")


def account_table(state: AccountState, *, synthetic: Sequence[str] = ()) -> BookTable:
    """Account of the remainder, refused payments included (剩余收益使用台账)."""
    rows: list[tuple[Any, ...]] = [("", USE_WORDS.get(u, u), "", "划入", a / 100, a / 100, "") for u, a in state.assigned_fen.items()]
    for line in state.lines:
        s = line.spending
        taken = None if line.faults else -s.amount_fen / 100
        rows.append((s.day.isoformat(), USE_WORDS.get(s.use, s.use), s.voucher, s.what, taken, line.left_of_use_fen / 100, "；".join(line.faults)))
    columns = (
        ("day", "日期", "", "text"), ("use", "用途", "", "text"), ("voucher", "凭证号", "", "text"), ("what", "摘要", "", "text"), ("amount", "收支", "元", "#,##0.00"),
        ("left", "该用途余额", "元", "#,##0.00"), ("faults", "未登记原因", "", "text"),
    )  # fmt: skip
    return _table("account", "剩余收益使用台账", rows, columns, sums=("amount",), note="合计为现有余额", synthetic=synthetic)


def swap_table(balance: SwapBalance, *, synthetic: Sequence[str] = ()) -> BookTable:
    """Yearly balance of a homestead swap (置换资金平衡表)."""
    rows = [(t, i / 100, u / 100, b / 100) for t, (i, u, b) in enumerate(zip(balance.income_fen, balance.uses_fen, balance.balance_fen))]
    columns = (("year", "第几年", "", "year"), ("income", "收入", "元", "#,##0.00"), ("uses", "支出", "元", "#,##0.00"), ("balance", "累计结余", "元", "#,##0.00"))
    return _table("swap", "宅基地置换资金平衡表", rows, columns, sums=("income", "uses"), synthetic=synthetic)


def parts_table(key: str, title: str, parts_fen: Mapping[str, int], *, synthetic: Sequence[str] = ()) -> BookTable:
    """Amounts by use or receiver with their shares (分配表)."""
    whole = sum(parts_fen.values())
    rows = [(k, v / 100, v / whole if whole else None) for k, v in parts_fen.items()]
    return _table(key, title, rows, (("part", "去向", "", "text"), ("amount", "金额", "元", "#,##0.00"), ("share", "占比", "", "0.00%")), sums=("amount",), synthetic=synthetic)


def claims_table(by_rule_fen: Mapping[str, Mapping[str, int]], *, synthetic: Sequence[str] = ()) -> BookTable:
    """What each creditor gets under each rule (债权清偿对照)."""
    owners = list(next(iter(by_rule_fen.values()), {}))
    rows = [(o, *(parts[o] / 100 for parts in by_rule_fen.values())) for o in owners]
    names = [f"rule_{n}" for n in range(len(by_rule_fen))]
    columns = (("party", "债权人", "", "text"), *((n, zh, "元", "#,##0.00") for n, zh in zip(names, by_rule_fen, strict=True)))
    return _table("claims", "债权清偿对照", rows, columns, sums=tuple(names), synthetic=synthetic)


def _table(
    key: str, title: str, rows: Sequence[tuple[Any, ...]], columns: Sequence[Column], *, sums: tuple[str, ...] = (), note: str = "", empty: str = "无",
    synthetic: Sequence[str] = (),
) -> BookTable:  # fmt: skip
    frame = pd.DataFrame(list(rows), columns=[c[0] for c in columns])
    return BookTable(key, title, frame, tuple(BookColumn(*c) for c in columns), sums=sums if len(frame) else (), note=note, synthetic=tuple(synthetic), empty=empty)


def _named(parties: Sequence[str], names: Names) -> str:
    return "、".join(names.get(p, p) for p in parties)


def _yes(answer: bool | None) -> str:
    return "—" if answer is None else "是" if answer else "否"

