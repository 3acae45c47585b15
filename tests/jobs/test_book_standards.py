"""The plan book holds what was evaluated by the quality standards, the service values and the pattern; figures are those of the tables, a new plan sends them away."""

from __future__ import annotations

import csv
import shutil
import unicodedata

import docx
import numpy as np
import openpyxl
import pytest

from qianmo.cli.main import main
from qianmo.jobs.planning.plan_area import run as plan
from qianmo.store.parquet import read_frame
from qianmo.store.project import open_project

TITLES = {
    "gradation_total": "农用地分等汇总表", "gradation_grade_area": "农用地等别面积表", "reclamation_total": "土地复垦质量评价汇总表", "reclamation_short": "土地复垦质量不达标指标表",
    "high_standard_total": "高标准农田达标评价汇总表", "high_standard_area": "高标准农田指标得分表", "high_standard_work": "高标准农田补齐措施表", "service_value": "生态系统服务价值与敏感性表",
    "pattern_whole": "景观格局指数表（整体）", "pattern_class": "景观格局指数表（分地类）",
}  # fmt: skip


def written(path, rows):
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        table = csv.DictWriter(out, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return path


@pytest.fixture(scope="module")
def evaluated(planned_youwuzhen, tmp_path_factory):
    base = tmp_path_factory.mktemp("standards")
    folder = base / "project"
    shutil.copytree(planned_youwuzhen, folder, symlinks=True)
    state = open_project(folder).state
    patches = read_frame(state / "layers" / "landuse_patch.parquet")
    dry = read_frame(state / "layers" / "plan_parcel.parquet").query("target_class == '0103'")["patch_id"].tolist()
    farm = patches[patches["class_code"].str.startswith("01")]["patch_id"]
    grading = written(base / "分等.csv", [{"标识码": p, "ph": "6.5", "yield_rice_kg_mu": "420", "yield_wheat_kg_mu": "270"} for p in farm])
    good = {"bulk_density_g_cm3": "1.3", "gravel_share": "0.05", "ph": "6.5", "organic_g_kg": "15", "slope_deg": "3"}
    sampled = written(base / "样点.csv", [{"BSM": p, "sample": f"样{k}", "depth_cm": d, **good} for k, (p, d) in enumerate(zip(dry, ("80", "30", "80")))])
    for words in (("quality", "--standard", "28407", "--indicators", grading), ("quality", "--standard", "30600", "--region", "southeast"),
                  ("quality", "--standard", "1036", "--region", "southeast", "--indicators", sampled), ("carbon",), ("pattern",), ("book",)):  # fmt: skip
        assert main([words[0], str(folder), *map(str, words[1:]), "--quiet"]) == 0
    return folder


def sheet_rows(folder, title):
    """Rows of the sheet of the workbook whose title ends so, below its column heads, by their first cell."""
    book = openpyxl.load_workbook(folder / "book" / "附表.xlsx", data_only=True)
    sheet = next(s for s in book.worksheets if str(s["A1"].value).endswith(title))
    return sheet, [list(row) for row in sheet.iter_rows(values_only=True)]


def test_every_evaluation_stands_in_the_book_with_its_source_and_unit(evaluated):
    book = openpyxl.load_workbook(evaluated / "book" / "附表.xlsx", data_only=True)
    titles = " ".join(str(s["A1"].value) for s in book.worksheets)
    assert not [t for t in TITLES.values() if t not in titles]
    for title in TITLES.values():
        _, rows = sheet_rows(evaluated, title)
        words = [str(c) for row in rows for c in row if c is not None]
        assert any("数据来源：成果表" in w for w in words) and "nan" not in words
        assert any(u in " ".join(words) for u in ("公顷", "个", "%"))
        assert any("置信度" in w or "可信度" in w or "没有估计参数" in w or "单价为区间" in w for w in words) or title == "农用地等别面积表", title
    text = "\n".join(p.text for p in docx.Document(str(evaluated / "book" / "实施方案.docx")).paragraphs)
    assert all(word in text for word in ("GB/T 28407", "TD/T 1036", "GB/T 30600", "当量因子法", "景观格局")) and "nan" not in text
    assert "所得不是正式等别" in text  # the shipped example parameters are named as such


def test_the_figures_of_the_book_are_those_of_the_tables(evaluated):
    state = open_project(evaluated).state / "tables"
    totals = read_frame(state / "gradation_total.parquet").set_index("zh")
    _, rows = sheet_rows(evaluated, TITLES["gradation_total"])
    shown = {str(r[0]): r for r in rows if isinstance(r[2], int | float)}
    for zh, row in totals.iterrows():
        name = unicodedata.normalize("NFKC", str(zh))
        found = next(v for k, v in shown.items() if unicodedata.normalize("NFKC", k) == name) if row["before"] == row["before"] else None
        assert found is None or found[2] == pytest.approx(row["before"])
    value, later = (read_frame(state / f"service_value_class{k}.parquet") for k in ("", "_after"))
    _, rows = sheet_rows(evaluated, TITLES["service_value"])
    classes = {r[0]: r for r in rows if r[0] in set(value["zh"]) | set(later["zh"])}
    assert sum(r[4] for r in classes.values()) == pytest.approx(np.nansum(value["value_yuan_yr"]) / 1e4)
    assert sum(r[5] for r in classes.values()) == pytest.approx(np.nansum(later["value_yuan_yr"]) / 1e4)
    pattern = read_frame(state / "pattern_class.parquet")
    _, rows = sheet_rows(evaluated, TITLES["pattern_class"])
    total = next(r for r in rows if r[0] == "合计")
    assert total[1] == pytest.approx(pattern["CA"].sum()) and total[3] == pattern["NP"].sum()
    # by another route: the classes of the parcels hold the area of the parcels
    assert pattern["CA"].sum() == pytest.approx(read_frame(open_project(evaluated).state / "layers" / "landuse_patch.parquet").geometry.area.sum() / 1e4, rel=1e-9)


def test_a_new_plan_sends_away_what_rested_on_the_old_one(evaluated, tmp_path, context):
    folder = tmp_path / "project"
    shutil.copytree(evaluated, folder, symlinks=True)
    plan(context, {"project": str(folder), "budget": 500, "start_year": None, "rule": None, "waive": None})
    left = {p.stem for p in (open_project(folder).state / "tables").iterdir()}
    assert not {"gradation_total", "gradation_patch", "gradation_lineage", "reclamation_total", "service_value_class"} & left
    assert {"pattern_class", "high_standard_total"} <= left  # they rest on the land as it is
