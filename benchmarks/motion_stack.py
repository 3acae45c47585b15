"""Make a large stack of interferograms on disk, run the real `qianmo motion` on it, and report wall time, CPU time and peak memory of every stage.

    python benchmarks/motion_stack.py --rows 4000 --columns 4000 --dates 100 --folder /some/disk --seconds 280

The stack is in the flat GAMMA form, one repeated tile with noise of its own in each pair; the coherence is one file under many names. A run
that reaches ``--seconds`` is killed; started again with ``--again`` it goes on from its finished blocks, and the figures add up.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

import numpy as np


def make_stack(folder: Path, rows: int, columns: int, dates: int, steps: tuple[int, ...], tile_rows: int = 100) -> int:
    """Write the files; the number of pairs."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(1)
    days = [date(2021, 1, 3) + timedelta(12 * k) for k in range(dates)]
    pairs = [(k, k + m) for m in steps for k in range(dates - m)]
    y, x = np.mgrid[0:tile_rows, 0:columns]
    rate = -40.0 * np.exp(-(((x % 500) - 250) ** 2 / 8000 + (y - tile_rows / 2) ** 2 / 800))
    to_phase = -4 * np.pi / 55.466
    air = [rng.normal(0, 4.0, (tile_rows // 10 + 1, columns // 100 + 1)).repeat(10, 0).repeat(100, 1)[:tile_rows, :columns] for _ in days]
    text = {"DEM_projection": "EQA", "data_format": "REAL*4", "width": columns, "nlines": rows, "corner_lat": 35.0, "corner_lon": 113.0, "post_lat": -0.0004, "post_lon": 0.0004}
    (folder / "map.dem_par").write_text("".join(f"{k}: {v}\n" for k, v in text.items()))
    coherence = rng.uniform(0.4, 0.9, (tile_rows, columns)).astype(">f4").tobytes()
    whole, rest = divmod(rows, tile_rows)
    (folder / "coherence.bin").write_bytes(coherence * whole + coherence[: rest * columns * 4])
    for a, b in pairs:
        name = f"{days[a]:%Y%m%d}-{days[b]:%Y%m%d}"
        moved = rate * (b - a) * 12 / 365.25 + air[b] - air[a]
        tile = (moved * to_phase + rng.normal(0, 0.2, moved.shape)).astype(">f4").tobytes()
        with (folder / f"{name}.unw").open("wb") as out:
            for _ in range(whole):
                out.write(tile)
            out.write(tile[: rest * columns * 4])
        os.link(folder / "coherence.bin", folder / f"{name}.cc")
    (folder / "coherence.bin").unlink()
    return len(pairs)


class Stages:
    """Wall time, CPU time and largest memory of a program between the lines of progress it prints; numbered blocks of one stage count together."""

    def __init__(self, process: int) -> None:
        self.process, self.name = process, "start"
        self.rows: dict[str, list[float]] = {}
        self.before = (time.perf_counter(), 0.0)

    def listen(self, lines: Iterable[str]) -> None:
        """Take the name of the stage from each line of progress."""
        for line in lines:
            found = re.match(r"\[\s*\d+%\]\s+(.*?)(\s+\d+/\d+)?\s*$", line)
            if found:
                self.name = found.group(1)
            else:
                print(line.rstrip(), flush=True)

    def look(self) -> None:
        """Add what the program used since the last look to the stage under way."""
        try:
            status = Path(f"/proc/{self.process}/status").read_text()
            ticks = Path(f"/proc/{self.process}/stat").read_text().rsplit(")", 1)[1].split()[11:15]
        except OSError:
            return
        size = {m.group(1): int(m.group(2)) / 1024 for m in re.finditer(r"(VmRSS|RssAnon):\s+(\d+) kB", status)}
        now = (time.perf_counter(), sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"))
        row = self.rows.setdefault(self.name, [0.0, 0.0, 0.0, 0.0])
        row[0] += now[0] - self.before[0]
        row[1] += now[1] - self.before[1]
        row[2], row[3] = max(row[2], size.get("VmRSS", 0.0)), max(row[3], size.get("RssAnon", 0.0))
        self.before = now

    def tell(self) -> None:
        """One line a stage."""
        for name, (wall, cpu, resident, own) in self.rows.items():
            print(f"{name}: wall {wall:.1f} s, CPU {cpu:.1f} s, at most {resident:.0f} MiB resident, {own:.0f} MiB of them its own", flush=True)


def main() -> None:
    """Make, run, report."""
    parser = argparse.ArgumentParser()
    for name, default in (("rows", 500), ("columns", 500), ("dates", 30), ("memory", 1500), ("seconds", 600)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--steps", default="1,2,3")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--again", action="store_true", help="the stack is there; go on")
    parser.add_argument("--more", default="", help="further options of the command")
    said = parser.parse_args()
    if not said.again:
        start = time.perf_counter()
        many = make_stack(said.folder / "pairs", said.rows, said.columns, said.dates, tuple(int(s) for s in said.steps.split(",")))
        print(f"stack of {many} pairs made in {time.perf_counter() - start:.0f} s", flush=True)
        if said.seconds == 0:
            return
    command = [sys.executable, "-m", "qianmo.cli.main", "motion", str(said.folder / "pairs"), "--into", str(said.folder / "project"), "--incidence", "39", "--edge", "40",
               "--memory", str(said.memory), *said.more.split()]  # fmt: skip
    load, start = os.getloadavg()[0], time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"})
    stages = Stages(process.pid)
    threading.Thread(target=stages.listen, args=(process.stderr,), daemon=True).start()
    killed = False
    while process.poll() is None:
        time.sleep(0.1)
        stages.look()
        if time.perf_counter() - start > said.seconds:
            process.send_signal(signal.SIGKILL)
            killed = True
    stages.tell()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = {"wall_s": round(time.perf_counter() - start, 1), "cpu_s": round(used.ru_utime + used.ru_stime, 1), "peak_mb": round(used.ru_maxrss / 1024), "load": load, "killed": killed,
           "exit_code": process.returncode}  # fmt: skip
    print(json.dumps(out))


if __name__ == "__main__":
    main()
