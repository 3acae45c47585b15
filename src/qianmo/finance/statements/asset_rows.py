"""Rows of the assets: cost, in progress, depreciation, book value (资产、折旧与摊销)."""

from __future__ import annotations

from qianmo.finance.project.records import AssetRule, Line, Project
from qianmo.finance.sheet.expression import Before, Earlier, Here, choose, rounded
from qianmo.finance.sheet.row import Row
from qianmo.finance.statements.line_rows import lines_of, net_row
from qianmo.finance.statements.making import booked, given, running, sum_row
from qianmo.schema.finance_codes import kinds

__all__ = ["asset_rows"]

_PART = "资产"
_ZH = {"fixed": "固定资产", "intangible": "无形资产", "deferred": "其他资产"}


def asset_rows(project: Project) -> list[Row]:
    """Pools of assets of one class and rule, and the pool of interest in construction (资产组).

    Parameters
    ----------
    project : Project

    Returns
    -------
    list of Row
        ``asset.<pool>.depreciation`` and ``.book`` of each pool; ``depreciation.total``, ``amortisation.total``,
        ``asset.in_progress``, ``asset.fixed_book``, ``asset.other_book``.

    Notes
    -----
    Cost gathers while the project is built and is put to use in the last year of construction; what is spent later is put to
    use at once. Depreciation runs over the life from the year after, so
    :math:`d_t = (P_{t-1} - P_{t-1-L}) (1-s) / L` with :math:`P` the cumulative cost put to use; by the half-year rule it is
    the mean of this year's and last year's. Amounts are rounded on the cumulative sum, so the whole is never off.
    """
    rows: list[Row] = []
    names: dict[str, str] = {}
    for name, (group, rule, lines) in _pools(project).items():
        names[name] = group
        zh = f"{_ZH[group]}" + ("" if name == group else f" {name.split('_')[1]}")
        rows.append(sum_row(f"asset.{name}.cost", f"{zh}: 当年投入(不含税)", _PART, [net_row(project, ln) for ln in lines]))
        rows += _pool_rows(name, zh, rule)
    interest = AssetRule(project.assets["fixed"].years, 0.0, project.assets["fixed"].half_year, project.assets["fixed"].source)
    rows.append(booked("asset.interest.cost", "建设期利息: 当年发生", _PART, Here("loans.construction_interest")))
    rows += _pool_rows("interest", "建设期利息", interest)
    names["interest"] = "fixed"
    fixed = [n for n, g in names.items() if g == "fixed"]
    other = [n for n, g in names.items() if g != "fixed"]
    return [
        *rows,
        sum_row("depreciation.total", "折旧费", _PART, [f"asset.{n}.depreciation" for n in fixed]),
        sum_row("amortisation.total", "摊销费", _PART, [f"asset.{n}.depreciation" for n in other]),
        _last(sum_row("asset.in_progress", "在建工程", _PART, [f"asset.{n}.in_progress" for n in names])),
        _last(sum_row("asset.fixed_book", "固定资产净值", _PART, [f"asset.{n}.book" for n in fixed])),
        _last(sum_row("asset.other_book", "无形及其他资产净值", _PART, [f"asset.{n}.book" for n in other])),
    ]


def _last(row: Row) -> Row:
    return Row(row.id, row.zh, row.unit, row.section, row.formula, total="last")


def _pools(project: Project) -> dict[str, tuple[str, AssetRule, list[Line]]]:
    """Lines of capital by asset class, apart where a line has a rule of its own."""
    found: dict[tuple[str, int, float], tuple[str, AssetRule, list[Line]]] = {}
    for line in lines_of(project, "capital"):
        group = kinds()[line.kind].asset
        rule = project.assets[group]
        own = AssetRule(
            rule.years if line.life_years is None else line.life_years, rule.salvage if line.salvage is None else line.salvage, rule.half_year,
            line.sources.get("life_years") or line.sources.get("salvage") or rule.source,
        )  # fmt: skip
        found.setdefault((group, own.years, own.salvage), (group, own, []))[2].append(line)
    named: dict[str, tuple[str, AssetRule, list[Line]]] = {}
    for group, rule, lines in found.values():
        count = sum(1 for g, _, _ in named.values() if g == group)
        named[group if not count else f"{group}_{count + 1}"] = (group, rule, lines)
    return named


def _pool_rows(name: str, zh: str, rule: AssetRule) -> list[Row]:
    a, life, used = f"asset.{name}", Here(f"asset.{name}.life"), f"asset.{name}.used_cum"
    straight = (Before(used) - Earlier(used, life + 1)) * (1 - Here(f"{a}.salvage")) / life
    rows = [
        given(f"{a}.life", f"{zh}: 折旧摊销年限", "年", rule.years, rule.source),
        given(f"{a}.salvage", f"{zh}: 净残值率", "比例", rule.salvage, rule.source),
        running(f"{a}.cost_cum", f"{zh}: 累计投入", _PART, Here(f"{a}.cost")),
        booked(f"{a}.used", f"{zh}: 转入使用", _PART, choose(Here("time.handover"), Here(f"{a}.cost_cum"), choose(Here("time.operation"), Here(f"{a}.cost"), 0))),
        running(used, f"{zh}: 累计转入使用", _PART, Here(f"{a}.used")),
        running(f"{a}.in_progress", f"{zh}: 在建", _PART, Here(f"{a}.cost") - Here(f"{a}.used")),
        booked(f"{a}.straight", f"{zh}: 直线折旧额(未取整)", _PART, straight),
    ]  # fmt: skip
    yearly = (Here(f"{a}.straight") + Before(f"{a}.straight")) / 2 if rule.half_year else Here(f"{a}.straight")
    return [
        *rows,
        running(f"{a}.worn_cum", f"{zh}: 累计折旧(未取整)", _PART, yearly),
        booked(f"{a}.depreciation", f"{zh}: 折旧摊销", _PART, rounded(Here(f"{a}.worn_cum")) - rounded(Before(f"{a}.worn_cum"))),
        running(f"{a}.book", f"{zh}: 净值", _PART, Here(f"{a}.used") - Here(f"{a}.depreciation")),
    ]
