"""Printed numbers of carbon, erosion and service value (``shared/domain/test_vectors.json``, domain.md 4 and 8)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from qianmo.evaluation.carbon_stock import carbon_density
from qianmo.evaluation.service_value import equivalents, unit_value
from qianmo.geo.slope_length import slope_length_factor


@pytest.fixture(scope="module")
def vectors(shared_domain: Path) -> dict:
    return json.loads((shared_domain / "test_vectors.json").read_text(encoding="utf-8"))


def test_carbon_densities_add_up_to_the_printed_totals(vectors: dict) -> None:
    assert carbon_density(annual_crops=True) == pytest.approx(vectors["carbon_stock_default"])
    case = vectors["carbon_lucc"]
    gain = carbon_density(annual_crops=True)[case["to"]] - carbon_density(annual_crops=True)[case["from_"]]
    assert gain == pytest.approx(case["dC_tC_ha"])
    assert gain * 44 / 12 == pytest.approx(case["dCO2"])


def test_slope_length_and_steepness_factors_are_the_printed_ones(vectors: dict) -> None:
    for case in vectors["rusle"]["LS"]:
        found = slope_length_factor(np.array([float(case["len"])]), np.array([float(case["deg"])]))
        assert found[0] == pytest.approx(case["LS"], abs=1e-6)


def test_equivalents_add_up_to_the_printed_totals(vectors: dict) -> None:
    printed = {("none" if k == "built" else k): v for k, v in vectors["esv_totals"].items()}
    assert equivalents() == pytest.approx(printed)


def test_the_unit_value_is_the_printed_one(vectors: dict) -> None:
    case = vectors["esv_unit"]
    told = {"esv_grain_yield": case["yield_kg_ha"], "esv_grain_price": case["price"]}
    assert unit_value(told) == pytest.approx(case["unit_value"])
    assert unit_value(told) * equivalents()["wetland"] == pytest.approx(case["wetland_per_ha"])
