"""Encoding detective: right, or unclear, never garbage."""

from __future__ import annotations

import numpy as np
import pytest

from qianmo.onemap.encoding import ENCODINGS, declared_codec, detect_encoding
from qianmo.schema.shipped import shipped_rows

FIELDS = ["图斑编号", "地类名称", "坐落单位名称", "权属单位名称", "备注"]
VALUES = ["水田", "乔木林地", "农村宅基地", "长汀县河田镇露湖村", "村民小组"]
TRADITIONAL = ["道路用地", "水庫專用區", "保護區", "農業區", "明德水庫特定區計畫", "埔里都市計畫"]


@pytest.mark.parametrize(("codec", "expected"), [("gbk", "gb18030"), ("gb18030", "gb18030"), ("utf-8", "utf-8")])
def test_simplified_text_is_recovered(codec: str, expected: str) -> None:
    assert detect_encoding([t.encode(codec) for t in FIELDS + VALUES]).chosen == expected


def test_traditional_text_in_big5_is_recovered() -> None:
    assert detect_encoding([t.encode("big5") for t in TRADITIONAL]).chosen == "big5"


def test_traditional_text_in_utf8_is_recovered() -> None:
    assert detect_encoding([t.encode("utf-8") for t in TRADITIONAL]).chosen == "utf-8"


@pytest.mark.parametrize("codec", ["latin-1", "utf-8"])
def test_french_and_czech_like_latin_text_is_not_read_as_chinese(codec: str) -> None:
    texts = ["Les Prés de la Forêt", "Chemin de l'Étang", "Grande Rivière à moulin", "Côte Févée", "Château brûlé"]
    assert detect_encoding([t.encode(codec) for t in texts]).chosen == codec


def test_pure_ascii_is_harmless_utf8() -> None:
    decision = detect_encoding([b"BSM", b"DLBM", b"0101", b""], declared="gbk")
    assert decision.chosen == "utf-8"
    assert decision.is_clear


def test_a_wrong_cpg_loses_with_the_reason() -> None:
    decision = detect_encoding([t.encode("gbk") for t in VALUES], declared="UTF-8")
    assert decision.chosen == "gb18030"
    wrong = next(c for c in decision.candidates if c.value == "utf-8")
    assert any("declaration is wrong" in r for r in wrong.reasons)


def test_a_latin_language_driver_byte_does_not_make_mojibake() -> None:
    decision = detect_encoding([t.encode("gbk") for t in FIELDS], declared=0x57)
    assert decision.chosen == "gb18030"


def test_a_right_declaration_settles_a_short_sample() -> None:
    alone = detect_encoding(["陂头".encode("gbk")])
    told = detect_encoding(["陂头".encode("gbk")], declared="936")
    best = {c.value: c.score for c in alone.candidates}, {c.value: c.score for c in told.candidates}
    assert best[1]["gb18030"] >= best[0]["gb18030"]
    assert told.chosen == "gb18030"


def test_bytes_that_read_as_nonsense_everywhere_are_unclear() -> None:
    assert not detect_encoding([bytes([0x81, 0x40, 0x82, 0x41]), bytes([0x90, 0x50])]).is_clear


def test_a_last_character_cut_by_the_field_width_is_forgiven() -> None:
    cut = [t.encode("utf-8")[:10] for t in FIELDS] + [t.encode("utf-8") for t in VALUES]
    decision = detect_encoding(cut)
    assert decision.chosen == "utf-8"
    assert any("field width" in r for r in decision.candidates[0].reasons)


def test_a_byte_order_mark_decides() -> None:
    assert detect_encoding(["图斑".encode("utf-8-sig")]).chosen == "utf-8-sig"
    assert detect_encoding(["图斑".encode("utf-16")]).chosen == "utf-16"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("GBK\n", "gb18030"),
        ("65001", "utf-8"),
        ("ANSI 936", "gb18030"),
        ("Big5", "big5"),
        (0x4D, "gb18030"),
        (0x00, None),
        ("klingon", None),
        (None, None),
    ],
)
def test_declarations_are_understood(said: str | int | None, expected: str | None) -> None:
    assert declared_codec(said) == expected


def test_county_names_in_every_encoding_are_never_wrong_and_nearly_always_clear(rng: np.random.Generator) -> None:
    names = [r["name"] for r in shipped_rows("codes", "county_boxes")]
    clear = trials = 0
    for codec, expected in (("gbk", "gb18030"), ("utf-8", "utf-8")):
        for _ in range(60):
            picked = rng.choice(names, size=4, replace=False)
            chosen = detect_encoding([str(n).encode(codec) for n in picked]).chosen
            assert chosen in (expected, "")
            clear, trials = clear + (chosen == expected), trials + 1
    assert clear / trials >= 0.99


def test_every_single_county_name_is_right_or_unclear() -> None:
    for row in shipped_rows("codes", "county_boxes"):
        assert detect_encoding([row["name"].encode("gbk")]).chosen in ("gb18030", "")
        assert detect_encoding([row["name"].encode("utf-8")]).chosen in ("utf-8", "")


def test_all_candidates_are_shown() -> None:
    assert {c.value for c in detect_encoding([t.encode("gbk") for t in FIELDS]).candidates} == set(ENCODINGS)
