"""Exchange of parcels: the house at full size; on a smaller village the flow against SciPy's LP, and greedy swaps beside them.

`--size 20000` gives 1,000 owners of scattered farmsteads. The figure of the full way is blocks per owner; it fails unless
nobody is worse off, value errors stay under 0.1 % and the certificate stands. The transport cost is compared on the same file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from measure import Way, WayFailedError
from scipy.optimize import linprog
from scipy.sparse import coo_array

from qianmo.planning.readjustment.exchange import ExchangeSettings, exchange
from qianmo.planning.readjustment.exchange_certificate import exchange_certificate
from qianmo.planning.readjustment.exchange_verify import count_blocks, verify_exchange
from qianmo.planning.readjustment.flow import transport
from qianmo.planning.readjustment.holdings import Holdings, centroids, holdings, required_values
from qianmo.planning.readjustment.make_village_exchange import village_exchange
from qianmo.planning.readjustment.standing import worse_off

__all__ = ["ways"]

_PEER_PARCELS, _PEER_OWNERS, _SWAPS = 1000, 50, 200_000


def ways(size: int, cache: Path) -> list[Way]:
    """The whole exchange at full size; transport cost by flow, LP and greedy swaps on one small file."""
    large, tiny = _village(size, max(size // 20, 4)), _village(120, 6)
    small = _village(min(size, _PEER_PARCELS), min(max(size // 20, 4), _PEER_OWNERS))
    return [
        Way("exchange", "qianmo exchange, blocks per owner", large.n, lambda: _whole(large), lambda: _whole(tiny)),
        Way("transport", "qianmo flow", small.n, lambda: _flow(small), lambda: _flow(tiny)),
        Way("transport", "SciPy linprog (HiGHS), all owners", small.n, lambda: _linear(small), lambda: _linear(tiny), tolerance=1e-6),
        Way("greedy", "random swaps of parcels of one value class, share of the flow's improvement", small.n, lambda: _greedy(small)),
    ]


def _village(n: int, k: int) -> Holdings:
    parcels, owners = village_exchange(n, k, rng=np.random.default_rng(1), homes="scattered")
    return holdings(parcels, owners)


def _whole(problem: Holdings) -> float:
    settings = ExchangeSettings()
    found = exchange(problem, settings=settings, progress=lambda words, share: None, stop=lambda: False)
    worse = worse_off(found.before, found.after, value_tolerance=0.001, distance_tolerance=0.0, area_tolerance=float("inf"))
    if worse.any(axis=None):
        raise WayFailedError("somebody is worse off")
    if not all(c["ok"] for c in verify_exchange(exchange_certificate(found, settings))):
        raise WayFailedError("the certificate does not stand")
    counted = int(count_blocks(found.pieces.geometry, found.pieces.owner, owners=problem.k).sum())
    if counted > int(found.after["blocks"].sum()):
        raise WayFailedError("more blocks in the drawing than reported")
    return float(found.after["blocks"].sum() / problem.k)


def _task(problem: Holdings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return centroids(problem), required_values(problem)[0], np.round(problem.anchor, 3)


def _flow(problem: Holdings) -> float:
    points, wanted, sites = _task(problem)
    flow = transport(
        points, problem.value_fen, sites, wanted, np.zeros(problem.k), width=8, current=problem.owner, bonus_m2=np.zeros(problem.k)
    )
    return float((flow.amount * ((points[flow.parcel] - sites[flow.owner]) ** 2).sum(axis=1)).sum())


def _linear(problem: Holdings) -> float:
    points, wanted, sites = _task(problem)
    n, k = problem.n, problem.k
    cost = ((points[:, None] - sites[None]) ** 2).sum(axis=2)
    j, o = np.divmod(np.arange(n * k), k)
    both = np.concatenate([j, n + o]), np.concatenate([np.arange(n * k)] * 2)
    rows = coo_array((np.ones(2 * n * k), both), shape=(n + k, n * k)).tocsr()
    unit = float(problem.value_fen.mean())
    made = linprog(cost.ravel() / 1e4, A_eq=rows, b_eq=np.concatenate([problem.value_fen, wanted]) / unit, method="highs")
    return float(made.fun * 1e4 * unit)


def _greedy(problem: Holdings) -> float:
    """What most tools do: swap two parcels of nearly one value when both come nearer; value may drift by 0.1 % of a holding."""
    points, wanted, sites = _task(problem)
    rng, owner, value = np.random.default_rng(2), problem.owner.copy(), problem.value_fen
    cost = ((points[:, None] - sites[None]) ** 2).sum(axis=2)
    start, have = float((value * cost[np.arange(problem.n), owner]).sum()), wanted.copy()
    for i, j in rng.integers(0, problem.n, (_SWAPS, 2)):
        a, b, step = owner[i], owner[j], int(value[j] - value[i])
        fits = abs(have[a] + step - wanted[a]) <= wanted[a] // 1000 and abs(have[b] - step - wanted[b]) <= wanted[b] // 1000
        nearer = value[i] * cost[i, b] + value[j] * cost[j, a] < value[i] * cost[i, a] + value[j] * cost[j, b]
        if a != b and fits and nearer:
            owner[i], owner[j] = b, a
            have[a] += step
            have[b] -= step
    reached = float((value * cost[np.arange(problem.n), owner]).sum())
    return (start - reached) / (start - _flow(problem))
