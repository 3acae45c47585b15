"""The security table names every requirement of ASVS 5.0.0 of level 1 and 2 once, and only tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

COUNTS = {
    "1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2, "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1, "3.2": 2, "3.3": 4, "3.4": 6, "3.5": 5, "3.7": 2, "4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4,
    "5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3, "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4, "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2, "8.1": 2,
    "8.2": 3, "8.3": 1, "8.4": 1, "9.1": 3, "9.2": 4, "10.1": 2, "10.2": 2, "10.3": 4, "10.4": 11, "10.5": 5, "10.6": 2, "10.7": 3, "11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4, "11.5": 1,
    "11.6": 1, "12.1": 3, "12.2": 2, "12.3": 4, "13.1": 1, "13.2": 5, "13.3": 2, "13.4": 5, "14.1": 2, "14.2": 4, "14.3": 3, "15.1": 3, "15.2": 3, "15.3": 7, "16.1": 1, "16.2": 5,
    "16.3": 4, "16.4": 3, "16.5": 3, "17.1": 1, "17.2": 4, "17.3": 2,
}  # fmt: skip
"""Requirements of level 1 and 2 by section; the standard numbers them first, those of level 3 behind them."""
VERDICTS = {"met", "in part", "not met", "of the office", "does not apply"}


@pytest.fixture(scope="module")
def page(repo) -> str:
    return (repo / "docs/explanation/desk-security.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def rows(page) -> list[list[str]]:
    return [[c.strip() for c in line.strip("| \n").split(" | ")] for line in page.splitlines() if line.startswith("| V")]


@cache
def _ids(file: Path) -> frozenset[str]:
    """What pytest would call the tests of a file: functions, and methods behind their class."""
    found = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            found.add(node.name)
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            found |= {f"{node.name}::{m.name}" for m in node.body if isinstance(m, ast.FunctionDef) and m.name.startswith("test_")}
    return frozenset(found)


def test_every_requirement_of_level_one_and_two_stands_once(rows):
    named = [n for row in rows for n in row[0].split(", ")]
    wanted = {f"V{section}.{n}" for section, count in COUNTS.items() for n in range(1, count + 1)}
    assert len(wanted) == 253 and sorted(named) == sorted(wanted)
    assert all(len(row) == 4 and row[1] in VERDICTS for row in rows)


def test_every_test_that_the_table_names_exists(rows, repo):
    named = [t for row in rows for t in re.findall(r"`(tests/[^`]+)`", row[3])]
    missing = []
    for test in named:
        file, mark, name = test.partition("::")
        if not (repo / file).is_file() or (mark and name not in _ids(repo / file)):
            missing.append(test)
    assert len(named) > 100 and not missing


def test_the_sums_of_the_page_are_those_of_the_table(page, rows):
    counts = {v: sum(len(r[0].split(", ")) for r in rows if r[1] == v) for v in VERDICTS}
    said = f"{counts['met']} are met, {counts['in part']} in part, {counts['not met']} not; {counts['of the office']} rest with the office"
    assert said in page and f"{counts['does not apply']} do not apply" in page
