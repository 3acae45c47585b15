"""Sample accounts of the offices for the example, each with a password made once and printed once (示例部门账户)."""

from __future__ import annotations

import secrets
from pathlib import Path

from qianmo.jobs.spec import JobReport
from qianmo.schema.errors import NotAllowedError
from qianmo.schema.shipped import shipped_rows
from qianmo.web.serve import prepared, serve_application

__all__ = ["make_offices", "serve_sample"]


def serve_sample(project: Path, *, port: int, no_browser: bool) -> JobReport:
    """Give the example sample offices and serve it, on this machine only (示例网页).

    Raises
    ------
    NotAllowedError
        Somebody else has an account there, or the port is taken.
    """
    application, _ = prepared(project)
    lines = [
        "示例项目: 村界、权属与控制线为合成数据 (boundaries, titles and control lines are synthetic)",
        "示例账户, 口令只显示这一次 (sample accounts; passwords are shown once):",
        *(f"  {name}  {password}  {zh}" for name, zh, password in make_offices()),
    ]
    return serve_application(application, host="127.0.0.1", port=port, browser=not no_browser, lines=lines)


def make_offices() -> list[tuple[str, str, str]]:
    """Accounts by ``codes/sample_offices.csv`` with new passwords: name, what it is, password (建立示例账户).

    Sample accounts that exist get a new password, which ends their sessions, and nothing else of theirs is changed.

    Raises
    ------
    NotAllowedError
        Somebody else has an account here, so this is no longer an example.
    """
    from django.db import transaction

    from qianmo.web.models import Person

    rows = shipped_rows("codes", "sample_offices")
    made = []
    with transaction.atomic():
        others = Person.objects.exclude(username__in=[r["name"] for r in rows]).order_by("username").values_list("username", flat=True)[:3]
        if others:
            raise NotAllowedError(f"这个示例里已有别的账户: {', '.join(others)} (other accounts exist)", expected="只有示例账户的示例项目",
                                  cure="用 qianmo serve 打开它, 或换一个 --out 文件夹")  # fmt: skip
        for row in rows:
            person = Person.objects.filter(username=row["name"]).first() or Person(
                username=row["name"], first_name=row["zh"], role=row["role"], region=row["region"], department=row["department"], clearance=int(row["clearance"])
            )
            password = secrets.token_urlsafe(12)
            person.set_password(password)
            person.password_given = False  # new at every start of the example, and known to whoever reads its window
            person.save()
            made.append((row["name"], row["zh"], password))
    return made
