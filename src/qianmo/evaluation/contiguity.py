"""Contiguity of cultivated land: blocks, their classes and an index (耕地集中连片度)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd

from qianmo.evaluation.classes import farmland
from qianmo.geo.blocks import blocks
from qianmo.schema.rules import parameter, rule
from qianmo.schema.tables import require_columns
from qianmo.schema.units import mu_to_m2

__all__ = ["block_bins", "block_labels", "contiguity", "contiguity_index", "farmland_blocks", "share_in_large_blocks"]


@cache
def block_bins() -> tuple[float, ...]:
    """Upper limits of the contiguity classes (连片程度分档上限) [mu], read from rule Z-07."""
    return tuple(float(x) for x in re.findall(r",(\d+)\]", rule("Z-07").formula))


@cache
def block_labels() -> tuple[str, ...]:
    """Labels of the contiguity classes (连片程度分档), smallest first."""
    limits = [f"{x:g}" for x in block_bins()]
    middle = [f"{a}-{b}亩" for a, b in pairwise(limits)]
    return (f"≤{limits[0]}亩", *middle, f">{limits[-1]}亩")


def farmland_blocks(
    patches: gpd.GeoDataFrame, *, scheme: str, overrides: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """Block of each farmland patch (耕地连片地块).

    Patches closer than parameter ``contig_buffer_m`` are one block: a road or canal narrower than that does not split.

    Returns
    -------
    DataFrame
        row (position in `patches`), block (number from 0), area_m2 (class area of the patch), block_area_m2.
    """
    require_columns("landuse_patch", list(patches.columns))
    rows = np.flatnonzero(farmland(patches, scheme=scheme))
    area = patches["class_area_m2"].to_numpy(float)[rows]
    if not len(rows):
        return pd.DataFrame({"row": rows, "block": rows, "area_m2": area, "block_area_m2": area})
    ids = np.asarray(blocks(patches.geometry.to_numpy()[rows], gap_m=parameter("contig_buffer_m", overrides)))
    _, ids = np.unique(ids, return_inverse=True)
    sums = np.bincount(ids, weights=area)
    return pd.DataFrame({"row": rows, "block": ids, "area_m2": area, "block_area_m2": sums[ids]})


def contiguity(block_table: pd.DataFrame) -> pd.DataFrame:
    """Blocks and area in each contiguity class of rule Z-07 (连片程度分档表).

    Parameters
    ----------
    block_table : DataFrame
        Result of :func:`farmland_blocks`.

    Returns
    -------
    DataFrame
        class_label, blocks, area_m2, share of the area; every class has a row. A block of exactly 5 mu is in the first.
    """
    sums = block_table.groupby("block")["area_m2"].sum().to_numpy(float)
    limits = np.round([mu_to_m2(x) for x in block_bins()], 2)
    klass = np.searchsorted(limits, np.round(sums, 2), side="left")
    k = len(limits) + 1
    area = np.bincount(klass, weights=sums, minlength=k).round(2)
    return pd.DataFrame({
        "class_label": block_labels(),
        "blocks": np.bincount(klass, minlength=k),
        "area_m2": area,
        "share": area / area.sum() if area.sum() else np.zeros(k),
    })  # fmt: skip


def contiguity_index(block_table: pd.DataFrame) -> float:
    r"""Contiguity index (集中连片度指数) :math:`C = \sum A_b^2 / (\sum A_b)^2`.

    From near 0 (many small blocks) to 1 (one block); NaN without farmland.
    """
    sums = block_table.groupby("block")["area_m2"].sum().to_numpy(float)
    total = sums.sum()
    return float((sums**2).sum() / total**2) if total else float("nan")


def share_in_large_blocks(block_table: pd.DataFrame, *, overrides: Mapping[str, float] | None = None) -> float:
    """Share of the farmland in blocks of at least ``contig_block_min_mu`` (连片耕地占比), 0 to 1; NaN without farmland."""
    total = block_table["area_m2"].sum()
    limit = round(mu_to_m2(parameter("contig_block_min_mu", overrides)), 2)
    large = block_table["block_area_m2"].round(2) >= limit
    return float(block_table.loc[large, "area_m2"].sum() / total) if total else float("nan")
