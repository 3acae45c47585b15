"""Blocks of farmland, their classes and the index."""

import pytest

from qianmo.evaluation.contiguity import (
    block_bins,
    block_labels,
    contiguity,
    contiguity_index,
    farmland_blocks,
    share_in_large_blocks,
)


def test_the_classes_come_from_rule_z07():
    assert block_bins() == (5.0, 10.0, 20.0)
    assert block_labels() == ("≤5亩", "5-10亩", "10-20亩", ">20亩")


def test_three_touching_parcels_of_30_mu_form_one_block_of_90_mu(patchwork):
    table = farmland_blocks(patchwork(("0101", 30), ("0102", 30), ("0103", 30)), scheme="SD3")
    assert table["block"].nunique() == 1
    assert table["block_area_m2"].iloc[0] == pytest.approx(60_000.0)
    assert contiguity_index(table) == pytest.approx(1.0)


def test_a_gap_wider_than_the_parameter_splits_and_a_narrower_one_does_not(patchwork):
    wide = patchwork(("0101", 15), ("0101", 15), gap_m=21.0)
    assert farmland_blocks(wide, scheme="SD3")["block"].nunique() == 2
    narrow = patchwork(("0101", 15), ("0101", 15), gap_m=19.0)
    assert farmland_blocks(narrow, scheme="SD3")["block"].nunique() == 1
    assert farmland_blocks(narrow, scheme="SD3", overrides={"contig_buffer_m": 10})["block"].nunique() == 2


def test_a_block_of_exactly_five_mu_is_in_the_first_class(patchwork):
    p = patchwork(("0101", 5), ("0301", 45), ("0101", 5.01), ("0301", 45), ("0101", 20), ("0301", 45), ("0101", 20.01))
    table = contiguity(farmland_blocks(p, scheme="SD3"))
    assert table["blocks"].tolist() == [1, 1, 1, 1]
    assert table["share"].sum() == pytest.approx(1.0)


def test_two_equal_blocks_have_an_index_of_one_half(patchwork):
    table = farmland_blocks(patchwork(("0101", 15), ("0101", 15), gap_m=100.0), scheme="SD3")
    assert contiguity_index(table) == pytest.approx(0.5)
    assert share_in_large_blocks(table) == 0.0
    assert share_in_large_blocks(table, overrides={"contig_block_min_mu": 15}) == 1.0


def test_no_farmland_gives_empty_classes_not_an_error(patchwork):
    table = farmland_blocks(patchwork(("0301", 15)), scheme="SD3")
    assert contiguity(table)["area_m2"].sum() == 0.0
    assert contiguity_index(table) != contiguity_index(table)
