"""Change between two dates and in series: simulated truth, invariances, refusals."""

import numpy as np
import pytest

from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.survey.change.accuracy import change_accuracy, confusion, kappa
from qianmo.survey.change.series import filled, fit_season, monitor, season_design
from qianmo.survey.change.threshold import larger_patches, otsu_threshold
from qianmo.survey.change.trained import block_split, change_features, train_and_find
from qianmo.survey.change.two_dates import change_vector, irmad, pca_two_means


@pytest.fixture(scope="module")
def scene():
    rng = np.random.default_rng(3)
    base = rng.normal(0, 1, (4, 60, 60)).cumsum(axis=1).cumsum(axis=2) / 30
    before = base + rng.normal(0, 0.2, base.shape)
    truth = np.zeros((60, 60), bool)
    truth[20:32, 15:30] = True
    after = base + rng.normal(0, 0.2, base.shape)
    after[:, truth] = rng.normal(0, 1, (4, 1)) * 4 + rng.normal(0, 0.4, (4, truth.sum()))
    return before, after, truth


@pytest.mark.parametrize("detector", [change_vector, irmad, pca_two_means])
def test_a_changed_field_is_found(scene, detector):
    before, after, truth = scene
    strength = detector(before, after).strength
    assert change_accuracy(strength > otsu_threshold(strength), truth, np.ones_like(truth)).f1 > 0.9


def test_irmad_does_not_mind_gain_and_offset_of_a_band(scene):
    before, after, _ = scene
    gain = np.array([2.0, 0.5, -1.0, 7.0])[:, None, None]
    assert np.allclose(irmad(before, after).strength, irmad(before, after * gain + 3.0).strength, atol=1e-6)
    assert np.allclose(irmad(before, after).strength, irmad(after, before).strength, atol=1e-6)


def test_the_first_round_of_irmad_is_canonical_correlation_by_another_route(scene):
    """The chi-square of the differences of canonical variates from the singular values of whitened bands."""
    before, after, _ = scene
    x, y = before.reshape(4, -1).T, after.reshape(4, -1).T
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    qx, qy = (np.linalg.qr(v)[0] * np.sqrt(len(v)) for v in (x, y))
    u, s, vt = np.linalg.svd(qx.T @ qy / len(x))
    stat = (((qx @ u - qy @ vt.T) ** 2) / (2 * (1 - s))).sum(axis=1)
    assert np.allclose(irmad(before, after, rounds=1).strength.ravel() ** 2, stat, rtol=1e-8)


def test_pixels_without_data_stay_without_an_answer(scene):
    before, after, _ = scene
    hole = before.copy()
    hole[0, :5] = np.nan
    valid = np.ones((60, 60), bool)
    valid[-4:] = False
    for detector in (change_vector, irmad, pca_two_means):
        found = detector(hole, after, valid=valid).strength
        assert np.isnan(found[:5]).all() and np.isnan(found[-4:]).all() and np.isfinite(found[5:-4]).all()


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [(lambda a, b: (a[:3], b), SchemaError, "配准"), (lambda a, b: (a, b * 0), SchemaError, "常数"), (lambda a, b: (a * np.nan, b), MissingDataError, "有效像元"),
     (lambda a, b: (np.concatenate([a, a[:1]]), np.concatenate([b, b[:1]])), SchemaError, "线性相关")],
)  # fmt: skip
def test_images_that_do_not_fit_are_refused(scene, change, kind, said):
    before, after, _ = scene
    with pytest.raises(kind, match=said):
        irmad(*change(before, after))


def test_irmad_says_so_when_its_weights_fall_upon_an_empty_margin(rng):
    """A margin without image, filled with a constant instead of missing values, looks like land that never changes."""
    before = rng.normal(size=(6, 40, 40)).cumsum(axis=0)
    after = before + rng.normal(0, 0.05, before.shape)
    before[:, :20], after[:, :20] = 0.0, rng.normal(0, 1e-7, (6, 20, 40))
    with pytest.raises(SchemaError, match=r"塌缩|线性相关"):
        irmad(before, after, rounds=200, tolerance=0.0)


def test_small_change_is_kept_apart_not_lost():
    changed = np.zeros((20, 20), bool)
    changed[2:6, 2:6] = changed[10, 10] = changed[11, 11] = True
    kept, small = larger_patches(changed, least_cells=3)
    assert kept.sum() == 16 and small.sum() == 2 and ((kept | small) == changed).all()
    with pytest.raises(SchemaError):
        larger_patches(changed, least_cells=0)
    with pytest.raises(MissingDataError):
        otsu_threshold(np.ones(9))


