"""The model of a project of money as a workbook with live formulas (财务模型工作簿)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qianmo.jobs.context import Context
from qianmo.jobs.finance.model import open_finance_file
from qianmo.jobs.finance.references import PROJECT_OPTION
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.reports.finance_workbook import finance_workbook
from qianmo.schema.errors import SchemaError
from qianmo.store.finance_file import write_bytes_once

__all__ = ["SPECS", "run"]


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Write the workbook: inputs, calculations, eight statements, figures, checks, charts."""
    source = Path(values["file"])
    out = Path(values["out"] or source.with_suffix(".xlsx").name)
    if out.suffix.lower() != ".xlsx":
        raise SchemaError(f"输出文件 {out}", expected="以 .xlsx 结尾的文件名")
    context.step("读取与计算", 0.0)
    model = open_finance_file(source, values["project"])
    context.step("写工作簿", 0.5)
    book = finance_workbook(model.project, model.sheet, model.values, model.figures, made=context.clock().replace(tzinfo=None))
    write_bytes_once(out, book.content)
    figures = {"file": str(out), "formulas": len(book.cells), "rows": len(model.sheet.rows), "bytes": len(book.content)}
    return JobReport((f"{model.project.name}: {len(book.cells)} 个公式, {len(model.sheet.rows)} 行算式",), ((str(out), "带公式的财务模型 (输入、计算、八张报表、指标、校验、图表)"),), figures)


SPECS = (
    JobSpec(
        "finance-workbook", "财务模型工作簿 (带公式的 XLSX)", "the model as a workbook with live formulas",
        (
            JobOption("file", "path", "项目资金文件 (TOML)", "file of project money (TOML)", required=True, positional=True),
            PROJECT_OPTION,
            JobOption("out", "path", "输出的 .xlsx; 默认与资金文件同名", "the .xlsx to write; the name of the file by default"),
        ),
        run,
    ),
)  # fmt: skip
