"""Tables without shapes that the user hands to a job: one guarded reader for all (普通表格读取)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from qianmo.jobs.ingest.read import read_recipe
from qianmo.jobs.recipe import Recipe, SourceRecipe
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.store.guard import Consent
from qianmo.store.guard_limits import default_limits
from qianmo.store.raw import RawLayer
from qianmo.store.scratch import scratch_folder

__all__ = ["plain_frame", "plain_layers", "plain_table"]


def plain_layers(paths: Sequence[str | Path]) -> list[tuple[RawLayer, str]]:
    """Layers of CSV files, workbooks or layer files through the guarded reader, each with the SHA-256 of its file (读取表格).

    Raises
    ------
    UnsafeInputError, EncodingError, ChoiceNeededError
        As for `read_recipe`.
    """
    with scratch_folder() as workdir:
        reads = read_recipe(Recipe(tuple(SourceRecipe(Path(p)) for p in paths)), workdir=workdir, limits=default_limits(), consent=Consent(plain_tables=True))
        return [(layer, read.reading.source.sha256) for read in reads for layer in read.reading.layers]


def plain_frame(layer: RawLayer) -> pd.DataFrame:
    """The columns of a layer without its shapes (去掉图形的表)."""
    return pd.DataFrame(layer.frame).drop(columns="geometry", errors="ignore")


def plain_table(path: str | Path, *, needed: Sequence[str], optional: str = "", meaning: str) -> pd.DataFrame:
    """The first table of a CSV file or workbook, its columns in lower case (读取一张表).

    Parameters
    ----------
    needed : sequence of str
        Columns that must be there.
    optional : str
        What else may be there, for the message.
    meaning : str
        What the columns hold, for the message.

    Raises
    ------
    SchemaError
        A needed column is missing.
    MissingDataError
        The file holds no table.
    UnsafeInputError, EncodingError, ChoiceNeededError
        As for `read_recipe`.
    """
    layers = plain_layers([path])
    expected = ", ".join(needed) + optional
    if not layers:
        raise MissingDataError(f"{path}: 没有表格", expected=expected)
    table = plain_frame(layers[0][0])
    table.columns = [str(c).strip().lower() for c in table.columns]
    lost = [c for c in needed if c not in table]
    if lost:
        raise SchemaError(f"{path}: 缺列 {', '.join(lost)}", expected=expected, cure=f"补上这些列: {meaning}")
    return table
