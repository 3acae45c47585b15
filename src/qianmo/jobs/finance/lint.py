"""Check the legality of a project's money (资金合规检查)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qianmo.finance.legality.contracts import contracts_from, judged_contracts
from qianmo.finance.legality.from_project import doubts_of_rates, facts_of_project, models_of_project
from qianmo.finance.legality.lint import Finding, lint_project
from qianmo.finance.legality.project_facts import ProjectFacts, project_facts
from qianmo.finance.legality.read import Told, legality_of
from qianmo.finance.project.positions import Path as Place
from qianmo.finance.project.read import project_from
from qianmo.finance.project.records import Project
from qianmo.finance.risk.from_project import project_risk
from qianmo.finance.risk.simulate import simulate
from qianmo.finance.sheet.evaluate import computed
from qianmo.finance.sheet.row import Source
from qianmo.finance.statements.assemble import assemble
from qianmo.jobs.context import Context
from qianmo.jobs.finance.references import PROJECT_OPTION, looked_up_references
from qianmo.jobs.finance.risk import contract_lines
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.schema.errors import FinanceInputError, SchemaError
from qianmo.schema.finance_rules import finance_facts, finance_models
from qianmo.schema.rules import CONFIDENCE_WORDS, CONFIRM, FAIL, NO_DATA, PASS, parameter, source_words
from qianmo.store.finance_file import read_finance_file, write_statement_tables

__all__ = ["SPECS", "run"]

WORDS = {FAIL: "不通过", CONFIRM: "待核实", NO_DATA: "无数据", PASS: "通过"}
SEVERITY = {"hard": "硬性", "soft": "柔性"}


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Answer every rule of the money for a file; exit code 1 when a binding rule is broken for certain."""
    context.step("读取", 0.0)
    path = Path(values["file"])
    data, text = read_finance_file(path)
    data, origins = looked_up_references(data, path, text, values["project"])
    told = legality_of(data, file=path.name, text=text)
    asked = _day(values["on"])
    context.step("推算合规事实", 0.3)
    facts, notes = _facts(data, text, path, told, asked, values, origins)
    context.step("逐条判定", 0.8)
    findings = lint_project(facts)
    for note in notes:
        context.note(note)
    files: tuple[tuple[str, str], ...] = ()
    if values["out"]:
        folder = Path(values["out"])
        write_statement_tables(folder, {"legality": findings_table(findings)})
        files = ((str(folder / "legality.csv"), "合规检查表 (CSV)"),)
    name = str(data.get("project", {}).get("name", path.name))
    lines = [f"{name}: 资金合规检查, 规则按 {facts.on} 适用", *_lines(findings, everything=values["all"]), _summary(findings)]
    return JobReport(tuple(lines), files, _figures(name, facts, findings, notes), int(any(f.is_break for f in findings)))


def findings_table(findings: Sequence[Finding]) -> pd.DataFrame:
    """The findings with Chinese headings, a row a rule (合规检查表)."""
    heads = {"rule_id": "规则", "group_zh": "类别", "text_zh": "条文", "verdict": "判定", "severity": "性质", "numbers": "数据", "limit": "限值", "missing": "缺少", "note": "说明",
             "confidence": "条文可信度", "effective_from": "起效", "effective_to": "失效", "source": "来源"}  # fmt: skip
    table = pd.DataFrame([asdict(f) for f in findings])
    table["verdict"] = ["不涉及" if not f.applies else WORDS[f.verdict] for f in findings]
    table["severity"] = [SEVERITY.get(f.severity, f.severity) for f in findings]
    table["source"] = [source_words(f.source) for f in findings]
    table["confidence"] = [CONFIDENCE_WORDS[f.confidence] for f in findings]
    return table[list(heads)].rename(columns=heads)


