"""Checking a plan and its certificate without any solver (规划证书核验).

Shares no code with the modules that make plans: every sum is done again here. Areas and money are
added as whole square decimetres and fen; scores with exactly rounded addition; the bound comes with
the largest error that rounding can have put into it. One pass over patches, options, borders and
limit entries for each case, all in arrays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from qianmo.planning.case_bounds import CasePrices, case_bound, case_options, proven_bound, rounded_sum, whole, wrong_prices
from qianmo.planning.problem import Limit, PlanProblem

__all__ = ["CHECK_COLUMNS", "fingerprint", "score", "verify", "verify_hand_made"]

CHECK_COLUMNS = ("id", "zh", "ok", "found", "expected")

MOST_ROUNDING = 1e-8
"""Rounding of the bound, as a share of all values and bonuses, from which prices are too large to prove anything."""


def verify(
    problem: PlanProblem, choice: Sequence[int] | np.ndarray, certificate: Mapping[str, Any], prices: CasePrices
) -> list[dict[str, Any]]:
    """Check a choice and its certificate against the problem (核验规划证书).

    Parameters
    ----------
    problem : PlanProblem
        The problem, rebuilt from the tables.
    choice : (n,) int
        Option of each patch, -1 where it keeps its use.
    certificate : mapping
        As made by `qianmo.planning.certificate.certificate` or read from a proof folder.
    prices : CasePrices
        Cases, prices and border shares, from `qianmo.planning.proof.stored_prices` or the proof folder.

    Returns
    -------
    list of dict, keys `CHECK_COLUMNS`
        One row a check: the problem is the one certified, the choice is proper, the score, each
        limit, the cases, the prices, the bound and the gap are as claimed. Areas and money agree to the
        dm2 and fen; scores to the rounding error that is proven for them.
    """
    picked = np.asarray(choice)
    checks = [_check("problem", "规划问题与证书一致", fingerprint(problem), certificate["problem_sha256"])]
    improper = _improper(problem, picked)
    checks.append(_row("choice", "每个图斑至多一项可选措施", not len(improper), _first(improper), "无"))
    if len(improper):
        return checks
    reached = score(problem, picked)
    checks.append(_near("objective", "得分可复算", reached, certificate["objective"], _score_slack(problem, picked)))
    checks += _limit_checks(problem, picked, certificate["limits"])
    wrong = wrong_prices(problem, prices)
    checks.append(_row("prices", "情形划分完整、影子价格方向正确、界线分摊在奖励之内", not wrong, "; ".join(wrong) or "无误", "无误"))
    bound, error, case = (float("nan"), 0.0, -1) if wrong else proven_bound(problem, prices)
    if not wrong:
        checks += _case_checks(problem, prices, certificate, bound - 2 * error, case)
    gap = max(bound - reached, 0.0)
    checks.append(_near("bound", "上界可复算", bound, certificate["bound"], 2 * error))
    checks.append(_near("bound_rounding", "上界的舍入误差可复算", error, certificate.get("bound_rounding", error), 0.01 * error))
    most = MOST_ROUNDING * (float(np.abs(problem.value).sum()) + sum(float(p.weight.sum()) for p in problem.pairs))
    checks.append(_row("rounding", "上界的舍入误差可忽略", error <= most, error, f"<= {most:.3g}"))
    checks.append(_row("bound_holds", "得分不超过上界", reached <= bound + error, reached, bound))
    checks.append(_near("gap", "差距可复算", gap, certificate["gap_abs"], 4 * error))
    for name, zh, base in (("gap_rel", "差距占上界的比例可复算", bound), ("gap_rel_objective", "差距占得分的比例可复算", reached)):
        slack = 1e-12 + _share_of(8 * error, base)
        checks.append(_near(name, zh, _share_of(gap, base), certificate[name], slack))
    return checks


def verify_hand_made(problem: PlanProblem, choice: Sequence[int] | np.ndarray, record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Check what is said of a plan that was changed by hand: problem, choice, score and the value of each limit (核验手改方案).

    Nothing is said of how good it could be: such a plan has no bound, and the record may not name one.

    Parameters
    ----------
    record : mapping
        ``problem_sha256``, ``objective`` and ``limits`` (id, relation, value, bound, constant, slack).

    Returns
    -------
    list of dict, keys `CHECK_COLUMNS`
        As of `verify`; rows ``limit:…`` that are not ok are limits that the plan breaks, the others faults of the record.
    """
    picked = np.asarray(choice)
    checks = [_check("problem", "规划问题与记录一致", fingerprint(problem), record["problem_sha256"])]
    improper = _improper(problem, picked)
    checks.append(_row("choice", "每个图斑至多一项可选措施", not len(improper), _first(improper), "无"))
    claims = sorted(k for k in ("bound", "gap_abs", "gap_rel", "proof") if record.get(k) is not None)
    checks.append(_row("no_bound", "没有最优性声明", not claims, "、".join(claims) or "无", "无"))
    if len(improper):
        return checks
    checks.append(_near("objective", "得分可复算", score(problem, picked), record["objective"], _score_slack(problem, picked)))
    return checks + _limit_checks(problem, picked, record["limits"])


