"""Sign-on with the account of the office, from page to page, against a tiny OpenID Connect server on this machine."""

from __future__ import annotations

import html
import importlib.util
import os
import re
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from qianmo.jobs.context import Context
from qianmo.jobs.make_village import run as make_village
from qianmo.jobs.registry import job_spec
from qianmo.jobs.spec import checked_values

PASSWORD = "阡陌纵横-田间小路-2026"
SPOILED = ("signature", "unsigned", "shared secret", "nonce", "no nonce", "audience", "two audiences", "issuer", "expired", "subject", "no ID token")


def _part(name: str):
    spec = importlib.util.spec_from_file_location(f"sign_on_{name}", Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


served, DeskClient, oidc = _part("browser").served, _part("desk_client").DeskClient, _part("oidc_server")


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """A desk in a process of its own whose settings name the server, the server, and the first manager's browser."""
    project = tmp_path_factory.mktemp("sign-on") / "project"
    context = Context(user="测试", clock=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    make_village(context, checked_values(job_spec("village"), {"into": str(project), "patches": 200, "villages": 2}))
    os.environ["NO_PROXY"] = "127.0.0.1"
    with oidc.oidc_server() as server:
        (project / "oidc.secret").write_text(oidc.SECRET + "\n", encoding="utf-8")
        (project / "desk.toml").write_text(
            f'[oidc]\nname = "县统一认证"\nclient_id = "{oidc.CLIENT}"\nsecret_file = "oidc.secret"\nserver_url = "{server.home}"\n', encoding="utf-8"
        )
        with served(project) as (home, first, _process):
            manager = _client(home)
            assert manager.post("/setup/", {"username": "lin", "password1": PASSWORD, "password2": PASSWORD, "token": first.split("token=")[1]})[0] == 302
            yield project, home, server, manager
    shutil.rmtree(project)


def _client(home: str):
    client = DeskClient()
    client.home = home
    return client


def _offered(client, query: str = "") -> str:
    """The address of the server that the desk offers after its button."""
    status, text, _ = client.post(f"/accounts/office/office/{query}", {}, page="/accounts/login/")
    assert status == 200
    return html.unescape(re.search(r'href="(http://127[^"]+/authorize[^"]+)"', text).group(1))


def _back(client, address: str) -> tuple[int, str, dict]:
    parts = urlsplit(address)
    return client.get(f"{parts.path}?{parts.query}")


@pytest.fixture(autouse=True)
def _unspoiled(office):
    server = office[2]
    server.spoil = server.issuer = ""
    server.person = {"sub": "u-1", "preferred_username": "lin", "name": "林晓"}


def test_who_comes_in_has_no_right_until_a_manager_gives_one(office):
    project, home, server, manager = office
    client = _client(home)
    assert "用县统一认证登录" in client.get("/accounts/login/")[1]
    status, _, headers = _back(client, server.authorise(_offered(client)))
    assert (status, headers["Location"]) == (302, "/")
    status, text, _ = client.get("/")
    assert status == 403 and "您的账户尚未授权" in text
    assert {client.get(a)[0] for a in ("/map/", "/library/", "/api/catalogue", "/rasters/dem.json", "/people/")} == {403}
    with closing(sqlite3.connect(project / "desk.sqlite3")) as database:
        (pk, name, role, clearance, password), = database.execute("SELECT id, username, role, clearance, password FROM desk_person WHERE first_name = '林晓'").fetchall()  # fmt: skip
    assert (name, role, clearance) == ("lin-2", "newcomer", 0) and password.startswith("!"), "never the account of the local lin, who manages"
    assert manager.post(f"/people/{pk}/", {"first_name": "林晓", "role": "reader", "clearance": "1", "is_active": "on"})[0] == 302
    assert client.get("/")[0] == 200
    again = _client(home)
    _back(again, server.authorise(_offered(again)))
    assert again.get("/")[0] == 200, "the same person the next time, by the subject of the server"


@pytest.mark.parametrize("spoil", SPOILED)
def test_an_answer_that_is_wrong_lets_nobody_in(office, spoil):
    _, home, server, _ = office
    server.spoil = spoil
    client = _client(home)
    status, text, _ = _back(client, server.authorise(_offered(client)))
    assert status == 403 and "统一认证登录未成功" in text and "Traceback" not in text
    assert client.get("/")[0] == 302


def test_an_answer_counts_once_and_in_its_own_browser_only(office):
    _, home, server, _ = office
    client, other = _client(home), _client(home)
    address = server.authorise(_offered(client))
    assert _back(other, address)[0] == 403 and other.get("/")[0] == 302
    assert _back(client, address)[0] == 302
    assert _back(client, address)[0] == 403


def test_a_server_that_names_another_issuer_is_not_believed(office):
    _, home, server, _ = office
    server.issuer = "https://elsewhere.example"
    status, text, _ = _client(home).post("/accounts/office/office/", {}, page="/accounts/login/")
    assert status == 502 and "elsewhere" not in text


def test_nothing_can_be_added_by_a_link_and_nobody_is_joined_to_an_account(office):
    _, home, server, manager = office
    client = _client(home)
    address = _offered(client, "?scope=admin&auth_params=nonce%3Dfixed%26prompt%3Dnone")
    assert "admin" not in address and "fixed" not in address and "prompt" not in address
    assert _back(manager, server.authorise(_offered_signed_in(manager)))[0] == 403
    assert client.get("/accounts/office/office/")[0] == 302 and client.get("/accounts/office/elsewhere/")[0] == 404


def _offered_signed_in(client) -> str:
    status, text, _ = client.post("/accounts/office/office/?process=connect", {}, page="/")
    assert status == 200
    return html.unescape(re.search(r'href="(http://127[^"]+/authorize[^"]+)"', text).group(1))


def test_without_settings_there_is_no_button_and_no_address(people):
    from django.test import Client

    client = Client()
    assert "/accounts/office/" not in client.get("/accounts/login/").content.decode()
    assert {getattr(client, m)(f"/accounts/office/office/{t}").status_code for m in ("get", "post") for t in ("", "callback/")} == {404}


@pytest.mark.parametrize(
    "text",
    ['[oidc]\nclient_id = "a"', '[oidc]\nclient_id="a"\nsecret_file="s"\nserver_url="http://sso.example"', "[odic]\n", "[session]\nidle_minutes = 0", "[session]\nmost_hours = 99",
     '[session]\nidle_minutes = "x"', '[second_factor]\nroles = ["ghost"]', '[passwords]\nbreached_file = "none.txt"', "not toml"],
)  # fmt: skip
def test_a_settings_file_with_a_mistake_stops_the_start_with_a_cure(tmp_path, text):
    from qianmo.schema.errors import QianmoError
    from qianmo.web.desk_file import desk_file

    (tmp_path / "s").write_text("x", encoding="utf-8")
    (tmp_path / "desk.toml").write_text(text, encoding="utf-8")
    with pytest.raises(QianmoError) as fault:
        desk_file(tmp_path)
    assert fault.value.found.startswith("desk.toml") and fault.value.expected and fault.value.cure
