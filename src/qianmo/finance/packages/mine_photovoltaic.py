"""Mine restoration paid by a photovoltaic concession (矿山修复与光伏特许经营)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qianmo.finance.packages.sheet import Item, PackageSheet, amount_in, compared_items
from qianmo.finance.packages.variants import variant
from qianmo.finance.photovoltaic.land import avoided_carbon_t
from qianmo.finance.project.entry import Entry
from qianmo.finance.project.records import Line, Project
from qianmo.finance.project.units import Quantity, fen_factor, measured
from qianmo.schema.errors import SchemaError
from qianmo.schema.finance_codes import natures

__all__ = ["mine_photovoltaic"]


def mine_photovoltaic(entry: Entry, project: Project, values: Mapping[str, Sequence[float]]) -> PackageSheet:
    """Energy, carbon, soil, and the project with and without its subsidy (A-22).

    Parameters
    ----------
    entry : Entry
        ``[package]``: `energy_line`, `subsidy_lines`, `restored_area`, `soil_loss_before`, `soil_loss_after`.
    project, values
        The project and its computed sheet.

    Returns
    -------
    PackageSheet
        First-year energy [MWh], over the term by the degradation of the line; carbon dioxide avoided [t]; soil kept [t a year].

    Raises
    ------
    FinanceInputError
        A key is missing or a line is not there.
    """
    known = {ln.id: ln for ln in project.lines}
    name = entry.text("energy_line")
    if name not in known or known[name].kind != "electricity_income":
        entry.fail("energy_line", f"没有电费科目 {name!r}", expected=", ".join(n for n, ln in known.items() if ln.kind == "electricity_income"))
    subsidies = entry.data.get("subsidy_lines", [])
    entry.has("subsidy_lines")
    strange = [s for s in subsidies if s not in known]
    if strange:
        entry.fail("subsidy_lines", f"没有科目 {', '.join(strange)}", expected=", ".join(known))
    yearly = _energy_kwh(known[name], values[f"line.{name}.amount"])
    carbon = float(avoided_carbon_t(sum(yearly)))
    saved = amount_in(entry, "restored_area", "公顷") * (amount_in(entry, "soil_loss_before", "吨/公顷·年") - amount_in(entry, "soil_loss_after", "吨/公顷·年"))
    first = next((e for e in yearly if e > 0), 0.0)
    labels = [Item(f"subsidy.{s}", f"补贴性质: {known[s].zh} — {natures()[known[s].nature].zh}", sum(values[f"line.{s}.amount"]) / 100.0, "元", known[s].basis) for s in subsidies]
    bare = variant(project, factors=dict.fromkeys(subsidies, 0.0))
    return PackageSheet(
        {"发电与减排": [Item("energy_first", "首个运营年电量", first / 1000.0, "MWh"), Item("energy_all", "经营期电量", sum(yearly) / 1000.0, "MWh"),
                    Item("carbon_first", "首个运营年减排二氧化碳", float(avoided_carbon_t(first)), "吨", "电量 × 参数 photovoltaic_carbon_t_mwh(待核实)"), Item("carbon_all", "经营期减排二氧化碳", carbon, "吨")],
         "生态效益": [Item("soil_saved", "年减少土壤流失", saved, "吨/年", "修复面积 × (修复前 − 修复后模数)")],
         "补贴": labels, "有补贴": compared_items("plan", "有补贴", variant(project)), "无补贴": compared_items("bare", "无补贴", bare)},
        {"电量 (kWh)": yearly},
        [("没有建设补贴(F-07)", all(ln.nature != "construction_subsidy" for ln in project.lines))],
    )  # fmt: skip


def _energy_kwh(line: Line, amounts: Sequence[float]) -> list[float]:
    """Energy of each year: booked income over the price."""
    price = [f for f in line.factors if _is_price(f)]
    if len(price) != 1:
        raise SchemaError(f"科目 {line.id} 没有以 元/kWh 计的单价", expected='price = "0.38 元/kWh"')
    yuan = measured(price[0], "元/kWh")
    return [a / 100.0 / yuan for a in amounts]


def _is_price(factor: Quantity) -> bool:
    try:
        fen_factor(factor, Quantity(1.0, "kWh"))
    except SchemaError:
        return False
    return True
