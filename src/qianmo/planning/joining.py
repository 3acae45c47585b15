"""Which neighbouring fields become one field under a plan (田块归并).

A patch with the measure ``merge_fields``, and a patch that becomes farmland, joins the
neighbours of the same farmland class in the same village: land that stays or becomes such
farmland and is not itself a small field left unmerged.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from qianmo.planning.parts import Parts
from qianmo.planning.problem import Pairs, states
from qianmo.schema.units import mu_to_m2

__all__ = ["MERGE", "field_groups", "join_credits", "joinable_borders", "lonely_merges"]

MERGE = "merge_fields"


def joinable_borders(parts: Parts) -> Pairs:
    """Borders over which two fields may become one, weight = length [m] (可归并界线).

    At least one end can be merged or made farmland; state 1 means "joins".
    """
    merges, makes = parts.measure == MERGE, parts.effects["new_farmland_m2"] > 0
    has_merge = np.zeros(parts.n, bool)
    has_merge[parts.patch[merges]] = True
    can_be_new = np.zeros(parts.n, bool)
    can_be_new[parts.patch[makes]] = True
    join_class = np.where(parts.is_farmland, parts.class_code, "")
    join_class[parts.patch[makes][::-1]] = parts.target_class[makes][::-1]
    stays = parts.to_farmland & (parts.target_class == join_class[parts.patch])
    state = np.where(has_merge[parts.patch], merges, stays) & stays
    i, j = parts.border_i, parts.border_j
    starter = has_merge | can_be_new
    use = (join_class[i] == join_class[j]) & (join_class[i] != "") & (parts.village[i] == parts.village[j])
    use &= (starter[i] | starter[j]) & (parts.border_m > 0)
    state0 = parts.is_farmland & ~has_merge
    return Pairs("fewer_fragments", "减少碎片", i[use], j[use], parts.border_m[use], state0, state)


def join_credits(parts: Parts, *, small_mu: float) -> tuple[np.ndarray, Pairs, float]:
    """Linear amounts, pair bonuses and potential of the aim "fewer fragments" (碎片减少量).

    A small field that can merge is worth one field, shared among its joinable borders by length;
    a small patch that becomes farmland first counts as one small field more. This guides the
    choice; the count that is reported comes from the fields of `field_groups`.
    """
    small = parts.area < mu_to_m2(small_mu)
    borders = joinable_borders(parts)
    reach = np.zeros(parts.n)
    np.add.at(reach, borders.i, borders.weight)
    np.add.at(reach, borders.j, borders.weight)
    starter = np.zeros(parts.n, bool)
    starter[parts.patch[(parts.measure == MERGE) | (parts.effects["new_farmland_m2"] > 0)]] = True
    worth = np.where(small & starter & (reach > 0), 1.0, 0.0)
    share = np.divide(worth, reach, out=np.zeros(parts.n), where=reach > 0)
    weight = borders.weight * (share[borders.i] + share[borders.j])
    makes_small = (parts.effects["new_farmland_m2"] > 0) & small[parts.patch]
    linear = np.where(makes_small, -1.0, 0.0)
    alone = np.unique(parts.patch[makes_small & (worth[parts.patch] == 0)])
    pairs = Pairs(borders.aim, borders.zh, borders.i, borders.j, weight, borders.state0, borders.state)
    return linear, pairs, float(worth.sum() + len(alone))


def lonely_merges(parts: Parts) -> np.ndarray:
    """Options that would merge a field with nobody, as option numbers (无邻可并的归并选项)."""
    borders = joinable_borders(parts)
    met = np.zeros(parts.n, bool)
    met[borders.i] = met[borders.j] = True
    return np.flatnonzero((parts.measure == MERGE) & ~met[parts.patch])


def field_groups(parts: Parts, choice: np.ndarray) -> np.ndarray:
    """Group of each patch after the plan, (n,) int; patches of one group are one field (归并后田块组)."""
    borders = joinable_borders(parts)
    joins = states(borders, choice)
    worked = np.zeros(parts.n, bool)
    done = np.flatnonzero(choice >= 0)
    taken = choice[done]
    worked[done] = (parts.measure[taken] == MERGE) | (parts.effects["new_farmland_m2"][taken] > 0)
    use = joins[borders.i] & joins[borders.j] & (worked[borders.i] | worked[borders.j])
    graph = coo_array((np.ones(use.sum()), (borders.i[use], borders.j[use])), shape=(parts.n, parts.n))
    return connected_components(graph, directed=False)[1].astype(np.int64)
