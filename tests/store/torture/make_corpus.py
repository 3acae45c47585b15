"""The torture corpus: builds every case and sends it through guard, reading process and reader."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from case import SECRET, Case
from cases_archive import archive_cases
from cases_database import database_cases
from cases_shapefile import shapefile_cases
from cases_text import text_cases

from qianmo.schema.errors import QianmoError
from qianmo.store.guard_limits import default_limits
from qianmo.store.raw import Reading, Source
from qianmo.store.read_vector import read_sources
from qianmo.store.sources import list_sources

__all__ = ["Outcome", "corpus", "run_corpus"]


@dataclass
class Outcome:
    """What happened to one case; `changed` when the upload was not left as it was."""

    folder: Path
    error: QianmoError | None = None
    readings: list[Reading] = field(default_factory=list)
    changed: bool = False


def corpus() -> list[Case]:
    """All cases."""
    return [*shapefile_cases(), *text_cases(), *archive_cases(), *database_cases()]


def run_corpus(cases: Sequence[Case], root: Path) -> dict[str, Outcome]:
    """Build and run all cases; those that pass the guard are read together, by equal consent and limits."""
    (root / "secret.csv").write_text(f"name,x,y\n{SECRET},1,2\n", encoding="utf-8")
    (root / "work").mkdir()
    outcomes: dict[str, Outcome] = {}
    waiting: dict[tuple[object, object], list[tuple[Case, Source]]] = {}
    for number, case in enumerate(cases):
        folder = root / f"c{number}"
        folder.mkdir()
        built = case.build(folder)
        outcome = outcomes[case.name] = Outcome(folder)
        before = _state(folder)
        try:
            named = list(built) if isinstance(built, (list, tuple)) else [built]
            work = root / "work" / f"c{number}"
            work.mkdir()
            sources = list_sources(named, workdir=work, limits=default_limits(dict(case.limits)), consent=case.consent).sources
        except QianmoError as error:
            outcome.error = error
            sources = ()
        waiting.setdefault((case.consent, case.limits), []).extend((case, s) for s in sources)
        outcome.changed = _state(folder) != before
    for (consent, limits), pairs in waiting.items():
        _read_together(pairs, consent, limits, root / "work", outcomes)
    return outcomes


def _read_together(
    pairs: list[tuple[Case, Source]], consent: object, limits: object, work: Path, outcomes: dict[str, Outcome]
) -> None:
    for encoding in sorted({c.encoding or "" for c, _ in pairs}):
        some = [(c, s) for c, s in pairs if (c.encoding or "") == encoding]
        before = {c.name: _state(outcomes[c.name].folder) for c, _ in some}
        chosen = {s.sha256: encoding for _, s in some} if encoding else {}
        readings = read_sources(
            [s for _, s in some], workdir=work, limits=default_limits(dict(limits)), encodings=chosen, consent=consent
        )  # type: ignore[call-overload,arg-type]
        for (case, _), reading in zip(some, readings, strict=True):
            outcome = outcomes[case.name]
            outcome.readings.append(reading)
            outcome.error = outcome.error or reading.error
            outcome.changed = outcome.changed or _state(outcome.folder) != before[case.name]


def _state(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        digest.update(str(path).encode("utf-8", "surrogatepass"))
        if path.is_file() and not path.is_symlink():
            digest.update(path.read_bytes())
    return digest.hexdigest()