def score(problem: PlanProblem, choice: np.ndarray) -> float:
    """Score of a choice against keeping all, exactly rounded (得分) [points]."""
    return rounded_sum(_score_terms(problem, choice))


def fingerprint(problem: PlanProblem) -> str:
    """SHA-256 of everything the score and the limits depend on (规划问题指纹)."""
    digest = hashlib.sha256()

    def put(*values: Any) -> None:
        for v in values:
            raw = np.ascontiguousarray(v).tobytes() if isinstance(v, np.ndarray) else repr(v).encode()
            digest.update(len(raw).to_bytes(8, "little") + raw)

    put("qianmo-problem/1", problem.n, problem.patch.astype("<i8"), problem.value.astype("<f8"), np.packbits(problem.keeps))
    for text in (problem.measure, problem.target_class):
        names: dict[str, int] = {}
        put(np.fromiter((names.setdefault(str(t), len(names)) for t in text), "<i4", len(text)), *names)
    graphs: dict[tuple[int, int, int], str] = {}
    for p in problem.pairs:
        known = (id(p.i), id(p.j), id(p.weight))
        if known not in graphs:
            raw = (p.i.astype("<i8"), p.j.astype("<i8"), p.weight.astype("<f8"))
            graphs[known] = " ".join(hashlib.sha256(np.ascontiguousarray(a).data).hexdigest() for a in raw)
        put(p.aim, graphs[known], np.packbits(p.state0.astype(bool)), np.packbits(p.state.astype(bool)))
    for x in problem.limits:
        amount = whole(x.coefficient).astype("<i8") if x.is_whole else x.coefficient.astype("<f8")
        sides = (int(whole(x.bound)), int(whole(x.constant))) if x.is_whole else (float(x.bound), float(x.constant))
        put(x.id, x.rule_id, x.relation, x.unit, *sides, x.option.astype("<i8"), amount)
    return digest.hexdigest()


def _improper(problem: PlanProblem, choice: np.ndarray) -> np.ndarray:
    if choice.shape != (problem.n,) or choice.dtype.kind not in "iu":
        return np.arange(max(1, problem.n))
    known = (choice >= -1) & (choice < problem.m)
    wrong = ~known | ((choice == -1) & ~problem.keeps)
    done = np.flatnonzero(known & (choice >= 0))
    wrong[done] |= problem.patch[choice[done]] != done
    return np.flatnonzero(wrong)


def _score_terms(problem: PlanProblem, choice: np.ndarray) -> list[np.ndarray]:
    changed = choice >= 0
    done = choice[changed]
    terms = [problem.value[done]]
    for p in problem.pairs:
        before = p.state0.astype(bool)
        after = before.copy()
        after[changed] = p.state[done]
        was, now = before[p.i] & before[p.j], after[p.i] & after[p.j]
        terms += [p.weight[now & ~was], -p.weight[was & ~now]]
    return terms


def _score_slack(problem: PlanProblem, choice: np.ndarray) -> float:
    return 1e-12 * (1e-300 + sum(float(np.abs(t).sum()) for t in _score_terms(problem, choice)))


