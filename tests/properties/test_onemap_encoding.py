"""Encoding detective: Chinese text in any of the encodings comes back, or the answer is unclear."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.onemap.encoding import detect_encoding
from qianmo.schema.shipped import shipped_rows

CHARACTERS = {r["script"]: r["characters"] for r in shipped_rows("codes", "common_characters")}
LEVEL_1 = "".join(bytes((a, b)).decode("gb2312", "ignore") for a in range(0xB0, 0xD8) for b in range(0xA1, 0xFF))
SUFFIX = ("镇", "乡", "村", "街道", "组", "县", "(公顷)", "_2023", "")
TRADITIONAL_SUFFIX = ("鎮", "鄉", "村", "區", "用地", "_2020", "")

place = st.builds(lambda a, b: a + b, st.text(CHARACTERS["simplified"], min_size=2, max_size=6), st.sampled_from(SUFFIX))
rare_place = st.builds(lambda a, b: a + b, st.text(LEVEL_1, min_size=2, max_size=6), st.sampled_from(SUFFIX))
taiwan_place = st.builds(
    lambda a, b: a + b, st.text(CHARACTERS["traditional"], min_size=2, max_size=6), st.sampled_from(TRADITIONAL_SUFFIX)
)


@given(
    st.lists(place, min_size=4, max_size=12), st.sampled_from([("gbk", "gb18030"), ("gb18030", "gb18030"), ("utf-8", "utf-8")])
)
@settings(max_examples=80, deadline=None)
def test_a_few_simplified_names_are_recovered(texts: list[str], codec: tuple[str, str]) -> None:
    assert detect_encoding([t.encode(codec[0]) for t in texts]).chosen == codec[1]


@given(st.lists(rare_place, min_size=1, max_size=8), st.sampled_from([("gbk", "gb18030"), ("utf-8", "utf-8")]))
@settings(max_examples=80, deadline=None)
def test_names_of_any_first_level_character_are_right_or_unclear(texts: list[str], codec: tuple[str, str]) -> None:
    assert detect_encoding([t.encode(codec[0]) for t in texts]).chosen in (codec[1], "")


@given(st.lists(taiwan_place, min_size=5, max_size=12))
@settings(max_examples=60, deadline=None)
def test_traditional_names_in_big5_are_right_or_unclear(texts: list[str]) -> None:
    assert detect_encoding([t.encode("big5") for t in texts]).chosen in ("big5", "")


@given(
    st.lists(place, min_size=2, max_size=8),
    st.sampled_from(["gbk", "utf-8"]),
    st.sampled_from(["UTF-8", "936", "Big5", "1252", 0x57]),
)
@settings(max_examples=80, deadline=None)
def test_a_declaration_right_or_wrong_never_makes_mojibake(texts: list[str], codec: str, declared: str | int) -> None:
    expected = {"gbk": "gb18030"}.get(codec, codec)
    chosen = detect_encoding([t.encode(codec) for t in texts], declared=declared).chosen
    assert chosen in (expected, "")


@given(st.lists(place, min_size=4, max_size=12), st.integers(4, 12))
@settings(max_examples=60, deadline=None)
def test_texts_cut_at_any_byte_are_right_or_unclear(texts: list[str], width: int) -> None:
    for codec, expected in (("gbk", "gb18030"), ("utf-8", "utf-8")):
        assert detect_encoding([t.encode(codec)[:width] for t in texts]).chosen in (expected, "")
