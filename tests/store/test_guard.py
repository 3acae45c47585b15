"""The gate: what a source says about itself, and what it must not be."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from qianmo.schema.errors import QianmoError, RuleError, UnsafeInputError
from qianmo.store.guard import inspect, sha256_of
from qianmo.store.guard_limits import default_limits
from qianmo.store.guard_magic import check_name, has_hidden_marks, sniff

LIMITS = default_limits()
GEOJSON = '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[119.5,26.1]}}]}'


def test_a_source_carries_its_driver_size_and_fingerprint(tmp_path: Path) -> None:
    path = tmp_path / "点.geojson"
    path.write_text(GEOJSON, encoding="utf-8")
    source = inspect(path, limits=LIMITS)
    assert source.driver == "GeoJSON"
    assert source.origin == "点.geojson"
    assert source.size_bytes == len(GEOJSON)
    assert source.sha256 == hashlib.sha256(GEOJSON.encode()).hexdigest()
    assert source.main == path


def test_the_fingerprint_of_a_folder_is_that_of_its_sorted_files(tmp_path: Path) -> None:
    folder = tmp_path / "a.gdb"
    folder.mkdir()
    (folder / "b").write_bytes(b"two")
    (folder / "a").write_bytes(b"one")
    assert sha256_of([folder]) == hashlib.sha256(b"onetwo").hexdigest()


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", "empty"), (b"PK\x03\x04", "zip"), (b"SQLite format 3\x00", "sqlite"), (b"\xef\xbb\xbf  {", "json"), (b"[1]", "text"),
        (b"<?xml version='1.0'?>", "xml"), (b"\n<OGRVRTDataSource>", "VRT (virtual data set)"), (b"a,b\n", "text"), (b"a\x00b", "binary"),
        (b"II*\x00", "tiff"), (b"MM\x00+", "tiff"), (b"%PDF-1.7", "PDF document"), (b"\xff\xfea", "UTF-16 text"),
    ],
)  # fmt: skip
def test_content_is_known_by_its_first_bytes(head: bytes, kind: str) -> None:
    assert sniff(head) == kind


@pytest.mark.parametrize("name", ["图斑.shp", "DLTB 2023.gpkg", "a-b_(1).tif", "𠮷村.csv"])
def test_ordinary_names_pass(name: str) -> None:
    check_name(name, max_bytes=255)


@pytest.mark.parametrize("name", ["a\u202eb.shp", "a\x07.shp", "nul.shp", "a.shp ", "a?.shp", "长" * 90, "a\u200b"])
def test_deceiving_names_are_refused(name: str) -> None:
    with pytest.raises(UnsafeInputError) as caught:
        check_name(name, max_bytes=255)
    assert caught.value.cure


def test_hidden_marks_are_seen_in_any_script() -> None:
    assert has_hidden_marks("甲\u2066乙")
    assert not has_hidden_marks("甲乙 abc é ا")


def test_a_limit_is_a_shipped_parameter_and_can_be_overridden() -> None:
    assert default_limits().zip_ratio_max == 200
    assert default_limits({"guard_zip_ratio_max": 5.0}).zip_ratio_max == 5


def test_a_limit_that_is_not_shipped_is_an_error() -> None:
    from qianmo.schema.rules import parameter

    with pytest.raises(RuleError, match="guard_nothing"):
        parameter("guard_nothing")


def test_any_damage_is_refused_in_words_or_passes(tmp_path: Path) -> None:
    """Two hundred seeded mutations of a GeoJSON: no other exception ever leaves the gate."""
    rng, refused = np.random.default_rng(5), 0
    path = tmp_path / "a.geojson"
    for _ in range(200):
        raw = bytearray(GEOJSON.encode())
        for at in rng.integers(0, len(raw), 3):
            raw[at] = int(rng.integers(0, 256))
        path.write_bytes(bytes(raw[: rng.integers(1, len(raw) + 1)]) if rng.random() < 0.3 else bytes(raw))
        try:
            inspect(path, limits=LIMITS)
        except QianmoError as error:
            refused += 1
            assert error.found
            assert error.expected
            assert error.cure
    assert 50 < refused < 200