def _facts(
    data: Mapping[str, Any], text: str, path: Path, told: Told, asked: date | None, options: Mapping[str, Any], origins: Mapping[Place, Source]
) -> tuple[ProjectFacts, list[str]]:
    """What the file tells, over what its lines say; and what a reader must know about it."""
    file = path.name
    if "project" not in data and "legality" not in data:
        raise FinanceInputError("文件没有 [project] 也没有 [legality]", file=file, expected="项目资金文件, 或含 [legality] 的文件", cure="见 examples/finance/legality_solar.toml")
    notes: list[str] = []
    derived: dict[str, Any] = {}
    models, day = told.values.get("models"), asked or told.on
    if "project" in data:
        project = project_from(data, file=file, text=text, origins=origins)
        day = day or project.rates_on or date(project.base_year, 1, 1)
        amounts = computed(assemble(project))
        derived = facts_of_project(project, amounts, day)
        beside = path.with_name(f"{path.stem}.risk.toml")
        if options["inputs"] or beside.is_file():
            derived |= _from_scenarios(project, amounts, Path(options["inputs"] or beside), options, notes)
        seen = models_of_project(project)
        derived["models"] = sorted({*seen, *(models or ())}, key=list(finance_models()).index)
        if models is None:
            names = "、".join(finance_models()[m] for m in seen) or "无"
            notes.append(f"文件未写 [legality] models, 按资金行推定为: {names}; 其他模式的规则列为无数据")
        notes += _differences(told.values, derived)
    if day is None:
        raise SchemaError(f"{file} 没有规则适用日期", expected="--on 2026-01-01, 或 [legality] on = 2026-01-01")
    merged = {**derived, **{k: v for k, v in told.values.items() if k != "models" or not derived}}
    doubts = {name: why for name, why in doubts_of_rates(day).items() if name not in told.values} if derived else {}
    return project_facts(merged, day, overrides=told.thresholds, are_all_models=models is not None, doubts=doubts), notes


