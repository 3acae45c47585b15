"""Ingest the French, Czech and Taiwanese layers beside the repository, when they are there, and print what came in."""

import tempfile
from pathlib import Path

from qianmo.jobs.context import Context
from qianmo.jobs.ingest.base import ingest
from qianmo.jobs.recipe import Recipe, SourceRecipe

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SOURCES = (
    (SourceRecipe(DATA / "zoning-tw" / "K0303.gpkg.zip", table="planning_zone"), 3826),
    (SourceRecipe(DATA / "zoning-tw" / "M0106.gpkg.zip", table="planning_zone"), 3826),
    (SourceRecipe(DATA / "cadastre-cz-saladin" / "parcels.gpkg", table="parcel"), 5514),
    (SourceRecipe(DATA / "cadastre-fr-village" / "cadastre.gpkg.zip"), 2154),
)


def main() -> None:
    """Say what is missing, run what is there."""
    for source, crs in SOURCES:
        if not source.path.exists():
            print(f"{source.path.name}: not present beside the repository, left out")
            continue
        with tempfile.TemporaryDirectory() as folder:
            report = ingest(Context(user="example"), Recipe((source,), crs=crs), Path(folder) / "project")
        print(source.path.name)
        print("\n".join(report.lines))


if __name__ == "__main__":
    main()
