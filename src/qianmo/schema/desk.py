"""Who sits at the desk and what a layer demands of them (用户与图层权限)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from qianmo.schema.shipped import shipped_rows

__all__ = ["OWNER_COLUMNS", "UNIT_TABLES", "DeskRole", "LayerDemand", "Viewer", "desk_roles", "secrecy_levels", "workflow_actors"]

OWNER_COLUMNS = frozenset({"owner_id", "owner_name", "holder_id", "holder_name"})
"""Columns that name the person who owns or holds land (权利人字段)."""

UNIT_TABLES = frozenset({"landuse_patch", "basic_farmland"})
"""Tables whose owner is a unit of the village, not a person (权属单位表)."""


@dataclass(frozen=True)
class DeskRole:
    """One role (角色): what it is called and what it may do: see, overlay, review, run, manage."""

    role: str
    zh: str
    en: str
    actions: frozenset[str]


@dataclass(frozen=True)
class Viewer:
    """A signed-in person as rights see them (用户权限).

    `region` holds the first digits of the administrative code whose land they may see, '' for all; `clearance` is the
    highest secrecy level.
    """

    name: str
    role: str
    region: str
    department: str
    clearance: int


@dataclass(frozen=True)
class LayerDemand:
    """What a layer demands (图层权限): secrecy level, the departments that may see it (all where empty), and the
    administrative unit it belongs to ('' for the whole project)."""

    secrecy: int
    departments: tuple[str, ...]
    region: str


@cache
def desk_roles() -> dict[str, DeskRole]:
    """Roles of the desk by name, from the weakest (角色表)."""
    return {r["role"]: DeskRole(r["role"], r["zh"], r["en"], frozenset(a for a in r["actions"].split(";") if a)) for r in shipped_rows("codes", "desk_roles")}


@cache
def secrecy_levels() -> dict[int, tuple[str, str]]:
    """Secrecy levels: Chinese and English (密级)."""
    return {int(r["level"]): (r["zh"], r["en"]) for r in shipped_rows("codes", "desk_secrecy")}


@cache
def workflow_actors(role: str) -> tuple[str, ...]:
    """Actors of the workflows as which a role of the desk may take steps (角色可代表的办理主体); none for an unknown role."""
    return next((tuple(a for a in r["actors"].split(";") if a) for r in shipped_rows("codes", "desk_actors") if r["role"] == role), ())
