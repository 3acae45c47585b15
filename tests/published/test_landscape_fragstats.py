"""Every index of FRAGSTATS 4.2 listed beside the Augusta map and the small map."""

import numpy as np
import pandas as pd
import pytest
import rasterio
from scipy.ndimage import binary_erosion, label

from qianmo.evaluation.landscape.cells import patches_of
from qianmo.evaluation.landscape.metrics import class_metrics, landscape_metrics, patch_metrics

LOST = {21: 2, 22: 9, 23: 4, 41: 52, 42: 61, 43: 9, 52: 1, 71: 5, 81: 16, 90: 18}
"""Core cells of Augusta by class that the listing lacks; none in 11, 24, 31, 82, 95."""

CORE = {f"{a}_{b}" for a in ("CORE", "DCORE", "CAI") for b in ("MN", "SD", "CV")} | {"TCA", "NDCA", "DCAD", "CPLAND"}
"""On Augusta the program's core cells are fewer by 177 of 113 025; on the small map they are the same. See the proof below."""


def _close(name, found, wanted, *, core):
    loose = 0.05 if core and name in CORE else 0.013 if name.startswith("GYRATE") else 2e-4
    return (np.isnan(found) and np.isnan(wanted)) or abs(found - wanted) <= max(loose * abs(wanted), 6e-5)


@pytest.fixture(scope="module", params=[("small_30x30.tif", "small_30x30_fragstats_", "land", 1.0), ("augusta_nlcd_2011.tif", "fragstats_", "landscape", 30.0)], ids=["small", "augusta"])
def case(request, shared_data):
    folder = shared_data / "landscape-metrics-augusta"
    if not folder.is_dir():
        pytest.skip("shared/data/landscape-metrics-augusta is not here")
    tif, stem, land, cell = request.param
    with rasterio.open(folder / tif) as source:
        return patches_of(source.read(1).astype(int), cell), folder / f"{stem}{land}.csv", folder / f"{stem}class.csv", cell == 30.0


def test_the_landscape(case):
    p, land, _, core = case
    found = landscape_metrics(p)
    wanted = pd.read_csv(land).iloc[0]
    off = [f"{k}: {found[k]} for {v}" for k, v in wanted.items() if not _close(k, found[k], v, core=core)]
    assert not off and len(wanted) == 60


def test_every_class(case):
    p, _, by_class, core = case
    found = class_metrics(p)
    wanted = pd.read_csv(by_class, na_values=["N/A", "N/A "])
    wanted.index = wanted.pop("TYPE").str.strip().str[4:].astype(int)
    off = [f"{c} {k}: {found.loc[c, k]} for {wanted.loc[c, k]}" for k in wanted for c in wanted.index if not _close(k, found.loc[c, k], wanted.loc[c, k], core=core)]
    assert not off and set(found.index) == set(wanted.index)


def test_every_patch_of_the_small_map(shared_data, case):
    if case[3]:
        pytest.skip("patches are listed for the small map alone")
    wanted = pd.read_csv(shared_data / "landscape-metrics-augusta" / "small_30x30_fragstats_patch.csv", na_values=["N/A"])
    wanted["class"] = wanted.pop("TYPE").str.strip().str[4:].astype(int)
    order = ["class", "AREA", "PERIM", "CORE", "CONTIG"]
    found = patch_metrics(case[0]).sort_values(order)
    wanted = wanted.sort_values(order)
    for name in ("AREA", "PERIM", "PARA", "SHAPE", "FRAC", "CIRCLE", "CONTIG", "CORE", "NCORE", "CAI"):
        assert np.allclose(found[name], wanted[name], rtol=2e-4, atol=6e-5), name
    assert np.allclose(np.sort(found["ENN"]), np.sort(wanted["ENN"]), rtol=2e-4)
    assert np.allclose(found["GYRATE"], wanted["GYRATE"], rtol=0.025)


@pytest.fixture(scope="module")
def augusta(shared_data):
    folder = shared_data / "landscape-metrics-augusta"
    if not folder.is_dir():
        pytest.skip("shared/data/landscape-metrics-augusta is not here")
    with rasterio.open(folder / "augusta_nlcd_2011.tif") as source:
        return source.read(1).astype(int), folder


def test_core_cells_are_those_of_the_definition_by_another_route(augusta):
    codes, _ = augusta
    p = patches_of(codes, 30.0)
    cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)
    for code in np.unique(codes):  # patches of one class never touch, so the class may be eroded as a whole
        core = binary_erosion(codes == code, cross, border_value=0)
        assert core.sum() == p.core_cells[p.class_code == code].sum()
        assert label(core, np.ones((3, 3)))[1] == p.cores[p.class_code == code].sum()


def test_no_edge_of_one_cell_gives_the_listed_core_of_augusta(augusta):
    """The listing is not that of any rule on a cell and its eight neighbours: what it lacks does not follow from how they lie."""
    codes, folder = augusta
    p = patches_of(codes, 30.0)
    wanted = pd.read_csv(folder / "fragstats_class.csv", na_values=["N/A", "N/A "])
    wanted.index = wanted.pop("TYPE").str.strip().str[4:].astype(int)
    ours = pd.Series({c: int(p.core_cells[p.class_code == c].sum()) for c in wanted.index})
    lost = (ours - (wanted["TCA"] / 0.09).round().astype(int)).sort_index()
    assert lost[lost != 0].to_dict() == LOST and lost.sum() == 177
    framed = np.pad(p.labels, 1)
    inner = framed[1:-1, 1:-1]
    same = [framed[a, b] == inner for a in (slice(None, -2), slice(2, None)) for b in (slice(None, -2), slice(2, None))]
    pattern = sum(s.astype(int) << k for k, s in enumerate(same))
    core = (inner == framed[:-2, 1:-1]) & (inner == framed[2:, 1:-1]) & (inner == framed[1:-1, :-2]) & (inner == framed[1:-1, 2:])
    exact = np.isin(codes, lost.index[lost == 0])
    kept = set(np.unique(pattern[core & exact]).tolist())  # patterns in classes that agree: the rule must keep them
    assert kept == set(range(1, 16))
    free = core & (pattern == 0)  # so it could only drop crosses without any diagonal, and there are too few
    assert int((free & (codes == 41)).sum()) == 12 < LOST[41] and int((free & (codes == 52)).sum()) == 0 < LOST[52]


def test_the_listed_radius_is_from_none_of_the_points_that_are_named_for_it(shared_data):
    """A patch of three cells, (0, 0), (1, 1), (1, 2): mean of cells, nearest cell and middle of the frame all give another radius."""
    wanted = pd.read_csv(shared_data / "landscape-metrics-augusta" / "small_30x30_fragstats_patch.csv", na_values=["N/A"])
    listed = float(wanted.loc[(wanted["TYPE"].str.strip() == "cls_1") & (wanted["AREA"] == 0.0003), "GYRATE"].iloc[0])
    cells = np.array([(0, 0), (1, 1), (1, 2)], float)
    radius = lambda point: float(np.hypot(*(cells - point).T).mean())  # noqa: E731
    found = [radius(cells.mean(axis=0)), radius((1, 1)), radius((0.5, 1.0))]
    assert listed == 0.8436 and found == pytest.approx([0.8631, 0.8047, 0.9120], abs=5e-5)
    assert radius((0.75, 1.0)) == pytest.approx(listed, abs=5e-5)  # as if the cell that joins the others counted twice; longer patches refute that too
