"""Values of a project file that stand elsewhere: a plan, a plant, a price list (引用的数值)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from qianmo.finance.project.entry import Entry, document
from qianmo.finance.project.positions import Path, key_lines
from qianmo.finance.sheet.row import Source
from qianmo.schema.errors import FinanceInputError, QianmoError, RuleError
from qianmo.schema.rules import parameters, unit_costs

__all__ = ["WORDS", "Referred", "priced", "referred_values"]

WORDS = ("plan", "plant", "price", "parameter")
"""Words before the colon: the plan of the planning engine, the plant of a file, the shipped prices and parameters."""

_LEVELS = {"low": "低值", "default": "默认值", "high": "高值"}


@dataclass(frozen=True)
class Referred:
    """What a reference stands for (引用值): a number or text with unit, who says so, and how sure it is."""

    value: float | str
    text: str
    confidence: str = ""


def referred_values(
    data: Mapping[str, Any], look: Callable[[str, str], Referred], *, file: str, text: str = ""
) -> tuple[dict[str, Any], dict[Path, Source]]:
    """The data with every reference replaced by its value, and where each came from (代入引用).

    Parameters
    ----------
    data : mapping
        The parsed file. A reference is a text such as ``plan:new_farmland``, alone or in a list.
    look : function of word and name
        Gives the value of ``word:name``; raises a `QianmoError` where there is none.
    file, text : str
        Name and text of the file, for messages.

    Returns
    -------
    dict
        Like `data`, without references.
    dict of path to Source
        For every reference that was replaced, as `project_from` takes them.

    Raises
    ------
    FinanceInputError
        A reference leads nowhere; file, line and key are named.
    """
    origins: dict[Path, Source] = {}
    return _table(document(data, file, key_lines(text)), look, origins), origins


def priced(word: str, name: str) -> Referred:
    """A shipped unit price ``price:C-MINE``, ``price:C-MINE.high``, or parameter ``parameter:reclaim_accept_rate`` (单价与参数).

    Raises
    ------
    RuleError
        No such price, level or parameter.
    """
    if word == "parameter":
        found = parameters().get(name)
        if found is None:
            raise RuleError(f"没有参数 {name!r}", expected="schema/parameters/parameters.csv 中的名称")
        return Referred(found.value(), f"参数 {name}: {found.source}", found.confidence)
    item, _, level = name.partition(".")
    cost = unit_costs().get(item)
    if cost is None or (level and level not in _LEVELS):
        raise RuleError(f"没有单价 {name!r}", expected="schema/parameters/unit_costs.csv 中的编号, 可带 .low、.default、.high")
    value = {"low": cost.low, "default": cost.default, "high": cost.high}[level or "default"]
    told = f"{cost.zh}({item} {_LEVELS[level or 'default']}, 区间 {cost.low:g} 至 {cost.high:g} {cost.unit}; {cost.source})"
    return Referred(f"{value!r} {_unit(cost.unit)}", told, cost.confidence)


def _unit(unit: str) -> str:
    """The unit of the price list in the units of a project file: ``% of works`` is a share, ``W(dc)`` a watt."""
    return "%" if unit.startswith("% of") else unit.replace("(dc)", "")


def _table(entry: Entry, look: Callable[[str, str], Referred], origins: dict[Path, Source]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in entry.data.items():
        if isinstance(value, Mapping):
            found[key] = _table(entry.child(key), look, origins)
        elif isinstance(value, list) and value and all(isinstance(v, Mapping) for v in value):
            found[key] = [_table(e, look, origins) for e in entry.children(key)]
        elif isinstance(value, list):
            found[key] = [_value(entry, key, v, (n,), look, origins) for n, v in enumerate(value)]
        else:
            found[key] = _value(entry, key, value, (), look, origins)
    return found


def _value(entry: Entry, key: str, value: Any, place: Path, look: Callable[[str, str], Referred], origins: dict[Path, Source]) -> Any:
    word, colon, name = value.partition(":") if isinstance(value, str) else ("", "", "")
    if not colon or word.strip() not in WORDS:
        return value
    try:
        found = look(word.strip(), name.strip())
    except FinanceInputError:
        raise
    except QianmoError as fault:
        entry.fail(key, f"{value!r}: {fault.found}", expected=fault.expected, cure=fault.cure)
    origins[(*entry.path, key, *place)] = entry.source(key, f"{value} = {found.value}, {found.text}", found.confidence)
    return found.value
