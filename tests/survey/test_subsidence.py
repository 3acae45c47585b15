"""Probability-integral subsidence: vectors of the standard text, closed form against brute force, refusals."""

import numpy as np
import pytest
import shapely
from scipy.special import owens_t as owens_t_of_scipy

from qianmo.schema.errors import MissingDataError, RuleError, SchemaError, TopologyError
from qianmo.survey.goaf import GoafSite, depth_thickness_ratio, grout_volume_m3, residual_share, stability, treatments
from qianmo.survey.subsidence.damage import graded, grading_tables, intervals
from qianmo.survey.subsidence.face import Face, acting_polygon, inner_ring, largest_subsidence_mm
from qianmo.survey.subsidence.influence import owens_t
from qianmo.survey.subsidence.parameters import SubsidenceParameters, stable_after_days
from qianmo.survey.subsidence.predict import in_direction, predict, principal
from qianmo.survey.subsidence.section import finite_section, largest_movements, semi_infinite_section
from qianmo.survey.subsidence.time_course import fit_time_course, knothe, strips

ROCK = SubsidenceParameters(q=0.75, tan_beta=2.0, b=0.3)
ODD = shapely.Polygon([(0, 0), (300, 20), (350, 200), (120, 260), (150, 120)])


def _face(polygon, **more):
    return Face(polygon, **{"depth_m": 300.0, "thickness_m": 3.0, "parameters": ROCK, "name": "1301", **more})


def test_owens_t_agrees_with_scipy():
    rng = np.random.default_rng(0)
    h, a = rng.normal(0, 3, 2000), np.exp(rng.normal(0, 2, 2000)) * rng.choice([-1, 1], 2000)
    assert np.abs(np.array([owens_t(*p) for p in zip(h, a)]) - owens_t_of_scipy(h, a)).max() < 1e-14


def test_a_polygon_moves_the_ground_as_its_influence_summed_over_a_fine_grid():
    at = np.array([[100.0, 100], [200, 250], [-100, 50], [320, 30]])
    moved = predict(at, [_face(ODD)])
    r, step = 150.0, 0.5
    s = np.arange(-3.2 * r + step / 2, 3.2 * r, step)
    for (x, y), w in zip(at, moved.subsidence_mm):
        east, north = np.meshgrid(x + s, y + s)
        inside = shapely.contains_xy(ODD, east, north)
        share = (np.exp(-np.pi * ((east - x) ** 2 + (north - y) ** 2) / r**2)[inside]).sum() * step**2 / r**2
        assert w == pytest.approx(2250.0 * share, abs=0.6)


def test_points_on_an_edge_or_a_corner_are_the_limit_of_points_beside_them():
    edge, corner = np.array([150.0, 10.0]), np.array([150.0, 120.0])
    for at in (edge, corner):
        near = predict(at + np.array([[1e-6, 0], [-1e-6, 0], [0, 1e-6], [0, -1e-6]]), [_face(ODD)]).subsidence_mm
        assert predict(at[None], [_face(ODD)]).subsidence_mm[0] == pytest.approx(near.mean(), abs=1e-5)


def test_tilt_curvature_strain_are_the_derivatives_of_subsidence_and_movement():
    at, e = np.array([[100.0, 100], [0, 0], [200, 250], [-60, 50]]), 1e-3
    face = [_face(ODD, dip_deg=12.0, dip_azimuth_deg=70.0)]
    east = [predict(at + [s * e, 0], face) for s in (1, -1)]
    north = [predict(at + [0, s * e], face) for s in (1, -1)]
    here = predict(at, face)
    dx, dy = (lambda name: (getattr(east[0], name) - getattr(east[1], name)) / (2 * e)), (lambda name: (getattr(north[0], name) - getattr(north[1], name)) / (2 * e))
    assert np.allclose(here.tilt_mm_m, np.column_stack([dx("subsidence_mm"), dy("subsidence_mm")]), atol=1e-5)
    ix, iy, ux, uy = dx("tilt_mm_m"), dy("tilt_mm_m"), dx("horizontal_mm"), dy("horizontal_mm")
    assert np.allclose(here.curvature_e3_m, np.column_stack([ix[:, 0], ix[:, 1], iy[:, 1]]), atol=1e-8)
    assert np.allclose(here.strain_mm_m, np.column_stack([ux[:, 0], (ux[:, 1] + uy[:, 0]) / 2, uy[:, 1]]), atol=1e-6)


