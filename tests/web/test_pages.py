"""Pages: first user, sign-in, catalogue, units, languages, bad input."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

PASSWORD = "阡陌纵横-田间小路-2026"
TRIANGLE = {"type": "Polygon", "coordinates": [[[117.24, 27.99], [117.26, 27.99], [117.26, 28.02], [117.24, 27.99]]]}


@pytest.fixture
def nobody(empty_desk):
    from django.test import Client

    return Client()


class TestFirstUser:
    def test_the_printed_word_lets_the_first_person_in_once(self, nobody):
        form = {"username": "主任", "password1": PASSWORD, "password2": PASSWORD, "token": "word"}
        assert nobody.post("/setup/", form).headers["Location"] == "/"
        assert nobody.get("/people/").status_code == 200
        assert nobody.get("/setup/?token=word").status_code == 404
        assert nobody.post("/setup/", {**form, "username": "第二人"}).status_code == 404

    def test_a_wrong_word_makes_nobody(self, nobody):
        from qianmo.web.models import Person

        form = {"username": "主任", "password1": PASSWORD, "password2": PASSWORD, "token": "guess"}
        answer = nobody.post("/setup/", form)
        assert answer.status_code == 422 and "口令" in answer.content.decode()
        assert not Person.objects.exists()

    @pytest.mark.parametrize("password", ["短", "1234567890", "主任主任主任主任"])
    def test_a_weak_password_is_refused(self, nobody, password):
        from qianmo.web.models import Person

        form = {"username": "主任", "password1": password, "password2": password, "token": "word"}
        assert nobody.post("/setup/", form).status_code == 422 and not Person.objects.exists()


class TestSignIn:
    def test_who_signs_in_sees_the_catalogue(self, people, nobody):
        answer = nobody.post("/accounts/login/?next=/", {"login": "reader", "password": PASSWORD})
        assert answer.headers["Location"] == "/"
        text = nobody.get("/").content.decode()
        assert "虚拟乡镇" in text and "地类图斑" in text and "合成" in text

    def test_a_wrong_password_does_not_say_which_part_is_wrong(self, people, nobody):
        known = nobody.post("/accounts/login/", {"login": "reader", "password": "x" * 12}).content.decode()
        unknown = nobody.post("/accounts/login/", {"login": "ghost", "password": "x" * 12}).content.decode()
        first, second = (re.findall(r'<ul class="errorlist.*?</ul>', t, re.DOTALL) for t in (known, unknown))
        assert first and first == second

    def test_no_page_leads_to_an_address_that_is_shut(self, nobody):
        text = nobody.get("/accounts/login/").content.decode()
        assert "忘记密码请联系管理员" in text and "/password/reset/" not in text and "/signup/" not in text

    def test_a_closed_account_stays_out(self, people, nobody):
        people["reader"].is_active = False
        people["reader"].save()
        nobody.post("/accounts/login/", {"login": "reader", "password": PASSWORD})
        assert nobody.get("/").status_code == 302

    def test_many_wrong_passwords_are_slowed_down(self, people, nobody):
        answers = [nobody.post("/accounts/login/", {"login": "reader", "password": f"wrong-{n}-password"}) for n in range(12)]
        assert answers[-1].status_code == 429 or "过多" in answers[-1].content.decode() or "Too many" in answers[-1].content.decode()

    def test_passwords_are_kept_with_argon2(self, desk):
        from qianmo.web.settings import desk_settings

        assert desk_settings(Path(), key="k")["PASSWORD_HASHERS"] == ["django.contrib.auth.hashers.Argon2PasswordHasher"]

    def test_the_pages_of_the_second_factor_open(self, signed_in):
        client = signed_in("reader")
        assert client.get("/accounts/2fa/").status_code == 200


class TestEveryPage:
    def test_names_its_language_and_its_origin_only(self, signed_in):
        from qianmo.web.headers import POLICY

        client = signed_in("manager")
        for address in ("/", "/map/", "/lines/", "/tasks/", "/people/", "/layers/landuse_patch/", "/tasks/new/plan/", "/people/new/", "/accounts/login/", "/missing/"):
            answer = client.get(address)
            text = answer.content.decode()
            assert answer.headers.get("Content-Security-Policy") == POLICY, address
            if answer.status_code != 302:
                assert '<html lang="zh-CN">' in text and not re.search(r"""(src|href|action)=["']?(https?:)?//""", text), address
                assert "<style" not in text and not re.search(r"\son\w+=|\sstyle=", text), address

    def test_english_pages_have_no_chinese_of_the_program(self, signed_in):
        client = signed_in("manager")
        client.post("/language/", {"language": "en", "next": "/"})
        text = client.get("/tasks/").content.decode()
        assert '<html lang="en">' in text and "Skip to the content" in text and "跳到正文" not in text

    def test_the_unit_of_area_changes_every_area(self, signed_in):
        client = signed_in("planner")
        client.post("/lines/", {"title": "三角地", "shape": json.dumps(TRIANGLE)})
        page = client.get("/lines/").content.decode()
        area = float(re.search(r'data-m2="([\d.]+)"', page).group(1))
        for unit, size in (("mu", 10_000 / 15), ("ha", 10_000), ("m2", 1)):
            client.post("/unit/", {"unit": unit, "next": "/lines/"})
            shown = re.search(r'class="area"[^>]*>([\d.,]+)<', client.get("/lines/").content.decode()).group(1)
            assert float(shown.replace(",", "")) == pytest.approx(area / size, abs=0.006)

    def test_a_unit_form_never_leads_to_another_site(self, signed_in):
        assert signed_in("reader").post("/unit/", {"unit": "ha", "next": "https://elsewhere.example/"}).headers["Location"] == "/"


