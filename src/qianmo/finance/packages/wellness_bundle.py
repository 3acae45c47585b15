"""Consolidation bundled with wellness tourism: beds, occupancy, increments, land (整治与康养捆绑)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import brentq

from qianmo.finance.distribution.bundle import attributed_increments
from qianmo.finance.figures.present_value import net_present_value
from qianmo.finance.packages.sheet import Item, PackageSheet, amount_in
from qianmo.finance.packages.variants import variant
from qianmo.finance.project.entry import Entry
from qianmo.finance.project.records import Project

__all__ = ["break_even_share", "lines_with_share", "wellness_bundle"]

_STEPS = 4


def wellness_bundle(entry: Entry, project: Project, values: Mapping[str, Sequence[float]]) -> PackageSheet:
    """The bundle with and without increments, and by occupancy (A-20).

    Parameters
    ----------
    entry : Entry
        ``[package]``: `beds`, `occupancy`, `occupancy_low`, `price`, `income_line`, `beds_land`, `construction_land`,
        `consolidation` (sub-projects), and ``[package.without]`` with factors of lines where a sub-project is not built.
    project, values
        The project and its computed sheet.

    Returns
    -------
    PackageSheet
        Rate of return and value by occupancy, occupancy at which the value is just 0, increment by part (mean over both orders).

    Raises
    ------
    FinanceInputError
        A key is missing; no line carries the occupancy.
    """
    beds, price = amount_in(entry, "beds", "床"), amount_in(entry, "price", "元/床·天")
    high, low = entry.number("occupancy", least=0.0, most=1.0), entry.number("occupancy_low", least=0.0, most=1.0)
    moved = lines_with_share(project, high)
    income = entry.text("income_line")
    if income not in moved:
        entry.fail("occupancy", f"科目 {income} 的数量中没有入住率 {high:g}", expected='quantity = ["… 床", "365 天/年", "55 %"]')
    rows = []
    for share in np.linspace(high, low, _STEPS + 1):
        found = variant(project, factors={k: float(share) / high for k in moved}).figures
        rows += [
            Item(f"occupancy.{share:.4f}.irr", f"入住率 {share:.1%}: 税前内部收益率", found["irr_before_tax"].value, "比例"),
            Item(f"occupancy.{share:.4f}.npv", f"入住率 {share:.1%}: 税前净现值", found["npv_before_tax"].value / 100.0, "元"),
        ]
    even = break_even_share(project, moved, high)
    land, approved = amount_in(entry, "beds_land", "m2"), amount_in(entry, "construction_land", "m2")
    first = beds * price * 365.0 * high
    return PackageSheet(
        {"床位": [Item("beds", "床位", beds, "床"), Item("price", "床日均价", price, "元/床·天"), Item("full_income", "达产住宿收入", first, "元/年", "床位 × 365 × 入住率 × 单价"),
                Item("break_even_occupancy", "税前净现值为 0 的入住率", even, "比例")],
         "入住率敏感性": rows, "增量归属(有无对比)": _increments(entry, project, values)},
        {}, [("康养用地不超过已批建设用地", land <= approved), ("住宿收入与床位、入住率、单价一致(达产年)", abs(max(values[f"line.{income}.amount"]) - first * 100.0) <= 1.0)],
    )  # fmt: skip


def lines_with_share(project: Project, share: float) -> tuple[str, ...]:
    """Lines whose quantity has this share among its factors (含某比例的科目)."""
    return tuple(ln.id for ln in project.lines if any(f.unit == "" and abs(f.value - share) < 1e-12 for f in ln.factors))


def break_even_share(project: Project, lines: Sequence[str], share: float) -> float:
    """Share at which the net present value before tax is 0, nan where none up to 1 does it (盈亏平衡)."""

    def worth(x: float) -> float:
        return variant(project, factors=dict.fromkeys(lines, x / share)).figures["npv_before_tax"].value

    bounds = 1e-6, 1.0
    if worth(bounds[0]) * worth(bounds[1]) > 0:
        return float("nan")
    return float(brentq(worth, *bounds, xtol=1e-6))


def _increments(entry: Entry, project: Project, values: Mapping[str, Sequence[float]]) -> list[Item]:
    """Worth of the bundle by part: every year's net flow shared over both orders of adding, then discounted."""
    mine = tuple(entry.data.get("consolidation", ()))
    entry.has("consolidation")
    subs = {s.id for s in project.sub_projects}
    if not mine or not set(mine) < subs:
        entry.fail("consolidation", f"{mine!r}", expected=f"{', '.join(sorted(subs))} 中的一部分")
    without = entry.child("without")
    told = without.child("consolidation")
    alone = variant(project, factors={k: told.number(k, least=0.0, most=10.0) for k in told.data}).values

    def net(found: Mapping[str, Sequence[float]], parts: set[str]) -> list[int]:
        return [round(sum(found[f"sub.{s}.net"][t] for s in parts)) for t in range(project.years)]

    flows = {
        (): [0] * project.years, ("整治",): net(values, set(mine)), ("康养",): net(alone, subs - set(mine)), ("整治", "康养"): net(values, subs),
    }  # fmt: skip
    parts = attributed_increments(["整治", "康养"], flows)
    rate = project.benchmark.value

    def worth(money: Sequence[int]) -> float:
        return float(np.ravel(net_present_value(np.asarray(money, float), rate, first=project.first_flow))[0]) / 100.0

    bundle = [a - b - c for a, b, c in zip(flows[("整治", "康养")], flows[("整治",)], flows[("康养",)], strict=True)]
    return [
        Item("without.整治", "只做整治: 净现值", worth(flows[("整治",)]), "元"), Item("without.康养", "只做康养: 净现值", worth(flows[("康养",)]), "元"),
        Item("with.both", "捆绑: 净现值", worth(flows[("整治", "康养")]), "元"), Item("bundle_gain", "捆绑增量: 净现值", worth(bundle), "元", "捆绑 − 只做整治 − 只做康养"),
        *(Item(f"attributed.{p}", f"归属于{p}: 净现值", worth(f), "元", "两种加入次序增量的平均") for p, f in parts.items()),
    ]  # fmt: skip
