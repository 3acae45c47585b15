"""Risk of a project of money: many scenarios, what decides, where it breaks even (风险分析)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qianmo.finance.legality.contracts import contracts_from, judged_contracts
from qianmo.finance.legality.fixed_return import FixedReturn
from qianmo.finance.risk.break_even import break_even
from qianmo.finance.risk.draws import drawn_values
from qianmo.finance.risk.from_project import as_planned, project_risk
from qianmo.finance.risk.model import RiskModel
from qianmo.finance.risk.sensitivity import spider, tornado
from qianmo.finance.risk.simulate import RiskRun, evaluate, simulate
from qianmo.finance.risk.sobol import sobol_table
from qianmo.finance.risk.tables import FIGURE_NAMES, chance_table, coverage_fan, percentile_table
from qianmo.jobs.context import Context
from qianmo.jobs.finance.model import FinanceModel, in_wan, open_finance_file
from qianmo.jobs.finance.references import PROJECT_OPTION
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.reports.risk_chart import coverage_chart, distribution_chart, spider_chart, tornado_chart
from qianmo.schema.errors import FinanceInputError, MissingDataError, SchemaError
from qianmo.schema.rules import parameter
from qianmo.store.finance_file import read_finance_file, write_bytes_once, write_statement_tables

__all__ = ["SPECS", "contract_lines", "run"]

_FAN = 4000
"""Scenarios of which every year is kept for the fan."""

_SHOWN = ("npv_fen", "irr", "payback_years", "equity_npv_fen", "equity_irr", "min_coverage", "self_balance_ratio")
_MOST_SCENARIOS = 10_000_000
_TELLS = 20


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Draw the scenarios, say how often the money suffices, which input decides, and at what value it just does."""
    context.step("读取与计算", 0.0)
    path = Path(values["file"])
    plan = open_finance_file(path, values["project"])
    given, place, text = _uncertain(path, values["inputs"])
    with _in_file(place, text, given):
        model = project_risk(plan.project, plan.values, given)
        planned = {k: float(v[0]) for k, v in evaluate(model, as_planned(plan.project, given)).items()}
    if max(plan.values["short.borrowed"]) > 0:
        context.note("基准计划需要短期借款; 风险模型不借短期款, 只统计资金缺口年数 (short-term loans are not part of the scenarios)")
    contracts = contracts_from(given, years=plan.project.years, file=place.name, text=text)
    count = int(values["scenarios"])
    if not 1 <= count <= _MOST_SCENARIOS:
        raise SchemaError(f"--scenarios {count}", expected=f"1 到 {_MOST_SCENARIOS:,}")
    if model.correlation is not None:
        context.note("因素之间有相关, 方差不能分到单个因素, 不给出索博尔指数 (inputs are correlated: no Sobol indices)")
    with context.catch() as stop:
        done = simulate(
            model, count, int(values["seed"]), threads=int(values["threads"]), stop=stop,
            progress=_teller(context, count),
        )  # fmt: skip
    context.step("敏感性与临界值", 0.82)
    coverage = float(values["coverage"])
    tables = _tables(model, done, coverage)
    judged = judged_contracts(contracts, model, scenarios=min(_FAN, count), seed=int(values["seed"]), risk_free_rate=parameter("risk_free_rate"))
    lines = [*_lines(plan, model, done, tables, planned), *contract_lines(judged)]
    files: tuple[tuple[str, str], ...] = ()
    if values["out"]:
        context.step("写出表与图", 0.9)
        files = _written(Path(values["out"]), plan, model, done, tables, coverage)
    contract_figures = {name: {"is_debt": f.is_debt, "lowest_rate": None if math.isnan(f.lowest_rate) else f.lowest_rate, "failing": f.failing, "scenarios": f.scenarios} for name, f in judged.items()}
    return JobReport(tuple(lines), files, _figures(plan, done, tables, planned) | {"contracts": contract_figures})


def contract_lines(judged: Mapping[str, FixedReturn]) -> list[str]:
    """What the scenarios say of each contract (明股实债判别)."""
    words = {True: "收益不随项目盈亏变动, 等同借款(明股实债)", False: "投资方在部分情景中承担风险", None: "各情景项目均有盈利, 不足以判别"}
    lines = ["", "投资合同判别 (无风险利率为参数 risk_free_rate, 待核实)"] if judged else []
    return lines + [f"  {name}: {words[f.is_debt]}; 项目收益低于无风险利率的情景 {f.failing:,} / {f.scenarios:,}" for name, f in judged.items()]


def _teller(context: Context, count: int) -> Callable[[int], None]:
    """Progress at every twentieth of the scenarios, so that a long run does not flood the screen."""
    told = [-1]

    def tell(done: int) -> None:
        if done * _TELLS // count > told[0]:
            told[0] = done * _TELLS // count
            context.step(f"模拟 {done:,} / {count:,} 个情景", 0.1 + 0.7 * done / count)

    return tell


