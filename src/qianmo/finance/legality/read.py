"""The table ``[legality]`` of a project file: what contracts, votes and maps say (读取合规事实)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from qianmo.finance.legality.project_facts import project_facts
from qianmo.finance.project.positions import key_lines, line_of
from qianmo.schema.errors import FinanceInputError, SchemaError

__all__ = ["Told", "legality_of"]

_OWN = ("on", "thresholds")


@dataclass(frozen=True)
class Told:
    """What the file tells (文件所载): the day, the facts, the local thresholds."""

    on: date | None
    values: Mapping[str, Any]
    thresholds: Mapping[str, Any]


def legality_of(data: Mapping[str, Any], *, file: str, text: str = "") -> Told:
    """The table of a parsed file, empty where it has none (合规事实表).

    Parameters
    ----------
    data : mapping
        The parsed TOML.
    file, text : str
        Its name and text, for messages.

    Raises
    ------
    FinanceInputError
        An unknown fact, a value of the wrong kind, a threshold of no rule: file, line and key are named.
    """
    table = data.get("legality", {})
    lines = key_lines(text)
    if not isinstance(table, Mapping):
        raise FinanceInputError("legality 应为一张表", file=file, line=line_of(lines, ("legality",)), key="legality", expected="[legality]")
    on = table.get("on")
    if on is not None and type(on) is not date:
        raise FinanceInputError(f"{on!r} 不是日期", file=file, line=line_of(lines, ("legality", "on")), key="legality.on", expected="不带引号的日期, 如 2026-01-01")
    thresholds = table.get("thresholds", {})
    if not isinstance(thresholds, Mapping):
        raise FinanceInputError(
            "thresholds 应为一张表", file=file, line=line_of(lines, ("legality", "thresholds")), key="legality.thresholds", expected="[legality.thresholds]"
        )
    for name, value in table.items():
        if name not in _OWN:
            _checked(lambda n=name, v=value: project_facts({n: v}, date.min), file, lines, (name,))  # type: ignore[misc]
    for rule_id, value in thresholds.items():
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise FinanceInputError(f"{value!r} 不是阈值", file=file, line=line_of(lines, ("legality", "thresholds", rule_id)), key=rule_id, expected="数值或文字")
        _checked(lambda r=rule_id, v=value: project_facts({}, date.min, overrides={r: v}), file, lines, ("thresholds", rule_id))  # type: ignore[misc]
    return Told(on, {k: v for k, v in table.items() if k not in _OWN}, dict(thresholds))


def _checked(check: Any, file: str, lines: Mapping[Any, int], keys: tuple[str, ...]) -> None:
    try:
        check()
    except SchemaError as fault:
        place = ("legality", *keys)
        raise FinanceInputError(fault.found, file=file, line=line_of(lines, place), key=".".join(place), expected=fault.expected, cure=fault.cure) from None