def _limit_checks(problem: PlanProblem, choice: np.ndarray, claimed: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    named = {str(x["id"]): x for x in claimed}
    rows = [_check("limits", "约束齐全", sorted(named), sorted(x.id for x in problem.limits))]
    chosen = np.zeros(problem.m, bool)
    chosen[choice[choice >= 0]] = True
    for x in problem.limits:
        value, slack = _value(x, chosen)
        room = float(whole(value) - whole(x.bound)) / 100.0 if x.is_whole else value - x.bound
        holds = room <= slack if x.relation == "<=" else room >= -slack if x.relation == ">=" else abs(room) <= slack
        rows.append(_row(f"limit:{x.id}", x.zh, holds, value, f"{x.relation} {x.bound!r}"))
        if x.id in named:
            claim = named[x.id]
            near = 0.004 if x.is_whole else slack
            rows.append(_near(f"value:{x.id}", f"{x.zh}: 数值可复算", value, claim["value"], near))
            left = value - x.bound if x.relation == ">=" else x.bound - value
            told = {"bound": x.bound, "constant": x.constant, "slack": left}
            same = all(abs(float(claim.get(k, v)) - v) <= near for k, v in told.items()) and claim["relation"] == x.relation
            rows.append(
                _row(
                    f"side:{x.id}",
                    f"{x.zh}: 限值一致",
                    same,
                    f"{x.relation} {x.bound!r}",
                    f"{claim['relation']} {claim['bound']!r}",
                )
            )
    return rows


def _value(x: Limit, chosen: np.ndarray) -> tuple[float, float]:
    """Left side of a limit and what rounding may have added: nothing for areas and money."""
    taken = x.coefficient[chosen[x.option]]
    if x.is_whole:
        return (int(whole(taken).sum()) + int(whole(x.constant))) / 100.0, 0.0
    slack = 1e-9 * (abs(x.bound) + abs(x.constant) + float(np.abs(taken).sum()))
    return rounded_sum([taken, np.array([x.constant])]), slack


def _case_checks(
    problem: PlanProblem, prices: CasePrices, certificate: Mapping[str, Any], least: float, largest: int
) -> list[dict[str, Any]]:
    """The number of cases is right, the case named has the largest bound, and the limits show its prices."""
    named, options = certificate.get("case"), case_options(prices) or []
    case = named if type(named) is int and 0 <= named < len(options) else -1
    told = {str(x["id"]): float(x["price"]) for x in certificate["limits"]}
    stored = {x.id: float(each) for x, each in zip(problem.limits, prices.limit[case])}
    differ = [f"{k}: {stored.get(k)} {told.get(k)}" for k in sorted(stored.keys() | told) if stored.get(k) != told.get(k)]
    is_largest = case == largest
    if case >= 0 and not is_largest:
        is_largest = case_bound(problem, prices.limit[case], [s[case] for s in prices.share], options[case])[0] >= least
    return [
        _check("cases", "情形数一致", prices.cases, certificate.get("counts", certificate).get("cases")),
        _row("case", "上界为各情形中最大者", is_largest, largest, named),
        _row("shown_prices", "所列影子价格为该情形的价格", not differ, "; ".join(differ) or "一致", "一致"),
    ]


def _share_of(part: float, whole: float) -> float:
    return part / abs(whole) if abs(whole) > 1e-12 else 0.0


def _first(rows: np.ndarray) -> str:
    return f"{len(rows)} 个图斑, 如 {rows[:5].tolist()}" if len(rows) else "无"


def _near(check: str, zh: str, found: float, claimed: Any, slack: float) -> dict[str, Any]:
    return _row(check, zh, abs(found - float(claimed)) <= slack, found, claimed)


def _check(check: str, zh: str, found: Any, expected: Any) -> dict[str, Any]:
    return _row(check, zh, found == expected, found, expected)


def _row(check: str, zh: str, ok: bool, found: Any, expected: Any) -> dict[str, Any]:
    return {"id": check, "zh": zh, "ok": bool(ok), "found": found, "expected": expected}
