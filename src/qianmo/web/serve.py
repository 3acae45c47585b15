"""``qianmo serve PROJECT``: the desk in the browser, on this machine or in an office (启动网页).

The server is waitress with a pool of threads; static files come from whitenoise; tasks run in a thread that starts a
process for each.
"""

from __future__ import annotations

import secrets
import sys
import threading
import webbrowser
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qianmo.jobs.context import Context
from qianmo.jobs.queries.catalogue import project_catalogue
from qianmo.jobs.queries.layers import steady_memory
from qianmo.jobs.queries.uploads import broken_off, red_line_limit_mb, upload_limit_mb
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.schema.errors import NotAllowedError
from qianmo.web.settings import configure

__all__ = ["SPECS", "guard_bodies", "prepared", "run", "serve_application"]

_THREADS = 8


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Serve one project until the window is closed or Ctrl+C is pressed."""
    project, port, host = Path(values["project"]).resolve(), int(values["port"]), str(values["host"])
    application, word = prepared(project, database_url=values.get("database") or "", hosts=tuple(values.get("name") or ()), secure=bool(values.get("https")))
    return serve_application(application, host=host, port=port, word=word, browser=not values.get("no_browser"), secure=bool(values.get("https")))


def serve_application(application: Any, *, host: str, port: int, word: str = "", browser: bool = True, lines: Sequence[str] = (), secure: bool = False) -> JobReport:
    """Serve a prepared application until Ctrl+C, and say where it is (监听).

    Behind an HTTPS proxy, `secure`, every request counts as one over HTTPS: addresses in answers, and the origin that forms must have.

    Raises
    ------
    NotAllowedError
        The port is taken.
    """
    from waitress import create_server

    upload_bytes, line_bytes = (int(mb + 1) << 20 for mb in (upload_limit_mb(), red_line_limit_mb()))
    try:
        server = create_server(application, host=host, port=port, threads=_THREADS, ident="qianmo", max_request_body_size=max(upload_bytes, line_bytes), clear_untrusted_proxy_headers=True,
                               url_scheme="https" if secure else "http")  # fmt: skip
    except OSError as fault:
        raise NotAllowedError(f"端口 {port} 不能使用: {fault.strerror or fault}", expected="空闲的端口", cure=f"换一个端口: --port {port + 1}") from fault
    guard_bodies(server, upload_bytes=upload_bytes, line_bytes=line_bytes)
    home = f"http://{'127.0.0.1' if host in ('0.0.0.0', '') else host}:{server.effective_port}/"
    opened = f"{home}setup/?token={word}" if word else home
    _say(f"阡陌网页已启动 (the desk is ready): {home}")
    for line in (*((f"首次使用, 请打开 (first user): {opened}",) if word else ()), *lines):
        _say(line)
    _say("按 Ctrl+C 停止 (Ctrl+C stops)")
    if browser:
        threading.Timer(0.5, webbrowser.open, (opened,)).start()
    try:
        server.run()
    except KeyboardInterrupt:
        server.close()
    return JobReport(("网页已停止 (the desk has stopped)",))


def guard_bodies(server: Any, *, upload_bytes: int, line_bytes: int) -> None:
    """Let the server judge a request by its head, before it takes in the body (请求体门限)."""
    from qianmo.web.body_door import door_for
    from qianmo.web.tile_door import is_known

    class Channel(server.channel_class):  # type: ignore[misc,name-defined]
        parser_class = door_for(is_known, upload_bytes=upload_bytes, line_bytes=line_bytes)

    server.channel_class = Channel


def prepared(project: Path, *, database_url: str = "", hosts: tuple[str, ...] = (), secure: bool = False) -> tuple[Any, str]:
    """The application of a project, its tables brought up to date and its task thread started, and the first-user word (准备网页).

    The word is '' where somebody has an account already.

    Raises
    ------
    MissingDataError
        The folder is no project.
    """
    steady_memory()
    project_catalogue(project)
    word = secrets.token_urlsafe(18)
    configure(project, database_url=database_url, hosts=hosts, secure=secure, setup_token=word)
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    from qianmo.web.desk import start_release
    from qianmo.web.setup_token import is_open
    from qianmo.web.tasks import pick_up, start_worker

    call_command("migrate", verbosity=0, interactive=False)
    application = get_wsgi_application()
    broken_off(project)
    pick_up()
    start_worker()
    start_release()
    return application, word if is_open() else ""


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


SPECS = (
    JobSpec(
        "serve", "在浏览器中打开项目", "open a project in the browser",
        (
            JobOption("project", "path", "项目文件夹", "project folder", required=True, positional=True),
            JobOption("port", "integer", "端口", "port", default=8600),
            JobOption("host", "text", "监听地址, 默认只限本机", "address to listen on; this machine only by default", default="127.0.0.1"),
            JobOption("name", "texts", "允许访问的主机名", "host name under which the desk may be called"),
            JobOption("https", "flag", "在 HTTPS 反向代理之后", "behind an HTTPS proxy: cookies are sent over HTTPS only", default=False),
            JobOption("database", "text", "PostgreSQL 地址, 缺省用项目内的 SQLite", "PostgreSQL URL; SQLite in the project by default"),
            JobOption("no_browser", "flag", "不自动打开浏览器", "do not open a browser", default=False),
        ),
        run,
    ),
)  # fmt: skip
