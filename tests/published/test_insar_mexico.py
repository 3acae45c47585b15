"""A real Sentinel-1 stack over Mexico City: rank, closure, residual and rates as listed beside the data."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
import rasterio

from qianmo.schema.errors import SchemaError
from qianmo.schema.rules import parameter
from qianmo.survey.insar.closure import odd_pairs, report
from qianmo.survey.insar.delay import most_coherent, referenced
from qianmo.survey.insar.inversion import invert
from qianmo.survey.insar.network import design_matrix, make_network, rank, triplets
from qianmo.survey.insar.rate import displacement_mm, fit_rate
from qianmo.survey.insar.stack import check_phases


@pytest.fixture(scope="module")
def mexico(shared_data):
    folder = shared_data / "insar-mexico-s1"
    if not folder.is_dir():
        pytest.skip("shared/data/insar-mexico-s1 is not here")
    pairs = pd.read_csv(folder / "pairs.csv", dtype=str)
    phase, coherence = [], []
    for first, second in zip(pairs["first"], pairs["second"]):
        for kind, into in (("interferograms/*_unw", phase), ("coherence/*_cc", coherence)):
            path = next(p for p in (folder / kind.split("/")[0]).iterdir() if f"{first}-{second}" in p.name)
            with rasterio.open(path) as source:
                into.append(source.read(1).astype(np.float32))
    day = [(datetime.strptime(a, "%Y%m%d").date(), datetime.strptime(b, "%Y%m%d").date()) for a, b in zip(pairs["first"], pairs["second"])]
    flat = np.stack(phase).reshape(len(pairs), -1)
    return make_network(day), np.where(flat == 0, np.nan, flat), np.stack(coherence).reshape(len(pairs), -1), phase[0].shape


def test_network_reference_and_closure(mexico):
    net, phase, coherence, shape = mexico
    whole = np.isfinite(phase).all(axis=0)
    at = most_coherent(coherence, whole)
    assert rank(net) == 12 and len(triplets(net)) == 24 and whole.mean() == pytest.approx(0.98, abs=5e-4)
    assert divmod(at, shape[1]) == (9, 8) and coherence[:, at].mean() == pytest.approx(0.876, abs=5e-4)
    assert report(referenced(phase, np.array([at]))[:, whole], triplets(net)).mean_abs_rad == pytest.approx(0.4731, abs=5e-5)


def test_no_pair_of_the_real_stack_is_odd_until_one_has_its_sign_turned(mexico):
    net, phase, coherence, _ = mexico
    whole = np.isfinite(phase).all(axis=0)
    near, loops = referenced(phase, np.array([most_coherent(coherence, whole)]))[:, whole], triplets(net)
    odd = {"times": parameter("motion_suspect_times"), "least_rad": parameter("motion_suspect_least_rad")}
    assert odd_pairs(near, loops, **odd) == []
    strongest = int(np.abs(near).mean(axis=1).argmax())
    near[strongest] *= -1
    found = [k for k, _ in odd_pairs(near, loops, **odd)]
    assert strongest in found and len(found) <= 2  # it has one loop only: another pair accounts for that loop as well


def test_rates_equal_an_independent_least_squares_and_the_listed_percentiles(mexico):
    net, phase, coherence, _ = mexico
    whole = np.isfinite(phase).all(axis=0)
    seen = referenced(phase, np.array([most_coherent(coherence, whole)]))[:, whole]
    series = invert(seen, net)
    dense = np.linalg.lstsq(design_matrix(net), seen.astype(float), rcond=None)[0]
    assert np.abs(series.phase_rad[1:] - dense).max() < 1e-5
    off = seen - design_matrix(net) @ dense
    assert np.median(np.sqrt((off**2).mean(axis=0))) == pytest.approx(0.3180, abs=5e-5)
    assert np.median(series.residual_rad) == pytest.approx(0.3180, abs=5e-5)
    rate = fit_rate(displacement_mm(series.phase_rad, 0.055466), net.days).rate_mm_yr
    assert np.percentile(rate, [5, 50, 95]) == pytest.approx([-263.55, -93.28, -3.24], abs=2.0)
    assert rate.mean() == pytest.approx(-105.55, abs=2.0)


def test_the_stack_in_metres_or_degrees_is_refused(mexico):
    net, phase, coherence, _ = mexico
    known = {"most_rad": parameter("motion_phase_most_rad"), "least_rad": parameter("motion_phase_least_rad")}
    check_phases(phase, coherence, net, **known)
    for factor, said in ((-0.055466 / (4 * np.pi), "像是米"), (180 / np.pi, "毫米或度")):
        with pytest.raises(SchemaError, match=said):
            check_phases(phase * np.float32(factor), coherence, net, **known)
