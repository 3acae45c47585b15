"""Every upload of the corpus is refused or read with a message that names cause and cure; nothing is silent, nothing leaks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from case import SECRET, Case
from make_corpus import Outcome, corpus, run_corpus

from qianmo.schema.messages import chinese_message, has_chinese

CASES = corpus()
ENGLISH = re.compile(r"[a-z]{3,} [a-z]{2,}")
"""Two words that are no name of a file or a field."""


@pytest.fixture(scope="session")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """All cases, built and read once; accepted ones share reading processes."""
    return run_corpus(CASES, tmp_path_factory.mktemp("corpus"))


def test_the_corpus_is_large_and_its_names_are_unique() -> None:
    assert len(CASES) >= 120
    assert len({c.name for c in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=[c.name for c in CASES])
def test_an_upload_is_refused_or_read_as_expected(case: Case, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[case.name]
    if case.refused:
        assert outcome.error is not None, (
            f"{case.name} was read: {[layer.frame.head() for r in outcome.readings for layer in r.layers]}"
        )
        assert type(outcome.error).__name__ == case.refused, str(outcome.error)
        missing = [w for w in case.words if w not in str(outcome.error)]
        assert not missing, f"{missing} not in {outcome.error}"
        return
    assert outcome.error is None, str(outcome.error)
    kinds = {n.kind for r in outcome.readings for x in (*r.layers, *r.grids) for n in x.notes}
    assert set(case.notes) <= kinds, f"{kinds}"
    assert case.check is not None
    case.check(outcome.readings)


@pytest.mark.parametrize("case", [c for c in CASES if c.refused], ids=[c.name for c in CASES if c.refused])
def test_a_refusal_names_cause_and_cure(case: Case, outcomes: dict[str, Outcome]) -> None:
    error = outcomes[case.name].error
    assert error is not None
    assert error.found
    assert error.expected
    assert error.cure


@pytest.mark.parametrize("case", [c for c in CASES if c.refused], ids=[c.name for c in CASES if c.refused])
def test_a_refusal_is_told_in_chinese(case: Case, outcomes: dict[str, Outcome]) -> None:
    error = outcomes[case.name].error
    assert error is not None
    assert has_chinese(chinese_message(error.cure)), error.cure
    for text in (error.found, error.expected):
        told = chinese_message(text)
        assert has_chinese(told) or not ENGLISH.search(told), told


def test_nothing_outside_the_upload_is_ever_read(outcomes: dict[str, Outcome]) -> None:
    for name, outcome in outcomes.items():
        shown = [str(outcome.error)] + [str(n) for r in outcome.readings for x in (*r.layers, *r.grids) for n in x.notes]
        cells = ["".join(map(str, layer.frame.to_numpy().ravel().tolist())) for r in outcome.readings for layer in r.layers]
        assert not any(SECRET in text for text in shown + cells), name


def test_the_uploads_are_as_they_were(outcomes: dict[str, Outcome]) -> None:
    assert [name for name, outcome in outcomes.items() if outcome.changed] == []


def test_the_secret_can_be_read_without_the_guard(outcomes: dict[str, Outcome]) -> None:
    """The bait is real: unguarded, the first VRT of the corpus gives the secret away."""
    import pyogrio

    path: Path = outcomes["vrt named .geojson"].folder / "图斑.geojson"
    bait = pyogrio.read_dataframe(path)
    assert SECRET in "".join(map(str, bait.to_numpy().ravel()))
