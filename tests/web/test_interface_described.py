"""The interface against its own description, by Schemathesis: whatever is sent, no fault of the program, and every answer as described.

Its engine makes the edge cases of each parameter and body (missing, of another type, out of range, other methods), then samples
right and wrong requests, and puts every check it knows to each answer. Outlines, which the description leaves free, are drawn here.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
EXAMPLES = 8
MEANT = [200, 404, 409, 422]
"""What a request in the right form may be answered: an outline may still cross itself, a place hold nothing, a state be gone."""
CHECKS = {
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance", "response_schema_conformance",
    "negative_data_rejection", "positive_data_acceptance", "missing_required_header", "unsupported_method", "allow_header_conformance",
}  # fmt: skip
ANY = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
                   lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3), max_leaves=6)  # fmt: skip
RING = st.lists(st.tuples(st.floats(117.2, 117.3), st.floats(27.95, 28.05)).map(list), min_size=1, max_size=7).map(lambda r: [*r, r[0]])
SHAPES = st.one_of(
    RING.map(lambda r: {"type": "Polygon", "coordinates": [r]}),
    RING.map(lambda r: {"type": "LineString", "coordinates": r}),
    st.lists(RING, max_size=2).map(lambda rs: {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [r]}} for r in rs]}),
    st.fixed_dictionaries({"type": st.sampled_from(["Polygon", "MultiPolygon", "Feature", "FeatureCollection", "Ghost"]), "coordinates": ANY, "geometry": ANY, "features": ANY}),
)  # fmt: skip


def _session(person: Any) -> str:
    """The word of a session in which somebody is signed in."""
    from django.test import Client

    client = Client()
    client.force_login(person, backend=BACKEND)
    return client.cookies["sessionid"].value


def _application(environ: dict[str, Any], start_response: Any) -> Any:
    """The desk for a program that has the token of a page; who asks is not its affair."""
    from django.core.wsgi import get_wsgi_application

    token = "a" * 32
    known = [environ["HTTP_COOKIE"]] if environ.get("HTTP_COOKIE") else []
    return get_wsgi_application()({**environ, "HTTP_COOKIE": "; ".join([*known, f"csrftoken={token}"]), "HTTP_X_CSRFTOKEN": token}, start_response)


def _described(session: str) -> Any:
    """The interface as Schemathesis reads it from the desk itself, asked by whoever owns the session; by nobody without one."""
    from schemathesis import openapi
    from schemathesis.config import SchemathesisConfig

    checks: dict[str, Any] = {"positive_data_acceptance": {"expected-statuses": MEANT if session else [401]}}
    if session:
        checks["ignored_auth"] = {"enabled": False}  # asks again without the session, which 4.32 cannot do in process; the run of nobody does it
    config = SchemathesisConfig.from_dict({
        "seed": 20260102, "workers": 1, "checks": checks, "phases": {"stateful": {"enabled": False}},
        "generation": {"max-examples": EXAMPLES, "deterministic": True, "no-shrink": True, "database": "none", "with-security-parameters": False},
        **({"auth": {"openapi": {"SessionAuth": {"api_key": session}}}} if session else {}),
    })  # fmt: skip
    return openapi.from_wsgi("/api/openapi.json", _application, config=config)


def _run(schema: Any) -> tuple[Counter[str], Counter[tuple[str, int]], list[str]]:
    """Checks made, answers by operation and status, and faults, of one run of the engine."""
    from schemathesis import engine
    from schemathesis.engine import events

    made: Counter[str] = Counter()
    answers: Counter[tuple[str, int]] = Counter()
    faults = []
    for event in engine.from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            faults.append(f"{getattr(event, 'label', '')}: {getattr(event, 'value', None) or getattr(event, 'exception', event)!r}")
        if isinstance(event, events.ScenarioFinished):
            found = event.recorder
            answers.update((found.label, i.response.status_code) for i in found.interactions.values() if i.response is not None)
            for case, nodes in found.checks.items():
                made.update(n.name for n in nodes)
                faults += [f"{found.label}: {n.name}: {n.failure_info.failure.message}\n{found.cases[case].value.as_curl_command()}" for n in nodes if n.failure_info]
    return made, answers, faults


def test_every_request_of_a_planner_is_answered_as_described(people):
    made, answers, faults = _run(_described(_session(people["planner"])))
    assert not faults, "\n\n".join(faults[:10])
    assert set(made) >= CHECKS and made.total() > 1500
    assert {s for _, s in answers} >= {200, 404, 405, 422} and {o for o, s in answers if s == 200} >= {f"GET /api/{n}" for n in ("catalogue", "identify", "search")}


def test_every_request_of_nobody_is_refused_as_described(people):
    made, answers, faults = _run(_described(""))
    assert not faults, "\n\n".join(faults[:10])
    assert set(made) >= CHECKS | {"ignored_auth"}
    asked = {o for o, _ in answers}
    assert {s for _, s in answers} <= {400, 401, 405} and {o for o, s in answers if s == 401} == asked and len(asked) >= 12


def test_a_fault_of_the_program_would_be_found(people, monkeypatch):
    from qianmo.web import api

    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(api, "search", broken)
    faults = _run(_described(_session(people["planner"])).include(operation_id="search"))[2]
    assert any("not_a_server_error" in f for f in faults)


@pytest.fixture
def outlined(people):
    """Posts an outline to an operation and puts the checks to the answer."""
    from schemathesis.specs.openapi.checks import ignored_auth

    session = _session(people["planner"])
    operations = {o.ok().definition.raw["operationId"]: o.ok() for o in _described(session).get_all_operations()}

    def ask(name: str, body: Any) -> int:
        return operations[name].Case(body=body, media_type="application/json", cookies={"sessionid": session}).call_and_validate(excluded_checks=[ignored_auth]).status_code

    return ask


@settings(max_examples=30, deadline=None, database=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shape=SHAPES, layers=st.lists(st.text(max_size=6) | st.just("landuse_patch"), max_size=2))
def test_any_outline_is_answered_as_described(outlined, shape, layers):
    assert outlined("red_line", {"geometry": shape, "layers": layers}) in (200, 422)
    assert outlined("measure", {"geometry": shape}) in (200, 422)


def test_a_good_outline_is_measured_and_laid_over(outlined):
    triangle = {"type": "Polygon", "coordinates": [[[117.24, 27.99], [117.26, 27.99], [117.26, 28.02], [117.24, 27.99]]]}
    assert outlined("red_line", {"geometry": triangle, "layers": []}) == outlined("measure", {"geometry": triangle}) == 200
