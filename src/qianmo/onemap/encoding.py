"""Which encoding is this text in? (编码判定: UTF-8, GB18030, Big5, Latin-1)."""

from __future__ import annotations

import codecs
import math
from collections.abc import Mapping, Sequence
from functools import cache

from qianmo.schema.dataset import Candidate, Decision
from qianmo.schema.shipped import shipped_rows

__all__ = ["ENCODINGS", "declared_codec", "detect_encoding"]

ENCODINGS = ("utf-8", "gb18030", "big5", "latin-1")
"""Candidates; gb18030 covers GBK and GB 2312."""

_CLEAR_ODDS = math.log(1000.0)
_DECLARED_ODDS = math.log(30.0)
_MIN_PLAUSIBLE = 0.7
_WEIGHED = 2000
_PRIOR = {"utf-8": 0.0, "gb18030": 0.0, "big5": math.log(0.02), "latin-1": math.log(0.05)}
_NAMES: Mapping[str, str] = {
    "65001": "utf-8", "utf8": "utf-8", "utf-8": "utf-8", "utf-8-sig": "utf-8",
    "936": "gb18030", "cp936": "gb18030", "ansi 936": "gb18030", "oem 936": "gb18030", "gbk": "gb18030", "gb2312": "gb18030",
    "gb18030": "gb18030", "54936": "gb18030", "chinese": "gb18030",
    "950": "big5", "cp950": "big5", "ansi 950": "big5", "oem 950": "big5", "big5": "big5", "big-5": "big5",
    "1252": "latin-1", "cp1252": "latin-1", "ansi 1252": "latin-1", "88591": "latin-1", "iso-8859-1": "latin-1",
    "iso8859-1": "latin-1", "iso8859_1": "latin-1", "latin1": "latin-1", "latin-1": "latin-1", "8859_1": "latin-1",
}  # fmt: skip
_LANGUAGE_DRIVERS: Mapping[int, str] = {
    0x4D: "gb18030", 0x7A: "gb18030", 0x4F: "big5", 0x78: "big5", 0x03: "latin-1", 0x57: "latin-1", 0x58: "latin-1",
}  # fmt: skip


def detect_encoding(samples: Sequence[bytes], *, declared: str | int | None = None) -> Decision:
    """Encoding of raw text samples, without silent mojibake (文本编码判定).

    Every candidate decodes the samples strictly; a last character cut off by a fixed-width field is forgiven. The
    decoded text is weighed by how probable its characters are in Chinese names (common, level 1, level 2, rare) or in
    Latin words. A winner needs odds of 1000 to 1 and 70 % of plausible characters.

    Parameters
    ----------
    samples : sequence of bytes
        Field names and values as stored, padding allowed.
    declared : str or int, optional
        Content of the ``.cpg`` file or name of a code page, or the language-driver byte of the dbf header. It is
        evidence only: it loses when the text does not decode, or reads as nonsense.

    Returns
    -------
    Decision
        `chosen` is one of `ENCODINGS`, 'utf-8-sig' or 'utf-16' (byte order mark), or '' when unclear.
        Pure ASCII gives 'utf-8', which is harmless.
    """
    texts = tuple(dict.fromkeys(s.rstrip(b" \x00") for s in samples))
    marked = _byte_order_mark(samples)
    if marked:
        return _decision(marked, (Candidate(marked, 1.0, ("byte order mark at the start (有字节顺序标记)",)),))
    high = tuple(t for t in texts if any(b > 0x7F for b in t))
    said = declared_codec(declared)
    if not high:
        return _decision("utf-8", (Candidate("utf-8", 1.0, ("only ASCII: every candidate reads the same (纯 ASCII)",)),))
    odds, reasons, plausible = {}, {}, {}
    for name in ENCODINGS:
        odds[name], plausible[name], reasons[name] = _weigh(high, name)
        if name == said and math.isfinite(odds[name]):
            odds[name] += _DECLARED_ODDS
            reasons[name] += (f"declared as {declared!r} (声明的编码)",)
        elif name == said:
            reasons[name] += (f"declared as {declared!r}, but it does not decode: the declaration is wrong (声明与内容矛盾)",)
    return _choose(odds, plausible, reasons)


def declared_codec(declared: str | int | None) -> str | None:
    """Candidate named by a ``.cpg`` text or dbf language-driver byte; None when it says nothing known (声明编码)."""
    if declared is None:
        return None
    if isinstance(declared, int):
        return _LANGUAGE_DRIVERS.get(declared)
    name = declared.strip().strip("\x00\ufeff").lower()
    return _NAMES.get(name) or _NAMES.get(name.replace("ansi", "").replace("cp", "").replace("oem", "").strip(" _-"))


