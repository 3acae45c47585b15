"""Payments, funds, order and floors of the library against each other (资金与先后关系检查)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from qianmo.governance.blank import is_blank, or_else
from qianmo.governance.circle import circle_of
from qianmo.governance.library.typed import fault_row

__all__ = ["check_money", "fen_of", "listed"]


def fen_of(yuan: Any) -> int:
    """Yuan as whole fen, half away from zero (元折分)."""
    amount = float(yuan) * 100.0
    whole = int(abs(amount) + 0.5)
    return whole if amount >= 0 else -whole


def listed(text: Any) -> tuple[str, ...]:
    """Values of a cell with semicolons between (分号分隔的值)."""
    return tuple(x.strip() for x in str(text).split(";") if x.strip()) if isinstance(text, str) else ()


def check_money(tables: Mapping[str, pd.DataFrame]) -> Iterator[tuple[Any, ...]]:
    """Faults between the tables: money that does not add up, unknown projects and funds, earmarks broken, circles (表间检查)."""
    projects = {str(r["project_id"]): r for r in _rows(tables, "library_project")}
    funds = {str(r["fund_id"]): r for r in _rows(tables, "library_fund")}
    yield from _twice(tables, "library_fund", ("fund_id",))
    yield from _twice(tables, "library_fund_year", ("fund_id", "year"))
    yield from _twice(tables, "library_order", ("before_id", "after_id"))
    yield from _payments(tables, projects, funds)
    for n, r in enumerate(_rows(tables, "library_fund"), start=1):
        if not is_blank(r["carry_years"]) and int(r["carry_years"]) < 0:
            yield fault_row("library_fund", n, str(r["fund_id"]), "carry_years", str(r["carry_years"]), "不能为负数", "not negative")
    for n, r in enumerate(_rows(tables, "library_fund_year"), start=1):
        yield from _fund_year(n, r, funds)
    for n, r in enumerate(_rows(tables, "library_order"), start=1):
        for column in ("before_id", "after_id"):
            if str(r[column]) not in projects:
                yield fault_row("library_order", n, str(r["before_id"]), column, str(r[column]), "项目不在库中", "no such project")
        if r["before_id"] == r["after_id"]:
            yield fault_row("library_order", n, str(r["before_id"]), "after_id", str(r["after_id"]), "项目不能以自己为前置", "a project can not wait for itself")
    circle = circle_of((str(r["before_id"]), str(r["after_id"])) for r in _rows(tables, "library_order") if r["before_id"] != r["after_id"])
    for n, r in enumerate(_rows(tables, "library_order"), start=1):
        if str(r["before_id"]) in circle and str(r["after_id"]) in circle:
            words = " → ".join(circle)
            yield fault_row("library_order", n, str(r["before_id"]), "after_id", str(r["after_id"]), f"先后关系成环: {words}", f"projects wait for each other: {words}", cure="删去其中一行")
            break
    regions = {str(r.get("region")) for r in projects.values()}
    for n, r in enumerate(_rows(tables, "library_floor"), start=1):
        if str(r["region"]) not in regions:
            yield fault_row("library_floor", n, str(r["region"]), "region", str(r["region"]), "没有项目属于此片区", "no project lies in this region")
        if is_blank(r["first_year"]) or is_blank(r["last_year"]):
            continue
        if r["first_year"] > r["last_year"]:
            yield fault_row("library_floor", n, str(r["region"]), "last_year", str(r["last_year"]), "早于起始年", "before the first year")
        if r["least_yuan"] < 0:
            yield fault_row("library_floor", n, str(r["region"]), "least_yuan", str(r["least_yuan"]), "不能为负数", "not negative")


def _rows(tables: Mapping[str, pd.DataFrame], name: str) -> list[dict[str, Any]]:
    return list(tables[name].to_dict("records")) if name in tables else []


def _twice(tables: Mapping[str, pd.DataFrame], name: str, keys: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    seen: dict[tuple[str, ...], int] = {}
    for n, r in enumerate(_rows(tables, name), start=1):
        key = tuple(str(r[k]) for k in keys)
        if key in seen:
            yield fault_row(name, n, key[0], keys[-1], key[-1], f"与第 {seen[key]} 行重复", f"the same as row {seen[key]}")
        seen.setdefault(key, n)


def _payments(tables: Mapping[str, pd.DataFrame], projects: Mapping[str, Any], funds: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    total: dict[str, int] = {}
    for n, r in enumerate(_rows(tables, "library_payment"), start=1):
        project = str(r["project_id"])
        if project not in projects:
            yield fault_row("library_payment", n, project, "project_id", project, "项目不在库中", "no such project")
            continue
        amount = r["amount_yuan"]
        if not amount > 0:
            yield fault_row("library_payment", n, project, "amount_yuan", str(amount), "应大于 0", "above 0")
            continue
        if is_blank(r["stage_year"]) or r["stage_year"] < 1:
            yield fault_row("library_payment", n, project, "stage_year", str(r["stage_year"]), "从 1 起", "from 1")
        total[project] = total.get(project, 0) + fen_of(amount)
        names = listed(r["fund_ids"])
        for fund in names:
            if fund not in funds:
                yield fault_row("library_payment", n, project, "fund_ids", fund, f"没有资金 {fund}", "no such fund")
            elif not _may_pay(funds[fund], projects[project]):
                yield fault_row("library_payment", n, project, "fund_ids", fund, f"资金 {fund} 限定用途, 不能用于该项目的类别或片区", "the fund is earmarked for others")
    for n, (project, r) in enumerate(projects.items(), start=1):
        if project in total and not is_blank(r["investment_yuan"]) and total[project] != fen_of(r["investment_yuan"]):
            words = f"用款合计 {total[project] / 100:.2f} 元, 与投资不符"
            yield fault_row("library_project", n, project, "investment_yuan", str(r["investment_yuan"]), words, "payments do not add up to the investment", cure="改正投资或用款计划")


def _may_pay(fund: Mapping[str, Any], project: Mapping[str, Any]) -> bool:
    classes, regions = listed(fund.get("classes")), listed(fund.get("regions"))
    return (not classes or str(project["project_class"]) in classes) and (not regions or str(project.get("region")) in regions)


def _fund_year(n: int, r: Mapping[str, Any], funds: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    fund = str(r["fund_id"])
    if fund not in funds:
        yield fault_row("library_fund_year", n, fund, "fund_id", fund, "没有此资金", "no such fund")
    amount = float(r["amount_yuan"])
    promised = float(or_else(r.get("committed_yuan"), 0.0))
    paid = float(or_else(r.get("paid_yuan"), 0.0))
    if amount < 0:
        yield fault_row("library_fund_year", n, fund, "amount_yuan", str(amount), "不能为负数", "not negative")
    if not 0 <= promised <= max(amount, 0.0):
        yield fault_row("library_fund_year", n, fund, "committed_yuan", str(promised), f"应在 0 与到位金额 {amount:.2f} 之间", "between 0 and what arrives")
    if not 0 <= paid <= promised:
        yield fault_row("library_fund_year", n, fund, "paid_yuan", str(paid), f"应在 0 与已承诺金额 {promised:.2f} 之间", "between 0 and what is promised")
