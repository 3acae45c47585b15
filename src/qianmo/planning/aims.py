"""Declared aims of a plan, each a normalised term of the score (规划目标).

The score of a plan is ``100 * sum_k weight_k * amount_k / potential_k`` points. The amount of
an aim is what the plan adds to keeping all patches; its potential is the most that the options
could add if nothing stood against them. An aim with weight 1 fully reached is thus 100 points.
A service can lose far more than it can gain: its potential is the larger of the two, so that a loss
never weighs more than its share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qianmo.planning.joining import fragment_credits
from qianmo.planning.parts import Parts
from qianmo.planning.problem import Pairs
from qianmo.planning.service_effects import known_effect
from qianmo.planning.settings import SERVICE_AIM_IDS, PlanSettings

__all__ = ["POINTS", "Aim", "aims", "weighted_pairs", "weighted_values"]

POINTS = 100.0
"""Score of one aim of weight 1 that is fully reached."""

QUALITY_MEASURES = ("high_standard", "dry_to_paddy", "terrace")

SERVICES = {
    "carbon": ("carbon_t", "碳汇增加", "Σ 碳储量增量", "t"),
    "soil_conservation": ("soil_saved_t_yr", "水土保持", "Σ 土壤流失减少量", "t/yr"),
    "service_value": ("service_value_yuan_yr", "生态服务价值", "Σ 生态系统服务价值增量", "yuan/yr"),
}


@dataclass(frozen=True)
class Aim:
    """One aim (目标): linear `amount` (m,) of each option and unweighted `pairs`, in `unit`."""

    id: str
    zh: str
    formula: str
    unit: str
    weight: float
    potential: float
    amount: np.ndarray
    pairs: Pairs | None = None

    @property
    def points_per_unit(self) -> float:
        """Points that one unit of the amount is worth."""
        return POINTS * self.weight / self.potential if self.potential > 0 else 0.0


def aims(parts: Parts, settings: PlanSettings) -> tuple[Aim, ...]:
    """The seven declared aims and the service aims that have a weight, in the order of ``AIM_IDS`` (规划目标).

    new_farmland     sum of farmland gained [m2]
    fewer_fragments  fields below ``small_patch_mu`` that join a neighbour, less those newly made [fields]
    contiguity       border length with farmland on both sides gained [m]
    quality          sum of area times grades gained by works [m2 grade]
    ecology          ecological land gained, terraces counted in part [m2]
    revitalisation   idle and inefficient building land put to use [m2]
    cost             less the cost of works [yuan]
    carbon           carbon stock gained [t]
    soil_conservation  soil loss avoided [t/yr]
    service_value    ecosystem service value gained [yuan/yr]

    Raises
    ------
    MissingDataError
        A service aim has a weight and its coefficient is unknown for some option.
    """
    e, pieces = parts.effects, fragment_credits(parts, settings)
    return (
        _linear(parts, settings, "new_farmland", "新增耕地", "Σ 耕地净增面积", "m2", e["farmland_m2"]),
        _linear(parts, settings, "fewer_fragments", "减少碎片", "Σ 并入相邻田块的小田块数 - 新增小田块数", "块", pieces),
        _contiguity(parts, settings),
        _linear(parts, settings, "quality", "耕地质量", "Σ 面积 × 提升等级数", "m2·等", _grades(parts, settings)),
        _linear(parts, settings, "ecology", "生态用地", "Σ 生态用地净增面积(梯田折算)", "m2", _ecology(parts, settings)),
        _linear(parts, settings, "revitalisation", "盘活存量", "Σ 盘活建设用地面积", "m2", e["revitalised_m2"]),
        _cost(parts, settings),
        *(_service(parts, settings, a) for a in SERVICE_AIM_IDS if settings.weight(a) > 0),
    )


def weighted_values(found: tuple[Aim, ...], m: int) -> np.ndarray:
    """Linear value of each option over all aims, (m,) [points] (选项得分)."""
    return sum((a.amount * a.points_per_unit for a in found), np.zeros(m))


def weighted_pairs(found: tuple[Aim, ...]) -> tuple[Pairs, ...]:
    """Pair bonuses in points; aims of weight 0 and empty ones are left out (成对得分)."""
    out = []
    for a in found:
        if a.pairs is not None and len(a.pairs.i) and a.points_per_unit > 0:
            p = a.pairs
            out.append(Pairs(p.aim, p.zh, p.i, p.j, p.weight * a.points_per_unit, p.state0, p.state))
    return tuple(out)


def _linear(parts: Parts, settings: PlanSettings, aim: str, zh: str, formula: str, unit: str, amount: np.ndarray) -> Aim:
    return Aim(aim, zh, formula, unit, settings.weight(aim), _best_sum(parts, amount), amount)


def _cost(parts: Parts, settings: PlanSettings) -> Aim:
    potential = _best_sum(parts, parts.cost)
    return Aim("cost", "节约投资", "-Σ 工程费", "yuan", settings.weight("cost"), potential, -parts.cost)


def _service(parts: Parts, settings: PlanSettings, aim: str) -> Aim:
    quantity, zh, formula, unit = SERVICES[aim]
    amount = known_effect(parts.effects, quantity, parts.patch_id[parts.patch])
    return Aim(aim, zh, formula, unit, settings.weight(aim), max(_best_sum(parts, amount), _best_sum(parts, -amount)), amount)


def _best_sum(parts: Parts, amount: np.ndarray) -> float:
    best = np.zeros(parts.n)
    np.maximum.at(best, parts.patch, amount)
    return float(best.sum())


def _grades(parts: Parts, settings: PlanSettings) -> np.ndarray:
    gain = np.zeros(parts.m)
    for name in QUALITY_MEASURES:
        gain[parts.measure == name] = settings.value(f"quality_gain_{name}")
    grade = parts.grade[parts.patch]
    room = np.where(np.isfinite(grade), np.maximum(grade - 1.0, 0.0), np.inf)
    return np.minimum(gain, room) * parts.class_area[parts.patch]


def _ecology(parts: Parts, settings: PlanSettings) -> np.ndarray:
    terraced = np.where(parts.measure == "terrace", parts.class_area[parts.patch], 0.0)
    return parts.effects["eco_m2"] + settings.value("eco_gain_terrace") * terraced


def _contiguity(parts: Parts, settings: PlanSettings) -> Aim:
    pairs = Pairs(
        "contiguity", "集中连片", parts.border_i, parts.border_j, parts.border_m, parts.is_farmland, parts.to_farmland
    )
    can = parts.is_farmland.copy()
    can[parts.patch[parts.to_farmland]] = True
    both_now = parts.is_farmland[pairs.i] & parts.is_farmland[pairs.j]
    use = can[pairs.i] & can[pairs.j]
    potential = float(pairs.weight[use & ~both_now].sum())
    kept = Pairs(pairs.aim, pairs.zh, pairs.i[use], pairs.j[use], pairs.weight[use], pairs.state0, pairs.state)
    return Aim(
        "contiguity", "集中连片", "Σ 两侧均为耕地的界线长度之增量", "m", settings.weight("contiguity"), potential,
        np.zeros(parts.m), kept,
    )  # fmt: skip

