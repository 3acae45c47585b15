"""What the program says, in Chinese and in English: templates of messages and their wording (提示文字)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from qianmo.schema.errors import QianmoError
from qianmo.schema.shipped import shipped_rows

__all__ = ["ErrorKind", "chinese_message", "english_message", "error_kind", "has_chinese", "in_language"]

_HAN = re.compile("[\u3400-\u9fff]")
_BRACKETED = re.compile(r"(?P<en>[\x20-\x7e]*[a-z]{2,}[\x20-\x7e]*) \((?P<zh>[\u3400-\u9fff][^()]*)\)")
_BEHIND = re.compile(r"(?=[\x20-\x7e]*[a-z]{2,} [a-z]{2,})(?P<en>(?:(?!: )[\x20-\x7e])*(?<!:)) (?P<zh>[\u3400-\u9fff].*)", re.DOTALL)
_GAP = re.compile(r"\{(\d*)\}")
_DEEPEST = 3
_TELLING = 12
_UNITS = (("亩", "mu"), ("公顷", "ha"), ("元", "yuan"), ("个", ""), ("天", "days"))
_NUMBER = re.compile("([+-]?[0-9][0-9.,]*)(" + "|".join(zh for zh, _ in _UNITS) + ")")
_NAMED = re.compile(r"[^()、;]*(?:\([^()]*\)[^()、;]*)?\((?P<name>[a-z][a-z0-9_]+)\)")
_PARTS = (("; ", "; "), (";", "; "), ("、", ", "), ("；", "; "), (",", ", "))
_ENGLISH = re.compile(r"[A-Za-z]{2,}[,;:]? [a-z]{2,}|^[A-Za-z]+[.]?$")


@dataclass(frozen=True)
class ErrorKind:
    """What a class of errors means, in both languages (错误类别): one sentence, and what helps in general."""

    kind: str
    zh: str
    en: str
    cure_zh: str
    cure_en: str


def has_chinese(text: str) -> bool:
    """True when a Chinese character stands in the text (含汉字)."""
    return bool(_HAN.search(text))


def chinese_message(text: str) -> str:
    """A message in Chinese (提示译文); what no template of ``codes/message_words.csv`` fits comes back as it is.

    The rooms write messages once, in English or with the Chinese in brackets; the doors show them in Chinese. Parts that
    are joined by semicolons are taken one by one, and what fills a gap is looked up again.

    Parameters
    ----------
    text : str
        One message, or the expected state or the cure of an error.

    Returns
    -------
    str

    Examples
    --------
    >>> chinese_message("图斑.gdb: no such file")
    '图斑.gdb: 没有这个文件'
    >>> chinese_message("field TBMJ: binary values were not read")
    '字段 TBMJ: 二进制值未读入'
    """
    return _told(text, 0)


def english_message(text: str) -> str:
    """A message of ours in English (英文提示); the parts that neither ``codes/english_words.csv`` nor ``codes/message_english.csv`` knows stay Chinese.

    Verdicts of rules, refusals and lines of reports are written once, in Chinese. Parts that are joined are taken one by one, what fills a
    gap is looked up again, a fact is called by its name in brackets, and areas get the sign of their unit.

    Examples
    --------
    >>> english_message("不涉及:不做永农布局调整")
    'does not apply: permanent basic farmland is not rearranged'
    >>> english_message("缺:党支部提议(proposal_done)、决议公开(resolution_published)")
    'missing: proposal done, resolution published'
    >>> english_message("整治前建设用地 577.77亩,整治后 562.92亩,变化 -14.85亩")
    'construction land before 577.77 mu, after 562.92 mu, change -14.85 mu'
    >>> english_message("没有同时满足全部条件的项目组合: 项目 P-1 没有可开工的年份")
    'No choice of projects obeys all of these: project P-1 has no year it could start in'
    """
    whole = _in_english(text, 0)
    return min((whole, _with_phrases(text), _with_phrases(whole)), key=lambda words: len(_HAN.findall(words))) if has_chinese(whole) else whole


def error_kind(error: QianmoError | type[QianmoError] | str) -> ErrorKind:
    """The kind of an error, of its class, or of the name of a class (错误类别); that of the nearest class above where it has none.

    Examples
    --------
    >>> error_kind("CrsError").en
    'A reference system is missing or wrong or cannot be told.'
    """
    if isinstance(error, str):
        return _kinds().get(error, _kinds()["QianmoError"])
    names = [c.__name__ for c in (error if isinstance(error, type) else type(error)).__mro__]
    return next(_kinds()[n] for n in names if n in _kinds())


def in_language(text: str, language: str, general: str) -> str:
    """A message in the language of the reader (提示语言): as it is where it is in that language, else behind a general sentence.

    Parameters
    ----------
    text : str
        One message; '' stays ''.
    language : str
        ``zh`` or ``en``.
    general : str
        What is said in that language where the message is in the other one.

    Examples
    --------
    >>> in_language("这次导入正在进行", "en", "This step is not allowed as things stand.")
    'This step is not allowed as things stand. (这次导入正在进行)'
    """
    if not text:
        return ""
    shown = chinese_message(text) if language == "zh" else english_message(text)
    fits = has_chinese(shown) if language == "zh" else bool(_ENGLISH.search(shown)) or not has_chinese(shown)
    return shown if fits else f"{general} ({shown})"


@lru_cache(maxsize=4096)
def _in_english(text: str, depth: int) -> str:
    if not has_chinese(text) or depth > 2 * _DEEPEST:
        return text
    for pattern, wording in _english_templates():
        found = pattern.fullmatch(text)
        if found is not None:
            return _worded(wording, [_in_english(g, depth + 1) for g in found.groups()])
    measured = _NUMBER.sub(lambda m: f"{m[1]} {dict(_UNITS)[m[2]]}".strip(), text)
    if not has_chinese(measured):
        return measured
    named = _NAMED.fullmatch(text)
    if named:
        return named["name"].replace("_", " ")
    for mark, shown in _PARTS:
        if mark in text:
            return shown.join(_in_english(p, depth + 1) for p in text.split(mark))
    return text


@cache
def _english_templates() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Templates and the words of the office, those with the longest fixed text first; a gap holds no semicolon."""
    rows = [(r["zh"], r["en"]) for table in ("english_words", "review_verbs", "review_steps", "review_modes") for r in shipped_rows("codes", table)]
    rows += [(f"{{}} {r['zh']}", f"{{}}, {r['en']}") for r in shipped_rows("codes", "review_verbs")]
    for r in shipped_rows("codes", "document_facts"):
        words = r["name"].replace("_", " ")
        rows += [(r["zh"], words), (f"{r['zh']}:{{}}", f"{words}: {{}}"), (f"{r['zh']} {{}}", f"{words} {{}}")]
    rows = list(dict(reversed(rows)).items())
    rows.sort(key=lambda row: -len(row[0].replace("{}", "")))
    return tuple((re.compile("([^;；]*?)".join(re.escape(p) for p in zh.split("{}")), re.DOTALL), en) for zh, en in rows)


