"""Exact transport of value from parcels to owners, with owner prices that prove it (价值运输问题)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from ortools.graph.python import min_cost_flow

from qianmo.planning.readjustment.basis import without_cycles
from qianmo.planning.readjustment.sites import cheapest_owner, integer_costs, nearest_by_price
from qianmo.schema.errors import QianmoError

__all__ = ["Transport", "transport"]

_ROUNDS = 60
_SCALES = (100.0, 10.0, 1.0, 0.1, 0.01, 0.001)


@dataclass(frozen=True, eq=False)
class Transport:
    """An optimal flow of one pool (最优运输).

    Parameters
    ----------
    parcel, owner, amount : (s,) int64
        Positive shipments, sorted by parcel. At most owners - 1 parcels have more than one. [fen]
    price, bonus : (k,) int64
        Of each owner, in units of cost: each parcel goes to owners that minimise cost less price, over ALL owners, where the cost
        of staying with the owner of before is less by its bonus.
    added : int
        Candidates that the price test put back.
    scale : float
        Units of cost in a square metre.
    """

    parcel: np.ndarray
    owner: np.ndarray
    amount: np.ndarray
    price: np.ndarray
    bonus: np.ndarray
    added: int
    scale: float


def transport(
    points: np.ndarray, value: np.ndarray, sites: np.ndarray, wanted: np.ndarray, price_m2: np.ndarray, *, width: int, current: np.ndarray,
    bonus_m2: np.ndarray,
) -> Transport:  # fmt: skip
    """Send the value of each parcel to owners at least cost: value times squared distance to the owner's site (最小成本流).

    Candidates are pruned to a few owners a parcel; afterwards every parcel is tested against all owners at the prices of the
    flow, and owners that beat the pruned set are put back until none does. So pruning never changes the answer.

    Parameters
    ----------
    points : (n, 2), sites : (k, 2) [m]
    value : (n,) int64, wanted : (k,) int64
        Same sum. [fen]
    price_m2 : (k,) float
        Guess of the prices, for the choice of candidates. [m2]
    width : int
        Candidates to begin with.
    current : (n,) int, bonus_m2 : (k,)
        Owner now, and what leaving a parcel with that owner takes off its cost: 0 where owners do not care for their old land. [m2]

    Raises
    ------
    QianmoError
        The sums differ, or the flow solver fails.
    """
    if int(value.sum()) != int(wanted.sum()):
        raise QianmoError(f"value given {int(value.sum())} fen, value wanted {int(wanted.sum())} fen", expected="equal sums")
    for scale in _SCALES:
        found = _at_scale(points, value, sites, wanted, price_m2, width, scale, current, bonus_m2)
        if found is not None:
            return found
    raise QianmoError("values and distances are too large for whole-number arithmetic", expected="a smaller area or fewer parcels at once")


def _at_scale(
    points: np.ndarray, value: np.ndarray, sites: np.ndarray, wanted: np.ndarray, price_m2: np.ndarray, width: int, scale: float,
    current: np.ndarray, bonus_m2: np.ndarray,
) -> Transport | None:  # fmt: skip
    """The flow with costs of that resolution, or None where the numbers are too large for the solver."""
    bonus = np.rint(bonus_m2 * scale).astype(np.int64)
    tail, head = _first_arcs(points, sites, price_m2, width, current)
    guess = np.rint(price_m2 * scale).astype(np.int64)
    added = 0
    for _ in range(_ROUNDS):
        cost = integer_costs(points[tail], sites[head], scale) - np.where(head == current[tail], bonus[head], 0)
        status, amount = _solve(tail, head, _shifted(tail, cost - guess[head], len(value)), value, wanted)
        if status == "range":
            return None
        if status == "infeasible":
            width *= 2
            tail, head = _first_arcs(points, sites, price_m2, width, current)
            continue
        price = _prices(tail, head, cost, amount, guess)
        best = cheapest_owner(points[:, 0], points[:, 1], sites[:, 0], sites[:, 1], price, scale)
        beaten = _beaten(points, sites, tail, head, cost, price, best, scale)
        if not len(beaten):
            used = amount > 0
            tail, head, amount = without_cycles(tail[used], head[used], amount[used], len(value), len(wanted))
            return Transport(tail, head, amount, price, bonus, added, scale)
        added += len(beaten)
        tail, head = np.concatenate([tail, beaten]), np.concatenate([head, best[beaten]])
        guess = price
    raise QianmoError("the price test did not settle", expected=f"at most {_ROUNDS} rounds")


def _first_arcs(points: np.ndarray, sites: np.ndarray, price_m2: np.ndarray, width: int, current: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cheapest owners at the guessed prices and the owner now, so that staying is always possible."""
    near = nearest_by_price(points, sites, price_m2, count=width)
    tail, head = np.repeat(np.arange(len(points)), near.shape[1]), near.ravel().astype(np.int64)
    lacks = np.flatnonzero((near != current[:, None]).all(axis=1))
    return np.concatenate([tail, lacks]), np.concatenate([head, current[lacks].astype(np.int64)])


