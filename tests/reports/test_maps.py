"""Map sheets: size, exact scale bar, legend from what is visible, no missing glyph."""

from __future__ import annotations

import struct
import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from qianmo.reports.map_furniture import nice_at_most, scale_bar, wrapped
from qianmo.reports.map_paths import polygon_paths
from qianmo.reports.map_sheet import PAPERS, SheetNotes, draw_sheet, map_sheet, scale_denominator
from qianmo.reports.map_style import Classes, MapLayer, class_symbols, sequence_symbols, symbol, symbols
from qianmo.reports.maps import maps_for
from qianmo.schema.errors import CodeError, CrsError, MissingDataError, SchemaError, TopologyError
from qianmo.schema.measures import measures

NOTES = SheetNotes("CGCS2000 3度带", "2026年1月2日", "2023年", "示例局", ("行政村界",))
FACTS = {"crs_text": "CGCS2000 3度带", "date": "2026年1月2日", "vintage": "2023年", "office": "示例局"}


def _texts(figure):
    return [t.get_text() for axes in figure.axes for t in axes.texts]


def _use(layers):
    patches = layers["landuse_patch"]
    return MapLayer(patches, Classes("class_code", class_symbols(set(patches.class_code))))


def test_a_sheet_is_a_png_of_the_paper_size(layers):
    png = map_sheet([_use(layers)], title="现状图", size="A4", dpi=60, **FACTS)
    wide, high = struct.unpack(">II", png[16:24])
    assert (wide, high) == (pytest.approx(297 / 25.4 * 60, abs=1), pytest.approx(210 / 25.4 * 60, abs=1))


def test_a_sheet_can_be_a_vector_pdf(layers):
    made = map_sheet([_use(layers)], title="现状图", size="A4", file_format="pdf", **FACTS)
    assert made.startswith(b"%PDF")


def test_the_title_block_stands_inside_the_panel_and_leaves_room_to_sign(layers):
    notes = SheetNotes("", "", "", block=(("图　　名", "现状图"), ("审　　定", "")))
    figure = draw_sheet([_use(layers)], title="现状图", notes=notes, size="A4", dpi=40)
    page = figure.axes[1]
    cells = {p.get_gid(): p for p in page.patches if str(p.get_gid()).startswith("title_block_")}
    assert set(cells) == {"title_block_图　　名", "title_block_审　　定"}
    assert all(c.get_x() > 234.0 and c.get_x() + c.get_width() < 297.0 and c.get_y() > 15.0 for c in cells.values())
    assert {"图　　名", "审　　定"} <= set(_texts(figure))
    plain = draw_sheet([_use(layers)], title="现状图", notes=SheetNotes("", "", ""), size="A4", dpi=40)
    assert not [p for p in plain.axes[1].patches if str(p.get_gid()).startswith("title_block_")]


