"""Names of fields in deliveries: saved profiles, units in headers, names cut to ten bytes (字段名与映射方案)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from qianmo.schema.errors import SchemaError
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.tables import table_spec

__all__ = [
    "M2_PER_UNIT",
    "ROW_NUMBER",
    "Profile",
    "cut_names",
    "field_index",
    "field_key",
    "header_unit",
    "profile_from",
    "refuse_duplicates",
    "shipped_profiles",
]

ROW_NUMBER = "#row"
"""Source of an identifier the delivery lacks: the row number from 1, only where a profile or the user asks for it."""

M2_PER_UNIT: Mapping[str, float] = {"m2": 1.0, "ha": 10_000.0, "mu": 10_000.0 / 15.0, "km2": 1_000_000.0}
"""Square metres in each unit of area that a source may use."""

_UNIT_WORDS: Mapping[str, str] = {
    "亩": "mu", "mu": "mu", "公顷": "ha", "ha": "ha", "hm2": "ha", "平方米": "m2", "平米": "m2", "m2": "m2", "sqm": "m2",
    "平方公里": "km2", "平方千米": "km2", "km2": "km2",
}  # fmt: skip
_UNIT = re.compile(
    r"^(?P<base>.+?)(?:[(_\[\-/](?P<a>亩|mu|公顷|ha|hm2|平方米|平米|m2|sqm|平方公里|平方千米|km2)[)\]]?|(?P<b>亩|公顷|平方米|平方公里))$"
)
_FIELD_BYTES = 10


@dataclass(frozen=True)
class Profile:
    """One saved way to read a delivery (映射方案): source names for each target column, their units, what must be there."""

    name: str
    kind: str
    class_scheme: str = ""
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)

    def fits(self, columns: Iterable[str]) -> bool:
        """True when every required source field is there, in any case."""
        present = {field_key(c) for c in columns}
        return bool(self.required) and all(field_key(r) in present for r in self.required)


def profile_from(record: Mapping[str, object]) -> Profile:
    """Profile from a plain record, such as a parsed TOML table (读取映射方案).

    Raises
    ------
    SchemaError
        Name or kind is missing, or a target is not a column of the kind.
    """
    kind, fields = str(record.get("kind", "")), record.get("fields", {})
    if not record.get("name") or not kind or not isinstance(fields, Mapping):
        raise SchemaError(f"profile {record.get('name')!r} lacks name, kind or fields", expected="{name, kind, fields}")
    spec = table_spec(kind)
    pairs = {str(t): (s,) if isinstance(s, str) else tuple(str(x) for x in s) for t, s in fields.items()}
    unknown = [t for t in pairs if t not in spec.column_names]
    if unknown:
        found = f"profile {record['name']!r} fills unknown columns {unknown} of {kind}"
        raise SchemaError(found, expected=", ".join(spec.column_names))
    required, units = record.get("required", ()), record.get("units", {})
    return Profile(
        str(record["name"]), kind, str(record.get("class_scheme", "")), pairs,
        tuple(str(r) for r in required) if isinstance(required, Sequence) else (),
        {str(t): str(u) for t, u in units.items()} if isinstance(units, Mapping) else {},
    )  # fmt: skip


@cache
def shipped_profiles() -> tuple[Profile, ...]:
    """Profiles of foreign deliveries that ship (随包映射方案); the standard names need none."""
    rows = [r for r in shipped_rows("codes", "field_profiles") if r["profile"] != "standard"]
    names = dict.fromkeys(r["profile"] for r in rows)
    return tuple(_shipped(name, [r for r in rows if r["profile"] == name]) for name in names)


def field_key(name: str) -> str:
    """Name of a field without case, width and blanks: what two spellings must share to be the same field (字段名归一)."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", str(name)).casefold()).strip("\ufeff\x00")


