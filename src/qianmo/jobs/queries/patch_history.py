"""What a patch was in the states that are kept, and what alarms it has (图斑历史与预警)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from qianmo.jobs.queries.identify import row_number
from qianmo.jobs.queries.layers import MapLayers, ShownLayer
from qianmo.schema.codes import class_schemes, land_classes
from qianmo.schema.errors import MissingDataError
from qianmo.schema.measures import measures
from qianmo.schema.shipped import shipped_rows
from qianmo.store.columns import file_stamp, matching_rows
from qianmo.store.project import Project, history, open_generation
from qianmo.store.stage import read_catalog

__all__ = ["PatchAlarm", "PatchState", "patch_alarms", "patch_history"]

_LAND, _PLAN = "landuse_patch", "plan_parcel"


@dataclass(frozen=True)
class PatchState:
    """A patch in one kept state (历史状态): class and register area [m2], and what the plan of then did; '' where there was none."""

    number: int
    what: str
    time: str
    user: str
    class_code: str
    class_zh: str
    area_m2: float | None
    measure_zh: str
    target_class: str


@dataclass(frozen=True)
class PatchAlarm:
    """An alarm on a patch (预警): `kind` is 'light' or 'series'; `when` is the day, '' where it has none."""

    kind: str
    zh: str
    en: str
    when: str


def patch_history(folder: Path, patch: str, *, may_see: Callable[[str], bool], held: MapLayers | None = None) -> list[PatchState]:
    """States in which a patch or its plan changed, the newest first (图斑历史).

    Parameters
    ----------
    patch : str
        Id of the patch; a patch that was cut keeps the history of its own id only.
    may_see : function of a layer's name
        Whether the viewer may see it.
    held : MapLayers, optional
        Layers of the present state: a file that is in memory there is not read again.
    """
    kept: dict[tuple[str, tuple[int, int, int]], dict[str, Any]] = {}
    found: list[PatchState] = []
    for state in history(folder):
        project = open_generation(folder, state.number)
        datasets = read_catalog(project.state)
        land = _row(project, _LAND, patch, ("class_code", "area_m2"), kept, held) if _LAND in datasets and may_see(_LAND) else {}
        plan = _row(project, _PLAN, patch, ("measure", "target_class"), kept, held) if _PLAN in datasets and may_see(_PLAN) else {}
        if not land:
            continue
        scheme = datasets[_LAND].class_scheme
        names, code, works = (
            land_classes(scheme if scheme in class_schemes() else "SD3"),
            str(land["class_code"]),
            measures().get(str(plan.get("measure", ""))),
        )
        now = PatchState(
            state.number,
            state.what,
            state.time,
            state.user,
            code,
            names[code].zh if code in names else "",
            land["area_m2"] or None,
            works.zh if works else "",
            str(plan.get("target_class", "")),
        )
        if not found or _content(found[-1]) != _content(now):
            found.append(now)
    return found[::-1]


def patch_alarms(project: Project, patch: str) -> list[PatchAlarm]:
    """The light of the last detection and the break of the last series of a patch (图斑预警)."""
    found = []
    words = {r["code"]: (r["zh"], r["en"]) for r in shipped_rows("codes", "change_words") if r["kind"] == "light"}
    for row in _table(project, "change_signal", patch, ("light", "candidate")):
        if row["light"] in words:
            found.append(PatchAlarm("light", words[row["light"]][0], words[row["light"]][1], ""))
    for row in _table(project, "change_series", patch, ("alarm_day", "repeats")):
        if row["alarm_day"]:
            found.append(
                PatchAlarm(
                    "series",
                    f"时序突变, 连续 {row['repeats']} 期",
                    f"break of the series, {row['repeats']} dates in a row",
                    str(row["alarm_day"]),
                )
            )
    return found


def _table(project: Project, name: str, patch: str, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    path = project.state / "tables" / f"{name}.parquet"
    return matching_rows(path, "patch_id", patch, columns) if path.is_file() else []


def _row(
    project: Project,
    layer: str,
    patch: str,
    columns: tuple[str, ...],
    kept: dict[tuple[str, tuple[int, int, int]], dict[str, Any]],
    held: MapLayers | None,
) -> dict[str, Any]:
    """The row of a patch; a file that several states share is read once."""
    path = project.state / "layers" / f"{layer}.parquet"
    if not path.is_file():
        return {}
    key = (layer, file_stamp(path))
    if key not in kept:
        in_memory = held is not None and held.has_same(layer, key[1])
        rows = _rows_of(held.layer(layer), patch, columns) if in_memory and held is not None else _rows_read(path, key[1], patch, columns)
        kept[key] = dict(rows[0]) if rows else {}
    return kept[key]


def _rows_of(shown: ShownLayer, patch: str, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    """The row of a layer that is in memory, as `matching_rows` gives it."""
    try:
        at = row_number(shown, patch)
    except MissingDataError:
        return []
    names = shown.table.column_names
    return [{c: shown.table.column(c)[at].as_py() if c in names else "" for c in columns}]


@lru_cache(maxsize=512)
def _rows_read(path: Path, stamp: tuple[int, int, int], patch: str, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    """The row of a file as `stamp` knows it; another stamp is another reading."""
    return matching_rows(path, "patch_id", patch, columns)


def _content(state: PatchState) -> tuple[Any, ...]:
    return state.class_code, state.area_m2, state.measure_zh, state.target_class
