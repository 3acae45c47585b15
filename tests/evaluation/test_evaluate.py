"""The entry: all tables, same result in any order, honest notes."""

import numpy as np
import pytest

from qianmo.evaluation.evaluate import before_and_after, evaluate
from qianmo.evaluation.facts import Facts
from qianmo.evaluation.services import QUANTITIES
from qianmo.schema.errors import CrsError, MissingDataError, SchemaError
from qianmo.schema.tables import table_spec

TABLES = {
    "land_structure", "structure_by_village", "fragmentation", "contiguity", "slope_classes", "quality", "idle_land", "conflicts",
    "conflict_parcels", "verdicts", "measure_options", "potential_summary", "indicators", "evaluation_notes",
}  # fmt: skip


def test_all_tables_come_with_their_columns(patchwork):
    tables = evaluate(patchwork(("0101", 3), ("0201", 15), ("0702", 2), slope_deg=[3.0, 4.0, None]), {}, scheme="SD3")
    assert set(tables) == TABLES
    for name, spec in (("conflicts", "conflict"), ("verdicts", "verdict"), ("measure_options", "measure_option")):
        more = tuple(QUANTITIES) if name == "measure_options" else ()
        assert tuple(tables[name].columns) == table_spec(spec).column_names + more
    assert tables["contiguity"].attrs["contiguity_index"] == 1.0


def test_notes_say_which_layers_are_missing_and_what_could_not_be_judged(patchwork):
    notes = evaluate(patchwork(("0101", 3)), {}, scheme="SD3")["evaluation_notes"]["note"]
    for word in ("没有坡度", "缺少永久基本农田", "缺少生态保护红线", "不是等别"):
        assert notes.str.contains(word).any(), word


@pytest.mark.parametrize("bad", [np.nan, -1.0])
def test_a_patch_without_an_area_stops_the_evaluation_and_is_named(patchwork, bad):
    p = patchwork(("0101", 3), ("0201", 3))
    p.loc[1, "class_area_m2"] = bad
    with pytest.raises(MissingDataError, match="P1"):
        evaluate(p, {}, scheme="SD3")


def test_a_patch_without_a_drawing_stops_the_evaluation_and_is_named(patchwork):
    p = patchwork(("0101", 3), ("0201", 3))
    p.loc[1, "geometry"] = None
    with pytest.raises(MissingDataError, match="P1"):
        evaluate(p, {}, scheme="SD3")


def test_patches_in_degrees_are_refused(patchwork):
    with pytest.raises(CrsError):
        evaluate(patchwork(("0101", 3)).to_crs(4490), {}, scheme="SD3")


def test_a_missing_column_is_named_in_chinese(patchwork):
    with pytest.raises(SchemaError, match="图斑地类面积"):
        evaluate(patchwork(("0101", 3)).drop(columns="class_area_m2"), {}, scheme="SD3")


def test_an_empty_township_gives_empty_tables_not_an_error(patchwork):
    tables = evaluate(patchwork(("0101", 3)).iloc[:0], {}, scheme="SD3")
    assert tables["land_structure"].empty
    assert len(tables["verdicts"]) == 91


def test_the_comparison_holds_the_form_where_basic_farmland_moves(patchwork):
    p = patchwork(("0103", 150), ("0101", 315))
    layers = {"basic_farmland": p, "basic_farmland_out": p.iloc[:1], "basic_farmland_in": p.iloc[1:]}
    tables = before_and_after(Facts(p, layers, "SD3", after=p, works=p.iloc[:0].assign(measure="")))
    assert set(tables) == {"verdicts", "indicators", "flow_matrix", "balance", "basic_farmland_form"}
    assert set(before_and_after(Facts(p, {}, "SD3", after=p))) == {"verdicts", "indicators", "flow_matrix", "balance"}


def test_there_is_no_comparison_without_a_plan(patchwork):
    with pytest.raises(MissingDataError):
        before_and_after(Facts(patchwork(("0101", 3)), {}, "SD3"))
