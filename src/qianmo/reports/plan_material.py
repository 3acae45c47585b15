"""What the chapters of a plan are written from (方案素材)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from qianmo.reports.plan_tables import column_totals
from qianmo.reports.table_frames import Results, certificate_of, result_frame
from qianmo.schema.book import Block, BookTable, Bullets, Heading, Paragraph, TableBlock

__all__ = ["REQUIRED_TABLES", "Material", "points", "section"]

REQUIRED_TABLES = (
    "land_structure", "flow", "indicators", "potential_summary", "subproject", "year_plan", "cost_by_measure", "basic_farmland_form",
    "tenure", "risks",
)  # fmt: skip
"""The ten tables every plan has; one without data says which data is missing."""

_NUMERALS = "一二三四五六七八九十"


@dataclass(frozen=True, eq=False)
class Material:
    """Results, tables and the facts of the cover (方案素材)."""

    results: Results
    tables: dict[str, BookTable]
    project_name: str
    office: str
    date: str
    vintage: str
    crs_text: str
    synthetic: tuple[str, ...]
    maps: frozenset[str]
    swaps_basic_farmland: bool | None

    def frame(self, key: str) -> pd.DataFrame | None:
        """A result table, None where it is missing or empty."""
        return result_frame(self.results, key)

    @property
    def certificate(self) -> dict[str, Any]:
        """The certificate of the plan, empty where there is none."""
        return certificate_of(self.results)

    def has(self, key: str) -> bool:
        """True when the printed table has rows."""
        return key in self.tables and len(self.tables[key].frame) > 0

    def total(self, key: str, column: str) -> float:
        """Figure of the total row of a printed table."""
        return column_totals(self.tables[key])[column]

    def see(self, key: str, *, map_key: str = "") -> str:
        """Reference in brackets to a table, and to a map where the book has it."""
        parts = [f"[[table:{key}]]"] if key and (self.has(key) or key in REQUIRED_TABLES) else []
        parts += [f"[[map:{map_key}]]"] if map_key in self.maps else []
        return f"（见{'、'.join(parts)}）" if parts else ""

    def place(self, *keys: str) -> list[Block]:
        """The tables at this place; a missing one becomes a sentence unless every plan must show it."""
        return [TableBlock(k) if self.has(k) or k in REQUIRED_TABLES else Paragraph(f"{self.tables[k].empty}。") for k in keys]


def section(number: int, title: str) -> Heading:
    """A numbered section heading: 一、编制目的."""
    return Heading(f"{_NUMERALS[number - 1]}、{title}")


def points(items: Sequence[str]) -> Bullets:
    """A list whose points end with ； and the last with 。"""
    bare = [i.rstrip("；。;.") for i in items]
    return Bullets(tuple(f"{i}{'；' if n < len(bare) else '。'}" for n, i in enumerate(bare, start=1)))
