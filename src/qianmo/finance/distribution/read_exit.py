"""An exit from its file: values, terms, contributions, game, tiers, use of the remainder (读取退出结算文件)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from qianmo.finance.distribution.dividend import Agreement
from qianmo.finance.distribution.exact import exact
from qianmo.finance.distribution.exit_share import ExitTerms, settle_exit
from qianmo.finance.distribution.game import Game, game_of_contributions, game_of_values
from qianmo.finance.distribution.increment import IncrementPool, increment_pool
from qianmo.finance.distribution.read import amount_fen, checked_party, party_names, share, shares, tried
from qianmo.finance.distribution.remainder import USE_WORDS, Spending
from qianmo.finance.distribution.time_weight import Contribution, performance_factor, time_weights, years_between
from qianmo.finance.distribution.waterfall import Tier, waterfall
from qianmo.finance.project.entry import Entry, document
from qianmo.finance.project.positions import key_lines
from qianmo.schema.errors import FinanceInputError, SchemaError
from qianmo.schema.rules import parameter

__all__ = ["ExitCase", "exit_case_from", "read_spending", "read_uses"]

MOST_COMPARED = 12
"""Most parties of a game that is compared; the nucleolus is meant for these."""

ROLES = ("private", "collective", "government", "household")


@dataclass(frozen=True, eq=False)
class ExitCase:
    """What an exit file says (退出情形)."""

    name: str
    synthetic: bool
    names: Mapping[str, str]
    roles: Mapping[str, str]
    pool: IncrementPool
    until: Fraction
    rate: Fraction | None
    contributions: tuple[Contribution, ...]
    terms: ExitTerms
    performance: Fraction
    risk: Fraction
    contract: Mapping[str, Fraction]
    party_performance: Mapping[str, Fraction]
    party_risk: Mapping[str, Fraction]
    loss_rule: Agreement | None
    game: Game | None
    tiers: tuple[Tier, ...]
    investor: str
    uses: Mapping[str, Fraction]
    spendings: tuple[Spending, ...]
    sensitivity: Mapping[str, tuple[Fraction, ...]]


def exit_case_from(data: Mapping[str, Any], *, file: str, text: str) -> ExitCase:
    """The exit that a parsed file describes (由文件建立退出情形).

    Parameters
    ----------
    data : mapping
        The parsed TOML.
    file, text : str
        Name and text of the file, for messages.

    Raises
    ------
    FinanceInputError
        Anything wrong, with file, line and key.
    """
    whole = document(data, file, key_lines(text))
    head, leaving, terms = whole.child("project"), whole.child("exit"), whole.child("terms")
    parties = whole.children("party")
    names = party_names(parties, whole)
    roles = {e.data["id"]: e.text("role", choices=ROLES) for e in parties}
    _check_roles(parties, roles)
    base = leaving.day("base_date")
    until = _time(leaving, "year", "date", base)
    pool = _pool(leaving, until)
    levels = whole.children("tier")
    tiers = tuple(_tier(e) for e in levels)
    factors = {k: {e.data["id"]: share(e, k, 1, most=10) for e in parties} for k in ("performance", "risk")}
    case = ExitCase(
        head.text("name"), head.flag("synthetic", False), names, roles, pool, until, _rate(leaving),
        tuple(_contribution(e, names, base, until) for e in whole.children("contribution")), _terms(terms), _performance(whole, terms),
        share(terms, "risk", 0, least=exact(parameter("exit_risk_min")), most=exact(parameter("exit_risk_max"))), _contract(parties), factors["performance"],
        factors["risk"], _loss_rule(whole.child("loss")), _game(whole.child("game"), tuple(names), pool.pool_fen), tiers, _investor(whole, tiers, roles),
        read_uses(whole.child("remainder")), tuple(read_spending(e) for e in whole.children("spending")), _sensitivity(whole.child("sensitivity")),
    )  # fmt: skip
    _check(whole, levels, case)
    for e in (head, leaving, terms, *parties, whole):
        e.done()
    return case


def _check(whole: Entry, levels: list[Entry], case: ExitCase) -> None:
    """What only shows when the parts meet: tiers in order, money that weighs something, a loss with its rule."""
    if case.tiers:
        tried(levels[0], "investor_share", lambda: waterfall([], [], case.tiers))
        if case.until.denominator != 1 or any(c.year.denominator != 1 for c in case.contributions if c.party == case.investor):
            levels[0].fail("investor_share", "分层分配按整年计算, 而投入或退出不在整年", expected="year 写整年")
    if case.contributions and not sum(time_weights(case.contributions, until=case.until, rate=case.rate).values()):
        whole.fail("contribution", "投入的时间权重合计为 0", expected="退出以前的投入", cure="检查投入时间")
    if case.pool.pool_fen < 0:
        tried(whole.child("loss"), "private", lambda: settle_exit(case.pool.pool_fen, case.terms.floor, case.terms, loss_rule=case.loss_rule))
    if case.pool.pool_fen > 0 and not case.contributions:
        whole.fail("contribution", "没有投入", expected="至少一个 [[contribution]]", cure="补充各方投入的金额与时间")
    if case.game is not None and case.pool.pool_fen > 0 and sum(case.game.values[1 << i] for i in range(len(case.names))) > case.pool.pool_fen:
        whole.child("game").fail("together", "各方单干之和大于可分配增值", expected="合作不少于单干", cure="检查联盟价值")
    if case.game is not None and case.pool.pool_fen > 0 and len(case.names) > MOST_COMPARED:
        whole.fail("game", f"{len(case.names)} 个参与方", expected=f"至多 {MOST_COMPARED} 个", cure="合并同类参与方")


def _check_roles(parties: list[Entry], roles: Mapping[str, str]) -> None:
    held = list(roles.values())
    if "private" not in held or held.count("collective") != 1 or held.count("government") > 1:
        parties[0].fail("role", f"角色为 {', '.join(held)}", expected="至少一个 private, 一个 collective, 至多一个 government")


def _time(entry: Entry, year_key: str, day_key: str, base: date | None) -> Fraction:
    if entry.has(year_key):
        entry.has(day_key)
        return share(entry, year_key, most=200)
    day = entry.day(day_key)
    if day is None:
        entry.fail(year_key, "没有时间", expected=f"{year_key} (基准日后年数) 或 {day_key} (日期)")
    if base is None:
        entry.fail(day_key, "写了日期而没有基准日", expected="[exit] 中写 base_date")
    if day < base:
        entry.fail(day_key, f"{day} 早于基准日 {base}", expected="不早于基准日")
    return years_between(base, day)


def _pool(entry: Entry, until: Fraction) -> IncrementPool:
    index = share(entry, "index", 1, least=Fraction(1, 1000), most=1000)
    if entry.has("index_rate"):
        if until.denominator != 1 or "index" in entry.data:
            entry.fail("index_rate", "与 index 重复, 或退出年份不是整年", expected="整年退出时写 index_rate, 否则写 index")
        index = (1 + share(entry, "index_rate", least=Fraction(-1, 2))) ** int(until)
    band = (parameter("levy_rate_min"), parameter("levy_rate_max"))
    rate = share(entry, "levy_rate", 0)
    values = [amount_fen(entry, "exit_value"), amount_fen(entry, "initial_value")]
    try:
        return increment_pool(*values, index=index, public_cost_fen=amount_fen(entry, "public_cost", 0), levy_rate=rate, band=band)
    except SchemaError as fault:
        entry.fail("levy_rate", fault.found, expected=fault.expected, cure=fault.cure)


def _rate(entry: Entry) -> Fraction | None:
    if entry.text("time_weight", "yuan_years", choices=("yuan_years", "compound")) == "yuan_years":
        return None
    return share(entry, "rate", least=Fraction(-1, 2))


def _contribution(entry: Entry, names: Mapping[str, str], base: date | None, until: Fraction) -> Contribution:
    at = _time(entry, "year", "date", base)
    if at > until:
        entry.fail("year" if "year" in entry.data else "date", f"第 {float(at):g} 年, 晚于退出", expected=f"不晚于第 {float(until):g} 年")
    entry.text("note", "")
    found = Contribution(checked_party(entry, "party", names), amount_fen(entry, "amount"), at)
    entry.done()
    return found


def _terms(entry: Entry) -> ExitTerms:
    bands = tuple((exact(parameter(f"exit_{k}_min")), exact(parameter(f"exit_{k}_max"))) for k in ("performance", "risk"))
    floor, cap = share(entry, "floor", parameter("exit_floor")), share(entry, "cap", parameter("exit_cap"))
    if floor > cap:
        entry.fail("floor", f"下限 {float(floor):g} 高于上限 {float(cap):g}", expected="floor ≤ cap")
    return ExitTerms(floor, cap, share(entry, "collective_share", parameter("exit_collective_share")), bands[0], bands[1])


def _performance(whole: Entry, terms: Entry) -> Fraction:
    scores = whole.children("kpi")
    least, most = exact(parameter("exit_performance_min")), exact(parameter("exit_performance_max"))
    if not scores:
        return share(terms, "performance", 1, least=least, most=most)
    if terms.has("performance"):
        terms.fail("performance", "与 [[kpi]] 重复", expected="写其一")
    found = performance_factor(
        {e.text("zh"): share(e, "score", most=100) for e in scores}, {e.data["zh"]: share(e, "weight", 1, most=1000) for e in scores},
        low=parameter("kpi_factor_min"), high=parameter("kpi_factor_max"),
    )  # fmt: skip
    for e in scores:
        e.done()
    return found


def _contract(parties: list[Entry]) -> dict[str, Fraction]:
    found = {e.data["id"]: share(e, "contract") for e in parties if e.has("contract")}
    if found and sum(found.values(), Fraction(0)) != 1:
        parties[0].fail("contract", f"协议比例之和为 {float(sum(found.values(), Fraction(0))):g}", expected="1", cure="检查各方 contract")
    return found


def _loss_rule(entry: Entry) -> Agreement | None:
    caps = {"collective": amount_fen(entry, "collective_cap")} if entry.has("collective_cap") else {}
    found = shares(entry, ("private", "collective", "government"))
    return Agreement(found, caps) if found else None


def _game(entry: Entry, parties: tuple[str, ...], pool_fen: int) -> Game | None:
    together, listed = entry.children("together"), entry.children("coalition")
    fill = entry.flag("rest_to_all", False)
    entry.done()
    if not together and not listed:
        return None
    if together and listed:
        entry.fail("together", "together 与 coalition 两种写法并存", expected="写其一")
    try:
        if listed:
            game = game_of_values(parties, {tuple(_members(e, parties, "value")): amount_fen(e, "value") for e in listed})
        else:
            terms = [(_members(e, parties, "adds"), amount_fen(e, "adds")) for e in together]
            if fill:
                terms.append((list(parties), pool_fen - sum(a for _, a in terms)))
            game = game_of_contributions(parties, terms)
    except FinanceInputError:
        raise
    except SchemaError as fault:
        entry.fail("together" if together else "coalition", fault.found, expected=fault.expected, cure=fault.cure)
    if game.total != pool_fen and pool_fen > 0:
        entry.fail("together" if together else "coalition", f"全体合计 {float(game.total) / 1e6:g} 万元", expected=f"可分配增值 {pool_fen / 1e6:g} 万元", cure="修改联盟价值, 或写 rest_to_all = true")
    return game


def _members(entry: Entry, parties: tuple[str, ...], amount: str) -> list[str]:
    given = entry.data.get("parties")
    entry.has("parties")
    if not isinstance(given, list) or not given or any(p not in parties for p in given):
        entry.fail("parties", f"{given!r}", expected=f"[ … ] 中的参与方: {', '.join(parties)}")
    for key in (amount, "note"):
        entry.has(key)
    entry.done()
    return [str(p) for p in given]


def _tier(entry: Entry) -> Tier:
    hurdle = share(entry, "hurdle") if entry.has("hurdle") else None
    catch_up = share(entry, "catch_up") if entry.has("catch_up") else None
    found = Tier(share(entry, "investor_share"), hurdle, catch_up)
    entry.text("note", "")
    entry.done()
    return found


def _investor(whole: Entry, tiers: tuple[Tier, ...], roles: Mapping[str, str]) -> str:
    entry = whole.child("waterfall")
    private = [p for p, r in roles.items() if r == "private"]
    found = entry.text("investor", private[0], choices=tuple(roles))
    entry.done()
    return found if tiers else ""


def read_uses(entry: Entry) -> dict[str, Fraction]:
    """Shares of the three uses, those of the parameters where none are written (三项用途的比例)."""
    found = shares(entry, tuple(USE_WORDS))
    return found or {u: exact(parameter(f"remainder_{u}")) for u in USE_WORDS}


def read_spending(entry: Entry) -> Spending:
    """One payment with its voucher (一笔支出)."""
    day = entry.day("date")
    if day is None:
        entry.fail("date", "没有日期", expected="date = 2026-01-31")
    found = Spending(day, entry.text("use", choices=tuple(USE_WORDS)), amount_fen(entry, "amount"), entry.text("voucher", ""), entry.text("what", ""))
    entry.done()
    return found


def _sensitivity(entry: Entry) -> dict[str, tuple[Fraction, ...]]:
    found = {k: tuple(exact(v) for v in entry.numbers(k, least=0.0, most=2.0)) for k in ("performance", "floors", "caps")}
    entry.done()
    return found
