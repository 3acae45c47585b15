"""GeoParquet and Parquet files for analysis (分析数据)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
from geopandas.array import GeometryDtype

from qianmo.schema.errors import MissingDataError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["flat_table", "read_frame", "write_frame"]


def write_frame(path: Path, frame: pd.DataFrame) -> None:
    """Write a table, with geometry where it has one. An old file is unlinked first: it may be shared with an older state."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if isinstance(frame, gpd.GeoDataFrame):
        frame.to_parquet(path, compression="zstd", index=False)
    else:
        frame.to_parquet(path, compression="zstd", index=False)


def flat_table(frame: pd.DataFrame) -> pd.DataFrame:
    """A table without drawings, whose mixed columns are text: what Parquet can hold."""
    drawn = [c for c in frame.columns if isinstance(frame[c].dtype, GeometryDtype)]
    out = pd.DataFrame(frame.drop(columns=drawn))
    for name in out.columns:
        if out[name].dtype == object and len({type(v) for v in out[name].dropna()}) > 1:
            out[name] = out[name].map(str, na_action="ignore")
    return out


def read_frame(path: Path, *, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a table written by `write_frame`.

    Raises
    ------
    MissingDataError
        The file is not there.
    """
    if not path.is_file():
        raise MissingDataError(f"no table {path.stem} in the project", cure="run the job that makes it first")
    if path.parent.name == "layers":
        return gpd.read_parquet(path, columns=columns)
    return pd.read_parquet(path, columns=columns)
