"""The map sheets of an implementation plan (实施方案图件)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from qianmo.reports import map_plan_sheets as planned
from qianmo.reports import map_source_sheets as present
from qianmo.reports.map_sheet import PAPERS, map_sheet
from qianmo.reports.map_style import MapLayer
from qianmo.reports.map_subject import Sheet, Subject, subject
from qianmo.reports.marks import Synthetic, marked
from qianmo.schema.book import BookMap

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd


__all__ = ["MapLayer", "map_sheet", "maps_for"]


def maps_for(
    layers: Mapping[str, gpd.GeoDataFrame], plan: pd.DataFrame | None, *, project_name: str, crs_text: str, date: str, vintage: str,
    office: str = "", synthetic: Synthetic = (), options: pd.DataFrame | None = None, swaps_basic_farmland: bool | None = None,
    scheme: str = "SD3", size: str = "A3", dpi: int = 150,
) -> list[BookMap]:
    """The ten sheets of an implementation plan, and the slope sheet where the data carry slope (附图).

    A sheet whose data are missing is made all the same and says so in large words.

    Parameters
    ----------
    layers : mapping of table name to GeoDataFrame
        ``landuse_patch``, ``village``, ``project_area``, the three lines; also ``basic_farmland_out`` and ``_in``.
        One metric CRS. [m]
    plan : DataFrame, table ``plan_parcel``, optional
        With or without geometry.
    synthetic : mapping of dataset name to label, or labels
        Invented inputs. Sheets of the plan carry all, other sheets those they show.
    options : DataFrame, table ``measure_option``, optional
        For the sheet of potential.
    swaps_basic_farmland : bool, optional
        False when permanent basic farmland is known to stay as it is; None when nobody said.

    Returns
    -------
    list of BookMap
        In the order 区位 现状 三区三线 潜力 分区 子项目 永农 规划 权属 时序 (坡度), all at one scale.
    """
    on = subject(layers, plan, options=options, swaps=swaps_basic_farmland, scheme=scheme)
    extent, paper = on.extent(), PAPERS[size]
    made = []
    for sheet in _sheets(on):
        marks = marked(synthetic, (*sheet.uses, "helmert"))  # a borrowed datum shift moves whatever is drawn
        png = map_sheet(
            sheet.layers, title=f"{project_name}　{sheet.title}", crs_text=crs_text, date=date, vintage=vintage, office=office, synthetic=marks,
            remarks=sheet.remarks, statement=sheet.statement, extent=extent, size=size, dpi=dpi, grid=sheet.grid,
        )  # fmt: skip
        note = sheet.statement or " ".join(sheet.remarks)
        made.append(BookMap(sheet.key, sheet.title, png, note, marks, (paper.width, paper.height)))
    return made


def _sheets(on: Subject) -> list[Sheet]:
    slope = present.slope_sheet(on)
    return [
        present.location_sheet(on), present.present_sheet(on), present.three_lines_sheet(on), present.potential_sheet(on),
        planned.zoning_sheet(on), planned.subproject_sheet(on), planned.basic_farmland_sheet(on), planned.target_sheet(on),
        planned.tenure_sheet(on), planned.sequence_sheet(on), *([slope] if slope else []),
    ]  # fmt: skip
