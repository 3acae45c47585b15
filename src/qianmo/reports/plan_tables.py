"""The tables of an implementation plan, from the result tables of the other rooms (实施方案附表)."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from qianmo.reports.formulas import computed, formula_columns
from qianmo.reports.marks import Synthetic, marked
from qianmo.reports.table_frames import PREPARED, Results, result_frame, totals_of
from qianmo.reports.typography import cell_text
from qianmo.schema.book import BookColumn, BookTable
from qianmo.schema.errors import SchemaError
from qianmo.schema.shipped import shipped_rows

__all__ = ["book_tables", "column_totals", "derived_values"]

_SAME = 2e-6
"""Largest difference between a given figure and its formula: 0.01 m2 in hectares, and the same share of large figures."""


def book_tables(results: Results, *, synthetic: Synthetic = ()) -> dict[str, BookTable]:
    """Every table of the plan by key; one without data is there with the words that say so.

    Parameters
    ----------
    results : mapping
        Result tables and the certificate, with the columns of the contract between the rooms.
    synthetic : mapping of dataset to label, or labels
        Invented inputs.

    Returns
    -------
    dict of str to BookTable
        In the order of ``codes/report_tables.csv``; areas in hectares, money in 10 000 yuan.

    Raises
    ------
    SchemaError
        A result lacks a column, or gives a figure that is not what its formula makes of the others.
    """
    made = {}
    for row in shipped_rows("codes", "report_tables"):
        key, marks = row["table"], marked(synthetic, row["uses"].split(";"))
        made[key] = _funding(results, row, marks) if key == "funding" else _listed(results, row, marks)
    return made


def column_totals(table: BookTable) -> dict[str, float]:
    """Total row of a table: sums, formulas of sums, and figures given for the whole area."""
    sums = {name: float(np.nansum(table.frame[name].to_numpy(float))) for name in table.sums}
    for c in table.columns:
        if c.formula and c.name not in sums and sums and set(formula_columns(c.formula)) <= set(sums):
            sums[c.name] = float(computed(c.formula, {k: np.array(v) for k, v in sums.items()}, sums))
    return sums | dict(table.totals) if sums else {}


def derived_values(frame: pd.DataFrame, columns: tuple[BookColumn, ...], sums: tuple[str, ...]) -> pd.DataFrame:
    """The frame with every formula column computed; a column that is there already must agree.

    Raises
    ------
    SchemaError
        A given figure differs from its formula.
    """
    frame = frame.copy()
    for c in (c for c in columns if c.formula):
        values = {n: frame[n].to_numpy(float) for n in formula_columns(c.formula)}
        totals = {n: float(np.nansum(frame[n].to_numpy(float))) for n in formula_columns(c.formula)}
        new = np.broadcast_to(computed(c.formula, values, totals), (len(frame),))
        if c.name in frame:
            _agree(frame[c.name].to_numpy(float), new, c)
        frame[c.name] = new
    return frame[[c.name for c in columns]]


def _listed(results: Results, row: dict[str, str], marks: tuple[str, ...]) -> BookTable:
    key = row["table"]
    columns, sources, sums = _columns(key)
    raw = PREPARED[key](results) if key in PREPARED else result_frame(results, row["result"])
    if raw is None or raw.empty:
        frame = pd.DataFrame({c.name: pd.Series(dtype=object if c.number_format == "text" else float) for c in columns})
        return BookTable(key, row["title"], frame, columns, (), row["note"], row["result"], marks, row["empty"])
    missing = [s for s, _ in sources.values() if s not in raw.columns]
    if missing:
        raise SchemaError(f"result {row['result']} lacks columns {missing}", expected=", ".join(s for s, _ in sources.values()))
    frame = pd.DataFrame({name: _scaled(raw[s], factor) for name, (s, factor) in sources.items()})
    frame = derived_values(frame.reset_index(drop=True), columns, sums)
    totals = tuple(totals_of(results, key).items())
    shapes = tuple(str(f) for f in raw["row_format"]) if "row_format" in raw.columns else ()
    return _rounded_note(BookTable(key, row["title"], frame, columns, sums, row["note"], row["result"], marks, "", totals, shapes))


@cache
def _columns(key: str) -> tuple[tuple[BookColumn, ...], dict[str, tuple[str, float]], tuple[str, ...]]:
    rows = [r for r in shipped_rows("codes", "report_columns") if r["table"] == key]
    columns = tuple(BookColumn(r["column"], r["zh"], r["unit"], r["format"], r["formula"]) for r in rows)
    sources = {r["column"]: (r["source"], float(r["factor"] or 0)) for r in rows if r["source"]}
    return columns, sources, tuple(r["column"] for r in rows if r["sum"] == "1")


def _scaled(values: pd.Series, factor: float) -> pd.Series:
    if not factor:
        return values.reset_index(drop=True)
    return (pd.to_numeric(values).astype(float) * factor).round(10).reset_index(drop=True)


def _funding(results: Results, row: dict[str, str], marks: tuple[str, ...]) -> BookTable:
    raw = result_frame(results, "funding")
    first = BookColumn("source", "资金来源")
    if raw is None:
        frame = pd.DataFrame({"source": pd.Series(dtype=object)})
        return BookTable("funding", row["title"], frame, (first,), (), row["note"], "funding", marks, row["empty"])
    years = sorted({int(y) for y in raw["year"]})
    wide = raw.assign(year=raw["year"].astype(int)).pivot_table(index="source", columns="year", values="yuan", aggfunc="sum", sort=False)
    names = [f"y{y}" for y in years]
    frame = (wide[years].fillna(0.0) / 1e4).round(10).set_axis(names, axis=1).reset_index()
    total = BookColumn("total_wan", "合计", "万元", "0.00", "+".join(f"{{{n}}}" for n in names))
    columns = (first, *(BookColumn(f"y{y}", f"{y}年", "万元", "0.00") for y in years), total)
    sums = (*names, "total_wan")
    made = BookTable("funding", row["title"], derived_values(frame, columns, sums), columns, sums, row["note"], "funding", marks)
    return _rounded_note(made)


def _agree(given: np.ndarray, new: np.ndarray, column: BookColumn) -> None:
    wrong = np.flatnonzero(~np.isclose(given, new, rtol=1e-9, atol=_SAME, equal_nan=True))
    if len(wrong):
        row = int(wrong[0])
        raise SchemaError(
            f"column {column.name} ({column.zh}) of row {row} is {given[row]}", expected=f"{column.formula} = {new[row]}", cure="结果表内部不一致, 请重新计算"
        )


def _rounded_note(table: BookTable) -> BookTable:
    totals = column_totals(table)
    for name in table.sums:
        shown = [cell_text(v, table.column(name).number_format) for v in table.frame[name]]
        parts = sum(float(s.replace(",", "")) for s in shown if s != "—")
        if cell_text(parts, table.column(name).number_format) != cell_text(totals[name], table.column(name).number_format):
            note = "；".join(n for n in (table.note, "因四舍五入，分项之和与合计在末位可能有微差") if n)
            return replace(table, note=note)
    return table
