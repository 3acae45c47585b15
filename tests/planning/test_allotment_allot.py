"""From owners to lots: deduction, assignment, books, audit, and bad inputs named by row."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from qianmo.planning.allotment.allot import RESERVE, allot
from qianmo.planning.allotment.audit import audit
from qianmo.planning.allotment.blocks import surfaces
from qianmo.planning.allotment.fields import design_fields
from qianmo.planning.allotment.settings import allotment_settings
from qianmo.schema.errors import CrsError, InfeasibleError, MissingDataError, SchemaError, TopologyError
from qianmo.village.allotment import make_allotment

CRS = 4547
FAST = {"allot_time_limit_s": 2, "allot_gap_rel": 0.1}


def inputs():
    """Two fields of 300 m by 100 m on both sides of a road, one unit value, three owners."""
    blocks = gpd.GeoDataFrame({"block_id": ["北", "南"]}, geometry=[shapely.box(0, 2, 300, 102), shapely.box(0, -102, 300, -2)], crs=CRS)
    lines = gpd.GeoDataFrame({"line_kind": ["road"], "width_m": [4.0]}, geometry=[shapely.LineString([(-50, 0), (350, 0)])], crs=CRS)
    zones = gpd.GeoDataFrame({"unit_value_yuan_m2": [10.0]}, geometry=[shapely.box(-100, -200, 400, 200)], crs=CRS)
    owners = pd.DataFrame(
        {"owner_id": ["a", "b", "c"], "owner_name": ["甲", "乙", "丙"], "entitlement_yuan": [300_000.0, 200_000.0, 125_000.0],
         "x_m": [150.0, 50, 250], "y_m": [60.0, -60, -60], "wishes": ["", "", "南"], "lots_max": [2, 2, None]}
    )  # fmt: skip
    return blocks, owners, lines, zones


def run(overrides=None, *, change=None, **settings):
    given = dict(zip(("blocks", "owners", "lines", "zones"), inputs()))
    given |= change(given) if change else {}
    return allot(given["blocks"], given["owners"], given["lines"], given["zones"], settings=allotment_settings({**FAST, **(overrides or {})}, **settings))


def test_every_owner_gets_the_due_value_near_the_old_place():
    made = run()
    assert made.certificate["deduction_share"] == pytest.approx(0.04)
    assert made.ledger["allotted_fen"].tolist() == [28_800_000, 19_200_000, 12_000_000]
    assert made.lots.groupby("owner_id")["value_fen"].sum().to_dict() == {"a": 28_800_000, "b": 19_200_000, "c": 12_000_000}
    assert all(c["ok"] for c in made.certificate["checks"])
    main = made.lots.sort_values("value_fen").drop_duplicates("owner_id", keep="last").set_index("owner_id")["block_id"]
    assert main.to_dict() == {"a": "北", "b": "南", "c": "南"}
    assert made.certificate["solver_bound_claimed_m"] <= made.certificate["objective_m"]


def test_a_declared_deduction_leaves_a_reserve():
    made = run(deduction_share=0.08)
    assert made.ledger["owner_id"].tolist()[-1] == RESERVE
    assert made.ledger["allotted_fen"].tolist() == [27_600_000, 18_400_000, 11_500_000, 2_500_000]
    assert all(c["ok"] for c in made.certificate["checks"])


def test_blocks_worth_too_little_are_infeasible_with_figures():
    with pytest.raises(InfeasibleError, match=r"a deduction of") as error:
        run({"allot_deduction_share_max": 0.03})
    assert any("allot_deduction_share_max" in c for c in error.value.conflict)
    with pytest.raises(InfeasibleError, match="the blocks hold"):
        run(deduction_share=0.01)


def test_owners_too_small_for_any_lot_are_named():
    with pytest.raises(InfeasibleError, match=r"2 owners .*b, c") as error:
        run({"allot_lot_width_min_m": 220})
    assert "allot_lot_width_min_m" in error.value.conflict


def test_one_lot_each_cannot_fill_two_blocks_and_the_limit_is_named():
    with pytest.raises(InfeasibleError) as error:
        run(change=lambda g: {"owners": g["owners"].assign(lots_max=1)})
    assert any("allot_lots_per_owner_max" in c for c in error.value.conflict)


def test_a_deep_block_is_allotted_in_tiers():
    def deeper(g):
        blocks = gpd.GeoDataFrame({"block_id": ["深"]}, geometry=[shapely.box(0, 2, 300, 302)], crs=CRS)
        zones = gpd.GeoDataFrame({"unit_value_yuan_m2": [10.0]}, geometry=[shapely.box(-100, -200, 400, 400)], crs=CRS)
        return {"blocks": blocks, "zones": zones, "owners": g["owners"].assign(wishes="深", entitlement_yuan=[400_000.0, 300_000.0, 220_000.0])}

    made = run(change=deeper)
    assert sorted(made.blocks["block_id"]) == ["深-1", "深-2"] and len(made.tracks) == 1
    assert all(c["ok"] for c in made.certificate["checks"]) and (made.ledger["wish_rank"] == 1).all()


def test_a_bent_block_is_allotted_by_rulings_and_audited():
    turn = np.radians(np.linspace(0, 230, 24))
    road = shapely.LineString(np.column_stack([180 * np.cos(turn), 180 * np.sin(turn)]))
    shape = shapely.Polygon([*road.coords, *np.column_stack([90 * np.cos(turn), 90 * np.sin(turn)])[::-1]])
    n = 12
    spot = np.column_stack([130 * np.cos(np.linspace(0.1, 3.9, n)), 130 * np.sin(np.linspace(0.1, 3.9, n))])
    owners = pd.DataFrame({"owner_id": [f"o{k:02d}" for k in range(n)], "entitlement_yuan": shape.area * 10 / n / 0.96, "x_m": spot[:, 0], "y_m": spot[:, 1]})
    made = allot(
        gpd.GeoDataFrame({"block_id": ["弯"]}, geometry=[shape], crs=CRS), owners.sample(frac=1, random_state=1),
        gpd.GeoDataFrame({"line_kind": ["road"], "width_m": [0.02]}, geometry=[road], crs=CRS),
        gpd.GeoDataFrame({"unit_value_yuan_m2": [10.0]}, geometry=[shape.buffer(5)], crs=CRS),
        settings=allotment_settings({**FAST, "allot_depth_max_m": 500}),
    )  # fmt: skip
    assert all(c["ok"] for c in made.certificate["checks"]) and np.isnan(made.blocks["axis_deg"]).all()
    assert made.lots["owner_id"].tolist() in (owners["owner_id"].tolist(), owners["owner_id"].tolist()[::-1])
    narrower = made.lots.assign(width_m=made.lots["width_m"] + 60)
    failed = audit(narrower, made.blocks, gpd.GeoDataFrame({"unit_value_yuan_m2": [10.0]}, geometry=[shape.buffer(5)], crs=CRS), road.buffer(0.01),
                   made.ledger, limits={"width_min_m": 8.0, "area_min_m2": 333.0, "reach_m": 1.0})  # fmt: skip
    assert "width_said" in {c["id"] for c in failed if not c["ok"]}


BAD = [
    ("owners", lambda f: f.assign(entitlement_yuan=[1.0, np.nan, -5.0]), SchemaError, r"rows 2, 3: entitlement_yuan"),
    ("owners", lambda f: f.assign(owner_id=["a", "a", "c"]), SchemaError, r"rows 1, 2: owner_id occurs twice"),
    ("owners", lambda f: f.assign(x_m=[1.0, np.inf, 2.0]), SchemaError, r"rows 2: x_m"),
    ("owners", lambda f: f.assign(wishes=["东", "", ""]), SchemaError, r"rows 1: wishes name an unknown block"),
    ("owners", lambda f: f.assign(lots_max=[0, 1, 1]), SchemaError, r"rows 1: lots_max"),
    ("owners", lambda f: f.drop(columns="x_m"), SchemaError, "x_m"),
    ("owners", lambda f: f.iloc[:0], MissingDataError, "no owners"),
    ("blocks", lambda f: f.assign(block_id=["北", "北"]), SchemaError, "block_id occurs twice"),
    ("blocks", lambda f: f.set_geometry([f.geometry[0], f.geometry[0]]), TopologyError, "rows 1 and 2 overlap"),
    ("blocks", lambda f: f.set_geometry([f.geometry[0], shapely.Polygon([(0, -9), (9, 0), (9, -9), (0, 0)])]), TopologyError, "rows 2: not a valid polygon"),
    ("blocks", lambda f: f.set_geometry([f.geometry[0], shapely.box(0, -302, 300, -202)]), TopologyError, "南 has no border on a road"),
    ("blocks", lambda f: f.set_crs(4490, allow_override=True), CrsError, "degree|metric|projected"),
    ("lines", lambda f: f.assign(line_kind=["railway"]), SchemaError, "rows 1: line_kind"),
    ("lines", lambda f: f.assign(width_m=[-4.0]), SchemaError, "rows 1: width_m"),
    ("zones", lambda f: f.assign(unit_value_yuan_m2=[-1.0]), SchemaError, "rows 1: unit_value_yuan_m2"),
    ("zones", lambda f: f.set_geometry([shapely.box(0, 0, 300, 200)]), MissingDataError, "南: .* has no soil value"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "spoil", "kind", "words"), BAD)
def test_bad_input_is_refused_and_rows_are_named(name, spoil, kind, words):
    with pytest.raises(kind, match=words):
        run(change=lambda g: {name: spoil(g[name])})


def spoilt(made):
    """Lots and ledgers with one thing wrong each, and the check that must see it."""
    lots, ledger = made.lots, made.ledger
    moved = lots.geometry.to_numpy().copy()
    moved[0] = shapely.affinity.translate(moved[0], 0.4, 0)
    thin = lots.geometry.to_numpy().copy()
    thin[0] = shapely.intersection(thin[0], shapely.box(-1e6, -1e6, thin[0].bounds[0] + 3, 1e6))
    yield lots.set_geometry(moved), ledger, {"union", "overlap", "value"}
    yield lots.set_geometry(thin), ledger, {"width", "value"}
    yield lots.assign(value_fen=lots["value_fen"] + np.eye(len(lots), dtype=int)[0]), ledger, {"owner_sum"}
    yield lots.assign(width_m=lots["width_m"] + 1), ledger, {"width_said"}
    yield lots.iloc[1:], ledger, {"union", "total"}
    yield lots.assign(owner_id=["nobody", *lots["owner_id"][1:]]), ledger, {"owner_sum"}
    yield lots, ledger.assign(deduction_fen=0), {"owner_sum"}


def test_the_audit_sees_every_planted_fault():
    blocks, owners, lines, zones = inputs()
    made = run()
    limits = {"width_min_m": 8.0, "area_min_m2": 333.33, "reach_m": 1.0}
    for lots, ledger, expected in spoilt(made):
        failed = {c["id"] for c in audit(lots, made.blocks, zones, surfaces(lines)[0], ledger, limits=limits) if not c["ok"]}
        assert expected & failed, expected
    cut_off = audit(made.lots, made.blocks, zones, shapely.box(0, 900, 10, 910), made.ledger, limits=limits)
    assert "frontage" in {c["id"] for c in cut_off if not c["ok"]}


def test_fields_tracks_and_roads_make_up_the_area():
    made = make_allotment(rng=np.random.default_rng(5), rows=2, columns=2)
    road, ditch = surfaces(made.allotment_line)
    area = made.area.geometry.iloc[0]
    settings = allotment_settings({"allot_depth_max_m": 80, "allot_field_length_max_m": 200})
    design = design_fields(area, road, ditch, settings=settings)
    everything = [*design.fields, *design.tracks, *design.remnants, shapely.intersection(road, area), shapely.intersection(ditch, area)]
    assert len(design.tracks) > 0 and design.depth_m.max() <= 80 + 12 and design.length_m.max() <= 200 + 40
    assert shapely.symmetric_difference(shapely.union_all(everything), area).area < 1e-3
    assert sum(shapely.area(design.fields)) + sum(shapely.area(design.tracks)) + sum(shapely.area(design.remnants)) == pytest.approx(
        area.area - shapely.union_all([road, ditch]).intersection(area).area, rel=1e-9
    )


def test_fields_on_a_slope_follow_the_contour():
    area, road = shapely.box(0, 0, 300, 150), shapely.box(-5, -4, 305, 0)
    settings = allotment_settings({"allot_depth_max_m": 60})
    flat = design_fields(area, road, shapely.Point(), settings=settings)
    steep = design_fields(area, road, shapely.Point(), settings=settings, slope_deg=10, contour_direction_deg=20)
    assert flat.direction_deg == pytest.approx(0) or np.allclose(flat.direction_deg % 180, 0)
    assert np.allclose(steep.direction_deg, 20)
    with pytest.raises(SchemaError, match="no contour direction"):
        design_fields(area, road, shapely.Point(), settings=settings, slope_deg=10)
    with pytest.raises(TopologyError, match="no field is left"):
        design_fields(area, shapely.Polygon(), shapely.Polygon(), settings=allotment_settings())
