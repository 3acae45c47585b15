"""Rasters come out of the reading process cell for cell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from affine import Affine

from qianmo.store.guard_limits import default_limits
from qianmo.store.raw import RawGrid
from qianmo.store.read_raster import read_grids
from qianmo.store.sources import list_sources

LIMITS = default_limits()
PLACE = Affine(30, 0, 39444018.9, 0, -30, 2842985.8)


def _read(path: Path) -> list[RawGrid]:
    source = list_sources([path], workdir=path.parent, limits=LIMITS).sources[0]
    return read_grids(source, workdir=path.parent, limits=LIMITS)


def test_cells_place_and_nodata_are_kept(tmp_path: Path, rng: np.random.Generator) -> None:
    cells = rng.normal(300, 50, (40, 60)).astype("float32")
    cells[0, 0] = -9999
    with rasterio.open(
        tmp_path / "dem.tif",
        "w",
        driver="GTiff",
        height=40,
        width=60,
        count=1,
        dtype="float32",
        crs=4527,
        transform=PLACE,
        nodata=-9999,
        tiled=True,
        blockxsize=16,
        blockysize=16,
        compress="deflate",
    ) as out:
        out.write(cells, 1)
    grid = _read(tmp_path / "dem.tif")[0]
    assert grid.values.dtype == np.float32
    assert (grid.values == cells).all()
    assert grid.transform == PLACE
    assert grid.nodata == -9999
    assert "4527" in str(grid.crs_wkt)
    assert grid.name == "dem"


def test_each_band_is_a_grid_of_its_own(tmp_path: Path) -> None:
    bands = np.stack([np.full((3, 4), k, dtype="int16") for k in (1, 2, 3)])
    with rasterio.open(
        tmp_path / "a.tif", "w", driver="GTiff", height=3, width=4, count=3, dtype="int16", crs=4527, transform=PLACE
    ) as out:
        out.write(bands)
    grids = _read(tmp_path / "a.tif")
    assert [g.name for g in grids] == ["a_1", "a_2", "a_3"]
    assert [int(g.values.max()) for g in grids] == [1, 2, 3]
    assert {g.n_bands for g in grids} == {3}


def test_the_example_of_the_repository_is_read(repo: Path, tmp_path: Path) -> None:
    folder = repo / "examples" / "youwuzhen" / "spatial"
    listing = list_sources([folder / "ywzdem30m.tif"], workdir=tmp_path, limits=LIMITS)
    grid = read_grids(listing.sources[0], workdir=tmp_path, limits=LIMITS)[0]
    with rasterio.open(folder / "ywzdem30m.tif") as opened:
        assert (grid.values == opened.read(1)).all()
        assert grid.transform == opened.transform
