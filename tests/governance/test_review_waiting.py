"""Statistics say at which desk the days were lost."""

from __future__ import annotations

from datetime import date

import pandas as pd

from qianmo.governance.review_waiting import desk_changes, desk_waits, parallel_days, waiting_by_desk

TODAY = date(2026, 4, 30)


def test_waits_open_and_close_with_the_desks(desk):
    d = desk().opened()
    d.opine("zi", "1", hours=24)
    d.opine("nong", "2", hours=48)
    d.opine("sheng", "3", hours=24 * 14)
    waits = desk_waits(d.events, today=TODAY)
    row = waits[waits["step"] == "opinion"].set_index("department")
    assert row["days"].to_dict() == {"自然资源": 1, "农业农村": 3, "生态环境": 13}
    assert row["is_late"].to_dict() == {"自然资源": False, "农业农村": False, "生态环境": True}
    last = waits.iloc[-1]
    assert (last["step"], pd.isna(last["closed"]), last["due"]) == ("meeting", True, date(2026, 3, 26))


def test_the_last_day_of_the_term_is_on_time(desk):
    for hours, late in ((24 * 14 - 4, False), (24 * 15 - 4, True)):
        d = desk().opened()
        d.opine("zi", "1", hours=hours)
        row = desk_waits(d.events, today=TODAY).set_index("department").loc["自然资源"]
        assert (row["days"], row["is_late"], row["closed"] > row["due"]) == (11 if late else 10, late, late)


def test_suspended_days_are_nobodys(desk):
    d = desk().opened()
    d.do("suspend", "mi", reason="等待", hours=24)
    d.do("resume", "mi", hours=24 * 7)
    d.opine("zi", "1")
    waits = desk_waits(d.events, today=TODAY)
    assert waits.set_index("department").loc["自然资源", "days"] == 1


def test_the_desk_that_lost_most_days_comes_first(desk):
    d = desk().opened()
    d.opine("zi", "1", hours=24)
    d.opine("nong", "2", hours=24 * 30)
    d.opine("sheng", "3")
    table = waiting_by_desk(desk_waits(d.events, today=d.now.date()))
    assert table.iloc[0]["department"] in ("农业农村", "生态环境") and table.iloc[0]["days_lost"] > 0
    assert table.set_index("department").loc["自然资源", "on_time"] == 1.0


def test_a_desk_that_never_changed_a_verdict_is_named(desk):
    a = desk().opened().all_in(("pass", "condition", "pass"))
    b = desk().opened().all_in(("pass", "pass", "pass"))
    b.do("return", "mi", reason="补件")
    table = desk_changes([a.state, b.state]).set_index("department")
    assert table["adds_nothing"].to_dict() == {"农业农村": False, "生态环境": True, "自然资源": True, "联席办": False}
    assert table.loc["联席办", "returns"] == 1 and table.loc["农业农村", "opinions"] == 2


def test_n03_20_sequential_steps_simulated_in_parallel_show_the_new_cycle_time():
    waits = pd.DataFrame({"step": ["opinion"] * 20, "round": [1] * 20, "days": [3] * 19 + [8]})
    assert parallel_days(waits) == {"sequential": 65, "parallel": 8}


def test_no_review_gives_empty_tables():
    waits = desk_waits([], today=TODAY)
    assert waits.empty and waiting_by_desk(waits).empty and desk_changes([]).empty
    assert parallel_days(waits) == {"sequential": 0, "parallel": 0}