@lru_cache(maxsize=4096)
def _with_phrases(text: str) -> str:
    """Every phrase of ``codes/message_english.csv`` within a text in English, the rest as it is."""
    for pattern, wording in _phrases() if has_chinese(text) else ():
        text = pattern.sub(lambda found, wording=wording: _worded(wording, list(found.groups())), text)  # type: ignore[misc]
    return text


@cache
def _phrases() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Phrases with the longest fixed text first; a gap holds no semicolon and no comma."""
    rows = sorted(((r["zh"], r["en"]) for r in shipped_rows("codes", "message_english")), key=lambda row: -len(row[0].replace("{}", "")))
    return tuple((re.compile(r"((?:[^;,: ]|,(?=\d))+)".join(re.escape(p) for p in zh.split("{}"))), en) for zh, en in rows)


@cache
def _kinds() -> dict[str, ErrorKind]:
    return {r["kind"]: ErrorKind(r["kind"], r["zh"], r["en"], r["cure_zh"], r["cure_en"]) for r in shipped_rows("codes", "error_kinds")}


def _told(text: str, depth: int) -> str:
    whole = _filled(text, depth)
    if whole is not None:
        return whole
    head, mark, rest = text.partition("; ")
    return f"{_filled(head, depth) or head}; {_told(rest, depth)}" if mark else _chinese_first(text)


def _chinese_first(text: str) -> str:
    """A line that says the same in both languages with the Chinese in front."""
    found = _BRACKETED.fullmatch(text) or _BEHIND.fullmatch(text)
    return f"{found['zh']} ({found['en']})" if found else text


def _filled(text: str, depth: int) -> str | None:
    for pattern, wording in _templates():
        found = pattern.fullmatch(text)
        if found is not None:
            gaps = [g if depth >= _DEEPEST or has_chinese(g) else _told(g, depth + 1) for g in found.groups()]
            return _worded(wording, gaps)
    return None


def _worded(wording: str, gaps: list[str]) -> str:
    """The wording with its gaps filled: a bare gap by its place among all gaps, a numbered one by its number."""
    parts = _GAP.split(wording)
    numbers = [int(n) if n else place for place, n in enumerate(parts[1::2])]
    return parts[0] + "".join(gaps[n] + text for n, text in zip(numbers, parts[2::2], strict=True))


@cache
def _templates() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Templates, those with the longest fixed text first, so that the most telling one wins."""
    rows = [(r["en"], r["zh"]) for r in shipped_rows("codes", "message_words")]
    rows.sort(key=lambda row: -len(row[0].replace("{}", "")))
    return tuple((_pattern(en), zh) for en, zh in rows)


def _pattern(template: str) -> re.Pattern[str]:
    """Gaps hold no semicolon with a blank; those of a template with little fixed text hold no blank at all."""
    gap = r"((?:(?!; ).)*?)" if len(template.replace("{}", "")) >= _TELLING else r"(\S*?)"
    return re.compile(gap.join(re.escape(p) for p in template.split("{}")), re.DOTALL)
