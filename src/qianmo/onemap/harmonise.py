"""From a delivery to a table of the house: names, types, codes, units (数据规整: 字段映射、类型、编码、单位)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qianmo.onemap.classes import restored_code
from qianmo.onemap.convert import converted
from qianmo.onemap.mapping import FieldMap, planar_areas, propose_mapping, unit_seen, whole_area_columns
from qianmo.onemap.profiles import M2_PER_UNIT, ROW_NUMBER, field_key, refuse_duplicates
from qianmo.schema.codes import land_classes
from qianmo.schema.errors import SchemaError
from qianmo.schema.tables import TableSpec, require_columns, table_spec

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["FieldMap", "harmonise", "propose_mapping"]

_VILLAGE_DIGITS = 12


def harmonise(
    frame: gpd.GeoDataFrame, table: str, mapping: FieldMap, *, class_scheme: str = ""
) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    """Layer as a table of the house, and notes on everything that was changed or filled (数据规整).

    Texts are trimmed, full-width digits of codes folded, areas brought to m2, leading zeros of class codes restored where
    the whole column lost them, `village_code` taken from `location_code`, `class_area_m2` and `class_name` filled where
    absent. Source fields without a target are kept under their own names, or ``source_<name>`` where that collides.

    Parameters
    ----------
    frame : GeoDataFrame, n rows
        The layer as read.
    table : str
        Target table.
    mapping : FieldMap
        From `propose_mapping`, perhaps edited by the user.
    class_scheme : str
        Scheme of the class codes; '' where the table carries none.

    Returns
    -------
    (GeoDataFrame, tuple of str)
        n rows in the same order and CRS, and the notes.

    Raises
    ------
    SchemaError
        A mapped field is absent, a required column is not filled, a value cannot be converted, an id lost digits as a
        float, or an area is in another unit than said; rows are named.
    """
    spec, notes = table_spec(table), list[str]()
    refuse_duplicates([str(c) for c in frame.columns])
    out = _columns(frame, spec, mapping, notes)
    if table == "other_layer" and "feature_id" not in out:
        out["feature_id"] = _row_numbers(len(frame))
    _fill(out, spec, class_scheme, notes)
    require_columns(table, tuple(out))
    kept = _kept(frame, mapping, out, notes)
    result = frame[[frame.geometry.name]].copy()
    result = result.rename_geometry("geometry") if frame.geometry.name != "geometry" else result
    ordered = [c for c in spec.column_names if c in out]
    tail = result.reset_index(drop=True)
    body = pd.DataFrame({c: out[c].to_numpy() if out[c].dtype == object else out[c].array for c in ordered} | kept)
    joined = tail.join(body)[[*body.columns, "geometry"]]
    _refuse_other_units(joined, spec, mapping)
    return joined, tuple(notes)


def _refuse_other_units(frame: gpd.GeoDataFrame, spec: TableSpec, mapping: FieldMap) -> None:
    areas = planar_areas(frame)
    for source, target in mapping.fields.items():
        if areas is None or target not in whole_area_columns(spec):
            continue
        seen = unit_seen(pd.to_numeric(frame[target], errors="coerce").to_numpy(dtype=float), areas)
        if seen not in ("", "m2"):
            raise SchemaError(
                f"field {source} for {target} is not in the unit said ({mapping.units.get(target, 'm2')}): "
                f"the values, once converted, match the polygons when read as {seen}",
                expected="areas of the size of the polygons",
                cure=f"state the unit of {target} in the mapping: m2, ha, mu or km2 (面积单位不符，请注明单位)",
            )


def _columns(frame: gpd.GeoDataFrame, spec: TableSpec, mapping: FieldMap, notes: list[str]) -> dict[str, pd.Series]:
    out: dict[str, pd.Series] = {}
    present = {field_key(c): c for c in frame.columns}
    for source, target in mapping.fields.items():
        column = spec.column(target)
        if target in out:
            raise SchemaError(f"two fields are mapped to {target}", expected="one source field a column", cure="edit the mapping")
        if source == ROW_NUMBER:
            out[target] = _row_numbers(len(frame))
            notes.append(f"{target} is the row number: the source has no identifier (以行号作标识)")
            continue
        if field_key(source) not in present:
            there = ", ".join(map(str, frame.columns))
            raise SchemaError(f"mapped field {source} is not in the source", expected=there, cure="edit the mapping")
        values = converted(frame[present[field_key(source)]].reset_index(drop=True), column, source, notes)
        out[target] = _to_m2(values, target, source, mapping, notes) if column.unit == "m2" else values
    return out


def _to_m2(values: pd.Series, target: str, source: str, mapping: FieldMap, notes: list[str]) -> pd.Series:
    unit = mapping.units.get(target, "m2") or "m2"
    if unit not in M2_PER_UNIT:
        raise SchemaError(
            f"the unit of field {source} for {target} is {'cut off in its header' if unit == '?' else repr(unit)}",
            expected=", ".join(M2_PER_UNIT),
            cure=f"state the unit of {target} in the mapping (请注明面积单位)",
        )
    if unit != "m2":
        notes.append(f"{target}: field {source} converted from {unit} to m2, factor {M2_PER_UNIT[unit]:.10g} (面积单位换算)")
    return values * M2_PER_UNIT[unit]


def _row_numbers(n: int) -> pd.Series:
    return pd.Series([str(i + 1) for i in range(n)], dtype=object)


def _fill(out: dict[str, pd.Series], spec: TableSpec, scheme: str, notes: list[str]) -> None:
    names = spec.column_names
    if scheme and "class_code" in out:
        out["class_code"] = _zeros_restored(out["class_code"], scheme, notes)
    if "village_code" in names and "location_code" in out and "village_code" not in out:
        out["village_code"] = _village_codes(out["location_code"], notes)
    if "class_area_m2" in names and "class_area_m2" not in out and "area_m2" in out:
        ridge = out.get("ridge_area_m2")
        out["class_area_m2"] = out["area_m2"] - ridge.fillna(0.0) if ridge is not None else out["area_m2"].copy()
        how = "area_m2 - ridge_area_m2" if ridge is not None else "area_m2, no ridge area was given"
        notes.append(f"class_area_m2 was absent: filled as {how} (图斑地类面积缺失，按此补算)")
    if scheme and "class_name" in names and "class_name" not in out and "class_code" in out:
        out["class_name"] = out["class_code"].map({c: k.zh for c, k in land_classes(scheme).items()}).astype(object)
        notes.append(f"class_name was absent: filled from scheme {scheme} (按编码补地类名称)")


def _zeros_restored(codes: pd.Series, scheme: str, notes: list[str]) -> pd.Series:
    """Class codes with their leading zeros when the whole column lost them; an inconsistent column is left to the check."""
    present = codes.dropna()
    unknown = [c for c in present.unique() if c not in land_classes(scheme)]
    if not unknown:
        return codes
    mapped = {c: restored_code(c, scheme) for c in unknown}
    whole = not present.str.startswith("0").any() and all(c in land_classes(scheme) for c in mapped.values())
    if not whole:
        notes.append(f"class codes not in {scheme}, left for the check: {', '.join(sorted(unknown)[:10])} (编码不在体系内)")
        return codes
    shown = ", ".join(f"{a} -> {b}" for a, b in sorted(mapped.items())[:10])
    notes.append(f"leading zeros restored in class_code: {shown} (补前导零)")
    return codes.replace(mapped)


def _village_codes(codes: pd.Series, notes: list[str]) -> pd.Series:
    heads = {
        c: c[:_VILLAGE_DIGITS] for c in codes.dropna().unique() if len(c) >= _VILLAGE_DIGITS and c[:_VILLAGE_DIGITS].isdigit()
    }
    good = codes.isin(list(heads))
    notes.append("village_code is the first 12 digits of location_code (村代码取坐落单位代码前12位)")
    if not good.all():
        rows = ", ".join(map(str, np.flatnonzero(~good)[:10]))
        text = f"{int((~good).sum())} rows have no location code of 12 digits and so no village_code, rows {rows}"
        notes.append(f"{text} (坐落单位代码不足12位)")
    return codes.map(heads).astype(object).where(good, None)


def _kept(frame: gpd.GeoDataFrame, mapping: FieldMap, out: Mapping[str, pd.Series], notes: list[str]) -> dict[str, object]:
    mapped = {field_key(s) for s in mapping.fields}
    kept: dict[str, object] = {}
    used = {c.casefold() for c in out} | {"geometry", *(c.casefold() for c in table_spec(mapping.table).column_names)}
    for column in frame.columns:
        if column == frame.geometry.name or field_key(column) in mapped:
            continue
        name = str(column) if str(column).casefold() not in used else f"source_{column}"
        while name.casefold() in used:
            name = f"{name}_"
        used.add(name.casefold())
        kept[name] = frame[column].array
        if name != column:
            notes.append(f"source field {column} is kept as {name} (同名字段改名保留)")
    return kept
