"""Shift of images, lights of parcels, classes of patches: known answers, by-hand trees, refusals."""

import affine
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.ndimage import fourier_shift, gaussian_filter

from qianmo.geo.fractions import cell_fractions
from qianmo.schema.errors import CrsError, MissingDataError, RuleError, SchemaError
from qianmo.survey.change.coregister import check_shift, image_shift
from qianmo.survey.change.from_to import classes_after, main_class, pure_cells
from qianmo.survey.change.lights import LIGHTS, Question, lights, shipped_tree, what_if, with_thresholds
from qianmo.survey.change.signals import band_indices, parcel_signals
from qianmo.survey.change.threshold import change_chance
from qianmo.survey.change.two_dates import apply_detector, change_vector, fit_detector, irmad


def _ground(rng, shape=(96, 120)):
    return np.stack([gaussian_filter(rng.normal(size=shape), 1.2) for _ in range(3)])


def _moved(image, by):
    return np.stack([np.real(np.fft.ifft2(fourier_shift(np.fft.fft2(b), by))) for b in image])


@pytest.mark.parametrize("by", [(0.0, 0.0), (0.3, -0.7), (1.25, 0.0), (-4.4, 6.2), (0.05, 0.5)])
def test_a_known_shift_is_found_to_a_twentieth_of_a_pixel(rng, by):
    """Also under other gain and offset, noise, a changed quarter and a hole without data."""
    before = _ground(rng)
    after = _moved(before, by) * np.array([2.0, 0.5, 7.0])[:, None, None] + 3.0
    after += rng.normal(0, 0.05, after.shape) * after.std(axis=(1, 2), keepdims=True)
    after[:, 60:, 80:] = after[:, 60:, 80:].mean()
    after[0, 5:9, 5:9] = np.nan
    found = image_shift(before, after)
    assert found.is_clear and (found.row, found.column) == pytest.approx(by, abs=0.05)


def test_images_of_different_places_give_no_answer_and_a_shift_too_large_is_refused(rng):
    assert not any(image_shift(_ground(rng), _ground(rng)).is_clear for _ in range(20))
    before = _ground(rng)
    check_shift(image_shift(before, _moved(before, (0.2, 0.3))), most=0.5)
    with pytest.raises(CrsError, match=r"向下 \+0\.8"):
        check_shift(image_shift(before, _moved(before, (0.8, 0.3))), most=0.5)
    with pytest.raises(SchemaError, match="行列"):
        image_shift(before[:, :20], before[:, :20])


@pytest.mark.parametrize(("method", "whole"), [("irmad", irmad), ("cva", change_vector)])
def test_tiles_by_statistics_of_the_scene_are_the_scene(rng, method, whole):
    before = _ground(rng)
    after = before * 2 + rng.normal(0, 0.1, before.shape)
    after[1, :7, :9] = np.nan
    detector = fit_detector(method, before, after)
    tiles = np.hstack([np.vstack([apply_detector(detector, before[:, r : r + 50, c : c + 50], after[:, r : r + 50, c : c + 50]).strength for r in (0, 50)]) for c in (0, 50, 100)])
    assert np.allclose(tiles, whole(before, after).strength, atol=1e-9, equal_nan=True)
    assert np.isnan(apply_detector(detector, before[:, :3, :3], after[:, :3, :3]).strength).all()
    with pytest.raises(SchemaError, match="分块"):
        apply_detector(detector, before[:2], after[:2])


def test_the_chance_of_change_is_the_share_of_changed_pixels_at_that_strength(rng):
    """Two log-normal hills that overlap: in every tenth of chance the truth is near it; it never falls."""
    quiet, loud = np.exp(rng.normal(0.5, 0.4, 60_000)), np.exp(rng.normal(2.0, 0.5, 12_000))
    v, truth = np.concatenate([quiet, loud]), np.repeat([0, 1], [60_000, 12_000])
    at, chance = change_chance(v, limit=3.5)
    told = np.interp(v, at, chance)
    for low in np.arange(0.0, 1.0, 0.1):
        here = (told >= low) & (told < low + 0.1)
        assert abs(truth[here].mean() - told[here].mean()) < 0.06
    assert (np.diff(chance) >= 0).all()
    with pytest.raises(MissingDataError, match="阈值"):
        change_chance(v, limit=1e6)


def test_a_pixel_on_each_side_of_every_threshold_takes_the_branch_of_the_table():
    """The tree walked by hand for one parcel at a time against the walk over all at once."""
    tree = shipped_tree()
    rng = np.random.default_rng(5)
    signals = pd.DataFrame({q.signal: rng.choice([q.threshold - 0.01, q.threshold, q.threshold + 0.01, np.nan], 500) for q in tree})
    found, branches = lights(signals, tree)
    by_node = {q.node: q for q in tree}
    passed = {(q.node, k): 0 for q in tree for k in ("yes", "no", "missing")}
    for i in range(len(signals)):
        goal = tree[0].node
        while goal in by_node:
            q, value = by_node[goal], signals[by_node[goal].signal][i]
            way = "missing" if np.isnan(value) else ("yes" if eval(f"{value!r} {q.relation} {q.threshold!r}") else "no")  # noqa: S307
            passed[q.node, way] += 1
            goal = getattr(q, way)
        assert goal == f"{found['light'][i]}:{found['candidate'][i]}"
    assert {(r.node, k): getattr(r, k) for r in branches.itertuples() for k in ("yes", "no", "missing")} == passed
    assert set(found["light"]) == set(LIGHTS)