def test_a_long_panel_is_the_closed_form_of_the_main_section():
    panel = shapely.box(0, -5000, 400, 5000)
    x = np.linspace(-300, 700, 41)
    moved = predict(np.column_stack([x, np.zeros_like(x)]), [_face(panel)])
    line = finite_section(x, length_m=400.0, largest_mm=2250.0, radius_m=150.0, b=0.3)
    assert np.allclose(moved.subsidence_mm, line.subsidence_mm, atol=1e-8)
    assert np.allclose(moved.tilt_mm_m[:, 0], line.tilt_mm_m, atol=1e-9) and np.allclose(moved.strain_mm_m[:, 0], line.strain_mm_m, atol=1e-9)
    assert np.allclose(in_direction(moved.curvature_e3_m, 90.0), line.curvature_e3_m, atol=1e-12)


def test_faces_add_and_a_cut_changes_nothing():
    whole, left, right = shapely.box(0, 0, 600, 200), shapely.box(0, 0, 250, 200), shapely.box(250, 0, 600, 200)
    at = np.random.default_rng(1).uniform(-200, 800, (300, 2))
    a, b = predict(at, [_face(whole)]), predict(at, [_face(left), _face(right)])
    for name in ("subsidence_mm", "tilt_mm_m", "curvature_e3_m", "horizontal_mm", "strain_mm_m"):
        assert np.allclose(getattr(a, name), getattr(b, name), atol=1e-9), name
    assert np.allclose(predict(at, [_face(whole)], shares=[0.25]).subsidence_mm, a.subsidence_mm / 4)


def test_a_dipping_panel_acts_with_the_length_of_the_text():
    rock = SubsidenceParameters(q=0.75, tan_beta=2.0, offset_down_m=20.0, offset_up_m=10.0)
    dip, along = 10.0, 300.0
    panel = shapely.box(-500, -along * np.cos(np.radians(dip)) / 2, 500, along * np.cos(np.radians(dip)) / 2)
    ring = acting_polygon(_face(panel, parameters=rock, dip_deg=dip, dip_azimuth_deg=180.0))
    # offsets are taken in plan: an offset of s along the seam is s cos α in plan
    angle = np.radians(90 - 0.68 * dip)
    seam = along - 30.0 / np.cos(np.radians(dip))
    assert np.ptp(ring[:, 1]) == pytest.approx(seam * np.sin(angle + np.radians(dip)) / np.sin(angle), rel=1e-9)
    assert ring[:, 1].mean() < 5.0 - 300.0 / np.tan(angle) + 6.0


def test_offsets_move_each_side_by_its_own():
    rock = SubsidenceParameters(q=0.75, tan_beta=2.0, offset_down_m=10.0, offset_up_m=20.0, offset_left_m=30.0, offset_right_m=40.0)
    ring = inner_ring(_face(shapely.box(0, 0, 400, 300), parameters=rock, dip_azimuth_deg=180.0))
    # dip to the south: down = south, right hand looking south = west
    assert (ring.min(axis=0) == [40.0, 10.0]).all() and (ring.max(axis=0) == [370.0, 280.0]).all()
    with pytest.raises(SchemaError, match="拐点偏移距"):
        inner_ring(_face(shapely.box(0, 0, 60, 300), parameters=rock, dip_azimuth_deg=180.0))


def test_strips_of_an_advancing_face_act_as_the_face_when_all_is_over():
    rock = SubsidenceParameters(q=0.7, tan_beta=2.1, offset_left_m=25.0, offset_right_m=15.0)
    face = _face(shapely.box(0, 0, 996, 180), parameters=rock, dip_azimuth_deg=0.0)
    cut = strips(face, advance_m=[0, 75.9, 180.8, 420.0, 996.0], advance_azimuth_deg=90.0)
    at = np.random.default_rng(2).uniform(-150, 1100, (100, 2))
    assert len(cut) == 4 and np.allclose(predict(at, cut).subsidence_mm, predict(at, [face]).subsidence_mm, atol=1e-8)


def test_subsidence_never_exceeds_the_largest_and_principal_values_bound_every_direction():
    at = np.random.default_rng(3).uniform(-300, 700, (400, 2))
    moved = predict(at, [_face(ODD)])
    assert (moved.subsidence_mm >= 0).all() and (moved.subsidence_mm <= largest_subsidence_mm(_face(ODD))).all()
    high, low = principal(moved.strain_mm_m)
    for azimuth in range(0, 180, 15):
        there = in_direction(moved.strain_mm_m, azimuth)
        assert (there <= high + 1e-12).all() and (there >= low - 1e-12).all()


def test_largest_movements_stand_where_the_section_has_them():
    x = np.linspace(-300, 300, 200_001)
    line = semi_infinite_section(x, largest_mm=2000.0, radius_m=150.0, b=0.3)
    most = largest_movements(largest_mm=2000.0, radius_m=150.0, b=0.3)
    for name, value in most.items():
        assert np.abs(getattr(line, name)).max() == pytest.approx(value, rel=1e-7), name


