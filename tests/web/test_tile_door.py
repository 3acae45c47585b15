"""The short way of tiles: the same answers as the long one, and no answer from before a change of rights."""

from __future__ import annotations

import pytest

from qianmo.geo.tile_rings import tile_of


def _address(layer: str, zoom: int, ending: str = "mvt") -> str:
    column, row = tile_of(117.25, 28.0, zoom)
    return f"/tiles/x/{layer}/{zoom}/{column}/{row}.{ending}"


ADDRESSES = (_address("landuse_patch", 14), _address("landuse_patch", 11, "png"), _address("village", 13), _address("landuse_patch", 14).replace("/14/", "/14/9"),
             _address("ghost", 14), "/tiles/x/landuse_patch/19/1/1.mvt")  # fmt: skip
ACTORS = ("nobody", "reader", "villager", "outsider", "manager")


@pytest.fixture(autouse=True)
def _forgotten(desk):
    from qianmo.web.tile_door import forget

    forget()


def _client(signed_in, actor):
    from django.test import Client

    return Client() if actor == "nobody" else signed_in(actor)


def test_the_short_way_answers_as_the_long_one_for_everybody(people, signed_in, monkeypatch):
    from qianmo.web import tile_door
    from qianmo.web.models import LayerRight

    LayerRight.objects.create(layer="village", secrecy=3)
    drawn = 0
    for actor in ACTORS:
        client = _client(signed_in, actor)
        for address in ADDRESSES:
            short = [client.get(address) for _ in range(2)][1]
            with monkeypatch.context() as closed:
                closed.setattr(tile_door, "_known", lambda session: None)
                long = client.get(address)
            assert (short.status_code, short.headers["Content-Type"]) == (long.status_code, long.headers["Content-Type"]), (actor, address)
            if long.status_code == 200:
                assert short.content == long.content
                drawn += 1
                for name in ("Cache-Control", "Vary", "X-Content-Type-Options", "Content-Security-Policy"):
                    assert short.headers[name] == long.headers[name] or name == "Vary", name
    assert drawn >= 6


def _close(people):
    type(people["reader"]).objects.filter(pk=people["reader"].pk).update(is_active=False)


def _less_clearance(people):
    people["reader"].clearance = 0
    people["reader"].save()


def _no_role(people):
    type(people["reader"]).objects.filter(pk=people["reader"].pk).update(role="ghost")


def _secret(people):
    from qianmo.web.models import LayerRight

    LayerRight.objects.create(layer="landuse_patch", secrecy=2)


def _signed_out(people):
    from django.contrib.sessions.models import Session

    Session.objects.all().delete()


def _other_password(people):
    people["reader"].set_password("另一个-足够长的-口令-77")
    people["reader"].save()


def _by_hand(people):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("UPDATE desk_person SET clearance = 0 WHERE username = 'reader'")


@pytest.mark.parametrize("change", [_close, _less_clearance, _no_role, _secret, _signed_out, _other_password, _by_hand])
def test_the_tile_after_a_change_of_rights_is_refused(people, signed_in, change):
    client = signed_in("reader")
    assert [client.get(ADDRESSES[0]).status_code for _ in range(3)] == [200] * 3
    change(people)
    assert client.get(ADDRESSES[0]).status_code in (401, 403, 404)


def test_a_new_region_shows_at_once(people, signed_in):
    client = signed_in("reader")
    whole = client.get(ADDRESSES[0]).content
    type(people["reader"]).objects.filter(pk=people["reader"].pk).update(region="000")
    assert client.get(ADDRESSES[0]).content != whole


def test_without_a_stamp_nothing_is_kept(people, signed_in, monkeypatch):
    from qianmo.web import tile_door

    monkeypatch.setattr(tile_door, "rights_stamp", lambda: "")
    assert signed_in("reader").get(ADDRESSES[0]).status_code == 200
    assert not tile_door._kept


def test_a_foreign_host_name_is_refused_there_too(people, signed_in):
    assert signed_in("reader").get(ADDRESSES[0], HTTP_HOST="evil.example").status_code == 400
