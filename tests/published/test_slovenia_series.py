"""Sixty-eight Sentinel-2 dates in Slovenia: listed counts, filling of gaps, separation of classes, parcels watched by command."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from sklearn.ensemble import ExtraTreesClassifier

from qianmo.cli.main import main
from qianmo.schema.dataset import Dataset, Lineage
from qianmo.store.project import change, open_project
from qianmo.survey.change.series import filled, fit_season, monitor
from qianmo.survey.change.trained import block_split


@pytest.fixture(scope="module")
def slovenia(shared_data):
    folder = shared_data / "eo-slovenia-s2"
    if not folder.is_dir():
        pytest.skip("shared/data/eo-slovenia-s2 is not here")
    read = lambda name: rasterio.open(folder / f"{name}.tif").read()  # noqa: E731
    clear = (read("cloud_mask") == 0) & (read("valid_mask") == 1)
    when = pd.to_datetime(pd.read_csv(folder / "timestamps.csv")["datetime"])
    days = ((when - when[0]).dt.total_seconds() / 86_400).to_numpy()
    return folder, np.where(clear, read("ndvi_int16") / 1e4, np.nan), days, read("lulc")[0]


def test_counts_and_medians_are_the_listed_ones(slovenia):
    _, ndvi, _, land = slovenia
    seen = np.isfinite(ndvi).sum(axis=0)
    assert (seen.min(), seen.max()) == (37, 44)
    told = {int(k): (int((land == k).sum()), round(float(np.nanmedian(ndvi[:, land == k])), 4)) for k in np.unique(land)}
    assert told == {0: (155, 0.5188), 1: (11, 0.5234), 2: (7601, 0.5915), 3: (1777, 0.5808), 4: (358, 0.5992), 8: (198, 0.4577)}


def test_gaps_are_filled_nearer_than_by_a_line_or_the_median(slovenia):
    """A fifth of the clear values held out by chance: the season with trend 0.103, a straight line in time 0.111, the median 0.210."""
    _, ndvi, days, _ = slovenia
    y = ndvi.reshape(len(days), -1)
    held = (np.random.default_rng(0).random(y.shape) < 0.2) & np.isfinite(y)
    kept = np.where(held, np.nan, y)
    error = lambda z: float(np.sqrt(np.mean((z - y)[held] ** 2)))  # noqa: E731
    season = error(filled(kept, days, fit_season(kept, days, order=2)))
    line = error(np.stack([np.interp(days, days[np.isfinite(c)], c[np.isfinite(c)]) for c in kept.T], axis=1))
    flat = error(np.broadcast_to(np.nanmedian(kept, axis=0), y.shape))
    assert season == pytest.approx(0.103, abs=0.002) and line == pytest.approx(0.111, abs=0.002) and flat == pytest.approx(0.210, abs=0.002)


def test_the_season_separates_classes_that_the_median_does_not(slovenia):
    """Recall on blocks of 20 cells that were not trained on, both ways: forest 0.96, grassland 0.83, shrub 0.19, artificial 0.58."""
    _, ndvi, days, land = slovenia
    y, kind, half = ndvi.reshape(len(days), -1), land.ravel(), block_split(land.shape, block=20).ravel()
    model = fit_season(y, days, order=2, trend=False)
    known = np.isin(kind, (2, 3, 4, 8))

    def recall(features):
        both = []
        for train in (half, ~half):
            trees = ExtraTreesClassifier(50, min_samples_leaf=2, class_weight="balanced", random_state=0).fit(features[known & train], kind[known & train])
            found = trees.predict(features[known & ~train])
            both.append([(found[kind[known & ~train] == k] == k).mean() for k in (2, 3, 4, 8)])
        return np.mean(both, axis=0)

    season = recall(np.column_stack([model.coefficients.T, model.sigma]))
    assert season[0] > 0.94 and season[1] > 0.80 and season.mean() > 0.60
    assert recall(np.nanmedian(y, axis=0)[:, None]).mean() < 0.45


def test_classes_lie_as_far_apart_as_the_page_says(slovenia):
    """Jeffries-Matusita distance of the five coefficients, two harmonics without trend."""
    _, ndvi, days, land = slovenia
    features, kind = fit_season(ndvi.reshape(len(days), -1), days, order=2, trend=False).coefficients.T, land.ravel()

    def distance(a, b):
        one, other = features[kind == a], features[kind == b]
        apart, spread = one.mean(axis=0) - other.mean(axis=0), [np.cov(x.T) for x in (one, other)]
        middle = (spread[0] + spread[1]) / 2
        log = [np.linalg.slogdet(x)[1] for x in (middle, *spread)]
        return 2 * (1 - np.exp(-(apart @ np.linalg.solve(middle, apart) / 8 + (log[0] - (log[1] + log[2]) / 2) / 2)))

    assert [distance(*pair) for pair in ((2, 3), (2, 8), (3, 8), (2, 4))] == pytest.approx([1.54, 1.65, 1.16, 0.56], abs=0.01)


def test_confidence_grows_with_every_clear_date_that_repeats_the_alarm(slovenia):
    """Forest of 2015-2016 taken as history; a drop of 0.4 put into 2017, then one more clear date at a time."""
    _, ndvi, days, land = slovenia
    y = ndvi.reshape(len(days), -1)[:, land.ravel() == 2][:, ::40].copy()
    past = days < 600
    model = fit_season(y[past], days[past], order=1, trend=False)
    after, new = y[~past] - 0.4, days[~past]
    told = [float(monitor(after[:n], new[:n], model, method="repeats", limit=2.0, repeats=1).confidence.mean()) for n in range(1, len(new) + 1)]
    assert told[-1] > 0.9 and told[0] < 0.6
    assert (np.diff(told) >= -0.02).mean() > 0.85


def test_parcels_are_watched_by_command_and_look_like_their_cells(slovenia, tmp_path, capsys):
    folder, ndvi, _, _ = slovenia
    parcels = gpd.read_file(folder / "raba_parcels.gpkg")
    code = {"forest": "0301", "grassland": "0404", "schrubland": "0305", "artificial surface": "0701", "cultivated land": "0103"}
    land = gpd.GeoDataFrame(
        {"patch_id": parcels["RABA_ID"].astype(str) + "-" + parcels.index.astype(str), "class_code": parcels["LULC_NAME"].map(code).fillna("1206"), "area_m2": parcels.area},
        geometry=parcels.geometry.make_valid().to_numpy(), crs=parcels.crs,
    )  # fmt: skip
    with change(tmp_path / "p", what="x", user="u", now=pd.Timestamp("2026-01-01"), settings_text='[project]\nname = "x"\n') as stage:
        stage.put_layer(land, Dataset("landuse_patch", "landuse_patch", "地类图斑", "EPSG:32633", "SD3", "", False, len(land), Lineage("x", "", "x", "", "u")))
    command = ["watch", str(folder / "ndvi_int16.tif"), "--dates", str(folder / "timestamps.csv"), "--cloud", str(folder / "cloud_mask.tif"), "--scale", "0.0001"]
    assert main([*command, "--into", str(tmp_path / "p"), "--history", "2016-12-31", "--quiet", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["figures"]
    table = pd.read_parquet(open_project(tmp_path / "p").state / "tables" / "change_series.parquet")
    assert told["dates"] == 67 and told["parcels"] == len(table) and (tmp_path / "p" / "change" / "地块时序.png").stat().st_size > 20_000
    big = land.area.to_numpy().argmax()
    row = table[table["patch_id"] == land["patch_id"][big]].iloc[0]
    assert row["class_code"] == "0301" and row["clear_dates"] >= 37 and 0.4 < row["mean"] < 0.75 and row["amplitude"] > 0.1
    for spoilt, said in ((["--history", "2030-01-01"], "不在"), (["--history", "昨天"], "年-月-日")):
        assert main([*command, "--into", str(tmp_path / "p"), *spoilt, "--quiet"]) != 0
        assert said in capsys.readouterr().err
    assert main([*command, "--into", str(tmp_path / "p"), "--history", "2016-12-31", "--method", "mosum", "--quiet", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)["figures"]
    # the dry summer of 2017 bends neighbouring dates together, which the level of the boundary does not know of
    assert again["method"] == "mosum" and told["alarms"] < again["alarms"] <= 0.35 * told["parcels"]
    assert main([*command[:-2], "--into", str(tmp_path / "p"), "--history", "2016-12-31", "--quiet"]) == 2
    assert "--scale 0.0001" in capsys.readouterr().err
