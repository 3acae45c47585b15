"""Stacks of interferograms: network, inversion against a dense solve, rates with honest errors, loops, delay, basins."""

from datetime import date, timedelta

import numpy as np
import pytest

from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.survey.insar.basin import basins, growth
from qianmo.survey.insar.closure import closures, correct_turns, odd_pairs, report
from qianmo.survey.insar.delay import most_coherent, referenced, without_ramp_and_height, without_turbulence
from qianmo.survey.insar.geometry import heading_degrees, incidence_degrees, sight_vector, up_and_east, vertical
from qianmo.survey.insar.inversion import coherence_weights, invert
from qianmo.survey.insar.network import design_matrix, make_network, rank, triplets
from qianmo.survey.insar.rate import displacement_mm, fit_rate, rate_functional, trend_break
from qianmo.survey.insar.simulate import simulate_stack

DAYS = [date(2024, 1, 1) + timedelta(12 * k) for k in range(12)]


def _net(steps=(1, 2, 3)):
    return make_network([(DAYS[k], DAYS[k + m]) for m in steps for k in range(len(DAYS) - m)])


def _observed(net, n, rng, noise=0.3):
    truth = np.cumsum(rng.normal(0, 1, (len(net.dates), n)), axis=0)
    return (truth[net.second] - truth[net.first] + rng.normal(0, noise, (len(net.first), n))).astype(np.float32)


def test_weighted_inversion_with_gaps_is_the_dense_least_squares(rng):
    net = _net()
    phase = _observed(net, 203, rng)
    phase[rng.random(phase.shape) < 0.1] = np.nan
    w = coherence_weights(rng.uniform(0.1, 0.95, phase.shape))
    series = invert(phase, net, weights=w)
    design = design_matrix(net)
    for k in range(203):
        there = np.isfinite(phase[:, k])
        root = np.sqrt(w[there, k].astype(float))
        if np.linalg.matrix_rank(design[there]) < design.shape[1]:
            assert np.isnan(series.phase_rad[:, k]).all()
            continue
        x = np.linalg.lstsq(design[there] * root[:, None], phase[there, k].astype(float) * root, rcond=None)[0]
        off = phase[there, k] - design[there] @ x
        assert np.abs(series.phase_rad[1:, k] - x).max() < 1e-5
        assert series.coherence[k] == pytest.approx(abs(np.exp(1j * off).mean()), abs=1e-6)
        assert series.residual_rad[k] == pytest.approx(np.sqrt((root**2 * off**2).sum() / (root**2).sum()), abs=1e-5)
        assert series.used[k] == there.sum()


def test_a_pixel_whose_pairs_fall_apart_has_no_series(rng):
    net = _net((1,))
    phase = _observed(net, 3, rng)
    phase[5, 1] = np.nan
    phase[:, 2] = np.nan
    series = invert(phase, net)
    assert np.isfinite(series.phase_rad[:, 0]).all() and np.isnan(series.phase_rad[:, 1]).all() and np.isnan(series.phase_rad[:, 2]).all()
    assert series.used.tolist() == [11, 10, 0]


def test_order_of_pairs_and_pixels_changes_nothing(rng):
    net = _net()
    phase = _observed(net, 40, rng)
    turn = rng.permutation(len(net.first))
    other = make_network([(net.dates[net.first[p]], net.dates[net.second[p]]) for p in turn])
    assert np.allclose(invert(phase[turn], other).phase_rad, invert(phase, net).phase_rad, atol=1e-5)
    assert (invert(phase[:, ::-1], net).phase_rad[:, ::-1] == invert(phase, net).phase_rad).all()


@pytest.mark.parametrize(
    ("pairs", "said"),
    [([], "没有干涉对"), ([(DAYS[1], DAYS[0])], "顺序"), ([(DAYS[0], DAYS[1])] * 2, "重复"), ([(DAYS[0], DAYS[1]), (DAYS[2], DAYS[3])], "断开为 2 段")],
)
def test_a_network_that_cannot_be_solved_is_refused(pairs, said):
    with pytest.raises(SchemaError, match=said):
        make_network(pairs)


def test_wrong_shapes_weights_and_coherence_are_refused(rng):
    net = _net()
    phase = _observed(net, 5, rng)
    with pytest.raises(SchemaError, match="干涉对"):
        invert(phase[:-1], net)
    with pytest.raises(SchemaError, match="权为负"):
        invert(phase, net, weights=-np.ones(len(net.first)))
    with pytest.raises(SchemaError, match="相干性"):
        coherence_weights(np.array([0.5, 200.0]))
    with pytest.raises(SchemaError, match="波长"):
        displacement_mm(phase, 55.5)
    with pytest.raises(SchemaError, match="参考点"):
        referenced(np.where(np.arange(len(net.first))[:, None] == 3, np.nan, phase), np.array([0]))


