"""A project as the jobs after ingest see it: patches, layers, settings (打开的项目)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from qianmo.evaluation.rain import rain_years
from qianmo.schema.codes import land_classes
from qianmo.schema.dataset import Dataset
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.local_factors import factor_overrides
from qianmo.schema.measures import KEEP
from qianmo.schema.rules import parameters, rules
from qianmo.schema.tables import table_names, table_spec
from qianmo.store.parquet import read_frame
from qianmo.store.project import Project, open_project
from qianmo.store.stage import read_catalog

__all__ = [
    "CARBON_TABLES", "EROSION_GRIDS", "GRADATION_RESULTS", "HIGH_STANDARD_RESULTS",
    "LIBRARY_TABLES_KEPT", "PATTERN_RESULTS", "PLAN_GRIDS", "PLAN_LAYERS", "PLAN_TABLES", "QUALITY_TABLES", "RECLAMATION_RESULTS", "SWAP_LAYERS", "SWAP_TABLES", "TENURE_LAYERS", "TENURE_TABLES", "Opened", "Planned",
    "open_for_work", "plan_layers", "planned_state", "read_tables",
]  # fmt: skip

PLAN_LAYERS = ("plan_parcel", "subproject", "exchange_parcel")
"""Layers that a plan or an exchange makes, which are also the kinds of layers that hold plans."""

PLAN_GRIDS = ("soil_loss_after",)
"""Rasters that rest on a plan; they go with it."""

EROSION_GRIDS = ("soil_loss", "erosion_grade", "sediment_delivery", *PLAN_GRIDS)
"""Rasters of an erosion survey; they go when land use, heights or soil change."""

TENURE_LAYERS = ("allotment_block", "allotment_line", "value_zone", "lot", "title", "title_outcome", "industrial_block", "working_face")
"""Layers of re-allotment, integration and mining; evaluation and plan do not read them."""

TENURE_TABLES = (
    "allotment_owner", "allotment_ledger", "allotment_certificate", "integration_ledger", "integration_certificate", "title_offer", "consent_price",
)  # fmt: skip
"""Tables of re-allotment and integration; they do not rest on the land-use layer and stay when it changes."""

CARBON_TABLES = ("carbon_patch", "carbon_class", "carbon_factor", "carbon_total", "carbon_year", "pond_dredge", "service_value_class", "service_value_class_after", "carbon_lineage")
"""Tables of a carbon account; they hold what the plan changes and go with it."""

QUALITY_TABLES = ("quality_patch", "quality_total", "quality_grade_area", "quality_limiting", "suitability_patch", "suitability_area", "quality_lineage")
"""Tables of farmland quality and suitability; they hold the state after the plan and go with it."""

GRADATION_RESULTS = ("gradation_patch", "gradation_crop_index", "gradation_total", "gradation_grade_area", "gradation_lineage")
"""Tables of the gradation of farmland; they hold the state after the plan and go with it."""

RECLAMATION_RESULTS = ("reclamation_result", "reclamation_patch", "reclamation_total", "reclamation_lineage")
"""Tables of the quality of reclaimed land; the targets may be those of a plan and go with it."""

HIGH_STANDARD_RESULTS = ("high_standard_patch", "high_standard_score", "high_standard_area", "high_standard_work", "high_standard_total", "high_standard_lineage")
"""Tables of the check against high-standard farmland; they go when the state they rest on changes."""

PATTERN_RESULTS = ("pattern_class", "pattern_whole", "pattern_lineage")
"""Indices of the pattern of the parcels; they go when land use changes."""

PLAN_TABLES = (
    "plan_parcel", "subproject", "cost_by_measure", "year_plan", "funding", "plan_verdicts", "flow_matrix", "balance", "basic_farmland_form",
    "certificate", "service_check", "exchange_balance", "exchange_indices", "exchange_holdings", "exchange_agreements", "exchange_consents", "exchange_certificate",
    "plan_score", "plan_diff", "plan_diff_measure", "plan_diff_village", "front", "front_plans", "front_points",
    "alternative_plans", "alternative_diff", "variant_plans",
    "erosion_change", *CARBON_TABLES, *QUALITY_TABLES, *GRADATION_RESULTS, *RECLAMATION_RESULTS, *HIGH_STANDARD_RESULTS, *PATTERN_RESULTS,
)  # fmt: skip
"""Tables that a plan makes; they go when the state they rest on changes."""

LIBRARY_TABLES_KEPT = (
    "library_project", "library_payment", "library_fund", "library_fund_year", "library_order", "library_floor", "library_history", "library_change", "library_rank",
    "portfolio_start", "portfolio_payment", "fund_balance", "acceptance_line",
)  # fmt: skip
"""Tables of the project library; no layer is under them, so they stay when layers change."""

SWAP_LAYERS = ("basic_farmland_after", "basic_farmland_out", "basic_farmland_in")
"""Layers that an adjustment of basic farmland makes."""

SWAP_TABLES = ("swap_parcel", "swap_balance", "swap_questions", "swap_form", "swap_verdicts", "swap_certificate")
"""Tables that an adjustment of basic farmland makes; they go when the layers they rest on change."""


@dataclass(frozen=True)
class Opened:
    """Everything a job reads (作业输入).

    `layers` are the datasets whose kind is a table, by that name; `overrides` the local parameters, rule thresholds and factors
    (``table.row.column``), with the mean yearly rain of the project's stations; `documents` the facts no map holds; both come from ``project.toml``.
    """

    project: Project
    datasets: Mapping[str, Dataset]
    layers: Mapping[str, gpd.GeoDataFrame]
    overrides: Mapping[str, Any]
    documents: Mapping[str, Any]

    @property
    def patches(self) -> gpd.GeoDataFrame:
        """The land-use patches."""
        return self.layers["landuse_patch"]

    @property
    def scheme(self) -> str:
        """Land-class scheme of the patches."""
        return self.datasets["landuse_patch"].class_scheme

    @property
    def synthetic(self) -> dict[str, str]:
        """Invented inputs: dataset name → label, also for invented columns of real layers."""
        found = {d.name: f"{d.zh}（合成）" for d in self.datasets.values() if d.synthetic and d.kind not in PLAN_LAYERS and d.name not in (*SWAP_LAYERS, *LIBRARY_TABLES_KEPT)}
        for d in self.datasets.values():
            if d.lineage.parameters.get("synthetic_columns") and not d.synthetic:
                found.setdefault(f"{d.name}_columns", f"{d.zh}的村属与权属字段（合成）")
            shift = d.lineage.parameters.get("helmert")
            if shift and "演示" in str(shift.get("source", "")):
                found["helmert"] = "坐标转换参数（借用，仅供演示）"
        return found

    @property
    def vintage(self) -> str:
        """Date of the land-use data in words; a bare year gets its 年."""
        found = self.datasets["landuse_patch"].vintage
        return f"{found}年" if found.isdigit() and len(found) == 4 else found or "未注明"


def open_for_work(folder: Path) -> Opened:
    """Open a project whose land use is in.

    Raises
    ------
    MissingDataError
        No project, or no land-use layer in it.
    SchemaError
        ``project.toml`` overrides something that is neither a parameter, a rule nor a factor.
    """
    project = open_project(folder)
    datasets = read_catalog(project.state)
    if "landuse_patch" not in datasets:
        raise MissingDataError(f"项目 {folder} 中没有地类图斑 (no land-use layer)", cure="先入库地类图斑: qianmo ingest …")
    layers = {
        name: read_frame(project.state / "layers" / f"{name}.parquet")
        for name, d in datasets.items()
        if d.kind in table_names() and table_spec(d.kind).geometry != "none" and d.kind not in ("fault", "other_layer", *PLAN_LAYERS, *TENURE_LAYERS)
    }
    overrides = dict(project.settings.get("parameters", {}))
    strange = sorted(k for k in overrides if k not in parameters() and k not in rules())
    if strange:
        raise SchemaError(f"project.toml [parameters]: {', '.join(strange)}", expected="names of shipped parameters or rule ids")
    overrides |= factor_overrides(project.settings.get("factors", {})) | _own_rain(project, overrides)
    return Opened(project, datasets, layers, overrides, dict(project.settings.get("documents", {})))


def _own_rain(project: Project, overrides: Mapping[str, Any]) -> dict[str, float]:
    """Mean yearly rain of the project's stations over whole years as ``water_rain_mm``, where ``project.toml`` gives none (本地年降水)."""
    path = project.state / "tables" / "rain_day.parquet"
    if "water_rain_mm" in overrides or not path.is_file():
        return {}
    years = rain_years(read_frame(path))
    whole = years[years["missing_days"] == 0]
    return {"water_rain_mm": float(whole.groupby("station_id")["rain_mm"].mean().mean())} if len(whole) else {}


