"""Social benefit of a package: jobs, taxes, income of farmers, with evidence (社会效益)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qianmo.finance.packages.sheet import Item, amount_in
from qianmo.finance.project.entry import Entry
from qianmo.finance.project.records import Project
from qianmo.finance.statements.line_rows import gross_row
from qianmo.schema.finance_codes import kinds

__all__ = ["social_benefit"]

_JOBS = (("jobs_construction", "建设期就业"), ("jobs_operation", "运营期就业"))


def social_benefit(entry: Entry, project: Project, values: Mapping[str, Sequence[float]]) -> list[Item]:
    """Jobs as told, taxes and payments to farmers as booked (F-03).

    Parameters
    ----------
    entry : Entry
        ``[package]``: `jobs_construction`, `jobs_operation`, `evidence`.

    Raises
    ------
    FinanceInputError
        Jobs without a source: a value nobody can check is not shown.
    """
    told = [(key, zh) for key, zh in _JOBS if entry.has(key)]
    evidence = entry.text("evidence", "")
    if told and not evidence:
        entry.fail("evidence", "就业数没有来源", expected='evidence = "来源文件"', cure="写明来源; 合成数据写 合成")
    near = {p.id for p in project.parties if p.role in ("household", "collective")}
    paid = [ln for ln in project.lines if kinds()[ln.kind].direction == "out" and (ln.party in near or ln.kind in ("land_rent", "compensation"))]
    taxes = sum(sum(values[r]) for r in ("vat.paid", "surcharge.total", "tax.due")) / 100.0
    return [
        *(Item(key, zh, amount_in(entry, key, "人"), "人", evidence) for key, zh in told),
        Item("taxes", "计算期税收合计", taxes, "元", "增值税 + 附加 + 所得税"),
        Item("farmers", "支付农户与集体(租金、补偿等)", sum(sum(values[gross_row(project, ln)]) for ln in paid) / 100.0, "元"),
        Item("dividends", "集体分得利润", sum(sum(values[f"party.{p.id}.dividend"]) for p in project.parties if p.role == "collective" and p.equity_share) / 100.0, "元"),
    ]  # fmt: skip
