"""Reading the sources of an ingest: guard, encoding, sandbox (读取来源)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from qianmo.jobs.recipe import Recipe, SourceRecipe
from qianmo.onemap.encoding import detect_encoding
from qianmo.schema.dataset import Candidate, Decision
from qianmo.schema.errors import ChoiceNeededError
from qianmo.store.guard import Consent
from qianmo.store.guard_limits import Limits
from qianmo.store.raw import Reading, Source
from qianmo.store.read_vector import read_sources, text_samples
from qianmo.store.sources import list_sources

__all__ = ["Read", "encoding_of", "read_recipe"]


@dataclass(frozen=True)
class Read:
    """One source as read, what the user said about it, and how its text was decoded (读取结果)."""

    reading: Reading
    said: SourceRecipe
    encoding: Decision | None

    def of_layer(self, name: str) -> Read:
        """The same with what the user said about one layer (单图层设置)."""
        return replace(self, said=self.said.said_of(f"{self.reading.source.origin}#{name}"))


def read_recipe(recipe: Recipe, *, workdir: Path, limits: Limits, consent: Consent) -> list[Read]:
    """Read all sources in one guarded process.

    Raises
    ------
    UnsafeInputError, EncodingError
        A source was refused.
    ChoiceNeededError
        The encoding of a source is not clear.
    """
    found: list[tuple[SourceRecipe, Source]] = []
    for number, said in enumerate(recipe.sources):
        folder = workdir / f"source{number}"
        folder.mkdir()
        listing = list_sources([said.path], workdir=folder, limits=limits, consent=consent, gather=bool(said.each))
        for origin, refusal in listing.refused:
            if not said.said_of(origin).skip:
                raise refusal
        known = [(said.said_of(s.origin), s) for s in listing.sources]
        found += [(one, s) for one, s in known if not one.skip]
    encodings: dict[str, Decision] = {}
    for said, source in found:
        decision = encoding_of(said, source)
        if decision is not None:
            encodings[source.sha256] = decision
    readings = read_sources(
        [s for _, s in found], workdir=workdir, limits=limits, encodings={k: d.chosen for k, d in encodings.items()}, consent=consent,
        plain={s.sha256 for said, s in found if said.plain},
    )
    for reading in readings:
        if reading.error is not None:
            raise reading.error
    return [Read(r, said, encodings.get(r.source.sha256)) for (said, _), r in zip(found, readings)]


def encoding_of(said: SourceRecipe, source: Source) -> Decision | None:
    """Encoding of the texts of a source: the user's word, else the clear winner; None where the format states it (文本编码).

    Raises
    ------
    ChoiceNeededError
        No candidate wins clearly.
    """
    samples = text_samples(source)
    if said.encoding:
        return Decision("文本编码", said.encoding, (Candidate(said.encoding, 1.0, ("用户指定",)),))
    if not samples:
        return None
    declared = source.declared_encoding
    decision = detect_encoding(samples, declared=declared)
    if not decision.is_clear:
        raise ChoiceNeededError(
            f"{source.origin}: 文本编码不明 (encoding is not clear)",
            choices=[f"{c.value} ({c.score:.2f}: {'; '.join(c.reasons)})" for c in decision.candidates], cure="用 --encoding 指定编码",
        )  # fmt: skip
    return decision
