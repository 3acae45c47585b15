"""Blank cells, whatever a table writes for them (空值)."""

from __future__ import annotations

from typing import Any

import pandas as pd

__all__ = ["is_blank", "or_else"]


def is_blank(value: Any) -> bool:
    """True for None, NA, NaN, NaT and '' (是否为空)."""
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    return bool(isinstance(value, float) and value != value) or (isinstance(value, str) and value == "")


def or_else(value: Any, default: Any) -> Any:
    """The value, or the default for a blank (空则取缺省值)."""
    return default if is_blank(value) else value