@dataclass(frozen=True)
class Planned:
    """What a plan does, in the order of the patches (方案状态): class, works, year of the works (nan where nothing is done), class area [m2]."""

    target: np.ndarray
    measure: np.ndarray
    year: np.ndarray
    class_area_m2: np.ndarray


def planned_state(opened: Opened) -> Planned | None:
    """The plan of a project; None where there is none (方案状态).

    Raises
    ------
    MissingDataError
        The plan lacks patches of the project.
    """
    found = read_tables(opened.project, ("plan_parcel",)).get("plan_parcel")
    if found is None:
        return None
    rows = found.set_index("patch_id").reindex(opened.patches["patch_id"].to_numpy())
    lost = rows.index[rows["target_class"].isna()]
    if len(lost):
        raise MissingDataError(f"方案缺 {len(lost)} 个图斑, 如 {', '.join(map(str, lost[:3]))}", expected="方案与图斑同一版本", cure="重新运行 qianmo plan")
    works = (rows["measure"] != KEEP).to_numpy(bool)
    year = pd.to_numeric(rows["year"], errors="coerce").to_numpy(float, na_value=np.nan)
    area = opened.patches["class_area_m2"].to_numpy(float)
    whole, classes = opened.patches["area_m2"].to_numpy(float), land_classes(opened.scheme)
    was, now = opened.patches["class_code"].to_numpy(object), rows["target_class"].to_numpy(object)
    keeps = [b == t or (classes[b].ridge_applies and classes[t].ridge_applies) for b, t in zip(was, now)]
    return Planned(now, rows["measure"].to_numpy(object), np.where(works, year, np.nan), np.where(np.array(keeps, bool), area, whole))


def plan_layers(datasets: Mapping[str, Dataset]) -> tuple[str, ...]:
    """Names of the datasets that hold plans or rest on one: the plan itself, kept plans of a front, rasters after the plan."""
    return tuple(name for name, d in datasets.items() if d.kind in PLAN_LAYERS or name in PLAN_GRIDS)


def read_tables(project: Project, names: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """Result tables that are there, by name."""
    paths = {n: project.state / "tables" / f"{n}.parquet" for n in names}
    return {n: read_frame(p) for n, p in paths.items() if p.is_file()}
