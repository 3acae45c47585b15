"""Patches that the user settles beforehand: kept as they are, or given one measure (锁定图斑)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from qianmo.planning.parts import Parts
from qianmo.planning.problem import Limit
from qianmo.schema.errors import SchemaError
from qianmo.schema.measures import KEEP, measure

__all__ = ["LOCK", "lock_limits", "locked_options"]

LOCK = "lock"
"""Mark of options that a lock takes away."""


def locked_options(parts: Parts, locks: Mapping[str, str]) -> dict[int, str]:
    """Options that the locks take away, each with `LOCK` (锁定排除的选项).

    Parameters
    ----------
    parts : Parts
    locks : mapping patch id → measure
        'keep' settles the present use.

    Raises
    ------
    SchemaError
        An unknown patch, or a measure that the patch may not take: the rules against it are named.
    CodeError
        An unknown measure.
    """
    row = {str(p): k for k, p in enumerate(parts.patch_id)}
    unknown = sorted(set(locks) - set(row))
    if unknown:
        raise SchemaError(f"锁定的图斑 {', '.join(unknown[:5])} 不存在 (no such patch)", expected="patch_id of the land-use layer (图斑编号)")
    out: dict[int, str] = {}
    for patch_id, works in locks.items():
        k = row[patch_id]
        mine = np.flatnonzero(parts.patch == k)
        if works != KEEP:
            measure(works)
            if not (parts.measure[mine] == works).any():
                raise SchemaError(_no_option(parts, k, works), expected=", ".join([KEEP, *map(str, parts.measure[mine])]))
        out |= {int(o): LOCK for o in mine if parts.measure[o] != works}
    return out


def lock_limits(parts: Parts, locks: Mapping[str, str]) -> tuple[Limit, ...]:
    """The row by which locked patches take their measure; `parts` are those without the other options (锁定约束)."""
    row = {str(p): k for k, p in enumerate(parts.patch_id)}
    taking = np.array(sorted(row[p] for p, works in locks.items() if works != KEEP), int)
    option = np.flatnonzero(np.isin(parts.patch, taking))
    if not len(taking):
        return ()
    return (Limit("lock", LOCK, "锁定图斑按指定措施", option, np.ones(len(option)), ">=", float(len(taking)), "1"),)


def _no_option(parts: Parts, k: int, works: str) -> str:
    listed = parts.excluded[(parts.excluded["row"] == k) & (parts.excluded["measure"] == works)]
    why = "、".join(map(str, listed["rule_ids"])) or "evaluation offers it not"
    return f"图斑 {parts.patch_id[k]} 不能采用 {works} (not open to this patch: {why})"
