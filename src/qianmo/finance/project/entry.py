"""One table of a project file, read key by key so that every fault names its place (逐键读取)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NoReturn

from qianmo.finance.project.positions import Path, line_of
from qianmo.finance.project.units import Quantity, quantity
from qianmo.finance.sheet.row import Source
from qianmo.schema.errors import FinanceInputError, SchemaError

__all__ = ["Entry", "document"]


@dataclass
class Entry:
    """A table of the file with its place; it remembers which keys were read (文件中的一张表)."""

    data: Mapping[str, Any]
    file: str
    path: Path
    lines: Mapping[Path, int]
    asked: set[str] = field(default_factory=set)
    origins: Mapping[Path, Source] = field(default_factory=dict)

    def fail(self, key: str, found: str, *, expected: str = "", cure: str = "") -> NoReturn:
        """Stop with the place of a key.

        Raises
        ------
        FinanceInputError
            Always.
        """
        raise FinanceInputError(found, file=self.file, line=line_of(self.lines, (*self.path, key)), key=self.name(key), expected=expected, cure=cure)

    def name(self, key: str = "") -> str:
        """The key as one reads it: ``line[lease].price``."""
        words = ""
        for part in self.path:
            words += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if words else str(part)
        own = self.data.get("id")
        if isinstance(own, str) and self.path and isinstance(self.path[-1], int):
            words = words[: words.rindex("[")] + f"[{own}]"
        return f"{words}.{key}" if words and key else words or key

    def source(self, key: str, text: str = "", confidence: str = "") -> Source:
        """Where a key is written, and where its value came from if it stands elsewhere."""
        own = (*self.path, key)
        found = [o for path, o in self.origins.items() if path[: len(own)] == own]
        words = "; ".join(dict.fromkeys(w for w in (*(o.text for o in found), text) if w))
        doubt = min((c for c in (confidence, *(o.confidence for o in found)) if c), key=("low", "medium", "high").index, default="")
        return Source(self.file, line_of(self.lines, own), self.name(key), words, doubt)

    def has(self, key: str) -> bool:
        """The key is written."""
        self.asked.add(key)
        return key in self.data

    def text(self, key: str, default: str | None = None, *, choices: Iterable[str] = ()) -> str:
        """A word, one of the choices where there are some."""
        value = self._value(key, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            self.fail(key, f"{value!r} 不是文字", expected="带引号的文字")
        known = tuple(choices)
        if known and value not in known:
            self.fail(key, f"{value!r} 不在可选值中", expected=", ".join(known))
        return value

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self._value(key, default)
        if not isinstance(value, bool):
            self.fail(key, f"{value!r} 不是是非值", expected="true 或 false")
        return value

    def number(self, key: str, default: float | None = None, *, least: float = -math.inf, most: float = math.inf) -> float:
        """A plain number or a percentage, within its bounds."""
        value = self._value(key, default)
        return self._bounded(key, self._plain(key, value), least, most)

    def numbers(self, key: str, *, least: float = -math.inf, most: float = math.inf) -> tuple[float, ...]:
        """A list of plain numbers or percentages; empty when the key is not written."""
        value = self._value(key, ())
        if not isinstance(value, list | tuple):
            self.fail(key, f"{value!r} 不是列表", expected="[ … ] 中的数值")
        return tuple(self._bounded(key, self._plain(key, v), least, most) for v in value)

    def integer(self, key: str, default: int | None = None, *, least: int, most: int) -> int:
        """A whole number within its bounds."""
        value = self._value(key, default)
        if isinstance(value, bool) or not isinstance(value, int):
            self.fail(key, f"{value!r} 不是整数", expected=f"{least} 至 {most} 的整数")
        return int(self._bounded(key, value, least, most))

    def day(self, key: str) -> date | None:
        """A date YYYY-MM-DD without quotes, or None."""
        value = self._value(key, "")
        if value == "":
            return None
        if not isinstance(value, date):
            self.fail(key, f"{value!r} 不是日期", expected="不带引号的日期, 如 2026-01-01")
        return value

    def amounts(self, key: str) -> tuple[Quantity, ...]:
        """A quantity with its unit, or a list of them to be multiplied; not negative."""
        value = self._value(key, None)
        found = []
        for part in value if isinstance(value, list) else [value]:
            if not isinstance(part, str):
                self.fail(key, f"{part!r} 没有单位", expected='带引号的数值与单位, 如 "1000 亩"')
            try:
                amount = quantity(part)
            except SchemaError as fault:
                self.fail(key, fault.found, expected=fault.expected, cure=fault.cure)
            if amount.value < 0:
                self.fail(key, f"{part!r} 为负", expected="不小于 0", cure="收支方向由科目 kind 决定, 数值一律写正数")
            found.append(amount)
        if not found:
            self.fail(key, "列表是空的", expected='至少一个数值与单位, 如 ["200 床", "365 天"]')
        return tuple(found)

    def child(self, key: str) -> Entry:
        """A table inside, empty when it is not written."""
        value = self._value(key, {})
        if not isinstance(value, Mapping):
            self.fail(key, f"{value!r} 不是一张表", expected="{ … } 或 [" + self.name(key) + "]")
        return Entry(value, self.file, (*self.path, key), self.lines, origins=self.origins)

    def children(self, key: str) -> list[Entry]:
        """The tables of a list ``[[key]]``."""
        value = self._value(key, [])
        if not isinstance(value, list) or not all(isinstance(v, Mapping) for v in value):
            self.fail(key, "应为若干张表", expected=f"[[{key}]]")
        return [Entry(v, self.file, (*self.path, key, n), self.lines, origins=self.origins) for n, v in enumerate(value)]

    def done(self) -> None:
        """Refuse keys that nobody read.

        Raises
        ------
        FinanceInputError
            A key is unknown, perhaps misspelt.
        """
        for key in self.data:
            if key not in self.asked:
                self.fail(key, f"不认识的键 {key!r}", expected=", ".join(sorted(self.asked)), cure="检查拼写")

    def _value(self, key: str, default: Any) -> Any:
        self.asked.add(key)
        if key in self.data:
            return self.data[key]
        if default is None:
            self.fail(key, f"缺少 {key}", expected=f"{self.name() or '文件'} 中要写 {key}")
        return default

    def _plain(self, key: str, value: Any) -> float:
        if isinstance(value, str) and value.strip().endswith(("%", "％")):
            try:
                value = quantity(value).value
            except SchemaError as fault:
                self.fail(key, fault.found, expected=fault.expected)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fail(key, f"{value!r} 不是数值", expected='数值, 或百分数如 "5 %"')
        if not math.isfinite(value):
            self.fail(key, f"{value!r} 不是有限的数", expected="有限的数值")
        return float(value)

    def _bounded(self, key: str, value: float, least: float, most: float) -> float:
        if not least <= value <= most:
            bounds = f"{least:g} 至 {most:g}" if most < math.inf else f"不小于 {least:g}"
            cure = "比例写小数或百分数: 70 % 写 0.7" if most == 1.0 else ""
            self.fail(key, f"{value:g} 超出范围", expected=bounds, cure=cure)
        return value


def document(data: Mapping[str, Any], file: str, lines: Mapping[Path, int], origins: Mapping[Path, Source] | None = None) -> Entry:
    """The whole file as one entry (整个文件); `origins` says where values that stand elsewhere came from."""
    return Entry(data, file, (), lines, origins=origins or {})
