"""Fields of the acceptance form, sums that must hold, reasons of a cut (验收指标)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from qianmo.schema.errors import SchemaError
from qianmo.schema.shipped import shipped_rows

__all__ = ["AcceptanceField", "AcceptanceFields", "SumCheck", "acceptance_checks", "acceptance_fields", "cut_reasons"]


@dataclass(frozen=True)
class AcceptanceField:
    """One field of the form (验收指标)."""

    id: str
    group: str
    zh: str
    en: str
    unit: str


@dataclass(frozen=True)
class AcceptanceFields:
    """All fields in the order of the form (验收指标表)."""

    fields: dict[str, AcceptanceField]

    def field(self, name: str) -> AcceptanceField:
        """One field.

        Raises
        ------
        SchemaError
            No such field.
        """
        if name not in self.fields:
            raise SchemaError(f"没有验收指标 {name!r}", expected="codes/acceptance_fields.csv 中的指标")
        return self.fields[name]


@dataclass(frozen=True)
class SumCheck:
    """A total and its parts: equal (==), or the total at least the parts (>=) (平衡关系)."""

    id: str
    total: str
    parts: tuple[str, ...]
    relation: str
    zh: str
    en: str


@cache
def acceptance_fields() -> AcceptanceFields:
    """The fields of the form (验收指标)."""
    rows = shipped_rows("codes", "acceptance_fields")
    return AcceptanceFields({r["field"]: AcceptanceField(r["field"], r["group"], r["zh"], r["en"], r["unit"]) for r in rows})


@cache
def acceptance_checks() -> tuple[SumCheck, ...]:
    """Sums that must hold before and after the cut (平衡关系)."""
    rows = shipped_rows("codes", "acceptance_checks")
    return tuple(SumCheck(r["check"], r["total"], tuple(r["parts"].split(";")), r["relation"], r["zh"], r["en"]) for r in rows)


@cache
def cut_reasons() -> dict[str, tuple[str, str]]:
    """Reason code of a cut → Chinese and English (核减原因)."""
    return {r["reason"]: (r["zh"], r["en"]) for r in shipped_rows("codes", "acceptance_cut_reasons")}
