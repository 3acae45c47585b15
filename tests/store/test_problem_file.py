"""Problem files are plain zips of TOML and Parquet (规划问题文件)."""

from __future__ import annotations

import tomllib
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from qianmo.schema.errors import MissingDataError, SchemaError, UnsafeInputError
from qianmo.store.problem_file import read_problem_file, toml_text, write_problem_file

RECORD = {
    "format": "x/1", "name": '引号 " 反斜 \\ 换行\n制表\t控制\x01', "flag": True, "uses": ["0101", "水"], "empty": [], "number": 0.1, "tiny": 1e-300,
    "base": {"a b": 1, "中文": -2.5}, "limit": [{"id": "甲", "bound": 10**15}, {"id": "乙", "bound": 1 / 3}],
}  # fmt: skip


def test_records_and_tables_come_back(tmp_path: Path) -> None:
    tables = {"patches": pd.DataFrame({"patch_id": ["一", "二"], "area_dm2": [1, 2**40], "may_keep": [True, False]})}
    write_problem_file(tmp_path / "new" / "a.qproblem", RECORD, tables)
    record, back = read_problem_file(tmp_path / "new" / "a.qproblem")
    assert record == RECORD
    pd.testing.assert_frame_equal(back["patches"], tables["patches"], check_dtype=False)
    assert back["patches"]["area_dm2"].dtype == "int64" and back["patches"]["may_keep"].dtype == "bool"
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.qproblem"]
    with zipfile.ZipFile(tmp_path / "new" / "a.qproblem") as archive:
        assert {i.compress_type for i in archive.infolist()} == {zipfile.ZIP_STORED}


def test_toml_text_is_toml() -> None:
    assert tomllib.loads(toml_text(RECORD)) == RECORD
    with pytest.raises(SchemaError, match="cannot be written as TOML"):
        toml_text({"nothing": None})


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.qproblem"
    with pytest.raises(MissingDataError, match="no problem file"):
        read_problem_file(path)
    path.write_bytes(b"nothing")
    with pytest.raises(UnsafeInputError, match="not a readable zip"):
        read_problem_file(path)

    def packed(**members: bytes) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in members.items():
                archive.writestr(name.replace("__", "/").replace("_dot_", "."), data)

    packed(patches_dot_parquet=b"x")
    with pytest.raises(MissingDataError, match=r"holds no problem\.toml"):
        read_problem_file(path)
    packed(problem_dot_toml=b"a = 1", patches_dot_parquet=b"x")
    with pytest.raises(UnsafeInputError, match=r"patches\.parquet is no readable Parquet table"):
        read_problem_file(path)
    packed(problem_dot_toml=b"a = ", patches_dot_parquet=b"x")
    with pytest.raises(SchemaError, match="is not a settings file"):
        read_problem_file(path)
    packed(problem_dot_toml=b"a = 1", readme_dot_txt=b"x")
    with pytest.raises(UnsafeInputError, match=r"holds readme\.txt"):
        read_problem_file(path)
