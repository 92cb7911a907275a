"""The forms of a voice, its actions and its tables: what is refused is refused with its line."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

from calls import realtime_options, tables
from calls.admin.fields import TelephoneField
from calls.flows import file as flowfile
from calls.models import Action, Voice, VoiceTable
from calls.selectors.voice_faults import kinds

__all__ = ["EXAMPLE", "EXAMPLE_ACTIONS", "EXAMPLE_TABLES", "ActionForm", "TableForm", "VoiceForm", "code"]

EXAMPLE: Final = Path(flowfile.__file__).parent / "self_service.yaml"
EXAMPLE_ACTIONS: Final = ({"name": "person", "kind": "queue"}, {"name": "call_back", "kind": "callback"})
EXAMPLE_TABLES: Final = (
    {
        "name": "orders",
        "text": "order,status,expected\n4711,on its way,tomorrow\n4712,being packed,on Friday\n",
    },
)
_MOST_ROWS: Final = 100  # of a posted page that are looked at
_TOLD: Final = 30  # problems of a flow


def code(rows: int) -> forms.Textarea:
    """A field for text whose lines and columns count."""
    attrs = {"class": "cc-code", "rows": rows, "cols": 110, "spellcheck": "false", "wrap": "off"}
    return forms.Textarea(attrs=attrs)


class VoiceForm(forms.ModelForm):  # type: ignore[type-arg]
    """A voice; a flow is read together with the actions and tables that are saved with it."""

    kind = forms.ChoiceField(choices=lambda: list(kinds().items()), help_text="Who speaks.")
    text = forms.CharField(
        max_length=100_000,
        required=False,
        strip=False,  # lines are counted from where the text begins
        widget=code(40),
        help_text="The flow (docs/voices.md), or what an AI agent is told to be and to do.",
    )

    class Meta:
        model = Voice
        fields = ["name", "kind", "text", "settings", "language", "queue", "hours"]

    def clean_text(self) -> str:
        """With line ends as everywhere."""
        text: str = self.cleaned_data["text"]
        return text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")

    def clean_settings(self) -> Any:
        """Names and values; nothing at all is none."""
        given = self.cleaned_data["settings"]
        if not isinstance(given or {}, dict):
            raise ValidationError('Write settings as {"name": "value"}.')
        return given or {}

    def clean(self) -> dict[str, Any]:
        """A flow must be one that lets every caller out."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("kind") == Voice.REALTIME and "settings" in data:
            self._check_agent(data["settings"])
        if data.get("kind") == Voice.FLOW and "text" in data:
            try:
                flow = flowfile.parse(data["text"], actions=self._actions(), tables=self._tables())
            except flowfile.FlowError as refused:
                told = [f"Line {line}: {reason}" for line, reason in refused.problems[:_TOLD]]
                self.add_error("text", [ValidationError(one) for one in told])
            else:
                data["language"] = flow.language or data.get("language", "")
        return data

    def _check_agent(self, given: Mapping[str, Any]) -> None:
        try:
            realtime_options.read(given)
        except ValueError as refused:
            self.add_error("settings", str(refused))

    def _actions(self) -> Mapping[str, str]:
        kept = {row.pk: (row.name, row.kind) for row in self._kept(Action)}
        return {
            row.get("name", name): row.get("kind", kind)
            for row, (name, kind) in _posted(self.data, "actions", kept)
        }

    def _tables(self) -> Mapping[str, tuple[str, ...]]:
        kept = {row.pk: (row.name, row.text) for row in self._kept(VoiceTable)}
        return {
            row.get("name", name): tables.columns(row.get("text", text))
            for row, (name, text) in _posted(self.data, "tables", kept)
        }

    def _kept(self, model: Any) -> Any:
        return model.objects.filter(voice=self.instance) if self.instance.pk else ()


def _posted(
    data: Mapping[str, Any], prefix: str, kept: Mapping[int, tuple[str, str]]
) -> Iterator[tuple[dict[str, str], tuple[str, str]]]:
    """The rows of an inline as they will be: what was posted of each, and what is kept of it now."""
    total = str(data.get(f"{prefix}-TOTAL_FORMS", ""))
    seen = set()
    for number in range(min(int(total), _MOST_ROWS) if total.isdecimal() else 0):
        row = {
            field: str(data[f"{prefix}-{number}-{field}"]).strip()
            for field in ("id", "name", "kind", "text", "DELETE")
            if f"{prefix}-{number}-{field}" in data
        }
        pk = int(row["id"]) if row.get("id", "").isdecimal() else 0
        seen.add(pk)
        if not row.get("DELETE") and (pk in kept or row.get("name")):
            yield row, kept.get(pk, ("", ""))
    yield from (({}, held) for pk, held in kept.items() if pk not in seen)


class ActionForm(forms.ModelForm):  # type: ignore[type-arg]
    """One action; where it leads is said here, and by nothing that is said on a call."""

    phone = TelephoneField(label="telephone", required=False, help_text="Such as +31 20 …")

    class Meta:
        model = Action
        fields = ["name", "kind", "queue", "phone", "description"]

    def clean(self) -> dict[str, Any]:
        """What the kind needs, and nothing that it does not look at."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        kind = data.get("kind")
        if kind == Action.Kind.QUEUE and not data.get("queue") and "queue" not in self.errors:
            self.add_error("queue", "Choose the queue to which callers go.")
        if kind == Action.Kind.PHONE and not data.get("phone") and "phone" not in self.errors:
            self.add_error("phone", "Give the telephone to dial.")
        if kind != Action.Kind.PHONE:
            data["phone"] = ""
        if kind in (Action.Kind.PHONE, Action.Kind.END):
            data["queue"] = None
        return data


class TableForm(forms.ModelForm):  # type: ignore[type-arg]
    """One table, as CSV."""

    text = forms.CharField(
        max_length=tables.MAX_TEXT,
        strip=False,
        widget=code(10),
        help_text="CSV: a line of headings (small letters, digits and _), then a line for each row. The "
        "first column is looked up.",
    )

    class Meta:
        model = VoiceTable
        fields = ["name", "text"]

    def clean_text(self) -> str:
        """A table that can be looked things up in."""
        given: str = self.cleaned_data["text"]
        text = given.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
        try:
            tables.read(text)
        except tables.TableError as wrong:
            raise ValidationError(str(wrong)) from None
        return text
