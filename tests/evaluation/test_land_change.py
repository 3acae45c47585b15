"""Change of land use between two layers: matrix, flows and degrees by hand, closing areas, changed patches, refusals."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.evaluation.land_change import (
    change_matrix,
    change_patches,
    change_totals,
    class_changes,
    land_flows,
    overlaid,
    suspected_type,
)
from qianmo.geo.area import ellipsoid_area_of
from qianmo.schema.codes import domain_codes, land_classes
from qianmo.schema.errors import CrsError, SchemaError, TopologyError
from qianmo.schema.shipped import shipped_rows
from qianmo.survey.change.accuracy import class_accuracy, kappa

X, Y = 500_000.0, 2_800_000.0


def layer(*parts, crs=4547):
    """Rectangles (code, x0, x1) [m from X], 100 m deep."""
    return gpd.GeoDataFrame({"code": [p[0] for p in parts]}, geometry=[shapely.box(X + a, Y, X + b, Y + 100) for _, a, b in parts], crs=crs)


def matrix_of(rows, names="ABC"):
    return pd.DataFrame(np.array(rows, float), index=list(names), columns=list(names))


def test_flows_and_degrees_by_hand():
    # A 60 -> A 50, B 6, C 4; B 30 -> A 3, B 27; C 10 stays
    table = matrix_of([[50, 6, 4], [3, 27, 0], [0, 0, 10]])
    found = class_changes(table, 5).set_index("class_code")
    assert found["before_ha"].tolist() == [60, 30, 10] and found["after_ha"].tolist() == [53, 33, 14]
    assert found["inflow_ha"].tolist() == [3, 6, 4] and found["outflow_ha"].tolist() == [10, 3, 0] and found["net_ha"].tolist() == [-7, 3, 4]
    assert found["dynamic_yr"].tolist() == pytest.approx([-7 / 60 / 5, 3 / 30 / 5, 4 / 10 / 5]) and found["turnover_yr"].tolist() == pytest.approx([13 / 60 / 5, 9 / 30 / 5, 4 / 10 / 5])
    totals = change_totals(table, 5)
    assert totals == pytest.approx({"area_ha": 100, "changed_ha": 13, "changed_share": 0.13, "comprehensive_yr": 0.026})
    assert totals["comprehensive_yr"] == pytest.approx((found["inflow_ha"].sum() + found["outflow_ha"].sum()) / 2 / 100 / 5)


def test_a_new_class_has_no_degree_and_years_must_be_above_zero():
    found = class_changes(matrix_of([[1, 1], [0, 0]], "AB"), 2)
    assert np.isnan(found["dynamic_yr"][1]) and found["dynamic_yr"][0] == pytest.approx(-0.25)
    for years in (0, -1, np.nan):
        with pytest.raises(SchemaError, match="--years"):
            class_changes(matrix_of([[1]], "A"), years)


def test_the_overlay_has_ellipsoidal_areas_that_close_to_those_of_the_patches():
    before, after = layer(("0103", 0, 300), ("0301", 300, 500)), layer(("0103", 0, 200), ("0701", 200, 400), ("0301", 400, 500))
    flows = land_flows(overlaid(before, after)).set_index(["from_class", "to_class"])["area_m2"]
    assert flows.groupby("from_class").sum().to_dict() == pytest.approx(dict(zip(before["code"], ellipsoid_area_of(before))), rel=1e-12)
    assert flows.groupby("to_class").sum().to_dict() == pytest.approx(dict(zip(after["code"], ellipsoid_area_of(after))), rel=1e-9)
    assert flows["0103", "0701"] == pytest.approx(ellipsoid_area_of(layer(("x", 200, 300)))[0], rel=1e-9)
    matrix = change_matrix(flows.reset_index())
    assert list(matrix.index) == list(matrix.columns) == ["0103", "0301", "0701"] and matrix.loc["0701"].sum() == 0
    # the plane is not the ellipsoid: the areas differ by the scale of the projection
    assert abs(flows.sum() / 50_000 - 1) < 1e-3 and flows.sum() != 50_000


def test_land_outside_the_other_layer_is_told_and_not_counted_as_change():
    before, after = layer(("A", 0, 300)), layer(("A", 100, 250), ("B", 250, 400))
    flows = land_flows(overlaid(before, after)).set_index(["from_class", "to_class"])["area_m2"]
    assert set(flows.index) == {("A", ""), ("A", "A"), ("A", "B"), ("", "B")}
    assert flows["A", ""] == pytest.approx(10_000, rel=1e-3) and flows["", "B"] == pytest.approx(10_000, rel=1e-3) and flows["A", "B"] == pytest.approx(5_000, rel=1e-3)
    assert change_matrix(flows.reset_index()).to_numpy().sum() == pytest.approx(2.0, rel=1e-3)


def test_pieces_of_one_change_that_touch_are_one_patch_and_others_are_not():
    before = layer(("A", 0, 100), ("A", 100, 200), ("B", 200, 300), ("A", 300, 400))
    found = change_patches(overlaid(before, layer(("C", 0, 200), ("B", 200, 300), ("C", 300, 400))))
    assert found[["from_class", "to_class"]].to_numpy().tolist() == [["A", "C"], ["A", "C"]] and found["area_m2"].tolist() == pytest.approx([20_000, 10_000], rel=1e-3)
    assert len(change_patches(overlaid(before, before))) == 0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.floats(0, 100), min_size=4, max_size=4), min_size=4, max_size=4), st.floats(0.5, 20))
def test_inflows_and_outflows_are_equal_and_swapping_the_dates_turns_the_net_round(rows, years):
    table = matrix_of(rows, "ABCD")
    there, back = class_changes(table, years), class_changes(table.T, years)
    assert there["inflow_ha"].sum() == pytest.approx(there["outflow_ha"].sum()) and there["net_ha"].sum() == pytest.approx(0, abs=1e-9)
    assert np.allclose(there["net_ha"], -back["net_ha"]) and change_totals(table, years)["changed_ha"] == pytest.approx(change_totals(table.T, years)["changed_ha"])


def test_overlapping_layers_layers_apart_and_other_systems_are_refused():
    with pytest.raises(TopologyError, match="后期图斑互相重叠"):
        overlaid(layer(("A", 0, 300)), layer(("A", 0, 200), ("B", 150, 300)))
    with pytest.raises(TopologyError, match="没有重叠"):
        overlaid(layer(("A", 0, 100)), layer(("A", 200, 300)))
    with pytest.raises(CrsError):
        overlaid(layer(("A", 0, 100)), layer(("A", 0, 100), crs=4546))


def test_every_class_has_a_suspected_type_of_the_dictionary():
    names = domain_codes("TBLX")
    assert {r["suspected_type"] for r in shipped_rows("codes", "suspected_types")} <= set(names)
    for scheme in ("SD3", "GBT21010_2017"):
        codes = list(land_classes(scheme))
        assert all(t in names and zh == names[t] for t, zh in suspected_type(codes, scheme=scheme))
    assert [t for t, _ in suspected_type(["0702", "1006", "1104A", "0201", "0602", "0103"], scheme="SD3")] == ["20", "ND", "KT", "02", "CK", "01"]


def test_accuracy_of_classes_by_hand_and_kappa_of_the_textbook():
    # rows found, columns true: overall 0.7, chance (50*45 + 50*55)/1e4 = 0.5, kappa 0.4
    table = np.array([[32.5, 17.5], [12.5, 37.5]])
    found = class_accuracy(table, ["A", "B"]).set_index("class_code")
    assert found["precision"].tolist() == pytest.approx([0.65, 0.75]) and found["recall"].tolist() == pytest.approx([32.5 / 45, 37.5 / 55]) and kappa(table) == pytest.approx(0.4)
    assert found["f1"].tolist() == pytest.approx([65 / 95, 75 / 105])
    absent = class_accuracy(np.array([[3.0, 0], [0, 0]]), ["A", "B"])
    assert np.isnan(absent["f1"][1]) and absent["f1"][0] == 1
    with pytest.raises(SchemaError):
        class_accuracy(table, ["A"])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=60))
def test_accuracy_is_that_of_another_library_on_whole_counts(pairs):
    from sklearn.metrics import cohen_kappa_score, precision_recall_fscore_support

    from qianmo.survey.change.accuracy import confusion

    found, truth = (np.array(v) for v in zip(*pairs))
    table = confusion(found, truth, classes=4)
    ours = class_accuracy(table, list("ABCD"))
    theirs = precision_recall_fscore_support(truth, found, labels=range(4), zero_division=np.nan)
    for name, other in zip(("precision", "recall", "f1"), theirs):
        there = np.isfinite(ours[name])
        assert np.allclose(ours[name][there], other[there])
    if len({*found, *truth}) > 1:
        assert kappa(table) == pytest.approx(cohen_kappa_score(truth, found), nan_ok=True)
