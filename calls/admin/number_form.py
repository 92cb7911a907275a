"""The form of a number: what belongs together is asked for together, in words."""

import re
from typing import Any, Final

from django import forms

from calls.gateway import credentials
from calls.models import PhoneNumber
from calls.telephones import telephone
from calls.text import clean

__all__ = ["NumberForm"]

_TYPED: Final = 40
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}")
_D: Final = PhoneNumber.Destination
_TARGETS: Final = {
    _D.QUEUE: ("queue", "Choose the queue in which callers wait."),
    _D.PHONE: ("forward_to", "Give the telephone to dial."),
    _D.AGENT: ("agent", "Choose the agent who is called."),
    _D.VOICE: ("voice", "Choose the voice that answers."),
}
_ITSELF: Final = "This is the number itself: callers would go round in a circle."


class NumberForm(forms.ModelForm):  # type: ignore[type-arg]
    """A number, its destination and its switches."""

    e164 = forms.CharField(
        label="number",
        max_length=_TYPED,
        help_text="With + and its country code, such as +31 20 123 4567. "
        "“Pick from Twilio” on the list shows the account's.",
    )
    forward_to = forms.CharField(
        label="telephone to dial",
        max_length=_TYPED,
        required=False,
        help_text="For the destination telephone number, such as +31 6 12345678.",
    )
    closed_to = forms.CharField(label="telephone when closed", max_length=_TYPED, required=False)

    class Meta:
        model = PhoneNumber
        fields = "__all__"

    def clean_e164(self) -> str:
        """E.164, and not here already."""
        e164 = self._telephone("e164")
        others = PhoneNumber.objects.exclude(pk=self.instance.pk).filter(e164=e164)
        if other := others.first():
            raise forms.ValidationError(f"{e164} is here already: {other.label}.")
        return e164

    def clean_label(self) -> str:
        """On one line, without signs that reorder the text around them."""
        label = clean(self.cleaned_data["label"], 80)
        if not label:
            raise forms.ValidationError("Give it a name that people can read.")
        return label

    def clean_forward_to(self) -> str:
        """E.164 or nothing."""
        return self._telephone("forward_to")

    def clean_closed_to(self) -> str:
        """E.164 or nothing."""
        return self._telephone("closed_to")

    def clean_language(self) -> str:
        """As Twilio writes languages."""
        language: str = self.cleaned_data["language"]
        if not _LANGUAGE.fullmatch(language):
            raise forms.ValidationError("Write the language like en-GB or nl-NL.")
        return language

    def clean_region(self) -> str:
        """Only a region that we have credentials for."""
        region: str = self.cleaned_data["region"]
        kept = not self.instance._state.adding and region == self.instance.region
        if kept or region in credentials.configured():
            return region
        end = "" if region == credentials.HOME else f"_{region.upper()}"
        raise forms.ValidationError(
            f"There are no credentials for {region}. Set TWILIO_AUTH_TOKEN{end} (and, if you use one, "
            f"TWILIO_API_KEY{end} and TWILIO_API_SECRET{end}) and restart first."
        )

    def clean(self) -> dict[str, Any]:
        """What is needed together."""
        super().clean()
        given = self.cleaned_data
        field, needed = _TARGETS.get(given.get("destination", ""), ("", ""))
        if field and field not in self.errors and not given.get(field):
            self.add_error(field, needed)
        is_missing = not given.get("closed_to") and "closed_to" not in self.errors
        if given.get("closed") == PhoneNumber.Closed.PHONE and is_missing:
            self.add_error("closed_to", "Give the telephone to dial when it is closed.")
        for name in ("forward_to", "closed_to"):
            if given.get(name) and given.get(name) == given.get("e164"):
                self.add_error(name, _ITSELF)
        self._clean_listening()
        return given

    def _clean_listening(self) -> None:
        given = self.cleaned_data
        if given.get("record") and not (given.get("consent") or "").strip():
            self.add_error("consent", "To record, say so first: write the text that callers hear.")
        if given.get("record") and not given.get("stream"):
            self.add_error("stream", "A recording is made of the stream: switch it on too.")
        if given.get("destination") == _D.TAP and not given.get("stream"):
            self.add_error("stream", "A number that dials nobody lives by its stream: switch it on.")

    def _telephone(self, field: str) -> str:
        given: str = self.cleaned_data[field]
        try:
            return telephone(given) if given else ""
        except ValueError as wrong:
            raise forms.ValidationError(str(wrong)) from None
