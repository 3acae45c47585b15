"""A project of money from the tables of its file, every fault with file, line and key (读取项目资金文件)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from qianmo.finance.project.entry import Entry, document
from qianmo.finance.project.positions import Path, key_lines
from qianmo.finance.project.read_lines import MOST_FEN, read_line, read_quota
from qianmo.finance.project.read_loans import read_loan, read_transfer
from qianmo.finance.project.read_rates import Timeline, policy_series, read_rate
from qianmo.finance.project.records import AssetRule, Party, Project, Rate, SubProject, TaxSettings
from qianmo.finance.project.units import fen_factor, quantity
from qianmo.finance.sheet.row import Source
from qianmo.schema.errors import SchemaError
from qianmo.schema.finance_codes import kinds, tax_treatments

__all__ = ["project_from"]

SUB_PROJECT_KINDS = ("ecological", "industry", "infrastructure", "housing", "quota", "agriculture", "energy", "service")
ROLES = ("investor", "government", "collective", "household", "bank", "contractor", "other")
_CITY = {"urban": "city_maintenance_urban", "town": "city_maintenance_town", "other": "city_maintenance_other"}
_ASSET_YEARS = {"fixed": ("depreciation_years_buildings", "固定资产"), "intangible": ("", "无形资产"), "deferred": ("", "其他资产")}


def project_from(data: Mapping[str, Any], *, file: str, text: str = "", origins: Mapping[Path, Source] | None = None) -> Project:
    """The project that a parsed file describes (由文件内容建立项目).

    Parameters
    ----------
    data : mapping
        The parsed TOML.
    file : str
        Its name for messages.
    text : str
        The text it was parsed from, to find lines; without it messages have no line.
    origins : mapping of path to Source, optional
        Where values that stand elsewhere came from, as `referred_values` gave them.

    Returns
    -------
    Project
        Every name leads to something: parties, sub-projects, kinds, rates.

    Raises
    ------
    FinanceInputError
        Anything wrong, with its place, what was expected and the cure.
    """
    whole = document(data, file, key_lines(text), origins)
    head = whole.child("project")
    line = Timeline(
        head.integer("base_year", least=1990, most=2200), head.integer("years", least=1, most=80), head.text("region", ""), head.day("rates_on")
    )
    months = head.integer("construction_months", least=1, most=12 * line.years)
    lines = [read_line(e, line, months) for e in whole.children("line")] + [read_quota(e, line, months) for e in whole.children("quota")]
    if not lines:
        whole.fail("line", "没有任何资金科目行", expected="至少一个 [[line]] 或 [[quota]]")
    subs, parties = [_sub_project(e) for e in whole.children("sub_project")], [_party(e) for e in whole.children("party")]
    loans = [read_loan(e, line, months) for e in whole.children("loan")]
    transfers = [read_transfer(e, line) for e in whole.children("transfer")]
    used = {ln.tax for ln in lines}
    settings = _settings(whole, line, months)
    project = Project(
        head.text("name"), file, line.base_year, line.years, months, line.region, head.text("first_flow", "end_of_year_one", choices=("end_of_year_one", "now")),
        read_rate(head, "benchmark_rate", line, "基准收益率", default_id="benchmark_irr_eod"), line.rates_on,
        tuple(parties), tuple(subs), tuple(lines), tuple(loans), tuple(transfers), _assets(whole.child("depreciation"), line),
        _taxes(whole.child("tax"), head, line, used, any(ln.deductions_fen for ln in lines)), sources={k: head.source(k) for k in head.data}, returns=head.flag("returns", True), **settings,
    )  # fmt: skip
    head.done()
    for table in ("legality", "plan", "plant", "package"):
        whole.has(table)  # read by finance.legality, by the references and by finance.packages
    whole.done()
    _check_names(whole, project)
    _check_gearing(whole, project)
    return project


def _sub_project(entry: Entry) -> SubProject:
    kind = entry.text("kind", choices=SUB_PROJECT_KINDS)
    found = SubProject(entry.text("id"), entry.text("zh"), kind, entry.text("party", ""), entry.flag("account", kind == "ecological"), entry.source("id"))
    entry.done()
    return found


def _party(entry: Entry) -> Party:
    found = Party(entry.text("id"), entry.text("zh"), entry.text("role", choices=ROLES), entry.number("equity_share", 0.0, least=0.0, most=1.0), entry.source("id"))
    entry.done()
    return found


def _assets(entry: Entry, line: Timeline) -> dict[str, AssetRule]:
    """Rules by class; by default the years of buildings, with the salvage rate for fixed assets alone."""
    found = {}
    for name, (rate_id, zh) in _ASSET_YEARS.items():
        inner = entry.child(name)
        years = policy_series(entry, name, rate_id or "depreciation_years_buildings", line)
        salvage = policy_series(entry, name, "depreciation_salvage", line) if name == "fixed" else Rate((0.0,), zh, years.source)
        found[name] = AssetRule(
            inner.integer("years", round(years.value), least=1, most=100), inner.number("salvage", salvage.value, least=0.0, most=1.0),
            inner.text("convention", "full_year", choices=("full_year", "half_year")) == "half_year",
            inner.source("years") if inner.has("years") else years.source,
        )  # fmt: skip
        inner.done()
    entry.done()
    return found


def _taxes(entry: Entry, head: Entry, line: Timeline, used: Iterable[str], land: bool) -> TaxSettings:
    vat: dict[str, Rate] = {}
    city = head.text("city_kind", "urban", choices=_CITY)
    if entry.flag("vat", True):
        for treatment in sorted(used):
            rate_id = tax_treatments()[treatment].vat_rate_id
            if rate_id:
                vat[treatment] = policy_series(entry, "vat", rate_id, line)
    extra: dict[str, Rate] = {}
    if vat and entry.flag("surcharges", True):
        ids = {"city": _CITY[city], "education": "education_surcharge", "local": "local_education_surcharge"}
        extra = {name: policy_series(entry, "surcharges", rate_id, line) for name, rate_id in ids.items()}
    entry.has("surcharges")
    income, losses = _income_tax(entry, line)
    found = TaxSettings(vat, extra, income, losses, entry.text("losses", "carry", choices=("carry", "refund")) == "refund", _land_bands(entry, line) if land else ())
    entry.done()
    return found


def _land_bands(entry: Entry, line: Timeline) -> tuple[tuple[Rate, Rate], ...]:
    """Rate and quick deduction of the four bands of the land value-added tax."""
    ids = [(f"land_value_added_rate_{k}", f"land_value_added_quick_{k}") for k in range(1, 5)]
    return tuple((policy_series(entry, "land", rate, line), policy_series(entry, "land", quick, line)) for rate, quick in ids)


def _income_tax(entry: Entry, line: Timeline) -> tuple[Rate | None, Rate | None]:
    holiday = entry.child("holiday")
    free, half = holiday.integer("free_years", 0, least=0, most=80), holiday.integer("half_years", 0, least=0, most=80)
    first = holiday.integer("first_year", 1, least=1, most=line.years) if free or half else 1
    holiday.done()
    if entry.has("income_tax") and entry.data["income_tax"] == "none":
        return None, None
    if isinstance(entry.data.get("income_tax"), str) and not str(entry.data["income_tax"]).endswith("%"):
        rate = policy_series(entry, "income_tax", entry.text("income_tax"), line)
    else:
        rate = read_rate(entry, "income_tax", line, "企业所得税率", default_id="income_tax")
    losses = policy_series(entry, "income_tax", "loss_carry_years", line)
    if not (free or half):
        return rate, losses
    factor = policy_series(entry, "holiday", "income_tax_holiday_half_factor", line)
    values = rate.values * line.years if len(rate.values) == 1 else rate.values
    reduced = tuple(v * _holiday_factor(t - first, free, half, factor.value) for t, v in enumerate(values, 1))
    words = f"{rate.source.text}; 自第 {first} 年起免 {free} 年、减半 {half} 年"
    return Rate(reduced, rate.zh, entry.source("holiday", words, rate.source.confidence)), losses


def _holiday_factor(since: int, free: int, half: int, factor: float) -> float:
    if 0 <= since < free:
        return 0.0
    return factor if free <= since < free + half else 1.0


def _settings(whole: Entry, line: Timeline, months: int) -> dict[str, Any]:
    working, dividend, short, equity = (whole.child(k) for k in ("working_capital", "dividend", "short_term", "equity"))
    mode = "given" if equity.has("by_year") else "remainder"
    found = {
        "working_capital_share": working.number("share_of_operating_cost", 0.0, least=0.0, most=1.0),
        "reserve": read_rate(dividend, "legal_reserve", line, "法定盈余公积提取比例", default_id="legal_reserve"),
        "dividend_share": dividend.number("share", 1.0, least=0.0, most=1.0),
        "short_term": read_rate(short, "rate", line, "短期借款利率", default_id="lpr_one_year") if short.flag("allowed", True) else None,
        "equity_mode": mode,
        "equity_fen": _equity(equity, line) if mode == "given" else (),
    }
    short.has("rate")
    for entry in (working, dividend, short, equity):
        entry.done()
    return found


def _equity(entry: Entry, line: Timeline) -> tuple[float, ...]:
    values = entry.numbers("by_year", least=0.0)
    if len(values) > line.years:
        entry.fail("by_year", f"有 {len(values)} 个数", expected=f"至多 {line.years} 个")
    try:
        fen, _ = fen_factor(quantity(f"1 {entry.text('unit')}"))
    except SchemaError as fault:
        entry.fail("unit", fault.found, expected=fault.expected)
    if values and max(values) * fen > MOST_FEN:
        entry.fail("by_year", "金额过大", expected=f"至多 {MOST_FEN / 1e10:,.0f} 亿元", cure="核对单位")
    return tuple(v * fen for v in values) + (0.0,) * (line.years - len(values))


def _check_names(whole: Entry, project: Project) -> None:
    """Ids occur once, and every name leads to something."""
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


def _check_gearing(whole: Entry, project: Project) -> None:
    shares = math.fsum(ln.share for ln in project.loans)
    if shares > 1.0 + 1e-12:
        _entry(whole, "loan", len(project.loans) - 1).fail("share", f"各笔借款比例合计 {shares:g}", expected="不超过 1", cure="降低借款比例")
    equity = math.fsum(p.equity_share for p in project.parties)
    if equity > 1e-12 and abs(equity - 1.0) > 1e-9:
        _entry(whole, "party", 0).fail("equity_share", f"各方股权比例合计 {equity:g}", expected="合计为 1")
    if any(kinds()[ln.kind].stage == "capital" for ln in project.lines) or not project.loans:
        return
    _entry(whole, "loan", 0).fail("id", "有借款而无建设投资", expected="至少一行建设投资")


