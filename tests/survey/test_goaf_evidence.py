"""Anomalies of several methods: what agrees is joined, what disagrees is not, and confidence grows by method, not by line."""

import numpy as np
import pytest
import shapely

from qianmo.schema.errors import SchemaError
from qianmo.survey.goaf_evidence import Evidence, combined, swath

TRUST = {"gpr": 0.6, "ert": 0.6, "tem": 0.6, "insar": 0.4}


def _seen(method, x, depth, sigma=1.0, confidence=1.0, line="L1"):
    return Evidence(method, line, "void", shapely.box(x, 0, x + 10, 5), depth, sigma, confidence)


def _zones(*evidence):
    return combined(evidence, reliability=TRUST, apart_m=2.0, depth_sigmas=2.0)


def test_methods_that_agree_make_one_zone_surer_than_each():
    (zone,) = _zones(_seen("gpr", 0, 10.0, 1.0), _seen("ert", 5, 12.0, 2.0))
    assert zone.methods == ("ert", "gpr") and zone.confidence == pytest.approx(1 - 0.4 * 0.4)
    assert zone.depth_m == pytest.approx((10 + 12 / 4) / 1.25) and zone.sigma_m == pytest.approx(1 / np.sqrt(1.25)) and zone.polygon.area == pytest.approx(75.0)


def test_depths_that_disagree_make_two_zones_and_sinking_speaks_for_both_without_joining_them():
    zones = _zones(_seen("gpr", 0, 5.0), _seen("ert", 0, 40.0), _seen("insar", 3, float("nan"), float("nan")))
    probed, rest = [z for z in zones if len(z.methods) == 2], [z for z in zones if len(z.methods) == 1]
    assert sorted(z.methods[0] for z in probed) == ["ert", "gpr"] and all(z.methods[1] == "insar" for z in probed)
    assert all(z.confidence == pytest.approx(1 - 0.4 * 0.6) for z in probed) and sorted(round(z.depth_m) for z in probed) == [5, 40]
    assert all(z.polygon.equals(shapely.box(0, 0, 10, 5)) for z in probed), "a zone covers the ground that was probed, not the whole bowl"
    assert [z.methods for z in rest] == [("insar",)] and rest[0].polygon.equals(shapely.box(10, 0, 13, 5)) and np.isnan(rest[0].depth_m)


def test_a_second_line_of_the_same_method_adds_no_confidence_and_far_ones_stay_apart():
    (zone,) = _zones(_seen("gpr", 0, 10.0), _seen("gpr", 4, 10.5, line="L2", confidence=0.5))
    assert zone.confidence == pytest.approx(0.6)
    assert len(_zones(_seen("gpr", 0, 10.0), _seen("gpr", 30, 10.0))) == 2 and _zones() == []
    alone = _zones(_seen("insar", 0, float("nan"), float("nan"), 0.5))
    assert np.isnan(alone[0].depth_m) and alone[0].confidence == pytest.approx(0.2)


def test_scattering_depths_widen_the_error():
    close, wide = _zones(_seen("gpr", 0, 10.0), _seen("ert", 0, 10.2)), _zones(_seen("gpr", 0, 10.0), _seen("ert", 0, 12.5))
    assert wide[0].sigma_m > close[0].sigma_m


@pytest.mark.parametrize("bad", [_seen("gpr", 0, -4.0), _seen("gpr", 0, 4.0, -1.0), _seen("gpr", 0, 4.0, 1.0, 1.5), _seen("drill", 0, 4.0)])
def test_negative_depths_and_unknown_methods_are_refused(bad):
    with pytest.raises(SchemaError, match="异常 1"):
        _zones(bad)


def test_a_swath_is_the_stretch_made_broad():
    line = shapely.LineString([(0, 0), (10, 0), (10, 10)])
    assert swath(line, 2.0, 6.0, half_width_m=1.5).bounds == pytest.approx((2.0, -1.5, 6.0, 1.5))
    for a, b in ((5.0, 25.0), (6.0, 6.0), (-1.0, 4.0)):
        with pytest.raises(SchemaError, match="测线段"):
            swath(line, a, b, half_width_m=1.0)
