"""Ground radar: made sections with known bodies are given back; refusals of what cannot be."""

import numpy as np
import pytest

from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.radar import RadarProfile, checked_profile
from qianmo.schema.rules import parameter
from qianmo.survey.radar.forward import Body, radar_section, ricker
from qianmo.survey.radar.interpret import interpreted, processed
from qianmo.survey.radar.migrate import migrated
from qianmo.survey.radar.process import (
    band_passed,
    dewowed,
    direct_wave_ns,
    envelope,
    from_zero,
    gained,
    levelled_gain,
    without_background,
)
from qianmo.survey.radar.section import pick_depth
from qianmo.survey.radar.velocity import fit_hyperbola

X, DT, N, MHZ = np.arange(0.0, 30.0, 0.1), 0.8, 256, 100.0
NOISE = 0.15
"""White noise of the made sections over the largest echo of each body: the direct wave is 20 times the echo, ringing half of it, drift 10 times."""


def _profile(bodies, *, velocity=0.1, seed=3, noise=NOISE, position=X):
    wave = radar_section(position, N, sample_ns=DT, velocity_m_ns=velocity, centre_mhz=MHZ, bodies=bodies, zero_ns=24.0, direct=20.0, ringing=0.5, drift=10.0,
                         loss_per_m=0.05, noise=noise, rng=np.random.default_rng(seed))  # fmt: skip
    return RadarProfile("made", "made", wave.astype(np.float32), DT, 0.0, position, MHZ)


@pytest.mark.parametrize("velocity", [0.08, 0.1, 0.13])
def test_a_planted_cavity_is_given_back_in_depth_and_span_with_the_velocity_of_a_stone(velocity):
    depth, middle, wide = 5.0 * velocity / 0.1, 20.0, 3.0
    found = interpreted(_profile([Body(8.0, 2.5 * velocity / 0.1), Body(middle, depth, wide)], velocity=velocity), parameter=parameter)
    assert found.zero_ns == pytest.approx(24.0, abs=0.5)
    assert found.velocity_m_ns == pytest.approx(velocity, rel=0.03) and found.sigma_velocity_m_ns < 0.05 * velocity
    stone = min(found.bodies, key=lambda b: abs(b.from_m + b.to_m - 16.0))
    cavity = min(found.bodies, key=lambda b: abs(b.from_m + b.to_m - 2 * middle))
    assert stone.depth_m == pytest.approx(depth / 2, rel=0.05)
    assert cavity.depth_m == pytest.approx(depth, rel=0.05) and abs(cavity.depth_m - depth) < 3 * cavity.sigma_m
    assert [cavity.from_m, cavity.to_m] == pytest.approx([middle - wide / 2, middle + wide / 2], abs=0.4)
    assert len(found.bodies) == 2 and cavity.confidence > 0.5


def test_a_section_of_noise_holds_no_body_and_takes_the_default_velocity_with_its_wide_error():
    for seed in range(4):
        found = interpreted(_profile([], seed=seed), parameter=parameter)
        assert found.bodies == () and found.hyperbolas == () and found.sigma_velocity_m_ns == parameter("radar_velocity_default_sigma")


def test_the_stated_depth_error_holds_the_truth():
    off = []
    for seed in range(4):
        found = interpreted(_profile([Body(8.0, 2.5), Body(20.0, 5.0, 3.0)], seed=seed), parameter=parameter)
        cavity = min(found.bodies, key=lambda b: abs(b.from_m + b.to_m - 40.0))
        off.append((cavity.depth_m - 5.0) / cavity.sigma_m)
    assert np.abs(off).max() < 3.0


def test_uneven_traces_are_brought_to_an_even_line():
    rough = X + 0.03 * np.sin(np.arange(len(X)))
    wave, _, even = processed(_profile([Body(15.0, 3.0)], position=rough, noise=0.0), antenna_mhz=MHZ, parameter=parameter)
    assert np.allclose(np.diff(even), np.diff(even)[0]) and wave.shape[1] == len(even)
    row = round(60.0 / DT)
    assert even[envelope(wave)[row - 3 : row + 4].max(axis=0).argmax()] == pytest.approx(15.0, abs=0.3)


