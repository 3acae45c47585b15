"""The settings file of a desk, ``desk.toml`` in the project folder: sign-on, sessions, passwords (网页设置文件)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from qianmo.schema.desk import desk_roles
from qianmo.schema.errors import MissingDataError, SchemaError

__all__ = ["DeskFile", "SignOn", "desk_file"]

_KEYS: dict[str, dict[str, type]] = {
    "session": {"idle_minutes": int, "most_hours": int}, "second_factor": {"roles": list}, "passwords": {"breached_file": str},
    "oidc": {"name": str, "client_id": str, "secret_file": str, "server_url": str},
}  # fmt: skip
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class SignOn:
    """Where people of an office sign in with the account of the office (统一认证): OpenID Connect."""

    name: str
    client_id: str
    secret: str
    server_url: str


@dataclass(frozen=True)
class DeskFile:
    """What the file of a desk says (网页设置): minutes without a request after which a session ends, hours after which it ends in any
    case, roles that need a second factor, a list of breached passwords, and sign-on; the defaults are those of a desk without a file."""

    idle_minutes: int = 60
    most_hours: int = 12
    second_factor: tuple[str, ...] = ()
    breached_file: str = ""
    sign_on: SignOn | None = None


def desk_file(project: Path) -> DeskFile:
    """Read ``desk.toml`` of a project; the defaults where there is none (读取网页设置).

    Paths in it are relative to the project folder.

    Raises
    ------
    SchemaError
        The file is no TOML, or has an unknown key, a value of another type, an unknown role, or a server that is neither HTTPS nor
        on this machine.
    MissingDataError
        A file it names is not there.
    """
    path = project / "desk.toml"
    if not path.is_file():
        return DeskFile()
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise SchemaError(f"desk.toml 不能读取: {fault}", expected="UTF-8 编码的 TOML 文件", cure="对照文档“网页设置”修改, 或删去该文件") from None
    _checked(told)
    session, passwords = told.get("session", {}), told.get("passwords", {})
    roles = tuple(told.get("second_factor", {}).get("roles", ()))
    unknown = sorted(set(map(str, roles)) - set(desk_roles()))
    if unknown:
        raise SchemaError(f"desk.toml: 没有角色 {', '.join(unknown)}", expected=", ".join(desk_roles()), cure="改 [second_factor] 的 roles")
    breached = str(_file(project, passwords["breached_file"])) if "breached_file" in passwords else ""
    idle, most = int(session.get("idle_minutes", DeskFile.idle_minutes)), int(session.get("most_hours", DeskFile.most_hours))
    if not (1 <= idle <= most * 60 and 1 <= most <= 24):
        raise SchemaError(f"desk.toml: 空闲 {idle} 分钟, 最长 {most} 小时", expected="最长 1 到 24 小时, 空闲 1 分钟到最长时间", cure="改 [session]")
    return DeskFile(idle, most, roles, breached, _sign_on(project, told["oidc"]) if "oidc" in told else None)


def _checked(told: Mapping[str, Any]) -> None:
    for part, values in told.items():
        if part not in _KEYS or not isinstance(values, dict):
            raise SchemaError(f"desk.toml: 没有 [{part}] 这一节", expected=", ".join(f"[{k}]" for k in _KEYS), cure="对照文档“网页设置”修改")
        for key, value in values.items():
            wanted = _KEYS[part].get(key)
            if wanted is None or not isinstance(value, wanted) or isinstance(value, bool):
                raise SchemaError(f"desk.toml: [{part}] {key} = {value!r}", expected=", ".join(f"{k}: {t.__name__}" for k, t in _KEYS[part].items()), cure="对照文档“网页设置”修改")


def _sign_on(project: Path, told: Mapping[str, Any]) -> SignOn:
    missing = [k for k in ("client_id", "secret_file", "server_url") if not told.get(k)]
    if missing:
        raise SchemaError(f"desk.toml: [oidc] 缺 {', '.join(missing)}", expected="client_id, secret_file, server_url", cure="向统一认证的管理者索取后补上")
    url = urlsplit(told["server_url"])
    if not (url.scheme == "https" or (url.scheme == "http" and url.hostname in _LOOPBACK)) or not url.hostname or url.query or url.fragment:
        raise SchemaError(f"desk.toml: [oidc] server_url = {told['server_url']!r}", expected="https:// 开头的地址", cure="改用统一认证的 HTTPS 地址")
    secret = _file(project, told["secret_file"]).read_text(encoding="utf-8").strip()
    return SignOn(told.get("name") or str(url.hostname), told["client_id"], secret, told["server_url"].rstrip("/"))


def _file(project: Path, name: str) -> Path:
    path = project / name
    if not path.is_file():
        raise MissingDataError(f"desk.toml: 没有文件 {name}", expected="项目文件夹内或写全路径的文件", cure="放好文件, 或删去这一项")
    return path
