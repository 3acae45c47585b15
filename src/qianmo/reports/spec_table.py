"""A result table printed by its specification: columns, labels, units, formats (按表结构打印)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from qianmo.schema.book import BookColumn, BookTable
from qianmo.schema.measures import measures
from qianmo.schema.tables import Column, table_spec

__all__ = ["spec_table"]

_UNITS = {"ha": "公顷", "grade": "等", "ratio": "", "degree": "度", "kg/mu": "千克/亩", "mu": "亩", "year": "年", "t": "吨", "wan_yuan": "万元", "count": "个", "mixed": "", "index": "", "1/yr": "1/年", "m2": "平方米"}
_FINE = ("", "ratio", "1/yr")


def spec_table(
    name: str, frame: pd.DataFrame, *, title: str = "", hide: Collection[str] = (), sums: Sequence[str] = (), note: str = "", synthetic: tuple[str, ...] = (), empty: str = "",
) -> BookTable:  # fmt: skip
    """A table of ``schema/tables`` as a printed one (成果表).

    Parameters
    ----------
    title : str
        Name of the table by default.
    hide : columns left out, such as codes of words that stand beside them
    sums : columns that the total row sums

    Returns
    -------
    BookTable
        Numbers without unit with four decimals, others with two; a code of works is told by its name.
    """
    spec = table_spec(name)
    kept = [c for c in spec.columns if c.name not in hide]
    shown = frame[[c.name for c in kept]].reset_index(drop=True)
    shown = shown.assign(**{c.name: _words(shown[c.name], c) for c in kept if c.type == "text"})
    columns = tuple(BookColumn(c.name, c.zh, _UNITS.get(c.unit, c.unit), _shape(c)) for c in kept)
    return BookTable(name, title or spec.zh, shown, columns, tuple(sums), note, "", synthetic, empty)


def _words(values: pd.Series, column: Column) -> pd.Series:
    text = values.astype(object).where(values.notna(), "")
    if column.codes == "measures":
        text = text.map(lambda m: measures()[m].zh if m in measures() else "")
    return pd.Series(np.asarray(text, object), index=values.index, dtype=object)


def _shape(column: Column) -> str:
    if column.type == "text":
        return "text"
    return "integer" if column.type == "integer" else "0.0000" if column.unit in _FINE else "0.00"
