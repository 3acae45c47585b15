"""Which states of a project are kept, and that undo finds the one before even after many that were undone."""

from __future__ import annotations

from datetime import UTC, datetime

from qianmo.store.project import change, history, open_project, undo

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def _changed(folder, what: str) -> int:
    with change(folder, what=what, user="甲", now=NOW) as stage:
        stage.put_json("note", {"what": what})
    return open_project(folder).generation


def test_ten_states_are_kept_and_the_oldest_go(tmp_path):
    folder = tmp_path / "项目"
    last = [_changed(folder, f"第{n}步") for n in range(13)][-1]
    assert [g.number for g in history(folder)] == list(range(last - 9, last + 1))


def test_the_state_before_is_kept_however_many_were_undone_since(tmp_path):
    folder = tmp_path / "项目"
    first = _changed(folder, "原样")
    for n in range(14):
        assert _changed(folder, f"试{n}") != first
        undo(folder)
        assert open_project(folder).generation == first
    last = _changed(folder, "终稿")
    assert undo(folder).number == last and open_project(folder).generation == first
