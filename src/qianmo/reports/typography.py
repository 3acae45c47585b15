"""Chinese punctuation, printable characters, and numbers in words (文字排版)."""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from numbers import Real
from typing import Any

from qianmo.schema.shipped import shipped_rows
from qianmo.schema.units import M2_PER_HA, MU_PER_HA, m2_to_mu

__all__ = ["area_text", "cell_text", "chinese_text", "count_text", "money_text", "percent_text", "quantity_text", "word"]

_HAN = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_FULL = {",": "，", ";": "；", ":": "：", "!": "！", "?": "？"}
_AFTER_HAN = re.compile(rf"(?<=[{_HAN}）》〕」”])[,;:!?]\s*")
_BEFORE_HAN = re.compile(rf"[,;:]\s*(?=[{_HAN}])")
_BRACKETS = re.compile(rf"(?P<before>(?:[{_HAN}]\s?)?)\((?P<inside>[^()]*)\)")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028\u2029\u2060-\u206f\ufeff\ud800-\udfff\ufffe\uffff]")
_POWER = re.compile(r"(?<![A-Za-z0-9_])(k?m)([23])(?![A-Za-z0-9_])")
_YUAN_PER_WAN = 10_000.0


def chinese_text(text: str) -> str:
    """The text with full-width punctuation beside Chinese characters and without control characters (全角标点).

    Examples
    --------
    >>> chinese_text("现状,规划(2023)共3处:EPSG:4546")
    '现状，规划（2023）共3处：EPSG:4546'
    """
    text = _POWER.sub(lambda m: m[1] + "²³"[int(m[2]) - 2], _CONTROL.sub("", text))
    text = _BRACKETS.sub(_bracket, text)
    return _BEFORE_HAN.sub(lambda m: _FULL[m.group()[0]], _AFTER_HAN.sub(lambda m: _FULL[m.group()[0]], text))


def area_text(area_m2: float) -> str:
    """An area in hectares and mu (公顷与亩).

    Examples
    --------
    >>> area_text(20000.0)
    '2.00公顷（30.00亩）'
    """
    return f"{_fixed(area_m2 / M2_PER_HA)}公顷（{_fixed(m2_to_mu(area_m2))}亩）"


def money_text(yuan: float) -> str:
    """Money in units of ten thousand yuan (万元)."""
    return f"{_fixed(yuan / _YUAN_PER_WAN)}万元"


def percent_text(share: float) -> str:
    """A fraction as a percentage with two decimals (百分比)."""
    return f"{_fixed(share, shift=2)}%"


def quantity_text(value: float, unit: str) -> str:
    """A quantity with its unit; areas in hectares and mu whatever unit they come in, ratios as percentages (数量)."""
    per_unit = {"亩": M2_PER_HA / MU_PER_HA, "mu": M2_PER_HA / MU_PER_HA, "公顷": M2_PER_HA, "ha": M2_PER_HA, "m2": 1.0, "平方米": 1.0}
    if unit in per_unit:
        return area_text(value * per_unit[unit])
    if unit in ("ratio", "比值"):
        return percent_text(value)
    shown = _fixed(value)
    return (shown.rstrip("0").rstrip(".") if "." in shown else shown) + word("unit", unit)


def count_text(number: float) -> str:
    """A whole number (整数)."""
    return f"{round(number)}"


def cell_text(value: Any, number_format: str) -> str:
    """One table cell as printed; blanks, NaN and NA give '—' for numbers and '' for text (表格单元)."""
    if value is None or value != value or type(value).__name__ == "NAType":
        return "" if number_format == "text" else "—"
    if number_format == "text":
        return chinese_text(str(value))
    number = float(value)
    if math.isinf(number):
        return "—"
    if number_format in ("integer", "year"):
        return _fixed(number, 0)
    if number_format.endswith("%"):
        return percent_text(number)
    if number_format.startswith("#,"):
        return f"{float(_fixed(number)):,.2f}"
    return _fixed(number, len(number_format) - 2)


@cache
def word(group: str, code: str) -> str:
    """Chinese word of a machine word from ``codes/report_words.csv``; the machine word itself where there is none."""
    for row in shipped_rows("codes", "report_words"):
        if row["group"] == group and row["code"] == code:
            return row["zh"]
    return code


def _fixed(number: Real | float, digits: int = 2, *, shift: int = 0) -> str:
    """Rounded half up on the decimal digits, as spreadsheets show the same number; `shift` 2 gives per cent."""
    exact = Decimal(f"{float(number):.15g}").scaleb(shift)
    shown = f"{exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP):f}"
    return shown.lstrip("-") if float(shown) == 0 else shown


def _bracket(found: re.Match[str]) -> str:
    before, inside = found["before"], found["inside"]
    wide = bool(before) or re.search(f"[{_HAN}]", inside)
    return f"{before.strip()}（{inside}）" if wide else found.group()
