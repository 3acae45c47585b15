"""The proof of a plan as arrays, and back (规划证明数组).

Three sets of arrays say everything: the problem, the plan, the prices. Whoever has them and the
record (`qianmo.planning.proof`) needs nothing of ours to check the claims. Borders that several
pair layers share are kept once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from qianmo.planning.case_bounds import CasePrices
from qianmo.planning.problem import Limit, Pairs, PlanProblem, hundredths
from qianmo.planning.proof import PROOF_FORMAT, coded
from qianmo.schema.errors import SchemaError

__all__ = ["Proof", "proof_arrays", "read_proof"]

SENSES = {"<=": -1, "==": 0, ">=": 1}

CLAIMED = ("objective", "bound", "bound_rounding", "gap_abs", "gap_rel", "gap_rel_objective")
LIMIT_CLAIMED = ("value", "bound", "slack", "price", "constant")

Arrays = Mapping[str, Mapping[str, np.ndarray]]


@dataclass(frozen=True)
class Proof:
    """A plan with its proof, read back (规划证明).

    `record` are the claims, `prices` the cases with their prices and border shares; `area_dm2` and `patch_id` are (n,) or None.
    """

    record: Mapping[str, Any]
    problem: PlanProblem
    choice: np.ndarray
    prices: CasePrices
    area_dm2: np.ndarray | None = None
    patch_id: np.ndarray | None = None


def proof_arrays(
    problem: PlanProblem,
    choice: np.ndarray,
    prices: CasePrices,
    *,
    area_dm2: np.ndarray | None = None,
    patch_id: np.ndarray | None = None,
) -> dict[str, dict[str, np.ndarray]]:
    """The arrays of a proof: ``problem``, ``plan`` and ``prices``; docs/explanation/certificate.md lists them (证明数组).

    Raises
    ------
    SchemaError
        More patches, options or entries than 32-bit numbers can name.
    """
    if max(problem.n, problem.m, *(len(p.i) for p in problem.pairs), 0) >= 2**31:
        raise SchemaError("the problem has more than 2^31 rows", expected="fewer patches, options and borders")
    measure, target = coded(problem.measure), coded(problem.target_class)
    put: dict[str, np.ndarray] = {
        "patch": problem.patch.astype(np.int32), "value": problem.value.astype(np.float64), "may_keep": np.packbits(problem.keeps),
        "measure": measure[0], "measure_name": measure[1], "target": target[0], "target_name": target[1],
    }  # fmt: skip
    put |= _layer_arrays(problem.pairs)
    put |= _limit_arrays(problem, "whole") | _limit_arrays(problem, "real")
    plan: dict[str, np.ndarray] = {"choice": choice.astype(np.int32)}
    if area_dm2 is not None:
        plan["area_dm2"] = area_dm2.astype(np.int64)
    if patch_id is not None:
        plan["patch_id"] = np.char.encode(np.asarray(patch_id).astype("U"), "utf-8")
    return {"problem": put, "plan": plan, "prices": _price_arrays(problem, prices)}


def read_proof(record: Mapping[str, Any], arrays: Arrays) -> Proof:
    """The proof that a record and its arrays hold (读取规划证明).

    Raises
    ------
    SchemaError
        Another format, an array missing, of another type or length, or a problem that is none.
    """
    if record.get("format") != PROOF_FORMAT:
        raise SchemaError(
            f"format {record.get('format')!r}", expected=PROOF_FORMAT, cure="use the release that wrote it (用生成它的版本核验)"
        )
    _refuse_record(record)
    put, plan, prices = (_Shelf(name, arrays.get(name, {})) for name in ("problem", "plan", "prices"))
    count = record["counts"]
    n, m = count.get("patches"), count.get("options")
    if not (isinstance(n, int) and isinstance(m, int) and n >= 0 and m >= 0):
        raise SchemaError(f"counts of the record: {n!r} patches, {m!r} options", expected="whole numbers of at least 0")
    limits = {**_limits_of(put, record, "whole"), **_limits_of(put, record, "real")}
    if sorted(limits) != list(range(len(record["limits"]))):
        raise SchemaError(f"problem.npz holds {len(limits)} limits and the record {len(record['limits'])}", expected="the same limits in both")
    pairs = _layers_of(put, n, m)
    problem = PlanProblem(
        n=n, patch=put.take("patch", "i", m), measure=put.text("measure", m), target_class=put.text("target", m),
        value=put.take("value", "f", m), cost=np.zeros(m), effects={}, base={}, pairs=pairs,
        limits=tuple(limits[k] for k in sorted(limits)), may_keep=put.bits("may_keep", n),
    )  # fmt: skip
    area = plan.take("area_dm2", "i", n) if "area_dm2" in plan.arrays else None
    ids = np.char.decode(plan.take("patch_id", "S", n), "utf-8").astype(object) if "patch_id" in plan.arrays else None
    return Proof(record, problem, plan.take("choice", "i", n), _prices_of(put, prices, problem), area, ids)


def _refuse_record(record: Mapping[str, Any]) -> None:
    limits = record.get("limits")
    if not isinstance(record.get("counts"), dict):
        raise SchemaError("the record has no counts", expected="counts: patches, options, …")
    if not isinstance(limits, list) or not all(isinstance(x, dict) for x in limits):
        raise SchemaError("the record has no list of limits", expected="limits: one entry a limit")
    wrong = [k for k in CLAIMED if not _is_number(record.get(k))]
    wrong += [f"{k} of limit {x.get('id')!r}" for x in limits for k in LIMIT_CLAIMED if not _is_number(x.get(k))]
    wrong += [f"{k} of limit {x.get('id')!r}" for x in limits for k in ("id", "relation") if not isinstance(x.get(k), str)]
    if not isinstance(record.get("problem_sha256"), str):
        wrong.append("problem_sha256")
    if wrong:
        raise SchemaError(f"the record lacks {', '.join(wrong[:5])}", expected="finite numbers, and text for ids", cure="use the record as it was written")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -1e300 < value < 1e300


@dataclass(frozen=True)
class _Shelf:
    """Arrays of one file, taken out by name with a check of type and length."""

    name: str
    arrays: Mapping[str, np.ndarray]

    def take(self, key: str, kind: str, length: int | None = None) -> np.ndarray:
        found = self.arrays.get(key)
        if found is None:
            raise SchemaError(f"{self.name}.npz has no array {key}", cure="the proof folder is not complete (证明文件不完整)")
        if found.ndim != 1 or found.dtype.kind != kind or (length is not None and len(found) != length):
            raise SchemaError(
                f"array {key} of {self.name}.npz has type {found.dtype} and shape {found.shape}",
                expected=f"kind {kind!r}, one axis" + ("" if length is None else f", {length} entries"),
            )  # fmt: skip
        return found

    def bits(self, key: str, count: int) -> np.ndarray:
        return np.unpackbits(self.take(key, "u", (count + 7) // 8), count=count).astype(bool)

    def text(self, key: str, count: int) -> np.ndarray:
        code, names = self.take(key, "u", count), self.take(f"{key}_name", "U").astype(object)
        if count and code.max(initial=0) >= len(names):
            raise SchemaError(f"array {key} of {self.name}.npz names text that is not there", expected=f"0 to {len(names) - 1}")
        return names[code]


def _price_arrays(problem: PlanProblem, prices: CasePrices) -> dict[str, np.ndarray]:
    """Division and prices, one case after the other."""
    is_whole = np.array([x.is_whole for x in problem.limits], bool)
    tree = {"case_option": prices.option, "case_taken": prices.taken, "case_left": prices.left}
    return {
        **{k: v.astype(np.int32) for k, v in tree.items()},
        "whole_price": prices.limit[:, is_whole].ravel(), "real_price": prices.limit[:, ~is_whole].ravel(),
        **{f"share{k}": s.ravel() for k, s in enumerate(prices.share)},
    }  # fmt: skip


def _prices_of(put: _Shelf, prices: _Shelf, problem: PlanProblem) -> CasePrices:
    option = prices.take("case_option", "i")
    cases = len(option) + 1
    limit = np.zeros((cases, len(problem.limits)))
    for kind in ("whole", "real"):
        row = put.take(f"{kind}_row", "i")
        limit[:, row] = prices.take(f"{kind}_price", "f", cases * len(row)).reshape(cases, len(row))
    share = tuple(prices.take(f"share{k}", "u", cases * len(p.i)).reshape(cases, len(p.i)) for k, p in enumerate(problem.pairs))
    taken, left = (prices.take(f"case_{end}", "i", len(option)) for end in ("taken", "left"))
    return CasePrices(option, taken, left, limit, share)


def _layer_arrays(pairs: tuple[Pairs, ...]) -> dict[str, np.ndarray]:
    graphs: list[Pairs] = []
    put: dict[str, np.ndarray] = {}
    numbers = []
    for k, p in enumerate(pairs):
        same = (g for g, q in enumerate(graphs) if _same(p, q))
        number = next(same, len(graphs))
        if number == len(graphs):
            graphs.append(p)
            put |= {
                f"graph{number}_i": p.i.astype(np.int32),
                f"graph{number}_j": p.j.astype(np.int32),
                f"graph{number}_weight": p.weight.astype(np.float64),
            }
        numbers.append(number)
        put |= {f"layer{k}_state0": np.packbits(p.state0.astype(bool)), f"layer{k}_state": np.packbits(p.state.astype(bool))}
    return {
        "layer_graph": np.array(numbers, np.int32), "layer_aim": np.array([p.aim for p in pairs], "U"), "layer_zh": np.array([p.zh for p in pairs], "U"), **put,
    }  # fmt: skip


def _same(p: Pairs, q: Pairs) -> bool:
    return all(a is b or np.array_equal(a, b) for a, b in ((p.i, q.i), (p.j, q.j), (p.weight, q.weight)))


def _layers_of(put: _Shelf, n: int, m: int) -> tuple[Pairs, ...]:
    graphs: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
    out = []
    number = put.take("layer_graph", "i")
    aim, zh = put.take("layer_aim", "U", len(number)), put.take("layer_zh", "U", len(number))
    for k, g in enumerate(number.tolist()):
        if g not in graphs:
            i = put.take(f"graph{g}_i", "i")
            rest = put.take(f"graph{g}_j", "i", len(i)), put.take(f"graph{g}_weight", "f", len(i))
            graphs[g] = (i, *rest)
        out.append(Pairs(str(aim[k]), str(zh[k]), *graphs[g], put.bits(f"layer{k}_state0", n), put.bits(f"layer{k}_state", m)))
    return tuple(out)


def _limit_arrays(problem: PlanProblem, kind: str) -> dict[str, np.ndarray]:
    """Limits in whole hundredths, or in plain numbers, as rows of entries."""
    rows = [k for k, x in enumerate(problem.limits) if x.is_whole == (kind == "whole")]
    limits = [problem.limits[k] for k in rows]
    number, amount = (np.int64, hundredths) if kind == "whole" else (np.float64, np.asarray)
    start = np.cumsum([0, *(len(x.option) for x in limits)])
    return {
        f"{kind}_row": np.array(rows, np.int32), f"{kind}_id": np.array([x.id for x in limits], "U"),
        f"{kind}_unit": np.array([x.unit for x in limits], "U"), f"{kind}_sense": np.array([SENSES[x.relation] for x in limits], np.int8),
        f"{kind}_bound": np.asarray(amount(np.array([x.bound for x in limits], float)), number),
        f"{kind}_constant": np.asarray(amount(np.array([x.constant for x in limits], float)), number),
        f"{kind}_start": start.astype(np.int64), f"{kind}_option": _joined([x.option for x in limits], np.int32),
        f"{kind}_amount": _joined([amount(x.coefficient) for x in limits], number),
    }  # fmt: skip


def _joined(parts: list[np.ndarray], number: type) -> np.ndarray:
    return (
        np.concatenate([*parts, np.zeros(0)]).astype(number)
        if not parts
        else np.concatenate([np.asarray(p, number) for p in parts])
    )


def _limits_of(put: _Shelf, record: Mapping[str, Any], kind: str) -> dict[int, Limit]:
    row, ids, unit = put.take(f"{kind}_row", "i"), put.take(f"{kind}_id", "U"), put.take(f"{kind}_unit", "U")
    number = "i" if kind == "whole" else "f"
    sense, bound, constant = (
        put.take(f"{kind}_{x}", t, len(row)) for x, t in (("sense", "i"), ("bound", number), ("constant", number))
    )
    start, option = put.take(f"{kind}_start", "i", len(row) + 1), put.take(f"{kind}_option", "i")
    amount = put.take(f"{kind}_amount", number, len(option))
    if start[0] != 0 or start[-1] != len(option) or (np.diff(start) < 0).any():
        raise SchemaError(
            f"array {kind}_start of problem.npz does not divide the entries", expected=f"from 0 up to {len(option)}"
        )
    relation = {v: k for k, v in SENSES.items()}
    words = [dict(x) for x in record.get("limits", [])]
    out = {}
    for k, (at, s) in enumerate(zip(row.tolist(), sense.tolist())):
        if s not in relation or not 0 <= at < len(words) or len(ids) != len(row) or len(unit) != len(row):
            raise SchemaError(
                f"{kind} limit {k} of problem.npz has sense {s} and row {at}", expected="-1, 0 or 1, and a row of the record"
            )
        span, part = slice(int(start[k]), int(start[k + 1])), 100.0 if kind == "whole" else 1.0
        text = words[at]
        out[at] = Limit(
            str(ids[k]), str(text.get("rule_id", "")), str(text.get("zh", "")), option[span], amount[span] / part, relation[s],
            float(bound[k] / part), str(unit[k]), float(constant[k] / part),
        )  # fmt: skip
    return out
