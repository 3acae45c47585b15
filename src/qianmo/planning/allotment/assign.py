"""Which owner gets how much value in which block: a mixed-integer programme with a stated gap (归户到块)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog, milp
from scipy.sparse import coo_array, csr_array, hstack, vstack

from qianmo.planning.allotment.assignment_problem import AssignmentProblem
from qianmo.planning.allotment.fill import filled, transport
from qianmo.planning.allotment.shares import whole_matrix
from qianmo.schema.errors import InfeasibleError, QianmoError

__all__ = ["Assignment", "assign", "assignment_cost", "candidate_pairs"]

_INFEASIBLE = 2


@dataclass(frozen=True, eq=False)
class Assignment:
    """Lots as (owner, block, value) and what the solver claims (归户结果).

    `objective` is computed again from the whole-number values; `bound` is the larger of what HiGHS reports and the
    transport problem with one lot an owner, for the pairs allowed; it is a claim of the solver. [m, summed over owners]
    """

    owner: np.ndarray
    block: np.ndarray
    value: np.ndarray
    objective: float
    bound: float
    status: str

    @property
    def gap_rel(self) -> float:
        """(objective - bound) / objective, at least 0."""
        return max(self.objective - self.bound, 0.0) / max(abs(self.objective), 1e-9)


def candidate_pairs(cost: np.ndarray, wish: np.ndarray, *, nearest: int) -> np.ndarray:
    """Pairs worth trying, (n, k) bool: the `nearest` cheapest blocks of each owner and all wished for (候选地块).

    Parameters
    ----------
    cost : (n, k) float
    wish : (n, k) bool
    nearest : int
        0 means all.
    """
    if not nearest or nearest >= cost.shape[1]:
        return np.ones(cost.shape, dtype=bool)
    near = np.argpartition(cost, nearest - 1, axis=1)[:, :nearest]
    out = np.array(wish, dtype=bool)
    np.put_along_axis(out, near, True, axis=1)
    return out


def assign(problem: AssignmentProblem, *, gap_rel: float = 1e-3, time_limit_s: float = 30.0) -> Assignment:
    """Cheapest assignment of value to blocks (归户求解).

    Variables are a lot yes or no and its value for each pair. Every owner gets exactly what is owed, every block is
    filled exactly, no lot is below its least value, no owner has more lots than allowed.

    Parameters
    ----------
    problem : AssignmentProblem
    gap_rel, time_limit_s : float
        Where the search stops.

    Returns
    -------
    Assignment
        Values are whole fen; row and column sums hold to the fen.

    Raises
    ------
    InfeasibleError
        No assignment obeys all limits; the limits are named that can be dropped to make one possible.
    QianmoError
        The solver found neither an assignment nor a proof that there is none in the time given.
    """
    _refuse_totals(problem)
    corner = transport(problem)
    if corner is None:
        raise _conflict(problem)
    start, bound = corner
    first = filled(problem, start)
    best = None if first is None else _assignment(problem, np.flatnonzero(first), first[first > 0], bound, "exchanges within gap")
    if best is not None and best.gap_rel <= gap_rel:
        return best
    found = _solve(problem, gap_rel, time_limit_s)
    if found.status == _INFEASIBLE and best is None:
        raise _conflict(problem)
    if found.mip_dual_bound is not None and np.isfinite(found.mip_dual_bound):
        bound = max(bound, float(found.mip_dual_bound))
    if found.x is not None:
        m = len(problem.owner)
        chosen = found.x[:m] > 0.5
        value = _whole_values(problem, chosen, found.x[m:] * problem.owed[problem.owner])
        said = "optimal within gap" if found.status == 0 else "stopped at the time limit"
        searched = _assignment(problem, np.flatnonzero(chosen)[value > 0], value[value > 0], bound, said)
        if best is None or searched.objective < best.objective:
            return searched
    if best is None:
        raise QianmoError(f"no assignment after {time_limit_s:g} s", expected="a first assignment", cure="提高 allot_time_limit_s 或增加 allot_candidate_blocks")
    return _assignment(problem, np.flatnonzero(first), first[first > 0], bound, "exchanges; search stopped at the time limit")  # type: ignore[index,arg-type,operator]


def _assignment(p: AssignmentProblem, pair: np.ndarray, value: np.ndarray, bound: float, status: str) -> Assignment:
    objective = assignment_cost(p, pair, value)
    return Assignment(p.owner[pair], p.block[pair], value, objective, min(bound, objective), status)


def assignment_cost(problem: AssignmentProblem, pair: np.ndarray, value: np.ndarray) -> float:
    """Cost of lots: distance and wishes by share of what is owed, plus the cost of every lot (归户成本). [m]"""
    share = value / problem.owed[problem.owner[pair]]
    return float(problem.cost[pair] @ share + problem.lot_cost * len(pair))


def _solve(p: AssignmentProblem, gap_rel: float, time_limit_s: float, *, without: tuple[str, ...] = ()) -> OptimizeResult:
    """Shares of what is owed as continuous variables, lots as binaries."""
    m, n, k = len(p.owner), len(p.owed), len(p.block_value)
    pairs = np.arange(m)
    size = p.owed[p.owner] / p.block_value[p.block]
    one = np.ones(m)
    by_owner, nothing = csr_array((one, (p.owner, pairs)), shape=(n, m)), csr_array((n, m))
    by_block = csr_array((size, (p.block, pairs)), shape=(k, m))
    least = np.minimum(p.lot_min / p.owed[p.owner], 1e6) if "lot_min" not in without else np.zeros(m)
    most = np.minimum(1.0, 1.0 / size)
    eye = coo_array((one, (pairs, pairs))).tocsr()
    rows = vstack([
        hstack([nothing, by_owner]), hstack([csr_array((k, m)), by_block]), hstack([csr_array((least, (pairs, pairs)), shape=(m, m)), -eye]),
        hstack([csr_array((-most, (pairs, pairs)), shape=(m, m)), eye]), hstack([by_owner, nothing]),
    ]).tocsr()  # fmt: skip
    lots = p.lots_max if "lots_max" not in without else np.full(n, k)
    low = np.concatenate([np.ones(n), np.ones(k), np.full(2 * m + n, -np.inf)])
    high = np.concatenate([np.ones(n), np.ones(k), np.zeros(2 * m), lots])
    usable = (p.lot_min <= np.minimum(p.owed[p.owner], p.block_value[p.block])) | ("lot_min" in without)
    bounds = Bounds(np.zeros(2 * m), np.concatenate([usable.astype(float), most]))
    value = np.concatenate([np.full(m, p.lot_cost), p.cost])
    whole = np.concatenate([np.ones(m), np.zeros(m)])
    return milp(value, constraints=LinearConstraint(rows, low, high), bounds=bounds, integrality=whole,
                options={"mip_rel_gap": gap_rel, "time_limit": time_limit_s})  # fmt: skip


def _whole_values(p: AssignmentProblem, chosen: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Whole fen on the lots chosen: a transport problem, whose corners are whole but for rounding."""
    pick = np.flatnonzero(chosen)
    owner, block = p.owner[pick], p.block[pick]
    scale = float(p.owed.sum()) / len(p.owed)
    rows = vstack([csr_array((np.ones(len(pick)), (owner, np.arange(len(pick)))), shape=(len(p.owed), len(pick))),
                   csr_array((np.ones(len(pick)), (block, np.arange(len(pick)))), shape=(len(p.block_value), len(pick)))])  # fmt: skip
    sides = np.concatenate([p.owed, p.block_value]) / scale
    limits = np.column_stack([np.minimum(p.lot_min[pick], p.owed[owner]) / scale, np.full(len(pick), np.inf)])
    price = p.cost[pick] / p.owed[owner] * scale
    better = linprog(price, A_eq=rows, b_eq=sides, bounds=limits, method="highs-ds")
    values = better.x * scale if better.status == 0 else value[pick]
    return whole_matrix(owner, block, values, p.owed, p.block_value)


