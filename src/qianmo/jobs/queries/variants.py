"""The plans of a project as variants, and what changing one by hand would do (方案清单与手改试算)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from qianmo.geo.crs import CGCS2000, transform
from qianmo.jobs.planning.edit_plan import next_variant
from qianmo.jobs.planning.plan_variants import (
    STATEMENT,
    VARIANT,
    Edit,
    PlanningDesk,
    hand_made_record,
    planning_desk,
    variant_records,
    with_edits,
)
from qianmo.jobs.queries.layers import ShownLayer
from qianmo.planning.hand_made import allowed_options, choice_of, limit_table
from qianmo.planning.verify import score
from qianmo.schema.codes import class_schemes, land_classes
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.measures import KEEP, measures
from qianmo.store.project import Project

__all__ = [
    "MOST_CHOSEN", "STATEMENT", "VARIANT", "Edit", "PlanningDesk", "Variant", "chosen_patches", "next_variant", "options_of", "planning_desk", "standing", "tried", "variant_of", "variant_records",
]  # fmt: skip

MOST_CHOSEN = 2000
"""Most patches that are chosen at once for an edit by hand."""


@dataclass(frozen=True)
class Variant:
    """One stored plan (方案): its layer, how it came about, what it does, and its record where it was changed by hand.

    `kind` is 'plan' (with proof), 'alternative', 'front' or 'hand'; areas [m2], money [yuan].
    """

    name: str
    title: str
    kind: str
    made: str
    by: str
    patches: int
    area_m2: float
    cost_yuan: float
    synthetic: bool
    record: Mapping[str, Any]


def variant_of(shown: ShownLayer, record: Mapping[str, Any] | None = None, *, region: str = "") -> Variant:
    """One plan of the map with its sums, of one administrative unit where that is said (方案概况)."""
    d, table = shown.dataset, shown.table
    allowed = shown.in_region(region) if region else None
    table = table if allowed is None else table.filter(pa.array(allowed))
    works = np.asarray([v != KEEP for v in table.column("measure").to_pylist()])
    area = table.column("area_m2").to_numpy()
    cost = np.nan_to_num(table.column("cost_yuan").to_numpy()) if "cost_yuan" in table.column_names else np.zeros(len(works))
    kind = "hand" if d.name.startswith(VARIANT) else "plan" if d.name == "plan_parcel" else d.name.partition("_plan_")[0]
    return Variant(d.name, d.zh, kind, d.lineage.time, d.lineage.user, int(works.sum()), float(area[works].sum()), float(cost.sum()), d.synthetic, dict(record or {}))


def chosen_patches(shown: ShownLayer, geometry: Mapping[str, Any] | None, patches: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Patches of a plan at a point, inside an outline (their inner point counts), or by id, with their drawing in degrees (选中图斑).

    Raises
    ------
    SchemaError
        Nothing that can be read, or more than `MOST_CHOSEN`.
    """
    keys = shown.coded("patch_id")
    if patches:
        wanted = set(patches)
        rows = np.flatnonzero(np.isin(keys.codes, [n for n, v in enumerate(keys.values) if v in wanted]))
    else:
        rows = _inside(shown, geometry or {})
    if len(rows) > MOST_CHOSEN:
        raise SchemaError(f"{len(rows)} patches are chosen", expected=f"at most {MOST_CHOSEN}", cure="choose a smaller part (请缩小范围)")
    names = _class_names(shown.dataset.class_scheme)
    drawn = transform(shown.geometry(rows), shown.dataset.crs, CGCS2000) if len(rows) else np.empty(0, object)
    found = []
    for row, shape in zip(rows.tolist(), drawn, strict=True):
        r = shown.table.slice(row, 1).to_pylist()[0]
        m, known = str(r["measure"]), measures()
        found.append({
            "patch": str(r["patch_id"]), "village": str(r.get("village_code") or ""), "class_code": str(r["class_code"]), "class_zh": names.get(str(r["class_code"]), ""), "measure": m,
            "measure_zh": known[m].zh if m in known else m, "measure_en": known[m].en if m in known else m, "target_class": str(r["target_class"]), "target_zh": names.get(str(r["target_class"]), ""),
            "area_m2": float(r["area_m2"]), "shape": shapely.geometry.mapping(shapely.set_precision(shape, 1e-7)),
        })  # fmt: skip
    return found


