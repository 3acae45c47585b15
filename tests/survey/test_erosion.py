"""Erosion: factors against the vectors of the notes, flow against hand-made hills, grades against the printed table."""

import affine
import numpy as np
import pandas as pd
import pyproj
import pytest

from qianmo.geo.raster import Grid
from qianmo.geo.slope_length import catchment_length_factor, slope_length_factor
from qianmo.schema.errors import CrsError, MissingDataError, RuleError, SchemaError
from qianmo.survey.erosion.cover import cover_factor, weighted_over_year
from qianmo.survey.erosion.grade import GRADES, interval_grade, regions, slope_cover_grade, tolerance_t_km2
from qianmo.survey.erosion.loss import connectivity, delivered, delivery_ratio, sampled_residuals, soil_loss
from qianmo.survey.erosion.rainfall import (
    daily_erosivity,
    fournier_erosivity,
    half_months,
    largest_half_hour_mm_h,
    storm_energy_mj_ha,
    yearly_erosivity,
)
from qianmo.survey.erosion.soil import SI_FACTOR, china_corrected, epic_erodibility
from qianmo.survey.erosion.terrain import flow_over, slope_length_grid

METRIC = pyproj.CRS.from_epsg(4527)


def _grid(values, cell=30.0):
    return Grid(np.asarray(values, dtype=float), affine.Affine(cell, 0, 0, 0, -cell, 0), METRIC, -9999.0)


def _rain(year=2021, **days):
    whole = pd.date_range(f"{year}-01-01", f"{year}-12-31")
    rain = pd.Series(0.0, index=whole)
    for day, mm in days.items():
        rain[pd.Timestamp(day.replace("d", "").replace("_", "-"))] = mm
    return rain


def test_a_year_of_two_storms_is_the_formula_by_hand():
    rain = _rain(d2021_06_10=50.0, d2021_06_20=30.0, d2021_07_01=11.9)
    table = daily_erosivity(rain)
    beta = 0.8363 + 18.144 / 40.0 + 24.455 / 80.0
    alpha = 21.586 * beta**-7.1891
    assert table.loc[2021, 11] == pytest.approx(alpha * 50**beta) and table.loc[2021, 12] == pytest.approx(alpha * 30**beta)
    assert table.to_numpy().sum() == pytest.approx(yearly_erosivity(table)) and table.loc[2021, 13] == 0.0
    census = daily_erosivity(rain, method="census", threshold_mm=10.0)
    assert census.loc[2021, 13] == pytest.approx(0.3937 * 11.9**1.7265)
    cold = daily_erosivity(_rain(d2021_12_31=20.0), method="census")
    assert cold.loc[2021, 24] == pytest.approx(0.3101 * 20**1.7265)


def test_half_months_end_on_the_fifteenth():
    days = pd.DatetimeIndex(["2021-01-15", "2021-01-16", "2021-02-28", "2021-12-16"])
    assert half_months(days).tolist() == [1, 2, 4, 24]


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        (lambda r: r.drop(r.index[100]), MissingDataError, "缺 1 天"), (lambda r: r.iloc[40:], MissingDataError, "缺 40 天"),
        (lambda r: pd.concat([r, r.iloc[-1:]]), SchemaError, "重复"), (lambda r: r.where(r.index != "2021-03-01"), SchemaError, "缺失或为负"),
        (lambda r: r - 1.0, SchemaError, "缺失或为负"), (lambda r: r * 0.0, MissingDataError, "没有日雨量"),
    ],
)  # fmt: skip
def test_bad_rain_is_refused(change, kind, said):
    with pytest.raises(kind, match=said):
        daily_erosivity(change(_rain(d2021_06_10=50.0)))


def test_storms_and_months():
    assert storm_energy_mj_ha(np.full(6, 5.0), 10.0) == pytest.approx(30 * 0.29 * (1 - 0.72 * np.exp(-0.05 * 30)))
    assert largest_half_hour_mm_h(np.array([1.0, 4.0, 6.0, 2.0, 0.0]), 10.0) == 24.0
    assert fournier_erosivity(np.full(12, 100.0), a=1.0, b=1.0) == pytest.approx(100.0)
    with pytest.raises(SchemaError, match="时段 7"):
        largest_half_hour_mm_h(np.ones(3), 7.0)
    with pytest.raises(SchemaError):
        fournier_erosivity(np.ones(11), a=1, b=1)


