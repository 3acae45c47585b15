"""Tables of pages as Excel files; the red line's among them (页面表格导出)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qianmo.reports.table_workbook import table_workbook
from qianmo.schema.units import M2_PER_HA, MU_PER_HA

__all__ = ["red_line_table", "table_workbook"]

_HEADS = (("图层 layer", "text"), ("分类 class", "text"), ("图斑数 rows", "count"), ("面积(m²)", "area"), ("面积(公顷 ha)", "area"), ("面积(亩 mu)", "area"),
          ("合成 synthetic", "text"))  # fmt: skip


def red_line_table(title: str, area_m2: float, covered: Sequence[Mapping[str, Any]]) -> bytes:
    """A workbook with a line a layer and a line a class below it; the area of the red line itself is the last (占压分析表)."""
    rows = []
    for layer in covered:
        parts = [("", layer["rows"], layer["area_m2"]), *((g["label"], g["rows"], g["area_m2"]) for g in layer["groups"])]
        rows += [[layer["layer_zh"], label, count, *_sizes(size), "合成" if layer["synthetic"] else ""] for label, count, size in parts]
    return table_workbook(title, _HEADS, rows, whole=["红线 red line", "", None, *_sizes(area_m2), ""])


def _sizes(area_m2: float) -> tuple[float, float, float]:
    """Square metres, hectares, mu."""
    return area_m2, area_m2 / M2_PER_HA, area_m2 / M2_PER_HA * MU_PER_HA
