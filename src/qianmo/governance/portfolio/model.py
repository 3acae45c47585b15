"""The portfolio as rows and columns (项目组合的线性模型)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array

from qianmo.governance.portfolio.problem import Problem, finish_year

__all__ = ["WAN", "Model", "build_model"]

WAN = 1e6
"""Fen in ten thousand yuan: the unit of money inside the model."""


@dataclass(frozen=True)
class Model:
    """Columns: starts (0 or 1) first, then flows of money from a supply to the needs of a set of funds in a year [万元].

    `start` lists (candidate number, year); `flow` lists (supply number, funds, year). Rows hold `low` <= `matrix` x <= `high`;
    `supply_row`, `floor_row` and `order_row` say which row belongs to what.
    """

    value: np.ndarray
    start: tuple[tuple[int, int], ...]
    flow: tuple[tuple[int, frozenset[str], int], ...]
    matrix: csr_array
    low: np.ndarray
    high: np.ndarray
    supply_row: tuple[int, ...]
    floor_row: tuple[int, ...]
    order_row: tuple[tuple[int, int, int], ...]


def build_model(problem: Problem) -> Model:
    r"""Rows and columns of a portfolio problem (建立模型).

    Notes
    -----
    With :math:`x_{ps}` one when project p starts in year s and :math:`y_{kgt}` the money of supply k spent in year t on needs
    that the funds g may pay:

    .. math::

        \max \sum v_{ps} x_{ps}, \quad \sum_s x_{ps} \le 1, \quad
        \sum_k y_{kgt} = \sum_{p,s} c_{pg,t-s} x_{ps}, \quad \sum_{g,t} y_{kgt} \le F_k

    with the order :math:`\sum_{s' \le s} x_{as'} \le \sum_{s' + d_b \le s} x_{bs'}` and the floor of each region.
    """
    starts = [(n, year) for n, c in enumerate(problem.candidates) for year in sorted(c.starts)]
    due: dict[tuple[frozenset[str], int], dict[int, int]] = {}
    for column, (n, year) in enumerate(starts):
        for need in problem.candidates[n].needs:
            row = due.setdefault((need.funds, year + need.stage), {})
            row[column] = row.get(column, 0) + need.fen
    groups = sorted(due, key=lambda g: (sorted(g[0]), g[1]))
    flows = [(k, funds, t) for funds, t in groups for k, s in enumerate(problem.supplies) if s.fund in funds and s.year <= t <= s.until]
    rows = _Rows()
    first: dict[int, list[int]] = {}
    for column, (n, _) in enumerate(starts):
        first.setdefault(n, []).append(column)
    for n, c in enumerate(problem.candidates):
        rows.add([(j, 1.0) for j in first.get(n, [])], 1.0 if c.must else 0.0, 1.0)
    into: dict[tuple[frozenset[str], int], list[int]] = {}
    out_of: dict[int, list[int]] = {}
    for j, (k, funds, t) in enumerate(flows, start=len(starts)):
        into.setdefault((funds, t), []).append(j)
        out_of.setdefault(k, []).append(j)
    for group in groups:
        rows.add([*((j, 1.0) for j in into.get(group, [])), *((j, -fen / WAN) for j, fen in due[group].items())], 0.0, 0.0)
    supply_row = [rows.add([(j, 1.0) for j in out_of.get(k, [])], -np.inf, s.fen / WAN) for k, s in enumerate(problem.supplies)]
    floor_row = [rows.add(_floor(problem, starts, k), f.least_fen / WAN, np.inf) for k, f in enumerate(problem.floors)]
    order_row = [(rows.add(entries, -np.inf, 0.0), k, year) for k, year, entries in _orders(problem, first, starts)]
    value = np.array([float(problem.candidates[n].starts[year]) for n, year in starts] + [0.0] * len(flows))
    matrix, low, high = rows.built(len(value))
    return Model(value, tuple(starts), tuple(flows), matrix, low, high, tuple(supply_row), tuple(floor_row), tuple(order_row))


def _floor(problem: Problem, starts: Sequence[tuple[int, int]], number: int) -> list[tuple[int, float]]:
    floor = problem.floors[number]
    entries = []
    for column, (n, year) in enumerate(starts):
        c = problem.candidates[n]
        paid = sum(x.fen for x in c.needs if floor.first <= year + x.stage <= floor.last) if c.region == floor.region else 0
        if paid:
            entries.append((column, paid / WAN))
    return entries


def _orders(problem: Problem, columns: dict[int, list[int]], starts: Sequence[tuple[int, int]]) -> list[tuple[int, int, list[tuple[int, float]]]]:
    number = {c.id: n for n, c in enumerate(problem.candidates)}
    found = []
    for k, p in enumerate(problem.precedences):
        before, after = number[p.before], number[p.after]
        for column in columns.get(after, []):
            year = starts[column][1]
            early = [(j, 1.0) for j in columns[after] if starts[j][1] <= year]
            done = [(j, -1.0) for j in columns.get(before, []) if finish_year(problem.candidates[before], starts[j][1]) < year]
            found.append((k, year, early + done))
    return found


class _Rows:
    """Rows as they are gathered."""

    def __init__(self) -> None:
        self.row: list[int] = []
        self.column: list[int] = []
        self.weight: list[float] = []
        self.low: list[float] = []
        self.high: list[float] = []

    def add(self, entries: Sequence[tuple[int, float]], low: float, high: float) -> int:
        """Append a row and return its number."""
        number = len(self.low)
        self.row += [number] * len(entries)
        self.column += [j for j, _ in entries]
        self.weight += [w for _, w in entries]
        self.low.append(low)
        self.high.append(high)
        return number

    def built(self, columns: int) -> tuple[csr_array, np.ndarray, np.ndarray]:
        """The matrix and its sides."""
        shape = (len(self.low), columns)
        return coo_array((self.weight, (self.row, self.column)), shape=shape).tocsr(), np.array(self.low), np.array(self.high)
