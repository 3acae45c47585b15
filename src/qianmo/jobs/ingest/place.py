"""Where a layer lies: the detective's decision carried out (坐标系判定与转换)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyproj
import shapely

from qianmo.geo.crs import CGCS2000, Helmert, china_crs, datum_note, project_crs, transform
from qianmo.geo.shift import gcj02_to_wgs84
from qianmo.jobs.recipe import SourceRecipe
from qianmo.onemap.locate import locate
from qianmo.schema.dataset import Candidate, Decision
from qianmo.schema.errors import ChoiceNeededError, CrsError

__all__ = ["choose_project_crs", "lonlat_box", "place", "where"]

Box = tuple[float, float, float, float]


def where(
    bounds: Box, sample: np.ndarray, *, wkt: str | None, said: SourceRecipe, county: str, known: Mapping[str, Box], origin: str
) -> Decision:
    """Decide the CRS of a layer: the user's word, else the detective's clear winner.

    Raises
    ------
    ChoiceNeededError
        No clear winner; the candidates are listed.
    """
    found = locate(
        bounds, sample=sample, declared_wkt=wkt, datum=said.datum or None, county_code=county or None, known_extents=known
    )
    if said.crs:
        _known_crs(said.crs)
        others = tuple(c for c in found.candidates if c.value != said.crs)
        return Decision(found.question, said.crs, (Candidate(said.crs, 1.0, ("用户指定",)), *others))
    if not found.is_clear:
        raise ChoiceNeededError(
            f"{origin}: 坐标系不明 (the reference system is not clear)",
            choices=[f"{c.value} {_name(c.value)} ({c.score:.2f}: {'; '.join(c.reasons)})" for c in found.candidates[:6]],
            cure="用 --crs 指定坐标系, 或用 --datum 说明基准, 或给出 --county 行政区代码",
        )  # fmt: skip
    return found


def _known_crs(text: str) -> None:
    try:
        pyproj.CRS.from_user_input(text)
    except pyproj.exceptions.CRSError:
        raise CrsError(
            f"--crs {text!r} 不是已知的坐标系", expected="EPSG 代码, 例如 EPSG:4527", cure="查 CGCS2000 三度带代码 4513-4554, 或改用 --datum 与 --county"
        ) from None


def place(geoms: np.ndarray, decision: Decision, target: int, *, wkt: str | None, helmert: Helmert | None) -> tuple[np.ndarray, str, str]:
    """Geometries in the project CRS, the source CRS, and a note on datums taken as one.

    Raises
    ------
    CrsError
        The datums differ and no parameters were given.
    """
    head, *marks = decision.chosen.split(";")
    source = pyproj.CRS.from_user_input(wkt if head == "declared" and wkt else head)
    if "swap" in marks:
        geoms = shapely.transform(geoms, lambda p: p[:, ::-1])
    if "gcj02" in marks:
        flat = transform(geoms, source, 4326)
        geoms = shapely.transform(flat, lambda p: np.column_stack(gcj02_to_wgs84(p[:, 0], p[:, 1])))
        source = pyproj.CRS.from_epsg(4326)
    return transform(geoms, source, target, helmert=helmert), source.to_string()[:60], datum_note(source, target)


def choose_project_crs(decision: Decision, bounds: Box, *, helmert: Helmert | None) -> int:
    """Project CRS: a projected CGCS2000 source keeps its own, anything else goes to its 3-degree zone."""
    head, *marks = decision.chosen.split(";")
    code = int(head[5:]) if head.startswith("EPSG:") else 0
    info = china_crs().get(code)
    if info is not None and info.datum == "CGCS2000" and info.kind == "projected" and not marks:
        return code
    box = lonlat_box(bounds, decision, helmert=helmert)
    return project_crs((box[0] + box[2]) / 2)


def lonlat_box(bounds: Box, decision: Decision, *, helmert: Helmert | None) -> Box:
    """Longitude-latitude box of a layer by the decision on its CRS."""
    corners, _, _ = place(np.array([shapely.box(*bounds)], dtype=object), decision, CGCS2000, wkt=None, helmert=helmert)
    low_x, low_y, high_x, high_y = shapely.bounds(corners[0])
    return float(low_x), float(low_y), float(high_x), float(high_y)


def _name(value: str) -> str:
    head = value.split(";")[0]
    info = china_crs().get(int(head[5:])) if head.startswith("EPSG:") and head[5:].isdigit() else None
    return info.name if info else ""
