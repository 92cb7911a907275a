"""A flow tried on text, from its voice's page: nobody is called, and nothing is done."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from calls.admin.voice_form import code
from calls.briefing import Briefing
from calls.flows import file as flowfile
from calls.flows.rehearsal import MAX_INPUTS, Rehearsal, rehearse
from calls.flows.steps import Do, Flow
from calls.models import Voice
from calls.selectors.numbers import schedule_of
from calls.selectors.voices import rows_of
from calls.tables import columns as table_columns

__all__ = ["Trial", "TrialForm", "line_of", "tried"]

_TYPED: Final = 200
_LONGEST: Final = 80  # of a line that is refused


class TrialForm(forms.Form):
    """The flow, what the caller did so far, and what they do now."""

    text = forms.CharField(label="flow", max_length=100_000, strip=False, widget=code(24))
    typed = forms.CharField(
        label="the caller says or presses",
        max_length=_TYPED,
        required=False,
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off", "size": 60}),
    )
    before = forms.CharField(required=False, max_length=50_000, widget=forms.HiddenInput)

    def clean_text(self) -> str:
        """With line ends as everywhere."""
        text: str = self.cleaned_data["text"]
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def clean_before(self) -> list[str]:
        """What was typed before, in order."""
        try:
            found = json.loads(self.cleaned_data["before"] or "[]")
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            raise ValidationError("Begin again: what was typed before was lost.")
        return [one[:_TYPED] for one in found[:MAX_INPUTS]]


@dataclass
class Trial:
    """What came of it: the conversation with all that was typed, or what is wrong."""

    inputs: list[str]
    shown: Rehearsal | None = None
    wrong: tuple[tuple[str, str], ...] = ()  # each with the text of its line

    @property
    def is_full(self) -> bool:
        """Whether no more can be typed."""
        return len(self.inputs) >= MAX_INPUTS


def line_of(text: str, number: int) -> str:
    """What stands in this line of a flow, cut to what can be read at a glance."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    found = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    return found if len(found) <= _LONGEST else f"{found[: _LONGEST - 1]}…"


def tried(voice: Voice, text: str, inputs: list[str]) -> Trial:
    """The flow walked with these inputs, with the voice's own actions and tables if it is saved."""
    is_new = voice.pk is None
    actions = {} if is_new else dict(voice.actions.values_list("name", "kind"))
    rows = {} if is_new else {row.name: rows_of(row.text) for row in voice.tables.all()}
    columns = {} if is_new else {row.name: table_columns(row.text) for row in voice.tables.all()}
    try:
        flow = flowfile.parse(text, actions=None if is_new else actions, tables=None if is_new else columns)
        shown = rehearse(
            flow,
            _about(voice, rows),
            inputs,
            actions=_assumed(flow) if is_new else actions,
            now=timezone.now(),
        )
    except flowfile.FlowError as refused:
        told = [(f"Line {at}: {reason}", line_of(text, at)) for at, reason in refused.problems]
        return Trial(inputs, wrong=tuple(told))
    except LookupError as gone:
        return Trial(inputs, wrong=((str(gone), ""),))
    return Trial(inputs, shown)


def _about(voice: Voice, rows: Mapping[str, Any]) -> Briefing:
    hours = voice.hours
    return Briefing(
        voice=voice.pk or 0,
        name=voice.name,
        kind=Voice.FLOW,
        tables=rows,
        caller="Carla Visser",
        may_verify=True,
        schedule=schedule_of(hours) if hours else None,
        zone=hours.time_zone if hours else "UTC",
    )


def _assumed(flow: Flow) -> Mapping[str, str]:
    """What the actions of a flow without a voice must be: one that goes on is a call back."""
    return {
        step.action: flowfile.CALLBACK if step.go else "leaves the flow"
        for step in flow.steps.values()
        if isinstance(step, Do)
    }
