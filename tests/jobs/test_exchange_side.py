"""Side tables of an exchange come through the guard of all tables: encodings, bombs, wrong cells."""

from __future__ import annotations

import zipfile

import pytest

from qianmo.jobs.planning.exchange_input import side_table
from qianmo.schema.errors import MissingDataError, QianmoError, SchemaError

RIGHTS = "parcel_id,Owner,share_num,share_den,right_code\n0012,甲,1,2,30\n0012,乙,1,2,30\n0013,丙,1,,30\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_ids_stay_text_and_shares_are_numbers_in_any_encoding(tmp_path, encoding):
    path = tmp_path / "权利.csv"
    path.write_text(RIGHTS, encoding=encoding)
    found = side_table(path)
    assert found["parcel_id"].tolist() == ["0012", "0012", "0013"] and found["owner"].tolist() == ["甲", "乙", "丙"]
    assert found["share_num"].tolist() == [1.0, 1.0, 1.0] and found["share_den"].isna().tolist() == [False, False, True] and found["right_code"].tolist() == ["30"] * 3


def test_coordinates_of_homes_are_read_as_numbers(tmp_path):
    path = tmp_path / "住所.csv"
    path.write_text("owner,x,y\n甲,500000.5,3400000\n乙,500010,3400020\n", encoding="utf-8")
    found = side_table(path)
    assert found["x"].tolist() == [500000.5, 500010.0] and found["y"].tolist() == [3400000.0, 3400020.0]


def test_a_cell_that_is_no_number_is_named_with_its_row(tmp_path):
    path = tmp_path / "单价.csv"
    path.write_text("parcel_id,value_yuan_m2\n1,20\n2,二十\n3,inf\n", encoding="utf-8")
    with pytest.raises(SchemaError, match=r"第 3 行 二十.*第 4 行 inf"):
        side_table(path)


def test_what_is_no_table_is_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\x00\x01\x02" * 50)
    with zipfile.ZipFile(tmp_path / "b.xlsx", "w") as z:
        z.writestr("x", "y")
    (tmp_path / "empty.csv").write_text("", encoding="utf-8")
    for name in ("a.csv", "b.xlsx", "empty.csv"):
        with pytest.raises(QianmoError):
            side_table(tmp_path / name)
    with pytest.raises(MissingDataError, match="没有文件"):
        side_table(tmp_path / "none.csv")
    assert side_table("") is None
