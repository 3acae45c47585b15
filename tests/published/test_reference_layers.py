"""Reference values in the READMEs of the real layers, reproduced with the functions of the house."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from qianmo.geo.area import planar_area_of
from qianmo.geo.topology import overlaps
from qianmo.onemap.check_layer import check_layer, check_topology
from qianmo.onemap.level import hundredths


def zipped(path: Path, **options: object) -> gpd.GeoDataFrame:
    return gpd.read_file(f"/vsizip/{path}", **options)


def zoning(shared_data: Path, name: str) -> gpd.GeoDataFrame:
    frame = zipped(shared_data / "zoning-tw" / f"{name}.gpkg.zip")
    return frame.assign(zone_id=np.arange(len(frame)).astype(str)).rename(columns={"area_ref_m2": "area_m2"})


def test_french_village_parcels(shared_data: Path) -> None:
    raw = zipped(shared_data / "cadastre-fr-village" / "cadastre.gpkg.zip", layer="parcels")
    parcels = raw.rename(columns={"IDU": "parcel_id", "SUPF": "registered_area_m2"})
    area, register = planar_area_of(parcels), parcels["registered_area_m2"].to_numpy(dtype=float)
    relative = (area - register) / register
    assert len(parcels) == 511 and parcels["parcel_id"].nunique() == 511
    assert round(area.sum() / 1e4, 4) == 611.8216 and round(register.sum() / 1e4, 4) == 613.1147
    assert round(float(np.median(relative)) * 100, 4) == -0.0814
    assert int((np.abs(relative) > 0.05).sum()) == 70
    assert round(area.sum() - shapely.union_all(parcels.geometry.to_numpy()).area, 2) == 0.0
    assert (round(area.mean(), 1), round(float(np.median(area)), 1), round(area.max(), 1)) == (11973.0, 2099.9, 227844.5)
    faults = check_topology(parcels, "parcel", sheet_column="SHEET")
    assert not set(faults["what"]) & {"overlap", "invalid", "duplicate_geometry", "duplicate_feature", "null_geometry"}


def test_czech_parcels(shared_data: Path) -> None:
    raw = gpd.read_file(shared_data / "cadastre-cz-saladin" / "parcels.gpkg")
    register = raw["area_register_m2"].to_numpy(dtype=float)
    relative = (hundredths(planar_area_of(raw)) / 100 - register) / register
    assert len(raw) == 144 and raw["title_no"].nunique() == 19
    assert round(register.sum() / 1e4, 4) == 124.3759 and round(planar_area_of(raw).sum() / 1e4, 4) == 124.3761
    assert round(float(np.median(relative)), 6) == -0.000003 and round(float(np.abs(relative).max()), 4) == 0.1075
    assert round(overlaps(raw.geometry.to_numpy(), min_area=0.0)["area_m2"].sum(), 3) == 0.0
    assert "overlap" not in set(check_topology(raw, "parcel")["what"])


@pytest.mark.parametrize(
    ("name", "rows", "hectares", "invalid", "overlap"), [("M0106", 571, 569.9717, 1, 239.6), ("K0303", 123, 506.7245, 0, 0.0)]
)
def test_taiwanese_zoning(shared_data: Path, name: str, rows: int, hectares: float, invalid: int, overlap: float) -> None:
    zones = zoning(shared_data, name)
    area = planar_area_of(zones)
    assert len(zones) == rows and round(area.sum() / 1e4, 4) == hectares
    assert int((np.abs(area - zones["area_m2"].to_numpy(dtype=float)) <= 1.0).sum()) == rows
    faults = check_layer(zones, "planning_zone", class_scheme="")
    assert int((faults["what"] == "invalid").sum()) == invalid
    sound = shapely.make_valid(zones.geometry.to_numpy())
    assert round(shapely.area(sound).sum() - shapely.union_all(sound).area, 1) == overlap
    reported = faults[faults["what"] == "overlap"]
    assert (len(reported) > 0) is (overlap > 0)
