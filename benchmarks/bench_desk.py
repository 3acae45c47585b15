"""The desk over 300,000 parcels: tiles, red line, raster tiles, memory, and 50 people at once (网页工作台).

Everything is on the own machine: tiles first without HTTP, then the pages of ``qianmo serve`` on loopback.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from dataclasses import replace
from datetime import UTC, datetime
from http.cookiejar import CookieJar
from pathlib import Path

import affine
import geopandas as gpd
import numpy as np
import psutil
import shapely

from qianmo.geo.raster import Grid
from qianmo.geo.tile_rings import tile_of
from qianmo.jobs.queries.layers import MapLayers
from qianmo.jobs.queries.rasters import raster_of, raster_tile
from qianmo.jobs.queries.red_line import over_layers, red_line_from
from qianmo.jobs.queries.tiles import bounds_lonlat, picture_tile, vector_tile
from qianmo.schema.dataset import Dataset, Lineage
from qianmo.store.project import change

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SIDE = 548
CELL_M = 30.0
COUNTY_CELL_M = 58.0
"""Side of a parcel where 300,304 of them cover a county of 1,000 km2. [m]"""

ZOOMS = (13, 14, 15, 16, 17)
CLASSES = ("0101", "0103", "0201", "0301", "0702", "1003", "1104")


def main() -> None:
    """All rows in one run; ``--smoke`` is a small net for a quick look, ``--dense`` parcels of 0.09 ha."""
    words = argparse.ArgumentParser()
    words.add_argument("--smoke", action="store_true")
    words.add_argument("--dense", action="store_true")
    asked = words.parse_args()
    folder = Path(tempfile.mkdtemp()) / "county"
    make_county(folder, side=60 if asked.smoke else SIDE, cell_m=CELL_M if asked.dense else COUNTY_CELL_M)
    kept = MapLayers(folder)
    wall, cpu = time.perf_counter(), time.process_time()
    shown = kept.layer("landuse_patch")
    print(f"layer of {shown.table.num_rows:,} parcels read in {time.perf_counter() - wall:.2f} s wall, {time.process_time() - cpu:.2f} s CPU; {load()}", flush=True)
    for zoom in ZOOMS:
        time_tiles(shown, zoom)
    time_pictures(shown)
    time_red_line(shown)
    time_rasters(kept)
    time_server(folder, seconds=2.0 if asked.smoke else 6.0, users=10 if asked.smoke else 50)
    shutil.rmtree(folder.parent)


def load() -> str:
    return f"load {os.getloadavg()[0]:.1f}"


def make_county(folder: Path, *, side: int = SIDE, cell_m: float = COUNTY_CELL_M) -> None:
    """A net of side x side bent parcels with 12 vertices each, and a raster of 2,000 x 2,000."""
    rng, bend = np.random.default_rng(7), cell_m / 10
    x, y = np.meshgrid(np.arange(3 * side + 1) * cell_m / 3, np.arange(3 * side + 1) * cell_m / 3)
    x, y = x + rng.uniform(-bend, bend, x.shape) + 39_520_000, y + rng.uniform(-bend, bend, y.shape) + 3_090_000
    di, dj = np.array([0, 0, 0, 0, 1, 2, 3, 3, 3, 3, 2, 1, 0]), np.array([0, 1, 2, 3, 3, 3, 3, 2, 1, 0, 0, 0, 0])
    i, j = np.divmod(np.arange(side * side), side)
    r, c = 3 * i[:, None] + di, 3 * j[:, None] + dj
    ring = np.stack([x[r, c], y[r, c]], axis=-1)
    geoms = shapely.polygons(ring)
    code = np.array(CLASSES)[rng.integers(0, len(CLASSES), len(geoms))]
    frame = gpd.GeoDataFrame({"patch_id": [f"P{n:07d}" for n in range(len(geoms))], "class_code": code, "area_m2": shapely.area(geoms)}, geometry=geoms, crs=4527)
    lineage = Lineage("benchmark", "", "benchmark", NOW.isoformat(), "benchmark")
    heights = rng.normal(size=(2000, 2000)).cumsum(axis=0).astype(np.float32)
    grid = Grid(heights, affine.Affine(8, 0, 39_520_000, 0, -8, 3_106_000), frame.crs, None)
    with change(folder, what="net", user="benchmark", now=NOW, settings_text='[project]\nname = "net"\n') as stage:
        stage.put_layer(frame, Dataset("landuse_patch", "landuse_patch", "地类图斑", "EPSG:4527", "SD3", "", True, len(frame), lineage))
        stage.put_grid(grid, Dataset("movement", "raster", "形变", "EPSG:4527", "", "", True, heights.size, lineage))


def time_tiles(shown, zoom: int) -> None:
    """Tiles a second of one process, largest tile, CPU of the slowest twentieth."""
    west, south, east, north = bounds_lonlat(shown.head)
    (x0, y0), (x1, y1) = tile_of(west, north, zoom), tile_of(east, south, zoom)
    every = [(x, y) for x in range(x0, x1 + 1) for y in range(y0, y1 + 1)]
    chosen = [every[n] for n in np.random.default_rng(1).permutation(len(every))[:400]]
    sizes, spent = [], []
    vector_tile(shown, zoom, *chosen[0])  # compiled code is loaded here
    start = time.perf_counter()
    for x, y in chosen:
        before = time.process_time()
        sizes.append(len(vector_tile(shown, zoom, x, y)))
        spent.append(time.process_time() - before)
    wall = time.perf_counter() - start
    print(f"z{zoom}, no HTTP, nothing kept: {len(chosen) / wall:.0f} tiles/s, {np.mean(spent) * 1e3:.2f} ms CPU mean, p50 {np.median(spent) * 1e3:.2f}, p95 {np.percentile(spent, 95) * 1e3:.2f} ms, "
          f"largest {max(sizes):,} bytes; {load()}", flush=True)  # fmt: skip


def time_pictures(shown) -> None:
    """Picture tiles of small scales, after the first that makes the picture."""
    west, south, east, north = bounds_lonlat(shown.head)
    x, y = tile_of((west + east) / 2, (south + north) / 2, 12)
    start = time.perf_counter()
    first = picture_tile(shown, 12, x, y)
    made = time.perf_counter() - start
    start = time.process_time()
    for _ in range(20):
        picture_tile(shown, 12, x, y)
    print(f"picture z12: first {made:.2f} s, then {(time.process_time() - start) / 20 * 1e3:.2f} ms CPU, {len(first):,} bytes", flush=True)


def time_red_line(shown) -> None:
    """A red line of 2,000 vertices over twelve layers of 300,000 parcels."""
    west, south, east, north = bounds_lonlat(shown.head)
    angle = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    radius = 1 + 0.1 * np.sin(25 * angle)
    points = np.column_stack([(west + east) / 2 + radius * np.cos(angle) * (east - west) / 8, (south + north) / 2 + radius * np.sin(angle) * (north - south) / 8])
    line = red_line_from({"type": "Polygon", "coordinates": [[*points.tolist(), points[0].tolist()]]})
    over_layers([shown], line)
    walls, cpus = [], []
    for _ in range(5):
        layers = [replace(shown, made={}) for _ in range(12)]  # twelve layers of which nothing is known but what reading them gave
        wall, cpu = time.perf_counter(), time.process_time()
        found = over_layers(layers, line)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    print(f"red line, 2,000 vertices x {shown.table.num_rows:,} x 12 layers: {min(walls):.2f} s wall at best, median {np.median(walls):.2f}; {min(cpus):.2f} s CPU at best, median {np.median(cpus):.2f}; "
          f"{found[0].rows:,} rows each, {line.area_m2 / 1e6:.0f} km2; {load()}", flush=True)  # fmt: skip


def time_rasters(kept: MapLayers) -> None:
    """Warping once, then tiles at every depth."""
    start = time.perf_counter()
    raster = raster_of(kept, "movement")
    made = time.perf_counter() - start
    west, south, east, north = raster.box
    spent = []
    for zoom in range(max(raster.zoom - 3, 0), raster.zoom + 1):
        (x0, y0), (x1, y1) = tile_of(west, north, zoom), tile_of(east, south, zoom)
        for x in range(x0, min(x1, x0 + 7) + 1):
            for y in range(y0, min(y1, y0 + 7) + 1):
                before = time.process_time()
                raster_tile(raster, zoom, x, y)
                spent.append(time.process_time() - before)
    print(f"raster 2,000 x 2,000: warped in {made:.2f} s, tile {np.mean(spent) * 1e3:.2f} ms CPU, p95 {np.percentile(spent, 95) * 1e3:.2f} ms", flush=True)


def time_server(folder: Path, *, users: int, seconds: float) -> None:
    """Ready time, memory, tiles over HTTP, and pages under people who read one page a second each, on loopback."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-u", "-m", "qianmo.cli.main", "serve", str(folder), "--no-browser", "--port", "0"], stdout=subprocess.PIPE, text=True)
    text = ""
    while "Ctrl+C" not in text:
        text += process.stdout.readline()
    home, first = re.findall(r"http://\S+", text)[:2]
    urllib.request.urlopen(home + "health/").read()
    ready, seen = time.perf_counter() - start, psutil.Process(process.pid)
    try:
        print(f"desk: first answer {ready:.1f} s after the start of the process, {cpu_of(seen):.2f} s CPU, {held(seen)} then; {load()}", flush=True)
        cookie = sign_in(first)
        time_http_tiles(folder, home, cookie, seen, seconds)
        west, south, east, north = bounds_lonlat(MapLayers(folder).head("landuse_patch"))
        pages = ["/", "/map/", "/map/style.json", "/layers/landuse_patch/", "/tasks/", "/lines/", "/library/", "/reviews/", "/layers/landuse_patch/P0001234/",
                 f"/api/identify?lon={(west + east) / 2}&lat={(south + north) / 2}", "/api/search?q=P0001234"]  # fmt: skip
        for page in pages:
            ask(home, [page], cookie, {}, 0.01, 0)
        for page in pages:
            before, answered = cpu_of(seen), {}
            ask(home, [page], cookie, answered, 0.5, 0)
            print(f"page {page.split('?')[0]}: {(cpu_of(seen) - before) / len(answered[page]) * 1e3:.1f} ms CPU", flush=True)
        spent: dict[str, list[float]] = {}
        people = [threading.Thread(target=ask, args=(home, pages, cookie, spent, 2 * seconds, n + 1)) for n in range(users)]
        for person in people:
            person.start()
        for person in people:
            person.join()
        for page in pages:
            times = np.array(spent.get(page, [0.0])) * 1e3
            print(f"page {page.split('?')[0]}, {users} people: {len(times)} answers, p50 {np.percentile(times, 50):.0f} ms, p95 {np.percentile(times, 95):.0f} ms; {load()}", flush=True)
        times = np.concatenate([np.array(t) for t in spent.values()]) * 1e3
        print(f"all pages, {users} people: {len(times)} answers, p50 {np.percentile(times, 50):.0f} ms, p95 {np.percentile(times, 95):.0f} ms; {held(seen)} after it", flush=True)
    finally:
        process.kill()
        process.wait()


