"""From tables to arrays (方案要素)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from qianmo.planning.formulate import NO_NEIGHBOUR, formulate
from qianmo.planning.parts import assemble_parts
from qianmo.planning.settings import PlanSettings
from qianmo.schema.errors import CodeError, MissingDataError, QianmoError, RuleError, SchemaError

SETTINGS = PlanSettings(start_year=2026)


def parts_of(area, **changes):  # type: ignore[no-untyped-def]
    tables = {"patches": area.patches, "options": area.options, "borders": area.borders, **changes}
    shares = {k: tables.pop(k) for k in ("basic_share", "redline_share") if k in tables}
    return assemble_parts(*tables.values(), settings=SETTINGS, **shares)


def test_options_are_sorted_by_patch_and_blocked_ones_are_set_aside(area) -> None:  # type: ignore[no-untyped-def]
    options = area.options.copy()
    options.loc[0, "blocked_by"] = "Z-12;E-01"
    parts = parts_of(area, options=options.sample(frac=1.0, random_state=1))
    assert np.all(np.diff(parts.patch) >= 0)
    assert parts.m == len(options) - 1
    assert parts.excluded["rule_ids"].tolist() == ["Z-12;E-01"]


def test_ridges_go_back_to_the_patch_when_farmland_becomes_forest(area) -> None:  # type: ignore[no-untyped-def]
    parts = parts_of(area)
    retired = np.flatnonzero(parts.measure == "retire_steep")
    assert len(retired)
    assert np.array_equal(parts.area_after[retired], parts.area[parts.patch[retired]])
    assert np.array_equal(parts.effects["farmland_m2"][retired], -parts.class_area[parts.patch[retired]])


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda a: {"patches": a.patches.drop(columns="class_area_m2")}, SchemaError),
        (lambda a: {"patches": a.patches.assign(patch_id="same")}, SchemaError),
        (lambda a: {"patches": a.patches.assign(area_m2=np.nan)}, SchemaError),
        (lambda a: {"patches": a.patches.assign(class_code="9999")}, CodeError),
        (lambda a: {"options": a.options.assign(patch_id="nobody")}, SchemaError),
        (lambda a: {"options": a.options.assign(measure="flatten")}, CodeError),
        (lambda a: {"options": a.options.assign(cost_yuan=-1.0)}, SchemaError),
        (lambda a: {"options": a.options.assign(area_m2=1e9)}, SchemaError),
        (lambda a: {"options": a.options.iloc[[0, 0]]}, SchemaError),
        (lambda a: {"borders": a.borders.drop(columns="length_m")}, SchemaError),
        (lambda a: {"borders": a.borders.assign(j=999)}, SchemaError),
        (lambda a: {"basic_share": np.zeros(3)}, SchemaError),
        (lambda a: {"basic_share": np.full(len(a.patches), np.nan)}, MissingDataError),
    ],
)  # fmt: skip
def test_input_that_does_not_fit_is_refused(area, spoil: Callable, error: type[QianmoError]) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error):
        parts_of(area, **spoil(area))


def test_steep_options_and_merges_with_nobody_leave_the_problem_with_their_reason(area_of) -> None:  # type: ignore[no-untyped-def]
    made = formulate(parts_of(area_of(12, 12)), SETTINGS)
    reasons = set(made.parts.excluded["rule_ids"])
    assert reasons == {"G-09", NO_NEIGHBOUR}
    new = made.parts.effects["new_farmland_m2"] > 0
    assert (made.parts.slope[made.parts.patch[new]] <= 25).all()


@pytest.mark.parametrize(
    "wrong",
    [{"weights": {"beauty": 1.0}}, {"weights": {"cost": -1.0}}, {"new_farmland_basis": "best"}, {"budget_yuan": float("nan")}],
)
def test_settings_that_cannot_be_meant_are_refused(wrong: dict) -> None:
    with pytest.raises(RuleError):
        PlanSettings(start_year=2026, **wrong)