def test_texture_in_the_wrong_unit_is_refused():
    assert epic_erodibility(np.array([40.0]), np.array([40.0]), np.array([20.0]), np.array([1.2]))[0] == pytest.approx(0.280618, abs=1e-6)
    with pytest.raises(SchemaError, match="g/kg"):
        epic_erodibility(np.array([400.0]), np.array([400.0]), np.array([200.0]), np.array([1.2]))
    with pytest.raises(SchemaError, match="有机碳"):
        epic_erodibility(np.array([40.0]), np.array([40.0]), np.array([20.0]), np.array([21.0]))
    assert china_corrected(np.array([0.0])) == 0.0 and np.isnan(epic_erodibility(np.array([np.nan]), np.array([40.0]), np.array([20.0]), np.array([1.0])))


def test_the_grid_length_factor_of_a_plane_is_that_of_a_field_at_each_length():
    """Down a plane the mean of the cells' factors is the field's factor of the whole length."""
    slope, cell, rows = 7.0, 10.0, 12
    area = np.arange(rows) * cell * cell
    each = catchment_length_factor(area, np.full(rows, slope), np.zeros(rows), cell, longest_m=1e9)
    whole = slope_length_factor(np.array([rows * cell]), np.array([slope])) / slope_length_factor(np.array([22.13]), np.array([slope]))
    assert each.mean() == pytest.approx(float(whole[0]), rel=1e-9)
    capped = catchment_length_factor(area, np.full(rows, slope), np.zeros(rows), cell, longest_m=50.0)
    assert (capped[5:] == capped[4]).all() and (capped[:5] == each[:5]).all()


def test_flow_down_a_valley_gathers_every_cell_once():
    y, x = np.mgrid[0:20, 0:15]
    flow = flow_over(_grid(np.abs(x - 7) * 3.0 + (19 - y) * 1.0 + 10))
    outlet = np.unravel_index(int(np.nanargmax(flow.area_m2)), flow.area_m2.shape)
    assert outlet[1] == 7 and outlet[0] == 19 and len(set(flow.order.tolist())) == 300
    ends = flow.downstream.ravel() == np.arange(300)
    assert flow.area_m2.ravel()[ends].sum() == pytest.approx(300 * 900.0)
    # a pit does not swallow water
    pit = np.abs(x - 7) * 3.0 + (19 - y) * 1.0 + 10
    pit[10, 7] = 0.0
    assert np.nanmax(flow_over(_grid(pit)).area_m2) >= 0.9 * np.nanmax(flow.area_m2)
    factor = slope_length_grid(_grid(pit), flow, longest_m=100.0).values
    assert np.isfinite(factor[1:-1, 1:-1]).all() and (factor[1:-1, 1:-1] >= 0).all()


def test_flow_needs_square_metric_cells():
    bad = Grid(np.ones((4, 4)), affine.Affine(0.001, 0, 119, 0, -0.001, 30), pyproj.CRS.from_epsg(4490), None)
    with pytest.raises(CrsError, match="米制"):
        flow_over(bad)
    with pytest.raises(MissingDataError):
        flow_over(_grid(np.full((4, 4), -9999.0)))


def test_loss_is_the_product_and_wrong_units_are_refused():
    factors = {"R": np.array([6000.0, 6000.0]), "K": np.array([0.005, np.nan]), "LS": np.array([2.0, 2.0]), "B": np.array([0.1, 0.1]), "E": np.array(1.0), "T": np.array(1.0)}
    found = soil_loss(factors)
    assert found[0] == pytest.approx(6.0) and np.isnan(found[1])
    with pytest.raises(SchemaError, match="因子 K"):
        soil_loss({**factors, "K": np.array([0.3, 0.3])})
    with pytest.raises(MissingDataError, match="缺因子 P"):
        soil_loss({"R": factors["R"], "K": factors["K"], "LS": factors["LS"], "C": factors["B"]}, model="rusle")
    with pytest.raises(SchemaError, match="同一格网"):
        soil_loss({**factors, "B": np.ones(3)})


def test_delivery_rises_towards_the_channel_and_never_exceeds_its_limit():
    y, x = np.mgrid[0:30, 0:21]
    flow = flow_over(_grid(np.abs(x - 10) * 4.0 + (29 - y) * 1.0 + 10))
    index = connectivity(np.full(x.shape, 0.1), np.full(x.shape, 0.1), flow, 30.0, channel_m2=20 * 900.0)
    ratio = delivery_ratio(index)
    assert index[15, 9] > index[15, 5] > index[15, 1] and (ratio[np.isfinite(ratio)] <= 0.8).all()
    assert delivered(np.ones(x.shape), ratio, 30.0) < np.isfinite(ratio).sum() * 0.09
    told = sampled_residuals(np.array([1.0, 2.0, 3.0, np.nan]), np.array([1.5, 2.5, 3.5, 1.0]))
    assert told.bias == pytest.approx(-0.5) and told.rank_correlation == pytest.approx(1.0)
    with pytest.raises(MissingDataError):
        sampled_residuals(np.ones(2), np.ones(2))


