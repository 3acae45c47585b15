"""The workbook of a project of money: live formulas, one a row, recalculated by LibreOffice equal to the engine."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from qianmo.finance.project.invent import invented_project
from qianmo.finance.project.read import project_from
from qianmo.finance.sheet.evaluate import computed
from qianmo.finance.sheet.expression import After, Before, Call, Earlier, Here, Number
from qianmo.finance.statements.indicators import figures_of
from qianmo.finance.statements.settle import settled
from qianmo.jobs.finance.model import open_finance_file
from qianmo.reports.finance_workbook import CALCULATIONS, CHECKS, FIGURES, INPUTS, finance_workbook
from qianmo.reports.sheet_formula import Places, excel_formula_of
from qianmo.schema.errors import FinanceInputError, SchemaError

KINDS = ("bond", "transfer", "after_tax")
ALWAYS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>"""
"""A profile of LibreOffice that recalculates every file it opens."""


def parts(case):
    """Project, sheet, values, figures of the example or of an invented project."""
    if isinstance(case, Path):
        model = open_finance_file(case)
        return model.project, model.sheet, model.values, model.figures
    for seed in range(1000):
        project = project_from(invented_project(np.random.default_rng(seed)), file="invented")
        has = {"bond": any(ln.nature == "special_bond" for ln in project.loans), "transfer": project.transfers, "after_tax": any(ln.after_tax for ln in project.loans)}
        if not project.loans or not has[case]:
            continue
        sheet, values = settled(project)
        try:
            return project, sheet, values, figures_of(project, values)
        except FinanceInputError:  # no return, or more debt than investment
            continue
    raise AssertionError(f"no invented project with a {case}")


@pytest.fixture(scope="module")
def simple(repo):
    return parts(repo / "examples/finance/eod_simple.toml")


