"""Datasets to and from JSON, and reading a project's layers and tables (目录)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from qianmo.schema.dataset import Candidate, Dataset, Decision, Lineage

__all__ = ["dataset_from_json", "dataset_to_json"]


def dataset_to_json(dataset: Dataset) -> dict[str, Any]:
    """One dataset as plain values."""
    return asdict(dataset)


def dataset_from_json(record: dict[str, Any]) -> Dataset:
    """One dataset from plain values."""
    lineage = dict(record["lineage"])
    lineage["decisions"] = tuple(
        Decision(d["question"], d["chosen"], tuple(Candidate(c["value"], c["score"], tuple(c["reasons"])) for c in d["candidates"]))
        for d in lineage["decisions"]
    )
    return Dataset(**{**record, "lineage": Lineage(**lineage)})
