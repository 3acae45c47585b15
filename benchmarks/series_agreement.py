"""Flags and dates of the series monitors against strucchange (R) and nrt on simulated series: how many agree, and why some do not.

    python benchmarks/series_agreement.py --series 100000 --folder FOLDER          makes the series, runs Rscript, compares
    python benchmarks/series_agreement.py --folder FOLDER --compare-only           compares with what a run left there
    ... --peer ENVIRONMENT                                                         nrt too, from an environment of its own

strucchange (GPL) and nrt (EUPL) are started as programs; nothing of them is imported here. R takes 6 ms a series.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import time
from pathlib import Path

import numpy as np
import pandas as pd

from qianmo.survey.change.mosum import mosum_monitor
from qianmo.survey.change.series import fit_season
from qianmo.survey.change.stable import fit_stable, stable_only

# strucchange 1.5-3: monitorMECritvalTable for a quarter window, 5 %, period 10, times the root of 2 that its border has
THEIR_CRITICAL = 1.34182484 * 2**0.5
NRT = """
import sys, time, json, numpy as np
from nrt.fit_methods import roc_stable_fit, rirls
D, n, H = (int(v) for v in open(sys.argv[1] + "/shape.txt").read().split())
n = min(n, int(sys.argv[2]))
days = np.fromfile(sys.argv[1] + "/days.bin")
y = np.fromfile(sys.argv[1] + "/values.bin", count=D * n).reshape(n, D).T[:H].copy()
t = 2 * np.pi * days[:H] / 365.2425
X = np.column_stack([np.ones(H), np.cos(t), np.sin(t)])
out = {}
for name, fit in (("roc", lambda v: roc_stable_fit(X, v, days[:H].astype(np.int64))), ("rirls", lambda v: rirls(X, v))):
    fit(y[:, :50].copy())
    clock = time.process_time()
    found = fit(y.copy())
    out[name] = n / (time.process_time() - clock)
    np.save(sys.argv[1] + f"/nrt_{name}.npy", found[3] if name == "roc" else found[0])
    if name == "roc":
        np.save(sys.argv[1] + "/nrt_stable.npy", found[2])
print(json.dumps(out))
"""


def make(folder: Path, count: int) -> None:
    """A third quiet, a third with a drop after the history, a third with a step inside it; 35 % cloud, a date every 16 days."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(20)
    days = np.arange(0, 365 * 5, 16.0)
    dates, history = len(days), int((days < 365 * 3).sum())
    y = 0.5 + 0.2 * np.cos(2 * np.pi * (days[:, None] - 200) / 365.2425 + rng.uniform(-0.3, 0.3, count)) + rng.normal(0, 0.04, (dates, count))
    kind = np.arange(count) % 3
    at, size = rng.uniform(365 * 3.1, 365 * 4.6, count), rng.uniform(0.03, 0.25, count)
    y -= np.where((kind == 1) & (days[:, None] >= at), size, 0)
    at, size = rng.uniform(365 * 0.5, 365 * 2.5, count), rng.uniform(0.03, 0.25, count)
    y += np.where((kind == 2) & (days[:, None] < at), size, 0)
    y[rng.random(y.shape) < 0.35] = np.nan
    y.T.astype(float).tofile(folder / "values.bin")
    days.tofile(folder / "days.bin")
    (folder / "shape.txt").write_text(f"{dates} {count} {history}\n")


def reference(folder: Path, count: int, step: int = 20_000) -> None:
    """Run R over the series, some at a time."""
    for first in range(0, count, step):
        subprocess.run(["Rscript", str(Path(__file__).with_name("series_reference.R")), str(folder), str(first), str(min(first + step, count))], check=True)


def ours(y: np.ndarray, days: np.ndarray, history: int, critical: float | None) -> dict[str, np.ndarray]:
    """Start of the stable history as a place among the clear dates; first alarms as numbers of clear dates after the history, 0 for none."""
    past, when = y[:history], days[:history]
    model, first = fit_stable(past, when, order=1, trend=False)
    clear = np.isfinite(y)
    start = np.where(first >= 0, np.take_along_axis(np.cumsum(clear[:history], axis=0), np.maximum(first, 0)[None], axis=0)[0], 0)
    after = np.cumsum(clear[history:], axis=0)
    plain = fit_season(past, when, order=1, trend=False, passes=1)
    out = {"start": start}
    for name, values, season in (("alarm_stable", np.vstack([stable_only(past, first), y[history:]]), model), ("alarm", y, plain)):
        found = mosum_monitor(values, days, season, history=history, least_sigma=1e-12, critical=critical).date_index
        out[name] = np.where(found >= 0, np.take_along_axis(after, np.maximum(found, 0)[None], axis=0)[0], 0)
    return out


