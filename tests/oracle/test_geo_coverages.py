"""Borders, gaps and blocks against pairwise geometry and a hand-made union-find."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import shapely

from qianmo.geo.adjacency import shared_borders, shared_borders_noded
from qianmo.geo.blocks import blocks, core_graph
from qianmo.geo.overlay import intersection_pairs, share_inside
from qianmo.geo.topology import gaps, is_coverage


def cells(rng, n=40):
    """Voronoi cells of a square kilometre on a 1 mm grid, with the same vertices on both sides of each border."""
    points = shapely.MultiPoint(rng.uniform(0, 1000, (n, 2)))
    frame = shapely.box(0, 0, 1000, 1000)
    mesh = shapely.set_precision(shapely.intersection(shapely.get_parts(shapely.voronoi_polygons(points, extend_to=frame)), frame), 1e-3)
    lines = shapely.union_all(shapely.boundary(mesh))
    return shapely.get_parts(shapely.polygonize([lines]))


def pairwise(geoms):
    border = {(i, j): shapely.boundary(geoms[i]).intersection(shapely.boundary(geoms[j])).length for i, j in combinations(range(len(geoms)), 2)}
    return {pair: metres for pair, metres in border.items() if metres > 1e-6}


def as_dict(found):
    return {(int(i), int(j)): m for i, j, m in found.itertuples(index=False)}


@pytest.mark.parametrize("seed", range(3))
def test_shared_borders_are_those_of_pairwise_intersection(seed):
    geoms = cells(np.random.default_rng(seed))
    assert is_coverage(geoms)
    assert as_dict(shared_borders(geoms)) == pytest.approx(pairwise(geoms), abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_borders_survive_the_loss_of_common_vertices(seed):
    rng = np.random.default_rng(seed)
    geoms = cells(rng)
    cut = np.array([shapely.segmentize(g, float(rng.uniform(20, 60))) for g in geoms], dtype=object)
    assert not is_coverage(cut)
    assert as_dict(shared_borders_noded(cut)) == pytest.approx(pairwise(geoms), abs=0.02)


@pytest.mark.parametrize("seed", range(3))
def test_gaps_are_the_holes_of_the_union(seed):
    rng = np.random.default_rng(seed)
    geoms = cells(rng)
    geoms[::5] = shapely.buffer(geoms[::5], -0.4)
    geoms = np.delete(geoms, [3, 7])
    union = shapely.union_all(geoms)
    filled = shapely.union_all([shapely.Polygon(p.exterior) for p in shapely.get_parts(union)])
    holes = shapely.get_parts(shapely.difference(filled, union))
    for width in (0.7, 0.9, 1e4):
        narrow = sorted(h.area for h in holes if h.buffer(-width / 2).is_empty)
        assert sorted(gaps(geoms, max_width=width)["area_m2"]) == pytest.approx(narrow, abs=1e-3)


@pytest.mark.parametrize("gap", [0.0, 12.0, 40.0])
def test_blocks_are_those_of_a_union_find_over_all_pairs(rng, gap):
    x, y = rng.uniform(0, 1500, (2, 60))
    fields = shapely.box(x, y, x + rng.uniform(20, 120, 60), y + rng.uniform(20, 120, 60))
    parent = list(range(60))

    def root(k):
        while parent[k] != k:
            k = parent[k]
        return k

    close = [(i, j) for i, j in combinations(range(60), 2) if fields[i].distance(fields[j]) <= gap]
    for i, j in close:
        parent[root(j)] = root(i)
    ids = blocks(fields, gap_m=gap)
    assert all((ids[i] == ids[j]) == (root(i) == root(j)) for i, j in combinations(range(60), 2))
    assert core_graph(fields, gap_m=gap)[["i", "j"]].to_numpy().tolist() == [list(p) for p in close]


def test_overlay_equals_all_pairs_and_the_union(rng):
    fields = cells(rng, 25)
    x, y = rng.uniform(0, 900, (2, 12))
    zones = shapely.buffer(shapely.points(x, y), rng.uniform(50, 200, 12))
    found = {(i, j): a for i, j, a, _ in intersection_pairs(fields, zones).itertuples(index=False)}
    brute = {(i, j): fields[i].intersection(zones[j]).area for i in range(len(fields)) for j in range(12)}
    assert found == pytest.approx({k: a for k, a in brute.items() if a > 0}, rel=1e-9)
    union = shapely.union_all(zones)
    assert share_inside(fields, zones) == pytest.approx([f.intersection(union).area / f.area for f in fields], abs=1e-9)
