"""The front of several aims: plans that none beats in all of them, each with its gap (帕累托前沿).

Weighted sums give the supported plans: each solution proves ``weights @ v <= bound`` for the aims
`v` of every plan, the next weights are those of the face of the found points above which most room
is left (dichotomic search for two aims, sandwich for more). Floors on aims give plans between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from qianmo.planning.aims import Aim
from qianmo.planning.front_aims import check_point, floor_limit, scalarised, units_of
from qianmo.planning.front_faces import is_dominated, lattice, raised, unproven
from qianmo.planning.problem import Limit, PlanProblem
from qianmo.planning.solve import Solution, solve
from qianmo.schema.errors import InfeasibleError, SchemaError

__all__ = ["Front", "FrontPoint", "Search", "front"]

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
    """

    choice: np.ndarray
    amount: np.ndarray
    points: np.ndarray
    weights: np.ndarray
    floors: np.ndarray
    objective: float
    bound: float
    solver_bound: float

    @property
    def gap(self) -> float:
        """Share of the bound that is not reached, from 0."""
        return (self.bound - self.objective) / max(abs(self.bound), 1e-12)

    @property
    def solver_gap(self) -> float:
        """The same with the bound that the exact search claims."""
        return (self.solver_bound - self.objective) / max(abs(self.solver_bound), 1e-12)

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


def front(
    problem: PlanProblem,
    aims: tuple[Aim, ...],
    *,
    count: int = 9,
    floors: int = 0,
    search: Search | None = None,
    tell: Callable[[int, float], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Front:
    """Plans on the front of two aims or more (多目标前沿).

    Parameters
    ----------
    problem : PlanProblem
        Patches, options and limits; its score is not used.
    aims : tuple of Aim, k
        All to be made as large as may be; each has a potential above 0.
    count : int
        Weightings to solve, the ends included (at least 2 k). Fewer where the front is complete.
    floors : int
        Further questions with floors on aims, for plans that no weighting finds. The aim that is
        maximised is the one that counts borders, or the first; the others must be linear.
    search : function, optional
        Solves one question; `qianmo.planning.solve.solve` with its defaults where none is given.
    tell : function, optional
        Hears after each question how many are done and `missed` so far.
    stop : function, optional
        True ends the search with the plans so far.

    Returns
    -------
    Front

    Raises
    ------
    InfeasibleError
        No plan obeys the limits.
    SchemaError
        Floors are asked for and two aims count borders.
    """
    main = _main_aim(aims) if floors else 0
    run = _Run(problem, aims, search or (lambda p, start: solve(p, start=start)), tell, stop)
    k = len(aims)
    for end in np.eye(k):
        run.ask(end)
        run.ask(raised(end))
    first = [raised(w) for w in lattice(k, 2)[k:]] + ([raised(np.ones(k))] if k > 2 else [])
    for w in first[: max(count - 2 * k, 0)]:
        run.ask(w)
    while run.asked < count and not run.is_over():
        face = run.next_face()
        if face is None:
            break
        run.ask(face)
    if floors and not run.is_over():
        _between(run, main, floors) if k == 2 else _inside(run, main, floors)
    return run.result()


def _main_aim(aims: tuple[Aim, ...]) -> int:
    bordered = [k for k, a in enumerate(aims) if a.pairs is not None]
    if len(bordered) > 1:
        names = ", ".join(aims[k].id for k in bordered)
        raise SchemaError(f"aims {names} all count borders (成对目标)", expected="one such aim at most, the others are floors")
    return bordered[0] if bordered else 0


def _between(run: _Run, main: int, count: int) -> None:
    """Two aims: halve the widest stretch of the other aim until the questions are used up."""
    other = 1 - main
    marks = sorted(float(p.points[other]) for p in run.found)
    open_ = [(b - a, a, b) for a, b in zip(marks, marks[1:])]
    for _ in range(count):
        open_.sort(key=lambda s: (-s[0], s[1]))
        if not open_ or open_[0][0] <= 1e-6 * max(1.0, abs(marks[-1])) or run.is_over():
            return
        _, low, high = open_.pop(0)
        floor = np.full(2, -np.inf)
        floor[other] = middle = (low + high) / 2
        new = run.ask_floor(main, floor)
        reached = high if new is None else float(new.points[other])
        open_ += [(b - a, a, b) for a, b in ((low, middle), (reached, high)) if b - a > 1e-9]


def _inside(run: _Run, main: int, count: int) -> None:
    """Three aims or more: floors in the middle of the faces, those with most room above first."""
    points = np.array([p.points for p in run.found])
    faces = unproven(points, np.array(run.proven), np.array(run.bounds))
    for _, w in faces[:count]:
        if run.is_over():
            return
        height = points @ w
        on_face = points[height >= height.max() - 1e-6 * max(1.0, abs(height.max()))]
        floor = on_face.mean(axis=0)
        floor[main] = -np.inf
        run.ask_floor(main, floor)


class _Run:
    """Questions asked so far, the plans and bounds they gave."""

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
        if self.found and self.stop is not None and self.stop():
            self.broken_off = True
        return self.broken_off

    def ask(self, weights: np.ndarray) -> None:
        if self.is_over():
            return
        point = self._solved(weights, np.full(len(weights), -np.inf), self._nearest(weights), ())
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
        points = np.array([p.points for p in self.found])
        faces = unproven(points, np.array(self.proven), np.array(self.bounds)) if len(self.proven) >= len(self.aims) else []
        return max(faces[0][0], 0.0) if faces else float("inf")

    def result(self) -> Front:
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
        asked = scalarised(self.problem, self.aims, weights)
        asked = replace(asked, limits=(*asked.limits, *rows))
        solution = self.search(asked, start)
        amount = check_point(asked, self.aims, weights, solution.choice, solution.objective)
        if not rows:
            self.solutions.append((np.asarray(weights, float), solution))
        point = FrontPoint(
            solution.choice, amount, amount * self.unit, np.asarray(weights, float), floors, solution.objective, solution.bound,
            solution.solver_bound,
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
