"""A row of the sheet: one formula or one input for all years, with its unit and where it comes from (行)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from qianmo.finance.sheet.expression import Expression, references
from qianmo.schema.errors import SchemaError

__all__ = ["Row", "Sheet", "Source"]


@dataclass(frozen=True)
class Source:
    """Where an input comes from (来源): a line of the file, a policy row, or both.

    `line` is the line in the file from 1, 0 when the value is not written there; `text` says who published it.
    """

    file: str = ""
    line: int = 0
    key: str = ""
    text: str = ""
    confidence: str = ""

    def words(self) -> str:
        """The source as one reads it."""
        place = f"{self.file} 第 {self.line} 行 {self.key}" if self.line else self.file or ""
        doubt = {"low": "可信度低, 待核实", "medium": "可信度中, 待核实"}.get(self.confidence, "")
        return "; ".join(part for part in (place, self.text, doubt) if part)


@dataclass(frozen=True)
class Row:
    """One row (行).

    Parameters
    ----------
    id : str
        Dotted name, as ``loan.bank.interest``.
    zh : str
        Chinese label.
    unit : str
        Chinese unit: 分, 亩, 元/亩, 年, 比例, 标志 …
    section : str
        Part of the sheet it stands in.
    formula : Expression or None
        None for an input.
    values : tuple of float
        The input: one value, or one a year.
    has_years : bool
        False for a row with one value.
    source : Source
        Of an input.
    total : str
        What the column of totals shows: ``sum``, ``last``, or nothing.
    """

    id: str
    zh: str
    unit: str
    section: str
    formula: Expression | None = None
    values: tuple[float, ...] = ()
    has_years: bool = True
    source: Source = field(default_factory=Source)
    total: str = "sum"

    @property
    def is_input(self) -> bool:
        """True for a value given from outside."""
        return self.formula is None


@dataclass(frozen=True)
class Sheet:
    """All rows by id for a number of years (算式表)."""

    rows: dict[str, Row]
    years: int

    @classmethod
    def of(cls, rows: Iterable[Row], years: int) -> Sheet:
        """A sheet whose every reference leads to a row.

        Raises
        ------
        SchemaError
            Two rows of one id, a reference to no row, or an input with the wrong number of values.
        """
        found: dict[str, Row] = {}
        for row in rows:
            if row.id in found:
                raise SchemaError(f"two rows are called {row.id}", expected="one row of that name")
            if row.is_input and len(row.values) != (years if row.has_years else 1):
                raise SchemaError(f"row {row.id} has {len(row.values)} values", expected=f"{years if row.has_years else 1}")
            found[row.id] = row
        sheet = cls(found, years)
        for row in found.values():
            for name in sheet.names(row):
                if name not in found:
                    raise SchemaError(f"row {row.id} refers to {name}", expected="a row of the sheet")
        return sheet

    def names(self, row: Row) -> Iterator[str]:
        """Ids of the rows that the formula of a row refers to."""
        if row.formula is not None:
            for part in references(row.formula):
                yield part.row  # type: ignore[attr-defined]
