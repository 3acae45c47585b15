"""黄桥: homestead swap and park, areas and money in balance (宅基地置换与产业园平衡); invented amounts."""

from __future__ import annotations

from qianmo.finance.distribution.exact import fen_of_yuan
from qianmo.finance.distribution.homestead_swap import area_differences, break_even_occupancy, homestead_areas, swap_balance
from qianmo.reports.distribution_tables import swap_table
from qianmo.reports.text_table import text_table
from qianmo.schema.rules import parameter
from qianmo.schema.units import M2_PER_MU

HOUSEHOLDS, OLD_MU, NEW_MU = 300, 0.30, 0.12
YEARS = 16
WAN = 10_000


def main() -> None:
    """Areas, their check against parcels, yearly balance, break-even year and occupancy."""
    areas = homestead_areas(HOUSEHOLDS, OLD_MU, NEW_MU, accept_rate=parameter("reclaim_accept_rate"), reserve_ratio=parameter("rural_reserve_ratio"))
    print(f"腾退 {float(areas.freed_mu):g} 亩, 验收 {float(areas.accepted_mu):g} 亩, 预留 {float(areas.reserve_mu):g} 亩, 节余 {float(areas.surplus_mu):g} 亩")
    for d in area_differences(
        areas, old_parcels_m2=[200.0] * HOUSEHOLDS, resettlement_parcels_m2=[80.0] * HOUSEHOLDS, m2_per_mu=M2_PER_MU,
        tolerance_m2=parameter("homestead_area_tolerance_m2"),
    ):  # fmt: skip
        print(f"面积核对 {d.name}: 规划 {d.planned_m2:,.2f} 平方米, 宗地 {d.parcels_m2:,.2f} 平方米, {'一致' if d.is_balanced else '不一致'}")
    one_off = [0, 0, fen_of_yuan(float(areas.surplus_mu) * 80 * WAN)] + [0] * (YEARS - 3)
    yearly = [0, 0, 0] + [fen_of_yuan(900 * WAN)] * (YEARS - 3)
    uses = {
        "安置房与补偿": [fen_of_yuan(4000 * WAN), fen_of_yuan(3000 * WAN)] + [0] * (YEARS - 2),
        "园区配套": [0, fen_of_yuan(1500 * WAN), fen_of_yuan(500 * WAN)] + [0] * (YEARS - 3),
        "运营": [0, 0, 0] + [fen_of_yuan(120 * WAN)] * (YEARS - 3),
    }  # fmt: skip
    found = swap_balance(one_off, yearly, uses, occupancy=[0, 0, 0, 0.4, 0.6, 0.8] + [0.9] * (YEARS - 6))
    print("\n".join(text_table(swap_table(found, synthetic=("黄桥示例",)))))
    least = break_even_occupancy(one_off, yearly, uses)
    print(f"第 {found.lasting} 年起资金平衡 (第 0 年为首年), 最深缺口 {-found.deepest_fen / 1e6:,.2f} 万元, {YEARS} 年盈亏平衡出租率 {float(least or 0):.1%}")


if __name__ == "__main__":
    main()
