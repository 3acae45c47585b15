"""A joint venture from its file: assets, agreement, years, members (读取作价入股文件)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from qianmo.finance.distribution.clearance import Asset, appraised_by_party
from qianmo.finance.distribution.dividend import Agreement, allocate_years, debt_like
from qianmo.finance.distribution.exact import exact
from qianmo.finance.distribution.members import Member, MemberRule, quantified_shares
from qianmo.finance.distribution.read import amount_fen, area_mu, checked_party, party_names, share, tried
from qianmo.finance.distribution.shares import equity_shares
from qianmo.finance.project.entry import Entry, document
from qianmo.finance.project.positions import key_lines
from qianmo.schema.errors import SchemaError
from qianmo.schema.rules import parameter

__all__ = ["CLAUSE_WORDS", "EquityCase", "equity_case_from"]

CLAUSE_WORDS = MappingProxyType({"scope": "资产范围", "distribution": "收益分配", "risk": "风险承担", "exit": "退出方式", "decision": "表决与公示"})
"""Clauses that an agreement should have (协议应有条款)."""

ASSET_KINDS = ("land", "house", "forest", "water", "cash", "equipment", "technology", "brand", "other")


@dataclass(frozen=True)
class EquityCase:
    """What an equity file says (作价入股情形).

    `agreement` holds the agreed shares, or those by value. `collective` is the party whose members are listed, "" without
    members. `votes` is None when no vote is recorded. `clauses` holds the text of each clause, "" where it is missing.
    """

    name: str
    synthetic: bool
    first_year: int
    names: Mapping[str, str]
    assets: tuple[Asset, ...]
    agreement: Agreement
    is_agreed: bool
    results_fen: tuple[int, ...]
    collective: str
    members: tuple[Member, ...]
    rule: MemberRule
    public_fund_rate: Fraction
    votes: Mapping[str, bool] | None
    passing: Fraction
    veto: Fraction
    risk_free_rate: Fraction
    clauses: Mapping[str, str]


def equity_case_from(data: Mapping[str, Any], *, file: str, text: str) -> EquityCase:
    """The joint venture that a parsed file describes (由文件建立入股情形).

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
    head = whole.child("project")
    parties = whole.children("party")
    names = party_names(parties, whole)
    assets = tuple(_asset(e, names) for e in whole.children("asset"))
    if not assets:
        whole.fail("asset", "没有资产", expected="至少一个 [[asset]]")
    terms = whole.child("agreement")
    agreement, agreed = _agreement(whole, terms, parties, assets)
    results = tuple(_result(e) for e in whole.children("year"))
    rule_entry, vote = whole.child("members"), whole.child("vote")
    entries = whole.children("member")
    members = tuple(_member(e) for e in entries)
    case = EquityCase(
        head.text("name"), head.flag("synthetic", False), head.integer("first_year", least=1990, most=2200), names, assets, agreement, agreed, results,
        checked_party(rule_entry, "party", names) if entries else "", members, _rule(rule_entry),
        share(rule_entry, "public_fund_rate", parameter("public_fund_rate")), _votes(entries),
        share(vote, "passing", parameter("consent_ratio")), share(vote, "veto", parameter("minority_veto_share")),
        share(terms, "risk_free_rate", parameter("risk_free_rate")), {k: terms.text(k, "") for k in CLAUSE_WORDS},
    )  # fmt: skip
    tried(whole, "party", lambda: allocate_years([], agreement))
    tried(whole, "party", lambda: debt_like(agreement, appraised_by_party(assets), risk_free_rate=case.risk_free_rate))
    if members:
        tried(rule_entry, "cap" if case.rule.cap is not None else "head_weight", lambda: quantified_shares(members, case.rule, collective=case.collective))
    for e in (head, terms, rule_entry, vote, *parties, *entries, whole):
        e.done()
    return case


def _asset(entry: Entry, names: Mapping[str, str]) -> Asset:
    band = share(entry, "band", parameter("appraisal_band"), most=Fraction(999_999, 1_000_000))
    kind = entry.text("kind", choices=ASSET_KINDS)
    found = Asset(
        entry.text("id"), entry.text("zh"), kind, checked_party(entry, "party", names), amount_fen(entry, "appraised"),
        Fraction(0) if kind == "cash" and "band" not in entry.data else band, entry.text("title", ""), entry.flag("encumbered", False),
        entry.flag("cleared", True), entry.flag("in_scope", True),
    )  # fmt: skip
    entry.done()
    return found


def _agreement(whole: Entry, terms: Entry, parties: list[Entry], assets: tuple[Asset, ...]) -> tuple[Agreement, bool]:
    try:
        by_value = equity_shares(assets)
    except SchemaError as fault:
        whole.fail("asset", fault.found, expected=fault.expected, cure=fault.cure)
    values = {p: sum(a.appraised_fen for a in assets if a.party == p and a.in_scope) for p in by_value}
    agreed, caps, minimum = {}, {}, {}
    for e in parties:
        party = e.data["id"]
        e.text("role", "", choices=("", "collective", "enterprise", "government", "household", "other"))
        if e.has("share"):
            agreed[party] = share(e, "share")
        if e.has("loss_cap"):
            caps[party] = values.get(party, 0) if e.data["loss_cap"] == "contribution" else amount_fen(e, "loss_cap")
        if e.has("minimum"):
            minimum[party] = amount_fen(e, "minimum")
    if agreed and (len(agreed) < len(parties) or sum(agreed.values(), Fraction(0)) != 1):
        parties[0].fail("share", f"约定股比之和为 {float(sum(agreed.values(), Fraction(0))):g}, 有 {len(agreed)} 方", expected=f"{len(parties)} 方, 合计 1", cure="各方都写 share, 或都不写")
    shares = agreed or {p: by_value.get(p, Fraction(0)) for p in (e.data["id"] for e in parties)}
    return Agreement(shares, caps, minimum, terms.flag("make_good_first", True)), bool(agreed)


def _result(entry: Entry) -> int:
    if entry.has("profit") == entry.has("loss"):
        entry.fail("profit", "profit 与 loss 应写其一", expected='profit = "1000 万元" 或 loss = "300 万元"')
    entry.text("note", "")
    found = amount_fen(entry, "profit") if entry.has("profit") else -amount_fen(entry, "loss")
    entry.done()
    return found


def _member(entry: Entry) -> Member:
    return Member(
        entry.text("id"), entry.integer("heads", 1, least=0, most=1000), area_mu(entry, "land", Fraction(0)), share(entry, "years", 0, most=200),
        entry.text("group", ""),
    )  # fmt: skip


def _rule(entry: Entry) -> MemberRule:
    weights = [share(entry, k, d) for k, d in (("head_weight", 1), ("land_weight", 0), ("years_weight", 0))]
    if sum(weights, Fraction(0)) != 1:
        entry.fail("head_weight", f"权重之和为 {float(sum(weights, Fraction(0))):g}", expected="head_weight + land_weight + years_weight = 1")
    years = share(entry, "years_cap", most=200) if entry.has("years_cap") else None
    cap = share(entry, "cap") if entry.has("cap") else None
    return MemberRule(weights[0], weights[1], weights[2], years, share(entry, "reserved", 0, most=exact(parameter("collective_share_max"))), cap)


def _votes(entries: list[Entry]) -> dict[str, bool] | None:
    given = {e.data["id"]: e.text("vote", choices=("for", "against", "absent")) for e in entries if e.has("vote")}
    return {k: v == "for" for k, v in given.items() if v != "absent"} if given else None
