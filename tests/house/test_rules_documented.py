"""Every rule of the list has a measure, and every measure can answer or say what is missing."""

from __future__ import annotations

import re
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from qianmo.evaluation.compliance import answer_rule, compliance_measures
from qianmo.evaluation.facts import Facts, document_facts
from qianmo.schema.rules import parameters, rules


@pytest.fixture(scope="module")
def bare() -> Facts:
    """One patch and nothing else."""
    table = {"patch_id": ["P0"], "class_code": ["0101"], "area_m2": [1e4], "class_area_m2": [1e4]}
    patch = gpd.GeoDataFrame(table, geometry=[shapely.box(500_000, 2_800_000, 500_100, 2_800_100)], crs=4547)
    return Facts(patch, {}, "SD3")


def test_there_are_91_rules_and_each_has_exactly_one_measure():
    assert len(rules()) == 91
    assert sorted(compliance_measures()) == sorted(rules())


@pytest.mark.parametrize("rule_id", list(rules()))
def test_a_rule_answers_with_numbers_or_says_what_is_missing(bare, rule_id):
    answer = answer_rule(bare, rule_id)
    assert (answer.ok is None) == bool(answer.missing)
    assert answer.ok is None or answer.numbers


def _sources(repo: Path) -> str:
    return "".join(p.read_text(encoding="utf-8") for p in sorted((repo / "src/qianmo/evaluation").glob("*.py")))


def test_every_document_fact_is_read_by_a_measure(repo):
    source = _sources(repo)
    unread = [name for name in document_facts() if f'"{name}"' not in source]
    assert not unread


def test_every_document_fact_a_measure_reads_is_listed(repo):
    calls = re.findall(r"\b(?:told|told_or|all_true)\(([^()]*)\)", _sources(repo))
    names = {n for call in calls for n in re.findall(r'"([a-z][a-z0-9_]+)"', call)}
    assert names <= set(document_facts())


def test_every_parameter_the_evaluation_reads_is_listed(repo):
    names = set(re.findall(r'\bparameter\("([a-z0-9_]+)"', _sources(repo)))
    assert names
    assert names <= set(parameters())
