"""Chinese fonts that ship with a package, and the check for missing glyphs (字体与缺字检查)."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path

from fontTools.ttLib import TTFont
from matplotlib.font_manager import FontProperties

from qianmo.schema.errors import MissingDataError

__all__ = ["GETA", "SANS", "SERIF", "font_file", "font_folder", "map_font", "missing_glyphs", "visible_text"]

SANS, SERIF = "Noto Sans SC", "Noto Serif SC"
GETA = "〓"
"""Sign set where a character has no glyph, as printers do (缺字符号)."""

_FILES = {SANS: "NotoSansSC-Regular.otf", SERIF: "NotoSerifSC-Regular.otf"}
_PACKAGE = "pylopdf_fonts_zh_cn"


def font_file(family: str = SANS) -> Path:
    """Path of one shipped font inside its package.

    Raises
    ------
    MissingDataError
        The font package or the file is not installed.
    """
    folder = font_folder()
    path = folder / _FILES[family]
    if not path.is_file():
        raise MissingDataError(f"font {path.name} is not in {_PACKAGE}", cure=f"pip install --force-reinstall {_PACKAGE.replace('_', '-')}")
    return path


@cache
def font_folder() -> Path:
    """Folder of the shipped fonts.

    Raises
    ------
    MissingDataError
        The font package is not installed.
    """
    try:
        return Path(str(resources.files(_PACKAGE)))
    except ModuleNotFoundError:
        raise MissingDataError(
            f"package {_PACKAGE} is not installed", expected="Chinese fonts", cure=f"pip install {_PACKAGE.replace('_', '-')} (缺少中文字体包)"
        ) from None


@cache
def map_font(size: float = 8.0, family: str = SANS) -> FontProperties:
    """Font of one size [pt] for matplotlib text, by file: no system font, no global state."""
    return FontProperties(fname=str(font_file(family)), size=size)


def missing_glyphs(text: str) -> set[str]:
    """Characters of `text` that the shipped sans or serif font cannot draw (缺字).

    Line ends, tabs and other control characters do not count.

    Examples
    --------
    >>> sorted(missing_glyphs("阡陌 hectare"))
    []
    """
    return {c for c in set(text) if c not in "\n\r\t" and ord(c) not in _drawable()}


def visible_text(text: str) -> str:
    """The text with every undrawable character replaced by 〓, never by a blank (缺字以〓示)."""
    gone = missing_glyphs(text)
    return "".join(GETA if c in gone else c for c in text) if gone else text


@cache
def _drawable() -> frozenset[int]:
    sets = []
    for family in _FILES:
        with TTFont(font_file(family), lazy=True) as font:
            sets.append(frozenset(font.getBestCmap()))
    return frozenset.intersection(*sets)
