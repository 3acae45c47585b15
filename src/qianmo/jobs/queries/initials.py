"""Initials of the pinyin of names (拼音首字母)."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["initials"]


def initials(names: Sequence[str]) -> tuple[str, ...]:
    """First letters of the pinyin of each name, small; what is no Chinese is left out but Latin letters and digits (拼音首字母).

    Words with several readings are read by the dictionary of phrases: 重庆 is ``cq``. The dictionary is read when first
    asked for (about 20 MB of memory), so a desk that nobody searches does without.
    """
    from pypinyin import Style, lazy_pinyin

    def letters(part: str) -> str:
        return "".join(c for c in part.lower() if c.isascii() and c.isalnum())

    return tuple("".join(lazy_pinyin(name, style=Style.FIRST_LETTER, errors=letters)) for name in names)
