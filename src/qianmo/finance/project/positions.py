"""On which line of a TOML file a key is written (键所在行号)."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["key_lines", "line_of"]

_TABLE = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:"[^"]*"|'[^']*'|[\w\-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w\-]+))*)\s*=(.*)$""")
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'')
Path = tuple[str | int, ...]


def key_lines(text: str) -> dict[Path, int]:
    """Line of every table and key at the start of a line (各键行号).

    Parameters
    ----------
    text : str
        A valid TOML document.

    Returns
    -------
    dict of path to int
        Path as ``("line", 2, "price")``: names, and from 0 the number of an entry of ``[[line]]``; lines from 1.
        Keys inside an inline table or a list have no entry of their own: see `line_of`.
    """
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    here: Path = ()
    depth, closing = 0, ""
    for number, written in enumerate(text.splitlines(), 1):
        if closing:
            closing = "" if closing in written else closing
            continue
        if depth > 0:
            depth += _opened(written)
            continue
        table = _TABLE.match(written)
        if table:
            here = _entered(table[1] == "[[", _names(table[2]), counts)
            found.setdefault(here, number)
            continue
        key = _KEY.match(written)
        if key:
            found.setdefault((*here, *_names(key[1])), number)
            closing = next((q for q in ('"""', "'''") if key[2].count(q) == 1), "")
            depth = 0 if closing else _opened(key[2])
    return found


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """Line of a key, else of the table around it, else 0 (键或其所在表的行号)."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return 0


def _entered(is_list: bool, names: tuple[str, ...], counts: dict[Path, int]) -> Path:
    path: Path = ()
    for k, name in enumerate(names):
        path = (*path, name)
        if is_list and k == len(names) - 1:
            counts[path] = counts.get(path, -1) + 1
            path = (*path, counts[path])
        elif path in counts:
            path = (*path, counts[path])
    return path


def _names(text: str) -> tuple[str, ...]:
    parts = re.findall(r"""("[^"]*"|'[^']*'|[\w\-]+)""", text)
    return tuple(p[1:-1] if p[0] in "\"'" else p for p in parts)


def _opened(written: str) -> int:
    """Brackets opened less brackets closed, outside quotes and comments."""
    bare = _QUOTED.sub("", written).split("#")[0]
    return bare.count("[") + bare.count("{") - bare.count("]") - bare.count("}")
