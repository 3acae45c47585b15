"""Overlaps and holes of the checks against brute force: every pair, and areas by inclusion and exclusion."""

from __future__ import annotations

from itertools import combinations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from qianmo.onemap.check_topology import check_gaps, check_overlaps


@pytest.mark.parametrize("seed", range(6))
def test_overlaps_agree_with_every_pair_one_by_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corner, size = rng.uniform(0, 60, (25, 2)), rng.uniform(3, 20, (25, 2))
    boxes = [shapely.box(x, y, x + w, y + h) for (x, y), (w, h) in zip(corner, size)]
    frame = gpd.GeoDataFrame({"patch_id": [f"p{i:02d}" for i in range(25)]}, geometry=boxes, crs="EPSG:4549")
    brute = sorted(
        (min(i, j, key=lambda k: boxes[k].area), round(a, 6))
        for i, j in combinations(range(25), 2)
        if (a := boxes[i].intersection(boxes[j]).area) > 0.001
    )
    faults = check_overlaps(frame, "landuse_patch")
    assert sorted(zip(faults["row"], faults.geometry.area.round(6))) == brute


@pytest.mark.parametrize("seed", range(4))
def test_holes_are_the_squares_that_were_taken_out(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cells = [(i, j) for i in range(1, 9, 2) for j in range(1, 9, 2)]
    gone = {cells[k] for k in rng.choice(len(cells), 5, replace=False)}
    boxes = [shapely.box(10 * i, 10 * j, 10 * i + 10, 10 * j + 10) for i in range(10) for j in range(10) if (i, j) not in gone]
    frame = gpd.GeoDataFrame({"patch_id": np.arange(len(boxes)).astype(str)}, geometry=boxes, crs="EPSG:4549")
    faults = check_gaps(frame, "landuse_patch")
    assert set(faults["what"]) == {"hole"}
    assert {(int(g.bounds[0]) // 10, int(g.bounds[1]) // 10) for g in faults.geometry} == gone
