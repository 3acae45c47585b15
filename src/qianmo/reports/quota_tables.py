"""Printed tables of a provincial quota: shares of the counties and what they pass on (指标分配附表)."""

from __future__ import annotations

import pandas as pd

from qianmo.schema.book import BookColumn, BookTable

__all__ = ["share_table", "transfer_table"]


def share_table(frame: pd.DataFrame, *, unit: str, kind: str, note: str) -> BookTable:
    """Shares by county (指标分配表).

    Parameters
    ----------
    frame : DataFrame
        Columns code, name, stock, demand, potential, ecology_limit, score, floor, cap (NaN: none), share, gap.
    kind : {"task", "quota"}
        What the gap compares: what a county holds with its task, or its quota with its demand.
    """
    gap = "现有减任务" if kind == "task" else "指标减需求"
    columns = (
        BookColumn("code", "行政区代码"), BookColumn("name", "县 (市、区)"), BookColumn("stock", "现有", unit, "#,##0.00"), BookColumn("demand", "需求", unit, "#,##0.00"),
        BookColumn("potential", "潜力", unit, "#,##0.00"), BookColumn("ecology_limit", "生态约束", "", "0.00"), BookColumn("score", "得分", "", "0.0000"),
        BookColumn("floor", "保底", unit, "#,##0.00"), BookColumn("cap", "上限", unit, "#,##0.00"), BookColumn("share", "分配", unit, "#,##0.00"),
        BookColumn("gap", gap, unit, "#,##0.00"),
    )  # fmt: skip
    return BookTable("quota_share", "省级统筹指标分配表", frame[[c.name for c in columns]], columns, sums=("stock", "demand", "potential", "floor", "share", "gap"), note=note)


def transfer_table(frame: pd.DataFrame, *, unit: str) -> BookTable:
    """What one county passes on to another (调剂方案表); columns origin, destination, amount."""
    columns = (BookColumn("origin", "调出"), BookColumn("destination", "调入"), BookColumn("amount", "数量", unit, "#,##0.00"))
    return BookTable("quota_transfer", "县际调剂建议表", frame[["origin", "destination", "amount"]], columns, sums=("amount",), empty="没有可以调剂的盈余或没有缺口")