def _decision(chosen: str, candidates: tuple[Candidate, ...]) -> Decision:
    return Decision("text encoding (文本编码)", chosen, candidates)


def _byte_order_mark(samples: Sequence[bytes]) -> str:
    first = next((s for s in samples if s), b"")
    if first.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    return "utf-16" if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and len(first) > 2 else ""


def _weigh(texts: Sequence[bytes], name: str) -> tuple[float, float, tuple[str, ...]]:
    """Log-likelihood, share of plausible characters, reasons; -inf when the text does not decode."""
    total, good, seen, cut = _PRIOR[name], 0, 0, 0
    for n, raw in enumerate(texts):
        try:
            text, rest = _decode(raw, name)
        except UnicodeDecodeError as error:
            return -math.inf, 0.0, (f"byte {raw[error.start]:#04x} at {error.start} does not decode (无法解码)",)
        if n >= _WEIGHED:
            continue
        cut += rest > 0
        total -= 7.0 * (rest > 0)
        for i, c in enumerate(text):
            if ord(c) > 0x7F:
                weight, ok = _log_probability(c, name, _beside_letters(text, i))
                total, good, seen = total + weight, good + ok, seen + 1
    share = good / seen if seen else 0.0
    reasons = [f"decodes strictly; {good} of {seen} non-ASCII characters are usual in names (常用字占比 {share:.0%})"]
    if cut:
        reasons.append(f"{cut} of {len(texts)} texts end in half a character, cut by the field width (字段截断)")
    return total, share, tuple(reasons)


def _decode(raw: bytes, name: str) -> tuple[str, int]:
    """Strictly decoded text, and the number of bytes of a last character that was cut off."""
    decoder = codecs.getincrementaldecoder(name)("strict")
    text = decoder.decode(raw, final=False)
    rest = len(decoder.getstate()[0])
    if rest and not text:
        decoder.decode(b"", final=True)
    return text, rest


def _beside_letters(text: str, i: int) -> bool:
    around = text[max(i - 1, 0) : i] + text[i + 1 : i + 2]
    return any(c.isascii() and c.isalpha() for c in around)


def _log_probability(c: str, name: str, beside_letters: bool) -> tuple[float, bool]:
    """Log-probability of one non-ASCII character under a reading, and whether it is a usual one."""
    if "\xc0" <= c <= "\u024f" and c not in "×÷":
        likely = c.islower() and beside_letters
        return (math.log(0.6 / 60) if likely else math.log(0.02 / 200)), likely
    if name == "latin-1":
        return math.log(0.01 / 64), False
    for characters, share in _character_model("traditional" if name == "big5" else "simplified"):
        if c in characters:
            return math.log(share / len(characters)), True
    if "\u4e00" <= c <= "\u9fff":
        traditional = name == "utf-8" and c in _character_model("traditional")[0][0]
        return math.log((0.02 if name == "utf-8" else 0.004) / 20000), traditional
    if "\u3000" <= c <= "\u303f" or "\uff01" <= c <= "\uff5e" or c in "·—…“”‘’×℃㎡²":
        return math.log(0.01 / 100), True
    return math.log(1e-8), False


@cache
def _character_model(script: str) -> tuple[tuple[frozenset[str], float], ...]:
    """Sets of characters with their share of running text: common, level 1, level 2."""
    common = frozenset(next(r["characters"] for r in shipped_rows("codes", "common_characters") if r["script"] == script))
    if script == "traditional":
        first, second = _block("big5", 0xA4, 0xC6), _block("big5", 0xC9, 0xF9)
    else:
        first, second = _block("gb2312", 0xB0, 0xD7), _block("gb2312", 0xD8, 0xF7)
    return (common, 0.85), (first - common, 0.12), (second - common, 0.025)


def _block(codec: str, low: int, high: int) -> frozenset[str]:
    pairs = (bytes((a, b)) for a in range(low, high + 1) for b in range(0x40, 0xFF))
    return frozenset(c for p in pairs for c in p.decode(codec, "ignore") if "\u4e00" <= c <= "\u9fff")


def _choose(odds: Mapping[str, float], plausible: Mapping[str, float], reasons: Mapping[str, tuple[str, ...]]) -> Decision:
    """Rank by odds; clear when the best beats the second by the needed odds and reads as words."""
    top = max(odds.values())
    weights = {n: math.exp(o - top) if math.isfinite(o) else 0.0 for n, o in odds.items()}
    ranked = sorted(odds, key=lambda n: -odds[n])
    candidates = tuple(Candidate(n, round(weights[n] / sum(weights.values()), 6), reasons[n]) for n in ranked)
    clear = odds[ranked[0]] - odds[ranked[1]] >= _CLEAR_ODDS and plausible[ranked[0]] >= _MIN_PLAUSIBLE
    return _decision(ranked[0] if clear else "", candidates)
