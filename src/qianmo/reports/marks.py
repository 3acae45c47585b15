"""Which invented inputs a result rests on (合成数据标记)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

__all__ = ["ALL", "MARK", "Synthetic", "marked"]

MARK = "含合成数据"
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
