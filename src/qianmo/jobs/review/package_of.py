"""The package of a project: all that is reviewed, hashed by content (项目送审包)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from qianmo.governance.review_checklist import checklist
from qianmo.governance.review_content import bytes_hash, frame_hash, record_hash
from qianmo.governance.review_package import PackageItem, ReviewPackage, review_package
from qianmo.jobs.context import Context
from qianmo.jobs.opened import PLAN_LAYERS, Opened
from qianmo.schema.errors import MissingDataError
from qianmo.schema.rules import CONFIRM, FAIL, PASS, rules
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.tables import table_names, table_spec
from qianmo.store.parquet import read_frame

__all__ = ["PackageContent", "package_of", "review_findings"]

_TOLERANCE = 1e-9
PackageContent = tuple[ReviewPackage, pd.DataFrame, pd.DataFrame]
"""The package with its tables ``review_point`` and ``review_link``."""


def package_of(opened: Opened, documents: Sequence[Path], context: Context) -> PackageContent:
    """The package of the current state of a project, with the checklists filled in (生成送审包).

    The verdicts after the plan count where there is a plan, else those of the present state.

    Raises
    ------
    MissingDataError
        The project has no verdicts yet, or a document is not there.
    """
    state = opened.project.state
    tables = {p.stem: p for p in sorted((state / "tables").glob("*.parquet"))}
    name = next((n for n in ("plan_verdicts", "verdicts") if n in tables), None)
    if name is None:
        raise MissingDataError("项目还没有合规判定 (no verdicts)", cure="先运行 qianmo evaluate, 有方案时再运行 qianmo plan")
    gone = [str(d) for d in documents if not d.is_file()]
    if gone or len({d.name for d in documents}) < len(documents):
        raise MissingDataError(f"没有文件 {'、'.join(gone) or '(文件重名)'}", expected="存在且名称各不相同的文件")
    context.step("计算图层与成果的内容摘要", 0.2)
    items = [*_layers(opened, context), *_tables(tables, state / "tables"), *_policy(opened)]
    items += [PackageItem("document", d.name, d.name, bytes_hash(d.read_bytes())) for d in documents]
    context.step("按规则预填审查要点", 0.7)
    verdicts = read_frame(tables[name])
    versions = {i.name: f"{i.version or '未注明'}#{i.sha256[:8]}" for i in items if i.kind in ("layer", "plan")}
    points, links = checklist(verdicts, findings=review_findings(opened, verdicts), layer_versions=versions, rule_layers=_rule_layers())
    items += [PackageItem("checklist", n, table_spec(n).zh, frame_hash(f), "", len(f)) for n, f in (("review_point", points), ("review_link", links))]
    return review_package(opened.project.name, items), points, links


def review_findings(opened: Opened, verdicts: pd.DataFrame) -> pd.DataFrame:
    """Parcels that the rules which do not pass concern (规则涉及图斑): columns rule_id, patch_id.

    Three sources: faults found at ingest, measures that a rule forbids, and parcels with works inside the control layer of a rule that
    the data speak against.
    """
    open_rules = set(verdicts.loc[verdicts["verdict"] != PASS, "rule_id"])
    against = set(verdicts.loc[verdicts["verdict"].isin((FAIL, CONFIRM)), "rule_id"])
    ids = opened.patches["patch_id"].astype(str)
    parts = [pd.DataFrame({"rule_id": [], "patch_id": []}, dtype=str)]
    fault = opened.project.state / "layers" / "fault.parquet"
    if fault.is_file():
        found = read_frame(fault)
        found = found[found["feature_id"].astype(str).isin(set(ids))]
        parts.append(pd.DataFrame({"rule_id": found["rule"].astype(str), "patch_id": found["feature_id"].astype(str)}))
    options = opened.project.state / "tables" / "measure_options.parquet"
    if options.is_file():
        blocked = read_frame(options, columns=["patch_id", "blocked_by"]).dropna()
        blocked = blocked.assign(rule_id=blocked["blocked_by"].astype(str).str.split(r"[;,、 ]+")).explode("rule_id")
        parts.append(blocked[["rule_id", "patch_id"]].astype(str))
    plan = opened.project.state / "layers" / "plan_parcel.parquet"
    if plan.is_file():
        works = set(read_frame(plan, columns=["patch_id", "measure", "geometry"]).query("measure != 'keep'")["patch_id"].astype(str))
        from qianmo.geo.overlay import share_inside  # compiled code, loaded with the first plan that is laid over

        for layer in ("basic_farmland", "eco_redline", "urban_boundary"):
            concerned = [r for r, names in _rule_layers().items() if r in against and names[0] == layer]
            if concerned and layer in opened.layers:
                inside = share_inside(opened.patches.geometry.to_numpy(), opened.layers[layer].geometry.to_numpy()) > _TOLERANCE
                hit = [p for p in ids[inside] if p in works]
                parts += [pd.DataFrame({"rule_id": r, "patch_id": hit}) for r in concerned]
    made = pd.concat(parts, ignore_index=True)
    return made[made["rule_id"].isin(open_rules)].drop_duplicates(ignore_index=True)


def _rule_layers() -> dict[str, list[str]]:
    by_domain = {r["domain"]: r["layers"].split(";") for r in shipped_rows("codes", "review_layers")}
    return {r.id: by_domain[r.domain] for r in rules().values() if r.domain in by_domain}


def _layers(opened: Opened, context: Context) -> list[PackageItem]:
    items, state = [], opened.project.state
    for number, (name, d) in enumerate(opened.datasets.items()):
        context.step(f"内容摘要: {d.zh or name}", 0.2 + 0.45 * number / len(opened.datasets))
        path = state / "layers" / f"{name}.parquet"
        if d.kind == "raster":
            from qianmo.store.read_cog import (
                read_cog,  # the library of rasters is large: loaded with the first raster of a package
            )

            grid = read_cog(state / "rasters" / f"{name}.tif")
            digest = record_hash([grid.values.shape, str(grid.values.dtype), bytes_hash(grid.values.tobytes()), list(grid.transform)[:6], grid.crs.to_epsg(), grid.nodata])
            items.append(PackageItem("raster", name, d.zh, digest, d.vintage, d.rows))
        elif path.is_file():
            items.append(PackageItem("plan" if d.kind in PLAN_LAYERS else "layer", name, d.zh, frame_hash(read_frame(path)), d.vintage, d.rows))
    return items


def _tables(tables: dict[str, Path], folder: Path) -> list[PackageItem]:
    known = set(table_names())
    frames = {n: read_frame(p) for n, p in tables.items()}
    items = [PackageItem("table", n, _title(n, known), frame_hash(f), "", len(f)) for n, f in frames.items()]
    return items + [PackageItem("table", f"{p.stem}.json", _title(p.stem, known), record_hash(json.loads(p.read_text(encoding="utf-8")))) for p in sorted(folder.glob("*.json"))]


def _title(name: str, known: set[str]) -> str:
    """Title of a result table: as in the plan book, else of its specification, else its name."""
    printed = {r["result"]: r["title"] for r in shipped_rows("codes", "report_tables")} | {r["table"]: r["title"] for r in shipped_rows("codes", "report_tables")}
    own = {r["code"]: r["zh"] for r in shipped_rows("codes", "report_words") if r["group"] == "review_table"}
    return printed.get(name) or own.get(name) or (table_spec(name).zh if name in known else name)


def _policy(opened: Opened) -> list[PackageItem]:
    lists = (("rules", "rules", "consolidation_rules", "整治规则"), ("checklist", "codes", "review_checklist", "审查要点表"), ("parameters", "parameters", "parameters", "参数默认值"))
    items = [PackageItem(kind, name, zh, record_hash(list(shipped_rows(folder, name))), "", len(shipped_rows(folder, name))) for kind, folder, name, zh in lists]
    local = {"parameters": dict(opened.overrides), "documents": dict(opened.documents)}
    return [*items, PackageItem("parameters", "project.toml", "项目本地参数与事实", record_hash(local))]
