"""Sessions, people and rights are read once as long as nothing changes, and a page after a change is decided anew."""

from __future__ import annotations

import pytest


@pytest.fixture
def fresh(people):
    from qianmo.web.kept_sessions import forget

    forget()
    yield people
    forget()


def _by_hand(statement: str, *values: object) -> None:
    """A change past the models, as a command or another process makes it."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _reads(client, address: str) -> list[str]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return [q["sql"] for q in seen.captured_queries]


def test_the_second_page_reads_neither_session_nor_person_nor_rights(fresh, signed_in):
    client = signed_in("planner")
    client.get("/")
    asked = _reads(client, "/")
    assert len(asked) == 1 and "desk_rights_stamp" in asked[0], asked


@pytest.mark.parametrize(
    ("change", "status"),
    [("role = 'newcomer'", 403), ("is_active = false", 302), ("clearance = 0", 200)],
)
def test_a_person_changed_past_the_models_is_another_at_the_next_page(fresh, signed_in, change, status):
    client = signed_in("planner")
    assert b"village" in client.get("/").content
    _by_hand(f"UPDATE desk_person SET {change} WHERE username = %s", "planner")
    answer = client.get("/")
    assert answer.status_code == status
    assert status != 200 or b">village<" not in answer.content, "internal layers need the clearance"


def test_a_password_that_was_changed_elsewhere_ends_the_session_at_the_next_page(fresh, signed_in):
    client = signed_in("planner")
    assert client.get("/").status_code == 200
    person = type(fresh["planner"]).objects.get(username="planner")
    person.set_password("另一个口令-谁也不知道-77")
    person.save()
    assert client.get("/").status_code == 302


def test_a_session_that_was_deleted_is_over_at_the_next_page(fresh, signed_in):
    client = signed_in("planner")
    assert client.get("/").status_code == 200
    _by_hand("DELETE FROM django_session")
    assert client.get("/").status_code == 302


def test_a_layer_classified_past_the_models_is_gone_at_the_next_page(fresh, signed_in):
    from qianmo.web.models import LayerRight

    client = signed_in("planner")
    LayerRight.objects.create(layer="village", secrecy=1)
    assert b">village<" in client.get("/").content
    _by_hand("UPDATE desk_layerright SET secrecy = 3 WHERE layer = %s", "village")
    assert b">village<" not in client.get("/").content


def test_each_browser_keeps_its_own_person(fresh, signed_in):
    one, two = signed_in("planner"), signed_in("reader")
    for _ in range(3):
        assert one.get("/tasks/").status_code == 200 and two.get("/tasks/").status_code == 403


def test_what_a_request_changes_in_its_copies_stays_there(fresh, signed_in):
    from django.http import HttpRequest

    from qianmo.web.kept_sessions import KeptUser, SessionStore

    client = signed_in("planner")
    client.get("/")
    key = client.cookies["sessionid"].value

    def asked() -> HttpRequest:
        request = HttpRequest()
        request.COOKIES = {"sessionid": key}
        request.session = SessionStore(key)
        KeptUser(lambda r: r).process_request(request)
        return request

    first = asked()
    first.user.role = "manager"
    first.session["stolen"] = True
    second = asked()
    assert second.user.role == "planner" and "stolen" not in second.session


def test_a_session_that_holds_much_is_read_every_time(fresh, signed_in):
    from qianmo.web.kept_sessions import _kept, forget

    client = signed_in("planner")
    session = client.session
    session["file"] = "x" * 10_000
    session.save()
    forget()
    assert client.get("/").status_code == 200
    assert not any(k[0] == "session" and k[1] == client.cookies["sessionid"].value for k in _kept)


def test_without_a_stamp_nothing_is_kept(fresh, signed_in, monkeypatch):
    from qianmo.web import kept_sessions

    monkeypatch.setattr(kept_sessions, "rights_stamp", lambda: "")
    assert signed_in("planner").get("/").status_code == 200 and not kept_sessions._kept


def test_a_change_is_decided_by_the_rights_of_its_own_moment(fresh, desk, monkeypatch):
    """What only reads looks at the stamp once; what changes something looks each time."""
    from django.http import HttpRequest, HttpResponse

    from qianmo.web import kept_sessions

    stamps = iter("abcdefgh")
    monkeypatch.setattr(kept_sessions, "rights_stamp", lambda: next(stamps))
    seen: list[str] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.extend(kept_sessions._stamp() for _ in range(3))
        return HttpResponse()

    for method in ("GET", "POST", "GET"):
        request = HttpRequest()
        request.method = method
        kept_sessions.one_moment(view)(request)
    assert "".join(seen) == "aaabcdeee" and kept_sessions._moment.get() is None


def test_what_is_kept_is_bounded(fresh, desk):
    from qianmo.web import kept_sessions

    for n in range(3000):
        kept_sessions.under_stamp(("x", n), lambda n=n: n)
    assert len(kept_sessions._kept) <= 1024
