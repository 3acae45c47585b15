"""A whole plan on the invented area: tables, proof, reasons, conflicts (方案)."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from qianmo.planning.limits.rows import limit_row
from qianmo.planning.plan import PlanResult, plan
from qianmo.planning.results import apply_plan, merged_fields
from qianmo.planning.settings import PlanSettings, Window
from qianmo.planning.verify import fingerprint, verify
from qianmo.schema.errors import InfeasibleError, SchemaError
from qianmo.schema.tables import table_spec


def made(area, **given) -> PlanResult:  # type: ignore[no-untyped-def]
    shares = {k: given.pop(k) for k in ("basic_share", "redline_share") if k in given}
    settings = PlanSettings(start_year=2026, **{"waived": ("G-01",), **given})
    return plan(area.patches, area.options, area.borders, settings=settings, **shares)


def test_a_plan_holds_every_table_in_its_shape(area) -> None:  # type: ignore[no-untyped-def]
    done = made(area, budget_yuan=1e6, village_names={"350000000001": "东村", "350000000002": "西村"})
    assert tuple(done.plan_parcel.columns) == table_spec("plan_parcel").column_names
    assert tuple(done.subproject.columns) == table_spec("subproject").column_names
    assert done.plan_parcel["patch_id"].tolist() == area.patches["patch_id"].tolist()
    assert set(done.subproject["village_name"]) <= {"东村", "西村"}
    assert done.subproject["subproject_id"].tolist() == [f"ZXM-{k + 1:03d}" for k in range(len(done.subproject))]
    worked = done.plan_parcel[done.plan_parcel["measure"] != "keep"]
    assert len(worked) and (worked["subproject_id"] != "").all() and worked["year"].between(2026, 2028).all()
    assert done.plan_parcel.loc[done.plan_parcel["measure"] == "keep", "year"].isna().all()
    assert done.cost_by_measure["patches"].sum() == len(worked) == done.subproject["patches"].sum()


def test_the_certificate_survives_json_and_every_check_holds(area) -> None:  # type: ignore[no-untyped-def]
    done = made(area, budget_yuan=1e6)
    record = json.loads(json.dumps(done.certificate))
    checks = verify(done.formulation.problem, done.solution.choice, record, done.prices)
    assert all(c["ok"] for c in checks) and len(checks) > 20
    assert record["gap_rel"] >= 0 and record["bound"] >= record["objective"]
    assert record["solver_gap_rel"] <= 1e-3
    assert sum(a["points"] for a in record["aims"]) == pytest.approx(record["objective"])
    assert record["waived"] == ["G-01"]


def test_a_moved_limit_or_a_wrong_price_is_caught(area) -> None:  # type: ignore[no-untyped-def]
    done = made(area, budget_yuan=1e6)
    problem, choice, record, prices = done.formulation.problem, done.solution.choice, done.certificate, done.prices

    def failed(**changes: object) -> set[str]:
        return {c["id"] for c in verify(problem, choice, {**record, **changes}, prices) if not c["ok"]}

    assert failed() == set()
    cheap = [{**x, "bound": x["bound"] * 2} if x["id"] == "budget" else x for x in record["limits"]]
    assert failed(limits=cheap) == {"side:budget"}
    turned = [{**x, "price": -1.0} if x["id"] == "budget" else x for x in record["limits"]]
    assert failed(limits=turned) == {"shown_prices"}
    assert failed(cases=record["cases"] + 1) == {"cases"} and failed(case=record["cases"]) >= {"case"}
    assert "limits" in failed(limits=record["limits"][:-1])
    assert not [c for c in verify(problem, choice, record, prices) if not c["ok"]]

    def broken(**changes: object) -> set[str]:
        return {c["id"] for c in verify(problem, choice, record, replace(prices, **changes)) if not c["ok"]}  # type: ignore[arg-type]

    assert broken(limit=-1.0 - np.abs(prices.limit)) >= {"prices", "bound"}
    assert broken(share=tuple(s.astype(np.int64) + 65536 for s in prices.share)) >= {"prices", "bound"}
    assert "prices" in broken(share=())
    assert broken(share=tuple(65535 - s for s in prices.share)) >= {"bound", "gap"}
    assert "objective" in failed(objective=record["objective"] + 0.1)


def test_a_certificate_of_another_problem_is_caught(area, area_of) -> None:  # type: ignore[no-untyped-def]
    done, other = made(area), made(area_of(6, 6, seed=1))
    assert fingerprint(done.formulation.problem) != fingerprint(other.formulation.problem)
    checks = verify(other.formulation.problem, other.solution.choice, done.certificate, other.prices)
    assert not checks[0]["ok"]


def test_a_choice_that_takes_the_option_of_another_patch_is_caught(area) -> None:  # type: ignore[no-untyped-def]
    done = made(area)
    wrong = done.solution.choice.copy()
    wrong[0] = len(done.formulation.problem.patch) - 1
    assert {c["id"] for c in verify(done.formulation.problem, wrong, done.certificate, done.prices) if not c["ok"]} == {"choice"}


def test_the_budget_is_kept_to_the_cent(area) -> None:  # type: ignore[no-untyped-def]
    done = made(area, budget_yuan=600_000.0)
    assert 0 < done.cost_by_measure["total_yuan"].sum() <= 600_000.0
    row = done.cost_by_measure
    assert ((row["works_yuan"] + row["fees_yuan"]).round(2) == row["total_yuan"]).all()
    assert (row["total_low_yuan"] < row["total_yuan"]).all() and (row["total_yuan"] < row["total_high_yuan"]).all()


def test_too_small_a_budget_for_the_new_farmland_names_both_with_numbers(area) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InfeasibleError) as caught:
        made(area, budget_yuan=10_000.0)
    assert set(caught.value.conflict) == {"Z-01", "budget"}
    gd0 = area.patches.loc[area.patches["class_code"].isin(["0101", "0103"]), "class_area_m2"].sum()
    assert f"{0.05 * gd0:,.2f} m2" in str(caught.value)
    assert "missing" in str(caught.value) and "10,000.00 yuan" in str(caught.value)


def test_a_budget_of_the_amount_that_the_conflict_names_is_enough(area) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InfeasibleError) as caught:
        made(area, budget_yuan=10_000.0)
    text = str(caught.value).split("[budget]")[1]
    needed = float(text.split("attainable beside the others ")[1].split(" yuan")[0].replace(",", ""))
    assert made(area, budget_yuan=needed + 0.01).cost_by_measure["total_yuan"].sum() <= needed + 0.01
    with pytest.raises(InfeasibleError):
        made(area, budget_yuan=needed - 1.0)


def test_a_window_is_obeyed_and_an_impossible_one_is_named(area) -> None:  # type: ignore[no-untyped-def]
    done = made(area, windows=(Window("retire_steep", min_m2=3000.0), Window("restore_farmland", max_m2=4000.0)))
    by_measure = done.cost_by_measure.set_index("measure")["area_m2"]
    assert by_measure["retire_steep"] >= 3000 and by_measure.get("restore_farmland", 0.0) <= 4000
    with pytest.raises(InfeasibleError) as caught:
        made(area, windows=(Window("retire_steep", min_m2=1e9),))
    assert caught.value.conflict == ("window",)


def test_protected_farmland_is_never_retired_and_the_reason_says_so(area) -> None:  # type: ignore[no-untyped-def]
    weights = {"ecology": 1.0, "new_farmland": 0.0}
    free = made(area, weights=weights, waived=("Z-01", "G-01"))
    held = made(area, weights=weights, waived=("Z-01", "G-01"), basic_share=np.ones(len(area.patches)))
    retired = free.plan_parcel["measure"] == "retire_steep"
    assert retired.any()
    assert not (held.plan_parcel["measure"] == "retire_steep").any()
    idle = retired & (held.plan_parcel["measure"] == "keep")
    assert idle.any() and held.plan_parcel.loc[idle, "reason"].str.contains("Y-01").all()


def test_blocked_options_are_not_chosen_and_named(area) -> None:  # type: ignore[no-untyped-def]
    options = area.options.assign(blocked_by="Z-12")
    settings = PlanSettings(start_year=2026, waived=("Z-01", "G-01"))
    done = plan(area.patches, options, area.borders, settings=settings)
    assert (done.plan_parcel["measure"] == "keep").all()
    named = done.plan_parcel.set_index("patch_id").loc[options["patch_id"].unique(), "reason"]
    assert named.str.contains("Z-12").all()
    assert len(done.subproject) == 0 and done.year_plan["cost_yuan"].sum() == 0.0


def test_every_patch_has_its_reason_with_numbers(area) -> None:  # type: ignore[no-untyped-def]
    done = made(area, budget_yuan=6e5)
    table = done.plan_parcel
    worked = table["measure"] != "keep"
    assert table.loc[worked, "reason"].str.contains("亩").all() and table.loc[worked, "reason"].str.contains("坡度").all()
    assert table.loc[~worked, "reason"].str.startswith("维持现状").all()
    assert table["reason"].str.contains("预算").any()


def test_the_land_after_the_plan_has_the_new_classes_and_the_same_area(area) -> None:  # type: ignore[no-untyped-def]
    done = made(area, weights={"ecology": 1.0}, waived=("Z-01", "G-01"))
    after, target = done.after, done.plan_parcel["target_class"]
    assert after["class_code"].tolist() == target.tolist()
    assert after["area_m2"].equals(area.patches["area_m2"])
    assert after.geometry.equals(area.patches.geometry)
    retired = (done.plan_parcel["measure"] == "retire_steep").to_numpy()
    assert retired.any()
    assert (after.loc[retired, "class_area_m2"] == after.loc[retired, "area_m2"]).all()
    assert (after.loc[retired, "ridge_area_m2"] == 0).all() and after.loc[retired, "quality_grade"].isna().all()
    kept = ~(after["class_code"] != area.patches["class_code"]).to_numpy()
    assert (after.loc[kept, "class_area_m2"] == area.patches.loc[kept, "class_area_m2"]).all()


def test_merged_fields_cover_the_same_land_and_are_fewer(area) -> None:  # type: ignore[no-untyped-def]
    done = made(area)
    assert len(done.merged) < len(done.after)
    assert done.merged.geometry.area.sum() == pytest.approx(done.after.geometry.area.sum())
    assert round(done.merged["area_m2"].sum(), 2) == round(done.after["area_m2"].sum(), 2)
    joined = done.merged[done.merged["merged_from"] != ""]
    members = [m for text in joined["merged_from"] for m in text.split(";")]
    alone = done.merged.loc[done.merged["merged_from"] == "", "patch_id"].tolist()
    assert sorted(members + alone) == sorted(area.patches["patch_id"])
    assert (joined.geometry.geom_type == "Polygon").all()
    assert done.merged.crs == area.patches.crs


def test_a_plan_for_other_patches_is_refused(area) -> None:  # type: ignore[no-untyped-def]
    done = made(area)
    with pytest.raises(SchemaError, match="same patch_id"):
        apply_plan(area.patches.iloc[:-1], done.plan_parcel)
    with pytest.raises(SchemaError, match="planned for"):
        apply_plan(area.patches.assign(class_code="0301"), done.plan_parcel)


def test_tables_without_geometry_can_be_planned(area) -> None:  # type: ignore[no-untyped-def]
    bare = pd.DataFrame(area.patches.drop(columns="geometry"))
    settings = PlanSettings(start_year=2026, waived=("G-01",))
    done = plan(bare, area.options, area.borders, settings=settings)
    assert len(merged_fields(done.after)) == len(made(area).merged)


def test_new_small_fields_are_counted_against_the_plan(area) -> None:  # type: ignore[no-untyped-def]
    done = made(area)
    farmland = ["0101", "0102", "0103"]
    before = area.patches[area.patches["class_code"].isin(farmland)]
    after = done.merged[done.merged["class_code"].isin(farmland)]
    assert (after["area_m2"] < 2000).sum() < (before["area_m2"] < 2000).sum()


def test_no_patches_and_no_options_make_an_empty_plan(area) -> None:  # type: ignore[no-untyped-def]
    settings = PlanSettings(start_year=2026, waived=("Z-01", "G-01"))
    done = plan(area.patches, area.options.iloc[:0], area.borders, settings=settings)
    assert (done.plan_parcel["reason"] == "维持现状:无适用措施").all()
    assert done.certificate["objective"] == 0.0 and all(c["ok"] for c in done.certificate["checks"])
    with pytest.raises(InfeasibleError) as caught:
        plan(area.patches, area.options.iloc[:0], area.borders, settings=PlanSettings(start_year=2026))
    assert caught.value.conflict == ("Z-01",)


def test_a_limit_row_drops_zeros() -> None:
    row = limit_row("x", "Z-01", "", np.array([0.0, 2.0, 0.0]), "<=", 1, "m2")
    assert row.option.tolist() == [1] and row.coefficient.tolist() == [2.0]


@pytest.mark.slow
def test_five_thousand_patches_are_planned_within_ten_seconds_to_a_small_gap(area_of) -> None:  # type: ignore[no-untyped-def]
    import time

    big = area_of(71, 71)
    settings = PlanSettings(start_year=2026, budget_yuan=7e7, waived=("G-01",))
    started = time.perf_counter()
    done = plan(big.patches, big.options, big.borders, settings=settings, timer=time.perf_counter)
    assert time.perf_counter() - started < 10
    assert done.certificate["gap_rel"] <= 1e-3
