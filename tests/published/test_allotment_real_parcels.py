"""Real parcels of a Czech cadastre as blocks: each is cut exactly, or refused in words; soil prices are the official ones."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.planning.allotment.frontage import frontage_of
from qianmo.planning.allotment.partition import fitting_axis, partition, soil_pieces
from qianmo.planning.allotment.ruled import ruled_partition, ruling_of
from qianmo.schema.errors import InfeasibleError, TopologyError


def lower_side(block: shapely.Polygon) -> shapely.LineString:
    """One long side of the parcel, end to end, stands in for the road, which the cadastre does not mark."""
    frame = np.asarray(shapely.oriented_envelope(block).exterior.coords)
    steps = np.diff(frame, axis=0)
    axis = steps[np.argmax(np.linalg.norm(steps, axis=1))]
    ring = np.asarray(shapely.orient_polygons(block).exterior.coords)[:-1, :2]
    along = ring @ axis
    ring = np.roll(ring, -int(np.argmin(along)), axis=0)
    return shapely.LineString(ring[: int(np.argmax(ring @ axis)) + 1])


def test_real_parcels_are_cut_to_the_crown_or_refused_in_words(shared_data):
    folder = shared_data / "cadastre-cz-saladin"
    parcels = gpd.read_file(folder / "parcels.gpkg")
    worth = float(pd.read_csv(folder / "bpej_prices.csv")["price_czk_m2"].median())
    blocks = [p for p in shapely.get_parts(parcels.geometry.to_numpy()) if p.area > 2000]
    exact = refused = 0
    for block in blocks:
        west, south, east, north = block.bounds
        middle = (west + east) / 2
        zones = np.array([shapely.box(west - 1, south - 1, middle, north + 1), shapely.box(middle, south - 1, east + 1, north + 1)])
        unit = np.array([worth, 2 * worth])
        front = frontage_of(block, lower_side(block), reach_m=1e-6)
        pieces, value = soil_pieces(block, zones, unit)
        share = np.array([3.0, 1.0, 2.0])
        try:
            axis = fitting_axis(block, pieces, value, front, cut="perpendicular", lots=3)
            if axis is None:
                made = ruled_partition(block, share, pieces, value, ruling_of(block, front))
            else:
                made = partition(block, share, pieces, value, front, axis)
        except (TopologyError, InfeasibleError) as error:
            assert error.cure
            refused += 1
            continue
        got = np.array([float(shapely.area(shapely.intersection(zones, lot)) @ unit) for lot in made.lots])
        assert np.abs(got / got.sum() - share / 6).max() < 1e-8
        assert shapely.union_all(made.lots).symmetric_difference(block).area < 1e-5 and (made.frontage_m > 0).all()
        exact += 1
    assert exact + refused == len(blocks) and len(blocks) > 60
    assert exact >= 60, (exact, refused)
