"""What is this layer? (图层识别: 字段、图层名、取值、几何类型)."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from qianmo.onemap.profiles import Profile, cut_names, field_key, header_unit, shipped_profiles
from qianmo.schema.codes import class_schemes, land_classes
from qianmo.schema.dataset import Candidate, Decision
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.tables import table_spec

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["KINDS", "OTHER", "recognise"]

KINDS = (
    "landuse_patch", "basic_farmland", "eco_redline", "urban_boundary", "village",
    "planning_zone", "project_area", "approved_use", "parcel", "building",
)  # fmt: skip
"""Tables a layer can be recognised as."""
OTHER = "other_layer"

_CLEAR, _NONE, _MARGIN = 0.5, 0.35, 0.5
_PROFILE_WEIGHT, _OWN_ID_WEIGHT, _OWN_WEIGHT, _SHARED_WEIGHT, _OTHER_NAME = 0.9, 0.5, 0.4, 0.05, 0.7
_PLAIN_WORDS = ("remark", "storeys", "control")
_VALUE_SHARE = 0.9


def recognise(
    columns: Sequence[str],
    sample: pd.DataFrame | None,
    geometry_type: str | None,
    name: str,
    *,
    profiles: Sequence[Profile] = (),
) -> Decision:
    """Which table a layer belongs to (图层识别).

    Each piece of evidence (a field, the layer name, a column of codes, a saved profile) removes a share of the doubt;
    counter-evidence restores it. A winner needs a score of 0.5 and a clear lead over the second; hardly any evidence
    means the layer is kept as `other_layer`; anything between is unclear.

    Parameters
    ----------
    columns : sequence of str
        Field names as they came: standard codes in any case, Chinese names, names cut to ten bytes, or our own names.
    sample : DataFrame, optional
        Some rows with those columns; values are evidence too.
    geometry_type : str, optional
        Such as 'Polygon' or 'MultiPolygon Z'; no table here holds points or lines.
    name : str
        Name of the layer or file.
    profiles : sequence of Profile
        Saved profiles besides those that ship.

    Returns
    -------
    Decision
        `chosen` is one of `KINDS`, 'other_layer', or '' when two kinds fit alike. Scores from 0 to 1 with reasons.
    """
    keys = {field_key(c) for c in columns} | {header_unit(c)[0] for c in columns}
    named = _named(name)
    marks = _value_marks(sample)
    candidates = [_score(kind, keys, named, marks, columns, (*shipped_profiles(), *profiles)) for kind in (*KINDS, OTHER)]
    if not _holds_areas(geometry_type):
        candidates = [_not_polygon(c, str(geometry_type)) for c in candidates]
    ranked = tuple(sorted(candidates, key=lambda c: -c.score))
    return Decision(f"kind of layer {name!r} (图层类型)", _winner(ranked), ranked)


def _winner(ranked: Sequence[Candidate]) -> str:
    first, second = ranked[0], ranked[1]
    if first.score < _NONE:
        return OTHER
    lead = math.log(max(1.0 - second.score, 1e-9)) - math.log(max(1.0 - first.score, 1e-9))
    return first.value if first.score >= _CLEAR and lead >= _MARGIN else ""


def _score(
    kind: str,
    keys: set[str],
    named: tuple[str, str],
    marks: Mapping[str, str],
    columns: Sequence[str],
    profiles: Sequence[Profile],
) -> Candidate:
    doubt, trust, reasons = 1.0, 1.0, list[str]()
    for what, pattern, weight in _evidence(kind):
        hit = _hit(what, pattern, keys, named, marks)
        if hit and what.startswith("against"):
            trust *= 1.0 - weight
            reasons.append(f"against (反证): {hit}")
        elif hit:
            doubt *= 1.0 - weight
            reasons.append(hit)
    for column, weight in _own_columns(kind):
        if field_key(column) in keys or cut_names(column) & keys:
            doubt *= 1.0 - weight
            reasons.append(f"column {column}")
    for profile in profiles:
        if profile.kind == kind and profile.fits(columns):
            doubt *= 1.0 - _PROFILE_WEIGHT
            reasons.append(f"profile {profile.name} fits (映射方案)")
    if named[0] == OTHER and kind != OTHER:
        trust *= 1.0 - _OTHER_NAME
        reasons.append(f"against (反证): layer name {named[1]} means another layer")
    return Candidate(kind, round((1.0 - doubt) * trust, 6), tuple(reasons))


def _hit(what: str, pattern: str, keys: set[str], named: tuple[str, str], marks: Mapping[str, str]) -> str:
    """Reason in words when a piece of evidence is there, else ''."""
    if what == "layer":
        return f"layer name {pattern} (图层名)" if named[1] == pattern else ""
    if what in ("values", "against_values"):
        return marks.get(pattern, "")
    if field_key(pattern) in keys:
        return f"field {pattern} (字段)"
    return f"field {pattern}, name cut to ten bytes (截断字段)" if cut_names(pattern) & keys else ""


@cache
def _evidence(kind: str) -> tuple[tuple[str, str, float], ...]:
    rows = (r for r in shipped_rows("codes", "layer_evidence") if r["kind"] == kind)
    return tuple((r["evidence"], r["pattern"], float(r["weight"])) for r in rows)


@cache
def _own_columns(kind: str) -> tuple[tuple[str, float], ...]:
    """Our own column names of a kind, those no other kind has weighing more."""
    if kind == OTHER:
        return ()
    others = {c for k in KINDS if k != kind for c in table_spec(k).column_names}
    first, *rest = table_spec(kind).column_names
    head = (first, _SHARED_WEIGHT if first in others else _OWN_ID_WEIGHT)
    return (head, *((c, _SHARED_WEIGHT if c in others or c in _PLAIN_WORDS else _OWN_WEIGHT) for c in rest))


def _named(name: str) -> tuple[str, str]:
    """Kind and pattern of the longest known layer name inside a name, ('', '') when there is none."""
    text = unicodedata.normalize("NFKC", name).casefold()
    found = ("", "")
    for r in shipped_rows("codes", "layer_evidence"):
        if r["evidence"] == "layer" and len(r["pattern"]) > len(found[1]) and _names_layer(r["pattern"].casefold(), text):
            found = (r["kind"], r["pattern"])
    return found


def _names_layer(pattern: str, text: str) -> bool:
    if not pattern.isascii():
        return pattern in text
    return re.search(rf"(?<![a-z]){re.escape(pattern)}(?![a-z])", text) is not None


def _value_marks(sample: pd.DataFrame | None) -> dict[str, str]:
    """Kinds of codes seen in whole columns of the sample, in words."""
    marks: dict[str, str] = {}
    if sample is None or not len(sample):
        return marks
    for column in (c for c in sample.columns if c != "geometry"):
        values = sample[column].dropna().astype(str).str.strip()
        values = values[values != ""]
        if not len(values):
            continue
        where = f"values of {column} (取值)"
        if values.nunique() > 1 and values.isin(_long_codes()).mean() > _VALUE_SHARE:
            marks.setdefault("land_class", f"{where} are land-class codes")
        if values.isin(("410", "420", "430")).mean() > _VALUE_SHARE:
            marks.setdefault("urban_zone", f"{where} are 410, 420 or 430")
        if values.str.contains("生态保护红线|自然保护地|核心保护区|一般控制区", regex=True).mean() > _VALUE_SHARE:
            marks.setdefault("redline", f"{where} speak of the redline")
    return marks


@cache
def _long_codes() -> frozenset[str]:
    """Codes of every scheme with four characters or more; shorter ones look like any number."""
    return frozenset(c for s in class_schemes() for c in land_classes(s) if len(c) >= 4)


def _holds_areas(geometry_type: str | None) -> bool:
    return not geometry_type or any(w in geometry_type.lower() for w in ("polygon", "surface", "collection", "unknown"))


def _not_polygon(candidate: Candidate, geometry_type: str) -> Candidate:
    if candidate.value == OTHER:
        return Candidate(
            OTHER, max(candidate.score, 0.9), (*candidate.reasons, f"geometry is {geometry_type}: no table holds it (非面图层)")
        )
    return Candidate(candidate.value, 0.0, (*candidate.reasons, f"against (反证): geometry is {geometry_type}, not polygons"))
