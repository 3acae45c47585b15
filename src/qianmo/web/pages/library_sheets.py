"""Tables of the project library: list, classes, funds, ranking, year plan, history (项目库页面的表)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode

import pandas as pd
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from qianmo.governance.blank import is_blank
from qianmo.governance.funds import fund_account
from qianmo.governance.library.board import bars, class_summary
from qianmo.governance.library.check_money import fen_of, listed
from qianmo.governance.library.score import normed_values, ranked
from qianmo.governance.library.sensitivity import smallest_flips
from qianmo.governance.library.weights import default_weights, direct_weights
from qianmo.jobs.library.from_plan import FROM_PLAN
from qianmo.jobs.queries.library import LibraryView
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.library import library_criteria, project_classes, value_words
from qianmo.schema.tables import Column, table_spec
from qianmo.schema.workflows import actor_words, document_words, workflow
from qianmo.web.library_row_forms import column_label, text_words
from qianmo.web.sheets import Head, Sheet
from qianmo.web.words import both, table_word

__all__ = ["CLASS_MARK", "SHEETS", "class_word", "kept_projects", "reason_word", "sheet_of", "source_word", "state_word", "weights_asked"]

Asked = Mapping[str, str]

_WEIGHT = re.compile(r"\d{1,6}(\.\d{0,9})?|\.\d{1,9}")

CLASS_MARK = {name: f"k{n}" for n, name in enumerate(project_classes(), start=1)}
"""Style of each class on board and bars."""


def sheet_of(name: str, view: LibraryView, asked: Asked) -> Sheet:
    """One table by the name in its address (按名取表).

    Raises
    ------
    MissingDataError
        No table of that name.
    """
    if name not in SHEETS:
        raise MissingDataError(f"no table {name!r}", expected=", ".join(SHEETS), cure="start from the page of the library")
    return SHEETS[name](view, asked)


def state_word(state: str) -> str:
    """A state in the language of the page (状态名称)."""
    found = workflow("project_library").states.get(state)
    return both(found.zh, found.en) if found else state


def class_word(name: str) -> str:
    """A class in the language of the page (类别名称)."""
    return both(name, project_classes().get(name, name))


def kept_projects(view: LibraryView, asked: Asked) -> pd.DataFrame:
    """Projects of the class, state and region asked for, whose name or id holds the words asked for (筛选)."""
    shown = view.projects
    for column, key in (("project_class", "class"), ("state", "state"), ("region", "region")):
        if asked.get(key):
            shown = shown[shown[column] == asked[key]]
    words = asked.get("q", "").strip().casefold()
    if words:
        found = [words in f"{i} {n}".casefold() for i, n in zip(shown["project_id"], shown["name"], strict=True)]
        shown = shown[pd.Series(found, index=shown.index, dtype=bool)]
    return shown


def weights_asked(view: LibraryView, asked: Asked) -> dict[str, Fraction]:
    """Weights of the address, else those of the last ranking, else those that ship (权重).

    Raises
    ------
    SchemaError
        A weight is no number, below 0, or all are 0.
    """
    given = {k: asked[f"w_{k}"].strip() or "0" for k in library_criteria() if f"w_{k}" in asked}
    wrong = [v for v in given.values() if not _WEIGHT.fullmatch(v)]
    if wrong:
        raise SchemaError(f"权重 {'、'.join(v[:20] for v in wrong)}", expected="不小于 0 的数, 如 0.35", cure="改正后再预览")
    if given:
        return direct_weights(given)
    return direct_weights(dict(view.weights)) if view.weights else default_weights()


def _projects(view: LibraryView, asked: Asked) -> Sheet:
    shown = kept_projects(view, asked)
    rows = [{**r, "class": class_word(r["project_class"]), "state_word": state_word(r["state"]), "link": reverse("library-project", args=[r["project_id"]]),
             "synthetic": not is_blank(r["synthetic"]) and bool(r["synthetic"])} for r in shown.to_dict("records")]  # fmt: skip
    filled = _("as filled in for the project; the sum adds whole fen")
    heads = (
        Head("project_id", _("Project"), "link"), Head("name", _("Name")), Head("class", _("Class")), Head("state_word", _("State")), Head("region", _("Region")),
        Head("investment_yuan", _("Investment"), "money", filled), Head("new_farmland_m2", _("New farmland"), "area", _("expected, as filled in for the project")),
        Head("area_m2", _("Area"), "area", _("area of the project, as filled in")), Head("start_year", _("Start year"), "year", _("by the year plan")),
        Head("end_year", _("End year"), "year", _("last year of the works by the year plan")),
    )  # fmt: skip
    whole = {"project_id": _("Sum of %(n)s projects") % {"n": len(shown)}, "investment_yuan": _sum_yuan(shown["investment_yuan"]),
             "new_farmland_m2": float(shown["new_farmland_m2"].sum()), "area_m2": float(shown["area_m2"].sum())}  # fmt: skip
    query = urlencode({k: asked[k] for k in ("class", "state", "region", "q") if asked.get(k)})
    return Sheet("projects", _("Projects"), heads, rows, whole, query=query)


def _classes(view: LibraryView, asked: Asked) -> Sheet:
    rows = class_summary(kept_projects(view, asked)).to_dict("records")
    body, last = rows[:-1], rows[-1]
    heads = (
        Head("class", _("Class")), Head("projects", _("Projects"), "count", _("number of the projects shown")),
        Head("investment_yuan", _("Investment"), "money", _("sum of the projects in whole fen")),
        Head("area_m2", _("Area"), "area", _("sum of the projects")), Head("new_farmland_m2", _("New farmland"), "area", _("sum of the projects")),
    )  # fmt: skip
    query = urlencode({k: asked[k] for k in ("class", "state", "region", "q") if asked.get(k)})
    return Sheet("classes", _("By class"), heads, [{**r, "class": class_word(r["project_class"])} for r in body], {**last, "class": _("Sum")}, query=query)


def _funds(view: LibraryView, asked: Asked) -> Sheet:
    account = fund_account(view.tables["library_fund"], view.tables["library_fund_year"])
    marks = {str(f["fund_id"]): f for f in view.tables["library_fund"].to_dict("records")}
    rows = [{**r, "kind_word": both(*value_words("kind", str(r["kind"]))), "earmark": _earmark(marks[str(r["fund_id"])]), "carry": marks[str(r["fund_id"])]["carry_years"],
             "link": reverse("library-fund", args=[r["fund_id"]]) if asked.get("edit") else ""}
            for r in account.to_dict("records")]  # fmt: skip
    money = ("amount_yuan", "committed_yuan", "paid_yuan", "owed_yuan", "free_yuan")
    heads = (
        Head("fund_id", _("Fund"), "link"), Head("name", _("Name")), Head("kind_word", _("Source of money")), Head("earmark", _("Earmark")),
        Head("carry", _("Carried over (years)"), "count", _("further years in which money stays usable; 0: it lapses at the end of its year")),
        Head("amount_yuan", _("Arrived"), "money", _("sum of all years")), Head("committed_yuan", _("Promised"), "money", _("promised to projects of earlier plans")),
        Head("paid_yuan", _("Paid"), "money", _("part of the promise that is paid")), Head("owed_yuan", _("Owed"), "money", _("promised − paid")),
        Head("free_yuan", _("Free"), "money", _("arrived − promised")),
    )  # fmt: skip
    whole = {"fund_id": _("Sum"), **{c: _sum_yuan(account[c]) for c in money}}
    return Sheet("funds", _("Funds by source"), heads, rows, whole)


def _fund_years(view: LibraryView, asked: Asked) -> Sheet:
    years = view.tables["library_fund_year"]
    names = {str(f["fund_id"]): str(f["name"]) for f in view.tables["library_fund"].to_dict("records")}
    rows = [{**r, "name": names.get(str(r["fund_id"]), ""), "free_yuan": (fen_of(r["amount_yuan"]) - fen_of(0 if is_blank(r["committed_yuan"]) else r["committed_yuan"])) / 100}
            for r in years.sort_values(["year", "fund_id"]).to_dict("records")]  # fmt: skip
    heads = (
        Head("year", _("Year"), "year", _("calendar year")), Head("fund_id", _("Fund"), "code"), Head("name", _("Name")), Head("amount_yuan", _("Arrived"), "money", _("as filled in")),
        Head("committed_yuan", _("Promised"), "money", _("as filled in")), Head("paid_yuan", _("Paid"), "money", _("as filled in")), Head("free_yuan", _("Free"), "money", _("arrived − promised")),
    )  # fmt: skip
    whole = {"year": _("Sum"), **{c: _sum_yuan(years[c]) for c in ("amount_yuan", "committed_yuan", "paid_yuan")}, "free_yuan": _sum_yuan(pd.Series([r["free_yuan"] for r in rows], dtype=float))}
    return Sheet("fund-years", _("Funds by year"), (Head("year", _("Year")), *heads[1:]), [{**r, "year": str(r["year"])} for r in rows], whole)


def _ranking(view: LibraryView, asked: Asked) -> Sheet:
    weights = weights_asked(view, asked)
    table = ranked(view.projects, weights)
    kept = view.tables["library_rank"]
    before = {str(r["project_id"]): int(r["rank"]) for r in kept.to_dict("records")} if len(kept) and int(kept["rank"].max()) == len(table) else {}
    of = {str(r["project_id"]): normed_values(r) for r in view.projects.to_dict("records")}
    rows = [{**r, "rank_word": str(r["rank"]), "link": reverse("library-project", args=[r["project_id"]]), "before": before.get(str(r["project_id"])),
             "moved": _moved(before.get(str(r["project_id"])), int(r["rank"])),
             "parts": _parts(of[str(r["project_id"])], weights), "tie": both(str(r["tie"]), _("level with the one above") if r["tie"] else "")} for r in table.to_dict("records")]  # fmt: skip
    used = " + ".join(f"{both(c.zh, c.en)} × {float(weights[k]):.4g}" for k, c in library_criteria().items() if weights[k])
    heads = (
        Head("rank_word", _("Rank")), Head("project_id", _("Project"), "link"), Head("name", _("Name")),
        Head("score", _("Score"), "score", _("sum of weight × value from 0 to 1: %(used)s") % {"used": used}),
        Head("parts", _("How it is made up")), Head("before", _("Rank kept before"), "count", _("rank by the weights that were kept last")), Head("moved", _("Move")), Head("tie", _("Tie")),
    )  # fmt: skip
    why = (_("Each criterion is normed from its least (0) to its most (1); a blank counts 0. Equal scores go to the earlier proposal, then to the id."),)
    return Sheet("ranking", _("Ranking"), heads, rows, None, why, _weights_query(asked))


def _flips(view: LibraryView, asked: Asked) -> Sheet:
    weights, known = weights_asked(view, asked), library_criteria()
    order = ranked(view.projects, weights)["project_id"].tolist()
    names = {str(r["project_id"]): str(r["name"]) for r in view.projects.to_dict("records")}
    normed = {str(r["project_id"]): normed_values(r) for r in view.projects.to_dict("records")}
    found = sorted((f for f in smallest_flips(normed, order, weights).values() if f is not None), key=lambda f: abs(f.change))
    rows = [{"above": f"{f.above} {names[f.above]}", "below": f"{f.below} {names[f.below]}", "criterion": both(known[f.criterion].zh, known[f.criterion].en),
             "now": float(weights[f.criterion]), "at": float(f.weight_at), "change": f"{float(f.change):+.4f}"} for f in found]  # fmt: skip
    heads = (
        Head("above", _("Leads now")), Head("below", _("Comes next")), Head("criterion", _("Criterion")), Head("now", _("Weight now"), "score", _("weights made to sum to 1")),
        Head("at", _("Level at weight"), "score", _("w = e / (e − d): d the lead in this criterion, e the lead in the mean of the others")), Head("change", _("Change of weight")),
    )  # fmt: skip
    why = (_("For each pair of neighbours the smallest change of one weight that turns them round, the other weights in their proportions; exact fractions."),)
    return Sheet("flips", _("What turns the order round"), heads, rows, None, why, _weights_query(asked))


def _plan(view: LibraryView, asked: Asked) -> Sheet:
    table = view.tables["portfolio_start"]
    of = {str(r["project_id"]): r for r in view.projects.to_dict("records")}
    order = table.assign(_late=table["start_year"].isna()).sort_values(["_late", "start_year", "project_id"]) if len(table) else table
    rows = [{**r, "start_word": str(int(r["start_year"])) if not is_blank(r["start_year"]) else _("not in the plan"), "class": class_word(str(of.get(str(r["project_id"]), {}).get("project_class", ""))),
             "link": reverse("library-project", args=[r["project_id"]]), "value": int(r["value"]) / 10**6, "mark": "" if not is_blank(r["start_year"]) else "left"} for r in order.to_dict("records")]  # fmt: skip
    heads = (
        Head("start_word", _("Start year")), Head("project_id", _("Project"), "link"), Head("name", _("Name")), Head("class", _("Class")),
        Head("end_year", _("End year"), "year", _("start + years of the works − 1")),
        Head("investment_yuan", _("Investment"), "money", _("as filled in for the project")),
        Head("value", _("Value"), "number", _("what counts in the sum that is made greatest, less the share for each year of delay")),
    )  # fmt: skip
    inside = table[table["start_year"].notna()] if len(table) else table
    whole = {"start_word": _("%(n)s projects in the plan") % {"n": len(inside)}, "investment_yuan": _sum_yuan(inside["investment_yuan"]), "value": int(inside["value"].sum()) / 10**6}
    return Sheet("plan", _("Projects of the year plan"), heads, rows, whole)


def _plan_years(view: LibraryView, asked: Asked) -> Sheet:
    starts, paid = view.tables["portfolio_start"], view.tables["portfolio_payment"]
    inside = starts[starts["start_year"].notna()] if len(starts) else starts
    years = sorted({int(y) for y in [*inside["start_year"], *paid["year"]]})
    rows = []
    for y in years:
        mine = inside[inside["start_year"] == y]
        rows.append({"year": str(y), "starts": len(mine), "names": [str(n) for n in mine["name"]], "investment_yuan": _sum_yuan(mine["investment_yuan"]),
                     "paid_yuan": _sum_yuan(paid.loc[paid["year"] == y, "amount_yuan"])})  # fmt: skip
    heads = (
        Head("year", _("Year")), Head("starts", _("Starts"), "count", _("projects that start in the year")),
        Head("investment_yuan", _("Investment of the starts"), "money", _("whole investment of the projects that start in the year")),
        Head("paid_yuan", _("Paid in the year"), "money", _("sum of the payments of the plan in the year, to the fen")), Head("names", _("Projects")),
    )  # fmt: skip
    whole = {"year": _("Sum"), "starts": len(inside), "investment_yuan": _sum_yuan(inside["investment_yuan"]), "paid_yuan": _sum_yuan(paid["amount_yuan"])}
    return Sheet("plan-years", _("The plan by year"), heads, rows, whole)


def _payments(view: LibraryView, asked: Asked) -> Sheet:
    paid, names = view.tables["portfolio_payment"], {str(r["project_id"]): str(r["name"]) for r in view.projects.to_dict("records")}
    funds = {str(f["fund_id"]): str(f["name"]) for f in view.tables["library_fund"].to_dict("records")}
    mine = paid[paid["project_id"] == asked["project"]] if asked.get("project") else paid
    rows = [{**r, "name": names.get(str(r["project_id"]), ""), "fund": f"{r['fund_id']} {funds.get(str(r['fund_id']), '')}", "link": reverse("library-project", args=[r["project_id"]])}
            for r in mine.sort_values(["year", "project_id", "fund_id"]).to_dict("records")]  # fmt: skip
    heads = (
        Head("project_id", _("Project"), "link"), Head("name", _("Name")), Head("year", _("Year"), "year", _("calendar year")), Head("fund", _("Fund")),
        Head("amount_yuan", _("Payment"), "fen", _("by the largest flow from funds to needs, in whole fen; earmarks and lapsing obeyed")),
    )  # fmt: skip
    query = urlencode({"project": asked["project"]}) if asked.get("project") else ""
    return Sheet("payments", _("Who pays what, when"), heads, rows, {"project_id": _("Sum"), "amount_yuan": _sum_yuan(mine["amount_yuan"])}, query=query)


def _balance(view: LibraryView, asked: Asked) -> Sheet:
    rows = view.tables["fund_balance"].sort_values(["fund_id", "year"]).to_dict("records")
    heads = (
        Head("fund_id", _("Fund"), "code"), Head("year", _("Year"), "year", _("calendar year")), Head("opening_yuan", _("Carried in"), "fen", _("closing of the year before")),
        Head("arrived_yuan", _("Arrived"), "fen", _("free money of the year")),
        Head("paid_yuan", _("Paid"), "fen", _("payments of the plan, money that lapses soonest first")), Head("lapsed_yuan", _("Lapsed"), "fen", _("not used within the years it may be carried over")),
        Head("closing_yuan", _("Carried out"), "fen", _("carried in + arrived − paid − lapsed")),
    )  # fmt: skip
    why = (_("Counted again from projects, payments and funds alone, without the model and without the solver; the plan is stored only when every year closes without a shortage."),)
    return Sheet("balance", _("Cash replay"), heads, rows, None, why)


def _years(view: LibraryView, asked: Asked) -> Sheet:
    rows = [{**r, "class": class_word(r["project_class"]), "state_word": state_word(r["state"]), "link": reverse("library-project", args=[r["project_id"]])}
            for r in bars(kept_projects(view, asked)).to_dict("records")]
    heads = (
        Head("project_id", _("Project"), "link"), Head("name", _("Name")), Head("class", _("Class")), Head("state_word", _("State")),
        Head("start_year", _("Start year"), "year", _("by the year plan")), Head("end_year", _("End year"), "year", _("last year of the works by the year plan")),
    )  # fmt: skip
    return Sheet("years", _("Start and end years"), heads, rows)


def _history(view: LibraryView, asked: Asked) -> Sheet:
    project = asked.get("project", "")
    rows = [{"number": e.number, "time": f"{timezone.localtime(e.time):%Y-%m-%d %H:%M}", "from": state_word(e.state_from), "to": state_word(e.state_to), "actor": e.actor,
             "role": _("taken over") if e.role == "import" else both(*actor_words(e.role)),
             "reason": reason_word(e.reason), "documents": [both(*document_words(d)) for d in e.documents]} for e in view.entries(project)]  # fmt: skip
    heads = (
        Head("time", _("Time")), Head("from", _("From")), Head("to", _("To")), Head("actor", _("Person")), Head("role", _("Acting as")), Head("reason", _("Reason")),
        Head("documents", _("Documents")),
    )  # fmt: skip
    return Sheet("history", _("Steps taken"), heads, rows, query=urlencode({"project": project}))


def _needs(view: LibraryView, asked: Asked) -> Sheet:
    project, table = asked.get("project", ""), view.tables["library_payment"]
    funds = {str(f["fund_id"]): str(f["name"]) for f in view.tables["library_fund"].to_dict("records")}
    mine = table[table["project_id"] == project].sort_values("stage_year")
    rows = [{"stage": _("year %(n)s of the works") % {"n": r["stage_year"]}, "funds": [f"{i} {funds.get(i, '')}".strip() for i in listed(r["fund_ids"])], "amount_yuan": r["amount_yuan"]} for r in mine.to_dict("records")]
    heads = (Head("stage", _("When")), Head("funds", _("Funds that may pay")), Head("amount_yuan", _("Amount"), "fen", _("as filled in; the sum equals the investment to the fen")))
    return Sheet("needs", _("Money the project needs"), heads, rows, {"stage": _("Sum"), "amount_yuan": _sum_yuan(mine["amount_yuan"])}, query=urlencode({"project": project}))


def _changes(view: LibraryView, asked: Asked) -> Sheet:
    project = asked.get("project", "")
    rows = []
    for r in view.changes(project):
        column = table_spec(str(r["table_name"])).column(str(r["column_name"])) if not is_blank(r["column_name"]) and r["column_name"] else None
        before, after = (_logged(str(r["table_name"]), column, "" if is_blank(r[c]) else str(r[c])) for c in ("before", "after"))
        rows.append({"time": f"{timezone.localtime(datetime.fromisoformat(str(r['time']))):%Y-%m-%d %H:%M}", "actor": r["actor"], "table": table_word(str(r["table_name"])), "key": r["row_key"],
                     "kind": both(*value_words("change_kind", str(r["change_kind"]))), "column": column_label(column) if column else "", "before": before, "after": after,
                     "reason": r["reason"], "source": source_word(str(r["source"]))})  # fmt: skip
    heads = (
        Head("time", _("Time")), Head("actor", _("Person")), Head("table", _("Table")), Head("key", _("Row")), Head("kind", _("Kind")), Head("column", _("Column")),
        Head("before", _("Before")), Head("after", _("After")), Head("reason", _("Reason")), Head("source", _("Came by")),
    )  # fmt: skip
    return Sheet("changes", _("Log of changes"), heads, rows, query=urlencode({"project": project}) if project else "")


def reason_word(reason: str) -> str:
    """A reason that the program wrote, in the language of the page; what a person wrote stays (理由用语)."""
    read = re.fullmatch(r"由 (.+) 读入", reason)
    if read:
        return _("read in from %(file)s") % {"file": source_word(read.group(1))}
    return _("taken over from the sub-projects of the plan") if reason == FROM_PLAN else reason


def source_word(source: str) -> str:
    """The form or the file a change came by, in the language of the page (来源用语)."""
    paid = re.fullmatch(r"拨付登记 (\S+) (\d+) 年 ([\d,.]+) 元", source)
    if paid:
        return _("payment of %(amount)s yuan from %(fund)s in %(year)s") % {"fund": paid.group(1), "year": paid.group(2), "amount": paid.group(3)}
    forms = (("表单 资金 ", _("form of the fund")), ("表单 用款 ", _("form of the payments")), ("表单 先后关系", _("form of the order")), ("表单 片区保底", _("form of the floors")), ("表单 ", _("form of the project")))
    found = next(((p, w) for p, w in forms if source.startswith(p)), None)
    return f"{found[1]} {source.removeprefix(found[0])}".strip() if found else source


def _logged(table: str, column: Column | None, text: str) -> str:
    """A cell of the log in words: one value, or the whole row of JSON."""
    if column is not None:
        return text_words(column, text) if text else ""
    spec = table_spec(table)
    return "; ".join(f"{column_label(spec.column(k))} {text_words(spec.column(k), v)}" for k, v in json.loads(text).items()) if text else ""


def _order(view: LibraryView, asked: Asked) -> Sheet:
    names = {str(r["project_id"]): str(r["name"]) for r in view.projects.to_dict("records")}
    rows = [{"before": f"{r['before_id']} {names.get(str(r['before_id']), '')}", "after": f"{r['after_id']} {names.get(str(r['after_id']), '')}", "reason": r["reason"]}
            for r in view.tables["library_order"].to_dict("records")]  # fmt: skip
    return Sheet("order", _("Order of projects"), (Head("before", _("Project that comes first")), Head("after", _("Project that waits for it")), Head("reason", _("Reason"))), rows)


def _floors(view: LibraryView, asked: Asked) -> Sheet:
    filled = _("as filled in")
    heads = (Head("region", _("Region")), Head("first_year", _("First year"), "year", filled), Head("last_year", _("Last year"), "year", filled), Head("least_yuan", _("Least money"), "money", filled))
    return Sheet("floors", _("Least money by region"), heads, view.tables["library_floor"].to_dict("records"))


def _parts(normed: Mapping[str, Fraction], weights: Mapping[str, Fraction]) -> str:
    known = library_criteria()
    return " + ".join(f"{both(known[k].zh, known[k].en)} {float(w):.3g}×{float(normed[k]):.3g}" for k, w in weights.items() if w)


def _earmark(fund: Mapping[str, Any]) -> str:
    parts = [class_word(c) for c in listed(fund.get("classes"))] + list(listed(fund.get("regions")))
    return "、".join(parts) or _("all")


def _sum_yuan(values: pd.Series) -> float:
    return sum(fen_of(v) for v in values if not is_blank(v)) / 100


def _moved(before: int | None, now: int) -> str:
    if before is None or before == now:
        return ""
    return f"▲ {before - now}" if before > now else f"▼ {now - before}"


def _weights_query(asked: Asked) -> str:
    return urlencode({f"w_{k}": asked[f"w_{k}"] for k in library_criteria() if f"w_{k}" in asked})


SHEETS: dict[str, Callable[[LibraryView, Asked], Sheet]] = {
    "projects": _projects, "classes": _classes, "funds": _funds, "fund-years": _fund_years, "ranking": _ranking, "flips": _flips, "plan": _plan,
    "plan-years": _plan_years, "payments": _payments, "balance": _balance, "years": _years, "history": _history, "needs": _needs, "changes": _changes, "order": _order, "floors": _floors,
}  # fmt: skip
"""Every table that can be taken along, by the name in its address (可导出的表)."""
