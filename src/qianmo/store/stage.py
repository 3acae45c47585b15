"""One change being prepared: layers, tables, grids and the catalogue of a new generation (暂存版本)."""

from __future__ import annotations

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qianmo.schema.dataset import Dataset
from qianmo.store.catalog import dataset_from_json, dataset_to_json
from qianmo.store.geopackage import drop_layer, write_catalog, write_layer
from qianmo.store.parquet import flat_table, write_frame

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from qianmo.geo.grid import Grid

__all__ = ["Stage"]

_OWN_COPY = ("onemap.gpkg", "catalog.json", "generation.json")


PROOFS = {"certificate": "proof", "swap_certificate": "swap_proof", "front": "front_proofs"}
"""Folder of the proof, or of the proofs, that goes with each certificate."""


@dataclass
class Stage:
    """The folder of a generation that is not yet current.

    It starts as a copy of the generation before: files that are never changed in place are hard links.
    """

    folder: Path
    datasets: dict[str, Dataset] = field(default_factory=dict)

    @classmethod
    def begin(cls, folder: Path, source: Path | None) -> Stage:
        """Make the staging folder, from `source` where there is one."""
        folder.mkdir()
        if source is None:
            return cls(folder)
        for path in sorted(source.rglob("*")):
            target = folder / path.relative_to(source)
            if path.is_dir():
                target.mkdir()
            elif path.name != "generation.json":
                _link_or_copy(path, target)
        return cls(folder, read_catalog(source))

    def put_layer(self, frame: gpd.GeoDataFrame, dataset: Dataset) -> None:
        """Add or replace a layer: one table of the GeoPackage and one Parquet file."""
        with ThreadPoolExecutor(max_workers=1) as pool:
            flat = pool.submit(write_frame, self.folder / "layers" / f"{dataset.name}.parquet", frame)
            write_layer(self.folder / "onemap.gpkg", frame, name=dataset.name, kind=dataset.kind, zh=dataset.zh)
            flat.result()
        self.datasets[dataset.name] = dataset

    def put_grid(self, grid: Grid, dataset: Dataset) -> None:
        """Add or replace a raster as a Cloud Optimised GeoTIFF."""
        from qianmo.store.write_raster import write_cog  # the library of rasters is large: loaded when one is written

        write_cog(self.folder / "rasters" / f"{dataset.name}.tif", grid)
        self.datasets[dataset.name] = dataset

    def put_table(self, name: str, frame: pd.DataFrame) -> None:
        """Add or replace a result table without geometry."""
        write_frame(self.folder / "tables" / f"{name}.parquet", flat_table(frame))

    def put_source_table(self, frame: pd.DataFrame, dataset: Dataset) -> None:
        """Add or replace a table without drawings that came from a source: it is listed with its lineage."""
        self.put_table(dataset.name, frame)
        self.datasets[dataset.name] = dataset

    def put_json(self, name: str, value: dict[str, Any]) -> None:
        """Add or replace a small record."""
        path = self.folder / "tables" / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")

    def remove(self, name: str) -> None:
        """Take a dataset out; silent when it is not there."""
        self.datasets.pop(name, None)
        for path in (self.folder / "layers" / f"{name}.parquet", self.folder / "rasters" / f"{name}.tif"):
            path.unlink(missing_ok=True)
        drop_layer(self.folder / "onemap.gpkg", name)

    def remove_tables(self, names: tuple[str, ...]) -> None:
        """Take result tables out: they no longer fit the layers."""
        for name in names:
            for path in (self.folder / "tables").glob(f"{name}.*"):
                path.unlink()
        for table, folder in PROOFS.items():
            if table in names:
                shutil.rmtree(self.folder / folder, ignore_errors=True)

    def clear_results(self, *, keep: tuple[str, ...] = ()) -> None:
        """Take all result tables out but those named: the layers they rest on have changed."""
        for path in (self.folder / "tables").glob("*"):
            if path.stem not in keep:
                path.unlink()
        for table, folder in PROOFS.items():
            if table not in keep:
                shutil.rmtree(self.folder / folder, ignore_errors=True)

    def finish(self) -> None:
        """Write the catalogue, here and inside the GeoPackage."""
        records = [dataset_to_json(d) for d in self.datasets.values()]
        (self.folder / "catalog.json").write_text(json.dumps(records, ensure_ascii=False, indent=1), encoding="utf-8")
        if (self.folder / "onemap.gpkg").exists():
            write_catalog(self.folder / "onemap.gpkg", records)


def read_catalog(folder: Path) -> dict[str, Dataset]:
    """Datasets of a generation by name."""
    path = folder / "catalog.json"
    if not path.is_file():
        return {}
    records = (dataset_from_json(r) for r in json.loads(path.read_text(encoding="utf-8")))
    return {d.name: d for d in records}


def _link_or_copy(source: Path, target: Path) -> None:
    if source.name in _OWN_COPY:
        shutil.copyfile(source, target)
        return
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