def _from_scenarios(project: Project, amounts: Mapping[str, Sequence[float]], place: Path, options: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    """How often the package balances, over scenarios of the uncertain inputs."""
    given, text = read_finance_file(place)
    count, seed = int(options["scenarios"]), int(options["seed"])
    if not 100 <= count <= MOST_SCENARIOS:
        raise SchemaError(f"--scenarios {count}", expected=f"100 到 {MOST_SCENARIOS:,}")
    try:
        model = project_risk(project, amounts, given)
    except FinanceInputError:
        raise
    except SchemaError as fault:
        raise FinanceInputError(fault.found, file=place.name, expected=fault.expected, cure=fault.cure) from None
    judged = judged_contracts(
        contracts_from(given, years=project.years, file=place.name, text=text), model, scenarios=min(count, _KEPT), seed=seed, risk_free_rate=parameter("risk_free_rate")
    )
    notes += [line.strip() for line in contract_lines(judged)[2:]]
    found: dict[str, Any] = {"fixed_return_to_equity": True} if any(f.is_debt for f in judged.values()) else {}
    ratio = simulate(model, count, seed).figures["self_balance_ratio"]
    known = ratio[~np.isnan(ratio)]
    if not len(known):
        notes.append(f"{place.name}: 项目没有修复成本, 无自平衡概率")
        return found
    notes.append(f"自平衡概率由 {count:,} 个情景推算 ({place.name}, 种子 {seed})")
    return found | {"self_balance_probability": float((known >= 1.0).mean())}


MOST_SCENARIOS = 1_000_000
"""Scenarios that a check may ask for."""

_KEPT = 4000
"""Scenarios of which every year is kept, to judge contracts."""


def _differences(told: Mapping[str, Any], derived: Mapping[str, Any]) -> list[str]:
    """Facts that the file tells otherwise than its lines say; the told ones are taken."""
    found = []
    for name, value in told.items():
        other = derived.get(name)
        if name == "models" or other is None or value is None:
            continue
        numbers = all(isinstance(x, int | float) and not isinstance(x, bool) for x in (value, other))
        if value != other and not (numbers and abs(value - other) <= 1e-6 * max(abs(value), abs(other))):
            found.append(f"{finance_facts()[name].zh}({name}): 采用文件所写 {value}, 由资金行算得 {other}")
    return found


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SchemaError(f"--on {text!r} 不是日期", expected="如 2026-01-01") from None


def _lines(findings: Sequence[Finding], *, everything: bool) -> list[str]:
    """What is wrong first, then what is to be confirmed, what is missing, what passes."""
    lines: list[str] = []
    for verdict, head in HEADS.items():
        mine = [f for f in findings if f.applies and f.verdict == verdict and not _is_undecided(f)]
        if mine:
            lines += ["", f"{head}({len(mine)} 条)", *(line for f in mine for line in _told(f))]
    undecided = [f for f in findings if _is_undecided(f)]
    if undecided:
        lines += ["", f"项目模式未定,未检查({len(undecided)} 条)"]
        lines += [f"  {group}: {' '.join(f.rule_id for f in undecided if f.group_zh == group)}" for group in dict.fromkeys(f.group_zh for f in undecided)]
    aside = [f for f in findings if not f.applies]
    if everything and aside:
        lines += ["", f"不涉及({len(aside)} 条)", *(f"  {f.rule_id} {f.text_zh} — {f.note}" for f in aside)]
    return lines


HEADS = {FAIL: "不通过", CONFIRM: "待核实(数据与规则不符,但条文未经核实或不在有效期)", NO_DATA: "无数据", PASS: "通过"}
"""Headings in the order of the report."""


def _is_undecided(found: Finding) -> bool:
    """Only because it is not known whether the project has such an arrangement."""
    return found.verdict == NO_DATA and found.missing.startswith("项目模式(models)")


def _told(found: Finding) -> list[str]:
    head = f"  {found.rule_id} {found.text_zh}({SEVERITY.get(found.severity, '提示')})"
    details = [found.numbers + (f",限值 {found.limit}" if found.limit else "")] if found.numbers else []
    details += [f"缺少: {found.missing}"] if found.missing else []
    details += [found.note] if found.note else []
    if found.verdict in (FAIL, CONFIRM):
        details.append(f"依据: {source_words(found.source)} [可信度{CONFIDENCE_WORDS[found.confidence]}]")
    return [head, *(f"      {d}" for d in details)]


def _summary(findings: Sequence[Finding]) -> str:
    counts = Counter(f.verdict for f in findings if f.applies)
    aside = sum(not f.applies for f in findings)
    breaks = sum(f.is_break for f in findings)
    words = "、".join(f"{WORDS[v]} {counts[v]}" for v in (PASS, FAIL, CONFIRM, NO_DATA))
    return f"\n共 {len(findings)} 条规则: {words}、不涉及 {aside}" + (f"; {breaks} 条硬性规则不通过" if breaks else "; 没有硬性规则不通过")


def _figures(name: str, facts: ProjectFacts, findings: Sequence[Finding], notes: Sequence[str]) -> dict[str, Any]:
    counts = Counter(f.verdict for f in findings if f.applies)
    return {
        "project": name, "on": str(facts.on), "models": list(facts.models or ()), "counts": {v: counts[v] for v in (PASS, FAIL, CONFIRM, NO_DATA)},
        "not_applicable": sum(not f.applies for f in findings), "hard_failures": [f.rule_id for f in findings if f.is_break],
        "facts": {k: str(v) if isinstance(v, date) else v for k, v in facts.values.items()}, "findings": [asdict(f) for f in findings], "notes": list(notes),
    }  # fmt: skip


SPECS = (
    JobSpec(
        "finance-lint", "资金合规检查", "check the legality of a project's money",
        (
            JobOption("file", "path", "项目资金文件或只含 [legality] 的文件 (TOML)", "file of project money, or of facts alone (TOML)", required=True, positional=True),
            PROJECT_OPTION,
            JobOption("on", "text", "规则适用日期, 如 2026-01-01", "day whose rules apply", default=""),
            JobOption("inputs", "path", "不确定因素文件, 据以推算自平衡概率, 默认为同名 .risk.toml", "uncertain inputs, to count how often the package balances, by default the same name with .risk.toml"),
            JobOption("scenarios", "integer", "情景数", "scenarios", default=20_000),
            JobOption("seed", "integer", "随机种子", "seed", default=1),
            JobOption("all", "flag", "也列出不涉及的规则", "also list the rules that do not apply", default=False),
            JobOption("out", "path", "检查表输出文件夹", "folder for the table"),
        ),
        run,
    ),
)  # fmt: skip
