"""One package with one content hash for every department of a joint review (送审包)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from qianmo.governance.review_content import record_hash
from qianmo.schema.errors import SchemaError

__all__ = ["DATA_KINDS", "KINDS", "PackageItem", "ReviewPackage", "package_changes", "package_from_record", "package_record", "review_package", "veiled_package"]

KINDS = ("plan", "layer", "table", "raster", "rules", "parameters", "checklist", "document")
"""What a package holds: 方案, 图层, 表, 栅格, 规则, 参数, 审查要点, 文件."""

DATA_KINDS = ("plan", "layer", "table", "raster")
"""Kinds whose parts are data with rights of their own (数据类内容)."""

_FORM = "qianmo review package 1"


@dataclass(frozen=True)
class PackageItem:
    """One part of a package (送审内容): what it is and the hash of its content.

    `version` is the date or edition of the data (layer version on the map chip); `rows` is -1 where nothing is counted.
    """

    kind: str
    name: str
    zh: str
    sha256: str
    version: str = ""
    rows: int = -1


@dataclass(frozen=True)
class ReviewPackage:
    """All that is reviewed, under one hash (送审包): the same for all departments."""

    project: str
    items: tuple[PackageItem, ...]
    sha256: str

    @property
    def version(self) -> str:
        """Short version id that people read to each other: the first twelve digits of the hash (版本号)."""
        return self.sha256[:12]

    def item(self, kind: str, name: str) -> PackageItem | None:
        """One part, None where the package lacks it."""
        return next((i for i in self.items if (i.kind, i.name) == (kind, name)), None)


def review_package(project: str, items: Iterable[PackageItem]) -> ReviewPackage:
    """Bind the parts under one hash (生成送审包); neither their order nor their Chinese titles matter.

    Raises
    ------
    SchemaError
        No parts, a part twice, an unknown kind, or a hash that is no SHA-256.
    """
    parts = tuple(sorted(items, key=lambda i: (KINDS.index(i.kind) if i.kind in KINDS else -1, i.name)))
    keys = [(i.kind, i.name) for i in parts]
    twice = sorted({k for k in keys if keys.count(k) > 1})
    wrong = [i for i in parts if i.kind not in KINDS or len(i.sha256) != 64 or not i.name]
    if not parts or twice or wrong:
        raise SchemaError(
            f"package of {len(parts)} parts; twice {twice}; wrong {[(i.kind, i.name) for i in wrong]}",
            expected=f"at least one part, each once, of kinds {', '.join(KINDS)}, with a SHA-256",
        )  # fmt: skip
    return ReviewPackage(project, parts, record_hash({"form": _FORM, "project": project, "items": [[i.kind, i.name, i.sha256, i.version, i.rows] for i in parts]}))


def package_record(package: ReviewPackage) -> dict[str, Any]:
    """The package as a record to keep (送审包清单)."""
    return {"form": _FORM, "project": package.project, "sha256": package.sha256, "items": [asdict(i) for i in package.items]}


def package_from_record(record: Mapping[str, Any]) -> ReviewPackage:
    """The package from its record, checked against its own hash (读取送审包).

    Raises
    ------
    SchemaError
        The list is not what the hash says: it was changed after the package was made.
    """
    made = review_package(str(record["project"]), [PackageItem(**i) for i in record["items"]])
    if made.sha256 != record["sha256"]:
        raise SchemaError(f"package {str(record['sha256'])[:12]} holds the content of {made.version}", expected="a list that was not changed", cure="从备份恢复送审包清单")
    return made


def veiled_package(package: ReviewPackage, hidden: Collection[str]) -> ReviewPackage:
    """The package as it is shown to somebody who may not see some of its data (遮蔽送审包).

    Plans, layers, tables and rasters of these names keep their place and kind and lose name, title, version, rows and hash; the hash
    of the whole stays, since everybody signs for the same.
    """
    items = tuple(PackageItem(i.kind, "", "", "") if i.kind in DATA_KINDS and i.name in hidden else i for i in package.items)
    return replace(package, items=items)


def package_changes(before: ReviewPackage, after: ReviewPackage) -> list[dict[str, str]]:
    """Parts that came, went or changed (送审包差异): rows with kind, name, zh, change (added, removed, changed), before, after."""
    old, new = ({(i.kind, i.name): i for i in p.items} for p in (before, after))
    rows = []
    for key in sorted(old.keys() | new.keys(), key=lambda k: (KINDS.index(k[0]), k[1])):
        a, b = old.get(key), new.get(key)
        if a == b:
            continue
        shown = b or a
        assert shown is not None
        change = "added" if a is None else "removed" if b is None else "changed"
        rows.append({"kind": key[0], "name": key[1], "zh": shown.zh, "change": change, "before": a.sha256[:12] if a else "", "after": b.sha256[:12] if b else ""})
    return rows
