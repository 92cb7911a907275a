"""Fields that forms of the admin share."""

from typing import Any

from django import forms

from calls.services.contacts import default_region
from calls.telephones import telephone

__all__ = ["TelephoneField"]


class TelephoneField(forms.CharField):
    """A telephone number as people type it, kept as E.164; without country code it is one of ours."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)

    def clean(self, value: Any) -> str:
        """E.164 or nothing."""
        typed = super().clean(value)
        if not typed:
            return ""
        try:
            return telephone(typed, default_region())
        except ValueError as wrong:
            raise forms.ValidationError(str(wrong)) from None
