"""Loans and transfers of a project from their tables (读取借款与转移)."""

from __future__ import annotations

import math

from qianmo.finance.project.entry import Entry
from qianmo.finance.project.read_lines import MOST_FEN, spread_weights
from qianmo.finance.project.read_rates import Timeline, read_rate
from qianmo.finance.project.records import Loan, Transfer
from qianmo.finance.project.units import Quantity, fen_factor, quantity
from qianmo.schema.errors import SchemaError
from qianmo.schema.finance_codes import natures

__all__ = ["read_loan", "read_transfer"]

PLANS = ("annuity", "equal_principal", "bullet", "interest_first", "accrued", "capacity", "sculpted")
"""等额还本付息, 等额还本利息照付, 到期一次还本, 先息后本, 到期一次还本付息, 最大能力还款, 按偿债备付率."""


def read_loan(entry: Entry, line: Timeline, months: int) -> Loan:
    """One ``[[loan]]`` (一笔借款).

    Raises
    ------
    FinanceInputError
        Not exactly one of amount, share, coverage; a share or cap outside 0 to 1; a term that leaves the timeline; a grace
        not shorter than the term; an unknown plan or nature; a special bond repaid by what the cash allows.
    """
    name = entry.text("id")
    if not name.isidentifier() or not name.isascii():
        entry.fail("id", f"{name!r} 不能作编号", expected="字母、数字、下划线, 以字母开头; 中文名写在 zh")
    given = [key for key in ("amount", "share", "coverage") if entry.has(key)]
    if len(given) != 1:
        entry.fail(given[1] if given else "amount", f"借款规模写了 {len(given)} 种: {', '.join(given)}", expected="amount, share, coverage 之一")
    sizing = given[0]
    weights = spread_weights(entry, "draw", line.years, 1, -(-months // 12), months)
    last = max(t for t, w in enumerate(weights, 1) if w > 0)
    term = entry.integer("term_years", least=1, most=100)
    begin = max(last, -(-months // 12))
    if begin + term > line.years:
        entry.fail("term_years", f"还款期到第 {begin + term} 年, 超出计算期 {line.years} 年", expected=f"至多 {line.years - begin} 年")
    grace = entry.integer("grace_years", 0, least=0, most=99)
    if grace >= term:
        entry.fail("grace_years", f"宽限期 {grace} 年不短于还款期 {term} 年", expected=f"少于 {term}")
    plan = entry.text("plan", "sculpted" if sizing == "coverage" else "annuity", choices=PLANS)
    if (plan == "sculpted") != (sizing == "coverage"):
        entry.fail("plan", f"还款方式 {plan} 与规模依据 {sizing} 不配", expected="coverage 与 sculpted 同用")
    if plan == "sculpted" and grace:
        entry.fail("grace_years", "按偿债备付率还款不设宽限期", expected="0")
    nature = entry.text("nature", "market_loan", choices=natures())
    if nature == "special_bond" and plan in ("sculpted", "capacity"):
        entry.fail("plan", f"专项债券不能用还款方式 {plan}", expected="annuity, equal_principal, bullet, interest_first, accrued", cure="按债券发行条件还本付息")
    after_tax = entry.text("coverage_of", "before_tax", choices=("before_tax", "after_tax")) == "after_tax"
    if after_tax and sizing != "coverage":
        entry.fail("coverage_of", "只用于按偿债备付率确定的借款", expected="与 coverage 同用")
    amount = _amount(entry) if sizing == "amount" else ((), 0.0)
    found = Loan(
        name, entry.text("zh", name), entry.text("party", ""), nature, sizing,
        _product(*amount), entry.number("share", least=0.0, most=1.0) if sizing == "share" else 0.0,
        entry.number("coverage", least=1e-6, most=100.0) if sizing == "coverage" else 0.0,
        entry.number("most", 1.0, least=0.0, most=1.0), read_rate(entry, "rate", line, "借款利率"), term, grace, plan, weights,
        entry.text("interest_in_construction", "capitalise", choices=("capitalise", "paid", "none")), {k: entry.source(k) for k in entry.data}, after_tax, amount,
    )  # fmt: skip
    entry.done()
    return found


def _product(factors: tuple[Quantity, ...], fen: float) -> float:
    """Fen of an amount as written, 0 for none."""
    return math.prod((*(f.value for f in factors), fen))


def _amount(entry: Entry) -> tuple[tuple[Quantity, ...], float]:
    """The amount as written, and the fen in one unit of its product."""
    factors = entry.amounts("amount")
    try:
        fen, yearly = fen_factor(*factors)
    except SchemaError as fault:
        entry.fail("amount", fault.found, expected=fault.expected, cure=fault.cure)
    if yearly:
        entry.fail("amount", "借款金额写成了每年金额", expected="金额")
    if _product(factors, fen) > MOST_FEN:
        entry.fail("amount", "金额过大", expected=f"至多 {MOST_FEN / 1e10:,.0f} 亿元", cure="核对单位")
    return factors, fen


def read_transfer(entry: Entry, line: Timeline) -> Transfer:
    """One ``[[transfer]]`` from a sub-project to another (一条反哺转移).

    Raises
    ------
    FinanceInputError
        Not exactly one of share, amount, by_year; a share outside 0 to 1; years outside the project.
    """
    given = [key for key in ("share", "amount", "by_year") if entry.has(key)]
    if len(given) != 1:
        entry.fail(given[1] if given else "share", f"转移规模写了 {len(given)} 种", expected="share, amount, by_year 之一")
    amounts: tuple[float, ...] = ()
    if given == ["amount"]:
        first, last = entry.integer("from", 1, least=1, most=line.years), entry.integer("to", line.years, least=1, most=line.years)
        if last < first:
            entry.fail("to", f"止年 {last} 早于起年 {first}", expected="to 不早于 from")
        each = _product(*_amount(entry))
        amounts = tuple(each if first <= t <= last else 0.0 for t in range(1, line.years + 1))
    if given == ["by_year"]:
        amounts = _by_year(entry, line)
    found = Transfer(
        entry.text("id", f"{entry.data.get('from_sub_project')}_{entry.data.get('to_sub_project')}"), entry.text("zh", "反哺转移"),
        entry.text("from_sub_project"), entry.text("to_sub_project"), entry.number("share", least=0.0, most=1.0) if given == ["share"] else 0.0,
        amounts, entry.source(given[0]),
    )  # fmt: skip
    entry.done()
    return found


def _by_year(entry: Entry, line: Timeline) -> tuple[float, ...]:
    values = entry.numbers("by_year", least=0.0)
    if len(values) != line.years:
        entry.fail("by_year", f"有 {len(values)} 个数", expected=f"{line.years} 个, 每年一个")
    try:
        fen, _ = fen_factor(quantity(f"1 {entry.text('unit')}"))
    except SchemaError as fault:
        entry.fail("unit", fault.found, expected=fault.expected)
    if max(values) * fen > MOST_FEN:
        entry.fail("by_year", "金额过大", expected=f"至多 {MOST_FEN / 1e10:,.0f} 亿元", cure="核对单位")
    return tuple(v * fen for v in values)
