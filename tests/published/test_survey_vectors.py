"""Printed numbers of the survey rules: ridges, levelling, unit code (``shared/domain/test_vectors.json``, domain.md 8)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qianmo.onemap.check_attributes import is_unit_code
from qianmo.onemap.level import deduct_ridges, hundredths, level_areas


@pytest.fixture(scope="module")
def vectors(shared_domain: Path) -> dict:
    return json.loads((shared_domain / "test_vectors.json").read_text(encoding="utf-8"))


def test_ridge_deduction_is_exact(vectors: dict) -> None:
    case = vectors["kc"]
    ridge, net = deduct_ridges([case["TBMJ"]], [case["KCXS"]])
    assert ridge.tolist() == [case["KCMJ"]] and net.tolist() == [case["TBDLMJ"]]


def test_levelling_is_exact(vectors: dict) -> None:
    case = vectors["levelling"]
    result = level_areas(case["areas"], case["control"])
    assert result.tolist() == case["result"]
    assert int(hundredths(result).sum()) == round(case["sum"] * 100)
    assert int(hundredths(result).sum() - hundredths(case["areas"]).sum()) == case["diff_cents"]


def test_the_printed_unit_code_is_valid() -> None:
    """Unit code of domain.md section 8: 28 digits, GB/T 37346-2019."""
    assert is_unit_code("330110001001JC00001F00010001")
