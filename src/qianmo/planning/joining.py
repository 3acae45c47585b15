"""Which fields become one under a plan (田块归并).

A patch with the measure ``merge_fields`` joins one neighbour: of the farmland of its class in its
village, as it is after the plan, the one with the longest border (the first of equals). Borders
shorter than ``merge_border_min_m`` do not join fields.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from qianmo.planning.parts import Parts
from qianmo.planning.settings import PlanSettings
from qianmo.schema.units import mu_to_m2

__all__ = ["MERGE", "field_groups", "fragment_credits", "lonely_merges"]

MERGE = "merge_fields"


def fragment_credits(parts: Parts, settings: PlanSettings) -> np.ndarray:
    """Small fields that each option makes fewer, (m,) (碎片减少量) [fields].

    Merging a small field is worth 1, or 1/2 where it and the neighbour it joins today stay small
    together (two small ones become one). Land below the threshold that becomes farmland is -1.
    The count that is reported comes from the fields after merging.
    """
    threshold = round(mu_to_m2(settings.value("small_patch_mu")), 2)
    small = np.round(parts.class_area, 2) < threshold
    partner = _partner(parts, np.where(parts.is_farmland, parts.class_code, ""), settings)
    together = np.round(parts.class_area + np.where(partner >= 0, parts.class_area[partner], 0.0), 2)
    merges = (parts.measure == MERGE) & small[parts.patch] & (partner[parts.patch] >= 0)
    makes = (parts.effects["new_farmland_m2"] > 0) & (np.round(parts.area_after, 2) < threshold)
    return np.where(merges, np.where(together[parts.patch] < threshold, 0.5, 1.0), 0.0) - makes


def lonely_merges(parts: Parts, settings: PlanSettings) -> np.ndarray:
    """Options that would merge a field with no farmland of its class and village beside it (无邻可并的归并选项)."""
    partner = _partner(parts, np.where(parts.is_farmland, parts.class_code, ""), settings)
    return np.flatnonzero((parts.measure == MERGE) & (partner[parts.patch] < 0))


def field_groups(parts: Parts, choice: np.ndarray, settings: PlanSettings) -> np.ndarray:
    """Group of each patch after the plan, (n,) int; patches of one group are one field (归并后田块组)."""
    done = np.flatnonzero(choice >= 0)
    farmland, merges = np.where(parts.is_farmland, parts.class_code, ""), np.zeros(parts.n, bool)
    farmland[done] = np.where(parts.to_farmland[choice[done]], parts.target_class[choice[done]], "")
    merges[done] = parts.measure[choice[done]] == MERGE
    partner = _partner(parts, farmland, settings)
    joins = np.flatnonzero(merges & (partner >= 0))
    graph = coo_array((np.ones(len(joins)), (joins, partner[joins])), shape=(parts.n, parts.n))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def _partner(parts: Parts, farmland: np.ndarray, settings: PlanSettings) -> np.ndarray:
    """Neighbour of the same farmland class ('' is no farmland) with the longest border, or -1, (n,) int."""
    i, j, length = parts.border_i, parts.border_j, parts.border_m
    use = (farmland[i] == farmland[j]) & (farmland[i] != "") & (parts.village[i] == parts.village[j])
    use &= length >= settings.value("merge_border_min_m")
    a, b = np.concatenate([i[use], j[use]]), np.concatenate([j[use], i[use]])
    metres = np.concatenate([length[use], length[use]])
    order = np.lexsort((-b, metres, a))
    partner = np.full(parts.n, -1)
    partner[a[order]] = b[order]
    return partner
