"""CRS detective over every row of crs.csv: right or unclear, never wrong and silent (goal B6)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyogrio
import pyproj
from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.onemap.locate import Box, locate
from qianmo.onemap.projections import Reading, lonlat_of, readings

ROWS = tuple(r for r in readings() if r.epsg < 32600)
PROJECTED = tuple(r for r in ROWS if r.kind == "transverse")
COUNTY = "990101"


def county_in_zone(reading: Reading, rng: np.random.Generator) -> tuple[Box, Box]:
    """A county with its middle inside the zone, and a layer somewhere inside the county."""
    half = reading.width / 2.0 if reading.width else 20.0
    lon, lat = (reading.meridian or 105.0) + rng.uniform(-half, half), rng.uniform(18.0, 52.0)
    w, h = rng.uniform(0.2, 1.4, 2)
    county = (lon - w / 2, lat - h / 2, lon + w / 2, lat + h / 2)
    x, y = np.sort(rng.uniform(0.0, 1.0, 2)), np.sort(rng.uniform(0.0, 1.0, 2))
    layer = (county[0] + x[0] * w, county[1] + y[0] * h, county[0] + x[1] * w, county[1] + y[1] * h)
    return county, layer


def in_system(epsg: int, box: Box) -> Box:
    crs = pyproj.CRS.from_epsg(epsg)
    if crs.is_geographic:
        return box
    return pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True).transform_bounds(*box)


def moves_nothing(chosen: str, truth: Reading) -> bool:
    """The chosen system is the true one or gives the same place on the same datum for the same numbers."""
    other = next((r for r in readings() if r.value == chosen), None)
    return other is not None and other.same_numbers == truth.same_numbers


def test_the_whole_list_is_tried() -> None:
    assert len(ROWS) == 199


def test_top_1_over_every_projected_row_is_99_percent_and_never_wrong_given_county_and_datum(rng: np.random.Generator) -> None:
    right = exact = 0
    for truth in PROJECTED:
        county, layer = county_in_zone(truth, rng)
        bounds = in_system(truth.epsg, layer)
        chosen = locate(bounds, datum=truth.datum, county_code=COUNTY, admin_boxes={COUNTY: county}).chosen
        assert chosen == "" or moves_nothing(chosen, truth), (truth.epsg, chosen, layer)
        right, exact = right + bool(chosen), exact + (chosen == truth.value)
    assert len(PROJECTED) == 192
    assert right / len(PROJECTED) >= 0.99
    # a 6-degree zone without prefix has the same numbers as the 3-degree one on its meridian
    assert exact / len(PROJECTED) >= 0.85


def test_a_right_declaration_over_every_row_gives_the_exact_code(rng: np.random.Generator) -> None:
    exact = 0
    for truth in ROWS:
        county, layer = county_in_zone(truth, rng)
        bounds = in_system(truth.epsg, layer)
        chosen = locate(bounds, declared_epsg=truth.epsg, county_code=COUNTY, admin_boxes={COUNTY: county}).chosen
        assert chosen in ("", truth.value)
        exact += chosen == truth.value
    assert exact / len(ROWS) >= 0.99


@given(st.sampled_from(ROWS), st.integers(0, 2**32 - 1), st.booleans())
@settings(max_examples=40, deadline=None)
def test_without_a_datum_nothing_is_chosen_and_with_it_nothing_wrong(truth: Reading, seed: int, swap: bool) -> None:
    county, layer = county_in_zone(truth, np.random.default_rng(seed))
    b = in_system(truth.epsg, layer)
    bounds = (b[1], b[0], b[3], b[2]) if swap else b
    assert locate(bounds, county_code=COUNTY, admin_boxes={COUNTY: county}).chosen == ""
    chosen = locate(bounds, datum=truth.datum, county_code=COUNTY, admin_boxes={COUNTY: county}).chosen
    assert chosen == "" or (moves_nothing(chosen.removesuffix(";swap"), truth) and chosen.endswith(";swap") == swap)


@given(st.sampled_from(PROJECTED), st.sampled_from(ROWS), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_a_wrong_declaration_never_wins_over_the_county(truth: Reading, lie: Reading, seed: int) -> None:
    county, layer = county_in_zone(truth, np.random.default_rng(seed))
    bounds = in_system(truth.epsg, layer)
    chosen = locate(bounds, declared_epsg=lie.epsg, county_code=COUNTY, admin_boxes={COUNTY: county}).chosen
    same_place = moves_nothing(chosen, Reading(**{**truth.__dict__, "datum": lie.datum}))
    assert chosen == "" or (chosen == lie.value and same_place), (truth.epsg, lie.epsg, chosen)


def test_readings_agree_with_the_reference_library(rng: np.random.Generator) -> None:
    for reading in readings():
        if reading.kind == "geographic":
            continue
        crs = pyproj.CRS.from_epsg(reading.epsg)
        lonlat = np.column_stack([(reading.meridian or 110.0) + rng.uniform(-3, 3, 4), rng.uniform(18, 53, 4)])
        xy = np.column_stack(
            pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True).transform(lonlat[:, 0], lonlat[:, 1])
        )
        assert np.abs(lonlat_of(reading, xy) - lonlat).max() < 1e-9


def test_real_counties_of_zhejiang_and_fujian_are_found_in_every_zone_that_holds_them(shared_data: Path) -> None:
    counties = pyogrio.read_dataframe(f"/vsizip/{shared_data}/admin-zhejiang-fujian/admin.gpkg.zip", layer="county").iloc[::2]
    right = trials = 0
    for code, (xmin, ymin, xmax, ymax) in zip(counties["code"], counties.geometry.bounds.to_numpy(), strict=True):
        box, lon = (xmin, ymin, xmax, ymax), (xmin + xmax) / 2.0
        for truth in (r for r in PROJECTED if r.datum == "CGCS2000" and abs(r.meridian - lon) <= r.width / 2.0):
            chosen = locate(in_system(truth.epsg, box), datum="CGCS2000", county_code=code).chosen
            assert chosen == "" or moves_nothing(chosen, truth)
            right, trials = right + bool(chosen), trials + 1
    assert trials > 250
    assert right / trials >= 0.99
