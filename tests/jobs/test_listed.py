"""The list of jobs without their programs, against the jobs themselves."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

from qianmo.jobs import listed
from qianmo.jobs.listed import listed_specs
from qianmo.jobs.registry import job_names, job_spec


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("listed")
    listed._listed.clear()
    return folder, listed_specs(folder)


def test_every_job_is_listed_as_it_is(kept):
    _, found = kept
    assert tuple(found) == job_names()
    for name, spec in found.items():
        true = job_spec(name)
        assert (spec.zh, spec.en) == (true.zh, true.en)
        for mine, theirs in zip(spec.options, true.options, strict=True):
            assert mine.choices == theirs.choices
            assert (mine.name, mine.kind, mine.zh, mine.en, mine.required, mine.positional) == (theirs.name, theirs.kind, theirs.zh, theirs.en, theirs.required, theirs.positional)
            assert mine.default == (list(theirs.default) if isinstance(theirs.default, tuple) else theirs.default)


def test_a_list_of_another_version_or_a_broken_one_is_made_again(kept, monkeypatch):
    folder, _ = kept
    path = folder / "desk.jobs.json"
    good = path.read_text(encoding="utf-8")

    def told(*_words, **_named):
        return subprocess.CompletedProcess([], 0, stdout=good)

    monkeypatch.setattr(listed.subprocess, "run", told)
    for bad in ("{", "[]", json.dumps({"stamp": "before", "jobs": []})):
        listed._listed.clear()
        path.write_text(bad, encoding="utf-8")
        assert tuple(listed_specs(folder)) == job_names()
        assert path.read_text(encoding="utf-8") == good


def test_the_list_is_read_without_loading_a_program(kept):
    folder, _ = kept
    words = (
        "import sys; from pathlib import Path; from qianmo.jobs.listed import listed_specs;"
        f"assert len(listed_specs(Path({str(folder)!r}))) > 40; assert not {{'ortools', 'numba', 'matplotlib'}} & set(sys.modules), sys.modules"
    )
    subprocess.run([sys.executable, "-c", words], check=True)


def test_the_stamp_looks_at_the_file_of_every_job():
    files = {p.resolve() for p in listed._files()}
    assert {Path(inspect.getfile(job_spec(name).run)).resolve() for name in job_names()} <= files
