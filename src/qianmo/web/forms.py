"""Forms of the desk; the form of a job is made from its specification (表单)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib.auth.forms import BaseUserCreationForm
from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from qianmo.jobs.spec import JobOption, JobSpec
from qianmo.web.models import LayerRight, Person

__all__ = ["FirstPersonForm", "LayerForm", "PersonForm", "RedLineForm", "RightsForm", "job_form", "job_values"]

_TEXTS = forms.Textarea(attrs={"rows": 3})


class FirstPersonForm(BaseUserCreationForm):
    """The first person, who manages the desk (首用户)."""

    token = forms.CharField(label=_("One-time word"), widget=forms.PasswordInput(render_value=True, attrs={"autocomplete": "one-time-code"}))

    class Meta:
        model = Person
        fields = ("username",)


class PersonForm(BaseUserCreationForm):
    """A new person with his rights (新用户)."""

    class Meta:
        model = Person
        fields = ("username", "first_name", "role", "region", "department", "clearance")

    def save(self, commit: bool = True) -> Person:
        """Keep the person; the password typed here lasts until the first sign-in."""
        self.instance.password_given = True
        found: Person = super().save(commit=commit)
        return found


class RightsForm(forms.ModelForm):
    """Rights of a person (用户权限)."""

    class Meta:
        model = Person
        fields = ("first_name", "role", "region", "department", "clearance", "is_active")


class LayerForm(forms.ModelForm):
    """Demands of a layer (图层权限)."""

    class Meta:
        model = LayerRight
        fields = ("secrecy", "departments", "region", "review_number")


class RedLineForm(forms.Form):
    """A red line drawn on the map (红线)."""

    title = forms.CharField(label=_("Title"), max_length=120)
    shape = forms.CharField(label=_("Outline"), widget=forms.HiddenInput, error_messages={"required": _("Draw an outline on the map, or upload a file.")})

    def clean(self) -> dict[str, Any]:
        """Give the outline as a record."""
        cleaned = super().clean() or {}
        if not cleaned.get("shape"):
            return cleaned
        try:
            cleaned["record"] = json.loads(cleaned["shape"])
        except (json.JSONDecodeError, RecursionError):
            raise ValidationError(_("The outline is no GeoJSON. Draw it again.")) from None
        if not isinstance(cleaned["record"], dict):
            raise ValidationError(_("The outline is no GeoJSON. Draw it again."))
        return cleaned


def job_form(spec: JobSpec, data: Mapping[str, Any] | None = None) -> forms.Form:
    """The form of a job: one field an option, but for paths, which the desk sets itself (作业表单)."""
    form = forms.Form(data)
    for option in spec.options:
        if option.kind not in ("path", "paths"):
            form.fields[option.name] = _field(option)
    return form


def job_values(spec: JobSpec, form: forms.Form) -> dict[str, Any]:
    """Values of a valid form as the job takes them (作业参数)."""
    values: dict[str, Any] = {}
    for option in spec.options:
        if option.name not in form.cleaned_data:
            continue
        value = form.cleaned_data[option.name]
        if option.kind == "texts":
            value = [line.strip() for line in value.splitlines() if line.strip()] or None
        if value not in (None, ""):
            values[option.name] = value
    return values


def _field(option: JobOption) -> forms.Field:
    label = option.zh if (get_language() or "zh").startswith("zh") else option.en
    common: dict[str, Any] = {"label": label, "required": option.required, "initial": option.default}
    if option.kind == "number":
        return forms.FloatField(**common)
    if option.kind == "integer":
        return forms.IntegerField(**common)
    if option.kind == "flag":
        return forms.BooleanField(**{**common, "required": False})
    if option.kind == "choice" or option.choices:
        choices = [(c, c) for c in option.choices]
        return forms.ChoiceField(choices=choices if option.required else [("", "—"), *choices], **common)
    if option.kind == "texts":
        return forms.CharField(widget=_TEXTS, **{**common, "initial": "\n".join(option.default or ())})
    return forms.CharField(max_length=500, **common)
