"""Measure one way of doing a task in a process of its own: wall time, CPU time, peak memory."""

from __future__ import annotations

import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import NamedTuple

__all__ = ["Outcome", "Reading", "Way", "WayFailedError", "measure", "once", "outcome"]


class WayFailedError(Exception):
    """A way of doing a task ended without a figure."""


class Outcome(NamedTuple):
    """A figure with more to say, such as bound and gap of an optimiser; only the figure is compared."""

    figure: float
    notes: Mapping[str, float]


@dataclass(frozen=True)
class Way:
    """One way of doing a task.

    `run` returns a figure, or an `Outcome` with notes beside it; ways of one task on the same rows must return the same figure. `warm` runs before the clock
    starts: compilation, imports. A way still running `ends_after_s` after its start is ended, its figure is 0 and a note says so: for
    peers that overrun the limit they were given.
    """

    task: str
    name: str
    rows: int
    run: Callable[[], float | Outcome]
    warm: Callable[[], object] | None = None
    tolerance: float = 1e-9
    ends_after_s: float | None = None


@dataclass(frozen=True)
class Reading:
    """What one run took. Peak memory includes the loaded input; load is the one-minute average at the start."""

    figure: float
    wall_s: float
    cpu_s: float
    peak_mb: float
    load: float
    notes: Mapping[str, float] = field(default_factory=dict)


def once(way: Way) -> Outcome:
    """Run without a clock and return the figure with its notes."""
    if way.warm:
        way.warm()
    return outcome(way.run())


def outcome(given: float | Outcome) -> Outcome:
    """A bare figure as an outcome without notes."""
    return given if isinstance(given, Outcome) else Outcome(float(given), {})


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
    if not here.poll(way.ends_after_s):
        return _ended(process, way.ends_after_s or 0.0, load)
    try:
        (figure, notes), wall, cpu, peak = here.recv()
    except EOFError:
        process.join()
        raise WayFailedError(f"{way.task}, {way.rows} rows: {way.name} died with exit code {process.exitcode}") from None
    process.join()
    return Reading(figure, wall, cpu, peak, load, notes)


def _ended(process: multiprocessing.process.BaseProcess, limit: float, load: float) -> Reading:
    """End a run that is too long; what it used of the machine is not known then."""
    process.terminate()
    process.join(5.0)
    if process.is_alive():
        process.kill()
        process.join()
    return Reading(0.0, limit, float("nan"), float("nan"), load, {"nothing found, ended after s": limit})


def _child(way: Way, pipe: Connection) -> None:
    if way.warm:
        way.warm()
    cpu, start = _cpu_s(), time.perf_counter()
    figure = way.run()  # an Outcome travels as a plain tuple
    wall = time.perf_counter() - start
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    pipe.send((tuple(outcome(figure)), wall, _cpu_s() - cpu, peak))
    pipe.close()


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)
