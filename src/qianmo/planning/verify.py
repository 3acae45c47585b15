"""Checking a plan and its certificate without any solver (规划证书核验).

Shares no code with the modules that make plans: every sum is done again here, term by term,
with exactly rounded addition. One pass over patches, options, borders and limit entries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from math import fsum
from typing import Any

import numpy as np

from qianmo.planning.problem import PlanProblem

__all__ = ["CHECK_COLUMNS", "fingerprint", "verify"]

CHECK_COLUMNS = ("id", "zh", "ok", "found", "expected")
TOLERANCE = 1e-7
"""Relative difference that rounding of floats explains."""


def verify(problem: PlanProblem, choice: Sequence[int] | np.ndarray, certificate: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Check a choice and its certificate against the problem (核验规划证书).

    Parameters
    ----------
    problem : PlanProblem
        The problem, rebuilt from the tables.
    choice : (n,) int
        Option of each patch, -1 where it keeps its use.
    certificate : mapping
        As made by `qianmo.planning.certificate.certificate`.

    Returns
    -------
    list of dict, keys `CHECK_COLUMNS`
        One row a check: the problem is the one certified, the choice is proper, the score, each
        limit, the prices, the bound and the gap are as claimed.
    """
    picked = [int(c) for c in choice]
    checks = [_check("problem", "规划问题与证书一致", fingerprint(problem), certificate["problem_sha256"])]
    improper = _improper(problem, picked)
    checks.append(_check("choice", "每个图斑至多一项可选措施", len(improper), 0))
    if improper:
        return checks
    score = _score(problem, picked)
    checks.append(_near("objective", "得分可复算", score, certificate["objective"]))
    checks += _limit_checks(problem, picked, certificate["limits"])
    checks.append(_check("prices", "影子价格方向正确、界线分摊在奖励之内", _wrong_prices(problem, certificate), 0))
    bound = _bound(problem, certificate)
    checks.append(_near("bound", "上界可复算", bound, certificate["bound"]))
    checks.append(_row("bound_holds", "得分不超过上界", score <= bound + _slack(bound), score, bound))
    checks.append(_near("gap", "差距可复算", bound - score, certificate["gap_abs"], scale=max(abs(bound), abs(score))))
    return checks


def fingerprint(problem: PlanProblem) -> str:
    """SHA-256 of everything the score and the limits depend on (规划问题指纹)."""
    digest = hashlib.sha256()

    def put(*values: Any) -> None:
        for v in values:
            raw = np.ascontiguousarray(v).tobytes() if isinstance(v, np.ndarray) else repr(v).encode()
            digest.update(len(raw).to_bytes(8, "little") + raw)

    put(problem.n, problem.patch.astype("<i8"), problem.value.astype("<f8"), problem.keeps.astype("u1"))
    put(*map(str, problem.measure), *map(str, problem.target_class))
    for p in problem.pairs:
        put(p.aim, p.i.astype("<i8"), p.j.astype("<i8"), p.weight.astype("<f8"), p.state0.astype("u1"), p.state.astype("u1"))
    for x in problem.limits:
        put(x.id, x.rule_id, x.relation, float(x.bound), float(x.constant), x.option.astype("<i8"), x.coefficient.astype("<f8"))
    return digest.hexdigest()


def _improper(problem: PlanProblem, picked: list[int]) -> list[int]:
    if len(picked) != problem.n:
        return list(range(abs(len(picked) - problem.n) or 1))
    owner, keeps = problem.patch.tolist(), problem.keeps.tolist()
    return [k for k, c in enumerate(picked) if not (keeps[k] if c == -1 else 0 <= c < len(owner) and owner[c] == k)]


def _score(problem: PlanProblem, picked: list[int]) -> float:
    value = problem.value.tolist()
    terms = [value[c] for c in picked if c >= 0]
    for p in problem.pairs:
        before, under = [bool(s) for s in p.state0], [bool(s) for s in p.state]
        after = [under[c] if c >= 0 else before[k] for k, c in enumerate(picked)]
        for i, j, w in zip(p.i.tolist(), p.j.tolist(), p.weight.tolist()):
            terms.append(w * ((after[i] and after[j]) - (before[i] and before[j])))
    return fsum(terms)


