"""Faults of input rows gathered into one error (输入错误汇总)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyproj

from qianmo.schema.errors import CrsError, SchemaError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Faults"]

_SHOWN = 8


class Faults:
    """Gathers what is wrong; `stop` raises it all at once (错误清单)."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def columns(self, table: str, frame: pd.DataFrame, wanted: tuple[str, ...]) -> None:
        """Note columns that a table lacks."""
        missing = [c for c in wanted if c not in frame.columns]
        if missing:
            self.found.append(f"{table} 缺少列 {', '.join(missing)}")

    def rows(self, what: str, names: np.ndarray, wrong: np.ndarray) -> None:
        """Note the rows for which `wrong` is true, by name."""
        at = np.flatnonzero(wrong)
        if len(at):
            more = f" 等 {len(at)} 行" if len(at) > _SHOWN else ""
            self.found.append(f"{what}: {', '.join(str(names[i]) for i in at[:_SHOWN])}{more}")

    def crs(self, crs: object) -> None:
        """Raise at once unless the system is projected.

        Raises
        ------
        CrsError
            None, or in degrees.
        """
        if crs is None or not pyproj.CRS(crs).is_projected:
            raise CrsError(f"地块坐标系为 {crs or '无'}", expected="a projected CRS in metres", cure="先投影到项目坐标系")

    def stop(self) -> None:
        """Raise if anything was noted.

        Raises
        ------
        SchemaError
            All that was found, in one message.
        """
        if self.found:
            raise SchemaError("; ".join(self.found), expected="地块与权利人名单完整一致", cure="按所列行更正后重新运行")