def agreement(theirs: np.ndarray, mine: np.ndarray) -> str:
    """Equal flags, and equal numbers where both have one."""
    both = (theirs > 0) & (mine > 0)
    off = np.abs(theirs[both] - mine[both])
    flags = f"flags equal {np.mean((theirs > 0) == (mine > 0)):.4%} (theirs {np.mean(theirs > 0):.2%}, ours {np.mean(mine > 0):.2%})"
    return f"{flags}; of {both.sum()} in both, dates equal {np.mean(off == 0):.4%}, within one {np.mean(off <= 1):.4%}"


def main() -> None:
    """Compare, print one line a question."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=2000)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--compare-only", action="store_true")
    parser.add_argument("--peer", type=Path, default=None, help="environment that holds nrt")
    parser.add_argument("--peer-series", type=int, default=3000)
    said = parser.parse_args()
    if not said.compare_only:
        make(said.folder, said.series)
        reference(said.folder, said.series)
    dates, count, history = (int(v) for v in (said.folder / "shape.txt").read_text().split())
    found = sorted(said.folder.glob("reference_*.csv"), key=lambda p: int(p.stem.split("_")[1]))
    table = pd.concat([pd.read_csv(p) for p in found], ignore_index=True).fillna(0)
    days = np.fromfile(said.folder / "days.bin")
    y = np.fromfile(said.folder / "values.bin", count=dates * len(table)).reshape(len(table), dates).T.copy()
    print(f"{len(table)} of {count} series, load {os.getloadavg()[0]:.1f}")
    for words, critical in (("strucchange's critical value", THEIR_CRITICAL), ("our simulated critical value", None)):
        clock = time.process_time()
        mine = ours(y, days, history, critical)
        print(f"{words}: {len(table) / (time.process_time() - clock):,.0f} series a second of CPU")
        print(f"  start of the stable history: equal {np.mean(mine['start'] == table['start']):.4%}, within one clear date {np.mean(np.abs(mine['start'] - table['start']) <= 1):.4%}")
        for name in ("alarm", "alarm_stable"):
            print(f"  {name}: {agreement(table[name].to_numpy(), mine[name])}")
    if said.peer:
        _nrt(said.folder, y, days, history, said.peer, min(said.peer_series, len(table)), table)


def _nrt(folder: Path, y: np.ndarray, days: np.ndarray, history: int, peer: Path, count: int, table: pd.DataFrame) -> None:
    from qianmo.survey.change.stable import fit_robust, stable_from

    one = os.environ | {"NUMBA_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([str(peer / "bin" / "python"), "-c", NRT, str(folder), str(count)], capture_output=True, text=True, check=True, env=one)
    past, when = y[:history, :count], days[:history]
    mine = stable_from(past, when, order=1, trend=False)
    stable, start = np.load(folder / "nrt_stable.npy"), np.load(folder / "nrt_roc.npy").astype(float)
    theirs = days[np.maximum(mine, 0)]
    place = np.cumsum(np.isfinite(past), axis=0)
    reference_day = np.array([when[np.searchsorted(place[:, k], table["start"].iloc[k])] for k in range(count)])
    print(f"nrt, {count} series: {done.stdout.strip().splitlines()[-1]} series a second of CPU")
    print(f"  start equal to ours {np.mean(start[stable] == np.floor(theirs[stable])):.2%}, to strucchange {np.mean(start[stable] == np.floor(reference_day[stable])):.2%} of {stable.sum()} that nrt calls stable")
    robust = fit_robust(past, when, order=1, trend=False, rounds=50, near=1e-6).coefficients
    off = np.abs(np.load(folder / "nrt_rirls.npy") - robust)
    print(f"  bisquare: median difference {np.nanmedian(off):.1e}, 99th percentile {np.nanpercentile(off, 99):.1e} (noise of a date 0.04)")


if __name__ == "__main__":
    main()
