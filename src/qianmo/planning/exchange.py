"""A planning problem as tables that others can write, and back (规划问题交换).

Areas and money are whole dm2 and fen in every table. What does not fit is gathered and refused
with table, rows, what was expected and the cure; nothing is repaired.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from qianmo.planning.exchange_check import problem_faults
from qianmo.planning.problem import Limit, Pairs, PlanProblem, Refusals, hundredths
from qianmo.schema.errors import SchemaError

__all__ = ["PROBLEM_FORMAT", "ProblemFile", "problem_from_tables", "problem_tables"]

PROBLEM_FORMAT = "qianmo-problem/1"
COUNTED = {"m2": "dm2", "yuan": "fen", "1": "1"}
"""Unit of a limit to the part of it that the file counts in."""

SHOWN = 6


@dataclass(frozen=True)
class ProblemFile:
    """A problem with the ids and areas of its patches (规划问题文件). `patch_id` (n,), `area_dm2` (n,) int."""

    name: str
    problem: PlanProblem
    patch_id: np.ndarray
    area_dm2: np.ndarray


def problem_tables(
    problem: PlanProblem, *, name: str = "", patch_id: np.ndarray | None = None, area_dm2: np.ndarray | None = None
) -> tuple[dict[str, Any], dict[str, pd.DataFrame]]:
    """Record and tables of a problem (写成交换表).

    Parameters
    ----------
    problem : PlanProblem
    name : str
        What to call it.
    patch_id : (n,) text or int, optional
        Ids of the patches, no two alike; 0 to n - 1 by default.
    area_dm2 : (n,) int, optional
        Areas, 0 by default. [dm2]

    Returns
    -------
    record : dict
        For ``problem.toml``.
    tables : dict of DataFrame
        docs/how-to/bring-your-own-problem.md lists them.
    """
    ids = np.arange(problem.n) if patch_id is None else np.asarray(patch_id)
    area = np.zeros(problem.n, np.int64) if area_dm2 is None else np.asarray(area_dm2, np.int64)
    tables = {
        "patches": pd.DataFrame({"patch_id": ids, "area_dm2": area, "may_keep": problem.keeps}),
        "options": pd.DataFrame(
            {
                "patch_id": ids[problem.patch], "measure": problem.measure.astype(str), "target_class": problem.target_class.astype(str),
                "value": problem.value.astype(float), "cost_fen": hundredths(problem.cost),
            }
        ).astype({"measure": object, "target_class": object}),
    }  # fmt: skip
    layers = _layer_tables(problem, ids, tables)
    limits = [_limit_record(x) for x in problem.limits]
    for kind, number in (("whole", np.int64), ("real", np.float64)):
        mine = [(k, x) for k, x in enumerate(problem.limits) if x.is_whole == (kind == "whole")]
        tables[f"limit_{kind}"] = pd.DataFrame(
            {
                "limit": np.repeat([k for k, _ in mine], [len(x.option) for _, x in mine]).astype(np.int32),
                "option": np.concatenate([np.zeros(0, np.int64), *(x.option for _, x in mine)]).astype(np.int64),
                "amount": np.concatenate([np.zeros(0, number), *((hundredths(x.coefficient) if kind == "whole" else x.coefficient) for _, x in mine)]).astype(number),
            }
        )  # fmt: skip
    if problem.effects:
        tables["effects"] = pd.DataFrame({k: np.asarray(v, float) for k, v in problem.effects.items()})
    if problem.refusals is not None:
        r = problem.refusals
        tables["refusals"] = pd.DataFrame({"patch_id": ids[r.patch], "label": r.label, "reason": r.reason, "rule_id": r.rule_id})
    uses = sorted(set(problem.target_class.astype(str)))
    record = {
        "format": PROBLEM_FORMAT, "name": name, "uses": uses, "units": {"area": "dm2", "money": "fen", "value": "points"},
        "counts": {"patches": problem.n, "options": problem.m}, "base": {k: float(v) for k, v in problem.base.items()}, "layer": layers, "limit": limits,
    }  # fmt: skip
    return record, tables


def problem_from_tables(record: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> ProblemFile:
    """The problem that a record and its tables hold (读取交换表).

    Raises
    ------
    SchemaError
        Tables or columns missing, ids twice, rows of unknown patches, negative areas, costs or weights, numbers
        missing, unknown classes, limits that contradict each other. The message names table, rows and cure.
    """
    if record.get("format") != PROBLEM_FORMAT:
        raise SchemaError(
            f"problem.toml: format {record.get('format')!r}",
            expected=PROBLEM_FORMAT,
            cure="see docs/how-to/bring-your-own-problem.md",
        )
    faults = problem_faults(record, tables)
    if faults:
        more = f"; and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
        raise SchemaError(
            "; ".join(f.found for f in faults[:SHOWN]) + more, expected="; ".join(dict.fromkeys(f.expected for f in faults[:SHOWN])),
            cure="; ".join(dict.fromkeys(f.cure for f in faults[:SHOWN])),
        )  # fmt: skip
    patches, options = tables["patches"], tables["options"]
    place = pd.Index(patches["patch_id"])
    m = len(options)
    problem = PlanProblem(
        n=len(patches), patch=place.get_indexer(options["patch_id"]).astype(np.int64), measure=options["measure"].to_numpy(object),
        target_class=options["target_class"].to_numpy(object), value=options["value"].to_numpy(float),
        cost=options["cost_fen"].to_numpy(np.int64) / 100.0,
        effects={str(c): tables["effects"][c].to_numpy(float) for c in tables["effects"].columns} if "effects" in tables else {},
        base={str(k): float(v) for k, v in dict(record.get("base", {})).items()}, pairs=_pairs(record, tables, place),
        limits=_limits(record, tables, m), may_keep=patches["may_keep"].to_numpy(bool), refusals=_refusals(tables, place),
    )  # fmt: skip
    return ProblemFile(
        str(record.get("name", "")), problem, patches["patch_id"].to_numpy(), patches["area_dm2"].to_numpy(np.int64)
    )


def _layer_tables(problem: PlanProblem, ids: np.ndarray, tables: dict[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Adds borders and states to the tables; returns the records of the layers."""
    graphs: list[Pairs] = []
    layers, before, under = [], {}, {}
    for k, p in enumerate(problem.pairs):
        number = next((g for g, q in enumerate(graphs) if _same(p, q)), len(graphs))
        if number == len(graphs):
            graphs.append(p)
            tables[f"borders_{number}"] = pd.DataFrame(
                {"patch_i": ids[p.i], "patch_j": ids[p.j], "weight": p.weight.astype(float)}
            )
        layers.append({"aim": p.aim, "zh": p.zh, "borders": f"borders_{number}", "state": f"state_{k}"})
        before[f"state_{k}"], under[f"state_{k}"] = p.state0.astype(bool), p.state.astype(bool)
    if layers:
        tables["patch_states"], tables["option_states"] = pd.DataFrame(before), pd.DataFrame(under)
    return layers


