"""Forms of rows: funds and their years, payments, order, floors (资金、用款与先后表单)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from qianmo.governance.library.cells import LISTS, cell_text, column_header, value_choices
from qianmo.governance.library.check_money import listed
from qianmo.schema.library import column_word
from qianmo.schema.tables import Column, table_spec
from qianmo.web.words import both

__all__ = ["ReasonForm", "RowForm", "column_field", "column_label", "row_initial", "rows_form", "text_words", "typed_rows"]

Choices = Mapping[str, Sequence[tuple[str, str]]]

_MOST_ROWS, _FRESH_ROWS = 200, 2


class ReasonForm(forms.Form):
    """Why something is changed; it stands in the log with who and when (改动理由)."""

    reason = forms.CharField(label=lazy("Reason of the change"), max_length=300, help_text=lazy("Stands in the log of changes with your name and the time."))


class RowForm(forms.Form):
    """One row of a table of the library: its columns but those that all rows of the form share."""

    def __init__(self, *args: Any, table: str, left_out: Sequence[str] = (), choices: Choices | None = None, **named: Any) -> None:
        super().__init__(*args, **named)
        for column in table_spec(table).columns:
            if column.name not in left_out:
                self.fields[column.name] = column_field(column, (choices or {}).get(column.name))

    def texts(self) -> dict[str, str]:
        """Column → text as in a sheet."""
        return {k: ";".join(v) if isinstance(v, list) else str(v if v is not None else "") for k, v in self.cleaned_data.items() if k != "DELETE"}

    def cells(self) -> list[dict[str, Any]]:
        """Fields with their labels for a row of a table."""
        return [{"field": self[n], "label": f.label, "is_number": f.widget.attrs.get("inputmode") == "decimal", "several": isinstance(f, forms.MultipleChoiceField)} for n, f in self.fields.items() if n != "DELETE"]


def rows_form(table: str, data: Any, initial: Sequence[Mapping[str, Any]], *, left_out: Sequence[str] = (), choices: Choices | None = None) -> forms.BaseFormSet:
    """A form of many rows with some blank ones at its end; a POST that asks for more rows is shown again with what it held (行表单)."""
    made = forms.formset_factory(RowForm, extra=_FRESH_ROWS, can_delete=True, max_num=_MOST_ROWS, absolute_max=2 * _MOST_ROWS)
    named = {"table": table, "left_out": tuple(left_out), "choices": choices}
    if data is not None and data.get("do") == "more":
        sent = made(data, prefix="r", form_kwargs=named)
        initial = [row for form in sent.forms if any((row := {n: f.field.widget.value_from_datadict(data, {}, form.add_prefix(n)) for n, f in _bound(form)}).values())]
        data = None
    words = {"missing_management_form": _("The form is not whole.")}
    return made(data, prefix="r", initial=[dict(r) for r in initial], form_kwargs=named, error_messages=words)


def typed_rows(formset: forms.BaseFormSet) -> list[RowForm]:
    """Rows that were filled in and are not to be removed."""
    return [f for f in formset.forms if (f.has_changed() or not f.empty_permitted) and not f.cleaned_data.get("DELETE")]


def row_initial(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """The cells of a row as its form begins (表单初值)."""
    found: dict[str, Any] = {}
    for c in table_spec(table).columns:
        found[c.name] = list(listed(row.get(c.name))) if c.name in LISTS else cell_text(c, row.get(c.name))
    return found


def column_field(column: Column, choices: Sequence[tuple[str, str]] | None = None) -> forms.Field:
    """The field of a column: its label with the unit, and what may be chosen (字段表单项)."""
    words = value_choices(column)
    told: dict[str, Any] = {"label": column_label(column), "required": column.required}
    if choices is not None and column.name in LISTS:
        return forms.MultipleChoiceField(**told, choices=list(choices), widget=forms.CheckboxSelectMultiple)
    if choices is not None:
        return forms.ChoiceField(**told, choices=[("", "—"), *choices])
    if words and column.name not in LISTS:
        return forms.ChoiceField(**told, choices=[("", "—"), *((zh, both(zh, en)) for zh, en in words.values())])
    if column.type == "boolean":
        return forms.ChoiceField(**told, choices=[("", "—"), ("是", _("yes")), ("否", _("no"))])
    if column.name in LISTS:
        several = "、".join(both(zh, en) for zh, en in words.values()) if words else ""
        return forms.CharField(**told, max_length=400, help_text=" ".join(x for x in (_("Several with a semicolon between."), several) if x))
    if column.type == "date":
        return forms.CharField(**told, max_length=10, widget=forms.DateInput(attrs={"type": "date"}))
    return forms.CharField(**told, max_length=400, widget=forms.TextInput(attrs={"inputmode": "decimal"} if column.type in ("integer", "real") else {}))


def column_label(column: Column) -> str:
    """What a column is called, with its unit (字段名称)."""
    unit = {"m2": " (m²)", "yuan": " (yuan)"}.get(column.unit, "")
    return both(column_header(column), f"{column_word(column.name)}{unit}")


def text_words(column: Column, text: str) -> str:
    """The text of a cell in the language of the page; amounts grouped by thousands (单元格用语)."""
    if column.unit in ("yuan", "m2"):
        try:
            return f"{float(text):,.2f}"
        except ValueError:
            return text
    words = {zh: both(zh, en) for zh, en in value_choices(column).values()}
    return "、".join(words.get(part, part) for part in text.split("；")) if words else text


def _bound(form: forms.BaseForm) -> list[tuple[str, Any]]:
    return [(n, form[n]) for n in form.fields if n != "DELETE"]
