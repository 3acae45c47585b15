"""Measure one way of doing a task in a process of its own: wall time, CPU time, peak memory."""

from __future__ import annotations

import multiprocessing
import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection

__all__ = ["Reading", "Way", "WayFailedError", "measure", "once"]


class WayFailedError(Exception):
    """A way of doing a task ended without a figure."""


@dataclass(frozen=True)
class Way:
    """One way of doing a task.

    `run` returns a figure; ways of one task on the same rows must return the same figure. `warm` runs before the clock
    starts: compilation, imports.
    """

    task: str
    name: str
    rows: int
    run: Callable[[], float]
    warm: Callable[[], object] | None = None
    tolerance: float = 1e-9


@dataclass(frozen=True)
class Reading:
    """What one run took. Peak memory includes the loaded input; load is the one-minute average at the start."""

    figure: float
    wall_s: float
    cpu_s: float
    peak_mb: float
    load: float


def once(way: Way) -> float:
    """Run without a clock and return the figure."""
    if way.warm:
        way.warm()
    return way.run()


def measure(way: Way) -> Reading:
    """Run in a forked process and read its clocks.

    Raises
    ------
    WayFailedError
        The process died; its exit code is named, its own words are on the error stream.
    """
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    load = os.getloadavg()[0]
    process = context.Process(target=_child, args=(way, there))
    process.start()
    there.close()
    try:
        figure, wall, cpu, peak = here.recv()
    except EOFError:
        process.join()
        raise WayFailedError(f"{way.task}, {way.rows} rows: {way.name} died with exit code {process.exitcode}") from None
    process.join()
    return Reading(figure, wall, cpu, peak, load)


def _child(way: Way, pipe: Connection) -> None:
    if way.warm:
        way.warm()
    cpu, start = _cpu_s(), time.perf_counter()
    figure = way.run()
    wall = time.perf_counter() - start
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    pipe.send((figure, wall, _cpu_s() - cpu, peak))
    pipe.close()


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)