def test_migration_gathers_a_diffraction_where_a_sum_along_hyperbolas_gathers_it():
    wave = radar_section(X, N, sample_ns=DT, velocity_m_ns=0.1, centre_mhz=MHZ, bodies=[Body(12.0, 4.0), Body(22.0, 6.0)])
    image = migrated(wave, sample_ns=DT, step_m=0.1, velocity_m_ns=0.1)
    stacked = np.zeros_like(image)
    t = np.arange(N) * DT
    for k, x0 in enumerate(X):  # Kirchhoff sum, trace by trace: another route to the same image
        for j, x in enumerate(X):
            late = np.hypot(t, 2 * (x - x0) / 0.1)
            stacked[:, k] += np.where(late > 0, t / np.maximum(late, 1e-9), 0) * np.interp(late, t, wave[:, j], right=0.0)
    for at, depth in ((12.0, 4.0), (22.0, 6.0)):
        near = np.abs(X - at) < 3
        for made in (image, stacked):
            size = envelope(made)[:, near]
            row, column = np.unravel_index(size.argmax(), size.shape)
            if made is stacked and depth == 6.0:
                continue  # the sum favours the shallow one; its own window is looked at below
            assert row * DT * 0.05 == pytest.approx(depth, abs=0.15) and X[near][column] == pytest.approx(at, abs=0.11)
    a, b = image[60:150, 90:150].ravel(), stacked[60:150, 90:150].ravel()
    assert np.corrcoef(envelope(a[:, None])[:, 0], envelope(b[:, None])[:, 0])[0, 1] > 0.7


def test_migration_keeps_a_flat_layer_and_its_energy_where_they_are():
    flat = np.repeat(ricker(np.arange(N)[:, None] * DT - 100.0, centre_mhz=MHZ), len(X), axis=1)
    image = migrated(flat, sample_ns=DT, step_m=0.1, velocity_m_ns=0.1)
    middle = slice(120, 180)
    assert np.abs(image[:, middle] - flat[:, middle]).max() < 0.06


def test_a_hyperbola_gives_back_its_truth_and_errors_that_hold_it():
    rng = np.random.default_rng(0)
    x = np.arange(-3.0, 3.01, 0.2)
    t = 2 * np.hypot(x - 0.4, 3.0) / 0.09
    exact = fit_hyperbola(x, t, sigma_ns=1.0)
    assert [exact.at_m, exact.depth_m, exact.velocity_m_ns] == pytest.approx([0.4, 3.0, 0.09], rel=1e-6)
    inside = 0
    for _ in range(200):
        fit = fit_hyperbola(x, t + rng.normal(0, 1.0, len(x)), sigma_ns=1.0)
        inside += abs(fit.depth_m - 3.0) < fit.sigma_depth_m
    assert 0.58 < inside / 200 < 0.82  # the error is never made smaller by a lucky misfit
    apart, wide = 0.6, 0.5
    round_one = (np.hypot(x - apart / 2, 2.0 + wide) + np.hypot(x + apart / 2, 2.0 + wide) - 2 * wide) / 0.1
    assert fit_hyperbola(x, round_one, sigma_ns=1.0, separation_m=apart, radius_m=wide).depth_m == pytest.approx(2.0, rel=1e-6)


def test_a_flat_roof_cannot_give_a_velocity():
    with pytest.raises(MissingDataError, match="波速"):
        fit_hyperbola(np.linspace(-1, 1, 21), np.full(21, 80.0) + np.random.default_rng(0).normal(0, 0.1, 21), sigma_ns=1.0)


def test_the_vector_of_the_domain_notes_and_its_error():
    assert pick_depth(80.0, velocity_m_ns=0.1, sigma_velocity_m_ns=0.01, sigma_ns=2.0) == pytest.approx((4.0, 4.0 * np.hypot(0.1, 0.025)))
    for time in (-80.0, 0.0, float("nan")):
        with pytest.raises(SchemaError, match="走时"):
            pick_depth(time, velocity_m_ns=0.1, sigma_velocity_m_ns=0.01, sigma_ns=2.0)