def test_the_same_input_gives_the_same_bytes(layers):
    first, second = (map_sheet([_use(layers)], title="现状图", size="A4", dpi=40, **FACTS) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("size", ["A3", "A4"])
def test_the_scale_bar_is_as_long_on_paper_as_its_ground_length_on_the_map(layers, size):
    figure = draw_sheet([_use(layers)], title="现状图", notes=NOTES, size=size, dpi=100)
    axes, page = figure.axes
    bar = next(p for p in page.patches if p.get_gid() == "scale_bar")
    denominator = scale_denominator(tuple(layers["landuse_patch"].total_bounds), PAPERS[size])
    wanted = scale_bar(denominator, room_mm=PAPERS[size].width * 0.22)
    on_page = np.diff(page.transData.transform([(0, 0), (bar.get_width(), 0)])[:, 0])[0]
    x = axes.get_xlim()[0]
    on_map = np.diff(axes.transData.transform([(x, 0), (x + wanted.length_m, 0)])[:, 0])[0]
    assert bar.get_width() == pytest.approx(wanted.length_mm, abs=1e-9)
    assert on_page == pytest.approx(on_map, abs=0.1 / 25.4 * 100 / 100)
    assert wanted.length_m == nice_at_most(wanted.length_m)


def test_the_map_has_the_same_scale_both_ways_and_holds_the_extent(layers):
    figure = draw_sheet([_use(layers)], title="现状图", notes=NOTES)
    axes = figure.axes[0]
    (west, east), (south, north), frame = axes.get_xlim(), axes.get_ylim(), PAPERS["A3"].frame
    assert (east - west) / (frame[2] - frame[0]) == pytest.approx((north - south) / (frame[3] - frame[1]))
    box = layers["landuse_patch"].total_bounds
    assert west <= box[0] and south <= box[1] and east >= box[2] and north >= box[3]


def test_the_legend_lists_only_what_is_visible(layers):
    patches = layers["landuse_patch"]
    style = Classes("class_code", class_symbols({*patches.class_code, "0602"}))
    texts = _texts(draw_sheet([MapLayer(patches, style)], title="现状图", notes=NOTES))
    assert "水田（0101）" in texts
    assert not any("采矿" in t for t in texts)


def test_a_value_without_a_symbol_is_named_as_other(layers):
    texts = _texts(draw_sheet([MapLayer(layers["landuse_patch"], Classes("class_code", class_symbols({"0101"})))], title="图", notes=NOTES))
    assert "其他" in texts


def test_the_sheet_says_system_date_vintage_unit_and_synthetic_inputs(layers):
    figure = draw_sheet([_use(layers)], title="现状图", notes=NOTES)
    words = "\n".join(_texts(figure))
    for part in ("CGCS2000 3度带", "2026年1月2日", "2023年", "示例局", "含合成数据：行政村界", "北", "图  例", "1:"):
        assert part in words
    marks = [t for t in figure.axes[1].texts if t.get_gid() == "synthetic_mark"]
    assert [m.get_color() for m in marks] == ["#c8102e"]


def test_no_mark_without_synthetic_inputs(layers):
    figure = draw_sheet([_use(layers)], title="现状图", notes=SheetNotes("a", "b", "c"))
    assert "合成" not in "\n".join(_texts(figure))


def test_rare_characters_and_dollar_signs_are_drawn_without_a_warning(layers):
    villages = layers["village"].assign(village_name="𠮷囧$x$村")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        map_sheet([MapLayer(villages, symbol("layer", "village"), labels="village_name")], title="图$1$", size="A4", dpi=40, **FACTS)


def test_the_lonlat_grid_is_labelled_in_degrees(layers):
    texts = _texts(draw_sheet([_use(layers)], title="区位图", notes=NOTES, grid="lonlat"))
    assert any("°" in t and t.endswith("E") for t in texts)
    assert any("°" in t and t.endswith("N") for t in texts)


def test_a_layer_in_degrees_is_refused(layers):
    with pytest.raises(CrsError, match="metres"):
        map_sheet([MapLayer(layers["village"].to_crs(4490), symbol("layer", "village"))], title="图", **FACTS)


def test_layers_in_two_systems_are_refused(layers):
    other = layers["project_area"].to_crs(4549)
    with pytest.raises(CrsError, match="one CRS"):
        map_sheet([_use(layers), MapLayer(other, symbol("layer", "project_area"))], title="图", **FACTS)


def test_a_sheet_without_layers_is_refused():
    with pytest.raises(MissingDataError):
        map_sheet([], title="图", **FACTS)


def test_points_are_refused_with_the_cure(layers):
    dots = gpd.GeoDataFrame(geometry=[shapely.Point(0, 0)], crs=layers["village"].crs)
    with pytest.raises(TopologyError, match="polygons"):
        map_sheet([_use(layers), MapLayer(dots, symbol("layer", "village"))], title="图", **FACTS)


def test_a_missing_class_column_is_refused(layers):
    with pytest.raises(SchemaError, match="no column zone"):
        map_sheet([MapLayer(layers["village"], Classes("zone", symbols("zone")))], title="图", **FACTS)


def test_holes_turn_the_other_way_so_that_they_stay_empty():
    ring = shapely.Point(0, 0).buffer(100) - shapely.Point(0, 0).buffer(50)
    (path,) = polygon_paths(np.array([ring]), extent=(-200, -200, 200, 200), pixel_m=0.1)
    assert path.contains_point((75, 0))
    parts = path.to_polygons()
    signs = [np.sign(np.sum(p[:-1, 0] * p[1:, 1] - p[1:, 0] * p[:-1, 1])) for p in parts]
    assert sorted(signs) == [-1, 1]


def test_polygons_outside_the_frame_and_empty_ones_make_no_path():
    far = np.array([shapely.box(1000, 1000, 1001, 1001), shapely.Polygon(), None], dtype=object)
    assert polygon_paths(far, extent=(0, 0, 10, 10), pixel_m=0.1) == []


def test_every_measure_and_slope_class_has_its_symbol():
    assert set(measures()) <= set(symbols("measure"))
    assert set(symbols("slope")) == set("12345")
    assert {m.project_class for m in measures().values() if m.project_class} <= set(symbols("project_class"))


def test_an_adjustable_class_takes_the_symbol_of_its_base_class():
    found = class_symbols({"0201K", "0201"})
    assert found["0201K"].fill == found["0201"].fill
    assert found["0201K"].label == "可调整果园(0201K)"


def test_an_unknown_style_is_refused():
    with pytest.raises(CodeError):
        symbols("colours")


def test_neighbours_in_a_sequence_differ_in_colour_or_hatch():
    found = list(sequence_symbols([str(y) for y in range(2026, 2046)]).values())
    assert len({(s.fill, s.hatch) for s in found}) == 20


def test_wrapped_lines_are_not_wider_than_the_room():
    lines = wrapped("同一图斑有多种可行措施时,按措施表次序表示首项", width_mm=40, size=9)
    assert "".join(lines) == "同一图斑有多种可行措施时，按措施表次序表示首项"
    assert all(len(line) <= 40 / (9 * 25.4 / 72) + 1 for line in lines)


def test_ten_sheets_and_the_slope_sheet_are_made_in_order(layers, plan):
    options = plan.loc[plan.measure != "keep", ["patch_id", "measure"]].assign(blocked_by="")
    made = maps_for(
        layers, pd.DataFrame(plan.drop(columns="geometry")), project_name="示例镇", synthetic={"village": "行政村界", "dem": "高程"},
        options=options, swaps_basic_farmland=False, dpi=30, **FACTS,
    )  # fmt: skip
    assert [m.key for m in made] == ["location", "present", "three_lines", "potential", "zoning", "subproject", "basic_farmland", "target", "tenure", "sequence", "slope"]
    notes = {m.key: m.note for m in made}
    assert notes["basic_farmland"] == "本方案不涉及永久基本农田布局调整"
    assert "数据不含权属信息" in notes["tenure"]
    assert {m.key: m.synthetic for m in made}["present"] == ("行政村界",)
    assert {m.key: m.synthetic for m in made}["target"] == ("行政村界", "高程")


def test_sheets_of_a_project_without_plan_say_so(layers):
    made = {m.key: m.note for m in maps_for({"landuse_patch": layers["landuse_patch"]}, None, project_name="示例镇", dpi=30, **FACTS)}
    assert made["target"] == "尚未编制规划方案"
    assert "未提供三条控制线数据" in made["three_lines"]
    assert "未提供行政村界" in made["location"]


def test_a_plan_of_other_patches_is_refused(layers, plan):
    strange = pd.DataFrame(plan.drop(columns="geometry")).assign(patch_id="nowhere")
    with pytest.raises(MissingDataError, match="no geometry"):
        maps_for(layers, strange, project_name="示例镇", **FACTS)


def test_a_borrowed_datum_shift_is_marked_on_every_sheet_for_it_moves_whatever_is_drawn(layers):
    label = "坐标转换参数（借用，仅供演示）"
    made = maps_for(layers, None, project_name="示例镇", dpi=30, synthetic={"helmert": label}, **FACTS)
    assert [m.key for m in made if label not in m.synthetic] == []


def test_planned_works_and_the_project_outline_do_not_look_alike():
    outline, works = symbol("layer", "project_area"), symbol("layer", "works_outline")
    assert (outline.edge, outline.hatch) != (works.edge, works.hatch)
