"""qianmo exchange on an invented township: results are stored, undo takes them back, JSON is JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qianmo.cli.main import main
from qianmo.store.parquet import read_frame
from qianmo.store.project import open_project
from qianmo.store.stage import read_catalog


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exchange") / "虚拟镇"
    assert main(["village", "--patches", "260", "--villages", "2", "--into", str(folder), "--quiet"]) == 0
    return folder


def test_an_exchange_is_stored_with_its_proof_and_can_be_undone(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["exchange", str(project), "--quiet", "--json", "--value-tolerance", "0.04", "--distance-tolerance", "0.2", "--gap", "20"]
    assert main(asked) == 0
    figures = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert figures["cash_sum_fen"] == 0 and figures["blocks_after"] <= figures["blocks_before"]
    state = open_project(project).state
    pieces = read_frame(state / "layers" / "exchange_parcel.parquet")
    parcels = read_frame(state / "layers" / "parcel.parquet").set_index("parcel_id")
    area = pieces.groupby("parcel_id")["area_m2"].sum()
    assert np.abs(area - parcels["registered_area_m2"].reindex(area.index)).max() < 1e-6
    record = json.loads((state / "tables" / "exchange_certificate.json").read_text(encoding="utf-8"))
    assert all(c["ok"] for c in record["checks"])
    balance = pd.DataFrame(read_frame(state / "tables" / "exchange_balance.parquet"))
    assert len(balance) == figures["owners"] and (balance["blocks_after"] <= balance["blocks_before"]).all()
    dataset = read_catalog(state)["exchange_parcel"]
    assert dataset.synthetic and dataset.lineage.parameters["distance_tolerance"] == 0.2
    assert {p.name for p in (project / "exchange").iterdir()} == {"调换前权属图.png", "调换后权属图.png", "权属调换附表.xlsx"}
    assert main(["undo", str(project), "--quiet"]) == 0
    assert "exchange_parcel" not in read_catalog(open_project(project).state)


def test_parcels_without_holders_are_an_error_and_nothing_is_written(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = open_project(project).generation
    rights = tmp_path / "rights.csv"
    rights.write_text("title_number,owner,share_num,share_den\nX,A,1,2\n", encoding="utf-8")
    assert main(["exchange", str(project), "--quiet", "--rights", str(rights)]) == 2
    assert "份额之和不等于 1: X (0.5)" in capsys.readouterr().err
    assert open_project(project).generation == before