def _shifted(tail: np.ndarray, reduced: np.ndarray, n: int) -> np.ndarray:
    """Costs less the least of their parcel: the best flow is the same and the numbers are small."""
    least = np.full(n, np.iinfo(np.int64).max)
    np.minimum.at(least, tail, reduced)
    return np.asarray(reduced - least[tail])


def _solve(tail: np.ndarray, head: np.ndarray, cost: np.ndarray, value: np.ndarray, wanted: np.ndarray) -> tuple[str, np.ndarray]:
    """'optimal' and amounts on the arcs; 'infeasible' when the pruned arcs cannot carry the values; 'range' on overflow."""
    n = len(value)
    network = min_cost_flow.SimpleMinCostFlow()
    arcs = network.add_arcs_with_capacity_and_unit_cost(tail, n + head, value[tail], cost)
    network.set_nodes_supplies(np.arange(n + len(wanted)), np.concatenate([value, -wanted]))
    status = network.solve()
    if status == network.OPTIMAL:
        return "optimal", np.asarray(network.flows(arcs), dtype=np.int64)
    if status in (network.BAD_COST_RANGE, network.BAD_CAPACITY_RANGE):
        return "range", np.empty(0, np.int64)
    if status == network.INFEASIBLE and len(tail) < n * len(wanted):
        return "infeasible", np.empty(0, np.int64)
    raise QianmoError(f"minimum-cost flow ended with {status}", expected="OPTIMAL")


def _prices(tail: np.ndarray, head: np.ndarray, cost: np.ndarray, amount: np.ndarray, guess: np.ndarray) -> np.ndarray:
    """Integer prices for which every used arc is the cheapest of its parcel, near the guess."""
    order = np.lexsort((-amount, tail))
    tail, head, cost, used = tail[order], head[order], cost[order], (amount > 0)[order]
    first = np.searchsorted(tail, np.arange(tail[-1] + 2))
    price, settled = _relax(head, cost, used, first, guess.copy())
    if not settled:
        raise QianmoError("no prices fit the flow", expected="an optimal flow")
    return np.asarray(price)


@njit(cache=True)
def _relax(head: np.ndarray, cost: np.ndarray, used: np.ndarray, first: np.ndarray, price: np.ndarray) -> tuple[np.ndarray, bool]:
    """Lower the price of owners until no parcel prefers an owner to one that it is shipped to (Bellman-Ford)."""
    for _ in range(4 * len(price) + 10):
        changed = False
        for j in range(len(first) - 1):
            for a in range(first[j], first[j + 1]):
                if not used[a]:
                    break
                level = cost[a] - price[head[a]]
                for b in range(first[j], first[j + 1]):
                    if cost[b] - price[head[b]] < level:
                        price[head[b]] = cost[b] - level
                        changed = True
        if not changed:
            return price, True
    return price, False


def _beaten(
    points: np.ndarray, sites: np.ndarray, tail: np.ndarray, head: np.ndarray, cost: np.ndarray, price: np.ndarray, best: np.ndarray,
    scale: float,
) -> np.ndarray:
    """Parcels for which some pruned owner is cheaper than all its candidates."""
    least = np.full(len(points), np.iinfo(np.int64).max)
    np.minimum.at(least, tail, cost - price[head])
    return np.flatnonzero(integer_costs(points, sites[best], scale) - price[best] < least)
