"""Layers of a project kept ready for questions from the map (图层缓存)."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from qianmo.geo.area import ellipsoid_area
from qianmo.geo.crs import CGCS2000, transform
from qianmo.geo.tile_rings import TileField, TileRings, joined_rings, mercator, tile_rings
from qianmo.jobs.queries.catalogue import CatalogueEntry, catalogue
from qianmo.jobs.queries.made_from import Origins, origins
from qianmo.jobs.queries.substrings import Substrings
from qianmo.jobs.queries.tile_memory import TileMemory
from qianmo.schema.dataset import Dataset
from qianmo.schema.errors import CrsError, MissingDataError, QianmoError
from qianmo.schema.tables import table_names, table_spec
from qianmo.store.columns import (
    LayerOutline,
    distinct_values,
    file_stamp,
    read_columns,
    read_outline,
    release_memory,
    steady_memory,
)
from qianmo.store.project import Project, open_generation, open_project

__all__ = ["MERCATOR", "LayerHead", "MapLayers", "ShownLayer", "release_memory", "steady_memory"]

MERCATOR = 3857
"""EPSG code of the web map."""

_REGION_COLUMNS = ("village_code", "location_code", "collective_code")
"""Columns that say in which administrative unit a row lies, the surest first."""

_CHUNK = 20_000

_TILES_BYTES = 32 << 20
"""Tiles of a project that are kept in memory. [bytes]"""


@dataclass(frozen=True, eq=False)
class LayerHead:
    """One layer as its file's head tells, enough for a legend and a frame (图层概况)."""

    dataset: Dataset
    path: Path
    outline: LayerOutline
    made: dict[Any, Any] = field(default_factory=dict)

    @property
    def kind(self) -> int:
        """1 points, 2 lines, 3 polygons; the last where the file does not say."""
        names = {k.removeprefix("Multi") for k in self.outline.kinds}
        return 1 if names == {"Point"} else 2 if names == {"LineString"} else 3

    def values(self, column: str) -> tuple[str, ...]:
        """Texts that occur in a column, sorted."""
        return _kept(self.made, column, lambda: distinct_values(self.path, column))


@dataclass(frozen=True, eq=False)
class ShownLayer:
    """One layer ready for tiles, identify, search and overlay (可显示图层).

    `box` holds x0, y0, x1, y1 of every row in the CRS of the project [m or degree]; `made` keeps what was derived from it; `reading` is
    another object for each reading of a file; `area_m2` holds
    the ellipsoidal area of every row of polygons, stored or computed while reading, None where it is not known. [m2]
    """

    head: LayerHead
    table: pa.Table
    rings: TileRings
    box: np.ndarray
    made: dict[Any, Any] = field(default_factory=dict)
    reading: object = field(default_factory=object)
    area_m2: np.ndarray | None = None

    @property
    def dataset(self) -> Dataset:
        """What the layer is and where it came from."""
        return self.head.dataset

    @property
    def key_column(self) -> str:
        """The column that names a row; '' where there is none."""
        names = self.table.column_names
        spec = table_spec(self.dataset.kind).columns if self.dataset.kind in table_names() else ()
        return next((c.name for c in spec if c.name in names and c.type == "text"), "")

    def geometry(self, rows: np.ndarray) -> np.ndarray:
        """Geometries of some rows in the CRS of the project."""
        found = self.table.column("geometry").take(pa.array(rows)).combine_chunks()
        return np.asarray(shapely.from_wkb(found.to_numpy(zero_copy_only=False)), dtype=object).reshape(-1)

    def coded(self, column: str) -> TileField:
        """A column as codes and texts; rows without a value have ''."""
        return _kept(self.made, ("coded", column), lambda: _coded(self.table.column(column)))

    def texts(self, column: str) -> Substrings:
        """The texts of a coded column, ready to be searched (列文本索引)."""
        return _kept(self.made, ("texts", column), lambda: Substrings.of(self.coded(column).values))

    def in_region(self, region: str) -> np.ndarray | None:
        """Which rows lie in an administrative unit, by the first digits of its code; None where the layer does not say."""
        column = next((c for c in _REGION_COLUMNS if c in self.table.column_names), "")
        if not column:
            return None
        return _kept(self.made, ("region", region), lambda: _starting(self.coded(column), region))


