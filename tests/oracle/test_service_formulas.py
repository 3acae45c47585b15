"""Water yield, habitat and service value against the published formulas by another route, and against what the planner uses."""

import mpmath
import numpy as np
import pandas as pd
import pytest

from qianmo.evaluation.habitat import habitat_area
from qianmo.evaluation.land import land_of
from qianmo.evaluation.service_value import equivalents, service_value, unit_value
from qianmo.evaluation.services import service_coefficients
from qianmo.evaluation.water_yield import evaporated_share, water_yield
from qianmo.schema.errors import RuleError
from qianmo.schema.shipped import shipped_rows


def land(codes, hectares=1.0, threat=None, **overrides):
    area = np.full(len(codes), hectares * 1e4)
    frame = pd.DataFrame({"patch_id": [f"P{k}" for k in range(len(codes))], "class_code": codes, "area_m2": area, "class_area_m2": area, "slope_deg": 3.0})
    return land_of(frame, scheme="SD3", overrides=overrides, threat=threat)


def test_the_curve_of_fu_is_that_of_fifty_digits(rng):
    phi, omega = 10 ** rng.uniform(-3, 3, 200), rng.uniform(1.25, 5, 200)
    with mpmath.workdps(50):
        wanted = [float(1 + mpmath.mpf(p) - (1 + mpmath.mpf(p) ** mpmath.mpf(w)) ** (1 / mpmath.mpf(w))) for p, w in zip(phi, omega)]
    assert np.allclose(evaporated_share(phi, omega), wanted, rtol=1e-9, atol=1e-12)


def test_evaporation_stays_under_both_bounds_of_budyko_and_reaches_them(rng):
    phi, omega = 10 ** rng.uniform(-4, 4, 500), rng.uniform(1.01, 5, 500)
    share = evaporated_share(phi, omega)
    assert (share >= 0).all() and (share <= np.minimum(1, phi) + 1e-12).all()
    assert np.allclose(evaporated_share(np.array([0.3, 4.0]), np.array([400.0, 400.0])), [0.3, 1.0], atol=2e-3)
    more = evaporated_share(phi * 1.01, omega) - share
    assert (more >= -1e-12).all()
    assert evaporated_share(np.array([1.0]), np.array([2.6]))[0] == pytest.approx(2 - 2 ** (1 / 2.6))


def test_yield_of_every_class_follows_the_published_steps():
    rows = {r["carbon_class"]: r for r in shipped_rows("parameters", "water_balance")}
    given = {"water_rain_mm": 1400.0, "water_reference_mm": 1100.0, "water_seasonality": 10.0, "water_available_share": 0.15, "water_soil_depth_mm": 900.0}
    for code, kind in (("0301", "forest_arbor"), ("0101", "cropland_paddy"), ("0702", "built"), ("1104", "water"), ("0404", "grass_other")):
        r = rows[kind]
        potential = float(r["kc"]) * 1100
        if r["is_vegetated"] == "1":
            omega = min(5.0, 10 * min(float(r["root_mm"]), 900) * 0.15 / 1400 + 1.25)
            ratio = potential / 1400
            gone = 1400 * (1 + ratio - (1 + ratio**omega) ** (1 / omega))
        else:
            gone = min(potential, 1400)
        assert water_yield(land([code], 2.0, **given))[0] == pytest.approx((1400 - gone) / 1000 * 2e4, rel=1e-12), kind


def test_low_and_high_yield_enclose_the_default_and_forest_yields_less_than_crops():
    codes = ["0101", "0103", "0201", "0301", "0404", "0702", "1104", "1206", "1108"]
    low, middle, high = (water_yield(land(codes), level) for level in ("low", "default", "high"))
    assert (low <= middle).all() and (middle <= high).all() and middle[3] < middle[1] < middle[5]


@pytest.mark.parametrize("wrong", [{"water_rain_mm": 0.0}, {"water_reference_mm": -5.0}, {"water_available_share": 13.0}])
def test_figures_that_cannot_be_meant_are_refused(wrong):
    with pytest.raises(RuleError, match=next(iter(wrong))):
        water_yield(land(["0103"], **wrong))


def test_habitat_quality_is_the_invest_form_with_its_constants(rng):
    table = {r["carbon_class"]: r for r in shipped_rows("parameters", "habitat_suitability")}
    threat = rng.uniform(0, 1, 3)
    found = habitat_area(land(["0301", "0103", "1104"], 2.0, threat))
    for value, kind, t in zip(found, ("forest_arbor", "cropland_dry", "water"), threat):
        exposed = (float(table[kind]["sensitivity"]) * t) ** 2.5
        assert value == pytest.approx(2.0 * float(table[kind]["suitability"]) * (1 - exposed / (exposed + 0.5**2.5)))
    half = land(["0301"], 1.0, np.array([0.5 / float(table["forest_arbor"]["sensitivity"])]))
    assert habitat_area(half)[0] == pytest.approx(0.5 * float(table["forest_arbor"]["suitability"]))


def test_service_value_is_the_table_of_the_domain_text():
    assert unit_value() == pytest.approx(2600.0) and service_value(land(["1108"]))[0] == pytest.approx(135252.0)
    assert equivalents()["paddy"] == pytest.approx(3.89) and service_value(land(["0702"]))[0] == 0


def test_a_change_of_the_equivalents_moves_the_value_by_its_own_share():
    # sensitivity index (ΔESV/ESV)/(Δe/e): the value is linear, so it is the share of the class in the total
    codes = ["1108", "0301", "0103"]
    value = service_value(land(codes))
    share = value[0] / value.sum()
    assert 0 < share < 1 and (value.sum() + 0.5 * value[0] - value.sum()) / value.sum() / 0.5 == pytest.approx(share)


def test_the_coefficient_of_an_option_is_the_difference_the_planner_uses():
    patches = pd.DataFrame({"patch_id": ["P0", "P1"], "class_code": ["1104", "0103"], "area_m2": 2e4, "class_area_m2": 2e4, "slope_deg": 3.0})
    options = pd.DataFrame({"patch_id": ["P0", "P1"], "measure": ["pond_to_wetland", "dry_to_paddy"], "target_class": ["1108", "0101"]})
    borders = pd.DataFrame({"i": [0], "j": [1], "length_m": [50.0]})
    found = service_coefficients(patches, options, borders, scheme="SD3")
    for k, (old, new) in enumerate((("1104", "1108"), ("0103", "0101"))):
        assert found["water_yield_m3_yr"].iloc[k] == pytest.approx(water_yield(land([new], 2.0))[0] - water_yield(land([old], 2.0))[0])
        assert found["service_value_yuan_yr"].iloc[k] == pytest.approx(service_value(land([new], 2.0))[0] - service_value(land([old], 2.0))[0])