def _measured(stack, *, chance=0.68):
    """Series, rate and truth of a simulated stack, referenced to the ground that does not move."""
    still = np.flatnonzero(np.abs(stack.rate_mm_yr) < 0.5)
    track = {"baselines_m": stack.baselines_m, "slant_range_m": 850_000.0, "incidence_deg": 39.0}
    wanted = rate_functional(stack.network.days, **track)
    series = invert(referenced(stack.unwrapped, still), stack.network, weights=coherence_weights(stack.coherence, looks=20.0), functional=wanted)
    moved = displacement_mm(series.phase_rad, 0.055466)
    carried = np.abs(displacement_mm(series.functional_sigma, 0.055466))
    rate = fit_rate(moved, stack.network.days, pair_sigma_mm_yr=carried, network=stack.network, chance=chance, **track)
    return moved, rate, stack.rate_mm_yr - np.median(stack.rate_mm_yr[still])


@pytest.fixture(scope="module")
def bowl():
    stack = simulate_stack((60, 60), rng=np.random.default_rng(5))
    return stack, *_measured(stack)


def test_rates_of_a_simulated_bowl_are_within_two_millimetres(bowl):
    stack, _, rate, truth = bowl
    clear = stack.coherence.mean(axis=0) > 0.4
    assert clear.mean() > 0.9 and np.sqrt(((rate.rate_mm_yr - truth)[clear] ** 2).mean()) <= 2.0
    assert rate.rate_mm_yr.min() == pytest.approx(-60.0, abs=6.0)


def test_intervals_hold_as_often_as_they_say():
    inside = []
    for seed in range(40):
        _, rate, truth = _measured(simulate_stack((12, 12), rng=np.random.default_rng(1000 + seed)))
        inside.append((np.abs(rate.rate_mm_yr - truth) <= rate.interval_mm_yr).mean())
    # one stack's pixels share their air: the mean over stacks is what the interval promises
    assert 0.63 <= np.mean(inside) <= 0.74


def test_the_error_carried_from_the_pairs_is_that_of_the_dense_covariance(rng):
    net = _net()
    phase, w = _observed(net, 6, rng), coherence_weights(rng.uniform(0.3, 0.9, (len(net.first), 6)))
    wanted = rate_functional(net.days)
    series = invert(phase, net, weights=w, functional=wanted)
    a = design_matrix(net)
    for k in range(6):
        normal = a.T @ (w[:, k, None].astype(float) * a)
        off = phase[:, k] - a @ series.phase_rad[1:, k]
        unit = (w[:, k] * off**2).sum() / (len(net.first) - a.shape[1])
        assert series.functional_sigma[k] == pytest.approx(np.sqrt(unit * wanted[1:] @ np.linalg.solve(normal, wanted[1:])), rel=1e-4)
    assert np.isnan(invert(phase, net).functional_sigma).all()


def test_a_height_error_and_a_rate_are_told_apart_exactly_without_noise(rng):
    t, b = np.arange(0, 240, 12.0), rng.normal(0, 80, 20)
    rate, height = rng.normal(0, 30, 50), rng.normal(0, 15, 50)
    series = t[:, None] / 365.25 * rate - b[:, None] * 1000 / (850_000 * np.sin(np.radians(39))) * height + 3.0
    found = fit_rate(series, t, baselines_m=b, slant_range_m=850_000.0, incidence_deg=39.0)
    assert np.allclose(found.rate_mm_yr, rate) and np.allclose(found.height_error_m, height)


def test_a_break_of_trend_is_found_where_it_is_and_a_straight_line_has_none(rng):
    t = np.arange(0, 720, 12.0)
    kinked = -20 * t / 365.25 - 60 * np.maximum(t - 360, 0) / 365.25
    series = np.stack([kinked, -20 * t / 365.25]).T[:, np.r_[np.zeros(20, int), np.ones(200, int)]] + rng.normal(0, 3, (len(t), 220))
    found = trend_break(series, t)
    assert (np.abs(t[found.date_index[:20]] - 360) <= 60).all() and (found.p_value[:20] < 1e-6).all()
    assert (found.p_value[20:] < 0.05).mean() <= 0.08
    assert found.after_mm_yr[:20].mean() == pytest.approx(-80, abs=3)
    with pytest.raises(MissingDataError):
        trend_break(series[:7], t[:7])


