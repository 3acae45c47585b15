"""The desk over a small invented township, with people of each role; Django is set up once a process."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from qianmo.jobs.context import Context
from qianmo.jobs.make_village import run as make_village
from qianmo.jobs.registry import job_spec
from qianmo.jobs.spec import checked_values
from qianmo.store.project import open_project

PASSWORD = "阡陌纵横-田间小路-2026"


@pytest.fixture(scope="session")
def desk_project(tmp_path_factory) -> Path:
    """An invented township of 300 patches in 3 villages."""
    folder = tmp_path_factory.mktemp("desk") / "数据 测试"
    context = Context(user="测试", clock=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    make_village(context, checked_values(job_spec("village"), {"into": str(folder), "patches": 300, "villages": 3}))
    return folder


@pytest.fixture(scope="session")
def desk(desk_project):
    """Django over that township, its tables made; the first-user word is 'word'."""
    import os

    from django.conf import settings

    from qianmo.web.settings import configure

    assert not settings.configured, "one project a process"
    database, worker = (os.environ.get(n, "") for n in ("QIANMO_TEST_DATABASE", "PYTEST_XDIST_WORKER"))
    configure(desk_project, database_url=f"{database}_{worker}" if database and worker else database, setup_token="word", hosts=("testserver",))
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return desk_project


@pytest.fixture(scope="session")
def library_of_town(desk):
    """The example library read into the township; the folder can be put back to it."""

    context = Context(user="测试", clock=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    files = sorted(str(p) for p in (Path(__file__).resolve().parents[2] / "examples" / "library").glob("*.csv"))
    job_spec("library-import").run(context, checked_values(job_spec("library-import"), {"project": str(desk), "files": files}))
    kept = desk.parent / "kept"
    shutil.copytree(desk, kept, symlinks=True, ignore=lambda _, names: [n for n in names if n.startswith("desk.")])
    return kept


def put_back(project: Path, before: str) -> None:
    """The project as it was: the pointer, and no states younger than it, which would push the old ones out."""
    from qianmo.jobs.queries.library import _view

    (project / "current").write_text(before, encoding="ascii")
    for folder in (project / "generations").glob("[0-9]*"):
        if int(folder.name) > int(before):
            shutil.rmtree(folder)
    _view.cache_clear()  # the next state has the number of one that was read before


@pytest.fixture(scope="session")
def put_project_back():
    """Gives the function that puts a project back to a state that it still holds."""
    return put_back


@pytest.fixture
def library(library_of_town, desk):
    """The township with the example library as it was read in."""

    from qianmo.jobs.queries.library import _view

    if (desk / "current").read_text(encoding="ascii") != (library_of_town / "current").read_text(encoding="ascii"):
        shutil.rmtree(desk / "generations")
        for path in desk.iterdir():
            if path.is_symlink() or path.name in ("current", "onemap.gpkg"):
                path.unlink()
        shutil.copytree(library_of_town, desk, symlinks=True, dirs_exist_ok=True)
    _view.cache_clear()
    return desk


@pytest.fixture
def empty_desk(desk):
    """The desk with nobody and nothing in its tables."""
    from django.core.cache import cache
    from django.core.management import call_command

    call_command("flush", verbosity=0, interactive=False)
    cache.clear()
    return desk


@pytest.fixture
def work():
    """Gives the function that does what is queued, then stops."""
    import time

    from django_tasks_db.management.commands.db_worker import Worker

    def run() -> None:
        Worker(queue_names=["default"], interval=0.1, batch=True, backend_name="default", startup_delay=False, max_tasks=None, worker_id=f"test-{time.monotonic_ns()}",
               excluded_queue_names=[]).run()  # fmt: skip

    return run


@pytest.fixture
def people(empty_desk):
    """One person of each role, and a reader of one village, a reader of little clearance and one of another department."""
    from qianmo.schema.desk import desk_roles
    from qianmo.web.models import Person

    village = "990101100201"
    made = {role: Person.objects.create_user(role, password=PASSWORD, role=role, clearance=3 if role == "manager" else 1) for role in desk_roles()}
    made["villager"] = Person.objects.create_user("villager", password=PASSWORD, role="reader", region=village)
    made["outsider"] = Person.objects.create_user("outsider", password=PASSWORD, role="planner", clearance=0)
    made["farming"] = Person.objects.create_user("farming", password=PASSWORD, role="reader", department="农业农村")
    return made


@pytest.fixture
def signed_in(people):
    """Gives a browser in which one of the people is signed in."""
    from django.test import Client

    def browser(name: str) -> Client:
        client = Client()
        client.force_login(people[name], backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return browser


ROSTER = (
    ("shen", "沈文清", "游乌镇", "applicant"), ("mi", "米书平", "联席办", "secretary"), ("zi", "赵自强", "自然资源", "officer"), ("ran", "冉秋", "自然资源", "officer"),
    ("nong", "农春生", "农业农村", "officer"), ("sheng", "盛明泰", "生态环境", "officer"), ("xian", "谢远", "县政府", "issuer"), ("du", "杜村长", "村委会", "reader"),
)  # fmt: skip


@pytest.fixture(scope="session")
def opened_review(desk, tmp_path_factory) -> Path:
    """Folder of a review of the township that was submitted and not touched since."""
    context = Context(user="测试", clock=lambda: datetime(2026, 3, 2, 1, tzinfo=UTC))
    evaluate, opening = job_spec("evaluate"), job_spec("review-open")
    evaluate.run(context, checked_values(evaluate, {"project": str(desk)}))
    roster = tmp_path_factory.mktemp("roster") / "roster.toml"
    persons = "".join(f'[[person]]\nid = "{i}"\nname = "{n}"\ndepartment = "{d}"\nrole = "{r}"\n' for i, n, d, r in ROSTER)
    roster.write_text(f'id = "样例"\napplicant = "shen"\n{persons}', encoding="utf-8")
    opening.run(context, checked_values(opening, {"project": str(desk), "file": str(roster)}))
    kept = tmp_path_factory.mktemp("review") / "样例"
    shutil.move(desk / "reviews" / "样例", kept)
    return kept


@pytest.fixture
def evaluated(opened_review, desk) -> Path:
    """The township with its verdicts: another file may have put it back to a state before them."""
    if not (open_project(desk).state / "tables" / "verdicts.parquet").is_file():
        job_spec("evaluate").run(Context(user="测试"), checked_values(job_spec("evaluate"), {"project": str(desk)}))
    return desk


@pytest.fixture
def review(opened_review, evaluated, desk, people) -> Iterator[str]:
    """Id of a fresh review, with an account for everybody on its roster."""
    from qianmo.web.models import Person

    for name, called, department, _role in ROSTER:
        people[name] = Person.objects.create_user(name, password=PASSWORD, first_name=called, role="reviewer", department=department, clearance=1)
    target = desk / "reviews" / "2026-01"
    shutil.copytree(opened_review, target)
    yield "2026-01"
    shutil.rmtree(target)
