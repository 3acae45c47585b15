"""The library outlives kill -9: what was answered is there and counts once."""

from __future__ import annotations

import importlib.util
import re
import shutil
import signal
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from qianmo.jobs.context import Context
from qianmo.jobs.library.store import open_library
from qianmo.jobs.make_village import run as make_village
from qianmo.jobs.registry import job_spec
from qianmo.jobs.spec import checked_values
from qianmo.store.project import change

REPO = Path(__file__).resolve().parents[2]


def _part(name: str):
    spec = importlib.util.spec_from_file_location(f"library_kill_{name}", Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


browser, DeskClient = _part("browser"), _part("desk_client").DeskClient


def _value(page: str, name: str) -> str:
    return re.search(rf'name="{name}" value="([^"]*)"', page).group(1)


def test_a_payment_and_projects_from_the_plan_outlive_the_desk_and_count_once(tmp_path):
    project = tmp_path / "project"
    context = Context(user="测试", clock=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    make_village(context, checked_values(job_spec("village"), {"into": str(project), "patches": 100, "villages": 2}))
    files = sorted(str(p) for p in (REPO / "examples" / "library").glob("*.csv"))
    job_spec("library-import").run(context, checked_values(job_spec("library-import"), {"project": str(project), "files": files}))
    part = {"subproject_id": "GH-1", "project_class": "生态保护修复", "name": "河岸", "village_code": "", "village_name": "甲子村", "measure": "pond_to_wetland", "patches": 1, "area_m2": 10.0,
            "new_farmland_m2": 0.0, "cost_yuan": 100.0, "start_year": 2028, "end_year": 2029}  # fmt: skip
    with change(project, what="方案", user="测试", now=datetime(2026, 1, 3, tzinfo=UTC)) as stage:
        stage.put_table("subproject", pd.DataFrame([part]))
    client = DeskClient()
    with browser.served(project) as (client.home, first, process):
        token = first.split("token=")[1]
        assert client.post("/setup/", {"username": "主任", "password1": browser.PASSWORD, "password2": browser.PASSWORD, "token": token})[0] == 302
        taken = {"generation": _value(client.get("/library/from-plan/")[1], "generation"), "project": "GH-1"}
        paid = {"year": "2027", "amount": "100.5", "reason": "凭证 1", "mark-2027": _value(client.get("/library/funds/of/ST-ND/")[1], "mark-2027")}
        assert client.post("/library/from-plan/", taken)[0] == 302
        status = client.post("/library/funds/of/ST-ND/pay/", paid, page="/library/funds/of/ST-ND/")[0]
        process.send_signal(signal.SIGKILL)
        assert status == 302
    with browser.served(project) as (client.home, _, process):
        assert client.post("/library/from-plan/", taken)[0] == 409, "a list that is old is refused"
        assert client.post("/library/funds/of/ST-ND/pay/", paid, page="/library/funds/of/ST-ND/")[0] == 422, "a payment that is sent again is refused"
    found = open_library(project)
    assert found.projects["project_id"].tolist().count("GH-1") == 1
    years = found.tables["library_fund_year"]
    assert years[(years["fund_id"] == "ST-ND") & (years["year"] == 2027)]["paid_yuan"].tolist() == [200_100.5]
    assert found.changes["source"].str.startswith("拨付登记").sum() == 1
    shutil.rmtree(project)