class MapLayers:
    """The layers of one project; each is read when first asked for, and again after it has changed (项目图层).

    Layers are kept by the file they came from, so a change of one layer leaves the others ready.
    """

    def __init__(self, folder: Path, *, generation: int = 0, beside: MapLayers | None = None) -> None:
        """Layers of the current state, or of a kept `generation`; files it shares with `beside` are taken from there."""
        self.folder = Path(folder)
        self.generation = generation
        self._beside = beside
        self._held: tuple[Any, tuple[Project, tuple[CatalogueEntry, ...]]] | None = None
        self._origins: tuple[Any, Origins] | None = None
        self._heads: dict[str, tuple[tuple[int, int, int], LayerHead]] = {}
        self._ready: dict[str, tuple[tuple[int, int, int], ShownLayer]] = {}
        self.tiles: TileMemory = beside.tiles if beside is not None else TileMemory(_TILES_BYTES)
        self._used: dict[str, float] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def project(self) -> Project:
        """The project in its current state."""
        return self._state()[0]

    def entries(self) -> tuple[CatalogueEntry, ...]:
        """The catalogue of the current state."""
        return self._state()[1]

    def origins(self) -> Origins:
        """What the datasets of the current state were made from."""
        entries, held = self.entries(), self._origins
        if held is None or held[0] is not entries:
            held = self._origins = (entries, origins(entries))
        return held[1]

    def _state(self) -> tuple[Project, tuple[CatalogueEntry, ...]]:
        """Project and catalogue, read again only where the pointer or the settings have changed."""
        stamps = tuple(_stamp(self.folder / name) for name in ("current", "project.toml")) if not self.generation else ()
        if self._held is None or self._held[0] != stamps:
            project = open_generation(self.folder, self.generation) if self.generation else open_project(self.folder)
            self._held = (stamps, (project, catalogue(project)))
        return self._held[1]

    def version(self, name: str) -> str:
        """A short word that changes when the layer changes (图层版本); of an older state it begins with its number and ``~``."""
        inode, moment, size = file_stamp(self.project().state / "layers" / f"{name}.parquet")
        return f"{f'{self.generation}~' if self.generation else ''}{inode:x}-{moment & 0xFFFFFFFFFF:x}-{size:x}"

    def head(self, name: str) -> LayerHead:
        """The head of one drawn layer of the current state, without its rows.

        Raises
        ------
        MissingDataError
            The project has no such layer, or it cannot be drawn.
        """
        project, entries = self._state()
        entry = next((e for e in entries if e.name == name), None)
        if entry is None or not entry.is_drawn:
            raise MissingDataError(f"no layer {name!r} on the map", expected="a drawn layer of the project", cure="choose a layer of the catalogue")
        path = project.state / "layers" / f"{name}.parquet"
        stamp = file_stamp(path)
        held = self._heads.get(name)
        if held is None or held[0] != stamp:
            held = (stamp, LayerHead(entry.dataset, path, read_outline(path)))
            self._heads[name] = held
        return held[1]

    def has_same(self, name: str, stamp: tuple[int, int, int]) -> bool:
        """Whether a layer here is the file with that stamp (是否同一文件)."""
        try:
            self.head(name)
        except MissingDataError:
            return False
        return self._heads[name][0] == stamp

    def warm(self, names: Sequence[str]) -> threading.Thread:
        """Read layers one after the other in a thread of their own, so that the first question finds them ready (预热)."""

        def read() -> None:
            importlib.import_module("qianmo.geo.vector_tile")
            for name in names:
                with suppress(QianmoError):  # whoever asks for the layer is told
                    self.layer(name)

        thread = threading.Thread(target=read, name="qianmo-warm", daemon=True)
        thread.start()
        return thread

    def layer(self, name: str) -> ShownLayer:
        """One drawn layer of the current state with all it holds.

        Raises
        ------
        MissingDataError
            The project has no such layer, or it cannot be drawn.
        """
        head = self.head(name)
        stamp = self._heads[name][0]
        if self._beside is not None and self._beside.has_same(name, stamp):
            return self._beside.layer(name)
        with self._lock:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            held = self._ready.get(name)
            if held is None or held[0] != stamp:
                held = (stamp, _shown(head))
                self._ready[name] = held
            self._used[name] = time.monotonic()
            return held[1]

    def let_go(self, idle_s: float) -> int:
        """Let layers go that nobody asked for so long, and say how many (释放闲置图层); the next question reads them again.

        Parameters
        ----------
        idle_s : float
            0 lets all of them go. [s]
        """
        idle = [name for name in list(self._ready) if time.monotonic() - self._used.get(name, 0.0) >= idle_s]
        for name in idle:
            with self._locks.setdefault(name, threading.Lock()):
                if time.monotonic() - self._used.get(name, 0.0) >= idle_s:
                    self._ready.pop(name, None)
        if idle and not self._ready:
            self.tiles.clear()
        return len(idle)


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size


def _shown(head: LayerHead) -> ShownLayer:
    dataset = head.dataset
    if not dataset.crs:
        raise CrsError(f"layer {dataset.name} has no CRS", expected="a CRS", cure="ingest it again with --crs")
    table = read_columns(head.path)
    wkb = table.column("geometry").combine_chunks()
    area = table.column("ellipsoid_area_m2").to_numpy() if "ellipsoid_area_m2" in table.column_names else None
    parts, boxes, areas = [], [], []
    for first in range(0, max(len(wkb), 1), _CHUNK):
        geoms = np.asarray(shapely.from_wkb(wkb.slice(first, _CHUNK).to_numpy(zero_copy_only=False)), dtype=object).reshape(-1)
        boxes.append(shapely.bounds(geoms).reshape(-1, 4))
        lonlat = transform(geoms, dataset.crs, CGCS2000)
        if area is None and head.kind == 3:
            areas.append(ellipsoid_area(lonlat))
        parts.append(tile_rings(shapely.transform(lonlat, mercator)))
        del geoms, lonlat
    shown = ShownLayer(head, table, joined_rings(parts), np.concatenate(boxes).T.copy(), area_m2=np.concatenate(areas) if areas else area)
    parts.clear()
    release_memory()
    return shown


def _coded(column: pa.ChunkedArray) -> TileField:
    if not pa.types.is_dictionary(column.type):
        column = pc.dictionary_encode(pc.cast(column, pa.string()))
    array = column.combine_chunks()
    values = ["", *[str(v) for v in array.dictionary.to_pylist()]]
    codes = pc.fill_null(pc.cast(array.indices, pa.int32()), -1).to_numpy(zero_copy_only=False) + 1
    return TileField(codes, values)


def _starting(coded: TileField, region: str) -> np.ndarray:
    return np.array([v.startswith(region) for v in coded.values])[coded.codes]


def _kept(made: dict[Any, Any], key: Any, make: Callable[[], Any]) -> Any:
    if key not in made:
        made[key] = make()
    return made[key]