@pytest.mark.parametrize(
    ("change", "kind"),
    [({"depth_m": 0.0}, SchemaError), ({"thickness_m": float("nan")}, SchemaError), ({"dip_deg": 80.0}, SchemaError),
     ({"polygon": shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])}, TopologyError)],
)  # fmt: skip
def test_a_face_that_cannot_be_is_refused(change, kind):
    with pytest.raises(kind, match="1301"):
        _face(**{"polygon": ODD, **change})


def test_bad_points_and_shares_are_refused():
    with pytest.raises(SchemaError, match=r"\[1\]"):
        predict(np.array([[0.0, 0.0], [np.nan, 1.0]]), [_face(ODD)])
    with pytest.raises(SchemaError, match="没有工作面"):
        predict(np.zeros((1, 2)), [])
    with pytest.raises(SchemaError, match="完成比例"):
        predict(np.zeros((1, 2)), [_face(ODD)], shares=[1.5])
    with pytest.raises(SchemaError, match="下沉系数"):
        SubsidenceParameters(q=7.5, tan_beta=2.0)


def test_a_time_course_gives_back_what_made_it():
    days = np.arange(0, 400, 20.0)
    fit = fit_time_course(days, knothe(days, 900.0, 0.02, 40.0), course="delayed_knothe")
    assert fit.parameters["final_mm"] == pytest.approx(900.0, rel=1e-6) and fit.parameters["start"] == pytest.approx(40.0, abs=1e-4)
    with pytest.raises(MissingDataError):
        fit_time_course(days[:3], np.array([0.0, 1.0, np.nan]), course="knothe")
    with pytest.raises(SchemaError, match="递增"):
        fit_time_course(days[::-1], days, course="knothe")


def test_damage_is_the_worst_metric_and_limits_belong_to_the_milder_grade():
    brick = grading_tables()["building_brick_concrete"][0]
    rank, worst = graded("building_brick_concrete", brick, {"epsilon": np.array([2.0, -2.1, 0.0]), "i": np.array([3.0, 1.0, 10.1]), "K": np.array([0.0, 0.0, 0.0])})
    assert rank.tolist() == [0, 1, 3] and worst.tolist()[1:] == ["epsilon", "i"]
    assert [r.grade for r in intervals("building_brick_concrete", brick) if r.metric == "K"] == ["I", "II", "III", "IV"]
    wet, _ = graded("land_subsidence_damage", "水田", {"Hw": np.array([1.2, 0.4, -0.3, np.nan])})
    assert wet.tolist() == [0, 1, 2, -1]
    with pytest.raises(RuleError, match="没有指标"):
        graded("land_subsidence_damage", "水田", {"K": np.zeros(1)})
    with pytest.raises(RuleError, match="分级表"):
        graded("land_subsidence_damage", "月球", {"W": np.zeros(1)})


def test_goaf_stability_takes_the_worst_and_time_alone_can_decide():
    assert stability(GoafSite(300.0, 3.0, 1000.0))[0] == "S"
    assert stability(GoafSite(300.0, 3.0, 700.0))[:2] == ("BS", "基本稳定")
    assert stability(GoafSite(300.0, 3.0, 1000.0, residual_mm=250.0)) == ("U", "不稳定", "dW")
    assert stability(GoafSite(300.0, 3.0, 1000.0, rate_mm_day=0.5))[0] == "S"
    assert depth_thickness_ratio(331.0, 4.3) == pytest.approx(77.0, abs=0.05)
    assert residual_share(0.0, 0.01) == 1.0 and residual_share(100.0, 0.01) == pytest.approx(np.exp(-1))
    with pytest.raises(SchemaError, match="停采"):
        stability(GoafSite(300.0, 3.0, -5.0))


def test_treatment_follows_depth_span_and_stability():
    deep = {t.name: t.fits for t in treatments(GoafSite(200.0, 3.0, 100.0), grade="U", shallow_m=15.0, span_m=30.0, widest_bridged_m=8.0, important=True)}
    assert deep == {"watch": False, "strengthen": False, "excavate": False, "grout": True, "avoid": True}
    shallow = {t.name: t.fits for t in treatments(GoafSite(10.0, 2.0, 4000.0), grade="S", shallow_m=15.0, span_m=5.0, widest_bridged_m=8.0, important=False)}
    assert shallow == {"watch": True, "strengthen": True, "excavate": True, "grout": False, "avoid": False}
    with pytest.raises(SchemaError, match="超出范围"):
        grout_volume_m3(loss=1.2, area_m2=1.0, thickness_m=3.0, extraction=75.0, void_rate=0.25, filling=0.85, stone_rate=0.85)


def test_days_of_movement_follow_the_depth():
    assert stable_after_days(300.0) == 750.0 and stable_after_days(400.0) == pytest.approx(1000.0)
    with pytest.raises(SchemaError):
        stable_after_days(0.0)
