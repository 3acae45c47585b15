"""Tables of pages: one description gives the page, its "why this number" and the Excel file (页面表格)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from qianmo.jobs.queries.page_tables import table_workbook
from qianmo.web.words import area, register, unit_word

__all__ = ["NUMBERS", "Head", "Sheet", "cell", "excel", "fen", "head_label", "money", "plain_value", "register"]

NUMBERS = ("money", "fen", "area", "number", "score", "share", "year", "count", "mixed")
"""Kinds of columns that hold figures."""

_WAN = 10_000


@dataclass(frozen=True)
class Head:
    """One column (列): what it is called, how its values are shown, and where its figures come from.

    Kinds: text, code, link, year, count, number, score, share, area (from m²), money (yuan shown in ten thousand), fen (yuan to the fen),
    mixed (m², yuan or a number, as ``unit`` of the row says).
    """

    key: str
    label: str
    kind: str = "text"
    why: str = ""

    @property
    def is_number(self) -> bool:
        """Whether it is set to the right."""
        return self.kind in NUMBERS


@dataclass(frozen=True)
class Sheet:
    """One table (表): its name in the address of its Excel file, its lines, the line of sums, and how it came about.

    `address` is that of its Excel file where it is no table of the library.
    """

    name: str
    title: str
    heads: tuple[Head, ...]
    rows: Sequence[Mapping[str, Any]]
    whole: Mapping[str, Any] | None = None
    why: tuple[str, ...] = ()
    query: str = ""
    address: str = ""

    @property
    def reasons(self) -> list[tuple[str, str]]:
        """Label and origin of each figure."""
        return [(h.label, h.why) for h in self.heads if h.why]


def excel(sheet: Sheet, *, stem: str = "library") -> HttpResponse:
    """The table as an Excel file (表格导出)."""
    heads = [(f"{h.label} ({_('yuan')})" if h.kind in ("money", "fen") else f"{h.label} ({_('m²')})" if h.kind == "area" else h.label, "number" if h.kind == "mixed" else h.kind) for h in sheet.heads]
    rows = [[plain_value(r.get(h.key)) for h in sheet.heads] for r in sheet.rows]
    whole = [plain_value(sheet.whole.get(h.key)) for h in sheet.heads] if sheet.whole else ()
    body = table_workbook(sheet.title, heads, rows, whole=whole, notes=[*sheet.why, *(f"{label}: {why}" for label, why in sheet.reasons)])
    response = HttpResponse(body, content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
    response.headers["Content-Disposition"] = f'attachment; filename="{stem}-{sheet.name}.xlsx"'
    return response


def plain_value(value: Any) -> Any:
    """A value without the blanks of tables (空值归一): None for NA and NaN, whole numbers as int."""
    if value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, tuple | list):
        return "、".join(str(v) for v in value)
    return value.item() if hasattr(value, "item") else value


@register.simple_tag(takes_context=True)
def head_label(context: dict[str, Any], head: Head) -> str:
    """Label of a column with its unit (列名)."""
    unit = {"money": _("10,000 yuan"), "fen": _("yuan"), "area": unit_word(context.get("unit", "mu"))}.get(head.kind, "")
    return f"{head.label} ({unit})" if unit else head.label


@register.simple_tag(takes_context=True)
def cell(context: dict[str, Any], head: Head, row: Mapping[str, Any]) -> SafeString | str:
    """One cell as the page shows it (单元格)."""
    value = plain_value(row.get(head.key))
    if value is None or value == "":
        return "—" if head.is_number else ""
    if head.kind == "mixed":
        return _mixed(context, float(value), str(row.get("unit", "")))
    if head.kind == "area":
        return area(context, float(value))
    if head.kind == "money":
        return money(float(value))
    if head.kind == "link":
        return format_html('<a href="{}">{}</a>', row["link"], value) if row.get("link") else str(value)
    return _shown(head.kind, value)


@register.filter
def money(yuan: float) -> SafeString:
    """Yuan in ten thousand, the whole amount behind it (万元)."""
    return format_html('<span title="{} {}">{}</span>', f"{yuan:,.2f}", _("yuan"), f"{yuan / _WAN:,.2f}")


@register.filter
def fen(yuan: Any) -> str:
    """Yuan to the fen, grouped by thousands (元, 到分)."""
    value = plain_value(yuan)
    return "" if value is None else f"{float(value):,.2f}"


def _mixed(context: dict[str, Any], value: float, unit: str) -> SafeString | str:
    if unit == "m2":
        return format_html("{} {}", area(context, value), unit_word(context.get("unit", "mu")))
    return format_html("{} {}", money(value), _("10,000 yuan")) if unit == "yuan" else _shown("number", value)


def _shown(kind: str, value: Any) -> str:
    match kind:
        case "fen":
            return f"{float(value):,.2f}"
        case "share":
            return f"{float(value):.2%}"
        case "score":
            return f"{float(value):.4f}"
        case "count":
            return f"{int(value):,}"
        case "year":
            return str(int(value))
        case "number":
            return f"{float(value):,.4f}".rstrip("0").rstrip(".")
    return str(value)