def test_whole_turns_put_in_are_taken_out(rng):
    net = _net()
    loops = triplets(net)
    truth = _observed(net, 300, rng, noise=0.05)
    broken = truth.copy()
    for k in range(300):
        broken[rng.integers(len(net.first)), k] += np.float32(2 * np.pi * rng.choice([-1, 1]))
    mended, left = correct_turns(broken, loops)
    good = np.abs(mended - truth).max(axis=0) < 1e-3
    assert good.mean() > 0.85 and (left[good] == 0).all()
    assert np.abs(closures(mended, loops)).sum() < np.abs(closures(broken, loops)).sum()
    assert np.allclose(((mended - broken) / (2 * np.pi)), np.rint((mended - broken) / (2 * np.pi)), atol=1e-5)
    told = report(truth, loops)
    assert told.loops == len(loops) and told.share_over_pi == 0.0


def test_ramp_and_height_are_taken_off_and_a_bowl_does_not_pull_them(rng):
    x, y = (a.ravel().astype(float) for a in np.meshgrid(np.arange(40), np.arange(40)))
    height = 100 * np.sin(x / 9) * np.cos(y / 7)
    bowl = -50 * np.exp(-((x - 20) ** 2 + (y - 20) ** 2) / 40)
    series = np.stack([0.3 * x - 0.2 * y + 0.05 * height + bowl + rng.normal(0, 1, 1600)])
    left = without_ramp_and_height(series, x=x, y=y, height_m=height, stable=bowl > -1)[0]
    assert np.sqrt(((left - bowl) ** 2).mean()) < 1.2
    with pytest.raises(MissingDataError, match="稳定像元"):
        without_ramp_and_height(series, x=x, y=y, height_m=height, stable=x < 0)


def test_the_turbulence_filter_keeps_a_steady_rate_and_lowers_the_scatter(bowl):
    stack, moved, _, _ = bowl
    steady = stack.network.days[:, None] / 365.25 * stack.rate_mm_yr
    assert np.allclose(without_turbulence(steady, stack.shape, stack.network.days, wide_pixels=6.0, long_days=60.0), steady, atol=1e-8)
    calm = without_turbulence(moved, stack.shape, stack.network.days, wide_pixels=4.0, long_days=60.0)
    assert np.nanmedian(fit_rate(calm, stack.network.days).scatter_mm) < 0.6 * np.nanmedian(fit_rate(moved, stack.network.days).scatter_mm)


def test_two_tracks_give_up_and_east_and_one_gives_the_vertical_of_the_text():
    assert vertical(np.array([-30.0]), 39.0)[0] == pytest.approx(-38.602787, abs=1e-6)
    up, east, sigma_up, sigma_east = up_and_east(
        np.array([-34.23244]), np.array([-30.365538]), incidence_ascending_deg=39.0, incidence_descending_deg=34.0, sigma_ascending_mm=1.0, sigma_descending_mm=1.0
    )
    assert [up[0], east[0]] == pytest.approx([-40.0, 5.0], abs=1e-5) and 0.5 < sigma_up[0] < 1.0 and 0.5 < sigma_east[0] < 1.5
    assert sight_vector(39.0, 0.0) == pytest.approx([-np.sin(np.radians(39)), 0.0, np.cos(np.radians(39))])
    with pytest.raises(SchemaError, match="入射角"):
        vertical(np.array([1.0]), 120.0)


def test_every_cell_is_split_with_its_own_angles():
    rng = np.random.default_rng(5)
    up, east, n = rng.normal(0, 60, 500), rng.normal(0, 40, 500), 500
    angles = {"a": rng.uniform(29, 46, n), "d": rng.uniform(30, 45, n)}
    headings = {"a": rng.uniform(-14, -10, n), "d": rng.uniform(-170, -166, n)}
    # by the unit vectors, one cell after another: the other route
    seen = {t: np.array([sight_vector(angles[t][k], headings[t][k]) @ [east[k], 0.0, up[k]] for k in range(n)]) for t in "ad"}
    found = up_and_east(
        seen["a"], seen["d"], incidence_ascending_deg=angles["a"], incidence_descending_deg=angles["d"], heading_ascending_deg=headings["a"], heading_descending_deg=headings["d"]
    )
    np.testing.assert_allclose(found[:2], [up, east], atol=1e-9)
    cell = np.array([sight_vector(angles[t][7], headings[t][7])[[2, 0]] for t in "ad"])
    spread = np.sqrt(np.diag(np.linalg.inv(cell) @ np.linalg.inv(cell).T))
    np.testing.assert_allclose([found[2][7], found[3][7]], spread, rtol=1e-12)
    angles["a"][3] = np.nan
    lost = up_and_east(seen["a"], seen["d"], incidence_ascending_deg=angles["a"], incidence_descending_deg=34.0)
    assert np.isnan([v[3] for v in lost]).all() and np.isfinite(lost[0]).sum() == n - 1
    assert np.isnan(vertical(seen["a"], angles["a"])[3])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: incidence_degrees(np.array([0.6, 0.7])), "像是弧度"),
        (lambda: incidence_degrees(np.array([35.0, 45.0]), unit="radian"), "入射角栅格"),
        (lambda: incidence_degrees(np.array([35.0]), stated="degree", unit="radian"), "不符"),
        (lambda: incidence_degrees(np.array([35.0]), stated="m"), "单位为 m"),
        (lambda: incidence_degrees(np.array([35.0, -9999.0])), "-9999"),
        (lambda: incidence_degrees(np.zeros(3)), "没有有效值"),
        (lambda: heading_degrees(np.array([-0.21, -0.2])), "像是弧度"),
        (lambda: heading_degrees(np.array([np.nan])), "没有有效值"),
        (lambda: heading_degrees(np.array([-9999.0, 12.0])), "-9999"),
        (lambda: up_and_east(np.ones(2), np.ones(2), incidence_ascending_deg=39.0, incidence_descending_deg=34.0, heading_ascending_deg=-168.0, heading_descending_deg=-12.0), "弄反"),
        (lambda: up_and_east(np.ones(2), np.ones(2), incidence_ascending_deg=np.ones(3) * 39, incidence_descending_deg=34.0), "同一格网"),
        (lambda: up_and_east(np.ones(2), np.ones(2), incidence_ascending_deg=0.68, incidence_descending_deg=34.0), "入射角"),
    ],
)
def test_angles_that_are_no_incidence_or_heading_are_refused(call, said):
    with pytest.raises((SchemaError, MissingDataError), match=said) as caught:
        call()
    assert caught.value.expected


