"""The command goaf: sites from a file to grades, treatment, grout and a workbook; faults name file, line and key."""

from __future__ import annotations

import json

import openpyxl
import pytest

from qianmo.cli.main import main

GOOD = """date = 2026-01-01

[[site]]
name = "一号"
depth_m = 331
thickness_m = 4.3
mining_ended = 2020-01-01
rate_mm_day = 0.1
final_subsidence_mm = 2000
span_m = 5
area_m2 = 50000
extraction = 0.75
void_rate = 0.25
important = true
pick = [{method = "gpr", two_way_ns = 80, velocity_m_ns = 0.1}, {method = "tem", resistivity_ohm_m = 100, time_ms = 10}]

[[site]]
name = "二号"
depth_m = 200
thickness_m = 3.0
mining_ended = 2025-10-01
area_m2 = 50000
extraction = 0.75
void_rate = 0.25
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "采空区.toml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def test_sites_get_grades_depths_grout_and_cost_of_the_vectors(file, capsys):
    assert main(["goaf", str(file), "--quiet", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    one, two = said["figures"]["sites"]
    assert one["depth_thickness"] == pytest.approx(331 / 4.3) and one["stability"] == "稳定" and two["stability"] == "不稳定" and two["decided_by"] == "t/T"
    assert [p["depth_m"] for p in said["figures"]["picks"]] == pytest.approx([4.0, 885.438], abs=1e-3)
    assert two["grout_m3"] == pytest.approx(33750.0) and two["cost_wan"] == pytest.approx(33750 * 320 / 1e4)
    assert two["cost_low_wan"] < two["cost_wan"] < two["cost_high_wan"]
    book = openpyxl.load_workbook(file.with_name("采空区_采空区评价.xlsx"), data_only=True)
    assert len(book.sheetnames) == 4
    assert not any("nan" in line for line in said["lines"]) and any("跨度未知" in line for line in said["lines"])
    assert any("注浆充填" in line and "适用" in line for line in said["lines"])


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("depth_m = 200", 'depth_m = "tief"', 19, "depth_m"), ("mining_ended = 2025-10-01", "mining_ended = 2027-01-01", 21, "mining_ended"),
        ("thickness_m = 3.0", "thickness_m = 0", 17, "采厚"), ('method = "tem"', 'method = "ert"', 15, "pick"), ("rate_mm_day", "rate_mm", 8, "rate_mm"),
        ("depth_m = 200\n", "", 17, "depth_m"), ("void_rate = 0.25\nimportant", "void_rate = 25\nimportant", 3, "剩余空隙率"), ("area_m2 = 50000", "area_m2 = = 5", 11, ""),
    ],
)  # fmt: skip
def test_a_fault_names_file_line_and_key_and_writes_nothing(file, capsys, old, new, line, says):
    assert old in GOOD
    file.write_text(GOOD.replace(old, new), encoding="utf-8")
    assert main(["goaf", str(file), "--quiet"]) == 2
    err = capsys.readouterr().err
    assert "采空区.toml" in err and "资金" not in err and f"第 {line} 行" in err and says in err and not list(file.parent.glob("*.xlsx"))


def test_a_file_without_sites_is_refused(tmp_path, capsys):
    (tmp_path / "x.toml").write_text("a = 1\n", encoding="utf-8")
    assert main(["goaf", str(tmp_path / "x.toml"), "--quiet"]) == 2 and "[[site]]" in capsys.readouterr().err


@pytest.mark.parametrize("head", ['date = "heute"', "[parameters]\ngoaf_shallow = 5", '[parameters]\ngoaf_shallow_m = "tief"'])
def test_a_wrong_day_or_parameter_is_refused(file, capsys, head):
    file.write_text(GOOD.replace("date = 2026-01-01", head), encoding="utf-8")
    assert main(["goaf", str(file), "--quiet"]) == 2 and "采空区.toml" in capsys.readouterr().err


def test_a_parameter_of_the_file_changes_the_choice(file, capsys):
    file.write_text(GOOD.replace("date = 2026-01-01", "date = 2026-01-01\n[parameters]\ngoaf_shallow_m = 500"), encoding="utf-8")
    assert main(["goaf", str(file), "--quiet", "--json"]) == 0
    lines = json.loads(capsys.readouterr().out)["lines"]
    assert all("不适用" not in line for line in lines if "开挖回填" in line) and all("不适用" in line for line in lines if "注浆充填" in line)


@pytest.mark.parametrize(("old", "new", "says"), [
    ("depth_m = 331", "depth_m = 331000", "毫米"), ("thickness_m = 4.3", "thickness_m = 430", "采厚"), ("rate_mm_day = 0.1", "rate_mm_day = -0.1", "下沉为正"),
    ("final_subsidence_mm = 2000", "final_subsidence_mm = -2000", "下沉为正"), ("final_subsidence_mm = 2000", "final_subsidence_mm = 2.0", "以米为单位"),
    ("final_subsidence_mm = 2000", "final_subsidence_mm = 20000", "不超过采厚"), ("span_m = 5", "span_m = 5\nknothe_c_day = 2.9", "除以 365"), ("two_way_ns = 80", "two_way_ns = 0.08", "µs"),
    ("time_ms = 10", "time_ms = 10000", "ms 与 s"), ('name = "二号"', 'name = "一号"', "重名"),
])  # fmt: skip
def test_a_slip_of_unit_sign_or_name_is_refused_with_its_cure(file, capsys, old, new, says):
    assert old in GOOD
    file.write_text(GOOD.replace(old, new), encoding="utf-8")
    assert main(["goaf", str(file), "--quiet"]) == 2
    assert says in capsys.readouterr().err and list(file.parent.iterdir()) == [file]


def test_shallow_workings_long_left_are_called_stable_by_time_only_with_a_warning(file, capsys):
    shallow = GOOD.replace("depth_m = 200", "depth_m = 25").replace("mining_ended = 2025-10-01", "mining_ended = 2005-01-01").replace("rate_mm_day = 0.1", "rate_mm_day = 36\nsix_months_mm = 12")
    file.write_text(shallow, encoding="utf-8")
    assert main(["goaf", str(file), "--quiet", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    one, two = said["figures"]["sites"]
    assert two["stability"] == "稳定" and "没有实测移动" in two["doubt"] and "深厚比 8.3 小于 30" in two["doubt"] and any(n.startswith("二号") for n in said["notes"])
    assert "与半年下沉 12 毫米不符" in one["doubt"] and "深厚比" not in one["doubt"]
    sheet = openpyxl.load_workbook(file.with_name("采空区_采空区评价.xlsx"))
    assert any("须钻探查明" in str(c.value) for s in sheet for row in s.iter_rows() for c in row)
