"""Tables with ids give the same question as arrays, and what does not fit is named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from qianmo.planning.allocation import allocation_problem
from qianmo.planning.allocation_tables import allocation_from_tables
from qianmo.schema.errors import SchemaError


@pytest.fixture
def tables() -> dict[str, pd.DataFrame]:
    parcels = pd.DataFrame({"parcel_id": ["a", "b", "c"], "area_dm2": [100, 200, 300], "use": ["0103", "0301", "0301"],
                            "locked_use": [None, None, "0301"], "village": ["V", "V", None]})  # fmt: skip
    rows = [(p, u, float(k), None, None) for k, (p, u) in enumerate((p, u) for p in "abc" for u in ("0301", "0103"))]
    conversions = pd.DataFrame(rows, columns=["parcel_id", "use", "cost", "reason", "rule_id"])
    conversions.loc[3, ["reason", "rule_id"]] = ["slope", "G-09"]
    borders = pd.DataFrame({"parcel_a": ["a", "c"], "parcel_b": ["b", "b"], "length_m": [5.0, 7.0]})
    windows = pd.DataFrame({"system": ["village"], "region": ["V"], "use": ["0103"], "least_dm2": [50], "most_dm2": [np.nan]})
    return {"parcels": parcels, "conversions": conversions, "borders": borders, "windows": windows}


def test_the_tables_become_the_arrays(tables: dict[str, pd.DataFrame]) -> None:
    shuffled = tables | {"conversions": tables["conversions"].sample(frac=1.0, random_state=1)}
    for given in (tables, shuffled):
        question = allocation_from_tables(**given, regions=("village",), points_per_m=0.5)
        assert question.uses == ("0103", "0301") and question.current.tolist() == [0, 1, 1]
        assert question.cost.tolist() == [[1.0, 0.0], [3.0, 2.0], [5.0, 4.0]]
        assert question.forbidden is not None and question.forbidden.tolist() == [[0, 0], [1, 0], [0, 0]]
        assert question.lock is not None and question.lock.tolist() == [-1, -1, 1]
        assert question.regions[0].code.tolist() == [0, 0, -1]
        problem = allocation_problem(question)
        assert problem.patch.tolist() == [0] and problem.target_class.tolist() == ["0301"] and problem.value.tolist() == [1.0]
        assert [(x.id, x.bound, x.constant) for x in problem.limits] == [("village/V/0103/least", 0.5, 1.0)]
        assert problem.refusals is not None and set(zip(problem.refusals.patch, problem.refusals.reason)) == {(1, "slope"), (2, "lock")}


@pytest.mark.parametrize(
    ("table", "row", "column", "value", "words"),
    [
        ("parcels", 1, "parcel_id", "a", r"parcels repeat: rows \[1\]"),
        ("parcels", 1, "use", "9999", r"unknown use of parcels: rows \[1\] say \['9999'\]"),
        ("parcels", 2, "locked_use", "9", r"unknown locked_use of parcels"),
        ("parcels", 0, "area_dm2", 1.5, r"not a whole number: rows \[0\]"),
        ("conversions", 2, "parcel_id", "z", r"unknown parcel_id of conversions: rows \[2\]"),
        ("conversions", 2, "use", "0103", r"\('b', '0103', 2\)"),
        ("borders", 1, "parcel_b", "z", r"unknown parcel_b of borders: rows \[1\] say \['z'\]"),
        ("windows", 0, "least_dm2", 0.5, r"least_dm2 of windows is not a whole number: rows \[0\]"),
    ],
)
def test_what_does_not_fit_is_named_by_row(
    tables: dict[str, pd.DataFrame], table: str, row: int, column: str, value: object, words: str
) -> None:
    broken = tables[table].astype({column: object})
    broken.loc[row, column] = value
    with pytest.raises(SchemaError, match=words):
        allocation_from_tables(**(tables | {table: broken}), regions=("village",))


def test_a_cost_that_is_no_number_and_a_missing_column_are_refused(tables: dict[str, pd.DataFrame]) -> None:
    broken = tables["conversions"].astype({"cost": object})
    broken.loc[4, "cost"] = "much"
    with pytest.raises(SchemaError, match=r"cost that is not a number in 1 parcels: rows \[2\]"):
        allocation_problem(allocation_from_tables(**(tables | {"conversions": broken}), regions=("village",)))
    with pytest.raises(SchemaError, match=r"parcels lacks columns \['village'\]"):
        allocation_from_tables(tables["parcels"].drop(columns="village"), tables["conversions"], regions=("village",))
