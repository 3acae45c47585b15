"""The catalogue of a project by subject, with version, source, date and synthetic mark (数据目录)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from qianmo.schema.dataset import Dataset
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.tables import table_names, table_spec
from qianmo.store.project import Project, open_project
from qianmo.store.stage import read_catalog

__all__ = ["CatalogueEntry", "catalogue", "project_catalogue", "subjects"]


@dataclass(frozen=True)
class CatalogueEntry:
    """One dataset as the catalogue shows it (目录条目).

    `subject` is a row of ``codes/map_subjects.csv`` and `rank` its place there, by legal force; `is_drawn` is true where
    it has polygons, lines or points for the map.
    """

    dataset: Dataset
    subject: str
    rank: int
    is_drawn: bool

    @property
    def name(self) -> str:
        """Name of the dataset."""
        return self.dataset.name


def subjects() -> dict[str, tuple[str, str]]:
    """Subjects of the catalogue in the order of legal force: Chinese and English (专题)."""
    return {r["subject"]: (r["subject_zh"], r["subject_en"]) for r in shipped_rows("codes", "map_subjects")}


def project_catalogue(folder: Path) -> tuple[Project, tuple[CatalogueEntry, ...]]:
    """The project and its datasets in the order of the catalogue.

    Raises
    ------
    MissingDataError
        The folder is no project.
    """
    project = open_project(folder)
    return project, catalogue(project)


def catalogue(project: Project) -> tuple[CatalogueEntry, ...]:
    """Datasets of the current state, by legal rank and name (数据目录)."""
    entries = [_entry(d, project) for d in read_catalog(project.state).values()]
    return tuple(sorted(entries, key=lambda e: (e.rank, e.name)))


def _entry(dataset: Dataset, project: Project) -> CatalogueEntry:
    rows = shipped_rows("codes", "map_subjects")
    place = {kind: (n, r["subject"]) for n, r in enumerate(rows) for kind in r["kinds"].split(";")}
    rank, subject = place.get(dataset.kind, (len(rows), "other"))
    drawn = (dataset.kind not in table_names() or table_spec(dataset.kind).geometry != "none") and dataset.kind != "raster"
    return CatalogueEntry(dataset, subject, rank, drawn and (project.state / "layers" / f"{dataset.name}.parquet").is_file())
