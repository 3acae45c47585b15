"""Records of datasets, lineage and faults (数据集、血缘、问题)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["FAULT_COLUMNS", "SEVERITIES", "Candidate", "Dataset", "Decision", "Lineage"]

SEVERITIES = ("error", "warning", "info")

FAULT_COLUMNS = ("layer", "row", "feature_id", "rule", "severity", "what", "found", "expected", "cure", "repairable")
"""Columns of every table of faults; with a geometry column where the place is known."""


@dataclass(frozen=True)
class Candidate:
    """One answer a detective considered (候选). `score` from 0 to 1; `reasons` in words."""

    value: str
    score: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decision:
    """What a detective chose and what it left behind (判定).

    `chosen` is '' when no candidate wins clearly: then the caller must stop and ask.
    """

    question: str
    chosen: str
    candidates: tuple[Candidate, ...]

    @property
    def is_clear(self) -> bool:
        """True when one candidate won."""
        return bool(self.chosen)


@dataclass(frozen=True)
class Lineage:
    """Where a dataset came from (血缘)."""

    source: str
    source_sha256: str
    tool: str
    time: str
    user: str
    parameters: dict[str, Any] = field(default_factory=dict)
    decisions: tuple[Decision, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """One layer of a project: what it is, where it lies, where it came from (数据集).

    `kind` is a table name of ``schema/tables`` or 'raster'; `class_scheme` is '' where no land class is carried;
    `synthetic` marks invented data that every page must show.
    """

    name: str
    kind: str
    zh: str
    crs: str
    class_scheme: str
    vintage: str
    synthetic: bool
    rows: int
    lineage: Lineage
