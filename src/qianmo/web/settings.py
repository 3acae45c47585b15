"""Settings of the desk, made for one project and given to Django in code (网页设置)."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from qianmo.schema.errors import SchemaError
from qianmo.web.desk_file import DeskFile, SignOn, desk_file

__all__ = ["configure", "database", "desk_settings", "secret_key"]

_HERE = Path(__file__).parent


def configure(project: Path, *, database_url: str = "", hosts: tuple[str, ...] = (), secure: bool = False, setup_token: str = "") -> None:
    """Give Django its settings and load it; once in a process (载入网页设置).

    Parameters
    ----------
    project : Path
        The project that the desk shows; its folder keeps ``desk.sqlite3`` and ``desk.key``.
    database_url : str
        ``postgresql://user:password@host:port/name``; '' for SQLite in the project folder.
    hosts : tuple of str
        Names under which the desk may be called, besides localhost.
    secure : bool
        True behind HTTPS: cookies are then sent over HTTPS only.
    setup_token : str
        The word that opens the first-user page once; '' closes it.
    """
    import django
    from django.conf import settings

    settings.configure(**desk_settings(project, database_url=database_url, hosts=hosts, secure=secure, setup_token=setup_token, key=secret_key(project)))
    django.setup()


def secret_key(project: Path) -> str:
    """The key that signs sessions, made once and readable by its owner only (签名密钥)."""
    path = project / "desk.key"
    if not path.is_file():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48), encoding="ascii")
    return path.read_text(encoding="ascii").strip()


def database(project: Path, url: str = "") -> dict[str, Any]:
    """The database of the desk (数据库): SQLite in the project folder, or PostgreSQL by its URL.

    Raises
    ------
    SchemaError
        The URL is not one of PostgreSQL.
    """
    if not url:
        options = {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;", "transaction_mode": "IMMEDIATE", "timeout": 20}
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(project / "desk.sqlite3"), "OPTIONS": options, "CONN_MAX_AGE": 60}
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        raise SchemaError(f"database {parts.scheme or url!r}", expected="postgresql://user:password@host:port/name", cure="leave it out for SQLite in the project folder")
    return {
        "ENGINE": "django.db.backends.postgresql", "NAME": parts.path.strip("/"), "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""), "HOST": parts.hostname or "", "PORT": str(parts.port or ""), "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True,
    }  # fmt: skip


def desk_settings(
    project: Path, *, key: str, database_url: str = "", hosts: tuple[str, ...] = (), secure: bool = False, setup_token: str = ""
) -> dict[str, Any]:
    """All settings by name, with those of ``desk.toml``, as `configure` gives them to Django (设置项)."""
    file = desk_file(project)
    return {
        "QIANMO_PROJECT": str(project),
        "QIANMO_DATABASE_URL": database_url,
        "QIANMO_SETUP_TOKEN": setup_token,
        "QIANMO_IDLE_S": file.idle_minutes * 60,
        "QIANMO_MOST_S": file.most_hours * 3600,
        "QIANMO_SECOND_FACTOR": file.second_factor,
        "QIANMO_SIGN_ON": file.sign_on.name if file.sign_on else "",
        "DEBUG": False,
        "SECRET_KEY": key,
        "ALLOWED_HOSTS": ["127.0.0.1", "localhost", "[::1]", *hosts],
        "ROOT_URLCONF": "qianmo.web.routes",
        "DATABASES": {"default": database(project, database_url)},
        "INSTALLED_APPS": [*_APPS, *(_SIGN_ON_APPS if file.sign_on else ())],
        "MIDDLEWARE": _MIDDLEWARE,
        "TEMPLATES": [_TEMPLATES],
        "AUTH_USER_MODEL": "desk.Person",
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        **_signing_in(secure, file),
        **(_signing_on(file.sign_on) if file.sign_on else {}),
        "LANGUAGE_CODE": "zh-hans",
        "LANGUAGES": [("zh-hans", "中文"), ("en", "English")],
        "LOCALE_PATHS": [str(_HERE / "locale")],
        "LANGUAGE_COOKIE_SAMESITE": "Lax",
        "TIME_ZONE": "Asia/Shanghai",
        "USE_TZ": True,
        "STATIC_URL": "/static/",
        "WHITENOISE_USE_FINDERS": True,
        "WHITENOISE_AUTOREFRESH": False,
        "WHITENOISE_IMMUTABLE_FILE_TEST": _is_hashed,
        "TASKS": {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "ENQUEUE_ON_COMMIT": True}},
        "CACHES": {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend",
        "DATA_UPLOAD_MAX_MEMORY_SIZE": 20 << 20,
        "FILE_UPLOAD_MAX_MEMORY_SIZE": 2 << 20,
        "DATA_UPLOAD_MAX_NUMBER_FILES": 400,
        "DATA_UPLOAD_MAX_NUMBER_FIELDS": 20_000,
        "SECURE_CONTENT_TYPE_NOSNIFF": True,
        "SECURE_REFERRER_POLICY": "same-origin",
        "SECURE_CROSS_ORIGIN_OPENER_POLICY": "same-origin",
        "X_FRAME_OPTIONS": "DENY",
        "LOGGING": _logging(project),
        "SILENCED_SYSTEM_CHECKS": ["account.W001"],
    }


_APPS = [
    "qianmo.web", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages", "django.contrib.staticfiles",
    "django.contrib.humanize", "allauth", "allauth.account", "allauth.mfa", "simple_history", "django_tasks", "django_tasks_db",
]  # fmt: skip

_MIDDLEWARE = [
    "qianmo.web.headers.headers", "qianmo.web.tile_door.tile_door", "qianmo.web.kept_sessions.one_moment", "django.middleware.security.SecurityMiddleware", "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.locale.LocaleMiddleware", "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware", "qianmo.web.kept_sessions.KeptUser", "qianmo.web.session_watch.watch",
    "django.contrib.messages.middleware.MessageMiddleware", "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware", "simple_history.middleware.HistoryRequestMiddleware", "qianmo.web.errors.told",
]  # fmt: skip

_TEMPLATES = {
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "DIRS": [str(_HERE / "templates")],
    "APP_DIRS": True,
    "OPTIONS": {
        "context_processors": [
            "django.template.context_processors.request", "django.contrib.auth.context_processors.auth", "django.contrib.messages.context_processors.messages",
            "django.template.context_processors.i18n", "qianmo.web.frame.frame",
        ],
        "builtins": ["qianmo.web.words", "qianmo.web.sheets"],
    },
}  # fmt: skip


_SIGN_ON_APPS = ("allauth.socialaccount", "qianmo.web.oidc")


def _signing_in(secure: bool, file: DeskFile) -> dict[str, Any]:
    strength = "django.contrib.auth.password_validation."
    return {
        "AUTHENTICATION_BACKENDS": ["allauth.account.auth_backends.AuthenticationBackend"],
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.Argon2PasswordHasher"],
        "AUTH_PASSWORD_VALIDATORS": [
            {"NAME": strength + "UserAttributeSimilarityValidator"},
            {"NAME": strength + "MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
            {"NAME": strength + "CommonPasswordValidator"},
            *([{"NAME": "qianmo.web.passwords.BreachedPasswordValidator", "OPTIONS": {"file": file.breached_file}}] if file.breached_file else []),
        ],
        "LOGIN_URL": "/accounts/login/",
        "LOGIN_REDIRECT_URL": "/",
        "ACCOUNT_ADAPTER": "qianmo.web.accounts.DeskAdapter",
        "ACCOUNT_FORMS": {"login": "qianmo.web.sign_in_form.SignInForm", "change_password": "qianmo.web.accounts.OwnPasswordForm"},
        "ACCOUNT_LOGIN_METHODS": {"username"},
        "ACCOUNT_SIGNUP_FIELDS": ["username*", "password1*", "password2*"],
        "ACCOUNT_EMAIL_VERIFICATION": "none",
        "ACCOUNT_LOGOUT_REDIRECT_URL": "/accounts/login/",
        "ACCOUNT_SESSION_REMEMBER": False,
        "MFA_SUPPORTED_TYPES": ["totp", "webauthn", "recovery_codes"],
        "MFA_ALLOW_UNVERIFIED_EMAIL": True,
        "MFA_TOTP_ISSUER": "Qianmo",
        "SESSION_ENGINE": "qianmo.web.kept_sessions",
        "SESSION_COOKIE_AGE": file.most_hours * 3600,
        "SESSION_COOKIE_NAME": "__Host-sessionid" if secure else "sessionid",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": secure,
        "CSRF_COOKIE_SECURE": secure,
        "CSRF_COOKIE_SAMESITE": "Lax",
        "CSRF_FAILURE_VIEW": "qianmo.web.errors.csrf_failure",
    }


def _signing_on(server: SignOn) -> dict[str, Any]:
    told = {"provider_id": "office", "name": server.name, "client_id": server.client_id, "secret": server.secret, "settings": {"server_url": server.server_url, "uid_field": "sub"}}
    return {
        "SOCIALACCOUNT_ADAPTER": "qianmo.web.oidc.people.SignOnPeople",
        "SOCIALACCOUNT_PROVIDERS": {"openid_connect": {"APPS": [told]}},
        "SOCIALACCOUNT_EMAIL_VERIFICATION": "none",
        "SOCIALACCOUNT_STORE_TOKENS": False,
        "SOCIALACCOUNT_QUERY_EMAIL": False,
        "SOCIALACCOUNT_REQUESTS_TIMEOUT": 10,
    }  # fmt: skip


def _is_hashed(path: str, url: str) -> bool:
    """Files of the map whose name changes with their content; they may be kept by the browser for ever."""
    return "/static/map/assets/" in url


def _logging(project: Path) -> dict[str, Any]:
    lines = {"format": "%(asctime)s %(levelname)s %(name)s %(message)s", "datefmt": "%Y-%m-%dT%H:%M:%S%z"}
    keep = {"class": "logging.handlers.RotatingFileHandler", "filename": str(project / "desk.log"), "maxBytes": 5 << 20, "backupCount": 5,
            "encoding": "utf-8", "delay": True, "formatter": "lines"}  # fmt: skip
    return {
        "version": 1, "disable_existing_loggers": False, "formatters": {"lines": lines}, "filters": {"queue": {"()": "qianmo.web.server_log.QueueDepth"}}, "handlers": {"file": keep},
        "loggers": {"qianmo.web": {"handlers": ["file"], "level": "INFO", "propagate": False}, "django": {"handlers": ["file"], "level": "ERROR", "propagate": False},
                    "django_tasks_db": {"handlers": ["file"], "level": "WARNING", "propagate": False},
                    "waitress": {"handlers": ["file"], "level": "WARNING", "propagate": False},
                    "waitress.queue": {"handlers": ["file"], "level": "DEBUG", "filters": ["queue"], "propagate": False}},
    }  # fmt: skip