def _limit_checks(problem: PlanProblem, picked: list[int], claimed: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    named = {str(x["id"]): x for x in claimed}
    rows = [_check("limits", "约束齐全", sorted(named), sorted(x.id for x in problem.limits))]
    chosen = {c for c in picked if c >= 0}
    for x in problem.limits:
        terms = [c for o, c in zip(x.option.tolist(), x.coefficient.tolist()) if o in chosen]
        value = fsum([x.constant, *terms])
        slack = 1e-9 * max(1.0, abs(x.bound), abs(value)) * 2
        room = value - x.bound
        holds = room <= slack if x.relation == "<=" else room >= -slack if x.relation == ">=" else abs(room) <= slack
        rows.append(_row(f"limit:{x.id}", x.zh, holds, value, f"{x.relation} {x.bound!r}"))
        if x.id in named:
            size = fsum([abs(x.bound), *map(abs, terms)])
            rows.append(_near(f"value:{x.id}", f"{x.zh}: 数值可复算", value, named[x.id]["value"], scale=size))
            rows.append(_near(f"side:{x.id}", f"{x.zh}: 限值一致", x.bound, named[x.id]["bound"], scale=abs(x.bound)))
    return rows


def _wrong_prices(problem: PlanProblem, certificate: Mapping[str, Any]) -> int:
    price = {str(x["id"]): float(x["price"]) for x in certificate["limits"]}
    wrong = 0
    for x in problem.limits:
        cost = price.get(x.id, float("nan"))
        wrong += not ((cost >= 0) if x.relation == "<=" else (cost <= 0) if x.relation == ">=" else cost == cost)
    splits = certificate["edge_prices"]
    if len(splits) != len(problem.pairs):
        return wrong + 1
    for p, split in zip(problem.pairs, splits):
        wrong += len(split) != len(p.weight)
        wrong += sum(not (0.0 <= a <= w) for a, w in zip(split, p.weight.tolist()))
    return wrong


def _bound(problem: PlanProblem, certificate: Mapping[str, Any]) -> float:
    """Sum over patches of the best value after prices, plus prices times bounds, less today's bonuses."""
    if _wrong_prices(problem, certificate):
        return float("nan")
    price = {str(x["id"]): float(x["price"]) for x in certificate["limits"]}
    value: list[list[float]] = [[v] for v in problem.value.tolist()]
    constant: list[float] = []
    for x in problem.limits:
        constant.append(price[x.id] * (x.bound - x.constant))
        for o, c in zip(x.option.tolist(), x.coefficient.tolist()):
            value[o].append(-price[x.id] * c)
    best = _keeping(problem, certificate, value, constant)
    best = [b if k else float("-inf") for b, k in zip(best, problem.keeps.tolist())]
    owner = problem.patch.tolist()
    for o, terms in enumerate(value):
        best[owner[o]] = max(best[owner[o]], fsum(terms))
    return fsum([*best, *constant])


def _keeping(
    problem: PlanProblem, certificate: Mapping[str, Any], value: list[list[float]], constant: list[float]
) -> list[float]:
    """Value of keeping each patch; adds the border parts to the options and today's bonuses to the constant."""
    keep: list[list[float]] = [[] for _ in range(problem.n)]
    owner = problem.patch.tolist()
    for p, split in zip(problem.pairs, certificate["edge_prices"]):
        now, under = [bool(s) for s in p.state0], [bool(s) for s in p.state]
        parts: list[list[float]] = [[] for _ in range(problem.n)]
        for i, j, w, a in zip(p.i.tolist(), p.j.tolist(), p.weight.tolist(), split):
            parts[i].append(a)
            parts[j].append(w - a)
            if now[i] and now[j]:
                constant.append(-w)
        sums = [fsum(x) for x in parts]
        for k, s in enumerate(sums):
            if now[k]:
                keep[k].append(s)
        for o, k in enumerate(owner):
            if under[o]:
                value[o].append(sums[k])
    return [fsum(x) for x in keep]


def _slack(size: float) -> float:
    return TOLERANCE * max(1.0, abs(size))


def _near(check: str, zh: str, found: float, claimed: Any, *, scale: float = 0.0) -> dict[str, Any]:
    ok = abs(found - float(claimed)) <= TOLERANCE * max(1.0, abs(found), scale)
    return _row(check, zh, ok, found, claimed)


def _check(check: str, zh: str, found: Any, expected: Any) -> dict[str, Any]:
    return _row(check, zh, found == expected, found, expected)


def _row(check: str, zh: str, ok: bool, found: Any, expected: Any) -> dict[str, Any]:
    return {"id": check, "zh": zh, "ok": bool(ok), "found": found, "expected": expected}
