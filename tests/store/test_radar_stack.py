"""Interferograms in five formats, written here by hand, come back as one record; wrong files are refused with a cure."""

import struct
from datetime import date

import affine
import h5py
import numpy as np
import pyproj
import pytest
import rasterio

from qianmo.schema.errors import CrsError, MissingDataError, SchemaError, UnsafeInputError
from qianmo.store.guard_limits import default_limits
from qianmo.store.radar_names import image_kind, named_dates
from qianmo.store.radar_stack import open_stack, read_rows

ROWS, COLUMNS = 5, 7
PAIRS = [(date(2023, 1, 1), date(2023, 1, 13)), (date(2023, 1, 1), date(2023, 1, 25)), (date(2023, 1, 13), date(2023, 1, 25))]
WEST, NORTH, CELL = 113.5, 24.8, 0.001


@pytest.fixture
def truth(rng):
    phase = rng.normal(0, 5, (3, ROWS, COLUMNS)).astype(np.float32)
    phase[1, 2, 3] = np.nan
    return phase, rng.uniform(0.2, 0.9, (3, ROWS, COLUMNS)).astype(np.float32)


def _name(pair):
    return f"{pair[0]:%Y%m%d}-{pair[1]:%Y%m%d}"


def _opened(tmp_path, *paths):
    work = tmp_path / "work"
    work.mkdir(exist_ok=True)
    limits = default_limits()
    return open_stack(paths, limits=limits, workdir=work), lambda s, a, b: read_rows(s, a, b, limits=limits, workdir=work)


def _same(tmp_path, folder, truth, form):
    stack, rows = _opened(tmp_path, folder)
    header = stack.header
    assert (header.form, header.pairs, header.rows, header.columns) == (form, tuple(PAIRS), ROWS, COLUMNS)
    assert header.transform == pytest.approx((CELL, 0, WEST, 0, -CELL, NORTH), abs=1e-9) and pyproj.CRS.from_wkt(header.crs_wkt).to_epsg() == 4326
    for start, stop in ((0, ROWS), (1, 4), (4, 5)):
        phase, coherence = rows(stack, start, stop)
        np.testing.assert_array_equal(phase, truth[0][:, start:stop].reshape(3, -1))
        np.testing.assert_array_equal(coherence, truth[1][:, start:stop].reshape(3, -1))
    return stack


# --- writers of the formats, by struct and h5py alone ---


def _floats(values, order):
    return struct.pack(f"{order}{values.size}f", *np.nan_to_num(values).ravel().tolist())


def _roi_pac(folder, truth, *, said=None, drop=()):
    folder.mkdir()
    text = {"WIDTH": COLUMNS, "FILE_LENGTH": ROWS, "X_FIRST": WEST, "Y_FIRST": NORTH, "X_STEP": CELL, "Y_STEP": -CELL, "WAVELENGTH": 0.0562356} | (said or {})
    for k, pair in enumerate(PAIRS):
        for suffix, values in (("unw", truth[0][k]), ("cor", truth[1][k])):
            path = folder / f"geo_{pair[0]:%y%m%d}-{pair[1]:%y%m%d}.{suffix}"
            path.write_bytes(b"".join(_floats(np.full(COLUMNS, 9.0), "<") + _floats(row, "<") for row in values))
            (folder / f"{path.name}.rsc").write_text("".join(f"{n:<41}{v}\n" for n, v in text.items() if n not in drop))
    return folder


def _gamma(folder, truth, *, par=None, order=">"):
    folder.mkdir()
    text = {"DEM_projection": "EQA", "data_format": "REAL*4", "width": COLUMNS, "nlines": ROWS, "corner_lat": f"{NORTH - CELL / 2}  decimal degrees",
            "corner_lon": f"{WEST + CELL / 2}  decimal degrees", "post_lat": f"{-CELL}  decimal degrees", "post_lon": f"{CELL}  decimal degrees"}  # fmt: skip
    (folder / "map.dem_par").write_text("Gamma DIFF&GEO DEM/MAP parameter file\n" + "".join(f"{n}:  {v}\n" for n, v in (par or text).items()))
    for k, pair in enumerate(PAIRS):
        (folder / f"{_name(pair)}.unw").write_bytes(_floats(truth[0][k], order))
        (folder / f"{_name(pair)}.cc").write_bytes(_floats(truth[1][k], order))
    return folder


