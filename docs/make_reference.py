"""Write the reference pages from the tables, codes, rules and jobs themselves (生成参考页)."""

from __future__ import annotations

from pathlib import Path

from qianmo.jobs.registry import job_specs
from qianmo.schema import errors
from qianmo.schema.finance_rules import capital_shares, finance_facts, lint_rules
from qianmo.schema.measures import measures
from qianmo.schema.policy_rates import policy_rates
from qianmo.schema.rules import parameters, rules, unit_costs
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.tables import table_names, table_spec

FOLDER = Path(__file__).parent / "reference" / "generated"


def main() -> None:
    """Write all pages into reference/generated/ (not committed)."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    pages = {"tables": tables(), "rules": rule_page(), "parameters": parameter_page(), "measures": measure_page(), "jobs": jobs(),
             "errors": error_page(), "api": api(), "finance": finance_page()}  # fmt: skip
    for name, text in pages.items():
        (FOLDER / f"{name}.md").write_text(text, encoding="utf-8")


def grid(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(c).replace("|", "\\|").replace("\n", " ") or " " for c in r) + " |" for r in rows]) + "\n"


def tables() -> str:
    """One section a table."""
    out = ["# Tables 表结构\n"]
    for name in table_names():
        spec = table_spec(name)
        out.append(f"## {name} {spec.zh}\n\n{spec.description}. Geometry: {spec.geometry}. Filled from: {', '.join(spec.layers) or 'made here'}.\n")
        rows = [(c.name, c.zh, c.type, c.unit, "yes" if c.required else "", c.codes, c.source, c.description) for c in spec.columns]
        out.append(grid(("column", "中文", "type", "unit", "required", "codes", "standard field", "meaning"), rows))
    return "\n".join(out)


def rule_page() -> str:
    """All rules with source and confidence."""
    head = ("id", "规则", "relation", "threshold", "unit", "severity", "confidence", "source")
    rows = [(r.id, r.zh, r.comparator, r.threshold, r.unit, r.severity, r.confidence, r.source) for r in rules().values()]
    money = [
        (r.id, found.group_zh, r.zh, r.comparator, r.threshold, r.unit, r.severity, r.confidence, r.effective_from or "", r.effective_to or "", r.source)
        for found in lint_rules().values() for r in (found.rule,)
    ]  # fmt: skip
    facts = [(f.name, f.zh, f.type, f.unit, f.least, f.most) for f in finance_facts().values()]
    shares = [(c.industry, c.zh, c.least, c.since, c.confidence, c.source) for c in capital_shares().values()]
    return "\n".join(
        ("# Rules 规则\n", grid(head, rows), "## Rules of the money 资金合规规则\n", grid((head[0], "group", *head[1:7], "from", "until", head[7]), money),
         "## Facts of the money 资金合规事实\n", grid(("name", "中文", "type", "unit", "least", "most"), facts),
         "## Least equity by industry 行业最低资本金比例\n", grid(("industry", "中文", "least", "from", "confidence", "source"), shares))
    )  # fmt: skip


def parameter_page() -> str:
    """Parameters, unit costs and policy rates."""
    rows = [(p.name, p.default, p.unit, p.used_in, p.meaning, p.source, p.confidence) for p in parameters().values()]
    costs = [(c.id, c.zh, c.unit, c.low, c.default, c.high, c.confidence) for c in unit_costs().values()]
    first = grid(("name", "default", "unit", "used in", "meaning", "source", "confidence"), rows)
    rates = [(r.id, r.zh, f"{r.value:g}", r.unit, r.since, r.until, r.region, r.source, r.confidence, r.note) for r in policy_rates()]
    second = grid(("id", "名称", "unit", "low", "default", "high", "confidence"), costs)
    third = grid(("id", "名称", "value", "unit", "from", "until", "region", "source", "confidence", "note"), rates)
    return "# Parameters 参数\n\n" + first + "\n## Unit costs 单价\n\n" + second + "\n## Policy rates 税费率与利率\n\n" + third


def finance_page() -> str:
    """Kinds, natures, tax treatments and units of a project of money."""
    heads = {"finance_kinds": "Kinds 科目", "finance_natures": "Legal natures 法律性质", "finance_tax_treatments": "Tax treatments 计税方式",
             "finance_units": "Units 计量单位", "finance_statements": "Items of the statements 报表项目"}  # fmt: skip
    out = ["# Money of a project 项目资金代码\n"]
    for name, head in heads.items():
        rows = shipped_rows("codes", name)
        out.append(f"## {head}\n\n" + grid(tuple(rows[0]), [tuple(r.values()) for r in rows]))
    return "\n".join(out)


def measure_page() -> str:
    """Measures."""
    rows = [(m.id, m.zh, m.project_class, m.activity_id, m.cost_item, m.description) for m in measures().values()]
    return "# Measures 整治措施\n\n" + grid(("id", "中文", "class", "activity", "cost item", "meaning"), rows)


def jobs() -> str:
    """Jobs, which are also the commands."""
    out = ["# Jobs and commands 作业与命令\n"]
    for spec in job_specs():
        out.append(f"## qianmo {spec.name}: {spec.zh}\n\n{spec.en}.\n")
        names = [(o.name if o.positional else "--" + o.name.replace("_", "-"), o.kind, o.zh, o.en, o.default or "") for o in spec.options]
        out.append(grid(("option", "kind", "中文", "meaning", "default"), names))
    return "\n".join(out)


def error_page() -> str:
    """Errors."""
    rows = [(n, (getattr(errors, n).__doc__ or "").strip().splitlines()[0]) for n in errors.__all__]
    return "# Errors 错误\n\n" + grid(("error", "meaning"), rows)


def api() -> str:
    """The rooms, module by module, from their first lines."""
    root = Path(errors.__file__).resolve().parents[1]
    out = ["# Rooms and modules 模块\n"]
    for room in sorted(p for p in root.iterdir() if p.is_dir() and (p / "__init__.py").exists()):
        rows = []
        for path in sorted(room.rglob("*.py")):
            if path.name == "__init__.py":
                continue
            head = path.read_text(encoding="utf-8").lstrip().removeprefix('"""').splitlines()[0].removesuffix('"""')
            rows.append((".".join(path.relative_to(root.parent).with_suffix("").parts), head))
        out.append(f"## {room.name}\n\n" + grid(("module", "what it holds"), rows))
    return "\n".join(out)


if __name__ == "__main__":
    main()
