"""What an activity may do in the zones it touches (管控区准入)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from qianmo.schema.codes import zone_activities
from qianmo.schema.errors import CodeError
from qianmo.schema.library import zone_names

__all__ = ["ZONES", "Conformity", "conformity"]

ZONES = zone_names()
"""Zones of the matrix in Chinese (管控区)."""

_RANK = {"A": 0, "C": 1, "P": 2}
_WORDS = {"A": "允许", "C": "有条件允许", "P": "禁止"}


@dataclass(frozen=True)
class Conformity:
    """The strictest answer over all zones (准入结论): A allowed, C under conditions, P forbidden; `zh` says zone by zone why."""

    verdict: str
    zh: str
    rules: tuple[str, ...]
    confidence: str


def conformity(activity: str, zones: Collection[str]) -> Conformity:
    """Answer of the matrix zone × activity (三区三线准入).

    Parameters
    ----------
    activity : str
        ``ZA01`` to ``ZA30``.
    zones : collection of str
        Keys of `ZONES`.

    Raises
    ------
    CodeError
        An unknown activity or zone, or no zone at all.
    """
    matrix = zone_activities()
    if activity not in matrix:
        raise CodeError(f"活动类型 {activity!r}", expected=f"{min(matrix)} 至 {max(matrix)}")
    strange = [z for z in zones if z not in ZONES]
    if strange or not zones:
        raise CodeError(f"管控区 {', '.join(strange) or '(空)'}", expected=", ".join(ZONES))
    row = matrix[activity]
    worst = max((row[z] for z in zones), key=_RANK.__getitem__)
    told = [f"{ZONES[z]}: {_WORDS[row[z]]}" for z in ZONES if z in zones]
    condition = f"; 条件: {row['condition_codes']}" if worst != "A" and row["condition_codes"] else ""
    return Conformity(worst, f"{row['activity_zh']} — {'; '.join(told)}{condition}", tuple(x for x in row["rule_links"].split(";") if x), row["confidence"])
