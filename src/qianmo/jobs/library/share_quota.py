"""Share a provincial total among the counties of a table, within floors and caps (省级统筹: 指标分配)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qianmo.governance.quota import CRITERIA, allocate_quota, county_scores, stepped_shares, transfers
from qianmo.jobs.context import Context
from qianmo.jobs.plain_table import plain_table
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.reports.quota_tables import share_table, transfer_table
from qianmo.reports.tables import workbook
from qianmo.reports.text_table import text_table
from qianmo.schema.errors import SchemaError
from qianmo.schema.rules import parameter
from qianmo.store.durable import replace_bytes

__all__ = ["SPECS", "run"]

_HEADS = {
    "行政区代码": "code", "县代码": "code", "县": "name", "县名": "name", "行政区名称": "name", "现有": "stock", "需求": "demand", "潜力": "potential", "生态约束": "ecology_limit",
    "保底": "floor", "上限": "cap",
}  # fmt: skip
_NUMBERS = (*CRITERIA, "floor")
_MEANING = "行政区代码、县名、现有、需求、潜力、生态约束 (0 至 1)、保底, 可另有上限; 列名可用中文或 code, name, stock, demand, potential, ecology_limit, floor, cap"


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Read the table, share the total, and say who has more than enough and who too little; exit code 1 where a gap cannot be met by others."""
    context.step("读取县级指标", 0.0)
    total, step, unit, kind = float(values["total"]), float(values["step"]), str(values["unit"]), str(values["kind"])
    counties = _counties(Path(values["file"]))
    _check_total(total, step)
    context.step("分配", 0.4)
    floors, caps = counties["floor"].to_numpy(), counties["cap"].fillna(np.inf).to_numpy()
    counties["score"] = county_scores(counties)
    counties["share"] = stepped_shares(allocate_quota(total, counties["score"].to_numpy(), floors, np.minimum(caps, total)), step, floors, np.minimum(caps, total))
    have, need = (counties["stock"], counties["share"]) if kind == "task" else (counties["share"], counties["demand"])
    counties["gap"] = have - need
    passed = transfers(have.to_numpy(), need.to_numpy())
    moved = passed.assign(**{c: counties["name"].to_numpy()[passed[c].to_numpy(dtype=int)] for c in ("origin", "destination")})
    weights = ", ".join(f"{zh} {parameter(f'quota_weight_{c}'):g}" for c, zh in zip(CRITERIA, ("资源禀赋", "用地需求", "整治潜力", "生态约束 (取反)")))
    note = f"先给各县保底, 余数按得分分配, 超过上限的部分在其余各县间再分, 按 {step:g} {unit}取整; 得分权重: {weights}; 权重为本系统自拟参数, 可改"
    tables = [share_table(counties, unit=unit, kind=kind, note=note), transfer_table(moved, unit=unit)]
    short = float(-counties["gap"].clip(upper=0).sum() - moved["amount"].sum())
    lines = [*(line for t in tables for line in text_table(t)), f"全省总量 {total:,.2f} {unit}, 分配合计 {counties['share'].sum():,.2f} {unit}"]
    lines.append(f"调剂后仍缺 {short:,.2f} {unit}" if short > step / 2 else "缺口可由县际调剂补足" if len(moved) else "各县均无缺口")
    figures: dict[str, Any] = {"total": total, "allocated": float(counties["share"].sum()), "moved": float(moved["amount"].sum()), "short": max(short, 0.0), "counties": len(counties)}
    figures["shares"] = dict(zip(counties["code"], counties["share"].round(9)))
    files: tuple[tuple[str, str], ...] = ()
    if values["out"]:
        context.step("写工作簿", 0.8)
        path = Path(values["out"])
        path = path if path.suffix == ".xlsx" else path / "指标分配.xlsx"
        now = context.clock()
        replace_bytes(path, workbook(tables, title="省级统筹指标分配", date=f"{now:%Y年%m月%d日}", made=now.replace(tzinfo=None)))
        files = ((str(path), "指标分配表与县际调剂建议"),)
    return JobReport(tuple(lines), files, figures, int(short > step / 2))


def _counties(path: Path) -> pd.DataFrame:
    table = plain_table(path, needed=(), meaning=_MEANING)
    table = table.rename(columns={c: _HEADS.get(c, c) for c in table.columns})
    lost = [c for c in ("code", "name", *_NUMBERS) if c not in table]
    if lost or table.columns.duplicated().any() or table.empty:
        found = ", ".join(map(str, table.columns))
        raise SchemaError(f"{path}: 列 {found}; 缺 {', '.join(lost) or '行或有重复的列'}", expected=_MEANING)
    if "cap" not in table:
        table["cap"] = np.nan
    for column in (*_NUMBERS, "cap"):
        given = table[column].astype("string").str.strip()
        number = pd.to_numeric(given, errors="coerce")
        wrong = (number.isna() & (given.fillna("") != "")) | (number < 0) | np.isinf(number.fillna(0)) | (number.isna() & (column != "cap"))
        wrong |= (number > 1) & (column == "ecology_limit")
        if wrong.any():
            rows = [int(i) + 2 for i in np.flatnonzero(wrong)[:10]]
            raise SchemaError(f"{path}: 列 {column} 第 {', '.join(map(str, rows))} 行为 {', '.join(map(repr, given[wrong][:3].fillna('空')))}", expected="不小于 0 的数 (生态约束不大于 1)", cure="改正后重试")
        table[column] = number.astype(float)
    table["code"], table["name"] = table["code"].astype("string").str.strip(), table["name"].astype("string").str.strip()
    twice = table.loc[table["code"].duplicated(keep=False), "code"].unique()
    if len(twice) or (table["code"].fillna("") == "").any():
        raise SchemaError(f"{path}: 行政区代码重复或为空: {', '.join(map(str, twice[:5]))}", expected="每县一行, 代码不重复", cure="合并重复的行, 补上代码")
    over = table["floor"] > table["cap"].fillna(np.inf)
    if over.any():
        raise SchemaError(f"{path}: {', '.join(table.loc[over, 'name'][:5])} 的保底大于上限", expected="保底不大于上限", cure="改正保底或上限")
    return table.reset_index(drop=True)


def _check_total(total: float, step: float) -> None:
    if not (np.isfinite(total) and total > 0 and step > 0) or abs(total / step - round(total / step)) > 1e-6:
        raise SchemaError(f"总量 {total:g}, 最小单位 {step:g}", expected="正数, 总量是最小单位的整数倍", cure="改 --total 或 --step")


SPECS = (
    JobSpec(
        "quota", "省级统筹: 指标或任务分配到县", "a provincial total shared among counties by score, within floors and caps, with transfers",
        (
            JobOption("file", "path", "县级指标表 (CSV、Excel)", "table of the counties", required=True, positional=True),
            JobOption("total", "number", "全省总量", "the provincial total", required=True),
            JobOption("unit", "text", "单位", "unit of the amounts", default="公顷"),
            JobOption("step", "number", "最小分配单位", "smallest amount that is shared out", default=0.01),
            JobOption("kind", "choice", "task: 保护任务 (与现有比较); quota: 用地指标 (与需求比较)", "task: compared with what a county holds; quota: with what it needs", default="quota", choices=("quota", "task")),
            JobOption("out", "path", "工作簿文件夹或文件", "folder or file for the workbook; none without it"),
        ),
        run,
    ),
)  # fmt: skip
