"""What an ingest would do, every question and every fault at once, with nothing written (入库预检)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from qianmo.jobs.context import Context
from qianmo.jobs.ingest.base import SPECS as INGEST
from qianmo.jobs.ingest.base import checked, finished, merged_layers, raster_layer, setting_of, state_of
from qianmo.jobs.ingest.layer import Prepared, Setting, prepare_classes, prepare_layer
from qianmo.jobs.ingest.look_layer import ASKED, about_layer, encoding_samples, error_record
from qianmo.jobs.ingest.plain import prepare_plain
from qianmo.jobs.ingest.read import Read, encoding_of
from qianmo.jobs.recipe import Recipe, SourceRecipe, recipe_from_file, recipe_from_options
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.reports.typography import word
from qianmo.schema.dataset import Dataset
from qianmo.schema.errors import QianmoError, SchemaError
from qianmo.schema.messages import chinese_message
from qianmo.store.durable import replace_text
from qianmo.store.guard import Consent
from qianmo.store.guard_limits import default_limits
from qianmo.store.raw import Source
from qianmo.store.read_vector import read_sources, text_samples
from qianmo.store.scratch import read_toml, scratch_folder
from qianmo.store.sources import list_sources
from qianmo.store.stage import read_catalog

__all__ = ["SPECS", "look", "run"]

_ROWS = 8
_GROUPS = 200


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Look at what the options or the recipe file name."""
    if not values["recipe"] and not values["sources"]:
        raise SchemaError("没有给出来源 (no source)", expected="文件、文件夹或 --recipe 方案文件")
    path = Path(values["recipe"] or "")
    recipe = recipe_from_file(read_toml(path), path.parent) if values["recipe"] else recipe_from_options(values)
    found = look(context, recipe, Path(values["into"]), consent=Consent(**dict.fromkeys(values["accept"] or (), True)))
    if values["out"]:
        replace_text(Path(values["out"]), json.dumps(found, ensure_ascii=False, indent=1))
    return JobReport(tuple(_lines(found)), (), {"questions": _count(found, ask=True), "refusals": _count(found, ask=False), "faults": sum(f["count"] for f in found["faults"])})


def look(context: Context, recipe: Recipe, folder: Path, *, consent: Consent | None = None) -> dict[str, Any]:
    """Everything an ingest would ask, refuse, find and repair, as a record that is plain JSON (入库预检).

    Parameters
    ----------
    recipe : Recipe
        What to read, with the answers so far.
    folder : Path
        The project it is meant for; it is read, never changed.

    Returns
    -------
    dict
        ``sources`` (name, driver, rows, encoding with samples, error), ``layers`` (table, place, class scheme, fields with
        candidates, error with the step that cures it), ``ignored``, ``faults`` and
        ``repairs`` in groups, ``replaced`` (layers that an ingest would replace).
    """
    consent = consent or Consent()
    context.step("安全检查与读取", 0.0)
    setting, old = setting_of(context, recipe, folder)
    with scratch_folder() as workdir:
        sources, reads, ignored = _read(recipe, workdir, consent)
        context.step("识别图层与坐标系", 0.3)
        layers, prepared, grids = _layers(reads, setting)
        plain = _plain(reads, setting, folder, layers)
    found: dict[str, Any] = {"sources": sources, "layers": layers, "ignored": ignored, "faults": [], "repairs": [], "notes": [], "error": None}
    try:
        prepared = _as_one(prepared)
        if prepared:
            context.step("质量检查", 0.6)
            found["faults"], found["repairs"] = _judged(finished(prepared, grids, old, setting, level=False), old, context)
    except QianmoError as error:
        found["error"] = error_record(error, step=3)
    found["notes"] = [chinese_message(n) for n in setting.notes]
    names = [*(x.dataset.name for x in prepared), *grids, *plain]
    found["taken"] = sorted(names)
    state = state_of(folder)
    catalogue = read_catalog(state) if state else {}
    found["replaced"] = [{"name": n, "zh": catalogue[n].zh, "rows": catalogue[n].rows} for n in sorted(names) if n in catalogue]
    return found


