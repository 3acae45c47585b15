"""Which source field fills which column, and in what unit (字段映射)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from qianmo.onemap.profiles import (
    M2_PER_UNIT,
    ROW_NUMBER,
    Profile,
    field_index,
    field_key,
    header_unit,
    refuse_duplicates,
    shipped_profiles,
)
from qianmo.schema.tables import TableSpec, table_spec

__all__ = ["FieldMap", "planar_areas", "propose_mapping", "unit_seen", "whole_area_columns"]

_SAME, _NEAR = 0.5, 0.1


@dataclass(frozen=True)
class FieldMap:
    """How the fields of a source become the columns of a table (字段映射).

    `fields` goes from source name to target column; the source '#row' numbers the rows. `units` gives the unit of area of
    a target where the source is not in m2 ('ha', 'mu', 'km2', or '?' where the header was cut: then the user must say).
    `missing` lists required columns nothing fills; `notes` tells what was seen and left.
    """

    table: str
    fields: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    profile: str = "standard"
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def propose_mapping(
    columns: Sequence[str], table: str, *, profiles: Sequence[Profile] = (), sample: pd.DataFrame | None = None
) -> FieldMap:
    """Field map by saved profile, then our own names, standard codes, Chinese names, aliases, cut names (建议字段映射).

    Parameters
    ----------
    columns : sequence of str
        Field names of the source, without the geometry.
    table : str
        Target table.
    profiles : sequence of Profile
        Saved profiles besides those that ship; the first that fits the table goes before the standard names.
    sample : GeoDataFrame, optional
        Some rows in a metric CRS: the unit of an area column that says none is proposed from the polygons, with a note.

    Raises
    ------
    SchemaError
        Two fields differ only in case, width or blanks.
    """
    refuse_duplicates(columns)
    spec = table_spec(table)
    fitting = next((p for p in (*profiles, *shipped_profiles()) if p.kind == table and p.fits(columns)), None)
    fields, units, notes = _by_profile(columns, fitting) if fitting else ({}, {}, [])
    free = [c for c in columns if c not in fields and c.casefold() != "geometry"]
    for target, (source, unit) in _by_names(free, table, set(fields.values()), notes).items():
        fields[source] = target
        if unit:
            units[target] = unit
    if sample is not None:
        units |= _units_from_polygons(sample, spec, fields, units, notes)
    filled = set(fields.values()) | ({"class_area_m2"} if "area_m2" in fields.values() else set())
    missing = tuple(c.name for c in spec.columns if c.required and c.name not in filled and spec.name != "other_layer")
    return FieldMap(table, fields, units, fitting.name if fitting else "standard", missing, tuple(notes))


def _by_profile(columns: Sequence[str], profile: Profile) -> tuple[dict[str, str], dict[str, str], list[str]]:
    present = {field_key(c): c for c in columns}
    fields: dict[str, str] = {}
    for target, sources in profile.fields.items():
        found = next((present[field_key(s)] for s in sources if field_key(s) in present), None)
        source = ROW_NUMBER if found is None and ROW_NUMBER in sources else found
        if source is not None:
            fields[source] = target
    return fields, {t: u for t, u in profile.units.items() if t in fields.values()}, [f"profile {profile.name} used (映射方案)"]


def _by_names(columns: Sequence[str], table: str, taken: set[str], notes: list[str]) -> dict[str, tuple[str, str]]:
    """Target → (source, unit), the best tier first; a name that may mean two columns is left and noted."""
    index = field_index(table)
    best: dict[str, tuple[int, int, str, str]] = {}
    for column in columns:
        base, unit = header_unit(column)
        hits = index.get(field_key(column)) or index.get(base, ())
        hits = tuple(h for h in hits if h[2] not in taken and h[0] == hits[0][0])
        targets = dict.fromkeys(h[2] for h in hits)
        if len(targets) > 1 and hits[0][0] > 1:
            notes.append(f"field {column} may be {' or '.join(targets)}: left for the user (截断字段名有歧义)")
            continue
        for tier, order, target, known in hits:
            rank = (tier, order, column, (unit if base in index and field_key(column) not in index else "") or known)
            if target not in best or rank[:2] < best[target][:2]:
                best[target] = rank
    used: set[str] = set()
    chosen: dict[str, tuple[str, str]] = {}
    for target, (_, _, column, unit) in sorted(best.items(), key=lambda kv: kv[1][:2]):
        if column not in used:
            used.add(column)
            chosen[target] = (column, unit)
    return chosen


def _units_from_polygons(
    sample: pd.DataFrame, spec: TableSpec, fields: Mapping[str, str], units: Mapping[str, str], notes: list[str]
) -> dict[str, str]:
    areas = planar_areas(sample)
    found: dict[str, str] = {}
    for source, target in fields.items():
        if (
            areas is None
            or source not in sample.columns
            or target not in whole_area_columns(spec)
            or units.get(target, "?") != "?"
        ):
            continue
        unit = unit_seen(pd.to_numeric(sample[source], errors="coerce").to_numpy(dtype=float), areas)
        if unit and unit != "m2":
            found[target] = unit
            notes.append(f"field {source} looks like {unit} when compared with the polygons: confirm (单位由图形推断，请确认)")
    return found


def whole_area_columns(spec: TableSpec) -> frozenset[str]:
    """Columns that should be as large as the polygon: every area but the ridges inside it (与图形可比的面积列)."""
    return frozenset(c.name for c in spec.columns if c.unit == "m2" and c.name != "ridge_area_m2")


def planar_areas(frame: pd.DataFrame) -> np.ndarray | None:
    """Planar area of each polygon, None where the CRS is not a metric plane fit for it (平面面积)."""
    crs = getattr(frame, "crs", None)
    if crs is None or not crs.is_projected or crs.to_epsg() == 3857:
        return None
    return np.asarray(frame.geometry.area, dtype=float)  # type: ignore[attr-defined]


def unit_seen(values: np.ndarray, areas: np.ndarray) -> str:
    """Unit in which most values match the polygons, '' when none does clearly."""
    good = np.isfinite(values) & np.isfinite(areas) & (values > 0) & (areas > 0)
    if good.sum() == 0:
        return ""
    ratio = float(np.median(values[good] / areas[good]))
    if _SAME <= ratio <= 1.0 / _SAME:
        return "m2"
    return next((u for u, m2 in M2_PER_UNIT.items() if abs(ratio * m2 - 1.0) <= _NEAR), "")
