"""True for any planning area (规划性质)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.planning.plan import PlanResult, plan
from qianmo.planning.problem import KEPT
from qianmo.planning.settings import PlanSettings
from qianmo.planning.solve import solve
from qianmo.planning.verify import verify
from qianmo.schema.tables import table_spec

FEW = settings(max_examples=8, deadline=None)
SEEDS = st.integers(0, 10_000)
TARGET = {"0201": ("restore_farmland", "0103"), "0702": ("reclaim_homestead", "0103"), "1206": ("reclaim_other", "0103")}


def village(seed: int, *, side: int = 5) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Patches, options and borders of a square village."""
    rng = np.random.default_rng(seed)
    n = side * side
    code = rng.choice(["0101", "0103", "0201", "0702", "1206", "0301"], n).astype(object)
    area = np.round(rng.uniform(800, 6000, n), 2)
    patches = pd.DataFrame(
        {
            "patch_id": [f"P{k:03d}" for k in range(n)], "class_code": code, "village_code": "350000000001",
            "area_m2": area, "class_area_m2": area, "slope_deg": rng.uniform(0, 30, n),
        }
    )  # fmt: skip
    rows = []
    for p in patches.itertuples():
        ways = [TARGET[p.class_code]] if p.class_code in TARGET else []
        if p.class_code in ("0101", "0103"):
            ways = [("high_standard", p.class_code), ("retire_steep", "0301"), ("merge_fields", p.class_code)]
        for name, target in ways:
            cost = round(p.area_m2 * float(rng.uniform(2, 60)), 2)
            rows.append((p.patch_id, name, target, p.area_m2, cost / 2, cost, cost * 2, "", ""))
    columns = list(table_spec("measure_option").column_names)
    at = np.arange(n).reshape(side, side)
    i, j = np.concatenate([at[:, :-1].ravel(), at[:-1].ravel()]), np.concatenate([at[:, 1:].ravel(), at[1:].ravel()])
    borders = pd.DataFrame({"i": i, "j": j, "length_m": rng.uniform(10, 80, len(i))})
    return patches, pd.DataFrame(rows, columns=columns), borders


def made(seed: int, **given_settings: object) -> PlanResult:
    values = {"waived": ("Z-01", "G-01"), "parameters": {"plan_gap_rel": 0.0}, **given_settings}
    return plan(*village(seed), settings=PlanSettings(start_year=2026, **values))  # type: ignore[arg-type]


@FEW
@given(SEEDS, st.floats(0, 1e6), st.floats(0, 1e6))
def test_more_budget_is_never_worse(seed: int, budget: float, more: float) -> None:
    less, plenty = made(seed, budget_yuan=budget + 1.0), made(seed, budget_yuan=budget + more + 1.0)
    assert plenty.solution.objective >= less.solution.objective - 1e-7
    assert less.cost_by_measure["total_yuan"].sum() <= budget + 1.0


@FEW
@given(SEEDS)
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    patches, options, borders = village(seed)
    rng = np.random.default_rng(seed + 1)
    order = rng.permutation(len(patches))
    place = np.argsort(order)
    shuffled = patches.iloc[order].reset_index(drop=True)
    moved = pd.DataFrame({"i": place[borders["j"]], "j": place[borders["i"]], "length_m": borders["length_m"]})
    moved = moved.sample(frac=1.0, random_state=seed)
    given_settings = PlanSettings(start_year=2026, budget_yuan=3e5, waived=("Z-01", "G-01"), parameters={"plan_gap_rel": 0.0})
    one = plan(patches, options, borders, settings=given_settings)
    two = plan(shuffled, options.sample(frac=1.0, random_state=seed), moved, settings=given_settings)
    assert abs(one.solution.objective - two.solution.objective) < 1e-6
    left, right = (r.plan_parcel.set_index("patch_id")["measure"] for r in (one, two))
    assert left.sort_index().equals(right.sort_index())


@FEW
@given(SEEDS)
def test_area_is_kept_to_the_last_digit(seed: int) -> None:
    patches, *_ = village(seed)
    result = made(seed)
    tables = (patches, result.after, result.merged, result.plan_parcel)
    cents = [int(np.rint(t["area_m2"].to_numpy() * 100).sum()) for t in tables]
    assert len(set(cents)) == 1


@FEW
@given(SEEDS, st.floats(1e4, 1e6))
def test_money_closes_over_all_tables(seed: int, budget: float) -> None:
    result = made(seed, budget_yuan=budget)
    by_table = {"cost_by_measure": "total_yuan", "subproject": "cost_yuan", "year_plan": "cost_yuan", "funding": "yuan"}
    totals = [getattr(result, t)[column].to_numpy(float) for t, column in by_table.items()]
    assert len({int(np.rint(t * 100).sum()) for t in totals}) == 1


@FEW
@given(SEEDS, st.integers(0, 24), st.floats(0.01, 10))
def test_a_certificate_of_another_plan_is_caught(seed: int, patch: int, shift: float) -> None:
    result = made(seed, budget_yuan=3e5)
    problem, choice = result.formulation.problem, result.solution.choice.copy()
    assert all(x["ok"] for x in verify(problem, choice, result.certificate, result.prices))
    other = next((o for o in [KEPT, *np.flatnonzero(problem.patch == patch)] if o != choice[patch]), None)
    if other is not None:
        flipped = choice.copy()
        flipped[patch] = other
        assert not all(x["ok"] for x in verify(problem, flipped, result.certificate, result.prices))
    claim = {k: result.certificate[k] - shift for k in ("bound", "gap_abs")}
    raised = {**result.certificate, **claim}
    assert not all(x["ok"] for x in verify(problem, choice, raised, result.prices))


@FEW
@given(SEEDS, st.floats(0.0, 5.0))
def test_changed_prices_are_caught_or_still_prove_a_bound(seed: int, factor: float) -> None:
    result = made(seed, budget_yuan=3e5)
    problem = result.formulation.problem
    prices = replace(result.prices, limit=result.prices.limit * factor)
    checks = {x["id"]: x for x in verify(problem, result.solution.choice, result.certificate, prices)}
    assert checks["prices"]["ok"]
    assert checks["bound"]["found"] >= solve(problem, gap=0.0).objective - 1e-7