def options_of(desk: PlanningDesk, patches: Sequence[str], scheme: str) -> list[dict[str, Any]]:
    """What may be set on some patches: the measure, the class, how many of them may take it, and the rules against the others (可选措施).

    Raises
    ------
    MissingDataError
        The problem has no such patch.
    """
    rows = desk.rows(patches)
    if not len(rows):
        raise MissingDataError("no patch is chosen", expected="patches of the plan", cure="choose them on the map")
    names, known = _class_names(scheme), measures()
    found = allowed_options(desk.problem, rows)
    listed = [
        {"measure": r.measure, "measure_zh": known[r.measure].zh, "measure_en": known[r.measure].en, "target_class": r.target_class, "target_zh": names.get(r.target_class, ""),
         "patches": int(r.patches), "rules": ""}
        for r in found.itertuples()
    ]  # fmt: skip
    seen = {(x["measure"], x["target_class"]) for x in listed}
    barred = desk.options[desk.options["patch_id"].astype(str).isin(set(patches)) & (desk.options["measure"] != KEEP)]
    for (m, t), some in barred.groupby(["measure", "target_class"]):
        if (m, t) not in seen and m in known:
            rules = sorted({w for text in some["blocked_by"].fillna("").astype(str) for w in text.split(";") if w}) if "blocked_by" in some else []
            listed.append({"measure": m, "measure_zh": known[m].zh, "measure_en": known[m].en, "target_class": t, "target_zh": names.get(t, ""), "patches": 0, "rules": "、".join(rules)})
    return listed


def tried(project: Project, shown: ShownLayer, edits: Sequence[Edit]) -> dict[str, Any]:
    """What some edits of a plan would do to its limits, score and cost; nothing is kept (手改试算).

    Raises
    ------
    MissingDataError, SchemaError
        There is no proven plan, or a patch does not offer what is set.
    """
    desk = planning_desk(project)
    frame = _parcels(shown)
    before, after, table = with_edits(desk, frame, edits)
    record = hand_made_record(desk, before, after)
    changed = set(desk.patch_id[before != after].astype(str))
    area = float(frame.loc[frame["patch_id"].astype(str).isin(changed), "area_m2"].sum())
    return {"patches": len(changed), "area_m2": area, "cost_change_yuan": round(float(table["cost_yuan"].sum() - frame["cost_yuan"].sum()), 2), "statement": STATEMENT,
            "objective": record["objective"], "objective_before": record["objective_before"], "limits": record["limits"], "least_block_unchecked": record["least_block_unchecked"]}  # fmt: skip


def standing(desk: PlanningDesk, shown: ShownLayer) -> tuple[float, pd.DataFrame] | None:
    """Score of a plan and its limits under the present problem; None where it is no plan of that problem (方案复核)."""
    key = ("standing", desk.sha256)
    if key not in shown.made:
        try:
            choice = choice_of(desk.problem, desk.patch_id, _parcels(shown))
            shown.made[key] = (score(desk.problem, choice), limit_table(desk.problem, choice, choice))
        except SchemaError:
            shown.made[key] = None
    return shown.made[key]


def _parcels(shown: ShownLayer) -> pd.DataFrame:
    frame = shown.table.drop_columns(["geometry"]).to_pandas()
    coded = [n for n, kind in frame.dtypes.items() if isinstance(kind, pd.CategoricalDtype)]
    return frame.astype(dict.fromkeys(coded, object))


def _inside(shown: ShownLayer, geometry: Mapping[str, Any]) -> np.ndarray:
    try:
        shape = shapely.geometry.shape(dict(geometry))
    except (shapely.GEOSException, AttributeError, KeyError, TypeError, ValueError) as fault:
        raise SchemaError("the choice cannot be read", expected="a point or a polygon in degrees", cure="choose again on the map") from fault
    if shape.geom_type not in ("Point", "Polygon") or shape.is_empty or not shape.is_valid:
        raise SchemaError(f"the choice is a {shape.geom_type} that cannot be used", expected="a point or an outline that does not cross itself", cure="draw it again")
    local = transform(np.array([shape], dtype=object), CGCS2000, shown.dataset.crs)[0]
    x0, y0, x1, y1 = local.bounds
    rows = np.flatnonzero((shown.box[0] <= x1) & (shown.box[2] >= x0) & (shown.box[1] <= y1) & (shown.box[3] >= y0))
    geoms = shown.geometry(rows)
    return rows[shapely.intersects(geoms, local) if shape.geom_type == "Point" else shapely.contains(local, shapely.point_on_surface(geoms))]


def _class_names(scheme: str) -> dict[str, str]:
    return {c: k.zh for c, k in land_classes(scheme if scheme in class_schemes() else "SD3").items()}
