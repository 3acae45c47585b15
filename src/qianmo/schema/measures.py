"""Measures that a patch can receive (整治措施)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from qianmo.schema.errors import CodeError
from qianmo.schema.shipped import shipped_rows

__all__ = ["KEEP", "Measure", "measure", "measures"]

KEEP = "keep"


@dataclass(frozen=True)
class Measure:
    """One kind of works (措施): its project class, activity of the zone matrix, cost item and aims."""

    id: str
    zh: str
    en: str
    project_class: str
    activity_id: str
    cost_item: str
    cost_basis: str
    creates_farmland: bool
    goal: str
    element: str
    description: str


@cache
def measures() -> dict[str, Measure]:
    """All measures by id, ``keep`` first."""
    return {
        r["measure"]: Measure(
            r["measure"], r["zh"], r["en"], r["project_class"], r["activity_id"], r["cost_item"], r["cost_basis"],
            r["creates_farmland"] == "1", r["goal"], r["element"], r["description"],
        )
        for r in shipped_rows("codes", "measures")
    }  # fmt: skip


def measure(measure_id: str) -> Measure:
    """One measure.

    Raises
    ------
    CodeError
        Unknown measure.
    """
    found = measures().get(measure_id)
    if found is None:
        raise CodeError(f"no measure {measure_id!r}", expected=", ".join(measures()))
    return found