@pytest.fixture(scope="module")
def recalculated(repo, simple, tmp_path_factory):
    """Workbooks without stored values, opened and saved by LibreOffice; one with a price changed by hand."""
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice (soffice) is not installed: workbooks cannot be recalculated here")
    folder = tmp_path_factory.mktemp("workbooks")
    made = {kind: finance_workbook(*parts(kind), stored=False) for kind in KINDS} | {"simple": finance_workbook(*simple, stored=False)}
    for name, book in made.items():
        (folder / f"{name}.xlsx").write_bytes(book.content)
    changed = openpyxl.load_workbook(folder / "simple.xlsx")
    cell = next(row[3] for row in changed[INPUTS].iter_rows(min_row=5) if row[0].value == "line.quota.factor2")
    assert cell.value == 15
    cell.value = 21.5
    changed.save(folder / "changed.xlsx")
    profile = folder / "profile" / "user"
    profile.mkdir(parents=True)
    (profile / "registrymodifications.xcu").write_text(ALWAYS, encoding="utf-8")
    out = folder / "out"
    files = [str(p) for p in sorted(folder.glob("*.xlsx"))]
    subprocess.run(
        [office, "--headless", f"-env:UserInstallation=file://{profile.parent}", "--convert-to", "xlsx", "--outdir", str(out), *files],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    return made, {p.stem: openpyxl.load_workbook(p, data_only=True) for p in out.glob("*.xlsx")}


def differs(found, wanted) -> bool:
    if isinstance(wanted, str):
        return (found or "") != wanted
    return not isinstance(found, int | float) or abs(found - wanted) > 1e-9 * max(1.0, abs(wanted))


@pytest.mark.parametrize("name", ["simple", *KINDS])
def test_every_cell_recalculated_by_libreoffice_equals_the_engine(recalculated, name):
    made, books = recalculated
    cells = made[name].cells
    assert len(cells) > 3000
    wrong = [(at, wanted, books[name][at[0]][at[1]].value) for at, wanted in cells.items() if differs(books[name][at[0]][at[1]].value, wanted)]
    assert not wrong, wrong[:5]


def test_an_input_changed_by_hand_moves_everything_as_the_engine_says(recalculated, simple):
    _, books = recalculated
    project, sheet, values, _ = simple
    moved = computed(sheet, inputs={"line.quota.factor2": [21.5]})
    assert moved["flow.before_tax"] != values["flow.before_tax"]
    changed = finance_workbook(project, sheet, moved, figures_of(project, moved))
    wrong = [at for at, wanted in changed.cells.items() if differs(books["changed"][at[0]][at[1]].value, wanted)]
    assert not wrong, wrong[:5]


def test_a_row_has_one_formula_that_could_be_filled_to_the_right(simple):
    book = openpyxl.load_workbook(io.BytesIO(finance_workbook(*simple).content))
    for sheet in book.worksheets:
        for row in sheet.iter_rows(min_row=5, min_col=8, max_col=7 + simple[0].years):
            shapes = {shape(c) for c in row if isinstance(c.value, str) and c.value.startswith("=")}
            assert len(shapes) <= 1, (sheet.title, row[0].row, shapes)


def shape(cell) -> str:
    """A formula with its relative columns counted from its own."""
    def moved(m: re.Match[str]) -> str:
        return m[0] if m[1] else f"C[{openpyxl.utils.column_index_from_string(m[2]) - cell.column}]{m[3]}"

    return re.sub(r"(\$?)\b([A-Z]{1,3})(\$?\d+)\b", moved, cell.value)


def test_inputs_hold_no_formulas_and_calculations_no_plain_numbers(simple):
    book = openpyxl.load_workbook(io.BytesIO(finance_workbook(*simple).content))
    inputs = [c.value for r in book[INPUTS].iter_rows(min_row=5) for c in r]
    assert not [v for v in inputs if isinstance(v, str) and v.startswith("=")]
    for name in (CALCULATIONS, FIGURES, CHECKS):
        for row in book[name].iter_rows(min_row=5, min_col=8, max_col=7 + simple[0].years):
            assert not [c.coordinate for c in row if isinstance(c.value, int | float)], name


def test_all_sheets_have_their_years_in_the_same_columns_and_units_on_every_row(simple):
    project = simple[0]
    book = openpyxl.load_workbook(io.BytesIO(finance_workbook(*simple).content))
    tables = [s for s in book.worksheets if s.title not in ("说明", "图表")]
    assert len(tables) == 12
    for sheet in tables:
        assert [sheet.cell(3, 8 + t).value for t in range(project.years)] == list(range(1, project.years + 1))
        for row in sheet.iter_rows(min_row=5, max_col=3):
            assert row[2].value or not row[0].value or row[1].value is None, (sheet.title, row[0].row)


def test_the_same_project_gives_the_same_bytes(simple):
    assert finance_workbook(*simple).content == finance_workbook(*simple).content


def test_stored_values_are_there_for_readers_that_do_not_recalculate(simple):
    made = finance_workbook(*simple)
    book = openpyxl.load_workbook(io.BytesIO(made.content), data_only=True)
    assert not [at for at, wanted in made.cells.items() if differs(book[at[0]][at[1]].value, wanted)]


def test_formulas_keep_their_brackets():
    places = Places({"a": ("输入", 4, True), "k": ("输入", 5, False), "time.year": ("计算", 4, True)}, 3)
    a, k = Here("a"), Here("k")
    assert excel_formula_of((a - (k - 1)) * 2, places, 1) == "('输入'!H5-('输入'!$D$6-1))*2"
    assert excel_formula_of(a / (k * k), places, 2) == "'输入'!I5/('输入'!$D$6*'输入'!$D$6)"
    assert excel_formula_of(Before("a") + After("a"), places, 1) == "'输入'!G5+'输入'!I5"
    assert excel_formula_of(Earlier("a", k), places, 3) == "IF('计算'!J5>'输入'!$D$6,INDEX('输入'!$H5:$J5,1,'计算'!J5-('输入'!$D$6)),0)"
    assert excel_formula_of(Number(-1) + a, places, 1) == "(-1)+'输入'!H5"
    with pytest.raises(SchemaError, match="no spreadsheet formula"):
        excel_formula_of(Call("sin", (a,)), places, 1)
