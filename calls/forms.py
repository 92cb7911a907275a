"""What people may type: the filters of the list of calls."""

from datetime import datetime, time
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from calls.access import Scope
from calls.models import Agent, PhoneNumber
from calls.selectors import teams
from calls.selectors.history import Wanted

__all__ = ["HistoryForm"]

STATES = [
    ("", _("Any state")),
    ("live", _("Live now")),
    ("ended", _("Ended")),
    ("answered", _("Answered")),
    ("missed", _("Not answered")),
    ("failed", _("Failed")),
]


class HistoryForm(forms.Form):
    """Read from the address, so that a filtered list can be kept and sent."""

    q = forms.CharField(
        label=_("Words said"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": _("What somebody said")}),
    )
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    number = forms.ModelChoiceField(
        PhoneNumber.objects.none(), label=_("Number"), required=False, empty_label=_("All numbers")
    )
    agent = forms.ModelChoiceField(
        Agent.objects.none(), label=_("Agent"), required=False, empty_label=_("All agents")
    )
    state = forms.ChoiceField(label=_("State"), required=False, choices=STATES)
    caller = forms.CharField(
        label=_("Caller"),
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"placeholder": _("Number or name")}),
    )

    def __init__(self, *arguments: Any, scope: Scope, **named: Any) -> None:
        """Numbers and agents to choose from are those that the scope sees."""
        super().__init__(*arguments, **named)
        for name, rows in (("number", teams.numbers(scope)), ("agent", teams.agents(scope))):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows

    def clean(self) -> dict[str, Any]:
        """From must not lie after To."""
        data: dict[str, Any] = super().clean() or {}
        since, until = data.get("since"), data.get("until")
        if since and until and since > until:
            self.add_error("until", _("This day lies before the first one."))
        return data

    def wanted(self) -> Wanted:
        """What to look for; fields with errors are left out."""
        self.is_valid()
        data = self.cleaned_data
        return Wanted(
            words=data.get("q", "").strip(),
            since=_start(data.get("since")),
            until=_start(data.get("until")),
            number=data["number"].pk if data.get("number") else None,
            agent=data["agent"].pk if data.get("agent") else None,
            state=data.get("state", ""),
            caller=data.get("caller", "").strip(),
        )


def _start(day: Any) -> datetime | None:
    return timezone.make_aware(datetime.combine(day, time.min)) if day else None
