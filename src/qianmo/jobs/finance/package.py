"""The sheet of a package: what the article's four arrangements must show (组合包情况)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qianmo.finance.packages.accounts import account_risk
from qianmo.finance.packages.homestead import homestead
from qianmo.finance.packages.mine_photovoltaic import mine_photovoltaic
from qianmo.finance.packages.mine_to_quota import mine_to_quota
from qianmo.finance.packages.sheet import Item, PackageSheet
from qianmo.finance.packages.social import social_benefit
from qianmo.finance.packages.wellness_bundle import wellness_bundle
from qianmo.finance.risk.draws import drawn_values
from qianmo.finance.risk.from_project import project_risk
from qianmo.finance.risk.simulate import simulate
from qianmo.finance.statements.source_use import source_use_matrix
from qianmo.jobs.context import Context
from qianmo.jobs.finance.model import FinanceModel, open_finance_file
from qianmo.jobs.finance.references import PROJECT_OPTION
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.reports.fund_chart import fund_chart
from qianmo.schema.errors import SchemaError
from qianmo.store.finance_file import read_finance_file, read_parcel_areas, write_bytes_once, write_statement_tables

__all__ = ["SPECS", "TEMPLATES", "run"]

TEMPLATES = {"mine_to_quota": "矿山修复—指标—反哺", "wellness_bundle": "整治与康养捆绑", "homestead_swap": "宅基地置换与产业园", "mine_photovoltaic": "矿山修复与光伏特许经营"}
"""Kinds of packages."""

_SCENARIOS = 4000
_P80 = 0.8


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Compute the package of a file; exit code 1 when one of its checks fails."""
    path = Path(values["file"])
    context.step("读取与计算", 0.0)
    model = open_finance_file(path, values["project"])
    if not model.package.data:
        raise SchemaError(f"{path.name} 没有 [package] 一节", expected=", ".join(TEMPLATES), cure="模板: qianmo finance template 种类 --out 文件")
    context.step("组合包", 0.3)
    sheet = _sheet(model, path)
    groups = {**sheet.groups, "社会效益": social_benefit(model.package, model.project, model.values)}
    checks = [*sheet.checks]
    gap = source_use_matrix(model.project, model.values).query("zh.str.startswith('缺口')")
    most = float(gap[list(range(1, model.project.years + 1))].to_numpy().max()) / 100.0
    groups["资金来源与运用"] = [Item("gap", "最大年度缺口(动用结余后)", most, "元", "不含短期借款")]
    checks.append(("各年资金来源不小于运用(F-02)", most <= 0.0))
    context.step("情景", 0.5)
    risk = _risk_items(model, path, values)
    groups |= risk[0]
    checks += risk[1]
    _ignore_notes(model)
    lines = [f"{model.project.name}: {TEMPLATES[model.package.text('kind')]}", *_origin_lines(model), *(line for name, items in groups.items() for line in _group(name, items))]
    lines += ["", "校验", *(f"  {'通过' if ok else '不通过'}: {words}" for words, ok in checks)]
    files: tuple[tuple[str, str], ...] = ()
    if values["out"]:
        folder = Path(values["out"])
        items = pd.DataFrame([(g, i.id, i.zh, i.value, i.unit, i.words) for g, found in groups.items() for i in found], columns=["group", "id", "zh", "value", "unit", "words"])
        yearly = pd.DataFrame({"year": range(1, model.project.years + 1), **sheet.yearly})
        write_statement_tables(folder, {"package": items, "package_years": yearly})
        write_bytes_once(folder / "package_fund.png", _fund_chart(model, sheet))
        files = ((str(folder), "组合包指标与逐年表 (CSV, 元) 与资金平衡图 (PNG)"),)
    figures = {
        "project": model.project.name, "kind": model.package.text("kind"), "figures": {g: {i.id: None if math.isnan(i.value) else i.value for i in found} for g, found in groups.items()},
        "units": {i.id: i.unit for found in groups.values() for i in found}, "yearly": {k: list(v) for k, v in sheet.yearly.items()}, "checks": dict(checks),
    }  # fmt: skip
    return JobReport(tuple(lines), files, figures, int(not all(ok for _, ok in checks)))


def _fund_chart(model: FinanceModel, sheet: PackageSheet) -> bytes:
    """The fund of the swap as its sheet gives it; else the flows of the whole investment with the accounts of the sub-projects."""
    project, values = model.project, model.values

    def yuan(row: str) -> list[float]:
        return [x / 100.0 for x in values[row]]

    lines: Mapping[str, Sequence[float]]
    if {"收入", "支出", "累计余额"} <= set(sheet.yearly):
        income, uses, lines = sheet.yearly["收入"], sheet.yearly["支出"], {"累计余额": sheet.yearly["累计余额"]}
    else:
        income, uses = yuan("flow.in"), yuan("flow.out")
        lines = {"累计净现金流量(所得税前)": list(np.cumsum(yuan("flow.before_tax")))} | {f"资金账户: {s.zh}": yuan(f"sub.{s.id}.account") for s in project.sub_projects if s.account}
    mark = "含合成数据, 仅供演示" if any(ln.basis.startswith("合成") for ln in project.lines) or model.package.data.get("synthetic") else ""
    return fund_chart(income, uses, lines, title=f"{project.name}　资金平衡", base_year=project.base_year, mark=mark)


