"""The command edit-plan: a variant by hand with its limits checked again, and the inputs a clerk gets wrong."""

from __future__ import annotations

import json
import shutil

import pytest

from qianmo.cli.main import main
from qianmo.store.parquet import read_frame, write_frame
from qianmo.store.project import open_project


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    folder = tmp_path_factory.mktemp("edit") / "乡镇"
    assert main(["village", "--into", str(folder), "--patches", "80", "--villages", "2", "--quiet"]) == 0
    assert main(["evaluate", str(folder), "--quiet"]) == 0 and main(["plan", str(folder), "--seconds", "20", "--quiet"]) == 0
    return folder


@pytest.fixture
def planned(town, tmp_path):
    shutil.copytree(town, tmp_path / "乡镇", symlinks=True)
    return tmp_path / "乡镇"


def _plan(folder):
    return read_frame(open_project(folder).state / "layers" / "plan_parcel.parquet")


def _worked(folder):
    """Patches with works that need not have them."""
    plan = _plan(folder)
    return plan[plan["measure"] != "keep"]


def test_works_taken_off_by_hand_make_a_variant_that_costs_that_much_less_and_claims_no_proof(planned, capsys):
    works = _worked(planned)
    for row in works.itertuples():
        capsys.readouterr()
        if main(["edit-plan", str(planned), "--set", f"{row.patch_id}=keep", "--json", "--quiet"]) == 0:
            break
    else:
        pytest.fail("no works of the plan could be taken off")
    told = json.loads(capsys.readouterr().out)["figures"]
    assert told["patches"] == 1 and told["cost_change_yuan"] == pytest.approx(-row.cost_yuan) and told["area_m2"] == pytest.approx(row.area_m2)
    state = open_project(planned).state
    kept = json.loads((state / "tables" / "variant_plans.json").read_text(encoding="utf-8"))["variant_plan_01"]
    assert "bound" not in kept and "gap" not in kept and "未证明最优" in kept["statement"] and kept["broken"] == told["broken"]
    variant = read_frame(state / "layers" / "variant_plan_01.parquet").set_index("patch_id")
    assert variant.loc[row.patch_id, "measure"] == "keep" and (_plan(planned).set_index("patch_id").loc[row.patch_id, "measure"] == row.measure)


@pytest.mark.parametrize(
    ("edits", "said"),
    [
        (["没有=keep"], "没有"),
        (["{works}=dance"], "措施"),
        (["{works}"], "图斑编号=措施"),
        (["{works}=keep", "{works}=keep"], "每个图斑一次"),
        (["{kept}=keep"], "没有改变任何图斑"),
    ],
)
def test_edits_that_cannot_be_meant_are_refused_and_nothing_is_written(planned, capsys, edits, said):
    plan = _plan(planned)
    names = {"works": plan.loc[plan["measure"] != "keep", "patch_id"].iloc[0], "kept": plan.loc[plan["measure"] == "keep", "patch_id"].iloc[0]}
    before = open_project(planned).generation
    code = main(["edit-plan", str(planned), "--quiet", *(w for e in edits for w in ("--set", e.format(**names)))])
    assert code in (2, 3, 5) and said in capsys.readouterr().err and open_project(planned).generation == before


def test_a_layer_that_is_no_plan_is_refused_with_the_plans_there_are(planned, capsys):
    assert main(["edit-plan", str(planned), "--plan", "landuse_patch", "--set", "x=keep", "--quiet"]) in (2, 3, 5)
    assert "plan_parcel" in capsys.readouterr().err


def test_works_that_the_evaluation_no_longer_prices_are_refused(planned, capsys):
    plan = _plan(planned)
    path = open_project(planned).state / "tables" / "measure_options.parquet"
    options = read_frame(path)
    kept = set(plan.loc[plan["measure"] == "keep", "patch_id"])
    before = open_project(planned).generation
    path.unlink()
    write_frame(path, options.iloc[:0].copy())
    for row in options[options["patch_id"].isin(kept)].itertuples():
        capsys.readouterr()
        code = main(["edit-plan", str(planned), "--set", f"{row.patch_id}={row.measure}:{row.target_class}", "--quiet"])
        said = capsys.readouterr().err
        if "没有造价" in said:
            break
    assert code in (2, 3, 5) and "没有造价" in said and "重新运行 qianmo plan" in said and open_project(planned).generation == before
