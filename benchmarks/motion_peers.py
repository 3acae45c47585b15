"""The weighted inversion of 100 dates and 390 pairs: ours, MintPy file to file, insar-rs and SciPy, in one run.

    python benchmarks/motion_peers.py --rows 100 --columns 120 --peer /path/of/a/venv/with/mintpy

MintPy (GPL) and insar-rs live in an environment of their own and are only ever started as programs; nothing of them is imported here.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import h5py
import numpy as np

WAVELENGTH = 0.055466
OURS = """
import sys, json, time, os
from pathlib import Path
import numpy as np
from qianmo.store.guard_limits import default_limits
from qianmo.store.radar_stack import open_stack, read_rows
from qianmo.store.block_folder import open_blocks
from qianmo.survey.insar.inversion import coherence_weights, invert
from qianmo.survey.insar.network import make_network
source, work, at = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
limits = default_limits()
(work / "scratch").mkdir(parents=True)
stack = open_stack([source], limits=limits, workdir=work / "scratch")
network = make_network(stack.header.pairs)
phase, coherence = read_rows(stack, 0, stack.header.rows, limits=limits, workdir=work / "scratch")
phase -= phase[:, at][:, None]
series = invert(phase, network, weights=coherence_weights(coherence, looks=20.0))
open_blocks(work / "out", key={}).put("series", {"phase": series.phase_rad, "coherence": series.coherence, "used": series.used})
"""
RUST = """
import sys, time, json, h5py, numpy as np, insar_rs
with h5py.File(sys.argv[1]) as f:
    phase, names = f["unwrapPhase"][:], [[v.decode() for v in p] for p in f["date"][:]]
from datetime import date
days = sorted({n for p in names for n in p})
number = [date(int(d[:4]), int(d[4:6]), int(d[6:])).toordinal() for d in days]
first, second = [days.index(a) for a, _ in names], [days.index(b) for _, b in names]
clock, cpu = time.perf_counter(), time.process_time()
insar_rs.invert_sbas(phase, first, second, number, wavelength_m=0.055466)
print(json.dumps([time.perf_counter() - clock, time.process_time() - cpu]))
"""


def make(path: Path, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A MintPy stack of 100 dates and 390 pairs; phases (p, n), coherence, first and second index."""
    rng = np.random.default_rng(3)
    days = [date(2021, 1, 3) + timedelta(12 * k) for k in range(100)]
    pairs = [(k, k + m) for m in (1, 2, 3, 4) for k in range(100 - m)]
    first, second = (np.array([p[k] for p in pairs]) for k in (0, 1))
    n = rows * columns
    truth = np.cumsum(rng.normal(0, 0.3, (100, n)), axis=0).astype(np.float32)
    coherence = rng.uniform(0.3, 0.95, (len(pairs), n)).astype(np.float32)
    phase = (truth[second] - truth[first] + rng.normal(size=coherence.shape) * np.sqrt((1 - coherence**2) / (40 * coherence**2))).astype(np.float32)
    with h5py.File(path, "w") as out:
        out.attrs.update(
            {k: str(v) for k, v in {
                "FILE_TYPE": "ifgramStack", "WIDTH": columns, "LENGTH": rows, "X_FIRST": 113.0, "Y_FIRST": 35.0, "X_STEP": 0.0004, "Y_STEP": -0.0004, "X_UNIT": "degrees",
                "Y_UNIT": "degrees", "EPSG": 4326, "WAVELENGTH": WAVELENGTH, "UNIT": "radian", "REF_Y": 0, "REF_X": 0, "REF_LAT": 35.0, "REF_LON": 113.0, "NCORRLOOKS": 20.0, "ALOOKS": 4, "RLOOKS": 5,
                "PROJECT_NAME": "bench", "PROCESSOR": "isce", "PLATFORM": "Sen", "START_DATE": "20210103", "END_DATE": "20240404", "DATA_TYPE": "float32",
                "CENTER_LINE_UTC": 1000.0, "ORBIT_DIRECTION": "ASCENDING", "STARTING_RANGE": 845000.0, "RANGE_PIXEL_SIZE": 2.3, "EARTH_RADIUS": 6371000.0, "HEIGHT": 693000.0,
            }.items()}
        )  # fmt: skip
        out["date"] = np.array([[f"{days[a]:%Y%m%d}".encode(), f"{days[b]:%Y%m%d}".encode()] for a, b in pairs])
        out["unwrapPhase"], out["coherence"] = phase.reshape(-1, rows, columns), coherence.reshape(-1, rows, columns)
        out["bperp"], out["dropIfgram"] = rng.normal(0, 60, len(pairs)).astype(np.float32), np.ones(len(pairs), bool)
    return phase, coherence, first, second


