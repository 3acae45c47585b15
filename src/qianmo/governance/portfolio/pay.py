"""Who pays what when: whole fen by a largest flow (分年分资金支付)."""

from __future__ import annotations

from collections.abc import Mapping

from ortools.graph.python import max_flow

from qianmo.governance.portfolio.problem import Problem

__all__ = ["payments_of", "shortage"]


def payments_of(problem: Problem, starts: Mapping[str, int]) -> tuple[tuple[str, str, int, int], ...] | None:
    """Payments that cover all needs of the projects that start, or None where the money does not reach (支付安排).

    Parameters
    ----------
    problem : Problem
    starts : mapping
        Start year of each project that is done.

    Returns
    -------
    tuple of (project, fund, year, fen) or None
        In the order of projects, years and funds; whole fen.
    """
    needs, flow, lacking = _flow(problem, starts)
    if lacking:
        return None
    rows: list[tuple[str, str, int, int]] = []
    left = {key: list(parts) for key, parts in flow.items()}
    for project, funds, year, fen in needs:
        queue = left[funds, year]
        while fen:
            fund, there = queue[0]
            taken = min(fen, there)
            rows.append((project, fund, year, taken))
            fen -= taken
            queue[:1] = [(fund, there - taken)] if there > taken else []
    return _merged(rows)


def shortage(problem: Problem, starts: Mapping[str, int]) -> int:
    """Money that is lacking for these start years, 0 where all can be paid (资金缺口). [fen]"""
    return _flow(problem, starts)[2]


_Key = tuple[frozenset[str], int]


def _flow(problem: Problem, starts: Mapping[str, int]) -> tuple[list[tuple[str, frozenset[str], int, int]], dict[_Key, list[tuple[str, int]]], int]:
    needs = sorted(
        ((c.id, n.funds, starts[c.id] + n.stage, n.fen) for c in problem.candidates if c.id in starts for n in c.needs),
        key=lambda n: (n[2], n[0], sorted(n[1])),
    )
    due: dict[_Key, int] = {}
    for _, funds, year, fen in needs:
        due[funds, year] = due.get((funds, year), 0) + fen
    keys = sorted(due, key=lambda k: (k[1], sorted(k[0])))
    network, source, sink = max_flow.SimpleMaxFlow(), 0, 1
    first_group = 2 + len(problem.supplies)
    arcs = []
    for k, s in enumerate(problem.supplies):
        network.add_arc_with_capacity(source, 2 + k, s.fen)
        for g, (funds, year) in enumerate(keys):
            if s.fund in funds and s.year <= year <= s.until:
                arcs.append((network.add_arc_with_capacity(2 + k, first_group + g, min(s.fen, due[funds, year])), keys[g], s.fund))
    for g, key in enumerate(keys):
        network.add_arc_with_capacity(first_group + g, sink, due[key])
    if keys and problem.supplies:
        network.solve(source, sink)
    parts: dict[_Key, list[tuple[str, int]]] = {key: [] for key in keys}
    for arc, key, fund in arcs:
        if network.flow(arc):
            parts[key].append((fund, network.flow(arc)))
    got = sum(fen for listed in parts.values() for _, fen in listed)
    return needs, parts, sum(due.values()) - got


def _merged(rows: list[tuple[str, str, int, int]]) -> tuple[tuple[str, str, int, int], ...]:
    total: dict[tuple[str, int, str], int] = {}
    for project, fund, year, fen in rows:
        total[project, year, fund] = total.get((project, year, fund), 0) + fen
    return tuple((p, f, y, fen) for (p, y, f), fen in sorted(total.items()))
