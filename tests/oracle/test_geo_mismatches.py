"""Polygons that do not fit their neighbours: asking about suspects only against asking about all."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from qianmo.geo.topology import mismatches


def mosaic(rng: np.random.Generator, n: int) -> np.ndarray:
    frame = shapely.box(0, 0, 1000, 1000)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(rng.uniform(0, 1000, (n, 2))), extend_to=frame))
    lines = shapely.union_all(shapely.boundary(shapely.intersection(cells, frame)))
    return shapely.get_parts(shapely.polygonize([shapely.set_precision(lines, 0.001)]))


def moved_vertex(cell: shapely.Polygon, rng: np.random.Generator, far: float) -> shapely.Polygon:
    ring = np.array(cell.exterior.coords)[:-1]
    ring[int(rng.integers(len(ring)))] += rng.uniform(-far, far, 2)
    return shapely.Polygon(ring)


def faulty(cells: np.ndarray, rng: np.random.Generator, kind: str) -> np.ndarray:
    out, some = cells.copy(), rng.choice(len(cells), 8, replace=False)
    if kind == "moved":
        out[some] = [moved_vertex(c, rng, 3.0) for c in cells[some]]
    elif kind == "nearly":  # below the rounding of the matching by edges
        out[some] = [moved_vertex(c, rng, 4e-5) for c in cells[some]]
    elif kind == "double":
        out = np.append(out, cells[some])
    elif kind == "inside":
        out = np.append(out, shapely.buffer(shapely.point_on_surface(cells[some]), 0.5))
    elif kind == "missing":
        out = np.delete(out, some)
    elif kind == "vertex":
        out[some] = shapely.segmentize(cells[some], 9.0)
    elif kind == "turned":
        out[some] = shapely.reverse(cells[some])
    elif kind == "tiny":
        ring = [np.array(c.exterior.coords) for c in cells[some]]
        out[some] = [shapely.Polygon(np.vstack([r[:1], r[:1] + 2e-5, r[1:]])) for r in ring]
    elif kind == "many":
        out = np.append(out, np.repeat(cells[:1], 110))
    return out[shapely.is_valid(out)]


@pytest.mark.parametrize("kind", ["none", "moved", "nearly", "double", "inside", "missing", "vertex", "turned", "tiny", "many"])
def test_suspects_alone_give_the_lines_of_the_whole_check(rng, kind):
    for gap in (0.0, 0.1):
        cells = faulty(mosaic(rng, 150), rng, kind)
        whole, found = shapely.coverage_invalid_edges(cells, gap), mismatches(cells, gap_m=gap)
        bad = ~shapely.is_empty(whole)
        assert np.array_equal(bad, ~(shapely.is_missing(found) | shapely.is_empty(found)))
        assert shapely.equals(whole[bad], found[bad]).all()
        assert bad.any() == (kind not in ("none", "missing", "turned"))
