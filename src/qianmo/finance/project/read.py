"""A project of money from the tables of its file, every fault with file, line and key (读取项目资金文件)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qianmo.finance.project.entry import Entry, document
from qianmo.finance.project.positions import Path, key_lines
from qianmo.finance.project.read_checks import check_gearing, check_names
from qianmo.finance.project.read_lines import MOST_FEN, read_line, read_quota
from qianmo.finance.project.read_loans import read_loan, read_transfer
from qianmo.finance.project.read_rates import Timeline, policy_series, read_rate
from qianmo.finance.project.read_taxes import read_taxes
from qianmo.finance.project.records import AssetRule, Party, Project, Rate, SubProject
from qianmo.finance.project.units import fen_factor, quantity
from qianmo.finance.sheet.row import Source
from qianmo.schema.errors import SchemaError

__all__ = ["project_from"]

SUB_PROJECT_KINDS = ("ecological", "industry", "infrastructure", "housing", "quota", "agriculture", "energy", "service")
ROLES = ("investor", "government", "collective", "household", "bank", "contractor", "other")
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
        read_taxes(whole.child("tax"), head, line, used, any(ln.deductions_fen for ln in lines)), sources={k: head.source(k) for k in head.data}, returns=head.flag("returns", True), **settings,
    )  # fmt: skip
    head.done()
    for table in ("legality", "plan", "plant", "package"):
        whole.has(table)  # read by finance.legality, by the references and by finance.packages
    whole.done()
    check_names(whole, project)
    check_gearing(whole, project)
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
