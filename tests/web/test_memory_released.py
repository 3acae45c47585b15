"""What lies idle is let go and read again when it is asked for; a desk that just started holds no large libraries."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from qianmo.jobs.queries.layers import MapLayers
from qianmo.jobs.queries.tile_memory import TileMemory


@pytest.fixture
def idle_project(desk):
    from qianmo.web.desk import _layers

    _layers.cache_clear()
    yield desk
    _layers.cache_clear()


def _tile(client) -> bytes:
    from qianmo.geo.tile_rings import tile_of
    from qianmo.jobs.queries.tiles import bounds_lonlat
    from qianmo.web.desk import layers

    west, south, east, north = bounds_lonlat(layers().head("landuse_patch"))
    x, y = tile_of((west + east) / 2, (south + north) / 2, 14)
    answer = client.get(f"/tiles/{layers().version('landuse_patch')}/landuse_patch/14/{x}/{y}.mvt")
    assert answer.status_code == 200 and len(answer.content) > 1000
    return answer.content


def test_a_layer_that_was_let_go_is_read_again_and_gives_the_same_tile(idle_project, signed_in):
    from qianmo.web.desk import layers, release_idle

    client = signed_in("planner")
    first = _tile(client)
    assert release_idle(0.0) >= 1 and not layers()._ready and layers().tiles.held == 0
    assert release_idle(0.0) == 0, "nothing is left to let go"
    assert _tile(client) == first and set(layers()._ready) == {"landuse_patch"}


def test_a_layer_in_use_stays(idle_project):
    from qianmo.web.desk import layers, release_idle

    held = layers().layer("landuse_patch")
    assert release_idle(600.0) == 0 and layers().layer("landuse_patch") is held


def test_one_idle_layer_goes_and_the_busy_one_stays_with_its_tiles(idle_project):
    kept = MapLayers(idle_project)
    kept.layer("landuse_patch")
    busy = kept.layer("village")
    kept._used["landuse_patch"] -= 1000.0
    kept.tiles.get(("x",), lambda: b"tile")
    assert kept.let_go(900.0) == 1 and kept.layer("village") is busy and kept.tiles.held == 4


def test_letting_go_while_others_ask_gives_everybody_a_whole_layer(idle_project):
    kept, found, rows = MapLayers(idle_project), [], MapLayers(idle_project).layer("landuse_patch").table.num_rows

    def ask() -> None:
        for _ in range(15):
            found.append(kept.layer("landuse_patch").table.num_rows)

    people = [threading.Thread(target=ask) for _ in range(4)]
    for p in people:
        p.start()
    while any(p.is_alive() for p in people):
        kept.let_go(0.0)
    assert len(found) == 60 and set(found) == {rows}


def test_tiles_that_are_cleared_are_made_again():
    memory = TileMemory(800)
    assert memory.get("k", lambda: b"a") == b"a"
    memory.clear()
    assert memory.held == 0 and memory.get("k", lambda: b"b") == b"b"


def test_a_started_desk_has_loaded_neither_compiled_code_nor_rasters_nor_scipy(idle_project, tmp_path):
    program = f"""
import sys
from pathlib import Path
from qianmo.web.settings import configure
configure(Path({str(tmp_path)!r}), setup_token="word")
import django
django.setup()
import qianmo.web.routes
print(sorted({{"numba", "rasterio", "scipy", "matplotlib", "ortools", "sklearn"}} & set(sys.modules)))
from qianmo.jobs.queries.layers import steady_memory
import pyarrow
steady_memory()
print(pyarrow.default_memory_pool().backend_name)
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split("\n")
    assert told[0] == "[]" and told[1] == "system", told
