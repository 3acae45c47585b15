"""Which of many texts hold some words, by one pass over all of them joined (文本包含查找)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Substrings"]


@dataclass(frozen=True, eq=False)
class Substrings:
    """Texts in small letters, one a line, and where each begins: shape (n,), ascending (文本索引).

    `hashes` are those of the texts, ascending, and `order` the text of each, so that a whole text is found without a pass over all.
    """

    text: str
    starts: np.ndarray
    hashes: np.ndarray
    order: np.ndarray

    @staticmethod
    def of(values: Sequence[str]) -> Substrings:
        """The index of some texts; a line break inside a text counts as a blank."""
        small = [v.lower().replace("\n", " ") for v in values]
        lengths = np.fromiter((len(v) + 1 for v in small), np.int64, len(small))
        starts = 1 + np.concatenate([[0], np.cumsum(lengths[:-1])]) if len(small) else np.empty(0, np.int64)
        hashes = np.fromiter(map(hash, small), np.int64, len(small))
        order = np.argsort(hashes, kind="stable").astype(np.int32)
        return Substrings("\n" + "\n".join(small) + "\n", starts, hashes[order], order)

    def holding(self, words: str) -> np.ndarray:
        """Numbers of the texts that hold the words, in small letters, ascending."""
        return self._at(words.replace("\n", " "))

    def equal(self, words: str) -> np.ndarray:
        """Numbers of the texts that are the words, in small letters, ascending."""
        whole = words.replace("\n", " ")
        first, last = np.searchsorted(self.hashes, hash(whole), side="left"), np.searchsorted(self.hashes, hash(whole), side="right")
        found = np.sort(self.order[first:last]).astype(np.int64)
        line = whole + "\n"
        return found[[self.text.startswith(line, int(self.starts[n])) for n in found]] if len(found) else found

    def _at(self, piece: str) -> np.ndarray:
        number = np.searchsorted(self.starts, np.fromiter(self._places(piece), np.int64), side="right") - 1
        return number[np.diff(number, prepend=-1) > 0]

    def _places(self, piece: str) -> Iterator[int]:
        at = self.text.find(piece)
        while at >= 0:
            yield at
            at = self.text.find(piece, at + 1)
