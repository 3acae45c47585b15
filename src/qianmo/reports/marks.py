"""Which invented inputs a result rests on (合成数据标记)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["ALL", "MARK", "Synthetic", "mark_text", "marked"]

MARK = "含合成数据"
_SUFFIX = re.compile(r"\s*[（(]合成[)）]$")
ALL = "*"
"""Stands for every input in a list of uses: a plan rests on all of them."""

Synthetic = Mapping[str, str] | Sequence[str]
"""Dataset name → label of what is invented, or labels alone where it is not known which result uses which."""


def marked(synthetic: Synthetic, uses: Iterable[str]) -> tuple[str, ...]:
    """Labels of the invented inputs among those used, in the order given, each once.

    Examples
    --------
    >>> marked({"village": "行政村界", "eco_redline": "生态保护红线"}, ["village", "landuse_patch"])
    ('行政村界',)
    """
    if not isinstance(synthetic, Mapping):
        return tuple(dict.fromkeys(synthetic))
    used = set(uses)
    return tuple(dict.fromkeys(label for name, label in synthetic.items() if ALL in used or name in used))


def mark_text(labels: Sequence[str], *, most: int = 0) -> str:
    """The words of the mark, '' without labels (合成数据标记文字).

    With `most` only so many labels are named and the rest are counted, so that the mark fits into a header.

    Examples
    --------
    >>> mark_text(["村界(合成)", "地价(合成)", "三线"], most=2)
    '含合成数据：村界、地价等3项'
    """
    bare = [_SUFFIX.sub("", label) for label in labels]
    if not bare:
        return ""
    rest = f"等{len(bare)}项" if 0 < most < len(bare) else ""
    return f"{MARK}：{'、'.join(bare[: most or len(bare)])}{rest}"
