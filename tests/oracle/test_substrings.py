"""Searching many texts at once against looking at each."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qianmo.jobs.queries.substrings import Substrings

_WORDS = st.text(alphabet="aAbB.*\n水田 0", min_size=0, max_size=4)


@given(st.lists(_WORDS, min_size=1, max_size=12, unique=True), _WORDS.filter(bool))
def test_the_texts_found_are_those_that_hold_or_are_the_words(values, asked):
    asked = asked.lower().replace("\n", " ")
    small = [v.lower().replace("\n", " ") for v in values]
    found = Substrings.of(values)
    assert found.holding(asked).tolist() == [n for n, v in enumerate(small) if asked in v]
    assert found.equal(asked).tolist() == [n for n, v in enumerate(small) if v == asked]


def test_no_texts_hold_nothing():
    assert Substrings.of([]).holding("a").tolist() == [] and Substrings.of([]).equal("a").tolist() == []
