"""What each layer and table was made from, so that none is seen by who may not see its sources (数据来源追溯)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache

from qianmo.jobs.opened import TENURE_LAYERS
from qianmo.jobs.queries.catalogue import CatalogueEntry
from qianmo.schema.shipped import shipped_rows

__all__ = ["Origins", "data_of_job", "is_listed", "origins", "rights_of"]

_ON_THE_MAP, _SOURCES = "@map", "@sources"
"""Words of ``codes/made_from.csv``: the sources that evaluation and plan open, and all sources."""

_GIVEN_BY = ("ingest", "village", "library", "benchmark")
"""Last word of the tool of a dataset that came from a file or was invented, not made from other datasets."""


@dataclass(frozen=True)
class _Rule:
    """One row of the list: names or patterns of data, what they are made from, and whose other rights they have."""

    jobs: tuple[str, ...]
    data: tuple[str, ...]
    made_from: tuple[str, ...]
    rights_of: str


@dataclass(frozen=True, eq=False)
class Origins:
    """What the datasets of one state were made from (来源关系).

    `told` holds what the lineage of a dataset itself names (parameter ``made_from``); `unlisted` are datasets that some job made which the list does
    not know: they are taken to be made from everything.
    """

    names: frozenset[str] = frozenset()
    told: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unlisted: frozenset[str] = frozenset()
    found: dict[tuple[str, frozenset[str]], frozenset[str]] = field(default_factory=dict)

    def behind(self, name: str, pool: Collection[str]) -> frozenset[str]:
        """Which data of `pool` the dataset was made from, at any remove, itself left out (全部来源).

        `pool` may name data that are not in this state any more: what was made from them still is.
        """
        key = (name, frozenset(pool))
        if key not in self.found:
            if len(self.found) > 4000:
                self.found.clear()
            self.found[key] = self._behind(name, key[1])
        return self.found[key]

    def _behind(self, name: str, pool: frozenset[str]) -> frozenset[str]:
        known, todo, seen = pool | self.names, [name], {name}
        while todo:
            for made_from in self._directly(todo.pop(), known) - seen:
                seen.add(made_from)
                todo.append(made_from)
        return frozenset(seen & pool) - {name}

    def _directly(self, name: str, known: frozenset[str]) -> set[str]:
        if name in self.unlisted:
            return set(known)
        rule = _rule_of(name)
        words = (*(rule.made_from if rule else ()), *self.told.get(name, ()))
        return {n for word in words for n in self._named(word, known)}

    def _named(self, word: str, known: frozenset[str]) -> Iterable[str]:
        if word == _SOURCES:
            return (n for n in known if self._is_source(n))
        if word == _ON_THE_MAP:
            return (n for n in known if self._is_source(n) and n not in TENURE_LAYERS and not n.startswith("library_"))
        return (word,)

    def _is_source(self, name: str) -> bool:
        rule = _rule_of(name)
        return name not in self.unlisted and (rule is None or not rule.made_from)


def origins(entries: Iterable[CatalogueEntry]) -> Origins:
    """The relations of the datasets of a state (来源关系)."""
    datasets = [e.dataset for e in entries]
    told = {d.name: tuple(str(n) for n in d.lineage.parameters["made_from"]) for d in datasets if d.lineage.parameters.get("made_from")}
    made = (d for d in datasets if d.lineage.tool.startswith("qianmo ") and d.lineage.tool.rpartition(" ")[2] not in _GIVEN_BY)
    unlisted = frozenset(d.name for d in made if d.name not in told and _rule_of(d.name) is None and d.name not in TENURE_LAYERS)
    return Origins(frozenset(d.name for d in datasets), told, unlisted)


def is_listed(name: str) -> bool:
    """Whether the list says what such data are made from (是否已列来源)."""
    return _rule_of(name) is not None


def rights_of(name: str) -> str:
    """The dataset whose departments and region such data have where they have none of their own; '' for none (同权数据)."""
    rule = _rule_of(name)
    return rule.rights_of if rule and rule.rights_of != name else ""


def data_of_job(job: str) -> tuple[str, ...] | None:
    """Names or patterns of the data a job makes or tells of; None for a job that the list does not know (作业成果)."""
    rules = [r for r in _rules() if job in r.jobs]
    return tuple(d for r in rules for d in r.data) if rules else None


@cache
def _rule_of(name: str) -> _Rule | None:
    """The first row whose name or pattern fits; plain names before patterns."""
    exact = next((r for r in _rules() if name in r.data), None)
    return exact or next((r for r in _rules() if any("*" in d and fnmatchcase(name, d) for d in r.data)), None)


@cache
def _rules() -> tuple[_Rule, ...]:
    rows = shipped_rows("codes", "made_from")
    split = lambda text: tuple(w for w in text.split(";") if w)  # noqa: E731
    return tuple(_Rule(split(r["job"]), split(r["data"]), split(r["made_from"]), r["rights_of"]) for r in rows)
