"""An acknowledged event is never lost, and a changed log is found."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from qianmo.schema.errors import MissingDataError, NotAllowedError, SchemaError
from qianmo.store.lock import writer_lock
from qianmo.store.review_log import append_event, last_hash, read_log, review_folder, review_ids

WRITER = """
import sys
from pathlib import Path
from qianmo.store.review_log import append_event
folder, name = Path(sys.argv[1]), sys.argv[2]
for n in range(100000):
    entry = append_event(folder, lambda past: {"id": f"{name}-{n}", "text": "意见" * 200}, user="u")
    print(entry["n"], f"{name}-{n}", flush=True)
"""


def add(folder: Path, name: str) -> None:
    append_event(folder, lambda past: {"id": name, "seen": len(past)}, user="测试员")


def test_events_come_back_in_order_with_who_wrote_them(tmp_path):
    folder = review_folder(tmp_path, "2026-甲")
    for name in "abc":
        add(folder, name)
    assert [(e["n"], e["user"], e["event"]["id"], e["event"]["seen"]) for e in read_log(folder)] == [(1, "测试员", "a", 0), (2, "测试员", "b", 1), (3, "测试员", "c", 2)]
    assert review_ids(tmp_path) == ["2026-甲"]
    first = last_hash(folder)
    add(folder, "d")
    assert first[0] == 3 and last_hash(folder)[0] == 4 and last_hash(folder)[1] != first[1]
    assert append_event(folder, lambda past: None, user="x") is None and len(read_log(folder)) == 4


def test_a_refused_event_leaves_nothing_behind(tmp_path):
    folder = review_folder(tmp_path, "a")
    add(folder, "a")
    before = (folder / "events.jsonl").read_bytes()

    def refuse(past):
        raise NotAllowedError("不行")

    with pytest.raises(NotAllowedError, match="不行"):
        append_event(folder, refuse, user="x")
    assert (folder / "events.jsonl").read_bytes() == before


@pytest.mark.parametrize("cut", [1, 20, 90])
def test_a_torn_last_line_was_never_acknowledged_and_is_cut_off(tmp_path, cut):
    folder = review_folder(tmp_path, "a")
    add(folder, "a")
    add(folder, "b")
    path = folder / "events.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    assert [e["event"]["id"] for e in read_log(folder)] == ["a"]
    add(folder, "c")
    assert [e["event"]["id"] for e in read_log(folder)] == ["a", "c"]


def test_any_changed_byte_of_the_log_is_found_at_its_line(tmp_path):
    folder = review_folder(tmp_path, "a")
    for name in "abc":
        add(folder, name)
    path = folder / "events.jsonl"
    whole = path.read_bytes()
    second = whole.index(b"\n") + 1
    for place in range(second, whole.index(b"\n", second), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(SchemaError, match="第 2 行"):
            read_log(folder)
    lines = whole.splitlines(keepends=True)
    for wrong in ([lines[1], lines[2]], [lines[0], lines[2]], [lines[0], lines[2], lines[1]]):
        path.write_bytes(b"".join(wrong))
        with pytest.raises(SchemaError):
            read_log(folder)


def test_wrong_names_and_missing_reviews_are_told(tmp_path):
    for name in ("", "../x", "a/b", ".hidden", "长" * 65):
        with pytest.raises(SchemaError):
            review_folder(tmp_path, name)
    with pytest.raises(MissingDataError):
        read_log(review_folder(tmp_path, "a"))
    assert review_ids(tmp_path) == []


def test_a_second_writer_waits_and_then_gives_up(tmp_path):
    folder = review_folder(tmp_path, "a")
    add(folder, "a")
    with writer_lock(folder / ".lock"), pytest.raises(NotAllowedError):
        append_event(folder, lambda past: {"id": "b"}, user="x", wait_s=0.05)


def test_no_acknowledged_event_is_lost_when_two_writers_are_killed(tmp_path):
    folder = review_folder(tmp_path, "a")
    acknowledged: set[str] = set()
    for turn in range(3):
        writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(folder), f"{turn}{w}"], stdout=subprocess.PIPE, text=True, env=os.environ) for w in "xy"]
        lines = [w.stdout.readline() for w in writers]
        time.sleep(0.05 + 0.03 * turn)
        for w in writers:
            w.send_signal(signal.SIGKILL)
        for w, first in zip(writers, lines):
            acknowledged |= {line.split()[1] for line in [first, *w.stdout.read().splitlines(keepends=True)] if line.endswith("\n")}
            w.wait()
    kept = [e["event"]["id"] for e in read_log(folder)]
    assert len(acknowledged) > 20 and acknowledged <= set(kept) and len(set(kept)) == len(kept)
    add(folder, "after")
    assert read_log(folder)[-1]["event"]["id"] == "after"
