"""A body that is too large, or comes from nobody, is refused by the head of its request; over a real socket."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager

import pytest

from qianmo.web.body_door import DOCUMENT_BYTES, FORM_BYTES, GUEST_BYTES, limit_of

UPLOAD = 40 << 20
LINE = 21 << 20


@contextmanager
def _serving():
    """A server with the door before it, which counts the bytes that reach the application; one session is known."""
    from waitress import create_server

    from qianmo.web import tile_door
    from qianmo.web.serve import guard_bodies

    taken: list[int] = []

    def application(environ, start_response):
        taken.append(len(environ["wsgi.input"].read()))
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "0")])
        return [b""]

    server = create_server(application, host="127.0.0.1", port=0, max_request_body_size=UPLOAD)
    known, tile_door.is_known = tile_door.is_known, lambda cookies: cookies == "sessionid=known"
    try:
        guard_bodies(server, upload_bytes=UPLOAD, line_bytes=LINE)
    finally:
        tile_door.is_known = known
    threading.Thread(target=server.run, daemon=True).start()
    try:
        yield server.effective_port, taken
    finally:
        server.close()


@pytest.fixture(scope="module")
def door(desk):
    with _serving() as found:
        yield found


def _status(port: int, path: str, length: int, *, cookie: str = "", body: bytes = b"", chunked: bool = False) -> int:
    """Status of a request whose head tells a length; the body is what is given, which may be shorter."""
    size = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {length}"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{size}\r\n" + (f"Cookie: {cookie}\r\n" if cookie else "") + "Connection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall(head.encode() + body)
        answer = line.recv(200)
    return int(answer.split()[1]) if answer else 0


@pytest.mark.parametrize(
    ("path", "length", "cookie", "status"),
    [
        ("/imports/", UPLOAD + 1, "sessionid=known", 413), ("/imports/", UPLOAD - 1, "", 401), ("/imports/", GUEST_BYTES + 1, "sessionid=other", 401),
        ("/people/new/", FORM_BYTES + 1, "sessionid=known", 413), ("/lines/", (21 << 20) + 1, "sessionid=known", 413), ("/api/red-line", (21 << 20) + 1, "sessionid=known", 413),
        ("/library/import/", (5 << 20) + 1, "sessionid=known", 413), ("/accounts/login/", GUEST_BYTES + 1, "", 401), ("/nowhere", FORM_BYTES + 1, "sessionid=known", 413),
    ],
)  # fmt: skip
def test_the_head_alone_decides(door, path, length, cookie, status):
    """Not one byte of the body is sent, and the answer comes at once."""
    port, taken = door
    before = len(taken)
    assert _status(port, path, length, cookie=cookie) == status
    assert len(taken) == before


def test_what_fits_passes_whole(door):
    port, taken = door
    assert _status(port, "/accounts/login/", 500, body=b"x" * 500) == 200 and taken[-1] == 500
    assert _status(port, "/imports/", 3 << 20, cookie="sessionid=known", body=b"x" * (3 << 20)) == 200 and taken[-1] == 3 << 20


def test_a_body_in_chunks_needs_a_session_and_is_cut_at_the_limit(door):
    port, taken = door
    before = len(taken)
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    assert _status(port, "/people/new/", 0, chunked=True, body=chunk) == 401
    try:
        status = _status(port, "/people/new/", 0, cookie="sessionid=known", chunked=True, body=chunk * 64)
    except (BrokenPipeError, ConnectionResetError):
        status = 413  # the server closed the line while the body was still coming
    assert status == 413 and len(taken) == before


@pytest.mark.parametrize(("path", "most"), [("/imports/", UPLOAD), ("/imports/x/", FORM_BYTES), ("/lines/", 21 << 20), ("/lines/upload/", LINE), ("/review-new/", DOCUMENT_BYTES),
                                              ("/reviews/1/do/resubmit/", DOCUMENT_BYTES),
                                              ("/reviews/1/do/accept/", FORM_BYTES)])  # fmt: skip
def test_each_address_has_its_limit(path, most):
    assert limit_of(path, upload_bytes=UPLOAD, line_bytes=LINE) == most


def test_every_form_that_sends_files_has_an_address_that_takes_them(repo):
    """A new form with files fails here until its address has a limit of its own."""
    sent_to = {"review/new.html": "/review-new/", "review/move.html": "/reviews/1/do/resubmit/", "desk/imports.html": "/imports/", "desk/library_import.html": "/library/import/",
               "desk/lines.html": "/lines/upload/"}  # fmt: skip
    folder = repo / "src/qianmo/web/templates"
    forms = {str(p.relative_to(folder)) for p in folder.rglob("*.html") if "multipart/form-data" in p.read_text(encoding="utf-8")}
    assert forms == set(sent_to)
    assert all(limit_of(a, upload_bytes=UPLOAD, line_bytes=LINE) > FORM_BYTES for a in sent_to.values())


def test_a_session_is_known_by_its_cookie(people):
    from django.test import Client

    from qianmo.web.tile_door import is_known

    client = Client()
    client.force_login(people["reader"], backend="allauth.account.auth_backends.AuthenticationBackend")
    key = client.cookies["sessionid"].value
    assert is_known(f"unit=ha; sessionid={key}") and not is_known("sessionid=" + "a" * 32) and not is_known("")
