"""People who pan over the map of the desk: which tiles their browsers ask for, and how fast these come (浏览地图).

Run as a process of its own, so that the lock of the server's interpreter is not shared; plain sockets, so that the callers take
little of the machine.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time

import numpy as np

from qianmo.geo.tile_rings import tile_of

__all__ = ["fetched", "pan"]

WIDE, HIGH = 5, 3
"""Tiles of 512 points in a window of 1,920 x 1,080 and its margin."""


def pan(box: tuple[float, float, float, float], zooms: tuple[int, ...], count: int, seed: int) -> list[tuple[int, int, int]]:
    """The next `count` tiles that browsers ask for, one person after the other: each comes somewhere, moves twelve times, and keeps what was seen.

    As a browser does that knows the bounds of the layer, tiles outside them are not asked for.
    """
    rng = np.random.default_rng(seed)
    west, south, east, north = box
    low, high = ([v / (1 << 20) for v in tile_of(*corner, 20)] for corner in ((west, north), (east, south)))
    wanted: list[tuple[int, int, int]] = []
    zoom = int(rng.choice(zooms))
    while len(wanted) < count:
        had: set[tuple[int, int, int]] = set()
        x, y = tile_of(rng.uniform(west, east), rng.uniform(south, north), zoom)
        for _ in range(12):
            for tile in ((zoom, x + i, y + j) for j in range(HIGH) for i in range(WIDE)):
                if tile not in had and _meets(tile, low, high):
                    had.add(tile)
                    wanted.append(tile)
            move = rng.uniform()
            if move < 0.75:
                x, y = x + int(rng.integers(-2, 3)), y + int(rng.integers(-1, 2))
            else:
                deeper = int(rng.choice(zooms))
                x, y, zoom = int(x * 2.0 ** (deeper - zoom)), int(y * 2.0 ** (deeper - zoom)), deeper
    return wanted[:count]


def _meets(tile: tuple[int, int, int], low: list[float], high: list[float]) -> bool:
    side = 1 << tile[0]
    return all(low[k] < (tile[k + 1] + 1) / side and tile[k + 1] / side <= high[k] for k in (0, 1))


def fetched(port: int, address: str, cookie: str, tiles: list[tuple[int, int, int]], until: float) -> tuple[int, int, int, list[float]]:
    """Fetch tiles one after the other on one connection: answers, those not empty, bytes, and the time of each. [s]"""
    link = socket.create_connection(("127.0.0.1", port))
    link.settimeout(60)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    filled = size = 0
    spent = []
    for zoom, x, y in tiles:
        if time.perf_counter() > until:
            break
        start = time.perf_counter()
        link.sendall(f"GET {address}/{zoom}/{x}/{y}.mvt HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept-Encoding: gzip, deflate, br\r\nCookie: {cookie}\r\n\r\n".encode())
        head, body = b"", b""
        while b"\r\n\r\n" not in head:
            head += _more(link)
        head, _, body = head.partition(b"\r\n\r\n")
        if head[9:12] not in (b"200", b"204"):
            raise RuntimeError(head.decode(errors="replace"))
        at = head.lower().find(b"content-length: ")
        length = int(head[at + 16 :].split(b"\r", 1)[0]) if at >= 0 else 0
        got = len(body)
        while got < length:
            got += len(_more(link))
        spent.append(time.perf_counter() - start)
        filled += length > 0
        size += length
    link.close()
    return len(spent), filled, size, spent


def _more(link: socket.socket) -> bytes:
    found = link.recv(1 << 18)
    if not found:
        raise RuntimeError("the server closed the connection")
    return found


def main() -> None:
    """``desk_pan.py PORT ADDRESS COOKIE 'WEST SOUTH EAST NORTH' 'ZOOMS' PEOPLE SECONDS SEED``: one line of JSON."""
    port, address, cookie, box, zooms, people, seconds, seed = sys.argv[1:]
    area = tuple(map(float, box.split()))
    depths = tuple(map(int, zooms.split()))
    journeys = [pan(area, depths, int(float(seconds) * 2500 / int(people)), int(seed) + n) for n in range(int(people))]
    found: list = []
    start = time.perf_counter()
    threads = [threading.Thread(target=lambda j=j: found.append(fetched(int(port), address, cookie, j, start + float(seconds)))) for j in journeys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall = time.perf_counter() - start
    times = np.concatenate([f[3] for f in found])
    count, filled, size = (sum(f[k] for f in found) for k in range(3))
    print(json.dumps({"tiles": count, "filled": filled, "bytes": size, "wall_s": wall, "cpu_s": time.process_time(), "p50_ms": float(np.median(times) * 1e3),
                      "p95_ms": float(np.percentile(times, 95) * 1e3)}))  # fmt: skip


if __name__ == "__main__":
    main()
