"""All evaluation tables in one pure call (评价总入口)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import pandas as pd

from qianmo.evaluation.balance import balance, flow_matrix
from qianmo.evaluation.basic_farmland_form import basic_farmland_form, moved_areas
from qianmo.evaluation.compliance import verdicts
from qianmo.evaluation.conflict import conflicts
from qianmo.evaluation.contiguity import contiguity, contiguity_index, farmland_blocks
from qianmo.evaluation.facts import Facts
from qianmo.evaluation.fragmentation import fragmentation
from qianmo.evaluation.idle import idle_land
from qianmo.evaluation.indicators import indicators
from qianmo.evaluation.potential import measure_options, potential_summary
from qianmo.evaluation.quality import quality
from qianmo.evaluation.services import QUANTITIES, service_coefficients, service_notes
from qianmo.evaluation.slope import slope_classes
from qianmo.evaluation.structure import land_structure, structure_by_village
from qianmo.geo.adjacency import shared_borders
from qianmo.schema.errors import MissingDataError
from qianmo.schema.tables import require_columns

__all__ = ["before_and_after", "evaluate"]


def evaluate(
    patches: gpd.GeoDataFrame,
    layers: Mapping[str, gpd.GeoDataFrame],
    *,
    scheme: str,
    overrides: Mapping[str, Any] | None = None,
    documents: Mapping[str, Any] | None = None,
    faults: pd.DataFrame | None = None,
) -> dict[str, pd.DataFrame]:
    """Evaluate the present state: structure, fragmentation, conflicts, potential, compliance (现状评价).

    Parameters
    ----------
    patches : GeoDataFrame, table ``landuse_patch``
        Metric CRS; register areas in `area_m2` and `class_area_m2` are what every figure rests on.
    layers : mapping
        Other tables by name: village, basic_farmland, eco_redline, urban_boundary, planning_zone, … in the same CRS;
        a layer that does not exist is left out.
    scheme : str
        Land-class scheme of the patches.
    overrides : mapping, optional
        Local values of parameters (by name) and rule thresholds (by rule id).
    documents : mapping, optional
        Facts that no map holds, by the names of ``schema/codes/document_facts.csv``.
    faults : DataFrame, table ``fault``, optional
        Result of all the checks at ingest.

    Returns
    -------
    dict of DataFrame
        land_structure, structure_by_village, fragmentation, contiguity, slope_classes, quality, idle_land, conflicts,
        conflict_parcels, verdicts, measure_options, potential_summary, indicators, and evaluation_notes (table, note):
        what could not be judged and why. ``measure_options`` also holds the quantities of table ``service_effect``, NaN
        where unknown. ``contiguity.attrs['contiguity_index']`` holds the index.

    Raises
    ------
    CodeError, CrsError, MissingDataError, SchemaError, TopologyError
        The tables are wrong; the message names rows and the cure.
    """
    require_columns("landuse_patch", list(patches.columns))
    _complete(patches)
    p = overrides or {}
    facts = Facts(patches, layers, scheme, documents=documents or {}, overrides=p, faults=faults)
    villages = layers.get("village")
    table = farmland_blocks(patches, scheme=scheme, overrides=p)
    blocks = contiguity(table)
    blocks.attrs["contiguity_index"] = contiguity_index(table)
    idle = idle_land(patches, scheme=scheme, overrides=p)
    options = measure_options(patches, layers, scheme=scheme, overrides=p, zones=facts.zones, block_table=table, idle=idle)
    effects = service_coefficients(patches, options, shared_borders(patches.geometry.to_numpy()), scheme=scheme, overrides=p)
    matrix, parcels = conflicts(layers, overrides=p)
    out: dict[str, pd.DataFrame] = {
        "land_structure": land_structure(patches, scheme=scheme),
        "structure_by_village": structure_by_village(patches, villages, scheme=scheme),
        "fragmentation": fragmentation(patches, villages, scheme=scheme, overrides=p),
        "contiguity": blocks,
        "slope_classes": slope_classes(patches, scheme=scheme),
        "quality": quality(patches, table, overrides=p),
        "idle_land": idle,
        "conflicts": matrix,
        "conflict_parcels": parcels,
        "verdicts": verdicts(facts),
        "measure_options": options,
        "potential_summary": potential_summary(options),
        "indicators": indicators(facts, block_table=table, idle=idle),
    }
    out["evaluation_notes"] = _notes(out, layers)
    told = pd.DataFrame([("measure_options", n) for n in service_notes(patches, effects)], columns=["table", "note"])
    out["evaluation_notes"] = pd.concat([out["evaluation_notes"], told], ignore_index=True)
    out["measure_options"] = pd.concat([options, effects[list(QUANTITIES)]], axis=1)
    return out


def before_and_after(facts: Facts) -> dict[str, pd.DataFrame]:
    """Tables that compare the state before with the plan (整治前后对比).

    Parameters
    ----------
    facts : Facts
        With `after` and `works`.

    Returns
    -------
    dict of DataFrame
        verdicts, indicators, flow_matrix, balance; and basic_farmland_form where the layers basic_farmland,
        basic_farmland_out and basic_farmland_in are there.

    Raises
    ------
    MissingDataError
        There is no plan.
    SchemaError
        The plan is not made from the same patches.
    """
    flows = flow_matrix(facts.before, facts.planned)
    protected = [facts.layers.get(n) for n in ("basic_farmland", "basic_farmland_in", "basic_farmland_out")]
    base, into, moved = (None if t is None else float(moved_areas(t).sum()) for t in protected)
    out = {
        "verdicts": verdicts(facts),
        "indicators": indicators(facts),
        "flow_matrix": flows,
        "balance": balance(
            flows,
            scheme=facts.scheme,
            basic_farmland_m2=base,
            basic_farmland_in_m2=into or 0.0,
            basic_farmland_out_m2=moved or 0.0,
        ),
    }
    if base is not None and protected[1] is not None and protected[2] is not None:
        out["basic_farmland_form"] = basic_farmland_form(protected[2], protected[1], base_m2=base, scheme=facts.scheme)
    return out


def _complete(patches: gpd.GeoDataFrame) -> None:
    """Stop before a null area or drawing turns into a wrong sum."""
    for column in ("area_m2", "class_area_m2"):
        values = pd.to_numeric(patches[column], errors="coerce")
        bad = values.isna() | (values < 0)
        if bad.any():
            rows = ", ".join(map(str, patches.loc[bad, "patch_id"].head(5)))
            raise MissingDataError(
                f"{int(bad.sum())} patches without a valid {column}: {rows}",
                expected="an area of zero or more on every patch",
                cure="ingest with area computation (入库时计算面积)",
            )
    empty = patches.geometry.isna() | patches.geometry.is_empty
    if empty.any():
        rows = ", ".join(map(str, patches.loc[empty, "patch_id"].head(5)))
        raise MissingDataError(f"{int(empty.sum())} patches without a drawing: {rows}", cure="repair the layer (修复空图形)")


def _notes(tables: Mapping[str, pd.DataFrame], layers: Mapping[str, gpd.GeoDataFrame]) -> pd.DataFrame:
    notes = []
    unknown = tables["measure_options"].attrs["patches_without_slope"]
    if unknown:
        notes.append(("measure_options", f"{unknown} 个图斑没有坡度,需要坡度的措施未对其判定"))
    for name, zh in (("basic_farmland", "永久基本农田"), ("eco_redline", "生态保护红线"), ("urban_boundary", "城镇开发边界")):
        if layers.get(name) is None:
            notes.append(("measure_options", f"缺少{zh}图层,潜力与冲突未受其限制,不等于允许"))
    if tables["quality"]["basis"].ne("GDDB").any():
        notes.append(("quality", "没有耕地等别,所列为坡度、规模、连片的代理分组,不是等别"))
    counts = tables["verdicts"]["verdict"].value_counts().to_dict()
    notes.append(("verdicts", "、".join(f"{k} {v} 条" for k, v in counts.items())))
    return pd.DataFrame(notes, columns=["table", "note"])