def _mintpy(path, truth, *, said=None, drop=()):
    text = {"FILE_TYPE": "ifgramStack", "WIDTH": str(COLUMNS), "LENGTH": str(ROWS), "X_FIRST": str(WEST), "Y_FIRST": str(NORTH), "X_STEP": str(CELL), "Y_STEP": str(-CELL),
            "X_UNIT": "degrees", "WAVELENGTH": "0.0554658", "CENTER_INCIDENCE_ANGLE": "38.5", "STARTING_RANGE": "845000.0", "UNIT": "radian"} | (said or {})  # fmt: skip
    with h5py.File(path, "w") as out:
        out.attrs.update({k: v for k, v in text.items() if k not in drop})
        out["date"] = np.array([[f"{d:%Y%m%d}".encode() for d in p] for p in PAIRS])
        out["unwrapPhase"], out["coherence"] = np.nan_to_num(truth[0]), truth[1]
        out["bperp"], out["dropIfgram"] = np.array([10.0, 30.0, 20.0], np.float32), np.ones(3, bool)
    return path


def _tiffs(folder, truth, *, epsg=4326, nodata=0.0, words=("unw_phase", "corr")):
    folder.mkdir()
    profile = {"driver": "GTiff", "height": ROWS, "width": COLUMNS, "count": 1, "dtype": "float32", "crs": f"EPSG:{epsg}", "nodata": nodata,
               "transform": affine.Affine(CELL, 0, WEST, 0, -CELL, NORTH)}  # fmt: skip
    for k, (a, b) in enumerate(PAIRS):
        for word, values in zip(words, (truth[0][k], truth[1][k])):
            with rasterio.open(folder / f"S1AA_{a:%Y%m%d}T004149_{b:%Y%m%d}T004148_VVP012_INT80_G_ueF_C0CC_{word}.tif", "w", **profile) as out:
                out.write(np.nan_to_num(values), 1)
    return folder


def _gunw(folder, truth):
    folder.mkdir()
    for k, (a, b) in enumerate(PAIRS):
        with h5py.File(folder / f"S1-GUNW-A-R-113-tops-{b:%Y%m%d}_{a:%Y%m%d}-103000-v2.nc", "w") as out:
            data = out.create_group("science/grids/data")
            data["longitude"], data["latitude"] = WEST + (np.arange(COLUMNS) + 0.5) * CELL, NORTH - (np.arange(ROWS) + 0.5) * CELL
            data["unwrappedPhase"], data["coherence"] = np.nan_to_num(-truth[0][k]), truth[1][k]
            data["unwrappedPhase"].attrs.update({"_FillValue": np.float32(0), "units": "radians"})
            out["science/radarMetaData/wavelength"] = 0.0554658
    return folder


def test_roi_pac_two_bands_by_line_come_back(tmp_path, truth):
    assert _same(tmp_path, _roi_pac(tmp_path / "r", truth), truth, "ROI_PAC").header.wavelength_m == pytest.approx(0.0562356)


def test_gamma_big_endian_with_the_centre_of_the_corner_cell_comes_back(tmp_path, truth):
    _same(tmp_path, _gamma(tmp_path / "g", truth), truth, "GAMMA")


def test_a_mintpy_stack_comes_back_with_its_geometry_and_without_dropped_pairs(tmp_path, truth):
    path = _mintpy(tmp_path / "ifgramStack.h5", truth)
    header = _same(tmp_path, path, truth, "MintPy").header
    assert (header.wavelength_m, header.incidence_deg, header.slant_range_m) == (0.0554658, 38.5, 845000.0) and header.baselines_m == (10.0, 30.0, 20.0)
    with h5py.File(path, "a") as out:
        out["dropIfgram"][1] = False
    stack, rows = _opened(tmp_path, path)
    assert stack.header.pairs == (PAIRS[0], PAIRS[2])
    np.testing.assert_array_equal(rows(stack, 0, ROWS)[0], truth[0][[0, 2]].reshape(2, -1))


def test_geotiffs_with_names_of_hyp3_come_back_and_other_products_are_passed_over(tmp_path, truth):
    folder = _tiffs(tmp_path / "t", truth)
    (folder / next(folder.glob("*_unw_phase.tif")).name.replace("unw_phase", "los_disp")).write_bytes(next(folder.glob("*_unw_phase.tif")).read_bytes())
    _same(tmp_path, folder, truth, "GeoTIFF")


def test_a_gunw_names_the_later_date_first_and_its_phase_is_turned(tmp_path, truth):
    header = _same(tmp_path, _gunw(tmp_path / "n", truth), truth, "GUNW").header
    assert header.unit == "radians" and header.wavelength_m == pytest.approx(0.0554658)


def test_bands_of_one_geotiff_are_told_apart_by_their_descriptions(tmp_path, truth):
    profile = {"driver": "GTiff", "height": ROWS, "width": COLUMNS, "count": 6, "dtype": "float32", "crs": "EPSG:4326", "nodata": 0.0,
               "transform": affine.Affine(CELL, 0, WEST, 0, -CELL, NORTH)}  # fmt: skip
    with rasterio.open(tmp_path / "stack.tif", "w", **profile) as out:
        for k, pair in enumerate(PAIRS):
            for band, word, values in ((k + 1, "unw", truth[0][k]), (k + 4, "coherence", truth[1][k])):
                out.write(np.nan_to_num(values), band)
                out.set_band_description(band, f"{_name(pair)} {word}")
    _same(tmp_path, tmp_path / "stack.tif", truth, "GeoTIFF")


