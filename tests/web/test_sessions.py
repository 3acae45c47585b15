"""Sessions end idle, at the latest after some hours, and when their owner or a manager says so; second factors; passwords."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest

PASSWORD = "阡陌纵横-田间小路-2026"


@pytest.fixture
def clock(monkeypatch):
    """Gives the function that lets time pass for the watch over sessions."""
    from qianmo.web import session_watch

    now = [time.time()]
    monkeypatch.setattr(session_watch, "_now", lambda: now[0])

    def wait(minutes: float) -> None:
        now[0] += minutes * 60

    return wait


def _in(name: str, password: str = PASSWORD):
    from django.test import Client

    client = Client(HTTP_USER_AGENT=f"Browser of {name}")
    assert client.post("/accounts/login/", {"login": name, "password": password}).status_code == 302
    return client


class TestTime:
    def test_an_idle_session_ends_and_the_browser_forgets_what_it_kept(self, people, clock):
        client = _in("reader")
        for _ in range(3):
            clock(50)
            assert client.get("/").status_code == 200
        clock(61)
        answer = client.get("/")
        assert answer.status_code == 302 and answer.headers["Clear-Site-Data"] == '"cache", "storage"'

    def test_a_session_in_use_ends_after_twelve_hours(self, people, clock):
        client = _in("reader")
        for _ in range(14):
            clock(50)
            assert client.get("/").status_code == 200
        clock(50)
        assert client.get("/").status_code == 302

    def test_waiting_for_a_task_is_no_sign_of_a_person(self, people, clock):
        client = _in("planner")
        for _ in range(6):
            clock(9)
            client.get("/api/tasks/00000000-0000-0000-0000-000000000000")
        clock(9)
        assert client.get("/").status_code == 302

    def test_tiles_of_an_idle_session_end_too(self, people, clock):
        from qianmo.geo.tile_rings import tile_of
        from qianmo.web.tile_door import forget

        client = _in("reader")
        address = "/tiles/x/landuse_patch/14/{}/{}.mvt".format(*tile_of(117.25, 28.0, 14))
        assert client.get(address).status_code == 200
        clock(61)
        forget()
        assert client.get(address).status_code == 401

    def test_signing_out_clears_what_the_browser_kept(self, people):
        client = _in("reader")
        assert client.post("/accounts/logout/").headers["Clear-Site-Data"] == '"cache", "storage"'
        assert "Clear-Site-Data" not in client.get("/accounts/login/").headers


class TestOwnSessions:
    def test_people_see_where_they_are_signed_in_and_end_the_others(self, people):
        here, there, foreign = _in("reader"), _in("reader"), _in("planner")
        text = here.get("/accounts/sessions/").content.decode()
        assert text.count("Browser of reader") == 2 and "Browser of planner" not in text
        assert here.post("/accounts/sessions/").headers["Location"].startswith("/accounts/reauthenticate/"), "first the password once more"
        assert there.get("/").status_code == 200
        assert here.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302
        assert here.post("/accounts/sessions/").headers["Location"] == "/accounts/sessions/"
        assert (here.get("/").status_code, there.get("/").status_code, foreign.get("/").status_code) == (200, 302, 200)

    def test_a_manager_ends_all_sessions_of_a_person(self, people):
        manager, theirs = _in("manager"), [_in("reader") for _ in range(2)]
        assert manager.post(f"/people/{people['reader'].pk}/sign-out/").status_code == 302
        assert [c.get("/").status_code for c in theirs] == [302, 302] and manager.get("/").status_code == 200


class TestSecondFactor:
    @pytest.fixture
    def asked(self, settings_of):
        settings_of(QIANMO_SECOND_FACTOR=("planner",))

    def test_without_one_the_role_reaches_nothing_but_its_account(self, people, signed_in, asked):
        from qianmo.geo.tile_rings import tile_of

        client = signed_in("planner")
        assert "请在此设置" in client.get("/", follow=True).content.decode()
        tile = "/tiles/x/landuse_patch/14/{}/{}.mvt".format(*tile_of(117.25, 28.0, 14))
        assert {client.get(a).status_code for a in ("/map/style.json", "/api/catalogue", tile)} == {403}
        assert client.post("/lines/", {}).status_code == 403
        assert client.get("/accounts/sessions/").status_code == 200

    def test_other_roles_and_those_who_have_one_go_on(self, people, signed_in, asked):
        from allauth.mfa.models import Authenticator

        assert signed_in("reader").get("/").status_code == 200
        Authenticator.objects.create(user=people["planner"], type="totp", data={"secret": "x"})
        assert signed_in("planner").get("/").status_code == 200


@pytest.fixture
def settings_of(desk):
    """Gives the function that changes settings for one test."""
    from django.test import override_settings

    changed = []

    def change(**named) -> None:
        changed.append(override_settings(**named))
        changed[-1].enable()

    yield change
    for one in reversed(changed):
        one.disable()


class TestPasswords:
    def test_the_owner_is_told_once_of_a_changed_password(self, people):
        other = "另一个-足够长的-口令-77"
        assert "密码已于" not in _in("reader").get("/").content.decode()
        people["reader"].set_password(other)
        people["reader"].save()
        assert "密码已于" in _in("reader", other).get("/", follow=True).content.decode()
        assert "密码已于" not in _in("reader", other).get("/").content.decode()

    @pytest.mark.parametrize("form", ["plain", "hashes", "counted"])
    def test_a_breached_password_is_found_in_each_form_of_list(self, tmp_path, form):
        from qianmo.web.passwords import is_breached

        known = [f"password-{n}" for n in range(300)] + ["口令一二三四五六七"]
        hashes = sorted(hashlib.sha1(k.encode()).hexdigest().upper() for k in known)
        lines = {"plain": known, "hashes": hashes, "counted": [f"{h}:{n}" for n, h in enumerate(hashes)]}[form]
        file = tmp_path / "list.txt"
        file.write_text("\r\n".join(lines) + "\r\n", encoding="utf-8")
        assert all(is_breached(file, k) for k in known)
        assert not any(is_breached(file, k) for k in ("password-300", "", "PASSWORD-1", "口令"))

    def test_a_breached_password_is_refused_on_the_page(self, people, signed_in, tmp_path, settings_of):
        (tmp_path / "list.txt").write_text("纵横阡陌-已泄露-口令\n", encoding="utf-8")
        settings_of(AUTH_PASSWORD_VALIDATORS=[{"NAME": "qianmo.web.passwords.BreachedPasswordValidator", "OPTIONS": {"file": str(tmp_path / "list.txt")}}])
        form = {"username": "new", "role": "reader", "clearance": "1", "password1": "纵横阡陌-已泄露-口令", "password2": "纵横阡陌-已泄露-口令"}
        answer = signed_in("manager").post("/people/new/", form)
        assert answer.status_code == 422 and "泄露" in answer.content.decode()


def test_behind_https_answers_ask_for_https_and_cookies_are_bound_to_the_host(people, settings_of):
    from django.test import Client

    from qianmo.web.settings import desk_settings

    assert "Strict-Transport-Security" not in Client().get("/accounts/login/").headers
    made = desk_settings(Path(), key="k", secure=True)
    assert made["SESSION_COOKIE_NAME"] == "__Host-sessionid" and "SESSION_COOKIE_DOMAIN" not in made
    settings_of(SESSION_COOKIE_SECURE=True)
    answer = Client().get("/accounts/login/", secure=True)
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
