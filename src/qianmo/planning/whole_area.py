"""Large problems: prices by the primal-dual method, plans by rounding, until the gap is proven (大规模求解).

The bound and the plan come from one run: every so often the shares are rounded to a plan within
the limits, and the search ends when the plan is near enough to the bound, or when time is up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from qianmo.planning.engine.dense import Dense, choice_of, dense, slots_of
from qianmo.planning.engine.export import parts_from, problem_prices, row_prices
from qianmo.planning.engine.linking import AGAIN, HARD, QUICK, SOFT, linked
from qianmo.planning.engine.primal_dual import iterate, start_state, steps_of
from qianmo.planning.engine.rounding import climb_priced, improve_slots, nearest_slots, slack_costs, undecided
from qianmo.planning.neighbourhood import best_nearby
from qianmo.planning.overrun import exact_ends, overrun, settled
from qianmo.planning.prices import Prices, dual_bound
from qianmo.planning.problem import PlanProblem, objective

__all__ = ["Found", "Tell", "allocate"]

Tell = Callable[[float, float], None]
"""Called with the gap so far (1 while there is no plan) and the share of the allowed time used."""

FIRST_TRY, GROWTH, MOST_STEPS = 40, 1.6, 1_500
"""Steps before the first rounding, factor to the next ones, and steps where no timer is given."""

LOOK_BACK = 2
"""Checks of the bound (20 steps each) over which it must have become level before a rounding."""

EXACT_FREE, EXACT_SECONDS, EXACT_ROUNDS, ROWS_A_ROUND = 400, 4.0, 8, 12
"""Exact search near the plan: options it opens, its time [s], rounds a rounding, rows whose patches a round looks at."""


@dataclass(frozen=True)
class Found:
    """Plan and prices of one run (求解结果); `choice` is None where no plan was found."""

    choice: np.ndarray | None
    prices: Prices
    bound: float
    steps: int


def allocate(
    problem: PlanProblem,
    *,
    gap: float,
    time_limit_s: float,
    timer: Callable[[], float] | None = None,
    tell: Tell | None = None,
    stop: Callable[[], bool] | None = None,
    prices: Prices | None = None,
    choice: np.ndarray | None = None,
) -> Found:
    """Solve a large problem to a gap (大规模求解).

    Parameters
    ----------
    problem : PlanProblem
    gap : float
        Wanted (bound - score) / bound.
    time_limit_s : float
        Ends the search; rounding is begun in time. [s]
    timer : function, optional
        Gives seconds; without it the search ends after `MOST_STEPS`.
    tell : function, optional
        Hears of the progress.
    stop : function, optional
        True ends the search at the next step with what there is.
    prices, choice : optional
        Prices and plan of an earlier run on the same patches and borders, to start from.

    Returns
    -------
    Found
        The bound follows from the prices alone, by `qianmo.planning.prices.dual_bound`.
    """
    d = dense(problem)
    steps = steps_of(d)
    run = _Run(d, problem, gap, time_limit_s, timer, tell, stop)
    state = start_state(d, slot=None if choice is None else slots_of(d, choice))
    if prices is not None:
        state.p, state.a = row_prices(d, prices.limit), parts_from(d, problem, prices)
        run.bound, run.parts, run.price = dual_bound(problem, prices), state.a.copy(), state.p.copy()
    if choice is not None:
        run.consider(slots_of(d, choice), state.p, QUICK)
        if prices is not None and run.gap_now() <= gap and run.best is not None:
            return Found(choice_of(d, run.best), prices, run.bound, 0)
    next_try, tries = FIRST_TRY if choice is None else FIRST_TRY // 3, 0
    walk = iterate(d, steps, state)
    for bound, price in walk:
        if bound < run.bound:
            run.remember(bound, state.a, price)
        last = run.is_over(state.steps_done)
        run.bounds.append(run.bound)
        ready = state.steps_done >= next_try and (run.is_level() or run.is_late())
        if ready or last or run.gap_now() <= gap:
            started = run.seconds()
            if not (run.gap_now() <= gap and run.best is not None):
                run.consider(climb_priced(d, nearest_slots(d, state.x), price, weigh=3.0), price)
                if tries and run.best is not None and not last:
                    run.consider(run.best, price, AGAIN)
                run.search_nearby(price, EXACT_ROUNDS if tries or last else 2)
                tries += 1
            run.rounding_s = max(run.rounding_s, run.seconds() - started)
            next_try = int(max(state.steps_done * GROWTH, state.steps_done + 40))
            if last or run.gap_now() <= gap:
                break
        run.report(state.steps_done)
    walk.close()
    state.x, state.a = np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32)  # of a province they are as large as the prices of the borders made now
    found = problem_prices(d, problem, run.parts, run.price)
    return Found(None if run.best is None else choice_of(d, run.best), found, dual_bound(problem, found), state.steps_done)


class _Run:
    """What one run knows so far: best bound, best plan, time."""

    def __init__(
        self, d: Dense, problem: PlanProblem, gap: float, limit_s: float, timer: Callable[[], float] | None, tell: Tell | None,
        stop: Callable[[], bool] | None,
    ) -> None:  # fmt: skip
        self.d, self.problem, self.gap, self.limit_s = d, problem, gap, limit_s
        self.timer, self.tell, self.stop = timer, tell, stop
        self.began = timer() if timer else 0.0
        self.bound, self.parts, self.price = np.inf, np.zeros((0, 0), np.float32), np.zeros(0)
        self.bounds: list[float] = []
        self.best: np.ndarray | None = None
        self.score, self.rounding_s = -np.inf, 0.0

    def seconds(self) -> float:
        return self.timer() - self.began if self.timer else 0.0

    def remember(self, bound: float, parts: np.ndarray, price: np.ndarray) -> None:
        """Keep the prices of the least bound so far."""
        self.bound, self.price = bound, price
        if self.parts.shape == parts.shape:
            np.copyto(self.parts, parts)
        else:
            self.parts = parts.copy()

    def is_over(self, steps: int) -> bool:
        if self.stop is not None and self.stop():
            return True
        if self.timer is None:
            return steps >= MOST_STEPS
        return self.seconds() + 1.2 * self.rounding_s >= self.limit_s

    def gap_now(self) -> float:
        if self.best is None or not np.isfinite(self.bound):
            return 1.0
        return (self.bound - self.score) / max(abs(self.bound), 1e-12)

    def is_level(self) -> bool:
        """True where the bound falls so slowly that a plan may come within the gap."""
        if len(self.bounds) <= LOOK_BACK:
            return False
        return self.bounds[-1 - LOOK_BACK] - self.bounds[-1] <= 0.6 * self.gap * abs(self.bounds[-1])

    def is_late(self) -> bool:
        """True where half the time is gone and there is no plan."""
        return self.best is None and self.timer is not None and self.seconds() >= 0.5 * self.limit_s

    def report(self, steps: int) -> None:
        if self.tell is not None:
            used = self.seconds() / self.limit_s if self.timer else steps / MOST_STEPS
            self.tell(self.gap_now(), min(used, 1.0))

    def consider(self, slot: np.ndarray, price: np.ndarray, rounds: Sequence[tuple[int, float]] = SOFT) -> None:
        """Bring slots to a plan within the limits; improve it where it is not yet near enough."""
        found = self._settled(linked(self.d, slot, price, rounds, enough=self._enough()), price)
        if found is not None and self.gap_now() > self.gap:
            ends = exact_ends(self.problem, self.d, found)
            self._settled(improve_slots(self.d, linked(self.d, found, price, HARD, ends=ends, enough=self._enough()), ends=ends), price)

    def _settled(self, slot: np.ndarray, price: np.ndarray) -> np.ndarray | None:
        """Slots that keep every limit to the integer, near the given ones; kept if they are the best."""
        found = settled(self.problem, self.d, slot, price)
        if found is not None:
            self._keep(found)
        return found

    def search_nearby(self, price: np.ndarray, rounds: int) -> None:
        """Open the options of least loss and search them exactly; then, round by round, those of the rows with costly room."""
        for turn in range(rounds):
            if self.best is None or self.gap_now() <= self.gap or (self.timer is not None and self.seconds() + EXACT_SECONDS > self.limit_s):
                return
            if self.stop is not None and self.stop():
                return
            rows = None
            if turn > 1:
                costly = np.argsort(-slack_costs(self.d, self.best, price), kind="stable")
                rows = costly[ROWS_A_ROUND * (turn - 2) : ROWS_A_ROUND * (turn - 1)]
            patch, slot = undecided(self.d, self.best, price, EXACT_FREE * (3 if turn == 1 else 1), rows=rows)
            keeping = self.d.keeps[patch] & (slot == 0)
            keep = np.zeros(self.d.n, bool)
            keep[patch[keeping]] = True
            option = self.d.first[patch] + slot - self.d.keeps[patch]
            found = best_nearby(self.problem, choice_of(self.d, self.best), option[~keeping], keep, seconds=EXACT_SECONDS)
            if found is not None and not overrun(self.problem, found).any():
                self._keep(slots_of(self.d, found))

    def _enough(self) -> float:
        return 1e-7 * abs(self.bound) if np.isfinite(self.bound) else 0.0

    def _keep(self, slot: np.ndarray) -> None:
        score = objective(self.problem, choice_of(self.d, slot))
        if score > self.score:
            self.best, self.score = slot, score
