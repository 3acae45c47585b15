"""A risk model from a plain mapping, as a TOML file gives it (由映射建立风险模型)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from qianmo.finance.fen import to_fen
from qianmo.finance.risk.marginals import marginal_from
from qianmo.finance.risk.model import RiskInput, RiskLine, RiskLoan, RiskModel, RiskTaxes
from qianmo.finance.risk.uncertain import uncertain_from
from qianmo.schema.errors import SchemaError

__all__ = ["correlation_from", "inputs_from", "risk_model_from"]

_INPUT = {"name", "zh", "effect", "unit"}


def risk_model_from(given: Mapping[str, Any]) -> RiskModel:
    """A model from numbers, texts and lists (读取风险模型).

    Parameters
    ----------
    given : mapping
        ``years, operation_year, discount_rate`` and lists ``line`` (the fields of `RiskLine`, with ``amount_yuan`` a list by
        year or a table of spans as ``"3-22" = 1800.0`` in yuan a year) and ``input`` (name, zh, effect, unit and the fields of
        its distribution); tables ``taxes`` and ``loan``; list ``correlation`` with ``inputs`` (two names) and ``value``;
        ``nearest``, ``first``.

    Returns
    -------
    RiskModel
        Money in whole fen.

    Raises
    ------
    SchemaError
        A key is unknown or missing, or a value does not fit; the part and name are said.
    """
    known = {"years", "operation_year", "discount_rate", "line", "input", "taxes", "loan", "correlation", "nearest", "first"}
    if set(given) - known or not {"years", "operation_year", "discount_rate", "line"} <= set(given):
        raise SchemaError(f"a risk model with {', '.join(sorted(given))}", expected=f"years, operation_year, discount_rate, line and of {', '.join(sorted(known))}")
    years = int(given["years"])
    told = uncertain_from(given)
    inputs = inputs_from(told.inputs)
    lines = [_line(row, years) for row in given["line"]]
    return RiskModel(
        years, int(given["operation_year"]), float(given["discount_rate"]), lines, inputs, _made(RiskTaxes, given.get("taxes", {}), "taxes"),
        _made(RiskLoan, given["loan"], "loan") if "loan" in given else None, correlation_from(told.pairs, inputs),
        told.nearest, str(given.get("first", "end_of_year_one")),
    )  # fmt: skip


def inputs_from(rows: Sequence[Mapping[str, Any]]) -> list[RiskInput]:
    """Uncertain inputs from a list of tables (读取不确定因素).

    Parameters
    ----------
    rows : sequence of mapping
        As `uncertain.uncertain_from` gives them: ``name, zh, effect, unit`` and the fields of the distribution, see `marginals.marginal_from`.

    Returns
    -------
    list of RiskInput

    Raises
    ------
    SchemaError
        The distribution does not fit.
    """
    found = []
    for row in rows:
        name = str(row["name"])
        marginal = marginal_from({k: v for k, v in row.items() if k not in _INPUT}, name)
        found.append(RiskInput(name, str(row.get("zh", name)), marginal, str(row.get("effect", "factor")), str(row.get("unit", ""))))
    return found


def correlation_from(pairs: Sequence[Mapping[str, Any]], inputs: Sequence[RiskInput]) -> np.ndarray | None:
    """Correlation matrix from pairs, None without any (读取相关系数).

    Parameters
    ----------
    pairs : sequence of mapping
        ``inputs`` two names, ``value`` the correlation of their normal scores.
    inputs : sequence of RiskInput

    Returns
    -------
    array (inputs, inputs) or None

    Raises
    ------
    SchemaError
        A name is unknown, or a pair comes twice.
    """
    if not pairs:
        return None
    places = {x.name: k for k, x in enumerate(inputs)}
    matrix, told = np.eye(len(inputs)), set()
    for pair in pairs:
        names = [str(n) for n in pair.get("inputs", ())]
        if len(names) != 2 or names[0] == names[1] or not set(names) <= set(places) or "value" not in pair or frozenset(names) in told:
            raise SchemaError(f"相关系数 {dict(pair)}", expected=f"{', '.join(places)} 中两个不同因素和 value, 每对只写一次")
        told.add(frozenset(names))
        i, j = (places[n] for n in names)
        matrix[i, j] = matrix[j, i] = float(pair["value"])
    return matrix


def _line(row: Mapping[str, Any], years: int) -> RiskLine:
    told = dict(row)
    name = str(told.get("name", ""))
    if not name or "amount_yuan" not in told:
        raise SchemaError(f"科目只写了 {', '.join(sorted(told))}", expected="name, nature, amount_yuan")
    told["amount_fen"] = to_fen(_amounts(told.pop("amount_yuan"), years, name))
    told["drivers"] = tuple(told.get("drivers", ()))
    found: RiskLine = _made(RiskLine, told, name)
    return found


def _amounts(given: Any, years: int, name: str) -> np.ndarray:
    if not isinstance(given, Mapping):
        return np.asarray(given, dtype=np.float64)
    amounts = np.zeros(years)
    for span, value in given.items():
        first, _, last = str(span).partition("-")
        if not first.isdigit() or not (last or first).isdigit() or not 1 <= int(first) <= int(last or first) <= years:
            raise SchemaError(f"{name}: 年份 {span!r}", expected=f"1 到 {years} 之间的一年或如 3-22 的一段")
        amounts[int(first) - 1 : int(last or first)] += float(value)
    return amounts


def _made(kind: Any, told: Mapping[str, Any], where: str) -> Any:
    try:
        return kind(**told)
    except TypeError as wrong:
        raise SchemaError(f"{where}: {str(wrong).replace(kind.__name__ + '.__init__() ', '')}", expected=", ".join(kind.__dataclass_fields__)) from None