def header_unit(name: str) -> tuple[str, str]:
    """Key of a field without the unit in its header, and that unit (表头单位).

    Returns
    -------
    (str, str)
        Unit is 'm2', 'ha', 'mu', 'km2', '' where none is said, or '?' where the header was cut inside the bracket.
    """
    key = field_key(name)
    if key.endswith(("(", "[")):
        return key[:-1], "?"
    found = _UNIT.match(key)
    return (found["base"], _UNIT_WORDS[found["a"] or found["b"]]) if found else (key, "")


def cut_names(name: str) -> frozenset[str]:
    """Keys of a name cut to ten bytes, as shapefiles do in GBK and in UTF-8; empty for a short name (截断字段名)."""
    keys = set()
    for codec in ("gb18030", "utf-8"):
        raw = name.encode(codec)
        if len(raw) > _FIELD_BYTES:
            keys.add(field_key(raw[:_FIELD_BYTES].decode(codec, "ignore")))
    return frozenset(keys - {""})


@cache
def field_index(table: str) -> dict[str, tuple[tuple[int, int, str, str], ...]]:
    """Key of every known source name → (tier, order, target, unit), best first (标准字段索引).

    Tier 0 is our own column name, 1 the standard code, 2 the Chinese name, 3 an alias, 4 a name cut to ten bytes.
    """
    spec, found = table_spec(table), dict[str, set[tuple[int, int, str, str]]]()
    chinese = _chinese_names(spec.layers)
    for column in spec.columns:
        codes = [c for c in column.source.split(";") if c]
        known = [(0, 0, column.name, ""), *((1, i, c, _field_unit(table, c)) for i, c in enumerate(codes))]
        words = [n for c in codes for n in chinese.get(c, ())] + [column.zh]
        known += [(2, i, n, _field_unit(table, n)) for i, n in enumerate(words)]
        known += [(3, i, s, u) for i, (s, u) in enumerate(_aliases(table, column.name))]
        for tier, order, name, unit in known:
            found.setdefault(field_key(name), set()).add((tier, order, column.name, unit))
            for key in cut_names(name):
                found.setdefault(key, set()).add((4, order, column.name, unit))
    return {key: tuple(sorted(hits)) for key, hits in found.items()}


def refuse_duplicates(columns: Iterable[str]) -> None:
    """Raise when two fields differ only in case, width or blanks (重复字段).

    Raises
    ------
    SchemaError
        The names are listed.
    """
    groups: dict[str, list[str]] = {}
    for c in columns:
        groups.setdefault(field_key(c), []).append(str(c))
    doubled = [" = ".join(g) for g in groups.values() if len(g) > 1]
    if doubled:
        raise SchemaError(
            f"duplicate field names: {'; '.join(doubled)}",
            expected="field names that differ in more than case, width or blanks",
            cure="rename or drop one of each before ingest (字段名重复，请改名)",
        )


def _shipped(name: str, rows: Sequence[Mapping[str, str]]) -> Profile:
    fields: dict[str, tuple[str, ...]] = {}
    for r in rows:
        if r["target"]:
            fields[r["target"]] = (*fields.get(r["target"], ()), r["source"])
    required = tuple(r["source"] for r in rows if r["required"] == "1")
    return Profile(name, rows[0]["kind"], "", fields, required, {r["target"]: r["unit"] for r in rows if r["unit"]})


def _chinese_names(layers: Sequence[str]) -> dict[str, tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = {}
    for r in shipped_rows("codes", "standard_fields"):
        if r["layer"].removesuffix("_DELIVERY") in layers:
            names[r["field"]] = (*names.get(r["field"], ()), r["name_zh"])
    return names


def _aliases(table: str, target: str) -> tuple[tuple[str, str], ...]:
    rows = (r for r in shipped_rows("codes", "field_profiles") if r["profile"] == "standard")
    return tuple((r["source"], r["unit"]) for r in rows if (r["kind"], r["target"]) == (table, target))


def _field_unit(table: str, name: str) -> str:
    rows = (r for r in shipped_rows("codes", "field_profiles") if r["profile"] == "standard" and r["kind"] == table)
    return next((r["unit"] for r in rows if field_key(r["source"]) == field_key(name)), "")