def time_http_tiles(folder: Path, home: str, cookie: str, seen: psutil.Process, seconds: float) -> None:
    """Eight people who pan: each zoom alone, then all of them mixed; tiles are kept between people, not between zooms."""
    address = "/tiles/x/landuse_patch"
    box = " ".join(map(str, bounds_lonlat(MapLayers(folder).head("landuse_patch"))))
    port = str(urllib.parse.urlparse(home).port)
    words = [sys.executable, str(Path(__file__).with_name("desk_pan.py")), port, address, cookie, box]
    subprocess.run([*words, "17", "1", "1", "99"], check=True, capture_output=True)  # the layer is read here
    for zooms in (*(str(z) for z in ZOOMS), " ".join(map(str, ZOOMS))):
        before = cpu_of(seen)
        told = json.loads(subprocess.run([*words, zooms, "8", str(seconds), "1"], check=True, capture_output=True, text=True).stdout)
        spent, count = cpu_of(seen) - before, told["tiles"]
        print(f"z{zooms} over HTTP: {count / told['wall_s']:.0f} tiles/s, {spent / count * 1e3:.2f} ms CPU of the server a tile, {told['cpu_s'] / count * 1e3:.2f} of the callers, "
              f"p50 {told['p50_ms']:.0f}, p95 {told['p95_ms']:.0f} ms, {told['bytes'] / count / 1e3:.0f} kB each; {load()}", flush=True)  # fmt: skip
    print(f"desk: {held(seen)} after the tiles", flush=True)