def _refuse_totals(p: AssignmentProblem) -> None:
    if int(p.owed.sum()) != int(p.block_value.sum()):
        raise InfeasibleError(
            f"entitlements of {p.owed.sum() / 100:.2f} yuan and blocks of {p.block_value.sum() / 100:.2f} yuan",
            conflict=("entitlement", "block value"), cure="先按扣减率折算应得价值",
        )  # fmt: skip
    reach = np.zeros(len(p.owed), dtype=bool)
    fits = p.lot_min <= np.minimum(p.owed[p.owner], p.block_value[p.block])
    reach[p.owner[fits]] = True
    if not reach.all():
        names = [p.owner_names[k] for k in np.flatnonzero(~reach)]
        raise InfeasibleError(
            f"{len(names)} owners are owed less than the least lot of every block they may go to: {', '.join(names[:8])}",
            conflict=("allot_lot_width_min_m", "allot_lot_area_min_m2", "entitlement"), cure="这些农户可合并登记、货币补偿, 或调低最小宽度与面积",
        )  # fmt: skip


def _conflict(p: AssignmentProblem) -> InfeasibleError:
    """Drop limits one by one; those without which an assignment exists are in conflict."""
    said = {"lot_min": "最小地块 (allot_lot_width_min_m, allot_lot_area_min_m2)", "lots_max": "每户地块数上限 (allot_lots_per_owner_max)"}
    cure = [text for name, text in said.items() if _solve(p, 0.5, 20.0, without=(name,)).x is not None]
    other = "候选地块 (allot_candidate_blocks) 与地块价值"
    return InfeasibleError(
        "no assignment of owners to blocks obeys all limits", conflict=cure or [*said.values(), other],
        cure="放宽所列限制中的任意一项" if cure else "增加候选地块数, 并同时放宽最小地块与地块数上限",
    )  # fmt: skip
