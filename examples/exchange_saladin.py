"""A real exchange between the owners of a Czech cadastre, when the data are beside the repository: ingest, value, exchange."""

import sys
import tempfile
from pathlib import Path

import pandas as pd

from qianmo.jobs.context import Context
from qianmo.jobs.ingest.base import ingest
from qianmo.jobs.planning.exchange_land import run
from qianmo.jobs.recipe import Recipe, SourceRecipe

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "cadastre-cz-saladin"


def main(data: Path = DATA, folder: Path | None = None) -> tuple[str, ...]:
    """Exchange whole parcels within the Czech tolerances and return the lines of the report."""
    if not (data / "parcels.gpkg").exists():
        return (f"{data.name}: not present beside the repository, left out",)
    home = folder or Path(tempfile.mkdtemp())
    context = Context(user="example")
    ingest(context, Recipe((SourceRecipe(data / "parcels.gpkg", table="parcel"),), crs=5514), home / "project")
    _values(data).to_csv(home / "values.csv", index=False)
    asked = {
        "project": str(home / "project"), "rights": str(data / "rights.csv"), "values": str(home / "values.csv"), "anchors": None, "whole": True,
        "value_tolerance": 0.04, "distance_tolerance": 0.20, "area_tolerance": 0.10, "gap": 10.0, "across_collectives": False, "out": None, "json": False,
    }  # fmt: skip
    return run(context, asked).lines


def _values(data: Path) -> pd.DataFrame:
    """Base value of each agricultural parcel from its soil units. [CZK/m2]"""
    soil = pd.read_csv(data / "soil_units.csv", dtype={"parcel_id": str, "bpej": str})
    price = pd.read_csv(data / "bpej_prices.csv", dtype={"bpej": str}).set_index("bpej")["price_czk_m2"]
    sums = soil.assign(value=soil["area_m2"] * soil["bpej"].map(price)).groupby("parcel_id")[["value", "area_m2"]].sum()
    return pd.DataFrame({"parcel_id": sums.index, "value_yuan_m2": (sums["value"] / sums["area_m2"]).to_numpy(), "use_class": "agricultural"})


if __name__ == "__main__":
    print("\n".join(main(*(Path(a) for a in sys.argv[1:2]))))