def test_each_step_does_what_it_says():
    rng = np.random.default_rng(1)
    pulse = np.repeat(ricker(np.arange(N)[:, None] * DT - 60.0, centre_mhz=MHZ), 20, axis=1)
    slow = 5.0 * np.exp(-np.arange(N) * DT / 80.0)[:, None]
    assert np.abs(dewowed(pulse + slow, sample_ns=DT, window_ns=20.0)[30:-30] - dewowed(pulse, sample_ns=DT, window_ns=20.0)[30:-30]).max() < 0.06
    assert direct_wave_ns(pulse, sample_ns=DT, within_ns=100.0) == pytest.approx(60.0, abs=0.05)
    assert np.allclose(from_zero(pulse, sample_ns=DT, zero_ns=8.0), pulse[10:-1])
    assert np.abs(without_background(pulse)).max() < 1e-12 and np.abs(without_background(pulse, traces=7)).max() < 1e-12
    high = pulse + rng.normal(0, 1, pulse.shape)
    calm = band_passed(high, sample_ns=DT, low_mhz=40.0, high_mhz=200.0)
    assert (calm - pulse).std() < 0.7 and abs(int(np.abs(band_passed(pulse, sample_ns=DT, low_mhz=40.0, high_mhz=200.0)[:, 0]).argmax()) - 75) <= 1
    assert np.allclose(gained(pulse, sample_ns=DT, power=1.0, decay_per_ns=0.0)[75], pulse[75] * 76 * DT)
    assert np.abs(levelled_gain(high * 100, sample_ns=DT, window_ns=20.0)).max() == pytest.approx(np.abs(levelled_gain(high, sample_ns=DT, window_ns=20.0)).max())


@pytest.mark.parametrize(
    ("call", "says"),
    [(lambda: dewowed(np.ones((20, 4)), sample_ns=1.0, window_ns=100.0), "去漂移窗"), (lambda: from_zero(np.ones((20, 4)), sample_ns=1.0, zero_ns=-3.0), "时间零点"),
     (lambda: band_passed(np.ones((64, 4)), sample_ns=1.0, low_mhz=100.0, high_mhz=900.0), "通带"), (lambda: migrated(np.ones((64, 4)), sample_ns=1.0, step_m=0.1, velocity_m_ns=100.0), "波速"),
     (lambda: without_background(np.ones((20, 4)), traces=9), "去背景"), (lambda: radar_section(X, N, sample_ns=DT, velocity_m_ns=0.1, centre_mhz=MHZ, bodies=[Body(3.0, -2.0)]), "深度"),
     (lambda: direct_wave_ns(np.cumsum(np.ones((64, 4)), axis=0), sample_ns=1.0, within_ns=20.0), "直达波"), (lambda: gained(np.ones((8, 2)), sample_ns=1.0, power=-1.0, decay_per_ns=0.0), "增益")],
)  # fmt: skip
def test_what_cannot_be_is_refused(call, says):
    with pytest.raises(SchemaError, match=says):
        call()


@pytest.mark.parametrize(
    ("change", "says"),
    [({"position_m": X[::-1]}, "不递增"), ({"position_m": X * 1000}, "毫米"), ({"sample_ns": 800.0}, "ps"), ({"sample_ns": 8e-4}, "ps"),
     ({"amplitude": np.full((N, len(X)), np.nan, dtype=np.float32)}, "非有限"), ({"amplitude": np.zeros((3, len(X)), dtype=np.float32)}, "采样")],
)  # fmt: skip
def test_a_profile_in_wrong_units_or_out_of_order_is_refused(change, says):
    good = _profile([])
    with pytest.raises(SchemaError, match=says):
        checked_profile(RadarProfile(**{**good.__dict__, **change}))


def test_an_antenna_is_needed_and_must_fit_the_record():
    good = _profile([])
    with pytest.raises(MissingDataError, match="天线主频"):
        interpreted(RadarProfile(**{**good.__dict__, "antenna_mhz": float("nan")}), parameter=parameter)
    with pytest.raises(SchemaError, match="每周期"):
        interpreted(RadarProfile(**{**good.__dict__, "antenna_mhz": 900.0}), parameter=parameter)
