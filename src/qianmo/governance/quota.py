"""A provincial total of quota shared among counties by weight, with floors and caps (省级统筹: 指标分配)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from qianmo.schema.errors import InfeasibleError, SchemaError
from qianmo.schema.rules import parameter

__all__ = ["CRITERIA", "allocate_quota", "county_scores", "stepped_shares", "transfers"]

CRITERIA = ("stock", "demand", "potential", "ecology_limit")
"""What a county is weighed by: what it holds, what it needs, what can be made, and how far ecology forbids (资源禀赋、需求、潜力、生态约束)."""

_ROUNDS = 10_000


def county_scores(counties: pd.DataFrame, *, weights: Mapping[str, float] | None = None) -> np.ndarray:
    r"""Score of each county, float (n,), 0 to 1 (县级得分).

    Parameters
    ----------
    counties : DataFrame, n rows, columns `CRITERIA`
        In any unit; each column is normed over the counties from its least (0) to its most (1). A column of one value counts 0.
    weights : mapping, optional
        Weight of each criterion, made to sum to 1; parameters ``quota_weight_*`` by default.

    Notes
    -----
    .. math:: s_c = w_1 \hat{stock}_c + w_2 \hat{demand}_c + w_3 \hat{potential}_c + w_4 (1 - \hat{ecology}_c)

    Raises
    ------
    SchemaError
        A column is missing or holds a blank, or the weights are negative or all 0.
    """
    missing = [c for c in CRITERIA if c not in counties]
    if missing or counties[list(CRITERIA)].isna().to_numpy().any():
        raise SchemaError(f"县级指标缺 {', '.join(missing) or '数值'}", expected=", ".join(CRITERIA))
    given = {c: parameter(f"quota_weight_{c}") for c in CRITERIA} if weights is None else {c: float(weights.get(c, 0.0)) for c in CRITERIA}
    total = sum(given.values())
    if min(given.values()) < 0 or total <= 0:
        raise SchemaError(f"权重 {given}", expected="不小于 0 且不全为 0")
    normed = np.array([_normed(counties[c].to_numpy(dtype=float)) for c in CRITERIA])
    normed[-1] = 1.0 - normed[-1]
    return np.array([given[c] / total for c in CRITERIA]) @ normed


def allocate_quota(total: float, scores: np.ndarray, floors: np.ndarray, caps: np.ndarray) -> np.ndarray:
    r"""Share of each county, float (n,), in the unit of `total` (指标分配).

    Every county gets its floor; the rest is shared by score, and what goes beyond a cap is shared again among the others.

    Parameters
    ----------
    total : float
        The provincial total.
    scores, floors, caps : array (n,)
        Scores not negative; ``floors <= caps``.

    Returns
    -------
    array (n,)
        Sums to `total`; no county is below its floor or above its cap. A larger total lowers no county's share.

    Raises
    ------
    InfeasibleError
        The floors exceed the total, or the total exceeds the caps.
    SchemaError
        A number is negative or blank, or a floor is above its cap.
    """
    scores, floors, caps = (np.asarray(x, dtype=float) for x in (scores, floors, caps))
    if not (np.isfinite([*scores, *floors, total]).all() and (scores >= 0).all() and (floors >= 0).all() and (floors <= caps).all()):
        raise SchemaError("县级得分、保底或上限有误", expected="得分、保底不小于 0, 保底不超过上限")
    if floors.sum() > total * (1 + 1e-12):
        raise InfeasibleError(f"各县保底合计 {floors.sum():g} 超过全省总量 {total:g}", conflict=("floor",), cure="调低保底, 或提高总量")
    if caps.sum() < total * (1 - 1e-12):
        raise InfeasibleError(f"各县上限合计 {caps.sum():g} 不足全省总量 {total:g}", conflict=("cap",), cure="调高上限, 或降低总量")
    shares, rest = floors.copy(), total - floors.sum()
    for _ in range(_ROUNDS):
        room = caps - shares
        open_counties = room > 1e-12 * max(total, 1.0)
        if rest <= 1e-12 * max(total, 1.0) or not open_counties.any():
            break
        weight = np.where(open_counties, scores, 0.0)
        weight = weight if weight.sum() > 0 else open_counties.astype(float)
        step = np.minimum(room, rest * weight / weight.sum())
        shares, rest = shares + step, rest - step.sum()
    return shares


def stepped_shares(shares: np.ndarray, step: float, floors: np.ndarray, caps: np.ndarray) -> np.ndarray:
    """Shares in whole steps that sum to the same total, the largest remainders first (取整).

    Parameters
    ----------
    shares, floors, caps : array (n,)
        As for `allocate_quota`; the sum is a multiple of `step`.
    step : float
        The smallest amount that is written down, such as 0.01.

    Returns
    -------
    array (n,)
        Multiples of `step` between floor and cap, each less than one step from its share where floor and cap let it.

    Raises
    ------
    InfeasibleError
        No whole steps lie between floors and caps with that sum.
    """
    low, high = np.ceil(np.asarray(floors) / step - 1e-6), np.floor(np.minimum(caps, 1e15) / step + 1e-6)
    whole = np.clip(np.floor(shares / step + 1e-6), low, high)
    rest = round(float(np.sum(shares)) / step - whole.sum())
    sign = 1 if rest > 0 else -1
    while rest:
        room = (high - whole if sign > 0 else whole - low) > 0
        if (low > high).any() or not room.any():
            raise InfeasibleError(f"保底与上限之间没有以 {step:g} 为单位的分配", conflict=("floor", "cap"), cure="把保底和上限改为最小单位的整数倍")
        gap = np.where(room, sign * (shares / step - whole), -np.inf)
        whole[int(np.argmax(gap))] += sign
        rest -= sign
    return np.asarray(whole * step)


def transfers(have: np.ndarray, need: np.ndarray) -> pd.DataFrame:
    """Which county gives how much to which, so that needs are met as far as surpluses go (调剂方案).

    Returns
    -------
    DataFrame, columns origin, destination, amount
        Places of the counties; the largest surplus serves the largest deficit first. What leaves a county is what others get.
    """
    gap = np.asarray(have, dtype=float) - np.asarray(need, dtype=float)
    rows = []
    givers, takers = list(np.argsort(-gap, kind="stable")), list(np.argsort(gap, kind="stable"))
    while givers and takers and gap[givers[0]] > 1e-9 and gap[takers[0]] < -1e-9:
        a, b = givers[0], takers[0]
        amount = min(gap[a], -gap[b])
        rows.append((int(a), int(b), float(amount)))
        gap[a], gap[b] = gap[a] - amount, gap[b] + amount
        if gap[a] <= 1e-9:
            givers.pop(0)
        if gap[b] >= -1e-9:
            takers.pop(0)
    return pd.DataFrame(rows, columns=["origin", "destination", "amount"])


def _normed(values: np.ndarray) -> np.ndarray:
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.zeros_like(values)
