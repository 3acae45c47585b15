"""Make the plan book: Word, PDF, Excel, map sheets (编制成果书)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from qianmo.jobs.book.book_survey import survey_maps, survey_results
from qianmo.jobs.context import Context
from qianmo.jobs.opened import PLAN_LAYERS, SWAP_LAYERS, Opened, open_for_work
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.reports.document import word
from qianmo.reports.maps import maps_for
from qianmo.reports.marks import marked
from qianmo.reports.patch_sheet import Cover, carbon_maps, quality_maps
from qianmo.reports.pdf import pdf
from qianmo.reports.plan_book import compose
from qianmo.reports.rain_chart import rain_chart
from qianmo.reports.tables import workbook
from qianmo.schema.errors import MissingDataError
from qianmo.store.durable import replace_bytes
from qianmo.store.parquet import read_frame

__all__ = ["SPECS", "run"]


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Compose the book from the tables of the project and write it; files are replaced one by one, each in one step."""
    context.step("读取成果", 0.0)
    opened = open_for_work(Path(values["project"]))
    results = _results(opened) | survey_results(opened)
    if "plan_parcel" not in results:
        raise MissingDataError("项目还没有方案 (no plan)", cure="先运行 qianmo plan")
    template = _template(values["template"])
    project, day = opened.project, f"{context.clock():%Y年%m月%d日}"
    office = str(values["office"] or project.settings.get("office", {}).get("name", "")) or "（编制单位未填写）"
    crs_text = f"CGCS2000 国家大地坐标系, 高斯-克吕格投影 (EPSG:{opened.patches.crs.to_epsg()}); 面积为椭球面积"
    swaps = "basic_farmland_out" in opened.layers
    context.step("绘制图件", 0.1)
    maps = maps_for(
        opened.layers, results["plan_parcel"], project_name=project.name, crs_text=crs_text, date=day, vintage=opened.vintage, office=office,
        synthetic=opened.synthetic, options=results.get("measure_options"), swaps_basic_farmland=swaps, scheme=opened.scheme,
    )  # fmt: skip
    if "rain_summary" in results:
        maps.append(rain_chart(results["rain_month"], results["rain_summary"], synthetic=marked(opened.synthetic, ("rain_day",))))
    cover = Cover(project.name, crs_text, day, opened.vintage, office, opened.synthetic)
    if "carbon_patch" in results:
        maps += carbon_maps(opened.patches, results["carbon_patch"], opened.layers.get("village"), cover)
    if "quality_patch" in results:
        maps += quality_maps(opened.patches, results["quality_patch"], opened.layers.get("village"), cover)
    maps += survey_maps(context, opened, results, cover)
    context.step("编写实施方案", 0.6)
    book = compose(
        results, project_name=project.name, office=office, date=day, vintage=opened.vintage, crs_text=crs_text, synthetic=opened.synthetic,
        maps=maps, swaps_basic_farmland=swaps,
    )  # fmt: skip
    folder = Path(values["out"]) if values["out"] else project.folder / "book"
    files = [(folder / f"图件/{n:02d}_{m.title}.png", m.png, "图件") for n, m in enumerate(book.maps, 1)]
    context.step("排版 Word", 0.7)
    files.append((folder / "实施方案.docx", word(book, template=template), "实施方案 (可编辑)"))
    context.step("排版 PDF", 0.8)
    files.append((folder / "实施方案.pdf", pdf(book), "实施方案"))
    context.step("生成附表", 0.92)
    sheets = workbook(
        book.tables, title=book.title, office=office, date=day, vintage=opened.vintage, crs_text=crs_text, synthetic=book.synthetic, made=context.clock()
    )
    files.append((folder / "附表.xlsx", sheets, "附表 (含公式)"))
    for path, data, _ in files:
        replace_bytes(path, data)
    shown = tuple((str(p), what) for p, _, what in files if what != "图件")
    return JobReport(
        (f"成果书: {len(book.chapters)} 章, {len(book.tables)} 张表, {len(book.maps)} 幅图",),
        (*shown, (str(folder / "图件"), f"{len(book.maps)} 幅图件 (PNG)")), {"maps": len(book.maps), "tables": len(book.tables)},
    )  # fmt: skip


def _results(opened: Opened) -> dict[str, Any]:
    folder = opened.project.state / "tables"
    found: dict[str, Any] = {p.stem: read_frame(p) for p in sorted(folder.glob("*.parquet"))}
    found |= {p.stem: json.loads(p.read_text(encoding="utf-8")) for p in sorted(folder.glob("*.json"))}
    found["verdicts"] = found.get("plan_verdicts", found.get("verdicts"))
    if "swap_form" in found:
        found["basic_farmland_form"] = found["swap_form"]
    found["lineage"] = pd.DataFrame(
        [
            (d.zh, d.lineage.source, d.lineage.source_sha256, d.crs, d.class_scheme, d.vintage, d.synthetic, None if d.kind == "raster" else d.rows)
            for d in opened.datasets.values()
            if d.kind not in (*PLAN_LAYERS, "fault") and d.name not in SWAP_LAYERS
        ],
        columns=["dataset", "source", "sha256", "crs", "class_scheme", "vintage", "synthetic", "rows"],
    )
    fault = opened.project.state / "layers" / "fault.parquet"
    faults = read_frame(fault) if fault.is_file() else pd.DataFrame({"rule": [], "severity": [], "what": []})
    found["faults_summary"] = faults.groupby(["rule", "severity", "what"], as_index=False).size().rename(columns={"size": "count"})
    return found


def _template(path: str | None) -> bytes | None:
    if not path:
        return None
    if not Path(path).is_file():
        raise MissingDataError(f"没有模板 {path}", expected="一个 .docx 文件")
    return Path(path).read_bytes()


SPECS = (
    JobSpec(
        "book", "编制成果书", "Word, PDF, Excel and map sheets of the plan",
        (
            JobOption("project", "path", "项目文件夹", "project folder", required=True, positional=True),
            JobOption("out", "path", "输出文件夹", "folder for the files, the project's book/ by default"),
            JobOption("office", "text", "编制单位", "office that makes the plan"),
            JobOption("template", "path", "单位 Word 模板", "Word template of the office"),
        ),
        run,
    ),
)  # fmt: skip
