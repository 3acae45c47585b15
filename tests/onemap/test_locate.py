"""CRS detective: the right answer with its reasons, or a question; never a wrong silent one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyproj
import pytest

from qianmo.geo.shift import wgs84_to_gcj02
from qianmo.onemap.locate import Box, admin_box, locate, shipped_admin_boxes
from qianmo.schema.dataset import Decision
from qianmo.schema.errors import CrsError

COUNTY = "330112"
BOXES: dict[str, Box] = {COUNTY: (119.0, 29.9, 119.9, 30.4), "33": (118.0, 27.0, 123.0, 31.2)}
PLACE = (119.4, 30.1, 119.6, 30.3)


def projected(epsg: int, box: Box = PLACE) -> Box:
    crs = pyproj.CRS.from_epsg(epsg)
    return pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True).transform_bounds(*box)


def swapped(b: Box) -> Box:
    return (b[1], b[0], b[3], b[2])


def reasons(decision: Decision, value: str) -> str:
    return " ".join(next(c.reasons for c in decision.candidates if c.value == value))


def test_county_and_datum_give_one_clear_zone_without_any_prj() -> None:
    decision = locate(projected(4549), datum="CGCS2000", county_code=COUNTY, admin_boxes=BOXES)
    assert decision.chosen == "EPSG:4549"


def test_without_a_datum_the_three_chinese_datums_tie_and_it_is_unclear() -> None:
    decision = locate(projected(4528), county_code=COUNTY, admin_boxes=BOXES)
    assert decision.chosen == ""
    assert {c.value for c in decision.candidates[:3]} == {"EPSG:4528", "EPSG:2364", "EPSG:2416"}
    assert "cannot tell the datum" in reasons(decision, "EPSG:4528")


def test_without_a_county_metres_without_zone_number_are_unclear() -> None:
    assert locate(projected(4549), datum="CGCS2000").chosen == ""


def test_a_zone_number_tells_the_zone_even_without_a_county() -> None:
    assert locate(projected(4528), datum="CGCS2000").chosen == "EPSG:4528"


def test_a_right_prj_wins() -> None:
    wkt = pyproj.CRS.from_epsg(2385).to_wkt("WKT1_ESRI")
    decision = locate(projected(2385), declared_wkt=wkt, county_code=COUNTY, admin_boxes=BOXES)
    assert decision.chosen == "EPSG:2385"


def test_a_prj_without_code_is_matched_by_its_parameters() -> None:
    wkt = pyproj.CRS.from_epsg(2416).to_wkt().replace("EPSG", "LOCAL")
    assert locate(projected(2416), declared_wkt=wkt, county_code=COUNTY, admin_boxes=BOXES).chosen == "EPSG:2416"


@pytest.mark.parametrize(("declared", "why"), [(4490, "cannot be that"), (4527, "cannot be that"), (4549, "cannot be that")])
def test_a_prj_that_the_numbers_contradict_loses_and_the_user_is_asked(declared: int, why: str) -> None:
    decision = locate(projected(4528), declared_epsg=declared, county_code=COUNTY, admin_boxes=BOXES)
    assert decision.chosen == ""
    assert decision.candidates[0].value == "EPSG:4528"
    assert why in reasons(decision, f"EPSG:{declared}")


def test_a_prj_with_the_wrong_meridian_is_caught_by_the_county() -> None:
    decision = locate(projected(4549), declared_epsg=4548, county_code=COUNTY, admin_boxes=BOXES)
    assert decision.chosen == ""
    assert decision.candidates[0].value == "EPSG:4549"
    assert "outside" in reasons(decision, "EPSG:4548")


def test_a_wrong_prj_is_overruled_only_when_datum_and_place_are_given() -> None:
    decision = locate(projected(4549), declared_epsg=4548, datum="CGCS2000", county_code=COUNTY, admin_boxes=BOXES)
    assert decision.chosen == "EPSG:4549"


def test_northing_first_is_found() -> None:
    decision = locate(swapped(projected(4549)), datum="CGCS2000", county_code=COUNTY, admin_boxes=BOXES)
    assert decision.chosen == "EPSG:4549;swap"
    assert locate(swapped(projected(4528)), declared_epsg=4528).chosen == "EPSG:4528;swap"


def test_latitude_first_degrees_are_found() -> None:
    assert locate(swapped(PLACE), declared_epsg=4490).chosen == "EPSG:4490;swap"


def test_six_degree_zone_beyond_the_three_degree_one_is_told_apart() -> None:
    box = (119.4, 30.1, 119.6, 30.3)
    decision = locate(projected(4509, box), datum="CGCS2000", county_code=COUNTY, admin_boxes=BOXES)
    assert decision.chosen == "EPSG:4509"
    assert "moves nothing" in reasons(decision, "EPSG:4509")


def test_web_mercator_is_recognised() -> None:
    decision = locate(projected(3857), datum="WGS84", county_code=COUNTY, admin_boxes=BOXES)
    assert decision.chosen == "EPSG:3857"


def test_utm_is_a_candidate_and_wins_when_declared_or_by_its_datum() -> None:
    decision = locate(projected(32651), datum="CGCS2000", county_code=COUNTY, admin_boxes=BOXES)
    assert "not the given CGCS2000" in reasons(decision, "EPSG:32651")
    assert locate(projected(32651), declared_epsg=32651, county_code=COUNTY, admin_boxes=BOXES).chosen == "EPSG:32651"
    assert locate(projected(32650), datum="WGS84", county_code=COUNTY, admin_boxes=BOXES).chosen == "EPSG:32650"


def test_known_layers_stand_in_for_the_county() -> None:
    decision = locate(projected(4549), datum="CGCS2000", known_extents={"villages": (119.3, 30.0, 119.7, 30.4)})
    assert decision.chosen == "EPSG:4549"


def test_a_county_that_no_reading_meets_makes_it_unclear() -> None:
    decision = locate(projected(4549), declared_epsg=4549, county_code="650102", admin_boxes={"65": (73.4, 34.2, 96.5, 49.3)})
    assert decision.chosen == ""


def test_foreign_systems_pass_by_their_declaration() -> None:
    assert locate((950797.97, 6701567.1, 954262.86, 6704399.59), declared_epsg=2154).chosen == "EPSG:2154"
    assert locate((237580.7, 2719151.1, 241893.6, 2721127.9), declared_epsg=3826).chosen == "EPSG:3826"
    assert locate((119.0, 30.0, 119.2, 30.2), declared_epsg=2154).chosen == ""


def test_numbers_that_are_nowhere_give_no_answer() -> None:
    decision = locate((0.0, 0.0, 800.0, 600.0), datum="CGCS2000", county_code=COUNTY, admin_boxes=BOXES)
    assert decision.chosen == ""


def test_stray_points_do_not_hide_the_place(rng: np.random.Generator) -> None:
    b = projected(4549)
    sample = np.vstack([rng.uniform(b[:2], b[2:], (200, 2)), [[0.0, 0.0]]])
    box = (0.0, 0.0, b[2], b[3])
    assert locate(box, datum="CGCS2000", county_code=COUNTY, admin_boxes=BOXES).chosen == ""
    decision = locate(box, sample=sample, datum="CGCS2000", county_code=COUNTY, admin_boxes=BOXES)
    assert decision.chosen == "EPSG:4549"
    assert "stray" in decision.question


@pytest.mark.parametrize("bad", [(1.0, 2.0, np.nan, 3.0), (5.0, 0.0, 1.0, 1.0), (0.0, 0.0, np.inf, 1.0), (1.0, 2.0, 3.0)])
def test_broken_bounds_are_refused(bad: tuple[float, ...]) -> None:
    with pytest.raises(CrsError, match="bounds"):
        locate(bad)


def test_an_unreadable_prj_is_said() -> None:
    decision = locate(projected(4528), declared_wkt="PROJCS[nonsense", datum="CGCS2000", county_code=COUNTY, admin_boxes=BOXES)
    assert decision.chosen == "EPSG:4528"
    assert "cannot be read" in decision.question


def test_a_prj_and_a_code_that_disagree_are_unclear() -> None:
    wkt = pyproj.CRS.from_epsg(4527).to_wkt()
    assert locate(projected(4528), declared_wkt=wkt, declared_epsg=4528).chosen == ""


def control_points(rng: np.random.Generator, epsg: int, *, gcj: bool, offset_m: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    known = rng.uniform(PLACE[:2], PLACE[2:], (12, 2))
    lon, lat = wgs84_to_gcj02(known[:, 0], known[:, 1]) if gcj else (known[:, 0], known[:, 1])
    crs = pyproj.CRS.from_epsg(epsg)
    east, north = pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True).transform(lon, lat)
    return np.column_stack([np.asarray(east) + offset_m, north]), known


def test_a_gcj02_shift_is_found_by_control_points(rng: np.random.Generator) -> None:
    for epsg in (4490, 4549):
        control = control_points(rng, epsg, gcj=True)
        decision = locate(projected(epsg), declared_epsg=epsg, county_code=COUNTY, admin_boxes=BOXES, control=control)
        assert decision.chosen == f"EPSG:{epsg};gcj02"
        assert "GCJ-02 shift" in reasons(decision, decision.chosen)


def test_points_that_agree_are_no_gcj02(rng: np.random.Generator) -> None:
    control = control_points(rng, 4549, gcj=False)
    assert locate(projected(4549), declared_epsg=4549, control=control).chosen == "EPSG:4549"


def test_an_offset_that_is_not_gcj02_is_unclear(rng: np.random.Generator) -> None:
    decision = locate(projected(4549), declared_epsg=4549, control=control_points(rng, 4549, gcj=False, offset_m=120.0))
    assert decision.chosen == ""
    assert "another datum" in reasons(decision, "EPSG:4549")


def test_two_control_points_are_too_few(rng: np.random.Generator) -> None:
    raw, known = control_points(rng, 4549, gcj=False)
    with pytest.raises(CrsError, match="control points"):
        locate(projected(4549), declared_epsg=4549, control=(raw[:2], known[:2]))


def test_the_county_of_a_village_code_is_found() -> None:
    assert admin_box("330112101201", BOXES) == (COUNTY, BOXES[COUNTY])
    assert admin_box("330999", BOXES) == ("33", BOXES["33"])
    assert admin_box("990000", BOXES) is None


def test_all_34_provinces_ship_a_box_and_counties_lie_in_theirs() -> None:
    boxes = shipped_admin_boxes()
    assert sum(len(c) == 2 for c in boxes) == 34
    for code, box in boxes.items():
        home = boxes[code[:2]]
        assert home[0] <= box[0] + 0.1 and home[1] <= box[1] + 0.1 and box[2] <= home[2] + 0.1 and box[3] <= home[3] + 0.1


def test_the_real_beijing54_catchment_is_found_from_its_prj_and_county(shared_data: Path) -> None:
    wkt = (shared_data / "youwuzhen-watershed" / "spatial" / "thiessen_pcp.prj").read_text()
    bounds = (39443721.26, 2839990.91, 39447700.67, 2843081.31)
    assert locate(bounds, declared_wkt=wkt, county_code="350821").chosen == "EPSG:2415"
    assert locate(bounds, county_code="350821").chosen == ""
    assert locate(bounds, county_code="350821", datum="Beijing54").chosen == "EPSG:2415"


def test_a_declared_method_that_nobody_knows_is_told_and_breaks_nothing():
    frame = 'GEOGCS["g",DATUM["d",SPHEROID["s",6378137,298.257]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]]'
    found = locate(PLACE, declared_wkt=f'PROJCS["x",{frame},PROJECTION["No_Such_Method"],UNIT["metre",1]]', county_code=COUNTY, admin_boxes=BOXES)
    assert not any(c.value == "declared" for c in found.candidates)
    assert "cannot be read" in found.question + " ".join(r for c in found.candidates for r in c.reasons)