def _read(recipe: Recipe, workdir: Path, consent: Consent) -> tuple[list[dict[str, Any]], list[Read], list[str]]:
    """Records of the sources, and those that could be read."""
    limits = default_limits()
    rows: list[dict[str, Any]] = []
    found: list[tuple[SourceRecipe, Source, dict[str, Any], Any]] = []
    ignored: list[str] = []
    for number, said in enumerate(recipe.sources):
        folder = workdir / f"source{number}"
        folder.mkdir()
        try:
            listing = list_sources([said.path], workdir=folder, limits=limits, consent=consent, gather=True)
        except QianmoError as error:
            rows.append({"name": said.path.name, "driver": "", "size_bytes": 0, "error": error_record(error, step=1), "encoding": None, "skip": said.skip})
            continue
        ignored += listing.ignored
        rows += [{"name": o, "driver": "", "size_bytes": 0, "error": error_record(e, step=1), "encoding": None, "skip": said.said_of(o).skip} for o, e in listing.refused]
        for source in listing.sources:
            one = said.said_of(source.origin)
            row: dict[str, Any] = {"name": source.origin, "driver": source.driver, "size_bytes": source.size_bytes, "error": None, "skip": one.skip, "role": one.role}
            row["encoding"], decision = _encoding(one, source, row)
            rows.append(row)
            if not one.skip and row["error"] is None:
                found.append((one, source, row, decision))
    decided = {s.sha256: d.chosen for _, s, _, d in found if d is not None}
    plain = {s.sha256 for one, s, _, _ in found if one.plain}
    readings = read_sources([s for _, s, _, _ in found], workdir=workdir, limits=limits, encodings=decided, consent=consent, plain=plain) if found else []
    reads = []
    for (one, _, row, decision), reading in zip(found, readings):
        if reading.error is not None:
            row["error"] = error_record(reading.error, step=1)
        else:
            reads.append(Read(reading, one, decision))
    return rows, reads, _passed_over(ignored, rows)