class TestBadInput:
    @pytest.mark.parametrize(
        "shape",
        ["not json", "[1, 2]", "{}", '{"type": "Point", "coordinates": [117, 28]}', '{"type": "Polygon", "coordinates": [[[1, 2]]]}',
         '{"type": "Polygon", "coordinates": [[[117.24, 27.99], [117.26, 28.01], [117.26, 27.99], [117.24, 28.01], [117.24, 27.99]]]}',
         '{"type": "Polygon", "coordinates": [[[500000, 3100000], [500100, 3100000], [500100, 3100100], [500000, 3100000]]]}',
         '{"type": "FeatureCollection", "features": []}', '{"type": "Feature", "geometry": null}', "[" * 5000, '{"type": "Polygon", "coordinates": "x"}',
         '{"type": "Polygon", "coordinates": [[["a", "b"], ["c", "d"], ["e", "f"], ["a", "b"]]]}'],
    )  # fmt: skip
    def test_a_bad_red_line_is_refused_with_a_cure_and_nothing_is_kept(self, signed_in, shape):
        from qianmo.web.models import DrawnLine

        answer = signed_in("reader").post("/lines/", {"title": "坏红线", "shape": shape})
        text = answer.content.decode()
        assert answer.status_code == 422, text
        assert "role=\"alert\"" in text and "Traceback" not in text and not DrawnLine.objects.exists()

    @pytest.mark.parametrize("address", ["/api/identify", "/api/identify?lon=x&lat=2", "/api/identify?lon=500&lat=2", "/api/search", "/api/search?q=a&limit=9999"])
    def test_a_bad_question_is_answered_with_a_cause_and_a_number(self, signed_in, address):
        answer = signed_in("reader").get(address)
        assert answer.status_code == 422
        assert answer.json()["error"]["found"] and re.fullmatch(r"[0-9a-f]{8}", answer.json()["error"]["id"])

    @pytest.mark.parametrize("tile", ["99/0/0", "3/9/0", "14/0/99999"])
    def test_a_tile_that_is_none_is_not_found(self, signed_in, tile):
        assert signed_in("reader").get(f"/tiles/x/landuse_patch/{tile}.mvt").status_code == 404

    def test_an_error_page_names_cause_cure_and_a_number_that_is_logged(self, signed_in, caplog):
        import logging

        logging.getLogger("qianmo.web").addHandler(caplog.handler)
        text = signed_in("reader").get("/layers/landuse_patch/没有这一块/").content.decode()
        number = re.search(r"<dd class=\"code\">([0-9a-f]{8})</dd>", text).group(1)
        assert "没有 &#x27;没有这一块&#x27;" in text and "在一张图页面查找" in text and number in caplog.text

    def test_a_fault_of_the_program_shows_no_trace(self, signed_in, monkeypatch):
        from qianmo.web.desk import layers

        def broken(self):
            raise ZeroDivisionError("secret inside")

        monkeypatch.setattr(type(layers()), "entries", broken)
        client = signed_in("reader")
        client.raise_request_exception = False
        answer = client.get("/")
        text = answer.content.decode()
        assert answer.status_code == 500 and "secret inside" not in text and "Traceback" not in text and "编号" in text

    def test_a_form_without_its_token_is_refused_with_a_cure(self, people):
        from django.test import Client

        client = Client(enforce_csrf_checks=True)
        answer = client.post("/accounts/login/", {"login": "reader", "password": PASSWORD})
        assert answer.status_code == 403 and "刷新" in answer.content.decode()

    def test_a_title_of_markup_stays_text(self, signed_in):
        client = signed_in("planner")
        answer = client.post("/lines/", {"title": "<script>alert(1)</script>", "shape": json.dumps(TRIANGLE)}, follow=True)
        assert "<script>alert" not in answer.content.decode() and "&lt;script&gt;" in answer.content.decode()
