"""Printed tables and map sheets of an exchange of land (权属调换附表与图件)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qianmo.geo.adjacency import shared_borders_noded
from qianmo.reports.map_sheet import map_sheet
from qianmo.reports.map_style import Classes, MapLayer, Symbol, sequence_symbols
from qianmo.schema.book import BookColumn, BookTable

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["exchange_book_tables", "exchange_map"]

_NAMED, _COLOURS = 20, 12
_INDEX_ZH = {
    "plots": "地块数", "blocks": "连片块数", "area_m2": "面积 (平方米)", "simpson": "辛普森指数 (户均)", "januszewski": "雅努谢夫斯基指数 (户均)",
    "igozurike": "伊戈祖里克指数 (户均)", "schmook": "施穆克指数 (户均)", "mean_distance_m": "平均距离 (米, 按面积加权)", "shape": "形状指数 (户均)",
}  # fmt: skip
_COLUMNS = {
    "exchange_balance": (
        ("owner_id", "权利人", "", "text"), ("value_before_yuan", "调换前价值", "元", "0.00"), ("value_after_yuan", "调换后价值", "元", "0.00"),
        ("cash_yuan", "应收现金补差", "元", "0.00"), ("area_before_m2", "调换前面积", "平方米", "0.00"), ("area_after_m2", "调换后面积", "平方米", "0.00"),
        ("distance_before_m", "调换前平均距离", "米", "0.0"), ("distance_after_m", "调换后平均距离", "米", "0.0"),
        ("plots_before", "调换前地块", "块", "integer"), ("plots_after", "调换后地块", "块", "integer"),
        ("blocks_before", "调换前连片块", "块", "integer"), ("blocks_after", "调换后连片块", "块", "integer"),
    ),
    "exchange_indices": (("zh", "指数", "", "text"), ("before", "调换前", "", "0.0000"), ("after", "调换后", "", "0.0000"), ("change", "变化", "", "0.00%")),
    "exchange_agreements": (
        ("giver", "让出方", "", "text"), ("taker", "受让方", "", "text"), ("pieces", "块数", "块", "integer"), ("area_m2", "面积", "平方米", "0.00"),
        ("value_yuan", "价值", "元", "0.00"), ("piece_ids", "地块编号", "", "text"),
    ),
    "exchange_consents": (("owner_id", "权利人", "", "text"), ("gives", "让出", "块", "integer"), ("takes", "受让", "块", "integer"), ("consent", "是否同意", "", "text")),
}  # fmt: skip
_TITLES = {
    "exchange_balance": "权利人调换前后平衡表", "exchange_indices": "地块破碎化指数调换前后对比表", "exchange_agreements": "土地互换协议基础表",
    "exchange_consents": "调换同意签字清单",
}  # fmt: skip
_SUMS = {"exchange_balance": ("value_before_yuan", "value_after_yuan", "cash_yuan", "area_before_m2", "area_after_m2"), "exchange_agreements": ("area_m2", "value_yuan")}


def exchange_book_tables(tables: dict[str, pd.DataFrame], *, synthetic: Sequence[str] = ()) -> list[BookTable]:
    """The result tables ready for the workbook (调换附表).

    Parameters
    ----------
    tables : dict
        exchange_balance, exchange_indices, exchange_agreements, exchange_consents.
    """
    made = []
    for key, columns in _COLUMNS.items():
        frame = tables[key]
        if key == "exchange_indices":
            frame = frame.assign(zh=[_INDEX_ZH.get(i, i) for i in frame["index"]])
        shown = frame[[c[0] for c in columns]].reset_index(drop=True)
        made.append(
            BookTable(key, _TITLES[key], shown, tuple(BookColumn(n, zh, unit, form) for n, zh, unit, form in columns), sums=_SUMS.get(key, ()),
                      synthetic=tuple(synthetic), empty="没有地块需要调换")
        )  # fmt: skip
    return made


def exchange_map(
    pieces: gpd.GeoDataFrame, column: str, *, title: str, crs_text: str, date: str, vintage: str, office: str = "", synthetic: Sequence[str] = (),
    remarks: Sequence[str] = (),
) -> bytes:  # fmt: skip
    """Holdings in colours, before (``owner_before``) or after (``owner_after``), as a sheet (调换前后权属图).

    Up to twenty owners are named in the legend; with more, colours repeat and no two owners that border each other share one.

    Returns
    -------
    bytes
        PNG.
    """
    owners = pieces[column].astype(str)
    names = sorted(owners.unique())
    if len(names) <= _NAMED:
        style = Classes("shown", sequence_symbols(names, group="tenure"))
        drawn = pieces.assign(shown=owners)
    else:
        tint = _tints(pieces, owners)
        labels = {t: f"权利人（第{t + 1}色）" for t in sorted(set(tint))}
        symbols = sequence_symbols(list(labels.values()), group="tenure")
        style = Classes("shown", {k: Symbol(v.label, v.fill, "", v.edge, v.width_pt) for k, v in symbols.items()})
        drawn = pieces.assign(shown=[labels[t] for t in tint])
        remarks = (*remarks, f"共 {len(names)} 户; 相邻两户颜色不同, 同色不一定同户。")
    outline = pieces[[column, "geometry"]].dissolve(column).reset_index()
    layers = [MapLayer(drawn, style), MapLayer(outline, Symbol("权利人地块界线", "", "", "#333333", 0.7))]
    return map_sheet(
        layers, title=title, crs_text=crs_text, date=date, vintage=vintage, office=office, synthetic=synthetic, remarks=remarks, size="A3"
    )


def _tints(pieces: gpd.GeoDataFrame, owners: pd.Series) -> list[int]:
    """A colour an owner, the least used among those its neighbours have not taken."""
    code, names = pd.factorize(owners)
    pairs = shared_borders_noded(pieces.geometry.to_numpy())
    near: list[set[int]] = [set() for _ in names]
    for i, j in zip(code[pairs["i"].to_numpy()], code[pairs["j"].to_numpy()]):
        if i != j:
            near[i].add(j)
            near[j].add(i)
    colour, used = np.full(len(names), -1), np.zeros(_COLOURS, int)
    for o in np.argsort([-len(s) for s in near], kind="stable"):
        taken = {colour[x] for x in near[o]}
        free = [c for c in range(_COLOURS) if c not in taken] or list(range(_COLOURS))
        colour[o] = min(free, key=lambda c: (used[c], c))
        used[colour[o]] += 1
    return [int(colour[c]) for c in code]
