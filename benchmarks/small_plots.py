"""Conversions of small plots (0.03-0.2 ha) on simulated images of 10 m: recall within 20 days at a given rate of false alarms.

    python benchmarks/small_plots.py --side-km 6 --converted 400

One invented country tunes the limit of a monitor so that it raises no more false alarms than asked for; another, with other
numbers of chance, is then scored with that limit. Everything is seeded. Plots fill the ground, so no cell is pure by luck.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import dataclass

import affine
import numpy as np
import shapely
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from qianmo.geo.fractions import cell_fractions, weighted_mean
from qianmo.survey.change.accuracy import lag_scores
from qianmo.survey.change.series import fit_season, monitor

CELL_M, REVISIT, HISTORY_DAYS, WATCH_DAYS = 10.0, 5.0, 730.0, 153.0
SIZES = ((300.0, 600.0), (600.0, 1200.0), (1200.0, 2000.0))


@dataclass(frozen=True)
class Country:
    """Series (dates, plots), days, day of change (nan = none), area of each plot, and whether a changed plot lies beside it."""

    series: np.ndarray
    days: np.ndarray
    change: np.ndarray
    area: np.ndarray
    beside: np.ndarray
    km2: float


def country(side_km: float, rng: np.random.Generator, *, converted: int, cloudy: float, missed: float) -> Country:
    """Plots in a bent mesh; a season with noise of cell, plot and day; clouds in blocks of 1 km, some not told; a sharp drop to bare or built ground."""
    side, cells = side_km * 1000, int(side_km * 100)
    lines = [np.cumsum(rng.uniform(18, 44, int(side / 31) + 2)) for _ in range(2)]
    x, y = np.meshgrid(*[v[v < side] for v in lines])
    x, y = x + rng.uniform(-3, 3, x.shape), y + rng.uniform(-3, 3, y.shape)
    corners = np.stack([np.stack([x[a : a - 1 or None, b : b - 1 or None], y[a : a - 1 or None, b : b - 1 or None]], axis=-1) for a, b in ((0, 0), (0, 1), (1, 1), (1, 0))], axis=2)
    plots = shapely.polygons(corners.reshape(-1, 4, 2))
    area, middle = shapely.area(plots), shapely.get_coordinates(shapely.centroid(plots))
    shares = cell_fractions(plots, affine.Affine(CELL_M, 0, 0, 0, -CELL_M, side), (cells, cells))
    days = np.arange(0.0, HISTORY_DAYS + WATCH_DAYS, REVISIT) + 90.0  # the watch is April to August
    small = rng.permutation(np.flatnonzero((area >= 300) & (area <= 2000)))[:converted]
    change = np.full(len(plots), np.nan)
    change[small] = HISTORY_DAYS + 90 + rng.uniform(0, WATCH_DAYS - 25, converted)
    level, swing = rng.normal(0.52, 0.05, len(plots)), rng.normal(0.22, 0.03, len(plots))
    bare, own = rng.uniform(0.10, 0.25, len(plots)), np.zeros(len(plots))
    beside = np.asarray(cKDTree(middle[small]).query(middle)[0] < 70) & ~np.isfinite(change)
    zone, out = shares.zone(), np.full((len(days), len(plots)), np.nan, dtype=np.float32)
    for k, day in enumerate(days):
        own = 0.8 * own + rng.normal(0, 0.012, len(plots))  # what a farmer does stays for some weeks
        value = level - swing * np.cos(2 * np.pi * (day - 15) / 365.2425) + own + rng.normal(0, 0.008)
        value = np.where(change <= day, bare + own, value)
        ground = np.bincount(shares.cell, weights=shares.share * value[zone], minlength=cells * cells) / np.maximum(np.bincount(shares.cell, weights=shares.share, minlength=cells * cells), 1e-9)
        image = gaussian_filter(ground.reshape(cells, cells), 0.5) + rng.normal(0, 0.025, (cells, cells))
        cloud = np.kron(rng.random((cells // 100, cells // 100)) < cloudy, np.ones((100, 100), dtype=bool))
        hidden = np.kron(rng.random((cells // 5, cells // 5)) < missed, np.ones((5, 5), dtype=bool))
        image = np.where(cloud, np.nan, np.where(hidden, image - 0.3, image))
        mean, seen = weighted_mean(shares, image.astype(np.float32))
        out[k] = np.where(seen >= 0.5, mean, np.nan)
    return Country(out, days, change, area, beside, side_km**2)


def alarms(place: Country, *, method: str, limit: float, repeats: int) -> np.ndarray:
    """Day on which an alarm of decline was sure, nan for none."""
    past = place.days < HISTORY_DAYS + 90
    model = fit_season(place.series[past], place.days[past], order=1, trend=False)
    new = place.days[~past]
    found = monitor(place.series[~past], new, model, method=method, limit=limit, repeats=repeats)
    sure = (found.confirmed_index >= 0) & (found.direction < 0)
    return np.where(sure, new[np.maximum(found.confirmed_index, 0)], np.nan)


def false_rate(place: Country, told: np.ndarray) -> float:
    """Alarms a month and 100 km2 on plots that neither changed nor lie beside one that did, and alarms before the change."""
    wrong = np.isfinite(told) & ~place.beside & ~(told >= place.change)
    return float(wrong.sum()) / (place.km2 / 100) / (WATCH_DAYS / 30.4)


def tuned(place: Country, *, method: str, repeats: int, most: float) -> float:
    """The lowest limit, in quarters of a standard deviation, that keeps to the rate; 12 where none below does."""
    for limit in np.arange(2.0, 12.0, 0.25):
        if false_rate(place, alarms(place, method=method, limit=float(limit), repeats=repeats)) <= most:
            return float(limit)
    return 12.0


def main() -> None:
    """Tune on one country, score on the other, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side-km", type=int, default=4)
    parser.add_argument("--converted", type=int, default=600)
    parser.add_argument("--most", type=float, default=1.0, help="false alarms a month and 100 km2")
    said = parser.parse_args()
    print("| cloudy | clouds not told | monitor | limit | false alarms a month and 100 km2 | recall in 20 days | 0.03-0.06 ha | 0.06-0.12 | 0.12-0.2 | recall in 40 days | F1 in 20 days |")
    print("| ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    clock = time.process_time()
    for cloudy, missed in ((0.3, 0.0), (0.5, 0.0), (0.5, 0.002)):
        tune, test = (country(said.side_km, np.random.default_rng([seed, int(100 * cloudy), int(1e4 * missed)]), converted=said.converted, cloudy=cloudy, missed=missed) for seed in (1, 2))
        for method, repeats in (("repeats", 2), ("repeats", 3), ("ewma", 2)):
            limit = tuned(tune, method=method, repeats=repeats, most=said.most)
            told = alarms(test, method=method, limit=limit, repeats=repeats)
            delay = told - test.change
            hit = lambda days, part=None: float(np.mean((delay[c] >= 0) & (delay[c] <= days))) if len(c := np.flatnonzero(np.isfinite(test.change) & (part if part is not None else True))) else np.nan  # noqa: B023, E731
            by_size = [hit(20, (test.area >= a) & (test.area < b)) for a, b in SIZES]
            score = lag_scores(np.where(test.beside, np.nan, told), test.change, [20])[0]
            cells = (f"{cloudy:.0%}", f"{missed:.1%}", f"{method}, {repeats} in a row", f"{limit:.2f}", f"{false_rate(test, told):.2f}", f"{hit(20):.3f}", *(f"{v:.3f}" for v in by_size), f"{hit(40):.3f}")
            print(f"| {' | '.join(cells)} | {score.f1:.2f} ({score.low:.2f}-{score.high:.2f}) |", flush=True)
        print(f"<!-- {len(test.area):,} plots, {test.km2:.0f} km2, load {os.getloadavg()[0]:.1f}, {time.process_time() - clock:.0f} s CPU so far -->", flush=True)


if __name__ == "__main__":
    main()
