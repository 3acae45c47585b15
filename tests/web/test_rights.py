"""Every route for every role, over own, foreign and secret things; and the decision itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from qianmo.governance.review_rights import review_verbs
from qianmo.schema.desk import LayerDemand, Viewer, desk_roles

ACTORS = ("nobody", "newcomer", "reader", "reviewer", "planner", "manager")


def _decision(viewer: Viewer, demand: LayerDemand) -> bool:
    from qianmo.web.authorise import may_see

    return may_see(viewer, demand)


@pytest.mark.usefixtures("desk")
class TestDecision:
    def test_a_layer_above_the_clearance_is_not_seen(self):
        assert _decision(Viewer("a", "reader", "", "", 2), LayerDemand(2, (), ""))
        assert not _decision(Viewer("a", "reader", "", "", 1), LayerDemand(2, (), ""))

    def test_a_manager_needs_the_clearance_too(self):
        assert not _decision(Viewer("a", "manager", "", "", 1), LayerDemand(3, (), ""))

    def test_a_layer_of_a_department_is_seen_there_and_by_managers_only(self):
        demand = LayerDemand(1, ("农业农村", "自然资源"), "")
        assert _decision(Viewer("a", "reader", "", "农业农村", 1), demand)
        assert not _decision(Viewer("a", "reader", "", "生态环境", 1), demand)
        assert not _decision(Viewer("a", "reader", "", "", 1), demand)
        assert _decision(Viewer("a", "manager", "", "", 1), demand)

    @pytest.mark.parametrize(("mine", "layers", "seen"), [("", "33", True), ("3301", "", True), ("3301", "330110", True), ("330110", "3301", True), ("3302", "330110", False)])
    def test_regions_meet_when_one_lies_in_the_other(self, mine, layers, seen):
        assert _decision(Viewer("a", "reader", mine, "", 1), LayerDemand(1, (), layers)) is seen

    def test_an_unknown_role_sees_nothing(self):
        assert not _decision(Viewer("a", "ghost", "", "", 3), LayerDemand(0, (), ""))


def _sheet(owner):
    """A finished sheet of the secret layer."""
    from qianmo.web.desk import project_folder
    from qianmo.web.models import Task

    made = Task.objects.create(job="sheet", person=owner, state="done", values={"layer": ["village"], "region": ""}).number
    (project_folder() / "sheets").mkdir(exist_ok=True)
    (project_folder() / "sheets" / f"{made}.pdf").write_bytes(b"%PDF-1.7")
    return made


@pytest.fixture
def hidden_plan(library, put_project_back):
    """A secret plan that keeps every patch, taken back at the end."""
    from qianmo.schema.dataset import Dataset, Lineage
    from qianmo.store.parquet import read_frame
    from qianmo.store.project import change, open_project

    before = (library / "current").read_text(encoding="ascii")
    frame = read_frame(open_project(library).state / "layers" / "landuse_patch.parquet")[["patch_id", "village_code", "class_code", "area_m2", "class_area_m2", "geometry"]].copy()
    frame["measure"], frame["target_class"], frame["cost_yuan"], frame["reason"] = "keep", frame["class_code"], 0.0, "示例"
    with change(library, what="秘密方案", user="测试", now=datetime(2026, 1, 2, tzinfo=UTC)) as stage:
        base = stage.datasets["landuse_patch"]
        stage.put_layer(frame, Dataset("hidden_plan_01", "plan_parcel", "秘密方案", base.crs, base.class_scheme, "", True, len(frame), Lineage("测试", "", "测试", "2026-01-02", "测试")))
        stage.put_json("variant_plans", {"hidden_plan_01": {"edits": [], "limits": []}})
    yield
    put_project_back(library, before)


def _things(people) -> dict[str, str]:
    """One thing of each kind, all of the manager and over the secret layer ``village``, which the package of the review holds too."""
    from qianmo.web.models import DrawnLine, LayerRight, Task

    for name in ("village", "dem", "hidden_plan_01"):
        LayerRight.objects.create(layer=name, secrecy=3)
    owner = people["manager"]
    report = {"area_m2": 1.0, "vertices": 4, "layers": []}
    return {
        "task": str(Task.objects.create(job="evaluate", person=owner).number),
        "line": str(DrawnLine.objects.create(title="线", shape={}, report=report, generation=1, person=owner).number),
        "sheet": str(_sheet(owner)),
        "person": str(owner.pk),
        "review": "2026-01",
        "parcel": _a_parcel(),
        "import": _upload_of(owner.username),
        "draft": _draft_of(owner.username),
        "line-file": _upload_of(owner.username, kind="red-line"),
    }


def _a_parcel() -> str:
    from qianmo.web.desk import layers

    return str(layers().layer("landuse_patch").table.column("patch_id")[0])


def _upload_of(name: str, **told: str) -> str:
    from qianmo.jobs.queries.uploads import begin_upload
    from qianmo.web.desk import project_folder

    half = begin_upload(project_folder())
    half.begin("a.csv")
    half.add(b"a,b")
    return half.finish({"person": name, "made": "2026-01-01T00:00:00", "answers": {}, **told})


def _draft_of(name: str) -> str:
    from uuid import uuid4

    from qianmo.jobs.queries.review_drafts import begin_draft
    from qianmo.store.review_drafts import keep_look
    from qianmo.web.desk import project_folder

    number = str(uuid4())
    begin_draft(project_folder(), number, {"kind": "open", "review": "2026-77", "actor": name, "person": name, "roster": [], "made": "2026-01-01T00:00:00"}, [])
    keep_look(project_folder(), number, {"package": "a" * 64, "items": [], "points": {}, "changes": [], "synthetic": [], "generation": 1})
    return number


def _addresses(route, things: dict[str, str]) -> list[tuple[str, bool]]:
    """Addresses of a route: each with whether only who has clearance 3 and manages may see the thing behind it."""
    from django.urls import reverse

    match route.name:
        case "tile" | "picture":
            wanted = [({"version": "x", "layer": layer, "zoom": 14, "column": 13523, "row": 6850}, layer == "village") for layer in ("landuse_patch", "village")]
        case "changes-tile":
            wanted = [({"before": "now", "after": "now", "zoom": 14, "column": 13523, "row": 6850}, False)]
        case "plan-changes-tile":
            wanted = [({"before": "hidden_plan_01", "after": "hidden_plan_01", "zoom": 14, "column": 13523, "row": 6850}, True)]
        case "plan":
            wanted = [({"name": "hidden_plan_01"}, True)]
        case "plan-table":
            wanted = [({"name": "hidden_plan_01", "table": "edits"}, True)]
        case "plan-changes":
            wanted = [({"before": "hidden_plan_01", "after": "hidden_plan_01"}, True)]
        case "plan-changes-table":
            wanted = [({"before": "hidden_plan_01", "after": "hidden_plan_01", "table": "patches"}, True)]
        case "raster":
            wanted = [({"version": "x", "layer": "dem", "zoom": 12, "column": 3380, "row": 1712}, True)]
        case "raster-style":
            wanted = [({"layer": "dem"}, True)]
        case "sheet" | "sheet-file":
            wanted = [({"number": things["sheet"]}, True)]
        case "layer" | "layer-rights" | "columns-table":
            wanted = [({"layer": layer}, layer == "village") for layer in ("landuse_patch", "village")]
        case "row":
            wanted = [({"layer": "village", "key": "990101100201"}, True)]
        case "line-file":
            wanted = [({"number": things["line-file"]}, True)]
        case "line-file-table":
            wanted = [({"number": things["line-file"], "table": "outlines"}, True)]
        case "row-table":
            wanted = [({"layer": "village", "key": "990101100201", "table": "fields"}, True)]
        case "import-table":
            wanted = [({"number": things["import"], "table": table}, True) for table in ("encodings", "places", "repairs", "layers")]
        case "line" | "line-table" | "line-shape":
            wanted = [({"number": things["line"]}, True)]
        case "task" | "task-cancel":
            wanted = [({"number": things["task"]}, True)]
        case "task-new":
            wanted = [({"job": "evaluate"}, False)]
        case "import" | "import-remove" | "import-faults":
            wanted = [({"number": things["import"]}, True)]
        case "import-step":
            wanted = [({"number": things["import"], "step": step}, True) for step in (1, 2, 3, 4)]
        case "openid_connect_login" | "openid_connect_callback":
            wanted = [({"provider_id": "office"}, False)]
        case "person" | "person-sign-out":
            wanted = [({"pk": things["person"]}, False)]
        case "library-project" | "library-change" | "library-step" | "library-acceptance" | "library-acceptance-keep" | "library-acceptance-table":
            wanted = [({"project": "ZXM-001"}, False)]
        case "library-payments":
            wanted = [({"project": "ZXM-002"}, False)]
        case "library-fund" | "library-fund-pay":
            wanted = [({"fund": "ST-ND"}, False)]
        case "library-table":
            wanted = [({"name": name}, False) for name in ("projects", "funds", "plan")]
        case "reviews-table":
            wanted = [({"table": "days"}, False)]
        case "review-draft" | "review-draft-do":
            wanted = [({"number": things["draft"]}, True)]
        case "review-draft-table":
            wanted = [({"number": things["draft"], "table": "parts"}, True)]
        case "review" | "review-meeting":
            wanted = [({"review": things["review"]}, True)]
        case "review-do":
            wanted = [({"review": things["review"], "verb": verb}, True) for verb in review_verbs()]
        case "review-points" | "review-sign":
            wanted = [({"review": things["review"], "department": "农业农村"}, True)]
        case "review-parcel":
            wanted = [({"review": things["review"], "parcel": things["parcel"]}, True)]
        case "review-table":
            wanted = [({"review": things["review"], "table": table}, True) for table in ("parts", "log")]
        case "review-decision":
            wanted = [({"review": things["review"], "form": "docx"}, True)]
        case _:
            wanted = [({}, False)]
    return [(reverse(route.name, kwargs=named), owned) for named, owned in wanted]


def test_every_route_answers_every_role_as_its_table_says(library, people, signed_in, review, hidden_plan):
    from django.test import Client

    from qianmo.web.routes import ROUTES

    things = _things(people)
    checked = 0
    for actor in ACTORS:
        client = Client() if actor == "nobody" else signed_in(actor)
        for route in ROUTES:
            for address, owned in _addresses(route, things):
                for method in ("get", "post"):
                    answer = getattr(client, method)(address)
                    checked += 1
                    told = f"{actor} {method} {address} → {answer.status_code}"
                    if route.action == "public":
                        assert answer.status_code in (200, 302, 404, 405), told
                    elif actor == "nobody":
                        assert answer.status_code == (401 if route.is_data else 302), told
                        assert route.is_data or answer.headers["Location"].startswith("/accounts/login/"), told
                    elif route.action == "account":
                        assert answer.status_code in (200, 302), told
                    elif route.action not in desk_roles()[actor].actions:
                        assert answer.status_code == 403, told
                    elif owned and actor != "manager":
                        assert answer.status_code == 404, told
                    elif route.name in ("review-do", "review-sign"):
                        assert answer.status_code == 403, told + ": a manager reads a review and acts for nobody on its roster"
                    else:
                        refused = (403, 409) if route.name in ("library-step", "library-acceptance-keep") else ()
                        assert answer.status_code in (200, 204, 302, 405, 409, 422, *refused), told
    assert checked > 200


def test_every_address_of_the_desk_is_in_the_table_or_is_known(desk):
    from django.urls import URLPattern, URLResolver, get_resolver

    from qianmo.web.routes import ROUTES

    found = {p.name for p in get_resolver().url_patterns if isinstance(p, URLPattern)}
    assert found == {r.name for r in ROUTES} | {"set_language", None}
    assert {str(p.pattern) for p in get_resolver().url_patterns if isinstance(p, URLResolver)} == {"accounts/2fa/", "accounts/", "api/"}


def test_every_address_of_the_sign_in_library_is_known(desk):
    """A new version that brings an address of its own fails here until somebody has looked at it."""
    from django.urls import URLResolver, get_resolver

    found = {p.name for r in get_resolver().url_patterns if isinstance(r, URLResolver) and str(r.pattern) == "accounts/" for p in r.url_patterns}
    assert found == {
        "account_login", "account_logout", "account_inactive", "account_signup", "account_reauthenticate", "account_email", "account_email_verification_sent",
        "account_change_password", "account_set_password", "account_reset_password", "account_confirm_login_code", "account_confirm_email",
        "account_reset_password_from_key_done", "account_reset_password_from_key", "account_reset_password_done",
    }  # fmt: skip
    second = {getattr(p, "name", None) or str(p.pattern) for r in get_resolver().url_patterns if isinstance(r, URLResolver) and str(r.pattern) == "accounts/2fa/" for p in r.url_patterns}
    assert second == {"", "totp/", "recovery-codes/", "webauthn/"}


@pytest.mark.parametrize("address", ["accounts/signup/", "accounts/email/", "accounts/password/reset/", "accounts/login/code/confirm/", "accounts/password/reset/key/a-b/"])
def test_nobody_makes_an_account_or_a_new_password_from_outside(people, client_of_nobody, address):
    assert client_of_nobody.get(f"/{address}").status_code == 404


@pytest.fixture
def client_of_nobody(desk):
    from django.test import Client

    return Client()


OPERATIONS = {
    "catalogue": ("get", "/api/catalogue", None),
    "identify": ("get", "/api/identify?lon=117.25&lat=28.0", None),
    "search": ("get", "/api/search?q=0101", None),
    "red_line": ("post", "/api/red-line", {"geometry": {"type": "Polygon", "coordinates": [[[117.24, 27.99], [117.25, 27.99], [117.25, 28.0], [117.24, 27.99]]]}}),
    "changes": ("get", "/api/changes?before=now&after=now", None),
    "measure": ("post", "/api/measure", {"geometry": {"type": "LineString", "coordinates": [[117.24, 27.99], [117.25, 27.99]]}}),
    "task": ("get", "/api/tasks/{task}", None),
    "plan_changes": ("get", "/api/plan-changes?before=hidden_plan_01&after=hidden_plan_01", None),
    "plan_options": ("post", "/api/plan-options", {"plan": "hidden_plan_01", "patches": ["x"]}),
    "plan_check": ("post", "/api/plan-check", {"plan": "hidden_plan_01", "edits": [{"patches": ["x"], "measure": "keep"}]}),
    "plan_edit": ("post", "/api/plan-edit", {"plan": "hidden_plan_01", "edits": [{"patches": ["x"], "measure": "keep"}]}),
}
OPERATIONS["here"] = ("get", "/api/here?lon=117.25&lat=28.0", None)
OF_A_PLAN = ("plan_changes", "plan_options", "plan_check", "plan_edit")
"""Operations on the secret plan, which holds no measures that could be set."""


def test_every_operation_of_the_interface_is_tried(desk):
    from qianmo.web.api import NEEDS, api

    described = {m["operationId"] for path in api.get_openapi_schema()["paths"].values() for m in path.values()}
    assert described == set(NEEDS) == set(OPERATIONS)


@pytest.mark.parametrize("actor", ACTORS)
def test_every_operation_answers_every_role_as_its_table_says(hidden_plan, people, signed_in, actor):
    from django.test import Client

    from qianmo.web.api import NEEDS

    things = _things(people)
    client = Client() if actor == "nobody" else signed_in(actor)
    for name, (method, address, body) in OPERATIONS.items():
        given = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        answer = getattr(client, method)(address.format(**things), **given)
        if actor == "nobody":
            assert answer.status_code == 401, name
        elif NEEDS[name] not in desk_roles()[actor].actions:
            assert answer.status_code == 403, name
        elif name in ("task", *OF_A_PLAN) and actor != "manager":
            assert answer.status_code == 404, name
        elif name in ("plan_check", "plan_edit"):
            assert answer.status_code in (404, 422), (name, "a manager sees the plan, and it has no proof to change it against")
        else:
            assert answer.status_code == 200, (name, answer.content)
            assert actor == "manager" or b"\"layer\": \"village\"" not in answer.content, name


def test_the_interface_wants_the_token_of_the_page_for_changes(people):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(people["manager"], backend="allauth.account.auth_backends.AuthenticationBackend")
    method, address, body = OPERATIONS["red_line"]
    assert getattr(client, method)(address, data=json.dumps(body), content_type="application/json").status_code == 403


def test_a_secret_layer_is_in_no_answer_of_who_lacks_the_clearance(hidden_plan, people, signed_in):
    _things(people)
    seen = signed_in("planner")
    for address in ("/", "/map/style.json", "/api/catalogue", "/api/identify?lon=117.245&lat=28.0", "/api/search?q=990101100201"):
        assert b"control_area_m2" not in seen.get(address).content
        marks = (b">village<",) if address == "/" else (b'"village"',)
        assert not any(m in seen.get(address).content for m in marks), address
        assert any(m in signed_in("manager").get(address).content for m in marks), address


def test_a_villager_finds_own_rows_and_no_others(people, signed_in):
    from qianmo.web.desk import layers

    shown = layers().layer("landuse_patch")
    codes = shown.coded("village_code")
    villages = [codes.values[c] for c in codes.codes]
    keys = shown.table.column("patch_id").to_pylist()
    own = next(k for k, v in zip(keys, villages, strict=True) if v == "990101100201")
    foreign = next(k for k, v in zip(keys, villages, strict=True) if v != "990101100201")
    client = signed_in("villager")
    assert client.get(f"/layers/landuse_patch/{own}/").status_code == 200
    assert client.get(f"/layers/landuse_patch/{foreign}/").status_code == 404
    assert not [f for f in client.get(f"/api/search?q={foreign}").json() if f["key"] == foreign]
    assert [f for f in client.get(f"/api/search?q={own}").json() if f["key"] == own]


def test_the_last_manager_stays_one(people, signed_in):
    from qianmo.web.models import Person

    manager = people["manager"]
    answer = signed_in("manager").post(f"/people/{manager.pk}/", {"role": "reader", "clearance": 1, "is_active": "on"})
    assert answer.status_code == 422
    assert Person.objects.get(pk=manager.pk).role == "manager"


def test_a_change_of_rights_is_kept_in_the_history(people, signed_in):
    reader = people["reader"]
    signed_in("manager").post(f"/people/{reader.pk}/", {"role": "planner", "clearance": 2, "is_active": "on"})
    last = reader.history.first()
    assert (last.role, last.clearance, last.history_user.username) == ("planner", 2, "manager")


def _text_of(answer) -> str:
    """Words of a page, of a workbook or of a Word document."""
    import io
    import zipfile

    if not answer.content.startswith(b"PK"):
        return answer.content.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        return "".join(file.read(n).decode("utf-8", "replace") for n in file.namelist() if n.endswith(".xml"))


def test_a_layer_of_another_department_has_no_name_in_a_review(people, signed_in, review):
    """The officer of agriculture reviews the package, but one of its layers is for natural resources alone."""
    from qianmo.jobs.queries.review_desk import review_view
    from qianmo.web.desk import project_folder
    from qianmo.web.models import LayerRight

    hidden = next(i for i in review_view(project_folder(), review).package.items if i.name == "village")
    LayerRight.objects.create(layer="village", secrecy=1, departments="自然资源")
    shown = {}
    for name in ("nong", "zi"):
        client = signed_in(name)
        pages = [client.get(f"/reviews/{review}/{tail}") for tail in ("", "tables/parts.xlsx", "decision/docx/")]
        assert [p.status_code for p in pages] == [200] * 3, name
        shown[name] = [[w for w in (f">{hidden.zh}<", hidden.sha256[:16]) if w in _text_of(p)] for p in pages]
    assert all(len(found) == 2 for found in shown["zi"]) and not any(shown["nong"]), shown
    assert "您无权查看的内容" in _text_of(signed_in("nong").get(f"/reviews/{review}/"))


@pytest.mark.parametrize("role", ACTORS[2:])
def test_a_role_takes_the_library_steps_of_its_own_actors_and_no_others(library, people, signed_in, role):
    """Every actor of every open step of a project of each state, tried by each role of the desk."""
    from qianmo.governance.stages.move import open_steps
    from qianmo.jobs.queries.library import library_view
    from qianmo.schema.desk import workflow_actors
    from qianmo.schema.workflows import workflow

    client, own, tried = signed_in(role), workflow_actors(role), 0
    firsts = library_view(library).projects.drop_duplicates("state")
    for project, state in zip(firsts["project_id"], firsts["state"], strict=True):
        text = client.get(f"/library/projects/{project}/").content.decode()
        for step in open_steps(workflow("project_library"), str(state), before=""):
            for actor in step.actors:
                tried += 1
                offered = f'value="{actor}"' in text
                assert not offered or (actor in own and role != "reader"), (role, project, actor)
                if actor not in own or role == "reader":
                    sent = {"to": step.state_to, "role": actor, "reason": "试", "documents": list(step.documents)}
                    assert client.post(f"/library/projects/{project}/step/", sent).status_code == 403, (role, project, actor)
    assert tried >= 5


PORTFOLIO = (
    "/library/ranking/keep/", "/library/plan/run/", "/library/import/", "/library/funds/new/", "/library/funds/of/ST-ND/", "/library/funds/of/ST-ND/pay/", "/library/floors/", "/library/order/",
    "/library/projects/ZXM-002/payments/",
)  # fmt: skip


@pytest.mark.parametrize(("actor", "status"), [("reader", 403), ("reviewer", 403), ("villager", 403), ("regional", 403), ("planner", 200), ("manager", 200)])
def test_the_year_plan_and_the_whole_library_are_for_planners_of_the_whole(library, people, signed_in, actor, status):
    from qianmo.web.models import Person

    people["regional"] = Person.objects.create_user("regional", role="planner", region="990101100201", clearance=1)
    client = signed_in(actor)
    for address in PORTFOLIO:
        answer = client.post(address, {})
        assert (answer.status_code == 403) == (status == 403), (actor, address, answer.status_code)
        assert answer.status_code in (302, 403, 422), (actor, address)


def test_a_secret_year_plan_is_in_no_answer_of_who_lacks_the_clearance(library, people, signed_in):
    from qianmo.web.models import LayerRight

    for name in ("portfolio_start", "library_fund", "library_rank"):
        LayerRight.objects.create(layer=name, secrecy=3)
    for actor in ("reader", "reviewer", "planner"):
        client = signed_in(actor)
        for address in ("/library/funds/", "/library/plan/", "/library/tables/funds.xlsx", "/library/library.xlsx"):
            assert "省级农田与整治补助" not in _text_of(client.get(address)), (actor, address)
        assert client.post("/library/plan/run/", {}).status_code == 403, actor
    assert "省级农田与整治补助" in _text_of(signed_in("manager").get("/library/library.xlsx"))
