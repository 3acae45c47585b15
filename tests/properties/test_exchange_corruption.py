"""A thousand broken certificates, one thing wrong in each, are all refused; the unbroken one stands."""

from __future__ import annotations

import json

import numpy as np

from qianmo.planning.readjustment.exchange import ExchangeSettings, exchange
from qianmo.planning.readjustment.exchange_certificate import exchange_certificate
from qianmo.planning.readjustment.exchange_verify import verify_exchange
from qianmo.planning.readjustment.holdings import holdings
from qianmo.planning.readjustment.make_village_exchange import village_exchange

POOL = ("price", "ship_fen", "value_fen", "wanted_fen", "ship_owner", "ship_parcel", "site_x", "site_y", "x", "y", "owner_before", "bonus")
PLACES = (*POOL, "objective", "gap", "piece_owner", "piece_value", "piece_area", "distance", "blocks")


def broken(record: dict, rng: np.random.Generator) -> str:
    """Change one entry of the record and say which."""
    where = PLACES[int(rng.integers(len(PLACES)))]
    pool, pieces, owners = record["pools"][0], record["pieces"], record["owners"]
    k, n = len(pool["owner_id"]), len(pool["x"])
    at = int(rng.integers(len(pool[where]))) if where in POOL else int(rng.integers(k))
    if where in ("ship_owner", "owner_before"):
        pool[where][at] = (pool[where][at] + int(rng.integers(1, k))) % k
    elif where == "ship_parcel":
        pool[where][at] = (pool[where][at] + int(rng.integers(1, n))) % n
    elif where in ("x", "y", "site_x", "site_y"):
        pool[where][at] += float(rng.choice([-1, 1]) * rng.uniform(1, 50))
    elif where in POOL:
        pool[where][at] += int(rng.choice([-1, 1]) * rng.integers(1, 10**6))
    elif where in ("objective", "gap"):
        record[where] += 1
    elif where == "piece_owner":
        pieces["owner_id"][at] = next(o for o in owners["owner_id"] if o != pieces["owner_id"][at])
    elif where in ("piece_value", "piece_area"):
        pieces["value_fen" if where == "piece_value" else "area_dm2"][at] += 1
    elif where == "distance":
        owners["distance_after_m"][at] = owners["distance_before_m"][at] * 1.01
    else:
        owners["blocks_after"][at] = owners["blocks_before"][at] + 1
    return where


def test_a_thousand_broken_certificates_are_refused():
    parcels, owners = village_exchange(120, 6, rng=np.random.default_rng(3), homes="scattered")
    limits = ExchangeSettings()
    found = exchange(holdings(parcels, owners), settings=limits, progress=lambda words, share: None, stop=lambda: False)
    text = json.dumps(exchange_certificate(found, limits))
    assert all(c["ok"] for c in verify_exchange(json.loads(text)))
    rng, accepted = np.random.default_rng(1), []
    for _ in range(1000):
        record = json.loads(text)
        where = broken(record, rng)
        if all(c["ok"] for c in verify_exchange(record)):
            accepted.append(where)
    assert len(accepted) <= 1, accepted
