"""Electrical lines and transient soundings: planted bodies are given back; wrong units and impossible data are refused."""

import numpy as np
import pytest
from scipy.sparse import diags_array

from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.rules import parameter
from qianmo.survey.resistivity import simulation
from qianmo.survey.resistivity.electrical import ElectricalLine, checked_line, dipole_dipole, inverted_line, padded_edges
from qianmo.survey.resistivity.section import ResistivitySection, resistivity_bodies
from qianmo.survey.resistivity.simulation import electrical_forward, is_here, transient_forward
from qianmo.survey.resistivity.smoothest import smoothest_model
from qianmo.survey.resistivity.transient import (
    TransientSounding,
    checked_sounding,
    half_space_decay,
    inverted_sounding,
    layers_of,
    section_of_soundings,
)

NOISE = 0.03
"""Relative noise of the made data."""
TIMES = np.logspace(np.log10(2e-5), -2, 25)
needs_simpeg = pytest.mark.skipif(not is_here(), reason="simpeg is not installed: pip install 'qianmo[geophysics]' runs the inversions of electrical lines and soundings")


def _bodies(section):
    return resistivity_bodies(section, least_ratio=parameter("goaf_least_ratio"), sure_ratio=parameter("goaf_sure_ratio"), least_sensitivity=parameter("goaf_least_sensitivity"),
                              lobe_share=parameter("goaf_lobe_share"))  # fmt: skip


@needs_simpeg
@pytest.mark.parametrize(("inside", "kind"), [(10.0, "low"), (1000.0, "high")])
def test_a_planted_body_under_an_electrical_line_is_found_where_it_is(inside, kind):
    x = np.arange(28) * 4.0
    arrays = dipole_dipole(28, lengths=(1, 2), steps=6)
    ex, ez = padded_edges(x, cell_m=1.0, depth_m=40.0)  # finer and other cells than those of the inversion
    cx, cz = (ex[1:] + ex[:-1]) / 2, (ez[1:] + ez[:-1]) / 2
    rho = np.full((len(cz), len(cx)), 100.0)
    rho[np.ix_((cz < -7) & (cz > -13), np.abs(cx - 56) < 7)] = inside
    forward, _ = electrical_forward(x, arrays, edges_x_m=ex, edges_z_m=ez)
    seen = np.exp(forward(np.log(rho).ravel()) + NOISE * np.random.default_rng(1).standard_normal(len(arrays)))
    section = inverted_line(ElectricalLine(x, arrays, seen, np.full(len(seen), NOISE)), cell_m=2.6)
    assert section.reduced_chi2 < 1.2 and np.median(section.resistivity_ohm_m) == pytest.approx(100.0, rel=0.06)
    found = _bodies(section)
    body = found[0]
    assert body.kind == kind and len(found) <= 2
    assert abs(body.depth_m - 10.0) < 1.5 and abs(body.depth_m - 10.0) < 2 * body.sigma_m
    assert [body.from_m, body.to_m] == pytest.approx([49.0, 63.0], abs=3.0) and body.confidence > 0.6


