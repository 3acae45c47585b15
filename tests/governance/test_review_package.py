"""One hash for all that is reviewed: stable where nothing changed, new where anything did."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from qianmo.governance.review_content import canonical_json, frame_hash, record_hash
from qianmo.governance.review_package import (
    PackageItem,
    package_changes,
    package_from_record,
    package_record,
    review_package,
    veiled_package,
)
from qianmo.schema.errors import SchemaError


@pytest.fixture
def layer() -> gpd.GeoDataFrame:
    table = {"patch_id": ["甲", "乙", "丙"], "area_m2": [1.0, 2.5, np.nan], "year": [2026, 2027, 2028]}
    return gpd.GeoDataFrame(table, geometry=[shapely.box(i, 0, i + 1, 1) for i in range(3)], crs=4547)


def test_the_hash_of_a_layer_ignores_order_and_storage(layer, tmp_path):
    kept = frame_hash(layer)
    assert frame_hash(layer.iloc[::-1][["geometry", "year", "patch_id", "area_m2"]]) == kept
    assert frame_hash(layer.astype({"year": float})) == kept
    assert frame_hash(layer.astype({"patch_id": "category"})) == kept
    layer.to_parquet(tmp_path / "layer.parquet")
    assert frame_hash(gpd.read_parquet(tmp_path / "layer.parquet")) == kept


def test_any_change_of_a_layer_changes_its_hash(layer):
    kept = frame_hash(layer)
    moved = layer.copy()
    moved.loc[0, "geometry"] = shapely.box(0, 0, 1, 1.0001)
    changed = [moved, layer.assign(area_m2=[1.0, 2.5, 0.0]), layer.rename(columns={"year": "year_"}), layer.iloc[:2], pd.concat([layer, layer.iloc[:1]]), layer.set_crs(4546, allow_override=True)]
    assert len({kept, *map(frame_hash, changed)}) == 7


def test_text_that_looks_like_other_columns_does_not_collide():
    a = pd.DataFrame({"a": ["x\x1fy"], "b": ["z"]})
    b = pd.DataFrame({"a": ["x"], "b": ["y\x1fz"]})
    assert frame_hash(a) != frame_hash(b)
    assert frame_hash(pd.DataFrame({"a": ["1"]})) != frame_hash(pd.DataFrame({"a": [1]}))


def items(**changes: str) -> list[PackageItem]:
    told = {"plan_parcel": "plan", "landuse_patch": "layer", "consolidation_rules": "rules", "公示照片.jpg": "document"}
    return [PackageItem(kind, name, name, changes.get(name, record_hash(name))) for name, kind in told.items()]


def test_the_hash_of_a_package_ignores_order_and_sees_every_part():
    package = review_package("游乌镇", items())
    assert review_package("游乌镇", items()[::-1]) == package and package_from_record(package_record(package)) == package
    for name in ("plan_parcel", "landuse_patch", "consolidation_rules", "公示照片.jpg"):
        other = review_package("游乌镇", items(**{name: "f" * 64}))
        assert other.sha256 != package.sha256
        assert [(r["name"], r["change"]) for r in package_changes(package, other)] == [(name, "changed")]
    fewer = review_package("游乌镇", items()[1:])
    assert [r["change"] for r in package_changes(package, fewer)] == ["removed"] and [r["change"] for r in package_changes(fewer, package)] == ["added"]


def test_a_package_list_that_was_changed_is_found():
    record = package_record(review_package("游乌镇", items()))
    record["items"][0]["version"] = "2099"
    with pytest.raises(SchemaError, match="holds the content of"):
        package_from_record(record)


def test_wrong_packages_are_refused():
    for wrong in ([], items() + items()[:1], [PackageItem("song", "a", "a", "0" * 64)], [PackageItem("table", "a", "a", "short")]):
        with pytest.raises(SchemaError):
            review_package("游乌镇", wrong)


def test_canonical_json_is_one_text_for_one_content():
    assert canonical_json({"b": 1.0, "a": [float("nan"), np.int64(3), -0.0]}) == '{"a":[null,3,0],"b":1}'


def test_a_veiled_package_names_no_hidden_data_and_keeps_the_hash_of_the_whole():
    package = review_package("x", items())
    hidden = next(i for i in package.items if i.kind == "layer")
    seen = veiled_package(package, {hidden.name})
    assert seen.sha256 == package.sha256 and len(seen.items) == len(package.items)
    assert hidden.sha256 not in str(seen) and all(i.name != hidden.name for i in seen.items if i.kind in ("plan", "layer", "table", "raster"))
