"""Forms of the import, made from what the look found: each question of the program is a field (入库向导表单)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from qianmo.jobs.listed import listed_specs
from qianmo.jobs.queries.uploads import table_words
from qianmo.web.desk import project_folder
from qianmo.web.words import both

__all__ = ["answers_from", "fields_form", "place_form", "what_form"]

_AREA_UNITS = ("m2", "mu", "ha", "km2")


def what_form(look: Mapping[str, Any], answers: Mapping[str, Any], data: Mapping[str, Any] | None = None) -> forms.Form:
    """Step 1: encoding and role of each source, table and class scheme of each layer (是什么)."""
    form = _AskingForm(data)
    each = answers.get("each", {})
    for i, row in enumerate(look["sources"]):
        given = each.get(row["name"], {})
        if row.get("encoding"):
            found = row["encoding"]
            form.ask(f"s{i}-encoding", _("Text encoding"), [(c["value"], c["value"]) for c in found["candidates"]], given.get("encoding") or found["chosen"], must=not found["chosen"], skip=f"s{i}-skip")
        if row["driver"] in ("CSV", "XLSX", "GTiff"):
            roles = _roles(row["driver"])
            form.ask(f"s{i}-role", _("What the file holds"), [(r, w) for r, w in roles.items() if r], given.get("role", ""), blank=roles[""])
            if row["driver"] == "GTiff":
                form.text(f"s{i}-classes", _("Class of each cell value, such as 4=0201,6=0301"), ",".join(f"{k}={v}" for k, v in given.get("classes", {}).items()))
            else:
                form.text(f"s{i}-unit", _("Unit of the rain, such as mm"), given.get("unit", ""))
        if row["error"] or given.get("skip"):
            form.flag(f"s{i}-skip", _("Leave this file out"), bool(given.get("skip")))
    for j, row in enumerate(look["layers"]):
        if row["kind"] != "layer" or not row["table"]:
            continue
        given, found = each.get(row["name"], {}), row["table"]
        names = table_words()
        order = [*(c["value"] for c in found["candidates"]), *(n for n in names if n not in {c["value"] for c in found["candidates"]})]
        form.ask(f"l{j}-table", _("What the layer is"), [(n, _named(n, names)) for n in order], given.get("table") or found["chosen"], must=not found["chosen"], skip=f"l{j}-skip")
        schemes = listed_specs(project_folder())["ingest"].option("class_scheme").choices
        form.ask(f"l{j}-class_scheme", _("Classification of land use"), [(s, s) for s in schemes], given.get("class_scheme", ""), blank=_("decided by the program"))
        form.flag(f"l{j}-skip", _("Leave this layer out"), bool(given.get("skip")))
    form.text("vintage", _("Date of the data, such as 2024-12-31"), answers.get("vintage", ""))
    form.flag("synthetic", _("These data are invented"), bool(answers.get("synthetic")))
    if any(r["error"] for r in look["sources"]) or answers.get("accept"):
        for name, word in _consents().items():
            form.flag(f"accept-{name}", word, name in answers.get("accept", ()))
    return form


def place_form(look: Mapping[str, Any], answers: Mapping[str, Any], data: Mapping[str, Any] | None = None) -> forms.Form:
    """Step 2: reference system and datum of each layer, county and datum shift of all (在哪里)."""
    form = _AskingForm(data)
    for j, row in enumerate(look["layers"]):
        if row["skip"] or row["kind"] == "table":
            continue
        given = answers.get("each", {}).get(row["name"] if row["kind"] == "layer" else row["name"].rsplit("#", 1)[0], {})
        found = row.get("place")
        if found:
            choices = [(c["value"], f"{k}. {c['value']} {c['name']} ({c['score']:.2f})") for k, c in enumerate(found["candidates"], start=1)]
            form.ask(f"l{j}-crs", _("Reference system"), choices, given.get("crs") or found["chosen"], must=not found["chosen"], skip=f"l{j}-crs_other", either=f"l{j}-datum")
        form.text(f"l{j}-crs_other", _("Another reference system, such as EPSG:4527"), "")
        datums = listed_specs(project_folder())["ingest"].option("datum").choices
        form.ask(f"l{j}-datum", _("Datum of the data, where you know it"), [(d, d) for d in datums], given.get("datum", ""), blank="—")
    form.text("county", _("County code of six digits"), answers.get("county", ""))
    form.text("helmert", _("Datum shift to CGCS2000: dx,dy,dz or dx,dy,dz,rx,ry,rz,ppm"), answers.get("helmert", ""))
    return form


def fields_form(look: Mapping[str, Any], answers: Mapping[str, Any], data: Mapping[str, Any] | None = None) -> forms.Form:
    """Step 3: which field fills which column, unit of the areas, repair and levelling (字段与修复)."""
    form = _AskingForm(data)
    for j, row in enumerate(look["layers"]):
        if row["kind"] != "layer" or row["skip"] or not row.get("targets"):
            continue
        sources = {t: s for s, t in row["fields"].items()}
        shown = [c for c in sources.values() if c not in row["columns"]]
        choices = [(c, f"{c} ({row['sample'].get(c)})" if row["sample"].get(c) else c) for c in row["columns"]] + [(c, _("number of the row")) for c in shown]
        for k, target in enumerate(row["targets"]):
            form.ask(f"l{j}-f{k}", target["zh"], choices, sources.get(target["name"], ""), must=target["required"] and target["name"] in row["missing"], blank="—")
        units = [u for t, u in row["units"].items() if u != "?"]
        form.ask(f"l{j}-area_unit", _("Unit of the area fields"), [(u, u) for u in _AREA_UNITS], units[0] if units else "", must="?" in row["units"].values(), blank=_("m² by the standard"))
    form.flag("repair", _("Repair what is safe to repair"), bool(answers.get("repair")))
    form.flag("level", _("Level areas to the control areas of the villages"), bool(answers.get("level")))
    return form


def answers_from(step: int, form: forms.Form, look: Mapping[str, Any], answers: Mapping[str, Any]) -> dict[str, Any]:
    """The answers with those of a valid form over them (答复合并); what the program decides itself is not kept as an answer."""
    given, out = form.cleaned_data, {**answers, "each": {k: dict(v) for k, v in answers.get("each", {}).items()}}

    def put(name: str, key: str, field: str, own: Any = "") -> None:
        if field in given:
            entry = out["each"].setdefault(name, {})
            entry[key] = "" if given[field] == own and key not in entry else given[field]

    for i, row in enumerate(look["sources"]):
        found = row.get("encoding") or {}
        put(row["name"], "encoding", f"s{i}-encoding", found.get("chosen", ""))
        for key in ("role", "unit", "skip"):
            put(row["name"], key, f"s{i}-{key}")
        if f"s{i}-classes" in given:
            out["each"].setdefault(row["name"], {})["classes"] = dict(p.split("=", 1) for p in given[f"s{i}-classes"].replace("，", ",").split(",") if "=" in p)
    for j, row in enumerate(look["layers"]):
        name = row["name"] if row["kind"] == "layer" else row["name"].rsplit("#", 1)[0]
        put(name, "table", f"l{j}-table", (row.get("table") or {}).get("chosen", ""))
        for key in ("class_scheme", "datum", "skip"):
            put(name, key, f"l{j}-{key}")
        put(name, "crs", f"l{j}-crs", (row.get("place") or {}).get("chosen", ""))
        if given.get(f"l{j}-crs_other"):
            out["each"].setdefault(name, {})["crs"] = given[f"l{j}-crs_other"]
        if step == 3 and row.get("targets") and f"l{j}-area_unit" in given:
            _put_fields(out["each"].setdefault(name, {}), row, given, j)
    for key in ("vintage", "synthetic", "county", "helmert", "repair", "level"):
        if key in given:
            out[key] = given[key]
    if any(f.startswith("accept-") for f in given):
        out["accept"] = [f.removeprefix("accept-") for f, v in given.items() if f.startswith("accept-") and v]
    return out


def _put_fields(entry: dict[str, Any], row: Mapping[str, Any], given: Mapping[str, Any], j: int) -> None:
    wanted = {given[f"l{j}-f{k}"]: t["name"] for k, t in enumerate(row["targets"]) if given.get(f"l{j}-f{k}")}
    if wanted != row["fields"]:
        entry["fields"] = wanted | {s: "" for s in row["fields"] if s not in wanted}
    unit, areas = given[f"l{j}-area_unit"], [t["name"] for t in row["targets"] if t["unit"] == "m2" and t["name"] in wanted.values()]
    if unit:
        entry["units"] = dict.fromkeys(areas, unit)


class _AskingForm(forms.Form):
    """A form whose fields are added one by one; a field that must be answered may be waived by another."""

    def __init__(self, data: Mapping[str, Any] | None) -> None:
        super().__init__(data)
        self.waived: dict[str, tuple[str, ...]] = {}

    def ask(self, name: str, label: str, choices: list[tuple[str, str]], value: str, *, must: bool = False, blank: str = "", skip: str = "", either: str = "") -> None:
        """Add a choice."""
        known = [c for c, _word in choices]
        extra = [(value, value)] if value and value not in known else []
        first = [("", _("Please choose") if must else blank or "—")]
        self.fields[name] = forms.ChoiceField(label=label, choices=[*first, *extra, *choices], initial=value, required=False)
        if must:
            self.waived[name] = tuple(w for w in (skip, either) if w)

    def text(self, name: str, label: str, value: str) -> None:
        """Add a line of text."""
        self.fields[name] = forms.CharField(label=label, initial=value, required=False, max_length=500)

    def flag(self, name: str, label: str, value: bool) -> None:
        """Add a box to tick."""
        self.fields[name] = forms.BooleanField(label=label, initial=value, required=False)

    def clean(self) -> dict[str, Any]:
        """Refuse an open question, and two columns filled from one field."""
        cleaned = super().clean() or {}
        for name, others in self.waived.items():
            if not cleaned.get(name) and not any(cleaned.get(o) for o in others):
                self.add_error(name, _("The program cannot decide this. Please choose."))
        seen: set[tuple[str, str]] = set()
        for name, value in list(cleaned.items()):
            head, mark, rest = name.partition("-f")
            if mark and rest.isdigit() and value:
                if (head, value) in seen:
                    self.add_error(name, _("This field fills another column already."))
                seen.add((head, value))
        for name, value in list(cleaned.items()):
            if name.endswith("-classes") and any("=" not in p or not p.split("=", 1)[0].strip().isdigit() for p in value.replace("，", ",").split(",") if p.strip()):
                self.add_error(name, _("Write each value with its class, such as 4=0201,6=0301."))
        return cleaned


def _roles(driver: str) -> dict[str, str]:
    if driver == "GTiff":
        return {"": _("decided by the program"), "dem": _("elevation"), "classes": _("land classes"), "soil": _("soil types")}
    return {"": _("a layer with coordinates"), "rain": _("daily rain"), "rain_station": _("rain stations"), "soil_table": _("table of soil types")}


def _named(name: str, names: Mapping[str, str]) -> str:
    return both(f"{names.get(name, name)} {name}", name.replace("_", " "))


def _consents() -> dict[str, str]:
    return {
        "null_geometry": _("Keep features without a shape"), "broken_geometry": _("Keep features whose shape cannot be built"),
        "rebuild_index": _("Rebuild a missing .shx"), "without_attributes": _("Read shapes without .dbf"),
    }  # fmt: skip