def _sheet(model: FinanceModel, path: Path) -> PackageSheet:
    kind = model.package.text("kind", choices=TEMPLATES)
    entry, project, values = model.package, model.project, model.values
    if kind == "homestead_swap":
        table = read_parcel_areas(path.parent / entry.text("parcels")) if entry.has("parcels") else None
        return homestead(entry, project, values, parcels_m2=table)
    return {"mine_to_quota": mine_to_quota, "wellness_bundle": wellness_bundle, "mine_photovoltaic": mine_photovoltaic}[kind](entry, project, values)


def _risk_items(model: FinanceModel, path: Path, values: Mapping[str, Any]) -> tuple[dict[str, Sequence[Item]], list[tuple[str, bool]]]:
    """Percentiles, and how sure the restoration account is, from the file of uncertain inputs beside the project file."""
    place = Path(values["inputs"]) if values["inputs"] else path.with_name(f"{path.stem}.risk.toml")
    if not place.is_file():
        if values["inputs"]:
            raise SchemaError(f"没有不确定因素文件 {place}", expected="--inputs 文件")
        return {}, []
    given, _ = read_finance_file(place)
    risk = project_risk(model.project, model.values, given)
    count = int(values["scenarios"])
    done = simulate(risk, count, int(values["seed"]), threads=1)
    items = []
    for figure, zh in (("irr", "税后内部收益率"), ("self_balance_ratio", "自平衡比(反哺比)")):
        found = done.figures[figure]
        found = found[~pd.isna(found)]
        if not len(found):
            continue
        items += [Item(f"{figure}.p{p}", f"{zh} P{p}", float(pd.Series(found).quantile(p / 100.0)), "比例" if figure == "irr" else "倍") for p in (10, 50, 90)]
    accounts = account_risk(model.project, risk, drawn_values(risk.marginals, risk.factor, int(values["seed"]), 0, count))
    names = {s.id: s.zh for s in model.project.sub_projects}
    checks = []
    for name, found_account in accounts.items():
        items.append(Item(f"account.{name}.never_below", f"{names[name]}账户各年不为负的概率", found_account.never_below, "比例", f"{count:,} 个情景"))
        items.append(Item(f"account.{name}.lowest_p80", f"{names[name]}账户八成把握的最低余额", found_account.lowest(_P80) / 100.0, "元"))
        checks.append((f"八成把握下账户各年不为负: {names[name]}", found_account.never_below >= _P80))
    return {f"情景 ({count:,} 个, P10 为一成低于此值)": items}, checks


def _ignore_notes(model: FinanceModel) -> None:
    """Refuse keys of ``[package]`` that nobody read, but for the list of invented ones."""
    model.package.has("synthetic")
    model.package.done()


def _origin_lines(model: FinanceModel) -> list[str]:
    """What was invented and what was taken from elsewhere, each once."""
    invented = [ln.zh for ln in model.project.lines if ln.basis.startswith("合成")]
    lines = [f"  合成数据: {'、'.join(invented)}" + (f" 等 {len(invented)} 个科目" if len(invented) > 1 else "")] if invented else []
    taken = dict.fromkeys(s.text for ln in model.project.lines for s in ln.sources.values() if s.text.startswith(("plan:", "plant:")))
    return [*lines, *(f"  引用: {t}" for t in taken)]


def _group(name: str, items: Sequence[Item]) -> list[str]:
    return ["", name, *(f"  {i.zh}: {_shown(i)}" + (f"  ({i.words})" if i.words else "") for i in items)] if items else []


def _shown(item: Item) -> str:
    if math.isnan(item.value):
        return "—"
    if item.unit == "元":
        return f"{item.value / 1e4:,.2f} 万元"
    return f"{item.value:.2%}" if item.unit == "比例" else f"{item.value:,.3f}".rstrip("0").rstrip(".") + f" {item.unit}"


SPECS = (
    JobSpec(
        "finance-package", "组合包情况: 指标链、捆绑增量、置换平衡、光伏", "sheet of a package: quota chain, bundle, homestead swap, photovoltaics",
        (
            JobOption("file", "path", "项目资金文件 (TOML), 含 [package]", "file of project money (TOML) with [package]", required=True, positional=True),
            PROJECT_OPTION,
            JobOption("inputs", "path", "不确定因素文件, 默认为同名 .risk.toml", "file of uncertain inputs, by default the same name with .risk.toml"),
            JobOption("scenarios", "integer", "情景数", "number of scenarios", default=_SCENARIOS),
            JobOption("seed", "integer", "随机种子", "seed of the generator", default=20260101),
            JobOption("out", "path", "输出文件夹", "folder for the tables"),
        ),
        run,
    ),
)  # fmt: skip
