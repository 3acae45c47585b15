"""A password that a manager gave lasts until the first sign-in."""

from __future__ import annotations

import pytest

GIVEN, OWN = "经理所给-首次口令-2026", "自己选的-另一个口令-7788"


@pytest.fixture
def newly_made(people, signed_in):
    """A planner whom a manager made on the page, with a password."""
    form = {"username": "xinren", "first_name": "新人", "role": "planner", "region": "", "department": "", "clearance": 1, "password1": GIVEN, "password2": GIVEN}
    assert signed_in("manager").post("/people/new/", form).status_code == 302
    return type(people["planner"]).objects.get(username="xinren")


def _in(password: str):
    from django.core.cache import cache
    from django.test import Client

    cache.clear()
    client = Client()
    client.post("/accounts/login/", {"login": "xinren", "password": password})
    return client


def _tile() -> str:
    from qianmo.geo.tile_rings import tile_of

    return "/tiles/x/landuse_patch/14/{}/{}.mvt".format(*tile_of(117.25, 28.0, 14))


def _chosen(client, new: str, *, old: str = GIVEN):
    return client.post("/accounts/password/change/", {"oldpassword": old, "password1": new, "password2": new})


def test_nothing_opens_before_the_own_password_is_chosen(newly_made):
    client = _in(GIVEN)
    page = client.get("/", follow=True)
    assert page.redirect_chain[-1][0] == "/accounts/password/change/" and "改为自己的密码" in page.content.decode()
    assert {client.get(a).status_code for a in ("/map/style.json", "/api/catalogue", _tile())} == {403}
    assert client.post("/tasks/new/evaluate/", {}).status_code == 403 and client.post("/undo/", {}).status_code == 403
    assert client.get("/accounts/sessions/").status_code == 200


def test_every_address_and_operation_is_closed_until_then(newly_made, desk):
    from qianmo.web.api import NEEDS
    from qianmo.web.routes import ROUTES

    client = _in(GIVEN)
    plain = [r for r in ROUTES if "<" not in r.address and r.action not in ("public", "account")]
    assert len(plain) > 15 and len(NEEDS) > 8
    for route in plain:
        answer = client.get(f"/{route.address}")
        assert answer.status_code == (403 if route.is_data else 302), route.name
        assert route.is_data or answer.headers["Location"] == "/accounts/password/change/", route.name
    assert {client.get(a).status_code for a in ("/api/catalogue", "/api/search?q=1", "/api/identify?lon=117.2&lat=28", "/api/here?lon=117.2&lat=28")} == {403}


def test_the_own_password_opens_the_desk_and_the_given_one_is_gone(newly_made):
    client = _in(GIVEN)
    assert _chosen(client, OWN).status_code == 302
    assert client.get("/").status_code == 200 and client.get(_tile()).status_code == 200
    newly_made.refresh_from_db()
    assert not newly_made.password_given and newly_made.check_password(OWN)
    assert _in(GIVEN).get("/").headers["Location"].startswith("/accounts/login/"), "the given password lets nobody in any more"
    assert _in(OWN).get("/").status_code == 200


def test_the_given_password_cannot_be_chosen_again(newly_made):
    client = _in(GIVEN)
    answer = _chosen(client, GIVEN)
    assert answer.status_code == 200 and "与原密码相同" in answer.content.decode()
    assert client.get("/").status_code == 302


def test_a_password_set_for_an_existing_person_must_be_changed_too(newly_made):
    _chosen(_in(GIVEN), OWN)
    newly_made.refresh_from_db()
    newly_made.set_password(GIVEN + "-again")
    newly_made.save()
    assert _in(GIVEN + "-again").get("/").headers["Location"] == "/accounts/password/change/"


def test_the_first_person_and_sample_offices_chose_or_were_told_their_own(empty_desk, monkeypatch):
    from django.test import Client

    from qianmo.web.models import Person
    from qianmo.web.sample_offices import make_offices

    client = Client()
    client.post("/setup/", {"username": "主任", "token": "word", "password1": OWN, "password2": OWN})
    assert client.get("/").status_code == 200
    Person.objects.all().delete()
    for _ in range(2):
        make_offices()
        assert not Person.objects.filter(password_given=True).exists()


def test_the_tables_are_those_of_the_models(desk):
    from django.core.management import call_command

    call_command("makemigrations", "desk", check=True, dry_run=True, verbosity=0)
