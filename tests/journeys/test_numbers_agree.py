"""Same source, same number: text, tables, workbook and PDF of one book hold the same figures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from itertools import accumulate
from pathlib import Path

import docx
import openpyxl
import pypdfium2
import pytest
from docx.table import Table
from docx.text.paragraph import Paragraph

DECIMAL = re.compile(r"\d+\.\d+%?")
CAPTION = re.compile(r"表(\d+)  ")
NOT_MEASURED = ("编制参数", "用时", "影子价格")
"""Sentences whose figures are parameters of the office or of the solver's run, not results."""


@pytest.fixture(scope="module")
def text_and_tables(made: Path) -> tuple[list[str], dict[int, list[list[str]]]]:
    """Paragraphs of the Word file, and its tables by the number in their caption."""
    document = docx.Document(str(made / "book" / "实施方案.docx"))
    texts: list[str] = []
    tables: dict[int, list[list[str]]] = {}
    number = 0
    for element in document.element.body:
        if element.tag.endswith("}p"):
            text = Paragraph(element, document).text
            found = CAPTION.match(text)
            number = int(found[1]) if found else number
            texts.append(text)
        elif element.tag.endswith("}tbl"):
            tables[number] = [[c.text for c in row.cells] for row in Table(element, document).rows]
    return texts, tables


@pytest.fixture(scope="module")
def sheets(made: Path) -> dict[int, list[list[object]]]:
    """Rows of the sheets of the workbook, as numbers with their formats, by table number."""
    book = openpyxl.load_workbook(made / "book" / "附表.xlsx", data_only=True)
    return {int(re.match(r"表(\d+) ", s.title)[1]): [list(r) for r in s.iter_rows(min_row=5)] for s in book.worksheets[1:]}  # type: ignore[index]


def shown(value: float, number_format: str) -> str:
    """What a spreadsheet shows: halves away from zero, on fifteen digits."""
    digits = len(number_format.rstrip("%").partition(".")[2])
    number = Decimal(f"{value:.15g}") * (100 if number_format.endswith("%") else 1)
    text = f"{number.quantize(Decimal(10) ** -digits, ROUND_HALF_UP):f}" + ("%" if number_format.endswith("%") else "")
    return text.lstrip("-") if not float(text.rstrip("%")) else text


def test_every_figure_of_a_word_table_is_that_of_its_sheet(text_and_tables, sheets):
    checked = 0
    for number, rows in text_and_tables[1].items():
        for row, cells in zip(rows[1:], sheets[number], strict=False):
            for text, cell in zip(row, cells, strict=False):
                if isinstance(cell.value, int | float) and cell.number_format != "@":
                    assert text == shown(float(cell.value), cell.number_format), (number, row[0], text, cell.value)
                    checked += 1
    assert checked > 400


def test_word_and_pdf_print_the_same_figures(made, text_and_tables):
    texts, tables = text_and_tables
    in_word = {x for t in texts for x in DECIMAL.findall(t)} | {x for t in tables.values() for r in t for c in r for x in DECIMAL.findall(c)}
    document = pypdfium2.PdfDocument(str(made / "book" / "实施方案.pdf"))
    whole = "\n".join(page.get_textpage().get_text_range() for page in document)
    in_pdf = set(DECIMAL.findall(whole)) | set(DECIMAL.findall(re.sub(r"\s", "", whole)))
    assert in_word - in_pdf == set()


def _allowed(cells: list[list[object]]) -> Iterator[float]:
    """Figures a sentence may take from a table: cells, sums of rows that share a word, sums of first rows, shares of a column."""
    for k in range(max(len(r) for r in cells)):
        column = [(r[0].value, r[k].value, r) for r in cells if k < len(r) and isinstance(r[k].value, int | float)]
        whole = [float(v) for name, v, _ in column if name != "合计"]
        groups = {w: 0.0 for r in cells for c in r if isinstance(w := c.value, str)}
        for _, value, row in column:
            for word in {c.value for c in row if isinstance(c.value, str)}:
                groups[word] += float(value)
        sums = [*(float(v) for _, v, _ in column), *groups.values(), *accumulate(whole)]
        yield from sums
        if sum(whole):
            yield from (s / sum(whole) for s in sums)


def test_every_figure_of_the_text_comes_from_a_table_it_names(text_and_tables, sheets):
    """Hectares, yuan and shares are in a named table, or are sums or shares of its rows; mu are fifteen times hectares."""
    cited: list[int] = []
    checked, strange = 0, []
    for text in text_and_tables[0]:
        if CAPTION.match(text) or text.startswith(("注", "图")):
            continue
        cited = [int(n) for n in re.findall(r"表(\d+)", text)] or cited
        if any(w in text for w in NOT_MEASURED) or "得分" in text:
            continue
        values = [v for n in cited for v in _allowed(sheets[n])]
        for figure in DECIMAL.findall(text):
            wanted = float(figure.rstrip("%"))
            scaled = [v * 100 for v in values] if figure.endswith("%") else [x for v in values for x in (v, v * 15)]
            checked += 1
            least = 0.51 * 10.0 ** -len(figure.rstrip("%").partition(".")[2])
            if not any(abs(abs(v) - wanted) <= least for v in scaled):
                strange.append((figure, cited, text[:60]))
    assert strange == []
    assert checked > 120


def test_no_english_word_is_left_in_the_text(text_and_tables):
    """Identifiers in brackets (keys of project.toml), codes of fields and names of result tables are meant; sentences are not."""
    allowed = re.compile(r"[(（][a-z0-9_、，\s]+[)）]|成果表[a-z_]+|EPSG:\d+|CGCS2000|HiGHS（SciPy）|[A-Z]{2,}[A-Z0-9]*|[DZYEGJFV]-\d\d|GDLX\(PD/TT\)|1 m2")
    left = {t[:80] for t in text_and_tables[0] if re.search(r"[A-Za-z]{3,}", allowed.sub("", t))}
    assert left == set()