def cpu_of(process: psutil.Process) -> float:
    return sum(process.cpu_times()[:2])


def held(process: psutil.Process) -> str:
    return f"{process.memory_info().rss / 1e6:.0f} MB"


def sign_in(first: str) -> str:
    """The first person's session."""
    jar = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = opener.open(first).read().decode()
    fields = dict(re.findall(r'<input type="hidden" name="(csrfmiddlewaretoken)" value="([^"]*)"', page)) | {"token": first.partition("token=")[2]}
    password = "阡陌纵横-田间小路-2026"
    fields |= {"username": "主任", "password1": password, "password2": password}
    request = urllib.request.Request(first, data=urllib.parse.urlencode(fields).encode(), headers={"Referer": first})
    opener.open(request).read()
    return "; ".join(f"{c.name}={c.value}" for c in jar)


def ask(home: str, pages: list[str], cookie: str, spent: dict[str, list[float]], seconds: float, seed: int) -> None:
    """Read pages for some seconds, about one a second."""
    rng = np.random.default_rng(seed)
    link = http.client.HTTPConnection(urllib.parse.urlparse(home).netloc)
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        time.sleep(float(rng.uniform(0.5, 1.5)) if spent is not None and seed else 0.05)
        page = pages[int(rng.integers(len(pages)))]
        start = time.perf_counter()
        link.request("GET", page, headers={"Cookie": cookie})
        answer = link.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{page}: {answer.status}")
        spent.setdefault(page, []).append(time.perf_counter() - start)


if __name__ == "__main__":
    main()
