"""The chart of a fund is drawn with its numbers, the same bytes each time."""

from __future__ import annotations

from qianmo.reports.fund_chart import fund_chart


def test_the_same_fund_gives_the_same_picture_and_another_one_another():
    def drawn(last: float) -> bytes:
        return fund_chart([0, 5e6, 9e6], [4e6, 3e6, 1e6], {"累计余额": [-4e6, -2e6, last]}, title="资金平衡", base_year=2026, mark="合成")

    assert drawn(6e6).startswith(b"\x89PNG") and drawn(6e6) == drawn(6e6) != drawn(7e6)