@needs_simpeg
def test_uniform_ground_under_a_line_has_the_resistivity_put_in_and_the_derivatives_are_those_of_differences():
    x = np.arange(10) * 2.0
    arrays = dipole_dipole(10, lengths=(1,), steps=4)
    ex, ez = padded_edges(x, cell_m=2.0, depth_m=8.0)
    forward, jacobian = electrical_forward(x, arrays, edges_x_m=ex, edges_z_m=ez)
    cells = (len(ex) - 1) * (len(ez) - 1)
    assert np.allclose(forward(np.full(cells, np.log(37.0))), np.log(37.0), atol=1e-9)
    model = np.log(50.0) + 0.3 * np.random.default_rng(0).standard_normal(cells)
    slopes = jacobian(model)
    for k in (5, cells // 2, cells - 12):
        step = np.zeros(cells)
        step[k] = 1e-3
        assert np.allclose((forward(model + step) - forward(model - step)) / 2e-3, slopes[:, k], atol=2e-5)


@needs_simpeg
def test_a_sounding_over_uniform_ground_is_the_closed_form():
    forward, jacobian = transient_forward(TIMES, thickness_m=np.array([30.0, 30.0]), loop_radius_m=56.4)
    truth = half_space_decay(TIMES, resistivity_ohm_m=80.0, loop_radius_m=56.4)
    assert np.exp(forward(np.log([80.0, 80.0, 80.0]))) == pytest.approx(truth, rel=5e-4)
    model, e = np.log([80.0, 30.0, 100.0]), 1e-4
    wanted = np.column_stack([(forward(model + e * u) - forward(model - e * u)) / (2 * e) for u in np.eye(3)])
    assert np.allclose(jacobian(model), wanted, atol=1e-5)


@needs_simpeg
def test_a_planted_wet_layer_is_found_at_its_depth_and_as_a_body_of_its_line():
    plain, _ = transient_forward(TIMES, thickness_m=np.array([60.0, 15.0]), loop_radius_m=56.4)
    layers = layers_of(first_m=5.0, deepest_m=180.0, count=14)  # no edge of the layers lies at 60 or 75 m
    made = []
    for k in range(9):
        rho = [80.0, 5.0 if 3 <= k <= 5 else 80.0, 80.0]
        seen = np.exp(plain(np.log(rho)) + NOISE * np.random.default_rng(k).standard_normal(len(TIMES)))
        made.append(TransientSounding(20.0 * k, TIMES, seen, np.full(len(TIMES), NOISE), 56.4))
    alone = inverted_sounding(made[4], thickness_m=layers)
    middle = np.cumsum(layers) - layers / 2
    lowest = middle[alone.model[:-1].argmin()]
    assert alone.reduced_chi2 < 1.5 and abs(lowest - 67.5) < 8.0  # the stated error: one layer of the model at that depth
    section = section_of_soundings(made, thickness_m=layers)
    (body,) = _bodies(section)  # the rings of the smooth inversion above and below are no bodies
    assert body.kind == "low" and [body.from_m, body.to_m] == [50.0, 110.0] and abs(body.depth_m - 67.5) < 8.0 and body.confidence > 0.6


def test_without_the_library_the_cure_is_told(monkeypatch):
    def gone(part):
        raise ImportError(name="simpeg")

    monkeypatch.setattr(simulation, "import_module", gone)
    assert not is_here()
    with pytest.raises(MissingDataError, match=r"qianmo\[geophysics\]"):
        transient_forward(TIMES, thickness_m=np.array([30.0]), loop_radius_m=50.0)


def test_the_smoothest_model_of_a_linear_problem_is_the_ridge_solution():
    rng = np.random.default_rng(0)
    kernel = rng.normal(0, 1, (30, 12))
    truth = np.sin(np.arange(12) / 3.0)
    rough = diags_array([-np.ones(11), np.ones(11)], offsets=[0, 1], shape=(11, 12)).tocsr()
    seen = kernel @ truth + 0.05 * rng.standard_normal(30)
    found = smoothest_model((lambda m: kernel @ m, lambda m: kernel), seen, np.full(30, 0.05), start=np.zeros(12), roughness=rough)
    assert found.reduced_chi2 < 1.3 and np.abs(found.model - truth).max() < 0.08
    assert ((found.resolution > 0) & (found.resolution <= 1.0 + 1e-9)).all() and found.resolution.sum() <= 12
    with pytest.raises(MissingDataError, match="不收敛"):
        smoothest_model((lambda m: kernel @ m * 0, lambda m: kernel * 0 + 1e-3), seen, np.full(30, 0.05), start=np.zeros(12), roughness=rough)


def test_bodies_are_cut_at_half_their_height_with_what_is_known_of_their_depth():
    x, z = np.arange(0.0, 61.0, 2.0), np.arange(0.0, 21.0, 1.0)
    log_rho = np.full((20, 30), np.log(100.0))
    log_rho[8:12, 10:15] -= np.log(3.0)
    log_rho[9:11, 22:24] += np.log(1.1)
    section = ResistivitySection(x, z, np.exp(log_rho), np.ones((20, 30)), np.full((20, 30), 0.1), 1.0)
    (body,) = _bodies(section)
    assert (body.kind, body.from_m, body.to_m, body.top_m, body.bottom_m, body.depth_m) == ("low", 20.0, 30.0, 8.0, 12.0, pytest.approx(10.0))
    assert body.ratio == pytest.approx(1 / 3) and body.sigma_m == pytest.approx(4 / np.sqrt(12)) and body.confidence == 1.0
    log_rho[2:4, 9:16] += np.log(1.5)  # above the strong one: its side lobe for all the data say
    log_rho[2:4, 22:27] += np.log(1.5)  # the same beside it is a body
    aside = _bodies(ResistivitySection(x, z, np.exp(log_rho), np.ones((20, 30)), np.full((20, 30), 0.1), 1.0))
    assert [(b.kind, b.from_m) for b in aside] == [("low", 20.0), ("high", 44.0)]
    log_rho[2:4] = np.log(100.0)
    blind = ResistivitySection(x, z, np.exp(log_rho), np.where(np.arange(20)[:, None] < 6, 1.0, 1e-6) * np.ones((20, 30)), np.full((20, 30), 0.1), 1.0)
    assert _bodies(blind) == []


LINE = ElectricalLine(np.arange(12) * 2.0, dipole_dipole(12, lengths=(1,), steps=5), np.full(35, 50.0), np.full(35, 0.03))


@pytest.mark.parametrize(
    ("change", "kind", "says"),
    [({"electrodes_m": np.arange(12) * 2000.0}, SchemaError, "毫米"), ({"electrodes_m": np.arange(12)[::-1] * 2.0}, SchemaError, "不递增"),
     ({"apparent_ohm_m": np.r_[-5.0, np.full(34, 50.0)]}, SchemaError, "第 1 个读数"),
     ({"error": np.full(35, 3.0)}, SchemaError, "百分数"), ({"arrays": np.tile([0, 1, 1, 2], (35, 1))}, SchemaError, "电极号"), ({"arrays": LINE.arrays[:9]}, MissingDataError, "9 个")],
)  # fmt: skip
def test_a_line_that_cannot_be_is_refused(change, kind, says):
    assert len(LINE.arrays) == 35 and checked_line(LINE) is LINE
    with pytest.raises(kind, match=says):
        checked_line(ElectricalLine(**{**LINE.__dict__, **change}))


DECAY = half_space_decay(TIMES, resistivity_ohm_m=60.0, loop_radius_m=50.0)


@pytest.mark.parametrize(
    ("change", "kind", "says"),
    [({"times_s": TIMES * 1e6}, SchemaError, "µs"), ({"times_s": TIMES[::-1]}, SchemaError, "不递增"), ({"decay_v_m2_a": -DECAY}, SchemaError, "为负"), ({"decay_v_m2_a": DECAY * 1e9}, SchemaError, "nV"),
     ({"error": np.full(25, 5.0)}, SchemaError, "百分数"), ({"loop_radius_m": 5e4}, SchemaError, "回线"), ({"times_s": TIMES[:5], "decay_v_m2_a": DECAY[:5], "error": np.full(5, 0.03)}, MissingDataError, "5 个")],
)  # fmt: skip
def test_a_sounding_that_cannot_be_is_refused(change, kind, says):
    good = TransientSounding(0.0, TIMES, DECAY, np.full(25, 0.03), 50.0)
    assert checked_sounding(good) is good
    with pytest.raises(kind, match=says):
        checked_sounding(TransientSounding(**{**good.__dict__, **change}))


def test_layers_reach_the_depth_and_lines_too_short_for_a_background_are_refused():
    layers = layers_of(first_m=4.0, deepest_m=200.0, count=18)
    assert layers[0] == 4.0 and layers.sum() == pytest.approx(200.0, rel=1e-9) and np.allclose(layers[1:] / layers[:-1], layers[1] / layers[0])
    with pytest.raises(SchemaError, match="首层"):
        layers_of(first_m=40.0, deepest_m=100.0, count=10)
    with pytest.raises(MissingDataError, match="至少 5"):
        section_of_soundings([], thickness_m=layers)