def program(command: list[str], folder: Path, **more: str) -> tuple[float, float, str]:
    """Wall and CPU seconds of a program from its start to its end, and what it said."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=os.environ | more, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{command[:2]} failed: {(done.stderr or done.stdout)[-600:]}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def main() -> None:
    """Make the stack, run the ways in turn, compare their answers, print one line each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--columns", type=int, default=120)
    parser.add_argument("--peer", type=Path, default=None, help="environment that holds MintPy and insar-rs")
    parser.add_argument("--dense", type=int, default=200, help="pixels for SciPy")
    parser.add_argument("--many", type=int, default=200_000, help="pixels of the compiled inversion alone")
    said = parser.parse_args()
    one = {"NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}
    os.environ |= one
    rows: list[tuple[str, int, float, float, str]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "ifgramStack.h5"
        phase, coherence, first, second = make(path, said.rows, said.columns)
        n = phase.shape[1]
        from scipy.linalg import lstsq

        from qianmo.survey.insar.inversion import coherence_weights, invert
        from qianmo.survey.insar.network import design_matrix, make_network

        days = [date(2021, 1, 3) + timedelta(12 * k) for k in range(100)]
        network = make_network([(days[a], days[b]) for a, b in zip(first, second)])
        program([sys.executable, "-c", OURS, str(path), str(folder / "warm"), "0"], folder)
        wall, cpu, _ = program([sys.executable, "-c", OURS, str(path), str(folder / "ours"), "0"], folder)
        rows.append(("ours, file to file", n, wall, cpu, ""))
        answer = np.load(folder / "ours" / "out" / "series" / "phase.npy")
        base = phase - phase[:, :1]
        design, weight = design_matrix(network), coherence_weights(coherence[:, : said.dense], looks=20.0)
        clock, start = time.perf_counter(), time.process_time()
        dense = np.stack([lstsq(design * np.sqrt(weight[:, k, None]), base[:, k] * np.sqrt(weight[:, k]), lapack_driver="gelsd")[0] for k in range(said.dense)], axis=1)
        worst = np.abs(answer[1:, : said.dense] - dense).max()
        rows.append(("SciPy lstsq, in memory", said.dense, time.perf_counter() - clock, time.process_time() - start, f"ours differs by {worst:.1e} rad at most"))
        much = np.tile(base, (1, -(-said.many // n)))[:, : said.many]
        heavy = coherence_weights(np.tile(coherence, (1, -(-said.many // n)))[:, : said.many], looks=20.0)
        invert(base[:, :64], network, weights=heavy[:, :64])
        clock, start = time.perf_counter(), time.process_time()
        invert(much, network, weights=heavy)
        rows.append(("ours, in memory, with coherence", said.many, time.perf_counter() - clock, time.process_time() - start, "one thread"))
        if said.peer:
            (folder / "mintpy").mkdir()
            command = [str(said.peer / "bin" / "ifgram_inversion.py"), str(path), "-w", "fim", "--ram", "4"]
            wall, cpu, _ = program([str(said.peer / "bin" / "python"), *command], folder / "mintpy", MPLBACKEND="Agg")
            with h5py.File(folder / "mintpy" / "timeseries.h5") as out:
                theirs = out["timeseries"][:].reshape(100, -1)
            off = theirs - answer * (-WAVELENGTH / (4 * np.pi))
            rows.append(("MintPy -w fim, file to file", n, wall, cpu, f"rms against ours {np.sqrt((off**2).mean()) * 1000:.4f} mm, worst {np.abs(off).max() * 1000:.4f} mm"))
            _, _, text = program([str(said.peer / "bin" / "python"), "-c", RUST, str(path)], folder)
            wall, cpu = json.loads(text.strip().splitlines()[-1])
            rows.append(("insar-rs, no weights, in memory", n, wall, cpu, "one thread; no coherence"))
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    for what, count, wall, cpu, note in rows:
        print(f"{what:36} {count:8,d} px  wall {wall:8.2f} s  CPU {cpu:8.2f} s  {count / cpu:12,.0f} px/s of CPU  {note}")


if __name__ == "__main__":
    main()
