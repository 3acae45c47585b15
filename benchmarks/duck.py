"""DuckDB with its spatial extension, loaded from the installed wheel without network."""

from __future__ import annotations

from pathlib import Path

import duckdb
import geopandas as gpd
import pyarrow as pa

__all__ = ["connect", "has_spatial", "register"]


def has_spatial() -> bool:
    """True where the extension wheel for this DuckDB is installed."""
    return _extension() is not None


def connect() -> duckdb.DuckDBPyConnection:
    """A connection with the spatial extension and no way out."""
    found = _extension()
    if found is None:
        raise FileNotFoundError(f"duckdb-extension-spatial for DuckDB {duckdb.__version__} is not installed")
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
    connection.execute(f"LOAD '{found}'")
    return connection


def register(connection: duckdb.DuckDBPyConnection, name: str, frame: gpd.GeoDataFrame) -> None:
    """A table of row number and geometry."""
    table = pa.table({"id": pa.array(range(len(frame)), pa.int32()), "wkb": pa.array(frame.geometry.to_wkb(), pa.binary())})
    connection.register(f"{name}_wkb", table)
    connection.execute(f"CREATE TABLE {name} AS SELECT id, ST_GeomFromWKB(wkb) AS geom FROM {name}_wkb")


def _extension() -> Path | None:
    try:
        import duckdb_extension_spatial
    except ImportError:
        return None
    folder = Path(duckdb_extension_spatial.__file__).parent / "extensions" / f"v{duckdb.__version__}"
    found = folder / "spatial.duckdb_extension"
    return found if found.exists() else None
