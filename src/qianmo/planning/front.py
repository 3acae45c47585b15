"""The front of several aims: plans that none beats in all of them, each with its gap (帕累托前沿).

Weighted sums give the supported plans: each solution proves ``weights @ v <= bound`` for the aims
`v` of every plan, the next weights are those of the face of the found points above which most room
is left (dichotomic search for two aims, sandwich for more). Floors on aims give plans between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from qianmo.planning.aims import Aim
from qianmo.planning.front_faces import lattice, raised, unproven
from qianmo.planning.front_search import Front, FrontPoint, FrontSearch, Search, question_of
from qianmo.planning.problem import PlanProblem
from qianmo.planning.solve import solve
from qianmo.schema.errors import SchemaError

__all__ = ["Front", "FrontPoint", "Search", "front", "question_of"]


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
    run = FrontSearch(problem, aims, search or (lambda p, start: solve(p, start=start)), tell, stop)
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


def _between(run: FrontSearch, main: int, count: int) -> None:
    """Two aims: halve the widest stretch of the other aim until the questions are used up.

    Where the answer is the upper end itself, the half above the middle is empty, and the next
    question of the lower half asks for whatever is next above its lower end.
    """
    other = 1 - main
    marks = sorted(float(p.points[other]) for p in run.found)
    least = max(1e-6 * max(1.0, abs(marks[0]), abs(marks[-1])), 0.02 * float(run.unit[other]))
    open_ = [_Stretch(a, b, b) for a, b in zip(marks, marks[1:])]
    for _ in range(count):
        open_ = sorted((s for s in open_ if s.high - s.low > 2 * least), key=lambda s: (s.low - s.high, s.low))
        if not open_ or run.is_over():
            return
        now = open_.pop(0)
        is_lower = now.high < now.end
        floor = np.full(2, -np.inf)
        floor[other] = asked = now.low + least if is_lower else (now.low + now.high) / 2
        new = run.ask_floor(main, floor)
        reached = now.end if new is None else min(float(new.points[other]), now.end)
        if is_lower:
            open_ += [_Stretch(reached, now.high, now.end)] if reached < now.high else []
        else:
            open_ += [_Stretch(now.low, asked, now.end if reached >= now.end - least else asked), _Stretch(reached, now.high, now.high)]


@dataclass(frozen=True)
class _Stretch:
    """Values of an aim between two plans; nothing lies from `high` to the plan at `end`."""

    low: float
    high: float
    end: float


def _inside(run: FrontSearch, main: int, count: int) -> None:
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
