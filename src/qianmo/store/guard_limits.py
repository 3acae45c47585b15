"""Limits of what may come in (导入上限)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from qianmo.schema.rules import parameter

__all__ = ["Limits", "default_limits"]


@dataclass(frozen=True)
class Limits:
    """Limits of size, count, depth, memory and time for one import (导入上限).

    Each field is the parameter ``guard_<field>`` of ``schema/parameters/parameters.csv``; sizes in MB of 2**20 bytes.
    """

    file_max_mb: float
    zip_total_max_mb: float
    zip_ratio_max: float
    zip_ratio_floor_mb: float
    zip_entries_max: float
    name_max_bytes: float
    folder_depth_max: float
    fields_max: float
    features_max: float
    feature_vertices_max: float
    layer_vertices_max: float
    cells_max: float
    bands_max: float
    depth_max: float
    text_cell_max: float
    table_rows_max: float
    worker_memory_mb: float
    worker_seconds: float
    worker_output_mb: float
    worker_files: float


def default_limits(overrides: Mapping[str, float] | None = None) -> Limits:
    """Shipped limits, with any parameter overridden by name (默认上限).

    Parameters
    ----------
    overrides : mapping of str to float, optional
        Parameter name (``guard_zip_ratio_max`` …) to value.

    Raises
    ------
    RuleError
        A parameter is missing from the shipped list or is not a number.
    """
    return Limits(**{f.name: parameter(f"guard_{f.name}", overrides) for f in fields(Limits)})
