"""The interface against its own description: whatever is sent, no fault of the program, and every answer as described."""

from __future__ import annotations

import json
import urllib.parse

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
ANY = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
                   lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3), max_leaves=6)  # fmt: skip
PLACE = st.tuples(st.floats(117.2, 117.3), st.floats(27.95, 28.05))
RING = st.lists(st.tuples(st.floats(117.2, 117.3), st.floats(27.95, 28.05)).map(list), min_size=1, max_size=7).map(lambda r: [*r, r[0]])
SHAPES = st.one_of(
    RING.map(lambda r: {"type": "Polygon", "coordinates": [r]}),
    RING.map(lambda r: {"type": "LineString", "coordinates": r}),
    st.lists(RING, max_size=2).map(lambda rs: {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [r]}} for r in rs]}),
    st.fixed_dictionaries({"type": st.sampled_from(["Polygon", "MultiPolygon", "Feature", "FeatureCollection", "Ghost"]), "coordinates": ANY, "geometry": ANY, "features": ANY}),
    ANY,
)  # fmt: skip


def conforms(value, schema: dict, parts: dict) -> bool:
    """Whether a value is as a schema of OpenAPI 3.1 describes it; the words that the description uses, and no others."""
    if "$ref" in schema:
        return conforms(value, parts[schema["$ref"].rsplit("/", 1)[1]], parts)
    if "anyOf" in schema:
        return any(conforms(value, s, parts) for s in schema["anyOf"])
    kind = schema.get("type")
    if kind == "object":
        named = schema.get("properties", {})
        return isinstance(value, dict) and set(schema.get("required", ())) <= set(value) and all(conforms(v, named.get(k, {}), parts) for k, v in value.items())
    if kind == "array":
        if not isinstance(value, list) or not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            return False
        pairs = zip(value, schema["prefixItems"], strict=False) if "prefixItems" in schema else ((v, schema.get("items", {})) for v in value)
        return all(conforms(v, s, parts) for v, s in pairs)
    if kind is None:
        return True
    wanted = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None)}[kind]
    return isinstance(value, wanted) and (kind == "boolean" or not isinstance(value, bool))


@pytest.fixture
def described(people):
    from django.test import Client

    from qianmo.web.api import api

    client = Client(raise_request_exception=False)
    client.force_login(people["planner"], backend=BACKEND)
    schema = json.loads(json.dumps(api.get_openapi_schema()))
    operations = {m["operationId"]: (verb, path, m) for path, verbs in schema["paths"].items() for verb, m in verbs.items()}

    def ask(name: str, *, query: dict | None = None, body=None, number: str = "") -> int:
        verb, path, operation = operations[name]
        address = path.replace("{number}", urllib.parse.quote(number, safe="")) + "?" + urllib.parse.urlencode(query or {})
        more = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        answer = getattr(client, verb)(address, **more)
        assert answer.status_code < 500, (name, query, body, number)
        if answer.status_code == 200:
            wanted = operation["responses"]["200"]["content"]["application/json"]["schema"]
            assert conforms(answer.json(), wanted, schema["components"]["schemas"]), (name, answer.json())
        elif answer["Content-Type"].startswith("application/json"):
            assert "Traceback" not in answer.content.decode()
        return answer.status_code

    return ask


BOUNDED = settings(max_examples=40, deadline=None, database=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_the_check_of_answers_can_fail():
    assert not conforms([{"a": 1}], {"type": "array", "items": {"type": "object", "required": ["b"]}}, {})
    assert not conforms(True, {"type": "number"}, {})
    assert not conforms({"a": "x"}, {"type": "object", "properties": {"a": {"anyOf": [{"type": "number"}, {"type": "null"}]}}}, {})


@BOUNDED
@given(lon=st.floats(117.2, 117.3) | st.floats() | st.text(max_size=8), lat=st.floats(27.95, 28.05) | st.floats() | st.text(max_size=8))
def test_identify_answers_as_described(described, lon, lat):
    described("identify", query={"lon": lon, "lat": lat})


@BOUNDED
@given(q=st.text(max_size=120) | st.sampled_from(["0101", "村", "117.25, 28", "39461234.5 2853456", "1e999 1e999", "28°0'0\"N 117°15'E", "\x00", "%", "' OR 1=1 --"]), limit=st.integers() | st.text(max_size=4))
def test_search_answers_as_described(described, q, limit):
    described("search", query={"q": q, "limit": limit})
    described("search", query={"q": q})


@BOUNDED
@given(shape=SHAPES, layers=st.lists(st.text(max_size=6) | st.just("landuse_patch"), max_size=2) | ANY)
def test_red_line_answers_as_described(described, shape, layers):
    described("red_line", body={"geometry": shape, "layers": layers})


@BOUNDED
@given(number=st.uuids().map(str) | st.text(min_size=1, max_size=40))
def test_task_answers_as_described(described, number):
    described("task", number=number)


def test_good_requests_are_answered_so_the_check_sees_answers(described):
    assert described("catalogue") == 200
    assert described("identify", query={"lon": 117.25, "lat": 28.0}) == 200
    assert described("search", query={"q": "0101"}) == 200
    triangle = [[117.24, 27.99], [117.26, 27.99], [117.26, 28.02], [117.24, 27.99]]
    assert described("red_line", body={"geometry": {"type": "Polygon", "coordinates": [triangle]}}) == 200
