"""What is wrong with the tables of a planning problem (规划问题文件检查)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["ProblemFault", "problem_faults"]

COLUMNS: dict[str, dict[str, str]] = {
    "patches": {"patch_id": "id", "area_dm2": "integer", "may_keep": "boolean"},
    "options": {"patch_id": "id", "measure": "text", "target_class": "text", "value": "number", "cost_fen": "integer"},
    "limit_whole": {"limit": "integer", "option": "integer", "amount": "integer"},
    "limit_real": {"limit": "integer", "option": "integer", "amount": "number"},
}
BORDERS = {"patch_i": "id", "patch_j": "id", "weight": "number"}
REFUSALS = {"patch_id": "id", "label": "text", "reason": "text", "rule_id": "text"}
KINDS = {"integer": "iu", "number": "fiu", "boolean": "b"}
UNITS = ("dm2", "fen", "1")
RELATIONS = ("<=", ">=", "==")
KEYS: dict[str, dict[str, Any]] = {
    "layer": {"aim": str, "borders": str, "state": str},
    "limit": {"id": str, "relation": str, "unit": str, "bound": (int, float)},
}


@dataclass(frozen=True)
class ProblemFault:
    """One thing that does not fit (问题): where and what, what was expected, what to do."""

    found: str
    expected: str
    cure: str


def problem_faults(record: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> list[ProblemFault]:
    """All faults of a record and its tables, the fundamental ones first (检查规划问题文件).

    Faults of columns and types end the search; the others are gathered from all tables.
    """
    shape = [*_record_faults(record), *_column_faults(record, tables)]
    if shape:
        return shape
    found = [*_patch_faults(tables), *_option_faults(record, tables)]
    ids = pd.Index(tables["patches"]["patch_id"])
    if ids.is_unique:
        found += [*_border_faults(record, tables, ids), *_refusal_faults(tables, ids)]
        if not found:
            found += [*_order_faults(tables, ids), *_stuck_faults(tables)]
    return [*found, *_limit_faults(record, tables)]


def _record_faults(record: Mapping[str, Any]) -> Iterator[ProblemFault]:
    for name, keys in KEYS.items():
        entries = record.get(name, [])
        if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
            yield ProblemFault(f"problem.toml: {name} is no list of tables", f"[[{name}]]", f"write each {name} under [[{name}]]")
            continue
        for k, entry in enumerate(entries):
            for key, kind in keys.items():
                if not isinstance(entry.get(key), kind) or isinstance(entry.get(key), bool):
                    yield ProblemFault(
                        f"problem.toml: {name} {k} has {key} = {entry.get(key)!r}", f"{key} of every {name}", f"fill in {key}"
                    )
    if not isinstance(record.get("uses", []), list):
        yield ProblemFault("problem.toml: uses is no list", 'uses = ["0101", …]', "list the classes that options may lead to")


def _column_faults(record: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> Iterator[ProblemFault]:
    wanted: dict[str, dict[str, str]] = dict(COLUMNS)
    layers = record.get("layer", []) if isinstance(record.get("layer", []), list) else []
    for layer in layers:
        if isinstance(layer, dict):
            wanted[str(layer.get("borders"))] = dict(BORDERS)
            for name in ("patch_states", "option_states"):
                wanted[name] = {**wanted.get(name, {}), str(layer.get("state")): "boolean"}
    if "refusals" in tables:
        wanted["refusals"] = REFUSALS
    if "effects" in tables:
        wanted["effects"] = {str(c): "number" for c in tables["effects"].columns}
    for name, columns in wanted.items():
        if name not in tables:
            yield ProblemFault(
                f"table {name} is missing", f"{name}.parquet", f"add {name}.parquet with columns {', '.join(columns)}"
            )
            continue
        for column, kind in columns.items():
            if column not in tables[name]:
                yield ProblemFault(f"table {name} has no column {column}", ", ".join(columns), f"add the column {column}")
            elif wrong := _wrong_kind(tables[name][column], kind):
                yield ProblemFault(
                    f"table {name}, column {column}: {wrong}", f"{column} of type {kind}, nothing missing", _cure_of(column)
                )
    if "patches" in tables and "options" in tables:
        for name, rows in (("patch_states", "patches"), ("option_states", "options"), ("effects", "options")):
            if name in tables and len(tables[name]) != len(tables[rows]):
                yield ProblemFault(
                    f"table {name} has {len(tables[name])} rows",
                    f"{len(tables[rows])}, as {rows}",
                    f"one row of {name} a row of {rows}",
                )


def _wrong_kind(column: pd.Series, kind: str) -> str:
    empty = column.isna().to_numpy()
    if empty.any():
        return f"missing in rows {_rows(empty)}"
    if kind == "text":
        return (
            ""
            if column.dtype == object and all(isinstance(v, str) for v in column)
            else f"type {column.dtype}"
            if column.dtype != "str"
            else ""
        )
    if kind == "id":
        is_text = column.dtype == "str" or (column.dtype == object and all(isinstance(v, str) for v in column))
        return "" if is_text or column.dtype.kind in "iu" else f"type {column.dtype}"
    if column.dtype.kind not in KINDS[kind]:
        return f"type {column.dtype}"
    endless = ~np.isfinite(column.to_numpy()) if column.dtype.kind == "f" else np.zeros(len(column), bool)
    return f"endless in rows {_rows(endless)}" if endless.any() else ""


def _cure_of(column: str) -> str:
    if column.endswith("_dm2"):
        return "give areas in whole dm2 (面积取整到平方分米)"
    if column.endswith("_fen"):
        return "give money in whole fen, 0 where nothing is paid (金额取整到分)"
    return f"fill in {column} in every row"


def _patch_faults(tables: Mapping[str, pd.DataFrame]) -> Iterator[ProblemFault]:
    t = tables["patches"]
    twice = t["patch_id"].duplicated(keep=False).to_numpy()
    if twice.any():
        yield ProblemFault(
            f"table patches: patch_id {_named(t, twice)} occurs twice, rows {_rows(twice)}",
            "ids that differ",
            "give every patch an id of its own",
        )
    negative = t["area_dm2"].to_numpy() < 0
    if negative.any():
        yield ProblemFault(
            f"table patches: area_dm2 is negative in rows {_rows(negative)}",
            "area_dm2 of at least 0",
            "correct the areas (面积不得为负)",
        )


def _option_faults(record: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> Iterator[ProblemFault]:
    t = tables["options"]
    unknown = ~t["patch_id"].isin(tables["patches"]["patch_id"]).to_numpy()
    if unknown.any():
        yield ProblemFault(
            f"table options: patch_id {_named(t, unknown)} is no patch, rows {_rows(unknown)}",
            "ids of table patches",
            "drop the options or add the patches",
        )
    negative = t["cost_fen"].to_numpy() < 0
    if negative.any():
        yield ProblemFault(
            f"table options: cost_fen is negative in rows {_rows(negative)}",
            "cost_fen of at least 0",
            "give costs as positive fen; put gains into value",
        )
    uses = record.get("uses", [])
    strange = ~t["target_class"].isin(uses).to_numpy() if uses else np.zeros(len(t), bool)
    if strange.any():
        names = sorted(set(t["target_class"][strange]))[:3]
        yield ProblemFault(
            f"table options: unknown use {', '.join(names)} in rows {_rows(strange)}",
            "a class of uses in problem.toml",
            "add the class to uses, or correct it",
        )


def _border_faults(record: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], ids: pd.Index) -> Iterator[ProblemFault]:
    for name in dict.fromkeys(layer["borders"] for layer in record.get("layer", [])):
        t = tables[name]
        for end in ("patch_i", "patch_j"):
            lost = ids.get_indexer(t[end]) < 0
            if lost.any():
                yield ProblemFault(
                    f"table {name}: neighbour {end} = {_named(t, lost, end)} is no patch, rows {_rows(lost)}",
                    "ids of table patches",
                    "drop the borders or add the patches (缺少相邻图斑)",
                )
        own = (t["patch_i"] == t["patch_j"]).to_numpy()
        if own.any():
            yield ProblemFault(
                f"table {name}: a patch borders itself in rows {_rows(own)}", "two patches a border", "drop these rows"
            )
        negative = t["weight"].to_numpy() < 0
        if negative.any():
            yield ProblemFault(
                f"table {name}: weight is negative in rows {_rows(negative)}",
                "weight of at least 0",
                "bonuses only; a malus goes into value",
            )


def _refusal_faults(tables: Mapping[str, pd.DataFrame], ids: pd.Index) -> Iterator[ProblemFault]:
    if "refusals" in tables:
        lost = ids.get_indexer(tables["refusals"]["patch_id"]) < 0
        if lost.any():
            yield ProblemFault(
                f"table refusals: patch_id {_named(tables['refusals'], lost)} is no patch, rows {_rows(lost)}",
                "ids of table patches",
                "drop these rows",
            )


def _order_faults(tables: Mapping[str, pd.DataFrame], ids: pd.Index) -> Iterator[ProblemFault]:
    back = np.diff(ids.get_indexer(tables["options"]["patch_id"]), prepend=0) < 0
    if back.any():
        yield ProblemFault(
            f"table options: not in the order of table patches at rows {_rows(back)}",
            "options sorted like patches",
            "sort the options before numbering the entries of limits",
        )


def _stuck_faults(tables: Mapping[str, pd.DataFrame]) -> Iterator[ProblemFault]:
    t = tables["patches"]
    stuck = ~t["may_keep"].to_numpy(bool) & ~t["patch_id"].isin(tables["options"]["patch_id"]).to_numpy()
    if stuck.any():
        yield ProblemFault(
            f"table patches: {_named(t, stuck)} may neither keep nor change, rows {_rows(stuck)}",
            "may_keep or an option",
            "add an option or set may_keep",
        )


def _limit_faults(record: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> Iterator[ProblemFault]:
    limits = record.get("limit", [])
    for x in limits:
        if x["unit"] not in UNITS or x["relation"] not in RELATIONS:
            yield ProblemFault(
                f"problem.toml: limit {x['id']} has unit {x['unit']!r} and relation {x['relation']!r}",
                "dm2, fen or 1; <=, >= or ==",
                "correct the limit",
            )
        sides = (x["bound"], x.get("constant", 0))
        if x["unit"] != "1" and not all(isinstance(s, int) for s in sides):
            yield ProblemFault(
                f"problem.toml: limit {x['id']} has bound {sides[0]!r} and constant {sides[1]!r}",
                "whole dm2 or fen",
                "round them; write 100, not 100.0",
            )
        if not all(isinstance(s, (int, float)) and np.isfinite(s) for s in sides):
            yield ProblemFault(
                f"problem.toml: limit {x['id']} has bound {sides[0]!r} and constant {sides[1]!r}",
                "finite numbers",
                "fill in the numbers",
            )
    names = pd.Series([x["id"] for x in limits], dtype=object)
    if names.duplicated().any():
        yield ProblemFault(
            f"problem.toml: limit id {names[names.duplicated()].iloc[0]} occurs twice", "ids that differ", "rename one"
        )
    for kind in ("whole", "real"):
        t = tables[f"limit_{kind}"]
        of, option = t["limit"].to_numpy(), t["option"].to_numpy()
        lost = (of < 0) | (of >= len(limits))
        units = np.array([x["unit"] == "1" for x in limits] or [False])
        lost[~lost] |= units[of[~lost]] != (kind == "real")
        if lost.any():
            yield ProblemFault(
                f"table limit_{kind}: rows {_rows(lost)} name no limit of its unit",
                "numbers of [[limit]], 0 the first; dm2 and fen in limit_whole, 1 in limit_real",
                "correct the column limit",
            )
        lost = (option < 0) | (option >= len(tables["options"]))
        if lost.any():
            yield ProblemFault(
                f"table limit_{kind}: rows {_rows(lost)} name no option",
                f"row numbers of table options, 0 to {len(tables['options']) - 1}",
                "correct the column option",
            )
        yield from _contradictions(limits, t, kind)


def _contradictions(limits: list[dict[str, Any]], t: pd.DataFrame, kind: str) -> Iterator[ProblemFault]:
    """Limits on one quantity that leave no room: a floor above a ceiling."""
    highest: dict[bytes, tuple[Any, str]] = {}
    lowest: dict[bytes, tuple[Any, str]] = {}
    of = t["limit"].to_numpy()
    order = np.lexsort((t["option"].to_numpy(), of))
    edge = np.searchsorted(of[order], np.arange(len(limits) + 1))
    option, amount = t["option"].to_numpy()[order], t["amount"].to_numpy()[order]
    for k, x in enumerate(limits):
        if (x["unit"] == "1") != (kind == "real") or not isinstance(x["bound"], (int, float)):
            continue
        span = slice(edge[k], edge[k + 1])
        key = x["unit"].encode() + option[span].tobytes() + b"|" + amount[span].tobytes()
        side = x["bound"] - x.get("constant", 0)
        if x["relation"] in ("<=", "==") and side < lowest.get(key, (np.inf, ""))[0]:
            lowest[key] = (side, x["id"])
        if x["relation"] in (">=", "==") and side > highest.get(key, (-np.inf, ""))[0]:
            highest[key] = (side, x["id"])
    for key, (floor, name) in highest.items():
        ceiling, other = lowest.get(key, (np.inf, ""))
        if floor > ceiling:
            what = f"limit {name} asks for at least {floor} and limit {other} for at most {ceiling} of the same quantity"
            yield ProblemFault(
                f"problem.toml: {what}", "a floor no higher than its ceiling", f"lower {name} or raise {other} (上下限矛盾)"
            )


def _named(t: pd.DataFrame, wrong: np.ndarray, column: str = "patch_id") -> str:
    return ", ".join(str(v) for v in dict.fromkeys(t[column][wrong].head(3)))


def _rows(wrong: np.ndarray) -> list[int]:
    return [int(k) for k in np.flatnonzero(wrong)[:5]]
