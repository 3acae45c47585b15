"""Blocks of fields that lie close together."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from qianmo.geo.blocks import blocks, core_graph
from qianmo.schema.errors import SchemaError
from qianmo.schema.units import m2_to_mu, mu_to_m2


def row(*gaps, side=100.0):
    """Squares from west to east with the given gaps between them."""
    west = np.concatenate([[0.0], np.cumsum(np.array(gaps) + side)])
    return shapely.box(west, 0.0, west + side, side)


def test_three_touching_parcels_of_30_mu_are_one_block_of_90_mu():
    parcels = row(0.0, 0.0, side=float(np.sqrt(mu_to_m2(30.0))))
    ids = blocks(parcels, gap_m=20.0)
    assert ids.tolist() == [0, 0, 0] and m2_to_mu(np.bincount(ids, weights=shapely.area(parcels))[0]) == pytest.approx(90.0)


def test_a_road_as_wide_as_the_gap_does_not_split_and_a_wider_one_does():
    assert blocks(row(20.0, 20.001, 5.0), gap_m=20.0).tolist() == [0, 0, 1, 1]
    assert blocks(row(0.0, 0.001), gap_m=0.0).tolist() == [0, 0, 1]


def test_blocks_are_chains_and_numbered_by_first_appearance():
    west_to_east = row(15.0, 15.0, 300.0, 15.0)
    assert blocks(west_to_east[[4, 0, 2, 3, 1]], gap_m=20.0).tolist() == [0, 1, 1, 0, 1]


def test_missing_and_empty_fields_are_alone():
    assert blocks(np.array([None, *row(0.0), shapely.Polygon(), None], dtype=object), gap_m=20.0).tolist() == [0, 1, 1, 2, 3]
    assert blocks(np.empty(0, dtype=object), gap_m=20.0).shape == (0,)


def test_the_graph_tells_the_pairs_and_their_distance():
    found = core_graph(row(15.0, 0.0, 300.0), gap_m=20.0)
    assert found.to_numpy().tolist() == [[0, 1, 15.0], [1, 2, 0.0]]
    assert core_graph(np.empty(0, dtype=object), gap_m=20.0).empty


@pytest.mark.parametrize("gap", [-1.0, float("nan")])
def test_a_gap_below_zero_or_no_number_is_refused(gap):
    with pytest.raises(SchemaError, match="gap of"):
        blocks(row(0.0), gap_m=gap)