def _same(p: Pairs, q: Pairs) -> bool:
    return all(a is b or np.array_equal(a, b) for a, b in ((p.i, q.i), (p.j, q.j), (p.weight, q.weight)))


def _limit_record(x: Limit) -> dict[str, Any]:
    sides = (int(hundredths(x.bound)), int(hundredths(x.constant))) if x.is_whole else (float(x.bound), float(x.constant))
    return {
        "id": x.id, "rule_id": x.rule_id, "zh": x.zh, "relation": x.relation, "unit": COUNTED[x.unit], "bound": sides[0], "constant": sides[1],
    }  # fmt: skip


def _pairs(record: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], place: pd.Index) -> tuple[Pairs, ...]:
    graphs: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
    out = []
    for layer in record.get("layer", []):
        name = layer["borders"]
        if name not in graphs:
            t = tables[name]
            i, j = (place.get_indexer(t[c]).astype(np.int64) for c in ("patch_i", "patch_j"))
            graphs[name] = (i, j, t["weight"].to_numpy(float))
        before, under = (tables[t][layer["state"]].to_numpy(bool) for t in ("patch_states", "option_states"))
        out.append(Pairs(str(layer["aim"]), str(layer.get("zh", "")), *graphs[name], before, under))
    return tuple(out)


def _limits(record: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], m: int) -> tuple[Limit, ...]:
    entries: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for kind in ("whole", "real"):
        t = tables[f"limit_{kind}"]
        number = t["limit"].to_numpy(np.int64)
        order = np.argsort(number, kind="stable")
        edge = np.searchsorted(number[order], np.arange(len(record.get("limit", [])) + 1))
        option, amount = t["option"].to_numpy(np.int64)[order], t["amount"].to_numpy()[order]
        for k in range(len(edge) - 1):
            if edge[k + 1] > edge[k]:
                entries[k] = (option[edge[k] : edge[k + 1]], amount[edge[k] : edge[k + 1]])
    unit = {v: k for k, v in COUNTED.items()}
    out = []
    for k, x in enumerate(record.get("limit", [])):
        part = 1.0 if x["unit"] == "1" else 100.0
        option, amount = entries.get(k, (np.zeros(0, np.int64), np.zeros(0)))
        out.append(
            Limit(
                str(x["id"]), str(x.get("rule_id", "")), str(x.get("zh", "")), option, amount / part, x["relation"], x["bound"] / part, unit[x["unit"]],
                x.get("constant", 0) / part,
            )
        )  # fmt: skip
    return tuple(out)


def _refusals(tables: Mapping[str, pd.DataFrame], place: pd.Index) -> Refusals | None:
    if "refusals" not in tables:
        return None
    t = tables["refusals"]
    text = (t[c].to_numpy(object) for c in ("label", "reason", "rule_id"))
    return Refusals(place.get_indexer(t["patch_id"]).astype(np.int64), *text)