def _uncertain(path: Path, told: str | None) -> tuple[dict[str, Any], Path, str]:
    """The list of uncertain inputs, its place and text: as told, or the file of the same name ending in ``.risk.toml``."""
    place = Path(told) if told else path.with_name(f"{path.stem}.risk.toml")
    if not place.is_file():
        raise MissingDataError(f"没有不确定因素文件 {place}", expected="--inputs 文件, 或与资金文件同名的 .risk.toml", cure="写法见 examples/finance/eod_simple.risk.toml")
    data, text = read_finance_file(place)
    if not data.get("input"):
        raise FinanceInputError("没有任何不确定因素", file=place.name, key="input", expected="至少一个 [[input]]")
    return data, place, text


@contextmanager
def _in_file(place: Path, text: str, given: Mapping[str, Any]) -> Iterator[None]:
    """Faults of the uncertain inputs with their file, and the line of the input that the message names."""
    try:
        yield
    except FinanceInputError:
        raise
    except SchemaError as fault:
        names = [str(row.get("name")) for row in given.get("input", ()) if isinstance(row, Mapping) and re.search(rf"\b{re.escape(str(row.get('name')))}\b", fault.found)]
        lines = [n for n, line in enumerate(text.splitlines(), 1) if names and re.match(rf"""\s*name\s*=\s*["']{re.escape(names[0])}["']""", line)]
        key = f"input[{names[0]}]" if names else ""
        raise FinanceInputError(fault.found, file=place.name, line=lines[0] if lines else 0, key=key, expected=fault.expected, cure=fault.cure) from None


def _tables(model: RiskModel, done: RiskRun, coverage: float) -> dict[str, pd.DataFrame]:
    tables = {
        "percentiles": percentile_table(done), "chances": chance_table(done, hurdle_rate=model.discount_rate, coverage=coverage),
        "tornado": tornado(model), "spider": spider(model),
    }  # fmt: skip
    tables["break_even"] = _break_even_table(model, coverage)
    if model.correlation is None:
        tables["sobol"] = sobol_table(model)
    if model.loan is not None:
        drawn = drawn_values(model.marginals, model.factor, done.seed, 0, min(_FAN, done.scenarios))
        tables["coverage_fan"] = coverage_fan(model, drawn)
    return tables


def _break_even_table(model: RiskModel, coverage: float) -> pd.DataFrame:
    rows = []
    for x in model.inputs:
        for figure, target in (("npv_fen", 0.0), *((("min_coverage", coverage),) if model.loan is not None else ())):
            rows += [(x.name, x.zh, figure, target, x.base, root) for root in break_even(model, x.name, figure=figure, target=target)]
    return pd.DataFrame(rows, columns=["input", "zh", "figure", "target", "base", "value"])


def _lines(plan: FinanceModel, model: RiskModel, done: RiskRun, tables: Mapping[str, pd.DataFrame], planned: Mapping[str, float]) -> list[str]:
    lines = [f"{plan.project.name}: {done.scenarios:,} 个情景, {len(model.inputs)} 个不确定因素, 种子 {done.seed}"]
    if done.scenarios < done.asked:
        lines.append(f"按要求提前结束: 完成 {done.scenarios:,} / {done.asked:,} 个情景 (ended early)")
    lines += ["", "指标 (P10 表示一成情景低于此值)\t计划值\tP10\tP50\tP90\t无此指标的情景"]
    for row in tables["percentiles"].itertuples(index=False):
        if row.figure in _SHOWN and row.scenarios:
            marks = "\t".join(_shown(str(row.figure), v) for v in (planned[str(row.figure)], row.p10, row.p50, row.p90))
            lines.append(f"  {row.zh}\t{marks}\t{row.missing:,}")
    lines += ["", "概率"]
    lines += [f"  {r.zh}: {r.chance:.1%} (± {1.96 * r.error:.1%})" for r in tables["chances"].itertuples(index=False) if r.scenarios]
    lines += ["", "对项目净现值影响最大的因素 (取其 P10 与 P90, 万元)"]
    for r in tables["tornado"].head(5).itertuples(index=False):
        lines.append(f"  {r.zh}: {r.low_value:.4g} → {in_wan(r.at_low)}, {r.high_value:.4g} → {in_wan(r.at_high)}")
    if "sobol" in tables:
        lines += ["", "净现值方差的来源 (索博尔指数: 一阶, 总效应)"]
        lines += [f"  {r.zh}: {r.first_order:.1%}, {r.total:.1%}" for r in tables["sobol"].sort_values("total", ascending=False).itertuples(index=False) if r.figure == "npv_fen"]
    lines += ["", "临界值 (其余因素取中位数)"]
    for r in tables["break_even"].itertuples(index=False):
        goal = "净现值为 0" if r.figure == "npv_fen" else f"最低偿债备付率为 {r.target:g}"
        lines.append(f"  {r.zh} = {r.value:.4g} 时{goal} (基准 {r.base:.4g})")
    if not len(tables["break_even"]):
        lines.append("  任何单一因素在搜索范围内都不使指标越过目标")
    return lines


def _shown(figure: str, value: float) -> str:
    if math.isnan(value):
        return "—"
    if figure.endswith("_fen"):
        return f"{in_wan(value)} 万元"
    if "irr" in figure:
        return f"{value:.2%}"
    return f"{value:.2f}" + (" 年" if figure.endswith("years") else "")


