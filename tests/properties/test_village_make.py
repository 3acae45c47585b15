"""What holds for every invented township, whatever its seed and size."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qianmo.village.faults import FAULT_KINDS, plant_faults
from qianmo.village.make import make_township
from qianmo.village.mesh import components, mainland, make_mesh, trace
from qianmo.village.register import levelled

FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MANY = settings(max_examples=25, deadline=None)


@FEW
@given(seed=st.integers(0, 2**32 - 1), villages=st.integers(1, 6), per_village=st.integers(40, 160))
def test_any_township_is_a_partition_with_closed_sums(seed: int, villages: int, per_village: int) -> None:
    patches = villages * per_village
    town = make_township(patches=patches, villages=villages, rng=np.random.default_rng(seed))
    frame = town.landuse_patch
    assert len(frame) == patches and len(town.village) == villages
    assert shapely.is_valid(frame.geometry.to_numpy()).all()
    assert shapely.coverage_is_valid(frame.geometry.to_numpy())
    assert frame.area.sum() == pytest.approx(town.village.area.sum(), rel=1e-12)
    cents = (frame["area_m2"] * 100).round().astype("int64").groupby(frame["village_code"]).sum()
    assert (cents == (town.village.set_index("village_code")["control_area_m2"] * 100).round().astype("int64")).all()
    assert (frame["area_m2"] > 0).all() and (frame["class_area_m2"] > 0).all()
    lines = [
        shapely.union_all(layer.geometry.to_numpy()) for layer in (town.basic_farmland, town.eco_redline, town.urban_boundary)
    ]
    assert max(shapely.intersection(lines[a], lines[b]).area for a, b in ((0, 1), (0, 2), (1, 2))) < 1e-6


@MANY
@given(seed=st.integers(0, 2**32 - 1), labels=st.integers(1, 4))
def test_traced_groups_of_any_mesh_cover_it_once(seed: int, labels: int) -> None:
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(np.arange(14), np.arange(14)), axis=-1).reshape(-1, 2) * 50.0
    seeds = grid + rng.uniform(-24.9, 24.9, grid.shape) + [39_500_000.0, 3_000_000.0]
    inside = (np.abs(grid - 325.0) < 250.0).all(axis=1)
    mesh = make_mesh(seeds, inside, rng=rng)
    face = components(mesh, rng.integers(0, labels, len(seeds)))
    polygons = trace(mesh, face)
    whole = shapely.multipolygons(trace(mesh, components(mesh, np.zeros(len(seeds), dtype=int))))
    assert shapely.coverage_is_valid(polygons)
    assert shapely.area(polygons).sum() == pytest.approx(whole.area, rel=1e-12)
    assert shapely.equals(shapely.coverage_union_all(polygons), whole)


def test_a_cell_cut_off_from_the_rest_is_left_out_of_the_mainland() -> None:
    rng = np.random.default_rng(194625)
    grid = np.stack(np.meshgrid(np.arange(14), np.arange(14)), axis=-1).reshape(-1, 2) * 50.0
    seeds = grid + rng.uniform(-24.9, 24.9, grid.shape) + [39_500_000.0, 3_000_000.0]
    mesh = make_mesh(seeds, (np.abs(grid - 325.0) < 250.0).all(axis=1), rng=rng)
    assert components(mesh, np.zeros(len(seeds), dtype=int)).max() == 1
    kept = mainland(mesh)
    assert kept.inside.sum() == mesh.inside.sum() - 1
    assert trace(kept, np.where(kept.inside, 0, -1))[0].is_valid


@MANY
@given(
    areas=st.lists(st.floats(1.0, 1e6), min_size=1, max_size=60),
    zones=st.integers(1, 4),
    shift=st.integers(-500, 500),
    seed=st.integers(0, 2**32 - 1),
)
def test_levelled_areas_close_on_any_control_and_move_little(areas: list[float], zones: int, shift: int, seed: int) -> None:
    zone = np.random.default_rng(seed).integers(0, zones, len(areas))
    zone[:zones] = np.arange(zones)[: len(zone)]
    present = np.unique(zone)
    zone = np.searchsorted(present, zone)
    area = np.array(areas)
    cents = np.bincount(zone, np.round(area * 100))
    control = (cents + shift) / 100
    made = levelled(area, control, zone)
    assert (np.bincount(zone, np.round(made * 100)) == np.round(control * 100)).all()
    each = np.ceil(abs(shift) / np.bincount(zone))[zone] / 100
    assert (np.abs(made - np.round(area, 2)) <= each + 1e-9).all()


@FEW
@given(seed=st.integers(0, 2**32 - 1), kinds=st.lists(st.sampled_from(sorted(FAULT_KINDS)), max_size=6))
def test_planted_faults_touch_no_other_patch(seed: int, kinds: list[str]) -> None:
    clean = make_township(patches=400, villages=1, rng=np.random.default_rng(seed % 3)).landuse_patch
    frame, truth = plant_faults(clean, rng=np.random.default_rng(seed), kinds=kinds)
    assert list(truth["kind"]) == kinds
    touched = set(truth["row"]) | set(truth["other_row"])
    rest = [k for k in range(len(clean)) if k not in touched]
    assert frame.iloc[rest].equals(clean.iloc[rest])
