"""A risk model from a project of money, its computed sheet and a list of uncertain inputs (由资金项目建立风险模型)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from qianmo.finance.project.records import Line, Project
from qianmo.finance.risk.mapping import correlation_from, inputs_from
from qianmo.finance.risk.model import RiskInput, RiskLine, RiskLoan, RiskModel, RiskTaxes, SignedLoan
from qianmo.finance.risk.uncertain import uncertain_from
from qianmo.finance.statements.line_rows import net_row, vat_row
from qianmo.schema.errors import SchemaError
from qianmo.schema.finance_codes import kinds, tax_treatments

__all__ = ["as_planned", "project_risk"]

Values = Mapping[str, Sequence[float]]

_SHARE_KEY = "accepted_share"


def project_risk(project: Project, values: Values, given: Mapping[str, Any]) -> RiskModel:
    """The project as lines by year with the uncertain inputs that move them (资金项目的风险模型).

    Parameters
    ----------
    project : Project
    values : mapping
        Its computed sheet.
    given : mapping
        List ``input``: name, zh, unit, the fields of a distribution, and what it does: ``effect`` as `RiskInput`;
        ``lines``, ids or ``kind=…``, ``sub_project=…``; ``share = true`` where the value is the accepted share itself and
        not a factor on the one planned. List ``correlation`` and ``nearest`` as `mapping.risk_model_from`. A delay is the
        whole delay in months and takes the place of the lag of the plan.

    Returns
    -------
    RiskModel
        Loans stay as the plan signed them; working capital, value left at the end and grants as in the statements.

    Raises
    ------
    SchemaError
        An input that moves nothing or an unknown line, a share outside 0 to 1, losses that are refunded, or anything that
        `RiskModel` refuses.

    Notes
    -----
    The short-term loan of the statements is not part of the model: years short of cash are counted instead.
    """
    if set(given) - {"input", "correlation", "nearest", "contract"}:
        raise SchemaError(f"不确定因素文件中写了 {', '.join(sorted(given))}", expected="input, correlation, nearest, contract")
    if project.taxes.refund_losses:
        raise SchemaError("亏损即时抵退不能作风险模拟", expected="亏损向后结转", cure='在 [tax] 中写 losses = "carry"')
    told = uncertain_from(given)
    rows = [dict(row) for row in told.inputs]
    targets = [_targets(project, row.pop("lines", []), str(row.get("name"))) for row in rows]
    shares = [bool(row.pop("share", False)) for row in rows]
    inputs = inputs_from(rows)
    for x, mine, share in zip(inputs, targets, shares, strict=True):
        _check(x, mine, share)
    drivers = {ln.id: tuple(x.name for x, t in zip(inputs, targets, strict=True) if x.effect == "factor" and ln.id in t) for ln in project.lines}
    planned = {ln.id: any(s and ln.id in t for s, t in zip(shares, targets, strict=True)) for ln in project.lines}
    delays = {ln.id: [x.name for x, t in zip(inputs, targets, strict=True) if x.effect == "delay_months" and ln.id in t] for ln in project.lines}
    for name, found in delays.items():
        if len(found) > 1:
            raise SchemaError(f"科目 {name} 同时被 {'、'.join(found)} 推迟", expected="每个科目至多一个推迟因素")
    lines = [made for ln in project.lines for made in _lines(project, values, ln, drivers[ln.id], "".join(delays[ln.id]), planned[ln.id])]
    shift = [x.name for x in inputs if x.effect == "rate_shift"]
    if len(shift) > 1 or (shift and not project.loans):
        raise SchemaError(f"利率变动因素: {', '.join(shift)}", expected="有借款的项目中至多一个")
    return RiskModel(
        project.years, min(project.construction_years + 1, project.years), project.benchmark.value, lines, inputs, _taxes(project, values),
        _loan(project, values, shift[0] if shift else ""), correlation_from(told.pairs, inputs), told.nearest,
        project.first_flow,
    )  # fmt: skip


def as_planned(project: Project, given: Mapping[str, Any]) -> np.ndarray:
    """Values of the uncertain inputs at which the model is the plan itself (计划取值).

    Parameters
    ----------
    project, given
        As in `project_risk`.

    Returns
    -------
    array (inputs, 1)
        1 for a factor, the share and the lag of the plan, no shift of rates.

    Raises
    ------
    SchemaError
        Lines of one input have different shares or lags in the plan.
    """
    found = []
    lines = {ln.id: ln for ln in project.lines}
    for row in uncertain_from(given).inputs:
        mine = [lines[i] for i in sorted(_targets(project, row.get("lines", []), str(row.get("name"))))]
        if row.get("effect") == "delay_months":
            options = {float(ln.lag_months) for ln in mine}
        elif row.get("share"):
            options = {_planned_share(ln) for ln in mine}
        else:
            options = {0.0 if row.get("effect") == "rate_shift" else 1.0}
        if len(options) != 1:
            raise SchemaError(f"{row.get('name')}: 各科目的计划值不同 {sorted(options)}", expected="同一因素的各科目计划值相同", cure="分成几个因素")
        found.append(options.pop())
    return np.array(found, dtype=np.float64).reshape(len(found), 1)


def _targets(project: Project, words: Sequence[str], name: str) -> set[str]:
    found: set[str] = set()
    for word in words:
        key, _, value = str(word).partition("=")
        mine = {ln.id for ln in project.lines if (ln.kind == value if key == "kind" else ln.sub_project == value if key == "sub_project" else ln.id == word)}
        if not mine:
            raise SchemaError(f"{name}: 没有科目 {word!r}", expected=", ".join(ln.id for ln in project.lines) + ", kind=…, sub_project=…")
        found |= mine
    return found


def _check(x: RiskInput, lines: set[str], share: bool) -> None:
    if (x.effect == "rate_shift") == bool(lines):
        raise SchemaError(f"{x.name} ({x.effect}) 的科目为 {sorted(lines)}", expected="乘数与推迟要写 lines, 利率变动不写")
    if share and (x.effect != "factor" or x.marginal.support[0] < 0 or x.marginal.support[1] > 1):
        raise SchemaError(f"{x.name}: 比例从 {x.marginal.support[0]:g} 到 {x.marginal.support[1]:g}", expected="0 到 1 之间的分布")


def _lines(project: Project, values: Values, line: Line, drivers: tuple[str, ...], delay: str, is_share: bool) -> list[RiskLine]:
    """The line, and for capital what is left of it at the end, for costs the working capital they bind."""
    net, vat = _amounts(project, values, line, bool(delay))
    if is_share:
        net, vat = net / _planned_share(line), vat / _planned_share(line)
    gross = net + vat
    whole = float(net.sum())
    kind = kinds()[line.kind]
    nature = {"capital": "capital", "funding": "funding"}.get(kind.stage, "income" if kind.direction == "in" else "cost")
    if nature == "income" and not tax_treatments()[line.tax].taxable:
        nature = "untaxed"
    if nature == "income" and tax_treatments()[line.tax].simple:
        net, vat = net - vat * _surcharges(project, values), np.zeros(project.years)
    if delay and nature != "income":
        raise SchemaError(f"{delay} 推迟了 {line.id} ({line.kind})", expected="应税收入科目")
    eco = {s.id for s in project.sub_projects if s.kind == "ecological"}
    rate = np.divide(vat, net, out=np.zeros(project.years), where=net > 0)
    written = _depreciation(project, line, net) if nature == "capital" else None
    found = [RiskLine(line.id, nature, net, rate, drivers, delay, line.sub_project in eco and nature in ("capital", "cost"), depreciation_fen=written,
                      is_feedback=line.nature != "land_transfer", gross_fen=gross, deductions_fen=line.deductions_fen if whole > 0 else 0.0, transfer_fen=whole)]  # fmt: skip
    last = np.arange(project.years) == project.years - 1
    if written is not None:
        found.append(RiskLine(f"{line.id} 余值", "recovery", last * (net.sum() - written.sum()), 0.0, drivers))
    if nature == "cost" and project.working_capital_share > 0:
        level = project.working_capital_share * net * (np.arange(project.years) >= project.construction_years)
        found.append(RiskLine(f"{line.id} 流动资金", "recovery", last * level[-1] - np.diff(level, prepend=0.0), 0.0, drivers))
    return found


def _amounts(project: Project, values: Values, line: Line, before_lag: bool) -> tuple[np.ndarray, np.ndarray]:
    """Amount without value-added tax, and the tax, by year; of the year in which it is due where a delay of its own follows."""
    taxed = vat_row(project, line)
    if not (before_lag and line.lag_months):
        net = _row(values, net_row(project, line))
        return net, _row(values, taxed) if taxed else np.zeros(project.years)
    due = _row(values, f"line.{line.id}.due")
    rate = _row(values, f"rate.vat.{line.tax}") if taxed else np.zeros(project.years)
    net = due / (1.0 + rate) if line.includes_vat else due
    return net, net * rate


def _planned_share(line: Line) -> float:
    found = [value for key, _, value in line.shares if key == _SHARE_KEY]
    if not found or not found[0] > 0:
        raise SchemaError(f"科目 {line.id} 没有大于 0 的验收比例", expected="科目中写 accepted_share, 或不写 share = true")
    return found[0]


def _depreciation(project: Project, line: Line, net: np.ndarray) -> np.ndarray:
    """Straight line over the life from the year after use; by the half-year rule the mean of this year and the year before."""
    rule = project.assets[kinds()[line.kind].asset]
    life = rule.years if line.life_years is None else line.life_years
    kept = 1.0 - (rule.salvage if line.salvage is None else line.salvage)
    found = np.zeros(project.years + 1)
    for t in range(project.years):
        start = max(t, project.construction_years - 1) + 1
        found[start : start + life] += net[t] * kept / life
    found = found[: project.years]
    return (found + np.concatenate([[0.0], found[:-1]])) / 2.0 if rule.half_year else found


def _taxes(project: Project, values: Values) -> RiskTaxes:
    income = project.taxes.income
    losses = round(project.taxes.loss_years.value) if project.taxes.loss_years else 0
    full = _row(values, "rate.income_tax") if income is not None else np.zeros(project.years)
    bands = tuple((rate.value, quick.value) for rate, quick in project.taxes.land_bands)
    return RiskTaxes(_surcharges(project, values), full, loss_years=losses, land_bands=bands)


def _surcharges(project: Project, values: Values) -> np.ndarray:
    found = np.zeros(project.years)
    for name in project.taxes.surcharges:
        found = found + _row(values, f"rate.surcharge.{name}")
    return found


def _loan(project: Project, values: Values, shift: str) -> RiskLoan | None:
    """All loans of the plan as one signed schedule; None without any."""
    closing, drawn, interest = (_row(values, f"loans.{n}") for n in ("closing", "drawn", "interest"))
    if not (drawn > 0).any():
        return None
    opening = np.concatenate([[0.0], closing[:-1]])
    base = opening + 0.5 * drawn
    into = _row(values, "loans.construction_interest")
    serving = np.flatnonzero((_row(values, "loans.principal") + interest - into) > 0)
    worn = _row(values, "asset.interest.depreciation")
    signed = SignedLoan(
        opening, drawn, _row(values, "loans.capitalised"), _row(values, "loans.principal"), _over(into, interest),
        worn / into.sum() if into.sum() > 0 else np.zeros(project.years),
    )  # fmt: skip
    first, last = (int(serving[0]) + 1, int(serving[-1]) + 1) if len(serving) else (project.years, project.years)
    return RiskLoan(first, last, 1.0, _over(interest, base), 1.0, shift, signed=signed, interest_back=True)


def _over(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)


def _row(values: Values, name: str) -> np.ndarray:
    """One row by year; a row of one value stands for all years."""
    found = np.asarray(values[name], dtype=np.float64)
    return np.broadcast_to(found, (len(values["time.year"]),)) if len(found) == 1 else found