def test_what_if_counts_the_parcels_that_move_and_touches_nothing_else():
    tree = shipped_tree()
    columns = ["seen_share", "changed_m2", "chance", "ndwi_after", "ndvi_after"]
    signals = pd.DataFrame([(1.0, 900.0, 0.9, 0.15, 0.5), (1.0, 900.0, 0.9, 0.5, 0.0), (1.0, 10.0, 0.9, 0.5, 0.0), (0.1, 900.0, 0.9, 0.5, 0.0)], columns=columns)
    counts, moved = what_if(signals, tree, with_thresholds(tree, {"water": 0.3}))
    assert moved.tolist() == [True, False, False, False]
    assert counts.to_numpy().tolist() == [["red", "red", 1], ["red", "yellow", 1], ["green", "green", 1], ["grey", "grey", 1]]
    assert counts["parcels"].sum() == len(signals) and not what_if(signals, tree, tree)[1].any()
    with pytest.raises(RuleError, match="没有节点 watr"):
        with_thresholds(tree, {"watr": 1.0})
    with pytest.raises(RuleError, match="不是数字"):
        with_thresholds(tree, {"water": float("nan")})
    with pytest.raises(RuleError, match="通向"):
        lights(signals, [Question("a", "?", "chance", "<", 1.0, "-", "a", "red:x", "red:x", "", "low")])


def test_signals_are_taken_over_the_changed_part_by_exact_shares():
    transform = affine.Affine(10, 0, 0, 0, -10, 20)
    found = cell_fractions(np.array([shapely.box(5, 0, 20, 20), shapely.box(-5, 0, 5, 20)]), transform, (2, 2))
    changed, seen = np.array([[True, True], [False, False]]), np.array([[True, True], [True, False]])
    index = np.array([[0.2, 0.8], [9.0, 9.0]])
    table = parcel_signals(found, changed=changed, seen=seen, chance=np.full((2, 2), 0.9), cells=np.array([3.0, 2.0]), area_m2=np.array([300.0, 100.001]), before={}, after={"ndvi": index})
    assert table["seen_share"].tolist() == [pytest.approx(2 / 3), 0.5]  # the second reaches half beyond the images
    assert table["changed_share"].tolist() == [0.5, 0.25] and table["changed_m2"].tolist() == [150.0, 25.0]
    assert table["ndvi_after"].tolist() == [pytest.approx((0.5 * 0.2 + 0.8) / 1.5), pytest.approx(0.2)]
    image = np.array([[[0.1]], [[0.2]], [[0.1]], [[0.4]], [[0.3]]])
    told = band_indices(image, ("blue", "green", "red", "nir", "swir16"), typical={"blue": 0.05, "green": 0.1, "red": 0.1, "nir": 0.3, "swir16": 0.2})
    assert {k: round(float(v[0, 0]), 4) for k, v in told.items()} == {"ndvi": 0.6, "ndwi": -0.3333, "ndbi": -0.1429, "brightness": 1.6667, "blue_red": 2.0}
    with pytest.raises(SchemaError, match="波段"):
        band_indices(image, ("blue", "blue", "", "", ""), typical={"blue": 1.0})


def test_unchanged_cells_teach_the_class_of_changed_ones(rng):
    transform = affine.Affine(10, 0, 0, 0, -10, 400)
    halves = cell_fractions(np.array([shapely.box(0, 0, 205, 400), shapely.box(205, 0, 400, 400)]), transform, (40, 40))
    known = pure_cells(halves, np.array([0, 1]), least=0.95)
    assert (known[:, :20] == 0).all() and (known[:, 20] == -1).all() and (known[:, 21:] == 1).all()
    image = np.where(np.indices((40, 40))[1] < 21, 1.0, 5.0) + rng.normal(0, 0.5, (2, 40, 40))
    changed = np.zeros((40, 40), bool)
    changed[5:12, 5:12] = True
    image[:, changed] += 4.0
    found, chance = classes_after(iter(image), np.where(changed, -1, known), changed, trees=30)
    labels = changed.astype(int)
    kind, share = main_class(labels, found, count=1)
    assert kind.tolist() == [1] and share[0] > 0.9 and (chance[changed] > 0.5).all() and (found[~changed] == -1).all()
    with pytest.raises(MissingDataError, match="1 类"):
        classes_after(iter(image), np.where(known == 0, 0, -1), changed)
    with pytest.raises(SchemaError, match="同一格网"):
        classes_after(iter(image[:, :9]), known, changed)


def test_the_main_class_is_counted_by_hand():
    labels, classes = np.array([[1, 1, 2], [1, 0, 2]]), np.array([[3, 0, -1], [3, 2, -1]])
    kind, share = main_class(labels, classes, count=2)
    assert kind.tolist() == [3, -1] and share.tolist() == [pytest.approx(2 / 3), 0.0]
