"""The main job, whole: raw files of a real catchment to a plan book."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import docx
import openpyxl
import pypdfium2
import pytest

from qianmo.store.parquet import read_frame
from qianmo.store.project import open_project


def pages(made: Path) -> list[str]:
    document = pypdfium2.PdfDocument(str(made / "book" / "实施方案.pdf"))
    return [page.get_textpage().get_text_range() for page in document]


def test_the_book_has_its_files(made):
    names = {p.name for p in (made / "book").iterdir()}
    assert {"实施方案.docx", "实施方案.pdf", "附表.xlsx", "图件"} <= names
    sheets = list((made / "book" / "图件").glob("*.png"))
    assert len(sheets) >= 10 and all(p.read_bytes()[:4] == b"\x89PNG" for p in sheets)


def test_every_pdf_page_is_marked_synthetic(made):
    texts = pages(made)
    assert len(texts) > 20
    assert all("合成" in t for t in texts)


def test_the_word_file_has_fourteen_chapters_and_the_mark_in_its_header(made):
    document = docx.Document(str(made / "book" / "实施方案.docx"))
    heads = [p.text for p in document.paragraphs if p.style.name == "Heading 1"]
    assert len(heads) >= 14
    assert any("合成" in p.text for s in document.sections for p in s.header.paragraphs + s.footer.paragraphs)
    assert len(document.tables) >= 10


def test_the_workbook_has_live_sums_that_equal_their_values(made):
    path = made / "book" / "附表.xlsx"
    formulas, values = openpyxl.load_workbook(path), openpyxl.load_workbook(path, data_only=True)
    checked = 0
    for sheet in formulas.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, str) and cell.value.startswith("=SUM("):
                    first, last = cell.value[5:-1].split(":")
                    column = [c.value or 0 for r in values[sheet.title][f"{first}:{last}"] for c in r]
                    assert values[sheet.title][cell.coordinate].value == pytest.approx(sum(column), abs=1e-6)
                    checked += 1
    assert checked >= 5


def test_one_number_is_the_same_in_table_word_and_pdf(made):
    state = open_project(made / "project").state
    structure = read_frame(state / "tables" / "land_structure.parquet")
    total = f"{structure['area_m2'].sum() / 1e4:.2f}"
    assert any(total in t.replace(",", "") for t in pages(made))
    text = "".join(p.text for p in docx.Document(str(made / "book" / "实施方案.docx")).paragraphs)
    assert total in text.replace(",", "")


def test_the_plan_keeps_every_square_metre(made):
    tables = open_project(made / "project").state / "tables"
    plan, flows = read_frame(tables / "plan_parcel.parquet"), read_frame(tables / "flow_matrix.parquet")
    before = read_frame(tables / "land_structure.parquet")
    assert round(plan["area_m2"].sum(), 2) == round(before["area_m2"].sum(), 2) == round(flows["area_m2"].sum(), 2)
    assert plan["reason"].str.len().gt(3).all()
    indicators = read_frame(tables / "indicators.parquet")
    assert (indicators["group"] == "jingshan").sum() == 5
    costs = read_frame(tables / "cost_by_measure.parquet")
    assert costs["total_yuan"].sum() <= 2000e4 + 0.01


def test_nothing_in_the_office_files_points_outside(made):
    for name in ("实施方案.docx", "附表.xlsx"):
        with zipfile.ZipFile(io.BytesIO((made / "book" / name).read_bytes())) as archive:
            for member in archive.namelist():
                if member.endswith(".rels"):
                    assert b'TargetMode="External"' not in archive.read(member)


def test_the_services_of_the_plan_are_recomputed_and_the_error_is_printed(made):
    tables = open_project(made / "project").state / "tables"
    found = read_frame(tables / "service_check.parquet").set_index("quantity")
    assert list(found.index) == ["carbon_t", "soil_loss_t_yr", "service_value_yuan_yr", "grade_area_ha", "habitat_ha", "water_yield_m3_yr"]
    assert (found.loc[["carbon_t", "service_value_yuan_yr", "water_yield_m3_yr"], "error"].abs() < 1e-6).all()
    options = read_frame(tables / "measure_options.parquet").set_index(["patch_id", "measure", "target_class"])
    works = read_frame(tables / "plan_parcel.parquet").query("measure != 'keep'")
    chosen = options.loc[list(zip(works["patch_id"], works["measure"], works["target_class"]))]
    assert found.loc["carbon_t", "exact"] == pytest.approx(chosen["carbon_t"].sum())
    assert any("线性化误差" in t for t in pages(made))
