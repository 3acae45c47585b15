"""The desk over 300,000 parcels: tiles, red line, raster tiles, memory, and 50 people at once (网页工作台).

Everything is on the own machine: tiles first without HTTP, then the pages of ``qianmo serve`` on loopback.
"""

from __future__ import annotations

import http.client
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
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
CLASSES = ("0101", "0103", "0201", "0301", "0702", "1003", "1104")


def main() -> None:
    folder = Path(tempfile.mkdtemp()) / "county"
    make_county(folder)
    kept = MapLayers(folder)
    start = time.perf_counter()
    shown = kept.layer("landuse_patch")
    print(f"layer of {shown.table.num_rows:,} parcels read in {time.perf_counter() - start:.2f} s", flush=True)
    for zoom in (13, 14, 15, 16):
        time_tiles(shown, zoom)
    time_pictures(shown)
    time_red_line(shown)
    time_rasters(kept)
    time_pages(folder)
    shutil.rmtree(folder.parent)


def make_county(folder: Path) -> None:
    """A net of SIDE x SIDE bent parcels with 12 vertices each, and a raster of 2,000 x 2,000."""
    rng = np.random.default_rng(7)
    x, y = np.meshgrid(np.arange(3 * SIDE + 1) * CELL_M / 3, np.arange(3 * SIDE + 1) * CELL_M / 3)
    x, y = x + rng.uniform(-3, 3, x.shape) + 39_520_000, y + rng.uniform(-3, 3, y.shape) + 3_090_000
    di, dj = np.array([0, 0, 0, 0, 1, 2, 3, 3, 3, 3, 2, 1, 0]), np.array([0, 1, 2, 3, 3, 3, 3, 2, 1, 0, 0, 0, 0])
    i, j = np.divmod(np.arange(SIDE * SIDE), SIDE)
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
    start = time.perf_counter()
    for x, y in chosen:
        before = time.process_time()
        sizes.append(len(vector_tile(shown, zoom, x, y)))
        spent.append(time.process_time() - before)
    wall = time.perf_counter() - start
    print(f"z{zoom}: {len(chosen) / wall:.0f} tiles/s, {sum(spent) / len(spent) * 1e3:.2f} ms CPU mean, p95 {np.percentile(spent, 95) * 1e3:.2f} ms, largest {max(sizes):,} bytes", flush=True)


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
    wall, cpu = time.perf_counter(), time.process_time()
    found = over_layers([shown] * 12, line)
    print(f"red line, 2,000 vertices x {shown.table.num_rows:,} x 12 layers: {time.perf_counter() - wall:.2f} s wall, {time.process_time() - cpu:.2f} s CPU, {found[0].rows:,} rows each", flush=True)


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


def time_pages(folder: Path, *, users: int = 50, seconds: float = 12.0) -> None:
    """Ready time, memory, and pages under 50 people who read on loopback, one page a second each."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-u", "-m", "qianmo.cli.main", "serve", str(folder), "--no-browser", "--port", "0"], stdout=subprocess.PIPE, text=True)
    text = ""
    while "Ctrl+C" not in text:
        text += process.stdout.readline()
    ready = time.perf_counter() - start
    try:
        home, first = re.findall(r"http://\S+", text)[:2]
        idle = psutil.Process(process.pid).memory_info().rss / 1e6
        cookie = sign_in(first)
        spent: dict[str, list[float]] = {}
        pages = ["/", "/map/", "/map/style.json", "/layers/landuse_patch/", "/tasks/", "/lines/"]
        ask(home, pages, cookie, {}, 2.0, 0)
        people = [threading.Thread(target=ask, args=(home, pages, cookie, spent, seconds, n)) for n in range(users)]
        for person in people:
            person.start()
        for person in people:
            person.join()
        for page in pages:
            times = np.array(spent.get(page, [0.0])) * 1e3
            print(f"page {page}: {len(times)} answers, p50 {np.percentile(times, 50):.0f} ms, p95 {np.percentile(times, 95):.0f} ms", flush=True)
        held = psutil.Process(process.pid).memory_info().rss / 1e6
        print(f"desk: ready after {ready:.1f} s, {idle:.0f} MB before the first page, {held:.0f} MB with the county read, {users} people", flush=True)
    finally:
        process.kill()
        process.wait()


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