def test_names_say_dates_and_kind():
    assert named_dates("geo_070106-080101.unw") == (date(2007, 1, 6), date(2008, 1, 1)) and named_dates("dem.tif") is None
    kinds = ["20180106_20180130.geo.unw.tif", "20180106_20180130.geo.cc.tif", "20180106_20180130.geo.diff_pha.tif", "x_wrapped_phase.tif", "20180106-20180130.tif"]
    assert [image_kind(k) for k in kinds] == ["phase", "coherence", "other", "other", "phase"]
    with pytest.raises(SchemaError, match="不是日期"):
        named_dates("20180199-20180301_unw.tif")


def _cut_short(folder):
    path = next(folder.glob("*.unw"))
    path.write_bytes(path.read_bytes()[:-4])


@pytest.mark.parametrize(
    ("write", "error", "said"),
    [
        (lambda p, t: _roi_pac(p, t, drop=("X_FIRST",)), CrsError, "雷达坐标"),
        (lambda p, t: _cut_short(_roi_pac(p, t)), UnsafeInputError, "字节"),
        (lambda p, t: _gamma(p, t, par={"title": "slc", "range_samples": 7}), CrsError, "雷达坐标"),
        (lambda p, t: (_gamma(p, t) / "map.dem_par").unlink(), MissingDataError, "没有参数文件"),
        (lambda p, t: next(_gamma(p, t).glob("*.cc")).unlink(), MissingDataError, "没有相干性"),
        (lambda p, t: next(_gamma(p, t).glob("*.unw")).rename(p / "nodates.unw"), MissingDataError, "没有两个日期"),
        (lambda p, t: next(_gamma(p, t).glob("*.unw")).rename(p / "20230101-20231325.unw"), SchemaError, "不是日期"),
        (lambda p, t: _tiffs(p, t, words=("los_disp", "vert_disp")), MissingDataError, "没有干涉图"),
        (lambda p, t: p.mkdir(), MissingDataError, "没有 GeoTIFF"),
        (lambda p, t: [_gamma(p, t), [f.rename(p / f.name) for f in _tiffs(p / "x", t).glob("*_corr.tif")], [f.unlink() for f in p.glob("*.cc")]], SchemaError, "混有"),
    ],
    ids=["radar coordinates", "short file", "SLC par", "no par", "coherence missing", "no dates", "no such day", "displacement", "empty", "formats mixed"],
)  # fmt: skip
def test_wrong_folders_are_refused(tmp_path, truth, write, error, said):
    write(tmp_path / "f", truth)
    with pytest.raises(error, match=said):
        _opened(tmp_path, tmp_path / "f")


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda p, t: _mintpy(p, t, drop=("X_FIRST",)), CrsError, "雷达坐标"),
        (lambda p, t: _mintpy(p, t, said={"X_STEP": "wide"}), SchemaError, "属性"),
        (lambda p, t: p.write_bytes(b"no HDF5 at all"), UnsafeInputError, "不是 HDF5"),
        (lambda p, t: p.write_bytes(_mintpy(p, t).read_bytes()[:900]), UnsafeInputError, "不能读取"),
    ],
    ids=["radar coordinates", "attribute", "text", "cut"],
)  # fmt: skip
def test_wrong_hdf5_files_are_refused(tmp_path, truth, change, error, said):
    change(tmp_path / "ifgramStack.h5", truth)
    with pytest.raises(error, match=said):
        _opened(tmp_path, tmp_path / "ifgramStack.h5")


def test_a_time_series_of_displacement_is_no_stack_and_links_to_other_files_are_refused(tmp_path, truth):
    with h5py.File(tmp_path / "timeseries.h5", "w") as out:
        out.attrs.update({"FILE_TYPE": "timeseries", "UNIT": "m"})
        out["timeseries"] = truth[0]
    with pytest.raises(SchemaError, match=r"timeseries .单位 m"):
        _opened(tmp_path, tmp_path / "timeseries.h5")
    (tmp_path / "secret.raw").write_bytes(_floats(truth[0], "<"))
    path = _mintpy(tmp_path / "ifgramStack.h5", truth)
    with h5py.File(path, "a") as out:
        del out["unwrapPhase"]
        out.create_dataset("unwrapPhase", (3, ROWS, COLUMNS), "<f4", external=[(str(tmp_path / "secret.raw"), 0, 3 * ROWS * COLUMNS * 4)])
    with pytest.raises(UnsafeInputError, match="指向别的文件"):
        _opened(tmp_path, path)
