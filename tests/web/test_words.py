"""Every word of the pages is there in Chinese, and nothing is translated that is not used."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

CHINESE = re.compile("[\u3400-\u9fff]")


@pytest.fixture(scope="module")
def web(repo) -> Path:
    return repo / "src" / "qianmo" / "web"


@pytest.fixture(scope="module")
def catalogue(web) -> dict[str, str]:
    from babel.messages.pofile import read_po

    with (web / "locale/zh_Hans/LC_MESSAGES/django.po").open("rb") as file:
        return {m.id: m.string for m in read_po(file) if m.id and isinstance(m.id, str)}


@pytest.fixture(scope="module")
def used(web) -> set[str]:
    found: set[str] = set()
    for page in web.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        found |= {a or b for a, b in re.findall(r"""{% translate (?:"([^"]*)"|'([^']*)')""", text)}
        found |= {re.sub(r"{{ (\w+) }}", r"%(\1)s", b) for b in re.findall(r"{% blocktranslate[^%]*%}(.*?){% endblocktranslate %}", text, re.DOTALL)}
    for module in web.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
                found.add(node.args[0].value)
    return found


def test_every_word_has_its_chinese(catalogue, used):
    missing = sorted(w for w in used if not CHINESE.search(catalogue.get(w, "")))
    assert not missing


def test_no_word_is_kept_that_no_page_uses(catalogue, used):
    assert not set(catalogue) - used


def test_gaps_of_a_sentence_are_the_same_in_both_languages(catalogue):
    gaps = re.compile(r"%\(\w+\)s|%[sd]")
    assert not [w for w, zh in catalogue.items() if sorted(gaps.findall(w)) != sorted(gaps.findall(zh))]