def test_grades_follow_the_printed_tables():
    assert len(regions()) == 5 and tolerance_t_km2("南方红壤丘陵区") == 500.0
    water = interval_grade(np.array([0.0, 499.9, 500.0, 2500.0, 5000.0, 8000.0, 15000.0, np.nan]), table="modulus", erosion="water", region="南方红壤丘陵区")
    assert water.tolist() == [1, 1, 2, 3, 4, 5, 6, 0] and GRADES[4] == "强烈"
    assert interval_grade(np.array([199.0, 200.0, 15000.0]), table="modulus", erosion="wind").tolist() == [1, 2, 6]
    assert interval_grade(np.array([9.0, 26.0]), table="gully", erosion="water", metric="沟谷占坡面面积比").tolist() == [2, 4]
    assert interval_grade(np.array([21.0]), table="gravity", erosion="gravity").tolist() == [5]
    # the table of the notes, row by row
    printed = {70: "22233", 50: "22334", 40: "23345", 10: "33456"}
    slopes = np.array([6.0, 10.0, 20.0, 30.0, 40.0])
    for cover, row in printed.items():
        assert "".join(map(str, slope_cover_grade(slopes, np.full(5, float(cover)), np.zeros(5, bool)))) == row
    assert "".join(map(str, slope_cover_grade(slopes, np.full(5, np.nan), np.ones(5, bool)))) == "23456"
    assert slope_cover_grade(np.array([4.9, 40.0, 40.0]), np.array([np.nan, 76.0, np.nan]), np.zeros(3, bool)).tolist() == [1, 1, 0]
    with pytest.raises(RuleError):
        tolerance_t_km2("火星")
    with pytest.raises(SchemaError):
        interval_grade(np.array([-1.0]), table="modulus", erosion="wind")


def test_cover_and_its_year():
    assert cover_factor(np.array([0.0, 10.0, 30.0, 60.0, 78.0, 90.0])) == pytest.approx([1, 0.3072, 0.143261, 0.039827, 0.000676, 0], abs=1e-4)
    assert weighted_over_year(np.array([0.1, 0.3]), np.array([3.0, 1.0])) == pytest.approx(0.15)
    with pytest.raises(SchemaError):
        cover_factor(np.array([120.0]))
    with pytest.raises(SchemaError):
        weighted_over_year(np.ones(2), np.zeros(2))


def test_k_in_si_and_for_china():
    k = epic_erodibility(np.array([40.0]), np.array([40.0]), np.array([20.0]), np.array([1.2])) * SI_FACTOR
    assert k[0] == pytest.approx(0.0369574, abs=1e-6) and china_corrected(k)[0] == pytest.approx(0.00523079, abs=1e-6)


def test_water_runs_down_the_steepest_of_eight_ways_and_all_of_it_leaves():
    rng = np.random.default_rng(6)
    y, x = np.mgrid[0:30, 0:35]
    rough = ((30 - y) + 8 * (1 - np.cos(x / 4)) + rng.uniform(0, 0.6, y.shape)).round(1).astype(np.float32)
    pitted = rng.normal(0, 1, (30, 35)).round(1).astype(np.float32)
    for z in (rough, pitted):
        flow = flow_over(Grid(z, affine.Affine(10, 0, 5e5, 0, -10, 4e6), pyproj.CRS.from_epsg(4547), None))
        own = np.arange(z.size)
        outlets = flow.downstream.ravel() == own
        assert flow.area_m2.ravel()[outlets].sum() == pytest.approx(z.size * 100.0)  # no ring keeps water
    flow = flow_over(Grid(rough, affine.Affine(10, 0, 5e5, 0, -10, 4e6), pyproj.CRS.from_epsg(4547), None))
    for r in range(1, 29):
        for c in range(1, 34):
            drops = {(r + a) * 35 + c + b: (rough[r, c] - rough[r + a, c + b]) / np.hypot(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b}
            assert drops[flow.downstream[r, c]] == pytest.approx(max(drops.values()), abs=2e-3)  # heights are rounded to 1/1024 m
