"""A problem that others bring: round trip, and every fault named with table, rows and cure (规划问题交换)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from qianmo.planning.exchange import problem_from_tables, problem_tables
from qianmo.planning.planted import planted_problem
from qianmo.planning.problem import Limit, PlanProblem, Refusals
from qianmo.planning.verify import fingerprint
from qianmo.schema.errors import SchemaError

Brought = tuple[dict[str, Any], dict[str, pd.DataFrame]]


@pytest.fixture
def problem(rng: np.random.Generator) -> PlanProblem:
    """Planted, with two layers of the same borders, a limit in plain numbers, refusals, effects and must-change patches."""
    p, _, _ = planted_problem(5, 6, rng=rng)
    other = replace(p.pairs[0], aim="other", zh="其他", state0=~p.pairs[0].state0)
    grade = Limit("grade", "G-01", "等别", np.array([4, 1, 1]), np.array([0.1, 1 / 3, 2.0]), ">=", -1e3 / 7, "1", 0.1)
    refused = Refusals(np.array([3, 3]), np.array(["a", "b"], object), np.array(["lock", "slope"], object), np.array(["", "G-09"], object))
    classes = np.array(["0101", "0301", "1108"], object)[np.arange(p.m) % 3]
    return replace(
        p, pairs=(p.pairs[0], other), limits=(grade, *p.limits), refusals=refused, target_class=classes, may_keep=np.arange(p.n) != 7,
        effects={"new_farmland_m2": np.arange(p.m) / 7}, base={"new_farmland_m2": 1 / 3}, cost=np.arange(p.m) / 100,
    )  # fmt: skip


@pytest.fixture
def brought(problem: PlanProblem) -> Brought:
    return problem_tables(problem, name="试题", patch_id=np.array([f"P{k:02d}" for k in range(problem.n)], object), area_dm2=np.arange(problem.n) + 1)


def same(a: PlanProblem, b: PlanProblem) -> None:
    assert fingerprint(a) == fingerprint(b)
    assert np.array_equal(a.cost, b.cost) and dict(a.base) == dict(b.base)
    assert a.effects.keys() == b.effects.keys() and all(np.array_equal(a.effects[k], b.effects[k]) for k in a.effects)
    assert (a.refusals is None) == (b.refusals is None)
    if a.refusals is not None and b.refusals is not None:
        assert all(np.array_equal(getattr(a.refusals, f), getattr(b.refusals, f)) for f in ("patch", "label", "reason", "rule_id"))


def test_a_problem_comes_back_as_it_went(problem: PlanProblem, brought: Brought) -> None:
    back = problem_from_tables(*brought)
    same(back.problem, problem)
    assert back.name == "试题" and back.patch_id[3] == "P03" and back.area_dm2.tolist() == list(range(1, problem.n + 1))
    same(problem_from_tables(*problem_tables(problem)).problem, problem)
    assert [n for n in brought[1] if n.startswith("borders")] == ["borders_0"]


def test_the_order_of_limit_entries_and_borders_is_free(problem: PlanProblem, brought: Brought) -> None:
    record, tables = brought
    shuffled = {**tables, "limit_whole": tables["limit_whole"].sort_values("limit", ascending=False, kind="stable").reset_index(drop=True)}
    same(problem_from_tables(record, shuffled).problem, problem)


def test_a_problem_without_layers_or_limits_comes_back(problem: PlanProblem) -> None:
    bare = replace(problem, pairs=(), limits=(), effects={}, base={}, refusals=None, may_keep=None)
    same(problem_from_tables(*problem_tables(bare)).problem, bare)


def cell(table: str, row: int, column: str, value: Any) -> Callable[[Brought], None]:
    def change(b: Brought) -> None:
        t = b[1][table].copy()
        if isinstance(value, float) and t[column].dtype.kind in "iub":
            t[column] = t[column].astype("object" if t[column].dtype.kind == "b" else float)
        t.loc[row, column] = value
        b[1][table] = t

    return change


def drop(table: str, column: str = "") -> Callable[[Brought], None]:
    def change(b: Brought) -> None:
        if column:
            b[1][table] = b[1][table].drop(columns=column)
        else:
            del b[1][table]

    return change


def limit(number: int, **values: Any) -> Callable[[Brought], None]:
    def change(b: Brought) -> None:
        b[0]["limit"][number].update(values)

    return change


def contradict(b: Brought) -> None:
    """A floor one dm2 above the ceiling of limit0, on the same entries."""
    record, tables = b
    t = tables["limit_whole"]
    ceiling = next(k for k, x in enumerate(record["limit"]) if x["id"] == "limit0")
    record["limit"].append({**record["limit"][ceiling], "id": "floor0", "relation": ">=", "bound": record["limit"][ceiling]["bound"] + 1})
    mine = t[t["limit"] == ceiling].assign(limit=len(record["limit"]) - 1)[::-1]
    tables["limit_whole"] = pd.concat([t, mine.astype(t.dtypes)], ignore_index=True)


def backwards(b: Brought) -> None:
    b[1]["options"] = b[1]["options"][::-1].reset_index(drop=True)


CASES: list[tuple[str, Callable[[Brought], None], str]] = [
    ("negative area", cell("patches", 4, "area_dm2", -5), r"table patches: area_dm2 is negative in rows \[4\].*at least 0.*面积不得为负"),
    ("area missing", cell("patches", 4, "area_dm2", float("nan")), r"table patches, column area_dm2: missing in rows \[4\].*whole dm2"),
    ("area in parts", cell("patches", 4, "area_dm2", 1.5), r"table patches, column area_dm2: type float64"),
    ("id twice", cell("patches", 4, "patch_id", "P03"), r"patch_id P03 occurs twice, rows \[3, 4\]"),
    ("missing neighbour", cell("borders_0", 2, "patch_j", "P99"), r"table borders_0: neighbour patch_j = P99 is no patch, rows \[2\].*缺少相邻图斑"),
    ("own neighbour", lambda b: cell("borders_0", 0, "patch_j", b[1]["borders_0"]["patch_i"][0])(b), r"a patch borders itself in rows \[0\]"),
    ("negative bonus", cell("borders_0", 1, "weight", -0.5), r"table borders_0: weight is negative in rows \[1\]"),
    ("endless bonus", cell("borders_0", 1, "weight", float("inf")), r"column weight: endless in rows \[1\]"),
    ("unknown patch", cell("options", 3, "patch_id", "Q"), r"table options: patch_id Q is no patch, rows \[3\]"),
    ("unknown use", cell("options", 3, "target_class", "9999"), r"unknown use 9999 in rows \[3\].*uses in problem.toml"),
    ("NaN cost", cell("options", 3, "cost_fen", float("nan")), r"column cost_fen: missing in rows \[3\].*whole fen"),
    ("negative cost", cell("options", 3, "cost_fen", -1), r"cost_fen is negative in rows \[3\]"),
    ("NaN value", cell("options", 3, "value", float("nan")), r"column value: missing in rows \[3\]"),
    ("options out of order", backwards, "not in the order of table patches at rows"),
    ("option unknown to limits", cell("limit_whole", 0, "option", 10**6), r"table limit_whole: rows \[0\] name no option"),
    ("limit unknown", cell("limit_whole", 0, "limit", 99), r"table limit_whole: rows \[0\] name no limit of its unit"),
    ("limit of another unit", cell("limit_whole", 0, "limit", 0), r"table limit_whole: rows \[0\] name no limit of its unit"),
    ("contradictory windows", contradict, "limit floor0 asks for at least .* and limit limit0 for at most .* of the same quantity.*上下限矛盾"),
    ("relation", limit(1, relation="<"), r"limit limit0 has unit 'dm2' and relation '<'"),
    ("unit", limit(1, unit="m2"), r"unit 'm2'"),
    ("bound in parts", limit(1, bound=12.5), r"bound 12.5.*whole dm2 or fen"),
    ("bound missing", limit(1, bound=None), r"limit 1 has bound = None"),
    ("endless bound", limit(0, bound=float("inf")), r"finite numbers"),
    ("limit id twice", limit(2, id="limit0"), r"limit id limit0 occurs twice"),
    ("table missing", drop("options"), r"table options is missing.*add options.parquet"),
    ("borders missing", drop("borders_0"), r"table borders_0 is missing"),
    ("column missing", drop("patches", "may_keep"), r"table patches has no column may_keep"),
    ("state missing", drop("option_states", "state_1"), r"table option_states has no column state_1"),
    ("states short", lambda b: b[1].update(patch_states=b[1]["patch_states"][:-1]), r"table patch_states has 29 rows.*30, as patches"),
    ("stuck patch", lambda b: b[1]["options"].__setitem__("patch_id", b[1]["options"]["patch_id"].replace("P07", "P06")), r"P07 may neither keep nor change, rows \[7\]"),
    ("refusal of no patch", cell("refusals", 1, "patch_id", "Z"), r"table refusals: patch_id Z is no patch, rows \[1\]"),
    ("format", lambda b: b[0].update(format="x/3"), "format 'x/3'"),
    ("layer", lambda b: b[0]["layer"][0].pop("state"), "layer 0 has state = None"),
]


@pytest.mark.parametrize(("change", "message"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_bad_input_is_named_with_table_rows_and_cure(brought: Brought, change: Callable[[Brought], None], message: str) -> None:
    change(brought)
    with pytest.raises(SchemaError, match=message) as error:
        problem_from_tables(*brought)
    assert error.value.expected and error.value.cure


def test_faults_of_several_tables_are_told_together(brought: Brought) -> None:
    cell("patches", 4, "area_dm2", -5)(brought)
    cell("borders_0", 2, "patch_j", "P99")(brought)
    cell("options", 3, "target_class", "9999")(brought)
    with pytest.raises(SchemaError, match=r"area_dm2 is negative.*unknown use 9999.*P99 is no patch"):
        problem_from_tables(*brought)


def test_windows_that_touch_are_no_contradiction(brought: Brought) -> None:
    contradict(brought)
    brought[0]["limit"][-1]["bound"] -= 1
    assert problem_from_tables(*brought).problem.limits[-1].id == "floor0"