def _written(folder: Path, plan: FinanceModel, model: RiskModel, done: RiskRun, tables: Mapping[str, pd.DataFrame], coverage: float) -> tuple[tuple[str, str], ...]:
    write_statement_tables(folder, {f"risk_{name}": _in_yuan(name, table) for name, table in tables.items()})
    name = plan.project.name
    charts = {
        "risk_tornado": tornado_chart(tables["tornado"], title=f"{name}: 敏感性 (龙卷风图)", label=f"{FIGURE_NAMES['npv_fen']} (万元)", scale=1e6),
        "risk_spider": spider_chart(tables["spider"], title=f"{name}: 敏感性 (蛛网图)", label=f"{FIGURE_NAMES['npv_fen']} (万元)", scale=1e6),
        "risk_npv": distribution_chart(done.figures["npv_fen"], title=f"{name}: 净现值的概率分布", label=f"{FIGURE_NAMES['npv_fen']} (万元)", scale=1e6, target_words="净现值小于 0"),
    }  # fmt: skip
    if not np.isnan(done.figures["self_balance_ratio"]).all():
        charts["risk_self_balance"] = distribution_chart(
            done.figures["self_balance_ratio"], title=f"{name}: 自平衡比的概率分布", label=FIGURE_NAMES["self_balance_ratio"], target=1.0, target_words="自平衡比小于 1"
        )
    if "coverage_fan" in tables and len(tables["coverage_fan"]):
        charts["risk_coverage"] = coverage_chart(tables["coverage_fan"], title=f"{name}: 各年偿债备付率", asked=coverage, base_year=plan.project.base_year)
    for stem, content in charts.items():
        write_bytes_once(folder / f"{stem}.png", content)
    return ((str(folder), "概率表、敏感性表、临界值表 (CSV, 元) 与风险图 (PNG)"),)


def _in_yuan(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """A table with its money in yuan: the rows of a figure in fen, or the columns of the net present value."""
    found = table.copy()
    if name in ("tornado", "spider"):
        columns = {"tornado": ("at_low", "at_high", "base", "swing"), "spider": ("figure",)}[name]
        found[list(columns)] = found[list(columns)] / 100.0
        return found.rename(columns={c: "npv_yuan" if c == "figure" else f"{c}_yuan" for c in columns})
    if name == "percentiles":
        money = found["figure"].str.endswith("_fen")
        amounts = ["mean", "deviation", *(c for c in found if re.fullmatch(r"p[0-9.]+", str(c)))]
        found[amounts] = found[amounts].where(~money, found[amounts] / 100.0)
    if "figure" in found:
        found["figure"] = found["figure"].str.replace("_fen", "_yuan")
    return found


def _figures(plan: FinanceModel, done: RiskRun, tables: Mapping[str, pd.DataFrame], planned: Mapping[str, float]) -> dict[str, Any]:
    """Money in yuan, rates as fractions."""

    def plain(name: str, value: float) -> float | None:
        return None if math.isnan(value) else float(value) / (100.0 if name.endswith("_fen") else 1.0)

    def named(name: str) -> str:
        return name.replace("_fen", "_yuan")

    rows = tables["percentiles"].to_dict("records")
    return {
        "project": plan.project.name, "scenarios": done.scenarios, "asked": done.asked, "seed": done.seed, "irr_refused": done.refused,
        "planned": {named(k): plain(k, v) for k, v in planned.items()},
        "percentiles": {named(r["figure"]): {k: plain(r["figure"], r[k]) for k in ("mean", "deviation", "p10", "p50", "p90")} | {"missing": r["missing"]} for r in rows},
        "chances": {r["question"]: None if math.isnan(r["chance"]) else r["chance"] for r in tables["chances"].to_dict("records")},
        "tornado_yuan": [{"input": r["input"], "low_value": r["low_value"], "high_value": r["high_value"], "at_low": r["at_low"] / 100, "at_high": r["at_high"] / 100}
                         for r in tables["tornado"].to_dict("records")],
        "break_even": [{k: r[k] for k in ("input", "figure", "target", "base", "value")} for r in tables["break_even"].to_dict("records")],
    }  # fmt: skip


SPECS = (
    JobSpec(
        "finance-risk", "项目风险分析: 概率、敏感性与临界值", "risk of a project of money: chances, sensitivity, break-even values",
        (
            JobOption("file", "path", "项目资金文件 (TOML)", "file of project money (TOML)", required=True, positional=True),
            PROJECT_OPTION,
            JobOption("inputs", "path", "不确定因素文件 (TOML), 默认为同名 .risk.toml", "file of uncertain inputs, by default the same name with .risk.toml"),
            JobOption("scenarios", "integer", "情景数", "number of scenarios", default=100_000),
            JobOption("seed", "integer", "随机种子", "seed of the generator", default=20260101),
            JobOption("threads", "integer", "线程数", "threads", default=2),
            JobOption("coverage", "number", "要求的偿债备付率", "coverage the bank asks for", default=1.3),
            JobOption("out", "path", "输出文件夹 (表与图)", "folder for tables and charts"),
        ),
        run,
    ),
)  # fmt: skip
