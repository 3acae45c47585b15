"""Where a number of a project of money comes from (数值溯源)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qianmo.finance.sheet.words import amount_words, formula_words
from qianmo.finance.statements.explain import Step, explained, step_lines
from qianmo.finance.statements.indicators import Figure
from qianmo.jobs.context import Context
from qianmo.jobs.finance.model import FinanceModel, open_finance_file
from qianmo.jobs.finance.references import PROJECT_OPTION
from qianmo.jobs.finance.run import shown
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.schema.errors import SchemaError

__all__ = ["SPECS", "run"]

_DEPTH = 3


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Say what a figure is made of, then walk back from it to the lines of the file and the policy rows."""
    context.step("读取与计算", 0.0)
    model = open_finance_file(Path(values["file"]), values["project"])
    name, year, depth = values["figure"], values["year"], values["depth"]
    if not name:
        return JobReport(tuple(_listed(model)), (), {"figures": list(model.figures), "rows": list(model.sheet.rows)})
    if name not in model.figures and name not in model.sheet.rows:
        near = [n for n in (*model.figures, *model.sheet.rows) if name in n][:12]
        raise SchemaError(f"没有指标或行 {name!r}", expected=", ".join(near or model.figures), cure="不带 --figure 列出全部编号")
    if year is not None and not 1 <= year <= model.sheet.years:
        raise SchemaError(f"第 {year} 年在计算期之外", expected=f"1 至 {model.sheet.years}")
    most = 99 if depth == 0 else depth
    if name in model.figures:
        return _of_figure(model, model.figures[name], year, most)
    steps = explained(model.sheet, model.values, name, year or _first_year(model, name), depth=most)
    return JobReport(tuple(step_lines(steps)), (), {"steps": [_plain(s) for s in steps]})


def _of_figure(model: FinanceModel, figure: Figure, year: int | None, depth: int) -> JobReport:
    lines = [f"{figure.zh} = {shown(figure)}  ({figure.id})", f"  = {figure.words}"]
    lines += [f"  说明: {figure.note}"] if figure.note else []
    if figure.by_year and year:
        lines.append(f"  第 {year} 年: {figure.by_year[year - 1]:.6g}")
    steps: list[Step] = []
    for name in figure.rows:
        row, yearly = model.sheet.rows[name], model.values[name]
        lines += ["", f"{row.zh} ({name}): {'各年 ' if row.has_years else ''}{', '.join(amount_words(row, v) for v in yearly)}"]
        found = explained(model.sheet, model.values, name, year or _first_year(model, name), depth=depth)
        steps += found
        lines += step_lines(found)
    value = None if figure.value != figure.value else figure.value
    return JobReport(tuple(lines), (), {"figure": figure.id, "value": value, "unit": figure.unit, "words": figure.words, "note": figure.note, "steps": [_plain(s) for s in steps]})


def _first_year(model: FinanceModel, name: str) -> int:
    """The first year that is not zero, else year 1."""
    return next((t for t, v in enumerate(model.values[name], 1) if v != 0.0), 1) if model.sheet.rows[name].has_years else 1


def _listed(model: FinanceModel) -> list[str]:
    lines = ["指标:", *(f"  {f.id:<28}{f.zh} = {shown(f)}" for f in model.figures.values()), "", "算式表各行:"]
    for row in model.sheet.rows.values():
        words = "输入" if row.formula is None else f"= {formula_words(model.sheet, row.formula)}"
        lines.append(f"  {row.id:<36}{row.zh} [{row.unit}] {words}")
    return lines


def _plain(step: Step) -> dict[str, Any]:
    source = step.row.source
    found: dict[str, Any] = {"depth": step.depth, "row": step.row.id, "zh": step.row.zh, "unit": step.row.unit, "year": step.year, "value": step.value}
    if step.row.is_input:
        return found | {"file": source.file, "line": source.line, "key": source.key, "source": source.text, "confidence": source.confidence}
    return found | {"words": step.words, "numbers": step.numbers}


SPECS = (
    JobSpec(
        "finance-explain", "数值溯源: 公式、输入、单位与来源", "where a number comes from: formula, inputs, units, sources",
        (
            JobOption("file", "path", "项目资金文件 (TOML)", "file of project money (TOML)", required=True, positional=True),
            PROJECT_OPTION,
            JobOption("figure", "text", "指标或行的编号; 不写则列出全部", "id of a figure or a row; all are listed without it", default=""),
            JobOption("year", "integer", "年序 (从 1 起); 不写则取首个不为零的年份", "year from 1; the first that is not zero without it"),
            JobOption("depth", "integer", "回溯步数, 0 为直到输入", "steps back, 0 for all the way to the inputs", default=_DEPTH),
        ),
        run,
    ),
)  # fmt: skip
