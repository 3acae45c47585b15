"""Which of many texts hold some words, by one pass over all of them joined (文本包含查找)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Substrings"]


@dataclass(frozen=True, eq=False)
class Substrings:
    """Texts in small letters, one a line, and where each begins: shape (n,), ascending (文本索引)."""

    text: str
    starts: np.ndarray

    @staticmethod
    def of(values: Sequence[str]) -> Substrings:
        """The index of some texts; a line break inside a text counts as a blank."""
        small = [v.lower().replace("\n", " ") for v in values]
        lengths = np.fromiter((len(v) + 1 for v in small), np.int64, len(small))
        return Substrings("\n" + "\n".join(small) + "\n", 1 + np.concatenate([[0], np.cumsum(lengths[:-1])]) if len(small) else np.empty(0, np.int64))

    def holding(self, words: str) -> np.ndarray:
        """Numbers of the texts that hold the words, in small letters, ascending."""
        return self._at(words.replace("\n", " "), 0)

    def equal(self, words: str) -> np.ndarray:
        """Numbers of the texts that are the words, in small letters, ascending."""
        return self._at("\n" + words.replace("\n", " ") + "\n", 1)

    def _at(self, piece: str, skipped: int) -> np.ndarray:
        number = np.searchsorted(self.starts, np.fromiter(self._places(piece), np.int64) + skipped, side="right") - 1
        return number[np.diff(number, prepend=-1) > 0]

    def _places(self, piece: str) -> Iterator[int]:
        at = self.text.find(piece)
        while at >= 0:
            yield at
            at = self.text.find(piece, at + 1)
