"""The case tests of the design notes by their numbers: T-01, T-02, T-03, T-07, T-08, A-13, A-14 (domain notes, 7.5)."""

import json

import affine
import numpy as np
import pyproj
import pytest
import shapely

from qianmo.geo.prisms import cut_and_fill
from qianmo.geo.raster import Grid
from qianmo.geo.slope_length import slope_length_factor
from qianmo.survey.change.threshold import larger_patches
from qianmo.survey.erosion.grade import GRADES, slope_cover_grade
from qianmo.survey.erosion.soil import epic_erodibility
from qianmo.survey.goaf import GoafSite, grout_volume_m3, stability, treatments
from qianmo.survey.insar.basin import growth, labelled_basins
from qianmo.survey.insar.geometry import vertical
from qianmo.survey.sounding import radar_depth_m, transient_depth_m
from qianmo.survey.subsidence.parameters import stable_after_days


@pytest.fixture
def vectors(shared_domain):
    return json.loads((shared_domain / "test_vectors.json").read_text(encoding="utf-8"))


def test_t_01_thirty_millimetres_a_year_away_at_39_degrees_are_38_6_down():
    assert vertical(np.array([-30.0]), 39.0)[0] == pytest.approx(-38.6, abs=0.05)


def test_a_13_a_bowl_of_10_12_and_15_hectares_grew_by_half_and_ever_faster():
    days, areas = np.array([0.0, 182.625, 365.25]), []
    y, x = np.mgrid[-30:31, -30:31] * 10.0
    for hectares in (10.0, 12.0, 15.0):
        # a cone whose 10 mm line is a circle of the wanted area
        radius = np.sqrt(hectares * 1e4 / np.pi)
        _, found = labelled_basins(10.0 * (2.0 - np.hypot(x, y) / radius), edge_mm=10.0, cell_area_m2=100.0)
        assert len(found) == 1 and found[0].deepest_mm == pytest.approx(20.0) and found[0].area_ha == pytest.approx(hectares, rel=0.02)
        areas.append(found[0].area_ha)
    told = growth(np.array(areas), days)
    assert told["gain_share"] == pytest.approx(0.5, abs=0.02) and told["speed_ha_yr"] == pytest.approx(5.0, abs=0.2) and told["is_faster"] == 1.0
    exact = growth(np.array([10.0, 12.0, 15.0]), days)
    assert exact["gain_share"] == pytest.approx(0.5) and exact["speed_ha_yr"] == pytest.approx(5.0)


def test_t_02_length_and_steepness_soil_and_grades_of_the_notes(vectors):
    for slope, expected in ((3.0, 0.760117), (7.0, 2.325939), (15.0, 7.080796)):
        assert slope_length_factor(np.array([50.0]), np.array([slope]))[0] == pytest.approx(expected, abs=1e-5)
    american = float(epic_erodibility(np.array([40.0]), np.array([40.0]), np.array([20.0]), np.array([1.2]))[0])
    assert american == pytest.approx(0.280618, abs=1e-6)
    assert american * 0.1317 == pytest.approx(0.0369574, abs=1e-6) and -0.01383 + 0.51575 * american * 0.1317 == pytest.approx(0.00523079, abs=1e-6)
    table = [("轻", "轻", "轻", "中", "中"), ("轻", "轻", "中", "中", "强烈"), ("轻", "中", "中", "强烈", "极强烈"), ("中", "中", "强烈", "极强烈", "剧烈")]
    for cover, row in zip((70.0, 50.0, 40.0, 20.0), table):
        found = slope_cover_grade(np.array([6.0, 10, 20, 30, 40]), np.full(5, cover), np.zeros(5, bool))
        assert [GRADES[g].removesuffix("度") for g in found] == list(row)
    farm = slope_cover_grade(np.array([3.0, 6, 10, 20, 30, 40]), np.full(6, np.nan), np.ones(6, bool))
    assert [GRADES[g] for g in farm] == ["微度", "轻度", "中度", "强烈", "极强烈", "剧烈"]


def test_t_03_a_building_of_ten_by_ten_and_six_metres_holds_600_cubic_metres():
    ground = Grid(np.zeros((40, 40)), affine.Affine(0.5, 0, 0, 0, -0.5, 0), pyproj.CRS(4547), np.nan)
    roof = Grid(np.full((40, 40), 6.0), ground.transform, ground.crs, np.nan)
    found = cut_and_fill(ground, roof, np.array([shapely.box(5, -15, 15, -5)], dtype=object), largest_m=100.0)
    assert found["fill_m3"].iloc[0] == pytest.approx(600.0) and found["cut_m3"].iloc[0] == pytest.approx(0.0)


def test_t_07_change_below_the_mapping_unit_is_listed_and_not_drawn():
    changed = np.zeros((40, 40), bool)
    changed[2:4, 2:4] = True
    changed[10:20, 10:20] = True
    kept, small = larger_patches(changed, least_cells=int(400.0 / 25.0))
    assert kept.sum() == 100 and small.sum() == 4 and not (kept & small).any() and (kept | small).sum() == changed.sum()


def test_t_08_eighty_nanoseconds_at_a_tenth_of_a_metre_are_four_metres():
    assert radar_depth_m(80.0, 0.1) == pytest.approx(4.0) and transient_depth_m(100.0, 10.0) == pytest.approx(885.4, abs=0.1)


def test_a_14_a_worked_out_panel_gets_stability_treatment_grout_and_time(vectors):
    site = GoafSite(depth_m=300.0, thickness_m=3.0, days_since_end=300.0)
    grade, _, _ = stability(site)
    assert stable_after_days(300.0) == pytest.approx(750.0, abs=0.1) and grade == "U"
    assert stability(GoafSite(depth_m=300.0, thickness_m=3.0, days_since_end=1000.0))[0] == "S"
    ways = {w.name: w for w in treatments(site, grade=grade, shallow_m=10.0, span_m=5.0, widest_bridged_m=8.0, important=True)}
    assert any(w.fits for w in ways.values()) and all(w.reason for w in ways.values())
    g = vectors["grout"]
    q = grout_volume_m3(loss=g["A"], area_m2=g["S"], thickness_m=g["m"], extraction=g["K"], void_rate=g["dV"], filling=g["eta"], stone_rate=g["c"])
    assert q == pytest.approx(33750.0, abs=1.0)
