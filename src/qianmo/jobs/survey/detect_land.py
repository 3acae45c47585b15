"""What change means for the land of the project: classes of patches, signals and lights of parcels (变化落图斑)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from qianmo.evaluation.classes import farmland, group
from qianmo.geo.crs import transform
from qianmo.geo.fractions import Fractions, cell_fractions
from qianmo.jobs.survey.detect_tiles import Images, sample
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.rules import parameter
from qianmo.schema.shipped import shipped_rows
from qianmo.store.parquet import read_frame
from qianmo.store.project import Project
from qianmo.store.scratch import read_toml
from qianmo.store.stage import read_catalog
from qianmo.survey.change.from_to import classes_after, pure_cells
from qianmo.survey.change.lights import Question, shipped_tree, with_thresholds
from qianmo.survey.change.signals import band_indices, parcel_signals

__all__ = ["Land", "Parcels", "after_classes", "land_of", "parcels_of", "patch_shapes", "signals_of", "tree_of", "words"]


_STRIP_ROWS = 512
"""Rows of the images that are in memory at once."""


@dataclass(frozen=True)
class Parcels:
    """Land-use patches in the system of the images (地类图斑); `group` is the first-level group of each patch (farmland, garden …)."""

    frame: gpd.GeoDataFrame
    group: np.ndarray
    farmland: np.ndarray


@dataclass(frozen=True)
class Land(Parcels):
    """Land-use patches with their exact shares of cells (地类图斑与像元份额)."""

    fractions: Fractions


def land_of(project: Project | None, images: Images) -> Land | None:
    """The land-use patches that meet the images; None where the project has none.

    Raises
    ------
    MissingDataError
        No patch lies on the images.
    CodeError
        Land classes without first-level groups.
    """
    parcels = parcels_of(project, images)
    if parcels is None:
        return None
    fractions = cell_fractions(parcels.frame.geometry.to_numpy(), images.bands[0].transform, images.shape)
    if not len(fractions.cell):
        raise MissingDataError("影像与项目的地类图斑没有重叠", expected="同一地区", cure="核对影像坐标系与项目位置")
    return Land(parcels.frame, parcels.group, parcels.farmland, fractions)


def parcels_of(project: Project | None, images: Images) -> Parcels | None:
    """The land-use patches in the system of the images, whether they meet them or not; None where the project has none (地类图斑).

    Raises
    ------
    CodeError
        Land classes without first-level groups.
    """
    datasets = read_catalog(project.state) if project is not None else {}
    if project is None or "landuse_patch" not in datasets:
        return None
    frame = read_frame(project.state / "layers" / "landuse_patch.parquet")
    shapes = transform(frame.geometry.to_numpy(), pyproj.CRS(frame.crs), images.crs)
    scheme = datasets["landuse_patch"].class_scheme
    drawn = gpd.GeoDataFrame(frame.drop(columns=frame.geometry.name), geometry=shapes, crs=images.crs)
    return Parcels(drawn, group(frame["class_code"], scheme=scheme), farmland(frame, scheme=scheme))


def after_classes(land: Land, images: Images, changed: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]] | None:
    """Group of every changed cell after the change, taught by unchanged cells of the land-use layer; None where too few teach."""
    names = sorted({str(g) for g in land.group if g})
    number = {g: k for k, g in enumerate(names)}
    codes = np.array([number.get(str(g), -1) for g in land.group], dtype=np.int64)
    known = pure_cells(land.fractions, codes, least=parameter("change_pure_cell_share"))
    try:
        found, chance = classes_after(images.planes(), np.where(changed, -1, known), changed)
    except MissingDataError:
        return None
    return found, chance, names


def signals_of(land: Land, before: Images, after: Images, bands: Sequence[str], *, changed: np.ndarray, seen: np.ndarray, chance: np.ndarray) -> pd.DataFrame:
    """Signals of every patch that meets the images, with its id, class and village.

    Raises
    ------
    SchemaError
        Band names that do not fit the images.
    """
    layers = [_indices(images, bands) if bands else {} for images in (before, after)]
    frame = land.frame
    area, cells = frame["area_m2"].to_numpy(), shapely.area(frame.geometry.to_numpy()) / before.cell_m2
    table = parcel_signals(land.fractions, changed=changed, seen=seen, chance=chance, cells=cells, area_m2=area, before=layers[0], after=layers[1])
    ids = {k: frame[k].astype(str).to_numpy() if k in frame else "" for k in ("patch_id", "class_code", "village_code")}
    whole = pd.DataFrame(ids | {"area_m2": area, "farmland": land.farmland}).join(table)
    return whole[np.diff(land.fractions.start) > 0]


def _indices(images: Images, bands: Sequence[str]) -> dict[str, np.ndarray]:
    """Indices of the scene, strip by strip: only the indices are held in memory."""
    if len(bands) != len(images.bands):
        raise SchemaError(f"--bands 给出 {len(bands)} 个波段名, 影像有 {len(images.bands)} 个波段", expected="每个波段一个名称, 不用的留空")
    most = parameter("change_sample_cells")
    typical = {b: float(np.nanmedian(sample(plane, most))) for b, plane in zip(bands, images.planes()) if b}
    out: dict[str, np.ndarray] = {}
    for top in range(0, images.shape[0], _STRIP_ROWS):
        rows = slice(top, min(top + _STRIP_ROWS, images.shape[0]))
        for name, values in band_indices(images.part(rows, slice(None)), bands, typical=typical).items():
            out.setdefault(name, np.full(images.shape, np.nan, dtype=np.float32))[rows] = values
    return out


def tree_of(path: str | None) -> tuple[Question, ...]:
    """The tree with the thresholds of a file: TOML with ``[thresholds]``, or CSV with the columns node, threshold.

    Raises
    ------
    MissingDataError
        No such file.
    SchemaError
        The file is not of this form; the line is named.
    RuleError
        An unknown node or a threshold that is no number.
    """
    tree = shipped_tree()
    if not path:
        return tree
    file = Path(path)
    if file.suffix.lower() == ".csv":
        return with_thresholds(tree, _from_csv(file))
    told = read_toml(file)
    section = told.get("thresholds")
    if not isinstance(section, Mapping) or set(told) != {"thresholds"}:
        raise SchemaError(f"{file.name} 的内容为 {', '.join(map(str, told)) or '空'}", expected="一节 [thresholds], 每行 节点 = 数字", cure='例如: [thresholds] 下写 growing = 0.45')
    return with_thresholds(tree, dict(section))


def _from_csv(file: Path) -> dict[str, float]:
    if not file.is_file():
        raise MissingDataError(f"没有文件 {file}", expected="阈值文件", cure="核对路径")
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise SchemaError(f"{file.name} 不是 UTF-8", expected="UTF-8 编码的 CSV", cure="另存为 CSV UTF-8") from None
    if not lines or [c.strip() for c in lines[0].split(",")] != ["node", "threshold"]:
        raise SchemaError(f"{file.name} 第 1 行", expected="表头 node,threshold")
    found: dict[str, float] = {}
    for k, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        cells = [c.strip() for c in line.split(",")]
        try:
            node, value = cells[0], float(cells[1])
        except (IndexError, ValueError):
            raise SchemaError(f"{file.name} 第 {k} 行 {line!r}", expected="节点,数字") from None
        if len(cells) != 2 or node in found:
            raise SchemaError(f"{file.name} 第 {k} 行 {line!r}", expected="两列, 每个节点一行")
        found[node] = value
    return found


def words(kind: str) -> dict[str, str]:
    """Words for lights, candidates or signals by code (用语)."""
    return {r["code"]: r["zh"] for r in shipped_rows("codes", "change_words") if r["kind"] == kind}


def patch_shapes(shapes: np.ndarray, label: np.ndarray, count: int) -> np.ndarray:
    """One geometry a patch from its parts that touch at corners at most (合并图斑部件)."""
    order = np.argsort(label, kind="stable")
    parts = np.split(shapes[order], np.searchsorted(label[order], np.arange(2, count + 1)))
    return np.array([p[0] if len(p) == 1 else shapely.multipolygons(p) for p in parts], dtype=object)