def test_accuracy_is_counted_by_hand():
    found, truth = np.array([1, 1, 0, 0, 1, 0], bool), np.array([1, 0, 0, 1, 1, 0], bool)
    told = change_accuracy(found, truth, np.array([1, 1, 1, 1, 1, 0], bool))
    assert (told.precision, told.recall, told.f1, told.overall, told.count) == (pytest.approx(2 / 3), pytest.approx(2 / 3), pytest.approx(2 / 3), 0.6, 5)
    assert confusion(np.array([0, 2]), np.array([0, 1]), classes=3).tolist() == [[1, 0, 0], [0, 0, 0], [0, 1, 0]]
    assert kappa(np.array([[20, 5], [10, 15]])) == pytest.approx(0.4)
    with pytest.raises(SchemaError):
        confusion(np.array([3]), np.array([0]), classes=3)


def test_labels_of_one_half_find_the_other(scene):
    before, after, truth = scene
    half = block_split(truth.shape, block=6)
    chance = train_and_find(change_features(before, after), np.where(half, truth.astype(int), -1), trees=40)
    assert change_accuracy(chance > 0.5, truth, ~half).f1 > 0.9
    assert (train_and_find(change_features(before, after), np.where(half, truth.astype(int), -1), trees=40) == chance).all()
    with pytest.raises(MissingDataError, match="标注"):
        train_and_find(change_features(before, after), np.full(truth.shape, -1))


def test_the_seasonal_fit_is_the_dense_least_squares_of_the_clear_dates(rng):
    t = np.sort(rng.choice(np.arange(900), 60, replace=False)).astype(float)
    y = 0.5 + 0.2 * np.sin(2 * np.pi * t / 365.2425)[:, None] + rng.normal(0, 0.03, (60, 30))
    y[rng.random(y.shape) < 0.3] = np.nan
    model = fit_season(y, t, order=2, passes=1)
    design = season_design(t, order=2)
    for k in range(30):
        ok = np.isfinite(y[:, k])
        assert np.allclose(model.coefficients[:, k], np.linalg.lstsq(design[ok], y[ok, k], rcond=None)[0], atol=1e-5) and model.clear[k] == ok.sum()
    full = filled(y, t, model)
    assert np.isfinite(full).all() and (full[np.isfinite(y)] == y[np.isfinite(y)]).all()


def test_clouds_left_in_the_series_do_not_move_the_fit(rng):
    t = np.arange(0, 900, 15.0)
    y = np.tile(0.6 + 0.2 * np.cos(2 * np.pi * t / 365.2425)[:, None], (1, 50)) + rng.normal(0, 0.02, (60, 50))
    y[rng.integers(0, 60, 3), :] -= 0.5
    clean = fit_season(y, t, order=1, trend=False, passes=3)
    assert np.abs(clean.coefficients[0] - 0.6).max() < 0.03


@pytest.mark.parametrize(("method", "limit"), [("cusum", 6.0), ("ewma", 4.0), ("repeats", 3.0)])
def test_a_drop_is_found_soon_and_quiet_pixels_stay_quiet(method, limit):
    rng = np.random.default_rng(8)
    t = np.arange(0, 1460, 12.0)
    y = 0.5 + 0.2 * np.cos(2 * np.pi * t / 365.2425)[:, None] + rng.normal(0, 0.04, (len(t), 800))
    y[rng.random(y.shape) < 0.35] = np.nan
    history = t < 1000
    y[t > 1150, :400] -= 0.25
    alarm = monitor(y[~history], t[~history], fit_season(y[history], t[history], order=1, trend=False), method=method, limit=limit)
    sure = (alarm.date_index >= 0) & (alarm.repeats >= 3)
    assert sure[:400].mean() > 0.98 and sure[400:].mean() < 0.03
    day = t[~history][alarm.date_index[:400][sure[:400]]]
    assert 0 <= np.median(day) - 1150 <= 36 and (alarm.direction[:400][sure[:400]] == -1).all()
    assert (alarm.confidence[sure] >= 0.875).all()


def test_series_that_do_not_fit_are_refused():
    t = np.arange(5.0)
    with pytest.raises(MissingDataError, match="期影像"):
        fit_season(np.ones((5, 2)), t)
    with pytest.raises(SchemaError, match="递增"):
        fit_season(np.ones((5, 2)), t[::-1])
    model = fit_season(np.random.default_rng(0).normal(size=(40, 2)), np.arange(40.0) * 10, order=1)
    with pytest.raises(SchemaError, match="方法"):
        monitor(np.ones((3, 2)), np.arange(3.0), model, method="none")
    assert np.isnan(fit_season(np.where(np.arange(40)[:, None] < 5, 1.0, np.nan) * np.ones((40, 1)), np.arange(40.0) * 10, order=1).sigma).all()
