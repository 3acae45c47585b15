"""Service aims: off by default, sensible when weighted, never fed by unknown figures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from qianmo.evaluation.service_check import service_check
from qianmo.evaluation.services import QUANTITIES, service_coefficients
from qianmo.planning.aims import aims
from qianmo.planning.parts import assemble_parts
from qianmo.planning.plan import PlanResult, plan
from qianmo.planning.settings import SERVICE_AIM_IDS, PlanSettings
from qianmo.schema.errors import InfeasibleError, MissingDataError, SchemaError

WAIVED = ("Z-01", "G-01")
ADDS = {"carbon": "carbon_t", "soil_conservation": "soil_loss_t_yr", "service_value": "service_value_yuan_yr"}


def settings_of(weights: dict[str, float] | None = None, **told: object) -> PlanSettings:
    return PlanSettings(start_year=2026, weights=weights or {}, waived=WAIVED, **told)  # type: ignore[arg-type]


@pytest.fixture
def fed(area_of: Callable):  # type: ignore[no-untyped-def]
    """An area whose options carry coefficients."""
    area = area_of(seed=3)
    effects = service_coefficients(area.patches, area.options, area.borders, scheme="SD3")
    return area, pd.concat([area.options, effects[list(QUANTITIES)]], axis=1)


def solved(area: object, options: pd.DataFrame, settings: PlanSettings) -> PlanResult:
    return plan(area.patches, options, area.borders, settings=settings)  # type: ignore[attr-defined]


def test_service_aims_weigh_nothing_by_default(fed) -> None:
    area, options = fed
    assert [PlanSettings(start_year=2026).weight(a) for a in SERVICE_AIM_IDS] == [0.0] * 3
    plain, told = solved(area, area.options, settings_of()), solved(area, options, settings_of())
    assert told.plan_parcel.equals(plain.plan_parcel)
    assert {k: v for k, v in told.certificate.items() if k != "time_s"} == {k: v for k, v in plain.certificate.items() if k != "time_s"}


@pytest.mark.parametrize("aim", SERVICE_AIM_IDS)
def test_a_weight_makes_the_plan_better_in_that_service(fed, aim: str) -> None:
    area, options = fed
    before, after = (
        service_check(area.patches, solved(area, options, settings_of(w)).after, options, area.borders, scheme="SD3").set_index("quantity")
        for w in ({}, {aim: 5.0})
    )
    better = (after["linear"] - before["linear"])[ADDS[aim]]
    assert (better < 0 if aim == "soil_conservation" else better > 0), (aim, better)


def test_the_amount_of_a_service_aim_is_the_linear_sum_of_its_check(fed) -> None:
    area, options = fed
    done = solved(area, options, settings_of({"carbon": 1.0, "soil_conservation": 1.0}))
    table = service_check(area.patches, done.after, options, area.borders, scheme="SD3").set_index("quantity")
    amount = {a["id"]: a["amount"] for a in done.certificate["aims"]}
    assert amount["carbon"] == pytest.approx(table.loc["carbon_t", "linear"])
    assert amount["soil_conservation"] == pytest.approx(-table.loc["soil_loss_t_yr", "linear"])
    assert table.loc["carbon_t", "error"] == 0


def test_a_floor_on_a_service_holds_or_names_itself(fed) -> None:
    area, options = fed
    plain = service_check(area.patches, solved(area, options, settings_of()).after, options, area.borders, scheme="SD3").set_index("quantity")
    least = float(plain.loc["soil_loss_t_yr", "linear"]) * -1 + 1.0
    done = solved(area, options, settings_of(floors={"soil_saved_t_yr": least}))
    row = next(x for x in done.certificate["limits"] if x["id"] == "floor:soil_saved_t_yr")
    assert row["value"] >= least - 1e-6 and row["unit"] == "1"
    with pytest.raises(InfeasibleError, match="carbon_t"):
        solved(area, options, settings_of(floors={"carbon_t": 1e9}))


def test_an_unknown_coefficient_stops_a_plan_that_needs_it_and_no_other(fed) -> None:
    area, options = fed
    row = int(np.flatnonzero((options["measure"] == "restore_farmland").to_numpy())[0])
    lost = options.assign(carbon_t=options["carbon_t"].where(np.arange(len(options)) != row))
    solved(area, lost, settings_of({"service_value": 1.0}))
    for told in (settings_of({"carbon": 1.0}), settings_of(floors={"carbon_t": 0.0})):
        with pytest.raises(MissingDataError, match=str(options["patch_id"].iloc[row])):
            solved(area, lost, told)


def test_an_aim_or_floor_without_coefficients_is_refused(area_of: Callable) -> None:
    area = area_of(seed=3)
    with pytest.raises(MissingDataError, match="carbon_t"):
        solved(area, area.options, settings_of({"carbon": 1.0}))
    with pytest.raises(SchemaError, match="carbon_t"):
        solved(area, area.options, settings_of(floors={"carbon_t": 1.0}))


def test_coefficients_use_the_class_areas_that_the_plan_uses(fed) -> None:
    area, options = fed
    parts = assemble_parts(area.patches, options, area.borders, settings=settings_of())
    place = dict(zip(area.patches["patch_id"], range(len(area.patches))))
    row = options["patch_id"].map(place).to_numpy()
    key = {(int(r), m, t): v for r, m, t, v in zip(row, options["measure"], options["target_class"], options["carbon_t"])}
    listed = [key[(int(r), m, t)] for r, m, t in zip(parts.patch, parts.measure, parts.target_class)]
    assert np.array_equal(parts.effects["carbon_t"], listed)


def test_a_service_that_can_lose_more_than_gain_is_scaled_by_the_loss(fed) -> None:
    area, options = fed
    parts = assemble_parts(area.patches, options.assign(carbon_t=np.where(options.index == options.index[-1], 1.0, -50.0)), area.borders, settings=settings_of())
    found = {a.id: a for a in aims(parts, settings_of({"carbon": 1.0}))}["carbon"]
    worst = np.zeros(parts.n)
    np.minimum.at(worst, parts.patch, parts.effects["carbon_t"])
    assert found.potential == -worst.sum() > 1.0
    assert abs(found.amount.min() * found.points_per_unit) <= 100.0
