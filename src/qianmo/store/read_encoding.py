"""Decoding text by a decided encoding, strictly (严格解码)."""

from __future__ import annotations

import codecs

from qianmo.schema.errors import EncodingError

__all__ = ["check_not_utf8", "codec_of", "decode_strictly"]

_CODECS = {
    "utf-8",
    "gb18030",
    "gbk",
    "gb2312",
    "big5",
    "big5hkscs",
    "cp950",
    "ascii",
    "cp1252",
    "cp1250",
    "iso8859-1",
    "iso8859-2",
    "cp1251",
    "shift_jis",
    "cp932",
    "euc_jp",
    "euc_kr",
    "cp949",
}
_PLAINLY, _SHORT = 3, 256


def codec_of(encoding: str | None) -> str:
    """Python codec name of an allowed encoding; 'ascii' for None (编码名).

    Raises
    ------
    EncodingError
        Unknown, or not an encoding of text.
    """
    if encoding is None:
        return "ascii"
    try:
        name = codecs.lookup(encoding.removesuffix("-sig") if encoding.lower() == "utf-8-sig" else encoding).name
    except LookupError:
        name = ""
    if name not in _CODECS:
        raise EncodingError(
            f"encoding {encoding!r}", expected=", ".join(sorted(_CODECS)), cure="choose one of them 请选择支持的编码"
        )
    return "gb18030" if name in ("gbk", "gb2312") else name


def check_not_utf8(samples: list[bytes], codec: str, where: str) -> None:
    """Refuse a Chinese or single-byte codec for text that is plainly UTF-8: it would decode to wrong characters (防止乱码).

    Raises
    ------
    EncodingError
        Three or more distinct samples, and all of them are valid UTF-8.
    """
    odd = {s for s in samples if not s.isascii()}
    if codec in ("utf-8", "ascii") or len(odd) < _PLAINLY or not all(_is_utf8(s) for s in odd):
        return
    raise EncodingError(
        f"{where}: all {len(odd)} texts that are not ASCII are valid UTF-8, as {min(odd)[:24].hex(' ')}, yet {codec} was asked",
        expected="the encoding of the bytes",
        cure="read it as UTF-8 请按 UTF-8 读取",
    )


def decode_strictly(raw: bytes, codec: str, where: str) -> str:
    """Decode without loss, or say where it failed (严格解码).

    Raises
    ------
    EncodingError
        Undecodable, replacement characters, or control codes that only a wrong encoding gives.
    """
    try:
        text = raw.decode(codec)
    except UnicodeDecodeError as error:
        asked = "no encoding was decided and the text is not ASCII" if codec == "ascii" else f"not {codec}"
        raise EncodingError(
            f"{where}: bytes {_around(raw, error.start).hex(' ')} are {asked} (byte {error.start})",
            expected="text that decodes without loss",
            cure="choose the encoding (GBK or UTF-8) with --encoding, or repair the .cpg 请指定正确编码",
        ) from None
    if "\ufffd" in text or (not raw.isascii() and any("\x80" <= c <= "\x9f" for c in text)):
        raise EncodingError(
            f"{where}: bytes {raw[:24].hex(' ')} give replacement or control characters in {codec}",
            expected="readable text",
            cure="choose another encoding; if U+FFFD stands in the file itself, export it again 文本已损坏或编码错误",
        )
    return text


def _around(raw: bytes, at: int) -> bytes:
    """The start of a short value, the place of the fault in a long text."""
    return raw[:24] if len(raw) <= _SHORT else raw[max(0, at - 8) : at + 16]


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
