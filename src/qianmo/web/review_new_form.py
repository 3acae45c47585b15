"""The form that opens a review, and that of a changed package: who takes part, what goes along (送审表单)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from qianmo.governance.review_records import MANDATORY, Person
from qianmo.jobs.queries.review_drafts import is_plain_id, is_taken
from qianmo.web.models import Person as Account

__all__ = ["Files", "NewReviewForm", "ResubmitForm", "called", "sent_documents"]

_MOST_DOCUMENTS = 40


class Files(forms.FileField):
    """Several files under one name (多个文件)."""

    class _Input(forms.ClearableFileInput):
        allow_multiple_selected = True

    widget = _Input

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        """Each file on its own."""
        if len(data or ()) > _MOST_DOCUMENTS:
            raise forms.ValidationError(_("At most %(n)s documents.") % {"n": _MOST_DOCUMENTS})
        return [super(Files, self).clean(one, initial) for one in data or []]


class NewReviewForm(forms.Form):
    """Who takes part and what goes along (送审表单).

    Parameters
    ----------
    project : Path
    me : Account
        The applicant.
    accounts : sequence of Account
        Who may take part: with a department and the clearance for the whole package.
    suggested : str
        Id that is filled in.
    """

    def __init__(self, project: Path, me: Account, accounts: Sequence[Account], suggested: str, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.project, self.me, self.accounts = project, me, {a.username: a for a in accounts}
        people = [(a.username, f"{called(a)} · {a.department} ({a.username})") for a in accounts]
        self.fields["review"] = forms.CharField(label=_("Id of the review"), max_length=64, initial=suggested, help_text=_("Letters, digits, dot, dash and underscore"))
        self.fields["secretary"] = forms.ChoiceField(label=_("Office of the review (takes in, gives out, calls the meeting)"), choices=[("", "—"), *people])
        self.fields["issuer"] = forms.ChoiceField(label=_("Who issues the decision"), choices=[("", "—"), *people])
        self.departments = _departments(accounts)
        for number, department in enumerate(self.departments):
            own = [(a.username, f"{called(a)} ({a.username})") for a in accounts if a.department == department]
            must = f" ({_('mandatory')})" if department in MANDATORY else ""
            self.fields[f"officers_{number}"] = forms.MultipleChoiceField(label=f"{department}{must}", choices=own, required=False, widget=forms.CheckboxSelectMultiple,
                                                                          initial=[own[0][0]] if department in MANDATORY else [])  # fmt: skip
        self.fields["documents"] = Files(label=_("Documents of the package"), required=False, help_text=_("Such as minutes, photos of the notice, drawings; each is hashed with the package"))

    def clean_review(self) -> str:
        """The id, where it is free."""
        name = str(self.cleaned_data["review"]).strip()
        if not is_plain_id(self.project, name):
            raise forms.ValidationError(_("Letters, digits, dot, dash and underscore only, beginning with a letter or digit."))
        if is_taken(self.project, name):
            raise forms.ValidationError(_("A review of this id exists. Choose another id; a changed package is handed in on the page of its review."))
        return name

    def clean(self) -> dict[str, Any]:
        """Every mandatory department has an officer, and nobody two parts."""
        given = super().clean() or {}
        officers = self.officers()
        lacking = [d for d in MANDATORY if not any(self.accounts[o].department == d for o in officers)]
        if lacking:
            self.add_error(None, _("No officer of: %(departments)s. Their opinion is mandatory (rule V-08). Choose one; where the list has none, ask a manager of the desk to add the account.")
                           % {"departments": "、".join(lacking)})  # fmt: skip
        parts = [*officers, given.get("secretary", ""), given.get("issuer", "")]
        twice = sorted({p for p in parts if p and parts.count(p) > 1})
        if twice:
            self.add_error(None, _("%(names)s would have two parts. Each person has one part in a review.") % {"names": "、".join(called(self.accounts[t]) for t in twice)})
        return given

    def officers(self) -> list[str]:
        """Accounts chosen as officers, by department."""
        return [o for n in range(len(self.departments)) for o in self.cleaned_data.get(f"officers_{n}", ())]

    def roster(self) -> list[dict[str, str]]:
        """Everybody with a part, the applicant first."""
        parts = [(self.me, "applicant"), (self.accounts[self.cleaned_data["secretary"]], "secretary"), *((self.accounts[o], "officer") for o in self.officers()),
                 (self.accounts[self.cleaned_data["issuer"]], "issuer")]  # fmt: skip
        return [{"id": a.username, "name": called(a), "department": a.department, "role": role} for a, role in parts]


class ResubmitForm(forms.Form):
    """What is handed in again: the present project, documents of the last round and further ones, and what was changed (修改稿).

    Parameters
    ----------
    last : sequence of str
        File names of the documents of the last round; those that are ticked go along, unless a new one has the same name.
    """

    def __init__(self, last: Sequence[str], *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.fields["reason"] = forms.CharField(label=_("What was changed"), widget=forms.Textarea(attrs={"rows": 3}), max_length=2000)
        if last:
            self.fields["keep"] = forms.MultipleChoiceField(label=_("Documents of the last round that go along"), choices=[(n, n) for n in last], initial=list(last), required=False,
                                                            widget=forms.CheckboxSelectMultiple)  # fmt: skip
        self.fields["documents"] = Files(label=_("Further documents, or new ones of the same name"), required=False)
        self.fields["unchanged"] = forms.BooleanField(label=_("The package is the same on purpose"), required=False)

    def kept(self) -> list[str]:
        """Documents of the last round that go along."""
        new = {Path(file.name).name.casefold() for file in self.cleaned_data["documents"]}
        return [n for n in self.cleaned_data.get("keep", ()) if n.casefold() not in new]

    def record(self, review: str, person: Person) -> dict[str, Any]:
        """The draft it makes."""
        return {"kind": "resubmit", "review": review, "actor": person.id, "reason": self.cleaned_data["reason"], "unchanged": self.cleaned_data["unchanged"]}


def called(account: Account) -> str:
    """What a person is called: the name, else the account (姓名)."""
    return account.first_name or account.username


def sent_documents(given: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Name and chunks of each document of a valid form (送审文件)."""
    return [(Path(file.name).name, file.chunks()) for file in given["documents"]]


def _departments(accounts: Sequence[Account]) -> list[str]:
    there = list(dict.fromkeys(a.department for a in accounts))
    return [*(d for d in MANDATORY if d in there), *(d for d in there if d not in MANDATORY)]
