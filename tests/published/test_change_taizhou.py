"""Taizhou, two Landsat scenes with labelled change: baselines reproduced, the mark of IR-MAD reached and passed."""

import numpy as np
import pytest
import rasterio

from qianmo.survey.change.accuracy import change_accuracy
from qianmo.survey.change.coregister import image_shift
from qianmo.survey.change.threshold import change_chance, otsu_threshold
from qianmo.survey.change.trained import block_split, change_features, train_and_find
from qianmo.survey.change.two_dates import change_vector, irmad


@pytest.fixture(scope="module")
def taizhou(shared_data):
    folder = shared_data / "change-taizhou-landsat"
    if not folder.is_dir():
        pytest.skip("shared/data/change-taizhou-landsat is not here")
    read = lambda name: rasterio.open(folder / name).read()  # noqa: E731
    return read("landsat_etm_2000.tif"), read("landsat_etm_2003.tif"), read("ground_truth.tif")[0]


def test_change_vector_and_irmad_reach_the_listed_baselines(taizhou):
    before, after, truth = taizhou
    plain = change_vector(before, after).strength
    told = change_accuracy(plain > otsu_threshold(plain, clip=1.0), truth == 2, truth > 0)
    assert [told.overall, told.kappa, told.f1] == pytest.approx([0.9689, 0.8970, 0.9160], abs=1e-4)
    strength = irmad(before, after).strength
    assert change_accuracy(strength > otsu_threshold(strength), truth == 2, truth > 0).f1 >= 0.949


def test_the_two_dates_lie_on_each_other_and_a_moved_one_does_not(taizhou):
    before, after, _ = taizhou
    near = image_shift(before, after)
    assert near.is_clear and near.length == pytest.approx(0.16, abs=0.03)
    far = image_shift(before, np.roll(after, (2, -3), axis=(1, 2)))
    assert (far.row - near.row, far.column - near.column) == pytest.approx((2.0, -3.0), abs=0.05)


def test_the_probability_of_change_is_cautious_and_ranks_the_labels(taizhou):
    """Brier score of IR-MAD 0.018, of a constant 0.158; where 0.6 and more is told, more had changed; below 0.2 less."""
    before, after, truth = taizhou
    strength = irmad(before, after).strength
    at, chance = change_chance(strength, limit=otsu_threshold(strength))
    told, changed = np.interp(strength, at, chance)[truth > 0], truth[truth > 0] == 2
    assert np.mean((told - changed) ** 2) == pytest.approx(0.0185, abs=0.001) and changed.mean() * (1 - changed.mean()) > 0.15
    for low, high in ((0.6, 0.7), (0.7, 0.8), (0.8, 0.9)):
        here = (told >= low) & (told < high)
        assert changed[here].mean() > told[here].mean()
    assert changed[told < 0.2].mean() < told[told < 0.2].mean()


@pytest.mark.parametrize("turn", [False, True])
def test_a_trained_detector_passes_it_on_blocks_it_has_not_seen(taizhou, turn):
    """Split: chequered blocks of 40 by 40 pixels, trained on one colour and scored on the other, both ways."""
    before, after, truth = taizhou
    half = block_split(truth.shape, block=40) ^ turn
    labels = np.where((truth > 0) & half, (truth == 2).astype(int), -1)
    chance = train_and_find(change_features(before, after), labels, trees=60)
    assert change_accuracy(chance > 0.5, truth == 2, (truth > 0) & ~half).f1 >= 0.96
