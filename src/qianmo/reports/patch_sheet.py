"""Map sheets of patches by one word each: carbon, quality, suitability (图斑专题图)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from qianmo.reports.map_sheet import PAPERS, map_sheet
from qianmo.reports.map_style import Classes, MapLayer, symbol, symbols
from qianmo.reports.marks import Synthetic, marked
from qianmo.schema.book import BookMap

__all__ = ["Cover", "carbon_maps", "coded_sheet", "patch_sheet", "quality_maps", "suitability_maps"]

_SIZE = "A3"
_USES = ("landuse_patch", "landuse_patch_columns", "village", "helmert")
_DENSITY = (0.0, 50.0, 95.0, 105.0, 150.0, 250.0)
_CHANGE = ((-np.inf, "loss2"), (-20.0, "loss1"), (-1.0 + 1e-9, "none"), (1.0, "gain1"), (20.0, "gain2"))


@dataclass(frozen=True)
class Cover:
    """What every sheet of a project says outside its frame (图廓注记)."""

    project_name: str
    crs_text: str
    date: str
    vintage: str
    office: str = ""
    synthetic: Synthetic = ()


def patch_sheet(
    patches: gpd.GeoDataFrame, codes: np.ndarray, villages: gpd.GeoDataFrame | None, cover: Cover, *, key: str, title: str, group: str,
    remarks: Sequence[str] = (), uses: Sequence[str] = (), dpi: int = 150,
) -> BookMap:  # fmt: skip
    """Patches filled by a code each, under the borders of the villages (图斑专题图).

    Parameters
    ----------
    patches : GeoDataFrame, n rows
        Metric CRS. [m]
    codes : (n,) text
        Codes of the `group` of ``codes/map_styles.csv``; the legend lists those that occur.
    villages : GeoDataFrame, table ``village``, optional
    uses : sequence of str
        Datasets beyond the patches and villages that the figures rest on, for the mark of invented data.

    Returns
    -------
    BookMap
        A3.
    """
    frame = gpd.GeoDataFrame({"code": np.asarray(codes, object)}, geometry=patches.geometry.to_numpy(), crs=patches.crs)
    present = set(frame["code"].astype(str))
    layers = [MapLayer(frame, Classes("code", {code: s for code, s in symbols(group).items() if code in present}))]
    if villages is not None and len(villages):
        layers.append(MapLayer(villages, symbol("layer", "village"), labels="village_name"))
    marks = marked(cover.synthetic, (*_USES, *uses))
    png = map_sheet(layers, title=f"{cover.project_name}　{title}", crs_text=cover.crs_text, date=cover.date, vintage=cover.vintage, office=cover.office,
                    synthetic=marks, remarks=remarks, size=_SIZE, dpi=dpi)  # fmt: skip
    paper = PAPERS[_SIZE]
    return BookMap(key, title, png, " ".join(remarks), marks, (paper.width, paper.height))


def coded_sheet(
    patches: gpd.GeoDataFrame, codes: pd.Series, villages: gpd.GeoDataFrame | None, cover: Cover, *, key: str, title: str, group: str, otherwise: str,
    remarks: Sequence[str] = (), uses: Sequence[str] = (),
) -> BookMap:  # fmt: skip
    """A patch sheet from codes of some patches; the others take the code `otherwise` (图斑专题图).

    Parameters
    ----------
    codes : Series, index patch_id
        Codes of the `group` of ``codes/map_styles.csv``.
    """
    full = codes.reindex(patches["patch_id"].to_numpy(object)).fillna(otherwise).to_numpy(object)
    return patch_sheet(patches, full, villages, cover, key=key, title=title, group=group, remarks=remarks, uses=uses)


def carbon_maps(patches: gpd.GeoDataFrame, carbon: pd.DataFrame, villages: gpd.GeoDataFrame | None, cover: Cover) -> list[BookMap]:
    """Sheets of the carbon density, and of its change where there is a plan (碳密度图).

    Parameters
    ----------
    carbon : DataFrame, table ``carbon_patch``
        In the order of the patches.
    """
    area = carbon["area_ha"].to_numpy(float)
    remarks = ("碳密度为通用取值（置信度低），属筛查性估算。", "含生物量、1 米深土壤和枯落物；一年生作物地上部分不计。")
    density = carbon["stock_t"].to_numpy(float) / area
    made = [patch_sheet(patches, _binned(density, [(v, f"{v:g}") for v in _DENSITY]), villages, cover, key="carbon", title="碳密度分布图", group="carbon", remarks=remarks)]
    if carbon["change_t"].notna().any():
        moved = carbon["change_t"].to_numpy(float) / area
        words = (*remarks[:1], "各库达到新的平衡之后与现状之差。")
        made.append(patch_sheet(patches, _binned(moved, _CHANGE), villages, cover, key="carbon_change", title="方案碳密度变化图", group="carbon_change", remarks=words, uses=("*",)))
    return made


def quality_maps(patches: gpd.GeoDataFrame, quality: pd.DataFrame, villages: gpd.GeoDataFrame | None, cover: Cover) -> list[BookMap]:
    """Sheets of the farmland grade before and, with a plan, after (耕地质量等级图).

    Parameters
    ----------
    quality : DataFrame, table ``quality_patch``
    """
    remarks = ("等级1至10，1等最好；指标与权重为编制参数，非部颁等级。",)
    places = pd.Series(np.arange(len(patches)), index=patches["patch_id"].to_numpy(object))[quality["patch_id"].to_numpy(object)].to_numpy()
    made = []
    for key, title, grade, known in (("quality", "耕地质量等级图", "grade", "known_weight"), ("quality_after", "整治后耕地质量等级图", "grade_after", "index_after")):
        if not quality[grade].notna().any():
            continue
        codes = np.full(len(patches), "off", object)
        here = quality[known].notna().to_numpy()
        codes[places[here]] = [f"{g:g}" if g == g else "unknown" for g in quality[grade].to_numpy(float)[here]]
        made.append(patch_sheet(patches, codes, villages, cover, key=key, title=title, group="quality_grade", remarks=remarks, uses=("*",) if key == "quality_after" else ("soil", "soil_type", "dem")))
    return made


def suitability_maps(patches: gpd.GeoDataFrame, suit: pd.DataFrame, villages: gpd.GeoDataFrame | None, cover: Cover) -> list[BookMap]:
    """One sheet a use (适宜性评价图).

    Parameters
    ----------
    suit : DataFrame, table ``suitability_patch``
        Every patch once a use.
    """
    made = []
    for use, part in suit.groupby("use", sort=False):
        codes = part.set_index("patch_id")["class"].reindex(patches["patch_id"].to_numpy(object)).fillna("unknown").to_numpy(object)
        title = f"{part['use_zh'].iloc[0]}适宜性评价图"
        made.append(patch_sheet(patches, codes, villages, cover, key=f"suitability_{use}", title=title, group="suitability",
                                remarks=("准则与权重为编制参数；有一项禁止条件即为禁止。",), uses=("*",)))  # fmt: skip
    return made


def _binned(values: np.ndarray, steps: Sequence[tuple[float, str]]) -> np.ndarray:
    """Code of the highest step that a value reaches; ``unknown`` for nan."""
    lower, names = np.array([s for s, _ in steps]), np.array([n for _, n in steps], object)
    place = np.searchsorted(lower, values, side="right") - 1
    return np.where(np.isfinite(values), names[np.clip(place, 0, len(names) - 1)], "unknown")
