"""What the compliance rules look at: tables before and after, layers, documents (合规判定的依据)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from qianmo.evaluation.balance import aligned, flow_matrix
from qianmo.evaluation.classes import text_column
from qianmo.evaluation.zones import zone_areas
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.rules import parameter, rule
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.units import m2_to_mu

__all__ = ["Answer", "Facts", "document_facts", "limit", "mu", "told", "told_or"]

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Answer:
    """One rule answered by the data (判定结果).

    `ok` None means the data cannot decide, then `missing` says what would; `value` is the measured quantity in the unit
    of the rule; `numbers` the figures behind it and `margin` the distance to the limit, in words with units;
    `threshold` replaces the text of the rule where a parameter changed it; `unit` and `comparator` replace those of the
    rule where another quantity was measured (a count of faults instead of their size).
    """

    ok: bool | None
    value: float | None = None
    numbers: str = ""
    missing: str = ""
    margin: str = ""
    threshold: str = ""
    unit: str = ""
    comparator: str = ""


@dataclass(frozen=True)
class Facts:
    """Everything a rule may be measured on (判定依据).

    Parameters
    ----------
    before : GeoDataFrame, table ``landuse_patch``
    layers : mapping
        Tables by name: village, basic_farmland, eco_redline, urban_boundary, parcel; and, where they exist,
        basic_farmland_out, basic_farmland_in, basic_farmland_after, basic_farmland_reserve, high_standard_farmland, photovoltaic.
    scheme : str
        Land-class scheme of the patches.
    after : DataFrame, table ``landuse_patch``, optional
        The same patches as planned; None before there is a plan.
    works : DataFrame, table ``plan_parcel``, optional
        Patches with a measure; rows with measure ``keep`` are ignored. Geometry is taken from `before`.
    documents : mapping
        Facts that no map holds (votes, dates, contracts), by the names of ``schema/codes/document_facts.csv``.
    overrides : mapping
        Local values of parameters (by name) and of rule thresholds (by rule id).
    faults : DataFrame, table ``fault``, optional
        Result of all the checks at ingest; None when they were not run.
    """

    before: gpd.GeoDataFrame
    layers: Mapping[str, gpd.GeoDataFrame]
    scheme: str
    after: pd.DataFrame | None = None
    works: pd.DataFrame | None = None
    documents: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    overrides: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    faults: pd.DataFrame | None = None

    @property
    def now(self) -> gpd.GeoDataFrame:
        """Patches as planned where there is a plan, else as they are, in the order of `before`."""
        return self.before if self.after is None else self.planned

    @cached_property
    def planned(self) -> gpd.GeoDataFrame:
        """Patches after the plan in the order and with the drawing of `before`; MissingDataError without a plan."""
        if self.after is None:
            raise MissingDataError("规划后图斑(编制规划方案后再判定)")
        after = pd.DataFrame(aligned(self.before, self.after)).drop(columns="geometry", errors="ignore")
        return gpd.GeoDataFrame(after, geometry=self.before.geometry.to_numpy(), crs=self.before.crs)

    @cached_property
    def zones(self) -> pd.DataFrame:
        """Area of each patch in each control zone [m2], rows as `before`."""
        overlapping = self.faults is not None and bool(
            ((self.faults["rule"] == "D-05") & self.faults["what"].astype(str).str.contains("overlap")).any()
        )
        return zone_areas(self.before, self.layers, is_partition=not overlapping)

    @cached_property
    def zones_after_swap(self) -> pd.Series:
        """Area of each patch in the basic farmland as adjusted [m2], rows as `before`; MissingDataError without that layer."""
        adjusted = self.layer("basic_farmland_after", "布局调整后的永久基本农田")
        return zone_areas(self.before, {"basic_farmland": adjusted})["basic_farmland"]

    @cached_property
    def flows(self) -> pd.DataFrame:
        """Flow matrix of the plan; MissingDataError where there is no plan."""
        return flow_matrix(self.before, self.planned)

    @cached_property
    def measure_of(self) -> np.ndarray:
        """Measure of each patch, '' where none; MissingDataError where there is no plan."""
        if self.works is None:
            raise MissingDataError("规划措施图斑 plan_parcel(编制规划方案后再判定)")
        works = self.works[self.works["measure"] != "keep"]
        ids = text_column(self.before, "patch_id")
        unknown = set(works["patch_id"].astype(str)) - set(ids)
        if unknown:
            names = ", ".join(sorted(unknown)[:5])
            raise SchemaError(f"plan parcels not among the patches: {names}", expected="patch ids of landuse_patch")
        chosen = dict(zip(works["patch_id"].astype(str), works["measure"]))
        return np.array([chosen.get(k, "") for k in ids], dtype=object)

    def layer(self, name: str, zh: str) -> gpd.GeoDataFrame:
        """One layer; MissingDataError naming it in Chinese where it is not there."""
        found = self.layers.get(name)
        if found is None:
            raise MissingDataError(f"{zh}图层 {name}")
        return found


def limit(facts: Facts, rule_id: str, name: str = "") -> float:
    """Threshold in force (阈值): the override of the rule, else of its parameter, else the shipped value of the rule."""
    if rule_id in facts.overrides:
        return float(facts.overrides[rule_id])
    if name and name in facts.overrides:
        return parameter(name, facts.overrides)
    return rule(rule_id).value()


def told(facts: Facts, *names: str) -> list[Any]:
    """Values of document facts (资料事实).

    Raises
    ------
    MissingDataError
        Some are not given; the message lists them in Chinese with their names.
    SchemaError
        A value has the wrong type, or a name is not in the list of document facts.
    """
    known = document_facts()
    absent = [n for n in names if facts.documents.get(n) is None]
    if absent:
        raise MissingDataError("、".join(f"{known[n]['zh']}({n})" for n in absent))
    return [_typed(n, facts.documents[n], known[n]["type"]) for n in names]


def told_or(facts: Facts, name: str, otherwise: Any) -> Any:
    """One document fact, or another value where it is not given (资料事实,缺省)."""
    return told(facts, name)[0] if facts.documents.get(name) is not None else otherwise


@cache
def document_facts() -> dict[str, dict[str, str]]:
    """All document facts by name: type, unit, zh, used_in (资料事实清单)."""
    return {r["name"]: dict(r) for r in shipped_rows("codes", "document_facts")}


def mu(area_m2: float) -> str:
    """Area in words (亩), two decimals."""
    return f"{m2_to_mu(area_m2):.2f}亩"


def _typed(name: str, value: Any, kind: str) -> Any:
    try:
        if kind == "date":
            return value if isinstance(value, date) else date.fromisoformat(str(value))
        if kind == "flag":
            if not isinstance(value, (bool, np.bool_)):
                raise ValueError
            return bool(value)
        if kind in ("real", "integer"):
            if isinstance(value, (bool, str)):
                raise ValueError
            return float(value)
        if kind == "list":
            if isinstance(value, str):
                raise ValueError
            return list(value)
    except (TypeError, ValueError):
        cure = "correct the documents of the project (核对资料)"
        raise SchemaError(f"document fact {name} is {value!r}", expected=f"a {kind} value", cure=cure) from None
    return str(value)
