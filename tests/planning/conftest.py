"""An invented planning area: square patches on a grid, with options (测试用规划区)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import box

from qianmo.planning.aims import Aim
from qianmo.planning.problem import KEPT, Limit, Pairs, PlanProblem
from qianmo.schema.tables import table_spec

CLASSES = ("0101", "0103", "0201", "0301", "0702", "1206", "1104")
COST = {
    "restore_farmland": 18.0, "reclaim_homestead": 52.5, "reclaim_other": 50.0, "retire_steep": 3.75, "pond_to_wetland": 60.0,
    "merge_fields": 3.0, "high_standard": 3.6, "terrace": 6.75, "dry_to_paddy": 18.0,
}  # fmt: skip


@dataclass(frozen=True)
class Area:
    """Tables of one invented area (规划区)."""

    patches: gpd.GeoDataFrame
    options: pd.DataFrame
    borders: pd.DataFrame


def options_of(patches: pd.DataFrame) -> pd.DataFrame:
    """What may be done on each patch, by simple rules of the test."""
    rows = []
    for p in patches.itertuples():
        for name, target in _choices(p):
            cost = COST[name] * p.class_area_m2
            rows.append((p.patch_id, name, target, p.class_area_m2, cost * 0.6, cost, cost * 2, "适宜", ""))
    return pd.DataFrame(rows, columns=list(table_spec("measure_option").column_names))


def _choices(p: object) -> list[tuple[str, str]]:
    code, slope, area = p.class_code, p.slope_deg, p.area_m2  # type: ignore[attr-defined]
    if code in ("0101", "0103"):
        out = [("high_standard", code)] if slope <= 15 else []
        out += [("merge_fields", code)] if area < 2000 else []
        out += [("retire_steep", "0301")] if slope > 25 else []
        return out + ([("dry_to_paddy", "0101")] if code == "0103" and slope < 6 else [])
    return {
        "0201": [("restore_farmland", "0103")], "0702": [("reclaim_homestead", "0103")], "1206": [("reclaim_other", "0103")],
        "1104": [("pond_to_wetland", "1108")],
    }.get(code, [])  # fmt: skip


def make_area(rows: int = 6, columns: int = 6, *, seed: int = 0, size: float = 50.0) -> Area:
    """A grid of squares with random classes, slopes and two villages."""
    rng = np.random.default_rng(seed)
    n = rows * columns
    y, x = np.divmod(np.arange(n), columns)
    cells = [box(a * size, b * size, (a + 1) * size, (b + 1) * size) for a, b in zip(x, y)]
    code = rng.choice(CLASSES, n, p=[0.2, 0.25, 0.2, 0.1, 0.1, 0.1, 0.05])
    area = np.round(size * size * rng.uniform(0.5, 1.5, n), 2)
    ridge = np.where(np.isin(code, ["0101", "0103"]), np.round(area * 0.08, 2), 0.0)
    patches = gpd.GeoDataFrame(
        {
            "patch_id": [f"P{k:04d}" for k in range(n)], "class_code": code.astype(object), "class_name": "",
            "village_code": np.where(x < columns // 2, "350000000001", "350000000002").astype(object),
            "area_m2": area, "ridge_area_m2": ridge, "class_area_m2": np.round(area - ridge, 2),
            "slope_deg": np.round(rng.uniform(0, 32, n), 1), "quality_grade": rng.integers(3, 12, n),
        },
        geometry=cells, crs="EPSG:4547",
    )  # fmt: skip
    index = np.arange(n).reshape(rows, columns)
    pairs = [(index[:, :-1].ravel(), index[:, 1:].ravel()), (index[:-1].ravel(), index[1:].ravel())]
    i, j = (np.concatenate([p[end] for p in pairs]) for end in (0, 1))
    return Area(patches, options_of(patches), pd.DataFrame({"i": i, "j": j, "length_m": size}))


@pytest.fixture
def area() -> Area:
    """36 patches, two villages."""
    return make_area()


@pytest.fixture
def area_of() -> Callable[..., Area]:
    """Make an area of any size."""
    return make_area


def make_tiny(n: int = 6, seed: int = 0, *, bonded: bool = True) -> tuple[PlanProblem, tuple[Aim, ...]]:
    """`n` patches in a ring, two options each, three aims (one counts borders), a budget row."""
    rng = np.random.default_rng(seed)
    patch = np.repeat(np.arange(n), 2)
    m = len(patch)
    gain = rng.integers(0, 1000, m) / 100.0
    cost = rng.integers(100, 1000, m) / 100.0
    green = rng.integers(-300, 600, m) / 100.0
    ring = Pairs("contiguity", "连片", np.arange(n), (np.arange(n) + 1) % n, rng.integers(1, 9, n).astype(float),
                 rng.random(n) < 0.4, rng.random(m) < 0.6)  # fmt: skip
    budget = Limit("budget", "budget", "预算", np.arange(m), cost, "<=", round(0.6 * float(cost.sum()) / 2, 2), "yuan")
    text = np.array([f"w{k % 2}" for k in range(m)], object)
    problem = PlanProblem(n, patch, text, text, gain, cost, {}, {}, (ring,) if bonded else (), (budget,))
    aims = (
        Aim("farmland", "耕地", "", "m2", 1.0, float(np.maximum(gain, 0).sum()), gain),
        Aim("cost", "节约", "", "yuan", 1.0, float(cost.sum()), -cost),
        Aim("contiguity", "连片", "", "m", 1.0, float(ring.weight.sum()), np.zeros(m), ring)
        if bonded
        else Aim("green", "生态", "", "m2", 1.0, float(np.maximum(green, 0).sum()), green),
    )
    return problem, aims


def go_through(problem: PlanProblem) -> list[np.ndarray]:
    """All choices within the limits, by going through them one by one."""
    per_patch = [[KEPT, *np.flatnonzero(problem.patch == k).tolist()] for k in range(problem.n)]
    plans = []
    for picked in itertools.product(*per_patch):
        taken = {c for c in picked if c >= 0}
        ok = True
        for x in problem.limits:
            value = x.constant + sum(c for o, c in zip(x.option.tolist(), x.coefficient.tolist()) if o in taken)
            ok &= value <= x.bound + 1e-9 if x.relation == "<=" else value >= x.bound - 1e-9 if x.relation == ">=" else abs(value - x.bound) < 1e-9
        if ok:
            plans.append(np.array(picked))
    return plans


@pytest.fixture(scope="session")
def tiny() -> Callable[..., tuple[PlanProblem, tuple[Aim, ...]]]:
    """Make a tiny problem with several aims."""
    return make_tiny


@pytest.fixture(scope="session")
def every_plan() -> Callable[[PlanProblem], list[np.ndarray]]:
    """Go through all plans of a tiny problem."""
    return go_through
