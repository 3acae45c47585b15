"""Every kind of refusal is told in the language of the page, with a number that is logged; whatever language its words were written in."""

from __future__ import annotations

import logging
import re

import pytest

from qianmo.schema import errors as house
from qianmo.schema.messages import error_kind, has_chinese, in_language

ZH, EN = "这次导入正在进行", "the rank is wrong in these rows"
MADE = {
    "FinanceInputError": lambda text: house.FinanceInputError(text, file="a.csv", line=3, key="price"),
    "GoafInputError": lambda text: house.GoafInputError(text, file="a.csv", line=3),
    "ReviewRefusedError": lambda text: house.ReviewRefusedError("stale", ZH, EN),
    "ChoiceNeededError": lambda text: house.ChoiceNeededError(text, choices=["a", "b"]),
    "RateOfReturnError": lambda text: house.RateOfReturnError(text, rates=[], modified=None, profile=[]),
    "InfeasibleError": lambda text: house.InfeasibleError(text, conflict=["J-06"]),
}


def _kinds(root: type) -> list[type]:
    return [root, *(k for child in root.__subclasses__() for k in _kinds(child))]


KINDS = sorted({k.__name__ for k in _kinds(house.QianmoError) if k.__module__ == house.__name__})


def _made(kind: str, text: str) -> house.QianmoError:
    return MADE[kind](text) if kind in MADE else getattr(house, kind)(text)


def test_every_class_of_errors_has_its_own_words():
    rows = {k: error_kind(k) for k in KINDS}
    assert len(KINDS) >= 17 and all(r.kind == k for k, r in rows.items())
    assert all(has_chinese(r.zh) and has_chinese(r.cure_zh) and not has_chinese(r.en + r.cure_en) and r.en and r.cure_en for r in rows.values())


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_refusal_of_each_class_is_told_in_the_language_of_the_page(people, signed_in, monkeypatch, caplog, kind, language):
    from qianmo.web.desk import layers

    client = signed_in("reader")
    client.post("/language/", {"language": language, "next": "/"})
    logging.getLogger("qianmo.web").addHandler(caplog.handler)
    for text in (ZH, EN):
        def refused(self, text=text):
            raise _made(kind, text)

        monkeypatch.setattr(type(layers()), "entries", refused)
        page, data = client.get("/"), client.get("/api/catalogue")
        assert 400 <= page.status_code < 500 and data.status_code == page.status_code
        told = [re.search(r"<dt>(?:原因|Cause)</dt><dd>(.*?)</dd>", page.content.decode()).group(1), data.json()["error"]["found"]]
        cures = [re.search(r"<dt>(?:办法|处理|Cure|解决办法|怎么办)</dt><dd>(.*?)</dd>", page.content.decode()), data.json()["error"]["cure"]]
        assert cures[1], "a cure is never missing"
        for words in (*told, cures[1]):
            assert has_chinese(words) if language.startswith("zh") else re.search(r"[a-z]{2,} [a-z]{2,}", words), (kind, language, words)
        assert text in told[0] or kind == "ReviewRefusedError" or language.startswith("zh"), "the words of the error itself are kept"
        number = re.search(r'<dd class="code">([0-9a-f]{8})</dd>', page.content.decode()).group(1)
        assert number in caplog.text and data.json()["error"]["id"] in caplog.text


def test_what_a_task_kept_of_its_error_is_told_in_both_languages(desk):
    from django.utils.translation import override

    from qianmo.web.errors import kept_error, kept_words

    kept = kept_error(house.NotAllowedError(ZH, cure=ZH), "0123abcd")
    with override("en"):
        assert kept_words(kept)["found"] == f"This step is not allowed as things stand. ({ZH})"
    with override("zh-hans"):
        assert kept_words(kept)["found"] == ZH and kept_words({}) == {}
        assert kept_words({"found": EN})["found"] == f"程序不能照办。 ({EN})", "kept by an older version, without its kind"


@pytest.mark.parametrize(("text", "language", "as_it_is"), [
    ("", "en", True), ("no layer '图斑' on the map", "en", True), ("端口 8600 不能使用 (address already in use)", "en", True), ("PostgreSQL", "en", True),
    ("没有编号为 7 的上传", "en", False), ("没有编号为 7 的上传", "zh", True), ("something no template knows about", "zh", False),
])  # fmt: skip
def test_only_words_of_the_other_language_get_a_sentence_before_them(text, language, as_it_is):
    assert (in_language(text, language, "general") == text) is as_it_is
