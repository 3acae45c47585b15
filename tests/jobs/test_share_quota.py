"""``qianmo quota``: a provincial total shared among the counties of a table (case G-01)."""

from __future__ import annotations

import numpy as np
import openpyxl
import pytest

from qianmo.governance.quota import stepped_shares
from qianmo.jobs.context import Context
from qianmo.jobs.registry import job_spec
from qianmo.jobs.spec import checked_values
from qianmo.schema.errors import InfeasibleError, SchemaError

HEAD = "行政区代码,县名,现有,需求,潜力,生态约束,保底,上限\n"
ROWS = ("330110,余杭区,120,900,400,0.2,300,2000", "330521,德清县,210,300,800,0.3,200,", "330523,安吉县,180,460.33,500,0.8,150,400")


def _run(path, **values):
    spec = job_spec("quota")
    return spec.run(Context(), checked_values(spec, {"file": str(path), **values}))


@pytest.fixture
def counties(tmp_path):
    path = tmp_path / "县.csv"
    path.write_text(HEAD + "\n".join(ROWS) + "\n", encoding="gb18030")
    return path


def test_g01_the_command_gives_every_county_its_floor_and_the_whole_total(counties, tmp_path):
    done = _run(counties, total=1800, out=str(tmp_path / "成果"))
    shares = done.figures["shares"]
    assert sum(shares.values()) == pytest.approx(1800, abs=1e-9) and all(shares[c] >= f for c, f in (("330110", 300), ("330521", 200), ("330523", 150)))
    assert shares["330523"] <= 400 and all(round(v * 100) == pytest.approx(v * 100, abs=1e-6) for v in shares.values())
    sheet = openpyxl.load_workbook(done.files[0][0])
    words = [str(c.value) for s in sheet for row in s.iter_rows() for c in row if c.value is not None]
    assert any("省级统筹指标分配表" in w for w in words) and "余杭区" in words and "调出" in "".join(words)


def test_what_one_county_lacks_comes_from_what_others_have_over(counties):
    done = _run(counties, total=1800)
    gaps = {c: s - n for (c, s), n in zip(done.figures["shares"].items(), (900, 300, 460.33))}
    lacking, over = -sum(g for g in gaps.values() if g < 0), sum(g for g in gaps.values() if g > 0)
    assert done.figures["moved"] == pytest.approx(min(lacking, over)) and done.figures["short"] == pytest.approx(max(lacking - over, 0.0), abs=1e-6)
    assert done.exit_code == int(lacking > over + 0.005)
    assert _run(counties, total=700).exit_code == 1


def test_shares_in_whole_steps_keep_sum_floor_and_cap():
    rng = np.random.default_rng(3)
    for _ in range(200):
        floors = np.round(rng.uniform(0, 5, 7), 1)
        shares = floors + rng.uniform(0, 3, 7)
        shares[0] += round(shares.sum(), 1) - shares.sum()
        caps = np.maximum(np.ceil(shares * 10) / 10, floors)
        whole = stepped_shares(shares, 0.1, floors, caps)
        assert whole.sum() == pytest.approx(shares.sum()) and (whole >= floors - 1e-9).all() and (whole <= caps + 1e-9).all() and (abs(whole - shares) < 0.2).all()
    with pytest.raises(InfeasibleError, match="为单位"):
        stepped_shares(np.array([0.5, 0.5]), 1.0, np.array([0.2, 0.2]), np.array([0.8, 0.8]))


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("330110,临安区,1,1,1,0.5,1,2", "重复"), ("330112,临安区,1,1,1,0.5,5,2", "保底大于上限"), ("330112,临安区,一,1,1,0.5,1,2", "第 5 行"),
        ("330112,临安区,1,1,1,30,1,2", "ecology_limit"), ("330112,临安区,-1,1,1,0.5,1,2", "第 5 行"), (",临安区,1,1,1,0.5,1,2", "代码"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named(counties, row, word):
    counties.write_text(HEAD + "\n".join((*ROWS, row)) + "\n", encoding="utf-8")
    with pytest.raises(SchemaError, match=word):
        _run(counties, total=1800)


def test_totals_and_columns_that_cannot_be_are_refused(counties):
    for total in (0, -5, float("inf"), 1800.001):
        with pytest.raises(SchemaError, match="总量"):
            _run(counties, total=total)
    with pytest.raises(InfeasibleError, match="保底合计"):
        _run(counties, total=600)
    counties.write_text("县名,现有\n余杭区,3\n", encoding="utf-8")
    with pytest.raises(SchemaError, match="缺 code"):
        _run(counties, total=10)
