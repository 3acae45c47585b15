"""Aims and joining of fields, by hand (目标与归并)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from qianmo.planning.aims import aims
from qianmo.planning.formulate import formulate
from qianmo.planning.joining import field_groups, fragment_credits, lonely_merges
from qianmo.planning.parts import Parts, assemble_parts
from qianmo.planning.problem import KEPT, objective
from qianmo.planning.settings import AIM_IDS, SERVICE_AIM_IDS, PlanSettings
from qianmo.schema.tables import table_spec

SETTINGS = PlanSettings(start_year=2026, waived=("Z-01", "G-01"))


def row_of(
    codes: list[str], areas: list[float], options: list[tuple[int, str, str]], *, lengths: list[float] | float = 10.0
) -> Parts:
    """Patches in a row, each bordering the next."""
    n = len(codes)
    patches = pd.DataFrame(
        {
            "patch_id": [f"P{k}" for k in range(n)], "class_code": codes, "village_code": "v", "area_m2": areas,
            "class_area_m2": areas, "slope_deg": 3.0,
        }
    )  # fmt: skip
    table = pd.DataFrame(
        [(f"P{k}", m, t, areas[k], 1.0, 2.0, 3.0, "", "") for k, m, t in options],
        columns=list(table_spec("measure_option").column_names),
    )
    borders = pd.DataFrame({"i": range(n - 1), "j": range(1, n), "length_m": lengths})
    return assemble_parts(patches, table, borders, settings=SETTINGS)


def test_there_are_seven_aims_and_their_weights_sum_to_one() -> None:
    found = aims(row_of(["0103"], [1.0], []), SETTINGS)
    assert tuple(a.id for a in found) + SERVICE_AIM_IDS == AIM_IDS
    assert sum(a.weight for a in found) == pytest.approx(1.0)


def test_reaching_the_whole_potential_of_the_farmland_aim_is_its_weight_in_points() -> None:
    parts = row_of(["0201", "0702"], [3000.0, 1000.0], [(0, "restore_farmland", "0103"), (1, "reclaim_homestead", "0103")])
    found = {a.id: a for a in aims(parts, SETTINGS)}["new_farmland"]
    assert found.potential == 4000
    assert float(found.amount.sum()) * found.points_per_unit == pytest.approx(25.0)


def test_contiguity_counts_border_that_gets_farmland_on_both_sides() -> None:
    parts = row_of(["0103", "0201", "0301"], [3000.0] * 3, [(1, "restore_farmland", "0103")])
    weights = dict.fromkeys(AIM_IDS, 0.0) | {"contiguity": 1.0}
    made = formulate(parts, PlanSettings(start_year=2026, weights=weights, waived=("Z-01", "G-01")))
    assert objective(made.problem, np.array([KEPT, 0, KEPT])) == pytest.approx(100.0)
    assert objective(made.problem, np.array([KEPT, KEPT, KEPT])) == 0.0


def test_a_grade_cannot_rise_above_the_best() -> None:
    parts = row_of(["0103", "0103"], [1000.0, 1000.0], [(0, "high_standard", "0103"), (1, "high_standard", "0103")])
    parts.grade[:] = [1.0, 5.0]
    assert {a.id: a for a in aims(parts, SETTINGS)}["quality"].amount.tolist() == [0.0, 1000.0]


def test_a_merged_field_joins_the_farmland_with_the_longest_border() -> None:
    def groups(lengths: list[float]) -> np.ndarray:
        parts = row_of(["0103", "0103", "0103"], [3000.0, 500.0, 3000.0], [(1, "merge_fields", "0103")], lengths=lengths)
        return field_groups(parts, np.array([-1, 0, -1]), SETTINGS)

    a, b, c = groups([10.0, 12.0])
    assert b == c != a
    a, b, c = groups([10.0, 10.0])
    assert a == b != c


def test_fields_of_another_class_or_village_are_not_joined() -> None:
    parts = row_of(["0101", "0103"], [3000.0, 500.0], [(1, "merge_fields", "0103")])
    assert lonely_merges(parts, SETTINGS).tolist() == [0]
    near = row_of(["0103", "0103"], [3000.0, 500.0], [(1, "merge_fields", "0103")])
    assert lonely_merges(near, SETTINGS).tolist() == []
    far = replace(near, village=np.array(["v", "w"], object))
    assert lonely_merges(far, SETTINGS).tolist() == [0]
    assert len(set(field_groups(far, np.array([-1, 0]), SETTINGS))) == 2


def test_without_works_no_field_joins_another() -> None:
    parts = row_of(["0103", "0103"], [500.0, 9000.0], [(0, "merge_fields", "0103")])
    assert len(set(field_groups(parts, np.array([-1, -1]), SETTINGS))) == 2


def test_a_field_can_join_land_that_becomes_farmland() -> None:
    ways = [(0, "merge_fields", "0103"), (1, "reclaim_homestead", "0103")]
    parts = row_of(["0103", "0702", "0301"], [500.0, 3000.0, 900.0], ways)
    assert len(set(field_groups(parts, np.array([0, 1, -1]), SETTINGS))) == 2
    assert len(set(field_groups(parts, np.array([0, -1, -1]), SETTINGS))) == 3


def test_a_merge_with_no_farmland_beside_it_or_over_a_short_border_is_lonely() -> None:
    codes, ways = ["0103", "0301", "0103", "0103"], [(0, "merge_fields", "0103"), (2, "merge_fields", "0103")]
    for length, lonely in ((10.0, [0]), (0.01, [0, 2])):
        parts = row_of(codes, [500.0] * 4, ways, lengths=length)
        assert parts.patch[lonely_merges(parts, SETTINGS)].tolist() == lonely


def test_fragments_count_fields_that_join_and_small_fields_that_are_made() -> None:
    ways = [(k, "merge_fields", "0103") for k in (0, 2, 3)] + [(4, "reclaim_homestead", "0103")]
    codes, areas = ["0103", "0103", "0103", "0103", "0702"], [500.0, 9000.0, 500.0, 500.0, 300.0]
    parts = row_of(codes, areas, ways, lengths=[10.0, 10.0, 20.0, 10.0])
    assert fragment_credits(parts, SETTINGS).tolist() == [1.0, 0.5, 0.5, -1.0]
