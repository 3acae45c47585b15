"""Searching for a plan while the user watches: gap and time left, and Ctrl-C takes the best so far (求解与中断).

The exact search is one call into a compiled library that cannot be asked to stop. Problems small enough
for it are solved in a thread of their own that tells of its plans; whoever breaks off gets the best of them and
the thread is left to end with the program. Larger ones are asked to stop between two steps.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from qianmo.jobs.context import SEARCH_THREAD, Context
from qianmo.planning.problem import PlanProblem
from qianmo.planning.solve import MOST_SEARCHED, Solution, is_large, solve
from qianmo.schema.errors import SchemaError

__all__ = ["Searching", "gap_of", "limits_of_search", "teller"]

POLL_S = 0.1
"""How often the thread is looked at. [s]"""

TELL_S = 1.0
"""Shortest time between two lines of progress. [s]"""


@dataclass
class Searching:
    """Solves problems to a gap within a time, telling and stopping as asked (可中断求解).

    `stopped` is True once a search was broken off.
    """

    gap: float
    seconds: float
    timer: Callable[[], float]
    tell: Callable[[float, float], None]
    stop: Callable[[], bool]
    stopped: bool = False

    def __call__(self, problem: PlanProblem, start: Solution | None = None) -> Solution:
        """The plan to the gap, or the best so far where the user stops or time is up.

        Raises
        ------
        InfeasibleError, QianmoError
            As `qianmo.planning.solve.solve`.
        """
        if is_large(problem) and problem.m > MOST_SEARCHED:
            return solve(
                problem, gap=self.gap, time_limit_s=self.seconds, timer=self.timer, tell=self.tell, stop=self._asked, start=start
            )
        return self._apart(problem, start)

    def _apart(self, problem: PlanProblem, start: Solution | None) -> Solution:
        """The search in a thread of its own, which is left behind where the user stops and there is a plan."""
        began = self.timer()
        heard: list[Solution] = []
        exact = Future[Solution]()
        threading.Thread(target=self._work, args=(problem, start, heard, exact), name=SEARCH_THREAD, daemon=True).start()
        while not exact.done():
            try:
                return exact.result(timeout=POLL_S)
            except TimeoutError:
                if exact.done():
                    break
            now = max(heard, key=lambda s: (s.objective, -s.bound)) if heard else None
            self.tell(1.0 if now is None else gap_of(now), min((self.timer() - began) / self.seconds, 1.0))
            if self._asked() and now is not None:
                return now
        return exact.result()

    def _work(self, problem: PlanProblem, start: Solution | None, heard: list[Solution], exact: Future[Solution]) -> None:
        """A plan by rounding alone, then the exact search where its gap is too wide; every error goes to whoever waits."""
        try:
            if not is_large(problem):
                quick = solve(problem, gap=1.0, time_limit_s=self.seconds, timer=self.timer)
                heard.append(quick)
                if gap_of(quick) <= self.gap:
                    exact.set_result(quick)
                    return
            exact.set_result(
                solve(problem, gap=self.gap, time_limit_s=self.seconds, timer=self.timer, stop=lambda: self.stopped, start=start, hear=heard.append)
            )
        except BaseException as error:  # noqa: BLE001  carried over to the waiting thread, which raises it
            exact.set_exception(error)

    def _asked(self) -> bool:
        self.stopped = self.stopped or self.stop()
        return self.stopped


def gap_of(solution: Solution) -> float:
    """Share of the bound that a plan does not reach (差距)."""
    return (solution.bound - solution.objective) / max(abs(solution.bound), 1e-12)


def limits_of_search(gap: float | None, seconds: float | None, *, default_gap: float, default_seconds: float) -> tuple[float, float]:
    """Gap and time of a search, the user's or the default (求解精度与时限).

    Raises
    ------
    SchemaError
        A gap outside 0 to 1, or a time that is not above 0.
    """
    wanted = default_gap if gap is None else float(gap)
    time_s = default_seconds if seconds is None else float(seconds)
    if not 0 <= wanted <= 1:
        raise SchemaError(f"--gap {wanted}", expected="0 到 1 之间的差距, 例如 0.001 (a share from 0 to 1)")
    if not 0 < time_s < float("inf"):
        raise SchemaError(f"--seconds {time_s}", expected="大于 0 的秒数 (a number of seconds above 0)")
    return wanted, time_s


def teller(context: Context, what: str, seconds: float, timer: Callable[[], float], *, low: float, high: float) -> Callable[[float, float], None]:
    """Progress of one search as steps of a job: gap so far and time left (进度: 差距与剩余时间)."""
    last = [float("-inf")]

    def tell(gap: float, share: float) -> None:
        now = timer()
        if now - last[0] < TELL_S:
            return
        last[0] = now
        reached = "尚无方案" if gap >= 1 else f"差距 {gap:.3%}"
        context.step(f"{what} · {reached} · 余 {max(1 - share, 0) * seconds:.0f} 秒", low + (high - low) * share)

    return tell
