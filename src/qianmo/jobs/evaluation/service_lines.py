"""The plan recomputed exactly, as a table and as lines of the report (方案生态服务复算)."""

from __future__ import annotations

from typing import Any

import pandas as pd

from qianmo.evaluation.service_check import service_check
from qianmo.evaluation.services import QUANTITIES
from qianmo.jobs.opened import Opened

__all__ = ["checked_services", "service_lines"]


def checked_services(opened: Opened, options: pd.DataFrame, after: pd.DataFrame, borders: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Table ``service_check`` by name; nothing for options that were evaluated before there were coefficients."""
    if not set(QUANTITIES) <= set(options.columns):
        return {}
    return {"service_check": service_check(opened.patches, after, options, borders, scheme=opened.scheme, overrides=opened.overrides)}


def service_lines(table: pd.DataFrame | None) -> list[str]:
    """One line a quantity: linear, exact, error (线性化误差)."""
    if table is None:
        return ["  生态服务: 潜力表没有系数, 未复算 (重新运行 qianmo evaluate)"]
    return [_line(r) for r in table.to_dict("records")]


def _line(r: dict[str, Any]) -> str:
    if pd.isna(r["exact"]):
        return f"  {r['zh']}: 缺数据, 无法复算"
    share = "" if pd.isna(r["error_rel"]) else f", 相对 {r['error_rel']:+.2%}"
    part = "" if r["known_share"] > 1 - 1e-9 else f"; 仅 {r['known_share']:.1%} 面积可算"
    return f"  {r['zh']}: 线性 {r['linear']:+.2f}, 精确 {r['exact']:+.2f} {r['unit']} (线性化误差 {r['error']:+.2f}{share}{part})"


