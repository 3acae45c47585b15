"""Minimum-cost reserves of Tasmania: two proven optima and two best-known costs (shared data, opt-tasmania)."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from dataclasses import dataclass
from math import fsum
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest

from qianmo.planning.make_selection import selection_problem
from qianmo.planning.solve import solve


@dataclass(frozen=True)
class Tasmania:
    """Cost and protection of the units by id, and amounts by feature and id [km2]."""

    cost: dict[int, float]
    protected: set[int]
    amounts: dict[str, dict[int, float]]


@pytest.fixture(scope="module")
def tasmania(shared_data: Path) -> Tasmania:
    folder = shared_data / "opt-tasmania"
    units = gpd.read_file(f"/vsizip/{folder / 'planning_units.gpkg.zip'}", ignore_geometry=True)
    amounts: dict[str, dict[int, float]] = defaultdict(dict)
    with gzip.open(folder / "amounts.csv.gz", "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            amounts[row["feature"]][int(row["id"])] = float(row["amount_km2"])
    assert len(units) == 1130 and len(amounts) == 33 and units["locked_in"].sum() == 257
    protected = set(units.loc[units["locked_in"] == 1, "id"].astype(int))
    return Tasmania(dict(zip(units["id"].astype(int), units["cost"].astype(float))), protected, dict(amounts))


def reserve(area: Tasmania, share: float, *, locked: bool, seconds: float, gap: float) -> tuple[set[int], float, float]:
    """Units that the house chooses, their cost added up here, and the lower bound it proves."""
    held = area.protected if locked else set()
    free = [k for k in area.cost if k not in held]
    place = {k: n for n, k in enumerate(free)}
    amounts, targets = [], []
    for by_unit in area.amounts.values():
        rest = {place[k]: a for k, a in by_unit.items() if k in place}
        amounts.append((np.array(list(rest), np.int32), np.array(list(rest.values()))))
        targets.append(share * fsum(by_unit.values()) - fsum(a for k, a in by_unit.items() if k in held))
    problem = selection_problem(np.array([area.cost[k] for k in free]), amounts, np.array(targets))
    found = solve(problem, gap=gap, time_limit_s=seconds)
    chosen = held | {free[k] for k in np.flatnonzero(found.choice >= 0)}
    return chosen, fsum(area.cost[k] for k in chosen - held), -found.solver_bound


def fractions_met(area: Tasmania, chosen: set[int], share: float) -> list[float]:
    """What the chosen units hold of each feature over its target, counted from the table."""
    return [fsum(a for k, a in u.items() if k in chosen) / (share * fsum(u.values())) for u in area.amounts.values()]


@pytest.mark.parametrize(("share", "optimum"), [(0.17, 354.3258), (0.30, 1183.6270)])
def test_the_proven_optimum_with_the_protected_areas_locked_in(tasmania: Tasmania, share: float, optimum: float) -> None:
    chosen, cost, least = reserve(tasmania, share, locked=True, seconds=300.0, gap=1e-8)
    assert min(fractions_met(tasmania, chosen, share)) >= 1.0 - 1e-9
    assert cost == pytest.approx(optimum, abs=1e-4)
    assert least <= optimum + 1e-4


@pytest.mark.parametrize(("share", "best", "proven"), [(0.17, 2501.6609, 2491.1798), (0.30, 5120.2167, 5104.9329)])
def test_the_open_case_is_solved_within_two_percent_of_the_best_cost(
    tasmania: Tasmania, share: float, best: float, proven: float
) -> None:
    chosen, cost, least = reserve(tasmania, share, locked=False, seconds=4.0, gap=5e-3)
    assert min(fractions_met(tasmania, chosen, share)) >= 1.0 - 1e-9
    assert proven - 1e-4 <= cost <= 1.02 * best
    assert least <= best + 1e-4
