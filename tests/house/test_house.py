"""The house keeps its own rules: floors, banned calls, everything documented."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from qianmo.evaluation.compliance import compliance_measures
from qianmo.jobs.registry import job_specs
from qianmo.schema import errors
from qianmo.schema.measures import measures
from qianmo.schema.rules import parameters, rules, unit_costs
from qianmo.schema.shipped import shipped_names, shipped_rows
from qianmo.schema.tables import table_names, table_spec

SOURCE = Path(__file__).resolve().parents[2] / "src" / "qianmo"
MODULES = sorted(SOURCE.rglob("*.py"))
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_a_module_says_what_it_is_and_names_what_it_offers(path):
    module = tree(path)
    assert ast.get_docstring(module)
    if path.name in ("__init__.py", "__main__.py"):
        return
    names = {t.id for n in module.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)}
    assert "__all__" in names


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_every_public_function_has_a_docstring(path):
    for node in tree(path).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} has no docstring"


def test_no_drawer_is_called_utils():
    assert not [p for p in MODULES if re.search(r"utils|helpers|common|misc", p.stem)]


def test_the_network_is_never_imported():
    banned = {"requests", "urllib.request", "http.client", "httpx", "aiohttp", "ftplib"}
    for path in MODULES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Import):
                assert not banned & {a.name for a in node.names}, path
            if isinstance(node, ast.ImportFrom):
                assert node.module not in banned, path


def test_rooms_do_not_read_the_clock_or_print():
    for path in MODULES:
        room = path.relative_to(SOURCE).parts[0]
        if room in ("cli", "jobs", "store"):
            continue
        text = path.read_text(encoding="utf-8")
        assert "datetime.now" not in text and "time.time(" not in text and not re.search(r"^\s*print\(", text, re.M), path


def test_every_rule_has_a_measure():
    assert set(compliance_measures()) == set(rules()) and len(rules()) == 91


def test_every_rule_parameter_and_price_names_source_and_confidence():
    for r in rules().values():
        assert r.source and r.confidence in ("high", "medium", "low"), r.id
    for p in parameters().values():
        assert p.source and p.confidence, p.name
    for c in unit_costs().values():
        assert c.low <= c.default <= c.high, c.id


def test_names_in_the_lists_occur_once():
    for folder, key in (("rules/consolidation_rules", "rule_id"), ("parameters/parameters", "param"), ("parameters/unit_costs", "item_id")):
        ids = [r[key] for r in shipped_rows(*folder.split("/"))]
        assert len(ids) == len(set(ids)), folder


@pytest.mark.parametrize("name", table_names())
def test_a_table_is_described_in_both_languages(name):
    spec = table_spec(name)
    assert CHINESE.search(spec.zh) and spec.description
    for column in spec.columns:
        assert CHINESE.search(column.zh) and column.description, column.name
        assert column.type in ("text", "integer", "real", "boolean", "date"), column.name
        if column.unit in ("m2", "yuan", "m"):
            assert column.name.endswith("_" + column.unit), column.name


def test_every_measure_has_a_price_and_an_activity():
    activities = {r["activity_id"] for r in shipped_rows("codes", "zone_activity_matrix")}
    for m in measures().values():
        if m.id != "keep":
            assert m.cost_item in unit_costs() and m.activity_id in activities, m.id


def test_every_job_and_option_is_described_in_both_languages():
    for spec in job_specs():
        assert CHINESE.search(spec.zh) and spec.en
        for option in spec.options:
            assert CHINESE.search(option.zh) and option.en, option.name


def test_every_error_is_described():
    for name in errors.__all__:
        assert getattr(errors, name).__doc__


def test_all_shipped_lists_are_utf8_with_a_header():
    for folder in ("tables", "codes", "rules", "parameters"):
        for name in shipped_names(folder):
            rows = shipped_rows(folder, name)
            assert rows and all(None not in r for r in rows), f"{folder}/{name}"
