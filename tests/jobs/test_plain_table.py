"""One reader for the plain tables that jobs are handed: CSV and workbook alike; what is wrong is named."""

import pandas as pd
import pytest

from qianmo.jobs.plain_table import plain_frame, plain_layers, plain_table
from qianmo.schema.errors import MissingDataError, SchemaError


def test_csv_and_workbook_give_the_same_table_with_lower_case_columns(tmp_path):
    frame = pd.DataFrame({"X": [1.5, 2.5], "Name": ["甲", "乙"]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_excel(tmp_path / "t.xlsx", index=False)
    found = [plain_table(tmp_path / n, needed=("x",), meaning="x 东坐标") for n in ("t.csv", "t.xlsx")]
    for table in found:
        assert list(table.columns) == ["x", "name"] and table["x"].astype(float).tolist() == [1.5, 2.5] and table["name"].tolist() == ["甲", "乙"]
    (layer, sha), *rest = plain_layers([tmp_path / "t.csv"])
    assert not rest and len(sha) == 64 and list(plain_frame(layer).columns) == ["X", "Name"]


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [("a,b\n1,2\n", SchemaError, "缺列 x"), (None, MissingDataError, "t.csv")],
    ids=["column missing", "no file"],
)
def test_what_is_wrong_with_a_table_is_named(tmp_path, text, kind, said):
    if text is not None:
        (tmp_path / "t.csv").write_text(text)
    with pytest.raises(kind, match=said):
        plain_table(tmp_path / "t.csv", needed=("x",), meaning="x 东坐标")
