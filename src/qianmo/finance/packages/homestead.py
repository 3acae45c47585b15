"""Homestead swap balanced by an industrial park, areas tied to parcels (宅基地置换与产业园)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qianmo.finance.distribution.homestead_swap import area_differences, break_even_occupancy, homestead_areas, swap_balance
from qianmo.finance.packages.sheet import Item, PackageSheet, amount_in
from qianmo.finance.project.entry import Entry
from qianmo.finance.project.records import Project
from qianmo.finance.statements.line_rows import gross_row
from qianmo.schema.finance_codes import kinds
from qianmo.schema.rules import parameter
from qianmo.schema.units import M2_PER_MU

__all__ = ["homestead"]


def homestead(entry: Entry, project: Project, values: Mapping[str, Sequence[float]], *, parcels_m2: Mapping[str, Sequence[float]] | None = None) -> PackageSheet:
    """Areas, their check against parcels, yearly balance of the fund, break-even year and occupancy (A-21).

    Parameters
    ----------
    entry : Entry
        ``[package]``: `households`; `old_area_each`, or `old_area` of all together; `new_area_each`; `accept_rate`, `reserve_ratio`;
        `occupancy` planned, `one_off_lines`, `yearly_lines`; `old_parcels`, `new_parcels` (quantities, as of a plan) where there is no table.
    parcels_m2 : mapping, optional
        ``old`` and ``resettlement`` → areas of the parcels [m2].

    Returns
    -------
    PackageSheet
        Areas [mu]; balance by year without financing and taxes [yuan]; year 1 is the first year of the project.

    Raises
    ------
    FinanceInputError
        A key is missing or out of range, or a line is not there.
    """
    households = round(amount_in(entry, "households", "户"))
    old = amount_in(entry, "old_area", "亩") / households if entry.has("old_area") else amount_in(entry, "old_area_each", "亩/户")
    rates = entry.number("accept_rate", least=0.0, most=1.0), entry.number("reserve_ratio", least=0.0, most=1.0)
    areas = homestead_areas(households, old, amount_in(entry, "new_area_each", "亩/户"), accept_rate=rates[0], reserve_ratio=rates[1])
    parcels = dict(parcels_m2 or {})
    for key, role in (("old_parcels", "old"), ("new_parcels", "resettlement")):
        if entry.has(key):
            parcels[role] = [amount_in(entry, key, "m2")]
    differences = area_differences(
        areas, old_parcels_m2=parcels.get("old", ()), resettlement_parcels_m2=parcels.get("resettlement", ()), m2_per_mu=M2_PER_MU,
        tolerance_m2=parameter("homestead_area_tolerance_m2"),
    )  # fmt: skip
    told = [d for d in differences if (d.name == "old" and "old" in parcels) or (d.name == "resettle" and "resettlement" in parcels)]
    one_off, yearly, uses = _flows(entry, project, values)
    balance = swap_balance(one_off, yearly, uses, occupancy=[1] * project.years)
    planned = entry.number("occupancy", least=1e-6, most=1.0)
    even = break_even_occupancy(one_off, yearly, uses)
    zh = {"old": "原宅基地", "resettle": "安置用地"}
    return PackageSheet(
        {"面积": [Item(n, z, float(v), "亩") for n, z, v in (("old", "原宅基地", areas.old_mu), ("resettle", "安置用地", areas.resettle_mu), ("freed", "腾退", areas.freed_mu),
                ("accepted", "验收复垦", areas.accepted_mu), ("reserve", "农村产业预留", areas.reserve_mu), ("surplus", "节余指标", areas.surplus_mu))],
         "面积与宗地核对": [i for d in told for i in (Item(f"parcels.{d.name}", f"{zh[d.name]}: 宗地合计", d.parcels_m2, "平方米"), Item(f"planned.{d.name}", f"{zh[d.name]}: 规划", d.planned_m2, "平方米"))],
         "资金平衡": [Item("lasting", "自此年起累计平衡", float("nan") if balance.lasting is None else balance.lasting + 1, "年"), Item("deepest", "最深缺口", -balance.deepest_fen / 100.0, "元"),
                  Item("final", "期末累计余额", balance.balance_fen[-1] / 100.0, "元"),
                  Item("break_even_occupancy", "期末平衡的出租率", float("nan") if even is None else float(even) * planned, "比例", f"计划出租率 {planned:.0%}; 超过 100 % 表示满租也不能平衡")]},
        {"收入": [x / 100.0 for x in balance.income_fen], "支出": [x / 100.0 for x in balance.uses_fen], "累计余额": [x / 100.0 for x in balance.balance_fen]},
        [(f"{zh[d.name]}面积与宗地一致(差 {abs(d.planned_m2 - d.parcels_m2):.2f} 平方米, 容许 1)", d.is_balanced) for d in told],
    )  # fmt: skip


def _flows(entry: Entry, project: Project, values: Mapping[str, Sequence[float]]) -> tuple[list[int], list[int], dict[str, list[int]]]:
    """One-off and yearly income, and uses by sub-project, as booked [fen]."""
    rows = {ln.id: [round(x) for x in values[gross_row(project, ln)]] for ln in project.lines}

    def summed(names: Sequence[str]) -> list[int]:
        return [sum(rows[n][t] for n in names) for t in range(project.years)]

    chosen = {}
    for key in ("one_off_lines", "yearly_lines"):
        names = entry.data.get(key, [])
        entry.has(key)
        strange = [n for n in names if n not in rows] if isinstance(names, list) else [names]
        if strange or not names:
            entry.fail(key, f"没有科目 {', '.join(map(str, strange)) or key}", expected=", ".join(rows))
        chosen[key] = names
    uses = {
        s.zh: summed([ln.id for ln in project.lines if ln.sub_project == s.id and kinds()[ln.kind].direction == "out"]) for s in project.sub_projects
    }
    return summed(chosen["one_off_lines"]), summed(chosen["yearly_lines"]), uses
