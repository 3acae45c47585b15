"""Questions asked of a front so far, and the plans and bounds they gave (前沿求解过程)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from qianmo.planning.aims import Aim
from qianmo.planning.front_aims import check_point, floor_limit, scalarised, units_of
from qianmo.planning.front_faces import is_dominated, raised, unproven
from qianmo.planning.problem import Limit, PlanProblem
from qianmo.planning.solve import Solution
from qianmo.schema.errors import InfeasibleError, NotAllowedError

__all__ = ["Front", "FrontPoint", "FrontSearch", "Search", "question_of"]

Search = Callable[[PlanProblem, Solution | None], Solution]
"""Solves a problem, from an earlier solution where there is one."""

NEAR = 1e-9
"""Relative height of a face that counts as none."""


@dataclass(frozen=True)
class FrontPoint:
    """One plan of the front (前沿点).

    `amount` (k,) in the units of the aims and `points` (k,), 100 for the whole potential; `weights`
    and `floors` (k,) say which question it answers, floors -inf where there is none; `objective`,
    `bound` (proven by prices alone) and `solver_bound` (claimed by the exact search) are of that question.
    `proof` is the solution of the question, whose prices prove the bound; its own plan may be a lesser one found
    before. `rows` are the floors as limits; `question_of` gives the question as a problem.
    """

    choice: np.ndarray
    amount: np.ndarray
    points: np.ndarray
    weights: np.ndarray
    floors: np.ndarray
    objective: float
    bound: float
    solver_bound: float
    proof: Solution
    rows: tuple[Limit, ...] = ()

    @property
    def gap_points(self) -> float:
        """What the prices leave open of this question, of at least 0 [points]; a share would mean nothing where scores cross 0."""
        return self.bound - self.objective

    @property
    def solver_gap_points(self) -> float:
        """The same with the bound that the exact search claims [points]."""
        return self.solver_bound - self.objective

    @property
    def has_floors(self) -> bool:
        """True for a plan found with floors on aims."""
        return bool(np.isfinite(self.floors).any())


@dataclass(frozen=True)
class Front:
    """Plans by falling first aim, and what is proven of the rest (前沿).

    `ideal` (k,) is the bound of each aim alone; `nadir` (k,) the least of each aim on the front
    found: exact between two aims that are solved exactly, an estimate for more. `proven` (q, k) and
    `bounds` (q,) hold for every plan: ``proven @ points <= bounds``, by the bounds of the solver. `missed` is the height by which
    an unknown plan can rise above the hull of the found ones, 0 where all supported plans are known;
    `broken_off` says that the search was stopped before. All in points.
    """

    aims: tuple[Aim, ...]
    plans: tuple[FrontPoint, ...]
    ideal: np.ndarray
    nadir: np.ndarray
    proven: np.ndarray
    bounds: np.ndarray
    missed: float
    broken_off: bool


def question_of(problem: PlanProblem, aims: tuple[Aim, ...], point: FrontPoint) -> tuple[PlanProblem, Solution]:
    """The question that a plan of the front answers, and the plan with the prices that prove its bound (前沿点的问题与证明).

    Parameters
    ----------
    problem, aims
        Those the front was made of.
    point : FrontPoint

    Returns
    -------
    problem : PlanProblem
        The weighted aims as its score, the floors among its limits.
    solution : Solution
        Ready to be written as a proof.
    """
    question = _question(problem, aims, point.weights, point.rows)
    return question, replace(point.proof, choice=point.choice, objective=point.objective, bound=point.bound, solver_bound=point.solver_bound)


def _question(problem: PlanProblem, aims: tuple[Aim, ...], weights: np.ndarray, rows: tuple[Limit, ...]) -> PlanProblem:
    asked = scalarised(problem, aims, weights)
    return replace(asked, limits=(*asked.limits, *rows))


class FrontSearch:
    """Questions asked so far, the plans and bounds they gave (前沿求解)."""

    def __init__(
        self, problem: PlanProblem, aims: tuple[Aim, ...], search: Search, tell: Callable[[int, float], None] | None,
        stop: Callable[[], bool] | None,
    ) -> None:  # fmt: skip
        self.problem, self.aims, self.search, self.tell, self.stop = problem, aims, search, tell, stop
        self.unit = units_of(aims)
        self.found: list[FrontPoint] = []
        self.proven: list[np.ndarray] = []
        self.bounds: list[float] = []
        self.asked = 0
        self.solutions: list[tuple[np.ndarray, Solution]] = []
        self.broken_off = False

    def is_over(self) -> bool:
        """True once there is a plan and the user stops."""
        if self.found and self.stop is not None and self.stop():
            self.broken_off = True
        return self.broken_off

    def ask(self, weights: np.ndarray) -> None:
        """Best plan and bound of one weighting."""
        if self.is_over():
            return
        try:
            point = self._solved(weights, np.full(len(weights), -np.inf), self._nearest(weights), ())
        except NotAllowedError:  # broken off before this question had a plan
            if not self.found:
                raise
            self.broken_off = True
            return
        self.proven.append(np.asarray(weights, float))
        self.bounds.append(point.solver_bound)
        self._heard(point)

    def ask_floor(self, main: int, floors: np.ndarray) -> FrontPoint | None:
        """Best plan in the main aim with at least `floors` points of the others; None where there is none."""
        weights = raised(np.eye(len(floors))[main])
        rows = tuple(floor_limit(a, f / u) for a, f, u in zip(self.aims, floors, self.unit) if np.isfinite(f))
        try:
            point = self._solved(weights, floors, None, rows)
        except InfeasibleError:
            self.asked += 1
            return None
        except NotAllowedError:
            self.broken_off = True
            return None
        self._heard(point)
        return point

    def next_face(self) -> np.ndarray | None:
        """Weights with most room above, of those not asked yet; None where there is no room."""
        points = np.array([p.points for p in self.found])
        size = max(1.0, float(np.abs(points).max()))
        for room, w in unproven(points, np.array(self.proven), np.array(self.bounds)):
            if room <= NEAR * size:
                return None
            if not any(np.allclose(w, old, atol=1e-9) for old in self.proven):
                return w
        return None

    def missed(self) -> float:
        """Height by which an unknown plan may rise above the hull of the found ones."""
        points = np.array([p.points for p in self.found])
        faces = unproven(points, np.array(self.proven), np.array(self.bounds)) if len(self.proven) >= len(self.aims) else []
        return max(faces[0][0], 0.0) if faces else float("inf")

    def result(self) -> Front:
        """The plans that none beats, without those of pure ends, by falling first aim."""
        asked = [p for p in self.found if p.weights.min() > 0] or self.found
        points = np.array([p.points for p in asked])
        unlike = [k for k, p in enumerate(points) if not any(np.allclose(p, q, atol=1e-9) for q in points[:k])]
        kept = [asked[k] for k in unlike]
        kept = [p for p, out in zip(kept, is_dominated(np.array([p.points for p in kept]))) if not out]
        kept.sort(key=lambda p: (-p.points).tolist())
        ends = np.full(len(self.aims), np.inf)
        for w, b in zip(self.proven, self.bounds):
            if w.max() == 1.0:
                ends[int(np.argmax(w))] = b
        nadir = np.array([p.points for p in kept]).min(axis=0)
        return Front(
            self.aims, tuple(kept), ends, nadir, np.array(self.proven), np.array(self.bounds), self.missed(), self.broken_off
        )

    def _solved(self, weights: np.ndarray, floors: np.ndarray, start: Solution | None, rows: tuple[Limit, ...]) -> FrontPoint:
        asked = _question(self.problem, self.aims, weights, rows)
        solution = self.search(asked, start)
        amount = check_point(asked, self.aims, weights, solution.choice, solution.objective)
        if not rows:
            self.solutions.append((np.asarray(weights, float), solution))
        point = FrontPoint(
            solution.choice, amount, amount * self.unit, np.asarray(weights, float), floors, solution.objective, solution.bound,
            solution.solver_bound, solution, rows,
        )  # fmt: skip
        return self._or_better(point)

    def _or_better(self, point: FrontPoint) -> FrontPoint:
        """A plan found before that answers the question better, where there is one."""
        for p in self.found:
            score = float(point.weights @ p.points)
            if score > point.objective + 1e-9 * max(1.0, abs(score)) and (p.points >= point.floors).all():
                point = replace(point, choice=p.choice, amount=p.amount, points=p.points, objective=score)
        return replace(point, bound=max(point.bound, point.objective), solver_bound=max(point.solver_bound, point.objective))

    def _nearest(self, weights: np.ndarray) -> Solution | None:
        if not self.solutions:
            return None
        away = [float(np.abs(w - weights).sum()) for w, _ in self.solutions]
        return self.solutions[int(np.argmin(away))][1]

    def _heard(self, point: FrontPoint) -> None:
        self.asked += 1
        self.found.append(point)
        if self.tell is not None:
            self.tell(self.asked, self.missed())
