"""Unwrapping gives a planted bowl back by whole turns; residues are counted where they are put; wrong input is refused."""

import numpy as np
import pytest

from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.survey.insar.unwrap import residues, unwrap


def _bowl(depth_turns=6.0, size=160):
    y, x = np.mgrid[0:size, 0:size]
    return (-2 * np.pi * depth_turns * np.exp(-((x - size / 2) ** 2 + (y - size / 2) ** 2) / (2 * (size / 5) ** 2)) + 0.02 * x).astype(np.float64)


def _wrapped(phase):
    return np.angle(np.exp(1j * phase))


def test_a_clean_bowl_comes_back_exactly_and_has_no_residue():
    truth = _bowl()
    found = unwrap(_wrapped(truth), np.full(truth.shape, 0.9), looks=20.0)
    off = found.phase_rad - truth
    assert np.isfinite(off).all() and np.abs(off - np.median(off)).max() < 1e-4
    assert np.median(off) / (2 * np.pi) == pytest.approx(round(np.median(off) / (2 * np.pi)), abs=1e-5)
    assert found.residues == 0 and found.jumps == 0


def test_a_noisy_bowl_is_right_in_nearly_all_cells(rng):
    truth = _bowl()
    y, x = np.mgrid[0:160, 0:160]
    coherence = np.clip(0.75 - 0.5 * (np.hypot(x - 40, y - 120) < 18), 0.1, 0.95)
    noisy = truth + rng.normal(size=truth.shape) * np.sqrt((1 - coherence**2) / (2 * 4 * coherence**2))
    found = unwrap(_wrapped(noisy), coherence, looks=4.0)
    off = found.phase_rad - noisy
    inside = np.isfinite(off)
    turns = np.rint((off - np.median(off[inside])) / (2 * np.pi))
    assert found.residues > 50 and inside.mean() > 0.9 and (turns[inside] == 0).mean() > 0.99


def test_residues_are_where_a_vortex_is_and_the_sum_round_any_border_is_kept(rng):
    y, x = np.mgrid[0:21, 0:21]
    vortex = np.arctan2(y - 10.5, x - 7.5)
    found = residues(vortex)
    assert abs(int(found.sum())) == 1 and found[10, 7] != 0 and np.abs(found).sum() == 1
    noise = rng.uniform(-np.pi, np.pi, (30, 40))
    edge = np.concatenate([noise[0], noise[1:, -1], noise[-1, -2::-1], noise[-2:0:-1, 0], noise[:1, 0]])
    round_trip = np.diff(edge)
    round_trip -= 2 * np.pi * np.rint(round_trip / (2 * np.pi))
    assert residues(noise).sum() == round(round_trip.sum() / (2 * np.pi))
    noise[5, 5] = np.nan
    assert (residues(noise)[4:6, 4:6] == 0).all()


def test_parts_that_a_gap_divides_are_not_joined():
    truth = _bowl()
    wrapped = _wrapped(truth)
    wrapped[:, 60:64] = np.nan
    found = unwrap(wrapped, np.full(truth.shape, 0.9), looks=20.0)
    assert np.isnan(found.phase_rad[:, :60]).all() and np.isfinite(found.phase_rad[:, 70:]).mean() > 0.95 and len(np.unique(found.component)) == 3


@pytest.mark.parametrize(
    ("phase", "coherence", "looks", "error", "said"),
    [
        (np.full((40, 40), 9.0), np.full((40, 40), 0.9), 10.0, SchemaError, "不必再解缠"),
        (np.zeros((40, 40)), np.full((40, 41), 0.9), 10.0, SchemaError, "同样大小"),
        (np.zeros((40, 40)), np.full((40, 40), 90.0), 10.0, SchemaError, "相干性"),
        (np.zeros((40, 40)), np.full((40, 40), 0.9), 0.5, SchemaError, "视数"),
        (np.full((40, 40), np.nan), np.full((40, 40), 0.9), 10.0, MissingDataError, "没有有效像元"),
    ],
)
def test_what_cannot_be_unwrapped_is_refused(phase, coherence, looks, error, said):
    with pytest.raises(error, match=said):
        unwrap(phase, coherence, looks=looks)
