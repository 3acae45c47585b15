"""Tables of the desk: people, demands of layers, tasks, red lines (网页数据表)."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from qianmo.schema.desk import LayerDemand, Viewer, desk_roles, secrecy_levels

__all__ = ["DrawnLine", "LayerRight", "Person", "Task"]


def _roles() -> list[tuple[str, str]]:
    return [(r.role, f"{r.zh} {r.en}") for r in desk_roles().values()]


def _levels() -> list[tuple[int, str]]:
    return [(level, f"{zh} {en}") for level, (zh, en) in secrecy_levels().items()]


class Person(AbstractUser):
    """A person with an account (用户): role, region, department and clearance."""

    role = models.CharField(_("Role"), max_length=20, choices=_roles, default="reader")
    region = models.CharField(_("Region code"), max_length=19, blank=True, default="", help_text=_("First digits of the administrative code; empty for all"))
    department = models.CharField(_("Department"), max_length=60, blank=True, default="")
    clearance = models.PositiveSmallIntegerField(_("Clearance"), choices=_levels, default=1)
    password_changed = models.DateTimeField(null=True, editable=False, default=None)
    password_given = models.BooleanField(default=False, db_default=False, editable=False)
    history = HistoricalRecords(excluded_fields=["password", "last_login", "password_changed", "password_given"])

    def set_password(self, raw_password: str | None) -> None:
        """Set the password; who has an account already is told at the next sign-in, and chooses another, since somebody else knows it."""
        super().set_password(raw_password)
        if self.pk is not None:
            self.password_changed, self.password_given = timezone.now(), True

    def viewer(self) -> Viewer:
        """The person as rights see them."""
        return Viewer(self.username, self.role, self.region, self.department, self.clearance)


class LayerRight(models.Model):
    """What a layer demands of who sees it (图层权限)."""

    layer = models.CharField(_("Layer"), max_length=120, unique=True)
    secrecy = models.PositiveSmallIntegerField(_("Secrecy"), choices=_levels, default=1)
    departments = models.CharField(_("Departments"), max_length=400, blank=True, default="", help_text=_("Separated by commas; empty for all"))
    region = models.CharField(_("Region code"), max_length=19, blank=True, default="")
    review_number = models.CharField(_("Map review number"), max_length=60, blank=True, default="")
    history = HistoricalRecords()

    def demand(self) -> LayerDemand:
        """The row as rights see it."""
        return LayerDemand(self.secrecy, tuple(d.strip() for d in self.departments.replace("，", ",").split(",") if d.strip()), self.region)


class Task(models.Model):
    """One run of a job (任务): what was asked, how far it is, what came of it."""

    STATES = (
        ("queued", _("Queued")), ("running", _("Running")), ("done", _("Done")), ("failed", _("Failed")), ("cancelled", _("Cancelled")),
    )  # fmt: skip
    number = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    job = models.CharField(max_length=40)
    values = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=STATES, default="queued")
    step = models.CharField(max_length=200, blank=True, default="")
    share = models.FloatField(default=0.0)
    cancel_asked = models.BooleanField(default=False)
    report = models.JSONField(default=dict)
    error = models.JSONField(default=dict)
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    asked = models.DateTimeField(auto_now_add=True)
    started = models.DateTimeField(null=True)
    ended = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-asked",)

    @property
    def is_open(self) -> bool:
        """Whether it still waits or runs."""
        return self.state in ("queued", "running")


class DrawnLine(models.Model):
    """A red line with what it covered when it was laid over (红线与占压报告)."""

    number = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    title = models.CharField(_("Title"), max_length=120)
    shape = models.JSONField()
    report = models.JSONField()
    generation = models.PositiveIntegerField()
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    made = models.DateTimeField(auto_now_add=True)
    history = HistoricalRecords(excluded_fields=["shape", "report"])

    class Meta:
        ordering = ("-made",)
