"""A review by commands: three departments, a return, a delegated signature, a document; kills lose nothing."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pypdfium2
import pytest

from qianmo.governance.review_rights import local_day
from qianmo.jobs.context import Context
from qianmo.jobs.registry import job_spec
from qianmo.jobs.review.decision import day_words
from qianmo.jobs.review.opened import open_review
from qianmo.jobs.spec import JobReport, checked_values
from qianmo.schema.errors import ChoiceNeededError, MissingDataError, NotAllowedError, ReviewRefusedError, SchemaError
from qianmo.store.project import change, undo
from qianmo.store.review_packages import read_package

START = datetime(2026, 3, 2, 1, tzinfo=UTC)


class Office:
    """Runs commands on a project with a clock that moves an hour each time."""

    def __init__(self, project: Path) -> None:
        self.project, self.now = project, START

    def run(self, job: str, **values) -> JobReport:
        self.now += timedelta(hours=1)
        spec = job_spec(job)
        return spec.run(Context(user="账号", clock=lambda: self.now), checked_values(spec, {"project": str(self.project), **values}))

    def do(self, verb: str, actor: str, **values) -> JobReport:
        return self.run("review-do", verb=verb, actor=actor, **values)

    def sign(self, actor: str, department: str, folder: Path, **values) -> JobReport:
        """Take the form of the department, complete it, sign."""
        out = folder / f"{department}.csv"
        self.run("review-form", department=department, out=str(out))
        with open(out, encoding="utf-8-sig", newline="") as handle:
            rows = list(csv.DictReader(handle))
        for row in rows:
            row["answer"] = row["answer"] or "na"
            row["reason"] = "已核对" if row["suggested"] in ("reject", "condition") else ""
        with open(out, "w", encoding="utf-8-sig", newline="") as handle:
            writer = csv.DictWriter(handle, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        version = open_review({"project": self.project}).state.package[:12]
        return self.do("opine", actor, version=version, answers=str(out), **{"result": "pass", **values})


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("review") / "project"
    for job, values in (("village", {"into": str(folder), "patches": 80, "villages": 2}), ("evaluate", {"project": str(folder)})):
        spec = job_spec(job)
        spec.run(Context(user="账号", clock=lambda: START), checked_values(spec, values))
    return folder


@pytest.fixture
def office(evaluated, tmp_path, repo) -> Office:
    shutil.copytree(evaluated, tmp_path / "project", symlinks=True)
    made = Office(tmp_path / "project")
    made.run("review-open", file=str(repo / "examples" / "review" / "roster.toml"))
    return made


def test_a_review_with_a_return_and_a_delegated_signature_ends_in_a_document(office, tmp_path):
    office.do("accept", "mi")
    office.do("distribute", "mi")
    office.do("return", "zi", reason="缺公示照片")
    photo = tmp_path / "公示照片.txt"
    photo.write_text("照片", encoding="utf-8")
    again = office.run("review-resubmit", actor="shen", reason="已补公示照片", document=[str(photo)])
    assert again.figures["round"] == 2 and again.figures["changes"] == 1 and "公示照片.txt" in again.lines[1]
    office.do("delegate", "zi", to="ran", until="2026-04-01", reason="出差")
    office.sign("ran", "自然资源", tmp_path)
    office.sign("nong", "农业农村", tmp_path, result="condition", reason="缺评定", condition=["补充评定"], due="2026-05-01")
    with pytest.raises(ReviewRefusedError) as caught:
        office.do("decide", "xian")
    assert caught.value.code == "opinions_missing" and "生态环境" in caught.value.zh
    office.sign("sheng", "生态环境", tmp_path)
    office.sign("mi", "联席办", tmp_path)
    office.do("convene", "mi")
    agenda = [a for a, _ in open_review({"project": office.project}).state.meetings[0].agenda]
    for who in ("zi", "nong", "sheng"):
        office.do("attend", who)
        for item in agenda:
            office.do("vote", who, item=item, choice="yes")
    office.do("close_meeting", "mi", minutes="议定有条件同意。")
    draft = office.run("review-decision")
    assert "征求意见稿" in draft.files[0][0]
    office.do("decide", "xian")
    decided = day_words(local_day(office.now))
    final = office.run("review-decision", office="游乌县人民政府")
    assert final.figures == {"outcome": "condition", "final": True} and all(Path(p).stat().st_size > 10_000 for p, _ in final.files)
    office.now += timedelta(days=40)
    office.run("review-decision", out=str(tmp_path / "later"))
    cover = pypdfium2.PdfDocument(next((tmp_path / "later").glob("*.pdf")))[0].get_textpage().get_text_bounded().replace(" ", "")
    assert "出具单位：县政府" in cover and f"出具日期：{decided}" in cover and "坐标系统：2000国家大地坐标系3度带" in cover and "EPSG" not in cover
    shown = office.run("review-state", log=True)
    assert shown.figures["phase"] == "DONE" and shown.figures["opinions"] == 4 and any("受赵自强委托" in line for line in shown.lines)
    days = office.run("review-waiting")
    assert days.figures["parallel"] <= days.figures["sequential"] and any("退回 1 次" in line for line in days.lines)


def test_undo_of_a_plan_takes_no_opinion_back(office, tmp_path):
    office.do("accept", "mi")
    office.do("distribute", "mi")
    office.sign("nong", "农业农村", tmp_path)
    undo(office.project)
    review = open_review({"project": office.project})
    assert len(review.state.opinions) == 1
    record, tables = read_package(review.folder, review.state.package)
    assert record["lineage"]["generation"] == 2 and len(tables["review_point"]) == 37
    assert (review.folder / "packages" / review.state.package[:12] / "content" / "tables" / "verdicts.parquet").is_file()


def test_the_same_project_gives_the_same_version_and_a_changed_one_another(office, repo, tmp_path):
    roster = tmp_path / "roster.toml"
    text = (repo / "examples" / "review" / "roster.toml").read_text(encoding="utf-8")
    roster.write_text(text.replace("2026-01", "again"), encoding="utf-8")
    first = open_review({"project": office.project}).state.package
    assert office.run("review-open", file=str(roster)).figures["package"] == first
    with pytest.raises(ChoiceNeededError):
        office.run("review-state")
    with change(office.project, what="改", user="x", now=office.now) as stage:
        stage.put_table("extra", pd.DataFrame({"a": [1]}))
    roster.write_text(text.replace("2026-01", "third"), encoding="utf-8")
    assert office.run("review-open", file=str(roster)).figures["package"] != first


def test_wrong_input_is_refused_and_leaves_the_log_as_it_was(office, tmp_path, repo):
    log = office.project / "reviews" / "2026-01" / "events.jsonl"
    before = log.read_bytes()
    roster = str(repo / "examples" / "review" / "roster.toml")
    with pytest.raises(NotAllowedError, match="已经存在"):
        office.run("review-open", file=roster)
    bad = tmp_path / "bad.toml"
    bad.write_text('id = "b"\napplicant = "shen"\n[[person]]\nid = "shen"\n', encoding="utf-8")
    with pytest.raises(SchemaError, match="person"):
        office.run("review-open", file=str(bad))
    with pytest.raises(ReviewRefusedError):
        office.do("accept", "zi")
    with pytest.raises(MissingDataError):
        office.run("review-state", review="nothing")
    with pytest.raises(MissingDataError):
        office.run("review-form", department="气象")
    with pytest.raises(SchemaError):
        office.do("copy", "mi", data=str(tmp_path / "gone.json"))
    office.do("accept", "mi")
    office.do("distribute", "mi")
    with pytest.raises(ReviewRefusedError, match="办理内容不完整"):
        office.do("opine", "zi", result="pass")
    with pytest.raises(ReviewRefusedError) as caught:
        office.do("opine", "zi", result="pass", version="0" * 12)
    assert caught.value.code == "wrong_package"
    assert log.read_bytes().startswith(before) and log.read_bytes().count(b"\n") == 3


def test_a_request_sent_twice_counts_once(office):
    office.do("accept", "mi", request="r-1")
    office.now -= timedelta(hours=1)
    office.do("accept", "mi", request="r-1")
    assert open_review({"project": office.project}).state.phase == "ACCEPTED"
    assert len(open_review({"project": office.project}).events) == 2


WRITER = """
import sys
from pathlib import Path
from datetime import datetime, UTC
from qianmo.governance.review_rights import local_day
from qianmo.jobs.context import Context
from qianmo.jobs.review.opened import add_event
for n in range(10000):
    event, state = add_event(Path(sys.argv[1]), "copy", "mi", Context(user="u"), lambda s: {"to": "du", "n": n}, event_id=f"{sys.argv[2]}-{n}")
    print(event.id, flush=True)
"""


def test_a_killed_process_loses_no_acknowledged_move(office):
    folder = office.project / "reviews" / "2026-01"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(folder), "k"], stdout=subprocess.PIPE, text=True, env=os.environ)
    said = [writer.stdout.readline().strip()]
    time.sleep(0.3)
    writer.send_signal(signal.SIGKILL)
    said += [line.strip() for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    writer.wait()
    kept = [e.id for e in open_review({"project": office.project}).events]
    assert len(said) > 3 and set(said) <= set(kept)
    office.do("accept", "mi")
    assert open_review({"project": office.project}).state.phase == "ACCEPTED"
