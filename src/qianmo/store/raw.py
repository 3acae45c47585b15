"""What comes out of a file before anything is decided: sources, raw layers, raw grids, notes (原始数据记录)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import affine
    import geopandas as gpd
    import numpy as np
    import pandas as pd

    from qianmo.schema.errors import QianmoError

__all__ = ["DRIVERS", "Note", "RawGrid", "RawLayer", "Reading", "Source", "note_of"]

DRIVERS = ("ESRI Shapefile", "OpenFileGDB", "GPKG", "GeoJSON", "LIBKML", "DXF", "CSV", "XLSX", "BoundaryText", "GTiff")
"""Formats that may come in. Nothing else is ever opened."""


@dataclass(frozen=True)
class Note:
    """One remark on a source or a layer (读入备注): words ready for a row of the fault table.

    `kind` is a stable word ('null_geometry', 'ids_rounded', …); `severity` as in ``schema.dataset.SEVERITIES``;
    `rows` are zero-based positions in the source, at most the first twenty.
    """

    kind: str
    severity: str
    what: str
    found: str = ""
    expected: str = ""
    cure: str = ""
    rows: tuple[int, ...] = ()


def note_of(said: Mapping[str, Any]) -> Note:
    """Note from a plain mapping, each field made plain text or whole numbers again (还原备注)."""
    texts = {k: str(said.get(k, "")) for k in ("kind", "severity", "what", "found", "expected", "cure")}
    return Note(**texts, rows=tuple(int(r) for r in said.get("rows", ())))


@dataclass(frozen=True)
class Source:
    """One thing to read that passed the guard (已检来源).

    `origin` is the name to show ('资料.zip/图斑.shp'); `parts` maps role (shp, shx, dbf, main …) to file;
    `root` is the folder that bounds everything that may be read. `declared_crs_wkt` is the text of the file, unchanged.
    """

    origin: str
    driver: str
    root: Path
    parts: Mapping[str, Path]
    sha256: str
    size_bytes: int
    declared_crs_wkt: str | None = None
    declared_encoding: str | None = None
    feature_count_header: int | None = None
    notes: tuple[Note, ...] = ()

    @property
    def main(self) -> Path:
        """The file or folder that names the source."""
        return next(iter(self.parts.values()))

    @property
    def stem(self) -> str:
        """Name without folder and extension."""
        return self.main.stem


@dataclass(frozen=True)
class RawLayer:
    """One layer as read, with no reference system set and nothing repaired (原始图层).

    `frame` is a GeoDataFrame (`geometry` last, no CRS) or, where the layer has no geometry, a DataFrame.
    `field_types` maps column to the type the source declares; `field_aliases` to its second name (FileGDB 别名).
    """

    frame: gpd.GeoDataFrame | pd.DataFrame
    name: str
    driver: str
    geometry_type: str | None
    declared_crs_wkt: str | None
    declared_encoding: str | None
    encoding: str | None
    encoding_samples: tuple[bytes, ...]
    field_types: Mapping[str, str]
    field_aliases: Mapping[str, str]
    source_path: str
    sha256: str
    feature_count_header: int | None
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class RawGrid:
    """One raster band as read (原始栅格). `values` is (y, x); `transform` maps column, row to x, y."""

    values: np.ndarray
    transform: affine.Affine
    crs_wkt: str | None
    nodata: float | None
    name: str
    sha256: str
    dtype: str
    n_bands: int
    band: int
    source_path: str
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Reading:
    """Outcome of one source: its layers and grids, or the error that stopped it (读入结果)."""

    source: Source
    layers: tuple[RawLayer, ...] = ()
    grids: tuple[RawGrid, ...] = ()
    error: QianmoError | None = field(default=None)
