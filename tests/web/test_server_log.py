"""What the server says of itself goes to the log, not to the window of the office."""

from __future__ import annotations

import logging


def test_the_length_of_the_queue_is_told_once_a_minute_as_a_detail():
    from qianmo.web.server_log import QueueDepth

    now = [0.0]
    wanted = QueueDepth(lambda: now[0])

    def said(depth: int) -> logging.LogRecord | None:
        record = logging.LogRecord("waitress.queue", logging.WARNING, "", 0, "Task queue depth is %d", (depth,), None)
        return record if wanted.filter(record) else None

    first = said(3)
    assert first is not None and first.levelname == "DEBUG" and first.getMessage() == "Task queue depth is 3"
    assert said(4) is None and said(5) is None
    now[0] = 61.0
    assert said(6).getMessage() == "Task queue depth is 6; 2 more of these before it"


def test_nothing_of_the_server_reaches_the_window(desk, capfd):
    for name in ("waitress", "waitress.queue"):
        assert not logging.getLogger(name).propagate, name
    logging.getLogger("waitress.queue").warning("Task queue depth is %d", 9)
    told = capfd.readouterr()
    assert "queue depth" not in told.err + told.out
    assert "DEBUG waitress.queue Task queue depth is 9" in (desk / "desk.log").read_text(encoding="utf-8")
