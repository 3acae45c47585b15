"""Forms of the project library (项目库表单)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from qianmo.governance.portfolio.from_library import BASES, OPEN_STATES
from qianmo.schema.workflows import workflow
from qianmo.web.words import both

__all__ = ["BASE_WORDS", "PlanForm"]

BASE_WORDS = {"score": _("Score"), "score_money": _("Score times investment"), "new_farmland": _("New farmland")}
"""What the value of a project may be, in words (价值口径)."""


class PlanForm(forms.Form):
    """What the year plan is asked for with (年度组合参数)."""

    first = forms.IntegerField(label=_("First year"), min_value=2000, max_value=2100)
    years = forms.IntegerField(label=_("Number of years"), min_value=1, max_value=30, initial=5)
    basis = forms.ChoiceField(label=_("What counts as value"), choices=[(b, BASE_WORDS.get(b, b)) for b in BASES], initial="score_money")
    seconds = forms.IntegerField(label=_("Time for the search (s)"), min_value=1, max_value=3600, initial=60)
    states = forms.MultipleChoiceField(label=_("States that take part"), widget=forms.CheckboxSelectMultiple, choices=())
    keep_years = forms.BooleanField(label=_("Leave the start years of the library as they are"), required=False)

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.fields["states"].choices = [(s.id, both(s.zh, s.en)) for s in workflow("project_library").states.values() if not s.is_final]  # type: ignore[attr-defined]
        self.fields["states"].initial = list(OPEN_STATES)
        self.fields["first"].initial = timezone.now().year + 1