def test_radians_that_are_stated_or_said_become_degrees():
    assert incidence_degrees(np.array([0.0, np.pi / 5]), stated="radian")[1] == pytest.approx(36.0) and np.isnan(incidence_degrees(np.array([0.0, 36.0]))[0])
    assert incidence_degrees(np.array([np.pi / 5]), unit="radian")[0] == pytest.approx(36.0)
    assert heading_degrees(np.array([-0.21]), unit="radian")[0] == pytest.approx(np.degrees(-0.21), rel=1e-6)


def test_a_bowl_is_one_basin_whose_growth_is_reported():
    y, x = np.mgrid[0:50, 0:50]
    w = 100 * np.exp(-((x - 20) ** 2 + (y - 30) ** 2) / 50.0)
    w[0, 0] = 40.0
    found = basins(w, cell_area_m2=400.0)
    assert len(found) == 1 and (found[0].row, found[0].column) == (30, 20) and found[0].area_ha == pytest.approx((w >= 10).sum() * 0.04 - 0.04)
    told = growth(np.array([10.0, 12.0, 15.0]), np.array([0.0, 182.625, 365.25]))
    assert told["gain_share"] == pytest.approx(0.5) and told["speed_ha_yr"] == pytest.approx(5.0) and told["is_faster"] == 1.0
    with pytest.raises(SchemaError):
        growth(np.array([1.0]), np.array([0.0]))


def test_the_reference_is_the_most_coherent_pixel_that_every_pair_knows():
    coherence = np.array([[0.9, 0.5, np.nan, 0.8], [0.9, 0.6, 0.99, 0.7]])
    assert most_coherent(coherence, np.array([False, True, True, True])) == 3
    with pytest.raises(MissingDataError, match="完整像元"):
        most_coherent(coherence, np.array([False, False, True, False]))


def test_a_rate_needs_dates_and_baselines_that_differ_from_time():
    t = np.arange(0, 60, 12.0)
    with pytest.raises(MissingDataError):
        fit_rate(np.zeros((3, 1)), t[:3])
    with pytest.raises(SchemaError, match="基线随时间线性"):
        fit_rate(np.zeros((5, 1)), t, baselines_m=t * 2.0, slant_range_m=8e5, incidence_deg=39.0)


def test_the_network_knows_its_rank_and_loops():
    net = _net()
    assert rank(net) == len(net.dates) - 1
    for ab, bc, ac in triplets(net):
        assert net.second[ab] == net.first[bc] and net.first[ab] == net.first[ac] and net.second[bc] == net.second[ac]


def test_the_pair_that_no_loop_closes_with_is_named_and_its_neighbours_are_not(rng):
    stack = simulate_stack((6, 6), rng=rng, dates=12, steps=(1, 2, 3))
    loops = triplets(stack.network)
    assert odd_pairs(stack.unwrapped, loops, times=4.0, least_rad=0.5) == []
    for wrong in (0, 7, len(stack.network.first) - 1):
        phase = stack.unwrapped.copy()
        phase[wrong] += np.linspace(-6.0, 6.0, phase.shape[1])  # an even offset would be noise of the reference
        found = [k for k, _ in odd_pairs(phase, loops, times=4.0, least_rad=0.5)]
        assert wrong in found and len(found) == 1
    assert odd_pairs(stack.unwrapped, loops[:0], times=4.0, least_rad=0.5) == []
