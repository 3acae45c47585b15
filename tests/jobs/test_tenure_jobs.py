"""The commands allot and integrate: files in, project out, errors that leave nothing behind."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from qianmo.cli.main import main
from qianmo.store.parquet import read_frame
from qianmo.store.project import history, open_project
from qianmo.store.stage import read_catalog
from qianmo.village.allotment import make_allotment
from qianmo.village.factories import make_factories

SHORT = ["--set", "allot_time_limit_s=1"]


@pytest.fixture(scope="module")
def allotted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("allot") / "project"
    assert main(["allot", str(folder), "--example", "--quiet", *SHORT]) == 0
    return folder


def test_the_example_gives_lots_books_map_and_a_certificate_that_checks(allotted):
    state = open_project(allotted).state
    catalog = read_catalog(state)
    assert {"lot", "allotment_block", "allotment_line", "value_zone", "project_area"} <= set(catalog)
    assert catalog["lot"].synthetic and catalog["lot"].lineage.tool.endswith("allot")
    lots, ledger = read_frame(state / "layers" / "lot.parquet"), read_frame(state / "tables" / "allotment_ledger.parquet")
    assert lots.groupby("owner_id")["value_fen"].sum().to_dict() == dict(zip(ledger["owner_id"], ledger["allotted_fen"]))
    record = json.loads((state / "tables" / "allotment_certificate.json").read_text(encoding="utf-8"))
    assert all(c["ok"] for c in record["checks"]) and "solver_bound_claimed_m" in record
    assert (allotted / "allot" / "田块设计与分地图.png").read_bytes()[:4] == b"\x89PNG"


def test_a_second_run_takes_its_inputs_from_the_project(allotted, capsys):
    before = len(history(allotted))
    assert main(["allot", str(allotted), "--quiet", "--json", "--set", "allot_depth_max_m=80", *SHORT]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["job"] == "allot" and said["figures"]["lots"] >= 60 and len(history(allotted)) == before + 1
    assert main(["allot", str(allotted), "--quiet", *SHORT, "--set", "allot_depth_max_m=80"]) == 0  # tiers stay on their tracks


def test_files_in_chinese_are_read_and_words_become_codes(tmp_path, capsys):
    made = make_allotment(owners=8, rows=1, columns=2, rng=np.random.default_rng(3))
    made.area.to_file(tmp_path / "范围.gpkg", layer="project_area")
    lines = made.allotment_line.assign(类型=made.allotment_line["line_kind"].map({"road": "道路", "ditch": "沟渠"})).drop(columns="line_kind")
    lines.rename(columns={"width_m": "宽度"}).to_file(tmp_path / "线.gpkg", layer="allotment_line")
    made.value_zone.rename(columns={"unit_value_yuan_m2": "单位价值"}).to_file(tmp_path / "价值.gpkg", layer="value_zone")
    names = {"owner_id": "权利人编号", "owner_name": "权利人名称", "entitlement_yuan": "应得价值", "x_m": "东坐标", "y_m": "北坐标"}
    made.allotment_owner.drop(columns=["wishes", "lots_max"]).rename(columns=names).to_excel(tmp_path / "权利人.xlsx", index=False)
    words = ["allot", str(tmp_path / "p"), "--quiet", "--json", "--area", str(tmp_path / "范围.gpkg"), "--lines", str(tmp_path / "线.gpkg"), *SHORT]
    assert main([*words, "--zones", str(tmp_path / "价值.gpkg"), "--owners", str(tmp_path / "权利人.xlsx")]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["figures"]["lots"] >= 8 and said["figures"]["deduction_share"] == pytest.approx(0.04, abs=1e-6)
    assert "lot" in read_catalog(open_project(tmp_path / "p").state)


def test_old_parcels_serve_as_owners(tmp_path, capsys):
    made = make_allotment(owners=6, rows=1, columns=2, rng=np.random.default_rng(3))
    owners = made.allotment_owner
    twice = pd.concat([owners.assign(entitlement_yuan=owners["entitlement_yuan"] / 2)] * 2, ignore_index=True)
    spots = gpd.points_from_xy(twice["x_m"], twice["y_m"]).buffer(5)
    gpd.GeoDataFrame(twice.drop(columns=["x_m", "y_m"]), geometry=spots, crs=4547).to_file(tmp_path / "原地块.gpkg", layer="allotment_owner")
    for name, frame in (("area", made.area), ("lines", made.allotment_line), ("zones", made.value_zone)):
        table = {"area": "project_area", "lines": "allotment_line", "zones": "value_zone"}[name]
        frame.to_file(tmp_path / f"{name}.gpkg", layer=table)
    files = [w for n in ("area", "lines", "zones") for w in (f"--{n}", str(tmp_path / f"{n}.gpkg"))]
    assert main(["allot", str(tmp_path / "p"), "--quiet", *files, "--owners", str(tmp_path / "原地块.gpkg"), *SHORT]) == 0
    ledger = read_frame(open_project(tmp_path / "p").state / "tables" / "allotment_ledger.parquet")
    assert len(ledger) == 6 and ledger["entitlement_fen"].sum() == pytest.approx(owners["entitlement_yuan"].sum() * 100, abs=6)


def test_a_refused_input_writes_nothing(tmp_path, capsys):
    made = make_allotment(owners=6, rows=1, columns=2, rng=np.random.default_rng(3))
    made.value_zone.assign(unit_value_yuan_m2=-1.0).to_file(tmp_path / "zones.gpkg", layer="value_zone")
    for name, frame in (("project_area", made.area), ("allotment_line", made.allotment_line)):
        frame.to_file(tmp_path / f"{name}.gpkg", layer=name)
    made.allotment_owner.to_csv(tmp_path / "owners.csv", index=False)
    words = ["--area", str(tmp_path / "project_area.gpkg"), "--lines", str(tmp_path / "allotment_line.gpkg"), "--owners", str(tmp_path / "owners.csv")]
    assert main(["allot", str(tmp_path / "p"), "--quiet", "--json", *words, "--zones", str(tmp_path / "zones.gpkg")]) == 2
    said = json.loads(capsys.readouterr().out)
    assert said["error"]["kind"] == "SchemaError" and "unit_value_yuan_m2" in said["error"]["found"] and not (tmp_path / "p").exists()
    assert main(["allot", str(tmp_path / "p"), "--quiet", *words]) == 2
    assert "--zones" in capsys.readouterr().err and not (tmp_path / "p").exists()
    assert main(["allot", str(tmp_path / "p"), "--quiet", *words, "--unit-value", "30", "--set", "allot_width=3"]) == 2
    assert main(["allot", str(tmp_path / "p"), "--quiet", *words, "--unit-value", "0.1"]) == 4
    assert "allot_deduction_share_max" in capsys.readouterr().err and not (tmp_path / "p").exists()


def test_integrate_runs_rounds_with_answers_and_keeps_the_log(tmp_path, capsys):
    titles = make_factories(rows=2, columns=4, rng=np.random.default_rng(2)).assign(consent="open")
    words = {"state": "国有", "collective": "集体"}
    titles.assign(land_kind=titles["land_kind"].map(words)).to_file(tmp_path / "产权.gpkg", layer="title")
    pd.DataFrame({"产权编号": ["C001", "C002"], "期望增值率": [0.12, 0.06]}).to_csv(tmp_path / "答复.csv", index=False)
    common = ["integrate", str(tmp_path / "p"), "--quiet", "--json", "--budget", "300", "--set", "integrate_consent_heads_min=0", "--set",
              "integrate_consent_area_min=0", "--set", "integrate_block_area_min_m2=25000"]  # fmt: skip
    assert main([*common, "--titles", str(tmp_path / "产权.gpkg"), "--answers", str(tmp_path / "答复.csv"), "--prices"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert any(line.startswith("协商") for line in said["lines"]) and said["figures"]["blocks"] >= 1
    state = open_project(tmp_path / "p").state
    offers = read_frame(state / "tables" / "title_offer.parquet")
    assert offers["round"].max() >= 2 and {"accept", "refuse"} == set(offers["answer"])
    assert read_frame(state / "tables" / "integration_ledger.parquet")["amount_fen"].sum() == 0
    assert (read_frame(state / "tables" / "consent_price.parquet")["price_fen"] >= -1000).all()
    assert main([*common]) == 0  # the titles are in the project now
    assert not (open_project(tmp_path / "p").state / "tables" / "title_offer.parquet").exists()


def test_integrate_says_which_rules_forbid_every_block(tmp_path, capsys):
    assert main(["integrate", str(tmp_path / "p"), "--example", "--quiet", "--json", "--set", "integrate_consent_heads_min=1", "--set",
                 "integrate_consent_area_min=1", "--set", "integrate_block_area_min_m2=60000"]) in (2, 4)  # fmt: skip
    said = json.loads(capsys.readouterr().out)
    assert said["error"]["kind"] == "InfeasibleError" and said["error"]["conflict"] and not (tmp_path / "p").exists()
    assert main(["integrate", str(tmp_path / "p"), "--quiet"]) == 2
    assert "--titles" in capsys.readouterr().err
    assert main(["integrate", str(tmp_path / "p"), "--example", "--quiet", "--budget", "viel"]) == 2
