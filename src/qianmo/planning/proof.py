"""What is claimed of a plan: the record of a proof (规划证明记录).

The claims are computed from the plan and the prices as they are stored, so that a stranger finds
the same numbers. The part of a bonus that end i of a border gets is kept as a whole number of
65535ths: no stored split can be out of range.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qianmo.planning.case_bounds import SHARES, CasePrices, one_case, proven_bound
from qianmo.planning.problem import PlanProblem, limit_values
from qianmo.planning.verify import fingerprint, score
from qianmo.schema.errors import SchemaError

if TYPE_CHECKING:
    from qianmo.planning.branching import Branches
    from qianmo.planning.prices import Prices

__all__ = [
    "PROOF_FORMAT", "area_table", "border_shares", "claims", "coded", "counts", "proof_record", "ratio", "solver_of", "stored_prices",
]  # fmt: skip

PROOF_FORMAT = "qianmo-proof/1"


def border_shares(problem: PlanProblem, split: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Split of each bonus in whole 65535ths for end i, one uint16 array a pair layer (界线奖励分摊).

    `split` is one (k,) or (cases, k) array a pair layer, and so are the shares. A split outside its bonus is moved to the nearest end; where the bonus is 0 the share is 0.
    """
    out = []
    for p, a in zip(problem.pairs, split):
        part = np.divide(a, p.weight, out=np.zeros(np.shape(a)), where=np.broadcast_to(p.weight > 0, np.shape(a)))
        out.append(np.rint(np.clip(part, 0.0, 1.0) * SHARES).astype(np.uint16))
    return tuple(out)


def stored_prices(problem: PlanProblem, prices: Prices, branches: Branches | None = None) -> CasePrices:
    """The prices that a proof keeps: those of the cases, or the one set where it proves as much (存档价格)."""
    one = one_case(prices.limit, border_shares(problem, prices.split))
    if branches is None:
        return one
    shares = border_shares(problem, branches.split)
    cases = CasePrices(branches.option, branches.taken, branches.left, np.asarray(branches.limit, float), shares)
    return cases if proven_bound(problem, cases)[0] < proven_bound(problem, one)[0] else one


def solver_of(method: str) -> str:
    """Which program searched, told by the method of a solution (求解器)."""
    if method.startswith("primal-dual"):
        return "the primal-dual engine of qianmo"
    if method.startswith("minimum cuts"):
        return "maximum flow in scipy.sparse" + (" and HiGHS in scipy.optimize" if "exact search" in method else "")
    return "HiGHS in scipy.optimize"


def claims(problem: PlanProblem, choice: np.ndarray, prices: CasePrices) -> dict[str, Any]:
    """What is claimed of a plan: score, bound, gap, and every limit with value, slack and price (证书要点).

    ``gap_rel`` is the gap as a share of the best attainable improvement over keeping all, ``gap_rel_objective``
    as a share of the score. ``bound`` is the largest that the stored prices give in any case, ``case`` the one it comes
    from, whose prices the limits show; ``bound_rounding`` the most that floating point can have moved it.
    """
    reached = score(problem, choice)
    bound, error, case = proven_bound(problem, prices)
    gap = max(bound - reached, 0.0)
    return {
        "objective": reached, "objective_keep_all": 0.0, "bound": bound, "bound_rounding": error, "gap_abs": gap, "gap_rel": ratio(gap, bound),
        "gap_rel_objective": ratio(gap, reached), "case": case, "limits": _limit_claims(problem, choice, prices.limit[case]),
    }  # fmt: skip