def _passed_over(ignored: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Files that hold no layer and belong to no set."""
    stems = {Path(r["name"]).with_suffix("").as_posix().casefold() for r in rows if r["driver"] == "ESRI Shapefile"}
    return [n for n in ignored if Path(n).with_suffix("").as_posix().casefold() not in stems]


def _encoding(said: SourceRecipe, source: Source, row: dict[str, Any]) -> tuple[dict[str, Any] | None, Any]:
    samples = text_samples(source)
    try:
        decision = encoding_of(said, source)
    except QianmoError as error:
        row["error"], decision = error_record(error, step=1), None
    return (encoding_samples(samples, source.declared_encoding, decision) if samples else None), decision


def _layers(reads: Sequence[Read], setting: Setting) -> tuple[list[dict[str, Any]], list[Prepared], dict[str, tuple[Any, Dataset]]]:
    rows, prepared = list[dict[str, Any]](), list[Prepared]()
    grids: dict[str, tuple[Any, Dataset]] = {}
    terrain = next((g for r in reads for g in r.reading.grids if r.said.role == "dem"), None)
    todo = [(r, raw) for r in reads if not r.said.plain for raw in r.reading.layers]
    for read, raw in todo:
        one = read.of_layer(raw.name)
        row = about_layer(raw, one, setting)
        rows.append(row)
        if row["error"] is None and not one.said.skip:
            try:
                prepared.append(made := prepare_layer(raw, one, setting))
                row["rows"] = made.dataset.rows
                row["scheme"] = {"chosen": made.dataset.class_scheme, "candidates": []} if made.dataset.class_scheme else None
            except QianmoError as error:
                row["error"] = error_record(error)
    for read in reads:
        for raw_grid in read.reading.grids:
            row = {"name": f"{read.reading.source.origin}#{raw_grid.name}", "kind": "grid", "table": None, "place": None, "scheme": None,
                   "rows": int(raw_grid.values.size), "error": None, "skip": False, "role": read.said.role}
            rows.append(row)
            try:
                if read.said.classes:
                    prepared.append(prepare_classes(raw_grid, read, setting, terrain=terrain))
                else:
                    grid, dataset = raster_layer(raw_grid, read, setting)
                    grids[dataset.name] = (grid, dataset)
            except QianmoError as error:
                row["error"] = error_record(error)
    return rows, prepared, grids


def _plain(reads: Sequence[Read], setting: Setting, folder: Path, rows: list[dict[str, Any]]) -> list[str]:
    """Names of the tables without drawings that would come in; an error is told with their first source."""
    wanted = [r for r in reads if r.said.plain]
    if not wanted:
        return []
    row: dict[str, Any] = {"name": wanted[0].reading.source.origin, "kind": "table", "table": None, "place": None, "scheme": None, "rows": 0, "error": None, "skip": False, "role": wanted[0].said.role}
    rows.append(row)
    try:
        made = prepare_plain(wanted, setting, state=state_of(folder))
    except QianmoError as error:
        row["error"] = error_record(error, step=1)
        return []
    row["rows"] = sum(m.dataset.rows for m in made)
    return [m.dataset.name for m in made]


def _as_one(prepared: list[Prepared]) -> list[Prepared]:
    names = list(dict.fromkeys(x.dataset.name for x in prepared))
    groups = [[x for x in prepared if x.dataset.name == n] for n in names]
    return [g[0] if len(g) == 1 else merged_layers(g) for g in groups]


def _judged(layers: list[Prepared], old: Mapping[str, gpd.GeoDataFrame], context: Context) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    faults, _, _ = checked(layers, old, repair=False)
    if not len(faults):
        return [], []
    context.step("修复试算", 0.8)
    log = checked(layers, old, repair=True)[2] if bool(faults["repairable"].any()) else pd.DataFrame()
    groups = []
    for (layer, rule, what, severity, repairable), some in list(faults.groupby(["layer", "rule", "what", "severity", "repairable"], sort=False))[:_GROUPS]:
        first = some.iloc[0]
        groups.append({
            "layer": layer, "rule": str(rule), "what": word("fault", str(what)), "kind": str(what), "severity": severity, "repairable": bool(repairable), "count": len(some),
            "rows": [int(r) for r in some["row"].head(_ROWS)], "ids": [str(i) for i in some["feature_id"].head(_ROWS)],
            "found": str(first["found"]), "expected": str(first["expected"]), "cure": str(first["cure"]),
        })  # fmt: skip
    repairs = []
    if len(log):
        for (layer, what), some in log.groupby(["layer", "what"], sort=False):
            change = (pd.to_numeric(some["after_area_m2"], errors="coerce").fillna(0.0) - pd.to_numeric(some["before_area_m2"], errors="coerce").fillna(0.0)).sum()
            repairs.append({"layer": layer, "what": word("fault", word("repair", str(what))), "kind": str(what), "count": len(some),
                            "rows": [int(r) for r in some["row"].head(_ROWS)], "change_m2": round(float(change), 2)})
    return groups, repairs


def _count(found: Mapping[str, Any], *, ask: bool) -> int:
    errors = [x["error"] for x in (*found["sources"], *found["layers"]) if x["error"] and not x["skip"]]
    return sum((e["type"] in ASKED) is ask for e in errors)


def _lines(found: Mapping[str, Any]) -> list[str]:
    lines = []
    for row in (*found["sources"], *found["layers"]):
        error = row["error"]
        state = f"{chinese_message(error['found'])}; 办法: {chinese_message(error['cure'])}" if error else ("不入库" if row["skip"] else "可以入库")
        lines.append(f"{row['name']}: {state}")
    lines += [f"质检 {f['layer']} {f['rule']} {f['what']}: {f['count']} 处, 行 {'、'.join(map(str, f['rows']))}" for f in found["faults"]]
    return [*lines, "没有写入任何内容; 用 qianmo ingest 入库"]


SPECS = (
    JobSpec(
        "ingest-look", "入库预检", "see what an ingest would ask, refuse and repair, without writing",
        (*(o for o in INGEST[0].options if o.name not in ("repair", "level")), JobOption("out", "path", "预检结果文件 (JSON)", "file for the result (JSON)")),
        run,
    ),
)  # fmt: skip
