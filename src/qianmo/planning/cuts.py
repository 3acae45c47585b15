"""Minimum cuts for given prices of the limits: a second road to the bound, border prices and a plan (最小割).

With the limits priced, what remains is a value for each patch plus bonuses of borders with both
ends in state 1. Where the options of each patch order its states in a chain (leave farmland, stay
unmerged, merge), the best plan is a minimum cut: node ``k`` of a patch is on the source side when
the patch is at step ``k`` of its chain or beyond.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, csr_matrix
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

from qianmo.planning.prices import Prices, dual_bound, legal_prices
from qianmo.planning.problem import KEPT, PlanProblem
from qianmo.schema.errors import SchemaError

__all__ = ["Cut", "best_cut", "chains_hold"]

CAPACITY = 2**30
"""Sum of the capacities from the source; the flow routine counts in 32 bits."""


@dataclass(frozen=True)
class Cut:
    """Best plan for given prices of the limits, which it need not obey, and the bound it proves (最小割解)."""

    choice: np.ndarray
    bound: float
    prices: Prices


@dataclass(frozen=True)
class _Chains:
    """Steps of all patches: pattern codes (s,), owner patch, value and option of each, node number or -1."""

    code: np.ndarray
    patch: np.ndarray
    value: np.ndarray
    option: np.ndarray
    node: np.ndarray


def best_cut(problem: PlanProblem, limit_prices: np.ndarray) -> Cut:
    """Solve the priced problem by one minimum cut (给定价格下的最优方案).

    Parameters
    ----------
    problem : PlanProblem
    limit_prices : (L,) float
        At least 0 on '<=' limits, at most 0 on '>='.

    Returns
    -------
    Cut
        ``bound`` is not below the score of any plan within the limits. The split of each border
        bonus in ``prices`` comes from the flow over the border.

    Raises
    ------
    SchemaError
        The states of some patch do not form a chain.
    """
    chains = _chains(problem, np.asarray(limit_prices, float))
    if not _is_chain(problem, chains):
        raise SchemaError("states of a patch do not form a chain", expected="options whose states are nested")
    ends = [_ends(problem, chains, layer) for layer in range(len(problem.pairs))]
    count = int(chains.node.max(initial=-1)) + 1
    gain = np.zeros(count)
    step = np.flatnonzero(chains.node >= 0)
    gain[chains.node[step]] = chains.value[step] - chains.value[step - 1]
    arcs = _arcs(problem, ends, gain)
    flow, side, scale = _max_flow(arcs, gain, chains)
    choice = _read(problem, chains, side)
    split = tuple(_split(p.weight, end, arcs, flow, scale) for p, end in zip(problem.pairs, ends))
    prices = legal_prices(problem, Prices(np.asarray(limit_prices, float), split))
    return Cut(choice, dual_bound(problem, prices), prices)


def chains_hold(problem: PlanProblem) -> bool:
    """True when minimum cuts apply: the states of every patch are nested (状态可成链)."""
    return _is_chain(problem, _chains(problem, np.zeros(len(problem.limits))))


def _chains(problem: PlanProblem, limit_prices: np.ndarray) -> _Chains:
    """Best value of each pattern of states of each patch, from the pattern with fewest ones up."""
    value = problem.value.astype(float).copy()
    for x, price in zip(problem.limits, limit_prices):
        np.subtract.at(value, x.option, price * x.coefficient)
    layers = range(len(problem.pairs))
    code0 = sum((problem.pairs[k].state0.astype(int) << k for k in layers), np.zeros(problem.n, int))
    code1 = sum((problem.pairs[k].state.astype(int) << k for k in layers), np.zeros(problem.m, int))
    patch = np.concatenate([np.arange(problem.n), problem.patch])
    code = np.concatenate([code0, code1])
    worth = np.concatenate([np.zeros(problem.n), value])
    option = np.concatenate([np.full(problem.n, KEPT), np.arange(problem.m)])
    ones = sum(((code >> k) & 1 for k in layers), np.zeros(len(code), int))
    order = np.lexsort((-worth, code, ones, patch))
    patch, code, worth, option = patch[order], code[order], worth[order], option[order]
    best = np.r_[True, (np.diff(patch) != 0) | (np.diff(code) != 0)]
    patch, code, worth, option = patch[best], code[best], worth[best], option[best]
    later = np.r_[False, np.diff(patch) == 0]
    return _Chains(code, patch, worth, option, np.where(later, np.cumsum(later) - 1, -1))


def _is_chain(problem: PlanProblem, chains: _Chains) -> bool:
    step = np.flatnonzero(chains.node >= 0)
    return bool(np.all(chains.code[step - 1] & ~chains.code[step] == 0))


def _ends(problem: PlanProblem, chains: _Chains, layer: int) -> tuple[np.ndarray, np.ndarray]:
    """Node that decides the state of each end of each border: -1 always 1, -2 always 0."""
    decides = np.full(problem.n, -2)
    has = np.flatnonzero((chains.code >> layer) & 1)[::-1]
    decides[chains.patch[has]] = chains.node[has]
    p = problem.pairs[layer]
    return decides[p.i], decides[p.j]


def _arcs(problem: PlanProblem, ends: list[tuple[np.ndarray, np.ndarray]], gain: np.ndarray) -> csr_array:
    """Bonus between two open nodes, from the lower to the higher; adds bonuses to `gain`."""
    tail, head, weight = [np.zeros(0, int)], [np.zeros(0, int)], [np.zeros(0)]
    for p, (u, v) in zip(problem.pairs, ends):
        both = (u >= 0) & (v >= 0)
        lower = np.minimum(u, v)
        tail.append(lower[both])
        head.append(np.maximum(u, v)[both])
        weight.append(p.weight[both])
        np.add.at(gain, lower[both], p.weight[both])
        for a, b in ((u, v), (v, u)):
            half = (a == -1) & (b >= 0)
            np.add.at(gain, b[half], p.weight[half])
    shape = (len(gain), len(gain))
    return csr_array((np.concatenate(weight), (np.concatenate(tail), np.concatenate(head))), shape=shape)


def _max_flow(arcs: csr_array, gain: np.ndarray, chains: _Chains) -> tuple[csr_array, np.ndarray, float]:
    count = len(gain)
    source, sink = count, count + 1
    scale = CAPACITY / max(float(np.abs(gain).sum()), float(arcs.data.sum()), 1e-12)
    body = arcs.tocoo()
    step = np.flatnonzero(chains.node > 0)
    step = step[chains.node[step - 1] >= 0]
    nodes = np.arange(count)
    tail = np.concatenate([body.row, chains.node[step], np.where(gain > 0, source, nodes)])
    head = np.concatenate([body.col, chains.node[step - 1], np.where(gain > 0, nodes, sink)])
    sizes = [np.floor(body.data * scale), np.full(len(step), CAPACITY), np.floor(np.abs(gain) * scale)]
    graph = csr_matrix((np.concatenate(sizes).astype(np.int32), (tail, head)), shape=(count + 2, count + 2))
    flow = maximum_flow(graph, source, sink).flow
    left = csr_matrix(graph - flow)
    left.data[left.data < 0] = 0
    left.eliminate_zeros()
    side = np.zeros(count + 2, bool)
    side[breadth_first_order(left, source, return_predecessors=False)] = True
    return csr_array(flow), side[:count], scale


def _read(problem: PlanProblem, chains: _Chains, side: np.ndarray) -> np.ndarray:
    """The furthest step on the source side."""
    choice = np.full(problem.n, KEPT)
    reached = np.append(side, True)[chains.node]
    choice[chains.patch[reached]] = chains.option[reached]
    return choice


def _split(
    weight: np.ndarray, ends: tuple[np.ndarray, np.ndarray], arcs: csr_array, flow: csr_array, scale: float
) -> np.ndarray:
    """Part of each bonus for end i: what does not flow over the border stays with the lower node."""
    u, v = ends
    part = np.where((u == -1) & (v == -2), 0.0, np.where((u == -2) & (v == -1), weight, weight / 2))
    part = np.where((u >= 0) & (v < 0), np.where(v == -1, weight, 0.0), part)
    part = np.where((u < 0) & (v >= 0), np.where(u == -1, 0.0, weight), part)
    both = np.flatnonzero((u >= 0) & (v >= 0))
    low, high = np.minimum(u, v)[both], np.maximum(u, v)[both]
    sent = _entries(flow, low, high) / scale / np.maximum(_entries(arcs, low, high), 1e-300)
    to_high = weight[both] * np.clip(sent, 0.0, 1.0)
    part[both] = np.where(u[both] < v[both], weight[both] - to_high, to_high)
    return part


def _entries(matrix: csr_array, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    if not len(row):
        return np.zeros(0)
    return np.asarray(matrix[row, column], float).ravel()