def proof_record(
    problem: PlanProblem,
    choice: np.ndarray,
    prices: CasePrices,
    *,
    made: str,
    software: str,
    method: str,
    solver: str = "",
    time_s: float = 0.0,
    solved_bound: float | None = None,
    sources: Mapping[str, str] | None = None,
    area_dm2: np.ndarray | None = None,
) -> dict[str, Any]:
    """The record ``certificate.json`` of a proof folder, the hashes of its files apart (规划证明记录).

    Parameters
    ----------
    problem, choice, prices
        The plan, and the cases, prices and border shares that prove its bound.
    made : str
        Moment, ISO 8601.
    software, method, solver : str
        Who made the plan and how.
    time_s : float
        How long the search took. [s]
    solved_bound : float, optional
        Bound before the splits were rounded to 65535ths; the difference is kept as ``bound_loss``. [points]
    sources : mapping path → SHA-256, optional
        The files the problem was built from.
    area_dm2 : (n,) int, optional
        Area of each patch, for the table of areas. [dm2]
    """
    told = claims(problem, choice, prices)
    record: dict[str, Any] = {
        "format": PROOF_FORMAT, **{k: v for k, v in told.items() if k != "limits"},
        "bound_loss": 0.0 if solved_bound is None else max(0.0, told["bound"] - float(solved_bound)),
        "counts": counts(problem, choice, prices.cases), "problem_sha256": fingerprint(problem), "sources": dict(sources or {}), "method": method,
        "solver": solver, "time_s": float(time_s), "software": software, "made": made, "limits": told["limits"],
    }  # fmt: skip
    return record | ({"areas": area_table(problem, choice, area_dm2)} if area_dm2 is not None else {})


def area_table(problem: PlanProblem, choice: np.ndarray, area_dm2: np.ndarray) -> list[dict[str, Any]]:
    """Patches and area of each measure and class after, kept land first (各措施面积) [dm2]."""
    measure, measures = coded(problem.measure)
    target, targets = coded(problem.target_class)
    kind = np.full(problem.n, -1)
    done = choice >= 0
    kind[done] = measure[choice[done]].astype(np.int64) * len(targets) + target[choice[done]]
    rows = []
    for k in np.unique(kind).tolist():
        here = kind == k
        names = ("keep", "") if k < 0 else (str(measures[k // len(targets)]), str(targets[k % len(targets)]))
        rows.append(
            {"measure": names[0], "target_class": names[1], "patches": int(here.sum()), "area_dm2": int(area_dm2[here].sum())}
        )
    return rows


def ratio(part: float, whole: float) -> float:
    """A share, 0 where there is no whole (占比)."""
    return float(part / abs(whole)) if abs(whole) > 1e-12 else 0.0


def coded(text: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Small whole numbers for texts, and the texts in the order they first occur (文本编码)."""
    names: dict[str, int] = {}
    code = np.fromiter((names.setdefault(str(t), len(names)) for t in text), np.int64, len(text))
    if len(names) > 2**16:
        raise SchemaError(f"{len(names)} measures or classes", expected="at most 65,536")
    return code.astype(np.uint16), np.array(list(names), "U")


def counts(problem: PlanProblem, choice: np.ndarray, cases: int) -> dict[str, int]:
    """How large a problem and its plan are (规模)."""
    return {
        "patches": problem.n, "options": problem.m, "changed": int((choice >= 0).sum()), "must_change": int((~problem.keeps).sum()),
        "pair_layers": len(problem.pairs), "limits": len(problem.limits), "limit_entries": sum(len(x.option) for x in problem.limits), "cases": cases,
    }  # fmt: skip


def _limit_claims(problem: PlanProblem, choice: np.ndarray, price: np.ndarray) -> list[dict[str, Any]]:
    rows = []
    for x, value, each in zip(problem.limits, limit_values(problem, choice), np.asarray(price, float).tolist()):
        slack = value - x.bound if x.relation == ">=" else x.bound - value
        rows.append(
            {
                "id": x.id, "rule_id": x.rule_id, "zh": x.zh, "value": float(value), "relation": x.relation, "bound": float(x.bound),
                "slack": round(float(slack), 2) if x.is_whole else float(slack), "price": each, "unit": x.unit, "constant": float(x.constant),
            }
        )  # fmt: skip
    return rows
