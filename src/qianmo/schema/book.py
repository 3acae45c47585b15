"""Records of a plan book: chapters, tables, map sheets (成果书)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qianmo.schema.errors import SchemaError

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Block",
    "Book",
    "BookColumn",
    "BookMap",
    "BookTable",
    "Bullets",
    "Chapter",
    "Heading",
    "MapBlock",
    "PLAN_COVER",
    "Paragraph",
    "TableBlock",
]

PLAN_COVER = (("编制单位", "office"), ("编制日期", "date"), ("数据时点", "vintage"), ("坐标系统", "crs_text"))
"""Rows of the cover of a plan book: what they are called, and the field of the book (封面)."""

NUMBER_FORMATS = ("text", "integer", "0.0", "0.00", "#,##0.00", "0.0000", "0.00%", "year")
"""Ways a cell can be shown; all but text and year may be summed."""


@dataclass(frozen=True)
class BookColumn:
    """One column of a printed table (表列).

    `formula` derives the column from others of the same row, such as ``{area_ha}*15``; a column name in braces
    stands for the cell. The frame still holds the value, so that every reader shows the same number.
    """

    name: str
    zh: str
    unit: str = ""
    number_format: str = "text"
    formula: str = ""


@dataclass(frozen=True, eq=False)
class BookTable:
    """One table of the book (附表).

    Parameters
    ----------
    key : str
        Machine name, unique in the book.
    frame : DataFrame
        The rows without a total; the columns are those of `columns`, in order.
    sums : tuple of str
        Columns that a total row sums.
    note, source : str
        A line under the table; where the numbers come from, in brackets where it is a result table of the project.
    synthetic : tuple of str
        Labels of the invented inputs the numbers rest on.
    empty : str
        What is said in place of rows when there are none: which data is missing.
    totals : tuple of (column, value)
        Figures of the total row that are no sums, such as an index of the whole area.
    row_formats : tuple of str
        Where each row has its own unit: the format of the numbers of each row, in place of the format of their column.
    """

    key: str
    title: str
    frame: pd.DataFrame
    columns: tuple[BookColumn, ...]
    sums: tuple[str, ...] = ()
    note: str = ""
    source: str = ""
    synthetic: tuple[str, ...] = ()
    empty: str = ""
    totals: tuple[tuple[str, float], ...] = ()
    row_formats: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = tuple(c.name for c in self.columns)
        if tuple(self.frame.columns) != names:
            raise SchemaError(f"book table {self.key}: frame has columns {list(self.frame.columns)}", expected=", ".join(names))
        strange = [c.number_format for c in self.columns if c.number_format not in NUMBER_FORMATS]
        if strange:
            raise SchemaError(f"book table {self.key}: number formats {strange}", expected=", ".join(NUMBER_FORMATS))
        strange = [f for f in self.row_formats if f not in NUMBER_FORMATS]
        if strange or len(self.row_formats) not in (0, len(self.frame)):
            raise SchemaError(f"book table {self.key}: row formats {self.row_formats}", expected="none, or one number format a row")
        unsummable = [n for n in self.sums if n not in names or self.column(n).number_format in ("text", "year")]
        if unsummable:
            raise SchemaError(f"book table {self.key}: cannot sum {unsummable}", expected="numeric columns of the table")

    @property
    def source_words(self) -> str:
        """Where the numbers come from, for the line under the table: a source in Chinese words as it is, names of result tables behind 成果表."""
        return self.source if "\u3400" <= self.source[:1] <= "\u9fff" else f"成果表{self.source}"

    def formats(self, column: BookColumn) -> tuple[str, ...]:
        """Number format of each cell of a column."""
        own = self.row_formats and column.number_format == "0.00"
        return self.row_formats if own else (column.number_format,) * len(self.frame)

    def column(self, name: str) -> BookColumn:
        """Return the column called `name`.

        Raises
        ------
        SchemaError
            No such column.
        """
        for c in self.columns:
            if c.name == name:
                return c
        raise SchemaError(f"book table {self.key} has no column {name}")


@dataclass(frozen=True)
class BookMap:
    """One map sheet as a PNG (图件). `size_mm` is the paper size at which the numeric scale is true."""

    key: str
    title: str
    png: bytes
    note: str = ""
    synthetic: tuple[str, ...] = ()
    size_mm: tuple[float, float] = (420.0, 297.0)


@dataclass(frozen=True)
class Heading:
    """A heading inside a chapter (节标题); `level` 2 or 3."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """A paragraph (段落). ``[[table:key]]`` and ``[[map:key]]`` in the text become 表n and 图n."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list of points (条目)."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class TableBlock:
    """The place of a table (表的位置)."""

    key: str


@dataclass(frozen=True)
class MapBlock:
    """The place of a map sheet (图的位置)."""

    key: str


Block = Heading | Paragraph | Bullets | TableBlock | MapBlock


@dataclass(frozen=True)
class Chapter:
    """One chapter or annex (章). `number` is printed before the title: 第一章, 附件."""

    number: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, eq=False)
class Book:
    """A plan book ready to be set in Word, PDF or Excel (成果书).

    `tables` and `maps` stand in the order of their numbers: the first table is 表1. `synthetic` labels the invented
    inputs; every page shows them. `cover` says what the rows of the cover are called, as (label, field of the book); a row
    without a value is left out. Without it the cover is that of a plan book (`PLAN_COVER`), with every row.
    """

    title: str
    subtitle: str
    office: str
    date: str
    vintage: str
    crs_text: str
    synthetic: tuple[str, ...]
    chapters: tuple[Chapter, ...]
    tables: tuple[BookTable, ...]
    maps: tuple[BookMap, ...]
    cover: tuple[tuple[str, str], ...] = ()

    @property
    def cover_rows(self) -> tuple[tuple[str, str], ...]:
        """Rows of the cover as (label, field)."""
        return tuple((label, name) for label, name in self.cover if getattr(self, name)) if self.cover else PLAN_COVER

    def table_number(self, key: str) -> int:
        """Number of a table from 1.

        Raises
        ------
        SchemaError
            The book has no such table.
        """
        return _place(key, [t.key for t in self.tables], "table") + 1

    def map_number(self, key: str) -> int:
        """Number of a map from 1.

        Raises
        ------
        SchemaError
            The book has no such map.
        """
        return _place(key, [m.key for m in self.maps], "map") + 1

    def table(self, key: str) -> BookTable:
        """The table called `key`."""
        return self.tables[self.table_number(key) - 1]

    def map(self, key: str) -> BookMap:
        """The map called `key`."""
        return self.maps[self.map_number(key) - 1]

    def blocks(self) -> Iterator[Block]:
        """Every block of every chapter in order."""
        for chapter in self.chapters:
            yield from chapter.blocks


def _place(key: str, keys: list[str], what: str) -> int:
    if key not in keys:
        raise SchemaError(f"the book has no {what} {key!r}", expected=", ".join(keys) or "none")
    return keys.index(key)
