"""What two plans do differently, as pieces of the map, a legend and tables (方案差异图)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from qianmo.geo.crs import transform
from qianmo.geo.tile_rings import tile_rings
from qianmo.jobs.queries.layers import MERCATOR, LayerHead, ShownLayer
from qianmo.planning.diff import changed_parcels, summary_of_changes
from qianmo.reports.map_style import symbols
from qianmo.schema.codes import class_schemes, land_classes
from qianmo.schema.errors import MissingDataError
from qianmo.schema.measures import KEEP, measures
from qianmo.store.columns import LayerOutline, file_stamp

__all__ = ["ChangeClass", "change_classes", "plan_change_rows", "plan_change_sums", "plan_changes"]

_COLUMNS = ("patch_id", "village_code", "class_code", "measure", "target_class", "area_m2", "cost_yuan")
_REGION = "village_code"
_EN = {"added": "works added", "dropped": "works dropped", "changed": "other works", "target": "same works, other class"}


@dataclass(frozen=True)
class ChangeClass:
    """One kind of difference between two plans (差异类型): colour and hatch, patches and register area. [m2]"""

    code: str
    zh: str
    en: str
    fill: str
    edge: str
    hatch: str
    rows: int
    area_m2: float


def plan_changes(before: ShownLayer, after: ShownLayer) -> ShownLayer:
    """Patches on which two plans of one area differ, as a layer for tiles (方案差异图层).

    Columns ``patch_id``, ``change`` (a code of the map style ``plan_change``), ``measure_before``, ``measure_after``,
    ``area_m2`` [m2] and ``village_code``; tiles carry the code as ``c``.

    Raises
    ------
    MissingDataError
        A side is no plan.
    SchemaError
        The plans are not of the same patches.
    """
    key = ("plan changes", before.head.path, file_stamp(before.head.path))
    if key not in after.made:
        after.made[key] = _layer(before, after)
    return after.made[key]


def plan_change_rows(before: ShownLayer, after: ShownLayer, *, region: str = "") -> pd.DataFrame:
    """The changed patches with measure, class and cost of both plans, and the kind of change (变化图斑表).

    Parameters
    ----------
    region : str
        First digits of the administrative code the viewer may see; '' for all.

    Returns
    -------
    DataFrame
        As of `qianmo.planning.diff.changed_parcels`, with ``change``. [m2, yuan]
    """
    table = plan_changes(before, after).made["rows"]
    return table[table[_REGION].astype(str).str.startswith(region)].reset_index(drop=True) if region else table


def plan_change_sums(rows: pd.DataFrame) -> tuple[tuple[ChangeClass, ...], pd.DataFrame]:
    """Legend with counts and areas, and the sums by measure (差异图例与汇总)."""
    styles = symbols("plan_change")
    counts, areas = rows.groupby("change").size(), rows.groupby("change")["area_m2"].sum()
    found = tuple(
        ChangeClass(c, s.label, _EN[c], s.fill, s.edge, s.hatch, int(counts.get(c, 0)), float(areas.get(c, 0.0))) for c, s in styles.items() if c in counts.index
    )
    return found, summary_of_changes(rows)


def change_classes(before: Sequence[Any] | np.ndarray, after: Sequence[Any] | np.ndarray) -> np.ndarray:
    """Kind of change of each patch by its measures: added, dropped, changed, target (差异类型)."""
    b, a = np.asarray(before, object), np.asarray(after, object)
    return np.select([b == a, b == KEEP, a == KEEP], ["target", "added", "dropped"], "changed").astype(object)


def _layer(before: ShownLayer, after: ShownLayer) -> ShownLayer:
    rows = changed_parcels(_frame(before), _frame(after))
    rows["change"] = change_classes(rows["measure_before"], rows["measure_after"])
    keys = after.coded("patch_id")
    place = {keys.values[c]: n for n, c in enumerate(keys.codes.tolist())}
    at = np.array([place[str(p)] for p in rows["patch_id"]], dtype=np.int64)
    geometry = after.table.column("geometry").take(pa.array(at)).combine_chunks()
    names = _Names(after.dataset.class_scheme)
    rows["what_before"] = [names.what(m, t) for m, t in zip(rows["measure_before"], rows["target_before"], strict=True)]
    rows["what_after"] = [names.what(m, t) for m, t in zip(rows["measure_after"], rows["target_after"], strict=True)]
    shown_columns = ("patch_id", _REGION, "change", "measure_before", "measure_after")
    columns: dict[str, Any] = {c: pa.array([str(v) for v in rows[c].fillna("")], pa.string()) for c in shown_columns}
    table = pa.table({**columns, "area_m2": pa.array(rows["area_m2"].to_numpy(float)), "geometry": geometry})
    dataset = replace(after.dataset, name="plan_changes", kind="plan_change", zh="方案差异", rows=len(rows), synthetic=after.dataset.synthetic or before.dataset.synthetic)
    head = LayerHead(dataset, after.head.path, LayerOutline(len(rows), tuple(table.column_names), ("Polygon",), None))
    shown = ShownLayer(head, table, tile_rings(transform(after.geometry(at), dataset.crs, MERCATOR)), after.box[:, at])
    shown.made["tile fields"] = {"c": shown.coded("change")}
    shown.made["rows"] = rows
    return shown


def _frame(shown: ShownLayer) -> pd.DataFrame:
    missing = [c for c in _COLUMNS if c not in shown.table.column_names and c not in (_REGION, "cost_yuan")]
    if missing:
        raise MissingDataError(f"layer {shown.dataset.name} is no plan", expected="a layer with measures", cure="choose another side")
    table = shown.table.select([c for c in _COLUMNS if c in shown.table.column_names]).to_pandas()
    for name, value in ((_REGION, ""), ("cost_yuan", 0.0)):
        if name not in table:
            table[name] = value
    return table


class _Names:
    """Measure and class as words."""

    def __init__(self, scheme: str) -> None:
        self.classes: Mapping[str, Any] = land_classes(scheme if scheme in class_schemes() else "SD3")

    def what(self, measure: str, target: str) -> str:
        found = measures().get(str(measure))
        word = found.zh if found else str(measure)
        if str(measure) == KEEP:
            return word
        name = self.classes.get(str(target))
        return f"{word} → {name.zh if name else ''}({target})"
