"""The how-to page on documents is true: its example answers every rule but those the map leaves open."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from qianmo.jobs.context import Context
from qianmo.jobs.evaluation import evaluate_area
from qianmo.jobs.planning import plan_area
from qianmo.schema.errors import SchemaError
from qianmo.store.parquet import read_frame
from qianmo.store.project import open_project

PLANTING = {"Y-03", "G-08"}
"""Rules on what is planted; the map of the example has no crops."""


@pytest.fixture(scope="module")
def answered(made: Path, repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo project with the example of the page in its settings, evaluated and planned again."""
    folder = tmp_path_factory.mktemp("documents") / "project"
    shutil.copytree(made / "project", folder, symlinks=True)
    page = (repo / "docs" / "how-to" / "documents.md").read_text(encoding="utf-8")
    found = re.search(r"```toml\n(\[documents\].*?)```", page, re.DOTALL)
    assert found is not None
    settings = folder / "project.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("[documents]\n", found[1]), encoding="utf-8")
    context = Context(user="测试员")
    evaluate_area.run(context, {"project": str(folder)})
    plan_area.run(context, {"project": str(folder), "budget": None, "start_year": None, "rule": None, "waive": None})
    return folder


def open_rules(folder: Path) -> set[str]:
    verdicts = read_frame(open_project(folder).state / "tables" / "plan_verdicts.parquet")
    return set(verdicts.loc[verdicts["verdict"] == "no_data", "rule_id"])


def test_filled_documents_answer_every_rule_but_those_on_planting(made: Path, answered: Path):
    before = open_rules(made / "project")
    assert len(before) > 40 and before > PLANTING
    assert open_rules(answered) == PLANTING


def test_a_document_of_the_wrong_type_is_refused_by_name(answered: Path, tmp_path: Path):
    folder = tmp_path / "p"
    shutil.copytree(answered, folder, symlinks=True)
    settings = folder / "project.toml"
    settings.write_text(re.sub(r"party_members = \d+", 'party_members = "六十"', settings.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(SchemaError, match="party_members"):
        evaluate_area.run(Context(user="测试员"), {"project": str(folder)})
