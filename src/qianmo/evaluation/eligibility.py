"""Which patches could receive each measure, and the figures that make them so (整治措施适用条件)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import geopandas as gpd
import numpy as np
import shapely

from qianmo.evaluation.classes import farmland, group, text_column
from qianmo.evaluation.compliance_farmland import restorable
from qianmo.evaluation.fragmentation import is_small_field
from qianmo.schema.rules import parameter, rule
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.units import m2_to_mu, mu_to_m2

__all__ = ["ELIGIBLE", "Ground", "measure_targets", "steeper"]

TERRACED = "TT"


@dataclass(frozen=True)
class Ground:
    """What is known of each patch before measures are considered, rows as `patches` (图斑条件).

    `low`, `high` bound the slope; `idle` is a kind of idle land or ''; `block_m2` the contiguous block of farmland;
    `neighbours` and `border_m` the number of farmland neighbours and the longest common border.
    """

    patches: gpd.GeoDataFrame
    scheme: str
    overrides: Mapping[str, float]
    code: np.ndarray
    area_m2: np.ndarray
    low: np.ndarray
    high: np.ndarray
    idle: np.ndarray
    block_m2: np.ndarray
    neighbours: np.ndarray
    border_m: np.ndarray

    def parameter(self, name: str) -> float:
        """One parameter with the local value."""
        return parameter(name, self.overrides)

    def steep_limit(self) -> float:
        """Slope above which farmland must not be made (G-09) [degree]."""
        return float(self.overrides.get("G-09", rule("G-09").value()))

    def slope_text(self, i: int | np.integer) -> str:
        """Slope of one patch in words."""
        if self.low[i] == self.high[i]:
            return f"平均坡度 {self.low[i]:.1f} 度"
        return f"坡度 {self.low[i]:g}~{self.high[i]:g} 度"


Eligible = tuple[np.ndarray, list[str]]
"""Positions of the patches and one reason each."""


@cache
def measure_targets(measure: str) -> Mapping[str, str]:
    """Class before → class after of one measure (措施目标地类); '' stays as it is."""
    return {r["class_code"]: r["target_class"] for r in shipped_rows("codes", "measure_classes") if r["measure"] == measure}


def steeper(low: np.ndarray, high: np.ndarray, limit: float) -> np.ndarray:
    """True where the slope is surely above the limit (坡度大于); a class that starts at the limit is above it."""
    return (low > limit) | ((low == limit) & (high > limit))


def _of_class(g: Ground, measure: str) -> np.ndarray:
    return np.isin(g.code, list(measure_targets(measure)))


def _mu(g: Ground, i: int | np.integer) -> str:
    return f"面积 {m2_to_mu(g.area_m2[i]):.2f} 亩"


def _reclaim_homestead(g: Ground) -> Eligible:
    built = _of_class(g, "reclaim_homestead")
    rows = np.flatnonzero(built & np.isin(g.idle, ["vacant", "abandoned", "isolated_homestead"]))
    words = {"vacant": "空闲地", "abandoned": "细化代码 FQ 废弃", "isolated_homestead": "孤立小图斑,候选,须实地核实是否闲置"}
    return rows, [f"建设用地 {g.code[i]},{words[g.idle[i]]},{_mu(g, i)};复垦前须做土壤污染核查" for i in rows]


def _restore_farmland(g: Ground) -> Eligible:
    tagged = text_column(g.patches, "planting_code").isin(["JKHF", "GCHF"]).to_numpy() & ~farmland(g.patches, scheme=g.scheme)
    most = g.parameter("restore_slope_max_deg")
    rows = np.flatnonzero((_of_class(g, "restore_farmland") | tagged) & (g.high <= most))
    tag = text_column(g.patches, "planting_code").to_numpy()
    extra = np.where(restorable(g.patches), ",调查标注可恢复或可调整", "").astype(object)
    words = np.where(tagged, "," + tag.astype(object), "") + extra
    return rows, [f"地类 {g.code[i]},{g.slope_text(i)}(≤{most:g}),{_mu(g, i)}{words[i]}" for i in rows]


def _reclaim_other(g: Ground) -> Eligible:
    most = g.parameter("reclaim_slope_max_deg")
    rows = np.flatnonzero(_of_class(g, "reclaim_other") & (g.high <= most))
    return rows, [f"未利用地 {g.code[i]},{g.slope_text(i)}(≤{most:g}),{_mu(g, i)};土层和水源须实地核实" for i in rows]


def _retire_steep(g: Ground) -> Eligible:
    least = g.steep_limit()
    rows = np.flatnonzero(_of_class(g, "retire_steep") & steeper(g.low, g.high, least))
    note = "耕地流出须纳入进出平衡(G-01)或确认生态退耕(G-02)"
    return rows, [f"耕地 {g.code[i]},{g.slope_text(i)}(>{least:g}),{_mu(g, i)};{note}" for i in rows]


def _pond_to_wetland(g: Ground) -> Eligible:
    rows = np.flatnonzero(_of_class(g, "pond_to_wetland"))
    return rows, [f"坑塘 {g.code[i]},{_mu(g, i)};养殖权属与水源须核实" for i in rows]


def _merge_fields(g: Ground) -> Eligible:
    small = is_small_field(g.area_m2, overrides=g.overrides)
    rows = np.flatnonzero(_of_class(g, "merge_fields") & small & (g.neighbours > 0))
    size = g.parameter("small_patch_mu")
    return rows, [
        f"耕地 {_mu(g, i)}(<{size:g}),与 {g.neighbours[i]} 个耕地图斑相邻,最长公共边 {g.border_m[i]:.1f} 米" for i in rows
    ]


def _dry_to_paddy(g: Ground) -> Eligible:
    most, reach = g.parameter("paddy_slope_max_deg"), g.parameter("paddy_water_distance_m")
    rows = np.flatnonzero(_of_class(g, "dry_to_paddy") & (g.high <= most))
    water = np.flatnonzero(group(g.patches["class_code"], scheme=g.scheme) == "water")
    water = water[~np.isin(g.code[water], ["1109", "1110"])]
    if not len(rows) or not len(water):
        return rows[:0], []
    geoms = g.patches.geometry.to_numpy()
    tree = shapely.STRtree(geoms[water])
    (near, _), distance = tree.query_nearest(geoms[rows], max_distance=reach, return_distance=True, all_matches=False)
    return rows[near], [
        f"{g.code[i]},{g.slope_text(i)}(≤{most:g}),距水面 {d:.0f} 米(≤{reach:g}),{_mu(g, i)}"
        for i, d in zip(rows[near], distance)
    ]


def _high_standard(g: Ground) -> Eligible:
    least, most = g.parameter("contig_block_min_mu"), g.parameter("high_standard_slope_max_deg")
    large = np.round(g.block_m2, 2) >= round(mu_to_m2(least), 2)
    rows = np.flatnonzero(_of_class(g, "high_standard") & large & (g.high <= most))
    return rows, [
        f"所在连片耕地 {m2_to_mu(g.block_m2[i]):.1f} 亩(≥{least:g}),{g.slope_text(i)}(≤{most:g}),{_mu(g, i)}" for i in rows
    ]


def _terrace(g: Ground) -> Eligible:
    least, most = g.parameter("terrace_slope_min_deg"), g.steep_limit()
    built = (text_column(g.patches, "farmland_type") == TERRACED).to_numpy()
    rows = np.flatnonzero(_of_class(g, "terrace") & steeper(g.low, g.high, least) & (g.high <= most) & ~built)
    return rows, [f"坡耕地 {g.code[i]},{g.slope_text(i)}({least:g}~{most:g}),未梯田化,{_mu(g, i)}" for i in rows]


def _redevelop_industry(g: Ground) -> Eligible:
    rows = np.flatnonzero(_of_class(g, "redevelop_industry") & np.isin(g.idle, ["inefficient_industry", "abandoned"]))
    words = {"inefficient_industry": "孤立小图斑,候选,须实地核实效益", "abandoned": "细化代码 FQ 废弃"}
    return rows, [f"工矿用地 {g.code[i]},{words[g.idle[i]]},{_mu(g, i)}" for i in rows]


def _afforest(g: Ground) -> Eligible:
    least = g.parameter("afforest_slope_min_deg")
    rows = np.flatnonzero(_of_class(g, "afforest") & steeper(g.low, g.high, least))
    return rows, [f"地类 {g.code[i]},{g.slope_text(i)}(>{least:g}),{_mu(g, i)}" for i in rows]


ELIGIBLE: Mapping[str, Callable[[Ground], Eligible]] = {
    "reclaim_homestead": _reclaim_homestead,
    "restore_farmland": _restore_farmland,
    "reclaim_other": _reclaim_other,
    "retire_steep": _retire_steep,
    "pond_to_wetland": _pond_to_wetland,
    "merge_fields": _merge_fields,
    "dry_to_paddy": _dry_to_paddy,
    "high_standard": _high_standard,
    "terrace": _terrace,
    "redevelop_industry": _redevelop_industry,
    "afforest": _afforest,
}
"""Conditions of every measure other than keep."""
