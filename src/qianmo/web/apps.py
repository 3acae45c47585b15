"""The desk as a Django application (网页应用)."""

from __future__ import annotations

from django.apps import AppConfig

__all__ = ["DeskConfig"]


class DeskConfig(AppConfig):
    """Tables, pages and words of the desk (网页应用配置)."""

    name = "qianmo.web"
    label = "desk"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Keep the stamp of the rights in place, and log who signs in."""
        from django.db.models.signals import post_migrate

        from qianmo.web import security_log, session_watch
        from qianmo.web.rights_stamp import install

        security_log.connect()
        session_watch.connect()

        post_migrate.connect(install, sender=self, dispatch_uid="desk-rights-stamp")
