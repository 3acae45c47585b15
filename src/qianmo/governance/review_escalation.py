"""What is overdue and who must now see to it (逾期升级)."""

from __future__ import annotations

import pandas as pd

from qianmo.schema.shipped import shipped_rows

__all__ = ["escalations"]


def escalations(waits: pd.DataFrame) -> pd.DataFrame:
    """Waits that last beyond their term, with the level they have reached (逾期升级清单), the longest overdue first.

    Parameters
    ----------
    waits : DataFrame, table ``desk_wait``
        As `review_waiting.desk_waits` gives; suspended days are not counted there, so a suspended review does not rise.

    Returns
    -------
    DataFrame, columns step, department, seat, due, days_over, level, role, zh, en
        `days_over` counts working days beyond the term, 1 or more; `level` is the highest of ``codes/review_escalation.csv`` reached by
        them; `role` of the roster that must see to it. A level never falls while the wait lasts.
    """
    levels = sorted(((int(r["days_over"]), int(r["level"]), r["role"], r["zh"], r["en"]) for r in shipped_rows("codes", "review_escalation")), reverse=True)
    rows = []
    for w in waits[waits["closed"].isna()].itertuples() if len(waits) else ():
        over = int(w.days) - int(w.allowed_days)
        reached = next((x for x in levels if over >= x[0]), None)
        if reached is not None:
            rows.append((w.step, w.department, w.seat, w.due, over, *reached[1:]))
    made = pd.DataFrame(rows, columns=["step", "department", "seat", "due", "days_over", "level", "role", "zh", "en"])
    return made.sort_values(["days_over", "department"], ascending=[False, True], kind="stable").reset_index(drop=True)
