"""The plan book: fourteen chapters and annexes from the results of the other rooms (全域土地综合整治实施方案)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from qianmo.reports.marks import Synthetic, marked
from qianmo.reports.plan_aims import aims_chapter, basic_farmland_chapter, layout_chapter, subproject_chapter, tenure_chapter
from qianmo.reports.plan_material import REQUIRED_TABLES, Material
from qianmo.reports.plan_state import general_chapter, potential_chapter, present_chapter, problem_chapter, region_chapter
from qianmo.reports.plan_tables import book_tables
from qianmo.reports.plan_works import annexes, benefit_chapter, money_chapter, safeguard_chapter, time_chapter
from qianmo.reports.table_frames import Results
from qianmo.schema.book import Block, Book, BookMap, BookTable, Bullets, Chapter, Paragraph, TableBlock
from qianmo.schema.errors import SchemaError

__all__ = ["compose"]

_CHAPTERS = (
    general_chapter, region_chapter, present_chapter, problem_chapter, potential_chapter, aims_chapter, layout_chapter, subproject_chapter,
    basic_farmland_chapter, tenure_chapter, money_chapter, time_chapter, benefit_chapter, safeguard_chapter,
)  # fmt: skip
_REFERENCE = re.compile(r"\[\[(table|map):(\w+)\]\]")


def compose(
    results: Results, *, project_name: str, office: str, date: str, vintage: str, crs_text: str, synthetic: Synthetic = (),
    maps: Sequence[BookMap] = (), swaps_basic_farmland: bool | None = None,
) -> Book:
    """Write the plan book (编制实施方案).

    Every number comes from a result table and names the printed table that holds it; where a result is missing, the
    chapter says which data is missing.

    Parameters
    ----------
    results : mapping
        Result tables of evaluation and planning by name, ``certificate``, ``basic_farmland_form`` (form_row, block,
        label_zh, value), ``faults_summary`` (rule, severity, what, count), ``lineage`` (dataset, source, sha256, crs,
        class_scheme, vintage, synthetic, rows). Any may be missing.
    project_name, office, date, vintage, crs_text : str
        Of the cover; `date` as it is to be printed.
    synthetic : mapping of dataset to label, or labels
        Invented inputs; with a mapping each table carries only those it rests on.
    maps : sequence of BookMap
        From :func:`qianmo.reports.maps.maps_for`.
    swaps_basic_farmland : bool, optional
        False when permanent basic farmland is known to stay as it is.

    Returns
    -------
    Book
        Tables numbered in the order in which they are placed; tables that only the workbook holds come after them.

    Raises
    ------
    SchemaError
        A result lacks a column or contradicts itself.
    """
    tables = book_tables(results, synthetic=synthetic)
    if swaps_basic_farmland is False:
        tables["basic_farmland_form"] = replace(tables["basic_farmland_form"], empty="本方案不调整永久基本农田布局，本表不填报")
    material = Material(
        results, tables, project_name, office, date, vintage, crs_text, marked(synthetic, ["*"]), frozenset(b.key for b in maps), swaps_basic_farmland
    )
    chapters = tuple([write(material) for write in _CHAPTERS] + annexes(material, tuple(maps)))
    ordered = _ordered(tables, chapters)
    book = Book(project_name, "实施方案", office, date, vintage, crs_text, material.synthetic, chapters, ordered, tuple(maps))
    return replace(book, chapters=tuple(_numbered(c, book) for c in chapters))


def _ordered(tables: dict[str, BookTable], chapters: Sequence[Chapter]) -> tuple[BookTable, ...]:
    placed = [b.key for c in chapters for b in c.blocks if isinstance(b, TableBlock)]
    if len(set(placed)) != len(placed):
        raise SchemaError(f"tables placed twice: {sorted({k for k in placed if placed.count(k) > 1})}", expected="one place a table")
    rest = [k for k, t in tables.items() if k not in placed and (len(t.frame) or k in REQUIRED_TABLES)]
    return tuple(tables[k] for k in [*placed, *rest])


def _numbered(chapter: Chapter, book: Book) -> Chapter:
    return replace(chapter, blocks=tuple(_resolved(b, book) for b in chapter.blocks))


def _resolved(block: Block, book: Book) -> Block:
    def number(found: re.Match[str]) -> str:
        return f"表{book.table_number(found[2])}" if found[1] == "table" else f"图{book.map_number(found[2])}"

    if isinstance(block, Paragraph):
        return Paragraph(_REFERENCE.sub(number, block.text))
    if isinstance(block, Bullets):
        return Bullets(tuple(_REFERENCE.sub(number, i) for i in block.items))
    return block


