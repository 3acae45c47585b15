"""What a re-allotment is allowed to do and what it aims at (分地设置)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qianmo.schema.errors import RuleError, SchemaError
from qianmo.schema.rules import parameter

__all__ = ["CUTS", "AllotmentSettings", "allotment_settings"]

CUTS = ("perpendicular", "sides")
"""Direction of the cut lines: square to the frontage, or parallel to the end sides of the block."""


@dataclass(frozen=True)
class AllotmentSettings:
    """Limits and weights of one re-allotment (分地设置).

    Parameters
    ----------
    deduction_share : float or None
        Share of every entitlement given up for roads, ditches and other common land, 0 to 1. None: what is left after
        the blocks were drawn decides, up to `deduction_share_max`.
    lot_width_min_m : float
        Least width of a lot, measured square to its side lines. [m]
    lot_area_min_m2 : float
        Least area of a lot. [m2]
    lots_per_owner_max : int
        Most lots of one owner where the owner row names no number of its own.
    candidate_blocks : int
        Nearest blocks an owner may go to, besides those preferred; 0 means all.
    lot_cost_m, preference_cost_m : float
        What a further lot, and one rank down the list of preferences, weigh against mean distance. [m]
    cut : 'perpendicular' or 'sides'
        Direction of the cut lines.
    depth_max_m, track_width_m : float
        A block deeper than this is cut into two tiers; width of the farm track between them. [m]
    frontage_reach_m : float
        A border this near to the edge of a road is frontage. [m]
    gap_rel, time_limit_s : float
        Target of the relative gap and time limit of the assignment. [-], [s]
    """

    deduction_share: float | None
    deduction_share_max: float
    lot_width_min_m: float
    lot_area_min_m2: float
    lots_per_owner_max: int
    candidate_blocks: int
    lot_cost_m: float
    preference_cost_m: float
    cut: str
    depth_max_m: float
    track_width_m: float
    frontage_reach_m: float
    field_length_max_m: float
    contour_slope_min_deg: float
    gap_rel: float
    time_limit_s: float


def allotment_settings(
    overrides: Mapping[str, float] | None = None, *, deduction_share: float | None = None, cut: str = "perpendicular"
) -> AllotmentSettings:
    """Settings from the shipped parameters ``allot_*``, some of them overridden (分地设置取值).

    Parameters
    ----------
    overrides : mapping of parameter name to number, optional

    Raises
    ------
    RuleError
        A number is negative, a share above 1, or not finite.
    SchemaError
        Unknown direction of cuts.
    """
    if cut not in CUTS:
        raise SchemaError(f"cut {cut!r}", expected=", ".join(CUTS))

    def number(name: str, most: float = 1e9) -> float:
        value = parameter(f"allot_{name}", overrides)
        if not 0 <= value <= most:
            raise RuleError(f"allot_{name} is {value}", expected=f"a number from 0 to {most:g}", cure="改正参数")
        return value

    if deduction_share is not None and not 0 <= deduction_share < 1:
        raise RuleError(f"deduction share {deduction_share}", expected="0 to below 1", cure="扣减率须在 0 与 1 之间")
    return AllotmentSettings(
        deduction_share, number("deduction_share_max", 1.0), number("lot_width_min_m"), number("lot_area_min_m2"),
        int(number("lots_per_owner_max")), int(number("candidate_blocks")), number("lot_cost_m"), number("preference_cost_m"), cut,
        number("depth_max_m"), number("track_width_m"), number("frontage_reach_m"), number("field_length_max_m"),
        number("contour_slope_min_deg", 90.0), number("gap_rel", 1.0), number("time_limit_s"),
    )  # fmt: skip
