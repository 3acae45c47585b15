"""Table specifications: columns, types, units, codes, labels (表结构)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from qianmo.schema.errors import SchemaError
from qianmo.schema.shipped import shipped_names, shipped_rows

__all__ = ["Column", "TableSpec", "column_label", "require_columns", "table_names", "table_spec"]


@dataclass(frozen=True)
class Column:
    """One column of a table (字段).

    `type` is text, integer, real, boolean or date; `codes` names a list under ``schema/codes`` or an
    inline list ``a|b|c``; `source` names the field of the national standard it is filled from.
    """

    name: str
    type: str
    unit: str
    required: bool
    codes: str
    zh: str
    source: str
    description: str


@dataclass(frozen=True)
class TableSpec:
    """One table: its columns in order, geometry kind, standard layers it is filled from (表)."""

    name: str
    zh: str
    geometry: str
    layers: tuple[str, ...]
    description: str
    columns: tuple[Column, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns in order."""
        return tuple(c.name for c in self.columns)

    def column(self, name: str) -> Column:
        """Return the column called `name`.

        Raises
        ------
        SchemaError
            The table has no such column.
        """
        for c in self.columns:
            if c.name == name:
                return c
        raise SchemaError(f"table {self.name} has no column {name}", expected=", ".join(self.column_names))


@cache
def table_spec(name: str) -> TableSpec:
    """Specification of one table.

    Raises
    ------
    SchemaError
        No table of that name.
    """
    for head in shipped_rows("tables", "_tables"):
        if head["table"] == name:
            layers = tuple(x for x in head["layers"].split(";") if x)
            columns = tuple(_column(row) for row in shipped_rows("tables", name))
            return TableSpec(name, head["zh"], head["geometry"], layers, head["description"], columns)
    raise SchemaError(f"no table called {name}", expected=", ".join(table_names()))


def table_names() -> tuple[str, ...]:
    """Names of all tables, sorted."""
    return tuple(n for n in shipped_names("tables") if not n.startswith("_"))


def column_label(table: str, name: str) -> str:
    """Chinese label of a column, or its name where it has none."""
    return table_spec(table).column(name).zh or name


def require_columns(table: str, present: list[str] | tuple[str, ...], *, names: tuple[str, ...] = ()) -> None:
    """Raise unless the columns are there: those named, or all required ones.

    Raises
    ------
    SchemaError
        Columns are missing; the message lists them with their Chinese labels.
    """
    spec = table_spec(table)
    wanted = names or tuple(c.name for c in spec.columns if c.required)
    missing = [n for n in wanted if n not in present]
    if missing:
        labels = ", ".join(f"{n} ({spec.column(n).zh})" for n in missing)
        raise SchemaError(
            f"table {table} ({spec.zh}) lacks columns {labels}",
            expected=", ".join(wanted),
            cure="map the fields of the source with a profile, or ingest a layer that has them",
        )


def _column(row: dict[str, str]) -> Column:
    return Column(
        row["name"], row["type"], row["unit"], row["required"] == "1", row["codes"], row["zh"], row["source"], row["description"]
    )
