"""Run the benchmarks: `python benchmarks/run.py --size 500000 --runs 3 --markdown --cache FOLDER`.

Peers run in turn with the house in the same run, each in a process of its own; the median counts. Ways of one task on
the same rows must give the same figure, or the run fails. `--no-timing` runs each way once at a small size: a test.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from measure import Reading, Way, WayFailedError, measure, once

NAMES = (
    "area",
    "adjacency",
    "overlay",
    "evaluate",
    "ingest",
    "plan",
    "planted",
    "referee",
    "what_if",
    "swap",
    "exchange",
    "allot",
    "verify",
    "games",
    "risk",
    "pv",
    "review",
    "portfolio",
    "pim",
    "motion",
    "erosion",
    "signals",
)
_SMALL = 2000


def main(arguments: list[str] | None = None) -> int:
    """Run what is asked and print a table; 1 where a way fails or two ways disagree."""
    asked = _parser().parse_args(arguments)
    size = asked.size or _SMALL
    results: list[tuple[Way, list[Reading]]] = []
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        cache = Path(asked.cache or scratch)
        cache.mkdir(parents=True, exist_ok=True)
        for name in asked.only or NAMES:
            found = importlib.import_module(f"bench_{name}").ways(size, cache)
            readings, failed = _unclocked(found) if asked.no_timing else _measured(found, asked.runs)
            results += [(replace(way, run=_spent, warm=None), reading) for way, reading in zip(found, readings, strict=True)]
            wrong += failed
    if asked.no_timing:
        print("\n".join(f"{way.task:10} {way.rows:>8} {way.name}: {readings[0].figure:.6g} {_notes(readings)}" for way, readings in results))
    else:
        _print(results, asked.runs, markdown=asked.markdown)
    wrong += disagreements([(way, reading.figure) for way, readings in results for reading in readings])
    for line in wrong:
        print(line, file=sys.stderr)
    return int(bool(wrong))


def disagreements(figures: list[tuple[Way, float]]) -> list[str]:
    """Ways of one task on the same rows whose figures differ by more than their tolerance, in words."""
    first: dict[tuple[str, int], tuple[Way, float]] = {}
    wrong = []
    for way, figure in figures:
        other, value = first.setdefault((way.task, way.rows), (way, figure))
        if not abs(figure - value) <= max(way.tolerance, other.tolerance) * abs(value):
            wrong.append(f"{way.task}, {way.rows} rows: {other.name} gives {value!r}, {way.name} {figure!r}")
    return wrong


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, help=f"patches of the invented township [{_SMALL}]")
    parser.add_argument("--runs", type=int, default=3, help="runs of each way, the median is shown [3]")
    parser.add_argument("--only", action="append", choices=NAMES, help="one benchmark; repeat for more [all]")
    parser.add_argument("--cache", help="folder that keeps made townships [a temporary one]")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    parser.add_argument("--no-timing", action="store_true", help="run each way once, only to see that it works")
    return parser


def _spent() -> float:
    raise WayFailedError("this way has run already")


def _unclocked(found: list[Way]) -> tuple[list[list[Reading]], list[str]]:
    outcomes = [once(way) for way in found]
    return [[Reading(o.figure, 0.0, 0.0, 0.0, 0.0, o.notes)] for o in outcomes], []


def _measured(found: list[Way], runs: int) -> tuple[list[list[Reading]], list[str]]:
    readings: list[list[Reading]] = [[] for _ in found]
    failed = []
    for _ in range(runs):
        for way, mine in zip(found, readings, strict=True):
            try:
                mine.append(measure(way))
            except WayFailedError as error:
                failed.append(str(error))
    return readings, failed


def _print(results: list[tuple[Way, list[Reading]]], runs: int, *, markdown: bool) -> None:
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, median of {runs} runs\n")
    head = ("task", "way", "rows", "wall s", "best s", "CPU s", "peak MB", "load", "figures of the first run")
    rows = [_row(way, readings) for way, readings in results]
    if markdown:
        print("| " + " | ".join(head) + " |\n| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
        print("\n".join("| " + " | ".join(row) + " |" for row in rows))
    else:
        wide = [max(len(row[k]) for row in (head, *rows)) for k in range(len(head))]
        print("\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, wide, strict=True)) for row in (head, *rows)))


def _row(way: Way, readings: list[Reading]) -> tuple[str, ...]:
    if not readings:
        return (way.task, way.name, f"{way.rows:,}", "failed", "", "", "", "", "")

    def median(name: str) -> float:
        return statistics.median(getattr(reading, name) for reading in readings)

    best = min(reading.wall_s for reading in readings)
    return (
        way.task, way.name, f"{way.rows:,}", f"{median('wall_s'):.2f}", f"{best:.2f}", f"{median('cpu_s'):.2f}",
        f"{median('peak_mb'):,.0f}", f"{median('load'):.1f}", _notes(readings),
    )  # fmt: skip


def _notes(readings: list[Reading]) -> str:
    return ", ".join(f"{name} {value:.6g}" for name, value in readings[0].notes.items())


if __name__ == "__main__":
    sys.exit(main())
